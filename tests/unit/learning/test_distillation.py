from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from graph_cases import crowd
from scipy.sparse import csr_array

from reid_core.association.known_links import close_links
from reid_core.errors import CheckpointError
from reid_core.graph.propagation import RandomProjection
from reid_core.learning.batches import batch_of
from reid_core.learning.graph_objective import GraphDistillation, Together
from reid_core.learning.learner_parts import Distillation, Rivals, TimeRule
from reid_core.learning.losses.distillation import Taught, distillation_loss, distillation_loss_among_all
from reid_core.learning.memory import MemoryBank
from reid_core.learning.objectives import BatchHard
from reid_core.learning.teacher_graph import TeacherGraph, grouped_affinity, teacher_graph
from reid_core.spatio_temporal.sightings import Sightings

_CAMERAS = np.array([0, 0, 1, 1, 2])


def _unit(rng, *shape):
    rows = rng.normal(size=shape)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def _case(seed=0, nodes=12, batch=5, cameras=3):
    """Random neighbour lists of different lengths, in double precision."""
    rng = np.random.default_rng(seed)
    camera_of = np.concatenate([np.arange(cameras), rng.integers(0, cameras, nodes - cameras)])
    lists = [np.sort(rng.choice(nodes, rng.integers(1, 8), replace=False)) for _ in range(batch)]
    width = max(map(len, lists))
    columns, present = np.zeros((batch, width), np.int64), np.zeros((batch, width), bool)
    weights = np.zeros((batch, width))
    for row, one in enumerate(lists):
        columns[row, : len(one)], present[row, : len(one)] = one, True
        weights[row, : len(one)] = rng.uniform(0.1, 1, len(one))
    taught = Taught(*map(torch.from_numpy, (columns, camera_of[columns], weights, present)))
    vectors, bank = (torch.from_numpy(_unit(rng, count, 6)) for count in (batch, nodes))
    return vectors, bank, taught, camera_of


def _naive(vectors, bank, taught, temperature, camera_of, *, everybody):
    """Eq. 12-13 as they stand, entry by entry."""
    total = 0.0
    for i in range(len(vectors)):
        mine = [int(j) for j, there in zip(taught.columns[i], taught.present[i], strict=True) if there]
        worth = dict(zip(mine, taught.weights[i].tolist(), strict=False))
        for camera in set(camera_of.tolist()):
            group = [j for j in mine if camera_of[j] == camera]
            rivals = [j for j in range(len(bank)) if camera_of[j] == camera] if everybody else group
            below = sum(math.exp(float(bank[k] @ vectors[i]) / temperature) for k in rivals)
            for j in group:
                total -= worth[j] * math.log(math.exp(float(bank[j] @ vectors[i]) / temperature) / below)
    return total / len(vectors)


@pytest.mark.parametrize("seed", range(4))
def test_losses_are_those_of_a_naive_twin(seed):
    vectors, bank, taught, camera_of = _case(seed)
    near = distillation_loss(vectors, bank, taught, cameras=3, temperature=0.1)
    assert near.item() == pytest.approx(_naive(vectors, bank, taught, 0.1, camera_of, everybody=False), rel=1e-9)
    every = distillation_loss_among_all(
        vectors, bank, taught, bank_cameras=torch.from_numpy(camera_of), temperature=0.1
    )
    assert every.item() == pytest.approx(_naive(vectors, bank, taught, 0.1, camera_of, everybody=True), rel=1e-9)


def test_gradients_are_those_of_finite_differences():
    vectors, bank, taught, camera_of = _case(1)
    vectors.requires_grad_(requires_grad=True)
    cameras = torch.from_numpy(camera_of)
    assert torch.autograd.gradcheck(lambda v: distillation_loss(v, bank, taught, cameras=3, temperature=0.2), vectors)
    assert torch.autograd.gradcheck(
        lambda v: distillation_loss_among_all(v, bank, taught, bank_cameras=cameras, temperature=0.2), vectors
    )


def test_a_loss_by_hand():
    """Two neighbours of one camera at cosines 1 and 0, worth 1 and 0.5; one of another camera, which has no rival."""
    bank = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    taught = Taught(
        torch.tensor([[0, 1, 2]]), torch.tensor([[0, 0, 1]]), torch.tensor([[1.0, 0.5, 1.0]]), torch.ones(1, 3).bool()
    )
    loss = distillation_loss(torch.tensor([[1.0, 0.0]]), bank, taught, cameras=2, temperature=1.0)
    below = math.log(math.e + 1)
    assert loss.item() == pytest.approx((below - 1) + 0.5 * below, rel=1e-6)


