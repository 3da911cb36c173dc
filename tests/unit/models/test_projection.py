from __future__ import annotations

import numpy as np
import pytest

from reid_core.models.projection import sign_projection

_GOLDEN = 0x9E3779B97F4A7C15
_ALL = 2**64 - 1


def _splitmix64(counter: int) -> int:
    """Steele et al. in Python's whole numbers."""
    state = counter * _GOLDEN & _ALL
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _ALL
    state = (state ^ state >> 27) * 0x94D049BB133111EB & _ALL
    return state ^ state >> 31


def test_the_generator_is_splitmix64():
    assert _splitmix64(1) == 0xE220A8397B1DCDAF  # its published first output for seed 0


def test_signs_are_those_of_a_slow_twin():
    expected = [[-1 if _splitmix64(1 + row * 4 + column) >> 63 else 1 for column in range(4)] for row in range(6)]
    np.testing.assert_array_equal(np.sign(sign_projection(6, 4)), expected)


def test_inner_products_are_kept_within_the_stated_deviation():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 768))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    shorter = rows @ sign_projection(768, 208)
    error = shorter @ shorter.T - rows @ rows.T
    assert abs(error.mean()) < 0.01
    assert error.std() < 1.2 / np.sqrt(208)


@pytest.mark.parametrize(("length", "shorter"), [(0, 3), (3, 0), (-1, 3)])
def test_lengths_below_one_are_refused(length: int, shorter: int):
    with pytest.raises(ValueError, match="lengths must be at least 1"):
        sign_projection(length, shorter)
