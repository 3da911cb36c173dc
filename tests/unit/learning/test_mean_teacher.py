from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from learning_sets import make_set
from small_stages import StoppedError, small_network, small_proxies, small_stage, stop_at

from reid_core.learning.batches import batch_of
from reid_core.learning.device import Device
from reid_core.learning.learner_parts import MeanTeacher
from reid_core.learning.losses.instances import consistency_loss, hard_instance_loss
from reid_core.learning.mean_teacher import Teacher
from reid_core.learning.stages import train_stage


def _unit(seed, count=5, dim=4):
    rows = torch.from_numpy(np.random.default_rng(seed).normal(size=(count, dim)))
    return rows / rows.norm(dim=1, keepdim=True)


def _softmax(row):
    total = sum(map(math.exp, row))
    return [math.exp(one) / total for one in row]


@pytest.mark.parametrize("seed", range(3))
def test_consistency_is_that_of_a_naive_twin(seed):
    vectors, taught = _unit(seed), _unit(seed + 9)
    total = 0.0
    for i in range(5):
        others = [j for j in range(5) if j != i]
        told = _softmax([float(taught[i] @ taught[j]) / 0.2 for j in others])
        found = _softmax([float(vectors[i] @ taught[j]) / 0.2 for j in others])
        total += sum(p * math.log(p / q) for p, q in zip(told, found, strict=True))
    assert consistency_loss(vectors, taught, temperature=0.2).item() == pytest.approx(total / 5, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_hardest_of_a_class_is_that_of_a_naive_twin(seed):
    vectors, taught, labels = _unit(seed), _unit(seed + 9), torch.tensor([0, 1, 0, 2, 1])
    total = 0.0
    for i in range(5):
        cosines = [float(vectors[i] @ one) / 0.1 for one in taught]
        hardest = min(cosines[j] for j in range(5) if labels[j] == labels[i])
        others = [cosines[j] for j in range(5) if labels[j] != labels[i]]
        total -= math.log(math.exp(hardest) / (math.exp(hardest) + sum(map(math.exp, others))))
    found = hard_instance_loss(vectors, taught, labels, temperature=0.1)
    assert found.item() == pytest.approx(total / 5, rel=1e-9)


def test_gradients_are_those_of_finite_differences():
    vectors, taught, labels = _unit(0).requires_grad_(), _unit(1), torch.tensor([0, 1, 0, 2, 1])
    assert torch.autograd.gradcheck(lambda v: consistency_loss(v, taught, temperature=0.3), vectors)
    assert torch.autograd.gradcheck(lambda v: hard_instance_loss(v, taught, labels, temperature=0.3), vectors)


def test_who_agrees_with_the_teacher_hears_nothing():
    vectors = _unit(0)
    assert consistency_loss(vectors, vectors, temperature=0.1).item() == pytest.approx(0, abs=1e-12)
    order = torch.tensor([3, 1, 4, 0, 2])
    there, again = (consistency_loss(one, other, temperature=0.1).item() for one, other in _turned(vectors, order))
    assert there == pytest.approx(again)


def _turned(vectors, order):
    taught = _unit(1)
    return [(vectors, taught), (vectors[order], taught[order])]


def test_what_cannot_be_a_loss_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        consistency_loss(_unit(0), _unit(0, 4), temperature=0.1)
    with pytest.raises(ValueError, match="temperature"):
        hard_instance_loss(_unit(0), _unit(0), torch.zeros(5), temperature=0.0)


def test_a_teacher_is_the_running_mean_of_what_it_follows():
    network = small_network()
    teacher = Teacher(network, MeanTeacher(keep=0.9))
    name = "global_head.0.weight"
    first = network.state_dict()[name].clone()
    with torch.no_grad():
        network.get_parameter(name).add_(1.0)
    teacher.follow(network, 1)
    torch.testing.assert_close(teacher.memory()[name], first + 0.5)
    teacher.follow(network, 99)
    torch.testing.assert_close(teacher.memory()[name], first + 0.55)
    with torch.no_grad():
        network.state_dict()["trunk.layers.1.running_mean"].add_(2.0)
    statistics = teacher.memory()["trunk.layers.1.running_mean"].clone()
    teacher.look(torch.zeros(2, 64, 32, 3, dtype=torch.uint8))
    torch.testing.assert_close(teacher.memory()["trunk.layers.1.running_mean"], statistics)
    assert not any(one.requires_grad for one in teacher._network.parameters())


def test_what_a_teacher_says_is_weighted_and_learned_from():
    network, pictures = small_network(), torch.randint(0, 256, (4, 64, 32, 3), dtype=torch.uint8)
    batch = batch_of([0, 1], [0, 1], [np.array([0, 1]), np.array([2, 3])])
    vectors = _unit(0, 4, 16).float().requires_grad_()
    losses = {}
    for consistency, instance in ((1.0, 0.0), (0.0, 1.0), (2.0, 3.0)):
        teacher = Teacher(network, MeanTeacher(consistency=consistency, instance=instance))
        losses[consistency, instance] = teacher.loss(vectors, teacher.look(pictures), batch)
    assert losses[2.0, 3.0].item() == pytest.approx(2 * losses[1.0, 0.0].item() + 3 * losses[0.0, 1.0].item(), rel=1e-5)
    losses[2.0, 3.0].backward()
    assert vectors.grad.abs().sum() > 0
    assert not Teacher(network, MeanTeacher(consistency=0.0)).speaks


@pytest.mark.parametrize("stop", [3, 11])
def test_an_interrupted_stage_with_a_teacher_ends_with_the_same_bits(tmp_path, stop):
    tracklets, _ = make_set()

    def train(network, path, **how):
        stage = small_stage(tracklets, small_proxies(tracklets))
        taught = replace(stage, teacher=Teacher(network, MeanTeacher(keep=0.9, instance=1.0)))
        return train_stage(network, taught, device=Device(), seed=3, checkpoint=tmp_path / path, **how)

    whole, torn, again = small_network(), small_network(), small_network()
    straight = train(whole, "a")
    with pytest.raises(StoppedError):
        train(torn, "b", report=stop_at(stop))
    assert train(again, "b") == straight
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name
    finished = small_network()
    assert train(finished, "a") == straight, "a stage that is over gives the teacher's weights again"
    assert torch.equal(finished.state_dict()["global_head.0.weight"], whole.state_dict()["global_head.0.weight"])
