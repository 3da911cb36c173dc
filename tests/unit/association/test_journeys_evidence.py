"""What two tracklets are worth to each other, and what rules them out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from transits import a_calibration, a_transit_model

from reid_core.association.journeys_evidence import HardFacts, PairEvidence, least_gaps_s
from reid_core.spatio_temporal.sightings import Sightings
from reid_core.types import CameraLink

CAMERAS = ("a", "b", "c")


def seen(*rows):
    """Sightings of (camera, start, end)."""
    cameras = np.array([CAMERAS.index(camera) for camera, *_ in rows], np.int64)
    times = np.array([times for _, *times in rows], np.float64).reshape(-1, 2)
    return Sightings(CAMERAS, cameras, times[:, 0], times[:, 1])


def facts(*rows, sources=None, own=None, uncertainty_s=0.0, links=()):
    sightings = seen(*rows)
    own = sightings if own is None else seen(*own)
    return HardFacts(
        sightings,
        np.arange(len(rows)) if sources is None else np.array(sources),
        own.starts_s,
        own.ends_s,
        np.full(3, uncertainty_s),
        least_gaps_s(CAMERAS, links),
    )


def never(found):
    every = np.arange(len(found.sources))
    return [tuple(pair) for pair in np.argwhere(np.triu(found.impossible(every, every))).tolist()]


def test_nobody_is_in_two_places_at_once():
    assert never(facts(("a", 0, 10), ("b", 8, 20), ("b", 9.5, 20))) == [(0, 1), (1, 2)], "0.5 s of slack on either side"
    assert never(facts(("a", 0, 10), ("b", 8, 20), uncertainty_s=1.0)) == []
    assert never(facts(("a", 0, 10), ("b", 0, 10), uncertainty_s=np.inf)) == []


def test_nobody_is_twice_in_one_picture():
    assert never(facts(("a", 0, 10), ("a", 10, 20), ("a", 21, 30))) == [(0, 1)]


def test_an_unknown_clock_still_orders_its_own_video():
    unknown = [("a", np.nan, np.nan)] * 3
    own = [("a", 0, 10), ("a", 5, 12), ("a", 5, 12)]
    assert never(facts(*unknown, own=own, sources=[7, 7, 8])) == [(0, 1)]


def test_nobody_is_faster_than_anybody_runs():
    rows = (("a", 0, 10), ("b", 12, 20), ("b", 11.5, 11.9))
    far = [CameraLink("a", "b", 36.0)]
    assert never(facts(*rows, links=far)) == [(0, 2)], "36 m take 3 s, less 0.5 s on either side"
    assert never(facts(*rows)) == []


def test_a_mapped_way_may_lead_over_other_cameras():
    gaps = least_gaps_s(CAMERAS, [CameraLink("a", "b", 12.0), CameraLink("b", "c", 24.0), CameraLink("x", "a", 1.0)])
    assert gaps.tolist() == [[0, 1, 3], [1, 0, 2], [3, 2, 0]]
    assert least_gaps_s((), []).shape == (0, 0)


def evidence(*rows, vectors, **options):
    found = facts(*rows, **options)
    return PairEvidence(
        found, np.array(vectors, np.float32), found.sightings, a_calibration(), a_transit_model(*CAMERAS)
    )


ROWS = (("a", 0, 10), ("b", 30, 40), ("c", 500, 510), ("b", 5, 9))
LOOKS = [[1, 0], [1, 0], [0, 1], [1, 0]]


def test_looks_times_and_prior_add_up():
    pairs = evidence(*ROWS, vectors=LOOKS)
    every = np.arange(4)
    block, (visual, time) = pairs.block(every, every), pairs.parts(every, every)
    assert visual[0, 1] == pytest.approx(10.0), "six spreads nearer than anybody: -2 (-6 + 1)"
    assert visual[0, 2] == pytest.approx(-4.0), "a distance of 1 is one spread farther than anybody"
    assert time[0, 1] > 0
    assert np.isnan(time[0, 2]), "nobody was seen to go from a to c"
    total = np.log(2 / 200 / (1 - 2 / 200)) + visual[0, 1] + time[0, 1]
    assert block.log_odds[0, 1] == pytest.approx(total)
    assert np.argwhere(np.triu(block.impossible)).tolist() == [[0, 3]]
    np.testing.assert_allclose(block.log_odds, block.log_odds.T)


def test_a_pair_is_worth_the_same_whoever_else_is_there():
    pairs = evidence(*ROWS, vectors=LOOKS)
    one = pairs.block(np.array([0]), np.array([1])).log_odds[0, 0]
    assert one == pairs.block(np.arange(4), np.arange(4)).log_odds[0, 1]


def test_blocks_hold_each_pair_that_is_near_enough():
    pairs = evidence(*ROWS, vectors=LOOKS)
    (block,) = pairs.blocks(longest_gap_s=100.0)
    assert (block.rows.tolist(), block.others.tolist()) == ([0, 1, 2, 3], [0, 1, 2, 3])
    assert pairs.facts.within(np.array([0]), 100.0).tolist() == [True, True, False, True]
    assert pairs.facts.within(np.array([2]), np.inf).tolist() == [True] * 4


def test_without_a_calibration_nobody_is_likely_to_be_anybody():
    found = facts(*ROWS)
    pairs = PairEvidence(found, np.ones((4, 1), np.float32), found.sightings, None, None)
    assert np.isneginf(pairs.block(np.arange(4), np.arange(4)).log_odds).all()
    with pytest.raises(ValueError, match="without a calibration"):
        pairs.parts(np.arange(4), np.arange(4))


def test_evidence_that_is_no_number_is_refused():
    pairs = evidence(*ROWS, vectors=[[1, 0], [np.nan, 0], [0, 1], [1, 0]])
    with pytest.raises(ValueError, match="the log-odds of rows 0 and 1 are not a number"):
        pairs.block(np.arange(4), np.arange(4))


def test_an_empty_site_has_no_blocks():
    assert list(evidence(vectors=np.zeros((0, 2))).blocks()) == []


def test_looks_are_read_on_the_yardsticks_of_both():
    pairs = evidence(*ROWS, vectors=LOOKS)
    yardsticks = np.tile(np.array([-0.2, 0.2]), (4, 2, 1))
    yardsticks[1, 0] = (-0.4, 0.4)
    own = replace(pairs, yardsticks=yardsticks)
    every = np.arange(4)
    visual, _ = own.parts(every, every)
    assert visual[0, 2] == pytest.approx(-4.0), "both are the site's"
    assert visual[1, 2] == pytest.approx((-4.0 - 4.0) / 2), "0.4 / 0.4 spreads are one as well"
    np.testing.assert_allclose(visual, visual.T)
    assert own.measured().yardsticks[1].tolist() == [[-0.2, 0.2], [-0.2, 0.2]], "four are no crowd"
    assert own.measured(since=2).yardsticks[1, 0].tolist() == [-0.4, 0.4]
