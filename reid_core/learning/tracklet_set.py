"""What a learning cycle learns from: tracklets with their pictures, in a folder, the pictures memory-mapped.

No torch here: whoever gathers tracklets from a database only writes bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from reid_core.errors import TrackletSetError
from reid_core.learning.files import written_whole
from reid_core.spatio_temporal.sightings import Sightings
from reid_core.types import CameraLink

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["PICTURES", "TrackletSet", "is_stored", "no_links", "save_arrays", "save_description"]

PICTURES: Final = "pictures.u8"
_ARRAYS, _META = "tracklets.npz", "tracklets.json"
_VERSION = 1


def no_links() -> NDArray[np.int64]:
    """Pairs of rows, none of them. Shape ``(0, 2)``."""
    return np.zeros((0, 2), np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class TrackletSet:
    """Tracklets and their pictures; rows are tracklets.

    Attributes:
        tracklet_nos: Their numbers in the store. Shape ``(N,)``, int64.
        sightings: Where and when they were. ``N`` rows.
        first_crop: Row ``i`` owns pictures ``first_crop[i]`` to ``first_crop[i + 1]``, in order of time.
            Shape ``(N + 1,)``, int64.
        images: RGB, all of one size; may be a memory map. Shape ``(M, H, W, 3)``, uint8.
        in_camera_ids: Weak supervision: equal numbers of one camera are one person, -1 is unlabelled. Shape ``(N,)``,
            int64; ``None``: no labels.
        must_link: Rows of pairs that are one person. Shape ``(A, 2)``, int64.
        cannot_link: Rows of pairs that are not one person. Shape ``(B, 2)``, int64.
        map_links: Walking paths between cameras, where the site's plan is known.

    Raises:
        ValueError: If the arrays do not belong together.
    """

    tracklet_nos: NDArray[np.int64]
    sightings: Sightings
    first_crop: NDArray[np.int64]
    images: NDArray[np.uint8]
    in_camera_ids: NDArray[np.int64] | None = None
    must_link: NDArray[np.int64] = field(default_factory=no_links)
    cannot_link: NDArray[np.int64] = field(default_factory=no_links)
    map_links: tuple[CameraLink, ...] = ()

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        count = len(self.tracklet_nos)
        if len(self.sightings) != count or self.first_crop.shape != (count + 1,):
            shapes = f"{len(self.sightings)} sightings and first_crop of shape {self.first_crop.shape}"
            raise ValueError(f"{count} tracklets do not fit {shapes}")
        if self.images.ndim != 4 or self.images.shape[3] != 3 or self.images.dtype != np.uint8:
            raise ValueError(f"images must be uint8 (M, H, W, 3), got {self.images.dtype} {self.images.shape}")
        counts = np.diff(self.first_crop)
        if self.first_crop[0] != 0 or self.first_crop[-1] != len(self.images) or (counts < 1).any():
            raise ValueError(f"first_crop must rise from 0 to {len(self.images)}, every tracklet with a picture")
        if self.in_camera_ids is not None and self.in_camera_ids.shape != (count,):
            raise ValueError(f"in_camera_ids must have shape ({count},), got {self.in_camera_ids.shape}")
        for name in ("must_link", "cannot_link"):
            links = getattr(self, name)
            if links.ndim != 2 or links.shape[1] != 2 or (links.size and not 0 <= links.min() <= links.max() < count):
                raise ValueError(f"{name} must be pairs of rows from 0 to {count - 1}, got shape {links.shape}")

    def __len__(self) -> int:
        return len(self.tracklet_nos)

    @property
    def cameras(self) -> NDArray[np.int64]:
        """Index of each tracklet's camera. Shape ``(N,)``."""
        return self.sightings.cameras

    def crops_of(self, row: int) -> range:
        """Numbers of a tracklet's pictures."""
        return range(int(self.first_crop[row]), int(self.first_crop[row + 1]))

    def spread_crops(self, row: int, count: int) -> NDArray[np.int64]:
        """At most ``count`` of a tracklet's pictures, evenly spaced from its first to its last."""
        crops = self.crops_of(row)
        if len(crops) <= count:
            return np.arange(crops.start, crops.stop)
        return np.round(np.linspace(crops.start, crops.stop - 1, count)).astype(np.int64)

    def save(self, folder: Path) -> None:
        """Write everything to a folder, which is made if absent; the description comes last, so that a folder is whole.

        Raises:
            StorageFullError: If there is no space left.
            StorageError: If the folder cannot be written.
        """
        save_arrays(folder, self)
        with written_whole(folder / PICTURES) as file:
            for start in range(0, len(self.images), 512):
                file.write(np.ascontiguousarray(self.images[start : start + 512]).tobytes())
        save_description(folder, self)

    @staticmethod
    def load(folder: Path) -> TrackletSet:
        """Read what `save` wrote; pictures stay on disk until they are looked at.

        Raises:
            TrackletSetError: If the folder holds no whole set.
        """
        try:
            meta = json.loads((folder / _META).read_text(encoding="utf-8"))
            with np.load(folder / _ARRAYS, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            shape = (int(arrays["first_crop"][-1]), int(meta["height_px"]), int(meta["width_px"]), 3)
            images = np.memmap(folder / PICTURES, np.uint8, "r", shape=shape) if shape[0] else np.zeros(shape, np.uint8)
            return _assembled(meta, arrays, images)
        except (OSError, ValueError, KeyError) as error:
            raise TrackletSetError(f"{folder}: {error}") from error


def is_stored(folder: Path) -> bool:
    """Whether a folder holds a whole set."""
    return (folder / _META).is_file()


def save_arrays(folder: Path, tracklets: TrackletSet) -> None:
    """Everything but the pictures and the description."""
    folder.mkdir(parents=True, exist_ok=True)
    seen = tracklets.sightings
    arrays: dict[str, Any] = {
        "tracklet_nos": tracklets.tracklet_nos,
        "cameras": seen.cameras,
        "starts_s": seen.starts_s,
        "ends_s": seen.ends_s,
        "first_crop": tracklets.first_crop,
        "must_link": tracklets.must_link,
        "cannot_link": tracklets.cannot_link,
    }
    optional = {
        "entries": seen.entries,
        "exits": seen.exits,
        "bodies": seen.bodies,
        "in_camera_ids": tracklets.in_camera_ids,
    }
    arrays.update({name: array for name, array in optional.items() if array is not None})
    with written_whole(folder / _ARRAYS) as file:
        np.savez(file, **arrays)


def save_description(folder: Path, tracklets: TrackletSet) -> None:
    """What is not an array; its presence says that the set is whole."""
    meta = {
        "version": _VERSION,
        "camera_ids": list(tracklets.sightings.camera_ids),
        "height_px": int(tracklets.images.shape[1]),
        "width_px": int(tracklets.images.shape[2]),
        "map_links": [[link.camera_a, link.camera_b, link.distance_m] for link in tracklets.map_links],
    }
    with written_whole(folder / _META) as file:
        file.write(json.dumps(meta, indent=1).encode())


def _assembled(meta: Mapping[str, Any], arrays: Mapping[str, Any], images: NDArray[np.uint8]) -> TrackletSet:
    if meta["version"] != _VERSION:
        raise ValueError(f"version {meta['version']} of a tracklet set is unknown")
    seen = Sightings(
        tuple(meta["camera_ids"]),
        arrays["cameras"],
        arrays["starts_s"],
        arrays["ends_s"],
        arrays.get("entries"),
        arrays.get("exits"),
        arrays.get("bodies"),
    )
    return TrackletSet(
        arrays["tracklet_nos"],
        seen,
        arrays["first_crop"],
        images,
        arrays.get("in_camera_ids"),
        arrays["must_link"],
        arrays["cannot_link"],
        tuple(CameraLink(*link) for link in meta["map_links"]),
    )
