from __future__ import annotations

import numpy as np
import pytest
import torch
from graph_cases import crowd, walks_of_100_s
from scipy.sparse import csr_array, eye_array

from reid_core.graph.affinity import graph_edges, row_normalised, symmetric
from reid_core.graph.neighbours import nearest_in
from reid_core.graph.propagation import RandomProjection, propagate
from reid_core.graph.propagation_torch import propagate_on

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("projection", [None, RandomProjection(seed=2, width=40)])
def test_torch_propagates_as_scipy_does(device: str, projection: RandomProjection | None):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    people = crowd(4, 120)
    edges = graph_edges(nearest_in(people.looks, 20), columns=120, rule=walks_of_100_s(people, people))
    graph = row_normalised(symmetric(edges))
    ours = propagate(graph, people.looks, layers=3, projection=projection)
    theirs = propagate_on(device, graph, people.looks, layers=3, projection=projection)
    assert len(theirs) == 4
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6 if device == "cpu" else 1e-4)


def test_nobody_is_propagated():
    assert [layer.shape for layer in propagate_on("cpu", csr_array((0, 0)), np.zeros((0, 3), np.float32))] == [
        (0, 3)
    ] * 3


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"adjacency \(2, 2\) does not fit 3 nodes"):
        propagate_on("cpu", csr_array(eye_array(2)), np.eye(3))
    with pytest.raises(ValueError, match="1 layer or more, got 0"):
        propagate_on("cpu", csr_array(eye_array(3)), np.eye(3), layers=0)
