"""How well the cold start tells people apart: on simulated sites across cameras, on PETS09-S2L1 over time.

    python tests/benchmarks/measure_cold_start.py --weights FILE [--pets FOLDER] [--site FOLDER ...] [--json FILE]

True boxes are used, so that the tracker has no part in the figures. At most 12 crops a tracklet, spread over time.
PETS: crops of a track's first half against crops of the last halves of all tracks that were there at the same time,
single crop against single crop. Sites: see ``reid_core/evaluation/stored_site.py``.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from reid_core.evaluation.stored_site import score_retrieval
from reid_core.models.embedder import load_embedder
from reid_core.vision.appearance import stripe_descriptor
from reid_core.vision.crops import cut_crop
from reid_core.vision.video import open_source

_COLOUR = 304  # length of the colour part of the fused vector
_CROPS = 12
_MIN_VISIBILITY, _MIN_HEIGHT_PX, _MIN_FRAMES = 0.3, 40, 5


@dataclass(frozen=True)
class Seen:
    """One track's crops."""

    person: int
    camera: str
    first: int
    last: int
    crops: list[np.ndarray]


def _boxes(path: Path) -> np.ndarray:
    rows = np.loadtxt(path, delimiter=",", ndmin=2)
    rows = rows[np.lexsort((rows[:, 0], rows[:, 1]))]
    rows[:, 4:6] += rows[:, 2:4]
    return rows


def _spread(rows: np.ndarray) -> np.ndarray:
    """The least hidden row of each of twelve runs."""
    visible = rows[:, 8] if rows.shape[1] == 9 else np.ones(len(rows))
    runs = np.array_split(np.arange(len(rows)), min(len(rows), _CROPS))
    return rows[[run[np.argmax(visible[run])] for run in runs]]


def _cut(video: Path, camera: str, tracks: list[np.ndarray]) -> list[Seen]:
    seen = [Seen(int(rows[0, 1]), camera, int(rows[0, 0]), int(rows[-1, 0]), []) for rows in tracks]
    wanted: dict[int, list[tuple[int, np.ndarray]]] = {}
    for number, rows in enumerate(tracks):
        for row in _spread(rows):
            wanted.setdefault(int(row[0]), []).append((number, row[2:6]))
    for frame in open_source(video).frames():
        for number, box in wanted.get(frame.index + 1, ()):
            seen[number].crops.append(cut_crop(frame.image, tuple(float(edge) for edge in box)))
    return [track for track in seen if track.crops]


def read_site(folder: Path) -> list[Seen]:
    """Every visit to every camera, cut at gaps of two seconds."""
    found = []
    for truth in sorted((folder / "truth" / "boxes").glob("*.txt")):
        video = folder / "videos" / f"{truth.stem}.mp4"
        rows, gap = _boxes(truth), 2 * open_source(video).info.fps
        tracks = np.split(rows, np.flatnonzero((np.diff(rows[:, 0]) > gap) | (np.diff(rows[:, 1]) != 0)) + 1)
        clear = [t[(t[:, 8] >= _MIN_VISIBILITY) & (t[:, 5] - t[:, 3] >= _MIN_HEIGHT_PX)] for t in tracks]
        found += _cut(video, truth.stem, [t for t in clear if len(t) >= _MIN_FRAMES])
    return found


def read_pets(folder: Path) -> list[Seen]:
    """The first (camera "a") and last (camera "b") half of every track; both carry the whole track's frames."""
    rows = _boxes(folder / "gt.txt")[:, :6]
    tracks = np.split(rows, np.flatnonzero(np.diff(rows[:, 1])) + 1)
    halves = [half for track in tracks for half in np.array_split(track, 2)]
    seen = _cut(folder / "vtest.avi", "", halves)
    span = {int(track[0, 1]): (int(track[0, 0]), int(track[-1, 0])) for track in tracks}
    return [Seen(s.person, "ab"[s.first > span[s.person][0]], *span[s.person], s.crops) for s in seen]


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)


