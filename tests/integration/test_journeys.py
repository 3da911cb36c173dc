"""Journeys in a database: built, followed, merged, split and put right again."""

from __future__ import annotations

import numpy as np
import pytest
from factories import make_tracklet
from journey_site import MODEL, MORNING_S, JourneySite, looks_of

from reid_core.errors import (
    ImpossibleJourneyError,
    JourneyStateError,
    NoGenerationError,
    StorageError,
    UnknownJourneyError,
    UnknownJourneyEventError,
)
from reid_core.spatio_temporal.calibration_model import Calibration
from reid_core.types import Embedding
from services import feedback
from services.journeys import acts, reading
from services.journeys.keeper import JourneyKeeper
from services.storage.documents import CalibrationRepository
from services.storage.feedback_records import Verdict
from services.storage.journeys_records import ChangeKind
from services.storage.outbox import Outbox
from services.storage.tracklets import TrackletRepository

ABSENT = "01a1f8a0-51c3-7b2e-9d5c-61b0f2f6a7c4"


@pytest.fixture
def site(sqlite_database):
    made = JourneySite(sqlite_database)
    made.begin()
    return made


@pytest.fixture
def two(site):
    """Two people at two cameras each: tracklets 1 and 2, 3 and 4; 5 looks like the first but was elsewhere then."""
    for person, camera, after_s in (
        (0, "gate", 0),
        (0, "hall", 20),
        (1, "gate", 60),
        (1, "hall", 85),
        (0, "yard", 20.5),
    ):
        site.see(person, camera, after_s)
    site.keeper().rebuild()
    return site


def test_journeys_are_built_from_looks_and_times_without_what_is_impossible(database):
    site = JourneySite(database)
    site.begin()
    for person, camera, after_s in (
        (0, "gate", 0),
        (0, "hall", 20),
        (1, "gate", 60),
        (1, "hall", 85),
        (0, "yard", 20.5),
    ):
        site.see(person, camera, after_s)
    kept = site.keeper().rebuild()
    assert site.groups() == [(1, 2), (3, 4), (5,)]
    assert (kept.tracklets, kept.journeys, kept.changed, kept.conflicts) == (5, 3, 3, 0)
    again = site.keeper().rebuild()
    assert again.changed == 0, "what is as it was is not written again"


def test_each_link_tells_what_speaks_for_it(two):
    first, second = two.ask("by_id", two.journey_of(1)).links
    assert first.evidence.with_no == second.tracklet.tracklet_no == 2
    assert first.with_id == two.id_of(2)
    total = first.evidence.prior + first.evidence.visual + first.evidence.time
    assert first.evidence.log_odds == pytest.approx(total)
    assert first.evidence.probability > 0.99
    assert (first.author, two.ask("by_id", two.journey_of(5)).links[0].evidence) == (None, None)


def test_what_came_is_followed_and_is_what_a_rebuild_finds(two):
    keeper = two.keeper()
    keeper.catch_up()
    assert keeper.catch_up() is None, "there is nothing new"
    two.see(1, "gate", 111)
    two.see(5, "gate", 200)
    kept = keeper.catch_up()
    assert (kept.tracklets, kept.changed) == (7, 2)
    assert two.groups() == [(1, 2), (3, 4, 6), (5,), (7,)]
    assert JourneyKeeper(two.database).rebuild().changed == 0


def test_names_are_kept_when_a_journey_grows(two):
    before = two.journey_of(3)
    keeper = two.keeper()
    keeper.catch_up()
    two.see(1, "gate", 111)
    keeper.catch_up()
    assert two.journey_of(6) == before


def test_what_was_removed_leaves_its_journey(two):
    keeper = two.keeper()
    keeper.catch_up()
    alone = two.journey_of(5)
    two.remove(5)
    two.remove(1)
    assert two.groups() == [(2,), (3, 4)], "at once, whoever follows or not"
    kept = keeper.catch_up()
    assert (kept.tracklets, two.groups()) == (3, [(2,), (3, 4)])
    with pytest.raises(UnknownJourneyError):
        reading.read(two.database, alone)
    assert JourneyKeeper(two.database).rebuild().changed == 0


def test_a_bridge_merges_two_journeys_and_the_history_tells(site):
    site.see(0, "gate", 0)
    site.see(2, "hall", 300)
    keeper = site.keeper()
    keeper.catch_up()
    assert site.groups() == [(1,), (2,)]
    older, younger = site.journey_of(1), site.journey_of(2)
    site.remove(2)
    site.see(0, "hall", 320)
    keeper.catch_up()
    assert site.groups() == [(1, 3)]
    with site.database.read() as session:
        kinds = [event.kind for event in Outbox(session).after(0)]
    assert kinds.count("journeys.changed") == 2
    assert site.journey_of(3) == older
    with pytest.raises(UnknownJourneyError):
        reading.read(site.database, younger)


