"""LaST (Shu et al., "Large-Scale Spatio-Temporal Person Re-identification", 2021)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reid_core.evaluation.datasets.dataset import ReidDataset
from reid_core.evaluation.datasets.file_names import pictures_of
from reid_core.evaluation.datasets.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

    from reid_core.evaluation.datasets.dataset import ReidRecord

__all__ = ["read_last"]

FORM = (
    "train/PERSON/, val/query/, val/gallery/PERSON/, test/query/ and test/gallery/PERSON/ "
    "with pictures named like 010903_012_01066_1075_01_000.jpg"
)
TRAIN_NAME = re.compile(r"(?P<person>\d+)_(?:\d+_)*(?P<clothes>\d+)\.jpg")
TEST_NAME = re.compile(r"(?P<person>\d+)_[\d_]+\.jpg")


def read_last(root: Path) -> ReidDataset:
    """Read training, validation and test folders. Every picture is its own camera; clothes are labelled for training.

    People are moved by one, in case a publication counts from 0. Tune on the validation people only.

    Raises:
        DatasetError: If a folder is missing or empty, or a name has another form.
    """
    layout = Layout.at(root, FORM, inside=("last", "LaST"))
    return ReidDataset.of_parts(
        "last",
        train=_people(layout, "train", TRAIN_NAME),
        query=pictures_of(layout, layout.pictures("test/query"), TEST_NAME, first_person=0),
        gallery=_people(layout, "test/gallery", TEST_NAME),
        validation_query=pictures_of(layout, layout.pictures("val/query"), TEST_NAME, first_person=0),
        validation_gallery=_people(layout, "val/gallery", TEST_NAME),
    )


def _people(layout: Layout, subset: str, pattern: re.Pattern[str]) -> list[ReidRecord]:
    paths = (path for person in layout.folders(subset) for path in layout.pictures(person))
    return pictures_of(layout, paths, pattern, first_person=0)
