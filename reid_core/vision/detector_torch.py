"""The same network on torch: for a GPU, and as the yardstick of the converted one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from reid_core.vision.detector_export import person_network
from reid_core.vision.detector_head import AnchorGrid, DetectorSettings, find_people
from reid_core.vision.letterbox import Letterbox

if TYPE_CHECKING:
    from pathlib import Path

    from reid_core.types import Detections, ImageBGR

__all__ = ["TorchDetector"]


class TorchDetector:
    """A YOLO network in torch on one device; calls from several threads take turns.

    Args:
        weights: Verified YOLO weights.
        device: ``cpu``, ``cuda``, ``cuda:1``; empty = CUDA where there is a device, else the processor.
        precision: ``auto`` is f16 on a GPU and f32 on the processor.
        threads: Threads of the processor, 0 = torch's default.
        settings: Input size and thresholds.
    """

    def __init__(self, weights: Path, *, device: str, precision: str, threads: int, settings: DetectorSettings) -> None:
        network: Any = person_network(weights)  # first, since it prepares torchvision
        import torch

        if threads:
            torch.set_num_threads(threads)
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        if precision == "auto":
            precision = "f16" if self._device.type == "cuda" else "f32"
        dtype = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}[precision]
        self._network = network.to(device=self._device, dtype=dtype).to(memory_format=torch.channels_last)
        self._settings = settings
        self._lock = threading.Lock()

    def detect(self, image: ImageBGR) -> Detections:
        """People in one picture, most confident first, boxes clipped to the picture.

        Args:
            image: BGR. Shape ``(H, W, 3)``, uint8.

        Raises:
            ValueError: If the picture has another shape or type.
        """
        import torch

        letterbox = Letterbox.for_picture(image, longest_px=self._settings.longest_px)
        canvas = letterbox.blank()
        letterbox.paint(image, canvas)
        with self._lock, torch.inference_mode():
            logits, sides = self._network(torch.from_numpy(canvas)[None].to(self._device))
            logits, sides = (output[0].float().cpu().numpy() for output in (logits, sides))
        grid = AnchorGrid.over(letterbox.canvas_size_px)
        return find_people(logits, sides, grid=grid, letterbox=letterbox, settings=self._settings)
