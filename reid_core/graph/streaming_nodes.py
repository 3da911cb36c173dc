"""The nodes of a growing graph: their vectors, what is known of them, and exact scans for who is most alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.retrieval.codes import HalfCodes
from reid_core.retrieval.columns import Columns
from reid_core.spatio_temporal.sightings import Sightings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.retrieval.rows import IndexRows
    from reid_core.types import FloatArray

__all__ = ["Near", "Nodes"]

_SPARE = 8


@dataclass(frozen=True, slots=True, eq=False)
class Near:
    """All rows that are more alike than a floor, most alike first, equally alike ones by number.

    Attributes:
        rows: Shape ``(m,)``.
        cosines: Shape ``(m,)``.
        floor: Nobody else is more alike than this; minus infinity where there is nobody else.
    """

    rows: NDArray[np.int64]
    cosines: FloatArray
    floor: float

    def first(self, count: int) -> Near:
        """The most alike of these."""
        return Near(self.rows[:count], self.cosines[:count], self.floor)


class Nodes:
    """Rows of vectors in half precision with their columns; a removed row keeps its place until all are `compacted`.

    Args:
        dim: Length d of a vector.
        threads: Of scans for several rows.
    """

    def __init__(self, dim: int, *, threads: int = 1) -> None:
        self.codes = HalfCodes(dim, threads=threads)
        self.columns = Columns()

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def alive(self) -> NDArray[np.bool_]:
        """True where a row was not removed. Shape ``(n,)``."""
        return self.columns.alive

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The tracklet number of every row. Shape ``(n,)``."""
        return self.columns.every_no

    def append(self, rows: IndexRows) -> NDArray[np.int64]:
        """Add nodes; returns their rows."""
        first = len(self)
        self.codes.add(np.asarray(rows.vectors, np.float32))
        self.columns.append(rows)
        return np.arange(first, len(self))

    def remove(self, row: int) -> None:
        """Take a node out. Its vector becomes nought, which scans read but pass over."""
        self.columns.remove(self.numbers[[row]].tolist())
        self.codes.halves[row] = 0

    def compacted(self) -> Nodes:
        """A copy without the removed rows, in the same order."""
        fresh = Nodes(self.codes.dim)
        fresh.codes, fresh.columns = self.codes.kept(self.alive), self.columns.compacted()
        return fresh

    def sightings(self, rows: NDArray[np.int64]) -> Sightings:
        """Where and when some rows were seen."""
        known = self.columns.take(rows)
        names = ("camera_names", "cameras", "starts_s", "ends_s", "entries", "exits")
        return Sightings(*(known[name] for name in names))

    def near_row(self, row: int, count: int) -> Near:
        """`near` for a row itself, which is not among the answers."""
        return self.near(self.codes.take(np.array([row]))[0], count, but=np.array([row]))

    def near(self, vector: FloatArray, count: int, *, but: NDArray[np.int64]) -> Near:
        """At least ``count`` rows most alike, or everybody.

        Args:
            vector: Shape ``(d,)``.
            count: Of rows wanted, 1 or more.
            but: Rows that do not count.
        """
        fetched = min(count + len(but) + _SPARE, len(self))
        while True:
            rows, cosines = self.codes.scan(vector[None], fetched)
            found = self._complete(rows[0], cosines[0], but)
            if len(found.rows) >= count or fetched == len(self):
                return found
            fetched = min(4 * fetched, len(self))

    def near_each(self, wanted: NDArray[np.int64], count: int) -> list[Near]:
        """`near_row` for each of several rows, read together."""
        fetched = min(count + 1 + _SPARE, len(self))
        rows, cosines = self.codes.scan(self.codes.take(wanted), fetched)
        answers = []
        for place, row in enumerate(wanted.tolist()):
            found = self._complete(rows[place], cosines[place], np.array([row]))
            answers.append(found if len(found.rows) >= count or fetched == len(self) else self.near_row(row, count))
        return answers

    def cosines_with(self, vector: FloatArray, mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], FloatArray]:
        """The rows of a mask, and how alike each is. Shapes ``(m,)``."""
        count = int(np.count_nonzero(mask))
        if not count:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        rows, cosines = self.codes.scan(vector[None], count, mask)
        return rows[0], cosines[0]

    def _complete(self, rows: NDArray[np.int64], cosines: FloatArray, but: NDArray[np.int64]) -> Near:
        """Of what a scan fetched, that of which it fetched all, in order."""
        everybody = len(rows) == len(self)
        floor = -np.inf if everybody or not len(rows) else float(cosines[-1])
        kept = self.alive[rows] & (cosines > floor)
        for row in but.tolist():
            kept &= rows != row
        rows, cosines = rows[kept], cosines[kept]
        order = np.lexsort((self.numbers[rows], -cosines))
        return Near(rows[order], cosines[order], floor)
