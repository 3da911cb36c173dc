"""Small tracklet sets for tests: people as patterns of colour, seen by cameras with casts of their own."""

from __future__ import annotations

import numpy as np

from reid_core.learning.tracklet_set import TrackletSet
from reid_core.spatio_temporal.sightings import Sightings

PICTURE_PX = (64, 32)  # height, width


def make_set(
    *,
    people: int = 6,
    cameras: int = 2,
    crops: int = 6,
    seed: int = 0,
    spacing_s: float = 30.0,
    transit_s: float = 12.0,
    size_px: tuple[int, int] = PICTURE_PX,
) -> tuple[TrackletSet, np.ndarray]:
    """Everybody passes all cameras in turn, ``transit_s`` apart; people set off ``spacing_s`` after one another.

    Returns:
        The set, and who each tracklet shows.
    """
    rng = np.random.default_rng(seed)
    looks = rng.integers(30, 226, (people, 4, 1, 3))
    casts = rng.uniform(0.8, 1.2, (cameras, 3))
    rows, images = [], []
    for camera in range(cameras):
        for person in range(people):
            start = person * spacing_s + camera * (transit_s + 4.0) + rng.normal(0, 0.5)
            rows.append((camera, person, start, start + 4.0))
            images += [_picture(looks[person], casts[camera], size_px, rng) for _ in range(crops)]
    cameras_of, people_of, starts, ends = (np.array(column) for column in zip(*rows, strict=True))
    ids = tuple(f"cam{number + 1}" for number in range(cameras))
    seen = Sightings(ids, cameras_of.astype(np.int64), starts.astype(np.float64), ends.astype(np.float64))
    first_crop = np.arange(len(rows) + 1, dtype=np.int64) * crops
    numbers = np.arange(1, len(rows) + 1, dtype=np.int64)
    return TrackletSet(numbers, seen, first_crop, np.stack(images)), people_of


def _picture(look, cast, size_px, rng) -> np.ndarray:
    height, width = size_px
    bands = np.repeat(look, height // 4, axis=0) * cast
    noisy = bands + rng.normal(0, 12, (height, width, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)
