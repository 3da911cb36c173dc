"""What the index knows of each stored tracklet besides its vector, column by column, and which rows a filter passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from numpy.typing import NDArray

    from reid_core.types import FloatArray, SearchFilter

__all__ = ["Columns", "IndexRows"]

_FIRST_CAPACITY = 1024


@dataclass(frozen=True, slots=True, eq=False)
class IndexRows:
    """Tracklets on their way into the index.

    Attributes:
        tracklet_nos: Shape ``(n,)``, int64, each once.
        vectors: L2-normalised. Shape ``(n, d)``, float16 or float32.
        camera_ids: One for each row.
        starts_s: UTC epoch seconds, NaN where the clock is unknown. Shape ``(n,)``, float64.
        ends_s: As ``starts_s``.
        qualities: In ``[0, 1]``. Shape ``(n,)``.
    """

    tracklet_nos: NDArray[np.int64]
    vectors: FloatArray | NDArray[np.float16]
    camera_ids: Sequence[str]
    starts_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    qualities: NDArray[np.floating]

    def __post_init__(self) -> None:
        """Refuse columns that do not belong together."""
        n = len(self.tracklet_nos)
        lengths = {
            "vectors": len(self.vectors),
            "camera_ids": len(self.camera_ids),
            "starts_s": len(self.starts_s),
            "ends_s": len(self.ends_s),
            "qualities": len(self.qualities),
        }
        for name, length in lengths.items():
            if length != n:
                raise ValueError(f"{name} must have {n} rows, got {length}")
        if len(np.unique(self.tracklet_nos)) != n:
            raise ValueError("a tracklet number occurs twice in one batch")

    def __len__(self) -> int:
        return len(self.tracklet_nos)

    def where(self, wanted: NDArray[np.bool_]) -> IndexRows:
        """Only the wanted rows, in the same order. ``wanted`` has shape ``(n,)``."""
        return IndexRows(
            self.tracklet_nos[wanted],
            self.vectors[wanted],
            [self.camera_ids[row] for row in np.flatnonzero(wanted).tolist()],
            self.starts_s[wanted],
            self.ends_s[wanted],
            self.qualities[wanted],
        )


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
        self._alive: NDArray[np.bool_] = np.zeros(_FIRST_CAPACITY, np.bool_)
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

    def append(self, rows: IndexRows) -> None:
        """Add rows behind the last one; their numbers must not be alive already."""
        first, after = self._n, self._n + len(rows)
        self._make_room(after)
        here = slice(first, after)
        self._nos[here] = rows.tracklet_nos
        self._cameras[here] = [self._code(camera_id) for camera_id in rows.camera_ids]
        self._starts_s[here] = rows.starts_s
        self._ends_s[here] = rows.ends_s
        self._qualities[here] = rows.qualities
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
        for name in ("_nos", "_cameras", "_starts_s", "_ends_s", "_qualities"):
            getattr(fresh, name)[:n] = getattr(self, name)[: self._n][kept]
        fresh._alive[:n] = True
        fresh._n = fresh._n_alive = n
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
        excluded = self._rows(where.exclude_tracklet_nos)
        if excluded:
            unnamed = np.ones(n, np.bool_)
            unnamed[excluded] = False
            masks.append(unnamed)
        return np.logical_and.reduce(masks) if masks else None

    def take(self, rows: NDArray[np.int64]) -> dict[str, Any]:
        """The columns of some rows, by the names of `Hits`."""
        names = list(self._code_of_camera)
        return {
            "tracklet_nos": self._nos[rows],
            "camera_ids": tuple(names[code] for code in self._cameras[rows].tolist()),
            "starts_s": self._starts_s[rows],
            "ends_s": self._ends_s[rows],
            "qualities": self._qualities[rows],
        }

    def nos(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The tracklet numbers of some rows."""
        return self._nos[rows]

    def _code(self, camera_id: str) -> int:
        return self._code_of_camera.setdefault(camera_id, len(self._code_of_camera))

    def _rows(self, tracklet_nos: Collection[int]) -> list[int]:
        return [self._row_of[no] for no in tracklet_nos if no in self._row_of]

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
        for name in ("_nos", "_cameras", "_starts_s", "_ends_s", "_qualities", "_alive"):
            old = getattr(self, name)
            grown = np.zeros(capacity, old.dtype)
            grown[: len(old)] = old
            setattr(self, name, grown)