def test_the_order_of_neighbours_and_what_fills_up_do_not_matter():
    vectors, bank, taught, _ = _case(2)
    how = {"cameras": 3, "temperature": 0.1}
    turned = Taught(*(part.flip(1) for part in (taught.columns, taught.cameras, taught.weights, taught.present)))
    other = Taught(taught.columns, taught.cameras, torch.where(taught.present, taught.weights, 7.0), taught.present)
    expected = distillation_loss(vectors, bank, taught, **how).item()
    assert distillation_loss(vectors, bank, turned, **how).item() == pytest.approx(expected)
    assert distillation_loss(vectors, bank, other, **how).item() == pytest.approx(expected)


def test_what_cannot_be_a_loss_is_refused():
    vectors, bank, taught, _ = _case()
    with pytest.raises(ValueError, match="temperature"):
        distillation_loss(vectors, bank, taught, cameras=3, temperature=0.0)
    with pytest.raises(ValueError, match="do not fit"):
        distillation_loss(vectors[:2], bank, taught, cameras=3)
    with pytest.raises(ValueError, match="share"):
        MemoryBank(bank, keep=1.0)


def test_a_visit_moves_a_memory_by_the_share_that_it_does_not_keep():
    bank = MemoryBank(torch.tensor([[2.0, 0.0], [0.0, 3.0]]), keep=0.25)
    assert bank.vectors.tolist() == [[1, 0], [0, 1]]
    bank.visit(torch.tensor([0, 0]), torch.tensor([[0.0, 1.0], [0.0, 1.0]]))
    expected = np.array([0.25, 0.75]) / math.hypot(0.25, 0.75)
    np.testing.assert_allclose(bank.vectors[0], expected, rtol=1e-6)
    assert bank.vectors[1].tolist() == [0, 1]


def test_affinities_are_over_the_largest_of_their_camera():
    told = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    edges = csr_array(np.array([[1, 0, 1, 1, 0], [0] * 5, [1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0] * 5], np.float64))
    graph = grouped_affinity(told, edges, _CAMERAS)
    columns, weights, present = graph.of(np.array([0, 1, 2]))
    assert columns[0][present[0]].tolist() == [0, 2, 3]
    np.testing.assert_allclose(weights[0][present[0]], [1, 1, math.exp(-2) / math.exp(-0.5)], rtol=1e-6)
    plain = _neighbours(grouped_affinity(told, edges, _CAMERAS, alpha=0.5, relative=False), 0)
    assert plain == pytest.approx({0: 1, 2: math.exp(-2), 3: math.exp(-8)}, rel=1e-6)
    assert columns[1][present[1]].tolist() == [1], "without an edge a node is its own and only neighbour"
    assert weights[2][present[2]].tolist() == [1, 1]


def _dense_twin(crowd, *, ks, kl, delta_s, weights):
    """Eq. 1-8 and 10 in N x N matrices, entry by entry: M^(c), 0 for whoever is no neighbour."""
    looks, count = crowd.looks.astype(np.float64), len(crowd.looks)
    affinity = np.exp(-((looks[:, None] - looks[None]) ** 2).sum(2) / 2)
    order = [sorted(range(count), key=lambda j, i=i: (j != i, -affinity[i, j])) for i in range(count)]
    gaps = crowd.times[:, None] - crowd.times[None]
    sets = {}
    for i in range(count):
        for j in order[i][:ks]:
            sets.setdefault((crowd.cameras[i], crowd.cameras[j]), []).append(gaps[i, j])
    edges = np.zeros((count, count))
    for i in range(count):
        for place, j in enumerate(order[i][:kl]):
            known = sets.get((crowd.cameras[i], crowd.cameras[j]), []) if crowd.cameras[i] != crowd.cameras[j] else []
            if place < ks or any(abs(gaps[i, j] - gap) <= delta_s for gap in known):
                edges[i, j] = affinity[i, j]
    both = (edges + edges.T) / 2
    told = looks
    for w in weights:
        told = np.maximum((both / both.sum(1, keepdims=True)) @ told @ w, 0)
    worth = np.where(both > 0, np.exp(-((told[:, None] - told[None]) ** 2).sum(2) / 2), 0)
    for i in range(count):
        for camera in set(crowd.cameras.tolist()):
            group = crowd.cameras == camera
            worth[i, group] /= max(worth[i, group].max(), 1e-30)
        worth[i, i] = 1
    return worth


