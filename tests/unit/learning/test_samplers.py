from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_core.errors import TooLittleToLearnError
from reid_core.learning.free_samplers import FreeSampler, NeighbourSampler
from reid_core.learning.relations import PairWeights, Relations
from reid_core.learning.samplers import CameraPairSampler, WithinCameraSampler


def _site(rng, tracklets, cameras, span_s=300.0):
    camera_of = rng.integers(0, cameras, tracklets)
    starts = rng.uniform(0, span_s, tracklets)
    ends = starts + rng.uniform(0, 20, tracklets)
    first_crop = np.concatenate([[0], np.cumsum(rng.integers(1, 9, tracklets))])
    return camera_of, starts, ends, first_crop


def _gap(starts, ends, one, other):
    return max(starts[other] - ends[one], starts[one] - ends[other])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(1, 4), st.sampled_from([0.0, 5.0, 30.0]))
def test_no_batch_holds_two_cameras_or_two_tracklets_within_the_gap(seed, tracklets, cameras, apart_s):
    rng = np.random.default_rng(seed)
    camera_of, starts, ends, first_crop = _site(rng, tracklets, cameras)
    try:
        sampler = WithinCameraSampler(camera_of, starts, ends, first_crop, apart_s=apart_s)
    except TooLittleToLearnError:
        return
    for draw in range(5):
        batch = sampler.draw(np.random.default_rng([seed, draw]), 12)
        rows = np.unique(batch.rows)
        assert 2 <= len(rows) <= 12
        assert len(np.unique(camera_of[rows])) == 1
        assert all(_gap(starts, ends, a, b) > apart_s for a in rows for b in rows if a < b)


def test_a_camera_with_few_eligible_tracklets_gives_a_smaller_batch():
    starts = np.array([0.0, 1.0, 2.0, 50.0])
    sampler = WithinCameraSampler(np.zeros(4, int), starts, starts + 10, np.arange(5) * 5, crops=4)
    batch = sampler.draw(np.random.default_rng(0), 64)
    assert len(np.unique(batch.rows)) == 2
    assert len(batch) == 8
    assert 3 in batch.rows


def test_a_site_where_everybody_overlaps_is_refused():
    with pytest.raises(TooLittleToLearnError, match="no camera has two tracklets"):
        WithinCameraSampler(np.zeros(3, int), np.zeros(3), np.full(3, 9.0), np.arange(4))


def test_tracklets_without_times_never_meet():
    unknown = np.full(5, np.nan)
    with pytest.raises(TooLittleToLearnError):
        WithinCameraSampler(np.zeros(5, int), unknown, unknown, np.arange(6))


def test_labelled_tracklets_of_two_people_may_overlap_and_those_of_one_are_one_class():
    cameras, starts = np.zeros(3, int), np.array([0.0, 2.0, 3.0])
    identities = np.array([7, 8, 7])
    sampler = WithinCameraSampler(cameras, starts, starts + 9, np.arange(4) * 4, identities=identities)
    batch = sampler.draw(np.random.default_rng(1), 3)
    labels = {row: set(batch.labels[batch.rows == row].tolist()) for row in (0, 1, 2)}
    assert labels[0] == labels[2] != labels[1]


def test_tracklets_known_to_be_one_person_may_meet_however_near_and_others_may_not():
    starts = np.array([0.0, 12.0, 12.5, 60.0])
    groups = np.array([3, 3, 0, 1])
    sampler = WithinCameraSampler(np.zeros(4, int), starts, starts + 10, np.arange(5) * 4, groups=groups)
    assert sampler.may_meet(0, np.arange(1, 4)).tolist() == [True, False, True]
    assert sampler.may_meet(2, np.array([0, 1, 3])).tolist() == [False, False, True]


def test_equal_generators_draw_equal_batches():
    site = _site(np.random.default_rng(3), 30, 2)
    sampler = WithinCameraSampler(*site)
    one, other = (sampler.draw(np.random.default_rng(5), 8) for _ in range(2))
    assert np.array_equal(one.crops, other.crops)


def test_a_pair_batch_keeps_to_two_cameras_with_half_of_the_crops_from_each_side():
    cameras = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    rows_a, rows_b = np.array([0, 1, 2, 3, 4, 0, 1]), np.array([3, 4, 5, 6, 7, 8, 7])
    sampler = CameraPairSampler(rows_a, rows_b, cameras, np.arange(10) * 5, crops=4)
    for draw in range(20):
        batch = sampler.draw(np.random.default_rng(draw), 8)
        assert len(np.unique(cameras[batch.rows])) == 2
        assert len(np.unique(batch.rows)) * 2 == len(batch)
        for label in np.unique(batch.labels):
            sides = batch.rows[batch.labels == label]
            assert sorted(np.unique(sides)) == sorted([rows_a[label], rows_b[label]])
            assert all(np.count_nonzero(sides == side) == 2 for side in np.unique(sides))


def test_no_tracklet_is_two_classes_of_one_pair_batch():
    cameras = np.array([0, 0, 1, 1])
    sampler = CameraPairSampler(np.array([0, 0, 1]), np.array([2, 3, 3]), cameras, np.arange(5) * 4)
    for draw in range(20):
        batch = sampler.draw(np.random.default_rng(draw), 8)
        assert all(len(np.unique(batch.labels[batch.rows == row])) == 1 for row in np.unique(batch.rows))


def test_pairs_that_cannot_make_a_batch_are_refused():
    cameras, crops = np.array([0, 1, 2]), np.arange(4)
    with pytest.raises(TooLittleToLearnError):
        CameraPairSampler(np.array([0]), np.array([1]), cameras, crops)
    with pytest.raises(ValueError, match="within one camera"):
        CameraPairSampler(np.array([0, 0]), np.array([1, 0]), cameras, crops)
    with pytest.raises(ValueError, match="cannot be halved"):
        CameraPairSampler(np.array([0, 1]), np.array([1, 2]), cameras, crops, crops=3)


def test_free_batches_mix_cameras_only_when_asked():
    cameras = np.array([0] * 10 + [1] * 10)
    alone = FreeSampler(np.arange(21) * 3, cameras)
    mixed = FreeSampler(np.arange(21) * 3)
    drawn = [(one.draw(np.random.default_rng(n), 6).rows) for n in range(8) for one in (alone, mixed)]
    assert all(len(np.unique(cameras[rows])) == 1 for rows in drawn[::2])
    assert any(len(np.unique(cameras[rows])) == 2 for rows in drawn[1::2])
    with pytest.raises(TooLittleToLearnError):
        FreeSampler(np.array([0, 3]))
    with pytest.raises(TooLittleToLearnError):
        FreeSampler(np.arange(3), np.array([0, 1]))


def test_neighbours_come_with_one_of_their_associates():
    count = 20
    pairs = PairWeights(np.arange(10), np.arange(10, 20), np.ones(10))
    relations = Relations(
        np.repeat([0, 1], 10),
        np.zeros(count),
        np.ones(count),
        positives=pairs,
        doubtful=PairWeights.none(),
        apart_s=5.0,
        one_camera=False,
    )
    batch = NeighbourSampler(relations, np.arange(count + 1) * 2).draw(np.random.default_rng(0), 8)
    rows = set(batch.rows.tolist())
    assert len(rows) == 8
    assert {(row + 10) % 20 for row in rows} == rows
