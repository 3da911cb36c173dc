"""Each rule of evaluation that is easy to get wrong, on layouts small enough to score by hand.

Features are one number a record unless they say otherwise: the Euclidean distance is then easy to see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dataset_layouts
import numpy as np
import pytest
from protocol_scores import records, score, scores_of, standard

from reid_core.errors import DatasetError
from reid_core.evaluation.datasets.dataset import ReidDataset
from reid_core.evaluation.datasets.registry import DATASETS, read_dataset
from reid_core.evaluation.feature_files import Distance, FeatureTable, features_of
from reid_core.evaluation.protocols import PROTOCOLS, protocol_of, scored_records, trials_of
from reid_core.evaluation.ranking_report import FIGURES, report_ranking

if TYPE_CHECKING:
    from pathlib import Path


def test_market_drops_junk_and_the_own_camera_and_keeps_the_distractor(tmp_path: Path):
    dataset = read_dataset("market1501", dataset_layouts.market1501(tmp_path))
    places = {"query/0001": 0, "query/0003": 10, "test/-1": 0, "test/0000": 1, "test/0001_c1": 0.5, "test/0001_c2": 2}
    report = score(dataset, {**places, "test/0003_c1": 10, "test/0003_c4": 10.5})
    # 0001: junk -1 and its own camera 1 are gone; the distractor stands at 1, the match at 2 -> rank 2.
    # 0003: its own camera 1 is gone; the match at 10.5 -> rank 1.
    assert scores_of(report).first_ranks.tolist() == [2, 1]
    assert standard(report).means()["map"] == pytest.approx((1 / 2 + 1) / 2)
    assert standard(report).means()["map_trapezoid"] == pytest.approx((1 / 4 + 1) / 2)
    figures = standard(report).as_dict()
    assert (figures["gallery"], figures["distractors"], figures["junk"]) == (5, 1, 1)


def test_both_average_precisions_are_reported_by_name_and_differ():
    dataset = ReidDataset.of_parts(
        "market1501", train=[], query=records((1, "a")), gallery=records((2, "b"), (1, "b"), (1, "c"), name="g")
    )
    means = standard(score(dataset, {"r0": 0, "g0": 1, "g1": 2, "g2": 3})).means()
    # Matches at ranks 2 and 3: rectangles (1/2 + 2/3) / 2, trapezoids ((0 + 1/2) / 2 + (1/2 + 2/3) / 2) / 2.
    assert (means["map"], means["map_trapezoid"], means["minp"]) == pytest.approx((7 / 12, 5 / 12, 2 / 3))


def test_a_query_without_a_match_is_skipped_and_counted_not_scored_zero():
    query = records((1, "a"), (2, "a"), (3, "a"))
    dataset = ReidDataset.of_parts("market1501", train=[], query=query, gallery=records((1, "b"), (2, "a"), name="g"))
    report = score(dataset, {"r": 0, "g": 1})
    # 1 has a match; 2 is only at its own camera; 3 is nowhere. MATLAB would say mAP 1/3.
    assert standard(report).means()["map"] == 1
    assert (standard(report).queries, standard(report).skipped) == (1, 2)
    rows = list(report.query_rows())
    assert [(row.query, row.average_precision, row.first_rank) for row in rows] == [
        ("r0", 1.0, 1),
        ("r1", None, None),
        ("r2", None, None),
    ]


def test_ties_rank_in_the_datasets_order_whatever_the_order_of_the_features():
    gallery = records((2, "b"), (1, "b"), (1, "c"), name="g")
    dataset = ReidDataset.of_parts("market1501", train=[], query=records((1, "a")), gallery=gallery)
    paths = ["r0", "g0", "g1", "g2"]
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        table = FeatureTable(np.ones((4, 2), np.float32), {paths[at]: row for row, at in enumerate(order)}, "f.npz")
        positions = scored_records(dataset)
        features = features_of([dataset.records[at] for at in positions], table, distance=Distance.COSINE)
        report = report_ranking(dataset, features, positions)
        assert standard(report).means()["map"] == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_mars_queries_answer_their_persons_other_queries(tmp_path: Path):
    dataset = read_dataset("mars", dataset_layouts.mars(tmp_path))
    places = {"0000C3": 1, "0002C1": 0, "0002C2T0001": 2, "0002C2T0002": 3, "0004C1": 20, "0004C3": 21}
    report = score(dataset, places)
    # Person 4 has only two tracklets and both are queries: taken out of the gallery, they could not be scored.
    assert (standard(report).queries, standard(report).skipped) == (4, 0)
    # 0002C1: distractor at 1, then both tracklets of camera 2 (one of them a query): ranks 2 and 3.
    # 0002C2: itself and its own camera are junk; distractor at distance 1, match at 2: rank 2. 0004: rank 1 both ways.
    precisions = [(1 / 2 + 2 / 3) / 2, 1 / 2, 1, 1]
    assert scores_of(report).precisions.tolist() == pytest.approx(precisions)


def test_pictures_of_a_tracklet_are_averaged_first_and_normalised_afterwards(tmp_path: Path):
    dataset = read_dataset("mars", dataset_layouts.mars(tmp_path))
    tracklet = next(record for record in dataset.records if record.path.endswith("0002C1T0001F001.jpg"))
    assert len(tracklet.tracklet) == 2
    table = FeatureTable(np.array([[3, 0], [0, 1]], np.float32), dict(zip(tracklet.tracklet, (0, 1), strict=True)), "f")
    pooled = features_of([tracklet], table, distance=Distance.COSINE)
    # Mean (1.5, 0.5), length sqrt(2.5). Normalised first it would be the diagonal.
    assert pooled[0] == pytest.approx([1.5 / 2.5**0.5, 0.5 / 2.5**0.5], abs=1e-7)


@pytest.mark.parametrize("name", ["prid2011", "ilids-vid"])
def test_two_view_datasets_are_means_over_all_splits_with_their_spread(name: str, tmp_path: Path):
    dataset = read_dataset(name, dataset_layouts.WRITERS[name](tmp_path))
    rng = np.random.default_rng(5)
    positions = scored_records(dataset)
    report = report_ranking(dataset, rng.random((len(positions), 3), np.float32), positions)
    scores = standard(report)
    ranks = [trial.scores.rank(1) for trial in scores.trials]
    assert len(ranks) == len(dataset.splits) > 1
    assert scores.means()["rank1"] == pytest.approx(sum(ranks) / len(ranks))
    assert scores.spreads()["rank1"] == pytest.approx(np.std(ranks, ddof=1))
    assert scores.queries == sum(len(split.query) for split in dataset.splits)


def test_prid_spread_by_hand(tmp_path: Path):
    dataset = read_dataset("prid2011", dataset_layouts.prid2011(tmp_path))
    places = {f"cam_a/person_000{n}": 10 * n for n in (1, 2, 3, 4)}
    # Camera B shows everybody at their own place but exchanges persons 3 and 4, who are tested together in split 1
    # only: rank-1 is 0 there. In split 2 (persons 2 and 4) person 4 stands at 30, still nearer to 40 than 20: 1.
    places |= {"cam_b/person_0001": 11, "cam_b/person_0002": 21, "cam_b/person_0003": 40, "cam_b/person_0004": 30}
    scores = standard(score(dataset, places))
    assert scores.means()["rank1"] == 0.5
    assert scores.spreads()["rank1"] == pytest.approx(0.5**0.5)


def test_cuhk03_classic_draws_one_picture_a_person_ten_times_for_every_split(tmp_path: Path):
    dataset = read_dataset("cuhk03-classic-detected", dataset_layouts.cuhk03_classic(tmp_path))
    (setting,) = protocol_of(dataset.name)
    trials = trials_of(dataset, setting)
    assert len(trials) == 20
    for trial in trials:
        people = [dataset.records[at].person_id for at in trial.gallery]
        assert len(people) == len(set(people)) == 2
        assert {dataset.records[at].camera_id for at in trial.query} == {"1.1"}
    assert len({tuple(trial.gallery) for trial in trials[:10]}) > 1


def test_draws_repeat_with_the_seed_and_change_with_it(tmp_path: Path):
    dataset = read_dataset("cuhk03-classic-detected", dataset_layouts.cuhk03_classic(tmp_path))
    (setting,) = protocol_of(dataset.name)

    def drawn(seed: int) -> list[list[int]]:
        return [trial.gallery.tolist() for trial in trials_of(dataset, setting, seed=seed)]

    assert drawn(3) == drawn(3) != drawn(4)


def test_single_shot_by_hand(tmp_path: Path):
    dataset = read_dataset("cuhk03-classic-detected", dataset_layouts.cuhk03_classic(tmp_path, splits=1))
    # Split 1 tests persons 2 and 3. Person 2 asks from 0; its gallery pictures stand at 1 and 3, person 3's at 2 and 2:
    # each draw finds person 2 (rank 1) or not (rank 2), its query pictures alike; person 3, asking from 2, is found.
    places = {"1_002_1": 0, "1_002_2_03": 1, "1_002_2_04": 3, "1_003_1": 2, "1_003_2": 2}
    report = score(dataset, places)
    ranks = {tuple(trial.scores.first_ranks) for trial in report.settings["single_shot"].trials}
    assert ranks == {(1, 1, 1, 1), (2, 2, 1, 1)}


def test_ltcc_also_drops_the_own_person_in_the_own_clothes(tmp_path: Path):
    dataset = read_dataset("ltcc", dataset_layouts.ltcc(tmp_path))
    places = {"query/148": 0, "query/001": 50, "148_1_c3": 0, "148_1_c5": 1, "007_3": 2, "148_2_c6": 3, "001_1_c2": 50}
    report = score(dataset, places)
    # Standard: 148 drops its camera 3, finds outfit 1 (rank 1) and outfit 2 after the stranger (rank 3).
    assert scores_of(report, "standard").precisions.tolist() == pytest.approx([1, (1 + 2 / 3) / 2])
    # Cloth-changing: outfit 1 goes too, so the only match stands after the stranger; 001 never changes: skipped.
    changing = report.settings["cloth_changing"]
    assert scores_of(report, "cloth_changing").precisions.tolist() == [1 / 2]
    assert (changing.queries, changing.skipped) == (1, 1)
    assert report.as_dict()["setting"] == "cloth_changing"


def test_prcc_asks_from_c_in_other_clothes_and_from_b_in_the_same(tmp_path: Path):
    dataset = read_dataset("prcc", dataset_layouts.prcc(tmp_path))
    # Clothes mislead: at C, 003 looks like 005 at A and the other way round; at B everybody looks like at A.
    places = {"A/003": 0, "A/005": 10, "B/003": 1, "B/005": 9, "C/003": 9, "C/005": 1}
    report = score(dataset, places)
    ranks = {name: scores.means()["rank1"] for name, scores in report.settings.items()}
    assert ranks == {
        "cloth_changing": 0,
        "same_clothes": 1,
        "cloth_changing_multi_shot": 0,
        "same_clothes_multi_shot": 1,
    }
    assert {name: len(scores.trials) for name, scores in report.settings.items()}["cloth_changing"] == 10
    # Multi shot: both pictures of the right person stand behind both of the other: (1/3 + 2/4) / 2.
    assert report.settings["cloth_changing_multi_shot"].means()["map"] == pytest.approx(5 / 12)


def test_last_drops_nobody_for_a_camera_and_tunes_on_validation_people_only(tmp_path: Path):
    dataset = read_dataset("last", dataset_layouts.last(tmp_path))
    places = {"query/010903": 0, "query/010904": 20, "010903/": 1, "010904/": 21, "010905/": 20.5}
    report = score(dataset, places)
    assert scores_of(report).first_ranks.tolist() == [1, 2]
    assert standard(report).as_dict()["junk"] == 0
    tuning = score(dataset, {"val/query": 0, "val/gallery": 1}, validation=True)
    assert standard(tuning).queries == 1
    assert set(scored_records(dataset, validation=True)).isdisjoint(scored_records(dataset))


def test_validation_is_refused_where_none_is_published(tmp_path: Path):
    dataset = read_dataset("market1501", dataset_layouts.market1501(tmp_path))
    with pytest.raises(DatasetError, match="market1501 publishes no validation"):
        scored_records(dataset, validation=True)


def test_campus4k_people_of_one_camera_are_wrong_answers_and_never_asked_for(tmp_path: Path):
    dataset = read_dataset("campus4k", dataset_layouts.campus4k(tmp_path))
    report = score(dataset, {"query/0900": 0, "gallery/0900": 2, "gallery/0901": 1})
    assert scores_of(report).first_ranks.tolist() == [2]
    assert standard(report).as_dict()["distractors"] == 1


@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_is_scored_by_its_protocol_from_features_alone(name: str, tmp_path: Path):
    dataset = read_dataset(name, dataset_layouts.WRITERS[name](tmp_path))
    positions = scored_records(dataset)
    by_person = np.array([[dataset.records[at].person_id, 1] for at in positions], np.float32)
    report = report_ranking(dataset, by_person, positions, distance=Distance.EUCLIDEAN)
    assert list(report.settings) == [setting.name for setting in protocol_of(name)]
    for scores in report.settings.values():
        assert set(scores.means()) == set(FIGURES)
        assert scores.means()["rank1"] == scores.means()["map"] == scores.means()["minp"] == 1


def test_protocols_are_of_registered_datasets():
    assert set(PROTOCOLS) <= set(DATASETS)
