"""What promotion and rollback promise, on every database."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

import pytest
from generation_site import COLD, GenerationSite, TurnedColour, painted_tracklet

from reid_core.errors import (
    MissingVectorsError,
    NoGenerationError,
    NoWayBackError,
    OutrunError,
    UnknownGenerationError,
    UnknownModelError,
)
from services.identifiers import new_uuid7
from services.storage.gaps import VectorGaps
from services.storage.generations import GenerationRepository
from services.storage.models import Model, ModelKind, ModelRepository
from services.storage.outbox import Outbox
from services.storage.promotions import Promotions
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository
from services.trainer.backfill import backfill

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from services.storage.session import Database


@pytest.fixture
def site(database: Database, tmp_path: Path) -> GenerationSite:
    return GenerationSite(database, tmp_path)


def promote(site: GenerationSite, generation_id: UUID, **options):
    with site.database.write() as session:
        return Promotions(session).promote(generation_id, reason="better", **options)


def roll_back(site: GenerationSite, generation_id: UUID | None = None, **options):
    with site.database.write() as session:
        return Promotions(session).rollback(generation_id, reason="worse after all", **options)


def ready_candidate(site: GenerationSite, model_id: str) -> UUID:
    made = site.candidate(model_id)
    backfill(site.database, site.blobs, TurnedColour(model_id))
    return made.generation_id


def test_a_promotion_is_one_change_and_is_told_of(site):
    site.store(2)
    cold = site.current()
    candidate = ready_candidate(site, "model-b")
    with site.database.read() as session:
        before = Outbox(session).last_seq()
    promoted = promote(site, candidate, metrics={"rank1": 0.9}, over=cold.generation_id)
    assert (promoted.state, promoted.reason, promoted.metrics) == ("current", "better", {"rank1": 0.9})
    assert promoted.parent_id == cold.generation_id
    assert promoted.promoted_at_s is not None
    assert site.state_of(cold.generation_id) == "retired"
    with site.database.read() as session:
        (event,) = Outbox(session).after(before)
        history = Promotions(session).history()
    assert event.kind == "generation.promoted"
    assert event.payload == {
        "generation_id": str(candidate),
        "model_id": "model-b",
        "previous_id": str(cold.generation_id),
    }
    assert [(one.kind, one.generation_id, one.previous_id) for one in history] == [
        ("cold-start", cold.generation_id, None),
        ("promote", candidate, cold.generation_id),
    ]


def test_promoting_the_current_generation_again_changes_nothing(site):
    site.store(1)
    candidate = ready_candidate(site, "model-b")
    first = promote(site, candidate)
    assert promote(site, candidate) == first
    with site.database.read() as session:
        assert len(Promotions(session).history()) == 2


def test_one_missing_vector_keeps_a_generation_from_answering(site):
    site.store(3)
    candidate = ready_candidate(site, "model-b")
    site.store(1)
    with pytest.raises(MissingVectorsError, match="1 tracklets have none of model model-b"):
        promote(site, candidate)
    assert site.current().model_id == COLD
    assert site.state_of(candidate) == "candidate"


def test_a_generation_that_was_compared_with_another_is_not_promoted(site):
    site.store(1)
    cold = site.current().generation_id
    second = ready_candidate(site, "model-b")
    third = ready_candidate(site, "model-c")
    promote(site, second, over=cold)
    with pytest.raises(OutrunError, match="answers now"):
        promote(site, third, over=cold)
    assert site.current().generation_id == second


def test_the_way_back_leads_down_step_by_step_and_ends_at_the_first(site):
    site.store(1)
    cold = site.current().generation_id
    second, third = ready_candidate(site, "model-b"), ready_candidate(site, "model-c")
    promote(site, second)
    promote(site, third)
    assert roll_back(site).generation_id == second
    assert roll_back(site).generation_id == cold
    with pytest.raises(NoWayBackError, match="no generation answered before"):
        roll_back(site)
    promote(site, third)
    assert roll_back(site).generation_id == cold
    with site.database.read() as session:
        assert [one.kind for one in Promotions(session).history()].count("rollback") == 3


def test_the_way_back_is_open_though_vectors_are_missing(site):
    site.store(1)
    cold = site.current().generation_id
    promote(site, ready_candidate(site, "model-b"))
    site.store(2, models=["model-b"])
    assert roll_back(site, over=site.current().generation_id).generation_id == cold
    with site.database.read() as session:
        assert VectorGaps(session).count(COLD) == 2


def test_only_what_has_answered_can_be_gone_back_to(site):
    site.store(1)
    cold = site.current().generation_id
    candidate = ready_candidate(site, "model-b")
    with pytest.raises(NoWayBackError, match="never answered; promote it instead"):
        roll_back(site, candidate)
    with pytest.raises(NoWayBackError, match="answers already"):
        roll_back(site, cold)
    with pytest.raises(UnknownGenerationError):
        roll_back(site, new_uuid7())
    with pytest.raises(UnknownGenerationError):
        promote(site, new_uuid7())
    with pytest.raises(OutrunError):
        roll_back(site, cold, over=candidate)


def test_a_transaction_that_fails_after_the_flip_leaves_the_old_generation(site):
    site.store(1)
    cold = site.current()
    candidate = ready_candidate(site, "model-b")

    def flip_and_fail() -> None:
        with site.database.write() as session:
            Promotions(session).promote(candidate, reason="better")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        flip_and_fail()
    assert site.current() == cold
    assert site.state_of(candidate) == "candidate"


def test_of_two_promotions_that_race_one_wins_and_the_other_hears_of_it(site):
    site.store(2)
    cold = site.current().generation_id
    second = ready_candidate(site, "model-b")
    third = ready_candidate(site, "model-c")
    barrier, came = threading.Barrier(2), []

    def race(generation_id: UUID) -> None:
        barrier.wait()
        try:
            came.append(promote(site, generation_id, over=cold).generation_id)
        except OutrunError:
            came.append(None)

    threads = [threading.Thread(target=race, args=(one,)) for one in (second, third)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [one for one in came if one is not None]
    assert len(came) == 2
    assert site.current().generation_id == winner
    with site.database.read() as session:
        assert len(Promotions(session).history()) == 2
        assert [one.state for one in GenerationRepository(session).list()].count("current") == 1


def test_a_promotion_and_a_rollback_that_race_leave_one_current_generation(site):
    site.store(1)
    second = ready_candidate(site, "model-b")
    third = ready_candidate(site, "model-c")
    promote(site, second)
    barrier = threading.Barrier(2)

    def work(act) -> None:
        barrier.wait()
        act()

    threads = [
        threading.Thread(target=work, args=(act,)) for act in (lambda: promote(site, third), lambda: roll_back(site))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with site.database.read() as session:
        states = [one.state for one in GenerationRepository(session).list()]
        history = Promotions(session).history()
    assert states.count("current") == 1
    assert len(history) == 4
    for earlier, later in itertools.pairwise(history):
        assert later.previous_id == earlier.generation_id, "each change begins where the one before ended"


def test_an_ingest_cannot_slip_in_a_tracklet_between_the_count_and_the_flip(site):
    """The promotion waits for whoever is about to commit, and then finds the vector missing."""
    site.store(1)
    candidate = ready_candidate(site, "model-b")
    inside, failures = threading.Event(), []

    def late_promotion() -> None:
        inside.wait(10)
        try:
            promote(site, candidate)
        except MissingVectorsError as error:
            failures.append(error)

    thread = threading.Thread(target=late_promotion)
    thread.start()
    with site.database.write() as session:
        Outbox(session).take_turn()
        _bare_tracklet(session)
        inside.set()
        thread.join(0.3)
        assert thread.is_alive(), "the promotion must wait for the transaction that is about to commit"
    thread.join()
    assert len(failures) == 1
    assert site.current().model_id == COLD


def _bare_tracklet(session) -> None:
    source = SourceRepository(session).list()[0]
    TrackletRepository(session).add(source.source_id, "gate", painted_tracklet(999, start_s=5.0), "key", [])


def test_a_candidate_is_made_once_and_a_newer_one_takes_its_place(site):
    with pytest.raises(NoGenerationError), site.database.write() as session:
        GenerationRepository(session).add_candidate("model-b")
    site.store(1)
    first = site.candidate("model-b")
    assert site.candidate("model-b") == first
    second = site.candidate("model-c")
    assert site.state_of(first.generation_id) == "rejected"
    with site.database.read() as session:
        assert GenerationRepository(session).live_model_ids() == (COLD, "model-c")
        assert "newer candidate" in GenerationRepository(session).by_id(first.generation_id).reason
    with site.database.write() as session:
        GenerationRepository(session).reject(second.generation_id, reason="no better", metrics={"margin": 0.01})
        GenerationRepository(session).reject(site.current().generation_id, reason="never")
    assert (site.state_of(second.generation_id), site.current().model_id) == ("rejected", COLD)


def test_a_generation_is_known_by_id_beginning_and_model(site):
    site.store(1)
    cold = site.current()
    first = site.candidate("model-b")
    with site.database.read() as session:
        named = GenerationRepository(session).named
        assert named(str(first.generation_id)) == named("model-b")
        assert named(str(first.generation_id)[:-2].upper()).generation_id == first.generation_id
        assert named(COLD) == cold
        for wrong in ("nonsense", "", str(cold.generation_id)[:5], str(new_uuid7())):
            with pytest.raises(UnknownGenerationError):
                named(wrong)


def test_a_model_is_stored_once_and_never_changed(site):
    model = Model("model-z", ModelKind.LEARNED, recipe="site-cpu", dim=8, metrics={"a": 1}, files={"x": "00"})
    with site.database.write() as session:
        first = ModelRepository(session).ensure(model)
    with site.database.write() as session:
        assert ModelRepository(session).ensure(Model("model-z", ModelKind.COLD_START)) == first
    assert (first.kind, first.recipe, first.files) == (ModelKind.LEARNED, "site-cpu", {"x": "00"})
    with site.database.read() as session:
        assert [one.model_id for one in ModelRepository(session).list()] == ["model-z"]
        with pytest.raises(UnknownModelError, match="nobody"):
            ModelRepository(session).by_id("nobody")
