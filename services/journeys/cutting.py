"""Stored tracklets cut where their looks change from one person to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from reid_core.association.journeys_parts import cut_places, mean_looks
from reid_core.spatio_temporal.bodies import body_marks
from reid_core.spatio_temporal.sightings import foot_points
from services.storage.journeys_records import Part
from services.storage.tables import TrackletRow
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from reid_core.spatio_temporal.calibration_model import Calibration
    from reid_core.types import FloatArray

__all__ = ["SeenPart", "cut_tracklets"]

_IN_ONE_QUESTION = 500


@dataclass(frozen=True, slots=True, eq=False)
class SeenPart:
    """A part of a tracklet as it was seen.

    Attributes:
        looks: Of length 1. Shape ``(d,)``.
        feet: Foot points at its first and last sight, in shares of the picture; ``None`` for a whole tracklet, whose
            are stored. Shape ``(2, 2)``.
        body: What the part's path tells of the body, as `body_marks` has it; ``None`` as above. Shape ``(7,)``.
    """

    part: Part
    looks: FloatArray
    feet: NDArray[np.float64] | None = None
    body: NDArray[np.float64] | None = None


def cut_tracklets(
    session: Session, vectors: Mapping[int, FloatArray], *, model_id: str, calibration: Calibration | None
) -> list[SeenPart]:
    """Parts of tracklets by rising number, each tracklet's in order of time.

    Args:
        session: A transaction.
        vectors: Of stored tracklets, by number; those that are not cut keep theirs.
        model_id: The model that made them.
        calibration: Of the model; without it nothing is cut.
    """
    found: list[SeenPart] = []
    numbers = sorted(vectors)
    for first in range(0, len(numbers), _IN_ONE_QUESTION):
        some = numbers[first : first + _IN_ONE_QUESTION]
        whole = _whole(session, some)
        places = {} if calibration is None else _places(session, some, model_id, calibration)
        for number in some:
            if number in places:
                found += _cut(session, number, *places[number])
            else:
                found.append(SeenPart(whole[number], vectors[number]))
    return found


def _whole(session: Session, numbers: Sequence[int]) -> dict[int, Part]:
    row = TrackletRow
    statement = select(row.tracklet_no, row.start_s, row.end_s).where(row.tracklet_no.in_(numbers))
    return {number: Part(number, 0, start_s, end_s) for number, start_s, end_s in session.execute(statement)}


_Cut = tuple[tuple[int, ...], "FloatArray", list[int]]


def _places(session: Session, numbers: Sequence[int], model_id: str, calibration: Calibration) -> dict[int, _Cut]:
    """Where to cut those that show several people, with their crops' vectors and numbers in order of time."""
    found = {}
    for number, embedding in TrackletRepository(session).embeddings(numbers, model_id).items():
        order = np.argsort(embedding.crop_nos)  # crops are numbered in order of time
        crops = embedding.crop_vectors[order]
        places = cut_places(crops, llr=calibration.visual_llr)
        if places:
            found[number] = (places, crops, [embedding.crop_nos[place] for place in order.tolist()])
    return found


def _cut(
    session: Session, number: int, places: tuple[int, ...], crops: FloatArray, crop_nos: list[int]
) -> Iterator[SeenPart]:
    """The parts of a tracklet; one begins half-way between the last crop of the one before and its own first."""
    tracklets = TrackletRepository(session)
    size_px, path = tracklets.by_no(number).frame_size_px, tracklets.path(number)
    times_s = np.array([tracklets.crops(number)[no].time_s for no in crop_nos])
    middles_s = [(times_s[place - 1] + times_s[place]) / 2 for place in places]
    begins = np.searchsorted(path.times_s, middles_s, side="right")
    bounds = [0, *np.clip(begins, 1, len(path) - 1).tolist(), len(path)]
    for part_no, looks in enumerate(mean_looks(crops, places)):
        first, last = bounds[part_no], bounds[part_no + 1] - 1
        if last < first:  # two cuts between the same two frames
            continue
        feet = foot_points(path.boxes_px[[first, last]], np.array(size_px))
        own = slice(first, last + 1)
        body = body_marks(path.boxes_px[own], path.times_s[own], size_px)
        part = Part(number, part_no, float(path.times_s[first]), float(path.times_s[last]))
        yield SeenPart(part, looks, feet, body)
