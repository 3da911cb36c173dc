"""Run the rows of an ablation one after the other; each one's figures are kept, so an interrupted run goes on."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from reid_core.evaluation.ablation.labels import labelled
from reid_core.evaluation.ablation.results import RowResult
from reid_core.evaluation.ablation.scoring import score_row
from reid_core.learning.files import written_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from reid_core.evaluation.ablation.rows import Row
    from reid_core.evaluation.ablation.scoring import Learned
    from reid_core.learning.tracklet_set import TrackletSet

__all__ = ["KnownSite", "Learn", "run_rows"]


@dataclass(frozen=True, slots=True, eq=False)
class KnownSite:
    """A site's tracklets, and who they are.

    Attributes:
        tracklets: As a cycle learns from them.
        person_ids: Whom each shows, ``NOBODY`` for a distractor. Shape ``(N,)``.
    """

    tracklets: TrackletSet
    person_ids: NDArray[np.int64]


class Learn(Protocol):
    """How a row learns."""

    def __call__(
        self,
        row: Row,
        learns_from: TrackletSet,
        judged_on: TrackletSet,
        folder: Path,
        *,
        report: Callable[[int], None],
    ) -> Learned:
        """Train by the row's recipe on one set, and give the vectors of another (mostly the same).

        Args:
            row: What to do.
            learns_from: With the labels that the row may know.
            judged_on: Without any.
            folder: For checkpoints; what is there already is gone on with.
            report: Told how many of the row's `planned_iterations` are done.
        """
        ...


def run_rows(
    rows: Sequence[Row],
    *,
    site: KnownSite,
    source: KnownSite | None,
    folder: Path,
    seed: int,
    learn: Learn,
    report: Callable[[Row, int], None],
    keep: Callable[[dict[str, RowResult]], None],
) -> dict[str, RowResult]:
    """Run every row that has no figures yet.

    Args:
        rows: In the order in which to run.
        site: What is learned and judged on.
        source: Another site for the row that learns there; it is left out without one.
        folder: One file of figures for each row; a row whose recipe, seed and tracklets are those of a stored result is
            not run again. While a row runs it has a folder there, too.
        seed: Part of what tells results apart; the learner uses it.
        learn: How a row learns.
        report: Told the row, and how many of its `planned_iterations` are done.
        keep: Given all figures so far after each row.

    Returns:
        Figures by the rows' keys.
    """
    results: dict[str, RowResult] = {}
    for row in rows:
        teacher = source if row.from_source else site
        if teacher is None:
            continue
        identity = _identity(row, seed, site, teacher)
        home, kept = folder / f"{row.key}-{identity[:12]}", folder / f"{row.key}.json"
        found = _stored(kept, identity)
        if found is None:
            told = labelled(teacher.tracklets, teacher.person_ids, row.labels)
            learned = learn(row, told, site.tracklets, home, report=partial(report, row))
            seen = site.tracklets.sightings
            found = score_row(
                row.key, learned, person_ids=site.person_ids, cameras=seen.cameras, camera_ids=seen.camera_ids
            )
            _store(kept, identity, found)
            shutil.rmtree(home, ignore_errors=True)
        results[row.key] = found
        keep(dict(results))
    return results


def _identity(row: Row, seed: int, *sites: KnownSite) -> str:
    """Equal where a result must be equal."""
    digest = hashlib.sha256(f"{row.recipe.to_json()} {row.labels} {seed}".encode())
    for site in sites:
        seen = site.tracklets.sightings
        for array in (site.tracklets.tracklet_nos, seen.cameras, seen.starts_s, seen.ends_s, site.person_ids):
            digest.update(array.tobytes())
    return digest.hexdigest()


def _stored(path: Path, identity: str) -> RowResult | None:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return RowResult.from_dict(stored["result"]) if stored["identity"] == identity else None


def _store(path: Path, identity: str, result: RowResult) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as file:
        file.write(json.dumps({"identity": identity, "result": result.as_dict()}, indent=1).encode())
