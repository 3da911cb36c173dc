"""Tiny timed lists: people who walk from camera to camera, each link taking its own time."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np

from reid_core.evaluation.fusion.lists import TimedImages, TimedLists

if TYPE_CHECKING:
    from pathlib import Path

LINK_FRAMES = (0, 1000, 2600)


def images(*rows: tuple[int, int, int]) -> TimedImages:
    columns = np.array(rows, np.int64).reshape(-1, 3)
    return TimedImages(columns[:, 0], columns[:, 1], columns[:, 2])


def walks(random: np.random.Generator, people: int) -> list[tuple[int, int, int]]:
    """Three images of each person at each of three cameras; everybody takes about the same time between two."""
    starts = random.integers(0, 100_000, people)
    return [
        (person, camera, int(starts[person - 1] + LINK_FRAMES[camera - 1] + random.integers(0, 20) + 25 * shot))
        for person in range(1, people + 1)
        for camera in (1, 2, 3)
        for shot in range(3)
    ]


def walkers(people: int = 40, *, seed: int = 0) -> TimedLists:
    """The first image of each visit asks, the others answer, beside 20 distractors."""
    random = np.random.default_rng(seed)
    test = walks(random, people)
    strangers = [(0, int(random.integers(1, 4)), int(random.integers(0, 100_000))) for _ in range(20)]
    gallery = [row for at, row in enumerate(test) if at % 3]
    return TimedLists(images(*walks(random, people)), images(*test[::3]), images(*gallery, *strangers))


def write_lists(folder: Path, lists: TimedLists, *, packed: bool = False) -> Path:
    """The lists as published: training, and queries before the gallery."""
    folder.mkdir(exist_ok=True)
    test = _lines(lists.query, "query/") + _lines(lists.gallery, "bounding_box_test/")
    for part, lines in (("train", _lines(lists.train, "")), ("test", test)):
        data = "\n".join(lines).encode() + b"\n"
        path = folder / f"list_market_{part}_new.txt"
        if packed:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(data))
        else:
            path.write_bytes(data)
    return folder


def _lines(part: TimedImages, prefix: str) -> list[str]:
    rows = zip(part.person_ids.tolist(), part.camera_ids.tolist(), part.frames.tolist(), strict=True)
    return [f"{prefix}{p:04d}_c{c}s1_{f:06d}_{at:02d}.jpg {p} {c} {f}" for at, (p, c, f) in enumerate(rows)]
