"""Feedback: what people say of pairs of tracklets; and which job a generation came of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_feedback"
down_revision = "0002_learning"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_feedback()
    op.add_column("generations", sa.Column("job_id", sa.Uuid(), nullable=True))
    op.execute(
        """
        UPDATE generations
        SET job_id = (SELECT models.job_id FROM models WHERE models.model_id = generations.model_id)
        """
    )


def downgrade() -> None:
    """All feedback is lost."""
    op.drop_column("generations", "job_id")
    op.drop_table("feedback")


def _create_feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("feedback_id", sa.Uuid(), nullable=False),
        sa.Column("tracklet_a", sa.Uuid(), nullable=False),
        sa.Column("tracklet_b", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.Column("withdrawn_at_s", sa.Double(), nullable=True),
        sa.CheckConstraint("tracklet_a < tracklet_b", name=op.f("ck_feedback_ordered")),
        sa.CheckConstraint("verdict IN ('same', 'different')", name=op.f("ck_feedback_verdict")),
        sa.ForeignKeyConstraint(
            ["tracklet_a"], ["tracklets.tracklet_id"], name="fk_feedback_tracklet_a", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tracklet_b"], ["tracklets.tracklet_id"], name="fk_feedback_tracklet_b", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("feedback_id", name="pk_feedback"),
    )
    op.create_index("ix_feedback_tracklet_a_tracklet_b", "feedback", ["tracklet_a", "tracklet_b"])
    op.create_index("ix_feedback_tracklet_b", "feedback", ["tracklet_b"])
    op.create_index("ix_feedback_created_at_s_feedback_id", "feedback", ["created_at_s", "feedback_id"])
