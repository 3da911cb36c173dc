"""The part of `reknit train` that runs the paper's ablations on a stored site of which the truth is known."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from services.cli.options import load_settings, write_json, write_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reid_core.evaluation.ablation.results import Ablation, RowResult
    from reid_core.evaluation.ablation.rows import Row
    from reid_core.evaluation.ablation.running import KnownSite
    from reid_core.learning.recipes import Recipe
    from services.settings import Settings

__all__ = ["AblationRequest", "ablate"]

_QUICK_SHARE = 0.2
_TITLE = "Ablations of TASTR"


@dataclass(frozen=True, slots=True)
class AblationRequest:
    """What is asked for.

    Attributes:
        recipe: Name of the whole method.
        truth: True boxes of the stored site; ``None``: in the data folder, as `reknit demo` leaves them.
        source: Another installation's data folder, with its truth, for the row that learns there.
        is_quick: A fifth of the iterations: for a look, not for a result.
        seed: Of every row.
        json: Where to; ``-`` for standard output.
        report: Where to write the page.
    """

    recipe: str
    truth: Path | None = None
    source: Path | None = None
    is_quick: bool = False
    seed: int = 0
    json: str | None = None
    report: Path | None = None


def ablate(request: AblationRequest, *, data_dir: Path | None) -> None:
    """Run every row that has no figures yet, and write table and page after each, so that nothing is lost.

    Args:
        request: What is asked for.
        data_dir: The installation; rows are kept in its folder ``ablation``.

    Raises:
        GroundTruthError: If the truth is missing or does not fit what is stored.
        RecipeError: If the recipe is unknown.
        TooLittleToLearnError: If there is too little to learn from.
    """
    from reid_core.evaluation.ablation.document import ablation_document
    from reid_core.evaluation.ablation.results import Ablation
    from reid_core.evaluation.ablation.rows import ablation_rows, shortened
    from reid_core.learning.recipes import recipe_named

    settings = load_settings(data_dir)
    whole = recipe_named(request.recipe)
    recipe = shortened(whole, share=_QUICK_SHARE) if request.is_quick else whole
    folder = settings.data_dir / "ablation" / (f"{recipe.name}-quick" if request.is_quick else recipe.name)
    site, source = _sites(request, settings, recipe, folder)
    rows = ablation_rows(recipe, has_source=source is not None)
    so_far = Ablation(_TITLE, _facts(request, recipe, site), rows, {}, _caution(request))
    told = _Told(request, so_far)
    results = _run(rows, site, source, folder, settings=settings, seed=request.seed, keep=told.keep)
    told.keep(results)
    if request.json == "-":
        write_json("-", ablation_document(told.ablation))
    else:
        _print(told.ablation)


def _sites(
    request: AblationRequest, settings: Settings, recipe: Recipe, folder: Path
) -> tuple[KnownSite, KnownSite | None]:
    from services.trainer.ablation import known_site, truth_folder

    truth = truth_folder(request.truth or settings.data_dir)
    source_truth = None if request.source is None else truth_folder(request.source)
    site = known_site(settings, truth, folder / "site", recipe=recipe, on_tracklet=_quiet)
    if request.source is None or source_truth is None:
        return site, None
    there = load_settings(request.source)
    return site, known_site(there, source_truth, folder / "source", recipe=recipe, on_tracklet=_quiet)


def _run(
    rows: tuple[Row, ...],
    site: KnownSite,
    source: KnownSite | None,
    folder: Path,
    *,
    settings: Settings,
    seed: int,
    keep: Callable[[dict[str, RowResult]], None],
) -> dict[str, RowResult]:
    from reid_core.evaluation.ablation.learning import CycleLearner
    from reid_core.evaluation.ablation.rows import planned_iterations, telling_first
    from reid_core.evaluation.ablation.running import run_rows
    from services import bootstrap
    from services.cli.progress import progress

    planned = {row.key: planned_iterations(row) for row in rows}
    weights = bootstrap.start_weights(settings, rows[0].recipe.network.weights)
    learn = CycleLearner(
        seed=seed, weights=weights, threads=settings.threads, shared=folder / "shared", clock_s=time.monotonic
    )
    with progress("Ablations", sum(planned.values())) as advance:
        counted = _Counted(advance)

        def keep_and_count(results: dict[str, RowResult]) -> None:
            counted.catch_up(sum(planned[key] for key in results))
            keep(results)

        return run_rows(
            telling_first(rows),
            site=site,
            source=source,
            folder=folder / "rows",
            seed=seed,
            learn=learn,
            report=counted.report,
            keep=keep_and_count,
        )


class _Counted:
    """Turns what rows tell into steps of one bar; a row that was there already counts at once."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance
        self._done = self._finished = 0

    def report(self, row: Row, done: int) -> None:  # noqa: ARG002 - rows run one after the other
        """So many iterations of the row that runs are done."""
        self._to(self._finished + done)

    def catch_up(self, finished: int) -> None:
        """So many iterations belong to rows that have figures."""
        self._finished = finished
        self._to(finished)

    def _to(self, done: int) -> None:
        if done > self._done:
            self._advance(done - self._done)
            self._done = done


class _Told:
    """Writes table and page after each row."""

    def __init__(self, request: AblationRequest, ablation: Ablation) -> None:
        self._request = request
        self.ablation = ablation

    def keep(self, results: dict[str, RowResult]) -> None:
        """These rows have figures."""
        from reid_core.evaluation.ablation.document import ablation_document
        from reid_core.evaluation.ablation.page import ablation_page
        from reid_core.evaluation.report_page import render_page

        self.ablation = replace(self.ablation, results=results)
        if self._request.report is not None:
            write_text(self._request.report, render_page(ablation_page(self.ablation)))
        if self._request.json not in {None, "-"}:
            write_json(str(self._request.json), ablation_document(self.ablation))


def _facts(request: AblationRequest, recipe: Recipe, site: KnownSite) -> list[tuple[str, str]]:
    people = site.person_ids[site.person_ids > 0]
    return [
        ("recipe", recipe.name),
        ("seed", str(request.seed)),
        ("cameras", str(len(site.tracklets.sightings.camera_ids))),
        ("tracklets", str(len(site.tracklets))),
        ("people", str(len(set(people.tolist())))),
        ("time form", recipe.pairing.form.value),
        ("rounds", str(recipe.pairing.rounds)),
        ("iterations", f"{recipe.optimisation.within_iterations} + {recipe.optimisation.cross_iterations} a round"),
    ]


def _caution(request: AblationRequest) -> str:
    return f"{_QUICK_SHARE:.0%} of the recipe's iterations: a look, no result" if request.is_quick else ""


def _quiet(done: int, total: int) -> None:
    """Reading the stored tracklets takes seconds."""


def _print(ablation: Ablation) -> None:
    from rich.console import Console
    from rich.table import Table

    from reid_core.evaluation.ablation.verdicts import tell_differences

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("row", "rank-1", "mAP", "paper rank-1", "paper mAP"):
        table.add_column(name, justify="left" if name == "row" else "right")
    for row, found in ablation.finished():
        theirs = row.published
        published = ("", "") if theirs is None else (f"{100 * theirs.rank1:.1f}", f"{100 * theirs.map:.1f}")
        table.add_row(row.title, f"{100 * found.rank1:.1f}", f"{100 * found.map:.1f}", *published)
    console = Console()
    console.print(table)
    for line in (*([ablation.caution] if ablation.caution else []), *tell_differences(ablation)):
        console.print(line, style="dim", highlight=False)
