"""Our tracking scores against TrackEval's own metric classes, to 1e-6, and against the published table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import trackeval

from reid_core.evaluation.mot_files import read_mot, read_tracks
from reid_core.metrics.mot_boxes import MotBoxes
from reid_core.metrics.tracking import TrackingScores, combine, evaluate_tracking

if TYPE_CHECKING:
    from pathlib import Path

MOT15 = (
    "ADL-Rundle-6",
    "ADL-Rundle-8",
    "ETH-Bahnhof",
    "ETH-Pedcross2",
    "ETH-Sunnyday",
    "KITTI-13",
    "KITTI-17",
    "TUD-Campus",
    "TUD-Stadtmitte",
    "Venice-2",
)
PETS = "PETS09-S2L1"
CLASS_COUNT = 13


class Witness:
    """TrackEval's preprocessing and metrics, fed from memory."""

    def __init__(self) -> None:
        quiet = {"PRINT_CONFIG": False}
        self.metrics = {
            "hota": trackeval.metrics.HOTA(),
            "clear": trackeval.metrics.CLEAR(dict(quiet)),
            "identity": trackeval.metrics.Identity(dict(quiet)),
        }
        self.dataset = trackeval.datasets.MotChallenge2DBox.__new__(trackeval.datasets.MotChallenge2DBox)
        self.dataset.do_preproc = True
        self.dataset.valid_class_numbers = list(range(1, CLASS_COUNT + 1))
        self.dataset.class_name_to_class_id = {
            "pedestrian": 1,
            "person_on_vehicle": 2,
            "static_person": 7,
            "distractor": 8,
            "reflection": 12,
        }

    def score(self, truth: MotBoxes, result: MotBoxes, *, benchmark: str = "MOT15") -> dict[str, Any]:
        self.dataset.benchmark = benchmark
        data = self.dataset.get_preprocessed_seq_data(self._raw(truth, result), "pedestrian")
        return {name: metric.eval_sequence(data) for name, metric in self.metrics.items()}

    def combined(self, scores: list[dict[str, Any]]) -> dict[str, float]:
        return figures(
            {
                name: metric.combine_sequences({str(number): score[name] for number, score in enumerate(scores)})
                for name, metric in self.metrics.items()
            }
        )

    def _raw(self, truth: MotBoxes, result: MotBoxes) -> dict[str, Any]:
        last = int(max(truth.frames.max(initial=0), result.frames.max(initial=0)))
        by_frame = [(truth.take(truth.frames == t), result.take(result.frames == t)) for t in range(1, last + 1)]
        return {
            "num_timesteps": last,
            "seq": "sequence",
            "gt_ids": [t.ids for t, _ in by_frame],
            "gt_dets": [t.boxes_px for t, _ in by_frame],
            "gt_classes": [t.classes for t, _ in by_frame],
            "gt_extras": [{"zero_marked": t.confidences.astype(int)} for t, _ in by_frame],
            "tracker_ids": [r.ids for _, r in by_frame],
            "tracker_dets": [r.boxes_px for _, r in by_frame],
            "tracker_classes": [r.classes for _, r in by_frame],
            "tracker_confidences": [r.confidences for _, r in by_frame],
            "similarity_scores": [
                self.dataset._calculate_box_ious(t.boxes_px, r.boxes_px, box_format="x0y0x1y1") for t, r in by_frame
            ],
        }


def figures(score: dict[str, Any]) -> dict[str, float]:
    hota, clear, identity = score["hota"], score["clear"], score["identity"]
    percent = {name: np.mean(hota[name]) for name in ("HOTA", "DetA", "AssA", "LocA")}
    percent |= {name: identity[name] for name in ("IDF1", "IDP", "IDR")} | {
        name: clear[name] for name in ("MOTA", "MOTP")
    }
    counts = {"IDSW": clear["IDSW"], "FP": clear["CLR_FP"], "FN": clear["CLR_FN"], "Frag": clear["Frag"]}
    counts |= {"MT": clear["MT"], "ML": clear["ML"], "GT": clear["CLR_TP"] + clear["CLR_FN"]}
    return {name: 100 * float(value) for name, value in percent.items()} | {k: int(v) for k, v in counts.items()}


def truth_of(shared_data: Path, name: str) -> MotBoxes:
    path = "pets09_s2l1/gt.txt" if name == PETS else f"mot15/train/{name}/gt/gt.txt"
    return read_tracks(shared_data / path)


