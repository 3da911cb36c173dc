"""Mutual nearest neighbours across cameras: ties, forms, links known beforehand, memory in blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_core.association.pair_costs import FusedCost, JointCost, Metric, VisualCost
from reid_core.association.reciprocal import AssociatedPairs, associate, mutual_nearest
from reid_core.spatio_temporal.sightings import Sightings


def sightings(cameras: list[int], starts_s: list[float] | None = None) -> Sightings:
    starts = np.array(starts_s if starts_s is not None else [0.0] * len(cameras))
    names = tuple(f"cam{camera}" for camera in range(max(cameras, default=0) + 1))
    return Sightings(names, np.array(cameras, np.int64), starts, starts + 1.0)


def on_a_line(*places: float) -> np.ndarray:
    return np.array(places)[:, None]


def pairs_of(found: AssociatedPairs) -> list[tuple[int, int]]:
    return list(zip(found.rows_a.tolist(), found.rows_b.tolist(), strict=True))


LINE = VisualCost(Metric.EUCLIDEAN)


def test_only_those_who_prefer_each_other_are_paired():
    costs = np.array([[0.3, 0.1], [0.2, 0.15], [0.9, 0.8]])
    rows, columns = mutual_nearest(costs)
    assert (rows.tolist(), columns.tolist()) == ([0], [1])


def test_of_equal_costs_the_first_counts():
    rows, columns = mutual_nearest(np.full((2, 3), 0.5))
    assert (rows.tolist(), columns.tolist()) == ([0], [0])


def test_impossible_pairs_are_nobodys_best():
    rows, _ = mutual_nearest(np.array([[np.inf, np.inf], [np.inf, np.inf]]))
    assert len(rows) == 0


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (3, 0)])
def test_an_empty_side_has_no_pairs(shape: tuple[int, int]):
    rows, columns = mutual_nearest(np.zeros(shape))
    assert len(rows) == len(columns) == 0


def test_a_cost_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="not a number"):
        mutual_nearest(np.array([[0.1, np.nan]]))


def test_each_pair_of_cameras_is_looked_at_once():
    """Three cameras, two people at 0 and 10: three pairs each, the lower camera first."""
    vectors = on_a_line(0.2, 10.0, 0.1, 10.1, 0.0, 10.2)
    found = associate(vectors, sightings([2, 2, 1, 1, 0, 0]), cost=LINE)
    assert pairs_of(found) == [(4, 2), (5, 3), (4, 0), (5, 1), (2, 0), (3, 1)]
    np.testing.assert_allclose(found.distances, [0.1, 0.1, 0.2, 0.2, 0.1, 0.1])
    assert found.weights.tolist() == [1.0] * 6


def test_tracklets_of_one_camera_are_never_paired():
    assert len(associate(on_a_line(0.0, 0.0), sightings([0, 0]), cost=LINE)) == 0


def test_no_tracklets_have_no_pairs():
    assert len(associate(np.zeros((0, 3)), sightings([]))) == 0


def test_the_joint_distance_lets_time_overrule_looks():
    """Row 0 looks like row 1 (distance 1) but came at the right time for row 2: 2 / 1.0 < 1 / 0.1 (Eq. 4)."""
    seen = sightings([0, 1, 1], [0.0, 100.0, 10.0])
    right_time = lambda one, other: np.where(other.starts_s[None, :] == 10.0, 1.0, 0.1) * np.ones((len(one.cameras), 1))  # noqa: E731
    found = associate(on_a_line(0.0, 1.0, 2.0), seen, cost=JointCost(right_time))
    assert pairs_of(found) == [(0, 2)]
    assert found.distances.tolist() == [2.0]  # k-means looks at the visual distance, not at the joint one


def test_a_regularisation_that_vanishes_rules_a_pair_out():
    found = associate(on_a_line(0.0, 1.0), sightings([0, 1]), cost=JointCost(lambda one, other: np.zeros((1, 1))))  # noqa: ARG005
    assert len(found) == 0


def test_a_regularisation_beyond_one_is_refused():
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        associate(on_a_line(0.0, 1.0), sightings([0, 1]), cost=JointCost(lambda one, other: np.full((1, 1), 1.5)))  # noqa: ARG005


def test_kmeans_keeps_the_nearest_pairs_of_each_camera_pair():
    """Between cameras 0 and 1 the distances are 0.1, 0.2 and 3; between 0 and 2 they are 5 and 6: all far."""
    vectors = np.array([[0.0, 0], [10, 0], [20, 0], [0.1, 0], [10.2, 0], [23, 0], [0, 5], [10, 6.0]])
    found = associate(vectors, sightings([0, 0, 0, 1, 1, 1, 2, 2]), cost=LINE, kmeans=2)
    assert pairs_of(found)[:3] == [(0, 3), (1, 4), (0, 6)]


@dataclass(frozen=True)
class Evidence:
    """Log-odds that fall by ten nats for each unit of distance, plus time and prior."""

    def log_odds(self, distances: np.ndarray, time_llr: np.ndarray, *, prior_log_odds: float) -> np.ndarray:
        return 10.0 - 10.0 * distances + time_llr + prior_log_odds


def no_time(one: Sightings, other: Sightings) -> np.ndarray:
    return np.zeros((len(one.cameras), len(other.cameras)))


def test_the_robust_form_gives_each_pair_its_posterior():
    """Two people, far apart: each pair's likelihood ratio is e^10 against e^-90, so both are all but certain."""
    found = associate(
        on_a_line(0.0, 10.0, 0.0, 10.0),
        sightings([0, 0, 1, 1]),
        cost=FusedCost(Evidence(), no_time, metric=Metric.EUCLIDEAN),
    )
    assert pairs_of(found) == [(0, 2), (1, 3)]
    assert found.weights.min() > 0.999


