"""Where people stood when a camera first and last saw them, and what bodies they have, out of the stored paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from reid_core.spatio_temporal.bodies import MARKS, body_marks
from reid_core.spatio_temporal.sightings import foot_points
from services.storage.codec import unpack_path
from services.storage.tables import TrackletRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

__all__ = ["read_bodies_and_feet"]

_IN_ONE_QUESTION = 500


def read_bodies_and_feet(
    session: Session, tracklet_nos: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What `body_marks` makes of the tracklets' paths, and their foot points at first and at last sight.

    Args:
        session: A transaction.
        tracklet_nos: n of them.

    Returns:
        Bodies, shape ``(n, 7)``, and feet in shares of the picture, shape ``(n, 2, 2)``: first and last, across and
        down. NaN where a number is not stored.
    """
    feet = np.full((len(tracklet_nos), 2, 2), np.nan)
    bodies = np.full((len(tracklet_nos), MARKS), np.nan)
    row_of = {int(no): row for row, no in enumerate(tracklet_nos)}
    wanted = list(row_of)
    columns = (TrackletRow.tracklet_no, TrackletRow.frame_width, TrackletRow.frame_height, TrackletRow.path)
    for first in range(0, len(wanted), _IN_ONE_QUESTION):
        some = wanted[first : first + _IN_ONE_QUESTION]
        for no, width, height, packed in session.execute(select(*columns).where(TrackletRow.tracklet_no.in_(some))):
            path = unpack_path(packed)
            feet[row_of[no]] = foot_points(path.boxes_px[[0, -1]], np.array([width, height]))
            bodies[row_of[no]] = body_marks(path.boxes_px, path.times_s, (width, height))
    return bodies, feet
