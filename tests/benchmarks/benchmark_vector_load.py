"""How long the index waits for its vectors: 100,000 stored tracklets of real weight (40 crops, 12 embedded) read back.

    python tests/benchmarks/benchmark_vector_load.py [--rows 100000] [--dim 512] [--database URL]

The ratio is against the least that could be done: reading the same half floats from one file. A named database must be
empty and is emptied again; without one an SQLite file is made and thrown away (about 27 kB a row).
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import insert

from services.identifiers import new_uuid7
from services.storage.embeddings import EmbeddingRepository
from services.storage.session import Database
from services.storage.tables import CameraRow, EmbeddingRow, SourceRow, TrackletRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

_CROPS, _EMBEDDED, _PATH_BYTES, _AT_ONCE, _REPEATS = 40, 12, 6_000, 2_000, 5
_QUALITY = {"size": 0.123456789, "sharpness": 0.123456789, "visibility": 0.123456789, "completeness": 0.123456789}
_CROP = {"frame_index": 1, "time_s": 1e9 + 0.1, "box_px": [1.25, 2.5, 3.75, 4.5], "width_px": 80, "height_px": 200}


def _fill(session: Session, rows: int, dim: int) -> None:
    source_id = new_uuid7()
    session.execute(insert(CameraRow).values(camera_id="cam1", created_at_s=0))
    session.execute(
        insert(SourceRow).values(
            source_id=source_id, camera_id="cam1", content_hash="h", uri="u", start_s=0, clock_quality="stated",
            frame_width=1, frame_height=1, fps=1, cursor_frame=0, next_track_no=1, next_track_id=1, state="running",
            problems=[], created_at_s=0,
        )
    )  # fmt: skip
    vectors = np.random.default_rng(0)
    for first in range(1, rows + 1, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, rows + 1))
        session.execute(insert(TrackletRow), [_tracklet(number, source_id) for number in numbers])
        session.execute(insert(EmbeddingRow), [_embedding(number, vectors, dim) for number in numbers])


def _tracklet(number: int, source_id: object) -> dict[str, Any]:
    return {
        "tracklet_no": number, "tracklet_id": new_uuid7(), "source_id": source_id, "camera_id": "cam1",
        "track_no": number, "start_s": float(number), "end_s": number + 1.0, "clock_quality": "stated", "quality": 0.5,
        "frame_width": 1, "frame_height": 1, "blob_key": f"key-{number}", "crop_count": _CROPS,
        "display_order": list(range(_CROPS)), "created_at_s": 0.0, "crops": [{**_CROP, "quality": _QUALITY}] * _CROPS,
        "path": os.urandom(_PATH_BYTES),
    }  # fmt: skip


def _embedding(number: int, vectors: np.random.Generator, dim: int) -> dict[str, Any]:
    return {
        "model_id": "m", "tracklet_no": number, "vec": vectors.normal(size=dim).astype("<f2").tobytes(),
        "crop_nos": list(range(_EMBEDDED)), "crop_vecs": vectors.bytes(2 * _EMBEDDED * dim),
    }  # fmt: skip


def _load(database: Database) -> int:
    with database.read() as session:
        return sum(len(rows) for rows in EmbeddingRepository(session).iter_vectors("m"))


def _seconds(act: Callable[[], object]) -> tuple[float, float]:
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall_s, time.process_time() - cpu_s


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--database", default="")
    stated = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "vectors.npy"
        np.save(file, np.zeros((stated.rows, stated.dim), np.float16))
        with Database(stated.database or f"sqlite:///{folder}/reknit.db") as database:
            if not database.is_empty():
                parser.error(f"{database.name} is not empty")
            database.upgrade()
            try:
                with database.write() as session:
                    _fill(session, stated.rows, stated.dim)
                pairs = [
                    (_seconds(lambda: _load(database)), _seconds(lambda: np.load(file).astype(np.float32)))
                    for _ in range(_REPEATS)
                ]
            finally:
                database.downgrade("base")
    wall_s, cpu_s = (statistics.median(pair[0][n] for pair in pairs) for n in (0, 1))
    ratio = statistics.median(pair[0][1] / pair[1][1] for pair in pairs)
    spent = f"{wall_s:.2f} s wall, {cpu_s:.2f} s CPU, {ratio:.1f}x the CPU of one plain file"
    print(f"{stated.rows} vectors of {stated.dim}: {spent}")


if __name__ == "__main__":
    main()
