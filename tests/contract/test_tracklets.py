"""What the store of tracklets promises, on every database."""

from __future__ import annotations

import threading
from uuid import UUID, uuid4

import numpy as np
import pytest
from factories import make_embedding, make_path, make_tracklet
from tracklet_rows import add_tracklet, open_source

from reid_core.errors import AlreadyStoredError, StorageError, UnknownTrackletError
from reid_core.types import ClockQuality, CropQuality, Embedding, Tracklet
from services.storage.outbox import Outbox
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository


def test_a_tracklet_comes_back_as_it_was_stored(database):
    source_id = open_source(database)
    number = add_tracklet(database, source_id)
    with database.read() as session:
        stored = TrackletRepository(session).by_no(number)
    assert (stored.tracklet_no, stored.source_id, stored.camera_id, stored.track_no) == (number, source_id, "cam1", 1)
    assert (stored.start_s, stored.end_s) == (100.0, pytest.approx(100.8))
    assert stored.clock_quality is ClockQuality.STATED
    assert stored.quality == make_tracklet().quality
    assert stored.frame_size_px == (640, 480)
    assert (stored.blob_key, stored.crop_count, stored.display_order) == ("blob-1", 3, (2, 1, 0))


def test_a_path_comes_back_without_loss(database):
    number = add_tracklet(database, open_source(database))
    with database.read() as session:
        path = TrackletRepository(session).path(number)
    expected = make_path()
    np.testing.assert_array_equal(path.frame_indices, expected.frame_indices)
    np.testing.assert_array_equal(path.times_s, expected.times_s)
    np.testing.assert_array_equal(path.boxes_px, expected.boxes_px)
    np.testing.assert_array_equal(path.confidences, expected.confidences)


def test_what_is_known_of_the_crops_comes_back(database):
    number = add_tracklet(database, open_source(database))
    with database.read() as session:
        crops = TrackletRepository(session).crops(number)
    assert [crop.crop_no for crop in crops] == [0, 1, 2]
    assert crops[2].frame_index == 14
    assert crops[2].box_px == (12.0, 20.0, 32.0, 80.0)
    assert crops[2].quality == CropQuality(0.1 + 0.02, 0.5, 0.6, 0.7)


def test_vectors_come_back_rounded_to_half_floats(database):
    number = add_tracklet(database, open_source(database))
    with database.read() as session:
        stored = TrackletRepository(session).embedding(number, "model-a")
    expected = make_embedding(1)
    np.testing.assert_array_equal(stored.vector, expected.vector.astype(np.float16))
    np.testing.assert_array_equal(stored.crop_vectors, expected.crop_vectors.astype(np.float16))
    assert stored.crop_nos == (2, 1), "the best crops are embedded unless something else is said"


def test_a_tracklet_is_found_by_its_id_as_value_and_as_text(database):
    number = add_tracklet(database, open_source(database))
    with database.read() as session:
        tracklets = TrackletRepository(session)
        stored = tracklets.by_no(number)
        assert tracklets.by_id(stored.tracklet_id) == stored
        assert tracklets.by_id(str(stored.tracklet_id)) == stored


@pytest.mark.parametrize("wanted", ["", "no-id", "0190", str(UUID(int=7)), UUID(int=7)])
def test_an_unknown_id_is_refused(database, wanted):
    with database.read() as session, pytest.raises(UnknownTrackletError):
        TrackletRepository(session).by_id(wanted)


def test_an_unknown_number_is_refused(database):
    with database.read() as session:
        tracklets = TrackletRepository(session)
        for ask in (tracklets.by_no, tracklets.path, tracklets.crops):
            with pytest.raises(UnknownTrackletError):
                ask(77)
        with pytest.raises(StorageError, match="tracklet 77 has no vector"):
            tracklets.embedding(77, "model-a")


