from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from reid_core.evaluation.camera_pairs import CameraPairs
from reid_core.evaluation.inspection import Answer, Inspection, ShownQuery, Similarities
from reid_core.evaluation.ranking_page import RankingStory, ranking_page
from reid_core.evaluation.report_page import Card, Page, Table, Tile, render_page
from reid_core.evaluation.report_searches import Portraits, search_cards
from reid_core.evaluation.transit_gaps import PairGaps


def jpeg() -> bytes:
    out = BytesIO()
    Image.new("RGB", (40, 100), "#336699").save(out, "JPEG")
    return out.getvalue()


def shown(row: int, precision: float, *, first_rank: int = 1, verdicts: tuple[bool, ...] = (True, False)) -> ShownQuery:
    answers = tuple(Answer(100 + at, 0.1 * at, is_right) for at, is_right in enumerate(verdicts))
    return ShownQuery(row, precision, first_rank, 1, Answer(500, 0.9, is_right=True), answers)


def portraits(*, pictures: bool = True) -> Portraits:
    return Portraits(
        person=lambda row: row // 10,
        lines=lambda row: (f"cam <{row}>",),
        picture=lambda _row: jpeg() if pictures else None,
    )


PAIRS = CameraPairs(
    ("a", "b"),
    np.array([[np.nan, 0.5], [1.0, np.nan]]),
    np.array([[np.nan, 0.0], [1.0, np.nan]]),
    np.array([[0, 1], [2, 0]]),
)
INSPECTION = Inspection(
    queries=(shown(10, 0.9), shown(20, 0.2)),
    similarities=Similarities(np.array([0.1, 0.2], np.float32), np.array([0.6, 0.8], np.float32)),
    precision=np.linspace(1, 0.5, 101),
    pairs=PAIRS,
)
STORY = RankingStory(
    title="Ours & <theirs>",
    facts=[("model", "one")],
    figures={"map": 0.5, "rank1": 0.25, "rank5": 0.5, "rank10": 0.75, "minp": 0.1, "map_trapezoid": 0.45},
    spreads=None,
    counts=[("queries", "2", "0 skipped")],
    curves={"standard": np.array([0.25, 0.5, 0.75])},
    inspection=INSPECTION,
    inspected="all 2 queries",
    portraits=portraits(),
    gaps=[PairGaps(("a", "b"), np.array([3.0, 4.0]), np.array([-5.0, 0.0, 9.0]))],
    gap_unit="seconds",
    tables=[("All figures", Table(("", "standard"), [("mAP", "50.00")]))],
    footer=["Definitions."],
)


