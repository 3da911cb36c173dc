"""Queries, their fusion, and the evidence of an answer."""

from __future__ import annotations

import numpy as np
import pytest

from reid_core.retrieval.index import FlatIndex, IndexRows
from reid_core.retrieval.search import CropVectors, Query, alike_crops, fuse, search
from reid_core.types import SearchFilter

NO_CROPS = np.zeros((0, 2), np.float32)
EVERYTHING = SearchFilter()


def vector(x, y):
    return np.array([x, y], np.float32)


def an_index():
    """1 and 2 look alike, 3 is another; 3's clock is unknown."""
    index = FlatIndex(2)
    index.add(
        IndexRows(
            tracklet_nos=np.array([1, 2, 3]),
            vectors=np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32),
            camera_ids=["gate", "hall", "hall"],
            starts_s=np.array([100.0, 160.0, np.nan]),
            ends_s=np.array([110.0, 175.0, np.nan]),
            qualities=np.array([0.9, 0.8, 0.7]),
        )
    )
    return index


def query_of(**changes):
    parts = {"vector": vector(1, 0), "crop_vectors": NO_CROPS, "camera_id": "gate", "start_s": 100.0, "end_s": 110.0}
    return Query(**(parts | changes))


def test_the_query_itself_is_no_answer():
    matches = search(an_index(), query_of(exclude_tracklet_nos=frozenset({1})), k=5, where=EVERYTHING)
    assert [(match.rank, match.tracklet_no) for match in matches] == [(1, 2), (2, 3)]


def test_an_answer_says_where_when_and_how_far():
    match = search(an_index(), query_of(), k=2, where=SearchFilter(exclude_camera_ids=frozenset({"gate"})))[0]
    assert (match.camera_id, match.start_s, match.end_s, match.quality) == ("hall", 160.0, 175.0, 0.8)
    assert match.evidence.visual_distance == pytest.approx(0.2, abs=1e-3)
    assert match.evidence.gap_s == 50.0
    assert match.evidence.crop_pairs == ()


def test_an_answer_that_came_before_the_query_has_a_negative_gap():
    match = search(an_index(), query_of(end_s=300.0), k=1, where=EVERYTHING)[0]
    assert match.evidence.gap_s == -200.0


def test_an_unknown_clock_on_either_side_gives_no_gap():
    gaps = {match.tracklet_no: match.evidence.gap_s for match in search(an_index(), query_of(), k=3, where=EVERYTHING)}
    assert gaps[3] is None
    of_image = search(an_index(), query_of(start_s=None, end_s=None), k=3, where=EVERYTHING)
    assert {match.evidence.gap_s for match in of_image} == {None}


def test_crops_that_speak_for_an_answer_are_named_by_their_numbers():
    asked: list[list[int]] = []

    def crop_vectors_of(nos):
        asked.append(list(nos))
        return {2: CropVectors(crop_nos=(4, 9), vectors=np.array([[0, 1], [0.6, 0.8]], np.float32))}

    query = query_of(crop_vectors=np.array([[1, 0], [0, 1]], np.float32))
    matches = search(an_index(), query, k=2, where=EVERYTHING, crop_vectors_of=crop_vectors_of)
    assert asked == [[1, 2]]
    assert matches[0].evidence.crop_pairs == ()
    assert matches[1].evidence.crop_pairs == ((1, 4, 0.0), (0, 9, pytest.approx(0.4)))


def test_no_answers_ask_for_no_crops():
    query = query_of(crop_vectors=np.array([[1, 0]], np.float32))
    assert search(FlatIndex(2), query, k=2, where=EVERYTHING, crop_vectors_of=lambda _: pytest.fail("asked")) == []


def test_each_crop_speaks_once_and_ties_go_to_the_smaller_rows():
    same = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert alike_crops(same, same) == [(0, 0, 0.0), (1, 1, 0.0)]


def test_no_crops_make_no_pairs():
    assert alike_crops(NO_CROPS, np.ones((3, 2), np.float32)) == []
    assert alike_crops(np.ones((3, 2), np.float32), NO_CROPS) == []


def test_at_most_the_wanted_pairs_are_given():
    assert len(alike_crops(np.eye(9), np.eye(9), at_most=4)) == 4


def test_a_fused_query_spans_its_parts():
    first = query_of(exclude_tracklet_nos=frozenset({1}), crop_vectors=np.ones((2, 2), np.float32))
    second = query_of(vector=vector(0, 1), start_s=160.0, end_s=175.0, exclude_tracklet_nos=frozenset({2}))
    both = fuse([first, second])
    assert both.vector == pytest.approx([0.5**0.5, 0.5**0.5])
    assert (both.camera_id, both.start_s, both.end_s) == ("gate", 100.0, 175.0)
    assert both.exclude_tracklet_nos == {1, 2}
    assert both.crop_vectors.shape == (2, 2)


def test_what_not_all_parts_know_is_unknown_to_the_fused_query():
    both = fuse([query_of(), query_of(camera_id="hall", start_s=None, end_s=None)])
    assert (both.camera_id, both.start_s, both.end_s) == (None, None, None)


def test_fusing_does_not_depend_on_the_order():
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(4, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries = [Query(v, np.zeros((0, 16), np.float32)) for v in vectors]
    assert fuse(queries).vector == pytest.approx(fuse(queries[::-1]).vector, abs=1e-7)


def test_one_query_fuses_to_itself():
    query = query_of()
    assert fuse([query]) is query


def test_nothing_and_opposites_cannot_be_fused():
    with pytest.raises(ValueError, match="at least one"):
        fuse([])
    with pytest.raises(ValueError, match="cancel"):
        fuse([query_of(), query_of(vector=vector(-1, 0))])


def test_a_query_of_another_length_is_refused():
    with pytest.raises(ValueError, match="2 numbers"):
        search(an_index(), query_of(vector=np.ones(3, np.float32)), k=1, where=EVERYTHING)
