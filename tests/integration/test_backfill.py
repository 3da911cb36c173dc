"""Stored tracklets get vectors of a new model, whatever happens meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import structlog
from generation_site import COLD, GenerationSite, TurnedColour
from sqlalchemy import text

from reid_core.errors import BackfillError, BackfillStoppedError, StorageError
from reid_core.vision.crops import decode_crop
from services.storage.gaps import VectorGaps
from services.storage.generations import GenerationRepository
from services.storage.outbox import Outbox
from services.storage.promotions import Promotions
from services.storage.tracklets import TrackletRepository
from services.trainer.backfill import backfill

if TYPE_CHECKING:
    from services.storage.generations import Generation
    from services.storage.session import Database

NEW = "new-model"
CHILD = Path(__file__).parent.parent / "backfill_child.py"


@pytest.fixture(autouse=True)
def logs():
    with structlog.testing.capture_logs() as entries:
        yield entries


@pytest.fixture
def site(database: Database, tmp_path: Path) -> GenerationSite:
    return GenerationSite(database, tmp_path)


def vectors_of(site: GenerationSite, model_id: str) -> dict[int, tuple[bytes, bytes, tuple[int, ...]]]:
    with site.database.read() as session:
        tracklets = TrackletRepository(session)
        found = tracklets.embeddings(tracklets.newest_nos(10_000), model_id)
        return {no: (one.vector.tobytes(), one.crop_vectors.tobytes(), one.crop_nos) for no, one in found.items()}


def gaps(site: GenerationSite, model_id: str = NEW) -> int:
    with site.database.read() as session:
        return VectorGaps(session).count(model_id)


def test_every_tracklet_gets_what_an_ingest_would_have_given_it(site):
    site.store(7)
    told: list[tuple[int, int]] = []
    report = backfill(
        site.database,
        site.blobs,
        TurnedColour(NEW),
        batch=3,
        on_progress=lambda done, total: told.append((done, total)),
    )
    assert (report.model_id, report.embedded, report.unusable) == (NEW, 7, 0)
    assert told == [(0, 7), (3, 7), (6, 7), (7, 7)]
    direct = backfill(site.database, site.blobs, TurnedColour(COLD))
    assert direct.embedded == 0, "a model whose vectors are all there has nothing to do"
    assert vectors_of(site, COLD).keys() == vectors_of(site, NEW).keys()
    recomputed = backfill(site.database, site.blobs, TurnedColour("third"), batch=100)
    assert recomputed.embedded == 7
    assert gaps(site) == 0


def test_the_batch_changes_nothing_in_the_vectors(site):
    site.store(5)
    backfill(site.database, site.blobs, TurnedColour(NEW), batch=1)
    one_by_one = vectors_of(site, NEW)
    with site.database.write() as session:
        session.execute(text(f"DELETE FROM embeddings WHERE model_id = '{NEW}'"))
    backfill(site.database, site.blobs, TurnedColour(NEW), batch=4)
    assert vectors_of(site, NEW) == one_by_one


def test_nothing_stored_is_nothing_to_do(site):
    site.store(0)
    assert backfill(site.database, site.blobs, TurnedColour(NEW)).embedded == 0


def test_only_the_tracklets_asked_for_are_embedded(site):
    numbers = site.store(6)
    report = backfill(site.database, site.blobs, TurnedColour(NEW), among=[numbers[4], numbers[1]], batch=1)
    assert report.embedded == 2
    assert sorted(vectors_of(site, NEW)) == [numbers[1], numbers[4]]
    assert backfill(site.database, site.blobs, TurnedColour(NEW)).embedded == 4


def test_tracklets_that_arrive_meanwhile_are_embedded_too(site):
    site.store(3)
    arrivals = iter([2, 1])

    def on_progress(done: int, _total: int) -> None:
        if done >= 3:
            site.store(next(arrivals, 0), camera_id="hall")

    assert backfill(site.database, site.blobs, TurnedColour(NEW), batch=2, on_progress=on_progress).embedded == 6
    assert gaps(site) == 0


def test_a_tracklet_that_is_removed_meanwhile_is_passed_over(site):
    numbers = site.store(3)

    class Removing(TurnedColour):
        def embed(self, crops):
            if self.embedded == 1:
                with site.database.write() as session:
                    TrackletRepository(session).delete(numbers[0])
            return super().embed(crops)

    assert backfill(site.database, site.blobs, Removing(NEW)).embedded == 2
    assert sorted(vectors_of(site, NEW)) == numbers[1:]


def test_a_stopped_backfill_keeps_what_it_did_and_goes_on_there(site):
    site.store(6)
    calls = iter(range(100))
    with pytest.raises(BackfillStoppedError, match="2 tracklets have no vector of new-model yet"):
        backfill(site.database, site.blobs, TurnedColour(NEW), batch=3, should_stop=lambda: next(calls) >= 4)
    assert gaps(site) == 2
    embedder = TurnedColour(NEW)
    assert backfill(site.database, site.blobs, embedder).embedded == 2
    assert embedder.embedded == 2


def test_a_tracklet_whose_crops_are_lost_is_noted_and_holds_up_nothing(site, logs):
    numbers = site.store(5)
    lost, torn = _blob(site, numbers[1]), _blob(site, numbers[3])
    kept = lost.read_bytes()
    lost.unlink()
    torn.write_bytes(b"no zip")
    report = backfill(site.database, site.blobs, TurnedColour(NEW))
    assert (report.embedded, report.unusable) == (3, 2)
    assert gaps(site) == 0
    with site.database.read() as session:
        failures = VectorGaps(session).failures(NEW)
    assert [one.tracklet_no for one in failures] == [numbers[1], numbers[3]]
    assert "No such file" in failures[0].reason
    assert "damaged" in failures[1].reason
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == ["backfill.unusable"] * 2
    candidate = site.candidate(NEW)
    with site.database.write() as session:
        Promotions(session).promote(candidate.generation_id, reason="by hand")
    lost.write_bytes(kept)
    assert backfill(site.database, site.blobs, TurnedColour(NEW)).embedded == 1, "what was restored is embedded"
    with site.database.read() as session:
        assert [one.tracklet_no for one in VectorGaps(session).failures(NEW)] == [numbers[3]]


def test_blobs_out_of_reach_end_the_backfill_instead_of_emptying_the_index(site):
    numbers = site.store(20)
    for number in numbers[:10]:
        _blob(site, number).unlink()
    with pytest.raises(BackfillError, match="of 20 tracklets cannot be read; see to the blobs"):
        backfill(site.database, site.blobs, TurnedColour(NEW), batch=4)
    assert gaps(site) > 0
    candidate = site.candidate(NEW)
    with pytest.raises(Exception, match="missing"), site.database.write() as session:
        Promotions(session).promote(candidate.generation_id, reason="by hand")


def test_a_crop_that_cannot_be_read_costs_only_itself(site):
    (number,) = site.store(1)
    with site.database.read() as session:
        stored = TrackletRepository(session).by_no(number)
    read = site.blobs.read_crop

    class OneTorn:
        def read_crop(self, key, crop_no):
            return b"torn" if crop_no == 1 else read(key, crop_no)

    backfill(site.database, OneTorn(), TurnedColour(NEW))
    with site.database.read() as session:
        embedding = TrackletRepository(session).embedding(number, NEW)
    assert embedding.crop_nos == (0, 2)
    assert len(embedding.crop_vectors) == stored.crop_count - 1


def test_followers_hear_of_new_vectors_of_the_current_model_only(site):
    site.store(2, models=[])
    with site.database.read() as session:
        before = Outbox(session).last_seq()
    backfill(site.database, site.blobs, TurnedColour(NEW))
    backfill(site.database, site.blobs, TurnedColour(COLD))
    with site.database.read() as session:
        (event,) = Outbox(session).after(before)
    assert (event.kind, event.payload["model_id"], len(event.payload["tracklet_nos"])) == ("vectors.added", COLD, 2)


def test_two_backfills_at_once_end_at_the_same_vectors(site):
    site.store(6)

    class Rival(TurnedColour):
        """Another run embeds everything while this one holds its first tracklet."""

        def embed(self, crops):
            if self.embedded == 0:
                backfill(site.database, site.blobs, TurnedColour(NEW))
            return super().embed(crops)

    assert backfill(site.database, site.blobs, Rival(NEW), batch=4).embedded == 0
    assert len(vectors_of(site, NEW)) == 6


def test_a_database_that_fails_is_no_lost_crop(site):
    site.store(2)

    class Failing(TurnedColour):
        def embed(self, _crops):
            raise StorageError("the database is locked")

    with pytest.raises(StorageError):
        backfill(site.database, site.blobs, Failing(NEW))
    assert gaps(site) == 2


def _kill_at(site: GenerationSite, line: str, generation_id: str = "") -> None:
    """Run a backfill in a process of its own and kill it when it says something."""
    url = site.database._url.render_as_string(hide_password=False)
    command = [sys.executable, str(CHILD), url, str(site.folder / "blobs"), NEW, generation_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for said in child.stdout:
            if said.strip() == line:
                os.kill(child.pid, signal.SIGKILL)
                break
        child.stdout.read()


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_again_and_again_it_ends_where_an_undisturbed_one_ends(site, kills):
    count = 4 * kills
    site.store(count)
    rng = np.random.default_rng(kills)
    for _ in range(kills):
        _kill_at(site, f"embedded {rng.integers(1, 6)}")
        assert site.current().model_id == COLD
    backfill(site.database, site.blobs, TurnedColour(NEW), batch=2)
    killed = vectors_of(site, NEW)
    backfill(site.database, site.blobs, TurnedColour("undisturbed"))
    assert len(killed) == count
    assert gaps(site) == 0
    assert {no: one[2] for no, one in killed.items()} == {
        no: one[2] for no, one in vectors_of(site, "undisturbed").items()
    }
    with site.database.read() as session:
        embeddings = TrackletRepository(session).embeddings(killed, NEW)
    fresh = TurnedColour(NEW)
    for no, embedding in embeddings.items():
        expected = _embedded_anew(site, no, fresh)
        assert np.array_equal(embedding.vector, expected.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_at_any_moment_of_a_promotion_no_generation_is_half_promoted(site, kills):
    site.store(2 * kills)
    cold = site.current().generation_id
    candidate = site.candidate(NEW).generation_id
    moments = [*(f"embedded {number}" for number in (1, 2, 3)), "promoting", "promoted"]
    rng = np.random.default_rng(kills)
    for turn in range(kills):
        _kill_at(site, moments[-1 - turn] if turn < 2 else rng.choice(moments), str(candidate))
        states = (site.state_of(cold), site.state_of(candidate))
        assert states in {("current", "candidate"), ("retired", "current")}
        assert site.current().generation_id == cold or gaps(site) == 0, "what answers lacks no vector"
        if states[1] == "current":
            with site.database.write() as session:
                Promotions(session).rollback(reason="once more")
            with site.database.write() as session:
                GenerationRepository(session).add_candidate(NEW)
            candidate = next(one for one in _generations(site) if one.state == "candidate").generation_id
            cold = site.current().generation_id
            site.store(2)
    _kill_at(site, "never", str(candidate))
    assert (site.current().generation_id, gaps(site)) == (candidate, 0)


def _generations(site: GenerationSite) -> list[Generation]:
    with site.database.read() as session:
        return GenerationRepository(session).list()


def _embedded_anew(site: GenerationSite, number: int, embedder: TurnedColour) -> np.ndarray:
    with site.database.read() as session:
        stored = TrackletRepository(session).by_no(number)
    return embedder.embed([decode_crop(jpeg) for jpeg in site.blobs.read_crops(stored.blob_key)]).vector


def _blob(site: GenerationSite, number: int) -> Path:
    with site.database.read() as session:
        key = TrackletRepository(session).by_no(number).blob_key
    (path,) = (site.folder / "blobs").glob(f"??/{key}.zip")
    return path