def test_a_merge_by_hand_holds_for_ever(two):
    one, other = two.journey_of(1), two.journey_of(3)
    told = acts.merge(two.database, one, other, author="me", note="same bag")
    assert [link.tracklet.tracklet_no for link in told.journey.links] == [1, 2, 3, 4]
    assert [(event.kind, event.author, event.note) for event in told.history] == [(ChangeKind.MERGE, "me", "same bag")]
    assert reading.read(two.database, other).journey.successor_id == one
    two.keeper().rebuild()
    assert two.groups() == [(1, 2, 3, 4), (5,)]
    assert {link.author for link in reading.read(two.database, one).journey.links} == {None, "me"}
    two.promote_newer({number: looks_of(number) for number in range(1, 6)})
    two.keeper().catch_up()
    assert two.groups() == [(1, 2, 3, 4), (5,)], "under another generation, too"


def test_a_merge_is_undone_and_both_journeys_go_on(two):
    one, other = two.journey_of(1), two.journey_of(3)
    acts.merge(two.database, one, other, author="me")
    told = acts.undo(two.database, one, author="you")
    assert two.groups() == [(1, 2), (3, 4), (5,)]
    assert (two.journey_of(3), told.history[0].undone_by) == (other, "you")
    assert two.keeper().rebuild().changed == 0
    with pytest.raises(JourneyStateError, match="nothing to undo"):
        acts.undo(two.database, one, author="you")
    with pytest.raises(JourneyStateError, match="was undone before, by you"):
        acts.undo(two.database, one, told.history[0].event_id, author="me")


def test_a_split_by_hand_holds_and_is_undone(two):
    two.see(1, "yard", 111)
    keeper = two.keeper()
    keeper.catch_up()
    journey = two.journey_of(3)
    left, fresh = acts.split(two.database, journey, two.id_of(4), author="me")
    numbers = [[link.tracklet.tracklet_no for link in one.journey.links] for one in (left, fresh)]
    assert numbers == [[3], [4, 6]]
    keeper.catch_up()
    two.keeper().rebuild()
    assert two.groups() == [(1, 2), (3,), (4, 6), (5,)]
    acts.undo(two.database, fresh.journey.journey_id, author="me")
    keeper.catch_up()
    assert two.groups() == [(1, 2), (3, 4, 6), (5,)]
    assert two.journey_of(6) == journey
    assert reading.read(two.database, fresh.journey.journey_id).journey.successor_id == journey


def test_one_tracklet_alone_can_be_split_off(two):
    two.see(1, "yard", 111)
    keeper = two.keeper()
    keeper.catch_up()
    acts.split(two.database, two.journey_of(3), str(two.id_of(4)), alone=True, author="me")
    keeper.catch_up()
    assert two.groups() == [(1, 2), (3, 6), (4,), (5,)]


def test_what_came_by_itself_and_was_undone_does_not_come_again(site):
    site.see(0, "gate", 0)
    site.see(1, "hall", 300)
    keeper = site.keeper()
    keeper.catch_up()
    feedback.give(site.database, site.id_of(1), site.id_of(2), Verdict.SAME, author="a")
    keeper.catch_up()
    assert site.groups() == [(1, 2)]
    (event,) = reading.read(site.database, site.journey_of(1)).history
    assert (event.kind, event.author, event.log_odds) == (ChangeKind.MERGE, None, -4.0)
    acts.undo(site.database, site.journey_of(1), event.event_id, author="b")
    keeper.catch_up()
    site.keeper().rebuild()
    assert site.groups() == [(1,), (2,)]


def test_an_automatic_merge_is_undone_for_good(site):
    first, second = site.see(0, "gate", 0), site.see(1, "hall", 30)
    keeper = site.keeper()
    keeper.catch_up()
    site.promote_newer({first: looks_of(3), second: looks_of(3)})
    keeper.catch_up()
    (event,) = reading.read(site.database, site.journey_of(first)).history
    assert (event.kind, event.author) == (ChangeKind.MERGE, None)
    assert event.log_odds > 3
    acts.undo(site.database, site.journey_of(first), author="me")
    assert site.groups() == [(1,), (2,)]
    site.keeper().rebuild()
    keeper.catch_up()
    assert site.groups() == [(1,), (2,)]


def test_feedback_moves_journeys_and_what_cannot_be_held_is_told(two):
    keeper = two.keeper()
    keeper.catch_up()
    feedback.give(two.database, two.id_of(1), two.id_of(2), Verdict.DIFFERENT, author="a")
    said = feedback.give(two.database, two.id_of(2), two.id_of(5), Verdict.SAME, author="a")
    kept = keeper.catch_up()
    assert (kept.conflicts, two.ask("state").conflicts) == (1, ((two.id_of(2), two.id_of(5)),)), "2 and 5: two places"
    assert all(set(group) != {2, 5} for group in two.groups())
    assert all(not {1, 2} <= set(group) for group in two.groups())
    feedback.withdraw(two.database, said.feedback.feedback_id)
    assert keeper.catch_up().conflicts == 0


