"""A graph whose edges weigh looks and learned transit, and a ranking that hears both from neighbours.

What is propagated is not the looks alone: neighbours on either side also tell how well the times of query and answer
fit. One person's other sightings stand in for a pair whose own gap says little or whose own looks are bad.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy.sparse import csr_array, eye_array

from reid_core.graph.affinity import row_normalised, soft_edges, symmetric
from reid_core.graph.fused_rules import FusedRules
from reid_core.graph.neighbours import evened, index_of, nearest, nearest_in, require_unit_rows
from reid_core.graph.pooling import pool_tracklets
from reid_core.graph.propagation import attach, propagate, propagate_attached

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from reid_core.graph.neighbours import Neighbours
    from reid_core.graph.propagation import Attachment
    from reid_core.spatio_temporal.sightings import Sightings
    from reid_core.types import FloatArray

__all__ = ["FusedGraph", "TransitEvidence"]

_EDGES = 1 << 12


class TransitEvidence(Protocol):
    """What `reid_core.spatio_temporal.transit_model.TransitModel` says of gaps, in nats; 0 says nothing."""

    def pair_llr(self, one: Sightings, other: Sightings) -> NDArray[np.float64]:
        """Row by row. Shape ``(N,)``."""

    def llr_matrix(self, one: Sightings, other: Sightings) -> NDArray[np.float64]:
        """Every one with every other. Shape ``(N, M)``."""


class FusedGraph:
    """A gallery, pooled and propagated over once; queries are attached to it.

    Args:
        gallery: L2-normalised. Shape ``(G, d)``.
        sightings: Where and when each was seen; NaN where the time is not known.
        transit: What gaps say.
        rules: How looks and time are fused.
        threads: Of the searches for neighbours.

    Raises:
        ValueError: If a vector is not of length 1, or lengths differ.
    """

    def __init__(
        self,
        gallery: FloatArray,
        sightings: Sightings,
        transit: TransitEvidence,
        *,
        rules: FusedRules | None = None,
        threads: int = 1,
    ) -> None:
        require_unit_rows(gallery, "gallery")
        self._rules, self._transit, self._threads = rules or FusedRules(), transit, threads
        pooled = pool_tracklets(gallery, sightings, within_s=self._rules.pool_s, least_cosine=self._rules.least_pooled)
        self._numbers, self._seen = pooled.numbers, pooled.sightings
        near = nearest_in(pooled.vectors, self._rules.neighbours, threads=threads)
        edges = symmetric(_without_own(self._edges(near, self._seen)))
        self._heard = row_normalised(csr_array(edges + eye_array(len(pooled.vectors), dtype=np.float32)))
        self._layers = propagate(self._heard, pooled.vectors, layers=self._rules.layers)
        self._raw = index_of(pooled.vectors)
        self._refined = _unit(self._layers[-1])

    def __len__(self) -> int:
        return len(self._numbers)

    def distances(self, query: FloatArray, sightings: Sightings) -> Callable[[int, int], FloatArray]:
        """Rows ``start`` to ``stop`` of distances to the gallery, small for one person, made when they are asked for.

        Args:
            query: L2-normalised. Shape ``(Q, d)``.
            sightings: Where and when each was seen; NaN where the time is not known.

        Raises:
            ValueError: If a vector is not of length 1, or lengths or dimensions differ.
        """
        if len(query) != len(sightings):
            raise ValueError(f"{len(query)} queries and {len(sightings)} sightings do not fit")
        near = nearest(query, self._raw, self._rules.neighbours, threads=self._threads)
        attached = attach(self._edges(near, sightings))
        refined = _unit(propagate_attached(attached, query, self._layers))

        def rows(start: int, stop: int) -> FloatArray:
            some = slice(start, min(stop, len(query)))
            asked = _some(attached, some)
            far: FloatArray = 1 - self._similar(refined[some], asked, sightings.take(some))
            return far[:, self._numbers]

        return rows

    def _similar(self, refined: FloatArray, asked: Attachment, seen: Sightings) -> FloatArray:
        """What looks and times of queries and nodes come to, both heard from neighbours. Shape ``(B, T)``."""
        rules = self._rules
        total: FloatArray = refined @ self._refined.T
        nats = self._transit.llr_matrix(seen, self._seen).astype(np.float32)
        total += np.float32(rules.direct) * np.maximum(nats, np.float32(rules.floor_nats))
        if rules.heard and total.shape[1]:
            best = _largest(total + np.float32(rules.heard) * nats, rules.candidates)
            np.put_along_axis(nats, best, self._heard_nats(nats, best, asked), axis=1)
            heard = (self._heard @ nats.T).T
            total += np.float32(rules.heard) * np.maximum(heard, np.float32(rules.floor_nats))
        return total

    def _heard_nats(self, nats: FloatArray, best: NDArray[np.intp], asked: Attachment) -> FloatArray:
        """Evidence of some nodes, as queries and their neighbours tell it together. Shape of ``best``."""
        found = asked.own[:, None] * np.take_along_axis(nats, best, axis=1)
        rows = np.repeat(np.arange(len(best)), np.diff(asked.edges.indptr))
        for start in range(0, len(rows), _EDGES):
            part = slice(start, start + _EDGES)
            nodes = best[rows[part]]
            tellers = np.repeat(asked.edges.indices[part], best.shape[1])
            told = self._transit.pair_llr(self._seen.take(tellers), self._seen.take(nodes.ravel()))
            np.add.at(found, rows[part], asked.edges.data[part, None] * told.reshape(nodes.shape).astype(np.float32))
        return found

    def _edges(self, near: Neighbours, seen: Sightings) -> csr_array:
        rules = self._rules

        def nats(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
            return self._transit.pair_llr(seen.take(rows), self._seen.take(columns))

        return soft_edges(
            evened(near) if rules.own_temperature else near,
            columns=len(self._seen),
            nats=nats,
            per_nat=rules.per_nat,
            least=rules.least,
            softness=rules.softness,
        )


def _without_own(edges: csr_array) -> csr_array:
    entries = edges.tocoo()
    kept = entries.row != entries.col
    return csr_array((entries.data[kept], (entries.row[kept], entries.col[kept])), shape=edges.shape)


def _some(attached: Attachment, rows: slice) -> Attachment:
    return type(attached)(attached.edges[rows], attached.own[rows])


def _largest(values: FloatArray, count: int) -> NDArray[np.intp]:
    """Places of the largest of each row, in no order. Shape ``(B, min(count, T))``."""
    count = min(count, values.shape[1])
    return np.argpartition(values, values.shape[1] - count, axis=1)[:, values.shape[1] - count :]


def _unit(vectors: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: FloatArray = vectors / np.maximum(lengths, 1e-12)
    return unit
