"""The index in memory keeps up with the database."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from reid_core.errors import NoGenerationError, StorageError
from reid_core.types import ClockQuality, SearchFilter
from services.bootstrap import open_database
from services.query.live_index import Follower, LiveIndex

EVERYTHING = SearchFilter()


@pytest.fixture
def live(site):
    with open_database(site.settings) as database:
        made = LiveIndex(database)
        made.load()
        yield made


def found(live, vector, where=EVERYTHING):
    return live.current.index.search(vector, 99, where=where)[0].tolist()


def test_before_the_first_ingest_there_is_no_generation(live):
    with pytest.raises(NoGenerationError):
        _ = live.current
    assert live.catch_up() == 0


def test_a_first_ingest_is_taken_over(site, live):
    nos = site.store(3)
    live.catch_up()
    assert sorted(found(live, site.embeddings[nos[0]].vector)) == nos


def test_a_generation_without_vectors_becomes_searchable_with_the_first(site, live):
    site.begin()
    live.catch_up()
    assert live.current.index is None
    site.store(2)
    assert live.catch_up() == 2
    assert len(live.current.index) == 2


def test_what_is_added_and_removed_is_taken_over_once(site, live):
    first = site.store(3)
    live.catch_up()
    second = site.store(2, camera_id="hall")
    site.remove(first[1])
    site.remove(second[0])
    assert live.catch_up() == 4
    assert live.catch_up() == 0
    assert sorted(found(live, site.embeddings[1].vector)) == [first[0], first[2], second[1]]


def test_following_ends_where_loading_would(site, live):
    site.store(4)
    live.catch_up()
    site.store(3, camera_id="yard", start_s=0.0, clock=ClockQuality.UNKNOWN)
    site.remove(2)
    live.catch_up()
    with open_database(site.settings) as database:
        fresh = LiveIndex(database)
        fresh.load()
        query = site.embeddings[1].vector
        for where in (EVERYTHING, SearchFilter(camera_ids=frozenset({"yard"})), SearchFilter(end_s=1e12)):
            followed, loaded = (
                live.current.index.nearest(query, 99, where=where),
                fresh.current.index.nearest(query, 99, where=where),
            )
            assert followed.tracklet_nos.tolist() == loaded.tracklet_nos.tolist()
            assert followed.distances.tolist() == loaded.distances.tolist()
            assert np.array_equal(followed.starts_s, loaded.starts_s, equal_nan=True)
            assert followed.camera_ids == loaded.camera_ids


def test_more_events_than_one_page_are_taken_over(site, live, monkeypatch):
    monkeypatch.setattr("services.query.live_index._EVENTS_AT_ONCE", 2)
    site.store(1)
    live.catch_up()
    site.store(7, camera_id="hall")
    assert live.catch_up() == 7
    assert len(live.current.index) == 8


def test_a_stored_vector_that_cannot_be_searched_is_told_of_and_passed_over(site, live, fakes, logs):
    vectors = fakes.unit(3, 16, seed=4)
    vectors[1] = 0
    site.store(3, vectors=vectors)
    live.catch_up()
    site.store(3, camera_id="hall", vectors=vectors)
    live.catch_up()
    assert len(live.current.index) == 4
    told = [entry["tracklet_nos"] for entry in logs if entry["event"] == "index.vectors_unusable"]
    assert told == [[2], [5]]


def test_a_new_generation_replaces_the_whole_value(site, live, monkeypatch):
    site.store(2)
    live.catch_up()
    before = live.current
    other = SimpleNamespace(generation_id="new", model_id="another-model", transit_id=None, calibration_id=None)
    monkeypatch.setattr("services.query.live_index._current_generation", lambda _: other)
    live.catch_up()
    assert live.current.generation is other
    assert live.current.index is None
    assert len(before.index) == 2


class CountedIndex:
    """Stands in for a `LiveIndex`: fails once, then counts."""

    def __init__(self):
        self.calls = 0
        self.twice = threading.Event()

    def catch_up(self):
        self.calls += 1
        if self.calls == 1:
            raise StorageError("the database is locked")
        self.twice.set()
        return 1


def test_the_follower_outlives_a_failure_and_stops_when_told(logs):
    counted = CountedIndex()
    with Follower(counted, every_s=0.001):
        assert counted.twice.wait(5)
    calls = counted.calls
    assert not [thread for thread in threading.enumerate() if thread.name == "outbox-follower"]
    assert counted.calls == calls
    assert logs[0]["event"] == "index.behind"
