"""`make benchmark-tracker`: our tracker beside its peers on ten sequences of MOT15, all on the same given detections.

Online output, no interpolation, no pictures, each tracker at its own defaults. Figures are combined over sequences as
TrackEval does. Our defaults were tuned on every second sequence by name ("tuning half"); the others ("other half")
were in no objective, but were looked at between rounds of tuning (ADR 16). Peers were not tuned. Times are of
``update`` alone, processor time of the one thread that runs it, which is wall time on an idle machine: on each sequence
all trackers run in turns A B B A, and ratios are taken run by run.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairing import pin_to_one_thread, ratio_of, take_turns, write_report

pin_to_one_thread()
PROJECT = Path(__file__).resolve().parents[2]
_ULTRALYTICS = PROJECT / "build/ultralytics"  # it writes a settings file; not into anybody's home
_ULTRALYTICS.mkdir(parents=True, exist_ok=True)
os.environ.update(
    YOLO_CONFIG_DIR=str(_ULTRALYTICS),
    YOLO_OFFLINE="1",
    YOLO_AUTOINSTALL="0",
    YOLO_VERBOSE="false",
    ULTRALYTICS_SAFE_LOAD="1",
)

import numpy as np  # noqa: E402  # after the threads are pinned

from reid_core.evaluation.mot_files import read_mot  # noqa: E402
from reid_core.metrics.mot_boxes import MotBoxes  # noqa: E402
from reid_core.metrics.tracking import TrackingScores, combine, evaluate_tracking  # noqa: E402

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from peers.contenders import Contender

OURS = "Reknit"
MOST_MS, LEAST_LEAD = 0.35, 1.0
COLUMNS = ("HOTA", "AssA", "DetA", "IDF1", "MOTA", "IDSW")


@dataclass(frozen=True, slots=True)
class Sequence:
    """One sequence: truth, and each frame's boxes and confidences."""

    name: str
    truth: MotBoxes
    frames: list[tuple[NDArray[np.float32], NDArray[np.float32]]]


@dataclass(frozen=True, slots=True)
class Run:
    """What one tracker did on one sequence."""

    scores: TrackingScores
    ms_a_frame: float


def load_sequence(folder: Path) -> Sequence:
    """Ground truth and detections, frame by frame."""
    truth, found = read_mot(folder / "gt/gt.txt"), read_mot(folder / "det/det_sort_frcnn.txt")
    rows = [found.frames == frame for frame in range(1, int(max(truth.frames.max(), found.frames.max())) + 1)]
    frames = [(found.boxes_px[row].astype(np.float32), found.confidences[row].astype(np.float32)) for row in rows]
    return Sequence(folder.name, truth, frames)


def follow(contender: Contender, sequence: Sequence) -> tuple[MotBoxes, float]:
    """Track one sequence; answers the tracks and the milliseconds a frame that ``step`` took."""
    frames, ids, boxes, spent = [], [], [], 0.0
    for number, (frame_boxes, confidences) in enumerate(sequence.frames, start=1):
        prepared = contender.prepare(frame_boxes, confidences)
        began = time.thread_time()
        answer = contender.step(prepared)
        spent += time.thread_time() - began
        track_ids, track_boxes = contender.read(answer)
        frames.append(np.full(len(track_ids), number))
        ids.append(track_ids)
        boxes.append(track_boxes)
    tracks = MotBoxes.of(np.concatenate(frames), np.concatenate(ids), np.concatenate(boxes))
    return tracks, 1000 * spent / len(sequence.frames)


