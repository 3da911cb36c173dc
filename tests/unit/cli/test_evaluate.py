from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from reid_core.errors import MotFileError, OutputError
from services.cli.main import app

if TYPE_CHECKING:
    from pathlib import Path

ROWS = "1,1,0,0,10,20,1,-1,-1,-1\n2,1,0,0,10,20,1,-1,-1,-1\n"
SWITCHED = ROWS.replace("2,1,", "2,9,")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in (("truth", ROWS), ("good", ROWS), ("switched", SWITCHED)):
        (tmp_path / f"{name}.txt").write_text(text)
    return tmp_path


def run(*args: object) -> str:
    result = CliRunner().invoke(app, ["evaluate", "tracking", *map(str, args)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_json_on_standard_output_is_all_there_is(files: Path):
    out = run("--ground-truth", files / "truth.txt", "--result", files / "switched.txt", "--json", "-")
    scores = json.loads(out)
    assert (scores["IDSW"], scores["MOTA"]) == (1, 50)
    assert {"HOTA", "DetA", "AssA", "IDF1", "MOTA", "IDSW"} <= scores.keys()


def test_pairs_given_twice_are_combined(files: Path):
    truth = ["--ground-truth", files / "truth.txt"]
    args = [*truth, "--result", files / "good.txt", *truth, "--result", files / "switched.txt"]
    scores = json.loads(run(*args, "--json", "-"))
    assert (scores["MOTA"], scores["GT"]) == (75, 4)
    assert scores["sequences"]["good"]["MOTA"] == 100
    assert "all together" in run(*args)


def test_folders_pair_by_sequence_name(tmp_path: Path):
    for name in ("b", "a"):
        (tmp_path / "truth" / name / "gt").mkdir(parents=True)
        (tmp_path / "truth" / name / "gt" / "gt.txt").write_text(ROWS)
    (tmp_path / "result").mkdir()
    for name, text in (("a", ROWS), ("b", SWITCHED), ("other", "not scored")):
        (tmp_path / "result" / f"{name}.txt").write_text(text)
    out = run("--ground-truth", tmp_path / "truth", "--result", tmp_path / "result", "--json", "-")
    assert [(n, s["MOTA"]) for n, s in json.loads(out)["sequences"].items()] == [("a", 100), ("b", 50)]


def test_table_names_the_one_sequence(files: Path):
    assert "switched" in run("--ground-truth", files / "truth.txt", "--result", files / "switched.txt")


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (
            ["--ground-truth", "truth.txt", "--ground-truth", "truth.txt", "--result", "good.txt"],
            "2 ground truths but 1",
        ),
        (["--ground-truth", "truth.txt", "--result", "."], "one is a folder"),
        (["--ground-truth", "empty", "--result", "empty"], "was found"),
        (["--ground-truth", ".", "--result", "empty"], "good.txt is missing"),
        (["--ground-truth", "truth.txt", "--result", "absent.txt"], "absent.txt"),
    ],
)
def test_sides_that_do_not_fit_are_refused(files: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], reason: str):
    (files / "empty").mkdir()
    monkeypatch.chdir(files)
    with pytest.raises(MotFileError, match=reason) as refusal:
        CliRunner().invoke(app, ["evaluate", "tracking", *args], catch_exceptions=False)
    assert refusal.value.exit_code == 2


def test_csv_has_a_row_for_each_sequence_and_a_combined_one(files: Path):
    (files / 'a, "b".txt').write_text(SWITCHED)
    truth = ["--ground-truth", files / "truth.txt"]
    run(*truth, "--result", files / "good.txt", *truth, "--result", files / 'a, "b".txt', "--csv", files / "out.csv")
    with (files / "out.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert [(row["sequence"], float(row["MOTA"]), row["IDSW"]) for row in rows] == [
        ("good", 100, "0"),
        ('a, "b"', 50, "1"),
        ("COMBINED", 75, "1"),
    ]


def test_report_is_one_page_beside_the_json(files: Path):
    page = files / "new" / "page.html"
    pair = ["--ground-truth", files / "truth.txt", "--result", files / "switched.txt"]
    assert json.loads(run(*pair, "--report", page, "--json", "-"))["IDSW"] == 1
    text = page.read_text()
    assert text.startswith("<!doctype html>")
    assert "Tracking of switched" in text


def test_bad_input_is_one_line_and_writes_nothing(files: Path):
    (files / "broken.txt").write_text("1,x,0,0,10,20,1\n")
    outputs = ["--csv", files / "out.csv", "--report", files / "out.html"]
    args = ["--ground-truth", files / "truth.txt", "--result", files / "broken.txt", *outputs]
    done = CliRunner().invoke(app, ["evaluate", "tracking", *map(str, args)])
    assert isinstance(done.exception, MotFileError)
    assert "broken.txt, line 1" in done.exception.detail
    assert "\n" not in done.exception.detail
    assert not list(files.glob("out.*"))


@pytest.mark.parametrize("option", ["--csv", "--report"])
def test_file_that_cannot_be_written_is_named(files: Path, option: str):
    args = ["--ground-truth", files / "truth.txt", "--result", files / "good.txt", option, files / "good.txt" / "out"]
    done = CliRunner().invoke(app, ["evaluate", "tracking", *map(str, args)])
    assert isinstance(done.exception, OutputError)
    assert "out" in done.exception.detail