def test_people_who_look_alike_halve_each_others_certainty():
    cost = FusedCost(Evidence(), no_time, metric=Metric.EUCLIDEAN)
    found = associate(on_a_line(0.0, 0.0, 0.0), sightings([0, 1, 1]), cost=cost)
    assert found.weights[0] == pytest.approx(0.5, abs=0.01)
    assert len(associate(on_a_line(0.0, 0.0, 0.0), sightings([0, 1, 1]), cost=cost, min_weight=0.6)) == 0


def test_who_was_elsewhere_at_that_time_is_not_the_person():
    elsewhere = lambda one, other: other.starts_s[None, :] == np.zeros((len(one.cameras), 1))  # noqa: E731
    cost = FusedCost(Evidence(), no_time, elsewhere, metric=Metric.EUCLIDEAN)
    found = associate(on_a_line(0.0, 0.0, 0.3), sightings([0, 1, 1], [0.0, 0.0, 9.0]), cost=cost)
    assert pairs_of(found) == [(0, 2)]


def test_a_must_link_is_always_returned_and_takes_its_tracklets_out():
    vectors = on_a_line(0.0, 5.0, 0.1, 5.1)
    found = associate(vectors, sightings([0, 0, 1, 1]), cost=LINE, must_link=np.array([[3, 0]]), kmeans=3)
    assert pairs_of(found) == [(1, 2), (0, 3)]


def test_a_cannot_link_leaves_the_next_best():
    vectors = on_a_line(0.0, 0.1, 0.4)
    found = associate(vectors, sightings([0, 1, 1]), cost=LINE, cannot_link=np.array([[1, 0]]))
    assert pairs_of(found) == [(0, 2)]


def test_links_reach_through_one_person():
    """0 and 1 are one person, who is not 2: so 1 is not 2 either."""
    found = associate(
        on_a_line(9.0, 0.0, 0.1),
        sightings([0, 0, 1]),
        cost=LINE,
        must_link=np.array([[0, 1]]),
        cannot_link=np.array([[0, 2]]),
    )
    assert len(found) == 0


def test_pieces_of_one_person_do_not_rob_each_other_of_a_partner():
    """Row 2 prefers row 1; row 0, known to be the same person, likes row 2 best and keeps it."""
    vectors, seen = on_a_line(0.5, 0.1, 0.0), sightings([0, 0, 1])
    assert pairs_of(associate(vectors, seen, cost=LINE)) == [(1, 2)]
    assert pairs_of(associate(vectors, seen, cost=LINE, must_link=np.array([[0, 1]]))) == [(0, 2), (1, 2)]


def test_contradicting_links_are_refused():
    with pytest.raises(ValueError, match=r"\[0, 2\] are both linked and kept apart"):
        associate(
            on_a_line(0.0, 0.0, 0.0),
            sightings([0, 1, 2]),
            must_link=np.array([[0, 1], [1, 2]]),
            cannot_link=np.array([[0, 2]]),
        )


def test_a_link_to_nobody_is_refused():
    with pytest.raises(ValueError, match="names row 7"):
        associate(on_a_line(0.0, 0.0), sightings([0, 1]), must_link=np.array([[0, 7]]))


@pytest.mark.parametrize(
    ("vectors", "message"), [(np.zeros((3, 2)), "3 vectors and 2 sightings"), (np.full((2, 2), np.nan), "not finite")]
)
def test_vectors_that_do_not_fit_are_refused(vectors: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        associate(vectors, sightings([0, 1]))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), chunk=st.integers(1, 9))
def test_blocks_of_any_size_find_what_the_whole_matrix_finds(seed: int, chunk: int):
    random = np.random.default_rng(seed)
    vectors = random.integers(0, 3, (24, 2)).astype(np.float64)  # many ties
    seen = sightings(random.integers(0, 3, 24).tolist())
    cost = FusedCost(Evidence(), no_time, metric=Metric.EUCLIDEAN)
    whole, blocks = (associate(vectors, seen, cost=cost, chunk=size) for size in (1000, chunk))
    assert pairs_of(blocks) == pairs_of(whole)
    np.testing.assert_allclose(blocks.weights, whole.weights, atol=1e-9)
    expected = []
    for one, other in ((0, 1), (0, 2), (1, 2)):
        rows_a, rows_b = (np.flatnonzero(seen.cameras == camera) for camera in (one, other))
        distances = np.linalg.norm(vectors[rows_a][:, None] - vectors[rows_b][None], axis=2)
        expected += [(int(rows_a[a]), int(rows_b[b])) for a, b in zip(*mutual_nearest(distances), strict=True)]
    assert pairs_of(whole) == expected


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_tracklets_does_not_matter(seed: int):
    random = np.random.default_rng(seed)
    vectors, cameras = random.normal(size=(20, 4)), random.integers(0, 3, 20)
    order = random.permutation(20)
    found = associate(vectors, sightings(cameras.tolist()))
    shuffled = associate(vectors[order], sightings(cameras[order].tolist()))
    assert {frozenset((int(order[a]), int(order[b]))) for a, b in pairs_of(shuffled)} == {
        frozenset(pair) for pair in pairs_of(found)
    }
