from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from transit_sites import pairs_of, walkers

from reid_core.evaluation.transit_plots import link_gaps, transit_panels
from reid_core.spatio_temporal.sightings import MatchedPairs
from reid_core.spatio_temporal.transit import fit_transit


@pytest.fixture(scope="module")
def learned():
    sightings, people = walkers(60)
    pairs = pairs_of(sightings, people)
    return sightings, pairs, fit_transit(sightings, pairs, largest_shift_s=6.0)


def test_each_way_has_a_panel_with_gaps_density_and_background(learned):
    sightings, pairs, model = learned
    panels = transit_panels(model, sightings, pairs)
    assert [(panel.camera_from, panel.camera_to) for panel in panels] == sorted(model.links)
    first = next(panel for panel in panels if (panel.camera_from, panel.camera_to) == ("a", "b"))
    assert first.peaks_s[0] == pytest.approx(10.0, abs=2.0)
    drawing = ET.fromstring(first.svg)
    names = [note.text for note in drawing.iter() if note.tag.endswith("title")]
    assert {"gaps of the pairs", "fitted density of one person", "anybody's gaps"} <= set(names)


def test_all_shapes_lie_within_the_frame(learned):
    sightings, pairs, model = learned
    for panel in transit_panels(model, sightings, pairs):
        for path in re.findall(r'd="M([^"]*)"', panel.svg):
            points = np.array([[float(v) for v in p.split(",")] for p in path.rstrip("Z").split(" ")])
            assert points.min() >= 0
            assert points[:, 0].max() <= 520
            assert points[:, 1].max() <= 260


def test_gaps_go_one_way_and_weigh_what_the_model_thinks(learned):
    sightings, pairs, model = learned
    onward, weights = link_gaps(model, sightings, pairs, "a", "b")
    back, _ = link_gaps(model, sightings, pairs, "b", "a")
    joined = sightings.cameras[pairs.rows_a] + sightings.cameras[pairs.rows_b] == 1
    assert len(onward) + len(back) == joined.sum()
    assert ((weights >= 0) & (weights <= 1)).all()


def test_a_link_without_pairs_is_drawn_without_a_histogram(learned):
    sightings, _, model = learned
    none = MatchedPairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    assert len(transit_panels(model, sightings, none)) == len(model.links)
