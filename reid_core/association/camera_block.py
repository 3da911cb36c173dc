"""Two cameras' tracklets against each other, some rows at a time: everybody's best, and the sum of the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from reid_core.association.pair_costs import visual_distances

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.association.pair_costs import PairCost
    from reid_core.spatio_temporal.sightings import Sightings

__all__ = ["BlockBests", "best_of_block"]


@dataclass(frozen=True, slots=True, eq=False)
class BlockBests:
    """What is kept of a block of costs with ``n`` rows and ``m`` columns.

    Attributes:
        best_column: The first column of least cost. Shape ``(n,)``.
        row_cost: That cost. Shape ``(n,)``.
        best_row: The first row of least cost. Shape ``(m,)``.
        column_cost: That cost. Shape ``(m,)``.
        row_evidence: Log of the sum of likelihood ratios over the row, where costs are log-odds. Shape ``(n,)``.
        column_evidence: The same over the column. Shape ``(m,)``.
    """

    best_column: NDArray[np.int64]
    row_cost: NDArray[np.float64]
    best_row: NDArray[np.int64]
    column_cost: NDArray[np.float64]
    row_evidence: NDArray[np.float64]
    column_evidence: NDArray[np.float64]

    def mutual(
        self, row_groups: NDArray[np.int64], column_groups: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pairs whose best comes back to them, or to one known to be the same person.

        Args:
            row_groups: Equal for rows that are one person. Shape ``(n,)``.
            column_groups: The same for columns. Shape ``(m,)``.

        Returns:
            Rows, rising, and columns. Shapes ``(P,)``.
        """
        rows, columns = np.arange(len(self.best_column)), np.arange(len(self.best_row))
        forth = (row_groups[self.best_row[self.best_column]] == row_groups) & np.isfinite(self.row_cost)
        back = (column_groups[self.best_column[self.best_row]] == column_groups) & np.isfinite(self.column_cost)
        pairs = np.concatenate(
            [
                np.stack([rows[forth], self.best_column[forth]], axis=1),
                np.stack([self.best_row[back], columns[back]], axis=1),
            ]
        )
        pairs = np.unique(pairs, axis=0)
        return pairs[:, 0], pairs[:, 1]

    def llr_between(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Log-likelihood ratios of pairs that `mutual` gave: the row's best or the column's. Shape ``(P,)``."""
        is_rows_best = self.best_column[rows] == columns
        return -np.where(is_rows_best, self.row_cost[rows], self.column_cost[columns])


def best_of_block(
    vectors: NDArray[np.floating],
    sightings: Sightings,
    rows_a: NDArray[np.int64],
    rows_b: NDArray[np.int64],
    *,
    cost: PairCost,
    cannot: NDArray[np.int64],
    chunk: int,
) -> BlockBests:
    """Compare two cameras' tracklets.

    Args:
        vectors: Of all tracklets. Shape ``(N, d)``.
        sightings: Of all tracklets.
        rows_a: The first camera's, rising; at least one. Shape ``(n,)``.
        rows_b: The second camera's, rising; at least one. Shape ``(m,)``.
        cost: What speaks against a pair.
        cannot: Pairs of rows that are ruled out, both ways round. Shape ``(B, 2)``.
        chunk: Rows at a time.

    Raises:
        ValueError: If a cost is not a number, or ``chunk`` is below 1.
    """
    if chunk < 1:
        raise ValueError(f"rows are compared at least one at a time, got {chunk}")
    others, there = np.asarray(vectors[rows_b], np.float64), sightings.take(rows_b)
    running = _Running.start(len(rows_b))
    for start in range(0, len(rows_a), chunk):
        rows = rows_a[start : start + chunk]
        visual = visual_distances(vectors[rows], others, metric=cost.metric)
        costs = _ruled_out(cost(visual, sightings.take(rows), there), rows, rows_b, cannot)
        if np.isnan(costs).any():
            raise ValueError("a cost is not a number")
        running.add(costs, start, with_evidence=cost.is_log_odds)
    return running.finish()


@dataclass(slots=True)
class _Running:
    best_columns: list[NDArray[np.int64]]
    row_costs: list[NDArray[np.float64]]
    row_evidence: list[NDArray[np.float64]]
    best_row: NDArray[np.int64]
    column_cost: NDArray[np.float64]
    column_evidence: NDArray[np.float64]

    @classmethod
    def start(cls, columns: int) -> _Running:
        none = np.full(columns, -np.inf)
        return cls([], [], [], np.zeros(columns, np.int64), np.full(columns, np.inf), none)

    def add(self, costs: NDArray[np.float64], start: int, *, with_evidence: bool) -> None:
        """Take in the next rows; ``start`` is the first one's number."""
        best = costs.argmin(1)
        self.best_columns.append(best.astype(np.int64))
        self.row_costs.append(costs[np.arange(len(costs)), best])
        first, columns = costs.argmin(0), np.arange(costs.shape[1])
        nearer = costs[first, columns] < self.column_cost  # the first of equals stays
        self.best_row[nearer] = start + first[nearer]
        self.column_cost[nearer] = costs[first, columns][nearer]
        if with_evidence:
            self.row_evidence.append(logsumexp(-costs, axis=1))
            self.column_evidence = np.logaddexp(self.column_evidence, logsumexp(-costs, axis=0))
        else:
            self.row_evidence.append(np.full(len(costs), -np.inf))

    def finish(self) -> BlockBests:
        return BlockBests(
            np.concatenate(self.best_columns),
            np.concatenate(self.row_costs),
            self.best_row,
            self.column_cost,
            np.concatenate(self.row_evidence),
            self.column_evidence,
        )


def _ruled_out(
    costs: NDArray[np.float64], rows: NDArray[np.int64], columns: NDArray[np.int64], cannot: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Costs with the pairs that are kept apart made infinite."""
    here = cannot[np.isin(cannot[:, 0], rows) & np.isin(cannot[:, 1], columns)]
    if not len(here):
        return costs
    kept = costs.copy()
    kept[np.searchsorted(rows, here[:, 0]), np.searchsorted(columns, here[:, 1])] = np.inf
    return kept
