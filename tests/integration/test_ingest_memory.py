from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from moving_blocks import FPS, BlockDetector, ColourEmbedder, Walk, record

from services.ingest.worker import Networks

if TYPE_CHECKING:
    import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
WALKS = (Walk(0, 2, 45), Walk(1, 8, 55), Walk(2, 14, 58))


def test_memory_does_not_grow_with_the_length_of_the_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from measure_ingest_memory import memory_by_minute

    video = record(tmp_path / "loop.avi", WALKS, 60)
    networks = Networks(BlockDetector(), ColourEmbedder(), 1)
    mib = memory_by_minute(video, networks, minutes=4, fps=FPS, folder=tmp_path / "data")
    assert sorted(mib) == [0, 1, 2, 3, 4]
    # A minute holds about 30 tracklets of 20 crops; kept by mistake, their frames alone would be 35 MiB a minute.
    assert mib[4] - mib[1] < 8.0
