"""Simulated looks whose confusions correlate, as those of real networks do.

What one image looks like is the sum of what a real feature mixes:

- **identity**: a direction that people of one look-alike group half share;
- **tracklet**: its badness is log-normal, so most tracklets are fine and some simply bad, and a bad one drifts towards
  another person's look, not into empty space: all its images are wrong together, and in the same way;
- **camera** and **image noise**: one offset for each camera, and an independent one for each image.

One strength scales all but identity. Everything random is drawn once; features at any strength follow from the draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from reid_core.errors import FusionHarnessError
from reid_core.evaluation.fusion.lists import DISTRACTOR, TimedImages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.evaluation.fusion.lists import TimedLists
    from reid_core.types import FloatArray

__all__ = ["Appearance", "AppearanceRecipe", "SimulatedFeatures", "tracklets_of"]

_Floats: TypeAlias = "NDArray[np.float64]"
_Ints: TypeAlias = "NDArray[np.int64]"


@dataclass(frozen=True, slots=True)
class AppearanceRecipe:
    """What looks are made of. Frozen: figures of methods compare only under one recipe (docs/fusion-harness.md).

    Attributes:
        dim: Length of a feature.
        group_size: Mean number of people in a look-alike group.
        group_share: Squared share of a person's look that the group has in common, in ``[0, 1)``.
        badness_sigma: Spread of the logarithm of a tracklet's badness, whose median is 1.
        drift: How fast badness carries a tracklet to another person's look.
        drift_in_group: Share of tracklets whose other person is drawn from their own group, in ``[0, 1]``.
        tracklet_offset: Length of a tracklet's own offset at strength 1 and badness 1.
        camera_offset: Length of a camera's offset at strength 1.
        image_noise: Length of an image's noise at strength 1.
        max_gap_frames: A longer gap between images of one person at one camera starts a new tracklet.
    """

    dim: int = 64
    group_size: int = 8
    group_share: float = 0.5
    badness_sigma: float = 1.5
    drift: float = 1.0
    drift_in_group: float = 0.5
    tracklet_offset: float = 0.3
    camera_offset: float = 0.3
    image_noise: float = 1.0
    max_gap_frames: int = 500


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedFeatures:
    """L2-normalised features of the three parts, row for row with their lists. Each ``(N, dim)``, float32."""

    train: FloatArray
    query: FloatArray
    gallery: FloatArray


class Appearance:
    """The looks of everybody on the lists.

    Args:
        lists: Who was where and when.
        seed: Of everything random; 0 or more.
        recipe: What looks are made of.

    Raises:
        FusionHarnessError: If the seed is negative.
    """

    def __init__(self, lists: TimedLists, *, seed: int, recipe: AppearanceRecipe = AppearanceRecipe()) -> None:
        if seed < 0:
            raise FusionHarnessError(f"the seed must be 0 or more, got {seed}")
        self._recipe = recipe
        self._sizes = (len(lists.train), len(lists.query))
        self._tracklets, people, cameras = _who_and_where(lists, recipe.max_gap_frames)
        random = np.random.default_rng(seed)
        self._look, other = _draw_people(random, people, recipe)
        self._other = self._look[other]
        self._look = self._look[people]
        self._badness = np.exp(recipe.badness_sigma * random.standard_normal(len(people)))[:, None]
        self._offset = _directions(random, len(people), recipe.dim)
        self._camera = _directions(random, int(cameras.max()) + 1, recipe.dim)[cameras]
        self._noise = _directions(random, len(self._tracklets), recipe.dim)

    def features(self, strength: float) -> SimulatedFeatures:
        """Features at a strength of 0 (everybody looks like themselves) or more."""
        recipe = self._recipe
        drift = -np.expm1(-recipe.drift * strength * self._badness)
        tracklets = (1 - drift) * self._look + drift * self._other
        tracklets += strength * recipe.tracklet_offset * self._badness * self._offset
        tracklets += strength * recipe.camera_offset * self._camera
        images = _normalised(tracklets[self._tracklets] + strength * recipe.image_noise * self._noise)
        train, query, gallery = np.split(images.astype(np.float32), np.cumsum(self._sizes))
        return SimulatedFeatures(train, query, gallery)


def tracklets_of(images: TimedImages, *, max_gap_frames: int) -> _Ints:
    """Number the tracklets: runs of one person at one camera without a gap longer than ``max_gap_frames``.

    Returns:
        Tracklet of each image, from 0, ordered by person, camera and time. Shape ``(N,)``.

    Example:
        >>> seen = TimedImages(np.array([1, 1, 1, 2]), np.array([1, 1, 1, 1]), np.array([900, 0, 25, 30]))
        >>> tracklets_of(seen, max_gap_frames=500).tolist()
        [1, 0, 0, 2]
    """
    order = np.lexsort((images.frames, images.camera_ids, images.person_ids))
    person, camera, frame = images.person_ids[order], images.camera_ids[order], images.frames[order]
    starts = (np.diff(person) != 0) | (np.diff(camera) != 0) | (np.diff(frame) > max_gap_frames)
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.concatenate([[0], np.cumsum(starts)])
    return numbers


def _who_and_where(lists: TimedLists, max_gap_frames: int) -> tuple[_Ints, _Ints, _Ints]:
    """Tracklet of each image ``(N,)``; person and camera of each tracklet, each ``(T,)``, numbered from 0.

    Training people are others than test people; a run of distractors is somebody who is seen once.
    """
    test = [np.concatenate(c) for c in zip(_columns(lists.query), _columns(lists.gallery), strict=True)]
    person = np.concatenate([2 * lists.train.person_ids + 1, 2 * test[0]])
    camera, frame = (np.concatenate([t, c]) for t, c in zip(_columns(lists.train)[1:], test[1:], strict=True))
    tracklets = tracklets_of(TimedImages(person, camera, frame), max_gap_frames=max_gap_frames)
    first = np.unique(tracklets, return_index=True)[1]
    owner = person[first]
    owner = np.where(owner == 2 * DISTRACTOR, -1 - np.arange(len(owner)), owner)
    return tracklets, _numbered(owner), _numbered(camera[first])


def _columns(images: TimedImages) -> tuple[_Ints, _Ints, _Ints]:
    return images.person_ids, images.camera_ids, images.frames


def _numbered(values: _Ints) -> _Ints:
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _draw_people(random: np.random.Generator, people: _Ints, recipe: AppearanceRecipe) -> tuple[_Floats, _Ints]:
    """The look of each person ``(P, dim)``, and to whom each tracklet drifts ``(T,)``."""
    count = int(people.max()) + 1
    group = random.integers(0, max(1, count // recipe.group_size), count)
    shared = _normalised(_directions(random, int(group.max()) + 1, recipe.dim))[group]
    own = _normalised(_directions(random, count, recipe.dim))
    look = _normalised(np.sqrt(recipe.group_share) * shared + np.sqrt(1 - recipe.group_share) * own)
    by_group = np.argsort(group, kind="stable")
    sizes = np.bincount(group)
    starts = np.cumsum(sizes) - sizes
    mine = group[people]
    alike = by_group[starts[mine] + (random.random(len(people)) * sizes[mine]).astype(np.int64)]
    anybody = random.integers(0, count, len(people))
    return look, np.where(random.random(len(people)) < recipe.drift_in_group, alike, anybody)


def _directions(random: np.random.Generator, count: int, dim: int) -> _Floats:
    """Vectors of about unit length. Shape ``(count, dim)``."""
    vectors: _Floats = random.standard_normal((count, dim)) / np.sqrt(dim)
    return vectors


def _normalised(vectors: _Floats) -> _Floats:
    unit: _Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
