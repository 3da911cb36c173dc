"""Graphs over synthetic sites, for benchmarks: exact ones by scans, and large ones whose lists are known beforehand."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from benchmark_search import CAMERAS, HOUR_S

from reid_core.graph.joining import PosteriorJoining
from reid_core.graph.streaming import StreamingGraph
from reid_core.graph.streaming_state import GraphLists, lists_of, resumed
from reid_core.retrieval.fused import FusedSearch
from reid_core.retrieval.index import FlatIndex
from reid_core.types import SearchFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.retrieval.rows import IndexRows

sys.path.append(str(Path(__file__).resolve().parents[1]))
from transits import a_calibration, a_transit_model


def fused() -> FusedSearch:
    """A day's site whose calibration was fitted over two hours: a node has about ten edges, as on the demo's sites."""
    transit = a_transit_model(*(f"cam{c}" for c in range(CAMERAS)), walk_s=30.0, span_s=24 * HOUR_S)
    return FusedSearch(a_calibration(matches=3.0, candidates=4000.0, span_s=2 * HOUR_S), transit)


def joining() -> PosteriorJoining:
    site = fused()
    return PosteriorJoining(site.calibration, site.transit)


def part(rows: IndexRows, start: int, stop: int) -> IndexRows:
    return rows.at(np.arange(start, stop))


def built(rows: IndexRows) -> StreamingGraph:
    """The exact graph, by all processors."""
    by_all = StreamingGraph(rows.vectors.shape[1], joining=joining(), threads=os.cpu_count() or 1)
    by_all.add(rows)
    graph = resumed(lists_of(by_all), rows, joining=joining())  # from here on by one thread
    graph.refresh()
    return graph


def joined_by_person(rows: IndexRows, people: NDArray[np.int64]) -> StreamingGraph:
    """The exact graph where each person has more tracklets than a list holds, and nobody else is as much alike."""
    kept: dict[str, list[NDArray[Any]]] = {}
    order = np.argsort(people, kind="stable")
    for places in np.split(order, np.flatnonzero(np.diff(people[order])) + 1):
        alone = StreamingGraph(rows.vectors.shape[1], joining=joining())
        alone.add(rows.at(places))
        if len(alone) <= alone.list_length:
            raise SystemExit(f"a person has only {len(alone)} tracklets")
        block = lists_of(alone)
        known = np.searchsorted(rows.tracklet_nos, block.numbers)  # numbers rise with places
        arrays = block.as_arrays() | {"others": known[block.others].astype(np.int32), "places": known}
        for name, array in arrays.items():
            kept.setdefault(name, []).append(array)
    every = {name: np.concatenate(arrays) for name, arrays in kept.items()}
    back = np.argsort(every.pop("places"))
    graph = resumed(GraphLists.of_arrays({name: one[back] for name, one in every.items()}), rows, joining=joining())
    graph.refresh()
    return graph


def require_exact(graph: StreamingGraph, rows: IndexRows, *, checked: int = 20) -> None:
    """The quality gate: lists of some nodes are those of a scan.

    Raises:
        SystemExit: If one is not.
    """
    bare = FlatIndex(graph.dim)
    bare.add(rows)
    for place in np.linspace(0, len(rows) - 1, checked).astype(np.int64).tolist():
        number, vector = int(rows.tracklet_nos[place]), np.asarray(rows.vectors[place]).astype(np.float16)
        listed = [other for other, _ in graph.neighbours(number)]
        where = SearchFilter(exclude_tracklet_nos=frozenset({number}))
        if listed != bare.nearest(vector.astype(np.float32), len(listed), where=where).tracklet_nos.tolist():
            raise SystemExit(f"the list of {number} is not what a scan finds")
