"""What a search does, whoever asks: the query service and the command line alike."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Semaphore
from typing import TYPE_CHECKING

from reid_core.errors import ModelMismatchError, NoPersonError, NotCalibratedError
from reid_core.retrieval.index import are_unit
from reid_core.retrieval.search import CropVectors, Query, fuse, search
from services.query.look_again import RERANKS, Reranking, second_look, told_of
from services.query.pictures import decode_picture, find_person, whole_picture
from services.query.stored_queries import QueryCrop, stored_queries
from services.storage.cameras import CameraRepository
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sqlalchemy.orm import Session

    from reid_core.ports import Detector, Embedder
    from reid_core.retrieval.search import CropVectorsOf
    from reid_core.types import Match, SearchFilter
    from services.query.inference import EmbedderShelf
    from services.query.live_index import LiveIndex, LoadedGeneration
    from services.query.pictures import PersonInPicture, Picture, PictureLimits
    from services.storage.generations import Generation
    from services.storage.records import StoredTracklet
    from services.storage.session import Database

__all__ = ["Answer", "SearchRequest", "Searcher"]

_PICTURES_AT_ONCE = 2  # a decoded picture may take 120 MB; only the person's crop outlives its turn


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What is asked besides who is looked for.

    Attributes:
        where: Which tracklets may be returned.
        k: At most this many.
        other_cameras_only: Nothing from the cameras that the query itself was seen by.
        use_time: Weigh the query's place and time, where it has them and the generation knows of time.
        max_error_rate: Only so many answers that this share of them is expected to be false.
        rerank: Let the answers' neighbours have a say in their order.
    """

    where: SearchFilter
    k: int = 10
    other_cameras_only: bool = False
    use_time: bool = True
    max_error_rate: float | None = None
    rerank: bool = RERANKS


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Ranked answers, and what they answer.

    Attributes:
        generation: The generation that answered.
        matches: Nearest first, each with what is stored of its tracklet.
        query_crops: What the query's side of a pair of crops counts.
        queried: The query's own tracklets, none for pictures.
        people: Whom the pictures were found to show, none for tracklets.
        prior_log_odds: Of any candidate of this search, before anything was known of it; ``None`` where the generation
            has no calibration and the order is that of distances.
        uses_time: Whether the query's place and time were weighed.
        reranking: What re-ranking did; ``None`` where it was not asked for.
    """

    generation: Generation
    matches: tuple[tuple[Match, StoredTracklet], ...]
    query_crops: tuple[QueryCrop, ...]
    queried: tuple[StoredTracklet, ...] = ()
    people: tuple[PersonInPicture, ...] = ()
    prior_log_odds: float | None = None
    uses_time: bool = False
    reranking: Reranking | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Searcher:
    """Searches the current generation; safe to share between threads."""

    database: Database
    live: LiveIndex
    detector: Detector
    embedders: EmbedderShelf
    limits: PictureLimits = field(kw_only=True)
    _decoders: Semaphore = field(default_factory=lambda: Semaphore(_PICTURES_AT_ONCE), init=False)

    def by_tracklets(self, tracklet_ids: Sequence[UUID | str], request: SearchRequest) -> Answer:
        """Who looks like these stored tracklets of one person.

        Raises:
            NoGenerationError: If nothing was ingested yet.
            UnknownTrackletError: If one of them is not stored.
            UnknownCameraError: If a filter names a camera that is not stored.
            NotSearchableError: If one has no vector of the current generation's model.
            NotCalibratedError: If an error rate is asked for that the current generation cannot tell.
        """
        loaded = self.live.current
        with self.database.read() as session:
            stored = [TrackletRepository(session).by_id(one) for one in dict.fromkeys(tracklet_ids)]
            queries, crops = stored_queries(session, stored, loaded)
            seen_by = frozenset(one.camera_id for one in stored)
            where = _checked_filter(session, request, seen_by)
            answer = self._answer(session, loaded, fuse(queries), replace(request, where=where), tuple(crops))
        return replace(answer, queried=tuple(stored))

    def by_pictures(self, pictures: Sequence[Picture], request: SearchRequest, *, whole: bool = False) -> Answer:
        """Who looks like the person in these pictures.

        Args:
            pictures: At least one; all of the same person.
            request: What else is asked.
            whole: Take each picture as it is, instead of looking for the person in it.

        Raises:
            NoGenerationError: If nothing was ingested yet.
            NotAnImageError: If a file is no picture.
            ImageTooLargeError: If a picture is too large.
            NoPersonError: If a picture shows nobody.
            ModelMismatchError: If the embedder is not the current generation's.
            NotCalibratedError: If an error rate is asked for that the current generation cannot tell.
        """
        loaded = self.live.current
        people = tuple(self._person(picture, whole=whole) for picture in pictures)
        embedder = self.embedders.of(loaded.generation.model_id)
        if embedder.model_id != loaded.generation.model_id:
            raise ModelMismatchError(f"{embedder.model_id} here, {loaded.generation.model_id} stored")
        queries = [_picture_query(embedder, person, picture) for person, picture in zip(people, pictures, strict=True)]
        crops = tuple(QueryCrop(None, number) for number in range(len(people)))
        with self.database.read() as session:
            where = _checked_filter(session, request, frozenset())
            answer = self._answer(session, loaded, fuse(queries), replace(request, where=where), crops)
        return replace(answer, people=people)

    def _person(self, picture: Picture, *, whole: bool) -> PersonInPicture:
        with self._decoders:
            image = decode_picture(picture, self.limits)
            if whole:
                return whole_picture(image, name=picture.name)
            return find_person(image, self.detector, name=picture.name)

    def _answer(
        self,
        session: Session,
        loaded: LoadedGeneration,
        query: Query,
        request: SearchRequest,
        query_crops: tuple[QueryCrop, ...],
    ) -> Answer:
        tracklets = TrackletRepository(session)

        def crop_vectors_of(nos: Sequence[int]) -> Mapping[int, CropVectors]:
            found = tracklets.embeddings(nos, loaded.generation.model_id)
            return {no: CropVectors(one.crop_nos, one.crop_vectors) for no, one in found.items()}

        found = _found(loaded, query, request, crop_vectors_of)
        stored = tracklets.by_nos(match.tracklet_no for match in found.matches)
        still_there = [match for match in found.matches if match.tracklet_no in stored]  # one may be removed meanwhile
        ranked = tuple(
            (replace(match, rank=rank), stored[match.tracklet_no]) for rank, match in enumerate(still_there, start=1)
        )
        return Answer(
            loaded.generation,
            ranked,
            query_crops,
            prior_log_odds=found.prior_log_odds,
            uses_time=found.uses_time,
            reranking=found.reranking,
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """Matches in order, and how they were put into it."""

    matches: list[Match]
    prior_log_odds: float | None = None
    uses_time: bool = False
    reranking: Reranking | None = None


def _found(loaded: LoadedGeneration, query: Query, request: SearchRequest, crop_vectors_of: CropVectorsOf) -> _Found:
    """By probability where the generation is calibrated, else by distance."""
    if loaded.fused is None and request.max_error_rate is not None:
        raise NotCalibratedError(str(loaded.generation.generation_id))
    look, reranking = second_look(loaded, query, use_time=request.use_time) if request.rerank else (None, None)
    if loaded.index is None:
        return _Found([], reranking=reranking)
    if loaded.fused is None:
        matches = search(loaded.index, query, k=request.k, where=request.where, crop_vectors_of=crop_vectors_of)
        return _Found(matches, reranking=reranking)
    answer = loaded.fused.search(
        loaded.index,
        query,
        k=request.k,
        where=request.where,
        use_time=request.use_time,
        max_error_rate=request.max_error_rate,
        crop_vectors_of=crop_vectors_of,
        second=look,
    )
    return _Found(answer.matches, answer.prior_log_odds, answer.uses_time, told_of(reranking, look))


def _checked_filter(session: Session, request: SearchRequest, seen_by: frozenset[str]) -> SearchFilter:
    """The filter, with its cameras known to be stored, and without the query's own where that is asked."""
    where = request.where
    cameras = CameraRepository(session)
    for camera_id in sorted((where.camera_ids or frozenset()) | where.exclude_camera_ids):
        cameras.by_id(camera_id)
    if request.other_cameras_only:
        where = replace(where, exclude_camera_ids=where.exclude_camera_ids | seen_by)
    return where


def _picture_query(embedder: Embedder, person: PersonInPicture, picture: Picture) -> Query:
    embedding = embedder.embed([person.crop])
    if not are_unit(embedding.vector[None]).all():
        raise NoPersonError(f"{picture.name} shows nothing to recognise anybody by")
    return Query(embedding.vector, embedding.crop_vectors)
