from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from graph_cases import Crowd, crowd
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import RULES, gallery_of, halves, joining_of, query_of, rebuilt, rows_of

from reid_core.graph.joining import PaperJoining
from reid_core.graph.refined_gallery import GraphRules
from reid_core.graph.streaming import StreamingGraph
from reid_core.types import SearchFilter

ANY = SearchFilter()


def require_equal(graph: StreamingGraph, batch: StreamingGraph, numbers: set[int]) -> None:
    """To the last bit."""
    assert len(graph) == len(batch) == len(numbers)
    for number in numbers:
        assert graph.neighbours(number) == batch.neighbours(number)
    np.testing.assert_array_equal(graph.embeddings(sorted(numbers)), batch.embeddings(sorted(numbers)))


def a_crowd(kind: str, seed: int) -> Crowd:
    """Generic vectors; or vectors on a grid, so that many are equal and many equally alike."""
    people = crowd(seed, 48, people=8)
    if kind == "generic":
        return people
    rng = np.random.default_rng(seed)
    looks = np.zeros((48, 16), np.float32)
    for row in looks:
        row[rng.choice(16, 4, replace=False)] = rng.choice([-0.5, 0.5], 4)
    return replace(people, looks=looks)


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.integers(0, 47), min_size=1, max_size=40, unique=True)),
        st.tuples(st.just("remove"), st.lists(st.integers(0, 47), min_size=1, max_size=24)),
        st.tuples(st.just("query"), st.integers(0, 47)),
        st.tuples(st.just("refresh"), st.none()),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(steps=_STEPS, seed=st.integers(0, 5), timed=st.booleans(), kind=st.sampled_from(["generic", "grid"]))
def test_any_history_ends_in_the_graph_that_a_rebuild_makes(*, steps: list, seed: int, timed: bool, kind: str):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reid_core.graph.streaming_growth._LEAST_READ", 4)
        patch.setattr("reid_core.graph.streaming_growth._READ_FOR_EACH", 1)
        patch.setattr("reid_core.graph.streaming_growth._LEAST_SPARE", 1)
        patch.setattr("reid_core.graph.streaming_nodes._SPARE", 1)
        people = a_crowd(kind, seed)
        graph = StreamingGraph(16, joining=joining_of(timed=timed))
        here: set[int] = set()
        for act, what in steps:
            if act == "add":
                graph.add(rows_of(people, what))
                here |= set(what)
            elif act == "remove":
                assert graph.remove(what) == len(here & set(what))
                here -= set(what)
            elif act == "refresh":
                graph.refresh()
                assert graph.waiting == 0
            else:
                batch = rebuilt(people, here, timed=timed)
                query = query_of(people, what)
                assert graph.refine(query).vector.tolist() == batch.refine(query).vector.tolist()
                found, expected = (one.nearest(one.refine(query), 5, where=ANY) for one in (graph, batch))
                assert found.tracklet_nos.tolist() == expected.tracklet_nos.tolist()
        require_equal(graph, rebuilt(people, here, timed=timed), here)


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_the_streamed_graph_is_the_gallery_of_batch_re_ranking(*, seed: int, timed: bool):
    people = crowd(seed, 90)
    graph = StreamingGraph(16, joining=joining_of(timed=timed))
    for number in range(90):
        graph.add(rows_of(people, [number]))
    graph.remove(range(0, 90, 3))
    kept = [number for number in range(90) if number % 3]
    gallery = gallery_of(people, kept, timed=timed)
    np.testing.assert_allclose(graph.embeddings(kept), gallery.embeddings, atol=1e-5)
    query = query_of(people, 0)

    def rule(_: np.ndarray, columns: np.ndarray) -> np.ndarray:
        places = np.array(kept)[columns]
        cameras = people.cameras[0] - people.cameras[places]
        return (cameras != 0) & (np.abs(people.times[0] - people.times[places] - 100 * cameras) < 10)

    refined = graph.refine(query)
    expected = gallery.refine(query.vector[None], rule=rule if timed else None)
    np.testing.assert_allclose(refined.vector, expected[0], atol=1e-5)
    became = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in (expected, gallery.embeddings)]
    distances = np.sort(1 - became[0][0] @ became[1].T)[:10]
    found = graph.nearest(refined, 10, where=ANY)
    np.testing.assert_allclose(found.distances, distances, atol=1e-3)  # the second look-up reads half precision
    np.testing.assert_allclose(graph.distances(refined, found.tracklet_nos), found.distances, atol=1e-5)
    assert np.isnan(graph.distances(refined, np.array([0, 1]))).tolist() == [True, False]


