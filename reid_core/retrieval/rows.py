"""Tracklets on their way into the index, and on their way out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.spatio_temporal.bodies import MARKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from reid_core.types import FloatArray

__all__ = ["Hits", "IndexRows"]


_COLUMNS = ("tracklet_nos", "distances", "cameras", "starts_s", "ends_s", "qualities", "entries", "exits", "bodies")


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
        entries: Where the feet were at first sight, in shares of the picture; NaN where not known. Shape ``(n, 2)``;
            ``None``: known of no row.
        exits: The same at last sight.
        bodies: What paths tell of heights and paces (`body_marks`); NaN where not known. Shape ``(n, 7)``; ``None``:
            known of no row.
    """

    tracklet_nos: NDArray[np.int64]
    vectors: FloatArray | NDArray[np.float16]
    camera_ids: Sequence[str]
    starts_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    qualities: NDArray[np.floating]
    entries: NDArray[np.floating] | None = None
    exits: NDArray[np.floating] | None = None
    bodies: NDArray[np.floating] | None = None

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
        for name, points, width in (
            ("entries", self.entries, 2),
            ("exits", self.exits, 2),
            ("bodies", self.bodies, MARKS),
        ):
            if points is not None and points.shape != (n, width):
                raise ValueError(f"{name} must have shape ({n}, {width}), got {points.shape}")
        if len(np.unique(self.tracklet_nos)) != n:
            raise ValueError("a tracklet number occurs twice in one batch")

    def __len__(self) -> int:
        return len(self.tracklet_nos)

    def where(self, wanted: NDArray[np.bool_]) -> IndexRows:
        """Only the wanted rows, in the same order. ``wanted`` has shape ``(n,)``."""
        return self.at(np.flatnonzero(wanted))

    def at(self, places: NDArray[np.int64]) -> IndexRows:
        """The rows at some places, in the order given."""
        return IndexRows(
            self.tracklet_nos[places],
            self.vectors[places],
            [self.camera_ids[row] for row in places.tolist()],
            self.starts_s[places],
            self.ends_s[places],
            self.qualities[places],
            None if self.entries is None else self.entries[places],
            None if self.exits is None else self.exits[places],
            None if self.bodies is None else self.bodies[places],
        )

    @staticmethod
    def join(parts: Sequence[IndexRows]) -> IndexRows:
        """Several batches as one, in the order given; either all or none of them know of feet, and of bodies.

        Raises:
            ValueError: If there is no part.
        """
        if not parts:
            raise ValueError("nothing cannot be joined")
        feet = [None if getattr(parts[0], name) is None else name for name in ("entries", "exits", "bodies")]
        columns = [
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("tracklet_nos", "vectors", "starts_s", "ends_s", "qualities")
        ]
        points = [None if name is None else np.concatenate([getattr(part, name) for part in parts]) for name in feet]
        cameras = [camera for part in parts for camera in part.camera_ids]
        return IndexRows(columns[0], columns[1], cameras, *columns[2:], *points)


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """What a search found, nearest first; equal distances by the smaller tracklet number.

    Attributes:
        tracklet_nos: Shape ``(m,)``, int64.
        distances: Cosine distances in ``[0, 2]``. Shape ``(m,)``, float32.
        camera_names: Ids of all cameras.
        cameras: Index into ``camera_names`` of each hit. Shape ``(m,)``, int64.
        starts_s: UTC epoch seconds, NaN where the clock is unknown. Shape ``(m,)``, float64.
        ends_s: As ``starts_s``.
        qualities: In ``[0, 1]``. Shape ``(m,)``, float64.
        entries: Where the feet were at first sight, NaN where not known. Shape ``(m, 2)``, float64.
        exits: The same at last sight.
        bodies: What paths tell of heights and paces, NaN where not known. Shape ``(m, 7)``, float64.
    """

    tracklet_nos: NDArray[np.int64]
    distances: FloatArray
    camera_names: tuple[str, ...]
    cameras: NDArray[np.int64]
    starts_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    qualities: NDArray[np.float64]
    entries: NDArray[np.float64]
    exits: NDArray[np.float64]
    bodies: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.tracklet_nos)

    @property
    def camera_ids(self) -> tuple[str, ...]:
        """The camera of each hit."""
        return tuple(self.camera_names[camera] for camera in self.cameras.tolist())

    def take(self, rows: NDArray[np.int64]) -> Hits:
        """Some of the hits, in the order given."""
        return Hits(
            self.tracklet_nos[rows],
            self.distances[rows],
            self.camera_names,
            self.cameras[rows],
            self.starts_s[rows],
            self.ends_s[rows],
            self.qualities[rows],
            self.entries[rows],
            self.exits[rows],
            self.bodies[rows],
        )

    @staticmethod
    def join(one: Hits, other: Hits) -> Hits:
        """The hits of two searches of one index, those of the first first."""
        columns = [np.concatenate([getattr(one, name), getattr(other, name)]) for name in _COLUMNS]
        names = max(one.camera_names, other.camera_names, key=len)  # a camera may have been added in between
        return Hits(columns[0], columns[1], names, *columns[2:])
