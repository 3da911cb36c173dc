from __future__ import annotations

from collections import defaultdict
from itertools import permutations

import numpy as np
import pytest

from reid_core.metrics.mot_boxes import DISTRACTOR, MotBoxes
from reid_core.metrics.multi_camera import evaluate_multi_camera

Cameras = dict[str, MotBoxes]


def seen(*spans: tuple[int, int, int], place: dict[int, int] | None = None) -> MotBoxes:
    """One box a frame for each (id, first frame, last frame), 100 px apart; ``place`` puts an id elsewhere."""
    rows = [(frame, one) for one, first, last in spans for frame in range(first, last + 1)]
    lefts = [100.0 * (place or {}).get(one, one) for _, one in rows]
    return MotBoxes.of([f for f, _ in rows], [one for _, one in rows], [[x, 0, x + 10, 20] for x in lefts])


def figures(truth: Cameras, result: Cameras) -> dict[str, float | int]:
    return evaluate_multi_camera(truth, result).as_dict()


TWO_VIEWS = {"a": seen((1, 1, 4)), "b": seen((1, 8, 11))}


def test_result_equal_to_truth_scores_hundred():
    scores = figures(TWO_VIEWS, TWO_VIEWS)
    assert [scores[name] for name in ("IDF1", "IDP", "IDR", "MCTA")] == [100] * 4
    assert (scores["within"], scores["across"]) == (6, 2)  # the first appearance and the handover


def test_new_id_at_the_next_camera_halves_both_figures():
    scores = figures(TWO_VIEWS, {"a": seen((1, 1, 4)), "b": seen((9, 8, 11), place={9: 1})})
    assert scores["IDF1"] == 50
    assert (scores["across"], scores["across_mismatches"], scores["within_mismatches"]) == (2, 1, 0)
    assert scores["MCTA"] == 50


def test_switch_within_a_camera_is_one_step_of_those_within():
    switched = {"a": seen((1, 1, 2), (9, 3, 4), place={9: 1}), "b": seen((9, 8, 11), place={9: 1})}
    scores = figures(TWO_VIEWS, switched)
    assert (scores["within"], scores["within_mismatches"], scores["across_mismatches"]) == (6, 1, 0)
    assert scores["MCTA"] == pytest.approx(100 * 5 / 6)
    assert scores["IDF1"] == pytest.approx(100 * 6 / 8)


def test_misses_and_false_alarms_lower_the_share_of_detection():
    result = {"a": seen((1, 1, 4)), "b": seen((5, 8, 9))}
    scores = figures(TWO_VIEWS, result)
    assert scores["detection"] == pytest.approx(100 * 2 * 4 / (8 + 6))
    assert scores["MCTA"] == scores["detection"]


def test_first_appearance_under_the_id_of_somebody_else_is_a_mismatch():
    truth = {"a": seen((1, 1, 3)), "b": seen((2, 5, 7))}
    scores = figures(truth, {"a": seen((1, 1, 3)), "b": seen((1, 5, 7), place={1: 2})})
    assert (scores["across"], scores["across_mismatches"], scores["within_mismatches"]) == (2, 1, 0)


def test_id_that_two_people_bear_at_once_is_wrong_where_it_was_handed_over():
    truth = {"a": seen((1, 1, 4), (2, 3, 9)), "b": seen((1, 6, 9))}
    result = {"a": seen((1, 1, 4), (1, 6, 9), place={1: 1}), "b": seen((1, 6, 9))}
    moved = MotBoxes.of([6, 7, 8, 9], [1] * 4, [[200.0, 0, 210, 20]] * 4)  # person 2's boxes, under person 1's id
    result["a"] = MotBoxes.of([1, 2, 3, 4, *moved.frames], [1] * 8, [*seen((1, 1, 4)).boxes_px, *moved.boxes_px])
    scores = figures(truth, result)
    assert (scores["across"], scores["across_mismatches"]) == (3, 2)  # 2 appears as 1, and 1 is handed over beside it


