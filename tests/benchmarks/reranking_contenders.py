"""What `make benchmark-rerank` compares: each contender goes from vectors and times to all distances."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from dense_reranking import dense_rerank

from reid_core.evaluation.fusion.appearance import Appearance, SimulatedFeatures
from reid_core.evaluation.fusion.case import FusionCase
from reid_core.evaluation.fusion.fused_method import LearnedTimes, learned_times
from reid_core.evaluation.fusion.graph_methods import gfusion_rows, k_reciprocal_rows
from reid_core.evaluation.fusion.lists import TimedImages, TimedLists, read_timed_lists
from reid_core.graph.fused_rules import FusedRules
from reid_core.graph.neighbours import nearest, nearest_in
from reid_core.graph.pooling import pool_tracklets
from reid_core.graph.rerank import rerank
from reid_core.spatio_temporal.sightings import Sightings

if TYPE_CHECKING:
    from collections.abc import Callable

    from reid_core.evaluation.fusion.case import Rows

__all__ = ["CONTENDERS", "MSMT17_SIZE", "Task", "copied", "make_task", "rows_of"]

STRENGTH = 0.2157  # seed 1, visual mAP 0.754 with all people
PEER = Path(__file__).resolve().parents[2] / ".peers" / "fastreid" / "evaluation" / "rerank.py"
MSMT17_SIZE = 11_659, 82_161
DAY_S = 86_400.0
BLOCK = 256


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Looks and times of queries and gallery, and what the site has learned of times."""

    case: FusionCase
    times: LearnedTimes


def make_task(lists: Path, *, share: int, dim: int) -> Task:
    """Some of the people, with looks of ``dim`` dimensions."""
    whole = read_timed_lists(lists)
    timed = TimedLists(*(_some(part, share) for part in (whole.train, whole.query, whole.gallery)))
    looks = Appearance(timed, seed=1).features(STRENGTH)
    width = looks.query.shape[1]
    turn = _turn(max(dim, width), seed=0)[:width]
    case = FusionCase(timed, SimulatedFeatures(*(part @ turn for part in (looks.train, looks.query, looks.gallery))))
    return Task(case, learned_times(case))


def copied(task: Task, sizes: tuple[int, int]) -> Task:
    """The same several times over up to these numbers of queries and gallery entries: other people, another day."""
    looks, lists, times = task.case.features, task.case.lists, task.times
    query, asking = _copied(looks.query, times.query, sizes[0])
    gallery, answering = _copied(looks.gallery, times.gallery, sizes[1])
    case = FusionCase(lists, SimulatedFeatures(looks.train, query, gallery))
    return Task(case, LearnedTimes(times.transit, asking, answering, times.train))


def rows_of(task: Task) -> Rows:
    """Our default's distances."""
    looks, times = task.case.features, task.times
    return rerank(looks.query, looks.gallery, times.query, times.gallery, times.transit)


def _copied(looks: np.ndarray, seen: Sightings, count: int) -> tuple[np.ndarray, Sightings]:
    copies = -(-count // len(looks))
    more = np.concatenate([looks @ _turn(looks.shape[1], seed=copy + 1) for copy in range(copies)])[:count]
    rows = np.tile(np.arange(len(looks)), copies)[:count]
    late_s = DAY_S * (np.arange(count) // len(looks))
    times_s = seen.starts_s[rows] + late_s
    return more, Sightings(seen.camera_ids, seen.cameras[rows], times_s, times_s)


def _turn(dim: int, *, seed: int) -> np.ndarray:
    turn: np.ndarray = np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))[0].astype(np.float32)
    return turn


def _some(part: TimedImages, share: int) -> TimedImages:
    kept = part.person_ids % share == 0
    recordings = None if part.recordings is None else part.recordings[kept]
    return TimedImages(part.person_ids[kept], part.camera_ids[kept], part.frames[kept], recordings)


def _search(task: Task) -> None:
    gallery = task.case.features.gallery
    nearest_in(gallery, FusedRules().neighbours)
    nearest(task.case.features.query, gallery, FusedRules().neighbours)


def _tracklet_search(task: Task) -> None:
    """Pooling is not the search's: it is done here, but nobody subtracts it."""
    rules, looks = FusedRules(), task.case.features
    pooled = pool_tracklets(looks.gallery, task.times.gallery, within_s=rules.pool_s, least_cosine=rules.least_pooled)
    nearest_in(pooled.vectors, rules.neighbours)
    nearest(looks.query, pooled.vectors, rules.neighbours)


def _all(rows: Rows, task: Task) -> None:
    """Every query's distances to the whole gallery, block by block."""
    count = len(task.case.features.query)
    for start in range(0, count, BLOCK):
        rows(start, min(start + BLOCK, count))


def dense(task: Task) -> np.ndarray:
    """Lean k-reciprocal encoding on N x N matrices."""
    return dense_rerank(task.case.features.query, task.case.features.gallery)


def fast_reid(task: Task) -> np.ndarray:
    """fast-reid's function, fed with Euclidean distances, which it squares."""
    spec = importlib.util.spec_from_file_location("fastreid_rerank", PEER)
    if spec is None or spec.loader is None:
        raise SystemExit(f"benchmark-rerank: {PEER} cannot be read")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    query, gallery = task.case.features.query, task.case.features.gallery
    far: np.ndarray = module.re_ranking(_far(query, gallery), _far(query, query), _far(gallery, gallery))
    return far


def _far(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    cosines = one @ other.T
    np.multiply(cosines, -2, out=cosines)
    cosines += 2
    np.maximum(cosines, 0, out=cosines)
    far: np.ndarray = np.sqrt(cosines, out=cosines)
    return far


CONTENDERS: dict[str, Callable[[Task], Any]] = {
    "search": _search,
    "tracklet search": _tracklet_search,
    "gfusion": lambda task: _all(rows_of(task), task),
    "graph": lambda task: _all(gfusion_rows(task.case), task),
    "k-reciprocal": lambda task: _all(k_reciprocal_rows(task.case), task),
    "k-reciprocal dense": dense,
    **({"fast-reid": fast_reid} if PEER.is_file() else {}),
}
