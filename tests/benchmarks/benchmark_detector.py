"""The detector's backends and precisions side by side on one picture size, in turns: which one the default should be.

Each contender takes the whole way of a picture: letterbox, network, decoding, suppression. ``--video`` takes pictures
from a file; without it they are noise, on which a network takes as long but finds nobody. What counts is the time that
processors spent (on one thread it is the wall's, where nobody else is at work): it stands on a shared machine.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from pairing import median_of, ratio_of, take_turns, write_report

from reid_core.vision.detector import OpenVinoDetector, load_detector
from reid_core.vision.video import open_source
from services.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reid_core.ports import Detector
    from reid_core.types import ImageBGR

CONTENDERS = {
    "openvino auto": {"backend": "openvino", "precision": "auto"},
    "openvino f32": {"backend": "openvino", "precision": "f32"},
    "torch f32": {"backend": "torch:cpu", "precision": "f32"},
}


def pictures(video: Path | None, count: int) -> list[ImageBGR]:
    """Some pictures of 768x576, spread over the video's first frames."""
    if video is not None:
        return [frame.image for frame in islice(open_source(video).frames(), 0, count * 10, 10)]
    return list(np.random.default_rng(0).integers(0, 255, (count, 576, 768, 3), np.uint8))


def measure_of(detector: Detector, images: list[ImageBGR]) -> Callable[[], float]:
    """A callable that detects in the next picture and returns milliseconds of processor time."""
    turn: Iterator[ImageBGR] = cycle(images)

    def once() -> float:
        image = next(turn)
        started_s = time.process_time()
        detector.detect(image)
        return (time.process_time() - started_s) * 1e3

    return once


def main() -> None:
    """Measure, print the table, write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--video", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    cache_dir = Settings().weights_cache_dir
    weights = cache_dir / "yolov8n.pt"
    images = pictures(options.video, 20)
    detectors = {
        name: load_detector(weights=weights, cache_dir=cache_dir, threads=options.threads, **how)
        for name, how in CONTENDERS.items()
    }
    contenders = {name: measure_of(detector, images) for name, detector in detectors.items()}
    rounds = take_turns(contenders, rounds=options.rounds, warm_up=5)
    default = detectors["openvino auto"]
    precision = default.effective_precision() if isinstance(default, OpenVinoDetector) else "?"
    sys.stdout.write(f"{images[0].shape[1]}x{images[0].shape[0]}, {options.threads} thread(s), auto is {precision}\n")
    findings = {}
    for name in contenders:
        median_ms, best_ms = median_of(rounds, name), float(np.percentile(rounds[name], 10))
        ratio = ratio_of(rounds, name, "torch f32")
        findings[name] = {"median_ms": round(median_ms, 2), "p10_ms": round(best_ms, 2), "against_torch": ratio}
        sys.stdout.write(f"{name:<16}{median_ms:8.1f} ms median {best_ms:8.1f} ms p10   {ratio} of torch\n")
    write_report("detector", {"threads": options.threads, "auto_is": precision, "contenders": findings})


if __name__ == "__main__":
    main()
