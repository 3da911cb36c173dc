"""`make benchmark-rerank`: re-ranking of Market-1501 by sparse graphs beside k-reciprocal encoding on dense matrices.

    python tests/benchmarks/benchmark_rerank.py [--share 1] [--rounds 3] [--dim 512]

Looks are the fusion harness's on Market-1501's real lists (mAP 0.754 with all people), turned into ``--dim`` dimensions
without changing a cosine; ``--share 4`` takes every fourth person. Contenders take turns on one thread, each from
vectors (and times, where it uses them) to distances of all queries to the whole gallery. What a site has learned once,
its transit model, is given:

- ``search``: the exact search for 60 neighbours among images alone, ``tracklet search`` among pooled tracklets.
- ``gfusion``: our default, looks and learned transit in a sparse graph of pooled tracklets.
- ``graph``: G-Fusion's graph with transition sets, sparse, without projection.
- ``k-reciprocal``: k-reciprocal encoding, sparse.
- ``k-reciprocal dense``: the same on N x N matrices, as leanly as numpy allows.
- ``fast-reid``: fast-reid's own function, from its wheel in ``.peers/`` (tests/benchmarks/peers/install.sh); left out
  where that is missing.

The quality gate, in the same run: sparse and dense k-reciprocal have the same mAP to 1e-4, and the graphs' are no
lower. Then each runs once more in a process of its own for its peak memory, ours also at MSMT17's size (11,659 queries
and 82,161 gallery entries: Market-1501 several times over, each time other people on another day). With all people a
floor that is missed ends the run with 1.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairing import Ratio, median_of, pin_to_one_thread, ratio_of, take_turns, write_report

pin_to_one_thread()

from reranking_contenders import (  # noqa: E402  # after the threads are pinned
    CONTENDERS,
    MSMT17_SIZE,
    Task,
    copied,
    dense,
    fast_reid,
    make_task,
    rows_of,
)

from reid_core.evaluation.fusion.case import score  # noqa: E402  # as the contenders
from reid_core.evaluation.fusion.graph_methods import gfusion_rows, k_reciprocal_rows  # noqa: E402  # as the contenders

if TYPE_CHECKING:
    from collections.abc import Callable

LISTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "reid_lists" / "market"
SAME_MAP = 1e-4
LARGE = "gfusion at MSMT17's size"
RATIOS = {
    "gfusion to fast-reid": 0.10,
    "gfusion to k-reciprocal dense": 0.20,
    "k-reciprocal to k-reciprocal dense": 0.34,
    "beyond the search, gfusion to fast-reid": 0.05,
    "beyond the search, gfusion to k-reciprocal dense": 0.125,
}
GIGABYTES = {"gfusion": 1.0, "k-reciprocal": 1.0, LARGE: 2.0}


def require_equal_quality(task: Task) -> dict[str, float]:
    """The quality gate; answers each mAP.

    Raises:
        SystemExit: If the sparse form ranks unlike the dense one, or a graph ranks worse.
    """
    ours = {"gfusion": rows_of(task), "graph": gfusion_rows(task.case), "k-reciprocal": k_reciprocal_rows(task.case)}
    maps = {name: score(task.case.lists, rows).map_rectangle for name, rows in ours.items()}
    for name, peer in (("k-reciprocal dense", dense), ("fast-reid", fast_reid)):
        if name in CONTENDERS:
            matrix = peer(task)
            maps[name] = score(task.case.lists, lambda start, stop, m=matrix: m[start:stop]).map_rectangle
    worse = min(maps["gfusion"], maps["graph"]) < max(maps["k-reciprocal dense"], maps.get("fast-reid", 0.0))
    if abs(maps["k-reciprocal"] - maps["k-reciprocal dense"]) > SAME_MAP or worse:
        raise SystemExit(f"benchmark-rerank: mean average precisions differ: {maps}")
    return maps


def timed(contender: Callable[[Task], Any], task: Task) -> float:
    """Processor seconds: one thread, and nobody else's work counts."""
    started_s = time.process_time()
    contender(task)
    return time.process_time() - started_s


