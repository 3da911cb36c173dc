"""Stored sites as files with their truth, and how well odds rank them, for `measure_transit.py`."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import numpy as np

from reid_core.metrics.ranking import SameCamera, evaluate_ranking
from reid_core.spatio_temporal.sightings import foot_points

if TYPE_CHECKING:
    from pathlib import Path


def centred(vectors: np.ndarray, cameras: np.ndarray) -> np.ndarray:
    """Unit vectors without what all of a camera's have in common."""
    found = vectors.astype(np.float64)
    for camera in np.unique(cameras):
        found[cameras == camera] -= found[cameras == camera].mean(axis=0)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def score(odds: np.ndarray, people: np.ndarray, cameras: np.ndarray) -> dict[str, float]:
    """All tracklets whose person was seen elsewhere ask; all tracklets of other cameras answer."""
    asks = [row for row in np.flatnonzero(people) if (cameras[people == people[row]] != cameras[row]).any()]
    ranking = evaluate_ranking(
        -odds[asks],
        query_ids=people[asks],
        gallery_ids=people,
        query_cameras=cameras[asks],
        gallery_cameras=cameras,
        same_camera=SameCamera.EVERYBODY,
    )
    return {"map": ranking.map_rectangle, "rank1": ranking.rank(1)}


def export_site(data_dir: Path, site_dir: Path, target: Path) -> None:
    """Write a data folder's tracklets, current vectors and truth as one file."""
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import Session

    from services.scoring import read_site_truth, score_site
    from services.storage.tables import TrackletRow
    from services.storage.tracklets import TrackletRepository

    with Session(create_engine(f"sqlite:///{data_dir / 'reknit.db'}")) as session:
        scores = score_site(session, read_site_truth(site_dir / "truth" / "boxes"))
        batches = list(TrackletRepository(session).iter_vectors(scores.model_id))
        rows = {row.tracklet_no: row for row in session.scalars(select(TrackletRow))}
        boxes = {stored.tracklet_no: path.boxes_px for stored, path in TrackletRepository(session).iter_paths()}
        stored = [rows[number] for number in scores.tracklet_nos.tolist()]
        sizes = np.array([[row.frame_width, row.frame_height] for row in stored], np.float64)
        truth = json.loads((site_dir / "truth" / "offsets.json").read_text())
        site = tomllib.loads((site_dir / "site.toml").read_text())
        np.savez(
            target,
            vectors=np.concatenate([batch.vectors for batch in batches]),
            camera_ids=np.array([row.camera_id for row in stored]),
            starts_s=np.array([row.start_s for row in stored]),
            ends_s=np.array([row.end_s for row in stored]),
            entries=foot_points(np.stack([boxes[row.tracklet_no][0] for row in stored]), sizes),
            exits=foot_points(np.stack([boxes[row.tracklet_no][-1] for row in stored]), sizes),
            person_ids=scores.person_ids,
            offsets_s=np.array([truth[camera]["offset_s"] for camera in sorted(truth)]),
            links=np.array([[*link["cameras"], str(link["distance_m"])] for link in site["links"]]),
        )
