"""What is stored of journeys, as values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from reid_core.association.journeys_names import ChangeKind
from reid_core.types import ClockQuality

if TYPE_CHECKING:
    from uuid import UUID

    from services.storage.records import StoredTracklet

__all__ = [
    "MOST_PARTS",
    "ChangeKind",
    "Journey",
    "JourneyEvent",
    "JourneyPage",
    "JourneyState",
    "JourneySummary",
    "JourneyWhere",
    "Link",
    "LinkEvidence",
    "Part",
    "Placement",
]

MOST_PARTS = 64  # of one tracklet


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """A tracklet, or a part of one that shows several people one after another.

    Attributes:
        part_no: From 0, in order of time.
        start_s: On the camera's own clock.
        end_s: The same of its last frame.
    """

    tracklet_no: int
    part_no: int
    start_s: float
    end_s: float

    @property
    def key(self) -> int:
        """One number for both numbers, by which parts of tracklets are told apart."""
        return self.tracklet_no * MOST_PARTS + self.part_no

    def overlap_s(self, other: Part) -> float:
        """Seconds that both have of one tracklet; minus infinity where they are of two."""
        if self.tracklet_no != other.tracklet_no:
            return -math.inf
        return min(self.end_s, other.end_s) - max(self.start_s, other.start_s)


@dataclass(frozen=True, slots=True)
class LinkEvidence:
    """What speaks for a tracklet being in its journey: its likeliest pair with one of the others there.

    Attributes:
        with_no: The other tracklet.
        visual: By how much looks move the log-odds, in nats.
        time: By how much place and time do; ``None`` where they say nothing.
        prior: Log-odds before anything was known.
    """

    with_no: int
    visual: float
    time: float | None
    prior: float

    @property
    def log_odds(self) -> float:
        """Of the pair being one person, in nats."""
        return self.prior + self.visual + (self.time or 0.0)

    @property
    def probability(self) -> float:
        """Of the pair being one person, in ``[0, 1]``."""
        return float(expit(np.float64(self.log_odds)))


@dataclass(frozen=True, slots=True)
class Link:
    """A tracklet, or a part of one, in its journey.

    Attributes:
        part: Which part; the whole tracklet where it shows one person.
        evidence: ``None`` for a journey's only tracklet, for one that somebody put there, and once the other is gone.
        with_id: The other tracklet of the evidence.
        generation_id: Under which it was put there.
        author: Who put it there; ``None`` = it came by itself.
    """

    tracklet: StoredTracklet
    part: Part
    journey_id: UUID
    generation_id: UUID
    joined_at_s: float
    author: str | None = None
    evidence: LinkEvidence | None = None
    with_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a tracklet is; see `Link`."""

    journey_id: UUID
    generation_id: UUID
    author: str | None
    part: Part


@dataclass(frozen=True, slots=True)
class Journey:
    """One person's way.

    Attributes:
        generation_id: Under which it began.
        successor_id: The journey that took it in; it has no tracklets then.
        links: In order of time.
    """

    journey_id: UUID
    generation_id: UUID
    created_at_s: float
    successor_id: UUID | None
    links: tuple[Link, ...]

    def summary(self) -> JourneySummary:
        """As a list shows it."""
        timed = [one.part for one in self.links if one.tracklet.clock_quality is not ClockQuality.UNKNOWN]
        return JourneySummary(
            journey_id=self.journey_id,
            generation_id=self.generation_id,
            created_at_s=self.created_at_s,
            tracklet_count=len({one.part.tracklet_no for one in self.links}),
            camera_ids=tuple(dict.fromkeys(one.tracklet.camera_id for one in self.links)),
            start_s=min((one.start_s for one in timed), default=None),
            end_s=max((one.end_s for one in timed), default=None),
        )


@dataclass(frozen=True, slots=True)
class JourneySummary:
    """A journey in a list; times are those of its first and last tracklet, ``None`` where no clock is known."""

    journey_id: UUID
    generation_id: UUID
    created_at_s: float
    tracklet_count: int
    camera_ids: tuple[str, ...]
    start_s: float | None
    end_s: float | None


@dataclass(frozen=True, slots=True)
class JourneyPage:
    """Some journeys by their start; ``next_cursor`` leads to the page after, ``None`` on the last."""

    items: tuple[JourneySummary, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class JourneyWhere:
    """Which journeys a list shows.

    Attributes:
        camera_id: Only with a tracklet of this camera.
        start_s: Only with one that ends at or after this time.
        end_s: Only with one that starts at or before this time; all three are asked of one and the same tracklet.
        min_cameras: Only over at least so many cameras.
    """

    camera_id: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    min_cameras: int = 1


@dataclass(frozen=True, slots=True)
class JourneyEvent:
    """A merge or a split.

    Attributes:
        kind: A merge took ``other_id`` in; a split left some tracklets to it.
        author: Who did it; ``None`` = it came by itself.
        log_odds: Mean log-odds, in nats, of the pairs between both sides; ``None`` where nothing is calibrated.
        kept: What stayed.
        moved: What went over.
        undone_by: Who undid it; ``None`` while it stands.
    """

    event_id: UUID
    kind: ChangeKind
    journey_id: UUID
    other_id: UUID
    generation_id: UUID
    author: str | None
    note: str | None
    log_odds: float | None
    created_at_s: float
    undone_at_s: float | None
    undone_by: str | None
    kept: tuple[Part, ...]
    moved: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class JourneyState:
    """Up to where the journeys follow what is stored.

    Attributes:
        generation_id: By whose evidence they were built.
        seq: The last outbox event that they know of.
        built_at_s: When they were last built as a whole.
        conflicts: Verdicts that are not held: chains of tracklet ids said to be one person, whose ends are two.
    """

    generation_id: UUID
    seq: int
    built_at_s: float
    conflicts: tuple[tuple[UUID, ...], ...] = ()
