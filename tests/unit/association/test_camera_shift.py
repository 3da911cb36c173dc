"""What a camera adds to its vectors is taken away; what tells people apart stays."""

from __future__ import annotations

import numpy as np
import pytest

from reid_core.association.camera_shift import without_camera_shift
from reid_core.association.reciprocal import mutual_nearest


def test_the_mean_of_a_camera_is_drawn_to_the_mean_of_all():
    """Overall mean 7; camera 0: (1 + 3 + 7) / 3 = 11/3; camera 1: (11 + 13 + 7) / 3 = 31/3."""
    centred = without_camera_shift(np.array([[1.0], [3.0], [11.0], [13.0]]), np.array([0, 0, 1, 1]))
    np.testing.assert_allclose(centred.ravel(), [1 - 11 / 3, 3 - 11 / 3, 11 - 31 / 3, 13 - 31 / 3])


def test_no_vectors_stay_none():
    assert without_camera_shift(np.zeros((0, 3)), np.zeros(0, np.int64)).shape == (0, 3)


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="2 vectors and 1 cameras"):
        without_camera_shift(np.zeros((2, 3)), np.zeros(1, np.int64))


def test_a_common_shift_of_all_cameras_changes_nothing():
    random = np.random.default_rng(0)
    vectors, cameras = random.normal(size=(30, 5)), random.integers(0, 3, 30)
    np.testing.assert_allclose(without_camera_shift(vectors + 4.0, cameras), without_camera_shift(vectors, cameras))


def test_people_are_found_again_under_another_light():
    """Twenty people in two cameras, the second far shifted: without the shift, everybody finds themselves."""
    random = np.random.default_rng(1)
    people = random.normal(size=(20, 8))
    vectors = np.concatenate([people, people + 12.0 + 0.1 * random.normal(size=(20, 8))])
    cameras = np.repeat([0, 1], 20)
    centred = without_camera_shift(vectors, cameras)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    rows, columns = mutual_nearest(1 - unit[:20] @ unit[20:].T)
    assert (rows == columns).sum() > 15
