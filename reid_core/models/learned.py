"""An embedder that a learning cycle made, run by OpenVINO.

The network is converted once, by a process of its own (see `learned_export`); later runs load it without torch.
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from reid_core.errors import ModelFilesError
from reid_core.models.network_recipe import NetworkRecipe
from reid_core.models.pictures import balanced_pictures, fitted_picture
from reid_core.types import Embedding
from reid_core.vision.network_cache import network_once
from reid_core.vision.weights import sha256_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reid_core.types import FloatArray, ImageBGR

__all__ = ["LearnedEmbedder", "load_learned"]

_EXPORTER = "reid_core.models.learned_export"
_EXPORT_VERSION = 1  # raise it whenever equal weights would be converted to another network


class LearnedEmbedder:
    """Embeds the crops of a tracklet; several threads may use one embedder.

    Crops go through one by one in float32, so a crop's vector depends neither on the crops beside it nor on the
    processor. A tracklet's vector is the mean of what the network gives for its crops, at length 1.
    """

    def __init__(self, network: Path, recipe: NetworkRecipe, *, model_id: str, threads: int = 0) -> None:
        import openvino as ov

        options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1}
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        core: Any = ov.Core()
        self._compiled: Any = core.compile_model(core.read_model(network), "CPU", options)
        self._recipe, self._model_id = recipe, model_id
        self._local = threading.local()

    @property
    def model_id(self) -> str:
        """Recipe and weights."""
        return self._model_id

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._recipe.dim

    def embed(self, crops: Sequence[ImageBGR]) -> Embedding:
        """Embed one tracklet's crops (at least one).

        Raises:
            ValueError: If there is no crop, or one is not BGR uint8.
        """
        if not crops:
            raise ValueError("a tracklet without crops cannot be embedded")
        vectors = np.stack([self._of_one(crop) for crop in crops])
        return Embedding(self.model_id, _normalised(vectors.mean(axis=0)), _normalised(vectors))

    def _of_one(self, crop: ImageBGR) -> FloatArray:
        fitted = fitted_picture(crop, (self._recipe.width_px, self._recipe.height_px))
        request = self._request()
        request.infer([balanced_pictures(fitted[None], light=self._recipe.light)], share_inputs=True)
        vector: FloatArray = np.array(request.get_output_tensor(0).data[0], np.float32)
        return vector

    def _request(self) -> Any:
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        return request


def load_learned(model_folder: Path, *, cache_dir: Path, threads: int = 0) -> LearnedEmbedder:
    """The embedder of a learned model, its network converted on first use.

    Args:
        model_folder: Holds ``model.safetensors`` and ``recipe.json``.
        cache_dir: Where converted networks are kept; made if absent.
        threads: Threads of one inference, 0 = all.

    Raises:
        ModelFilesError: If a file is missing or broken.
        WeightsError: If the weights are not the recipe's.
        StorageError: If ``cache_dir`` cannot be written to.
    """
    weights = model_folder / "model.safetensors"
    name, recipe = _read_recipe(model_folder / "recipe.json")
    if not weights.is_file():
        raise ModelFilesError(f"{weights} is missing")
    model_id = f"{name}-{sha256_of(weights)[:16]}"
    arguments = [json.dumps(asdict(recipe)), str(weights.resolve())]
    folder = cache_dir / "networks" / f"{model_id}-v{_EXPORT_VERSION}"
    network = network_once(folder, exporter=_EXPORTER, arguments=arguments)
    return LearnedEmbedder(network, recipe, model_id=model_id, threads=threads)


def _read_recipe(path: Path) -> tuple[str, NetworkRecipe]:
    """Name of the learning recipe, and its network."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return str(document["name"]), NetworkRecipe.from_fields(document["network"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFilesError(f"{path}: {error}") from error


def _normalised(rows: FloatArray) -> FloatArray:
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    normalised: FloatArray = (rows / np.maximum(length, 1e-12)).astype(np.float32)
    return normalised
