"""An ingest has the embedders that generations name, also of one that comes up meanwhile."""

from __future__ import annotations

import pytest
import structlog
from generation_site import TurnedColour

from reid_core.errors import ModelFilesError
from services.ingest.embedders import LiveEmbedders


@pytest.fixture
def made() -> list[str]:
    """Which models were made, in order."""
    return []


@pytest.fixture
def embedders(made: list[str]) -> LiveEmbedders:
    def make(model_id: str) -> TurnedColour:
        made.append(model_id)
        if model_id.startswith("broken"):
            raise ModelFilesError(model_id)
        return TurnedColour(model_id)

    return LiveEmbedders(TurnedColour("a"), make)


def in_use(embedders: LiveEmbedders) -> list[str]:
    return [one.model_id for one in embedders.in_use]


def test_the_first_embedder_is_in_use_until_generations_say_more(embedders, made):
    assert in_use(embedders) == ["a"]
    assert not embedders.lack(["a"])
    embedders.follow(["a"])
    assert made == []


def test_a_candidate_is_made_once_and_dropped_when_it_is_gone(embedders, made):
    assert embedders.lack(["a", "b"])
    embedders.follow(["a", "b"])
    assert in_use(embedders) == ["a", "b"]
    assert not embedders.lack(["a", "b"])
    embedders.follow(["a", "b"])
    assert made == ["b"]
    embedders.follow(["b"])
    assert in_use(embedders) == ["b"]
    assert embedders.lack(["a"])


def test_a_candidate_that_cannot_be_loaded_is_told_of_once_and_passed_over(embedders, made):
    with structlog.testing.capture_logs() as logs:
        embedders.follow(["a", "broken"])
        embedders.follow(["a", "broken", "b"])
    assert in_use(embedders) == ["a", "b"]
    assert not embedders.lack(["a", "broken", "b"])
    assert [entry["event"] for entry in logs] == ["ingest.candidate_not_loaded"]
    assert made.count("b") == 1


def test_without_the_current_generations_model_an_ingest_cannot_go_on(embedders):
    with pytest.raises(ModelFilesError):
        embedders.follow(["broken", "a"])
