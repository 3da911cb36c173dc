"""Video datasets of two cameras, one tracklet for each person and camera, halved into training and test people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reid_core.evaluation.datasets.dataset import ReidDataset, ReidRecord, Split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reid_core.evaluation.datasets.layout import Layout

__all__ = ["Halves", "halved_dataset"]

Halves = tuple[list[str], list[str]]


def halved_dataset(
    name: str,
    layout: Layout,
    *,
    views: tuple[str, str],
    halves: Sequence[Halves],
    notes: tuple[str, ...] = (),
) -> ReidDataset:
    """One split for each pair of halves; the first view's tracklets ask, the second's answer.

    Args:
        name: As in the registry.
        layout: Where the folders lie.
        views: Folders of the two cameras, each holding a folder ``PERSON`` of ``.png`` pictures.
        halves: Names of the training people and of the test people; every name stands for ``PERSON``.
        notes: For the dataset.

    Raises:
        DatasetError: If a person is missing at a camera, or a name does not end in a number.
    """
    people = sorted({person for half in halves for part in half for person in part})
    records = [_tracklet(layout, view, person) for person in people for view in views]
    place = {person: 2 * number for number, person in enumerate(people)}
    splits = [
        Split.of(
            [place[person] + view for person in train for view in (0, 1)],
            [place[person] for person in test],
            [place[person] + 1 for person in test],
        )
        for train, test in halves
    ]
    return ReidDataset(name, tuple(records), tuple(splits), notes=notes)


def _tracklet(layout: Layout, view: str, person: str) -> ReidRecord:
    number = person.lstrip("abcdefghijklmnopqrstuvwxyz_")
    if not number.isdecimal():
        raise layout.refuse(f"{layout.root / view / person} is not named by a person's number")
    pictures = tuple(layout.pictures(f"{view}/{person}", suffix=".png"))
    frame = pictures[0].rpartition("_" if "_" in pictures[0].rpartition("/")[2] else "/")[2].removesuffix(".png")
    return ReidRecord(
        path=f"{view}/{person}",
        person_id=int(number),
        camera_id=view.rpartition("/")[2],
        frame=int(frame) if frame.isdecimal() else None,
        tracklet=pictures,
    )
