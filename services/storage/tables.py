"""The tables, as SQLAlchemy sees them; one schema for SQLite and PostgreSQL.

Times are UTC epoch seconds. Large columns stand last, because SQLite reads a row from its front. Every change here
needs a migration (`python -m migrations "what changes"`); a test compares the two.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Json = JSON().with_variant(JSONB(), "postgresql")
BigNumber = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts only in a column that it calls INTEGER

Name = String().with_variant(String(collation="C"), "postgresql")  # sorts by code point, as Python and SQLite do

BigKey = Annotated[int, mapped_column(BigNumber, primary_key=True, autoincrement=True)]
Seconds = Annotated[float, mapped_column(Double)]


class Base(DeclarativeBase):
    """Gathers the tables; constraint names follow one pattern, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class CameraRow(Base):
    """A camera of the site."""

    __tablename__ = "cameras"
    __table_args__ = (CheckConstraint("(position_x_m IS NULL) = (position_y_m IS NULL)", name="whole_position"),)

    camera_id: Mapped[str] = mapped_column(Name, primary_key=True)
    position_x_m: Mapped[float | None] = mapped_column(Double)
    position_y_m: Mapped[float | None] = mapped_column(Double)
    created_at_s: Mapped[Seconds]


class CameraLinkRow(Base):
    """A walking path between two cameras, without direction: the smaller id stands first."""

    __tablename__ = "camera_links"
    __table_args__ = (
        CheckConstraint("camera_a < camera_b", name="ordered"),
        CheckConstraint("distance_m >= 0", name="distance"),
    )

    camera_a: Mapped[str] = mapped_column(Name, ForeignKey("cameras.camera_id", ondelete="CASCADE"), primary_key=True)
    camera_b: Mapped[str] = mapped_column(
        Name, ForeignKey("cameras.camera_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    distance_m: Mapped[float] = mapped_column(Double)


class SourceRow(Base):
    """One video of one camera, and how far it was ingested."""

    __tablename__ = "sources"
    __table_args__ = (
        UniqueConstraint("camera_id", "content_hash"),
        CheckConstraint("state IN ('running', 'finished')", name="state"),
    )

    source_id: Mapped[UUID] = mapped_column(primary_key=True)
    camera_id: Mapped[str] = mapped_column(Name, ForeignKey("cameras.camera_id"))
    content_hash: Mapped[str]
    uri: Mapped[str]
    start_s: Mapped[Seconds]
    clock_quality: Mapped[str]
    frame_width: Mapped[int]
    frame_height: Mapped[int]
    fps: Mapped[float] = mapped_column(Double)
    cursor_frame: Mapped[int] = mapped_column(BigInteger)
    next_track_no: Mapped[int] = mapped_column(BigInteger)
    next_track_id: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str]
    problems: Mapped[list[str]] = mapped_column(Json)
    created_at_s: Mapped[Seconds]
    finished_at_s: Mapped[float | None] = mapped_column(Double)


class TrackletRow(Base):
    """A closed track. ``tracklet_no`` is its number in the vector index and is never used again."""

    __tablename__ = "tracklets"
    __table_args__ = (
        UniqueConstraint("source_id", "track_no"),
        CheckConstraint("start_s <= end_s", name="times"),
        Index("ix_tracklets_start_s_tracklet_no", "start_s", "tracklet_no"),
        Index("ix_tracklets_camera_id_start_s_tracklet_no", "camera_id", "start_s", "tracklet_no"),
        {"sqlite_autoincrement": True},
    )

    tracklet_no: Mapped[BigKey]
    tracklet_id: Mapped[UUID] = mapped_column(unique=True)
    source_id: Mapped[UUID] = mapped_column(ForeignKey("sources.source_id"))
    camera_id: Mapped[str] = mapped_column(Name, ForeignKey("cameras.camera_id"))
    track_no: Mapped[int] = mapped_column(BigInteger)
    start_s: Mapped[Seconds]
    end_s: Mapped[Seconds]
    clock_quality: Mapped[str]
    quality: Mapped[float] = mapped_column(Double)
    frame_width: Mapped[int]
    frame_height: Mapped[int]
    blob_key: Mapped[str]
    crop_count: Mapped[int]
    display_order: Mapped[list[int]] = mapped_column(Json)
    created_at_s: Mapped[Seconds]
    crops: Mapped[list[dict[str, Any]]] = mapped_column(Json, deferred=True)
    path: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class EmbeddingRow(Base):
    """A tracklet's vectors in one model's space, as little-endian half floats."""

    __tablename__ = "embeddings"

    model_id: Mapped[str] = mapped_column(String, primary_key=True)
    tracklet_no: Mapped[int] = mapped_column(
        BigNumber, ForeignKey("tracklets.tracklet_no", ondelete="CASCADE"), primary_key=True, index=True
    )
    vec: Mapped[bytes] = mapped_column(LargeBinary)
    crop_nos: Mapped[list[int]] = mapped_column(Json)
    crop_vecs: Mapped[bytes] = mapped_column(LargeBinary)


class EmbeddingFailureRow(Base):
    """A tracklet that a model could not embed, because its crops are lost or damaged; it holds up no promotion."""

    __tablename__ = "embedding_failures"

    model_id: Mapped[str] = mapped_column(String, primary_key=True)
    tracklet_no: Mapped[int] = mapped_column(
        BigNumber, ForeignKey("tracklets.tracklet_no", ondelete="CASCADE"), primary_key=True, index=True
    )
    reason: Mapped[str]
    created_at_s: Mapped[Seconds]


class JobRow(Base):
    """Long work that was asked for, and how far it is; the workflow engine keeps what it needs to resume it."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(
            "state IN ('queued', 'running', 'cancelling', 'cancelled', 'failed', 'succeeded')", name="state"
        ),
        Index("ix_jobs_state_created_at_s", "state", "created_at_s"),
    )

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    recipe: Mapped[str | None]
    state: Mapped[str]
    step: Mapped[str | None]
    error: Mapped[str | None]
    author: Mapped[str | None]
    created_at_s: Mapped[Seconds]
    started_at_s: Mapped[float | None] = mapped_column(Double)
    finished_at_s: Mapped[float | None] = mapped_column(Double)
    options: Mapped[dict[str, Any]] = mapped_column(Json)
    progress: Mapped[dict[str, Any] | None] = mapped_column(Json)
    result: Mapped[dict[str, Any] | None] = mapped_column(Json)


class ModelRow(Base):
    """An embedding model: how it was made and what its files must hash to."""

    __tablename__ = "models"
    __table_args__ = (CheckConstraint("kind IN ('cold-start', 'learned')", name="kind"),)

    model_id: Mapped[str] = mapped_column(String, primary_key=True)
    kind: Mapped[str]
    recipe: Mapped[str | None]
    code_version: Mapped[str | None]
    parent_model_id: Mapped[str | None] = mapped_column(ForeignKey("models.model_id"))
    data_from_s: Mapped[float | None] = mapped_column(Double)
    data_to_s: Mapped[float | None] = mapped_column(Double)
    tracklet_count: Mapped[int | None]
    dim: Mapped[int | None]
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.job_id", ondelete="SET NULL"))
    created_at_s: Mapped[Seconds]
    metrics: Mapped[dict[str, Any]] = mapped_column(Json)
    files: Mapped[dict[str, Any]] = mapped_column(Json)


class TransitModelRow(Base):
    """How long people take between cameras, and by how much the cameras' clocks differ, as one document."""

    __tablename__ = "transit_models"

    transit_id: Mapped[str] = mapped_column(primary_key=True)
    created_at_s: Mapped[Seconds]
    document: Mapped[dict[str, Any]] = mapped_column(Json)


class CalibrationRow(Base):
    """What distance and time say about two tracklets being one person, as one document."""

    __tablename__ = "calibrations"

    calibration_id: Mapped[str] = mapped_column(primary_key=True)
    created_at_s: Mapped[Seconds]
    document: Mapped[dict[str, Any]] = mapped_column(Json)


class GenerationRow(Base):
    """What is promoted and rolled back as one; exactly one can be current."""

    __tablename__ = "generations"
    __table_args__ = (
        CheckConstraint("state IN ('candidate', 'current', 'retired', 'rejected')", name="state"),
        Index(
            "uq_generations_one_current",
            "state",
            unique=True,
            sqlite_where=text("state = 'current'"),
            postgresql_where=text("state = 'current'"),
        ),
    )

    generation_id: Mapped[UUID] = mapped_column(primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("models.model_id"))
    state: Mapped[str]
    created_at_s: Mapped[Seconds]
    transit_id: Mapped[str | None] = mapped_column(ForeignKey("transit_models.transit_id"))
    calibration_id: Mapped[str | None] = mapped_column(ForeignKey("calibrations.calibration_id"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("generations.generation_id"))
    job_id: Mapped[UUID | None]
    promoted_at_s: Mapped[float | None] = mapped_column(Double)
    reason: Mapped[str | None]
    metrics: Mapped[dict[str, Any] | None] = mapped_column(Json)


class PromotionRow(Base):
    """One change of the current generation; rows are only ever added."""

    __tablename__ = "promotions"
    __table_args__ = (
        CheckConstraint("kind IN ('cold-start', 'promote', 'rollback')", name="kind"),
        {"sqlite_autoincrement": True},
    )

    promotion_no: Mapped[BigKey]
    kind: Mapped[str]
    generation_id: Mapped[UUID] = mapped_column(ForeignKey("generations.generation_id"), index=True)
    previous_id: Mapped[UUID | None] = mapped_column(ForeignKey("generations.generation_id"))
    reason: Mapped[str | None]
    created_at_s: Mapped[Seconds]


class FeedbackRow(Base):
    """What somebody said of two tracklets. Rows are added and withdrawn, never changed; the smaller id stands first."""

    __tablename__ = "feedback"
    __table_args__ = (
        CheckConstraint("tracklet_a < tracklet_b", name="ordered"),
        CheckConstraint("verdict IN ('same', 'different')", name="verdict"),
        Index("ix_feedback_tracklet_a_tracklet_b", "tracklet_a", "tracklet_b"),
        Index("ix_feedback_created_at_s_feedback_id", "created_at_s", "feedback_id"),
    )

    feedback_id: Mapped[UUID] = mapped_column(primary_key=True)
    tracklet_a: Mapped[UUID] = mapped_column(ForeignKey("tracklets.tracklet_id", ondelete="CASCADE"))
    tracklet_b: Mapped[UUID] = mapped_column(ForeignKey("tracklets.tracklet_id", ondelete="CASCADE"), index=True)
    verdict: Mapped[str]
    author: Mapped[str]
    note: Mapped[str | None]
    created_at_s: Mapped[Seconds]
    withdrawn_at_s: Mapped[float | None] = mapped_column(Double)


class OutboxRow(Base):
    """A committed change that others must hear of; ``seq`` rises in the order of commits."""

    __tablename__ = "outbox"
    __table_args__ = ({"sqlite_autoincrement": True},)

    seq: Mapped[BigKey]
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at_s: Mapped[Seconds]
