"""The graph that teaches: who is whose neighbour by looks and times, and how alike what neighbours tell makes them.

Memory grows with the number of edges, never with N squared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array

from reid_core.errors import CheckpointError
from reid_core.graph.affinity import graph_edges, row_normalised, symmetric
from reid_core.graph.neighbours import nearest_in
from reid_core.graph.propagation import RandomProjection, propagate
from reid_core.graph.transit_rules import learned_rule, recorded_transitions, transition_rule
from reid_core.learning.files import written_whole
from reid_core.learning.learner_parts import TimeRule

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from reid_core.association.known_links import KnownLinks
    from reid_core.graph.affinity import EdgeRule
    from reid_core.graph.neighbours import Neighbours
    from reid_core.learning.learner_parts import Distillation
    from reid_core.spatio_temporal.sightings import Sightings
    from reid_core.spatio_temporal.transit import TransitModel
    from reid_core.types import FloatArray

__all__ = ["TeacherGraph", "grouped_affinity", "teacher_graph"]

_PAIRS = 1 << 14


@dataclass(frozen=True, slots=True, eq=False)
class TeacherGraph:
    """What neighbours are worth to each other (Eq. 10); 1 to themselves.

    Attributes:
        indptr: Row ``i`` owns entries ``indptr[i]`` to ``indptr[i + 1]``. Shape ``(N + 1,)``, int64.
        columns: The neighbours, itself among them, in their order. Shape ``(E,)``, int64.
        weights: In ``[0, 1]``. Shape ``(E,)``, float32.
        cameras: Of the nodes. Shape ``(N,)``, int64.
    """

    indptr: NDArray[np.int64]
    columns: NDArray[np.int64]
    weights: NDArray[np.float32]
    cameras: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.cameras)

    def of(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.bool_]]:
        """Neighbours of some nodes, what they are worth, and which entries only fill up. Each of shape ``(B, K)``."""
        counts = np.diff(self.indptr)[rows]
        places = self.indptr[rows][:, None] + np.arange(counts.max(initial=1))[None, :]
        present = places < self.indptr[rows + 1][:, None]
        places = np.where(present, places, 0)
        return self.columns[places], self.weights[places], present

    def save(self, path: Path) -> None:
        """Write it whole."""
        with written_whole(path) as file:
            np.savez(file, indptr=self.indptr, columns=self.columns, weights=self.weights, cameras=self.cameras)

    @staticmethod
    def load(path: Path) -> TeacherGraph:
        """Inverse of `save`.

        Raises:
            CheckpointError: If the file cannot be read.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                return TeacherGraph(stored["indptr"], stored["columns"], stored["weights"], stored["cameras"])
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(f"{path}: {error}") from error


def teacher_graph(
    vectors: FloatArray,
    sightings: Sightings,
    how: Distillation,
    *,
    transit: TransitModel | None,
    known: KnownLinks,
    seed: int,
) -> TeacherGraph:
    """Join, propagate, and say how alike neighbours are.

    Args:
        vectors: L2-normalised. Shape ``(N, d)``.
        sightings: Where and when the nodes were seen.
        how: The recipe's way.
        transit: Learned transit times, where ``how.time`` asks for them.
        known: What people said: those are neighbours in full, or never.
        seed: Of the random projection.

    Raises:
        ValueError: If a vector is not of length 1.

    Source:
        G-Fusion, MM 2023, Eq. 1-8 and 10.
    """
    neighbours = nearest_in(vectors, how.wide)
    rule = _rule(neighbours, sightings, how, transit)
    edges = graph_edges(neighbours, columns=len(vectors), visual=how.visual, rule=rule, alpha=how.edge_alpha)
    edges = symmetric(_without(edges, known.cannot))
    projection = RandomProjection(seed, how.projection) if how.projection else None
    told = propagate(row_normalised(edges), vectors, layers=how.layers, projection=projection)[-1]
    if projection is None:
        told = told / np.maximum(np.linalg.norm(told, axis=1, keepdims=True), 1e-12)
    return grouped_affinity(told, edges, sightings.cameras, alpha=how.alpha, relative=how.relative, must=known.must)


