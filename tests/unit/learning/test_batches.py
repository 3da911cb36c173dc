"""Classes of a batch, and what people know of its tracklets."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reid_core.learning.batches import batch_of, joined_labels
from reid_core.learning.losses.triplet import batch_hard_loss
from reid_core.learning.objectives import BatchHard


def batch(rows, labels, *, crops=2):
    return batch_of(rows, labels, [np.arange(row * crops, (row + 1) * crops) for row in rows])


def same(labels):
    return (labels[:, None] == labels[None, :]).tolist()


def test_pairs_that_share_a_person_are_one_class():
    drawn = batch([0, 8, 3, 9, 5, 7], [0, 0, 1, 1, 2, 2])  # pairs (0, 8), (3, 9) and (5, 7)
    groups = np.arange(10)
    groups[[0, 9]] = 4  # 0 and 9 are one person, and 4 is somebody of another batch
    found = joined_labels(drawn, groups)
    of = {row: set(found[drawn.rows == row].tolist()) for row in (0, 8, 3, 9, 5, 7)}
    assert of[0] == of[8] == of[3] == of[9]
    assert of[5] == of[7]
    assert of[0] != of[5]


def test_where_nothing_is_known_classes_stay_as_they_were_drawn():
    drawn = batch([4, 1, 6], [4, 1, 6])
    assert same(joined_labels(drawn, np.arange(7))) == same(drawn.labels)
    assert joined_labels(batch([], []), np.arange(3)).tolist() == []


def test_a_confirmed_pair_is_pulled_together_and_not_pushed_apart():
    drawn = batch([0, 1, 2], [0, 1, 2])
    vectors = torch.tensor([[0.0], [0.0], [1.0], [1.0], [2.0], [2.0]], requires_grad=True)
    known = BatchHard(margin=0.3, groups=np.array([0, 0, 2]))
    loss = known.loss(vectors, drawn)
    assert loss.item() == pytest.approx((0 + 2 * 0.3 + 0) / 6)  # 1 is as far from 0 as from 2: the margin is missed
    assert loss.item() == pytest.approx(batch_hard_loss(vectors, torch.tensor([0, 0, 0, 0, 2, 2]), margin=0.3).item())
    loss.backward()
    assert vectors.grad[2].item() > 0, "towards 0"
    unknown = BatchHard(margin=1.3).loss(vectors, drawn)
    assert unknown.item() == pytest.approx(batch_hard_loss(vectors, torch.from_numpy(drawn.labels), margin=1.3).item())