def test_lists_on_a_grid_are_those_of_a_naive_twin():
    people = a_crowd("grid", 1)
    graph = StreamingGraph(16, joining=joining_of(timed=True))
    for number in np.random.default_rng(0).permutation(48).tolist():
        graph.add(rows_of(people, [number]))
    cosines = people.looks @ people.looks.T
    for number in range(48):
        others = sorted((other for other in range(48) if other != number), key=lambda o: (-cosines[number, o], o))
        assert [other for other, _ in graph.neighbours(number)] == others[: RULES.timed - 1]


def test_three_nodes_by_hand():
    # 0 and 1 are equal, 2 is at right angles; visual=2 joins each to its nearest: 0-1, 1-0 and 2-0 (the smaller number)
    looks = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    people = Crowd(looks, np.zeros(3), np.zeros(3, np.int64), np.zeros(3))
    graph = StreamingGraph(2, joining=PaperJoining(GraphRules(visual=2, layers=1)))
    graph.add(rows_of(people, [0, 1, 2]))
    half = np.exp(-1) / 2
    expected = np.array([[2, half], [2, 0], [half, 1]]) / np.array([[2 + half], [2], [1 + half]])
    np.testing.assert_allclose(graph.embeddings([0, 1, 2]), expected, atol=1e-6)


def test_a_replaced_tracklet_is_joined_by_its_new_vector():
    people = crowd(0, 20)
    graph = rebuilt(people, range(20), timed=False)
    moved = replace(people, looks=np.concatenate([people.looks[:5], people.looks[7:8], people.looks[6:]]))
    graph.add(rows_of(moved, [5]))
    require_equal(graph, rebuilt(moved, range(20), timed=False), set(range(20)))
    assert graph.neighbours(5)[0][0] == 7


def test_filters_are_kept_inside_the_second_look_up():
    people = crowd(1, 60)
    graph = rebuilt(people, range(60), timed=True)
    query = query_of(people, 0)
    where = SearchFilter(
        camera_ids=frozenset({"cam2"}), exclude_tracklet_nos=frozenset({int(np.argmax(people.cameras == 2))})
    )
    found = graph.nearest(graph.refine(query), 100, where=where)
    expected = set(np.flatnonzero(people.cameras == 2).tolist()) - where.exclude_tracklet_nos
    assert set(found.tracklet_nos.tolist()) == expected
    assert (np.diff(found.distances) >= 0).all()


def test_few_changes_work_out_few_features():
    people = crowd(2, 400, people=100, noise=0.2)
    graph = StreamingGraph(16, joining=PaperJoining(GraphRules(visual=3)))
    graph.add(rows_of(people, range(399)))
    assert graph.refresh() == 399
    graph.add(rows_of(people, [399]))
    assert 1 <= graph.waiting <= 20
    assert 1 <= graph.refresh() <= 80


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("timed", [True, False])
def test_tiny_galleries_have_an_answer(*, count: int, timed: bool):
    people = crowd(0)
    graph = rebuilt(people, range(count), timed=timed)
    refined = graph.refine(query_of(people, 40))
    assert np.isfinite(refined.vector).all()
    assert sorted(graph.nearest(refined, 9, where=ANY).tracklet_nos.tolist()) == list(range(count))
    itself = graph.refine(query_of(people, 0))
    assert itself.neighbours == max(0, count - 1)


def test_identical_vectors_stay_finite_and_equal_their_rebuild():
    people = crowd(0, 40)
    people = replace(people, looks=np.tile(people.looks[:1], (40, 1)))
    graph = StreamingGraph(16, joining=joining_of(timed=True))
    for number in range(40):
        graph.add(rows_of(people, [number]))
    graph.remove(range(10, 20))
    here = set(range(40)) - set(range(10, 20))
    require_equal(graph, rebuilt(people, here, timed=True), here)
    assert np.isfinite(graph.embeddings(sorted(here))).all()


