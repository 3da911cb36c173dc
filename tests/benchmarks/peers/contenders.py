"""Our tracker and other people's behind one face: own defaults, no pictures for camera motion, no re-ID.

A contender is made fresh for each sequence. `prepare` turns a frame's detections into what the peer wants (not timed),
`step` is the peer's own ``update`` (timed), `read` turns its answer into ids and boxes (not timed).
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["CONTENDERS", "Contender"]

Answer = tuple["NDArray[np.int64]", "NDArray[np.float64]"]


@dataclass(frozen=True, slots=True)
class Contender:
    """One tracker, ready for one sequence."""

    prepare: Callable[[NDArray[np.float32], NDArray[np.float32]], Any]
    step: Callable[[Any], Any]
    read: Callable[[Any], Answer]


def _reknit() -> Contender:
    """Ours, without a picture: motion alone."""
    from reid_core.tracking.tracker import Tracker
    from reid_core.types import Detections

    return Contender(Detections, Tracker().update, lambda answer: (answer.track_ids, answer.boxes_px))


def _roboflow(name: str, **options: Any) -> Contender:
    """A tracker of the package `trackers`; its id -1 means "not confirmed yet"."""
    import supervision as sv
    import trackers

    tracker = getattr(trackers, name)(**options)

    def prepare(boxes: NDArray[np.float32], confidences: NDArray[np.float32]) -> Any:
        return sv.Detections(xyxy=boxes.copy(), confidence=confidences.copy(), class_id=np.zeros(len(boxes), int))

    def read(answer: Any) -> Answer:
        ids = answer.tracker_id if answer.tracker_id is not None else np.zeros(0, np.int64)
        shown = np.asarray(ids) >= 0
        return np.asarray(ids, np.int64)[shown], np.asarray(answer.xyxy, float)[shown]

    return Contender(prepare, tracker.update, read)


def _ultralytics(kind: str) -> Contender:
    """A tracker of `ultralytics`, from its own configuration file."""
    from ultralytics.engine.results import Boxes
    from ultralytics.trackers import track
    from ultralytics.utils import YAML
    from ultralytics.utils.checks import check_yaml

    options = SimpleNamespace(**YAML.load(check_yaml(f"{kind}.yaml")))
    options.gmc_method = "none"
    options.device = None
    tracker = track.TRACKER_MAP[kind](args=options)

    def prepare(boxes: NDArray[np.float32], confidences: NDArray[np.float32]) -> Any:
        rows = np.concatenate([boxes, confidences[:, None], np.zeros((len(boxes), 1), np.float32)], axis=1)
        return Boxes(rows, (1080, 1920))

    def read(answer: Any) -> Answer:
        rows = np.asarray(answer, float).reshape(-1, 8)
        return rows[:, 4].astype(np.int64), rows[:, :4]

    return Contender(prepare, tracker.update, read)


def _boxmot(module: str, name: str, **options: Any) -> Contender:
    """A tracker of `boxmot`; it wants a picture, and gets a black one."""
    import importlib

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        tracker = getattr(importlib.import_module(module), name)(**options)
    picture = np.zeros((1080, 1920, 3), np.uint8)

    def prepare(boxes: NDArray[np.float32], confidences: NDArray[np.float32]) -> Any:
        return np.concatenate([boxes, confidences[:, None], np.zeros((len(boxes), 1))], axis=1).astype(np.float64)

    def read(answer: Any) -> Answer:
        rows = np.asarray(answer, float)
        rows = rows.reshape(-1, rows.shape[-1] if rows.size else 8)
        return rows[:, 4].astype(np.int64), rows[:, :4]

    return Contender(prepare, lambda rows: tracker.update(rows, picture), read)


def _boosttrack(*, plus_plus: bool, **options: Any) -> Contender:
    """BoostTrack, or BoostTrack++ with its three switches on."""
    switches = {"use_rich_s": plus_plus, "use_sb": plus_plus, "use_vt": plus_plus}
    return _boxmot("boxmot.trackers.box.boosttrack.tracker", "BoostTrack", use_cmc=False, **switches, **options)


# BoxMOT states two sets of defaults: the constructor's, and those of its configuration file. Both take part.
_BOOSTTRACK_FILE = {"det_thresh": 0.6, "max_age": 60, "min_hits": 3}

CONTENDERS: dict[str, Callable[[], Contender]] = {
    "Reknit": _reknit,
    "trackers SORT": lambda: _roboflow("SORTTracker"),
    "trackers ByteTrack": lambda: _roboflow("ByteTrackTracker"),
    "trackers OC-SORT": lambda: _roboflow("OCSORTTracker"),
    "trackers BoT-SORT": lambda: _roboflow("BoTSORTTracker", enable_cmc=False),
    "trackers C-BIoU": lambda: _roboflow("CBIoUTracker"),
    "ultralytics ByteTrack": lambda: _ultralytics("bytetrack"),
    "ultralytics BoT-SORT": lambda: _ultralytics("botsort"),
    "ultralytics OC-SORT": lambda: _ultralytics("ocsort"),
    "BoxMOT ByteTrack": lambda: _boxmot("boxmot.trackers.box.bytetrack.tracker", "ByteTrack"),
    "BoxMOT BoostTrack": lambda: _boosttrack(plus_plus=False),
    "BoxMOT BoostTrack++": lambda: _boosttrack(plus_plus=True),
    "BoxMOT BoostTrack file": lambda: _boosttrack(plus_plus=False, **_BOOSTTRACK_FILE),
    "BoxMOT BoostTrack++ file": lambda: _boosttrack(plus_plus=True, **_BOOSTTRACK_FILE),
}
