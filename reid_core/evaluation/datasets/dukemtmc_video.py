"""DukeMTMC-VideoReID (Wu et al., "Exploit the Unknown Gradually", CVPR 2018), for those who hold it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reid_core.evaluation.datasets.dataset import ReidDataset
from reid_core.evaluation.datasets.dukemtmc import WITHDRAWN
from reid_core.evaluation.datasets.file_names import tracklets_of
from reid_core.evaluation.datasets.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_dukemtmc_video"]

FORM = "train/, query/ and gallery/ with PERSON/TRACKLET/ of pictures named like 0001_C6_F0099_X30823.jpg"
FILE_NAME = re.compile(r"(?P<person>\d{4})_?C(?P<camera>\d)_?F\d+_?X(?P<frame>\d+)\.jpg")


def read_dukemtmc_video(root: Path) -> ReidDataset:
    """Read the three folders of tracklets; names with and without ``_`` are both in use.

    Raises:
        DatasetError: If a folder is missing or empty, or a name has another form.
    """
    layout = Layout.at(root, FORM, inside=("DukeMTMC-VideoReID",))
    train, query, gallery = (tracklets_of(layout, subset, FILE_NAME) for subset in ("train", "query", "gallery"))
    return ReidDataset.of_parts("dukemtmc-videoreid", train=train, query=query, gallery=gallery, notes=(WITHDRAWN,))