class Outline(HTMLParser):
    """Headlines, addresses and open tags of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.headlines: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] in {"h1", "h2"} and data.strip():
            self.headlines.append(data)


def test_page_is_one_file_without_script():
    html = render_page(ranking_page(STORY))
    outline = Outline(html)
    assert "script" not in outline.tags
    assert outline.links
    assert all(link.startswith("data:image/jpeg;base64,") for link in outline.links)
    assert not re.search(r"https?://|url\(|@import", html)
    assert "prefers-color-scheme: dark" in html


def test_every_part_is_there_in_order():
    outline = Outline(render_page(ranking_page(STORY)))
    assert outline.headlines[1:] == [
        "Cumulative match characteristic",
        "Precision by recall",
        "Same person, different people",
        "From camera to camera",
        "Transit times",
        "Searches, from good to bad",
        "The worst searches",
        "All figures",
    ]


def test_names_from_outside_are_escaped():
    html = render_page(ranking_page(STORY))
    assert "<theirs>" not in html
    assert "Ours &amp; &lt;theirs&gt;" in html
    assert "cam &lt;10&gt;" in html
    rude = Page("t", [("<i>", "<i>")], [Tile("<i>", "<i>", "<i>")], [Card("<i>", "", "<i>")], ["<i>"])
    assert "<i>" not in render_page(rude)
    assert "<i>" not in Table(("<i>",), [("<i>",)]).html()


def test_tiles_hold_percent_and_spread():
    page = ranking_page(replace(STORY, spreads=dict.fromkeys(STORY.figures, 0.021)))
    assert [(tile.label, tile.value, tile.note) for tile in page.tiles[:2]] == [
        ("mAP", "50.0", "± 2.1"),
        ("rank-1", "25.0", "± 2.1"),
    ]
    assert page.tiles[-1] == Tile("queries", "2", "0 skipped")


def test_several_settings_are_told_apart():
    two = {"cloth_changing": np.array([0.7, 0.8]), "same_clothes": np.array([0.9, 1.0])}
    card = ranking_page(replace(STORY, curves=two)).cards[0]
    assert [legend.name for legend in card.legends] == ["cloth changing", "same clothes"]
    assert "60%" in card.body  # begins below the lowest curve
    assert ">0%<" not in card.body


def test_camera_pairs_tell_their_figures_and_are_left_out_where_they_are_many():
    cards = {card.title: card for card in ranking_page(STORY).cards}
    body = cards["From camera to camera"].body
    assert "a asks b: mAP 50.0%, rank-1 0.0%, 1 query" in body
    assert "b asks a: mAP 100.0%, rank-1 100.0%, 2 queries" in body
    assert "a asks a: no query with a true match" in body
    many = {card.title: card for card in ranking_page(replace(STORY, inspection=replace(INSPECTION, pairs=None))).cards}
    assert many["From camera to camera"].body == ""


def test_transit_times_are_left_out_where_none_are_known_and_the_busiest_pairs_shown():
    titles = [card.title for card in ranking_page(replace(STORY, gaps=[])).cards]
    assert "Transit times" not in titles
    many = [replace(STORY.gaps[0], cameras=("a", f"b{n}")) for n in range(20)]
    card = next(card for card in ranking_page(replace(STORY, gaps=many)).cards if card.title == "Transit times")
    assert card.body.count("<figure>") == 12
    assert "12 busiest of 20 pairs" in card.note


def test_right_and_wrong_answers_are_marked():
    spread, _worst = search_cards([shown(10, 0.5, verdicts=(True, False, False))], portraits())
    assert spread.body.count('class="crop query"') == 1
    assert spread.body.count('class="crop right"') == 1
    assert spread.body.count('class="crop wrong"') == 2


def test_missed_match_stands_behind_the_answers_with_its_rank():
    _, worst = search_cards([shown(10, 0.02, first_rank=47, verdicts=(False, False))], portraits())
    assert "cam &lt;500&gt;<br>d 0.90<br>rank 47" in worst.body


def test_distances_have_as_many_digits_as_help():
    query = replace(shown(10, 0.5), answers=(Answer(1, 0.064, is_right=True), Answer(2, 934.01, is_right=False)))
    spread, _ = search_cards([query], portraits())
    assert re.findall(r"d ([\d.]+)", spread.body) == ["0.06", "934"]


def test_no_more_than_eight_of_the_worst_searches_are_shown():
    _, worst = search_cards([shown(10 * person, 0.9 - 0.01 * person) for person in range(1, 12)], portraits())
    assert worst.body.count('class="search"') == 8


def test_worst_searches_are_of_different_people_and_worst_first():
    queries = [shown(10, 0.3), shown(11, 0.1), shown(20, 0.2), shown(30, 0.9)]
    _, worst = search_cards(queries, portraits())
    assert re.findall(r"<b>([\d.]+)</b>", worst.body) == ["10.0", "20.0", "90.0"]


def test_without_pictures_a_note_stands_in_their_place():
    (card,) = search_cards([shown(10, 0.5)], portraits(pictures=False))
    assert card.body == ""
    assert "No picture" in card.note


def test_a_broken_picture_leaves_a_gap():
    some = replace(portraits(), picture=lambda row: b"broken" if row == 100 else jpeg())
    cards = search_cards([shown(10, 0.5)], some)
    assert len(cards) == 2
    assert cards[0].body.count("no picture") == 1


@pytest.mark.parametrize("share", [-1.0, 0.0, 0.5, 2.0])
def test_bars_stay_inside_of_their_tile(share: float):
    html = render_page(Page("t", [], [Tile("l", "v", share=share)], [], []))
    (width,) = re.findall(r'<i style="width:([\d.-]+)%"', html)
    assert 0 <= float(width) <= 100
