from __future__ import annotations

import numpy as np
import pytest

from reid_core.metrics.alignment import align
from reid_core.metrics.mot_boxes import DISTRACTOR, MotBoxes
from reid_core.metrics.tracking import combine, evaluate_tracking


def walkers(*spans: tuple[int, int, int], shift_px: float = 0.0) -> MotBoxes:
    """People standing 100 px apart, one for each (id, first frame, last frame); boxes 10 x 20."""
    rows = [(frame, person) for person, first, last in spans for frame in range(first, last + 1)]
    frames = [frame for frame, _ in rows]
    ids = [person for _, person in rows]
    boxes = [[100.0 * (p % 10) + shift_px, 0, 100.0 * (p % 10) + 10 + shift_px, 20] for p in ids]
    return MotBoxes.of(frames, ids, boxes)


def renamed(boxes: MotBoxes, ids: list[int]) -> MotBoxes:
    return MotBoxes.of(boxes.frames, ids, boxes.boxes_px)


def test_result_equal_to_truth_scores_hundred():
    truth = walkers((1, 1, 5), (2, 3, 9))
    scores = evaluate_tracking(truth, truth)
    assert [scores.hota, scores.deta, scores.assa, scores.loca, scores.mota, scores.idf1] == pytest.approx([100.0] * 6)
    assert scores.idsw == 0


def test_one_switch_in_the_middle_has_the_worked_figures():
    # One person of four frames, split into two tracks of two: every box is found, each match shares 2 of 4 boxes.
    truth = walkers((1, 1, 4))
    scores = evaluate_tracking(truth, renamed(truth, [1, 1, 2, 2]))
    assert scores.deta == pytest.approx(100)
    assert scores.assa == pytest.approx(50)
    assert scores.hota == pytest.approx(100 * 0.5**0.5)
    assert scores.idf1 == pytest.approx(100 * 2 / (2 + 0.5 * 2 + 0.5 * 2))
    assert scores.mota == pytest.approx(75)
    assert scores.idsw == 1


def test_localisation_decides_how_many_thresholds_are_met():
    # 10 wide, shifted by 2.5: IoU = 7.5 / 12.5 = 0.6, so the 12 thresholds 0.05 .. 0.60 match and 7 do not.
    truth = walkers((1, 1, 3))
    scores = evaluate_tracking(truth, walkers((1, 1, 3), shift_px=2.5))
    assert scores.deta == pytest.approx(100 * 12 / 19)
    assert scores.mota == pytest.approx(100)


def test_misses_and_false_alarms_are_counted():
    truth = walkers((1, 1, 4), (2, 1, 4))
    scores = evaluate_tracking(truth, walkers((1, 1, 4), (3, 1, 2)))
    figures = scores.as_dict()
    assert (figures["FN"], figures["FP"], figures["GT"]) == (4, 2, 8)
    assert scores.mota == pytest.approx(100 * (4 - 2) / 8)
    assert (figures["MT"], figures["ML"]) == (1, 1)


def test_interrupted_match_counts_as_a_fragment_and_no_switch():
    truth = walkers((1, 1, 6), (2, 1, 6))
    gap = walkers((1, 1, 2), (1, 5, 6), (2, 1, 6))
    figures = evaluate_tracking(truth, gap).as_dict()
    assert (figures["Frag"], figures["IDSW"]) == (1, 0)


def test_current_match_is_kept_while_it_overlaps_enough():
    # In frame 2 track 8 lies better, but track 7 still holds at IoU 0.6.
    truth = MotBoxes.of([1, 2], [1, 1], [[0, 0, 10, 20], [0, 0, 10, 20]])
    result = MotBoxes.of([1, 2, 2], [7, 7, 8], [[0, 0, 10, 20], [2.5, 0, 12.5, 20], [0, 0, 10, 20]])
    figures = evaluate_tracking(truth, result).as_dict()
    assert (figures["IDSW"], figures["FP"]) == (0, 1)


def test_empty_result_is_all_misses():
    figures = evaluate_tracking(walkers((1, 1, 4)), MotBoxes.none()).as_dict()
    assert (figures["FN"], figures["FP"], figures["HOTA"], figures["IDF1"], figures["MOTA"]) == (4, 0, 0, 0, 0)
    assert figures["ML"] == 1


def test_empty_truth_is_all_false_alarms():
    figures = evaluate_tracking(MotBoxes.none(), walkers((1, 1, 4))).as_dict()
    assert (figures["FN"], figures["FP"], figures["HOTA"], figures["IDF1"]) == (0, 4, 0, 0)


