"""Where a network is trained: the process's arithmetic is its own again afterwards."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reid_core.learning.device import training_device

_TINY = np.float32(1e-40)  # below the smallest number of full precision, 1.2e-38


def _survives() -> bool:
    return bool((torch.tensor([_TINY]) * 1.0).item() != 0.0)


def test_tiny_numbers_count_as_nought_only_within():
    assert _survives()
    with training_device():
        assert not _survives()
    assert _survives()


def _fail_with(threads: int) -> None:
    with training_device(threads=threads):
        raise ZeroDivisionError(torch.get_num_threads())


def test_the_process_is_put_back_after_an_error():
    threads = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError, match=str(threads + 1)):
        _fail_with(threads + 1)
    assert torch.get_num_threads() == threads
    assert _survives()
