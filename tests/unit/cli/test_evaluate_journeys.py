from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from reid_core.errors import MotFileError, ReknitError
from reid_core.evaluation.journeys_report import report_journeys
from reid_core.evaluation.sequence_pairs import pair_sequences
from services.cli.main import app

if TYPE_CHECKING:
    from pathlib import Path


def rows(*seen: tuple[int, int, int, int]) -> str:
    """For each (id, first frame, last frame, left), a box a frame."""
    return "".join(f"{f},{one},{left},0,10,20,1\n" for one, first, last, left in seen for f in range(first, last + 1))


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Person 1 walks from cam1 to cam2 and gets a new id there; person 2 keeps the id; 40 is nobody."""
    files = {
        "truth": {"cam1": rows((1, 1, 4, 0), (2, 1, 4, 100)), "cam2": rows((1, 8, 11, 0), (2, 8, 11, 100))},
        "result": {
            "cam1": rows((7, 1, 4, 0), (8, 1, 4, 100)),
            "cam2": rows((9, 8, 11, 0), (8, 8, 11, 100), (40, 8, 9, 500)),
        },
    }
    for side, cameras in files.items():
        (tmp_path / side).mkdir()
        for camera, text in cameras.items():
            (tmp_path / side / f"{camera}.txt").write_text(text)
    return tmp_path / "truth", tmp_path / "result"


def invoke(truth: Path, result: Path, *more: str):
    return CliRunner().invoke(
        app, ["evaluate", "journeys", "--ground-truth", str(truth), "--result", str(result), *more]
    )


def test_json_has_the_figures_worked_by_hand(folders: tuple[Path, Path]):
    done = invoke(*folders, "--json", "-")
    scores = json.loads(done.stdout)
    assert scores["IDF1"] == pytest.approx(100 * 12 / (12 + 0.5 * 4 + 0.5 * 6))
    assert (scores["across"], scores["across_mismatches"], scores["within_mismatches"]) == (4, 1, 0)
    assert scores["MCTA"] == pytest.approx(100 * (2 * 16 / 34) * (3 / 4))
    assert [scores[name] for name in ("true_pairs", "joined_pairs", "right_pairs")] == [2, 1, 1]
    assert (scores["pair_precision"], scores["pair_recall"]) == (100, 50)
    assert [scores[name] for name in ("cameras", "tracklets", "distractors")] == [2, 5, 1]


def test_table_names_the_figures(folders: tuple[Path, Path]):
    out = invoke(*folders).stdout
    assert "MCTA" in out
    assert "right steps across cameras" in out


def test_cameras_that_began_later_are_put_on_one_clock(tmp_path: Path):
    # Person 1 is at cam1 in frames 1-4 and 9-12; cam2, which began 4 frames later, has its frames 1-3 between them.
    for side, middle in (("truth", 1), ("result", 9)):
        (tmp_path / side).mkdir()
        (tmp_path / side / "cam1.txt").write_text(rows((1, 1, 4, 0), (1, 9, 12, 0)))
        (tmp_path / side / "cam2.txt").write_text(rows((middle, 1, 3, 0)))
    folders = tmp_path / "truth", tmp_path / "result"
    late = json.loads(invoke(*folders, "--offset", "cam2=4", "--json", "-").stdout)
    early = json.loads(invoke(*folders, "--offset", "cam1=-4", "--json", "-").stdout)
    assert (late["across"], late["across_mismatches"]) == (3, 2)
    assert late == early
    together = json.loads(invoke(*folders, "--json", "-").stdout)
    assert together["across"] == 2  # both cameras see the person begin at once
    assert together["IDF1"] == late["IDF1"]


def test_offsets_of_another_form_or_of_no_camera_are_refused(folders: tuple[Path, Path]):
    for text, told in (("cam1", "not 'cam1'"), ("cam1=x", "not 'cam1=x'"), ("cam7=3", "there is no camera cam7")):
        done = invoke(*folders, "--offset", text)
        assert isinstance(done.exception, ReknitError)
        assert told in done.exception.detail


def refusal(truth: Path, result: Path) -> ReknitError:
    done = invoke(truth, result)
    assert isinstance(done.exception, MotFileError), done.output
    return done.exception


def test_missing_camera_broken_row_and_wrong_numbering_are_named(folders: tuple[Path, Path]):
    truth, result = folders
    assert "is no folder" in refusal(truth / "cam1.txt", result).detail
    (truth / "cam1.txt").write_text(rows((0, 1, 2, 0)))
    assert refusal(truth, result).detail == f"{truth / 'cam1.txt'}: people are numbered from 1, found 0"
    (truth / "cam1.txt").write_text("1,1,0,0,10,20,1\n2,x,0,0,10,20,1\n")
    assert f"{truth / 'cam1.txt'}, line 2" in refusal(truth, result).detail
    (result / "cam2.txt").unlink()
    assert "cam2.txt is missing" in refusal(truth, result).detail


def test_a_camera_that_is_there_twice_is_refused(folders: tuple[Path, Path]):
    pairs = pair_sequences([folders[0]], [folders[1]])
    with pytest.raises(MotFileError, match="camera cam1 is there twice"):
        report_journeys([*pairs, pairs[0]])


def test_csv_and_report_hold_each_camera_and_the_site(folders: tuple[Path, Path], tmp_path: Path):
    done = invoke(*folders, "--csv", str(tmp_path / "out.csv"), "--report", str(tmp_path / "out.html"), "--json", "-")
    with (tmp_path / "out.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert [row["camera"] for row in rows] == ["cam1", "cam2", "COMBINED"]
    assert [row["FP"] for row in rows] == ["0", "2", "2"]
    assert [row["site_IDF1"] for row in rows[:2]] == ["", ""]
    assert float(rows[2]["site_IDF1"]) == pytest.approx(json.loads(done.stdout)["IDF1"])
    assert "Journeys across cameras" in (tmp_path / "out.html").read_text()


def test_bad_input_writes_nothing(folders: tuple[Path, Path], tmp_path: Path):
    (folders[1] / "cam2.txt").write_text("1,x,0,0,10,20,1\n")
    done = invoke(*folders, "--csv", str(tmp_path / "out.csv"), "--report", str(tmp_path / "out.html"))
    assert isinstance(done.exception, MotFileError)
    assert "\n" not in done.exception.detail
    assert not list(tmp_path.glob("out.*"))
