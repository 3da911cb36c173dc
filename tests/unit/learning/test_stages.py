from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from learning_sets import make_set

from reid_core.errors import CheckpointError, LearningDivergedError, LearningMemoryError
from reid_core.learning.augmentation import Augmentation
from reid_core.learning.device import Device
from reid_core.learning.free_samplers import FreeSampler
from reid_core.learning.objectives import BatchHard, Proxies
from reid_core.learning.prefetch import Prefetched
from reid_core.learning.recipes import Optimisation
from reid_core.learning.relations import PairWeights, Relations
from reid_core.learning.stages import Stage, train_stage
from reid_core.models.network import ReidNetwork
from reid_core.models.network_recipe import NetworkRecipe

_RECIPE = NetworkRecipe("small", None, 64, 32, output_stride=16, global_dim=8, stripes=2, stripe_dim=4)


class _Trunk(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(3, 8, 7, 4, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.Conv2d(8, 16, 3, 4, 1)
        )

    def forward_features(self, image):
        return self.layers(image)


def _network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return ReidNetwork(_RECIPE, _Trunk(), 16)


def _relations(tracklets):
    seen = tracklets.sightings
    nothing = PairWeights.none()
    return Relations(
        seen.cameras, seen.starts_s, seen.ends_s, positives=nothing, doubtful=nothing, apart_s=5.0, one_camera=True
    )


def _stage(tracklets, objective, iterations=12, **changes):
    stage = Stage(
        number=1,
        identity="test",
        sampler=FreeSampler(tracklets.first_crop, tracklets.cameras),
        objective=objective,
        pictures=tracklets.images,
        light=110.0,
        augmentation=Augmentation(),
        optimisation=Optimisation(checkpoint_every=5, warm_up=2, learning_rate=1e-3),
        iterations=iterations,
        tracklets=4,
    )
    return replace(stage, **changes)


def _proxies(tracklets):
    start = torch.randn(len(tracklets), 16, generator=torch.Generator().manual_seed(0))
    return Proxies(start, _relations(tracklets), temperature=0.1)


class _StoppedError(Exception):
    pass


def _stop_at(number):
    def report(done, _loss):
        if done == number:
            raise _StoppedError

    return report


@pytest.mark.parametrize("stop", [3, 5, 11])
def test_an_interrupted_stage_ends_with_the_same_bits(tmp_path, stop):
    tracklets, _ = make_set()
    whole, torn = _network(), _network()
    straight = train_stage(
        whole, _stage(tracklets, _proxies(tracklets)), device=Device(), seed=3, checkpoint=tmp_path / "a"
    )
    with pytest.raises(_StoppedError):
        train_stage(
            torn,
            _stage(tracklets, _proxies(tracklets)),
            device=Device(),
            seed=3,
            checkpoint=tmp_path / "b",
            report=_stop_at(stop),
        )
    again = _network()  # as a new process would build it
    resumed = train_stage(
        again, _stage(tracklets, _proxies(tracklets)), device=Device(), seed=3, checkpoint=tmp_path / "b"
    )
    assert resumed == straight
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_training_brings_the_loss_down(tmp_path):
    tracklets, _ = make_set()
    seen = []
    train_stage(
        _network(),
        _stage(tracklets, _proxies(tracklets), iterations=60),
        device=Device(),
        seed=0,
        checkpoint=tmp_path / "c",
        report=lambda _done, loss: seen.append(loss),
    )
    assert seen[-1] < 0.6 * seen[0]


def test_a_checkpoint_of_another_stage_is_refused(tmp_path):
    tracklets, _ = make_set()
    how = {"device": Device(), "seed": 0, "checkpoint": tmp_path / "c"}
    train_stage(_network(), _stage(tracklets, BatchHard(margin=0.3), iterations=5), **how)
    with pytest.raises(CheckpointError, match="belongs to test"):
        train_stage(_network(), _stage(tracklets, BatchHard(margin=0.3), identity="other"), **how)
    (tmp_path / "c").write_bytes(b"broken")
    with pytest.raises(CheckpointError):
        train_stage(_network(), _stage(tracklets, BatchHard(margin=0.3)), **how)


class _Wrong(BatchHard):
    """Fails as told; otherwise the batch-hard loss."""

    def __init__(self, act):
        super().__init__(margin=0.3)
        self._act = act

    def loss(self, vectors, batch):
        self._act(batch)
        return super().loss(vectors, batch)


def test_a_loss_that_is_no_number_ends_the_stage(tmp_path):
    tracklets, _ = make_set()

    class Diverged(BatchHard):
        def loss(self, vectors, batch):
            return super().loss(vectors, batch) * float("nan")

    with pytest.raises(LearningDivergedError, match="after 0 iterations of test"):
        train_stage(
            _network(), _stage(tracklets, Diverged(margin=0.3)), device=Device(), seed=0, checkpoint=tmp_path / "c"
        )


def test_a_batch_that_does_not_fit_is_halved_and_training_goes_on(tmp_path):
    tracklets, _ = make_set()
    sizes = []

    def refuse(batch):
        sizes.append(len(batch))
        if len(batch) > 8:
            raise torch.OutOfMemoryError("CUDA out of memory")

    outcome = train_stage(
        _network(), _stage(tracklets, _Wrong(refuse)), device=Device(), seed=0, checkpoint=tmp_path / "c"
    )
    assert outcome.halvings == 1
    assert sizes == [16] + [8] * 12


def test_memory_that_never_suffices_ends_the_stage(tmp_path):
    tracklets, _ = make_set()

    def refuse(_batch):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(LearningMemoryError):
        train_stage(_network(), _stage(tracklets, _Wrong(refuse)), device=Device(), seed=0, checkpoint=tmp_path / "c")


def test_other_errors_are_not_taken_for_lack_of_memory(tmp_path):
    tracklets, _ = make_set()

    def refuse(_batch):
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        train_stage(_network(), _stage(tracklets, _Wrong(refuse)), device=Device(), seed=0, checkpoint=tmp_path / "c")


def test_prefetched_items_come_in_order_and_errors_where_they_belong():
    def make(number):
        if number == 7:
            raise KeyError(number)
        return np.full(2, number)

    with Prefetched(make, 3, 7) as items:
        assert [int(item[0]) for item in items] == [3, 4, 5, 6]
    seen = []
    with pytest.raises(KeyError), Prefetched(make, 5, 9) as items:
        seen.extend(int(item[0]) for item in items)
    assert seen == [5, 6]


def test_leaving_early_ends_the_thread():
    with Prefetched(lambda number: number, 0, 1000) as items:
        assert next(iter(items)) == 0
