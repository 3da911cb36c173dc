"""MSMT17 (Wei et al., "Person Transfer GAN to Bridge Domain Gap", CVPR 2018), versions 1 and 2."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from reid_core.evaluation.datasets.dataset import ReidDataset, ReidRecord
from reid_core.evaluation.datasets.file_names import record_of
from reid_core.evaluation.datasets.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_msmt17"]

FORM = (
    "list_train.txt, list_query.txt and list_gallery.txt with lines like "
    "'0000/0000_000_01_0303morning_0008_0.jpg 0', beside train/ and test/ (version 2: mask_train_v2/ and mask_test_v2/)"
)
FILE_NAME = re.compile(r"(?P<person>\d+)_\d+_(?P<camera>\d+)(?:_(?P<sequence>\d{4}[a-z]+)_(?P<frame>\d+))?")


def read_msmt17(root: Path) -> ReidDataset:
    """Read the three lists; pictures are not looked for. People are published from 0 and moved to count from 1.

    Training and test people are numbered apart: the same number in both is not the same person.
    ``list_val.txt`` is left alone: it is a part of the training people, kept out of training in published figures.

    Raises:
        DatasetError: If a list is missing or a line has another form.
    """
    layout = Layout.at(root, FORM, inside=("MSMT17_V1", "MSMT17_V2"))
    second = (layout.root / "mask_test_v2").is_dir()
    train_dir, test_dir = ("mask_train_v2", "mask_test_v2") if second else ("train", "test")
    train = _read_list(layout, "list_train.txt", train_dir)
    query, gallery = (_read_list(layout, f"list_{part}.txt", test_dir) for part in ("query", "gallery"))
    return ReidDataset.of_parts("msmt17", train=train, query=query, gallery=gallery)


def _read_list(layout: Layout, name: str, folder: str) -> list[ReidRecord]:
    records = []
    for number, line in enumerate(layout.lines(name), start=1):
        path, _, person = line.rpartition(" ")
        if not path or not person.isdecimal():
            raise layout.refuse(f"{layout.root / name}, entry {number}, is not a picture and its person: {line!r}")
        records.append(replace(record_of(layout, f"{folder}/{path}", FILE_NAME), person_id=int(person) + 1))
    return records
