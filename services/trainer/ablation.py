"""The paper's ablations on a stored site of which the truth is known: what is stored, turned into rows to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import GroundTruthError
from reid_core.evaluation.ablation.running import KnownSite
from reid_core.learning.tracklet_set import TrackletSet
from services import bootstrap
from services.scoring import people_of_tracklets, read_site_truth
from services.trainer.snapshot import take_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reid_core.learning.recipes import Recipe
    from services.settings import Settings

__all__ = ["known_site", "truth_folder"]

_PLACES = ("boxes", "truth/boxes", "site/truth/boxes")


def truth_folder(folder: Path) -> Path:
    """Where the true boxes lie in or below a folder: itself, or as `reknit simulate` and `reknit demo` lay them out.

    Raises:
        GroundTruthError: If there are none.
    """
    for place in (folder, *(folder / place for place in _PLACES)):
        if any(place.glob("*.txt")):
            return place
    raise GroundTruthError(f"{folder} holds no CAMERA.txt, nor do {', '.join(_PLACES)} in it; name it with --truth")


def known_site(
    settings: Settings, truth: Path, folder: Path, *, recipe: Recipe, on_tracklet: Callable[[int, int], None]
) -> KnownSite:
    """Take what is stored, and look up who it is.

    Args:
        settings: Of the installation.
        truth: As `truth_folder` finds it.
        folder: Where the tracklets' pictures are written; what is there is replaced.
        recipe: Says how large pictures are and how many of a tracklet take part.
        on_tracklet: Is told after each how many of how many are done.

    Raises:
        GroundTruthError: If a camera has no ground truth.
        TooLittleToLearnError: If nothing is stored that can be learned from.
    """
    boxes = read_site_truth(truth)
    with bootstrap.open_database(settings) as database:
        take_snapshot(
            database,
            bootstrap.open_blobs(settings),
            folder,
            recipe=recipe,
            on_tracklet=on_tracklet,
        )
        with database.read() as session:
            people = people_of_tracklets(session, boxes)
    tracklets = TrackletSet.load(folder)
    return KnownSite(tracklets, np.array([people[number] for number in tracklets.tracklet_nos.tolist()], np.int64))
