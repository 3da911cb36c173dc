"""Installations on which training jobs run in real processes."""

from __future__ import annotations

import psycopg
import pytest
from training_site import TrainingSite

from services.settings import Settings


@pytest.fixture(scope="session")
def _jobs_database(make_postgres_database):
    return make_postgres_database("training_jobs")


@pytest.fixture
def sqlite_site(tmp_path, sqlite_database):
    yield from _site(tmp_path, sqlite_database, Settings(data_dir=tmp_path))


@pytest.fixture
def postgres_site(tmp_path, postgres_database, _jobs_database):
    with psycopg.connect(_jobs_database, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS dbos CASCADE")
    url = postgres_database._url.set(drivername="postgresql").render_as_string(hide_password=False)
    settings = Settings(data_dir=tmp_path, database_url=url, jobs_database_url=_jobs_database)
    yield from _site(tmp_path, postgres_database, settings)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def site(request):
    """An installation on each database."""
    return request.getfixturevalue(f"{request.param}_site")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])])
def a_site(request):
    """An installation, in the default run on one database only."""
    return request.getfixturevalue(f"{request.param}_site")


def _site(folder, database, settings):
    made = TrainingSite(settings, database, folder / "logs")
    made.logs.mkdir()
    try:
        yield made
    finally:
        made.close()
