"""Searches that go on throughout promotions and ways back: every answer is of the one generation that it names."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import structlog
from generation_site import COLD, GenerationSite, TurnedColour

from reid_core.errors import NotSearchableError
from reid_core.types import SearchFilter
from reid_core.vision.crops import decode_crop
from services.query.inference import EmbedderShelf
from services.query.live_index import Follower, LiveIndex
from services.query.pictures import Picture, PictureLimits
from services.query.searcher import Searcher, SearchRequest
from services.storage.generations import GenerationRepository
from services.storage.promotions import Promotions
from services.storage.tracklets import TrackletRepository
from services.trainer.backfill import backfill

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from services.query.searcher import Answer
    from services.storage.session import Database

FIRST = 12
REQUEST = SearchRequest(SearchFilter(), k=8)


class Nobody:
    """A detector that is never asked: pictures are taken whole."""

    def detect(self, image):
        raise AssertionError(image.shape)


@dataclass
class Searching:
    """Threads that search until they are told to stop, and what they found."""

    searcher: Searcher
    site: GenerationSite
    stop: threading.Event = field(default_factory=threading.Event)
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    def run(self, search: Callable[[int], tuple[str, Answer]]) -> None:
        turn = 0
        try:
            while not self.stop.is_set():
                turn += 1
                self.answers.append(search(turn))
                self.stop.wait(0.001)  # whoever promotes needs the interpreter too
        except BaseException as error:  # noqa: BLE001 - a thread's failure must reach the test
            self.failures.append(error)

    def by_tracklet(self, turn: int) -> tuple[str, Answer]:
        tracklet_id = self.ids[turn % len(self.ids)]
        return tracklet_id, self.searcher.by_tracklets([tracklet_id], REQUEST)

    def by_picture(self, turn: int) -> tuple[str, Answer]:
        tracklet_id = self.ids[turn % len(self.ids)]
        picture = Picture("who.png", self.pictures[tracklet_id])
        return "", self.searcher.by_pictures([picture], REQUEST, whole=True)

    def __enter__(self):
        with self.site.database.read() as session:
            stored = TrackletRepository(session).list(limit=FIRST).items
        self.ids = [str(one.tracklet_id) for one in stored]
        self.pictures = {str(one.tracklet_id): self._picture(one.blob_key) for one in stored}
        searches = [self.by_tracklet, self.by_tracklet, self.by_picture]
        self.threads = [threading.Thread(target=self.run, args=(search,)) for search in searches]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_exception):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def wait_for(self, generation_id) -> None:
        """Wait until some search was answered by a generation."""
        until_s = time.monotonic() + 60
        seen = 0
        while time.monotonic() < until_s and not self.failures:
            answers = self.answers[seen:]
            if any(answer.generation.generation_id == generation_id for _, answer in answers):
                return
            seen += len(answers)
            self.stop.wait(0.005)
        raise AssertionError(f"nothing was answered by {generation_id}: {self.failures}")

    def _picture(self, blob_key: str) -> bytes:
        image = decode_crop(self.site.blobs.read_crop(blob_key, 0))
        return cv2.imencode(".png", image)[1].tobytes()


@pytest.fixture(autouse=True)
def logs():
    with structlog.testing.capture_logs() as entries:
        yield entries


@pytest.fixture
def site(database: Database, tmp_path: Path) -> GenerationSite:
    made = GenerationSite(database, tmp_path)
    made.store(FIRST)
    return made


def make_searcher(site: GenerationSite) -> Searcher:
    shelf = EmbedderShelf(TurnedColour)
    live = LiveIndex(site.database, prepare=shelf.prepare)
    live.load()
    return Searcher(site.database, live, Nobody(), shelf, limits=PictureLimits(1000, 1_000_000))


def live_models(site: GenerationSite) -> tuple[str, ...]:
    with site.database.read() as session:
        return GenerationRepository(session).live_model_ids()


def take_over(site: GenerationSite, model_id: str) -> object:
    """A candidate comes, more is ingested, everything is embedded anew, and it takes over."""
    candidate = site.candidate(model_id)
    site.store(3, models=live_models(site), camera_id="hall")
    backfill(site.database, site.blobs, TurnedColour(model_id), batch=5)
    with site.database.write() as session:
        return Promotions(session).promote(candidate.generation_id, reason="better").generation_id


def go_back(site: GenerationSite) -> object:
    with site.database.write() as session:
        restored = Promotions(session).rollback(reason="worse").generation_id
    site.store(2, models=live_models(site), camera_id="yard")
    backfill(site.database, site.blobs, TurnedColour(site.current().model_id), batch=5)
    return restored


def test_no_answer_mixes_two_generations(site):
    searcher = make_searcher(site)
    with Follower(searcher.live, every_s=0.002), Searching(searcher, site) as searching:
        searching.wait_for(site.current().generation_id)
        for act in (
            lambda: take_over(site, "model-b"),
            lambda: go_back(site),
            lambda: take_over(site, "model-c"),
            lambda: take_over(site, "model-d"),
            lambda: go_back(site),
        ):
            searching.wait_for(act())
    assert searching.failures == []
    check = Check(site)
    for tracklet_id, answer in searching.answers:
        check.is_of_one_generation(tracklet_id, answer)
    models = {answer.generation.model_id for _, answer in searching.answers}
    assert models == {COLD, "model-b", "model-c", "model-d"}
    assert check.distances > 100
    assert check.told_apart > 0.9 * check.distances, "the check must be able to fail"


class Check:
    """Recomputes answers from what is stored under the model of the generation that they name."""

    def __init__(self, site: GenerationSite) -> None:
        with site.database.read() as session:
            tracklets = TrackletRepository(session)
            numbers = tracklets.newest_nos(1000)
            self.no_of = {str(one.tracklet_id): no for no, one in tracklets.by_nos(numbers).items()}
            self.model_of = {one.generation_id: one.model_id for one in GenerationRepository(session).list()}
            models = set(self.model_of.values())
            self.vectors = {
                model: {no: one.vector for no, one in tracklets.embeddings(numbers, model).items()} for model in models
            }
            self.crops = {
                model: {no: one.crop_vectors for no, one in tracklets.embeddings(numbers, model).items()}
                for model in models
            }
        self.distances = 0
        self.told_apart = 0

    def is_of_one_generation(self, tracklet_id: str, answer: Answer) -> None:
        model = self.model_of[answer.generation.generation_id]
        assert answer.generation.model_id == model
        assert answer.matches, "searches are answered throughout"
        assert [match.evidence.visual_distance for match, _ in answer.matches] == sorted(
            match.evidence.visual_distance for match, _ in answer.matches
        )
        if not tracklet_id:
            self._pictures_are(model, answer)
            return
        query = self.no_of[tracklet_id]
        for match, _ in answer.matches:
            expected = self._distance(model, query, match.tracklet_no)
            assert match.evidence.visual_distance == pytest.approx(expected, abs=2e-3)
            others = [
                self._distance(other, query, match.tracklet_no)
                for other in self.vectors
                if other != model and {query, match.tracklet_no} <= self.vectors[other].keys()
            ]
            self.told_apart += all(abs(one - match.evidence.visual_distance) > 4e-3 for one in others)
            self.distances += 1
            self._crop_pairs_are(model, query, match)

    def _crop_pairs_are(self, model, query, match) -> None:
        for of_query, of_answer, distance in match.evidence.crop_pairs:
            one, other = self.crops[model][query][of_query], self.crops[model][match.tracklet_no][of_answer]
            assert distance == pytest.approx(1 - float(one @ other), abs=2e-3)

    def _pictures_are(self, model, answer) -> None:
        """The nearest to a tracklet's own crop, by the model that the answer names, lies at what that model says."""
        embedder = TurnedColour(model)
        assert len(answer.people) == 1
        vector = embedder.embed([answer.people[0].crop]).vector
        for match, _ in answer.matches:
            expected = 1 - float(vector @ self.vectors[model][match.tracklet_no])
            assert match.evidence.visual_distance == pytest.approx(expected, abs=2e-3)

    def _distance(self, model: str, one: int, other: int) -> float:
        return 1 - float(np.dot(self.vectors[model][one], self.vectors[model][other]))


