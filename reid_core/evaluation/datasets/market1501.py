"""Market-1501 (Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reid_core.evaluation.datasets.dataset import ReidDataset
from reid_core.evaluation.datasets.file_names import pictures_of
from reid_core.evaluation.datasets.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FILE_NAME", "read_market1501"]

FORM = "bounding_box_train/, query/ and bounding_box_test/ with pictures named like 0001_c1s1_001051_00.jpg"
FILE_NAME = re.compile(r"(?P<person>-1|\d{4})_c(?P<camera>\d)s(?P<sequence>\d)_(?P<frame>\d+)_\d+\.jpg")


def read_market1501(root: Path) -> ReidDataset:
    """Read the three folders; person -1 is junk and 0 a distractor, as published. Frames count within a sequence.

    Raises:
        DatasetError: If a folder is missing or empty, or a name has another form.
    """
    layout = Layout.at(root, FORM, inside=("Market-1501-v15.09.15", "Market-1501"))
    train, query, gallery = (
        pictures_of(layout, layout.pictures(folder), FILE_NAME)
        for folder in ("bounding_box_train", "query", "bounding_box_test")
    )
    return ReidDataset.of_parts("market1501", train=train, query=query, gallery=gallery)
