"""What the journeys promise, on every database."""

from __future__ import annotations

from itertools import count
from uuid import UUID

import pytest
from factories import make_tracklet
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from reid_core.errors import InputError, JourneyStateError, UnknownJourneyError, UnknownJourneyEventError
from reid_core.types import Camera, ClockQuality
from services.storage.cameras import CameraRepository
from services.storage.generations import GenerationRepository
from services.storage.journeys import JourneyRepository
from services.storage.journeys_history import JourneyHistory
from services.storage.journeys_records import ChangeKind, JourneyState, JourneyWhere, LinkEvidence, Part
from services.storage.journeys_tables import JourneyEventRow, JourneyEventTrackletRow, JourneyRow
from services.storage.journeys_writing import JOURNEYS_CHANGED, JourneyWriter
from services.storage.outbox import Outbox
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

ABSENT = UUID("01a1f8a0-51c3-7b2e-9d5c-61b0f2f6a7c4")
MERGE, SPLIT = ChangeKind.MERGE, ChangeKind.SPLIT
EVIDENCE = LinkEvidence(1, 5.0, 2.0, -4.0)


@pytest.fixture
def nos(database):
    """Six tracklets, the gate's first and the hall's after them, a minute apart; the yard's clock is unknown."""
    numbers = []
    with database.write() as session:
        GenerationRepository(session).ensure_cold_start("model-a")
        for place, (camera, clock) in enumerate(
            [("gate", ClockQuality.STATED), ("hall", ClockQuality.STATED), ("yard", ClockQuality.UNKNOWN)]
        ):
            CameraRepository(session).ensure(Camera(camera))
            source = SourceRepository(session).open_source(
                camera, "h", "v", start_s=0.0, clock_quality=clock, frame_size_px=(640, 480), fps=10.0
            )
            for no in (1, 2):
                start_s = 1000.0 + 600 * place + 60 * no
                tracklet = make_tracklet(no, start_s=start_s)
                numbers.append(TrackletRepository(session).add(source.source_id, camera, tracklet, f"{camera}{no}", []))
    return numbers


@pytest.fixture
def write(database):
    """Does something with the journeys in a transaction of its own, a second after the act before."""
    seconds = count(5000)

    def does(what, *args, **options):
        now_s = float(next(seconds))
        with database.write() as session:
            generation = GenerationRepository(session).current().generation_id
            return getattr(JourneyWriter(session, generation, clock=lambda: now_s), what)(*args, **options)

    return does


@pytest.fixture
def ask(database):
    def asks(what, *args, **options):
        with database.read() as session:
            stored = JourneyHistory if what in {"acts", "event", "events"} else JourneyRepository
            return getattr(stored(session), what)(*args, **options)

    return asks


