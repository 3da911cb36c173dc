"""Searches as rows of pictures: a query and its nearest answers, each with its verdict."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import NotAnImageError
from reid_core.evaluation.query_choice import spread_of_queries
from reid_core.evaluation.report_page import Card
from reid_core.vision.thumbnails import thumbnail

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reid_core.evaluation.inspection import Answer, ShownQuery

__all__ = ["Portraits", "search_cards"]

_WORST = 8


@dataclass(frozen=True, slots=True)
class Portraits:
    """How a row of the caller's is shown.

    Attributes:
        person: Its person id.
        lines: Short lines below its picture.
        picture: Its file, ``None`` where there is none.
    """

    person: Callable[[int], int]
    lines: Callable[[int], Sequence[str]]
    picture: Callable[[int], bytes | None]


def search_cards(queries: Sequence[ShownQuery], portraits: Portraits) -> list[Card]:
    """Two cards: a fair spread of searches, and the worst of them; one that tells why where no picture is at hand."""
    sheet = _Sheet(portraits)
    cards = [
        Card(
            "Searches, from good to bad",
            sheet.rows(_spread(queries, portraits)),
            "Chosen by rule: the queries at the 90th, 70th, 50th, 30th and 10th percentile of average precision. "
            "Blue is the query; then its nearest answers, d is their distance.",
            is_wide=True,
        ),
        Card(
            "The worst searches",
            sheet.rows(_worst(queries, portraits)),
            "The lowest average precisions, one of each person. Where no answer shown is right, the nearest true match "
            "stands behind them with its rank.",
            is_wide=True,
        ),
    ]
    if sheet.found:
        return cards
    note = "No picture of these queries and answers could be read, so no searches are shown."
    return [Card("Searches", "", note, is_wide=True)]


def _spread(queries: Sequence[ShownQuery], portraits: Portraits) -> list[ShownQuery]:
    precisions = np.array([query.precision for query in queries])
    people = np.array([portraits.person(query.row) for query in queries], np.int64)
    return [queries[at] for at in spread_of_queries(precisions, people)]


def _worst(queries: Sequence[ShownQuery], portraits: Portraits) -> list[ShownQuery]:
    chosen: dict[int, ShownQuery] = {}
    for query in sorted(queries, key=lambda query: (query.precision, -query.first_rank, query.row)):
        chosen.setdefault(portraits.person(query.row), query)
        if len(chosen) == _WORST:
            break
    return list(chosen.values())


class _Sheet:
    """Draws rows, and knows whether any picture was found."""

    def __init__(self, portraits: Portraits) -> None:
        self._portraits = portraits
        self.found = 0

    def rows(self, queries: Sequence[ShownQuery]) -> str:
        return "".join(self._row(query) for query in queries)

    def _row(self, query: ShownQuery) -> str:
        matches = "1 true match" if query.matches == 1 else f"{query.matches} true matches"
        about = (
            f'<div class="about"><b>{100 * query.precision:.1f}</b>average precision<br>'
            f"first right: rank {query.first_rank}<br>{matches}</div>"
        )
        asking = self._crop(query.row, "query", ())
        answers = "".join(self._answer(answer) for answer in query.answers)
        missed = ""
        if query.first_rank > len(query.answers):
            missed = self._answer(query.nearest_match, f"rank {query.first_rank}")
        return f'<div class="search">{about}{asking}<div class="answers">{answers}</div>{missed}</div>'

    def _answer(self, answer: Answer, *more: str) -> str:
        far = f"d {answer.distance:.2f}" if answer.distance < 10 else f"d {answer.distance:.0f}"
        return self._crop(answer.row, "right" if answer.is_right else "wrong", (far, *more))

    def _crop(self, row: int, css_class: str, more: tuple[str, ...]) -> str:
        lines = "<br>".join(escape(line) for line in (*self._portraits.lines(row), *more))
        return f'<div class="crop {css_class}"><div class="frame">{self._image(row)}</div>{lines}</div>'

    def _image(self, row: int) -> str:
        picture = self._portraits.picture(row)
        try:
            small = None if picture is None else thumbnail(picture)
        except NotAnImageError:
            small = None
        if small is None:
            return '<span class="none">no picture</span>'
        self.found += 1
        return f'<img alt="" src="data:image/jpeg;base64,{b64encode(small).decode("ascii")}">'
