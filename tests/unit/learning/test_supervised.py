from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from learning_sets import make_set
from small_stages import StoppedError, small_network

from reid_core.errors import TooLittleToLearnError, WeightsError
from reid_core.learning.batches import batch_of
from reid_core.learning.cycle import cycle_steps, run_step
from reid_core.learning.learner_parts import LossForm
from reid_core.learning.losses.triplet import batch_hard_loss
from reid_core.learning.recipes import Optimisation, Recipe, Sampling
from reid_core.learning.supervised import IdentityAndTriplet, people_of, with_classifier, without_classifier
from reid_core.models.network import build_network
from reid_core.models.network_recipe import NetworkRecipe

_NETWORK = NetworkRecipe("mobilenetv2_035", None, 64, 32, global_dim=16, stripes=2, stripe_dim=8)
_SOURCE = Recipe(
    name="source",
    network=_NETWORK,
    loss=LossForm.LABELS,
    sampling=Sampling(tracklets=4, crops=2),
    optimisation=Optimisation(within_iterations=4, checkpoint_every=2, warm_up=1),
)


@pytest.fixture(scope="module")
def labelled():
    made, people = make_set(people=6, crops=4)
    return replace(made, in_camera_ids=people + 100), people


def _run(folder, step, **how):
    return run_step(step, folder, recipe=_SOURCE, seed=5, weights=None, threads=1, **how).metrics


def test_the_loss_is_identity_and_triplet():
    network, people = with_classifier(small_network(), 3, seed=0), np.array([0, 1, 2, 0])
    objective = IdentityAndTriplet(network, people, margin=0.3)
    batch = batch_of([0, 3, 1], [9, 9, 8], [np.array([0]), np.array([1]), np.array([2])])
    vectors = torch.randn(3, 16, generator=torch.Generator().manual_seed(0))
    logits, labels = vectors @ network.classifier.weight.T, torch.tensor([0, 0, 1])
    identity = (torch.logsumexp(logits, 1) - logits[torch.arange(3), labels]).mean()
    expected = identity + batch_hard_loss(vectors, labels, margin=0.3)
    assert objective.loss(vectors, batch).item() == pytest.approx(expected.item(), rel=1e-6)
    assert "classifier.weight" in network.state_dict()
    assert not any(name.startswith("classifier") for name in without_classifier(network).state_dict())


def test_people_are_numbered_whatever_their_camera_and_every_one_needs_a_label(labelled):
    tracklets, people = labelled
    assert people_of(tracklets).tolist() == people.tolist()
    with pytest.raises(TooLittleToLearnError, match="12 of 12 tracklets"):
        people_of(replace(tracklets, in_camera_ids=None))
    with pytest.raises(TooLittleToLearnError, match="1 of 12 tracklets"):
        people_of(replace(tracklets, in_camera_ids=np.where(np.arange(12) == 3, -1, people)))


def test_a_source_is_one_long_stage_that_may_be_broken_off(labelled, tmp_path):
    assert cycle_steps(_SOURCE) == ("supervise", "finish")
    for name in ("straight", "torn"):
        labelled[0].save(tmp_path / name / "tracklets")

    def stop(progress):
        if progress.done == 3:
            raise StoppedError

    with contextlib.suppress(StoppedError):
        _run(tmp_path / "torn", "supervise", report=stop)
    said = [[_run(tmp_path / name, step) for step in cycle_steps(_SOURCE)] for name in ("torn", "straight")]
    assert said[0] == said[1]
    vectors = [np.load(tmp_path / name / "finish" / "vectors.npy") for name in ("torn", "straight")]
    assert np.array_equal(*vectors)
    learned = tmp_path / "torn" / "finish" / "model.safetensors"
    start = build_network(replace(_NETWORK, whitened=True), learned, seed=1).state_dict()
    stored = torch.nn.Module.state_dict(build_network(_NETWORK, learned, seed=2))
    assert all(torch.equal(tensor, start[name]) for name, tensor in stored.items()), "a start takes trunk and heads"
    fewer = build_network(replace(_NETWORK, stripes=0), learned, seed=1).state_dict()
    assert torch.equal(fewer["trunk.conv_stem.weight"], start["trunk.conv_stem.weight"])
    with pytest.raises(WeightsError, match="no mobilenetv2_050"):
        build_network(replace(_NETWORK, architecture="mobilenetv2_050"), learned)
