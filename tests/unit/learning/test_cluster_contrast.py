from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from reid_core.errors import TooLittleToLearnError
from reid_core.learning.batches import batch_of
from reid_core.learning.cluster_contrast import ClusterContrast, ClusterSampler
from reid_core.learning.learner_parts import Clustering
from reid_core.learning.losses.clusters import centre_loss, cross_camera_loss

_CLASSES, _CAMERAS = np.array([0, 0, 1, 0, 1, 2]), np.array([0, 1, 0, 0, 1, 2])
_CROPS = np.arange(7) * 5


def _unit(seed, *shape, dtype=torch.float64):
    rows = torch.from_numpy(np.random.default_rng(seed).normal(size=shape)).to(dtype)
    return rows / rows.norm(dim=-1, keepdim=True)


def _cross_case(seed=0):
    rng = np.random.default_rng(seed)
    classes, own = rng.integers(0, 3, 9), rng.integers(0, 3, 4)
    same = torch.from_numpy(own[:, None] == classes[None])
    return _unit(seed, 4, 6), _unit(seed + 50, 9, 6), same & torch.from_numpy(rng.random((4, 9)) < 0.7), ~same


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("hardest", [1, 3, 50])
def test_the_loss_across_cameras_is_that_of_a_naive_twin(seed, hardest):
    vectors, proxies, positives, negatives = _cross_case(seed)
    total = 0.0
    for i, vector in enumerate(vectors):
        cosines = [float(vector @ proxy) / 0.1 for proxy in proxies]
        mine = [cosines[j] for j in range(9) if positives[i, j]]
        theirs = sorted((cosines[j] for j in range(9) if negatives[i, j]), reverse=True)[:hardest]
        below = sum(map(math.exp, mine + theirs))
        total -= sum(math.log(math.exp(one) / below) for one in mine) / max(1, len(mine))
    found = cross_camera_loss(vectors, proxies, positives, negatives, hardest=hardest, temperature=0.1)
    assert found.item() == pytest.approx(total / 4, rel=1e-6)


def test_gradients_are_those_of_finite_differences():
    vectors, proxies, positives, negatives = _cross_case(1)
    vectors.requires_grad_(requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda v: cross_camera_loss(v, proxies, positives, negatives, hardest=3, temperature=0.2), vectors
    )
    classes = torch.tensor([0, 3, 8, 3])
    assert torch.autograd.gradcheck(lambda v: centre_loss(v, proxies, classes, temperature=0.2), vectors)


def test_a_centre_by_hand():
    centres = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    loss = centre_loss(torch.tensor([[0.6, 0.8]]), centres, torch.tensor([0]), temperature=0.5)
    assert loss.item() == pytest.approx(math.log(1 + math.exp((0.8 - 0.6) / 0.5)), rel=1e-6)


def test_what_cannot_be_a_loss_is_refused():
    vectors, proxies, positives, negatives = _cross_case()
    with pytest.raises(ValueError, match="temperature"):
        centre_loss(vectors, proxies, torch.zeros(4, dtype=torch.int64), temperature=0)
    with pytest.raises(ValueError, match="1 negative or more"):
        cross_camera_loss(vectors, proxies, positives, negatives, hardest=0, temperature=0.1)


def _contrast(start, **changes):
    return ClusterContrast(start, _CLASSES, _CAMERAS, Clustering(keep=0.2, **changes), temperature=0.1)


def _batch():
    return batch_of([0, 2, 5], [0, 1, 2], [np.array([0, 1]), np.array([10]), np.array([25])])


def test_a_class_has_a_proxy_for_each_of_its_cameras_and_its_centre_lies_between():
    start = _unit(3, 6, 4, dtype=torch.float32)
    made = _contrast(start)
    proxies = made.memory()["proxies"]
    assert proxies.shape == (5, 4)
    mean = torch.nn.functional.normalize((start[0] + start[3]) / 2, dim=0)
    torch.testing.assert_close(proxies[0], mean)
    torch.testing.assert_close(proxies[4], start[5])
    centre = torch.nn.functional.normalize(proxies[0] + proxies[1], dim=0)
    torch.testing.assert_close(made._centres()[0], centre)


def test_the_loss_is_the_sum_of_its_two_parts():
    start, vectors = _unit(3, 6, 4, dtype=torch.float32), _unit(4, 4, 4, dtype=torch.float32)
    alone, half, whole = (_contrast(start, cross=share).loss(vectors, _batch()).item() for share in (0.0, 0.5, 1.0))
    assert half == pytest.approx((alone + whole) / 2, rel=1e-5)
    assert whole > alone


def test_a_visit_moves_the_proxy_of_its_class_and_camera_alone_and_comes_back_with_a_checkpoint():
    start, vectors = _unit(3, 6, 4, dtype=torch.float32), _unit(4, 4, 4, dtype=torch.float32)
    made, other = _contrast(start), _contrast(torch.zeros(6, 4))
    before = made.memory()["proxies"].clone()
    made.remember(vectors, _batch())
    moved = (made.memory()["proxies"] != before).any(1)
    assert moved.tolist() == [True, False, True, False, True]
    other.restore(made.memory())
    assert other.loss(vectors, _batch()).item() == made.loss(vectors, _batch()).item()


def test_a_class_is_drawn_from_all_of_its_cameras():
    sampler = ClusterSampler(_CLASSES, _CAMERAS, _CROPS, crops=2)
    for seed in range(20):
        batch = sampler.draw(np.random.default_rng(seed), 3)
        assert len(batch) == 6
        assert np.array_equal(_CLASSES[batch.rows], batch.labels)
        assert np.array_equal(batch.crops // 5, batch.rows)
        assert {0, 1} == set(_CAMERAS[batch.rows[batch.labels == 0]].tolist())
    assert len(sampler.draw(np.random.default_rng(0), 2)) == 4


def test_one_cluster_alone_is_too_little():
    with pytest.raises(TooLittleToLearnError, match="one cluster"):
        ClusterSampler(np.zeros(6, np.int64), _CAMERAS, _CROPS)
