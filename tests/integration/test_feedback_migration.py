"""What step 3 adds to what step 2 stored, and what going back leaves."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from services.storage.session import Database

BEFORE, AFTER = "0002_learning", "0003_feedback"
ID = "0198000000007000800000000000000{}"


@pytest.fixture
def old_database(empty_database_url):
    """A database as step 2 left it: a cold start that answers, and a candidate that job 5 made."""
    with Database(empty_database_url) as database:
        database.upgrade(BEFORE)
        with database.write() as session:
            session.execute(
                text(
                    "INSERT INTO jobs (job_id, kind, state, created_at_s, options) "
                    f"VALUES ('{ID.format(5)}', 'train', 'failed', 0, '{{}}')"
                )
            )
            for model, job, state in (("a", "NULL", "current"), ("b", f"'{ID.format(5)}'", "candidate")):
                session.execute(
                    text(
                        "INSERT INTO models (model_id, kind, job_id, created_at_s, metrics, files) "
                        f"VALUES ('{model}', 'learned', {job}, 0, '{{}}', '{{}}')"
                    )
                )
                session.execute(
                    text(
                        "INSERT INTO generations (generation_id, model_id, state, created_at_s) "
                        f"VALUES ('{ID.format(model)}', '{model}', '{state}', 0)"
                    )
                )
        yield database


def _generations(database, columns: str) -> list[tuple]:
    with database.read() as session:
        found = session.execute(text(f"SELECT {columns} FROM generations ORDER BY model_id"))
        return [tuple(str(value).replace("-", "") for value in row) for row in found]


def test_generations_of_before_know_the_job_that_made_them(old_database):
    old_database.upgrade(AFTER)
    found = _generations(old_database, "generation_id, state, job_id")
    assert found == [(ID.format("a"), "current", "None"), (ID.format("b"), "candidate", ID.format(5))]


def test_going_back_keeps_the_generations(old_database):
    before = _generations(old_database, "*")
    old_database.upgrade(AFTER)
    old_database.downgrade(BEFORE)
    assert _generations(old_database, "*") == before
    old_database.upgrade(AFTER)
    assert old_database.current_revision() == AFTER
