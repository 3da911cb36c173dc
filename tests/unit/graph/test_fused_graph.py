from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from graph_cases import Crowd, crowd

from reid_core.graph.fused_graph import FusedGraph
from reid_core.graph.fused_rules import FusedRules
from reid_core.graph.rerank import rerank
from reid_core.metrics.ranking import evaluate_ranking
from reid_core.spatio_temporal.clocks import ClockOffsets
from reid_core.spatio_temporal.sightings import Sightings
from reid_core.spatio_temporal.transit_model import TransitModel

CAMERAS = ("a", "b", "c", "d")
PLAIN = FusedRules(pool_s=0.0, neighbours=15, candidates=7)


class Walks:
    """Three nats for a gap of 100 s for each camera between two, give or take 10; one against any other gap."""

    def pair_llr(self, one: Sightings, other: Sightings) -> np.ndarray:
        return self._nats(one.cameras - other.cameras, one.starts_s - other.starts_s)

    def llr_matrix(self, one: Sightings, other: Sightings) -> np.ndarray:
        gaps_s = one.starts_s[:, None] - other.starts_s[None]
        return self._nats(one.cameras[:, None] - other.cameras[None], gaps_s)

    def _nats(self, cameras: np.ndarray, gaps_s: np.ndarray) -> np.ndarray:
        told = (cameras != 0) & np.isfinite(gaps_s)
        return np.where(told, np.where(np.abs(gaps_s - 100 * cameras) < 10, 3.0, -1.0), 0.0)


def seen(people: Crowd) -> Sightings:
    return Sightings(CAMERAS, people.cameras, people.times, people.times)


def ranked(query: Crowd, gallery: Crowd, rules: FusedRules = PLAIN) -> np.ndarray:
    rows = rerank(query.looks, gallery.looks, seen(query), seen(gallery), Walks(), rules=rules)
    return rows(0, len(query.looks))


def naive(query: Crowd, gallery: Crowd, rules: FusedRules) -> np.ndarray:
    """The same with dense matrices and loops over pairs."""
    q, g, nats = query.looks.astype(float), gallery.looks.astype(float), Walks()
    asked, among = nats.llr_matrix(seen(query), seen(gallery)), nats.llr_matrix(seen(gallery), seen(gallery))

    def edges(cosines: np.ndarray, told: np.ndarray, *, own: bool) -> np.ndarray:
        joined = np.zeros_like(cosines)
        for i, row in enumerate(cosines):
            for j in np.argsort(-row, kind="stable")[: rules.neighbours]:
                weight = 1 / (1 + np.exp(-(row[j] + rules.per_nat * told[i, j] - rules.least) / rules.softness))
                joined[i, j] = weight if weight >= 1e-3 and not (own and i == j) else 0
        return joined

    graph = edges(g @ g.T, among, own=True)
    graph = (graph + graph.T) / 2 + np.eye(len(g))
    graph /= graph.sum(1, keepdims=True)
    attached = edges(q @ g.T, asked, own=False)
    own = 1 / (1 + attached.sum(1, keepdims=True))
    attached *= own
    for _ in range(rules.layers):
        q, g = attached @ g + own * q, graph @ g
    q, g = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in (q, g))
    total = q @ g.T + rules.direct * np.maximum(asked, rules.floor_nats)
    heard = asked.copy()
    for i, row in enumerate(total + rules.heard * asked):
        for j in np.argsort(-row)[: rules.candidates]:
            heard[i, j] = own[i, 0] * asked[i, j] + attached[i] @ among[:, j]
    return 1 - total - rules.heard * np.maximum(heard @ graph.T, rules.floor_nats)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_distances_are_those_of_a_dense_twin(seed: int, layers: int):
    people = crowd(seed, 70)
    query, gallery = people.part(slice(0, 15)), people.part(slice(15, None))
    rules = replace(PLAIN, layers=layers)
    np.testing.assert_allclose(ranked(query, gallery, rules), naive(query, gallery, rules), atol=1e-6)


def test_by_hand_two_nodes_and_a_query_of_the_same_look():
    look = np.array([[1.0, 0.0]], np.float32)
    one, other = Sightings(CAMERAS, np.array([1]), *[np.array([100.0])] * 2), seen_at((0, 0.0), (2, 900.0))
    rows = rerank(look, np.repeat(look, 2, axis=0), one, other, Walks(), rules=PLAIN)
    # The first node is a walk away (3 nats), the second is not (-1 nat, which counts as -0.3 where it is heard).
    near = 1 / (1 + np.exp(-PLAIN.per_nat * 3 / PLAIN.softness))
    far = 1 / (1 + np.exp(PLAIN.per_nat / PLAIN.softness))
    share = far / (1 + far)  # of each other in the two nodes' ears: both are a step of -1 nat apart
    own = 1 / (1 + near + far)
    told = [own * 3 - near * 0 - own * far * 1, -own - near * own * 1]  # from the query, first and second node
    heard = [(1 - share) * told[0] + share * told[1], share * told[0] + (1 - share) * told[1]]
    expected = [-(PLAIN.direct * d + PLAIN.heard * max(h, -0.3)) for d, h in zip((3, -0.3), heard, strict=True)]
    np.testing.assert_allclose(rows(0, 1)[0], expected, atol=1e-6)


