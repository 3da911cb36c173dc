"""Raw network output becomes people: decoded, thresholded, suppressed, in a fixed order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid_core.geometry import iou_matrix
from reid_core.vision.detector_head import AnchorGrid, DetectorSettings, find_people, suppress
from reid_core.vision.letterbox import Letterbox

LETTERBOX = Letterbox.fit(640, 480)
GRID = AnchorGrid.over((640, 480))


def raw(*cells: tuple[int, float, tuple[int, int, int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Output in which each given cell has a logit and is sure of its distances in cells."""
    logits = np.full(6300, -20, np.float32)
    sides = np.zeros((6300, 64), np.float32)
    for cell, logit, distances in cells:
        logits[cell] = logit
        for side, distance in enumerate(distances):
            sides[cell, 16 * side + distance] = 50
    return logits, sides


def find(cells, **settings):
    logits, sides = raw(*cells)
    return find_people(logits, sides, grid=GRID, letterbox=LETTERBOX, settings=DetectorSettings(**settings))


def test_grid_has_three_levels_in_rows():
    assert GRID.centres_px[[0, 1, 80, 4800, 6000, 6299]].tolist() == [
        [4, 4],
        [12, 4],
        [4, 12],
        [8, 8],
        [16, 16],
        [624, 464],
    ]
    assert GRID.strides_px[[0, 4800, 6299], 0].tolist() == [8, 16, 32]


def test_one_cell_is_decoded_by_hand():
    people = find([(80 * 30 + 40, 0.0, (1, 2, 3, 4))])  # centre (324, 244), stride 8
    assert people.boxes_px.tolist() == [[316, 228, 348, 276]]
    assert people.confidences.tolist() == [0.5]
    assert people.boxes_px.dtype == people.confidences.dtype == np.float32


def test_distance_is_the_mean_of_its_distribution():
    logits, sides = raw((80 * 30 + 40, 3.0, (2, 2, 2, 2)))
    sides[80 * 30 + 40, [2, 4]] = 50  # the left side is torn between 2 and 4 cells
    people = find_people(logits, sides, grid=GRID, letterbox=LETTERBOX, settings=DetectorSettings())
    assert people.boxes_px[0] == pytest.approx([324 - 24, 228, 340, 260])


def test_weak_cells_are_left_out_and_no_people_keep_their_shape():
    people = find([(100, -2.3, (1, 1, 1, 1))], min_confidence=0.1)
    assert people.boxes_px.shape == (0, 4)
    assert people.confidences.shape == (0,)
    assert len(find([(100, -2.1, (1, 1, 1, 1))], min_confidence=0.1)) == 1


def test_most_confident_comes_first_and_ties_follow_the_cells():
    people = find([(1000, 1.0, (1, 1, 1, 1)), (3000, 2.0, (1, 1, 1, 1)), (200, 1.0, (1, 1, 1, 1))])
    assert people.boxes_px[:, 0].tolist() == [float(GRID.centres_px[cell, 0] - 8) for cell in (3000, 200, 1000)]


def test_two_cells_on_one_person_become_one_box():
    twins = [(80 * 30 + 40, 1.0, (4, 4, 4, 4)), (80 * 30 + 41, 2.0, (4, 4, 4, 4))]
    assert find(twins).confidences == pytest.approx([1 / (1 + np.exp(-2))])
    assert len(find(twins, max_iou=0.9)) == 2


def test_box_outside_the_picture_is_left_out_and_the_limit_is_kept():
    letterbox = Letterbox.fit(640, 300)  # 10 grey rows above and below
    logits, sides = raw((0, 2.0, (0, 0, 0, 0)), (80 * 20 + 9, 1.0, (3, 3, 3, 3)), (80 * 20 + 50, 0.5, (3, 3, 3, 3)))
    people = find_people(logits, sides, grid=GRID, letterbox=letterbox, settings=DetectorSettings())
    assert len(people) == 2
    few = DetectorSettings(max_detections=2)
    assert len(find_people(logits, sides, grid=GRID, letterbox=letterbox, settings=few)) == 1


def test_no_boxes_and_a_limit_on_boxes():
    assert suppress(np.zeros((0, 4), np.float32), max_iou=0.5).tolist() == []
    apart = np.array([[10 * number, 0, 10 * number + 5, 5] for number in range(6)], np.float32)
    assert suppress(apart, max_iou=0.5, limit=4).tolist() == [0, 1, 2, 3]


def naive(boxes: np.ndarray, max_iou: float) -> list[int]:
    kept: list[int] = []
    for row in range(len(boxes)):
        if all(iou_matrix(boxes[row : row + 1], boxes[other : other + 1])[0, 0] <= max_iou for other in kept):
            kept.append(row)
    return kept


@given(st.lists(st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(1, 20)] * 2), max_size=30), st.floats(0.05, 0.95))
def test_suppression_equals_the_naive_loop(rectangles, max_iou):
    boxes = np.array([[x, y, x + w, y + h] for x, y, w, h in rectangles], np.float32).reshape(-1, 4)
    assert suppress(boxes, max_iou=max_iou).tolist() == naive(boxes, np.float32(max_iou))


@pytest.mark.parametrize(
    "wrong",
    [{"longest_px": 16}, {"min_confidence": 0.0}, {"min_confidence": 1.0}, {"max_iou": 0.0}, {"max_detections": 0}],
)
def test_settings_that_find_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="got"):
        DetectorSettings(**wrong)
