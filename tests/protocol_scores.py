"""Datasets whose records stand at places on a line, scored: small enough to be checked by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.evaluation.datasets.dataset import ReidDataset, ReidRecord
from reid_core.evaluation.feature_files import Distance
from reid_core.evaluation.protocols import scored_records
from reid_core.evaluation.ranking_report import RankingReport, SettingScores, report_ranking

if TYPE_CHECKING:
    from collections.abc import Mapping


def score(dataset: ReidDataset, places: Mapping[str, float], *, validation: bool = False) -> RankingReport:
    """Score records that stand at places on a line; a place is given by the path or a part of it."""
    positions = scored_records(dataset, validation=validation)
    line = [[next(at for part, at in places.items() if part in dataset.records[p].path)] for p in positions]
    return report_ranking(
        dataset, np.array(line, np.float32), positions, distance=Distance.EUCLIDEAN, validation=validation
    )


def standard(report: RankingReport) -> SettingScores:
    return report.settings["standard"]


def scores_of(report: RankingReport, setting: str = "standard"):
    return report.settings[setting].trials[0].scores


def records(*people_and_cameras: tuple[int, str], name: str = "r") -> list[ReidRecord]:
    return [ReidRecord(f"{name}{n}", person, camera) for n, (person, camera) in enumerate(people_and_cameras)]
