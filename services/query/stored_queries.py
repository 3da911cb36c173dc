"""Stored tracklets as queries, and what is found for them at other cameras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reid_core.errors import NotSearchableError
from reid_core.retrieval.index import are_unit
from reid_core.retrieval.search import Query, search
from reid_core.types import ClockQuality, SearchFilter
from services.storage.feet import read_bodies_and_feet
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from sqlalchemy.orm import Session

    from reid_core.types import Match
    from services.query.live_index import LoadedGeneration
    from services.storage.records import StoredTracklet

__all__ = ["QueryCrop", "finder", "stored_queries"]


@dataclass(frozen=True, slots=True)
class QueryCrop:
    """A crop of the query that evidence may name: of a stored tracklet, or the person in a picture.

    Attributes:
        tracklet_id: The stored tracklet, ``None`` for a picture.
        number: The tracklet's crop number, or the picture's place among those sent, from 0.
    """

    tracklet_id: UUID | None
    number: int


def stored_queries(
    session: Session, stored: Sequence[StoredTracklet], loaded: LoadedGeneration
) -> tuple[list[Query], list[QueryCrop]]:
    """One query for each tracklet, and their crops in the order in which `fuse` puts them.

    Raises:
        NotSearchableError: If one has no vector of the generation's model.
    """
    numbers = [one.tracklet_no for one in stored]
    embeddings = TrackletRepository(session).embeddings(numbers, loaded.generation.model_id)
    bodies, feet = _bodies_and_feet(session, numbers, loaded)
    queries: list[Query] = []
    crops: list[QueryCrop] = []
    for one, body, (entry, last) in zip(stored, bodies, feet, strict=True):
        embedding = embeddings.get(one.tracklet_no)
        if embedding is None or not are_unit(embedding.vector[None]).all():
            raise NotSearchableError(str(one.tracklet_id))
        known = one.clock_quality is not ClockQuality.UNKNOWN
        queries.append(
            Query(
                vector=embedding.vector,
                crop_vectors=embedding.crop_vectors,
                camera_id=one.camera_id,
                start_s=one.start_s if known else None,
                end_s=one.end_s if known else None,
                exclude_tracklet_nos=frozenset({one.tracklet_no}),
                entry=entry,
                exit=last,
                body=body,
            )
        )
        crops += [QueryCrop(one.tracklet_id, no) for no in embedding.crop_nos]
    return queries, crops


def _bodies_and_feet(
    session: Session, numbers: list[int], loaded: LoadedGeneration
) -> tuple[list[Any], list[list[Any]]]:
    if not loaded.knows_places:
        return [None] * len(numbers), [[None, None]] * len(numbers)
    bodies, feet = read_bodies_and_feet(session, numbers)
    return list(bodies), feet.tolist()


def finder(session: Session, loaded: LoadedGeneration) -> Callable[[StoredTracklet, int], Sequence[Match]]:
    """Searches of a generation: a stored tracklet and a number of answers in, other cameras' tracklets out."""

    def find(stored: StoredTracklet, k: int) -> Sequence[Match]:
        (query,), _ = stored_queries(session, [stored], loaded)
        where = SearchFilter(exclude_camera_ids=frozenset({stored.camera_id}))
        if loaded.index is None:
            return []
        if loaded.fused is None:
            return search(loaded.index, query, k=k, where=where)
        return loaded.fused.search(loaded.index, query, k=k, where=where).matches

    return find
