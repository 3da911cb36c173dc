from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from transit_sites import pairs_of, walkers

from reid_core.spatio_temporal.bodies import MARKS
from reid_core.spatio_temporal.physique import OUTLIERS, Ground, Physique, Trait, fit_ground, fit_physique, fit_trait
from reid_core.spatio_temporal.sightings import MatchedPairs, Sightings
from reid_core.spatio_temporal.transit import fit_transit
from reid_core.spatio_temporal.transit_model import TransitModel
from reid_core.spatio_temporal.windows import WindowTable


def bodies_of(tall: np.ndarray, fast: np.ndarray, rng: np.random.Generator, *, slope=0.4, base=0.02) -> np.ndarray:
    """Bodies before one camera, three boxes each at places of their own. Shape ``(n, 7)``."""
    found = np.zeros((len(tall), MARKS))
    for place in range(3):
        feet = rng.uniform(0.3, 0.9, len(tall))
        found[:, 2 * place], found[:, 2 * place + 1] = feet, (slope * feet + base) * np.exp(tall)
    found[:, 6] = fast
    return found


def a_crowd(*, noise=0.015, people=150, seed=0):
    """Everybody once at each of two cameras whose grounds differ, and pairs of which three in ten are right."""
    rng = np.random.default_rng(seed)
    tall, fast = rng.normal(0, 0.05, people), rng.normal(0, 0.15, people)
    seen = [tall + rng.normal(0, noise, people) for _ in range(2)]
    bodies = [bodies_of(seen[0], fast, rng), bodies_of(seen[1], fast + 0.7, rng, slope=0.3, base=0.06)]
    count = 2 * people
    sightings = Sightings(
        ("a", "b"),
        np.repeat([0, 1], people),
        np.arange(count, dtype=np.float64),
        np.arange(count) + 1.0,
        bodies=np.concatenate(bodies),
    )
    mine, theirs = np.divmod(np.arange(people * 4), 4)
    others = np.where(theirs == 0, mine, rng.integers(0, people, people * 4)) + people
    return sightings, MatchedPairs(mine, others, np.full(people * 4, 0.3))


def test_evidence_of_a_trait_by_hand():
    trait = Trait(of_two=0.2, of_one=0.1)
    assert trait.llr(np.array([0.0, np.nan])) == pytest.approx([np.log(0.1 + 0.9 * 2), 0.0])
    ratio = 2 * np.exp(-(0.3**2) * (100 - 25) / 2)
    assert trait.llr(np.array([0.3, -0.3])) == pytest.approx([np.log(OUTLIERS + 0.9 * ratio)] * 2)
    assert trait.most_llr == pytest.approx(np.log(1.9))
    assert trait.llr(np.array([50.0])) == pytest.approx([np.log(OUTLIERS)])
    assert Trait(0.2, 0.2).llr(np.linspace(0, 3, 9)) == pytest.approx(np.zeros(9))


def test_one_persons_spread_is_found_among_wrong_pairs():
    sightings, pairs = a_crowd()
    physique = fit_physique(sightings, pairs)
    assert physique.stature.of_two == pytest.approx(np.hypot(0.05, 0.015) * 2**0.5, rel=0.15)
    assert physique.stature.of_one == pytest.approx(0.015 * 2**0.5, rel=0.25)
    figures = physique.figures(sightings)
    assert np.abs(np.median(figures[:150], axis=0)).max() < 0.01
    llr = physique.evidence(figures[:150, None], figures[None, 150:])
    assert np.median(np.diag(llr)) > 3
    assert np.median(llr) < -1
    assert llr.max() <= physique.most_evidence


def test_pairs_that_are_all_wrong_tell_nothing_much():
    sightings, pairs = a_crowd(noise=0.5, people=300)
    physique = fit_physique(sightings, pairs)
    assert physique.stature.most_llr < 0.15


def test_a_camera_is_learned_from_its_crowd_and_outliers_do_not_bend_it():
    rng = np.random.default_rng(1)
    bodies = bodies_of(rng.normal(0, 0.03, 80), np.zeros(80), rng)
    bodies[:8, 1:6:2] *= 2.0
    ground = fit_ground(bodies)
    assert ground.slope == pytest.approx(0.4, abs=0.02)
    assert ground.base == pytest.approx(0.02, abs=0.01)
    assert fit_ground(bodies[:11]) is None
    assert fit_ground(np.full((50, MARKS), np.nan)) is None


def test_too_little_to_tell():
    sightings, pairs = a_crowd(people=5)
    assert fit_physique(sightings, pairs) is None
    assert fit_physique(replace(sightings, bodies=None), pairs) is None
    assert fit_trait(np.zeros(40), np.zeros(3), np.ones(3)) is None
    alone = fit_trait(np.arange(40.0), np.zeros(0), np.zeros(0))
    assert alone.of_one == pytest.approx(0.7 * alone.of_two)  # without a pair, what is expected


def test_a_transit_model_adds_it_to_times():
    seen, people = walkers()
    rng = np.random.default_rng(2)
    tall = rng.normal(0, 0.05, people.max() + 1)[people] + rng.normal(0, 0.01, len(people))
    with_bodies = replace(seen, bodies=bodies_of(tall, np.zeros(len(people)), rng))
    with_bodies.bodies[:3] = np.nan
    model = fit_transit(with_bodies, pairs_of(seen, people, wrong=1), largest_shift_s=6.0)
    again = TransitModel.from_json(json.loads(json.dumps(model.to_json())))
    blind = replace(again, physique=None)
    assert "physique" not in blind.to_json()
    assert model.physique.pace.most_llr == 0.0  # all walk alike
    assert again.transit_id == model.transit_id != blind.transit_id
    matrix = again.llr_matrix(with_bodies, with_bodies)
    figures = again.physique.figures(with_bodies)
    across = seen.cameras[:, None] != seen.cameras[None]
    expected = blind.llr_matrix(seen, seen) + again.physique.evidence(figures[:, None], figures[None]) * across
    np.testing.assert_allclose(matrix, expected, atol=1e-9)
    np.testing.assert_array_equal(matrix, matrix.T)
    assert (again.llr_matrix(seen, seen) == blind.llr_matrix(seen, seen)).all()
    rows = np.arange(60)
    paired = again.pair_llr(with_bodies.take(rows), with_bodies.take(rows[::-1]))
    assert (paired == matrix[rows, rows[::-1]]).all()
    assert matrix.max() <= WindowTable(again).most_llr


def test_bodies_of_another_shape_are_refused():
    sightings, _ = a_crowd(people=5)
    with pytest.raises(ValueError, match=r"bodies must have shape \(10, 7\)"):
        replace(sightings, bodies=np.zeros((10, 2)))
    assert sightings.take(np.arange(3)).bodies.shape == (3, MARKS)
    assert sightings.shifted(np.ones(2)).bodies is sightings.bodies


def test_a_document_holds_everything():
    physique = Physique({"a": Ground(0.4, 0.02, 0.01, -1.2)}, Trait(0.07, 0.03), Trait(0.23, 0.12))
    again = Physique.from_json(json.loads(json.dumps(physique.to_json())))
    assert again.to_json() == physique.to_json()
    assert again.grounds == dict(physique.grounds)
