"""What a learning cycle left in its folder, read for the page: rounds, times and, where the truth is known, scores."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from reid_core.association.camera_shift import without_camera_shift
from reid_core.association.reciprocal import associate
from reid_core.errors import CheckpointError
from reid_core.evaluation.stored_site import score_retrieval
from reid_core.learning.step_files import finished_result, load_pairs
from reid_core.learning.tracklet_set import TrackletSet
from reid_core.metrics.association import score_association
from reid_core.spatio_temporal.calibration_check import check_by_time
from reid_core.spatio_temporal.calibration_model import Calibration
from reid_core.spatio_temporal.sightings import MatchedPairs
from reid_core.spatio_temporal.transit_model import TransitModel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from reid_core.learning.recipes import Recipe
    from reid_core.spatio_temporal.calibration_check import CalibrationCheck
    from reid_core.spatio_temporal.sightings import Sightings

__all__ = ["CycleRound", "LearningStory", "Retrieval", "read_learning_story"]


_UNSURE = 0.5


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Search across cameras by looks alone, in ``[0, 1]``."""

    rank1: float
    map: float


@dataclass(frozen=True, slots=True)
class CycleRound:
    """One round; the last entry has vectors but no pairs that anybody trained on.

    Attributes:
        round_no: 0 is learning within cameras.
        loss: Running mean at the end of its training.
        candidates: Mutual neighbours; ``None`` for round 0, as the next three.
        pairs: Of them, those that it trained on.
        mean_weight: Mean posterior of those.
        precision: Share of them that are right; ``None`` where the truth is not known, as the next two.
        recall: Over all true pairs of tracklets of different cameras.
        retrieval: After the round's training.
    """

    round_no: int
    loss: float | None
    candidates: int | None = None
    pairs: int | None = None
    mean_weight: float | None = None
    precision: float | None = None
    recall: float | None = None
    retrieval: Retrieval | None = None

    def as_dict(self) -> dict[str, float | int | None]:
        """For JSON."""
        retrieval = self.retrieval
        return {
            "round": self.round_no,
            "loss": self.loss,
            "candidates": self.candidates,
            "pairs": self.pairs,
            "mean_weight": self.mean_weight,
            "precision": self.precision,
            "recall": self.recall,
            "rank1": None if retrieval is None else retrieval.rank1,
            "map": None if retrieval is None else retrieval.map,
        }


@dataclass(frozen=True, slots=True, eq=False)
class LearningStory:
    """A cycle as far as it got.

    Attributes:
        recipe: How it learned.
        tracklets: How many there are.
        rounds: In order; at least round 0.
        transit: Of the last round that fitted one.
        sightings: Where and when the tracklets were.
        looks: Pairs by looks alone, as the transit model was fitted to them; ``None`` without one.
        reliability: What the calibration states against what times witness; ``None`` without one.
        check: The figures of the decision on the new generation, as the job stored them; empty where it did not get so
            far.
        before: Retrieval of the generation that answered before; ``None`` where the truth is not known.
    """

    recipe: Recipe
    tracklets: int
    sightings: Sightings
    rounds: tuple[CycleRound, ...]
    transit: TransitModel | None = None
    looks: MatchedPairs | None = None
    reliability: CalibrationCheck | None = None
    check: Mapping[str, Any] = field(default_factory=dict)
    before: Retrieval | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        error = None if self.reliability is None else self.reliability.error
        return {
            "recipe": self.recipe.name,
            "tracklets": self.tracklets,
            "cameras": list(self.sightings.camera_ids),
            "rounds": [one.as_dict() for one in self.rounds],
            "transit": None if self.transit is None else self.transit.to_json(),
            "calibration_error_by_time": error,
            "self_check": dict(self.check),
            "before": None if self.before is None else {"rank1": self.before.rank1, "map": self.before.map},
        }


