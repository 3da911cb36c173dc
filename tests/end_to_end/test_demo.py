"""From nothing to scored answers with one command: real pixels, real networks, real processes."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.weights

PROGRAM = [sys.executable, "-c", "from services.cli.main import main; main()"]
RETRIEVAL = {
    *("rank1", "map", "rank5", "rank10", "map_trapezoid", "minp"),
    *("queries", "skipped", "tracklets", "people", "distractors"),
}
SECONDS = ["simulate", "ingest", "score", "total"]
TINY = ["--cameras", "2", "--people", "16", "--minutes", "0.4", "--difficulty", "easy", "--no-learn"]


def reknit(*args: object, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)


def demo(
    data_dir: Path, *options: str, timeout_s: float = 300
) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
    run = reknit("demo", "--no-serve", "--data-dir", data_dir, "--json", "-", *options, timeout_s=timeout_s)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout), run


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, weights_dir: Path) -> tuple[Path, dict[str, Any]]:
    del weights_dir  # only asked for, so that the test skips where there are no weights
    data_dir = tmp_path_factory.mktemp("demo")
    result, _ = demo(data_dir, *TINY)
    return data_dir, result


def test_result_has_its_stable_form(tiny: tuple[Path, dict[str, Any]]):
    _, result = tiny
    assert list(result) == ["retrieval", "journeys", "tracking", "seconds"]
    assert result["retrieval"]["cold_start"].keys() == RETRIEVAL
    assert {"HOTA", "IDF1", "MOTA", "DetA", "AssA", "IDSW"} <= result["tracking"].keys()
    assert list(result["seconds"]) == SECONDS


def test_figures_are_sane(tiny: tuple[Path, dict[str, Any]]):
    _, result = tiny
    retrieval, tracking = result["retrieval"]["cold_start"], result["tracking"]
    assert retrieval["queries"] + retrieval["skipped"] + retrieval["distractors"] == retrieval["tracklets"] > 0
    assert retrieval["queries"] > 0
    journeys = result["journeys"]
    assert journeys["journeys"] == retrieval["tracklets"], "nothing was learned, so nobody is likely to be anybody"
    assert 0 < journeys["idf1"] < journeys["idf1_of_tracklets"] == journeys["idf1_of_parts"] < 1
    assert 0 < retrieval["map_trapezoid"] <= retrieval["map"] <= 1
    assert retrieval["rank1"] <= retrieval["rank5"] <= retrieval["rank10"] <= 1
    assert tracking["HOTA"] > 40
    assert tracking["IDF1"] > 50
    parts = [result["seconds"][stage] for stage in SECONDS[:3]]
    assert sum(parts) == pytest.approx(result["seconds"]["total"], abs=0.5)


def test_contact_sheet_is_a_picture(tiny: tuple[Path, dict[str, Any]]):
    data_dir, _ = tiny
    with Image.open(data_dir / "contact-sheet.png") as sheet:
        assert sheet.width > 1000


def test_second_run_takes_up_the_site_and_finds_the_same(tiny: tuple[Path, dict[str, Any]], tmp_path: Path):
    data_dir, first = tiny
    run = reknit("demo", "--no-serve", "--data-dir", data_dir, *TINY, "--json", tmp_path / "demo.json")
    assert run.returncode == 0, run.stderr
    assert "holds this site already" in run.stderr
    for shown in ("2 cameras, 16 people", "rank-1", "HOTA", "contact-sheet.png"):
        assert shown in run.stdout
    again = json.loads((tmp_path / "demo.json").read_text())
    assert (again["retrieval"], again["tracking"]) == (first["retrieval"], first["tracking"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_service_runs_until_the_demo_is_ended(tiny: tuple[Path, dict[str, Any]], number: signal.Signals):
    data_dir, _ = tiny
    command = [*PROGRAM, "demo", "--data-dir", str(data_dir), *TINY, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
        address = next(found[1] for line in run.stderr if (found := re.search(r"serving .* at (http://\S+)", line)))
        with urlopen(f"{address}/healthz") as answer:
            assert answer.status == 200
        run.send_signal(number)
        run.communicate(timeout=30)
    assert run.returncode == 128 + number
    with pytest.raises(URLError, match="refused"):
        urlopen(f"{address}/healthz")


def test_port_in_use_is_told_before_anything_is_done(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        run = reknit("demo", "--data-dir", tmp_path / "data", "--port", taken.getsockname()[1])
    assert run.returncode == 2
    assert "is in use" in run.stderr
    assert not (tmp_path / "data").exists()


def test_folder_of_another_site_is_refused_with_one_line(tiny: tuple[Path, dict[str, Any]]):
    data_dir, _ = tiny
    run = reknit("demo", "--no-serve", "--data-dir", data_dir, "--seed", "99")
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert "holds another site" in run.stderr


def test_stage_that_is_refused_ends_the_demo_with_its_code(tmp_path: Path):
    run = reknit("demo", "--no-serve", "--data-dir", tmp_path, "--cameras", "1")
    assert run.returncode == 2
    assert "cameras must be at least 2" in run.stderr
    assert "Traceback" not in run.stderr


def test_exported_tracks_score_as_the_demo_says(tiny: tuple[Path, dict[str, Any]], tmp_path: Path):
    data_dir, _ = tiny
    out = tmp_path / "tracks.txt"
    assert reknit("export", "mot", "--data-dir", data_dir, "--camera", "cam1", out).returncode == 0
    truth = data_dir / "site" / "truth" / "boxes" / "cam1.txt"
    run = reknit("evaluate", "tracking", "--ground-truth", truth, "--result", out, "--json", "-")
    assert json.loads(run.stdout)["IDF1"] > 30


@pytest.mark.slow
def test_default_demo_lands_where_it_should(tmp_path: Path, weights_dir: Path):
    del weights_dir
    result, run = demo(tmp_path, "--seed", "7", timeout_s=3000)
    cold, learned, with_transit = (result["retrieval"][name] for name in ("cold_start", "learned", "with_transit"))
    assert 0.25 <= cold["map"] <= 0.5
    assert cold["tracklets"] >= 250
    assert result["tracking"]["HOTA"] > 50
    assert learned["map"] > cold["map"] + 0.25
    assert with_transit["map"] > learned["map"]
    assert result["retrieval"]["reranked"].keys() == RETRIEVAL
    assert result["retrieval"]["reranked"]["queries"] == with_transit["queries"]
    assert with_transit["rank1"] > learned["rank1"]
    assert result["learning"]["took_over"] is True
    assert result["calibration"]["ece"] < 0.1
    assert 0 < result["association"]["recall"] <= 1
    assert "holds" not in run.stderr
    again, _ = demo(tmp_path, "--seed", "7", timeout_s=600)
    assert again["retrieval"] == result["retrieval"]
    assert again["seconds"]["learn"] < 10
