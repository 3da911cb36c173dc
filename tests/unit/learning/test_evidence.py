"""Transit evidence is learned from candidates by looks, and from what people said of pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reid_core.learning import pairing
from reid_core.learning.recipes import Pairing
from reid_core.learning.tracklet_set import TrackletSet
from reid_core.spatio_temporal.sightings import Sightings

PEOPLE = 30


def walked(**links):
    """Everybody is seen by two cameras and looks unlike all others."""
    rng = np.random.default_rng(3)
    looks = np.repeat(rng.normal(size=(PEOPLE, 16)), 2, axis=0) + rng.normal(0, 0.05, (2 * PEOPLE, 16))
    starts_s = np.repeat(rng.uniform(0, 300, PEOPLE), 2) + np.tile([0.0, 15.0], PEOPLE)
    seen = Sightings(("a", "b"), np.tile([0, 1], PEOPLE), starts_s, starts_s + 5.0)
    none = np.zeros((0, 2), np.int64)
    tracklets = TrackletSet(
        tracklet_nos=np.arange(2 * PEOPLE),
        sightings=seen,
        first_crop=np.arange(2 * PEOPLE + 1),
        images=np.zeros((2 * PEOPLE, 4, 2, 3), np.uint8),
        in_camera_ids=None,
        must_link=links.get("must", none),
        cannot_link=links.get("cannot", none),
        map_links=(),
    )
    return looks / np.linalg.norm(looks, axis=1, keepdims=True), tracklets


@pytest.fixture
def given(monkeypatch):
    """The pairs that transit times are fitted to, as a dictionary of weights."""
    kept = []
    fit = pairing.fit_transit

    def recorded(sightings, pairs, **options):
        kept.append(pairs)
        return fit(sightings, pairs, **options)

    monkeypatch.setattr(pairing, "fit_transit", recorded)

    def after(vectors, tracklets):
        pairing.fit_evidence(vectors, tracklets, seed=0)
        pairs = kept[0]
        rows = zip(pairs.rows_a.tolist(), pairs.rows_b.tolist(), strict=True)
        return {tuple(sorted(both)): weight for both, weight in zip(rows, pairs.weights.tolist(), strict=True)}

    return after


def test_whoever_looks_alike_at_two_cameras_is_a_candidate(given):
    found = given(*walked())
    assert np.mean([found.get((row, row + 1), 0.0) > 0.5 for row in range(0, 2 * PEOPLE, 2)]) > 0.9


def test_known_pairs_of_two_cameras_are_believed_and_parted_ones_are_no_candidates(given):
    found = given(*walked(must=np.array([[3, 0], [4, 6]]), cannot=np.array([[9, 8]])))
    assert found[0, 3] == pytest.approx(0.98)
    assert (4, 6) not in found
    assert (8, 9) not in found


def test_heights_and_paces_are_a_witness_that_no_pair_was_chosen_by():
    looks, tracklets = walked()
    rng = np.random.default_rng(4)
    tall = np.repeat(rng.normal(0, 0.05, PEOPLE), 2) + rng.normal(0, 0.01, 2 * PEOPLE)
    bodies = np.tile([0.5, 0.2], (2 * PEOPLE, 4))[:, :7]
    bodies[:, 1:6:2] *= np.exp(tall)[:, None]
    measured = replace(tracklets, sightings=replace(tracklets.sightings, bodies=bodies))
    assert pairing.fit_evidence(looks, measured, seed=0).transit.physique is not None
    with_them, without = (pairing.pair_tracklets(looks, one, Pairing(), seed=0) for one in (measured, tracklets))
    assert with_them.evidence.transit.physique is None
    for name in ("rows_a", "rows_b", "weights"):
        assert np.array_equal(getattr(with_them.pairs, name), getattr(without.pairs, name)), name