def measure(task: Task, *, rounds: int) -> dict[str, Any]:
    maps = require_equal_quality(task)
    turns = take_turns({name: partial(timed, one, task) for name, one in CONTENDERS.items()}, rounds=rounds)
    return {
        "queries": len(task.case.features.query),
        "gallery": len(task.case.features.gallery),
        "dim": task.case.features.gallery.shape[1],
        "rounds": rounds,
        "map": maps,
        "seconds": turns,
        "median_seconds": {name: median_of(turns, name) for name in turns},
        "ratios": ratios(turns),
    }


def ratios(turns: dict[str, tuple[float, ...]]) -> dict[str, Ratio]:
    """Of the whole, and of what comes on top of the search that each begins with."""
    peers = [name for name in ("fast-reid", "k-reciprocal dense") if name in turns]
    beyond = {
        name: tuple(whole - alone for whole, alone in zip(turns[name], turns[search], strict=True))
        for name, search in (("gfusion", "tracklet search"), ("graph", "search"), *((peer, "search") for peer in peers))
    }
    found = {f"{ours} to {peer}": ratio_of(turns, ours, peer) for ours in ("gfusion", "graph") for peer in peers}
    found["k-reciprocal to k-reciprocal dense"] = ratio_of(turns, "k-reciprocal", "k-reciprocal dense")
    for ours in ("gfusion", "graph"):
        found |= {f"beyond the search, {ours} to {peer}": ratio_of(beyond, ours, peer) for peer in peers}
    return found


def peak_gigabytes(name: str, stated: argparse.Namespace) -> float:
    """Of a process that does nothing else."""
    options = ["--lists", str(stated.lists), "--share", str(stated.share), "--dim", str(stated.dim), "--alone", name]
    done = subprocess.run([sys.executable, __file__, *options], check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout))


def own_peak_gigabytes() -> float:
    """Of this process alone: what ``getrusage`` tells begins with the size of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e9


def missed_floors(found: dict[str, Any]) -> list[str]:
    """What is slower or larger than it may be."""
    slow = [
        f"{name}: {found['ratios'][name]} is above {most}"
        for name, most in RATIOS.items()
        if name in found["ratios"] and found["ratios"][name].median > most
    ]
    large = [
        f"{name}: {found['peak_gigabytes'][name]:.2f} GB is above {most}"
        for name, most in GIGABYTES.items()
        if found["peak_gigabytes"][name] > most
    ]
    return slow + large


def show(found: dict[str, Any]) -> None:
    print(f"{found['queries']} queries, {found['gallery']} gallery entries, {found['dim']} dimensions, one thread")
    for name, gigabytes in found["peak_gigabytes"].items():
        seconds = f"{found['median_seconds'][name]:8.2f} s" if name in found["median_seconds"] else 10 * " "
        quality = f"mAP {found['map'][name]:.4f}" if name in found["map"] else ""
        print(f"  {name:<26} {seconds}   {gigabytes:5.2f} GB   {quality}")
    for name, ratio in found["ratios"].items():
        print(f"  {name:<52} {ratio}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lists", type=Path, default=LISTS)
    parser.add_argument("--share", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--alone", choices=[*CONTENDERS, LARGE], help=argparse.SUPPRESS)
    stated = parser.parse_args()
    if not stated.lists.is_dir():
        print(f"there is no {stated.lists}; name Market-1501's lists with --lists", file=sys.stderr)
        return 2
    task = make_task(stated.lists, share=stated.share, dim=stated.dim)
    if stated.alone:
        CONTENDERS["gfusion" if stated.alone == LARGE else stated.alone](
            copied(task, MSMT17_SIZE) if stated.alone == LARGE else task
        )
        print(json.dumps(own_peak_gigabytes()))
        return 0
    found = measure(task, rounds=stated.rounds)
    found["peak_gigabytes"] = {name: peak_gigabytes(name, stated) for name in (*CONTENDERS, LARGE)}
    show(found)
    name = "rerank" if stated.share == 1 else f"rerank-{stated.share}"
    missed = missed_floors(found) if stated.share == 1 else []
    print(*missed, f"written to {write_report(name, found | {'missed': missed})}", sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
