"""Figures without labels: cycles that close, halves that agree, gaps that walks explain, and two models compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from reid_core.association.reciprocal import AssociatedPairs
from reid_core.learning.consistency import cycle_consistency, halves_agreement, time_agreement
from reid_core.learning.crop_vectors import CropVectors
from reid_core.learning.selfcheck import compare_checks, self_check
from reid_core.spatio_temporal.sightings import Sightings


def pairs(*ends: tuple[int, int]) -> AssociatedPairs:
    rows = np.array(ends, np.int64).reshape(-1, 2)
    return AssociatedPairs(rows[:, 0], rows[:, 1], np.zeros(len(rows)), np.ones(len(rows)))


def sightings(cameras: np.ndarray) -> Sightings:
    starts = np.arange(len(cameras), dtype=np.float64)
    return Sightings(("cam1", "cam2", "cam3"), cameras, starts, starts + 1.0)


def site(noise: float, *, seed: int = 0, people: int = 30) -> tuple[CropVectors, Sightings]:
    """Each person once in each of three cameras, with eight noisy crops."""
    random = np.random.default_rng(seed)
    looks = np.tile(random.normal(size=(people, 16)), (3, 1))
    vectors = np.repeat(looks, 8, axis=0) + noise * random.normal(size=(8 * len(looks), 16))
    cameras = np.repeat([0, 1, 2], people)
    times_s = np.tile(np.arange(8.0), len(looks))
    return CropVectors(vectors, times_s, np.arange(len(looks) + 1) * 8, cameras), sightings(cameras)


def test_a_chain_that_closes_counts_for_each_of_its_three():
    cameras = np.array([0, 1, 2])
    closed = cycle_consistency(pairs((0, 1), (1, 2), (0, 2)), cameras)
    assert (closed.hits.tolist(), closed.trials.tolist()) == ([1.0] * 3, [1.0] * 3)


def test_a_chain_that_stays_open_is_a_trial_without_a_hit():
    opened = cycle_consistency(pairs((0, 1), (1, 2)), np.array([0, 1, 2]))
    assert (opened.hits.tolist(), opened.trials.tolist()) == ([0.0] * 3, [0.0, 1.0, 0.0])


def test_two_cameras_have_no_cycle():
    assert cycle_consistency(pairs((0, 1)), np.array([0, 1])).share is None
    assert cycle_consistency(pairs(), np.zeros(0, np.int64)).share is None


def test_clear_crops_agree_and_noise_does_not():
    clear, seen = site(0.1)
    blurred, _ = site(6.0)
    assert halves_agreement(clear, seen).share > 0.95
    assert halves_agreement(blurred, seen).share < 0.3


def test_the_share_of_walks_among_gaps_is_found():
    """Walks have a ratio of e^2, chance one of e^-3 (so that chance gaps average to one); 60 and 40 of each."""
    random = np.random.default_rng(0)
    is_walk = random.random(4000) < 0.6
    gaps = np.where(is_walk, random.normal(2.0, 1.0, 4000), random.normal(0.0, 1.0, 4000))
    llr = 2.0 * gaps - 2.0
    found = time_agreement(pairs(*((row, row + 4000) for row in range(4000))), llr, count=8000)
    assert found.share == pytest.approx(0.6, abs=0.03)
    assert found.trials.sum() == 4000


def test_as_many_ratios_as_pairs_are_needed():
    with pytest.raises(ValueError, match="1 pairs need as many finite ratios"):
        time_agreement(pairs((0, 1)), np.zeros(2), count=2)


@dataclass(frozen=True)
class Walks:
    """A transit model for which everything is as likely by walking as by chance."""

    def pair_llr(self, one: Sightings, other: Sightings) -> np.ndarray:
        assert len(one) == len(other)
        return np.zeros(len(one))


def test_the_better_model_is_better_in_every_figure():
    (ours, seen), (theirs, _) = site(1.0), site(4.0)
    found = compare_checks(self_check(ours, seen), self_check(theirs, seen), seed=0)
    assert set(found) == {"rematch_rank1", "rematch_mrr", "cycle_consistency", "halves_agreement"}
    assert all(comparison.low > 0 for comparison in found.values())


def test_a_model_is_not_better_than_itself():
    crops, seen = site(2.0)
    check = self_check(crops, seen, transit=Walks())
    assert {comparison.difference for comparison in compare_checks(check, check, seed=0).values()} == {0.0}
    assert check.as_dict(seed=0)["time_agreement"]["value"] == pytest.approx(0.5)


def test_other_tracklets_are_refused():
    crops, _ = site(1.0)
    with pytest.raises(ValueError, match="not the same tracklets"):
        self_check(crops, sightings(np.zeros(4, np.int64)))
