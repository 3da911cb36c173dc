from __future__ import annotations

from datetime import UTC, datetime

import pytest
from factories import make_embedding, make_tracklet

from reid_core.errors import RecipeError, ScheduleError
from reid_core.types import Camera, ClockQuality
from services.settings import Settings
from services.storage.cameras import CameraRepository
from services.storage.job_records import JobState
from services.storage.jobs import JobRepository
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository
from services.trainer.triggers import Triggers, last_occurrence_s


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


class Clock:
    def __init__(self, text="2026-01-05T02:00:00"):
        self.now_s = at(text)

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


def finish_all(database, clock):
    with database.write() as session:
        jobs = JobRepository(session, clock=clock)
        for job in jobs.unfinished():
            jobs.begin(job.job_id)
            jobs.finish(job.job_id, JobState.SUCCEEDED)


def store(database, clock, *numbers):
    with database.write() as session:
        CameraRepository(session).ensure(Camera("gate"))
        source = SourceRepository(session).open_source(
            "gate", "hash", "video", start_s=0.0, clock_quality=ClockQuality.STATED, frame_size_px=(640, 480), fps=10.0
        )
        for number in numbers:
            TrackletRepository(session, clock=clock).add(
                source.source_id, "gate", make_tracklet(number), f"key-{number}", make_embedding(number)
            )


@pytest.mark.parametrize(
    ("schedule", "now", "last"),
    [
        ("30 3 * * *", "2026-01-05T03:30:00", "2026-01-05T03:30:00"),
        ("30 3 * * *", "2026-01-05T03:29:59", "2026-01-04T03:30:00"),
        ("0 4 * * mon", "2026-01-08T00:00:00", "2026-01-05T04:00:00"),
        ("*/15 * * * *", "2026-01-05T00:14:59.900", "2026-01-05T00:00:00"),
    ],
)
def test_a_schedule_came_due_last(schedule, now, last):
    assert last_occurrence_s(schedule, at(now)) == at(last)


@pytest.mark.parametrize("schedule", ["now", "* * * *", "* * * * * *", "61 * * * *", "0 0 31 2 *", "@daily"])
def test_what_is_no_schedule_is_refused_before_anything_runs(schedule, clock):
    with pytest.raises(ScheduleError):
        Triggers(Settings(train_schedule=schedule), clock=clock)


def test_an_unknown_recipe_is_refused_before_anything_runs(clock):
    with pytest.raises(RecipeError, match="no-such"):
        Triggers(Settings(train_after_tracklets=5, train_recipe="no-such"), clock=clock)


def test_by_default_nothing_starts_by_itself(sqlite_database, clock):
    store(sqlite_database, clock, 1, 2, 3)
    assert Triggers(Settings(train_recipe="no-such"), clock=clock).ask(sqlite_database) is None


def test_each_occurrence_gives_one_job_however_many_workers_see_it(sqlite_database, clock):
    workers = [Triggers(Settings(train_schedule="30 3 * * *"), clock=clock) for _ in range(2)]
    asked = []
    for now in ("2026-01-05T03:29:59", "2026-01-05T03:30:00", "2026-01-05T03:30:05", "2026-01-06T03:31:00"):
        clock.now_s = at(now)
        asked.append([job for job in (one.ask(sqlite_database) for one in workers) if job])
        finish_all(sqlite_database, clock)
    assert [len(jobs) for jobs in asked] == [0, 1, 0, 1]
    assert {(job.author, job.recipe, job.kind) for jobs in asked for job in jobs} == {("schedule", "site-cpu", "train")}


def test_an_occurrence_while_a_cycle_runs_is_left_out(sqlite_database, clock):
    triggers = Triggers(Settings(train_schedule="* * * * *"), clock=clock)
    assert triggers.ask(sqlite_database) is not None
    clock.now_s += 60
    assert triggers.ask(sqlite_database) is None
    finish_all(sqlite_database, clock)
    assert triggers.ask(sqlite_database) is not None


def test_an_occurrence_that_nobody_was_there_for_is_not_made_up_for(sqlite_database, clock):
    clock.now_s = at("2026-01-05T05:00:00")
    assert Triggers(Settings(train_schedule="30 3 * * *"), clock=clock).ask(sqlite_database) is None


def test_an_occurrence_during_a_restart_is_not_missed(sqlite_database, clock):
    clock.now_s = at("2026-01-05T03:31:00")
    assert Triggers(Settings(train_schedule="30 3 * * *"), clock=clock).ask(sqlite_database) is not None


def test_enough_new_tracklets_start_a_cycle_once(sqlite_database, clock):
    workers = [Triggers(Settings(train_after_tracklets=3), clock=clock) for _ in range(2)]
    store(sqlite_database, clock, 1, 2)
    assert [one.ask(sqlite_database) for one in workers] == [None, None]
    store(sqlite_database, clock, 3)
    jobs = [one.ask(sqlite_database) for one in workers]
    assert [job and job.author for job in jobs] == ["new tracklets", None]
    clock.now_s += 100
    finish_all(sqlite_database, clock)
    assert [one.ask(sqlite_database) for one in workers] == [None, None], "those three are not new any more"
    clock.now_s += 100
    store(sqlite_database, clock, 4, 5, 6)
    assert [one.ask(sqlite_database) is not None for one in workers] == [True, False]


def test_a_cycle_that_came_to_nothing_is_not_asked_for_again_and_again(sqlite_database, clock):
    triggers = Triggers(Settings(train_after_tracklets=2), clock=clock)
    store(sqlite_database, clock, 1, 2)
    job = triggers.ask(sqlite_database)
    clock.now_s += 10
    with sqlite_database.write() as session:
        jobs = JobRepository(session, clock=clock)
        jobs.begin(job.job_id)
        jobs.finish(job.job_id, JobState.FAILED, error="too few")
    clock.now_s += 10
    assert triggers.ask(sqlite_database) is None
