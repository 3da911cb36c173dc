"""What step 2 makes of what step 1 stored, and what going back leaves."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.storage.session import Database

BEFORE, AFTER = "0001_first_light", "0002_learning"
GENERATION = "INSERT INTO generations (generation_id, model_id, state, created_at_s) VALUES ('{}', '{}', '{}', {})"
ID = "0198000000007000800000000000000{}"


@pytest.fixture
def old_database(empty_database_url):
    """A database as step 1 left it: a retired, a current and a candidate generation, and one vector of 3 numbers."""
    with Database(empty_database_url) as database:
        database.upgrade(BEFORE)
        with database.write() as session:
            for number, (model, state) in enumerate([("a", "retired"), ("a", "current"), ("b", "candidate")]):
                session.execute(text(GENERATION.format(ID.format(number), model, state, 10.0 + number)))
            session.execute(text("INSERT INTO cameras (camera_id, created_at_s) VALUES ('c', 0)"))
            _insert_tracklet(session)
        yield database


def _insert_tracklet(session) -> None:
    session.execute(
        text(
            "INSERT INTO sources (source_id, camera_id, content_hash, uri, start_s, clock_quality, frame_width, "
            "frame_height, fps, cursor_frame, next_track_no, next_track_id, state, problems, created_at_s) VALUES "
            f"('{ID.format(7)}', 'c', 'x', 'x', 0, 'file', 1, 1, 1, 0, 0, 0, 'finished', '[]', 0)"
        )
    )
    session.execute(
        text(
            "INSERT INTO tracklets (tracklet_no, tracklet_id, source_id, camera_id, track_no, start_s, end_s, "
            "clock_quality, quality, frame_width, frame_height, blob_key, crop_count, display_order, created_at_s, "
            f"crops, path) VALUES (1, '{ID.format(8)}', '{ID.format(7)}', 'c', 1, 0, 1, 'file', 1, 1, 1, 'k', 0, '[]', "
            "0, '[]', :path)"
        ),
        {"path": b"x"},
    )
    session.execute(
        text(
            "INSERT INTO embeddings (model_id, tracklet_no, vec, crop_nos, crop_vecs) VALUES ('a', 1, :vec, '[]', :no)"
        ),
        {"vec": b"123456", "no": b""},
    )


def _rows(database, query: str) -> list[tuple]:
    with database.read() as session:
        return [tuple(row) for row in session.execute(text(query))]


def test_generations_of_before_go_on_and_their_models_are_cold_starts(old_database):
    old_database.upgrade(AFTER)
    current = _rows(old_database, "SELECT model_id, created_at_s FROM generations WHERE state = 'current'")
    assert current == [("a", 11.0)]
    found = _rows(old_database, "SELECT model_id, kind, dim, created_at_s FROM models ORDER BY model_id")
    assert found == [("a", "cold-start", 3, 10.0), ("b", "cold-start", None, 12.0)]
    assert _rows(old_database, "SELECT kind, previous_id, created_at_s FROM promotions") == [("cold-start", None, 11.0)]
    assert _rows(old_database, "SELECT state, promoted_at_s FROM generations ORDER BY created_at_s") == [
        ("retired", None),
        ("current", 11.0),
        ("candidate", None),
    ]


def test_going_back_keeps_every_generation_that_step_1_can_hold(old_database):
    before = _rows(old_database, "SELECT * FROM generations ORDER BY created_at_s")
    old_database.upgrade(AFTER)
    with old_database.write() as session:
        session.execute(text(GENERATION.format(ID.format(9), "b", "rejected", 20.0)))
    old_database.downgrade(BEFORE)
    assert _rows(old_database, "SELECT * FROM generations ORDER BY created_at_s") == before
    assert len(_rows(old_database, "SELECT 1 FROM embeddings")) == 1
    old_database.upgrade(AFTER)
    assert old_database.current_revision() == AFTER


def test_only_one_generation_can_be_current_after_the_step_too(old_database):
    old_database.upgrade(AFTER)
    with pytest.raises(IntegrityError), old_database.write() as session:
        session.execute(text("UPDATE generations SET state = 'current'"))
    with pytest.raises(IntegrityError), old_database.write() as session:
        session.execute(text("UPDATE generations SET state = 'hopeful' WHERE state = 'candidate'"))
