"""The flat index against a naive twin in numpy, and what it refuses."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_core.retrieval.index import FlatIndex, IndexRows
from reid_core.types import SearchFilter

DIM = 8
CAMERAS = ("gate", "hall", "yard")
EVERYTHING = SearchFilter()


def unit(vectors):
    vectors = np.asarray(vectors, np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def rows_of(count, *, seed=0, first_no=1, distinct=None):
    """``count`` rows with random columns; only ``distinct`` different vectors, so that ties occur."""
    rng = np.random.default_rng(seed)
    pool = unit(rng.normal(size=(distinct or max(count, 1), DIM)))
    starts_s = rng.uniform(0, 100, count)
    starts_s[rng.random(count) < 0.1] = np.nan
    return IndexRows(
        tracklet_nos=np.arange(first_no, first_no + count, dtype=np.int64),
        vectors=pool[rng.integers(len(pool), size=count)].astype(np.float16),
        camera_ids=[CAMERAS[c] for c in rng.integers(len(CAMERAS), size=count)],
        starts_s=starts_s,
        ends_s=starts_s + rng.uniform(0, 10, count),
        qualities=rng.random(count),
    )


def picked(rows, order):
    return IndexRows(
        rows.tracklet_nos[order],
        rows.vectors[order],
        [rows.camera_ids[i] for i in order],
        rows.starts_s[order],
        rows.ends_s[order],
        rows.qualities[order],
    )


def index_of(*batches):
    index = FlatIndex(DIM)
    for rows in batches:
        index.add(rows)
    return index


@dataclass
class NaiveIndex:
    """The same answers, slowly: one row at a time, in double precision."""

    rows: dict[int, tuple] = field(default_factory=dict)

    def add(self, rows):
        for i, no in enumerate(rows.tracklet_nos.tolist()):
            self.rows[no] = (
                rows.vectors[i].astype(np.float64),
                rows.camera_ids[i],
                rows.starts_s[i],
                rows.ends_s[i],
                rows.qualities[i],
            )

    def remove(self, nos):
        for no in nos:
            self.rows.pop(no, None)

    def search(self, query, k, where):
        passing = [
            (round(1 - float(vector @ query.astype(np.float64)), 6), no)
            for no, (vector, camera_id, start_s, end_s, quality) in self.rows.items()
            if (where.camera_ids is None or camera_id in where.camera_ids)
            and camera_id not in where.exclude_camera_ids
            and (where.start_s is None or end_s >= where.start_s)
            and (where.end_s is None or start_s <= where.end_s)
            and quality >= where.min_quality
            and no not in where.exclude_tracklet_nos
        ]
        return sorted(passing)[:k]


@contextmanager
def few_spare_rows(spare, spare_rows):
    """So few that small indexes, too, have rows which a scan of all does not fetch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reid_core.retrieval.codes._SPARE", spare)
        patch.setattr("reid_core.retrieval.codes._SPARE_ROWS", spare_rows)
        yield


filters = st.builds(
    SearchFilter,
    camera_ids=st.none() | st.frozensets(st.sampled_from([*CAMERAS, "nowhere"])),
    exclude_camera_ids=st.frozensets(st.sampled_from(CAMERAS), max_size=1),
    start_s=st.none() | st.floats(0, 100),
    end_s=st.none() | st.floats(0, 100),
    min_quality=st.sampled_from([0.0, 0.3, 0.9]),
    exclude_tracklet_nos=st.frozensets(st.integers(1, 60), max_size=5),
)


@settings(max_examples=150, deadline=None)
@given(
    count=st.integers(0, 60),
    seed=st.integers(0, 1000),
    removed=st.frozensets(st.integers(1, 70), max_size=40),
    again=st.integers(0, 10),
    where=filters,
    k=st.integers(1, 70),
    spare=st.sampled_from([(8, 64), (1, 0)]),
)
def test_every_search_equals_the_naive_twin(count, seed, removed, again, where, k, spare):
    twin = NaiveIndex()
    index = FlatIndex(DIM)
    for act in (twin, index):
        act.add(rows_of(count, seed=seed))
        act.remove(removed)
        act.add(rows_of(again, seed=seed + 1))
    query = unit(np.random.default_rng(seed + 2).normal(size=DIM))

    with few_spare_rows(*spare):
        nos, distances = index.search(query, k, where=where)

    expected = twin.search(query, k, where)
    assert len(index) == len(twin.rows)
    assert len(nos) == len(expected)
    assert distances == pytest.approx([distance for distance, _ in expected], abs=2e-6)
    # numbers may differ only where double precision cannot tell the distances apart either
    distance_of = {no: distance for distance, no in twin.search(query, 999, where)}
    assert [distance_of[no] for no in nos.tolist()] == pytest.approx([distance for distance, _ in expected], abs=2e-6)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1000), distinct=st.integers(1, 6), k=st.integers(1, 50), order=st.permutations(range(50)))
