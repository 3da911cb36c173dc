from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING

import dataset_layouts
import numpy as np
import pytest
from typer.testing import CliRunner

from reid_core.errors import DatasetError, FeaturesError, InputError, ReknitError
from reid_core.evaluation.datasets.registry import DATASETS, read_dataset
from services.cli.main import app, main

if TYPE_CHECKING:
    from pathlib import Path


def features_by_person(name: str, root: Path, path: Path) -> Path:
    """A file in which everybody looks like themselves and like nobody else."""
    records = read_dataset(name, root).records
    people = np.array([record.person_id for record in records])
    angles = people / (people.max() + 1)
    np.savez(path, features=np.stack([np.cos(angles), np.sin(angles)], axis=1), paths=[r.path for r in records])
    return path


@pytest.fixture
def market(tmp_path: Path) -> tuple[Path, Path]:
    root = dataset_layouts.market1501(tmp_path / "market")
    return root, features_by_person("market1501", root, tmp_path / "features.npz")


def arguments(name: str, root: Path, features: Path, *more: object) -> list[str]:
    where = ["--dataset", name, "--root", root, "--features", features]
    return ["evaluate", "ranking", *map(str, (*where, *more))]


def run(*args: object) -> str:
    result = CliRunner().invoke(app, arguments(*args), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def refusal(*args: object) -> ReknitError:
    result = CliRunner().invoke(app, arguments(*args))
    assert isinstance(result.exception, ReknitError), result.output
    assert result.stdout == ""
    return result.exception


def test_json_on_standard_output_is_all_there_is(market: tuple[Path, Path]):
    scores = json.loads(run("market1501", *market, "--json", "-"))
    assert (scores["dataset"], scores["title"], scores["distance"]) == ("market1501", "Market-1501", "cosine")
    assert scores["rank1"] == scores["map"] == scores["map_trapezoid"] == scores["minp"] == 1
    counts = ("queries", "skipped", "gallery", "distractors", "junk", "trials")
    assert [scores[name] for name in counts] == [2, 0, 5, 1, 1, 1]
    assert scores["spread"] is None
    assert len(scores["cmc"]) == 50
    assert scores["settings"]["standard"]["map"] == 1


def test_the_table_names_both_average_precisions_and_says_what_is_missing(
    market: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "160")
    out = run("market1501", *market)
    assert "Market-1501" in out
    assert "mAP (rectangle)" in out
    assert "mAP (trapezoid)" in out
    assert "This folder has 2 queries and 5 gallery entries; published are 3368 and 15913." in out


def test_several_trials_are_shown_with_their_spread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "200")
    root = dataset_layouts.prid2011(tmp_path / "prid")
    features = features_by_person("prid2011", root, tmp_path / "features.npz")
    out = run("prid2011", root, features)
    assert "100.00 ± 0.00" in out
    assert "over all trials (up to 2)" in out


def test_every_query_is_a_row_of_the_csv(market: tuple[Path, Path], tmp_path: Path):
    run("market1501", *market, "--csv", tmp_path / "out" / "queries.csv", "--json", tmp_path / "out" / "scores.json")
    rows = list(csv.DictReader((tmp_path / "out" / "queries.csv").read_text().splitlines()))
    assert [row["query"] for row in rows] == ["query/0001_c1s1_001051_00.jpg", "query/0003_c1s6_015971_00.jpg"]
    assert rows[0] == {
        "setting": "standard",
        "trial": "1",
        "query": "query/0001_c1s1_001051_00.jpg",
        "person_id": "1",
        "camera_id": "1",
        "average_precision": "1.0",
        "average_precision_trapezoid": "1.0",
        "inverse_negative_penalty": "1.0",
        "first_rank": "1",
    }
    assert json.loads((tmp_path / "out" / "scores.json").read_text())["queries"] == 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["queries.csv", "scores.json"]


def test_validation_people_are_scored_on_wish(tmp_path: Path):
    root = dataset_layouts.last(tmp_path / "last")
    features = features_by_person("last", root, tmp_path / "features.npz")
    assert json.loads(run("last", root, features, "--validation", "--json", "-"))["queries"] == 1
    assert json.loads(run("last", root, features, "--json", "-"))["queries"] == 2
    assert "published are" not in run("last", root, features, "--validation")


@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_is_scored_from_its_folder(name: str, tmp_path: Path):
    root = dataset_layouts.WRITERS[name](tmp_path)
    features = features_by_person(name, root, tmp_path / "features.npz")
    assert json.loads(run(name, root, features, "--distance", "euclidean", "--json", "-"))["rank1"] == 1


def test_nothing_is_written_where_something_cannot_be_scored(market: tuple[Path, Path], tmp_path: Path):
    root, features = market
    written = ["--json", tmp_path / "scores.json", "--csv", tmp_path / "queries.csv"]
    assert isinstance(refusal("market1501", tmp_path / "nowhere", features, *written), DatasetError)
    (root / "bounding_box_test" / "0003_c5s1_000001_00.jpg").touch()
    error = refusal("market1501", root, features, *written)
    assert isinstance(error, FeaturesError)
    assert error.detail.endswith("no features of bounding_box_test/0003_c5s1_000001_00.jpg (1 of 8 missing)")
    assert not (tmp_path / "scores.json").exists()
    assert not (tmp_path / "queries.csv").exists()


def test_ids_that_never_match_are_one_line_and_exit_code_two(
    market: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    root, features = market
    for query in (root / "query").glob("*.jpg"):
        query.rename(query.with_name(query.name.replace("0001_", "0008_").replace("0003_", "0009_")))
    features_by_person("market1501", root, features)
    monkeypatch.setattr(sys, "argv", ["reknit", *arguments("market1501", root, features)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "reknit: The dataset cannot be used: market1501, standard: none of 2 queries has a true match in the gallery\n"
    )


def test_report_is_a_page_of_its_own(market: tuple[Path, Path], tmp_path: Path):
    run("market1501", *market, "--report", tmp_path / "out" / "report.html", "--json", "-")
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "Market-1501" in page
    assert "No picture of these queries" in page  # the tiny dataset's pictures are empty files


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "missing: --dataset, --root, --features or --generation"),
        (["--dataset", "market1501", "--root", "x"], "missing: --features or --generation"),
        (["--generation", "0", "--root", "x"], "missing: --dataset"),
        (
            ["--truth", "t", "--root", "x"],
            "--truth scores the stored site and goes without --dataset, --root, --features",
        ),
        (["--truth", "t", "--validation"], "--truth scores the stored site and goes without --validation"),
    ],
)
def test_options_that_do_not_fit_are_named(given: list[str], told: str):
    result = CliRunner().invoke(app, ["evaluate", "ranking", *given])
    assert isinstance(result.exception, InputError)
    assert told in result.exception.detail


def test_two_sources_of_features_are_refused(market: tuple[Path, Path]):
    assert "give one of them" in refusal("market1501", *market, "--generation", "0").detail
