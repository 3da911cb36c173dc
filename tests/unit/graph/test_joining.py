from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from graph_cases import crowd
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import query_of, rows_of
from transits import a_calibration, a_transit_model

from reid_core.graph.joining import PaperJoining, PosteriorJoining
from reid_core.graph.refined_gallery import GraphRules
from reid_core.graph.streaming import StreamingGraph
from reid_core.spatio_temporal.sightings import Sightings

CAMERAS = tuple(f"cam{number}" for number in range(4))


def seen(*places: tuple[int, float]) -> Sightings:
    """Cameras and starts; everybody is seen for five seconds."""
    cameras, starts_s = zip(*places, strict=True)
    return Sightings(CAMERAS, np.array(cameras), np.array(starts_s), np.array(starts_s) + 5)


def test_a_pair_weighs_the_root_of_its_odds():
    # knots fall by 2 nats a spread from -6; the yardstick says log(1 - cosine) = -0.2 + 0.2 z, the prior 1 in 100
    joining = PosteriorJoining(a_calibration(time_weight=0.0))
    for spreads in (-5.0, -3.5):
        cosine = 1 - np.exp(-0.2 + 0.2 * spreads)
        log_odds = -2 * (spreads + 1) + np.log(0.01 / 0.99)
        expected = 1 / (1 + np.exp(-log_odds / 2))
        found = joining.factors(np.array([cosine], np.float32), seen((0, 0.0)), seen((1, 20.0)))
        assert found == pytest.approx([expected], abs=1e-5)
        assert joining.weights(np.array([cosine]), found, np.zeros(1, np.int64)).tolist() == found.tolist()


def test_one_camera_unlikely_pairs_and_far_times_join_nobody():
    joining = PosteriorJoining(a_calibration(span_s=600.0))
    alike = np.array([0.9, 0.9, 0.9, -0.2], np.float32)
    asking = seen((0, 0.0), (0, 0.0), (0, 0.0), (0, 0.0))
    found = joining.factors(alike, asking, seen((1, 20.0), (0, 20.0), (1, 601.0), (1, 20.0)))
    assert (found > 0).tolist() == [True, False, False, False]


def test_times_count_where_both_are_known():
    calibration, transit = a_calibration(), a_transit_model(*CAMERAS)
    joining, blind = PosteriorJoining(calibration, transit), PosteriorJoining(calibration)
    alike = np.full(3, 0.6, np.float32)
    asking, answering = seen((0, 0.0), (0, 0.0), (0, np.nan)), seen((1, 25.0), (1, 900.0), (1, 25.0))
    with_times, by_looks = (one.factors(alike, asking, answering) for one in (joining, blind))
    assert with_times[0] > by_looks[0]
    assert with_times[1] < by_looks[1]
    assert with_times[2] == pytest.approx(by_looks[2])


def test_a_joining_is_described_by_all_that_edges_depend_on():
    one = PosteriorJoining(a_calibration())
    for other in (
        PosteriorJoining(a_calibration(steepness=3.0)),
        replace(one, length=20),
        replace(one, layers=2),
        replace(one, temper=1.0),
        replace(one, least=0.5),
    ):
        assert one.describe() != other.describe()
    assert PaperJoining().describe() != PaperJoining(GraphRules(visual=5)).describe()


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 47), min_size=1, max_size=24)), max_size=8),
    layers=st.integers(1, 2),
    asked=st.integers(0, 47),
)
def test_a_services_graph_equals_its_rebuild_too(*, steps: list, layers: int, asked: int):
    people = crowd(3, 48, people=8, noise=0.3)
    site = a_calibration(span_s=10_000.0), a_transit_model(*CAMERAS, walk_s=100.0)
    joining = PosteriorJoining(*site, length=6, layers=layers)
    graph, batch = (StreamingGraph(16, joining=joining) for _ in range(2))
    here: set[int] = set()
    for is_added, numbers in steps:
        if is_added:
            graph.add(rows_of(people, sorted(numbers)))
            here |= numbers
        else:
            graph.remove(numbers)
            here -= numbers
    batch.add(rows_of(people, sorted(here)))
    np.testing.assert_array_equal(graph.embeddings(sorted(here)), batch.embeddings(sorted(here)))
    query = query_of(people, asked)
    assert graph.refine(query).vector.tolist() == batch.refine(query).vector.tolist()


def test_likely_neighbours_of_one_person_draw_together():
    people = crowd(3, 48, people=8, noise=0.3)
    graph = StreamingGraph(16, joining=PosteriorJoining(a_calibration(span_s=None)))
    graph.add(rows_of(people, range(48)))
    became = graph.embeddings(range(48))
    became /= np.linalg.norm(became, axis=1, keepdims=True)
    same = (people.people[:, None] == people.people[None]) & ~np.eye(48, dtype=bool)
    assert (became @ became.T)[same].mean() > (people.looks @ people.looks.T)[same].mean() + 0.03
