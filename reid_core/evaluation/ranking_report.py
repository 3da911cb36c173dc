"""A dataset's figures under every setting of its protocol, from features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from reid_core.errors import DatasetError
from reid_core.evaluation.datasets.dataset import NOBODY
from reid_core.evaluation.feature_distances import RecordFeatures
from reid_core.evaluation.feature_files import Distance
from reid_core.evaluation.protocols import protocol_of, scored_records, trials_of
from reid_core.metrics.ranking import Clothes, evaluate_ranking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from reid_core.evaluation.datasets.dataset import ReidDataset
    from reid_core.evaluation.protocols import Setting, Trial
    from reid_core.metrics.ranking import RankingScores
    from reid_core.types import FloatArray

__all__ = ["FIGURES", "QueryRow", "RankingReport", "ScoredTrial", "SettingScores", "report_ranking"]

FIGURES = ("rank1", "rank5", "rank10", "rank20", "map", "map_trapezoid", "minp")
MAX_RANK = 50

Rows: TypeAlias = "Callable[[int, int], FloatArray]"


@dataclass(frozen=True, slots=True, eq=False)
class ScoredTrial:
    """One trial and its scores."""

    trial: Trial
    scores: RankingScores
    distractors: int

    def figures(self) -> dict[str, float]:
        """The figures named in ``FIGURES``, in ``[0, 1]``."""
        ranks = {f"rank{k}": self.scores.rank(k) for k in (1, 5, 10, 20)}
        scores = self.scores
        return ranks | {"map": scores.map_rectangle, "map_trapezoid": scores.map_trapezoid, "minp": scores.minp}


@dataclass(frozen=True, slots=True)
class SettingScores:
    """All trials of one setting, at least one."""

    setting: Setting
    trials: tuple[ScoredTrial, ...]

    def means(self) -> dict[str, float]:
        """Each figure, averaged over trials."""
        each = [trial.figures() for trial in self.trials]
        return {name: float(np.mean([figures[name] for figures in each])) for name in FIGURES}

    def spreads(self) -> dict[str, float] | None:
        """Standard deviation of each figure over trials (n - 1), ``None`` for a single trial."""
        if len(self.trials) < 2:
            return None
        each = [trial.figures() for trial in self.trials]
        return {name: float(np.std([figures[name] for figures in each], ddof=1)) for name in FIGURES}

    @property
    def queries(self) -> int:
        """Scored queries of all trials."""
        return sum(len(trial.scores.queries) for trial in self.trials)

    @property
    def skipped(self) -> int:
        """Queries of all trials that had no true match."""
        return sum(trial.scores.skipped for trial in self.trials)

    def as_dict(self) -> dict[str, object]:
        """Means, spreads and counts; gallery, distractors and junk are those of the first trial."""
        first = self.trials[0]
        return {
            **self.means(),
            "spread": self.spreads(),
            "trials": len(self.trials),
            "queries": self.queries,
            "skipped": self.skipped,
            "gallery": len(first.trial.gallery),
            "distractors": first.distractors,
            "junk": first.trial.junk,
            "cmc": np.mean([trial.scores.curve for trial in self.trials], axis=0).tolist(),
        }


@dataclass(frozen=True, slots=True)
class QueryRow:
    """One query of one trial; figures are ``None`` where it was skipped."""

    setting: str
    trial: int
    query: str
    person_id: int
    camera_id: str
    average_precision: float | None = None
    average_precision_trapezoid: float | None = None
    inverse_negative_penalty: float | None = None
    first_rank: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RankingReport:
    """Scores of one dataset by setting, the customary one first."""

    dataset: ReidDataset
    distance: Distance
    settings: Mapping[str, SettingScores]

    def as_dict(self) -> dict[str, object]:
        """The customary setting's figures at the top, and the same for each of ``settings``."""
        each = {name: scores.as_dict() for name, scores in self.settings.items()}
        head = {"dataset": self.dataset.name, "distance": self.distance.value, "setting": next(iter(each))}
        return {**head, **next(iter(each.values())), "notes": list(self.dataset.notes), "settings": each}

    def query_rows(self) -> Iterator[QueryRow]:
        """Every query of every trial, skipped ones too, in the dataset's order."""
        for name, setting in self.settings.items():
            for number, scored in enumerate(setting.trials, start=1):
                yield from self._rows(name, number, scored)

    def _rows(self, setting: str, number: int, scored: ScoredTrial) -> Iterator[QueryRow]:
        scores = scored.scores
        place = {int(query): at for at, query in enumerate(scores.queries)}
        for query, position in enumerate(scored.trial.query):
            record, at = self.dataset.records[position], place.get(query)
            known = (setting, number, record.path, record.person_id, record.camera_id)
            if at is None:
                yield QueryRow(*known)
                continue
            yield QueryRow(
                *known,
                average_precision=float(scores.precisions[at]),
                average_precision_trapezoid=float(scores.precisions_trapezoid[at]),
                inverse_negative_penalty=float(scores.inverse_penalties[at]),
                first_rank=int(scores.first_ranks[at]),
            )