def test_return_to_a_camera_is_a_handover_from_where_the_person_was_between():
    truth = {"a": seen((1, 1, 2), (1, 9, 10)), "b": seen((1, 5, 6))}
    result = {"a": seen((1, 1, 2), (1, 9, 10)), "b": seen((7, 5, 6), place={7: 1})}
    scores = figures(truth, result)
    assert (scores["across"], scores["across_mismatches"], scores["within"]) == (3, 2, 3)


def test_views_that_overlap_are_steps_within_each_camera():
    truth = {"a": seen((1, 1, 6)), "b": seen((1, 3, 8))}
    result = {"a": seen((1, 1, 6)), "b": seen((7, 3, 8), place={7: 1})}
    scores = figures(truth, result)
    assert (scores["across"], scores["across_mismatches"]) == (2, 1)  # only as b's view begins
    assert (scores["within"], scores["within_mismatches"]) == (10, 0)


def test_current_match_is_kept_while_it_overlaps_enough():
    truth = {"a": MotBoxes.of([1, 2], [1, 1], [[0, 0, 10, 20]] * 2)}
    result = {"a": MotBoxes.of([1, 2, 2], [7, 7, 8], [[0, 0, 10, 20], [2.5, 0, 12.5, 20], [0, 0, 10, 20]])}
    assert figures(truth, result)["within_mismatches"] == 0


def test_frame_without_a_result_leaves_what_was_before_in_force():
    scores = figures({"a": seen((1, 1, 5))}, {"a": seen((1, 1, 2), (9, 4, 5), place={9: 1})})
    assert (scores["within"], scores["within_mismatches"]) == (3, 1)


def test_result_on_a_distractor_is_neither_right_nor_wrong():
    boxes = seen((1, 1, 4), (2, 1, 4))
    marked = MotBoxes.of(boxes.frames, boxes.ids, boxes.boxes_px, classes=[1] * 4 + [DISTRACTOR] * 4)
    assert figures({"a": marked}, {"a": boxes})["MCTA"] == 100


def test_camera_on_one_side_only_is_all_misses_or_all_false_alarms():
    scores = figures({"a": seen((1, 1, 4))}, {"b": seen((1, 1, 4))})
    assert (scores["GT"], scores["result"], scores["IDF1"], scores["MCTA"]) == (4, 4, 0, 0)


def test_nothing_against_nothing_is_scored_without_division_by_zero():
    for nothing in ({}, {"a": MotBoxes.none()}):
        scores = figures(nothing, nothing)
        assert (scores["IDF1"], scores["MCTA"], scores["tracking"], scores["handover"]) == (0, 0, 100, 100)


def test_id_twice_in_a_frame_is_refused_with_camera_and_frame():
    twins = MotBoxes.of([3, 3], [4, 4], [[0, 0, 1, 1], [5, 5, 6, 6]])
    with pytest.raises(ValueError, match="result of b: id 4 appears twice in frame 3"):
        figures({"a": seen((1, 1, 2)), "b": seen((1, 1, 9))}, {"b": twins})


def spoilt(seed: int) -> tuple[Cameras, Cameras]:
    """Three cameras, five people, some of whose boxes have a wrong id, are missing, or are nobody's."""
    rng = np.random.default_rng(seed)
    truth, result = {}, {}
    for camera in "abc":
        people = rng.permutation(5)[:4] + 1
        spans = [
            (int(one), int(start), int(start + rng.integers(1, 9)))
            for one, start in zip(people, rng.integers(1, 20, 4), strict=True)
        ]
        truth[camera] = seen(*spans)
        boxes = truth[camera].take(np.flatnonzero(rng.random(len(truth[camera])) < 0.85))
        ids = np.where(rng.random(len(boxes)) < 0.3, boxes.ids + 50 + rng.integers(0, 2, len(boxes)) * 10, boxes.ids)
        alone = MotBoxes.of([2, 3], [90, 90], [[5000, 0, 5010, 20]] * 2)
        result[camera] = MotBoxes.of(
            np.append(boxes.frames, alone.frames),
            np.append(ids, alone.ids),
            np.concatenate([boxes.boxes_px, alone.boxes_px]),
        )
    return truth, result


