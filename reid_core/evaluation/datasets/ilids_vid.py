"""iLIDS-VID (Wang et al., "Person Re-Identification by Video Ranking", ECCV 2014)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.evaluation.datasets.layout import Layout
from reid_core.evaluation.datasets.two_views import Halves, halved_dataset

if TYPE_CHECKING:
    from pathlib import Path

    from reid_core.evaluation.datasets.dataset import ReidDataset

__all__ = ["read_ilids_vid"]

SPLITS = "train-test people splits/train_test_splits_ilidsvid.mat"
FORM = f"i-LIDS-VID/sequences/cam1/person001/cam1_person001_00317.png, cam2/ alike, and {SPLITS}"
VIEWS = ("i-LIDS-VID/sequences/cam1", "i-LIDS-VID/sequences/cam2")


def read_ilids_vid(root: Path) -> ReidDataset:
    """Read the ten published splits: of each row, the first half of the people test and the others train.

    Raises:
        DatasetError: If a file, folder or person is missing, or the splits do not fit the people.
    """
    layout = Layout.at(root, FORM, inside=("ilids-vid", "iLIDS-VID"))
    people = [path.rpartition("/")[2] for path in layout.folders(VIEWS[0])]
    rows = layout.matrix(SPLITS, "ls_set").astype(np.int64)
    if rows.ndim != 2 or any(sorted(row) != list(range(1, len(people) + 1)) for row in rows.tolist()):
        raise layout.refuse(f"{layout.root / SPLITS} does not number the {len(people)} people of {VIEWS[0]}")
    return halved_dataset("ilids-vid", layout, views=VIEWS, halves=[_halves(row, people) for row in rows.tolist()])


def _halves(row: list[int], people: list[str]) -> Halves:
    names = [people[number - 1] for number in row]
    half = len(names) // 2
    return sorted(names[half:]), sorted(names[:half])
