"""CUHK03 (Li et al., "DeepReID", CVPR 2014): the classic protocol, and the new one (Zhong et al., CVPR 2017)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from reid_core.evaluation.datasets.cuhk03_archive import ARCHIVE_PLACES, Cuhk03Archive
from reid_core.evaluation.datasets.dataset import ReidDataset, ReidRecord, Split
from reid_core.evaluation.datasets.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read_cuhk03_classic", "read_cuhk03_new"]

FILE_NAME = re.compile(r"(?P<pair>\d)_(?P<person>\d{3})_(?P<view>[12])_\d{2}\.png")
PEOPLE_PER_PAIR = 1000


def read_cuhk03_new(root: Path, *, boxes: str) -> ReidDataset:
    """Read the new protocol's table (767 training and 700 test people); pictures are not looked for.

    Args:
        root: The dataset's folder.
        boxes: ``detected`` or ``labeled``.

    Raises:
        DatasetError: If the table is missing or does not fit together.
    """
    table = f"cuhk03_new_protocol_config_{boxes}.mat"
    layout = Layout.at(
        root, f"{table} beside images_{boxes}/ with pictures named like 1_001_1_01.png", inside=("cuhk03",)
    )
    names = [str(np.ravel(cell)[0]) for cell in layout.matrix(table, "filelist").ravel()]
    people = layout.matrix(table, "labels").ravel().astype(np.int64).tolist()
    if len(names) != len(people):
        raise layout.refuse(f"{layout.root / table} has {len(names)} files but {len(people)} labels")
    records = [_record(layout, f"images_{boxes}/{name}", person) for name, person in zip(names, people, strict=True)]
    parts = [_positions(layout, table, f"{part}_idx", len(records)) for part in ("train", "query", "gallery")]
    return ReidDataset(f"cuhk03-{boxes}", tuple(records), (Split(*parts),))


def read_cuhk03_classic(root: Path, *, boxes: str) -> ReidDataset:
    """Read the twenty classic splits: 100 test people each, all others train; the first view asks, the second answers.

    They stand in the published ``cuhk-03.mat``, here or in ``cuhk03_release/``. Where a tool kit has unpacked it, its
    JSON is read instead: ``[{"train": [[FILE, PERSON, CAMERA], ...], "query": ..., ...}, ...]``.

    Args:
        root: The dataset's folder.
        boxes: ``detected`` or ``labeled``.

    Raises:
        DatasetError: If both files are missing, or the one that is there is broken.
    """
    name = f"splits_classic_{boxes}.json"
    form = f"the published cuhk-03.mat, or {name} beside images_{boxes}/ with pictures named like 1_001_1_01.png"
    layout = Layout.at(root, form, inside=("cuhk03",))
    unpacked = (layout.root / name).is_file()
    splits = _unpacked_splits(layout, name) if unpacked else _published_splits(layout, boxes)
    files = sorted({file for split in splits for part in split for file in part})
    place = {file: at for at, file in enumerate(files)}
    records = tuple(_record(layout, f"images_{boxes}/{file}", None) for file in files)
    return ReidDataset(
        f"cuhk03-classic-{boxes}",
        records,
        tuple(
            Split.of(
                [place[file] for file in train],
                [place[file] for file in test if records[place[file]].camera_id.endswith(".1")],
                [place[file] for file in test if records[place[file]].camera_id.endswith(".2")],
            )
            for train, test in splits
        ),
    )


_Files = list[str]


def _published_splits(layout: Layout, boxes: str) -> list[tuple[_Files, _Files]]:
    """Files of training and test people, split by split."""
    path = next((place for place in ARCHIVE_PLACES if (layout.root / place).is_file()), ARCHIVE_PLACES[0])
    with Cuhk03Archive(layout.file(path)) as archive:
        names, tested = archive.names(boxes), archive.test_people()
    people = [(int(pair), int(person)) for pair, person in (name.split("_")[:2] for name in names)]
    return [
        (
            [name for name, person in zip(names, people, strict=True) if person not in test],
            [name for name, person in zip(names, people, strict=True) if person in test],
        )
        for test in tested
    ]


def _unpacked_splits(layout: Layout, name: str) -> list[tuple[_Files, _Files]]:
    return [(_classic_part(part[0]), _classic_part(part[1])) for part in _classic_splits(layout, name)]


def _classic_splits(layout: Layout, name: str) -> list[tuple[list[Any], list[Any]]]:
    try:
        splits: Any = json.loads("\n".join(layout.lines(name)))
        return [([row[0] for row in split["train"]], [row[0] for row in split["query"]]) for split in splits]
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise layout.refuse(f"{layout.root / name} is not a list of splits ({error!r})") from error


def _classic_part(files: list[Any]) -> list[str]:
    return sorted({str(file).replace("\\", "/").rpartition("/")[2] for file in files})


def _record(layout: Layout, path: str, person: int | None) -> ReidRecord:
    told = layout.parse(FILE_NAME, path)
    person_id = int(told["pair"]) * PEOPLE_PER_PAIR + int(told["person"]) if person is None else person
    return ReidRecord(path=path, person_id=person_id, camera_id=f"{told['pair']}.{told['view']}")


def _positions(layout: Layout, table: str, key: str, count: int) -> NDArray[np.int64]:
    positions: NDArray[np.int64] = layout.matrix(table, key).ravel().astype(np.int64) - 1
    if len(positions) and not (positions.min() >= 0 and positions.max() < count):
        raise layout.refuse(f"{layout.root / table}: {key} points outside the {count} files")
    return positions
