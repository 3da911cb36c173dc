from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from reid_core.learning.losses.proxies import proxy_loss
from reid_core.learning.losses.triplet import batch_hard_loss


def _batch_hard_by_loops(vectors, labels, margin):
    total = 0.0
    for anchor in range(len(vectors)):
        farthest, nearest = 0.0, math.inf
        for other in range(len(vectors)):
            distance = float(np.linalg.norm(vectors[anchor] - vectors[other]))
            if labels[anchor] == labels[other]:
                farthest = max(farthest, distance)
            else:
                nearest = min(nearest, distance)
        if nearest < math.inf:
            short = farthest - nearest
            total += math.log1p(math.exp(short)) if margin is None else max(0.0, margin + short)
    return total / len(vectors)


@pytest.mark.parametrize("margin", [0.3, 0.0, None])
def test_batch_hard_equals_three_nested_loops(margin):
    rng = np.random.default_rng(0)
    vectors, labels = rng.normal(size=(24, 6)), rng.integers(0, 6, 24)
    ours = batch_hard_loss(torch.from_numpy(vectors), torch.from_numpy(labels), margin=margin)
    assert float(ours) == pytest.approx(_batch_hard_by_loops(vectors, labels, margin), abs=1e-9)


def test_batch_hard_by_hand():
    vectors = torch.tensor([[0.0], [2.0], [3.0], [10.0]])  # farthest 2, 2, 7, 7; nearest 3, 1, 1, 8
    loss = batch_hard_loss(vectors, torch.tensor([0, 0, 1, 1]), margin=0.3)
    assert float(loss) == pytest.approx((0 + 1.3 + 6.3 + 0) / 4)


def test_batch_hard_does_not_depend_on_the_order_of_a_batch():
    vectors, labels = torch.randn(12, 4, dtype=torch.float64), torch.arange(12) // 3
    order = torch.randperm(12)
    assert float(batch_hard_loss(vectors[order], labels[order])) == pytest.approx(
        float(batch_hard_loss(vectors, labels))
    )


def test_a_batch_of_one_class_costs_nothing_and_an_empty_one_neither():
    assert float(batch_hard_loss(torch.randn(4, 3), torch.zeros(4, dtype=torch.int64))) == 0
    assert float(batch_hard_loss(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64))) == 0


def test_equal_vectors_have_a_finite_gradient():
    vectors = torch.zeros(4, 3, requires_grad=True)
    batch_hard_loss(vectors, torch.tensor([0, 0, 1, 1])).backward()
    assert torch.isfinite(vectors.grad).all()


def test_wrong_input_of_batch_hard_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        batch_hard_loss(torch.zeros(3, 2), torch.zeros(2, dtype=torch.int64))
    with pytest.raises(ValueError, match="at least 0"):
        batch_hard_loss(torch.zeros(2, 2), torch.zeros(2, dtype=torch.int64), margin=-1.0)


def test_proxy_loss_equals_its_formula():
    rng = np.random.default_rng(1)
    vectors, proxies = rng.normal(size=(5, 4)), rng.normal(size=(7, 4))
    positives = (rng.random((5, 7)) < 0.3) * rng.random((5, 7))
    positives[:, 0] = 1.0
    ignored = (rng.random((5, 7)) < 0.4) & (positives == 0)
    total = 0.0
    for row in range(5):
        logits = {n: vectors[row] @ proxies[n] / 0.1 for n in range(7) if not ignored[row, n]}
        top = max(logits.values())
        log_sum = top + math.log(sum(math.exp(value - top) for value in logits.values()))
        weights = positives[row]
        total -= sum(weights[n] * (logits[n] - log_sum) for n in logits if weights[n]) / weights.sum()
    made = [torch.from_numpy(array) for array in (vectors, proxies, positives, ignored)]
    assert float(proxy_loss(*made, temperature=0.1)) == pytest.approx(total / 5, rel=1e-9)


def test_ignored_proxies_get_no_gradient():
    vectors, proxies = torch.randn(2, 3), torch.randn(3, 3, requires_grad=True)
    positives = torch.tensor([[1.0, 0, 0], [1.0, 0, 0]])
    ignored = torch.tensor([[False, False, True]] * 2)
    proxy_loss(vectors, proxies, positives, ignored, temperature=0.1).backward()
    assert (proxies.grad[2] == 0).all()
    assert (proxies.grad[1] != 0).any()


def test_wrong_input_of_proxies_is_refused():
    vectors, proxies = torch.zeros(2, 3), torch.zeros(4, 3)
    with pytest.raises(ValueError, match="must have shape"):
        proxy_loss(vectors, proxies, torch.ones(2, 3), torch.zeros(2, 3, dtype=torch.bool), temperature=0.1)
    with pytest.raises(ValueError, match="above 0"):
        proxy_loss(vectors, proxies, torch.ones(2, 4), torch.zeros(2, 4, dtype=torch.bool), temperature=0.0)
