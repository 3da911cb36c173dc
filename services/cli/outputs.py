"""What an evaluation writes beside its table: JSON, CSV rows and a page, each where it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.cli.options import write_csv, write_json, write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from reid_core.evaluation.report_page import Page

__all__ = ["Outputs", "columns_of"]


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where to write; ``None`` = nowhere.

    Attributes:
        json: A file, or ``-`` for standard output, which then holds nothing else.
        csv: A file.
        report: A file.
    """

    json: str | None = None
    csv: Path | None = None
    report: Path | None = None

    @property
    def has_table(self) -> bool:
        """Whether standard output is free for a table."""
        return self.json != "-"

    def write(
        self,
        result: object,
        *,
        page: Callable[[], Page],
        rows: Callable[[], tuple[Sequence[str], Iterable[Iterable[object]]]],
    ) -> None:
        """Write what is asked for; page and rows are made only then.

        Args:
            result: The JSON.
            page: Makes the page.
            rows: Makes the head and the rows of the CSV.

        Raises:
            OutputError: If a file cannot be written.
        """
        if self.report is not None:
            from reid_core.evaluation.report_page import render_page

            write_text(self.report, render_page(page()))
        if self.csv is not None:
            write_csv(self.csv, *rows())
        if self.json is not None:
            write_json(self.json, result)


def columns_of(rows: Sequence[Mapping[str, object]]) -> tuple[list[str], list[list[object]]]:
    """Head and rows of a CSV from rows by column; all have the columns of the first.

    Example:
        >>> columns_of([{"name": "a", "IDF1": 50}, {"name": "b", "IDF1": 70}])
        (['name', 'IDF1'], [['a', 50], ['b', 70]])
    """
    return list(rows[0]), [list(row.values()) for row in rows]