def test_a_tracklet_without_a_vector_of_the_model_is_searchable_once_it_has_one(site):
    """After a way back, tracklets that came meanwhile are found as soon as they are embedded again."""
    searcher = make_searcher(site)
    take_over(site, "model-b")
    (late,) = site.store(1, models=["model-b"], camera_id="hall")
    with site.database.write() as session:
        Promotions(session).rollback(reason="worse")
        late_id = TrackletRepository(session).by_no(late).tracklet_id
    searcher.live.catch_up()
    with pytest.raises(NotSearchableError):
        searcher.by_tracklets([late_id], REQUEST)
    backfill(site.database, site.blobs, TurnedColour(COLD))
    searcher.live.catch_up()
    assert searcher.by_tracklets([late_id], REQUEST).generation.model_id == COLD
    assert late in searcher.live.current.index


def test_an_embedder_that_cannot_be_loaded_keeps_nobody_from_searching_by_tracklets(site, logs):
    from reid_core.errors import ModelFilesError

    def make(model_id: str) -> TurnedColour:
        if model_id == "model-b":
            raise ModelFilesError("model.safetensors is damaged")
        return TurnedColour(model_id)

    shelf = EmbedderShelf(make)
    live = LiveIndex(site.database, prepare=shelf.prepare)
    live.load()
    searcher = Searcher(site.database, live, Nobody(), shelf, limits=PictureLimits(1000, 1_000_000))
    with site.database.read() as session:
        first = TrackletRepository(session).list(limit=1).items[0]
    picture = Picture("who.png", cv2.imencode(".png", np.full((60, 30, 3), 90, np.uint8))[1].tobytes())
    searcher.by_pictures([picture], REQUEST, whole=True)
    take_over(site, "model-b")
    live.catch_up()
    assert [entry["model_id"] for entry in logs if entry["event"] == "embedder.not_loaded"] == ["model-b"]
    assert searcher.by_tracklets([first.tracklet_id], REQUEST).generation.model_id == "model-b"
    with pytest.raises(ModelFilesError, match="damaged"):
        searcher.by_pictures([picture], REQUEST, whole=True)
