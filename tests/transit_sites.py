"""Small made-up sites of walkers for tests of the transit model; equal arguments make equal sites."""

from __future__ import annotations

import numpy as np

from reid_core.spatio_temporal.sightings import MatchedPairs, Sightings

CAMERAS = ("a", "b", "c")
_LEFT, _RIGHT = (0.05, 0.6), (0.95, 0.6)


def walkers(
    count: int = 120,
    *,
    seed: int = 0,
    hours: float = 2.0,
    offsets_s: tuple[float, ...] = (0.0, 0.0, 0.0),
    walk_s: float = 10.0,
) -> tuple[Sightings, np.ndarray]:
    """People who walk from a to b (leaving right, arriving left) or back, some of whom come to c; and who each is."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(count):
        now_s = rng.uniform(0, 3600 * hours)
        onward = rng.random() < 0.5
        for step, camera in enumerate((0, 1) if onward else (1, 0)):
            stay_s = rng.uniform(3, 6)
            leaves_right = onward == (camera == 0) if step == 0 else not onward
            exit_ = _RIGHT if leaves_right else _LEFT
            entry = _LEFT if exit_ is _RIGHT else _RIGHT
            rows.append((person, camera, now_s, now_s + stay_s, entry, exit_))
            now_s += stay_s + walk_s * rng.lognormal(0.0, 0.15)
        if rng.random() < 0.3:
            now_s = rng.uniform(0, 3600 * hours)
            rows.append((person, 2, now_s, now_s + 4.0, _LEFT, _RIGHT))
    cameras = np.array([row[1] for row in rows], np.int64)
    clock_s = np.array(offsets_s)[cameras]
    places = [np.array([row[k] for row in rows]) + rng.normal(0, 0.01, (len(rows), 2)) for k in (4, 5)]
    starts_s, ends_s = (np.array([row[k] for row in rows]) + clock_s for k in (2, 3))
    return Sightings(CAMERAS, cameras, starts_s, ends_s, *places), np.array([row[0] for row in rows], np.int64)


def pairs_of(sightings: Sightings, people: np.ndarray, *, wrong: int = 0, seed: int = 0) -> MatchedPairs:
    """All pairs of one person at two cameras, and so many wrong ones for each; all weighed by their true share."""
    rng = np.random.default_rng([seed, 1])
    one, other = np.nonzero((people[:, None] == people[None]) & (sightings.cameras[:, None] < sightings.cameras[None]))
    wrong_one = rng.integers(0, len(people), 6 * wrong * len(one))
    wrong_other = rng.integers(0, len(people), 6 * wrong * len(one))
    fits = (sightings.cameras[wrong_one] < sightings.cameras[wrong_other]) & (people[wrong_one] != people[wrong_other])
    wrong_one, wrong_other = wrong_one[fits][: wrong * len(one)], wrong_other[fits][: wrong * len(one)]
    rows_a, rows_b = np.concatenate([one, wrong_one]), np.concatenate([other, wrong_other])
    share = len(one) / len(rows_a)
    return MatchedPairs(rows_a.astype(np.int64), rows_b.astype(np.int64), np.full(len(rows_a), min(share, 0.98)))
