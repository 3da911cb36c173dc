"""Records from file names: pictures in a folder, and tracklets with a folder each.

A pattern's named groups say what a name tells: ``person``, ``camera``, ``frame``, ``sequence``, ``clothes``. Where
there is no ``camera``, every picture counts as a camera of its own, so that none is dropped for its camera.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reid_core.evaluation.datasets.dataset import ReidRecord

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable

    from reid_core.evaluation.datasets.layout import Layout

__all__ = ["pictures_of", "record_of", "tracklets_of"]


def pictures_of(
    layout: Layout, paths: Iterable[str], pattern: re.Pattern[str], *, first_person: int = 1
) -> list[ReidRecord]:
    """One record for each picture.

    Args:
        layout: Where they lie.
        paths: The pictures, relative to the root.
        pattern: Matched against the start of the file name.
        first_person: The smallest id in names that is a person; ids are moved so that it becomes 1.

    Raises:
        DatasetError: If a name does not match.
    """
    return [record_of(layout, path, pattern, first_person=first_person) for path in paths]


def record_of(layout: Layout, path: str, pattern: re.Pattern[str], *, first_person: int = 1) -> ReidRecord:
    """The record of one picture; arguments as `pictures_of`."""
    told = layout.parse(pattern, path)
    person_id = int(told["person"]) + 1 - first_person
    return ReidRecord(
        path=path,
        person_id=person_id,
        camera_id=told.get("camera", path),
        frame=int(told["frame"]) if "frame" in told else None,
        sequence=told.get("sequence", ""),
        clothes_id=f"{person_id}_{told['clothes']}" if "clothes" in told else None,
    )


def tracklets_of(layout: Layout, subset: str, pattern: re.Pattern[str]) -> list[ReidRecord]:
    """One record for each folder ``subset/PERSON/TRACKLET``, named by its first picture.

    Args:
        layout: Where they lie.
        subset: The folder of people.
        pattern: Matched against the start of the first picture's name.

    Raises:
        DatasetError: If a folder is missing or empty, a name does not match, or a tracklet lies in the folder of
            another person.
    """
    tracklets = []
    for person in layout.folders(subset):
        for folder in layout.folders(person):
            pictures = tuple(layout.pictures(folder))
            first = record_of(layout, pictures[0], pattern)
            if not person.endswith(f"/{layout.parse(pattern, pictures[0])['person']}"):
                raise layout.refuse(f"{layout.root / pictures[0]} lies in the folder of another person")
            tracklets.append(
                ReidRecord(
                    path=folder,
                    person_id=first.person_id,
                    camera_id=first.camera_id,
                    frame=first.frame,
                    tracklet=pictures,
                )
            )
    return tracklets
