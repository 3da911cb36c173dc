"""Journeys: which tracklets are one person's way over all cameras, and how that came about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004_journeys"
down_revision = "0003_feedback"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_journeys()
    _create_links()
    _create_events()
    _create_event_tracklets()
    _create_state()


def downgrade() -> None:
    """All journeys are lost, with what people merged and split; building them anew brings back the rest."""
    for table in ("journey_state", "journey_event_tracklets", "journey_events", "journey_links", "journeys"):
        op.drop_table(table)


def _create_journeys() -> None:
    op.create_table(
        "journeys",
        sa.Column("journey_id", sa.Uuid(), nullable=False),
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("successor_id", sa.Uuid(), nullable=True),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        _generation_of("journeys"),
        sa.ForeignKeyConstraint(
            ["successor_id"], ["journeys.journey_id"], name="fk_journeys_successor_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("journey_id", name="pk_journeys"),
    )
    op.create_index("ix_journeys_successor_id", "journeys", ["successor_id"])


def _create_links() -> None:
    table = "journey_links"
    op.create_table(
        table,
        sa.Column("tracklet_no", NUMBER, nullable=False),
        sa.Column("part_no", sa.Integer(), nullable=False),
        sa.Column("journey_id", sa.Uuid(), nullable=False),
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("with_no", NUMBER, nullable=True),
        sa.Column("author", sa.String(), nullable=True),
        sa.Column("visual_log_odds", sa.Double(), nullable=True),
        sa.Column("time_log_odds", sa.Double(), nullable=True),
        sa.Column("prior_log_odds", sa.Double(), nullable=True),
        sa.Column("start_s", sa.Double(), nullable=False),
        sa.Column("end_s", sa.Double(), nullable=False),
        sa.Column("joined_at_s", sa.Double(), nullable=False),
        _tracklet_of(table, "tracklet_no", "CASCADE"),
        _journey_of(table, "journey_id"),
        _generation_of(table),
        _tracklet_of(table, "with_no", "SET NULL"),
        sa.PrimaryKeyConstraint("tracklet_no", "part_no", name="pk_journey_links"),
    )
    op.create_index("ix_journey_links_journey_id", table, ["journey_id"])
    op.create_index("ix_journey_links_with_no", table, ["with_no"])


def _create_events() -> None:
    table = "journey_events"
    op.create_table(
        table,
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("journey_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("author", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("log_odds", sa.Double(), nullable=True),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.Column("undone_at_s", sa.Double(), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.CheckConstraint("kind IN ('merge', 'split')", name=op.f("ck_journey_events_kind")),
        sa.CheckConstraint("(undone_at_s IS NULL) = (undone_by IS NULL)", name=op.f("ck_journey_events_whole_undo")),
        _journey_of(table, "journey_id"),
        _journey_of(table, "other_id"),
        _generation_of(table),
        sa.PrimaryKeyConstraint("event_id", name="pk_journey_events"),
    )
    for columns in (["journey_id"], ["other_id"], ["created_at_s", "event_id"]):
        op.create_index("_".join(["ix", table, *columns]), table, columns)


def _create_event_tracklets() -> None:
    table = "journey_event_tracklets"
    op.create_table(
        table,
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("tracklet_no", NUMBER, nullable=False),
        sa.Column("part_no", sa.Integer(), nullable=False),
        sa.Column("start_s", sa.Double(), nullable=False),
        sa.Column("end_s", sa.Double(), nullable=False),
        sa.Column("moved", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["journey_events.event_id"], name=f"fk_{table}_event_id", ondelete="CASCADE"
        ),
        _tracklet_of(table, "tracklet_no", "CASCADE"),
        sa.PrimaryKeyConstraint("event_id", "tracklet_no", "part_no", name=f"pk_{table}"),
    )
    op.create_index(f"ix_{table}_tracklet_no", table, ["tracklet_no"])


def _create_state() -> None:
    op.create_table(
        "journey_state",
        sa.Column("state_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("built_at_s", sa.Double(), nullable=False),
        sa.Column("conflicts", JSON, nullable=False),
        sa.CheckConstraint("state_id = 1", name=op.f("ck_journey_state_only_one")),
        _generation_of("journey_state"),
        sa.PrimaryKeyConstraint("state_id", name="pk_journey_state"),
    )


def _generation_of(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["generation_id"], ["generations.generation_id"], name=f"fk_{table}_generation_id")


def _journey_of(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["journeys.journey_id"], name=f"fk_{table}_{column}", ondelete="CASCADE")


def _tracklet_of(table: str, column: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["tracklets.tracklet_no"], name=f"fk_{table}_{column}", ondelete=ondelete)