def whole(no, part_no=0, start_s=None, end_s=None):
    """A part of a tracklet of the fixture; times are those of its start and a second after it."""
    start_s = 1060.0 + 60 * ((no - 1) % 2) + 600 * ((no - 1) // 2) if start_s is None else start_s
    return Part(no, part_no, start_s, start_s + 1 if end_s is None else end_s)


def begin(write, *nos, evidence=None, **options):
    journey = write("start")
    by_key = {whole(no).key: one for no, one in (evidence or {}).items()}
    write("link", journey, [whole(no) for no in nos], evidence=by_key, **options)
    return journey


def parts(nos):
    return [whole(no) for no in nos]


def numbers_of(journey):
    return [link.tracklet.tracklet_no for link in journey.links]


def test_a_journey_has_its_tracklets_in_order_of_time_with_what_speaks_for_them(write, ask, nos):
    made = begin(write, nos[2], nos[0], evidence={nos[0]: LinkEvidence(nos[2], 5.0, 2.0, -4.0)})
    found = ask("by_id", str(made))
    assert numbers_of(found) == [nos[0], nos[2]]
    first, second = found.links
    assert (first.evidence.log_odds, round(first.evidence.probability, 4)) == (3.0, 0.9526)
    assert (first.with_id, second.evidence, second.with_id) == (second.tracklet.tracklet_id, None, None)
    assert (found.created_at_s, first.joined_at_s, found.successor_id) == (5000.0, 5001.0, None)
    assert ask("membership") == {whole(nos[0]).key: made, whole(nos[2]).key: made}


def test_parts_of_a_tracklet_can_be_in_several_journeys_or_in_one(write, ask, database, nos):
    first, second, third = (whole(nos[0], part_no, 1060.0 + part_no, 1060.5 + part_no) for part_no in range(3))
    one, other = write("start"), write("start")
    write("link", one, [third, first])
    write("link", other, [second])
    assert [link.part for link in ask("by_id", one).links] == [first, third]
    (listed, _) = ask("list").items
    assert (listed.tracklet_count, listed.start_s, listed.end_s) == (1, 1060.0, 1062.5)
    assert len(ask("list", JourneyWhere(start_s=1061.6)).items) == 1, "the other one's part is over by then"
    event = write("record", SPLIT, one, other, kept=[first, third], moved=[second])
    assert (ask("event", event).kept, ask("event", event).moved) == ((first, third), (second,))
    write("unlink", [first.key])
    assert sorted(ask("membership")) == [second.key, third.key]
    with database.write() as session:
        TrackletRepository(session).delete(nos[0])
    assert ask("membership") == {}


def test_a_tracklet_is_in_one_journey_only(write, ask, nos):
    one = begin(write, nos[0], nos[1])
    other = begin(write, nos[1], author="me")
    assert (numbers_of(ask("by_id", one)), numbers_of(ask("by_id", other))) == ([nos[0]], [nos[1]])
    assert {place.part: place.author for place in ask("placed").values()} == {whole(nos[0]): None, whole(nos[1]): "me"}
    joined_at_s = ask("by_id", other).links[0].joined_at_s
    write("link", other, parts([nos[1]]))
    assert ask("by_id", other).links[0].joined_at_s == joined_at_s, "it was there already"
    write("unlink", [whole(nos[1]).key])
    with pytest.raises(UnknownJourneyError):
        ask("by_id", other)


def test_a_journey_that_was_taken_in_leads_to_the_one_that_goes_on_and_can_come_back(write, ask, nos):
    one, other = begin(write, nos[0]), begin(write, nos[1])
    write("link", one, parts([nos[1]]))
    write("end", other, one)
    ended = ask("by_id", other)
    assert (ended.links, ended.successor_id) == ((), one)
    write("link", other, parts([nos[1]]))
    assert ask("by_id", other).successor_id is None
    assert ask("count") == 2


def test_pages_lead_from_the_first_to_the_last_and_keep_to_place_and_time(write, ask, nos):
    made = [begin(write, nos[0], nos[3]), begin(write, nos[1]), begin(write, nos[2]), begin(write, nos[4], nos[5])]
    found, cursor = [], None
    while True:
        page = ask("list", limit=3, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert [one.journey_id for one in found] == made
    assert [(one.tracklet_count, one.camera_ids) for one in found] == [
        (2, ("gate", "hall")),
        (1, ("gate",)),
        (1, ("hall",)),
        (2, ("yard",)),
    ]
    assert (found[0].start_s, found[3].start_s) == (1060.0, None)

    def listed(**where):
        return [made.index(one.journey_id) for one in ask("list", JourneyWhere(**where)).items]

    assert listed(camera_id="hall") == [0, 2]
    assert listed(start_s=1100.0, end_s=1125.0) == [1], "journey 0 goes on then, but nobody saw it"
    assert listed(camera_id="hall", end_s=1700.0) == [2]
    assert listed(min_cameras=2) == [0]
    assert listed(camera_id="nowhere") == []


def test_an_empty_site_has_empty_pages_and_no_state(ask, database):
    assert database is not None
    assert (ask("list").items, ask("count"), ask("membership"), ask("state"), list(ask("acts"))) == (
        (),
        0,
        {},
        None,
        [],
    )


def test_merges_and_splits_are_kept_with_both_sides(write, ask, nos):
    one, other = begin(write, nos[0], nos[1]), begin(write, nos[2])
    merge = write(
        "record",
        MERGE,
        one,
        other,
        kept=parts(nos[:2]),
        moved=parts(nos[2:3]),
        author="me",
        note="same bag",
        log_odds=1.5,
    )
    split = write("record", SPLIT, one, other, kept=parts(nos[:1]), moved=parts(nos[1:2]))
    found = ask("events", other)
    assert [event.event_id for event in found] == [split, merge], "the newest first"
    event = ask("event", str(merge))
    assert event == found[1]
    assert (event.kind, event.journey_id, event.other_id, event.kept, event.moved) == (
        MERGE,
        one,
        other,
        tuple(parts(nos[:2])),
        (whole(nos[2]),),
    )
    assert (event.author, event.note, event.log_odds, event.created_at_s) == ("me", "same bag", 1.5, 5004.0)
    assert [act.event_id for act in ask("acts")] == [merge], "what came by itself is nobody's act"


def test_an_event_is_undone_once(write, ask, nos):
    one, other = begin(write, nos[0]), begin(write, nos[1])
    event_id = write("record", SPLIT, one, other, kept=parts(nos[:1]), moved=parts(nos[1:2]))
    undone = write("undo", str(event_id), author="you")
    assert (undone.undone_by, undone.undone_at_s) == ("you", 5005.0)
    with pytest.raises(JourneyStateError, match=f"split {event_id} was undone before, by you"):
        write("undo", event_id, author="me")
    assert [act.event_id for act in ask("acts")] == [event_id], "whatever somebody undid is somebody's act"


def test_what_was_removed_leaves_its_journey_its_history_and_the_evidence_of_others(write, ask, database, nos):
    made = begin(write, nos[0], nos[2], evidence={nos[2]: LinkEvidence(nos[0], 5.0, None, -4.0)})
    other = begin(write, nos[1])
    write("record", MERGE, made, other, kept=parts([nos[0]]), moved=parts([nos[2]]))
    with database.write() as session:
        TrackletRepository(session).delete(nos[0])
    found = ask("by_id", made)
    assert numbers_of(found) == [nos[2]]
    assert (found.links[0].evidence, found.links[0].with_id) == (None, None)
    assert (ask("events", made)[0].kept, ask("events", made)[0].moved) == ((), (whole(nos[2]),))
    with database.write() as session:
        TrackletRepository(session).delete(nos[2])
    with pytest.raises(UnknownJourneyError, match=str(made)):
        ask("by_id", made)
    write("prune")
    with database.read() as session:
        left = [session.scalar(select(func.count()).select_from(table)) for table in (JourneyRow, JourneyEventRow)]
        assert left == [1, 0]
        assert session.scalar(select(func.count()).select_from(JourneyEventTrackletRow)) == 0


def test_a_chain_of_journeys_that_took_each_other_in_goes_with_the_last(write, ask, database, nos):
    one, other = begin(write, nos[0]), begin(write, nos[1])
    write("link", one, parts([nos[1]]))
    write("end", other, one)
    write("prune")
    assert ask("by_id", other).successor_id == one, "it leads somewhere"
    with database.write() as session:
        for no in nos[:2]:
            TrackletRepository(session).delete(no)
    write("prune")
    write("prune")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(JourneyRow)) == 0


def test_the_state_is_one_and_is_replaced(write, ask, nos):
    assert nos
    with pytest.raises(IntegrityError):
        write("put_state", JourneyState(ABSENT, 1, 2.0))
    generation = ask("by_id", begin(write, nos[0])).generation_id
    write("put_state", JourneyState(generation, 1, 2.0))
    state = JourneyState(generation, 5, 3.0, ((ABSENT, generation),))
    write("put_state", state)
    assert ask("state") == state


def test_others_are_told_which_journeys_changed(write, database, nos):
    made = begin(write, nos[0])
    write("tell", [made], author="me")
    with database.read() as session:
        told = [one for one in Outbox(session).after(0) if one.kind == JOURNEYS_CHANGED]
    assert [one.payload for one in told] == [{"journey_ids": [str(made)], "author": "me"}]


def test_what_is_not_there_is_told(ask, database):
    assert database is not None
    for unknown in (ABSENT, "no id"):
        with pytest.raises(UnknownJourneyError, match=str(unknown)):
            ask("by_id", unknown)
        with pytest.raises(UnknownJourneyEventError, match=str(unknown)):
            ask("event", unknown)
    for limit in (0, 1001):
        with pytest.raises(ValueError, match="limit must lie in"):
            ask("list", limit=limit)
    with pytest.raises(InputError, match="is not a cursor"):
        ask("list", cursor="x")


def test_the_database_itself_refuses_a_link_of_nobody(write, nos):
    assert nos
    with pytest.raises(IntegrityError):
        write("link", write("start"), [whole(999_999)])
