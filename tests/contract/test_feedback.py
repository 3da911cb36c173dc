"""What the feedback promises, on every database."""

from __future__ import annotations

from itertools import count
from uuid import UUID

import pytest
from factories import make_tracklet
from sqlalchemy.exc import IntegrityError

from reid_core.errors import FeedbackError, InputError, UnknownFeedbackError, UnknownTrackletError
from reid_core.types import Camera, ClockQuality
from services.identifiers import new_uuid7
from services.storage.cameras import CameraRepository
from services.storage.feedback import FeedbackRepository
from services.storage.feedback_records import Verdict
from services.storage.outbox import Outbox
from services.storage.sources import SourceRepository
from services.storage.tables import FeedbackRow
from services.storage.tracklets import TrackletRepository

ABSENT = UUID("01a1f8a0-51c3-7b2e-9d5c-61b0f2f6a7c4")
SAME, DIFFERENT = Verdict.SAME, Verdict.DIFFERENT


@pytest.fixture
def ids(database):
    """Four tracklets of one camera, by id in order."""
    with database.write() as session:
        CameraRepository(session).ensure(Camera("gate"))
        source = SourceRepository(session).open_source(
            "gate", "h", "v", start_s=0.0, clock_quality=ClockQuality.STATED, frame_size_px=(640, 480), fps=10.0
        )
        tracklets = TrackletRepository(session)
        numbers = [tracklets.add(source.source_id, "gate", make_tracklet(no), f"{no}", []) for no in range(1, 5)]
        return sorted(tracklets.by_no(no).tracklet_id for no in numbers)


@pytest.fixture
def act(database):
    """Does something with the feedback in a transaction of its own, a second after the act before."""
    seconds = count(1000)

    def does(what, *args, **options):
        now_s = float(next(seconds))
        with database.write() as session:
            return getattr(FeedbackRepository(session, clock=lambda: now_s), what)(*args, **options)

    return does


def say(act, one, other, verdict=SAME, **options):
    return act("add", one, other, verdict, **{"author": "test", **options})


def test_a_verdict_is_kept_with_its_pair_in_order(act, ids):
    said = say(act, ids[2], str(ids[0]), DIFFERENT, note="other shoes")
    assert (said.tracklet_a, said.tracklet_b, said.verdict, said.note) == (ids[0], ids[2], DIFFERENT, "other shoes")
    assert (said.author, said.created_at_s, said.withdrawn_at_s, said.counts) == ("test", 1000.0, None, True)
    assert act("by_id", said.feedback_id) == act("by_id", str(said.feedback_id)) == said
    assert act("verdicts") == {(ids[0], ids[2]): DIFFERENT}


def test_the_latest_verdict_of_a_pair_counts_and_the_others_are_kept(act, ids):
    first = say(act, ids[0], ids[1])
    second = say(act, ids[1], ids[0], DIFFERENT)
    say(act, ids[0], ids[2])
    assert act("verdicts") == {(ids[0], ids[1]): DIFFERENT, (ids[0], ids[2]): SAME}
    assert not act("by_id", first.feedback_id).counts
    assert act("by_id", second.feedback_id).counts


def test_of_two_verdicts_of_one_moment_the_one_with_the_larger_id_counts(database, ids):
    with database.write() as session:
        feedback = FeedbackRepository(session, clock=lambda: 5.0)
        said = [feedback.add(ids[0], ids[1], verdict, author="test") for verdict in (SAME, DIFFERENT)]
        last = max(said, key=lambda one: one.feedback_id)
        assert feedback.verdicts() == {(ids[0], ids[1]): last.verdict}


def test_what_is_withdrawn_stays_in_the_history_and_what_was_said_before_counts_again(act, ids):
    first = say(act, ids[0], ids[1])
    second = say(act, ids[0], ids[1], DIFFERENT)
    gone = act("withdraw", second.feedback_id)
    assert (gone.withdrawn_at_s, gone.counts) == (1002.0, False)
    assert act("withdraw", str(second.feedback_id)) == gone, "withdrawing it again changes nothing"
    assert act("verdicts") == {(ids[0], ids[1]): SAME}
    assert [one.feedback_id for one in act("list").items] == [second.feedback_id, first.feedback_id]
    act("withdraw", first.feedback_id)
    assert act("verdicts") == {}


def test_others_are_told_of_what_was_said_and_taken_back(act, database, ids):
    said = say(act, ids[0], ids[1])
    act("withdraw", said.feedback_id)
    act("withdraw", said.feedback_id)
    with database.read() as session:
        told = [one for one in Outbox(session).after(0) if one.kind.startswith("feedback.")]
    assert [one.kind for one in told] == ["feedback.given", "feedback.withdrawn"]
    assert told[0].payload == told[1].payload
    assert told[0].payload == {
        "feedback_id": str(said.feedback_id),
        "tracklet_a": str(ids[0]),
        "tracklet_b": str(ids[1]),
        "verdict": "same",
    }


def test_pages_lead_from_the_newest_to_the_oldest_and_can_keep_to_one_tracklet(act, ids):
    said = [say(act, one, other) for one in ids for other in ids if one < other]
    found, cursor = [], None
    while True:
        page = act("list", limit=4, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == said[::-1]
    assert act("list", limit=6).next_cursor is None
    of_one = act("list", tracklet_id=ids[1]).items
    assert len(of_one) == 3
    assert all(ids[1] in (one.tracklet_a, one.tracklet_b) for one in of_one)
    assert act("list", tracklet_id=ABSENT).items == ()


def test_what_makes_no_pair_is_refused(act, ids):
    with pytest.raises(FeedbackError, match=f"{ids[0]} is one tracklet, not a pair"):
        say(act, ids[0], ids[0])
    for other in (ABSENT, "no id"):
        with pytest.raises(UnknownTrackletError, match=str(other)):
            say(act, ids[0], other)
    assert act("list").items == ()


@pytest.mark.parametrize("feedback_id", [ABSENT, "no id"])
def test_feedback_that_is_not_there_is_told(act, feedback_id):
    for what in ("by_id", "withdraw"):
        with pytest.raises(UnknownFeedbackError, match=str(feedback_id)):
            act(what, feedback_id)


def test_a_page_without_end_or_from_nowhere_is_refused(act):
    for limit in (0, 1001):
        with pytest.raises(ValueError, match="limit must lie in"):
            act("list", limit=limit)
    with pytest.raises(InputError, match="is not a cursor"):
        act("list", cursor="x")


def test_what_was_said_of_a_tracklet_goes_with_it(act, database, ids):
    say(act, ids[0], ids[1])
    say(act, ids[2], ids[1])
    kept = say(act, ids[2], ids[3])
    with database.write() as session:
        tracklets = TrackletRepository(session)
        tracklets.delete(tracklets.by_id(ids[1]).tracklet_no)
    assert act("list").items == (kept,)


@pytest.mark.parametrize("wrong", ["order", "verdict"])
def test_the_database_itself_refuses_what_is_no_verdict_on_a_pair(database, ids, wrong):
    one, other = (ids[1], ids[0]) if wrong == "order" else (ids[0], ids[1])
    verdict = "perhaps" if wrong == "verdict" else "same"
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(
            FeedbackRow(
                feedback_id=new_uuid7(),
                tracklet_a=one,
                tracklet_b=other,
                verdict=verdict,
                author="test",
                created_at_s=0.0,
            )
        )
