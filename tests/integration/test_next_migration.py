from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from migrations.__main__ import write_next
from reid_core.errors import SchemaVersionError
from services.storage import schema
from services.storage.session import Database

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def history(tmp_path: Path, monkeypatch) -> Path:
    """A copy of the history that the code takes for its own."""
    copied: Path = shutil.copytree(schema._history_folder(), tmp_path / "history")
    monkeypatch.setattr(schema, "_history_folder", lambda: copied)
    return copied


def test_the_next_migration_is_numbered_and_follows_the_last(history):
    last = schema.head_revision()
    path = write_next("A camera has  a colour!")
    expected = f"{int(last[:4]) + 1:04d}_a_camera_has_a_colour"
    assert path == str(history / "versions" / f"{expected}.py")
    assert schema.head_revision() == expected
    written = (history / "versions" / f"{expected}.py").read_text()
    assert f"down_revision = '{last}'" in written
    assert "def upgrade() -> None:\n    # ### commands auto generated" in written


def test_a_database_made_before_the_next_migration_is_behind_until_it_is_upgraded(history, empty_database_url):
    assert history.is_dir()
    with Database(empty_database_url) as database:
        database.upgrade()
        before = database.current_revision()
        write_next("Nothing")
        with pytest.raises(
            SchemaVersionError, match=rf"is at {before}, the code at \d+_nothing; run 'reknit db upgrade'"
        ):
            database.require_head()
        with pytest.raises(SchemaVersionError, match="not up to date"):
            database.differences()
        database.upgrade()
        database.require_head()
        database.downgrade(before)
        assert database.current_revision() == before
