"""MARS (Zheng et al., "MARS: A Video Benchmark for Large-Scale Person Re-Identification", ECCV 2016)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from reid_core.evaluation.datasets.dataset import ReidDataset, ReidRecord, Split
from reid_core.evaluation.datasets.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read_mars"]

FORM = (
    "info/ with train_name.txt, test_name.txt, tracks_train_info.mat, tracks_test_info.mat and query_IDX.mat, "
    "beside bbox_train/ and bbox_test/ with pictures named like 0001/0001C1T0001F001.jpg"
)
FILE_NAME = re.compile(r"(?P<person>00-1|\d{4})C(?P<camera>\d)T\d+F\d+\.jpg")


def read_mars(root: Path) -> ReidDataset:
    """Read names and tables; pictures are not looked for.

    The queries stay in the gallery, as published: each is junk to itself and an answer to its person's others.

    Raises:
        DatasetError: If a file is missing, or tables and names do not fit.
    """
    layout = Layout.at(root, FORM, inside=("MARS", "mars"))
    train = _read_tracklets(layout, "train")
    test = _read_tracklets(layout, "test")
    query = layout.matrix("info/query_IDX.mat", "query_IDX").ravel().astype(np.int64) - 1
    if len(query) and not (query.min() >= 0 and query.max() < len(test)):
        raise layout.refuse(f"{layout.root / 'info/query_IDX.mat'} points outside the {len(test)} test tracklets")
    gallery = range(len(train), len(train) + len(test))
    return ReidDataset("mars", (*train, *test), (Split.of(range(len(train)), (query + len(train)).tolist(), gallery),))


def _read_tracklets(layout: Layout, part: str) -> list[ReidRecord]:
    names = layout.lines(f"info/{part}_name.txt")
    path = f"info/tracks_{part}_info.mat"
    table = layout.matrix(path, f"track_{part}_info").astype(np.int64)
    if table.ndim != 2 or table.shape[1] != 4:
        raise layout.refuse(f"{layout.root / path} has shape {table.shape}, not rows of first, last, person, camera")
    return [_tracklet(layout, path, number, row, names, f"bbox_{part}") for number, row in enumerate(table, start=1)]


def _tracklet(layout: Layout, table: str, number: int, row: NDArray[Any], names: list[str], folder: str) -> ReidRecord:
    first, last, person, camera = (int(value) for value in row)
    if not 1 <= first <= last <= len(names):
        raise layout.refuse(f"{layout.root / table}, row {number}, names pictures {first} to {last} of {len(names)}")
    pictures = tuple(f"{folder}/{name[:4]}/{name}" for name in names[first - 1 : last])
    told = layout.parse(FILE_NAME, pictures[0])
    if int(told["person"].removeprefix("00")) != person or int(told["camera"]) != camera:
        raise layout.refuse(f"{layout.root / table}, row {number}, does not fit its first picture {pictures[0]}")
    return ReidRecord(path=pictures[0], person_id=person, camera_id=str(camera), tracklet=pictures)
