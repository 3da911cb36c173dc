"""Turn published YOLO weights into the network Reknit runs: one class, raw head, BGR bytes in.

The only module that imports ultralytics. Converting happens once for each weights file, in a process of its own
(``python -m reid_core.vision.detector_export WEIGHTS FOLDER``), so that no torch stays in the memory of ingest.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reid_core.errors import WeightsError
from reid_core.vision.conversion import to_openvino
from reid_core.vision.network_cache import network_once
from reid_core.vision.weights import sha256_of

if TYPE_CHECKING:
    import torch

__all__ = ["converted_network", "person_network"]

_RECIPE = "person-1"  # raise it whenever the converted network changes
_PERSON = 0
_ENVIRONMENT = {"YOLO_OFFLINE": "1", "YOLO_AUTOINSTALL": "0", "ULTRALYTICS_SAFE_LOAD": "1", "YOLO_VERBOSE": "false"}


def converted_network(weights: Path, cache_dir: Path) -> Path:
    """The OpenVINO network (``.xml`` beside its ``.bin``) of these weights, converted on first use.

    Its folder is named by the content of the weights and the recipe, and appears whole or not at all; of two processes
    that convert at once the later uses the earlier one's result.

    Raises:
        WeightsError: If the file does not hold a YOLO detector whose first class is a person.
        StorageError: If ``cache_dir`` cannot be written to.
    """
    folder = cache_dir / "networks" / f"{weights.stem}-{sha256_of(weights)[:16]}-{_RECIPE}"
    return network_once(folder, exporter=__name__, arguments=[str(weights.resolve())])


def person_network(weights: Path) -> torch.nn.Module:
    """The detector as a torch module: BGR bytes ``(1, H, W, 3)`` to logits ``(1, A)`` and sides ``(1, A, 64)``.

    The last layer keeps the person class only, and the first one takes bytes in BGR: both exact rewritings.

    Raises:
        WeightsError: If the file does not hold a YOLO detector whose first class is a person.
    """
    import torch

    model = _load(weights)
    head = model.model[-1]
    if getattr(head, "reg_max", None) != 16 or str(model.names.get(_PERSON)) != "person" or len(head.cv3) != 3:
        raise WeightsError(f"{weights} holds no YOLO detector whose first class is a person")
    for branch in head.cv3:
        branch[-1] = _only_class(branch[-1], _PERSON)
    stem = model.model[0].conv
    stem.weight.data = stem.weight.detach().flip(1) / 255

    class PersonNetwork(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = model.model

        def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            feature: Any = image.permute(0, 3, 1, 2).to(stem.weight.dtype)
            seen: list[Any] = []
            for layer in self.layers[:-1]:
                feature = layer(_inputs(layer, feature, seen))
                seen.append(feature)
            levels = [seen[source] for source in head.f]
            logits = [branch(level).flatten(1) for branch, level in zip(head.cv3, levels, strict=True)]
            sides = [branch(level).flatten(2).transpose(1, 2) for branch, level in zip(head.cv2, levels, strict=True)]
            return torch.cat(logits, 1), torch.cat(sides, 1)

    return PersonNetwork().eval()


def _inputs(layer: Any, last: Any, seen: list[Any]) -> Any:
    """What a layer of an ultralytics model reads: the last output, an earlier one, or several."""
    if layer.f == -1:
        return last
    if isinstance(layer.f, int):
        return seen[layer.f]
    return [last if source == -1 else seen[source] for source in layer.f]


def _only_class(layer: Any, index: int) -> torch.nn.Conv2d:
    """A 1x1 convolution that keeps one output channel of another."""
    import torch

    kept = torch.nn.Conv2d(layer.in_channels, 1, 1)
    kept.weight = torch.nn.Parameter(layer.weight[index : index + 1].detach().clone())
    kept.bias = torch.nn.Parameter(layer.bias[index : index + 1].detach().clone())
    return kept


def _load(weights: Path) -> Any:
    """Read the checkpoint with ultralytics, which is kept from the network and from running what a pickle says."""
    os.environ.update(_ENVIRONMENT)
    with tempfile.TemporaryDirectory(prefix="reknit-ultralytics-") as folder:
        os.environ.setdefault("YOLO_CONFIG_DIR", folder)
        from reid_core.vision import torch_compat

        torch_compat.install()
        try:
            with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
                warnings.simplefilter("ignore")
                import ultralytics

                ultralytics.settings.update({"sync": False})
                return ultralytics.YOLO(str(weights), task="detect").model.float().eval().fuse(verbose=False)
        except Exception as error:
            raise WeightsError(f"{weights} cannot be read as YOLO weights ({error})") from error


def _convert(weights: Path, folder: Path) -> None:
    import openvino as ov
    import torch

    network = person_network(weights)
    converted = to_openvino(network, torch.zeros((1, 64, 64, 3), dtype=torch.uint8), shape=(1, -1, -1, 3))
    ov.save_model(converted, folder / "network.xml", compress_to_fp16=False)


def _main(weights: str, folder: str) -> int:
    try:
        _convert(Path(weights), Path(folder))
    except WeightsError as error:
        sys.stderr.write(" ".join(error.detail.split()) + "\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
