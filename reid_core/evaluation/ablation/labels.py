"""Ground truth as a row of the ablation may see it: nothing, per-camera identities, or everything."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from reid_core.association.known_links import NO_LINKS
from reid_core.evaluation.ablation.rows import Labels
from reid_core.metrics.tracklet_pairs import NOBODY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.learning.tracklet_set import TrackletSet

__all__ = ["labelled"]

_UNLABELLED = -1


def labelled(tracklets: TrackletSet, person_ids: NDArray[np.int64], labels: Labels) -> TrackletSet:
    """The same tracklets, told what the row may know, and nothing that was known before.

    Args:
        tracklets: Of the site.
        person_ids: Whom each shows; ``NOBODY`` for a distractor, of whom only `Labels.ALL` tells anything: that it is
            nobody else's. Shape ``(N,)``.
        labels: What is told. `Labels.ALL` names every pair of tracklets, so it suits sites of some thousands.

    Raises:
        ValueError: If the lengths differ.
    """
    if len(person_ids) != len(tracklets):
        raise ValueError(f"{len(person_ids)} people and {len(tracklets)} tracklets do not fit")
    if labels is Labels.NONE:
        return replace(tracklets, in_camera_ids=None, must_link=NO_LINKS, cannot_link=NO_LINKS)
    known = np.where(person_ids == NOBODY, _UNLABELLED, person_ids)
    if labels is Labels.PER_CAMERA:
        return replace(tracklets, in_camera_ids=known, must_link=NO_LINKS, cannot_link=NO_LINKS)
    one, other = np.triu_indices(len(person_ids), 1)
    same = (person_ids[one] == person_ids[other]) & (person_ids[one] != NOBODY)
    pairs = np.stack([one, other], axis=1).astype(np.int64)
    return replace(tracklets, in_camera_ids=known, must_link=pairs[same], cannot_link=pairs[~same])
