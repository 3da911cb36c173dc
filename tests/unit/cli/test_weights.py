"""`reknit weights` on folders of its own: what it prints, writes and refuses."""

from __future__ import annotations

import hashlib
import json

import pytest
from typer.testing import CliRunner

from reid_core.errors import WeightsError
from services.cli.main import app

SHA256 = hashlib.sha256(b"mine").hexdigest()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("REKNIT_WEIGHTS_DIR", str(tmp_path))
    (tmp_path / "weights.toml").write_text(f'[[weights]]\nname="mine"\nsha256="{SHA256}"\npath="mine.pt"\n')
    return tmp_path


def run(*arguments: str):
    return CliRunner().invoke(app, ["weights", *arguments])


def test_list_shows_built_in_and_own_files_with_their_state(folder):
    (folder / "mine.pt").write_bytes(b"mine")
    lines = run("list").stdout.splitlines()
    assert lines[0].split() == ["NAME", "SHA256", "MB", "STATE", "WHERE"]
    assert any(line.startswith("yolov8n.pt ") and " absent " in line for line in lines)
    assert any(line.startswith("mine ") and " verified " in line for line in lines)


def test_verify_is_content_with_a_right_file_and_refuses_a_wrong_one(folder):
    (folder / "mine.pt").write_bytes(b"mine")
    assert run("verify").exit_code == 0
    (folder / "mine.pt").write_bytes(b"spoilt")
    result = run("verify", "--json", "-")
    assert isinstance(result.exception, WeightsError)
    assert result.exception.exit_code == 2
    own = next(entry for entry in json.loads(result.stdout)["weights"] if entry["name"] == "mine")
    assert own["state"] == "wrong hash"
    assert own["seen_sha256"] == hashlib.sha256(b"spoilt").hexdigest()


def test_verify_of_a_named_absent_file_and_of_an_unknown_name_is_refused(folder):
    assert folder.is_dir()
    assert "absent" in str(run("verify", "yolov8n.pt").exception)
    assert "unknown" in str(run("verify", "nothing").exception)


def test_pull_of_a_file_that_is_here_fetches_nothing(folder):
    (folder / "mine.pt").write_bytes(b"mine")
    result = run("pull", "mine", "--json", str(folder / "out.json"))
    assert result.exit_code == 0
    assert json.loads((folder / "out.json").read_text())["weights"][0]["state"] == "verified"
