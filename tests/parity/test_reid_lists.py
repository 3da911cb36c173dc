"""Readers and protocols on the real names of Market-1501 and MARS (lists only, no pictures)."""

from __future__ import annotations

import gzip
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reid_core.evaluation.datasets.dataset import JUNK, NOBODY, ReidDataset
from reid_core.evaluation.datasets.file_names import record_of
from reid_core.evaluation.datasets.layout import Layout
from reid_core.evaluation.datasets.market1501 import FILE_NAME
from reid_core.evaluation.datasets.registry import DATASETS, read_dataset
from reid_core.evaluation.protocols import protocol_of, scored_records, trials_of
from reid_core.evaluation.ranking_report import report_ranking

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.shared_data


def market_rows(shared_data: Path, part: str) -> list[list[str]]:
    text = gzip.decompress((shared_data / "reid_lists" / "market" / f"list_market_{part}.txt.gz").read_bytes())
    return [line.split() for line in text.decode("ascii").splitlines()]


@pytest.fixture(scope="module")
def mars(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ReidDataset:
    root = tmp_path_factory.mktemp("mars")
    (root / "info").mkdir()
    for path in (shared_data / "reid_lists" / "mars").iterdir():
        if path.suffix == ".gz":
            (root / "info" / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
        elif path.suffix == ".mat":
            shutil.copy(path, root / "info")
    return read_dataset("mars", root)


def test_all_32217_names_of_market_tell_what_the_lists_say(shared_data: Path):
    layout = Layout(shared_data, "names")
    train_people: dict[str, int] = {}
    for part in ("train", "test"):
        for path, person, camera, frame in market_rows(shared_data, part):
            record = record_of(layout, path, FILE_NAME)
            assert (record.camera_id, record.frame) == (camera, int(frame))
            if part == "test":
                assert record.person_id == int(person)
            else:  # the lists number training people anew, from 0
                assert train_people.setdefault(person, record.person_id) == record.person_id
    assert len(set(train_people.values())) == len(train_people) == 751


def test_market_has_its_published_size_when_its_real_names_lie_in_its_folders(shared_data: Path, tmp_path: Path):
    names = [f"bounding_box_train/{row[0]}" for row in market_rows(shared_data, "train")[::40]]
    names += [row[0] for row in market_rows(shared_data, "test")]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    dataset = read_dataset("market1501", tmp_path)
    size = DATASETS["market1501"].size
    split = dataset.splits[0]
    assert (len(split.query), len(split.gallery)) == (size.query, size.gallery)
    people = np.array([record.person_id for record in dataset.records])
    assert len(set(people[split.query])) == 750
    assert np.count_nonzero(people[split.gallery] == NOBODY) == 2798
    # Somebody whom features tell apart perfectly is found first, before all 2,798 distractors, by every query.
    positions = scored_records(dataset)
    angles = people[positions] / people.max()
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    scores = report_ranking(dataset, features, positions).settings["standard"]
    assert (scores.queries, scores.skipped) == (3368, 0)
    assert scores.means()["map"] == pytest.approx(1, abs=1e-3)


def test_mars_has_its_published_size(mars: ReidDataset):
    size = DATASETS["mars"].size
    split = mars.splits[0]
    assert (len(split.train), len(split.query), len(split.gallery)) == (size.train, size.query, 12180)
    (trial,) = trials_of(mars, protocol_of("mars")[0])
    assert (len(trial.gallery), trial.junk) == (size.gallery, 870)
    people = Counter(mars.records[at].person_id for at in split.gallery)
    assert (people[JUNK], people[NOBODY], len(people) - 2) == (870, 3248, 634)  # "636 identities"
    assert len({mars.records[at].person_id for at in split.train}) == 625


def test_every_mars_tracklet_shows_one_person_at_one_camera(mars: ReidDataset):
    pictures = 0
    for record in mars.records:
        stems = {picture.rpartition("/")[2].partition("T")[0] for picture in record.tracklet}
        assert len(stems) == 1
        assert stems.pop().endswith(f"C{record.camera_id}")
        pictures += len(record.tracklet)
    assert pictures == 509_914 + 681_089


def test_no_mars_query_is_skipped_because_queries_stay_in_the_gallery(mars: ReidDataset):
    positions = scored_records(mars)
    people = np.array([mars.records[at].person_id for at in positions])
    features = np.stack([people, np.ones(len(people))], axis=1).astype(np.float32)
    scores = report_ranking(mars, features, positions).settings["standard"]
    assert (scores.queries, scores.skipped) == (1980, 0)
    # Taken out of it, 140 queries would lose their only answers.
    split = mars.splits[0]
    seen = {(mars.records[at].person_id, mars.records[at].camera_id) for at in set(split.gallery) - set(split.query)}
    lonely = [
        at
        for at in split.query
        if not any(p == mars.records[at].person_id and c != mars.records[at].camera_id for p, c in seen)
    ]
    assert len(lonely) == 140