def test_what_one_person_cannot_be_is_not_merged_and_the_pair_is_named(two):
    with pytest.raises(ImpossibleJourneyError, match=f"tracklet {two.id_of(2)} and tracklet {two.id_of(5)}"):
        acts.merge(two.database, two.journey_of(1), two.journey_of(5), author="me")
    assert two.groups() == [(1, 2), (3, 4), (5,)]


def test_undoing_what_would_bring_together_what_cannot_be_is_refused(two):
    two.see(1, "yard", 111)
    keeper = two.keeper()
    keeper.catch_up()
    left, fresh = acts.split(two.database, two.journey_of(3), two.id_of(6), author="me")
    two.see(1, "gate", 112)
    keeper.catch_up()
    assert two.groups() == [(1, 2), (3, 4, 7), (5,), (6,)], "7 and 6 were in two places at once"
    with pytest.raises(ImpossibleJourneyError, match=str(two.id_of(7))):
        acts.undo(two.database, fresh.journey.journey_id, author="me")
    assert reading.read(two.database, left.journey.journey_id).history[0].undone_by is None, "nothing was undone"


def test_what_makes_no_sense_is_refused_and_changes_nothing(two):
    database, one, other = two.database, two.journey_of(1), two.journey_of(3)
    absent = (UnknownJourneyError, ABSENT)
    for act, (error, words) in (
        (lambda: acts.merge(database, one, one, author="me"), (JourneyStateError, "is one journey, not two")),
        (lambda: acts.merge(database, one, ABSENT, author="me"), absent),
        (lambda: acts.merge(database, "no id", one, author="me"), (UnknownJourneyError, "no id")),
        (lambda: acts.split(database, one, two.id_of(3), author="me"), (JourneyStateError, "is not in journey")),
        (lambda: acts.split(database, one, "no id", author="me"), (JourneyStateError, "no id is not in journey")),
        (lambda: acts.split(database, one, two.id_of(1), author="me"), (JourneyStateError, "nothing would be left")),
        (lambda: acts.split(database, ABSENT, two.id_of(1), author="me"), absent),
        (lambda: acts.undo(database, one, author="me"), (JourneyStateError, "nothing to undo")),
        (lambda: acts.undo(database, one, ABSENT, author="me"), (UnknownJourneyEventError, ABSENT)),
        (lambda: reading.read(database, ABSENT), absent),
        (lambda: acts.merge(database, one, other, author="me", note="x" * 1001), (ValueError, "at most 1000")),
    ):
        with pytest.raises(error, match=words):
            act()
    assert two.groups() == [(1, 2), (3, 4), (5,)]
    acts.merge(database, one, other, author="me")
    with pytest.raises(JourneyStateError, match=f"{other} was taken in by {one}"):
        acts.split(database, other, two.id_of(3), author="me")


def test_an_empty_site_has_nothing_to_follow_and_nothing_to_build(sqlite_database):
    keeper = JourneyKeeper(sqlite_database)
    assert keeper.catch_up() is None
    with pytest.raises(NoGenerationError):
        keeper.rebuild()
    site = JourneySite(sqlite_database)
    site.begin()
    assert (keeper.catch_up().journeys, keeper.catch_up()) == (0, None)
    assert reading.list_journeys(sqlite_database).page.items == ()


def test_without_a_calibration_everybody_is_alone_but_for_what_people_say(sqlite_database):
    site = JourneySite(sqlite_database)
    site.begin(calibrated=False)
    for camera, after_s in (("gate", 0), ("hall", 20), ("gate", 60)):
        site.see(0, camera, after_s)
    keeper = site.keeper()
    keeper.catch_up()
    assert site.groups() == [(1,), (2,), (3,)]
    acts.merge(sqlite_database, site.journey_of(1), site.journey_of(2), author="me")
    keeper.catch_up()
    assert site.groups() == [(1, 2), (3,)]


def test_evidence_that_is_no_number_leaves_the_journeys_as_they_were(two, monkeypatch):
    two.see(1, "yard", 111)
    document = {"format": "x"}
    monkeypatch.setattr(CalibrationRepository, "by_id", lambda *_args: document)
    with pytest.raises(StorageError, match="no calibration of this form"):
        two.keeper().rebuild()
    monkeypatch.undo()
    monkeypatch.setattr(Calibration, "prior_log_odds", property(lambda _self: float("nan")))
    with pytest.raises(ValueError, match="are not a number"):
        two.keeper().rebuild()
    assert two.groups() == [(1, 2), (3, 4), (5,)]