def seen_at(*places: tuple[int, float]) -> Sightings:
    times_s = np.array([time for _, time in places])
    return Sightings(CAMERAS, np.array([camera for camera, _ in places]), times_s, times_s)


def scored(far: np.ndarray, query: Crowd, gallery: Crowd) -> float:
    cameras = {"query_cameras": query.cameras, "gallery_cameras": gallery.cameras}
    return evaluate_ranking(far, query_ids=query.people + 1, gallery_ids=gallery.people + 1, **cameras).map_rectangle


def test_time_heard_from_neighbours_finds_people_whom_looks_do_not():
    people = crowd(1, 300, people=40, noise=1.2)
    query, gallery = people.part(slice(0, 80)), people.part(slice(80, None))
    direct = replace(PLAIN, heard=0.0, least=1e3)
    looks, alone, heard = (
        scored(far, query, gallery)
        for far in (1 - query.looks @ gallery.looks.T, ranked(query, gallery, direct), ranked(query, gallery))
    )
    assert heard > alone + 0.05 > looks + 0.1


def test_answers_follow_the_gallerys_order():
    people = crowd(4, 80)
    query, gallery = people.part(slice(0, 10)), people.part(slice(10, None))
    order = np.random.default_rng(0).permutation(70)
    mixed = Crowd(*(column[order] for column in (gallery.looks, gallery.people, gallery.cameras, gallery.times)))
    np.testing.assert_allclose(ranked(query, mixed), ranked(query, gallery)[:, order], atol=2e-6)


def test_a_query_is_answered_alike_alone_and_among_others():
    people = crowd(5, 80)
    query, gallery = people.part(slice(0, 10)), people.part(slice(10, None))
    np.testing.assert_allclose(ranked(people.part(slice(3, 4)), gallery)[0], ranked(query, gallery)[3], atol=1e-6)
    assert ranked(query, gallery).dtype == np.float32


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("rules", [PLAIN, FusedRules(), FusedRules(own_temperature=True)])
def test_tiny_galleries_have_an_answer(count: int, rules: FusedRules):
    people = crowd(0)
    far = ranked(people.part(slice(0, 4)), people.part(slice(4, 4 + count)), rules)
    assert far.shape == (4, count)
    assert np.isfinite(far).all()


def test_no_queries_have_no_answer():
    people = crowd(0)
    assert ranked(people.part(slice(0, 0)), people.part(slice(0, 9))).shape == (0, 9)


def test_equal_vectors_are_equally_far_but_for_their_times():
    people = crowd(0, 30)
    same = Crowd(np.repeat(people.looks[:1], 30, axis=0), people.people, people.cameras, np.full(30, np.nan))
    far = ranked(same.part(slice(0, 3)), same.part(slice(3, None)), FusedRules())
    np.testing.assert_allclose(far, 0, atol=1e-5)


def test_unknown_times_leave_looks_alone():
    """A camera without a clock, and a query that nobody knows time or camera of (a camera of its own, no time)."""
    people = crowd(3, 60)
    blind = Crowd(people.looks, people.people, people.cameras, np.full(60, np.nan))
    query, gallery = blind.part(slice(0, 12)), blind.part(slice(12, None))
    far = ranked(query, gallery, replace(PLAIN, least=1e3))
    np.testing.assert_allclose(far, 1 - query.looks @ gallery.looks.T, atol=1e-6)
    some = people.part(slice(12, None))
    assert np.isfinite(ranked(query, some)).all()


def test_a_site_whose_transit_says_nothing_has_an_answer():
    people = crowd(3, 30)
    silent = TransitModel({}, ClockOffsets.unidentified(CAMERAS), {})
    graph = FusedGraph(people.looks, seen(people), silent, rules=replace(PLAIN, least=1e3))
    far = graph.distances(people.looks[:5], seen(people).take(slice(0, 5)))(0, 5)
    np.testing.assert_allclose(far, 1 - people.looks[:5] @ people.looks.T, atol=1e-6)


def test_what_does_not_belong_together_is_refused():
    people = crowd(0, 20)
    broken = people.looks.copy()
    broken[5] = np.nan
    graph = FusedGraph(people.looks, seen(people), Walks())
    assert len(graph) == 20
    with pytest.raises(ValueError, match="gallery row 5 has length nan"):
        FusedGraph(broken, seen(people), Walks())
    with pytest.raises(ValueError, match="query row 5 has length nan"):
        graph.distances(broken, seen(people))
    with pytest.raises(ValueError, match="20 vectors and 19 sightings"):
        FusedGraph(people.looks, seen(people).take(slice(0, 19)), Walks())
    with pytest.raises(ValueError, match="20 queries and 3 sightings"):
        graph.distances(people.looks, seen(people).take(slice(0, 3)))
    with pytest.raises(ValueError, match="must be rows of the gallery's 16 dimensions"):
        graph.distances(np.eye(20, dtype=np.float32), seen(people))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"neighbours": 0}, "neighbours must be 1 or more, got 0"),
        ({"heard": -0.1}, "heard must be 0 or more"),
        ({"layers": 0}, "layers must be 1"),
        ({"softness": 0.0}, "softness must be above 0"),
        ({"per_nat": float("nan")}, "per_nat must be 0 or more, got nan"),
    ],
)
def test_rules_that_mean_nothing_are_refused(wrong: dict[str, float], reason: str):
    with pytest.raises(ValueError, match=reason):
        FusedRules(**wrong)
