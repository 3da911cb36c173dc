"""Find people in pictures with a YOLO network, on the processor through OpenVINO or on a GPU through torch."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

import numpy as np

from reid_core.errors import WeightsError
from reid_core.vision.detector_export import converted_network
from reid_core.vision.detector_head import AnchorGrid, DetectorSettings, find_people
from reid_core.vision.letterbox import Letterbox

if TYPE_CHECKING:
    from pathlib import Path

    from reid_core.ports import Detector
    from reid_core.types import Detections, ImageBGR

__all__ = ["DetectorSettings", "OpenVinoDetector", "load_detector"]

_SIZES_KEPT = 8
_PRECISIONS = ("auto", "f32", "bf16", "f16")


def load_detector(
    *,
    weights: Path,
    cache_dir: Path,
    backend: str = "openvino",
    precision: str = "auto",
    threads: int = 0,
    streams: int = 1,
    settings: DetectorSettings | None = None,
) -> Detector:
    """A detector of people that several threads may share.

    Args:
        weights: Verified YOLO weights (see `weights.resolve`).
        cache_dir: Where the converted network is kept, by content of the weights.
        backend: ``openvino``; ``torch`` (a CUDA device where there is one), ``torch:cpu`` or ``torch:cuda:1``.
        precision: ``auto`` takes the processor's quickest, ``f32`` repeats across processors; or ``bf16``, ``f16``.
        threads: Threads of the processor in all, 0 = every core.
        streams: Pictures worked on at once by OpenVINO; 1 is quickest for one caller.
        settings: Input size and thresholds.

    Raises:
        ValueError: If backend or precision is unknown.
        WeightsError: If the weights do not hold a YOLO detector whose first class is a person.
    """
    settings = settings or DetectorSettings()
    if precision not in _PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(_PRECISIONS)}, got {precision!r}")
    if backend == "openvino":
        network = converted_network(weights, cache_dir)
        return OpenVinoDetector(network, precision=precision, threads=threads, streams=streams, settings=settings)
    name, _, device = backend.partition(":")
    if name != "torch":
        raise ValueError(f"backend must be openvino or torch, got {backend!r}")
    from reid_core.vision.detector_torch import TorchDetector

    return TorchDetector(weights, device=device, precision=precision, threads=threads, settings=settings)


class OpenVinoDetector:
    """A converted network, compiled once for each size of input canvas; safe to share between threads."""

    def __init__(
        self, network: Path, *, precision: str, threads: int, streams: int, settings: DetectorSettings
    ) -> None:
        import openvino as ov

        self._settings = settings
        self._core: Any = ov.Core()
        self._network = network
        self._options: dict[str, object] = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": streams}
        if threads:
            self._options["INFERENCE_NUM_THREADS"] = threads
        if precision != "auto":
            self._options["INFERENCE_PRECISION_HINT"] = precision
        self._compiled: OrderedDict[tuple[int, int], _CompiledSize] = OrderedDict()
        self._lock = threading.Lock()

    def detect(self, image: ImageBGR) -> Detections:
        """People in one picture, most confident first, boxes clipped to the picture.

        Args:
            image: BGR. Shape ``(H, W, 3)``, uint8.

        Raises:
            ValueError: If the picture has another shape or type.
        """
        letterbox = Letterbox.for_picture(image, longest_px=self._settings.longest_px)
        return self._size(letterbox).detect(image, letterbox, self._settings)

    def effective_precision(self) -> str:
        """The precision OpenVINO really computes in on this processor, such as ``bf16``."""
        longest_px = self._settings.longest_px
        return self._size(Letterbox.fit(longest_px, longest_px, longest_px=longest_px)).precision

    def _size(self, letterbox: Letterbox) -> _CompiledSize:
        """The network for this canvas; the size used longest ago makes room."""
        key = letterbox.canvas_size_px
        with self._lock:
            if key not in self._compiled:
                self._compiled[key] = self._compile(key)
                if len(self._compiled) > _SIZES_KEPT:
                    self._compiled.popitem(last=False)
            self._compiled.move_to_end(key)
            return self._compiled[key]

    def _compile(self, canvas_size_px: tuple[int, int]) -> _CompiledSize:
        width, height = canvas_size_px
        try:
            model = self._core.read_model(self._network)
        except RuntimeError as error:
            raise WeightsError(f"{self._network} is damaged; delete its folder to have it made again") from error
        model.reshape({model.input(0): (1, height, width, 3)})
        return _CompiledSize(self._core.compile_model(model, "CPU", self._options), canvas_size_px)


class _CompiledSize:
    """The network for one canvas and its idle requests; each call borrows one, so that callers never share buffers."""

    def __init__(self, compiled: Any, canvas_size_px: tuple[int, int]) -> None:
        self._compiled = compiled
        self._grid = AnchorGrid.over(canvas_size_px)
        self._idle: deque[_Request] = deque()
        self.precision = str(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())

    def detect(self, image: ImageBGR, letterbox: Letterbox, settings: DetectorSettings) -> Detections:
        try:
            request = self._idle.pop()
        except IndexError:
            request = _Request(self._compiled)
        try:
            return request.detect(image, letterbox, self._grid, settings)
        finally:
            self._idle.append(request)


class _Request:
    """One inference at a time, with an input canvas that is written in place."""

    def __init__(self, compiled: Any) -> None:
        import openvino as ov

        self._request = compiled.create_infer_request()
        self._painted: Letterbox | None = None
        self._canvas: ImageBGR = np.empty(tuple(compiled.input(0).shape)[1:], dtype=np.uint8)
        self._request.set_input_tensor(ov.Tensor(self._canvas[None], shared_memory=True))

    def detect(self, image: ImageBGR, letterbox: Letterbox, grid: AnchorGrid, settings: DetectorSettings) -> Detections:
        if self._painted != letterbox:
            self._canvas[:] = letterbox.blank()
            self._painted = letterbox
        letterbox.paint(image, self._canvas)
        self._request.infer()
        logits, sides = (self._request.get_output_tensor(output).data[0] for output in (0, 1))
        return find_people(logits, sides, grid=grid, letterbox=letterbox, settings=settings)
