"""The tables of journeys: who goes on which, and every merge and split of two of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Double, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.storage.tables import Base, BigNumber, Json, Seconds

__all__ = ["JourneyEventRow", "JourneyEventTrackletRow", "JourneyLinkRow", "JourneyRow", "JourneyStateRow"]


class JourneyRow(Base):
    """One person's way over all cameras; it ended if another one took it in."""

    __tablename__ = "journeys"

    journey_id: Mapped[UUID] = mapped_column(primary_key=True)
    generation_id: Mapped[UUID] = mapped_column(ForeignKey("generations.generation_id"))
    successor_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("journeys.journey_id", ondelete="SET NULL"), index=True
    )
    created_at_s: Mapped[Seconds]


class JourneyLinkRow(Base):
    """Where a tracklet, or a part of one that shows several people, is: its journey, and who there speaks for it most.

    Times are those of the part on its camera's own clock, as in ``tracklets``.
    """

    __tablename__ = "journey_links"

    tracklet_no: Mapped[int] = mapped_column(
        BigNumber, ForeignKey("tracklets.tracklet_no", ondelete="CASCADE"), primary_key=True
    )
    part_no: Mapped[int] = mapped_column(primary_key=True)
    journey_id: Mapped[UUID] = mapped_column(ForeignKey("journeys.journey_id", ondelete="CASCADE"), index=True)
    generation_id: Mapped[UUID] = mapped_column(ForeignKey("generations.generation_id"))
    with_no: Mapped[int | None] = mapped_column(
        BigNumber, ForeignKey("tracklets.tracklet_no", ondelete="SET NULL"), index=True
    )
    author: Mapped[str | None]
    visual_log_odds: Mapped[float | None] = mapped_column(Double)
    time_log_odds: Mapped[float | None] = mapped_column(Double)
    prior_log_odds: Mapped[float | None] = mapped_column(Double)
    start_s: Mapped[Seconds]
    end_s: Mapped[Seconds]
    joined_at_s: Mapped[Seconds]


class JourneyEventRow(Base):
    """A merge or a split, by somebody or (without an author) by itself; rows are added and undone, never changed."""

    __tablename__ = "journey_events"
    __table_args__ = (
        CheckConstraint("kind IN ('merge', 'split')", name="kind"),
        CheckConstraint("(undone_at_s IS NULL) = (undone_by IS NULL)", name="whole_undo"),
        Index("ix_journey_events_created_at_s_event_id", "created_at_s", "event_id"),
    )

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    journey_id: Mapped[UUID] = mapped_column(ForeignKey("journeys.journey_id", ondelete="CASCADE"), index=True)
    other_id: Mapped[UUID] = mapped_column(ForeignKey("journeys.journey_id", ondelete="CASCADE"), index=True)
    generation_id: Mapped[UUID] = mapped_column(ForeignKey("generations.generation_id"))
    author: Mapped[str | None]
    note: Mapped[str | None]
    log_odds: Mapped[float | None] = mapped_column(Double)
    created_at_s: Mapped[Seconds]
    undone_at_s: Mapped[float | None] = mapped_column(Double)
    undone_by: Mapped[str | None]


class JourneyEventTrackletRow(Base):
    """A part of a tracklet that a merge or split was about: it stayed in the event's first journey, or went over."""

    __tablename__ = "journey_event_tracklets"

    event_id: Mapped[UUID] = mapped_column(ForeignKey("journey_events.event_id", ondelete="CASCADE"), primary_key=True)
    tracklet_no: Mapped[int] = mapped_column(
        BigNumber, ForeignKey("tracklets.tracklet_no", ondelete="CASCADE"), primary_key=True, index=True
    )
    part_no: Mapped[int] = mapped_column(primary_key=True)
    start_s: Mapped[Seconds]
    end_s: Mapped[Seconds]
    moved: Mapped[bool]


class JourneyStateRow(Base):
    """Up to where the journeys follow what is stored; one row, and none before they were first built."""

    __tablename__ = "journey_state"
    __table_args__ = (CheckConstraint("state_id = 1", name="only_one"),)

    state_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    generation_id: Mapped[UUID] = mapped_column(ForeignKey("generations.generation_id"))
    seq: Mapped[int] = mapped_column(BigInteger)
    built_at_s: Mapped[Seconds]
    conflicts: Mapped[list[Any]] = mapped_column(Json)
