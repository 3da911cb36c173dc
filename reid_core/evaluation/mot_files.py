"""MOTChallenge text files: one box a row, frames from 1, left-top-width-height in pixels.

Columns: ``frame, id, left, top, width, height, confidence`` and then nothing (7), the class (8), the class and the
visible share (9), or world coordinates (10), which are not used. Values are separated by commas or blanks.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import MotFileError
from reid_core.geometry import xywh_to_xyxy, xyxy_to_xywh
from reid_core.metrics.mot_boxes import PEDESTRIAN, MotBoxes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read_mot", "read_tracks", "require_people", "write_mot"]

_MIN_COLUMNS, _MAX_COLUMNS = 7, 10
_WITH_CLASS, _WITH_VISIBILITY = (8, 9), 9


def read_mot(path: Path) -> MotBoxes:
    """Read ground truth, detections or results.

    Args:
        path: The file; blank lines are passed over, an empty file holds no boxes.

    Returns:
        The rows in the file's order.

    Raises:
        MotFileError: If the file cannot be read or a row is broken; names file and line.
    """
    boxes, _ = _read(path)
    return boxes


def read_tracks(path: Path) -> MotBoxes:
    """Read ground truth or results: as `read_mot`, but every row has an id, and no id appears twice in a frame.

    Raises:
        MotFileError: If the file cannot be read or a row is broken; names file and line.
    """
    boxes, lines = _read(path)
    if (boxes.ids < 0).any():
        raise MotFileError(f"{path}, line {lines[int(np.argmax(boxes.ids < 0))]}: the row has no id")
    order = np.lexsort((boxes.ids, boxes.frames))
    twins = np.flatnonzero((np.diff(boxes.frames[order]) == 0) & (np.diff(boxes.ids[order]) == 0))
    if len(twins):
        row = int(order[twins + 1].min())
        raise MotFileError(f"{path}, line {lines[row]}: id {boxes.ids[row]} appears twice in frame {boxes.frames[row]}")
    return boxes


def write_mot(path: Path, boxes: MotBoxes) -> None:
    """Write results in ten columns, sorted by frame and id, whole or not at all.

    Args:
        path: The file to write; an existing one is replaced.
        boxes: The rows; classes and visibility are not written.

    Raises:
        MotFileError: If the file cannot be written.
    """
    order = np.lexsort((boxes.ids, boxes.frames))
    xywh = xyxy_to_xywh(boxes.boxes_px[order])
    columns = zip(boxes.frames[order], boxes.ids[order], xywh, boxes.confidences[order], strict=True)
    text = "".join(
        f"{frame},{track},{box[0]:.2f},{box[1]:.2f},{box[2]:.2f},{box[3]:.2f},{confidence:.4f},-1,-1,-1\n"
        for frame, track, box, confidence in columns
    )
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(text, encoding="ascii")
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise MotFileError(f"{path}: {error.strerror}") from error


def _read(path: Path) -> tuple[MotBoxes, list[int]]:
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise MotFileError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    rows: list[list[float]] = []
    lines: list[int] = []
    for line, content in enumerate(text.splitlines(), start=1):
        if content.strip():
            rows.append(_parse(content, f"{path}, line {line}"))
            lines.append(line)
            if len(rows[-1]) != len(rows[0]):
                raise MotFileError(f"{path}, line {line}: {len(rows[-1])} columns, the rows before have {len(rows[0])}")
    return _boxes(np.array(rows, np.float64)) if rows else MotBoxes.none(), lines


def _parse(content: str, where: str) -> list[float]:
    parts = content.rstrip(", \t").split(",") if "," in content else content.split()
    try:
        row = [float(part) for part in parts]
    except ValueError as error:
        raise MotFileError(f"{where}: {error}") from error
    if not _MIN_COLUMNS <= len(row) <= _MAX_COLUMNS:
        raise MotFileError(f"{where}: {len(row)} columns, expected {_MIN_COLUMNS} to {_MAX_COLUMNS}")
    if not all(math.isfinite(value) for value in row):
        raise MotFileError(f"{where}: a value is not finite")
    if row[0] < 1 or row[0] % 1 or row[1] % 1:
        raise MotFileError(f"{where}: frame and id must be whole numbers, frames from 1")
    if row[4] < 0 or row[5] < 0:
        raise MotFileError(f"{where}: width and height must not be negative")
    return row


def _boxes(table: NDArray[np.float64]) -> MotBoxes:
    width = table.shape[1]
    return MotBoxes(
        frames=table[:, 0].astype(np.int64),
        ids=table[:, 1].astype(np.int64),
        boxes_px=np.asarray(xywh_to_xyxy(table[:, 2:6]), np.float64),
        confidences=table[:, 6],
        classes=table[:, 7].astype(np.int64) if width in _WITH_CLASS else np.full(len(table), PEDESTRIAN, np.int64),
        visibility=table[:, 8] if width == _WITH_VISIBILITY else np.ones(len(table)),
    )


def require_people(truths: Mapping[str, MotBoxes]) -> None:
    """Refuse ground truth in which nobody is to be found: every figure over it would be nought and say nothing.

    A single file without people is fine among others, as of a camera that nobody passed.

    Args:
        truths: Boxes by file or camera.

    Raises:
        MotFileError: If no file holds a pedestrian that is to be scored.
    """
    if not any(bool(((boxes.classes == PEDESTRIAN) & (boxes.confidences != 0)).any()) for boxes in truths.values()):
        names = ", ".join(truths) or "no file"
        raise MotFileError(f"{names}: the ground truth holds no person to be scored")
