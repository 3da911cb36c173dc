"""Alembic's entry: runs the migrations in the transaction that the caller opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context

from services.storage.journeys_tables import JourneyRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

connection: Connection | None = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("migrations run through `reknit db`, which passes the connection")
context.configure(
    connection=connection,
    target_metadata=JourneyRow.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
