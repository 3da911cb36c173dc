"""What the steps of a job left: one small file for each that is done, so that a job that is retried passes over it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["StepResults"]


@dataclass(frozen=True, slots=True)
class StepResults:
    """The results of one job's steps.

    Attributes:
        folder: Of the job; files lie in its folder ``results``.
    """

    folder: Path

    def of(self, step: str) -> dict[str, Any] | None:
        """What a step gave, ``None`` where it is not done."""
        kept = self._read(step)
        return None if kept is None else dict(kept["result"])

    def keep(self, step: str, result: Mapping[str, Any], *, seconds: float) -> None:
        """Keep what a step gave and how long it took, whole or not at all.

        Raises:
            OSError: If it cannot be written.
        """
        file = self._file(step)
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f".{file.name}.partial")
        partial.write_text(json.dumps({"result": dict(result), "seconds": seconds}, allow_nan=False), encoding="utf-8")
        partial.replace(file)

    def seconds(self) -> dict[str, float]:
        """How long each step took that is done, in the order in which they were done."""
        files = sorted(self._file("*").parent.glob("[!.]*.json"), key=lambda file: file.stat().st_mtime_ns)
        kept = {file.stem: self._read(file.stem) for file in files}
        return {step: float(one["seconds"]) for step, one in kept.items() if one is not None}

    def _file(self, step: str) -> Path:
        return self.folder / "results" / f"{step}.json"

    def _read(self, step: str) -> dict[str, Any] | None:
        try:
            kept: dict[str, Any] = json.loads(self._file(step).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return kept
