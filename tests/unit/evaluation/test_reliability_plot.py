from __future__ import annotations

import numpy as np
import pytest

from reid_core.evaluation.reliability_plot import reliability_plot
from reid_core.metrics.calibration import reliability

NOTHING = reliability(np.zeros(0), np.zeros(0, np.bool_))


def bins_of(seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.random(500)
    return reliability(probabilities, rng.random(500) < probabilities)


def test_each_group_tells_its_name_count_and_error():
    bins = bins_of(1)
    drawn = reliability_plot([("first <ten>", bins), ("all", bins_of(2))], title="How sure?")
    assert f"first &lt;ten&gt;: 500 values, error {bins.error:.3f}" in drawn
    assert "<title>How sure?</title>" in drawn
    assert drawn.count("<circle") == len(bins.counts)
    assert 'class="line series-1"' in drawn
    assert 'class="line series-4"' in drawn


def test_a_group_without_values_is_left_out_and_the_diagonal_stays():
    drawn = reliability_plot([("none", NOTHING)], title="nothing")
    assert "none" not in drawn
    assert "what can be believed" in drawn
    assert "<circle" not in drawn


def test_more_groups_than_colours_are_refused():
    with pytest.raises(ValueError, match="at most 4 groups, got 5"):
        reliability_plot([("x", NOTHING)] * 5, title="many")
