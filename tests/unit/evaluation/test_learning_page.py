"""The story of a learning cycle, read from its folder, and its page."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reid_core.errors import CheckpointError
from reid_core.evaluation.learning_page import learning_page
from reid_core.evaluation.learning_story import read_learning_story
from reid_core.evaluation.report_page import render_page
from reid_core.learning.recipes import Recipe, recipe_named
from reid_core.learning.relations import PairWeights
from reid_core.learning.step_files import StepResult, save_json, save_pairs, save_result
from reid_core.learning.tracklet_set import TrackletSet
from reid_core.spatio_temporal.calibration import fit_site_calibration
from reid_core.spatio_temporal.sightings import MatchedPairs, Sightings
from reid_core.spatio_temporal.transit import fit_transit

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 40
PEOPLE = np.tile(np.arange(1, COUNT + 1), 2)
NUMBERS = {number: int(PEOPLE[number - 1]) for number in range(1, 2 * COUNT + 1)}


def recipe(rounds: int = 2) -> Recipe:
    known = recipe_named("site-cpu")
    return replace(known, pairing=replace(known.pairing, rounds=rounds))


def seen() -> Sightings:
    """Forty people leave camera 1 and are at camera 2 some twenty seconds later."""
    random = np.random.default_rng(0)
    starts = np.sort(random.uniform(0, 1200, COUNT))
    later = starts + 5 + random.normal(20, 2, COUNT)
    both = np.concatenate([starts, later])
    return Sightings(("cam1", "cam2"), np.repeat([0, 1], COUNT), both, both + 5)


def looks(noise: float) -> np.ndarray:
    random = np.random.default_rng(1)
    vectors = np.tile(random.normal(size=(COUNT, 16)), (2, 1)) + noise * random.normal(size=(2 * COUNT, 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def cycle(folder: Path, *, rounds: int = 2, finished: bool = True) -> Path:
    """What a cycle leaves: better vectors in each round, all true pairs but one."""
    sightings = seen()
    numbers, crops = np.arange(1, 2 * COUNT + 1), np.arange(2 * COUNT + 1)
    TrackletSet(numbers, sightings, crops, np.zeros((2 * COUNT, 4, 2, 3), np.uint8)).save(folder / "tracklets")
    rows = np.arange(COUNT)
    true = MatchedPairs(rows, rows + COUNT, np.ones(COUNT))
    transit = fit_transit(sightings, true, seed=0)
    (folder / "within").mkdir()
    save_result(folder / "within", StepResult("within", {"loss": 1.5}))
    for number in range(1, rounds + 1):
        paired, trained = (folder / f"{kind}-{number}" for kind in ("associate", "train"))
        paired.mkdir()
        trained.mkdir()
        np.save(paired / "vectors.npy", looks(1.5 / number))
        pairs = PairWeights(rows[1:], rows[1:] + COUNT, np.full(COUNT - 1, 0.9))
        save_pairs(paired / "pairs.npz", pairs, PairWeights.none())
        save_json(paired / "transit.json", transit.to_json())
        save_result(paired, StepResult(paired.name, {"candidates": 50.0, "pairs": COUNT - 1.0, "mean_weight": 0.9}))
        save_result(trained, StepResult(trained.name, {"loss": 1.0 / number}))
    if finished:
        (folder / "finish").mkdir()
        np.save(folder / "finish" / "vectors.npy", looks(0.1))
        save_json(folder / "finish" / "transit.json", transit.to_json())
        calibration = fit_site_calibration(looks(0.1), sightings, transit, seed=0)
        save_json(folder / "finish" / "calibration.json", calibration.to_json())
    return folder


def test_rounds_are_told_with_the_truth(tmp_path: Path):
    story = read_learning_story(cycle(tmp_path), recipe(), people=NUMBERS, before=looks(3.0))
    assert [one.round_no for one in story.rounds] == [0, 1, 2]
    assert [one.loss for one in story.rounds] == [1.5, 1.0, 0.5]
    last = story.rounds[-1]
    assert (last.pairs, last.candidates, last.mean_weight) == (COUNT - 1, 50, 0.9)
    assert (last.precision, last.recall) == (1.0, (COUNT - 1) / COUNT)
    assert last.retrieval.map > story.rounds[0].retrieval.map > story.before.map


def test_without_the_truth_only_belief_is_told(tmp_path: Path):
    story = read_learning_story(cycle(tmp_path), recipe())
    last = story.rounds[-1]
    assert (last.precision, last.recall, last.retrieval) == (None, None, None)
    assert last.mean_weight == 0.9
    assert story.before is None


def test_walking_times_are_shown_over_the_pairs_that_looks_alone_made(tmp_path: Path):
    story = read_learning_story(cycle(tmp_path), recipe())
    assert len(story.looks) == COUNT
    assert set(story.looks.weights.tolist()) == {0.5}


def test_a_cycle_that_stopped_half_way_is_told_as_far_as_it_got(tmp_path: Path):
    folder = cycle(tmp_path, rounds=1, finished=False)
    story = read_learning_story(folder, recipe(), people=NUMBERS)
    assert [one.round_no for one in story.rounds] == [0, 1]
    assert story.rounds[-1].retrieval is None  # nobody has looked at its vectors yet
    assert story.reliability is None
    assert story.transit is not None


def test_a_cycle_that_has_learned_nothing_is_refused(tmp_path: Path):
    folder = cycle(tmp_path, rounds=0, finished=False)
    (folder / "within" / "metrics.json").unlink()
    with pytest.raises(CheckpointError, match="not finished"):
        read_learning_story(folder, recipe())


@pytest.mark.parametrize("name", ["transit.json", "calibration.json"])
@pytest.mark.parametrize("written", ["{", "{}"])
def test_a_document_that_is_torn_or_of_another_version_is_refused(tmp_path: Path, name: str, written: str):
    folder = cycle(tmp_path)
    (folder / "finish" / name).write_text(written, encoding="utf-8")
    with pytest.raises(CheckpointError, match=name):
        read_learning_story(folder, recipe())


class _Open(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_shows_every_part_and_is_well_formed(tmp_path: Path):
    figure = {"value": 0.5, "low": 0.4, "high": 0.6}
    check = {
        "outcome": "promote",
        "reasons": ["parts of tracklets found again: <better>"],
        "candidate": {"rematch_rank1": figure},
        "current": {"rematch_rank1": figure},
        "differences": {"rematch_rank1": {"difference": 0.2, "low": 0.1, "high": 0.3}},
    }
    story = read_learning_story(cycle(tmp_path), recipe(), people=NUMBERS, check=check, before=looks(3.0))
    page = render_page(learning_page(story, title="What was learned"))
    parser = _Open()
    parser.feed(page)
    assert parser.open == []
    for part in (
        "Retrieval by round",
        "Association by round",
        "Pairs by round",
        "Loss at the end",
        "The new generation takes over",
        "Can probabilities be believed?",
        "cam1 → cam2",
        "+20.0 (+10.0 to +30.0)",
        "&lt;better&gt;",
    ):
        assert part in page
    assert "<script" not in page
    assert "nan" not in page


def test_a_page_without_truth_or_decision_leaves_these_out(tmp_path: Path):
    story = read_learning_story(cycle(tmp_path, rounds=1, finished=False), recipe())
    page = render_page(learning_page(story, title="What was learned"))
    assert "Retrieval by round" not in page
    assert "The decision" not in page
    assert "believed precision" in page


def test_the_json_form_is_plain(tmp_path: Path):
    import json

    told = read_learning_story(cycle(tmp_path), recipe(), people=NUMBERS).as_dict()
    assert json.loads(json.dumps(told, allow_nan=False))["rounds"][2]["pairs"] == COUNT - 1
