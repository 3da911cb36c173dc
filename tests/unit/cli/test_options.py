"""Results are written whole, or refused in one line."""

import json
import sys

import pytest

from reid_core.errors import OutputError
from services.bootstrap import open_database
from services.cli.main import main
from services.cli.options import with_json_target, write_json, write_text
from services.settings import Settings


def test_result_lands_in_a_folder_that_did_not_exist(tmp_path):
    target = tmp_path / "deep" / "result.json"
    write_json(str(target), {"map": 0.5})
    assert json.loads(target.read_text()) == {"map": 0.5}
    assert [path.name for path in target.parent.iterdir()] == ["result.json"]


def test_dash_prints_json_and_nothing_else(capsys):
    write_json("-", {"rank1": 1.0})
    assert json.loads(capsys.readouterr().out) == {"rank1": 1.0}


def test_a_file_in_the_place_of_a_folder_is_refused_by_name(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="taken"):
        write_json(str(tmp_path / "taken" / "result.json"), {})


def test_line_ends_are_kept_as_they_are(tmp_path):
    write_text(tmp_path / "rows.csv", "a,b\r\n1,2\r\n")
    assert (tmp_path / "rows.csv").read_bytes() == b"a,b\r\n1,2\r\n"


def test_numbers_that_json_does_not_know_are_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(str(tmp_path / "x.json"), {"map": float("nan")})


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("jobs list --json", "jobs list --json -"),
        ("jobs list --json --limit 5", "jobs list --json - --limit 5"),
        ("jobs list --json -", "jobs list --json -"),
        ("jobs list --json - --limit 5", "jobs list --json - --limit 5"),
        ("jobs list --json out.json", "jobs list --json out.json"),
        ("jobs list --json=out.json", "jobs list --json=out.json"),
        ("export -- --json", "export -- --json"),
        ("jobs list", "jobs list"),
        ("", ""),
    ],
)
def test_json_without_a_value_means_standard_output(given, meant):
    assert with_json_target(given.split()) == meant.split()


@pytest.mark.parametrize("command", [("jobs", "list"), ("models", "list"), ("db", "current"), ("weights", "list")])
def test_every_command_takes_json_without_a_value(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("REKNIT_DATA_DIR", str(tmp_path / "data"))
    open_database(Settings()).close()
    said = []
    for written in (["--json"], ["--json", "-"]):
        monkeypatch.setattr(sys, "argv", ["reknit", *command, *written])
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code == 0
        said.append(json.loads(capsys.readouterr().out))
    assert said[0] == said[1]