def test_nothing_against_nothing_is_scored_without_division_by_zero():
    assert evaluate_tracking(MotBoxes.none(), MotBoxes.none()).hota == 0


def test_an_id_twice_in_a_frame_is_refused():
    twins = MotBoxes.of([1, 1], [4, 4], [[0, 0, 1, 1], [5, 5, 6, 6]])
    with pytest.raises(ValueError, match="result: id 4 appears twice in frame 1"):
        evaluate_tracking(walkers((1, 1, 1)), twins)


def test_order_of_rows_and_names_of_ids_do_not_matter():
    rng = np.random.default_rng(3)
    truth = walkers((1, 1, 9), (2, 2, 7), (3, 4, 9))
    result = renamed(
        walkers((1, 1, 9), (2, 2, 7), (3, 4, 9), shift_px=1.0), [5] * 6 + [6] * 3 + [7] * 6 + [8] * 3 + [5] * 3
    )
    first = evaluate_tracking(truth, result)
    shuffled = result.take(rng.permutation(len(result)))
    renumbered = MotBoxes.of(shuffled.frames, shuffled.ids * 1000 + 17, shuffled.boxes_px)
    assert evaluate_tracking(truth.take(rng.permutation(len(truth))), renumbered).as_dict() == pytest.approx(
        first.as_dict()
    )


def test_scale_of_the_picture_does_not_matter():
    truth, result = walkers((1, 1, 5), (2, 3, 8)), walkers((1, 1, 4), (2, 3, 8), shift_px=1.5)
    large = [MotBoxes.of(b.frames, b.ids, 3 * b.boxes_px) for b in (truth, result)]
    assert evaluate_tracking(*large).as_dict() == pytest.approx(evaluate_tracking(truth, result).as_dict())


def test_combining_equals_scoring_the_sequences_as_one():
    truth, result = walkers((1, 1, 5), (2, 3, 8)), walkers((1, 1, 4), (2, 4, 8), shift_px=1.5)
    later_truth, later_result = walkers((3, 11, 15)), walkers((3, 12, 19), shift_px=2.0)
    parts = [evaluate_tracking(truth, result), evaluate_tracking(later_truth, later_result)]

    def joined(a: MotBoxes, b: MotBoxes) -> MotBoxes:
        return MotBoxes.of(
            np.concatenate([a.frames, b.frames]),
            np.concatenate([a.ids, b.ids]),
            np.concatenate([a.boxes_px, b.boxes_px]),
        )

    whole = evaluate_tracking(joined(truth, later_truth), joined(result, later_result))
    assert combine(parts).as_dict() == pytest.approx(whole.as_dict())


def test_combining_nothing_is_refused():
    with pytest.raises(ValueError, match="no scores"):
        combine([])


def test_result_on_a_distractor_is_neither_right_nor_wrong():
    truth = walkers((1, 1, 4), (2, 1, 4))
    marked = MotBoxes.of(truth.frames, truth.ids, truth.boxes_px, classes=[1] * 4 + [DISTRACTOR] * 4)
    figures = evaluate_tracking(marked, truth).as_dict()
    assert (figures["GT"], figures["FP"], figures["MOTA"]) == (4, 0, 100)


def test_result_on_a_row_marked_zero_is_a_false_alarm():
    truth = walkers((1, 1, 4), (2, 1, 4))
    marked = MotBoxes.of(truth.frames, truth.ids, truth.boxes_px, confidences=[1.0] * 4 + [0.0] * 4)
    figures = evaluate_tracking(marked, truth).as_dict()
    assert (figures["GT"], figures["FP"]) == (4, 4)


def test_frames_of_one_side_alone_keep_the_shape_of_the_overlaps():
    sequence = align(walkers((1, 1, 1)), walkers((1, 2, 2)))
    assert [frame.iou.shape for frame in sequence.frames] == [(1, 0), (0, 1)]


def test_arrays_of_different_length_are_refused():
    with pytest.raises(ValueError, match=r"ids must have shape \(2,\)"):
        MotBoxes.of([1, 2], [1], [[0, 0, 1, 1], [0, 0, 1, 1]])


def test_boxes_of_wrong_shape_are_refused():
    one = np.ones(1)
    with pytest.raises(ValueError, match="boxes_px must have shape"):
        MotBoxes(one.astype(np.int64), one.astype(np.int64), np.zeros((1, 3)), one, one.astype(np.int64), one)
