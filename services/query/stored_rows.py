"""Stored tracklets with a vector of one model, as rows of an index."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from reid_core.retrieval.rows import IndexRows
from reid_core.types import ClockQuality
from services.storage.feet import read_bodies_and_feet
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from services.storage.embeddings import VectorRows

__all__ = ["read_rows", "rows_of_batch", "with_feet"]


def read_rows(session: Session, tracklet_nos: Sequence[int], model_id: str) -> IndexRows | None:
    """Those of the tracklets that are still stored and have a vector of the model; ``None`` where there is none."""
    tracklets = TrackletRepository(session)
    embeddings = tracklets.embeddings(tracklet_nos, model_id)
    stored = [one for no, one in tracklets.by_nos(tracklet_nos).items() if no in embeddings]
    if not stored:
        return None
    known = np.array([one.clock_quality is not ClockQuality.UNKNOWN for one in stored])
    return IndexRows(
        tracklet_nos=np.array([one.tracklet_no for one in stored], np.int64),
        vectors=np.stack([embeddings[one.tracklet_no].vector for one in stored]),
        camera_ids=[one.camera_id for one in stored],
        starts_s=np.where(known, [one.start_s for one in stored], np.nan),
        ends_s=np.where(known, [one.end_s for one in stored], np.nan),
        qualities=np.array([one.quality for one in stored]),
    )


def rows_of_batch(batch: VectorRows) -> IndexRows:
    """A batch of stored vectors."""
    return IndexRows(
        tracklet_nos=batch.tracklet_nos,
        vectors=batch.vectors,
        camera_ids=batch.camera_ids,
        starts_s=np.where(batch.clock_known, batch.starts_s, np.nan),
        ends_s=np.where(batch.clock_known, batch.ends_s, np.nan),
        qualities=batch.qualities,
    )


def with_feet(session: Session, rows: IndexRows) -> IndexRows:
    """The rows with the places where their people came and went, and with what their paths tell of them."""
    bodies, feet = read_bodies_and_feet(session, rows.tracklet_nos.tolist())
    return replace(rows, entries=feet[:, 0], exits=feet[:, 1], bodies=bodies)