def test_two_keepers_come_to_the_same(two):
    one, other = two.keeper(), two.keeper()
    one.catch_up()
    other.catch_up()
    two.see(1, "gate", 111)
    assert one.catch_up().changed == 1
    assert other.catch_up().changed == 0
    acts.split(two.database, two.journey_of(3), two.id_of(4), author="me")
    for keeper in (other, one):
        keeper.catch_up()
    assert two.groups() == [(1, 2), (3,), (4, 6), (5,)]


def test_what_comes_between_reading_and_writing_is_not_lost(two, monkeypatch):
    keeper = two.keeper()
    keeper.catch_up()
    two.see(1, "gate", 111)
    take = JourneyKeeper._take

    def slow(self, session, events):
        take(self, session, events)
        monkeypatch.undo()
        acts.split(two.database, two.journey_of(3), two.id_of(4), author="me")

    monkeypatch.setattr(JourneyKeeper, "_take", slow)
    assert keeper.catch_up() is None, "it was outrun"
    keeper.catch_up()
    assert two.groups() == [(1, 2), (3,), (4, 6), (5,)]


def test_a_rebuild_that_is_always_outrun_locks_the_others_out(two, monkeypatch):
    keeper = two.keeper()
    monkeypatch.setattr(JourneyKeeper, "_is_outrun", lambda *_args: True)
    assert keeper.rebuild().changed == 0


def see_two(site, first, last, camera, after_s):
    """One tracklet that shows one person for its first half and another one for its second."""
    site.stored += 1
    tracklet = make_tracklet(site.stored, start_s=MORNING_S + after_s, frames=31, crops=8)
    looks = np.stack([looks_of(first if crop < 4 else last) for crop in range(8)])
    mean = looks.mean(0) / np.linalg.norm(looks.mean(0))
    with site.database.write() as session:
        return TrackletRepository(session).add(
            site.sources[camera],
            camera,
            tracklet,
            f"blob {site.stored}",
            Embedding(MODEL, mean.astype(np.float32), looks),
            crop_nos=range(8),
        )


@pytest.fixture
def mixed(site):
    """Two people at the gate and in the hall, where one tracklet begins as the one and ends as the other."""
    site.see(0, "gate", 0)
    site.see(1, "gate", 10)
    see_two(site, 0, 1, "hall", 26)
    site.keeper().rebuild()
    return site


def test_a_tracklet_of_two_people_is_cut_and_is_in_both_journeys(mixed):
    first, second = (reading.read(mixed.database, mixed.journey_of(number)).journey for number in (1, 2))
    assert [[link.part.tracklet_no for link in one.links] for one in (first, second)] == [[1, 3], [2, 3]]
    before, after = first.links[1].part, second.links[1].part
    assert (before.part_no, after.part_no) == (0, 1)
    assert before.start_s == first.links[1].tracklet.start_s < before.end_s < after.start_s < after.end_s
    assert after.end_s == second.links[1].tracklet.end_s
    assert mixed.keeper().rebuild().changed == 0
    assert mixed.keeper().rebuild().cut == 1


def test_the_parts_of_a_tracklet_go_with_it(mixed):
    keeper = mixed.keeper()
    keeper.catch_up()
    mixed.remove(3)
    assert mixed.groups() == [(1,), (2,)]
    assert keeper.catch_up().tracklets == 2


def test_cuts_are_followed_as_they_are_built(mixed):
    keeper = mixed.keeper()
    keeper.catch_up()
    see_two(mixed, 1, 0, "yard", 50)
    keeper.catch_up()
    followed = mixed.ask("placed")
    assert len(followed) == 6
    assert mixed.keeper().rebuild().changed == 0


def test_what_is_said_of_a_cut_tracklet_is_true_of_one_part_and_a_split_holds_by_time(mixed):
    keeper = mixed.keeper()
    keeper.catch_up()
    left, fresh = acts.split(mixed.database, mixed.journey_of(1), mixed.id_of(3), author="me")
    keeper.catch_up()
    mixed.keeper().rebuild()
    assert [link.part.tracklet_no for link in reading.read(mixed.database, left.journey.journey_id).journey.links] == [
        1
    ]
    (alone,) = reading.read(mixed.database, fresh.journey.journey_id).journey.links
    assert (alone.part.tracklet_no, alone.part.part_no) == (3, 0)
    acts.undo(mixed.database, left.journey.journey_id, author="me")
    keeper.catch_up()
    assert mixed.groups() == [(1, 3), (2, 3)]
    feedback.give(mixed.database, mixed.id_of(1), mixed.id_of(3), Verdict.SAME, author="me")
    assert keeper.catch_up().conflicts == 0
