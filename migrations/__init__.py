"""The history of the tables, for Alembic; `services.storage.schema` runs it."""
