from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import dataset_layouts
import numpy as np
import pytest
from PIL import Image

from reid_core.evaluation.dataset_story import dataset_story
from reid_core.evaluation.datasets.registry import DATASETS, read_dataset
from reid_core.evaluation.feature_distances import RecordFeatures
from reid_core.evaluation.feature_files import Distance
from reid_core.evaluation.protocols import scored_records
from reid_core.evaluation.ranking_page import RankingStory, ranking_page
from reid_core.evaluation.ranking_report import report_ranking
from reid_core.evaluation.report_page import render_page

if TYPE_CHECKING:
    from pathlib import Path


def story_of(name: str, root: Path, *, distance: Distance = Distance.COSINE) -> RankingStory:
    """Everybody looks like themselves and like nobody else."""
    dataset = read_dataset(name, root)
    positions = scored_records(dataset)
    people = np.array([dataset.records[at].person_id for at in positions])
    angles = people / (people.max() + 1)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    report = report_ranking(dataset, vectors, positions, distance=distance)
    features = RecordFeatures(vectors, positions, distance=distance)
    return dataset_story(report, features, title=DATASETS[name].title, root=root)


def test_story_holds_the_figures_and_counts(tmp_path: Path):
    story = story_of("market1501", dataset_layouts.market1501(tmp_path))
    assert story.title == "Market-1501"
    assert story.figures["map"] == 1
    assert story.counts == [("queries", "2", "0 skipped"), ("gallery", "5", "1 distractors")]
    assert story.inspected == "all 2 queries"
    assert dict(story.facts) == {"setting": "standard", "distance": "cosine"}


def test_looking_into_the_lists_gives_the_precisions_that_were_scored(tmp_path: Path):
    story = story_of("market1501", dataset_layouts.market1501(tmp_path))
    assert [query.precision for query in story.inspection.queries] == [1, 1]
    assert [query.first_rank for query in story.inspection.queries] == [1, 1]
    assert story.inspection.similarities.same == pytest.approx([0, 0], abs=1e-6)


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("distance", list(Distance))
def test_every_dataset_has_its_page(name: str, distance: Distance, tmp_path: Path):
    story = story_of(name, dataset_layouts.WRITERS[name](tmp_path), distance=distance)
    html = render_page(ranking_page(story))
    assert DATASETS[name].title in html
    assert "nan" not in html.lower().replace("instance", "")


def test_pictures_are_found_beside_the_lists_and_in_the_archives_own_folder(tmp_path: Path):
    out = BytesIO()
    Image.new("RGB", (8, 16)).save(out, "JPEG")
    for root in (tmp_path / "direct", tmp_path / "parent" / "Market-1501-v15.09.15"):
        for path in dataset_layouts.market1501(root).rglob("*.jpg"):
            path.write_bytes(out.getvalue())
    for root in (tmp_path / "direct", tmp_path / "parent"):
        story = story_of("market1501", root)
        assert story.portraits.picture(story.inspection.queries[0].row) == out.getvalue()


def test_pictures_that_are_absent_are_none_and_lines_name_person_and_camera(tmp_path: Path):
    root = dataset_layouts.market1501(tmp_path)
    story = story_of("market1501", root)
    query = story.inspection.queries[0]
    (root / "query" / "0001_c1s1_001051_00.jpg").unlink()
    assert story.portraits.picture(query.row) is None
    assert story.portraits.lines(query.row) == ("camera 1", "person 1")
    others = {story.portraits.lines(answer.row)[1] for answer in query.answers}
    assert "distractor" in others


def test_gaps_come_from_frames_of_one_recording(tmp_path: Path):
    names = [f"{person:04d}_c1s1_{1000 * person:06d}_00.jpg" for person in range(1, 7)]
    dataset_layouts.touch(
        tmp_path, ["bounding_box_train/0900_c1s1_000001_00.jpg", *(f"query/{name}" for name in names)]
    )
    there = [f"{person:04d}_c2s1_{1000 * person + 300:06d}_00.jpg" for person in range(1, 7)]
    later = [f"{person:04d}_c3s2_{1000 * person + 700:06d}_00.jpg" for person in range(1, 7)]
    dataset_layouts.touch(tmp_path, [f"bounding_box_test/{name}" for name in (*there, *later)])
    (gaps,) = story_of("market1501", tmp_path).gaps
    assert gaps.cameras == ("1", "2")
    assert gaps.same.tolist() == [300.0] * 6
    assert 1300.0 in gaps.different.tolist()


def test_gaps_and_camera_pairs_are_left_out_where_cameras_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = dataset_layouts.market1501(tmp_path)
    assert len(story_of("market1501", root).inspection.pairs.cameras) > 1
    monkeypatch.setattr("reid_core.evaluation.dataset_story._MOST_CAMERAS", 1)
    assert story_of("market1501", root).inspection.pairs is None
    assert list(story_of("market1501", root).gaps) == []


def test_spread_is_shown_for_several_trials(tmp_path: Path):
    story = story_of("prid2011", dataset_layouts.prid2011(tmp_path))
    assert story.spreads is not None
    assert story.inspected.endswith("of the first trial")
    assert ("trials", "2") in story.facts


def test_many_queries_are_thinned_evenly_and_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("reid_core.evaluation.dataset_story._MOST_QUERIES", 1)
    story = story_of("market1501", dataset_layouts.market1501(tmp_path))
    assert story.inspected == "1 evenly chosen queries"
    assert len(story.inspection.queries) == 1


def test_comparable_distances_are_whole():
    vectors = np.random.default_rng(1).normal(size=(9, 4)).astype(np.float32) + 50
    features = RecordFeatures(vectors, np.arange(9), distance=Distance.EUCLIDEAN)
    rows = features.comparable_distances(np.array([0, 3]), np.arange(9))
    expected = np.linalg.norm(vectors[[0, 3], None] - vectors[None], axis=2)
    assert np.concatenate([rows(0, 1), rows(1, 2)]) == pytest.approx(expected, abs=1e-3)
