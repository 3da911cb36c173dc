from __future__ import annotations

import numpy as np
import pytest
from learning_sets import make_set

from reid_core.learning.looks import centred_looks, colour_stripes, unit_rows, with_colours
from reid_core.learning.whitening import pair_whitening


def _views(people=40, dim=12, seed=0):
    """Two views of everybody; the first numbers carry the person, the last ones the camera's light."""
    rng = np.random.default_rng(seed)
    spread = np.r_[np.ones(dim // 2), np.full(dim - dim // 2, 0.1)]
    noise = np.r_[np.full(dim // 2, 0.1), np.full(dim - dim // 2, 2.0)]
    person = rng.normal(size=(people, dim)) * spread
    return np.concatenate([person + rng.normal(size=(people, dim)) * noise for _ in range(2)])


def _rank1(vectors, people):
    unit = unit_rows(vectors)
    return float(((unit[:people] @ unit[people:].T).argmax(1) == np.arange(people)).mean())


def test_what_differs_between_views_of_one_person_counts_little_afterwards():
    fitted, held_out = _views(seed=1), _views(seed=2)
    rows = np.arange(40)
    white = pair_whitening(fitted, rows, rows + 40, np.ones(40), smoothing=0.01)
    assert _rank1(held_out, 40) < 0.3
    assert _rank1(white(held_out), 40) > 0.9


def test_whitened_differences_have_equal_variance_in_all_directions():
    views, rows = _views(), np.arange(40)
    white = pair_whitening(views, rows, rows + 40, np.ones(40), smoothing=1e-9)
    differences = (views[rows] - views[rows + 40]) @ white.matrix
    covariance = differences.T @ differences / 40
    np.testing.assert_allclose(covariance, np.eye(12) * covariance[0, 0], atol=1e-3 * covariance[0, 0])


def test_pairs_without_weight_have_no_part():
    views, rows = _views(), np.arange(40)
    weights = np.r_[np.ones(20), np.zeros(20)]
    all_rows = pair_whitening(views, rows, rows + 40, weights, smoothing=1.0)
    some = pair_whitening(views, rows[:20], rows[:20] + 40, np.ones(20), smoothing=1.0)
    np.testing.assert_allclose(all_rows.matrix @ all_rows.matrix.T, some.matrix @ some.matrix.T, rtol=1e-4)


def test_without_a_pair_only_the_mean_is_taken_away():
    views, none = _views(), np.zeros(0, np.int64)
    white = pair_whitening(views, none, none, np.zeros(0), smoothing=1.0)
    np.testing.assert_allclose(white(views), unit_rows(views - views.mean(0)), atol=1e-5)
    assert pair_whitening(np.ones((3, 2)), np.array([0]), np.array([1]), np.ones(1), smoothing=1.0).matrix.shape == (
        2,
        2,
    )


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        pair_whitening(_views(), np.array([0]), np.array([1, 2]), np.ones(1), smoothing=1.0)
    with pytest.raises(ValueError, match="above 0"):
        pair_whitening(_views(), np.array([0]), np.array([1]), np.ones(1), smoothing=0.0)
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        with_colours(np.ones((2, 2), np.float32), np.ones((2, 2), np.float32), share=1.5)


def test_cosines_of_joined_looks_are_weighted_means():
    rng = np.random.default_rng(0)
    learned, worn = (rng.normal(size=(5, d)).astype(np.float32) for d in (7, 3))
    joined = with_colours(learned, worn, share=0.3)
    one, other = unit_rows(learned), unit_rows(worn)
    np.testing.assert_allclose(joined @ joined.T, 0.7 * one @ one.T + 0.3 * other @ other.T, atol=1e-5)


def test_colours_tell_simulated_people_apart_across_cameras():
    tracklets, people = make_set(people=8)
    stripes = centred_looks(colour_stripes(tracklets, crops=3), tracklets.cameras)
    best = (stripes[:8] @ stripes[8:].T).argmax(1)
    assert (people[8:][best] == people[:8]).mean() >= 0.75