def spoilt(truth: MotBoxes, seed: int) -> MotBoxes:
    """Truth with shaken boxes, a fifth missing, swapped names and false alarms."""
    rng = np.random.default_rng(seed)
    kept = truth.take(rng.random(len(truth)) < 0.8)
    size = np.tile(kept.boxes_px[:, 2:] - kept.boxes_px[:, :2], 2)
    boxes = kept.boxes_px + rng.normal(0, 0.12, size.shape) * size
    boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
    ids = kept.ids * 10 + (kept.frames // rng.integers(20, 60)) % 3
    false = rng.permutation(len(kept))[: len(kept) // 10]
    return MotBoxes.of(
        np.concatenate([kept.frames, kept.frames[false]]),
        np.concatenate([ids, 100_000 + np.arange(len(false))]),
        np.concatenate([boxes, kept.boxes_px[false] + 37.0]),
    )


def chained(detections: MotBoxes) -> MotBoxes:
    """Toy tracks: a detection carries on the track whose box of the frame before it overlaps most, first come first."""
    ids = np.zeros(len(detections), np.int64)
    fresh, before = 1, {}
    for frame in np.unique(detections.frames):
        now: dict[int, np.ndarray] = {}
        for row in np.flatnonzero(detections.frames == frame):
            box = detections.boxes_px[row]
            near = [track for track, old in before.items() if track not in now and np.abs(old - box).max() < 15]
            ids[row] = near[0] if near else fresh
            fresh += not near
            now[int(ids[row])] = box
        before = now
    return MotBoxes.of(detections.frames, ids, detections.boxes_px)


def assert_equal(ours: TrackingScores, theirs: dict[str, float]) -> None:
    assert ours.as_dict() == pytest.approx(theirs, abs=1e-6, rel=0)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", [*MOT15, PETS])
def test_published_result_scores_as_in_trackeval(shared_data: Path, name: str):
    witness = Witness()
    truth, result = truth_of(shared_data, name), read_tracks(shared_data / f"mot15/results_CEM/{name}.txt")
    assert_equal(evaluate_tracking(truth, result), figures(witness.score(truth, result)))


@pytest.mark.shared_data
@pytest.mark.parametrize("name", [*MOT15, PETS])
def test_spoilt_truth_scores_as_in_trackeval(shared_data: Path, name: str):
    witness = Witness()
    truth = truth_of(shared_data, name)
    result = spoilt(truth, seed=len(truth))
    assert_equal(evaluate_tracking(truth, result), figures(witness.score(truth, result)))


@pytest.mark.shared_data
def test_toy_tracks_from_detections_score_as_in_trackeval(shared_data: Path):
    witness = Witness()
    truth = truth_of(shared_data, PETS)
    result = chained(read_mot(shared_data / "pets09_s2l1/det.txt"))
    assert_equal(evaluate_tracking(truth, result), figures(witness.score(truth, result)))


@pytest.mark.shared_data
def test_eleven_sequences_combine_as_in_trackeval_and_in_the_published_table(shared_data: Path):
    witness = Witness()
    ours, theirs = [], []
    for name in (*MOT15, PETS):
        truth, result = truth_of(shared_data, name), read_tracks(shared_data / f"mot15/results_CEM/{name}.txt")
        ours.append(evaluate_tracking(truth, result))
        theirs.append(witness.score(truth, result))
    assert_equal(combine(ours), witness.combined(theirs))
    assert (round(combine(ours).mota, 1), round(combine(ours).idf1, 1)) == (26.8, 41.2)
    assert (round(ours[-1].mota, 1), round(ours[-1].idf1, 1)) == (82.9, 66.6)


@pytest.mark.parametrize("seed", range(5))
def test_classes_and_marks_are_handled_as_in_trackeval(seed: int):
    witness = Witness()
    rng = np.random.default_rng(seed)
    frames, people = 40, 12
    start, step = rng.uniform(0, 300, (people, 2)), rng.normal(0, 6, (people, 2))
    corner = start[None] + step[None] * np.arange(frames)[:, None, None]
    boxes = np.concatenate([corner, corner + np.array([30, 70])], axis=2).reshape(-1, 4)
    truth = MotBoxes.of(
        np.repeat(np.arange(1, frames + 1), people),
        np.tile(np.arange(1, people + 1), frames),
        boxes,
        classes=np.tile(rng.choice([1, 1, 1, 2, 3, 7, 8, 9, 12], people), frames),
        confidences=(rng.random(frames * people) < 0.9).astype(float),
    )
    result = spoilt(truth, seed)
    theirs = figures(witness.score(truth, result, benchmark="MOT17"))
    assert_equal(evaluate_tracking(truth, result), theirs)