def _plain(crop: np.ndarray) -> np.ndarray:
    """The stripes that one starts with: four hard HSV histograms, no light balance, no roots."""
    hsv = cv2.cvtColor(cv2.resize(crop, (24, 48), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2HSV)
    bands = np.split(hsv, 4)
    return np.concatenate(
        [cv2.calcHist([b], [0, 1, 2], None, [8, 4, 4], [0, 180, 0, 256, 0, 256]).ravel() for b in bands]
    )


def _models(embedder, seen: list[Seen]) -> dict[str, list[np.ndarray]]:
    fused = [embedder.embed(track.crops).crop_vectors for track in seen]
    return {
        "plain HSV stripes": [_unit(np.stack([_plain(crop) for crop in track.crops])) for track in seen],
        "colour stripes": [_unit(vectors[:, :_COLOUR]) for vectors in fused],
        "network stripes": [_unit(vectors[:, _COLOUR:]) for vectors in fused],
        "fusion": fused,
    }


def score_site(seen: list[Seen], vectors: list[np.ndarray]) -> dict[str, float]:
    """Retrieval across cameras."""
    means = _unit(np.stack([rows.mean(axis=0) for rows in vectors])).astype(np.float32)
    people = np.array([track.person for track in seen], np.int64)
    ranking = score_retrieval(means, people, [track.camera for track in seen]).ranking
    return {"map": ranking.map_rectangle, "rank1": ranking.rank(1)}


def score_pets(seen: list[Seen], vectors: list[np.ndarray]) -> dict[str, float]:
    """Single crops against single crops: area under the curve over all pairs, rank-1 over drawn galleries."""
    rng = np.random.default_rng(0)
    same, other, hits = [], [], []
    for query, rows in zip(seen, vectors, strict=True):
        near = [n for n, s in enumerate(seen) if s.camera != query.camera and _together(s, query)]
        alike = [rows @ vectors[n].T for n in near]
        mine = [seen[n].person == query.person for n in near]
        same += [a.ravel() for a, m in zip(alike, mine, strict=True) if m]
        other += [a.ravel() for a, m in zip(alike, mine, strict=True) if not m]
        for _ in range(5):
            drawn = np.stack([a[:, rng.integers(a.shape[1])] for a in alike], axis=1)
            hits += [mine[best] for best in drawn.argmax(axis=1)]
    negatives = np.sort(np.concatenate(other))
    below = [np.searchsorted(negatives, np.concatenate(same), side) for side in ("left", "right")]
    return {"auc": float(np.mean(below) / len(negatives)), "rank1": float(np.mean(hits))}


def _together(one: Seen, two: Seen) -> bool:
    return one.first <= two.last and two.first <= one.last


def _milliseconds(embedder, crops: list[np.ndarray]) -> dict[str, float]:
    """Processor time, not wall time: other work on the machine has no part in it."""
    spent = {}
    for name, act in (("colour stripes", stripe_descriptor), ("fusion", lambda crop: embedder.embed([crop]))):
        act(crops[0])
        started = time.process_time()
        for crop in crops:
            act(crop)
        spent[name] = (time.process_time() - started) / len(crops) * 1000
    return spent


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--pets", type=Path)
    parser.add_argument("--site", type=Path, action="append", default=[])
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    embedder = load_embedder(weights=asked.weights, cache_dir=asked.weights.parent, threads=1)
    result: dict[str, object] = {"model_id": embedder.model_id}
    sources = [(folder, read_site, score_site) for folder in asked.site]
    if asked.pets:
        sources.append((asked.pets, read_pets, score_pets))
    for folder, read, score in sources:
        seen = read(folder)
        print(f"{folder.name}: {len(seen)} tracklets, {sum(len(s.crops) for s in seen)} crops", flush=True)
        scores = {name: score(seen, vectors) for name, vectors in _models(embedder, seen).items()}
        for name, figures in scores.items():
            print(f"  {name:20s}", "  ".join(f"{key} {value:.3f}" for key, value in figures.items()), flush=True)
        result[folder.name] = scores
        result["ms_a_crop"] = _milliseconds(embedder, [s.crops[0] for s in seen])
    print("processor ms a crop:", result.get("ms_a_crop"))
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
