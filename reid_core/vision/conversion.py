"""Torch modules to OpenVINO networks, without the usage reports that OpenVINO's own converter sends."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reid_core.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

__all__ = ["export_network", "to_openvino"]


def to_openvino(module: torch.nn.Module, example: torch.Tensor, *, shape: Sequence[int]) -> Any:
    """Trace a module of one input and convert it; the result is an ``openvino.Model``.

    Args:
        module: In evaluation mode.
        example: Fixes the input's type and rank.
        shape: The input's shape, -1 where it varies.

    Raises:
        RuntimeError: If the module holds an operation that cannot be converted.
    """
    import openvino as ov
    import torch
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # tracing warns about each constant it sees
        decoder = TorchScriptPythonDecoder(module, example_input=example)
        front_end = FrontEndManager().load_by_framework("pytorch")
        network = front_end.convert(front_end.load(decoder))
    network.inputs[0].get_node().set_element_type(ov.Type(_numpy_type(example)))
    network.reshape({network.inputs[0]: ov.PartialShape(list(shape))})
    network.validate_nodes_and_infer_types()
    return network


def export_network(build: Callable[[], torch.nn.Module], folder: str, *, height_px: int, width_px: int) -> int:
    """Write a network that sees one BGR picture to ``folder/network.xml``: the end of an exporter's process.

    Args:
        build: Makes the network, in evaluation mode.
        folder: Where to.
        height_px: Of a picture.
        width_px: Of a picture.

    Returns:
        The process's exit code: 0, or 2 with a line on standard error where the weights are not the network's.
    """
    import openvino as ov
    import torch

    try:
        network = build()
    except WeightsError as error:
        sys.stderr.write(f"{error.detail}\n")
        return 2
    shape = (1, height_px, width_px, 3)
    converted = to_openvino(network, torch.zeros(shape, dtype=torch.uint8), shape=shape)
    ov.save_model(converted, Path(folder) / "network.xml", compress_to_fp16=False)
    return 0


def _numpy_type(example: torch.Tensor) -> Any:
    return example.numpy().dtype