def test_more_is_asked_for_than_there_is():
    people = crowd(0, 10)
    graph = StreamingGraph(16, joining=joining_of(GraphRules(visual=50, timed=500), timed=True))
    graph.add(rows_of(people, range(10)))
    assert len(graph.neighbours(3)) == 9
    assert len(graph.nearest(graph.refine(query_of(people, 3)), 500, where=ANY)) == 10


def test_removing_who_is_not_here_changes_nothing():
    people = crowd(0, 12)
    graph = rebuilt(people, range(10), timed=True)
    assert graph.remove([11, 77]) == 0
    assert graph.remove([3, 3, 11]) == 1
    require_equal(graph, rebuilt(people, set(range(10)) - {3}, timed=True), set(range(10)) - {3})
    with pytest.raises(KeyError):
        graph.neighbours(3)


@pytest.mark.parametrize("spoiled", [np.nan, 0.0, np.inf])
def test_vectors_that_are_none_are_refused_and_leave_the_graph_as_it_was(spoiled: float):
    people = crowd(0, 12)
    graph = rebuilt(people, range(10), timed=True)
    bad = replace(
        people, looks=people.looks * np.where(np.arange(12) == 11, np.float32(spoiled), 1)[:, None].astype(np.float32)
    )
    with pytest.raises(ValueError, match="row 1 is not"):
        graph.add(rows_of(bad, [3, 11]))
    require_equal(graph, rebuilt(people, range(10), timed=True), set(range(10)))
    with pytest.raises(ValueError, match="unit vector"):
        graph.refine(replace(query_of(people, 0), vector=bad.looks[11]))


def test_wrong_shapes_are_refused():
    people = crowd(0, 12)
    with pytest.raises(ValueError, match="dim must be at least 1"):
        StreamingGraph(0)
    with pytest.raises(ValueError, match="8 numbers each"):
        StreamingGraph(8).add(rows_of(people, [1]))
    graph = rebuilt(people, range(12), timed=False)
    with pytest.raises(ValueError, match="k must be at least 1"):
        graph.nearest(graph.refine(query_of(people, 0)), 0, where=ANY)


def test_a_query_without_camera_or_time_goes_by_looks():
    people = crowd(1, 60)
    graph = rebuilt(people, range(60), timed=True)
    query = query_of(people, 0)
    told = graph.refine(query)
    for unknown in (replace(query, camera_id=None), replace(query, start_s=None), replace(query, end_s=None)):
        silent = graph.refine(unknown)
        assert silent.neighbours == RULES.visual
    assert told.neighbours > RULES.visual
    assert 1 > told.share > silent.share > 0
    elsewhere = graph.refine(replace(query, camera_id="cam9"))
    assert elsewhere.neighbours == RULES.visual


def test_a_camera_without_a_clock_joins_by_looks():
    people = crowd(1, 40)
    unknown = replace(people, times=np.where(people.cameras == 1, np.nan, people.times))
    graph = StreamingGraph(16, joining=joining_of(timed=True))
    for number in range(40):
        graph.add(rows_of(unknown, [number]))
    require_equal(graph, rebuilt(unknown, range(40), timed=True), set(range(40)))
    assert np.isfinite(graph.embeddings(range(40))).all()


def test_halves_are_what_is_compared():
    people = crowd(3, 6)
    graph = rebuilt(people, range(6), timed=False)
    kept = halves(people.looks)
    found = dict(graph.neighbours(0))
    for other, cosine in found.items():
        assert cosine == pytest.approx(float(kept[0] @ kept[other]), abs=1e-6)


def test_searches_run_beside_changes_and_see_whole_graphs():
    people = crowd(4, 120)
    graph = rebuilt(people, range(60), timed=True)
    stop = threading.Event()

    def search() -> int:
        answered = 0
        while not stop.is_set() or not answered:
            found = graph.nearest(graph.refine(query_of(people, answered % 60)), 5, where=ANY)
            assert len(found) == 5
            assert (np.diff(found.distances) >= 0).all()
            answered += 1
        return answered

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(search) for _ in range(2)]
        for number in range(60, 120):
            graph.add(rows_of(people, [number]))
            graph.remove([number - 60])
        stop.set()
        assert all(reader.result() for reader in readers)
    require_equal(graph, rebuilt(people, range(60, 120), timed=True), set(range(60, 120)))
