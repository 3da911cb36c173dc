"""PRID-2011, multi-shot (Hirzer et al., "Descriptive and Discriminative Classification", SCIA 2011)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from reid_core.evaluation.datasets.layout import Layout
from reid_core.evaluation.datasets.two_views import Halves, halved_dataset

if TYPE_CHECKING:
    from pathlib import Path

    from reid_core.evaluation.datasets.dataset import ReidDataset

__all__ = ["read_prid2011"]

SPLITS = "splits_prid2011.json"
FORM = f"prid_2011/multi_shot/cam_a/person_0001/0001.png, cam_b/ alike, and {SPLITS}, where the ten splits are at hand"
VIEWS = ("prid_2011/multi_shot/cam_a", "prid_2011/multi_shot/cam_b")
SHARED_PEOPLE, MIN_PICTURES, DRAWN_SPLITS, SEED = 200, 28, 10, 2011
DRAWN = (
    f"{SPLITS} was not there: the {DRAWN_SPLITS} splits were drawn by Reknit (seed {SEED}) "
    "and are not the ones of published figures."
)


def read_prid2011(root: Path) -> ReidDataset:
    """Read the splits file in its usual form, ``[{"train": [PERSON, ...], "test": [...]}, ...]``; camera A asks.

    The archive itself has no splits. Without the file ten are drawn, always the same, from the people with more than
    27 pictures at both cameras, and a note says so.

    Raises:
        DatasetError: If a folder or person is missing, or the splits file is broken.
    """
    layout = Layout.at(root, FORM, inside=("prid2011",))
    given = (layout.root / SPLITS).is_file()
    halves = _read_splits(layout) if given else _drawn_splits(layout)
    return halved_dataset("prid2011", layout, views=VIEWS, halves=halves, notes=() if given else (DRAWN,))


def _read_splits(layout: Layout) -> list[Halves]:
    try:
        splits: Any = json.loads("\n".join(layout.lines(SPLITS)))
        return [([str(name) for name in split["train"]], [str(name) for name in split["test"]]) for split in splits]
    except (ValueError, TypeError, KeyError) as error:
        raise layout.refuse(f"{layout.root / SPLITS} is not a list of splits ({error!r})") from error


def _drawn_splits(layout: Layout) -> list[Halves]:
    names = [path.rpartition("/")[2] for path in layout.folders(VIEWS[0])]
    shared = [name for name in names if name[-4:].isdecimal() and int(name[-4:]) <= SHARED_PEOPLE]
    people = [
        name
        for name in shared
        if min(len(layout.pictures(f"{view}/{name}", suffix=".png")) for view in VIEWS) >= MIN_PICTURES
    ]
    rng = np.random.default_rng(SEED)
    orders = [rng.permutation(len(people)).tolist() for _ in range(DRAWN_SPLITS)]
    half = len(people) // 2
    return [(sorted(people[at] for at in order[half:]), sorted(people[at] for at in order[:half])) for order in orders]
