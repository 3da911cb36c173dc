"""Rows run once, keep their figures, go on after an interruption, and see no more of the truth than they may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from reid_core.errors import GroundTruthError
from reid_core.evaluation.ablation.labels import labelled
from reid_core.evaluation.ablation.rows import Labels, Row, ablation_rows
from reid_core.evaluation.ablation.running import KnownSite, run_rows
from reid_core.evaluation.ablation.scoring import Learned, LearnedRound, score_row
from reid_core.learning.crop_vectors import CropVectors
from reid_core.learning.recipes import recipe_named
from reid_core.learning.tracklet_set import TrackletSet
from reid_core.spatio_temporal.sightings import Sightings

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = np.array([1, 2, 1, 2, 0])
CAMERAS = np.array([0, 0, 1, 1, 1])


def tracklets(count: int = 5) -> TrackletSet:
    starts = np.arange(count, dtype=np.float64)
    seen = Sightings(("cam1", "cam2"), CAMERAS[:count], starts, starts + 1)
    images = np.zeros((3 * count, 4, 2, 3), np.uint8)
    return TrackletSet(np.arange(count) + 1, seen, 3 * np.arange(count + 1), images)


def perfect(people: np.ndarray = PEOPLE) -> np.ndarray:
    return np.eye(3)[people]


def learned(rounds: int = 1) -> Learned:
    """Everybody as alike as they are one person; the first round pairs one right and one wrong."""
    vectors = perfect()
    each = [LearnedRound(0, np.ones((5, 2)))]
    each += [LearnedRound(at + 1, vectors, np.array([0, 1]), np.array([2, 4])) for at in range(rounds)]
    crops = CropVectors(np.repeat(vectors, 3, axis=0), np.tile(np.arange(3.0), 5), 3 * np.arange(6), CAMERAS)
    return Learned(each, crops, 70, 1.25)


class Learner:
    """Counts its calls and keeps what it was told."""

    def __init__(self, *, fails_at: int | None = None) -> None:
        self.told: list[tuple[Row, TrackletSet]] = []
        self.folders: list[Path] = []
        self.fails_at = fails_at

    def __call__(self, row: Row, learns_from: TrackletSet, _: TrackletSet, folder: Path, *, report: object):
        if self.fails_at == len(self.told):
            raise KeyboardInterrupt
        self.told.append((row, learns_from))
        self.folders.append(folder)
        report(5)
        return learned(row.recipe.pairing.rounds)


ROWS = {row.key: row for row in ablation_rows(recipe_named("tastr-cpu"), has_source=True)}


def run(rows: list[Row], folder: Path, learner: Learner, **changed: object):
    kept: list[dict] = []
    site = KnownSite(tracklets(), PEOPLE)
    given = {"site": site, "source": None, "folder": folder, "seed": 0, "report": lambda *_: None, "keep": kept.append}
    return run_rows(rows, learn=learner, **(given | changed)), kept


def test_a_row_is_scored_by_retrieval_association_and_re_match(tmp_path: Path):
    results, _ = run([ROWS["nn"]], tmp_path, Learner())
    found = results["nn"]
    assert (found.rank1, found.map, found.iterations, found.seconds) == (1.0, 1.0, 70, 1.2)
    before, after = found.rounds
    assert (before.round_no, before.pairs, before.precision) == (0, None, None)
    assert (after.pairs, after.precision, after.recall) == (2, 0.5, 0.5)
    assert found.rematch == {"cam1": 1.0, "cam2": 1.0}


def test_a_finished_row_is_not_run_again(tmp_path: Path):
    first, _ = run([ROWS["nn"]], tmp_path, Learner())
    again = Learner()
    second, _ = run([ROWS["nn"]], tmp_path, again)
    assert second == first
    assert again.told == []


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path):
    rows = [ROWS["s1"], ROWS["nn"], ROWS["nn-str"]]
    with pytest.raises(KeyboardInterrupt):
        run(rows, tmp_path, Learner(fails_at=2))
    again = Learner()
    results, kept = run(rows, tmp_path, again)
    assert [row.key for row, _ in again.told] == ["nn-str"]
    assert list(results) == ["s1", "nn", "nn-str"]
    assert [len(so_far) for so_far in kept] == [1, 2, 3]


@pytest.mark.parametrize("change", ["seed", "site", "recipe"])
def test_a_result_of_something_else_is_not_taken(tmp_path: Path, change: str):
    run([ROWS["nn"]], tmp_path, Learner())
    others = {
        "seed": {"seed": 1},
        "site": {"site": KnownSite(tracklets(), np.array([1, 2, 2, 1, 0]))},
        "recipe": {},
    }[change]
    row = ablation_rows(recipe_named("site-cpu"))[3] if change == "recipe" else ROWS["nn"]
    again = Learner()
    run([row], tmp_path, again, **others)
    assert len(again.told) == 1


def test_other_tracklets_never_meet_what_an_interrupted_row_left(tmp_path: Path):
    learner = Learner()
    run([ROWS["nn"]], tmp_path, learner)
    run([ROWS["nn"]], tmp_path, learner, site=KnownSite(tracklets(), np.array([1, 2, 2, 1, 0])))
    assert len(set(learner.folders)) == 2


def test_a_torn_result_is_run_again(tmp_path: Path):
    run([ROWS["nn"]], tmp_path, Learner())
    (tmp_path / "nn.json").write_text("{", encoding="utf-8")
    again = Learner()
    run([ROWS["nn"]], tmp_path, again)
    assert len(again.told) == 1


def test_a_source_row_learns_there_and_is_left_out_without(tmp_path: Path):
    learner = Learner()
    results, _ = run([ROWS["source-only"]], tmp_path, learner)
    assert results == {}
    source = KnownSite(tracklets(4), PEOPLE[:4])
    run([ROWS["source-only"]], tmp_path, learner, source=source)
    assert len(learner.told[0][1]) == 4
    assert learner.told[0][1].must_link.tolist() == [[0, 2], [1, 3]]


def test_a_row_without_labels_is_told_nothing():
    known = labelled(tracklets(), PEOPLE, Labels.ALL)
    blind = labelled(known, PEOPLE, Labels.NONE)
    assert blind.in_camera_ids is None
    assert len(blind.must_link) == len(blind.cannot_link) == 0


def test_per_camera_identities_do_not_reach_across():
    told = labelled(tracklets(), PEOPLE, Labels.PER_CAMERA)
    assert told.in_camera_ids.tolist() == [1, 2, 1, 2, -1]
    assert len(told.must_link) == len(told.cannot_link) == 0


def test_all_labels_name_every_pair_and_a_distractor_is_nobody():
    told = labelled(tracklets(), np.array([1, 1, 0, 0, 2]), Labels.ALL)
    assert told.must_link.tolist() == [[0, 1]]
    assert len(told.cannot_link) == 9


def test_people_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="2 people and 5 tracklets"):
        labelled(tracklets(), np.array([1, 2]), Labels.NONE)


def test_a_site_on_which_nobody_is_seen_twice_cannot_be_ranked():
    with pytest.raises(GroundTruthError, match="nobody was seen by two cameras"):
        score_row("nn", learned(), person_ids=np.arange(5), cameras=CAMERAS, camera_ids=("cam1", "cam2"))
