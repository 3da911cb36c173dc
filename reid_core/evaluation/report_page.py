"""A self-contained HTML page: tiles, cards, tables; no script, no other file, light by day and dark by night."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Card", "Legend", "Page", "Table", "Tile", "render_page"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure in large letters.

    Attributes:
        label: What it is.
        value: As written.
        note: Below it, such as its spread.
        share: Length of a bar below, in ``[0, 1]``; ``None`` for no bar.
    """

    label: str
    value: str
    note: str = ""
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Legend:
    """A name and the class that colours what it names."""

    name: str
    css_class: str


@dataclass(frozen=True, slots=True)
class Card:
    """One box of the page.

    Attributes:
        title: Its headline.
        body: HTML, made of escaped text only.
        note: One or two sentences on how to read it.
        legends: Names of the colours.
        is_wide: Whether it takes the whole width.
    """

    title: str
    body: str
    note: str = ""
    legends: tuple[Legend, ...] = ()
    is_wide: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text below a head; the first column names the row."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def html(self) -> str:
        """As a table that scrolls sideways where it must."""
        head = "".join(f"<th>{escape(cell)}</th>" for cell in self.head)
        rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows)
        return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


@dataclass(frozen=True, slots=True)
class Page:
    """All that a page shows, top to bottom."""

    title: str
    facts: Sequence[tuple[str, str]]
    tiles: Sequence[Tile]
    cards: Sequence[Card]
    footer: Sequence[str]


def render_page(page: Page) -> str:
    """The page as one HTML document."""
    style = files("reid_core.evaluation").joinpath("report.css").read_text(encoding="utf-8")
    facts = "".join(f"<li><b>{escape(name)}</b>{escape(value)}</li>" for name, value in page.facts)
    tiles = "".join(_tile(tile, is_first=number == 0) for number, tile in enumerate(page.tiles))
    cards = "".join(_card(card) for card in page.cards)
    footer = "".join(f"<p>{escape(line)}</p>" for line in page.footer)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(page.title)} · Reknit</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        f'<header><div class="mark">Reknit evaluation</div><h1>{escape(page.title)}</h1>'
        f'<ul class="facts">{facts}</ul></header>\n'
        f'<section class="tiles">{tiles}</section>\n<section class="cards">\n{cards}</section>\n'
        f"<footer>{footer}</footer>\n</main>\n</body>\n</html>\n"
    )


def _tile(tile: Tile, *, is_first: bool) -> str:
    bar = ""
    if tile.share is not None:
        bar = f'<div class="bar"><i style="width:{100 * min(1.0, max(0.0, tile.share)):.1f}%"></i></div>'
    return (
        f'<div class="tile{" first" if is_first else ""}"><div class="label">{escape(tile.label)}</div>'
        f'<div class="value">{escape(tile.value)}</div><div class="note">{escape(tile.note)}</div>{bar}</div>'
    )


def _card(card: Card) -> str:
    note = f"<p>{escape(card.note)}</p>" if card.note else ""
    items = "".join(f'<li class="{one.css_class}">{escape(one.name)}</li>' for one in card.legends)
    legend = f'<ul class="legend">{items}</ul>' if items else ""
    wide = " wide" if card.is_wide else ""
    return f'<article class="card{wide}"><h2>{escape(card.title)}</h2>{note}{legend}{card.body}</article>\n'
