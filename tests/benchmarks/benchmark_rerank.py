"""`make benchmark-rerank`: re-ranking of Market-1501 by sparse graphs beside k-reciprocal encoding on dense matrices.

    python tests/benchmarks/benchmark_rerank.py [--share 1] [--rounds 15] [--dim 512]

Looks are the fusion harness's on Market-1501's real lists (mAP 0.754 with all people), turned into ``--dim`` dimensions
without changing a cosine; ``--share 4`` takes every fourth person. Contenders take turns on one thread, each from
vectors to distances of all queries to the whole gallery:

- ``search``: the exact search for 60 neighbours alone, which all graphs begin with.
- ``graph``: G-Fusion's graph with time, sparse, without projection.
- ``k-reciprocal``: k-reciprocal encoding, sparse.
- ``k-reciprocal dense``: the same on N x N matrices.

The quality gate, in the same run: sparse and dense k-reciprocal have the same mAP to 1e-4, and the graph's is no lower.
Then each runs once more in a process of its own for its peak memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairing import median_of, pin_to_one_thread, ratio_of, take_turns, write_report

pin_to_one_thread()

import numpy as np  # noqa: E402  # after the threads are pinned
from dense_reranking import dense_rerank  # noqa: E402  # as numpy

from reid_core.evaluation.fusion.appearance import Appearance, SimulatedFeatures  # noqa: E402  # as numpy
from reid_core.evaluation.fusion.case import FusionCase, score  # noqa: E402  # as numpy
from reid_core.evaluation.fusion.graph_methods import gfusion_rows, k_reciprocal_rows  # noqa: E402  # as numpy
from reid_core.evaluation.fusion.lists import TimedImages, TimedLists, read_timed_lists  # noqa: E402  # as numpy
from reid_core.graph.neighbours import nearest, nearest_in  # noqa: E402  # as numpy

if TYPE_CHECKING:
    from collections.abc import Callable

LISTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "reid_lists" / "market"
STRENGTH = 0.2157  # seed 1, visual mAP 0.754 with all people
SAME_MAP = 1e-4
BLOCK = 256


def make_case(lists: Path, *, share: int, dim: int) -> FusionCase:
    """Some of the people, with looks of ``dim`` dimensions."""
    whole = read_timed_lists(lists)
    timed = TimedLists(*(_some(part, share) for part in (whole.train, whole.query, whole.gallery)))
    looks = Appearance(timed, seed=1).features(STRENGTH)
    width = looks.query.shape[1]
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((max(dim, width), width)))[0].T.astype(np.float32)
    return FusionCase(timed, SimulatedFeatures(*(part @ turn for part in (looks.train, looks.query, looks.gallery))))


def _some(part: TimedImages, share: int) -> TimedImages:
    kept = part.person_ids % share == 0
    return TimedImages(part.person_ids[kept], part.camera_ids[kept], part.frames[kept])


def search_alone(case: FusionCase) -> None:
    nearest_in(case.features.gallery, 60)
    nearest(case.features.query, case.features.gallery, 60)


def all_rows(method: Callable[[FusionCase], Any], case: FusionCase) -> None:
    """Every query's distances to the whole gallery, block by block."""
    rows, count = method(case), len(case.lists.query)
    for start in range(0, count, BLOCK):
        rows(start, min(start + BLOCK, count))


def dense(case: FusionCase) -> Any:
    return dense_rerank(case.features.query, case.features.gallery)


CONTENDERS: dict[str, Callable[[FusionCase], Any]] = {
    "search": search_alone,
    "graph": partial(all_rows, gfusion_rows),
    "k-reciprocal": partial(all_rows, k_reciprocal_rows),
    "k-reciprocal dense": dense,
}


