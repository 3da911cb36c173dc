"""Make torchvision importable where its compiled operators do not fit the installed torch.

A CPU build of torch beside a CUDA build of torchvision cannot load torchvision's operators, and then even pure Python
parts of it, and with them ultralytics and timm, fail on import. Call `install` before the first of these
imports; where the operators load it changes nothing.
"""

from __future__ import annotations

import functools
import importlib.util
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["install"]

_ONE_AT_A_TIME = threading.Lock()


def install() -> bool:
    """Give torchvision the operators it needs to be imported, if its own cannot be loaded.

    Returns:
        True where a replacement is in force, False where the compiled operators load or there is no torchvision.
    """
    with _ONE_AT_A_TIME:
        if _compiled_operators_load():
            return False
        _define_operators()
        _silence_operator_checks()
        return True


@functools.cache
def _compiled_operators_load() -> bool:
    import torch

    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True
    operators: Any = torch.ops  # untyped in torch's stubs
    libraries = sorted(Path(spec.origin).parent.glob("_C*.so"))
    try:
        for library in libraries:
            operators.load_library(str(library))
    except OSError:
        return False
    return bool(libraries)


@functools.cache
def _define_operators() -> object:
    """Declare ``nms`` and ``qnms``; the cache keeps the registration alive."""
    import torch

    make_library: Any = torch.library.Library  # untyped in torch's stubs
    library = make_library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.impl("nms", _nms, "CPU")
    kept_alive: object = library
    return kept_alive


def _nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Greedy suppression: indices of the kept boxes, best score first. ``(N, 4)``, ``(N,)`` to ``(K,)``, int64."""
    import torch

    order = torch.argsort(scores, descending=True, stable=True)
    boxes = boxes[order].to(torch.float32)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    alive = torch.ones(len(order), dtype=torch.bool)
    kept: list[int] = []
    for row in range(len(order)):
        if not alive[row]:
            continue
        kept.append(row)
        sides = torch.minimum(boxes[row, 2:], boxes[row + 1 :, 2:]) - torch.maximum(
            boxes[row, :2], boxes[row + 1 :, :2]
        )
        shared = sides.clamp(min=0).prod(dim=1)
        alive[row + 1 :] &= shared <= iou_threshold * (area[row] + area[row + 1 :] - shared)
    return order[torch.tensor(kept, dtype=torch.int64)]


def _silence_operator_checks() -> None:
    """Torchvision refuses its pure Python functions without compiled operators; ours stand in for them."""
    import torchvision.extension
    import torchvision.ops.boxes

    torchvision.extension._assert_has_ops = _do_nothing  # noqa: SLF001  torchvision has no public switch
    torchvision.ops.boxes._assert_has_ops = _do_nothing  # noqa: SLF001  as above


def _do_nothing() -> None:
    pass
