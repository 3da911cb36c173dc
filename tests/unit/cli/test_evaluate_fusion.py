from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from fusion_lists import walkers, write_lists
from typer.testing import CliRunner

from reid_core.errors import DatasetError, FusionHarnessError, ReknitError
from services.cli.main import app

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    return write_lists(tmp_path / "lists", walkers(40), packed=True)


def run(*args: object) -> str:
    result = CliRunner().invoke(app, ["evaluate", "fusion", *map(str, args)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_json_on_standard_output_is_all_there_is_and_repeats(lists: Path):
    first, again = (run("--lists", lists, "--visual-map", 0.7, "--seed", 5, "--json", "-") for _ in range(2))
    assert first == again
    told = json.loads(first)
    assert told["visual"]["map"] == pytest.approx(0.7, abs=0.001)
    assert told["transit"]["map"] > told["visual"]["map"]
    assert (told["settings"]["seed"], told["settings"]["visual_map"]) == (5, 0.7)
    assert told["anchors"]["g_fusion"]["fused"]["map"] == 0.859


def test_the_table_shows_gains_and_what_was_published(lists: Path, tmp_path: Path):
    shown = run("--lists", lists, "--method", "visual", "--json", tmp_path / "out.json")
    assert "G-Fusion: 75.4 -> 85.9 (+10.5)" in shown
    assert "transit" not in shown
    assert "transit" not in json.loads((tmp_path / "out.json").read_text())
    assert "+" in next(line for line in run("--lists", lists).splitlines() if line.startswith("transit"))


@pytest.mark.parametrize(
    ("args", "kind", "reason"),
    [
        (["--lists", "absent"], DatasetError, "absent: expected list_market_train_new.txt"),
        (["--lists", "lists", "--visual-map", "1.5"], FusionHarnessError, "between 0 and 1, got 1.5"),
        (["--lists", "lists", "--visual-map", "0.0001"], FusionHarnessError, "below what these lists can give"),
        (["--lists", "lists", "--seed", "-1"], FusionHarnessError, "0 or more, got -1"),
        (["--lists", "lists", "--method", "magic"], FusionHarnessError, "no method 'magic'"),
    ],
)
def test_what_cannot_be_is_refused(
    lists: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], kind: type[ReknitError], reason: str
):
    monkeypatch.chdir(lists.parent)
    result = CliRunner().invoke(app, ["evaluate", "fusion", *args, "--json", "-"])
    assert isinstance(result.exception, kind), result.output
    assert reason in str(result.exception)
    assert result.exception.exit_code == 2
    assert result.stdout == ""


@pytest.mark.parametrize("args", [["--seed", "one"], ["--visual-map", "much"]])
def test_what_is_no_number_is_refused(lists: Path, args: list[str]):
    assert CliRunner().invoke(app, ["evaluate", "fusion", "--lists", str(lists), *args]).exit_code == 2
