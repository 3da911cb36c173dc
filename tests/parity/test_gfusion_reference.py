"""The harness is calibrated: on its looks G-Fusion's paper form gains what it gained on real images."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fusion_lists import images, walkers
from gfusion_reference import DELTA, KS, GFusion, adjacency, consistent, nearest, transition_sets

from reid_core.evaluation.fusion.appearance import Appearance
from reid_core.evaluation.fusion.case import FusionCase, score, visual_rows
from reid_core.evaluation.fusion.lists import TimedImages, TimedLists, read_timed_lists
from reid_core.evaluation.fusion.strength import solve_strength

if TYPE_CHECKING:
    from pathlib import Path

PROJECTIONS = range(5)
STRENGTHS = {1: (0.2157, 0.3486), 2: (0.1978, 0.3260), 3: (0.2174, 0.3499)}


def dense_affinity(a, b):
    return np.exp(-((a[:, None, :] - b[None, :, :]) ** 2).sum(2) / 2)


def dense_edges(affinity, here, there, sets, kl):
    order = np.argsort(-affinity, axis=1, kind="stable")
    edges = np.zeros_like(affinity)
    for i, row in enumerate(order):
        for place, j in enumerate(row[:kl]):
            gap, pair = here.frames[i] - there.frames[j], (here.camera_ids[i], there.camera_ids[j])
            near = any(abs(gap - known) <= DELTA for known in sets.get(pair, ()))
            if place < KS or (pair[0] != pair[1] and near):
                edges[i, j] = affinity[i, j]
    return edges


def test_top_lists_give_what_the_dense_matrices_of_the_paper_give():
    lists = walkers(12)
    looks = Appearance(lists, seed=1).features(0.3)
    graph = GFusion(lists, looks, kl=15)
    sets = transition_sets(looks.train, lists.train)
    a = dense_edges(dense_affinity(looks.gallery, looks.gallery), lists.gallery, lists.gallery, sets, 15)
    symmetric = (a + a.T) / 2
    assert np.allclose(graph.gallery.toarray(), symmetric / symmetric.sum(1, keepdims=True), atol=1e-5)
    asked = dense_edges(dense_affinity(looks.query, looks.gallery), lists.query, lists.gallery, sets, 15)
    assert np.allclose(graph.query.toarray(), asked / (1 + asked.sum(1, keepdims=True)), atol=1e-5)
    assert np.allclose(graph.query.sum(axis=1) + graph.own[:, 0], 1, atol=1e-5)


def test_transition_sets_hold_signed_gaps_of_cross_camera_neighbours_only():
    looks = np.array([[1, 0], [0.999, 0.04], [0.998, 0.06], [0, 1]], np.float32)
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    seen = images((1, 1, 100), (1, 2, 400), (1, 1, 90), (2, 3, 0))
    sets = transition_sets(looks, seen)
    assert {pair: gaps.tolist() for pair, gaps in sets.items()} == {
        (1, 2): [-310, -300],
        (2, 1): [300, 310],
        (3, 1): [-90],
        (3, 2): [-400],
    }


@pytest.mark.parametrize(("gap", "kept"), [(274, False), (275, True), (300, True), (325, True), (326, False)])
def test_a_gap_counts_within_25_frames_of_a_recorded_one(gap: int, *, kept: bool):
    sets = {(1, 2): np.array([300])}
    row = np.array([0])
    assert consistent(sets, images((1, 1, gap)), row, row, images((1, 2, 0))).tolist() == [kept]
    assert consistent(sets, images((1, 2, gap)), row, row, images((1, 1, 0))).tolist() == [False]


def test_without_time_an_image_has_its_three_nearest_itself_among_them():
    looks = Appearance(walkers(12), seed=1).features(0.3).gallery
    edges = adjacency(*nearest(looks, looks, 20), walkers(12).gallery, walkers(12).gallery, None)
    assert (np.diff(edges.indptr) == KS).all()
    assert np.allclose(edges.diagonal(), 1, atol=1e-6)


def test_propagation_without_projection_keeps_a_graph_of_copies_as_it_is():
    looks = SimpleNamespace(train=np.eye(2, dtype=np.float32), query=np.eye(2, dtype=np.float32)[:1])
    looks.gallery = np.repeat(np.eye(2, dtype=np.float32), 3, axis=0)
    seen = images(*[(1, 1, 0)] * 3, *[(2, 1, 0)] * 3)
    lists = TimedLists(images((1, 1, 0), (2, 2, 0)), images((1, 2, 0)), seen)
    query, gallery = GFusion(lists, looks, with_time=False).embed(None)
    assert np.allclose(query, looks.query)
    assert np.allclose(gallery, looks.gallery)


def some_people(part: TimedImages, every: int) -> TimedImages:
    kept = part.person_ids % every == 0
    return TimedImages(part.person_ids[kept], part.camera_ids[kept], part.frames[kept])


@pytest.mark.shared_data
def test_time_gains_on_a_tenth_of_the_real_people(shared_data: Path):
    whole = read_timed_lists(shared_data / "reid_lists" / "market")
    lists = TimedLists(*(some_people(part, 10) for part in (whole.train, whole.query, whole.gallery)))
    appearance = Appearance(lists, seed=1)
    features = appearance.features(solve_strength(lists, appearance, wanted_map=0.604))
    looks = score(lists, visual_rows(FusionCase(lists, features))).map_rectangle
    assert looks == pytest.approx(0.604, abs=0.001)
    assert score(lists, GFusion(lists, features).rows(0, hidden=256)).map_rectangle > looks + 0.02


@pytest.mark.shared_data
def test_the_real_lists_have_their_published_size(shared_data: Path):
    lists = read_timed_lists(shared_data / "reid_lists" / "market")
    assert (len(lists.train), len(lists.query), len(lists.gallery)) == (12_936, 3_368, 15_913)
    assert np.count_nonzero(lists.gallery.person_ids == 0) == 2_798


def gain(lists: TimedLists, features: object, *, with_time: bool) -> float:
    """Points of mAP over looks alone, mean of five projections."""
    looks = score(lists, visual_rows(FusionCase(lists, features))).map_rectangle
    graph = GFusion(lists, features, with_time=with_time)
    fused = [score(lists, graph.rows(seed)).map_rectangle for seed in PROJECTIONS]
    return 100 * (float(np.mean(fused)) - looks)


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.parametrize("seed", STRENGTHS)
def test_gains_are_those_of_the_papers_table_2(shared_data: Path, seed: int):
    lists = read_timed_lists(shared_data / "reid_lists" / "market")
    appearance = Appearance(lists, seed=seed)
    strengths = [solve_strength(lists, appearance, wanted_map=wanted) for wanted in (0.754, 0.604)]
    assert strengths == pytest.approx(STRENGTHS[seed], rel=0.01)
    good, weak = (appearance.features(strength) for strength in strengths)
    assert 8 <= gain(lists, good, with_time=True) <= 13  # published: +10.5
    assert gain(lists, weak, with_time=True) == pytest.approx(14, abs=2)
    assert gain(lists, weak, with_time=False) == pytest.approx(0, abs=1.5)  # published: -0.1
