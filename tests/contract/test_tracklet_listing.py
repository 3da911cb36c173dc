"""What lists of tracklets and rows for the index promise, on every database."""

from __future__ import annotations

import numpy as np
import pytest
from factories import make_embedding, make_tracklet
from tracklet_rows import add_tracklet, open_source

from reid_core.errors import InputError
from reid_core.types import ClockQuality
from services.storage.listing import Where
from services.storage.tracklets import TrackletRepository


def test_pages_show_every_tracklet_once_in_order_of_time(database):
    source_id = open_source(database)
    starts_s = [103.0, 101.0, 101.0, 102.0, 101.0]
    numbers = [add_tracklet(database, source_id, n + 1, start_s=start_s) for n, start_s in enumerate(starts_s)]
    with database.read() as session:
        tracklets = TrackletRepository(session)
        cursor, seen = None, []
        for _ in range(3):
            page = tracklets.list(limit=2, cursor=cursor)
            seen += [item.tracklet_no for item in page.items]
            cursor = page.next_cursor
    assert cursor is None
    assert seen == [numbers[n] for n in (1, 2, 4, 3, 0)]


def test_a_full_last_page_leads_nowhere(database):
    source_id = open_source(database)
    add_tracklet(database, source_id, 1)
    add_tracklet(database, source_id, 2)
    with database.read() as session:
        assert TrackletRepository(session).list(limit=2).next_cursor is None
        assert TrackletRepository(session).list(Where(camera_id="none")).items == ()


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Where(camera_id="cam1"), [1, 2]),
        (Where(camera_id="cam2"), [3]),
        (Where(start_s=200.5), [2, 3]),
        (Where(end_s=200.0), [1, 2]),
        (Where(start_s=100.8, end_s=100.8), [1]),
        (Where(start_s=500.0), []),
        (Where(min_quality=0.99), []),
        (Where(camera_id="cam1", min_quality=0.1), [1, 2]),
    ],
)
def test_lists_show_only_what_was_asked_for(database, where, expected):
    first, second = open_source(database), open_source(database, "cam2")
    add_tracklet(database, first, 1, start_s=100.0)
    add_tracklet(database, first, 2, start_s=200.0)
    add_tracklet(database, second, 3, start_s=300.0, camera_id="cam2")
    with database.read() as session:
        tracklets = TrackletRepository(session)
        assert [item.track_no for item in tracklets.list(where).items] == expected
        assert [item.track_no for item, _path in tracklets.iter_paths(where)] == expected
        assert tracklets.count(where) == len(expected)


def test_lists_can_be_narrowed_to_a_source(database):
    first, second = open_source(database, content_hash="a"), open_source(database, content_hash="b")
    add_tracklet(database, first, 1)
    add_tracklet(database, second, 2)
    with database.read() as session:
        page = TrackletRepository(session).list(Where(source_id=second))
    assert [item.track_no for item in page.items] == [2]


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "ü", "AAAAAAAAAAAAAAAAAAAAAAAA", "f_gAAAAAAAAAAAAAAAAAAQ=="])
def test_a_cursor_that_no_page_gave_out_is_refused(database, cursor):
    with database.read() as session, pytest.raises(InputError, match="is not a cursor"):
        TrackletRepository(session).list(cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_of_no_or_too_many_tracklets_is_refused(database, limit):
    with database.read() as session, pytest.raises(ValueError, match=r"limit must lie in \[1, 1000\]"):
        TrackletRepository(session).list(limit=limit)


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_rows_for_the_index_are_the_same_in_batches_of_any_size(database, batch):
    source_id = open_source(database)
    numbers = [add_tracklet(database, source_id, n, start_s=100.0 + n) for n in (1, 2, 3)]
    with database.read() as session:
        batches = list(TrackletRepository(session).iter_vectors("model-a", batch=batch))
    assert max(len(rows) for rows in batches) <= batch
    assert np.concatenate([rows.tracklet_nos for rows in batches]).tolist() == numbers
    vectors = np.concatenate([rows.vectors for rows in batches])
    np.testing.assert_array_equal(vectors, np.stack([make_embedding(n).vector.astype(np.float16) for n in (1, 2, 3)]))
    assert vectors.dtype == np.float32
    assert np.concatenate([rows.starts_s for rows in batches]).tolist() == [101.0, 102.0, 103.0]
    assert np.concatenate([rows.ends_s for rows in batches]) == pytest.approx([101.8, 102.8, 103.8])
    assert [one for rows in batches for one in rows.camera_ids] == ["cam1"] * 3
    assert all(rows.clock_known.all() for rows in batches)
    assert np.concatenate([rows.qualities for rows in batches]) == pytest.approx([make_tracklet().quality] * 3)


def test_rows_for_the_index_say_whether_their_clock_is_known(database):
    stated = add_tracklet(database, open_source(database))
    unknown = open_source(database, content_hash="other", clock_quality=ClockQuality.UNKNOWN)
    container = open_source(database, content_hash="third", clock_quality=ClockQuality.CONTAINER)
    numbers = [stated, add_tracklet(database, unknown), add_tracklet(database, container)]
    with database.read() as session:
        (rows,) = TrackletRepository(session).iter_vectors("model-a")
    assert dict(zip(rows.tracklet_nos.tolist(), rows.clock_known.tolist(), strict=True)) == dict(
        zip(numbers, (True, False, True), strict=True)
    )


def test_rows_for_the_index_begin_after_a_number(database):
    source_id = open_source(database)
    numbers = [add_tracklet(database, source_id, n) for n in (1, 2, 3)]
    with database.read() as session:
        tracklets = TrackletRepository(session)
        (rows,) = tracklets.iter_vectors("model-a", after_no=numbers[0])
        assert rows.tracklet_nos.tolist() == numbers[1:]
        assert list(tracklets.iter_vectors("model-a", after_no=numbers[-1])) == []
        assert list(tracklets.iter_vectors("another model")) == []
        with pytest.raises(ValueError, match="batch must be 1 or more"):
            next(tracklets.iter_vectors("model-a", batch=0))
