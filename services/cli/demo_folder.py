"""The data folder of a demo: which simulated site it holds, so that a second run takes it up again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from reid_core.errors import DemoFolderError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DemoFolder", "DemoSite"]


@dataclass(frozen=True, slots=True)
class DemoSite:
    """What is simulated; ``version`` is Reknit's, because another simulator makes another site."""

    seed: int
    cameras: int
    people: int
    minutes: float
    difficulty: str
    version: str

    def as_options(self) -> list[str]:
        """As options of `reknit simulate`."""
        return [
            *("--seed", str(self.seed)),
            *("--cameras", str(self.cameras)),
            *("--people", str(self.people)),
            *("--minutes", str(self.minutes)),
            *("--difficulty", self.difficulty),
        ]

    def __str__(self) -> str:
        return (
            f"{self.cameras} cameras, {self.people} people, {self.minutes:g} minutes, "
            f"seed {self.seed}, difficulty {self.difficulty}"
        )


class DemoFolder:
    """A data folder that belongs to one simulated site.

    Args:
        data_dir: Holds the installation, and the site in ``site/``.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._note = data_dir / "demo-site.json"

    @property
    def site_dir(self) -> Path:
        """Where the simulated site lies."""
        return self._data_dir / "site"

    @property
    def site_file(self) -> Path:
        """What `reknit ingest --site` reads."""
        return self.site_dir / "site.toml"

    @property
    def true_boxes_dir(self) -> Path:
        """Ground truth, a file for each camera; only the scoring reads it."""
        return self.site_dir / "truth" / "boxes"

    @property
    def true_offsets(self) -> Path:
        """By how much each camera's clock is wrong; only the scoring reads it."""
        return self.site_dir / "truth" / "offsets.json"

    @property
    def report(self) -> Path:
        """The page of scores."""
        return self._data_dir / "report.html"

    @property
    def contact_sheet(self) -> Path:
        """The picture of searches."""
        return self._data_dir / "contact-sheet.png"

    def claim(self, wanted: DemoSite) -> bool:
        """Make the folder ready for a site.

        Returns:
            True if it holds the site already. What an interrupted run left of one is the simulator's to replace.

        Raises:
            DemoFolderError: If it holds another site, or an installation that is no demo.
        """
        held = self._held()
        if held == wanted and self.site_file.is_file():
            return True
        if held is not None and held != wanted:
            raise DemoFolderError(f"{self._data_dir} holds another site ({held}); give another --data-dir")
        if held is None and (self._data_dir / "reknit.db").exists():
            raise DemoFolderError(f"{self._data_dir} holds an installation that is no demo; give another --data-dir")
        self._data_dir.mkdir(parents=True, exist_ok=True)
        return False

    def note_simulated(self, site: DemoSite) -> None:
        """Note that the site lies there complete."""
        partial = self._note.with_name(self._note.name + ".partial")
        partial.write_text(json.dumps(asdict(site), indent=2) + "\n", encoding="utf-8")
        partial.replace(self._note)

    def _held(self) -> DemoSite | None:
        try:
            return DemoSite(**json.loads(self._note.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, TypeError, ValueError) as error:
            raise DemoFolderError(f"{self._note} cannot be read: {error}") from error
