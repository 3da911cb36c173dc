"""An ingest gives every tracklet the vectors that generations need, also when one comes up while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest
from generation_site import TurnedColour
from moving_blocks import BlockDetector, ColourEmbedder, Walk, record

from services.ingest.plan import SourceRequest, plan_source
from services.ingest.worker import Networks, ingest_sources
from services.storage.blobs import BlobStore
from services.storage.gaps import VectorGaps
from services.storage.generations import GenerationRepository
from services.storage.models import Model, ModelKind, ModelRepository
from services.storage.promotions import Promotions
from services.storage.tracklets import TrackletRepository
from services.trainer.backfill import backfill

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reid_core.ports import Embedder
    from services.storage.session import Database

COLD, NEW = ColourEmbedder.model_id, "new-model"
WALKS = (Walk(0, 5, 40), Walk(1, 12, 50), Walk(2, 30, 70), Walk(0, 72, 112), Walk(1, 80, 118))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("film") / "hall.avi", WALKS, 130)


@dataclass
class Acting(ColourEmbedder):
    """Does something when it is asked for a certain time."""

    acts: dict[int, Callable[[], None]] = field(default_factory=dict)
    asked: int = 0

    def embed(self, crops):
        self.asked += 1
        self.acts.pop(self.asked, lambda: None)()
        return super().embed(crops)


def ingest(database: Database, folder: Path, video: Path, embedder: Embedder) -> None:
    networks = Networks(BlockDetector(), embedder, 1, _made)
    report = ingest_sources(
        [plan_source(SourceRequest("hall", video), database)],
        networks,
        database=database,
        blobs=BlobStore(folder / "blobs"),
        locks_dir=folder / "locks",
        workers=1,
        on_frame=lambda: None,
    )
    assert report.failures == ()


def _made(model_id: str) -> Embedder:
    return ColourEmbedder() if model_id == COLD else TurnedColour(model_id)


def add_candidate(database: Database) -> None:
    with database.write() as session:
        ModelRepository(session).ensure(Model(NEW, ModelKind.COLD_START))
        GenerationRepository(session).add_candidate(NEW)


def embedded(database: Database, model_id: str) -> int:
    with database.read() as session:
        tracklets = TrackletRepository(session)
        return len(tracklets.embeddings(tracklets.newest_nos(100), model_id))


def missing(database: Database, model_id: str) -> int:
    with database.read() as session:
        return VectorGaps(session).count(model_id)


def test_a_candidate_that_stood_before_gets_every_vector(database, tmp_path, video):
    with database.write() as session:
        GenerationRepository(session).ensure_cold_start(COLD)
    add_candidate(database)
    ingest(database, tmp_path, video, ColourEmbedder())
    assert (embedded(database, COLD), embedded(database, NEW)) == (len(WALKS), len(WALKS))


def test_a_candidate_that_comes_meanwhile_is_picked_up_with_the_next_tracklet(database, tmp_path, video):
    embedder = Acting(acts={3: lambda: add_candidate(database)})
    ingest(database, tmp_path, video, embedder)
    assert embedded(database, COLD) == len(WALKS)
    assert missing(database, NEW) == 2
    assert embedder.asked == len(WALKS), "what was embedded once is not embedded again"


def test_a_promotion_while_a_tracklet_is_embedded_costs_it_no_vector(database, tmp_path, video):
    """The tracklet under way has a vector of the model that retires; it gets one of the model that takes over."""

    def take_over() -> None:
        add_candidate(database)
        backfill(database, BlobStore(tmp_path / "blobs"), TurnedColour(NEW))
        with database.write() as session:
            candidate = GenerationRepository(session).named(NEW)
            Promotions(session).promote(candidate.generation_id, reason="better")

    ingest(database, tmp_path, video, Acting(acts={3: take_over}))
    assert missing(database, NEW) == 0
    assert embedded(database, NEW) == len(WALKS)
    assert embedded(database, COLD) == 2, "the retired model gets no more vectors"


def test_what_ingest_gives_a_candidate_is_what_a_backfill_gives(database, tmp_path, video):
    ingest(database, tmp_path, video, Acting(acts={1: lambda: add_candidate(database)}))
    with database.read() as session:
        numbers = TrackletRepository(session).newest_nos(100)
        given = TrackletRepository(session).embeddings(numbers, NEW)
    made_again = TurnedColour(NEW)
    made_again.model_id = "again"
    backfill(database, BlobStore(tmp_path / "blobs"), made_again)
    with database.read() as session:
        again = TrackletRepository(session).embeddings(numbers, "again")
    for no in numbers:
        assert given[no].crop_nos == again[no].crop_nos
        assert np.array_equal(given[no].vector, again[no].vector)
