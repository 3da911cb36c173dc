from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from services.ingest.locks import SourceBusyError, at_work, source_lock

if TYPE_CHECKING:
    from pathlib import Path


def test_source_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    with (
        source_lock(tmp_path, "a", says="a.mp4"),
        pytest.raises(SourceBusyError, match=r"a\.mp4"),
        source_lock(tmp_path, "a", says="a.mp4"),
    ):
        pass


def test_lock_can_be_taken_again_once_it_is_let_go(tmp_path: Path) -> None:
    for _ in range(2):
        with source_lock(tmp_path, "a", says="a.mp4"):
            pass


def test_different_sources_do_not_meet(tmp_path: Path) -> None:
    with source_lock(tmp_path, "a", says="a.mp4"), source_lock(tmp_path, "b", says="b.mp4"):
        pass


def test_only_the_first_at_work_is_alone(tmp_path: Path) -> None:
    alone: list[str] = []
    with (
        at_work(tmp_path, when_alone=lambda: alone.append("first")),
        at_work(tmp_path, when_alone=lambda: alone.append("second")),
    ):
        pass
    with at_work(tmp_path, when_alone=lambda: alone.append("third")):
        pass
    assert alone == ["first", "third"]
