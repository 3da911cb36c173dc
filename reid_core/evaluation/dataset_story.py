"""A published dataset's scores as a story for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.evaluation.datasets.dataset import NOBODY
from reid_core.evaluation.datasets.pictures import open_pictures, pictures_of
from reid_core.evaluation.inspection import Inspection, Searches, inspect_searches, queries_to_inspect
from reid_core.evaluation.ranking_page import RankingStory
from reid_core.evaluation.report_page import Table
from reid_core.evaluation.report_searches import Portraits
from reid_core.evaluation.transit_gaps import Visits, transit_gaps
from reid_core.metrics.junk import JunkRule

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from reid_core.evaluation.datasets.dataset import ReidDataset, ReidRecord
    from reid_core.evaluation.feature_distances import RecordFeatures
    from reid_core.evaluation.ranking_report import RankingReport

__all__ = ["dataset_story"]

_MOST_QUERIES = 4000
_MOST_CAMERAS = 40
_NEW_VISIT_FRAMES = 500
_FIGURES = {
    "rank1": "rank-1",
    "rank5": "rank-5",
    "rank10": "rank-10",
    "rank20": "rank-20",
    "map": "mAP (rectangle)",
    "map_trapezoid": "mAP (trapezoid)",
    "minp": "mINP",
}
_FOOTER = (
    (
        "Average precision by rectangles is the mean of the precisions at the true matches; by trapezoids it is what "
        "the Market-1501 authors' script computes, and never higher. mINP is the mean of true matches over the rank of "
        "the last one."
    ),
    (
        "The query's own person at its own camera is junk and left out; distractors stay; a query without a true match "
        "is skipped and counted, never scored 0."
    ),
)


def dataset_story(report: RankingReport, features: RecordFeatures, *, title: str, root: Path) -> RankingStory:
    """Tell what was scored, and look into the first trial of the customary setting.

    Args:
        report: The scores.
        features: Those that were scored.
        title: The dataset's name.
        root: Where its pictures may lie.
    """
    name, first = next(iter(report.settings.items()))
    trial = first.trials[0]
    inspection, inspected = _inspect(report, features)
    facts = [("setting", name.replace("_", " ")), ("distance", report.distance.value)]
    if len(first.trials) > 1:
        facts.append(("trials", str(len(first.trials))))
    counts = [
        ("queries", f"{first.queries:,}", f"{first.skipped:,} skipped"),
        ("gallery", f"{len(trial.trial.gallery):,}", f"{trial.distractors:,} distractors"),
    ]
    return RankingStory(
        title=title,
        facts=facts,
        figures=first.means(),
        spreads=first.spreads(),
        counts=counts,
        curves={
            key: np.mean([one.scores.curve for one in scores.trials], axis=0) for key, scores in report.settings.items()
        },
        inspection=inspection,
        inspected=inspected,
        portraits=_portraits(report.dataset, root),
        gaps=transit_gaps(_visits(report.dataset, trial.trial.query, trial.trial.gallery)),
        gap_unit="frames, as published",
        tables=[("All figures", _table(report))],
        footer=(*report.dataset.notes, *_FOOTER),
    )


def _inspect(report: RankingReport, features: RecordFeatures) -> tuple[Inspection, str]:
    setting = next(iter(report.settings.values()))
    scored = setting.trials[0]
    records = report.dataset.records
    at = queries_to_inspect(scored.scores.queries, at_most=_MOST_QUERIES)
    query, gallery = scored.trial.query[at], scored.trial.gallery
    query_cameras, gallery_cameras = (_cameras(records, rows) for rows in (query, gallery))
    rule = JunkRule(
        _people(records, query),
        _people(records, gallery),
        query_cameras,
        gallery_cameras,
        query_clothes=_clothes(records, query),
        gallery_clothes=_clothes(records, gallery),
        clothes=setting.setting.clothes,
    )
    distances = features.comparable_distances(query, gallery)
    searches = Searches(distances, rule, query, gallery, query_cameras, gallery_cameras)
    words = (
        f"all {len(at):,} queries" if len(at) == len(scored.scores.queries) else f"{len(at):,} evenly chosen queries"
    )
    if len(setting.trials) > 1:
        words += " of the first trial"
    return inspect_searches(searches, most_cameras=_MOST_CAMERAS), words


def _people(records: tuple[ReidRecord, ...], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.array([records[row].person_id for row in rows], np.int64)


def _cameras(records: tuple[ReidRecord, ...], rows: NDArray[np.int64]) -> NDArray[np.str_]:
    return np.array([records[row].camera_id for row in rows], np.str_)


def _clothes(records: tuple[ReidRecord, ...], rows: NDArray[np.int64]) -> NDArray[np.str_]:
    return np.array([records[row].clothes_id or "" for row in rows], np.str_)


def _portraits(dataset: ReidDataset, root: Path) -> Portraits:
    records, pictures = dataset.records, open_pictures(dataset, root)

    def picture(row: int) -> bytes | None:
        return pictures.read(pictures_of(records[row])[0])

    def lines(row: int) -> tuple[str, ...]:
        person = records[row].person_id
        return (f"camera {records[row].camera_id}", "distractor" if person == NOBODY else f"person {person}")

    return Portraits(lambda row: records[row].person_id, lines, picture)


def _visits(dataset: ReidDataset, query: NDArray[np.int64], gallery: NDArray[np.int64]) -> Visits:
    """Runs of pictures of one person at one camera; each recording has a clock of its own."""
    rows = np.union1d(query, gallery)
    seen = [record for record in (dataset.records[row] for row in rows) if record.frame is not None]
    if len({record.camera_id for record in seen}) > _MOST_CAMERAS:
        seen = []
    clocks = {name: place for place, name in enumerate(sorted({record.sequence for record in seen}))}
    times: dict[tuple[int, str, str], list[int]] = {}
    for record in seen:
        times.setdefault((record.person_id, record.sequence, record.camera_id), []).append(record.frame or 0)
    visits = [
        (person, camera, run[0], run[-1], clocks[sequence])
        for (person, sequence, camera), frames in times.items()
        for run in _runs(np.sort(frames))
    ]
    people, cameras, starts, ends, clock_nos = zip(*visits, strict=True) if visits else ((), (), (), (), ())
    return Visits(
        np.array(people, np.int64),
        cameras,
        np.array(starts, np.float64),
        np.array(ends, np.float64),
        np.array(clock_nos, np.int64),
    )


def _runs(frames: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return np.split(frames, np.flatnonzero(np.diff(frames) > _NEW_VISIT_FRAMES) + 1)


def _table(report: RankingReport) -> Table:
    rows = []
    for name, label in _FIGURES.items():
        cells = []
        for scores in report.settings.values():
            spreads = scores.spreads()
            spread = "" if spreads is None else f" ± {100 * spreads[name]:.2f}"
            cells.append(f"{100 * scores.means()[name]:.2f}{spread}")
        rows.append((label, *cells))
    settings = report.settings.values()
    rows.append(("queries", *(f"{scores.queries:,}" for scores in settings)))
    rows.append(("skipped", *(f"{scores.skipped:,}" for scores in settings)))
    rows.append(("gallery", *(f"{len(scores.trials[0].trial.gallery):,}" for scores in settings)))
    return Table(("", *(name.replace("_", " ") for name in report.settings)), rows)
