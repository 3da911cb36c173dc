"""Learning: jobs, models, transit models, calibrations, what a generation consists of, and who was current when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002_learning"
down_revision = "0001_first_light"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

CHECK_BEFORE = "ck_generations_ck_generations_state"  # the name that step 1 gave in truth
STATES_BEFORE = "state IN ('candidate', 'current', 'retired')"
STATES_AFTER = "state IN ('candidate', 'current', 'retired', 'rejected')"


def upgrade() -> None:
    _create_jobs()
    _create_models()
    _create_documents()
    _fill_models()
    _widen_generations()
    _create_promotions()
    _fill_promotions()
    _create_embedding_failures()


def downgrade() -> None:
    """Candidates and what was turned down are lost with their models; what answers searches goes on answering."""
    op.drop_table("embedding_failures")
    op.drop_table("promotions")
    op.execute("DELETE FROM generations WHERE state = 'rejected'")
    _narrow_generations()
    for table in ("calibrations", "transit_models", "models", "jobs"):
        op.drop_table(table)


def _create_jobs() -> None:
    states = "'queued', 'running', 'cancelling', 'cancelled', 'failed', 'succeeded'"
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("recipe", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("author", sa.String(), nullable=True),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.Column("started_at_s", sa.Double(), nullable=True),
        sa.Column("finished_at_s", sa.Double(), nullable=True),
        sa.Column("options", JSON, nullable=False),
        sa.Column("progress", JSON, nullable=True),
        sa.Column("result", JSON, nullable=True),
        sa.CheckConstraint(f"state IN ({states})", name=op.f("ck_jobs_state")),
        sa.PrimaryKeyConstraint("job_id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_state_created_at_s", "jobs", ["state", "created_at_s"])


def _create_models() -> None:
    op.create_table(
        "models",
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("recipe", sa.String(), nullable=True),
        sa.Column("code_version", sa.String(), nullable=True),
        sa.Column("parent_model_id", sa.String(), nullable=True),
        sa.Column("data_from_s", sa.Double(), nullable=True),
        sa.Column("data_to_s", sa.Double(), nullable=True),
        sa.Column("tracklet_count", sa.Integer(), nullable=True),
        sa.Column("dim", sa.Integer(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.Column("metrics", JSON, nullable=False),
        sa.Column("files", JSON, nullable=False),
        sa.CheckConstraint("kind IN ('cold-start', 'learned')", name=op.f("ck_models_kind")),
        sa.ForeignKeyConstraint(["parent_model_id"], ["models.model_id"], name="fk_models_parent_model_id"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name="fk_models_job_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("model_id", name="pk_models"),
    )


def _create_documents() -> None:
    for table, key in (("transit_models", "transit_id"), ("calibrations", "calibration_id")):
        op.create_table(
            table,
            sa.Column(key, sa.String(), nullable=False),
            sa.Column("created_at_s", sa.Double(), nullable=False),
            sa.Column("document", JSON, nullable=False),
            sa.PrimaryKeyConstraint(key, name=f"pk_{table}"),
        )


def _fill_models() -> None:
    """Every model that a generation named before was a cold start; its vectors tell how long they are."""
    op.execute(
        """
        INSERT INTO models (model_id, kind, created_at_s, metrics, files, dim)
        SELECT model_id, 'cold-start', min(created_at_s), '{}', '{}', (
            SELECT length(vec) / 2 FROM embeddings WHERE embeddings.model_id = generations.model_id LIMIT 1
        )
        FROM generations GROUP BY model_id
        """
    )


def _widen_generations() -> None:
    with op.batch_alter_table("generations", copy_from=_generations_before()) as batch:
        batch.drop_constraint(op.f(CHECK_BEFORE), type_="check")
        batch.create_check_constraint(op.f("ck_generations_state"), STATES_AFTER)
        batch.add_column(sa.Column("transit_id", sa.String(), nullable=True))
        batch.add_column(sa.Column("calibration_id", sa.String(), nullable=True))
        batch.add_column(sa.Column("parent_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("promoted_at_s", sa.Double(), nullable=True))
        batch.add_column(sa.Column("reason", sa.String(), nullable=True))
        batch.add_column(sa.Column("metrics", JSON, nullable=True))
        for column, table, key in (
            ("model_id", "models", "model_id"),
            ("transit_id", "transit_models", "transit_id"),
            ("calibration_id", "calibrations", "calibration_id"),
            ("parent_id", "generations", "generation_id"),
        ):
            batch.create_foreign_key(op.f(f"fk_generations_{column}"), table, [column], [key])
    op.execute("UPDATE generations SET promoted_at_s = created_at_s WHERE state = 'current'")


def _narrow_generations() -> None:
    with op.batch_alter_table("generations", copy_from=_generations_after()) as batch:
        for column in ("model_id", "transit_id", "calibration_id", "parent_id"):
            batch.drop_constraint(op.f(f"fk_generations_{column}"), type_="foreignkey")
        for column in ("transit_id", "calibration_id", "parent_id", "promoted_at_s", "reason", "metrics"):
            batch.drop_column(column)
        batch.drop_constraint(op.f("ck_generations_state"), type_="check")
        batch.create_check_constraint(op.f(CHECK_BEFORE), STATES_BEFORE)


def _generations_before() -> sa.Table:
    """The table as step 1 left it, which SQLite cannot tell of by itself."""
    return sa.Table(
        "generations",
        sa.MetaData(),
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.CheckConstraint(STATES_BEFORE, name=op.f(CHECK_BEFORE)),
        sa.PrimaryKeyConstraint("generation_id", name="pk_generations"),
        _one_current(),
    )


def _generations_after() -> sa.Table:
    return sa.Table(
        "generations",
        sa.MetaData(),
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.Column("transit_id", sa.String(), nullable=True),
        sa.Column("calibration_id", sa.String(), nullable=True),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("promoted_at_s", sa.Double(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("metrics", JSON, nullable=True),
        sa.CheckConstraint(STATES_AFTER, name=op.f("ck_generations_state")),
        sa.ForeignKeyConstraint(["model_id"], ["models.model_id"], name="fk_generations_model_id"),
        sa.ForeignKeyConstraint(["transit_id"], ["transit_models.transit_id"], name="fk_generations_transit_id"),
        sa.ForeignKeyConstraint(
            ["calibration_id"], ["calibrations.calibration_id"], name="fk_generations_calibration_id"
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["generations.generation_id"], name="fk_generations_parent_id"),
        sa.PrimaryKeyConstraint("generation_id", name="pk_generations"),
        _one_current(),
    )


def _one_current() -> sa.Index:
    is_current = sa.text("state = 'current'")
    return sa.Index(
        "uq_generations_one_current", "state", unique=True, sqlite_where=is_current, postgresql_where=is_current
    )


def _create_promotions() -> None:
    op.create_table(
        "promotions",
        sa.Column("promotion_no", NUMBER, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("previous_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.CheckConstraint("kind IN ('cold-start', 'promote', 'rollback')", name=op.f("ck_promotions_kind")),
        sa.ForeignKeyConstraint(["generation_id"], ["generations.generation_id"], name="fk_promotions_generation_id"),
        sa.ForeignKeyConstraint(["previous_id"], ["generations.generation_id"], name="fk_promotions_previous_id"),
        sa.PrimaryKeyConstraint("promotion_no", name="pk_promotions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_promotions_generation_id", "promotions", ["generation_id"])


def _fill_promotions() -> None:
    op.execute(
        """
        INSERT INTO promotions (kind, generation_id, created_at_s)
        SELECT 'cold-start', generation_id, created_at_s FROM generations WHERE state = 'current'
        """
    )


def _create_embedding_failures() -> None:
    op.create_table(
        "embedding_failures",
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("tracklet_no", NUMBER, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tracklet_no"], ["tracklets.tracklet_no"], name="fk_embedding_failures_tracklet_no", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", "tracklet_no", name="pk_embedding_failures"),
    )
    op.create_index("ix_embedding_failures_tracklet_no", "embedding_failures", ["tracklet_no"])
