"""Torch modules to OpenVINO networks, without the usage reports that OpenVINO's own converter sends."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

__all__ = ["to_openvino"]


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


def _numpy_type(example: torch.Tensor) -> Any:
    return example.numpy().dtype
