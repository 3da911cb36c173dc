"""Where a network is trained and in which precision; what differs between a processor and a GPU is kept here."""

from __future__ import annotations

import ctypes
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from reid_core.models.network import ReidNetwork

__all__ = ["Device", "training_device"]

_MALLOC_OPTIONS = ((-4, 0), (-1, 2**31 - 1), (-2, 1 << 28))  # no mmap, no trimming, grow by a quarter of a GiB


@dataclass(frozen=True, slots=True)
class Device:
    """A place to train.

    Attributes:
        name: As torch names it.
        bfloat16: Whether the trunk computes in half precision (weights and the loss stay in float32).
        compile: Whether the network is compiled first; takes a minute, pays on long stages of a GPU.
    """

    name: str = "cpu"
    bfloat16: bool = False
    compile: bool = False

    def placed(self, network: ReidNetwork) -> ReidNetwork:
        """The network there, its weights channels-last."""
        placed: ReidNetwork = network.to(self.name, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return placed

    def moved(self, pictures: NDArray[np.uint8]) -> torch.Tensor:
        """A batch of pictures there."""
        tensor = torch.from_numpy(pictures)
        return tensor if self.name == "cpu" else tensor.pin_memory().to(self.name, non_blocking=True)

    def precision(self) -> AbstractContextManager[Any]:
        """A context in which the network computes in this device's precision."""
        return torch.autocast(self.name.partition(":")[0], torch.bfloat16) if self.bfloat16 else nullcontext()

    def compiled(self, network: ReidNetwork) -> Callable[[torch.Tensor], torch.Tensor]:
        """The network's forward pass, compiled where that was asked for."""
        if not self.compile:
            return network
        forward: Callable[[torch.Tensor], torch.Tensor] = torch.compile(network)
        return forward

    def release(self) -> None:
        """Give cached memory back after it ran out."""
        if self.name != "cpu":
            torch.cuda.empty_cache()


def _keep_freed_memory() -> None:
    """Let the C library keep what a step frees for the next one: getting it anew took a tenth of a training step."""
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):  # glibc
        for option, value in _MALLOC_OPTIONS:
            library.mallopt(option, value)


@contextmanager
def training_device(*, threads: int = 0, compile_network: bool = False) -> Iterator[Device]:
    """A GPU in bfloat16 where there is one, else the processor; its arithmetic holds while the context lasts.

    Numbers too small for full precision count as nought meanwhile: on a processor they cost a hundred times the time.

    Args:
        threads: Of the processor, 0 = as torch finds them. The number decides rounding: equal results need equal ones.
        compile_network: Compile on a GPU.
    """
    threads_before = torch.get_num_threads()
    torch.set_flush_denormal(True)
    _keep_freed_memory()
    if threads:
        torch.set_num_threads(threads)
    try:
        if torch.cuda.is_available():
            yield Device("cuda", bfloat16=True, compile=compile_network)
        else:
            yield Device()
    finally:
        torch.set_num_threads(threads_before)
        torch.set_flush_denormal(False)