def test_equal_distances_are_ordered_by_number_whatever_the_order_of_adding(seed, distinct, k, order):
    rows = rows_of(50, seed=seed, distinct=distinct)
    query = unit(np.random.default_rng(seed).normal(size=DIM))

    nos, distances = index_of(rows).search(query, k, where=EVERYTHING)
    nos_permuted, distances_permuted = index_of(picked(rows, order)).search(query, k, where=EVERYTHING)

    assert nos.tolist() == nos_permuted.tolist()
    assert distances.tolist() == distances_permuted.tolist()
    assert list(zip(distances.tolist(), nos.tolist(), strict=True)) == sorted(
        zip(distances.tolist(), nos.tolist(), strict=True)
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), distinct=st.integers(1, 30), k=st.integers(1, 20), share=st.floats(0.3, 1))
def test_reading_every_row_gives_what_skipping_rows_gives(seed, distinct, k, share):
    """A wide filter is answered by a scan of all rows, unless that cannot be known to be exact."""
    index = index_of(rows_of(300, seed=seed, distinct=distinct))
    query = unit(np.random.default_rng(seed).normal(size=DIM))
    where = SearchFilter(min_quality=1 - share, exclude_camera_ids=frozenset({"hall"}) if seed % 2 else frozenset())
    with few_spare_rows(2, 1):
        by_reading = index.nearest(query, k, where=where)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reid_core.retrieval.codes._WIDE_SHARE", 2.0)
        by_skipping = index.nearest(query, k, where=where)
    assert by_reading.tracklet_nos.tolist() == by_skipping.tracklet_nos.tolist()
    assert by_reading.distances.tolist() == by_skipping.distances.tolist()


def test_a_wide_filter_that_drops_all_of_the_most_alike_still_finds_k():
    """Half of the rows, and of the 2000 every one that is most alike, lie at the camera that is left out."""
    rng = np.random.default_rng(1)
    query = unit(np.ones(DIM))
    alike, others = unit(query + 0.01 * rng.normal(size=(1000, DIM))), unit(rng.normal(size=(1000, DIM)))
    rows = IndexRows(
        np.arange(2000),
        np.concatenate([alike, others]),
        ["gate"] * 1000 + ["hall"] * 1000,
        *np.zeros((2, 2000)),
        np.ones(2000),
    )
    nos, distances = index_of(rows).search(query, 10, where=SearchFilter(exclude_camera_ids=frozenset({"gate"})))
    expected = np.sort(1 - others.astype(np.float16).astype(np.float32) @ query)[:10]
    assert nos.min() >= 1000
    assert distances == pytest.approx(expected, abs=1e-6)


def test_a_filter_that_passes_all_gives_the_answer_of_no_filter():
    index = index_of(rows_of(500, seed=3, distinct=40))
    query = unit(np.random.default_rng(1).normal(size=DIM))
    bare = index.search(query, 100, where=EVERYTHING)
    selected = index.search(query, 100, where=SearchFilter(camera_ids=frozenset(CAMERAS)))
    assert bare[0].tolist() == selected[0].tolist()
    assert bare[1].tolist() == selected[1].tolist()


def test_distances_are_those_worked_by_hand():
    index = FlatIndex(2)
    index.add(
        IndexRows(
            np.array([7, 8, 9]),
            np.array([[1, 0], [0, 1], [-1, 0]], np.float32),
            ["a", "b", "a"],
            np.array([1.0, 2.0, np.nan]),
            np.array([4.0, 5.0, np.nan]),
            np.array([0.5, 0.6, 0.7]),
        )
    )
    hits = index.nearest(np.array([0.6, 0.8], np.float32), 5, where=EVERYTHING)
    assert hits.tracklet_nos.tolist() == [8, 7, 9]
    assert hits.distances == pytest.approx([0.2, 0.4, 1.6], abs=1e-6)
    assert hits.camera_ids == ("b", "a", "a")
    assert hits.starts_s[:2].tolist() == [2.0, 1.0]
    assert np.isnan(hits.ends_s[2])
    assert hits.qualities.tolist() == [0.6, 0.5, 0.7]


def test_a_row_of_unknown_clock_passes_no_filter_of_time():
    index = index_of(picked(rows_of(1), [0]))
    rows = IndexRows(
        np.array([5]), unit(np.ones((1, DIM))), ["gate"], np.array([np.nan]), np.array([np.nan]), np.ones(1)
    )
    index.add(rows)
    query = rows.vectors[0]
    assert 5 in index.search(query, 9, where=EVERYTHING)[0]
    assert 5 not in index.search(query, 9, where=SearchFilter(start_s=0.0))[0]
    assert 5 not in index.search(query, 9, where=SearchFilter(end_s=1e12))[0]