def report_ranking(
    dataset: ReidDataset,
    features: FloatArray,
    positions: NDArray[np.int64],
    *,
    distance: Distance = Distance.COSINE,
    seed: int = 0,
    validation: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> RankingReport:
    """Score a dataset under every setting of its protocol.

    Args:
        dataset: Who is who.
        features: As `features_of` makes them for ``distance``. Shape ``(P, d)``.
        positions: Which records they belong to, as `scored_records` names them. Shape ``(P,)``.
        distance: How features are compared.
        seed: For drawn galleries.
        validation: Score the published validation people instead of the test people.
        on_progress: Called with the number of queries just scored; `queries_of` says how many there will be.

    Raises:
        DatasetError: If nobody can be scored under a setting, or its clothes are not labelled.
        ValueError: If features and positions differ in length, or a record that is scored is not among them.
    """
    held = RecordFeatures(features, positions, distance=distance)
    if len(np.setdiff1d(scored_records(dataset, validation=validation), positions)):
        raise ValueError("features of some records that are scored are missing")
    labels = _Labels(dataset)
    settings = {}
    for setting in protocol_of(dataset.name):
        scored = []
        for trial in trials_of(dataset, setting, seed=seed, validation=validation):
            distances = held.distances(trial.query, trial.gallery)
            scored.append(_score(labels, setting, trial, _counted(distances, on_progress)))
        settings[setting.name] = SettingScores(setting, tuple(scored))
    return RankingReport(dataset, distance, settings)


class _Labels:
    """People, cameras and clothes of all records as numbers."""

    def __init__(self, dataset: ReidDataset) -> None:
        self.name = dataset.name
        self.people = np.array([record.person_id for record in dataset.records], np.int64)
        self.cameras = _codes(record.camera_id for record in dataset.records)
        self.clothes = _codes(record.clothes_id or "" for record in dataset.records)
        self.dressed = np.array([record.clothes_id is not None for record in dataset.records], np.bool_)


def _codes(values: Iterable[str]) -> NDArray[np.int64]:
    known: dict[str, int] = {}
    return np.fromiter((known.setdefault(value, len(known)) for value in values), np.int64)


def _counted(rows: Rows, on_progress: Callable[[int], None] | None) -> Rows:
    if on_progress is None:
        return rows

    def counted(start: int, stop: int) -> FloatArray:
        block = rows(start, stop)
        on_progress(stop - start)
        return block

    return counted


def _score(labels: _Labels, setting: Setting, trial: Trial, distances: Rows) -> ScoredTrial:
    query, gallery = trial.query, trial.gallery
    people = labels.people[gallery]
    if setting.clothes is not Clothes.ANY and not (labels.dressed[query].all() and labels.dressed[gallery].all()):
        raise DatasetError(f"{labels.name}, {setting.name}: clothes are not labelled")
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # refused as not a number
            scores = evaluate_ranking(
                distances,
                query_ids=labels.people[query],
                gallery_ids=people,
                query_cameras=labels.cameras[query],
                gallery_cameras=labels.cameras[gallery],
                query_clothes=labels.clothes[query],
                gallery_clothes=labels.clothes[gallery],
                clothes=setting.clothes,
                max_rank=MAX_RANK,
            )
    except ValueError as error:
        raise DatasetError(f"{labels.name}, {setting.name}: {error}") from error
    return ScoredTrial(trial, scores, int(np.count_nonzero(people == NOBODY)))
