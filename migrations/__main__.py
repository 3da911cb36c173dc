"""Writes the next migration from what changed in `services/storage/tables.py`: `python -m migrations "what changes"`.

Alembic compares the code with a new SQLite database at the newest revision. Read and tidy what it wrote: it cannot see
renames, it names types by their SQLite form, and it leaves out how to move the rows.
"""

from __future__ import annotations

import re
import sys

from alembic import command
from alembic.script import Script, ScriptDirectory
from sqlalchemy import create_engine

from services.storage.schema import config


def write_next(sentence: str) -> str:
    """Write the next migration and return the path of its file."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        made_for = config(connection)
        command.upgrade(made_for, "head")
        number = 1 + sum(1 for _ in ScriptDirectory.from_config(made_for).walk_revisions())
        slug = re.sub(r"[^a-z0-9]+", "_", sentence.lower()).strip("_")[:40]
        made = command.revision(made_for, sentence.rstrip("."), autogenerate=True, rev_id=f"{number:04d}_{slug}")
    engine.dispose()
    if not isinstance(made, Script):
        raise TypeError(f"Alembic wrote {made!r} instead of one file")
    return made.path


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].strip():
        sys.exit('usage: python -m migrations "what changes"')
    write_next(sys.argv[1])
