"""Celeb-reID (Huang et al., TCSVT 2019) and Celebrities-reID (Huang et al., IJCNN 2019)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reid_core.evaluation.datasets.dataset import ReidDataset
from reid_core.evaluation.datasets.file_names import pictures_of
from reid_core.evaluation.datasets.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_celeb_reid", "read_celebrities_reid"]

FORM = "train/, query/ and gallery/ with pictures named like 1_2_0.jpg (person, picture, a number without meaning)"
FILE_NAME = re.compile(r"(?P<person>\d+)_\d+_\d+\.jpg")


def read_celeb_reid(root: Path) -> ReidDataset:
    """Read the three folders as their authors split them. Every picture is its own camera; clothes are not labelled.

    Raises:
        DatasetError: If a folder is missing or empty, or a name has another form.
    """
    return _read(Layout.at(root, FORM, inside=("Celeb-reID",)), "celeb-reid")


def read_celebrities_reid(root: Path) -> ReidDataset:
    """As `read_celeb_reid`, for the smaller set in which nobody wears the same clothes twice (Celeb-reID-light)."""
    return _read(Layout.at(root, FORM, inside=("Celeb-reID-light", "Celebrities-reID")), "celebrities-reid")


def _read(layout: Layout, name: str) -> ReidDataset:
    train, query, gallery = (
        pictures_of(layout, layout.pictures(folder), FILE_NAME) for folder in ("train", "query", "gallery")
    )
    return ReidDataset.of_parts(name, train=train, query=query, gallery=gallery)
