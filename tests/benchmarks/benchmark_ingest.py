"""`make benchmark-ingest`: a whole ingest beside decode + letterbox + detector alone, and where its time goes.

Contenders take turns A B C C B A over one file, all in this process with networks that are loaded and warm:

- ``bare``: decode a frame, find its people with the detector on all threads, next frame.
- ``bare lanes``: the same work in the ingest's own lanes, several frames under way at once, and nothing else.
- ``ingest``: everything, into a new installation each time: gate, tracker, crops, JPEG, vectors, blobs, commits.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import deque
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairing import median_of, ratio_of, take_turns, write_report

from reid_core.errors import ReknitError
from reid_core.vision.video import open_source
from services import bootstrap
from services.ingest.lanes import DetectorLanes
from services.ingest.plan import SourceRequest, plan_source
from services.ingest.stages import StageClock
from services.ingest.worker import Networks, ingest_sources
from services.settings import Settings

if TYPE_CHECKING:
    from reid_core.ports import Detector
    from services.ingest.report import IngestReport

VIDEO = Path(__file__).resolve().parents[3] / "shared" / "data" / "pets09_s2l1" / "vtest.avi"
TARGET_MS = 13.0
TARGET_RATIO = 1.25


def bare(video: Path, detector: Detector) -> float:
    """Milliseconds a frame of decode + letterbox + detector, one frame after the other."""
    started_s = time.perf_counter()
    count = 0
    with closing(open_source(video)) as source:
        for frame in source.frames():
            detector.detect(frame.image)
            count += 1
    return 1000 * (time.perf_counter() - started_s) / count


def bare_lanes(video: Path, detector: Detector, lanes: int) -> float:
    """Milliseconds a frame of the same work with ``lanes`` frames under way."""
    started_s = time.perf_counter()
    count = 0
    with closing(open_source(video)) as source, DetectorLanes(detector, lanes, StageClock()) as looker:
        under_way: deque[Any] = deque()
        for frame in source.frames():
            under_way.append(looker.submit(frame.image))
            count += 1
            if len(under_way) > lanes + 1:
                under_way.popleft().result()
        for found in under_way:
            found.result()
    return 1000 * (time.perf_counter() - started_s) / count


def whole(video: Path, networks: Networks, reports: list[IngestReport]) -> float:
    """Milliseconds a frame of an ingest into a new installation."""
    folder = Path(tempfile.mkdtemp(prefix="reknit-benchmark-"))
    settings = Settings(data_dir=folder, database_url="")
    try:
        with bootstrap.open_database(settings) as database:
            planned = plan_source(SourceRequest("camera", video), database)
            report = ingest_sources(
                [planned],
                networks,
                database=database,
                blobs=bootstrap.open_blobs(settings),
                locks_dir=folder / "locks",
                workers=1,
                on_frame=lambda: None,
            )
    finally:
        shutil.rmtree(folder)
    reports.append(report)
    return 1000 * report.seconds / report.frames


def measure(video: Path, *, rounds: int, threads: int, precision: str) -> dict[str, Any]:
    settings = Settings(detector_precision=precision)
    one_caller = bootstrap.make_detector(settings, threads=threads)
    lanes = bootstrap.make_detector(settings, threads=threads, lanes=threads)
    networks = Networks(lanes, bootstrap.make_embedder(settings, threads=1), threads)
    reports: list[IngestReport] = []
    contenders = {
        "bare": partial(bare, video, one_caller),
        "bare lanes": partial(bare_lanes, video, lanes, threads),
        "ingest": partial(whole, video, networks, reports),
    }
    load_before = os.getloadavg()[0]
    turns = take_turns(contenders, rounds=rounds, warm_up=1)
    counted = reports[1:]
    middle = sorted(counted, key=lambda report: report.seconds)[len(counted) // 2]
    return {
        "video": video.name,
        "frames": middle.frames,
        "tracklets": middle.tracklets,
        "threads": threads,
        "precision": getattr(lanes, "effective_precision", lambda: precision)(),
        "rounds": rounds,
        "load_before": load_before,
        "ms_per_frame": turns,
        "median_ms_per_frame": {name: median_of(turns, name) for name in turns},
        "ingest_to_bare": ratio_of(turns, "ingest", "bare"),
        "ingest_to_bare_lanes": ratio_of(turns, "ingest", "bare lanes"),
        "lanes_to_bare": ratio_of(turns, "bare lanes", "bare"),
        "stage_thread_ms_per_frame": {
            stage: 1000 * seconds / middle.frames for stage, seconds in middle.stage_seconds.items()
        },
        "targets": {"ms_per_frame": TARGET_MS, "ingest_to_bare": TARGET_RATIO},
    }


def show(found: dict[str, Any]) -> None:
    print(f"{found['video']}: {found['frames']} frames, {found['threads']} threads, {found['precision']}", end="")
    print(f", {found['rounds']} rounds, load {found['load_before']:.1f} before")
    for name, median in found["median_ms_per_frame"].items():
        turns = ", ".join(f"{turn:.2f}" for turn in found["ms_per_frame"][name])
        print(f"  {name:<12} {median:7.2f} ms/frame   ({turns})")
    print(f"  ingest : bare        {found['ingest_to_bare']}   (at most {TARGET_RATIO}x is asked)")
    print(f"  ingest : bare lanes  {found['ingest_to_bare_lanes']}")
    print("  thread time of the ingest, ms/frame:")
    for stage, milliseconds in found["stage_thread_ms_per_frame"].items():
        print(f"    {stage:<22} {milliseconds:6.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, default=VIDEO)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="auto", choices=("auto", "f32", "bf16", "f16"))
    arguments = parser.parse_args()
    if not arguments.video.is_file():
        print(f"there is no {arguments.video}; name a file with --video", file=sys.stderr)
        return 2
    try:
        found = measure(
            arguments.video, rounds=arguments.rounds, threads=arguments.threads, precision=arguments.precision
        )
    except ReknitError as error:
        print(f"benchmark-ingest: {error}", file=sys.stderr)
        return error.exit_code
    show(found)
    name = "ingest" if arguments.precision == "auto" else f"ingest-{arguments.precision}"
    print(f"written to {write_report(name, found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