def test_many_numbers_are_read_at_once_and_unknown_ones_left_out(database):
    source_id = open_source(database)
    numbers = [add_tracklet(database, source_id, n) for n in (1, 2, 3)]
    with database.read() as session:
        tracklets = TrackletRepository(session)
        found = tracklets.by_nos([*numbers, *range(1000, 2500)])
        vectors = tracklets.embeddings([*numbers, 1000], "model-a")
        assert tracklets.by_nos([]) == {}
    assert sorted(found) == numbers
    assert sorted(vectors) == numbers


def test_a_track_of_a_source_is_stored_once(database):
    source_id = open_source(database)
    add_tracklet(database, source_id, 4)
    with pytest.raises(AlreadyStoredError, match=f"track 4 of source {source_id}"):
        add_tracklet(database, source_id, 4)
    with database.read() as session:
        assert TrackletRepository(session).count() == 1
        assert TrackletRepository(session).stored_track_nos(source_id) == {4}
        assert len(Outbox(session).after(0)) == 1


def test_the_same_track_number_of_two_sources_is_two_tracklets(database):
    first, second = open_source(database, content_hash="a"), open_source(database, content_hash="b")
    assert add_tracklet(database, first) != add_tracklet(database, second)


def test_nothing_of_a_failed_transaction_is_stored(database):
    source_id = open_source(database)

    def fail() -> None:
        with database.write() as session:
            TrackletRepository(session).add(source_id, "cam1", make_tracklet(), "blob", make_embedding())
            SourceRepository(session).advance(source_id, cursor_frame=50, next_track_no=2, next_track_id=9)
            raise RuntimeError("power")

    with pytest.raises(RuntimeError, match="power"):
        fail()
    with database.read() as session:
        tracklets = TrackletRepository(session)
        assert tracklets.count() == 0
        assert list(tracklets.iter_vectors("model-a")) == []
        assert Outbox(session).after(0) == []
        assert SourceRepository(session).by_id(source_id).cursor_frame == 0


def test_the_news_of_a_tracklet_names_it(database):
    number = add_tracklet(database, open_source(database))
    with database.read() as session:
        (event,) = Outbox(session).after(0)
        stored = TrackletRepository(session).by_no(number)
    assert event.kind == "tracklet.added"
    assert event.payload == {
        "tracklet_no": number,
        "tracklet_id": str(stored.tracklet_id),
        "camera_id": "cam1",
        "model_ids": ["model-a"],
    }


def test_a_tracklet_can_have_vectors_of_two_models(database):
    source_id = open_source(database)
    both = [make_embedding(1), make_embedding(2, model_id="model-b", dim=4, crops=1)]
    with database.write() as session:
        number = TrackletRepository(session).add(source_id, "cam1", make_tracklet(), "blob", both, crop_nos=None)
    with database.read() as session:
        tracklets = TrackletRepository(session)
        assert tracklets.embedding(number, "model-a").vector.shape == (8,)
        assert tracklets.embedding(number, "model-b").crop_vectors.shape == (1, 4)


def test_a_tracklet_without_crops_or_vectors_is_stored(database):
    source_id = open_source(database)
    with database.write() as session:
        number = TrackletRepository(session).add(source_id, "cam1", make_tracklet(crops=0), "blob", [])
    with database.read() as session:
        stored = TrackletRepository(session).by_no(number)
    assert (stored.quality, stored.crop_count, stored.display_order) == (0.0, 0, ())


@pytest.mark.parametrize("crop_nos", [(0,), (0, 0), (0, 3), (-1, 0)])
def test_crop_vectors_must_belong_to_crops_of_the_tracklet(database, crop_nos):
    source_id = open_source(database)
    with pytest.raises(ValueError, match="cannot belong to crops"), database.write() as session:
        TrackletRepository(session).add(source_id, "cam1", make_tracklet(), "blob", make_embedding(), crop_nos=crop_nos)


def test_vectors_of_unlike_length_are_refused(database):
    source_id = open_source(database)
    odd = Embedding("model-a", np.zeros(8, np.float32), np.zeros((2, 7), np.float32))
    with pytest.raises(ValueError, match=r"\(8,\) and \(2, 7\)"), database.write() as session:
        TrackletRepository(session).add(source_id, "cam1", make_tracklet(), "blob", odd)


