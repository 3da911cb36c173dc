"""LTCC (Qian et al., "Long-Term Cloth-Changing Person Re-identification", ACCV 2020)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reid_core.evaluation.datasets.dataset import ReidDataset
from reid_core.evaluation.datasets.file_names import pictures_of
from reid_core.evaluation.datasets.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_ltcc"]

FORM = "train/, query/ and test/ with pictures named like 148_1_c3_014811.png (person, outfit, camera, frame)"
FILE_NAME = re.compile(r"(?P<person>\d+)_(?P<clothes>\d+)_c(?P<camera>\d+)_(?P<frame>\d+)\.png")


def read_ltcc(root: Path) -> ReidDataset:
    """Read the three folders. People are published from 0 and moved to count from 1.

    Raises:
        DatasetError: If a folder is missing or empty, or a name has another form.
    """
    layout = Layout.at(root, FORM, inside=("LTCC_ReID",))
    train, query, gallery = (
        pictures_of(layout, layout.pictures(folder, suffix=".png"), FILE_NAME, first_person=0)
        for folder in ("train", "query", "test")
    )
    return ReidDataset.of_parts("ltcc", train=train, query=query, gallery=gallery)
