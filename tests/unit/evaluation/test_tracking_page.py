from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from reid_core.evaluation.journeys_page import journeys_page
from reid_core.evaluation.journeys_report import report_journeys
from reid_core.evaluation.report_page import Page, render_page
from reid_core.evaluation.sequence_pairs import SequencePair
from reid_core.evaluation.svg_bars import grouped_bars
from reid_core.evaluation.tracking_page import tracking_page
from reid_core.evaluation.tracking_report import TrackingReport
from reid_core.metrics.mot_boxes import MotBoxes
from reid_core.metrics.tracking import evaluate_tracking

if TYPE_CHECKING:
    from pathlib import Path

ONE = MotBoxes.of([1, 2], [5, 5], [[0, 0, 10, 20], [2, 0, 12, 20]])
SWITCHED = MotBoxes.of([1, 2], [5, 6], [[0, 0, 10, 20], [2, 0, 12, 20]])
FALSE_ALARMS = MotBoxes.of([1, 2, 3], [5, 6, 7], [[500, 0, 510, 20]] * 3)


def report(**results: MotBoxes) -> TrackingReport:
    return TrackingReport.of({name: evaluate_tracking(ONE, boxes) for name, boxes in results.items()})


def titles(page: Page) -> list[str]:
    return [card.title for card in page.cards]


class Tags(HTMLParser):
    """Counts what is opened and not closed, and remembers what could reach elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.outside += [f"{tag} {name}" for name, _ in attrs if name in {"src", "href"}]
        self.outside += [tag] if tag in {"script", "link", "img"} else []
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_tiles_tell_the_combined_figures():
    page = tracking_page(report(good=ONE, switched=SWITCHED))
    tiles = {tile.label: tile.value for tile in page.tiles}
    assert list(tiles) == ["HOTA", "DetA", "AssA", "IDF1", "MOTA", "IDSW"]
    assert (tiles["DetA"], tiles["MOTA"], tiles["IDSW"]) == ("100.0", "75.0", "1")
    assert dict(page.facts) == {"sequences": "2", "true boxes": "4", "result boxes": "4"}


def test_several_sequences_have_bars_and_a_combined_row():
    page = tracking_page(report(good=ONE, switched=SWITCHED))
    assert titles(page) == ["By localisation threshold", "From sequence to sequence", "Each sequence"]
    rows = re.findall(r"<tr><td>([^<]*)</td>", page.cards[-1].body)
    assert rows == ["good", "switched", "all together"]


def test_one_sequence_needs_neither():
    page = tracking_page(report(good=ONE))
    assert page.title == "Tracking of good"
    assert titles(page) == ["By localisation threshold", "Each sequence"]
    assert "all together" not in page.cards[-1].body


def test_threshold_curves_are_drawn_for_all_three():
    body = tracking_page(report(good=ONE)).cards[0].body
    assert [f"line series-{number}" in body for number in range(3)] == [True] * 3


def test_figures_below_zero_and_of_no_match_are_shown():
    page = tracking_page(report(wrong=FALSE_ALARMS, none=MotBoxes.none()))
    tiles = {tile.label: tile.value for tile in page.tiles}
    assert (tiles["HOTA"], tiles["MOTA"]) == ("0.0", "-75.0")
    assert "nan" not in render_page(page)


def test_page_is_well_formed_whole_and_escapes_names():
    text = render_page(tracking_page(report(**{"<script>alert(1)</script>": ONE, 'a"&b': SWITCHED})))
    tags = Tags()
    tags.feed(text)
    assert not tags.open
    assert not tags.outside
    assert "&lt;script&gt;" in text
    assert "a&quot;&amp;b" in text


def test_rows_end_with_the_combined_one():
    rows = report(good=ONE, switched=SWITCHED).rows()
    assert [(row["sequence"], row["MOTA"], row["IDSW"]) for row in rows] == [
        ("good", 100, 0),
        ("switched", 50, 1),
        ("COMBINED", 75, 1),
    ]


@pytest.mark.parametrize("count", [1, 3, 40])
def test_bars_are_as_long_as_their_shares(count: int):
    svg = ET.fromstring(grouped_bars([(f"<{at}>", [0.25, 1.0]) for at in range(count)], names=("a", "b"), title="t"))
    widths = [float(bar.get("width", "")) for bar in svg.iter("rect")]
    assert len(widths) == 2 * count
    assert widths[0] / widths[1] == pytest.approx(0.25, abs=0.001)
    assert [mark.text for mark in svg.iter("text") if mark.get("class") == "mark"] == ["25.0"] * count


def test_journeys_show_the_site_before_its_cameras(tmp_path: Path):
    row = "1,{},0,0,10,20,1\n"
    for name, identity in (("truth", 1), ("kept", 4), ("lost", 5)):
        (tmp_path / name).write_text(row.format(identity))
    truth = tmp_path / "truth"
    pairs = [SequencePair("<a>", truth, tmp_path / "kept"), SequencePair("b", truth, tmp_path / "lost")]
    scores = report_journeys(pairs)
    page = journeys_page(scores)
    tiles = [(tile.label, tile.value) for tile in page.tiles]
    assert tiles[0] == ("IDF1", "50.0")
    assert tiles[9:] == [("IDF1", "100.0"), ("MOTA", "100.0"), ("IDSW", "0")]
    assert titles(page)[0] == "Who is kept, and who is lost"
    assert "&lt;a&gt;" in render_page(page)
    first, _, combined = scores.rows()
    assert first.keys() == combined.keys()
    assert (first["camera"], first["IDF1"], first["site_IDF1"]) == ("<a>", 100, "")
    assert (combined["camera"], combined["IDF1"], combined["site_IDF1"]) == ("COMBINED", 100, 50)