def grouped_affinity(
    told: FloatArray,
    edges: csr_array,
    cameras: NDArray[np.int64],
    *,
    alpha: float = 1.0,
    relative: bool = True,
    must: NDArray[np.int64] | None = None,
) -> TeacherGraph:
    """Gaussian affinity of neighbours after propagation, or what it is of the largest of one camera.

    Args:
        told: Embeddings after propagation. Shape ``(N, d)``.
        edges: Symmetric; its entries are the neighbours. Shape ``(N, N)``.
        cameras: Of the nodes. Shape ``(N,)``.
        alpha: Of the Gaussian.
        relative: Whether to divide by the largest of each node's neighbours of one camera.
        must: Rows of pairs known to be one person: neighbours of worth 1. Shape ``(A, 2)``.

    Source:
        G-Fusion, MM 2023, Eq. 8 and 10.
    """
    count = len(cameras)
    itself = np.arange(count)
    pairs = np.zeros((0, 2), np.int64) if must is None else must
    entries = edges.tocoo()
    rows = np.concatenate([entries.row, itself, pairs[:, 0], pairs[:, 1]]).astype(np.int64)
    columns = np.concatenate([entries.col, itself, pairs[:, 1], pairs[:, 0]]).astype(np.int64)
    sure = np.arange(len(rows)) >= len(entries.row)
    order = np.lexsort((~sure, columns, rows))  # of a pair named twice, what is sure stands first
    rows, columns, sure = rows[order], columns[order], sure[order]
    first = np.ones(len(rows), np.bool_)
    first[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
    rows, columns, sure = rows[first], columns[first], sure[first]
    affinity = np.exp(-_squared_distances(told, rows, columns) / (2 * alpha**2))
    affinity[sure] = 1.0
    if relative:
        affinity = _of_largest(affinity, rows * (int(cameras.max(initial=0)) + 1) + cameras[columns])
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=count))]).astype(np.int64)
    return TeacherGraph(indptr, columns, affinity.astype(np.float32), cameras.astype(np.int64))


def _squared_distances(told: FloatArray, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of pairs, some at a time: all differences at once would be larger than the graph by far. Shape ``(E,)``."""
    squares = np.empty(len(rows))
    for start in range(0, len(rows), _PAIRS):
        part = slice(start, start + _PAIRS)
        squares[part] = ((told[rows[part]] - told[columns[part]]) ** 2).sum(1)
    return squares


def _of_largest(values: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each value over the largest of its group; 0 where all are. Shape ``(E,)``."""
    _, place = np.unique(groups, return_inverse=True)
    largest = np.zeros(place.max(initial=-1) + 1)
    np.maximum.at(largest, place, values)
    shares: NDArray[np.float64] = values / np.maximum(largest[place], 1e-30)
    return shares


def _rule(
    neighbours: Neighbours, sightings: Sightings, how: Distillation, transit: TransitModel | None
) -> EdgeRule | None:
    if how.time is TimeRule.TRANSITIONS:
        sets = recorded_transitions(neighbours.first(how.visual), sightings)
        return transition_rule(sets, sightings, sightings, delta_s=how.delta_s)
    if how.time is TimeRule.TRANSIT and transit is not None:
        return learned_rule(transit, sightings, sightings, least_nats=how.least_nats)
    return None


def _without(edges: csr_array, pairs: NDArray[np.int64]) -> csr_array:
    """The edges but those between two who are known to be two."""
    if not len(pairs):
        return edges
    both = np.concatenate([pairs, pairs[:, ::-1]])
    apart = coo_array((np.ones(len(both), np.float32), (both[:, 0], both[:, 1])), shape=edges.shape).tocsr()
    kept = csr_array(edges - edges.multiply(apart > 0))
    kept.eliminate_zeros()
    return kept
