"""What the index knows of each stored tracklet besides its vector, column by column, and which rows a filter passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reid_core.spatio_temporal.bodies import MARKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from reid_core.retrieval.rows import IndexRows
    from reid_core.spatio_temporal.windows import TimeWindow
    from reid_core.types import SearchFilter

__all__ = ["Columns"]

_FIRST_CAPACITY = 1024
_GROWING = ("_nos", "_cameras", "_starts_s", "_ends_s", "_qualities", "_points", "_alive")


class Columns:
    """Growing columns of camera, times, quality and life, one row for each vector that was ever added.

    A row is never changed after it was added; removal only clears its life. Room is doubled when it runs out, so adding
    costs amortised constant time. Not thread-safe by itself.
    """

    def __init__(self) -> None:
        self._n = 0
        self._n_alive = 0
        self._nos: NDArray[np.int64] = np.zeros(_FIRST_CAPACITY, np.int64)
        self._cameras: NDArray[np.int32] = np.zeros(_FIRST_CAPACITY, np.int32)
        self._starts_s: NDArray[np.float64] = np.zeros(_FIRST_CAPACITY, np.float64)
        self._ends_s: NDArray[np.float64] = np.zeros(_FIRST_CAPACITY, np.float64)
        self._qualities: NDArray[np.float64] = np.zeros(_FIRST_CAPACITY, np.float64)
        self._points: NDArray[np.float32] = np.zeros((_FIRST_CAPACITY, 4 + MARKS), np.float32)
        self._alive: NDArray[np.bool_] = np.zeros(_FIRST_CAPACITY, np.bool_)
        self._rising = True  # numbers rise with rows, so that rows can be looked up by halving
        self._row_of: dict[int, int] = {}
        self._code_of_camera: dict[str, int] = {}

    def __len__(self) -> int:
        return self._n

    def __contains__(self, tracklet_no: int) -> bool:
        return tracklet_no in self._row_of

    @property
    def alive_count(self) -> int:
        """Rows that were not removed."""
        return self._n_alive

    @property
    def alive(self) -> NDArray[np.bool_]:
        """True where a row was not removed. Shape ``(n,)``."""
        return self._alive[: self._n]

    @property
    def every_no(self) -> NDArray[np.int64]:
        """The tracklet number of each row, whether alive or not. Shape ``(n,)``."""
        return self._nos[: self._n]

    def rows_of(self, tracklet_nos: Iterable[int]) -> list[int]:
        """The rows of those tracklets that are here and were not removed."""
        return [row for no in tracklet_nos if (row := self._row_of.get(no)) is not None]

    def places(self, tracklet_nos: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row of each tracklet, -1 where it is not here. Shape ``(m,)``."""
        if not self._rising or not self._n:
            return np.array([self._row_of.get(no, -1) for no in tracklet_nos.tolist()], np.int64)
        rows = np.minimum(np.searchsorted(self.every_no, tracklet_nos), self._n - 1)
        return np.where((self._nos[rows] == tracklet_nos) & self._alive[rows], rows, -1)

    def row_of(self, tracklet_no: int) -> int:
        """The row of a tracklet that was not removed.

        Raises:
            KeyError: If there is none.
        """
        return self._row_of[tracklet_no]

    def append(self, rows: IndexRows) -> None:
        """Add rows behind the last one; their numbers must not be alive already."""
        first, after = self._n, self._n + len(rows)
        self._make_room(after)
        here = slice(first, after)
        self._nos[here] = rows.tracklet_nos
        self._rising &= bool((np.diff(self._nos[max(0, first - 1) : after]) > 0).all())
        self._cameras[here] = [self._code(camera_id) for camera_id in rows.camera_ids]
        self._starts_s[here] = rows.starts_s
        self._ends_s[here] = rows.ends_s
        self._qualities[here] = rows.qualities
        self._points[here, :2] = np.nan if rows.entries is None else rows.entries
        self._points[here, 2:4] = np.nan if rows.exits is None else rows.exits
        self._points[here, 4:] = np.nan if rows.bodies is None else rows.bodies
        self._alive[here] = True
        self._row_of.update(zip(rows.tracklet_nos.tolist(), range(first, after), strict=True))
        self._n = after
        self._n_alive += len(rows)

    def remove(self, tracklet_nos: Iterable[int]) -> int:
        """Clear the life of these tracklets; unknown numbers are passed over. Returns how many were alive."""
        removed = [row for no in tracklet_nos if (row := self._row_of.pop(int(no), None)) is not None]
        self._alive[removed] = False
        self._n_alive -= len(removed)
        return len(removed)

    def compacted(self) -> Columns:
        """A copy without the dead rows, in the same order."""
        fresh = Columns()
        fresh._code_of_camera = dict(self._code_of_camera)
        kept = self.alive
        n = int(kept.sum())
        fresh._make_room(n)
        for name in _GROWING:
            getattr(fresh, name)[:n] = getattr(self, name)[: self._n][kept]
        fresh._n = fresh._n_alive = n
        fresh._rising = bool((np.diff(fresh._nos[:n]) > 0).all())
        fresh._row_of = dict(zip(fresh._nos[:n].tolist(), range(n), strict=True))
        return fresh

    def passing(self, where: SearchFilter) -> NDArray[np.bool_] | None:
        """Which rows a filter passes, ``None`` for all of them. Shape ``(n,)``.

        A row whose clock is unknown (NaN times) passes no filter of time.
        """
        n = self._n
        masks: list[NDArray[np.bool_]] = []
        if self._n_alive < n:
            masks.append(self.alive)
        if where.camera_ids is not None or where.exclude_camera_ids:
            masks.append(self._wanted_cameras(where)[self._cameras[:n]])
        if where.start_s is not None:
            masks.append(self._ends_s[:n] >= where.start_s)
        if where.end_s is not None:
            masks.append(self._starts_s[:n] <= where.end_s)
        if where.min_quality > 0:
            masks.append(self._qualities[:n] >= where.min_quality)
        excluded = self.rows_of(where.exclude_tracklet_nos)
        if excluded:
            unnamed = np.ones(n, np.bool_)
            unnamed[excluded] = False
            masks.append(unnamed)
        return None if not masks else masks[0] if len(masks) == 1 else np.logical_and.reduce(masks)

    def within(self, windows: Mapping[str, TimeWindow]) -> NDArray[np.bool_]:
        """Which rows lie in their camera's window of time; cameras without one have none. Shape ``(n,)``.

        Most rows are ruled out by the hull of all windows; only the others are looked at camera by camera.
        """
        n = self._n
        inside = np.zeros(n, np.bool_)
        known = {self._code_of_camera[name]: one for name, one in windows.items() if name in self._code_of_camera}
        if not known:
            return inside
        first_s = min(min(one.start_from_s, one.end_from_s) for one in known.values())
        last_s = max(max(one.start_to_s, one.end_to_s) for one in known.values())
        near = np.flatnonzero((self._ends_s[:n] >= first_s) & (self._starts_s[:n] <= last_s))
        for code, one in known.items():
            rows = near[self._cameras[near] == code]
            starts_s, ends_s = self._starts_s[rows], self._ends_s[rows]
            began = (starts_s >= one.start_from_s) & (starts_s <= one.start_to_s)
            inside[rows] = began | ((ends_s >= one.end_from_s) & (ends_s <= one.end_to_s))
        return inside

    def take(self, rows: NDArray[np.int64]) -> dict[str, Any]:
        """The columns of some rows, by the names of `Hits`."""
        points = self._points[rows].astype(np.float64)
        return {
            "tracklet_nos": self._nos[rows],
            "camera_names": tuple(self._code_of_camera),
            "cameras": self._cameras[rows].astype(np.int64),
            "starts_s": self._starts_s[rows],
            "ends_s": self._ends_s[rows],
            "qualities": self._qualities[rows],
            "entries": points[:, :2],
            "exits": points[:, 2:4],
            "bodies": points[:, 4:],
        }

    def nos(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The tracklet numbers of some rows."""
        return self._nos[rows]

    def _code(self, camera_id: str) -> int:
        return self._code_of_camera.setdefault(camera_id, len(self._code_of_camera))

    def _wanted_cameras(self, where: SearchFilter) -> NDArray[np.bool_]:
        """True at the code of each camera that the filter passes."""
        return np.array(
            [
                (where.camera_ids is None or camera_id in where.camera_ids)
                and camera_id not in where.exclude_camera_ids
                for camera_id in self._code_of_camera
            ],
            np.bool_,
        )

    def _make_room(self, rows: int) -> None:
        capacity = len(self._nos)
        if rows <= capacity:
            return
        capacity = max(rows, 2 * capacity)
        for name in _GROWING:
            old = getattr(self, name)
            grown = np.zeros((capacity, *old.shape[1:]), old.dtype)
            grown[: len(old)] = old
            setattr(self, name, grown)
