"""`make benchmark-ingest`: a whole ingest beside decode + letterbox + detector alone, and where its time goes.

Contenders take turns A B C C B A over one file, all in this process with networks that are loaded and warm:

- ``bare``: decode a frame, find its people with the detector on all threads, next frame.
- ``bare lanes``: the same work in the ingest's own lanes, several frames under way at once, and nothing else.
- ``ingest``: everything, into a new installation each time: gate, tracker, crops, JPEG, vectors, blobs, commits.

The quality gate, in the same run: every ingest stores the same tracks, and against the ground truth they score as those
of a plain loop over all frames (detector, tracker, tracklets; no motion gate, no lanes) to half a point of HOTA, IDF1
and MOTA. A quicker ingest that finds fewer people is none.
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
from reid_core.evaluation.mot_files import read_tracks
from reid_core.metrics.mot_boxes import MotBoxes
from reid_core.metrics.tracking import evaluate_tracking
from reid_core.tracking.tracker import Tracker
from reid_core.tracking.tracklets import TrackletBuilder
from reid_core.vision.video import open_source
from services import bootstrap
from services.exports import camera_boxes
from services.ingest.lanes import DetectorLanes
from services.ingest.plan import SourceRequest, plan_source
from services.ingest.stages import StageClock
from services.ingest.worker import Networks, ingest_sources
from services.settings import Settings
from services.storage.sources import SourceRepository

if TYPE_CHECKING:
    from reid_core.ports import Detector
    from reid_core.types import Tracklet
    from services.ingest.report import IngestReport

VIDEO = Path(__file__).resolve().parents[3] / "shared" / "data" / "pets09_s2l1" / "vtest.avi"
TARGET_MS = 13.0
TARGET_RATIO = 1.25
GATED, TOLERATED = ("HOTA", "IDF1", "MOTA"), 0.5


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


def plain_tracks(video: Path, detector: Detector) -> MotBoxes:
    """What the ingest would store if it looked at every frame, one after the other."""
    tracker, closed = Tracker(), []
    builder: TrackletBuilder | None = None
    with closing(open_source(video)) as source:
        for frame in source.frames():
            height, width = frame.image.shape[:2]
            builder = builder or TrackletBuilder(frame_size_px=(width, height), first_track_no=1)
            closed += builder.observe(frame, tracker.update(detector.detect(frame.image), image=frame.image))
    return as_boxes([*closed, *(builder.finish() if builder else [])])


def as_boxes(tracklets: list[Tracklet]) -> MotBoxes:
    """Frames from 1."""
    return MotBoxes.of(
        [index + 1 for one in tracklets for index in one.path.frame_indices.tolist()],
        [one.track_no for one in tracklets for _ in range(len(one.path))],
        [box for one in tracklets for box in one.path.boxes_px.tolist()],
    )


def accuracy(truth: MotBoxes, tracks: MotBoxes) -> dict[str, float]:
    """Percent."""
    figures = evaluate_tracking(truth, tracks).as_dict()
    return {name: float(figures[name]) for name in GATED}


def require_equal_accuracy(plain: dict[str, float], ingested: list[dict[str, float]]) -> None:
    """The quality gate.

    Raises:
        SystemExit: If two ingests stored different tracks, or tracks that score worse than the plain loop's.
    """
    if any(one != ingested[0] for one in ingested):
        raise SystemExit(f"benchmark-ingest: ingests of one file differ: {ingested}")
    for name in GATED:
        if ingested[0][name] < plain[name] - TOLERATED:
            raise SystemExit(f"benchmark-ingest: {name} {ingested[0][name]:.2f}, a plain loop has {plain[name]:.2f}")


def whole(
    video: Path, networks: Networks, truth: MotBoxes, reports: list[IngestReport], scores: list[dict[str, float]]
) -> float:
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
            with database.read() as session:
                source = SourceRepository(session).list(camera_id="camera")[0]
                scores.append(accuracy(truth, camera_boxes(session, source.source_id)))
    finally:
        shutil.rmtree(folder)
    reports.append(report)
    return 1000 * report.seconds / report.frames


def measure(video: Path, truth: MotBoxes, *, rounds: int, threads: int, precision: str) -> dict[str, Any]:
    settings = Settings(detector_precision=precision)
    one_caller = bootstrap.make_detector(settings, threads=threads)
    lanes = bootstrap.make_detector(settings, threads=threads, lanes=threads)
    networks = Networks(lanes, bootstrap.make_embedder(settings, threads=1), threads)
    plain = accuracy(truth, plain_tracks(video, one_caller))
    reports: list[IngestReport] = []
    scores: list[dict[str, float]] = []
    contenders = {
        "bare": partial(bare, video, one_caller),
        "bare lanes": partial(bare_lanes, video, lanes, threads),
        "ingest": partial(whole, video, networks, truth, reports, scores),
    }
    load_before = os.getloadavg()[0]
    turns = take_turns(contenders, rounds=rounds, warm_up=1)
    require_equal_accuracy(plain, scores)
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
        "accuracy": {"ingest": scores[0], "plain loop": plain, "tolerated": TOLERATED},
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
    told = ", ".join(
        f"{name} {found['accuracy']['ingest'][name]:.2f} ({found['accuracy']['plain loop'][name]:.2f})"
        for name in GATED
    )
    print(f"  accuracy of the ingest (of a plain loop over all frames): {told}")
    print("  thread time of the ingest, ms/frame:")
    for stage, milliseconds in found["stage_thread_ms_per_frame"].items():
        print(f"    {stage:<22} {milliseconds:6.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, default=VIDEO)
    parser.add_argument("--ground-truth", type=Path, help="MOTChallenge file; default: gt.txt beside the video")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="auto", choices=("auto", "f32", "bf16", "f16"))
    arguments = parser.parse_args()
    truth = arguments.ground_truth or arguments.video.with_name("gt.txt")
    for path, option in ((arguments.video, "--video"), (truth, "--ground-truth")):
        if not path.is_file():
            print(f"there is no {path}; name a file with {option}", file=sys.stderr)
            return 2
    try:
        found = measure(
            arguments.video,
            read_tracks(truth),
            rounds=arguments.rounds,
            threads=arguments.threads,
            precision=arguments.precision,
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
