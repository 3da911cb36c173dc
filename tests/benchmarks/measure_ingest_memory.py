"""Resident memory of an ingest after so many minutes of input: `python tests/benchmarks/measure_ingest_memory.py`.

One video is shown again and again to one ingest as if it were a long one, its times going on. Memory is read at every
simulated minute; what counts is the difference between two late ones.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairing import write_report

from reid_core.types import Frame, VideoInfo
from reid_core.vision.video import open_source
from services import bootstrap
from services.ingest.installation import processors
from services.ingest.plan import PlannedSource, SourceRequest, plan_source
from services.ingest.worker import Networks, ingest_sources
from services.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reid_core.ports import FrameSource

VIDEO = Path(__file__).resolve().parents[3] / "shared" / "data" / "pets09_s2l1" / "vtest.avi"
_PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20


def resident_mib() -> float:
    """Memory of this process that is in RAM."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_MIB


@dataclass
class Gauge:
    """Reads memory whenever another minute of input has gone by."""

    at_minute: dict[int, float] = field(default_factory=dict)

    def read(self, passed_s: float) -> None:
        minute = int(passed_s // 60)
        if minute not in self.at_minute:
            self.at_minute[minute] = resident_mib()


class Looped:
    """A video that begins anew until so many minutes have gone by."""

    def __init__(self, source: FrameSource, minutes: float, fps: float, gauge: Gauge) -> None:
        self._source = source
        self._frames = round(minutes * 60 * fps)
        self._fps = fps
        self._gauge = gauge

    @property
    def info(self) -> VideoInfo:
        return replace(self._source.info, frame_count=self._frames, fps=self._fps)

    @property
    def problems(self) -> tuple[str, ...]:
        return ()

    def frames(self, *, first_index: int = 0) -> Iterator[Frame]:
        index = first_index
        while index < self._frames:
            for frame in self._source.frames():
                if index >= self._frames:
                    return
                passed_s = index / self._fps
                self._gauge.read(passed_s)
                yield Frame(index, self.info.start_time_s + passed_s, frame.image)
                index += 1
        self._gauge.read(self._frames / self._fps)

    def close(self) -> None:
        self._source.close()


@dataclass(frozen=True)
class PlannedLoop(PlannedSource):
    """A source that opens as a loop of itself."""

    minutes: float = 1.0
    fps: float = 10.0
    gauge: Gauge = field(default_factory=Gauge)

    def open(self) -> FrameSource:
        return Looped(open_source(self.request.path), self.minutes, self.fps, self.gauge)


def memory_by_minute(video: Path, networks: Networks, *, minutes: float, fps: float, folder: Path) -> dict[int, float]:
    """MiB of resident memory at the beginning of each simulated minute of one ingest."""
    settings = Settings(data_dir=folder, database_url="")
    with bootstrap.open_database(settings) as database:
        planned = plan_source(SourceRequest("loop", video), database)
        loop = PlannedLoop(planned.request, planned.content_hash, planned.info, None, minutes=minutes, fps=fps)
        ingest_sources(
            [loop],
            networks,
            database=database,
            blobs=bootstrap.open_blobs(settings),
            locks_dir=folder / "locks",
            workers=1,
            on_frame=lambda: None,
        )
    return loop.gauge.at_minute


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, default=VIDEO)
    parser.add_argument("--minutes", type=int, default=51)
    parser.add_argument("--fps", type=float, default=10.0)
    arguments = parser.parse_args()
    settings = Settings()
    lanes = processors(settings)
    detector = bootstrap.make_detector(settings, threads=lanes, lanes=lanes)
    networks = Networks(detector, bootstrap.make_embedder(settings, threads=1), lanes)
    folder = Path(tempfile.mkdtemp(prefix="reknit-memory-"))
    started_s = time.perf_counter()
    try:
        found = memory_by_minute(arguments.video, networks, minutes=arguments.minutes, fps=arguments.fps, folder=folder)
    finally:
        shutil.rmtree(folder)
    for minute in sorted(found):
        if minute % 5 == 0 or minute == max(found):
            print(f"minute {minute:3d}: {found[minute]:8.1f} MiB")
    early, late = found.get(10, found[min(found)]), found.get(50, found[max(found)])
    print(f"from minute 10 to minute 50: {late - early:+.1f} MiB; {time.perf_counter() - started_s:.0f} s in all")
    report: dict[str, Any] = {"mib_at_minute": found, "growth_10_to_50_mib": late - early, "fps": arguments.fps}
    print(f"written to {write_report('ingest_memory', report)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
