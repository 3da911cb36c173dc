"""PRCC (Yang et al., "Person Re-identification by Contour Sketch under Moderate Clothing Change", TPAMI 2021)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reid_core.evaluation.datasets.dataset import ReidDataset, ReidRecord
from reid_core.evaluation.datasets.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_prcc"]

FORM = "rgb/train/PERSON/ with A_cropped_rgb001.jpg, and rgb/test/A/PERSON/, B/ and C/ with cropped_rgb001.jpg"
TRAIN_NAME = re.compile(r"(?P<camera>[ABC])_.*\.jpg")
CLOTHES = {"A": 1, "B": 1, "C": 2}


def read_prcc(root: Path) -> ReidDataset:
    """Read the pictures (not the sketches). People wear the same at cameras A and B and something else at C.

    Camera A is the gallery, B and C ask. ``rgb/val`` shows training people again and is left alone.

    Raises:
        DatasetError: If a folder is missing or empty, or a name has another form.
    """
    layout = Layout.at(root, FORM, inside=("prcc", "PRCC"))
    train = [
        _record(layout, path, camera=layout.parse(TRAIN_NAME, path)["camera"])
        for person in layout.folders("rgb/train")
        for path in layout.pictures(person)
    ]
    seen = {camera: _seen_at(layout, camera) for camera in CLOTHES}
    return ReidDataset.of_parts("prcc", train=train, query=[*seen["B"], *seen["C"]], gallery=seen["A"])


def _seen_at(layout: Layout, camera: str) -> list[ReidRecord]:
    people = layout.folders(f"rgb/test/{camera}")
    return [_record(layout, path, camera=camera) for person in people for path in layout.pictures(person)]


def _record(layout: Layout, path: str, *, camera: str) -> ReidRecord:
    person = path.split("/")[-2]
    if not person.isdecimal():
        raise layout.refuse(f"{(layout.root / path).parent} is not named by a person's number")
    clothes_id = f"{int(person)}_{CLOTHES[camera]}"
    return ReidRecord(path=path, person_id=int(person), camera_id=camera, clothes_id=clothes_id)
