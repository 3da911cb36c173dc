"""DukeMTMC-reID (Zheng et al., ICCV 2017), for those who hold it: its authors have withdrawn the recordings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reid_core.evaluation.datasets.dataset import ReidDataset
from reid_core.evaluation.datasets.file_names import pictures_of
from reid_core.evaluation.datasets.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_dukemtmc"]

FORM = "bounding_box_train/, query/ and bounding_box_test/ with pictures named like 0005_c2_f0046985.jpg"
FILE_NAME = re.compile(r"(?P<person>\d{4})_c(?P<camera>\d)_f(?P<frame>\d+)\.jpg")
WITHDRAWN = "DukeMTMC was withdrawn by its authors; figures on it are for those who already hold it."


def read_dukemtmc(root: Path) -> ReidDataset:
    """Read the three folders.

    Raises:
        DatasetError: If a folder is missing or empty, or a name has another form.
    """
    layout = Layout.at(root, FORM, inside=("DukeMTMC-reID",))
    train, query, gallery = (
        pictures_of(layout, layout.pictures(folder), FILE_NAME)
        for folder in ("bounding_box_train", "query", "bounding_box_test")
    )
    return ReidDataset.of_parts("dukemtmc-reid", train=train, query=query, gallery=gallery, notes=(WITHDRAWN,))
