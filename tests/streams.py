"""Crowds as rows of an index, for graphs that grow, and what a rebuild makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.graph.joining import PaperJoining
from reid_core.graph.refined_gallery import GraphRules, RefinedGallery
from reid_core.graph.streaming import StreamingGraph
from reid_core.retrieval.rows import IndexRows
from reid_core.retrieval.search import Query

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graph_cases import Crowd

    from reid_core.spatio_temporal.sightings import Sightings

RULES = GraphRules(visual=3, timed=8)


def halves(looks: np.ndarray) -> np.ndarray:
    """Vectors as an index keeps them."""
    return looks.astype(np.float16).astype(np.float32)


def rows_of(people: Crowd, numbers: Iterable[int]) -> IndexRows:
    """Some of a crowd; a tracklet's number is its place."""
    places = np.array(list(numbers), np.int64)
    return IndexRows(
        tracklet_nos=places,
        vectors=people.looks[places],
        camera_ids=[f"cam{camera}" for camera in people.cameras[places]],
        starts_s=people.times[places],
        ends_s=people.times[places] + 2,
        qualities=np.ones(len(places)),
    )


def query_of(people: Crowd, place: int) -> Query:
    """One of a crowd as a query that is not its own answer."""
    start_s = float(people.times[place])
    vector = halves(people.looks[place])
    return Query(
        vector, np.zeros((0, vector.size), np.float32), f"cam{people.cameras[place]}", start_s, start_s + 2,
        frozenset({place}),
    )  # fmt: skip


def walks(asking: Sightings, answering: Sightings) -> np.ndarray:
    """The rule of `graph_cases.walks_of_100_s`, for pairs of sightings."""
    cameras = _numbers(asking) - _numbers(answering)
    gaps = asking.starts_s - answering.starts_s
    return (cameras != 0) & (np.abs(gaps - 100 * cameras) < 10)


def _numbers(sightings: Sightings) -> np.ndarray:
    return np.array([int(name[3:] or -9) for name in sightings.camera_ids])[sightings.cameras]


def joining_of(rules: GraphRules = RULES, *, timed: bool) -> PaperJoining:
    """The paper's form, with the rule of walks or without."""
    return PaperJoining(rules, walks if timed else None)


def rebuilt(people: Crowd, numbers: Iterable[int], *, timed: bool, rules: GraphRules = RULES) -> StreamingGraph:
    """The batch form: all nodes at once, in an order of their own."""
    graph = StreamingGraph(people.looks.shape[1], joining=joining_of(rules, timed=timed))
    graph.add(rows_of(people, sorted(numbers, reverse=True)))
    return graph


def gallery_of(people: Crowd, numbers: list[int], *, timed: bool, rules: GraphRules = RULES) -> RefinedGallery:
    """The gallery of batch re-ranking over the same vectors."""
    places = np.array(numbers, np.int64)

    def rule(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        cameras = people.cameras[places[rows]] - people.cameras[places[columns]]
        return (cameras != 0) & (
            np.abs(people.times[places[rows]] - people.times[places[columns]] - 100 * cameras) < 10
        )

    return RefinedGallery(halves(people.looks[places]), rule=rule if timed else None, rules=rules)