def test_an_empty_index_answers_nothing():
    nos, distances = FlatIndex(DIM).search(unit(np.ones(DIM)), 10, where=EVERYTHING)
    assert (nos.shape, nos.dtype, distances.shape, distances.dtype) == ((0,), np.int64, (0,), np.float32)


def test_adding_no_rows_changes_nothing():
    index = index_of(rows_of(0))
    assert len(index) == 0


def test_k_beyond_what_passes_returns_what_passes():
    index = index_of(rows_of(30))
    where = SearchFilter(camera_ids=frozenset({"hall"}))
    assert len(index.search(unit(np.ones(DIM)), 30, where=where)[0]) == rows_of(30).camera_ids.count("hall")


def test_removed_tracklets_are_never_returned_and_their_room_is_given_back():
    index = index_of(rows_of(100))
    assert index.remove([*range(1, 31), 999]) == 30
    assert len(index) == 70
    assert len(index._columns) == 70
    assert 1 not in index
    assert 31 in index
    nos, _ = index.search(unit(np.ones(DIM)), 100, where=EVERYTHING)
    assert sorted(nos.tolist()) == list(range(31, 101))


def test_a_few_dead_rows_are_kept_and_passed_over():
    index = index_of(rows_of(100))
    index.remove([3])
    assert len(index._columns) == 100
    assert 3 not in index.search(unit(np.ones(DIM)), 100, where=EVERYTHING)[0]


def test_a_number_added_again_replaces_the_old_row():
    index = index_of(rows_of(10))
    wanted = unit(np.arange(1, DIM + 1))
    index.add(IndexRows(np.array([4]), wanted[None], ["new"], np.zeros(1), np.ones(1), np.ones(1)))
    hits = index.nearest(wanted, 10, where=EVERYTHING)
    assert len(index) == len(hits) == 10
    assert (hits.tracklet_nos[0], hits.camera_ids[0]) == (4, "new")


@pytest.mark.parametrize(
    "vectors",
    [
        np.ones((1, DIM + 1)),
        np.full((1, DIM), np.nan),
        np.full((1, DIM), np.inf),
        np.zeros((1, DIM)),
        np.ones((1, DIM)),
    ],
    ids=["wrong length", "NaN", "infinite", "zero", "not normalised"],
)
def test_a_wrong_vector_is_refused_and_nothing_is_added(vectors):
    index = index_of(rows_of(3))
    with pytest.raises(ValueError, match="vectors must"):
        index.add(IndexRows(np.array([9]), vectors.astype(np.float32), ["x"], np.zeros(1), np.ones(1), np.ones(1)))
    with pytest.raises(ValueError, match="vectors must"):
        index.search(vectors[0].astype(np.float32), 1, where=EVERYTHING)
    assert len(index) == 3


@pytest.mark.parametrize("wrong", [{"dim": 0}, {"dim": 4, "threads": 0}])
def test_impossible_sizes_are_refused(wrong):
    with pytest.raises(ValueError, match="at least 1"):
        FlatIndex(**wrong)


def test_k_below_one_is_refused():
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        FlatIndex(DIM).search(unit(np.ones(DIM)), 0, where=EVERYTHING)


def test_columns_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="camera_ids must have 2 rows, got 1"):
        IndexRows(np.array([1, 2]), np.zeros((2, DIM), np.float32), ["a"], np.zeros(2), np.zeros(2), np.zeros(2))
    with pytest.raises(ValueError, match="twice"):
        IndexRows(np.array([1, 1]), np.zeros((2, DIM), np.float32), ["a"] * 2, np.zeros(2), np.zeros(2), np.zeros(2))


def test_readers_see_all_of_a_batch_or_none_of_it_while_one_writer_adds_and_removes():
    batches = [rows_of(40, seed=i, first_no=1 + 40 * i) for i in range(30)]
    index = index_of(batches[0])
    query = unit(np.ones(DIM))
    stop = threading.Event()
    torn: list[int] = []

    def read():
        while not stop.is_set():
            found = len(index.search(query, 10_000, where=EVERYTHING)[0])
            if found % 40:
                torn.append(found)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for i in range(1, 30):
        index.add(batches[i])
        if i % 2:
            index.remove(batches[i - 1].tracklet_nos.tolist())
    stop.set()
    for reader in readers:
        reader.join()
    assert torn == []
    assert len(index) == 15 * 40