def read_learning_story(
    folder: Path,
    recipe: Recipe,
    *,
    people: Mapping[int, int] | None = None,
    check: Mapping[str, Any] | None = None,
    before: NDArray[np.floating] | None = None,
    seed: int = 0,
) -> LearningStory:
    """Read a cycle's folder.

    Args:
        folder: With ``tracklets`` and the steps' folders.
        recipe: By which the cycle learned.
        people: Whom each tracklet shows by its number, 0 for a distractor; ``None``: not known.
        check: The decision's figures.
        before: Vectors of the set's tracklets by the model that answered before. Shape ``(N, d)``.
        seed: Draws pairs for the reliability of large sites.

    Raises:
        CheckpointError: If not even learning within cameras is finished, or a file cannot be read.
        TrackletSetError: If the tracklets cannot be read.
    """
    tracklets = TrackletSet.load(folder / "tracklets")
    judge = _Judge.of(tracklets, people)
    rounds = tuple(_rounds(folder, recipe, judge))
    if not rounds:
        raise CheckpointError(f"{folder}: learning within cameras is not finished")
    last = rounds[-1].round_no
    transit = _transit(folder, last)
    return LearningStory(
        recipe=recipe,
        tracklets=len(tracklets),
        sightings=tracklets.sightings,
        rounds=rounds,
        transit=transit,
        looks=None if transit is None else _looks(_vectors(folder, recipe, last + 1), tracklets.sightings),
        reliability=_reliability(folder, tracklets.sightings, seed),
        check=check or {},
        before=None if before is None else judge.retrieval(before),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Judge:
    """The truth, where it is known."""

    person_ids: NDArray[np.int64] | None
    cameras: NDArray[np.int64]

    @staticmethod
    def of(tracklets: TrackletSet, people: Mapping[int, int] | None) -> _Judge:
        if people is None:
            return _Judge(None, tracklets.cameras)
        shown = np.array([people.get(number, 0) for number in tracklets.tracklet_nos.tolist()], np.int64)
        return _Judge(shown, tracklets.cameras)

    def retrieval(self, vectors: NDArray[np.floating] | None) -> Retrieval | None:
        if self.person_ids is None or vectors is None:
            return None
        unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        ranking = score_retrieval(unit.astype(np.float32), self.person_ids, self.cameras.astype(str)).ranking
        return None if ranking is None else Retrieval(ranking.rank(1), ranking.map_rectangle)

    def association(self, rows_a: NDArray[np.int64], rows_b: NDArray[np.int64]) -> tuple[float | None, float | None]:
        if self.person_ids is None:
            return None, None
        pairs = score_association(rows_a, rows_b, person_ids=self.person_ids, cameras=self.cameras).pairs
        return pairs.precision, pairs.recall


def _rounds(folder: Path, recipe: Recipe, judge: _Judge) -> list[CycleRound]:
    """As many as are trained."""
    within = finished_result(folder / "within", "within")
    if within is None:
        return []
    rounds = [CycleRound(0, within.metrics.get("loss"), retrieval=judge.retrieval(_vectors(folder, recipe, 1)))]
    for number in range(1, recipe.pairing.rounds + 1):
        paired = finished_result(folder / f"associate-{number}", f"associate-{number}")
        trained = finished_result(folder / f"train-{number}", f"train-{number}")
        if paired is None or trained is None:
            break
        pairs, _ = load_pairs(folder / f"associate-{number}" / "pairs.npz")
        precision, recall = judge.association(pairs.rows_a, pairs.rows_b)
        rounds.append(
            CycleRound(
                number,
                trained.metrics.get("loss"),
                candidates=int(paired.metrics.get("candidates", len(pairs))),
                pairs=len(pairs),
                mean_weight=paired.metrics.get("mean_weight"),
                precision=precision,
                recall=recall,
                retrieval=judge.retrieval(_vectors(folder, recipe, number + 1)),
            )
        )
    return rounds


def _vectors(folder: Path, recipe: Recipe, number: int) -> NDArray[np.floating] | None:
    """What a round looked at before it began; of the round after the last, what the cycle ended with."""
    step = f"associate-{number}" if number <= recipe.pairing.rounds else "finish"
    path = folder / step / "vectors.npy"
    if not path.is_file():
        return None
    vectors: NDArray[np.floating] = np.load(path)
    return vectors


def _transit(folder: Path, last: int) -> TransitModel | None:
    for step in ("finish", *(f"associate-{number}" for number in range(last, 0, -1))):
        path = folder / step / "transit.json"
        if path.is_file():
            return _transit_at(path)
    return None


def _transit_at(path: Path) -> TransitModel:
    try:
        return TransitModel.from_json(_read(path))
    except ValueError as error:  # one that an older version wrote
        raise CheckpointError(f"{path}: {error}") from error


def _looks(vectors: NDArray[np.floating] | None, seen: Sightings) -> MatchedPairs | None:
    """Mutual neighbours by looks alone, each as likely as not, as transit models are fitted to them."""
    if vectors is None:
        return None
    pairs = associate(without_camera_shift(vectors, seen.cameras), seen)
    return MatchedPairs(pairs.rows_a, pairs.rows_b, np.full(len(pairs), _UNSURE))


def _reliability(folder: Path, seen: Sightings, seed: int) -> CalibrationCheck | None:
    names = ("transit.json", "calibration.json", "vectors.npy")
    transit, calibration, vectors = (folder / "finish" / name for name in names)
    if not (transit.is_file() and calibration.is_file() and vectors.is_file()):
        return None
    try:
        stated = Calibration.from_json(_read(calibration))
    except ValueError as error:  # as above
        raise CheckpointError(f"{calibration}: {error}") from error
    model = _transit_at(transit)
    try:
        return check_by_time(stated, model, np.load(vectors), seen, seed=seed)
    except ValueError:  # one camera only: there is no pair to be wrong about
        return None


def _read(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: {error}") from error
    return document
