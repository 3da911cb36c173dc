"""Multi-camera tracking accuracy: how well boxes are found, ids kept within cameras, and handed over between them.

Source:
    Cao et al., "An Equalised Global Graphical Model-Based Approach for Multi-Camera Object Tracking", TCSVT 2017; the
    measure of the NLPR-MCT challenge (mct2014.com). Where views do not overlap, steps are counted as by the public
    Python form of the challenge's kit (lockxuan/python-MCTA-Multiple-Camera-Tracking-Accuracy); overlap is left open.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.metrics.clear import match_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from reid_core.metrics.alignment import AlignedSequence

__all__ = ["MctaCounts", "count_mcta"]


@dataclass(frozen=True, slots=True)
class MctaCounts:
    """Sums behind the multi-camera tracking accuracy.

    Each matched box is a step of its person: *within* a camera if the latest earlier moment at which the person was
    matched anywhere saw it at this camera too, else *across* cameras. A first appearance counts as a step across.

    Attributes:
        true_boxes: Of the ground truth.
        result_boxes: Of the result.
        matched: Boxes matched at IoU 0.5, a match of the frame before being kept while it holds.
        within: Matched boxes that are steps within a camera.
        within_mismatches: Those whose track is not the one that the person had there.
        across: The other matched boxes.
        across_mismatches: Those whose track is none that the person had where it was before, or is another person's at
            the same moment; for a first appearance, those whose track is the one that another person had last.
    """

    true_boxes: int
    result_boxes: int
    matched: int
    within: int
    within_mismatches: int
    across: int
    across_mismatches: int

    @property
    def detection(self) -> float:
        """Harmonic mean of the boxes' precision and recall, in ``[0, 1]``; 0 without boxes."""
        return 2 * self.matched / max(1, self.true_boxes + self.result_boxes)

    @property
    def tracking(self) -> float:
        """Share of right steps within cameras, in ``[0, 1]``; 1 without any step."""
        return 1 - self.within_mismatches / max(1, self.within)

    @property
    def handover(self) -> float:
        """Share of right steps across cameras, in ``[0, 1]``; 1 without any step."""
        return 1 - self.across_mismatches / max(1, self.across)

    @property
    def mcta(self) -> float:
        """The product of the three, in ``[0, 1]``."""
        return self.detection * self.tracking * self.handover


def count_mcta(sequence: AlignedSequence, *, camera_nos: NDArray[np.int64], moments: NDArray[np.int64]) -> MctaCounts:
    """Walk all cameras through time together.

    Args:
        sequence: Frames of all cameras; people and tracks are numbered alike at every camera.
        camera_nos: The camera of each frame of the sequence. Shape ``(F,)``.
        moments: When each frame is, on one clock; rising within a camera. Shape ``(F,)``.

    Returns:
        The sums.
    """
    walk = _Walk()
    for matches in _matches_by_moment(sequence, camera_nos, moments):
        walk.step(matches)
    return MctaCounts(
        true_boxes=int(sequence.true_counts.sum()),
        result_boxes=int(sequence.result_counts.sum()),
        matched=walk.count["within"] + walk.count["across"],
        within=walk.count["within"],
        within_mismatches=walk.count["within mismatch"],
        across=walk.count["across"],
        across_mismatches=walk.count["across mismatch"],
    )


_Tracks = dict[int, int]  # track by camera


class _Walk:
    """Who was matched with which track where, at the latest moment of each person."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self._latest: dict[int, _Tracks] = {}

    def step(self, matches: dict[int, _Tracks]) -> None:
        """Count one moment's matches, given as tracks by camera for each person, against what was before it."""
        bearers = Counter(track for tracks in matches.values() for track in set(tracks.values()))
        for person, tracks in matches.items():
            before = self._latest.get(person)
            for camera, track in tracks.items():
                if before is None:
                    self._count("across", is_right=not self._belongs_to_somebody(track))
                elif camera in before:
                    self._count("within", is_right=track == before[camera])
                else:
                    self._count("across", is_right=track in before.values() and bearers[track] == 1)
        self._latest.update(matches)

    def _count(self, kind: str, *, is_right: bool) -> None:
        self.count[kind] += 1
        self.count[f"{kind} mismatch"] += not is_right

    def _belongs_to_somebody(self, track: int) -> bool:
        return any(track in tracks.values() for tracks in self._latest.values())


def _matches_by_moment(
    sequence: AlignedSequence, camera_nos: NDArray[np.int64], moments: NDArray[np.int64]
) -> Iterator[dict[int, _Tracks]]:
    """For each moment in order, the tracks that people are matched with, by person and camera."""
    by_moment: dict[int, dict[int, _Tracks]] = {}
    current = {int(camera): np.full(len(sequence.true_counts), -1) for camera in np.unique(camera_nos)}
    for frame, camera, moment in zip(sequence.frames, camera_nos.tolist(), moments.tolist(), strict=True):
        if not frame.iou.size:
            continue
        rows, columns = match_frame(frame, current[camera])
        people, tracks = frame.true_ids[rows], frame.result_ids[columns]
        current[camera][:] = -1
        current[camera][people] = tracks
        for person, track in zip(people.tolist(), tracks.tolist(), strict=True):
            by_moment.setdefault(moment, {}).setdefault(person, {})[camera] = track
    for moment in sorted(by_moment):
        yield by_moment[moment]
