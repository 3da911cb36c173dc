from __future__ import annotations

import numpy as np
import pytest
import torch
from learning_sets import make_set
from small_stages import StoppedError, small_network, small_proxies, small_stage, stop_at

from reid_core.errors import CheckpointError, LearningDivergedError, LearningMemoryError
from reid_core.learning.device import Device
from reid_core.learning.objectives import BatchHard
from reid_core.learning.prefetch import Prefetched
from reid_core.learning.stages import train_stage


@pytest.mark.parametrize("stop", [3, 5, 11])
def test_an_interrupted_stage_ends_with_the_same_bits(tmp_path, stop):
    tracklets, _ = make_set()
    whole, torn = small_network(), small_network()
    straight = train_stage(
        whole, small_stage(tracklets, small_proxies(tracklets)), device=Device(), seed=3, checkpoint=tmp_path / "a"
    )
    with pytest.raises(StoppedError):
        train_stage(
            torn,
            small_stage(tracklets, small_proxies(tracklets)),
            device=Device(),
            seed=3,
            checkpoint=tmp_path / "b",
            report=stop_at(stop),
        )
    again = small_network()  # as a new process would build it
    resumed = train_stage(
        again, small_stage(tracklets, small_proxies(tracklets)), device=Device(), seed=3, checkpoint=tmp_path / "b"
    )
    assert resumed == straight
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_training_brings_the_loss_down(tmp_path):
    tracklets, _ = make_set()
    seen = []
    train_stage(
        small_network(),
        small_stage(tracklets, small_proxies(tracklets), iterations=60),
        device=Device(),
        seed=0,
        checkpoint=tmp_path / "c",
        report=lambda _done, loss: seen.append(loss),
    )
    assert seen[-1] < 0.6 * seen[0]


def test_a_checkpoint_of_another_stage_is_refused(tmp_path):
    tracklets, _ = make_set()
    how = {"device": Device(), "seed": 0, "checkpoint": tmp_path / "c"}
    train_stage(small_network(), small_stage(tracklets, BatchHard(margin=0.3), iterations=5), **how)
    with pytest.raises(CheckpointError, match="belongs to test"):
        train_stage(small_network(), small_stage(tracklets, BatchHard(margin=0.3), identity="other"), **how)
    (tmp_path / "c").write_bytes(b"broken")
    with pytest.raises(CheckpointError):
        train_stage(small_network(), small_stage(tracklets, BatchHard(margin=0.3)), **how)


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
            small_network(),
            small_stage(tracklets, Diverged(margin=0.3)),
            device=Device(),
            seed=0,
            checkpoint=tmp_path / "c",
        )


def test_a_batch_that_does_not_fit_is_halved_and_training_goes_on(tmp_path):
    tracklets, _ = make_set()
    sizes = []

    def refuse(batch):
        sizes.append(len(batch))
        if len(batch) > 8:
            raise torch.OutOfMemoryError("CUDA out of memory")

    outcome = train_stage(
        small_network(), small_stage(tracklets, _Wrong(refuse)), device=Device(), seed=0, checkpoint=tmp_path / "c"
    )
    assert outcome.halvings == 1
    assert sizes == [16] + [8] * 12


def test_memory_that_never_suffices_ends_the_stage(tmp_path):
    tracklets, _ = make_set()

    def refuse(_batch):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(LearningMemoryError):
        train_stage(
            small_network(), small_stage(tracklets, _Wrong(refuse)), device=Device(), seed=0, checkpoint=tmp_path / "c"
        )


def test_other_errors_are_not_taken_for_lack_of_memory(tmp_path):
    tracklets, _ = make_set()

    def refuse(_batch):
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        train_stage(
            small_network(), small_stage(tracklets, _Wrong(refuse)), device=Device(), seed=0, checkpoint=tmp_path / "c"
        )


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
