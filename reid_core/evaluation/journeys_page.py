"""The page that shows identities over all cameras, and what each camera does for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reid_core.evaluation.report_page import Card, Page, Table, Tile
from reid_core.evaluation.tracking_page import (
    TRACKING_FOOTER,
    percent_tile,
    tracking_cards,
    tracking_facts,
    tracking_tiles,
)

if TYPE_CHECKING:
    from reid_core.evaluation.journeys_report import JourneysReport

__all__ = ["journeys_page"]

_FOOTER = (
    "Over all cameras, IDF1 gives every id of the result to one person at most, once for the boxes of all cameras. "
    "MCTA is detection x tracking x handover: boxes found, steps within a camera that keep the id, steps across that "
    "do. Pairs are tracklets of different cameras."
)


def journeys_page(report: JourneysReport) -> Page:
    """Lay out the page: first what holds over all cameras, then each camera."""
    facts = [
        ("cameras", f"{report.cameras}"),
        ("tracklets", f"{report.tracklets:,}"),
        ("distractors", f"{report.distractors:,}"),
        *tracking_facts(report.tracking),
    ]
    tiles = [*_tiles(report), *tracking_tiles(report.tracking, note="camera by camera")]
    cards = [_steps_card(report), *tracking_cards(report.tracking, noun="camera")]
    return Page("Journeys across cameras", facts, tiles, cards, (_FOOTER, TRACKING_FOOTER))


def _tiles(report: JourneysReport) -> list[Tile]:
    counts, pairs = report.scores.mcta_counts, report.pairs
    return [
        percent_tile("IDF1", 100 * report.scores.identity.f1, "over all cameras"),
        percent_tile("MCTA", 100 * counts.mcta, "over all cameras"),
        percent_tile("handover", 100 * counts.handover, "right steps across"),
        percent_tile("pair precision", 100 * pairs.precision, "joined that are right"),
        percent_tile("pair recall", 100 * pairs.recall, "true that are joined"),
        percent_tile("pair F1", 100 * pairs.f1, "of the two"),
    ]


def _steps_card(report: JourneysReport) -> Card:
    counts, pairs = report.scores.mcta_counts, report.pairs
    rows = [
        ("steps within a camera", counts.within, counts.within - counts.within_mismatches, counts.tracking),
        ("steps across cameras", counts.across, counts.across - counts.across_mismatches, counts.handover),
        ("pairs of tracklets that were joined", pairs.joined, pairs.right, pairs.precision),
        ("pairs of tracklets that show one person", pairs.true, pairs.right, pairs.recall),
    ]
    written = [(name, f"{all_:,}", f"{right:,}", f"{100 * share:.1f}") for name, all_, right, share in rows]
    return Card("Who is kept, and who is lost", Table(("", "all", "right", "percent"), written).html(), is_wide=True)
