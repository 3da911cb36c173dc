"""First light: cameras, sources, tracklets, embeddings, generations, outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001_first_light"
down_revision = None
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    _create_cameras()
    _create_sources()
    _create_tracklets()
    _create_embeddings()
    _create_generations()
    _create_outbox()


def downgrade() -> None:
    for table in ("outbox", "generations", "embeddings", "tracklets", "sources", "camera_links", "cameras"):
        op.drop_table(table)


def _create_cameras() -> None:
    op.create_table(
        "cameras",
        sa.Column("camera_id", NAME, nullable=False),
        sa.Column("position_x_m", sa.Double(), nullable=True),
        sa.Column("position_y_m", sa.Double(), nullable=True),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.CheckConstraint("(position_x_m IS NULL) = (position_y_m IS NULL)", name="ck_cameras_whole_position"),
        sa.PrimaryKeyConstraint("camera_id", name="pk_cameras"),
    )
    op.create_table(
        "camera_links",
        sa.Column("camera_a", NAME, nullable=False),
        sa.Column("camera_b", NAME, nullable=False),
        sa.Column("distance_m", sa.Double(), nullable=False),
        sa.CheckConstraint("camera_a < camera_b", name="ck_camera_links_ordered"),
        sa.CheckConstraint("distance_m >= 0", name="ck_camera_links_distance"),
        sa.ForeignKeyConstraint(
            ["camera_a"], ["cameras.camera_id"], name="fk_camera_links_camera_a", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["camera_b"], ["cameras.camera_id"], name="fk_camera_links_camera_b", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("camera_a", "camera_b", name="pk_camera_links"),
    )
    op.create_index("ix_camera_links_camera_b", "camera_links", ["camera_b"])


def _create_sources() -> None:
    op.create_table(
        "sources",
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("camera_id", NAME, nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("start_s", sa.Double(), nullable=False),
        sa.Column("clock_quality", sa.String(), nullable=False),
        sa.Column("frame_width", sa.Integer(), nullable=False),
        sa.Column("frame_height", sa.Integer(), nullable=False),
        sa.Column("fps", sa.Double(), nullable=False),
        sa.Column("cursor_frame", sa.BigInteger(), nullable=False),
        sa.Column("next_track_no", sa.BigInteger(), nullable=False),
        sa.Column("next_track_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("problems", JSON, nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.Column("finished_at_s", sa.Double(), nullable=True),
        sa.CheckConstraint("state IN ('running', 'finished')", name="ck_sources_state"),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.camera_id"], name="fk_sources_camera_id"),
        sa.PrimaryKeyConstraint("source_id", name="pk_sources"),
        sa.UniqueConstraint("camera_id", "content_hash", name="uq_sources_camera_id_content_hash"),
    )


def _create_tracklets() -> None:
    op.create_table(
        "tracklets",
        sa.Column("tracklet_no", NUMBER, autoincrement=True, nullable=False),
        sa.Column("tracklet_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("camera_id", NAME, nullable=False),
        sa.Column("track_no", sa.BigInteger(), nullable=False),
        sa.Column("start_s", sa.Double(), nullable=False),
        sa.Column("end_s", sa.Double(), nullable=False),
        sa.Column("clock_quality", sa.String(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=False),
        sa.Column("frame_width", sa.Integer(), nullable=False),
        sa.Column("frame_height", sa.Integer(), nullable=False),
        sa.Column("blob_key", sa.String(), nullable=False),
        sa.Column("crop_count", sa.Integer(), nullable=False),
        sa.Column("display_order", JSON, nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.Column("crops", JSON, nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("start_s <= end_s", name="ck_tracklets_times"),
        sa.ForeignKeyConstraint(["source_id"], ["sources.source_id"], name="fk_tracklets_source_id"),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.camera_id"], name="fk_tracklets_camera_id"),
        sa.PrimaryKeyConstraint("tracklet_no", name="pk_tracklets"),
        sa.UniqueConstraint("tracklet_id", name="uq_tracklets_tracklet_id"),
        sa.UniqueConstraint("source_id", "track_no", name="uq_tracklets_source_id_track_no"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tracklets_start_s_tracklet_no", "tracklets", ["start_s", "tracklet_no"])
    op.create_index("ix_tracklets_camera_id_start_s_tracklet_no", "tracklets", ["camera_id", "start_s", "tracklet_no"])


def _create_embeddings() -> None:
    op.create_table(
        "embeddings",
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("tracklet_no", NUMBER, nullable=False),
        sa.Column("vec", sa.LargeBinary(), nullable=False),
        sa.Column("crop_nos", JSON, nullable=False),
        sa.Column("crop_vecs", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tracklet_no"], ["tracklets.tracklet_no"], name="fk_embeddings_tracklet_no", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", "tracklet_no", name="pk_embeddings"),
    )
    op.create_index("ix_embeddings_tracklet_no", "embeddings", ["tracklet_no"])


def _create_generations() -> None:
    op.create_table(
        "generations",
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.CheckConstraint("state IN ('candidate', 'current', 'retired')", name="ck_generations_state"),
        sa.PrimaryKeyConstraint("generation_id", name="pk_generations"),
    )
    op.create_index(
        "uq_generations_one_current",
        "generations",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'current'"),
        postgresql_where=sa.text("state = 'current'"),
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("seq", NUMBER, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_outbox"),
        sqlite_autoincrement=True,
    )
