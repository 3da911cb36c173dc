"""Hours of simulated events with looks and wrong clocks, and their truth, for `measure_transit.py`."""

from __future__ import annotations

import csv
import json
import tempfile
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from reid_core.evaluation.fusion.appearance import Appearance
from reid_core.evaluation.fusion.lists import TimedImages, TimedLists
from reid_core.simulation.events import simulate_events
from reid_core.simulation.settings import SiteSettings
from reid_core.spatio_temporal.sightings import Sightings
from reid_core.types import CameraLink

_STRENGTH = 0.35
_OFFSET_S = 20.0


@dataclass(frozen=True)
class Log:
    """A site's sightings by wrong clocks, with the truth."""

    sightings: Sightings
    people: np.ndarray
    offsets_s: np.ndarray
    links: list[CameraLink]


def simulated_log(seed: int, hours: float) -> Log:
    """Events of a default site; clocks are off by up to 20 s, one of them by all of it."""
    with tempfile.TemporaryDirectory() as folder:
        log = simulate_events(Path(folder), SiteSettings(seed=seed), hours=hours)
        with log.tracklets_file.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        with (Path(folder) / "truth" / "tracklets.csv").open(encoding="utf-8", newline="") as file:
            people = np.array([int(row["person_id"]) for row in csv.DictReader(file)], np.int64)
        truth = json.loads((Path(folder) / "truth" / "offsets.json").read_text())
        site = tomllib.loads((Path(folder) / "site.toml").read_text())
    camera_ids = tuple(sorted(truth))
    cameras = np.array([camera_ids.index(row["camera_id"]) for row in rows], np.int64)
    starts, ends = (np.array([datetime.fromisoformat(r[edge]).timestamp() for r in rows]) for edge in ("start", "end"))
    off_s = np.random.default_rng([seed, 3]).uniform(-_OFFSET_S, _OFFSET_S, len(camera_ids))
    off_s[0], off_s[1] = 0.0, _OFFSET_S
    more_s = (off_s - np.array([truth[camera]["offset_s"] for camera in camera_ids]))[cameras]
    links = [CameraLink(*link["cameras"], link["distance_m"]) for link in site["links"]]
    return Log(Sightings(camera_ids, cameras, starts + more_s, ends + more_s), people, off_s, links)


def looks(log: Log, seed: int) -> np.ndarray:
    """One simulated look for each tracklet."""
    first_s = log.sightings.starts_s.min()
    frames = np.round((log.sightings.starts_s - first_s) * 25).astype(np.int64)
    all_of_them = TimedImages(log.people, log.sightings.cameras + 1, frames)
    nobody = TimedImages(*(np.array([value], np.int64) for value in (1, 1, 0)))
    return Appearance(TimedLists(all_of_them, nobody, nobody), seed=seed).features(_STRENGTH).train


def true_pairs(log: Log, *, within_s: float) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of one person at two cameras, not further apart in true time than that."""
    right_s = log.sightings.starts_s - log.offsets_s[log.sightings.cameras]
    order = np.lexsort((right_s, log.people))
    found = []
    for step in range(1, 60):
        one, other = order[:-step], order[step:]
        same = log.people[one] == log.people[other]
        near = same & (np.abs(right_s[other] - right_s[one]) <= within_s)
        if not near.any():
            break
        across = near & (log.sightings.cameras[one] != log.sightings.cameras[other])
        found.append((one[across], other[across]))
    return np.concatenate([one for one, _ in found]), np.concatenate([other for _, other in found])


def shuffled(log: Log, seed: int) -> Log:
    """The same site, but every camera's times are dealt out anew: they tell nothing of anybody."""
    rng = np.random.default_rng([seed, 7])
    starts_s, ends_s = log.sightings.starts_s.copy(), log.sightings.ends_s.copy()
    for camera in range(len(log.sightings.camera_ids)):
        mine = np.flatnonzero(log.sightings.cameras == camera)
        dealt = rng.permutation(mine)
        starts_s[mine], ends_s[mine] = log.sightings.starts_s[dealt], log.sightings.ends_s[dealt]
    useless = Sightings(log.sightings.camera_ids, log.sightings.cameras, starts_s, ends_s)
    return Log(useless, log.people, log.offsets_s, log.links)
