"""An ImageNet network that turns person crops into striped features, run by OpenVINO.

The published weights are converted once (see `backbone_export`); the converted network is kept in a cache folder under
a name made of the weights' hash and the recipe. Later runs load it without torch.
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from reid_core.vision.appearance import balance_light
from reid_core.vision.network_cache import network_once
from reid_core.vision.weights import sha256_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reid_core.types import FloatArray, ImageBGR

__all__ = ["Backbone", "BackboneRecipe", "load_backbone"]

_EXPORTER = "reid_core.models.backbone_export"
_LIGHT = 110.0


@dataclass(frozen=True, slots=True)
class BackboneRecipe:
    """Which network, how large it sees a crop, and which of its stages is kept.

    Attributes:
        architecture: Name in timm; the weights are matched to it in order of their keys.
        stage: Number of the stage (of ``feature_info``) whose output is pooled; later stages are cut off.
        stripes: Horizontal bands that its output is pooled into, centre first.
        height_px: Crops are resized to this height ...
        width_px: ... and this width.
        mean: Subtracted from RGB in ``[0, 1]``.
        std: Divides what is left.
        version: Raised whenever the same recipe would convert to another network.
    """

    architecture: str = "mobilenetv2_100"
    stage: int = 3
    stripes: int = 8
    height_px: int = 128
    width_px: int = 64
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    version: int = 1

    @property
    def name(self) -> str:
        """Short, and different for recipes that differ."""
        return f"{self.architecture}-s{self.stage}x{self.stripes}-{sha256(self.to_json().encode()).hexdigest()[:8]}"

    def to_json(self) -> str:
        """All fields, in order of their names."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> BackboneRecipe:
        """Inverse of `to_json`."""
        fields = json.loads(text)
        return BackboneRecipe(**{**fields, "mean": tuple(fields["mean"]), "std": tuple(fields["std"])})


class Backbone:
    """A compiled network; several threads may use it at once.

    Crops go through one by one: batches would save little (a sixth at best, measured), and a crop's features never
    depend on its companions. The network computes in float32 whatever the processor offers, so that vectors of
    two machines are comparable.
    """

    def __init__(self, network: Path, *, identity: str, threads: int = 0) -> None:
        import openvino as ov

        self.identity = identity
        options = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1}
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        core: Any = ov.Core()
        self._compiled: Any = core.compile_model(core.read_model(network), "CPU", options)
        _, height, width, _ = self._compiled.input(0).shape
        self._size_px = (int(width), int(height))
        self._local = threading.local()

    def features(self, crops: Sequence[ImageBGR]) -> FloatArray:
        """Striped features of crops of any size. ``N`` images to ``(N, stripes, channels)``, each stripe L2-normalised.

        Raises:
            ValueError: If there are no crops.
        """
        if not crops:
            raise ValueError("there must be at least one crop")
        return np.stack([self._of_one(crop) for crop in crops])

    def _of_one(self, crop: ImageBGR) -> FloatArray:
        shrinks = crop.shape[0] > self._size_px[1]
        resized = cv2.resize(crop, self._size_px, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        request = self._request()
        request.infer([balance_light(resized, light=_LIGHT)[None]], share_inputs=True)
        features: FloatArray = np.array(request.get_output_tensor(0).data[0], np.float32)
        return features

    def _request(self) -> Any:
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        return request


def load_backbone(weights: Path, recipe: BackboneRecipe, *, cache_dir: Path, threads: int = 0) -> Backbone:
    """Compile the network for this machine, converting it first where the cache does not hold it.

    Args:
        weights: The published checkpoint.
        recipe: What to build of it.
        cache_dir: Where converted networks are kept; made if absent.
        threads: Threads of one inference, 0 = all.

    Raises:
        WeightsError: If the file does not hold weights of the recipe's architecture.
        StorageError: If ``cache_dir`` cannot be written to.
    """
    identity = f"{recipe.name}-{sha256_of(weights)[:16]}"
    folder = cache_dir / "networks" / identity
    arguments = [recipe.to_json(), str(weights.resolve())]
    return Backbone(network_once(folder, exporter=_EXPORTER, arguments=arguments), identity=identity, threads=threads)