def test_a_tracklet_of_no_observation_is_refused(database):
    source_id = open_source(database)
    empty = Tracklet(1, make_path(0), (), (), (640, 480))
    with pytest.raises(ValueError, match="has no observation"), database.write() as session:
        TrackletRepository(session).add(source_id, "cam1", empty, "blob", [])


@pytest.mark.parametrize("start_s", [float("nan"), float("inf"), float("-inf")])
def test_times_that_are_no_times_are_refused(database, start_s):
    source_id = open_source(database)
    with pytest.raises(ValueError, match="must end after its start"):
        add_tracklet(database, source_id, start_s=start_s)


def test_a_refused_double_does_not_end_the_transaction(database):
    source_id = open_source(database)
    add_tracklet(database, source_id, 1)
    with database.write() as session:
        tracklets = TrackletRepository(session)
        with pytest.raises(AlreadyStoredError):
            tracklets.add(source_id, "cam1", make_tracklet(1), "blob", make_embedding())
        number = tracklets.add(source_id, "cam1", make_tracklet(2), "blob", make_embedding())
    with database.read() as session:
        assert TrackletRepository(session).by_no(number).track_no == 2


def test_a_source_of_another_camera_is_refused(database):
    source_id = open_source(database)
    open_source(database, "cam2")
    with pytest.raises(ValueError, match="belongs to camera cam1, not cam2"):
        add_tracklet(database, source_id, camera_id="cam2")
    with pytest.raises(StorageError, match="there is no source"):
        add_tracklet(database, uuid4())


def test_a_removed_tracklet_takes_its_vectors_along_and_is_told_of(database):
    source_id = open_source(database)
    keep, gone = add_tracklet(database, source_id, 1), add_tracklet(database, source_id, 2)
    with database.write() as session:
        assert TrackletRepository(session).delete(gone) == "blob-2"
    with database.read() as session:
        tracklets = TrackletRepository(session)
        assert tracklets.count() == 1
        assert [int(no) for rows in tracklets.iter_vectors("model-a") for no in rows.tracklet_nos] == [keep]
        assert tracklets.blob_keys() == {"blob-1"}
        last = Outbox(session).after(0)[-1]
    assert (last.kind, last.payload["tracklet_no"]) == ("tracklet.removed", gone)


def test_removing_an_unknown_tracklet_is_refused(database):
    with pytest.raises(UnknownTrackletError), database.write() as session:
        TrackletRepository(session).delete(5)


def test_the_number_of_a_removed_tracklet_is_not_used_again(database):
    source_id = open_source(database)
    number = add_tracklet(database, source_id, 1)
    with database.write() as session:
        TrackletRepository(session).delete(number)
    assert add_tracklet(database, source_id, 1) > number


def test_vectors_of_two_lengths_under_one_model_are_refused(database):
    source_id = open_source(database)
    with database.write() as session:
        tracklets = TrackletRepository(session)
        tracklets.add(source_id, "cam1", make_tracklet(1), "a", make_embedding(dim=8))
        tracklets.add(source_id, "cam1", make_tracklet(2), "b", make_embedding(dim=4))
    with database.read() as session, pytest.raises(StorageError, match="differ in length"):
        list(TrackletRepository(session).iter_vectors("model-a"))


def test_threads_add_tracklets_side_by_side(database):
    sources = [open_source(database, f"cam{n}") for n in range(4)]
    failures: list[BaseException] = []

    def work(camera_no: int) -> None:
        try:
            for track_no in range(1, 6):
                add_tracklet(database, sources[camera_no], track_no, camera_id=f"cam{camera_no}")
        except BaseException as error:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with database.read() as session:
        assert TrackletRepository(session).count() == 20
        numbers = [event.seq for event in Outbox(session).after(0)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 20
