"""Scoring at published sizes: seconds and resident memory of Market-1501 from a matrix and of LaST from features.

    python tests/benchmarks/benchmark_ranking.py [--dim 512] [--rounds 16] [--only market|last]

Each case runs in a process of its own, on one thread, so that its peak memory is its own (``ru_maxrss``). Market-1501
takes turns with the plain way to score (sort every row in full), which must find the same figures to 1e-12: the ratio
says what counting ranks saves, the limits are those we promise. LaST is scored once, as the command does it: features
from a file, distances by block.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairing import pin_to_one_thread, ratio_of, take_turns, write_report

pin_to_one_thread()

import numpy as np  # noqa: E402  # after the threads are pinned

from reid_core.evaluation.datasets.dataset import NOBODY, ReidDataset, ReidRecord  # noqa: E402  # as numpy
from reid_core.evaluation.feature_files import Distance, features_of, read_features  # noqa: E402  # as numpy
from reid_core.evaluation.protocols import scored_records  # noqa: E402  # as numpy
from reid_core.evaluation.ranking_report import report_ranking  # noqa: E402  # as numpy
from reid_core.metrics.ranking import evaluate_ranking  # noqa: E402  # as numpy

if TYPE_CHECKING:
    from collections.abc import Callable

    from reid_core.evaluation.ranking_report import RankingReport

MARKET, MARKET_PEOPLE, MARKET_DISTRACTORS = (3368, 15913), 750, 2798
LAST, LAST_PEOPLE = (10176, 125353), 5803
LIMITS = {"market": {"seconds": 6.0, "gigabytes": 1.5}, "last": {"gigabytes": 4.0}}


def _market() -> tuple[Any, dict[str, Any]]:
    rng = np.random.default_rng(0)
    query_ids = rng.integers(1, MARKET_PEOPLE + 1, MARKET[0])
    people = rng.integers(1, MARKET_PEOPLE + 1, MARKET[1] - MARKET_DISTRACTORS)
    gallery_ids = rng.permutation(np.concatenate([people, np.full(MARKET_DISTRACTORS, NOBODY)]))
    distances = rng.random(MARKET, np.float32)
    matches = query_ids[:, None] == gallery_ids
    distances[matches] **= 16  # most true matches stand in front and some far behind, as with a useful model
    cameras = {"query_cameras": rng.integers(1, 7, MARKET[0]), "gallery_cameras": rng.integers(1, 7, MARKET[1])}
    return distances, {"query_ids": query_ids, "gallery_ids": gallery_ids, **cameras}


def _plain_map(distances: Any, who: dict[str, Any]) -> float:
    """Mean average precision by sorting every row in full, as evaluation scripts do."""
    precisions = []
    for row, person, camera in zip(distances, who["query_ids"], who["query_cameras"], strict=True):
        order = np.argsort(row, kind="stable")
        people = who["gallery_ids"][order]
        kept = (people != person) | (who["gallery_cameras"][order] != camera)
        places = np.flatnonzero(people[kept] == person) + 1
        if len(places):
            precisions.append(np.mean(np.arange(1, len(places) + 1) / places))
    return float(np.mean(precisions))


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = act()
    return time.perf_counter() - start, result


def run_market(rounds: int) -> dict[str, Any]:
    distances, who = _market()
    ours, scores = _timed(lambda: evaluate_ranking(distances, **who))
    gigabytes = _peak_gigabytes()
    difference = abs(scores.map_rectangle - _plain_map(distances, who))
    turns = take_turns(
        {
            "reknit": lambda: _timed(lambda: evaluate_ranking(distances, **who))[0],
            "full sort": lambda: _timed(lambda: _plain_map(distances, who))[0],
        },
        rounds=rounds,
    )
    return {
        "seconds": round(float(np.median([ours, *turns["reknit"]])), 3),
        "full_sort_seconds": round(float(np.median(turns["full sort"])), 3),
        "ratio": asdict(ratio_of(turns, "reknit", "full sort")),
        "gigabytes": gigabytes,
        "map": scores.map_rectangle,
        "map_difference": difference,
    }


def run_last(dim: int) -> dict[str, Any]:
    dataset = _last()
    positions = scored_records(dataset)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "features.npz"
        _write_features(file, dataset, dim)
        cpu_s = time.process_time()
        seconds, report = _timed(lambda: _score_file(file, dataset, positions))
    scores = report.settings["standard"]
    return {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(time.process_time() - cpu_s, 1),
        "gigabytes": _peak_gigabytes(),
        "dim": dim,
        "queries": scores.queries + scores.skipped,
        "gallery": len(scores.trials[0].trial.gallery),
        "map": scores.means()["map"],
    }


def _last() -> ReidDataset:
    people = np.random.default_rng(0).integers(1, LAST_PEOPLE + 1, sum(LAST)).tolist()
    records = [ReidRecord(f"{at:06d}.jpg", person, f"{at:06d}") for at, person in enumerate(people)]
    return ReidDataset.of_parts("last", train=[], query=records[: LAST[0]], gallery=records[LAST[0] :])


def _write_features(file: Path, dataset: ReidDataset, dim: int) -> None:
    rng = np.random.default_rng(1)
    looks = rng.standard_normal((LAST_PEOPLE + 1, dim), np.float32)
    features = rng.standard_normal((len(dataset.records), dim), np.float32)
    for at, record in enumerate(dataset.records):
        features[at] += 0.5 * looks[record.person_id]
    np.savez(file, features=features, paths=[record.path for record in dataset.records])


def _score_file(file: Path, dataset: ReidDataset, positions: Any) -> RankingReport:
    """What the command does: read, put in order, normalise, score."""
    records = [dataset.records[at] for at in positions]
    features = features_of(records, read_features(file), distance=Distance.COSINE)
    return report_ranking(dataset, features, positions)


def _peak_gigabytes() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 3)


def _in_own_process(case: str, stated: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, __file__, "--case", case, "--dim", str(stated.dim), "--rounds", str(stated.rounds)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found["within_limits"] = all(found[name] <= limit for name, limit in LIMITS[case].items())
    return found | {"limits": LIMITS[case]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--only", choices=("market", "last"))
    parser.add_argument("--case", choices=("market", "last"), help=argparse.SUPPRESS)
    stated = parser.parse_args()
    if stated.case:
        print(json.dumps(run_market(stated.rounds) if stated.case == "market" else run_last(stated.dim)))
        return
    found = {case: _in_own_process(case, stated) for case in (["market", "last"] if not stated.only else [stated.only])}
    print(json.dumps(found, indent=2))
    print(write_report("ranking", found))


if __name__ == "__main__":
    main()
