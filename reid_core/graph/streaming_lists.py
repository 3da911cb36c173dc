"""The most alike of each node, as lists that grow and shrink with the nodes and stay exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.types import FloatArray

__all__ = ["NeighbourLists"]

_FIRST_CAPACITY = 256
_NOBODY = -1


class NeighbourLists:
    """Of each row the rows most alike, most alike first, equally alike ones by number.

    A list holds the first of all others without a gap: nobody who is not in it stands before its last. It may be
    shorter than `length` after removals; whoever needs more asks anew.

    Args:
        length: The most that a list holds.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self.others: NDArray[np.int32] = np.full((_FIRST_CAPACITY, length), _NOBODY, np.int32)
        self.cosines: FloatArray = np.zeros((_FIRST_CAPACITY, length), np.float32)
        self.factors: FloatArray = np.zeros((_FIRST_CAPACITY, length), np.float32)
        self.counts: NDArray[np.int32] = np.zeros(_FIRST_CAPACITY, np.int32)
        self.reach: FloatArray = np.full(_FIRST_CAPACITY, np.inf, np.float32)

    @property
    def length(self) -> int:
        """The most that a list holds."""
        return self._length

    def make_room(self, rows: int) -> None:
        """Room for so many rows; doubled when it runs out."""
        have = len(self.counts)
        if rows <= have:
            return
        more = max(rows, 2 * have) - have
        for name, empty in (("others", _NOBODY), ("cosines", 0), ("factors", 0), ("counts", 0), ("reach", np.inf)):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.full((more, *old.shape[1:]), empty, old.dtype)]))

    def put(
        self, row: int, others: NDArray[np.int64], cosines: FloatArray, factors: FloatArray, *, whole: bool
    ) -> None:
        """Set the list of one row; its ``whole`` says that it holds everybody else there is."""
        count = len(others)
        self.others[row, :count], self.others[row, count:] = others, _NOBODY
        self.cosines[row, :count], self.factors[row, :count] = cosines, factors
        self.counts[row] = count
        self.reach[row] = -np.inf if whole else cosines[-1]

    def clear(self, row: int) -> None:
        """Forget the list of a row, which nobody can enter any more."""
        self.others[row], self.counts[row], self.reach[row] = _NOBODY, 0, np.inf

    def open_to(
        self, rows: NDArray[np.int64], cosines: FloatArray, number: int, numbers: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Which rows' lists a newcomer enters.

        Args:
            rows: Whose lists. Shape ``(m,)``.
            cosines: Of the newcomer with each. Shape ``(m,)``.
            number: The newcomer's.
            numbers: Of every row.
        """
        reach = self.reach[rows]
        last = self.others[rows, self.counts[rows] - 1]
        before_last = (cosines == reach) & (number < numbers[last])
        opened: NDArray[np.bool_] = (cosines > reach) | before_last
        return opened

    def enter(
        self,
        rows: NDArray[np.int64],
        newcomer: int,
        cosines: FloatArray,
        factors: FloatArray,
        numbers: NDArray[np.int64],
    ) -> None:
        """Add a newcomer to lists that are open to it; where one is full its last leaves."""
        counts, width = self.counts[rows], self._length
        others, alike = self.others[rows], self.cosines[rows]
        ahead = (alike > cosines[:, None]) | ((alike == cosines[:, None]) & (numbers[others] < numbers[newcomer]))
        at = np.count_nonzero(ahead & (np.arange(width) < counts[:, None]), axis=1)
        places = np.arange(width)
        moved = places - (places > at[:, None])  # behind the newcomer everybody moves up by one
        lines = np.flatnonzero(at < width)  # behind a full list that held everybody it finds no place
        for name, new in (("others", np.full(len(rows), newcomer)), ("cosines", cosines), ("factors", factors)):
            held = getattr(self, name)
            line = np.take_along_axis(held[rows], moved, 1)
            line[lines, at[lines]] = new[lines]
            held[rows] = line
        full = counts == width
        self.counts[rows] = np.minimum(counts + 1, width)
        bounded = full | np.isfinite(self.reach[rows])
        last = self.cosines[rows, self.counts[rows] - 1]
        self.reach[rows] = np.where(bounded, last, -np.inf)

    def leave(self, rows: NDArray[np.int64], leaver: int) -> None:
        """Take a row out of lists that hold it."""
        order = np.argsort(self.others[rows] == leaver, axis=1, kind="stable")
        for name in ("others", "cosines", "factors"):
            held = getattr(self, name)
            held[rows] = np.take_along_axis(held[rows], order, 1)
        self.others[rows, -1] = _NOBODY
        self.counts[rows] -= 1
        self._draw_in(rows)

    def kept(self, alive: NDArray[np.bool_]) -> NeighbourLists:
        """A copy without some rows, neither as owners of lists nor in them. ``alive`` has shape ``(n,)``."""
        count, rows = len(alive), int(np.count_nonzero(alive))
        fresh = NeighbourLists(self._length)
        fresh.make_room(rows)
        place = np.full(count + 1, _NOBODY, np.int32)  # the last one stands for nobody
        place[:count][alive] = np.arange(rows)
        others = place[self.others[:count][alive]]
        order = np.argsort(others == _NOBODY, axis=1, kind="stable")
        fresh.others[:rows] = np.take_along_axis(others, order, 1)
        for name in ("cosines", "factors"):
            getattr(fresh, name)[:rows] = np.take_along_axis(getattr(self, name)[:count][alive], order, 1)
        fresh.counts[:rows] = np.count_nonzero(others != _NOBODY, axis=1)
        fresh.reach[:rows] = self.reach[:count][alive]
        fresh._draw_in(np.arange(rows))
        return fresh

    def short(self, rows: NDArray[np.int64], needed: int) -> NDArray[np.int64]:
        """Those of the rows whose lists have fewer entries than are needed although there may be more to be had."""
        found: NDArray[np.int64] = rows[(self.counts[rows] < needed) & np.isfinite(self.reach[rows])]
        return found

    def _draw_in(self, rows: NDArray[np.int64]) -> None:
        """Let lists that lost somebody reach as far as their last."""
        bounded = rows[np.isfinite(self.reach[rows]) & (self.counts[rows] > 0)]
        self.reach[bounded] = self.cosines[bounded, self.counts[bounded] - 1]

    def holding(self, rows: NDArray[np.int64], wanted: int) -> NDArray[np.int64]:
        """Those of the rows whose lists hold a row."""
        found: NDArray[np.int64] = rows[(self.others[rows] == wanted).any(axis=1)]
        return found