def written_out(truth: Cameras, result: Cameras) -> dict[str, int]:
    """Boxes here coincide or are apart, so a match is an equal box: no assignment is needed."""
    matches = defaultdict(dict)
    for camera, boxes in truth.items():
        places = {
            (f, *box): one
            for f, one, box in zip(
                result[camera].frames, result[camera].ids, result[camera].boxes_px.tolist(), strict=True
            )
        }
        for frame, one, box in zip(boxes.frames, boxes.ids, boxes.boxes_px.tolist(), strict=True):
            if (frame, *box) in places:
                matches[int(frame)][int(one), camera] = int(places[frame, *box])
    count = defaultdict(int)
    history: dict[int, list[tuple[int, str, int]]] = defaultdict(list)
    for frame in sorted(matches):
        for (one, camera), track in matches[frame].items():
            past = [step for step in history[one] if step[0] < frame]
            latest = [step for step in past if step[0] == max(f for f, _, _ in past)]
            here = [step for step in latest if step[1] == camera]
            kind = "within" if here else "across"
            if not past:
                others = {o: [s for s in steps if s[0] < frame] for o, steps in history.items() if o != one}
                wrong = any(
                    track in {t for f, _, t in steps if f == max(f for f, _, _ in steps)}
                    for steps in others.values()
                    if steps
                )
            else:
                shared = any(t == track for (other, _), t in matches[frame].items() if other != one)
                wrong = track not in {t for _, _, t in here or latest} or (not here and shared)
            count[kind] += 1
            count[f"{kind}_mismatches"] += wrong
            history[one].append((frame, camera, track))
    return dict(count)


@pytest.mark.parametrize("seed", range(8))
def test_steps_equal_those_of_a_naive_walk(seed: int):
    truth, result = spoilt(seed)
    scores = figures(truth, result)
    expected = written_out(truth, result)
    assert {name: scores[name] for name in expected} == expected
    assert expected["within_mismatches"] > 0
    assert expected["across_mismatches"] > 0


@pytest.mark.parametrize("seed", range(4))
def test_idf1_equals_the_best_of_all_assignments(seed: int):
    truth, result = spoilt(seed)
    pairs: dict[tuple[int, int], int] = defaultdict(int)
    for camera, boxes in truth.items():
        for frame, one, box in zip(boxes.frames, boxes.ids, boxes.boxes_px.tolist(), strict=True):
            same = (result[camera].frames == frame) & (result[camera].boxes_px == box).all(axis=1)
            for track in result[camera].ids[same]:
                pairs[int(one), int(track)] += 1
    people = sorted({one for one, _ in pairs})
    tracks = sorted({track for _, track in pairs})
    best = max(
        sum(pairs.get(pair, 0) for pair in zip(people, chosen, strict=True))
        for chosen in permutations([*tracks, -1], len(people))
    )
    boxes = sum(len(b) for b in (*truth.values(), *result.values()))
    assert figures(truth, result)["IDF1"] == pytest.approx(100 * 2 * best / boxes)


def test_names_of_cameras_ids_and_the_order_of_rows_do_not_matter():
    rng = np.random.default_rng(5)
    truth, result = spoilt(5)

    def disguised(cameras: Cameras) -> Cameras:
        shuffled = {
            f"x{name}": boxes.take(rng.permutation(len(boxes))) for name, boxes in sorted(cameras.items(), reverse=True)
        }
        return {
            name.translate(str.maketrans("abc", "cab")): MotBoxes.of(b.frames, b.ids * 13 + 5, b.boxes_px)
            for name, b in shuffled.items()
        }

    assert figures(disguised(truth), disguised(result)) == pytest.approx(figures(truth, result))


def test_one_camera_has_the_idf1_of_a_single_sequence():
    from reid_core.metrics.tracking import evaluate_tracking

    truth, result = spoilt(2)
    assert figures({"a": truth["a"]}, {"a": result["a"]})["IDF1"] == pytest.approx(
        evaluate_tracking(truth["a"], result["a"]).idf1
    )
