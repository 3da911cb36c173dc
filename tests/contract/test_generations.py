"""What the generations promise, on every database."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy.exc import IntegrityError

from reid_core.errors import NoGenerationError
from services.identifiers import new_uuid7
from services.storage.generations import GenerationRepository
from services.storage.outbox import Outbox
from services.storage.tables import GenerationRow, ModelRow


def test_there_is_no_generation_before_something_was_ingested(database):
    with database.read() as session:
        assert GenerationRepository(session).list() == []
        with pytest.raises(NoGenerationError, match="Nothing has been ingested yet"):
            GenerationRepository(session).current()


def test_the_cold_start_is_made_once_and_told_once(database):
    with database.write() as session:
        first = GenerationRepository(session).ensure_cold_start("model-a")
    with database.write() as session:
        assert GenerationRepository(session).ensure_cold_start("model-a") == first
    with database.read() as session:
        assert GenerationRepository(session).current() == first
        (event,) = Outbox(session).after(0)
    assert (first.model_id, first.state) == ("model-a", "current")
    assert event.kind == "generation.promoted"
    assert event.payload == {"generation_id": str(first.generation_id), "model_id": "model-a"}


def test_a_current_generation_of_another_model_stays(database):
    with database.write() as session:
        GenerationRepository(session).ensure_cold_start("model-a")
        assert GenerationRepository(session).ensure_cold_start("model-b").model_id == "model-a"
        assert len(GenerationRepository(session).list()) == 1


def test_the_database_itself_refuses_a_second_current_generation(database):
    def row(state: str) -> GenerationRow:
        return GenerationRow(generation_id=new_uuid7(), model_id="model-a", state=state, created_at_s=0.0)

    with database.write() as session:
        session.add(ModelRow(model_id="model-a", kind="cold-start", created_at_s=0.0, metrics={}, files={}))
        session.flush()
        session.add_all([row("current"), row("retired"), row("retired"), row("candidate"), row("candidate")])
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(row("current"))
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(row("hopeful"))


def test_threads_that_start_together_make_one_generation(database):
    barrier, made = threading.Barrier(4), []

    def work() -> None:
        barrier.wait()
        with database.write() as session:
            made.append(GenerationRepository(session).ensure_cold_start("model-a"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1
