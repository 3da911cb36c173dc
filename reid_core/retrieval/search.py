"""From a query to ranked, explained answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from reid_core.types import Evidence, Match

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from reid_core.retrieval.index import FlatIndex, Hits
    from reid_core.types import FloatArray, SearchFilter

__all__ = ["CropVectors", "CropVectorsOf", "Query", "alike_crops", "fuse", "matches_of", "not_itself", "search"]

_PAIRS_SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class CropVectors:
    """The embedded crops of one stored tracklet.

    Attributes:
        crop_nos: Which of the tracklet's crops these are.
        vectors: L2-normalised, one for each of them. Shape ``(K, d)``.
    """

    crop_nos: Sequence[int]
    vectors: FloatArray


CropVectorsOf: TypeAlias = "Callable[[Sequence[int]], Mapping[int, CropVectors]]"
"""Fetches the embedded crops of some tracklets; a tracklet without any may be missing from the answer."""


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """Who is looked for.

    Attributes:
        vector: L2-normalised. Shape ``(d,)``.
        crop_vectors: L2-normalised. Shape ``(K, d)``; ``(0, d)`` where none are known.
        camera_id: Where the query was seen, ``None`` where unknown.
        start_s: UTC epoch seconds at which the query was first seen, ``None`` where unknown.
        end_s: When it was last seen, ``None`` where unknown.
        exclude_tracklet_nos: The query's own tracklets, which are no answers to it.
        entry: Where the feet were at first sight, in shares of the picture, ``None`` where unknown.
        exit: Where they were at last sight.
        body: What its path tells of its height and pace (`body_marks`), ``None`` where unknown. Shape ``(7,)``.
    """

    vector: FloatArray
    crop_vectors: FloatArray
    camera_id: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    exclude_tracklet_nos: frozenset[int] = field(default_factory=frozenset)
    entry: tuple[float, float] | None = None
    exit: tuple[float, float] | None = None
    body: NDArray[np.float64] | None = None


def fuse(queries: Sequence[Query]) -> Query:
    """One query that speaks for several pictures or tracklets of the same person.

    The vector is the L2-normalised mean. Crops follow each other in the order given. A camera or a time is kept only
    where all parts have it (and, for the camera, agree); the time then spans them all. Several parts have no one place
    at which they were first or last seen.

    Raises:
        ValueError: If there is no query, or the vectors cancel each other out.

    Example:
        >>> def part(*vector):
        ...     return Query(np.array(vector, np.float32), np.zeros((0, 2), np.float32))
        >>> fuse([part(1, 0), part(0, 1)]).vector.astype(float).round(4).tolist()
        [0.7071, 0.7071]
    """
    if not queries:
        raise ValueError("a search needs at least one query")
    if len(queries) == 1:
        return queries[0]
    mean = np.stack([query.vector for query in queries]).astype(np.float64).mean(axis=0)
    norm = float(np.linalg.norm(mean))
    if not norm > 1e-6:
        raise ValueError("the queries' vectors cancel each other out")
    cameras = {query.camera_id for query in queries}
    starts_s = [query.start_s for query in queries if query.start_s is not None]
    ends_s = [query.end_s for query in queries if query.end_s is not None]
    return Query(
        vector=np.asarray(mean / norm, np.float32),
        crop_vectors=np.concatenate([query.crop_vectors for query in queries]),
        camera_id=cameras.pop() if len(cameras) == 1 else None,
        start_s=min(starts_s) if len(starts_s) == len(queries) else None,
        end_s=max(ends_s) if len(ends_s) == len(queries) else None,
        exclude_tracklet_nos=frozenset().union(*(query.exclude_tracklet_nos for query in queries)),
    )


def search(
    index: FlatIndex,
    query: Query,
    *,
    k: int,
    where: SearchFilter,
    crop_vectors_of: CropVectorsOf | None = None,
) -> list[Match]:
    """The tracklets most like a query, nearest first, each with its evidence.

    Args:
        index: Holds vectors of the model that made the query's.
        query: Who is looked for; its own tracklets are never returned.
        k: At most this many answers.
        where: Which tracklets may be returned.
        crop_vectors_of: Fetches the embedded crops of the answers; without it no answer names pairs of crops.

    Returns:
        At most ``k`` matches. An unknown clock leaves ``start_s`` and ``end_s`` NaN and ``gap_s`` ``None``.

    Raises:
        ValueError: If ``k`` is below 1 or the query's vector does not fit the index.
    """
    return matches_of(index.nearest(query.vector, k, where=not_itself(where, query)), query, crop_vectors_of)


def matches_of(hits: Hits, query: Query, crop_vectors_of: CropVectorsOf | None = None) -> list[Match]:
    """What was found as answers with their visual evidence, in the same order.

    Args:
        hits: In the order in which they are to be answered.
        query: Who was looked for.
        crop_vectors_of: As `search` has it.
    """
    nos = hits.tracklet_nos.tolist()
    crops = crop_vectors_of(nos) if crop_vectors_of is not None and len(query.crop_vectors) and nos else {}
    return [_match(i, no, hits, query, crops.get(no)) for i, no in enumerate(nos)]


def not_itself(where: SearchFilter, query: Query) -> SearchFilter:
    """The filter, which passes none of the query's own tracklets either."""
    if not query.exclude_tracklet_nos:
        return where
    return replace(where, exclude_tracklet_nos=where.exclude_tracklet_nos | query.exclude_tracklet_nos)


def alike_crops(
    query_vectors: FloatArray, answer_vectors: FloatArray, *, at_most: int = _PAIRS_SHOWN
) -> list[tuple[int, int, float]]:
    """The pairs of crops that are most alike, each crop in at most one pair.

    Args:
        query_vectors: L2-normalised. Shape ``(A, d)``.
        answer_vectors: L2-normalised. Shape ``(B, d)``.
        at_most: Pairs wanted.

    Returns:
        ``(row of query, row of answer, cosine distance)``, the most alike first; ties by the smaller rows.

    Example:
        >>> alike_crops(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.6, 0.8]]))
        [(1, 0, 0.2)]
    """
    distances = np.clip(1 - np.asarray(query_vectors, np.float64) @ np.asarray(answer_vectors, np.float64).T, 0, 2)
    distances = distances.round(6)  # below that lies only the noise of the stored half precision
    pairs: list[tuple[int, int, float]] = []
    for _ in range(min(at_most, *distances.shape)):
        a, b = divmod(int(np.argmin(distances)), distances.shape[1])
        pairs.append((a, b, float(distances[a, b])))
        distances[a, :] = distances[:, b] = np.inf
    return pairs


def _match(i: int, no: int, hits: Hits, query: Query, crops: CropVectors | None) -> Match:
    start_s, end_s = float(hits.starts_s[i]), float(hits.ends_s[i])
    return Match(
        rank=i + 1,
        tracklet_no=no,
        camera_id=hits.camera_ids[i],
        start_s=start_s,
        end_s=end_s,
        quality=float(hits.qualities[i]),
        evidence=Evidence(
            visual_distance=float(hits.distances[i]),
            gap_s=_gap_s(query, start_s),
            crop_pairs=_pairs(query, crops),
        ),
    )


def _gap_s(query: Query, start_s: float) -> float | None:
    return None if query.end_s is None or np.isnan(start_s) else start_s - query.end_s


def _pairs(query: Query, crops: CropVectors | None) -> tuple[tuple[int, int, float], ...]:
    if crops is None:
        return ()
    pairs = alike_crops(query.crop_vectors, crops.vectors)
    return tuple((a, int(crops.crop_nos[b]), distance) for a, b, distance in pairs)
