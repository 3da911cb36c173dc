from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from services.cli import main as command_line
from services.storage.schema import head_revision
from services.storage.session import Database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def reknit(monkeypatch, tmp_path: Path, capsys) -> Callable[..., tuple[int, str, str]]:
    """Runs `reknit ...` with a data folder of its own; returns exit code, output and error output."""
    monkeypatch.setenv("REKNIT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("REKNIT_DATABASE_URL", raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["reknit", *arguments])
        code = 0
        try:
            command_line.main()
        except SystemExit as left:
            code = int(left.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def _database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'data' / 'reknit.db'}")


def _set_revision(tmp_path: Path, revision: str) -> None:
    with _database(tmp_path) as database, database._migrating() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def test_upgrade_makes_the_database_and_a_second_one_says_so(reknit, tmp_path):
    code, out, _ = reknit("db", "upgrade")
    assert code == 0
    assert f"from no revision to {head_revision()}" in out
    code, out, _ = reknit("db", "upgrade")
    assert code == 0
    assert "already at" in out
    with _database(tmp_path) as database:
        database.require_head()


def test_json_on_standard_output_is_nothing_but_json(reknit):
    code, out, _ = reknit("db", "upgrade", "--json", "-")
    assert code == 0
    made = json.loads(out)
    assert made["before"] is None
    _, out, _ = reknit("db", "current", "--json", "-")
    assert json.loads(out) == {"database": made["database"], "current": made["after"], "head": made["after"]}
    _, out, _ = reknit("db", "check", "--json", "-")
    assert json.loads(out) == {"database": made["database"], "fits": True, "differences": []}


@pytest.mark.parametrize("command", [("current",), ("check",), ("downgrade", "base", "--yes")])
def test_a_database_that_is_not_there_is_refused_and_not_made(reknit, tmp_path, command):
    code, out, err = reknit("db", *command)
    assert (code, out) == (2, "")
    assert err.startswith("reknit: The database does not fit this version of Reknit: ")
    assert err.count("\n") == 1
    assert "run 'reknit db upgrade'" in err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", [("check",), ("upgrade",), ("downgrade", "base", "--yes")])
def test_a_database_that_is_ahead_is_one_line_and_exit_code_2(reknit, tmp_path, command):
    reknit("db", "upgrade")
    _set_revision(tmp_path, "9999_future")
    code, out, err = reknit("db", *command)
    assert (code, out) == (2, "")
    assert "9999_future, which this version does not know" in err
    assert err.count("\n") == 1


def test_current_says_what_this_version_needs(reknit, tmp_path):
    reknit("db", "upgrade")
    _set_revision(tmp_path, "9999_future")
    code, out, _ = reknit("db", "current")
    assert code == 0
    assert f"at 9999_future (this version of Reknit needs {head_revision()})" in out


def test_check_names_what_differs(reknit, tmp_path):
    reknit("db", "upgrade")
    with _database(tmp_path) as database, database._migrating() as connection:
        connection.execute(text("ALTER TABLE cameras ADD COLUMN colour VARCHAR"))
    code, _, err = reknit("db", "check")
    assert code == 2
    assert "colour" in err
    code, out, _ = reknit("db", "check", "--json", "-")
    assert code == 2
    assert json.loads(out)["fits"] is False


def test_downgrade_asks_before_it_loses_anything(reknit, tmp_path, monkeypatch):
    reknit("db", "upgrade")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    code, _, err = reknit("db", "downgrade", "base")
    assert code == 2
    assert "Repeat with --yes" in err
    with _database(tmp_path) as database:
        database.require_head()
    code, out, _ = reknit("db", "downgrade", "base", "--yes")
    assert code == 0
    assert "to no revision" in out
    with _database(tmp_path) as database:
        assert database.is_empty()


def test_an_unknown_revision_is_one_line_and_exit_code_2(reknit):
    code, _, err = reknit("db", "upgrade", "nonsense")
    assert code == 2
    assert "nonsense" in err
    assert err.count("\n") == 1


def test_a_file_that_is_no_database_is_one_line_and_exit_code_1(reknit, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "reknit.db").write_bytes(b"certainly not a database " * 100)
    code, _, err = reknit("db", "check")
    assert code == 1
    assert "file is not a database" in err
    assert err.count("\n") == 1


def test_a_url_that_cannot_be_used_is_one_line_and_exit_code_2(reknit, monkeypatch):
    monkeypatch.setenv("REKNIT_DATABASE_URL", "mysql://user:secret@host/db")
    code, _, err = reknit("db", "current")
    assert code == 2
    assert "secret" not in err
    assert err.count("\n") == 1