def measure(sequences: list[Sequence], names: list[str], rounds: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Scores by tracker and sequence, and milliseconds a frame by tracker, run and sequence."""
    from peers.contenders import CONTENDERS

    tracks: dict[tuple[str, str], MotBoxes] = {}
    times: dict[str, list[tuple[float, ...]]] = {name: [] for name in names}

    def once(name: str, sequence: Sequence) -> float:
        tracks[name, sequence.name], spent = follow(CONTENDERS[name](), sequence)
        return spent

    for sequence in sequences:
        turns = take_turns({name: partial(once, name, sequence) for name in names}, rounds=rounds)
        for name, spent in turns.items():
            times[name].append(spent)
        print(f"{sequence.name}: {len(sequence.frames)} frames", file=sys.stderr)
    scores = {
        name: {sequence.name: evaluate_tracking(sequence.truth, tracks[name, sequence.name]) for sequence in sequences}
        for name in names
    }
    return scores, times


def figures(scores: dict[str, TrackingScores], sequences: list[Sequence]) -> dict[str, float | int]:
    """The figures of one tracker over some sequences together."""
    together = combine([scores[sequence.name] for sequence in sequences]).as_dict()
    return {column: round(together[column], 2) for column in COLUMNS}


def report(sequences: list[Sequence], names: list[str], rounds: int) -> dict[str, Any]:
    """Everything that is printed and stored."""
    scores, times = measure(sequences, names, rounds)
    lengths = np.array([len(sequence.frames) for sequence in sequences])
    parts = {"tuning half": sequences[0::2], "other half": sequences[1::2], "all": sequences}
    flat = {name: tuple(np.ravel(times[name])) for name in names}
    return {
        "scores": {part: {name: figures(scores[name], chosen) for name in names} for part, chosen in parts.items()},
        "ms_a_frame": {name: float(np.average(np.median(times[name], axis=1), weights=lengths)) for name in names},
        "time_ratio_ours_to_peer": {name: ratio_of(flat, OURS, name) for name in names if name != OURS},
        "split": {part: [sequence.name for sequence in chosen] for part, chosen in parts.items()},
        "rounds": rounds,
    }


def verdict(found: dict[str, Any]) -> dict[str, Any]:
    """The three figures that were asked for."""
    ours, peers = found["scores"]["all"][OURS], dict(found["scores"]["all"])
    del peers[OURS]
    best, fewest = max(peers, key=lambda name: peers[name]["HOTA"]), min(peers, key=lambda name: peers[name]["IDSW"])
    lead = round(ours["HOTA"] - peers[best]["HOTA"], 2)
    spent = found["ms_a_frame"][OURS]
    return {
        "best_peer": best,
        "hota_lead": lead,
        "fewest_switches_peer": fewest,
        "switches_ours_and_fewest": [ours["IDSW"], peers[fewest]["IDSW"]],
        "ms_a_frame": round(spent, 3),
        "reached": bool(lead >= LEAST_LEAD and ours["IDSW"] < peers[fewest]["IDSW"] and spent <= MOST_MS),
    }


def show(found: dict[str, Any]) -> None:
    """Print one table for each part, and the verdict."""
    for part, rows in found["scores"].items():
        print(f"\n{part}: {', '.join(found['split'][part])}")
        print(f"{'':26}" + "".join(f"{column:>8}" for column in COLUMNS) + f"{'ms':>8}  ours / theirs")
        for name, row in rows.items():
            ratio = found["time_ratio_ours_to_peer"].get(name, "")
            cells = "".join(f"{row[column]:8d}" if column == "IDSW" else f"{row[column]:8.2f}" for column in COLUMNS)
            print(f"{name:26}{cells}{found['ms_a_frame'][name]:8.3f}  {ratio}")
    end = found["verdict"]
    print(
        f"\nHOTA {end['hota_lead']:+.2f} to the best peer ({end['best_peer']}; asked +{LEAST_LEAD}); "
        f"switches {end['switches_ours_and_fewest'][0]} against the fewest {end['switches_ours_and_fewest'][1]} "
        f"({end['fewest_switches_peer']}); {end['ms_a_frame']} ms a frame (asked {MOST_MS}): "
        f"{'reached' if end['reached'] else 'NOT reached'}"
    )


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared/data/mot15/train")
    parser.add_argument("--rounds", type=int, default=2, help="runs of each tracker on each sequence")
    parser.add_argument("--only", nargs="*", help="peers to run beside ours (default: all)")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"no MOT15 sequences at {options.data}", file=sys.stderr)
        return 2
    sys.path.append(str(PROJECT / ".peers"))  # behind .venv: the peers bring no library that we have
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    from peers.contenders import CONTENDERS

    names = [name for name in CONTENDERS if name == OURS or options.only is None or name in options.only]
    sequences = [load_sequence(folder) for folder in sorted(options.data.iterdir()) if folder.is_dir()]
    found = report(sequences, names, options.rounds)
    found["verdict"] = verdict(found)
    show(found)
    print(f"\nwritten to {write_report('tracker', found).relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