@pytest.mark.parametrize("seed", range(3))
def test_the_graph_as_published_is_that_of_a_dense_twin(seed):
    people = crowd(seed)
    seen = Sightings(tuple("abcd"), people.cameras, people.times, people.times + 1)
    how = Distillation(visual=3, wide=20, delta_s=25.0, projection=32)
    nothing = close_links(60, np.zeros((0, 2), np.int64), np.zeros((0, 2), np.int64))
    graph = teacher_graph(people.looks, seen, how, transit=None, known=nothing, seed=7)
    projection = RandomProjection(7, 32)
    weights = [projection.weights(16, layer=1), projection.weights(32, layer=2)]
    expected = _dense_twin(people, ks=3, kl=20, delta_s=25.0, weights=weights)
    found = np.zeros((60, 60))
    found[np.repeat(np.arange(60), np.diff(graph.indptr)), graph.columns] = graph.weights
    assert np.array_equal(found > 0, expected > 0)
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_known_pairs_are_neighbours_in_full_and_strangers_never():
    rng = np.random.default_rng(0)
    vectors = _unit(rng, 8, 6).astype(np.float32)
    vectors[1] = vectors[0]
    seen = Sightings(("a", "b"), np.arange(8) % 2, np.arange(8.0), np.arange(8.0) + 1)
    how = Distillation(time=TimeRule.NONE, visual=2)
    told = {"transit": None, "seed": 0}
    nothing = close_links(8, np.zeros((0, 2), np.int64), np.zeros((0, 2), np.int64))
    said = close_links(8, np.array([[2, 5]]), np.array([[0, 1]]))
    before, after = (teacher_graph(vectors, seen, how, known=known, **told) for known in (nothing, said))
    assert 1 in _neighbours(before, 0)
    assert 1 not in _neighbours(after, 0)
    assert _neighbours(after, 2)[5] == _neighbours(after, 5)[2] == 1


def test_times_join_who_looks_less_alike():
    """Two walk from camera to camera in ten seconds; a third pair does so too, and is not among the most alike."""
    angles = np.radians([0.0, 2.0, 90.0, 92.0, 40.0, 60.0])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    starts = np.array([0.0, 10.0, 100.0, 110.0, 200.0, 210.2])
    seen = Sightings(("a", "b"), np.array([0, 1, 0, 1, 0, 1]), starts, starts + 1)
    known = close_links(6, np.zeros((0, 2), np.int64), np.zeros((0, 2), np.int64))
    told = {"transit": None, "known": known, "seed": 0}
    timed = teacher_graph(vectors, seen, Distillation(visual=2, wide=6, delta_s=1.0), **told)
    blind = teacher_graph(vectors, seen, Distillation(visual=2, wide=6, time=TimeRule.NONE), **told)
    assert {row for row in range(6) if 4 in _neighbours(timed, row)} >= {4, 5}
    assert set(_neighbours(timed, 0)) == {0, 1}
    assert set(_neighbours(blind, 0)) == {0, 1}


def test_a_graph_survives_its_file_and_a_torn_one_is_refused(tmp_path):
    graph = grouped_affinity(np.zeros((5, 2)), csr_array(np.ones((5, 5))), _CAMERAS)
    graph.save(tmp_path / "graph.npz")
    again = TeacherGraph.load(tmp_path / "graph.npz")
    assert all(
        np.array_equal(one, other) for one, other in zip(graph.of(np.arange(5)), again.of(np.arange(5)), strict=True)
    )
    (tmp_path / "graph.npz").write_bytes(b"torn")
    with pytest.raises(CheckpointError):
        TeacherGraph.load(tmp_path / "graph.npz")


@pytest.mark.parametrize("rivals", list(Rivals))
def test_objectives_side_by_side_keep_their_memories_apart(rivals):
    rng = np.random.default_rng(3)
    start = torch.from_numpy(_unit(rng, 5, 4)).float()
    graph = grouped_affinity(start.numpy(), csr_array(np.ones((5, 5))), _CAMERAS)

    def made():
        taught = GraphDistillation(start, graph, temperature=0.1, keep=0.5, rivals=rivals)
        return Together([(1.0, BatchHard(margin=0.3)), (2.0, taught)]), taught

    both, alone = made()
    batch = batch_of([0, 3], [0, 3], [np.array([0, 1]), np.array([6, 7])])
    vectors = torch.from_numpy(_unit(rng, 4, 4)).float()
    expected = BatchHard(margin=0.3).loss(vectors, batch) + 2 * alone.loss(vectors, batch)
    assert both.loss(vectors, batch).item() == pytest.approx(expected.item())
    both.remember(vectors, batch)
    other, _ = made()
    assert other.loss(vectors, batch).item() != pytest.approx(both.loss(vectors, batch).item())
    other.restore(both.memory())
    assert other.loss(vectors, batch).item() == both.loss(vectors, batch).item()


def _neighbours(graph, row):
    columns, weights, present = graph.of(np.array([row]))
    return dict(zip(columns[0][present[0]].tolist(), weights[0][present[0]].tolist(), strict=True))