def require_equal_quality(case: FusionCase) -> dict[str, float]:
    """The quality gate; answers each mAP.

    Raises:
        SystemExit: If the sparse form ranks unlike the dense one, or the graph ranks worse.
    """
    matrix = dense(case)
    maps = {
        "graph": score(case.lists, gfusion_rows(case)).map_rectangle,
        "k-reciprocal": score(case.lists, k_reciprocal_rows(case)).map_rectangle,
        "k-reciprocal dense": score(case.lists, lambda start, stop: matrix[start:stop]).map_rectangle,
    }
    if abs(maps["k-reciprocal"] - maps["k-reciprocal dense"]) > SAME_MAP or maps["graph"] < maps["k-reciprocal dense"]:
        raise SystemExit(f"benchmark-rerank: mean average precisions differ: {maps}")
    return maps


def timed(contender: Callable[[FusionCase], Any], case: FusionCase) -> float:
    started_s = time.perf_counter()
    contender(case)
    return time.perf_counter() - started_s


def measure(case: FusionCase, *, rounds: int) -> dict[str, Any]:
    maps = require_equal_quality(case)
    turns = take_turns({name: partial(timed, one, case) for name, one in CONTENDERS.items()}, rounds=rounds)
    beyond = {
        name: tuple(all_in - alone for all_in, alone in zip(turns[name], turns["search"], strict=True))
        for name in ("graph", "k-reciprocal", "k-reciprocal dense")
    }
    return {
        "queries": len(case.lists.query),
        "gallery": len(case.lists.gallery),
        "dim": case.features.gallery.shape[1],
        "rounds": rounds,
        "map": maps,
        "seconds": turns,
        "median_seconds": {name: median_of(turns, name) for name in turns},
        "graph_to_dense": ratio_of(turns, "graph", "k-reciprocal dense"),
        "k_reciprocal_to_dense": ratio_of(turns, "k-reciprocal", "k-reciprocal dense"),
        "beyond_the_search": {
            "graph_to_dense": ratio_of(beyond, "graph", "k-reciprocal dense"),
            "k_reciprocal_to_dense": ratio_of(beyond, "k-reciprocal", "k-reciprocal dense"),
        },
    }


def peak_gigabytes(name: str, stated: argparse.Namespace) -> float:
    """Of a process that does nothing else."""
    options = ["--lists", str(stated.lists), "--share", str(stated.share), "--dim", str(stated.dim), "--alone", name]
    done = subprocess.run([sys.executable, __file__, *options], check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout))


def show(found: dict[str, Any]) -> None:
    print(f"{found['queries']} queries, {found['gallery']} gallery entries, {found['dim']} dimensions, one thread")
    for name, seconds in found["median_seconds"].items():
        quality = f"mAP {found['map'][name]:.4f}" if name in found["map"] else ""
        print(f"  {name:<20} {seconds:8.2f} s   {found['peak_gigabytes'][name]:5.2f} GB   {quality}")
    print(f"  graph : dense k-reciprocal            {found['graph_to_dense']}")
    print(f"  sparse : dense k-reciprocal           {found['k_reciprocal_to_dense']}")
    print(f"  beyond the search, graph : dense      {found['beyond_the_search']['graph_to_dense']}")
    print(f"  beyond the search, sparse : dense     {found['beyond_the_search']['k_reciprocal_to_dense']}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lists", type=Path, default=LISTS)
    parser.add_argument("--share", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--alone", choices=CONTENDERS, help=argparse.SUPPRESS)
    stated = parser.parse_args()
    if not stated.lists.is_dir():
        print(f"there is no {stated.lists}; name Market-1501's lists with --lists", file=sys.stderr)
        return 2
    case = make_case(stated.lists, share=stated.share, dim=stated.dim)
    if stated.alone:
        CONTENDERS[stated.alone](case)
        print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9))
        return 0
    found = measure(case, rounds=stated.rounds)
    found["peak_gigabytes"] = {name: peak_gigabytes(name, stated) for name in CONTENDERS}
    show(found)
    name = "rerank" if stated.share == 1 else f"rerank-{stated.share}"
    print(f"written to {write_report(name, found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
