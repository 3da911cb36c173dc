"""K-means refines the pairs of the fused form, too, where a recipe asks for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reid_core.association.reciprocal import AssociatedPairs
from reid_core.learning.pairing import _nearest_cluster, pair_tracklets
from reid_core.learning.recipes import Pairing
from reid_core.learning.tracklet_set import TrackletSet
from reid_core.spatio_temporal.sightings import Sightings

PEOPLE = 40


@pytest.fixture(scope="module")
def site():
    """Half of the people look much the same at both cameras, the others less so."""
    rng = np.random.default_rng(5)
    spread = np.repeat(np.where(np.arange(PEOPLE) % 2, 0.03, 0.12), 2)[:, None]
    looks = np.repeat(rng.normal(size=(PEOPLE, 32)), 2, axis=0) + spread * rng.normal(size=(2 * PEOPLE, 32)) * 3
    starts_s = np.repeat(rng.uniform(0, 400, PEOPLE), 2) + np.tile([0.0, 15.0], PEOPLE)
    none = np.zeros((0, 2), np.int64)
    tracklets = TrackletSet(
        tracklet_nos=np.arange(2 * PEOPLE),
        sightings=Sightings(("a", "b"), np.tile([0, 1], PEOPLE), starts_s, starts_s + 5.0),
        first_crop=np.arange(2 * PEOPLE + 1),
        images=np.zeros((2 * PEOPLE, 4, 2, 3), np.uint8),
        in_camera_ids=None,
        must_link=none,
        cannot_link=none,
        map_links=(),
    )
    return (looks / np.linalg.norm(looks, axis=1, keepdims=True)).astype(np.float32), tracklets


def test_more_clusters_keep_fewer_and_nearer_pairs(site):
    every, some = (pair_tracklets(*site, replace(Pairing(), kmeans=k), seed=0).pairs for k in (1, 2))
    assert 0 < len(some) < len(every)
    assert some.distances.max() <= np.sort(every.distances)[len(some) - 1] + 1e-6


def test_each_two_cameras_have_clusters_of_their_own():
    cameras = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    rows_a, rows_b = np.array([0, 1, 2, 3, 4]), np.array([3, 4, 5, 6, 7])
    distances = np.array([0.1, 0.12, 0.9, 0.5, 0.8])
    kept = _nearest_cluster(AssociatedPairs(rows_a, rows_b, distances, np.ones(5)), cameras, 2)
    # cameras 0 and 1: 0.1 and 0.12 against 0.9; cameras 1 and 2: 0.5 against 0.8
    assert list(zip(kept.rows_a.tolist(), kept.rows_b.tolist(), strict=True)) == [(0, 3), (1, 4), (3, 6)]
