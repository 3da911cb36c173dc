"""Installations with stored people whose workers do the real steps, and what their jobs told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from real_cycle import store_people
from training_site import TrainingSite

from services import bootstrap
from services.settings import Settings
from services.storage.session import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWN = ("generation_id", "compared_with", "seconds")  # what differs between two installations


def a_site(folder: Path, database: Database, **settings) -> Iterator[TrainingSite]:
    """For a fixture: its workers end with the test."""
    made = TrainingSite(Settings(data_dir=folder, threads=1, **settings), database, folder / "logs", "real_step.py")
    made.logs.mkdir()
    store_people(database, bootstrap.open_blobs(made.settings))
    try:
        yield made
    finally:
        made.close()


def a_site_beside(tmp_path: Path) -> Iterator[TrainingSite]:
    """Another installation with the same people, for what nobody disturbs."""
    folder = tmp_path / "undisturbed"
    folder.mkdir()
    with Database(f"sqlite:///{folder / 'reknit.db'}") as database:
        database.upgrade()
        yield from a_site(folder, database, weights_dir=tmp_path / "weights")


def told(job):
    """All that a job told of its steps but what every installation draws for itself."""
    return without(job.result)


def without(value):
    if not isinstance(value, dict):
        return value
    return {name: without(one) for name, one in value.items() if name not in OWN}
