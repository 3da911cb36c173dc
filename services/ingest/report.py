"""What came of an ingest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reid_core.errors import ReknitError
    from services.ingest.plan import SourceRequest

__all__ = ["IngestReport", "SourceOutcome", "SourceState"]


class SourceState(StrEnum):
    """How a source stands after an ingest."""

    INGESTED = "ingested"
    FINISHED_BEFORE = "finished before"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """What came of one source.

    Attributes:
        request: The source.
        state: How it stands now.
        frames: Frames worked on in this run.
        tracklets: Tracklets stored of it in this run.
        tracklets_before: Tracklets stored of it by earlier runs.
        problems: What was odd about it without ending it, a line each.
        failure: Why it could not be ingested.
    """

    request: SourceRequest
    state: SourceState
    frames: int = 0
    tracklets: int = 0
    tracklets_before: int = 0
    problems: tuple[str, ...] = ()
    failure: ReknitError | None = None

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "camera": self.request.camera_id,
            "source": str(self.request.path),
            "state": self.state.value,
            "frames": self.frames,
            "tracklets": self.tracklets,
            "tracklets_before": self.tracklets_before,
            "problems": list(self.problems),
            "failure": None if self.failure is None else str(self.failure),
        }


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What came of all sources.

    Attributes:
        outcomes: In the order in which the sources were given.
        seconds: Wall-clock time from the first frame to the last commit, without loading networks.
        loading_seconds: Wall-clock time of loading networks, on the first run of converting them.
        stage_seconds: Thread time by stage, see `StageClock`.
    """

    outcomes: tuple[SourceOutcome, ...]
    seconds: float
    loading_seconds: float
    stage_seconds: Mapping[str, float]

    @property
    def frames(self) -> int:
        """Frames worked on."""
        return sum(outcome.frames for outcome in self.outcomes)

    @property
    def tracklets(self) -> int:
        """Tracklets stored."""
        return sum(outcome.tracklets for outcome in self.outcomes)

    @property
    def failures(self) -> tuple[SourceOutcome, ...]:
        """Sources that could not be ingested."""
        return tuple(outcome for outcome in self.outcomes if outcome.failure is not None)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        frames = max(self.frames, 1)
        return {
            "sources": [outcome.as_dict() for outcome in self.outcomes],
            "frames": self.frames,
            "tracklets": self.tracklets,
            "seconds": self.seconds,
            "loading_seconds": self.loading_seconds,
            "frames_per_second": self.frames / self.seconds if self.seconds else 0.0,
            "ms_per_frame": 1000 * self.seconds / frames,
            "stages": {
                stage: {"seconds": seconds, "ms_per_frame": 1000 * seconds / frames}
                for stage, seconds in self.stage_seconds.items()
            },
        }
