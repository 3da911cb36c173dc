from __future__ import annotations

import time

import pytest

from services.cli import children, worker_child
from services.cli.worker_child import supervised_worker
from services.settings import Settings
from services.trainer.locks import DEFAULT_WORKER, worker_lock


@pytest.fixture
def site(tmp_path, monkeypatch):
    """An installation whose worker notes that it ran and then does as the test says."""
    monkeypatch.setattr(worker_child, "_FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(worker_child, "_LOOK_S", 0.02)

    def does(then: str) -> Settings:
        note = f"open({str(tmp_path / 'ran')!r}, 'a').write('x'); import sys, time; {then}"
        monkeypatch.setattr(children, "_START", note)
        return Settings(data_dir=tmp_path)

    return does


def runs(settings):
    note = settings.data_dir / "ran"
    return len(note.read_text()) if note.exists() else 0


def test_a_worker_runs_beside_the_block_and_ends_with_it(site):
    settings = site("time.sleep(60)")
    with supervised_worker(settings):
        wait_for(lambda: runs(settings) == 1)
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 10


def test_a_worker_that_ends_is_started_again(site):
    settings = site("sys.exit(1)")
    with supervised_worker(settings):
        wait_for(lambda: runs(settings) >= 3)


def test_nothing_is_started_while_another_worker_holds_the_folder(site):
    settings = site("time.sleep(60)")
    with worker_lock(settings.locks_dir, DEFAULT_WORKER), supervised_worker(settings):
        until_s = time.monotonic() + 0.3
        wait_for(lambda: time.monotonic() > until_s)
        assert runs(settings) == 0
    with supervised_worker(settings):
        wait_for(lambda: runs(settings) == 1)


def wait_for(condition, *, patience_s: float = 60.0) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)
