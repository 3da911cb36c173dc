from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from reid_core.errors import StorageError, WeightsError
from reid_core.vision import network_cache
from reid_core.vision.network_cache import network_once

if TYPE_CHECKING:
    from pathlib import Path

_EXPORTER = """
import sys
from pathlib import Path
said, folder = sys.argv[1], Path(sys.argv[2])
if said == "hang":
    __import__("threading").Event().wait()
if said == "refuse":
    sys.exit("these are no weights")
if said == "other":
    Path(sys.argv[2]).parent.joinpath("net").mkdir()
    Path(sys.argv[2]).parent.joinpath("net", "network.xml").write_text("the other's")
if said != "nothing":
    (folder / "network.xml").write_text(said)
"""


@pytest.fixture
def exporter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "fake_exporter.py").write_text(_EXPORTER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    return "fake_exporter"


def test_a_network_is_made_once(tmp_path: Path, exporter: str):
    folder = tmp_path / "cache" / "net"
    assert network_once(folder, exporter=exporter, arguments=["first"]).read_text() == "first"
    assert network_once(folder, exporter=exporter, arguments=["second"]).read_text() == "first"


def test_the_later_of_two_uses_what_the_earlier_made(tmp_path: Path, exporter: str):
    folder = tmp_path / "cache" / "net"
    assert network_once(folder, exporter=exporter, arguments=["other"]).read_text() == "the other's"
    assert [path.name for path in folder.parent.iterdir()] == ["net"]


def test_weights_that_the_exporter_refuses_leave_nothing_behind(tmp_path: Path, exporter: str):
    folder = tmp_path / "cache" / "net"
    with pytest.raises(WeightsError, match="these are no weights"):
        network_once(folder, exporter=exporter, arguments=["refuse"])
    assert list(folder.parent.iterdir()) == []


def test_an_exporter_that_hangs_is_ended_and_leaves_nothing_behind(
    tmp_path: Path, exporter: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(network_cache, "_PATIENCE_S", 0.2)
    folder = tmp_path / "cache" / "net"
    with pytest.raises(WeightsError, match="converting took more than 0 s"):
        network_once(folder, exporter=exporter, arguments=["hang"])
    assert list(folder.parent.iterdir()) == []


def test_an_exporter_that_writes_nothing_is_noticed(tmp_path: Path, exporter: str):
    with pytest.raises(StorageError, match="could not be put in place"):
        network_once(tmp_path / "cache" / "net", exporter=exporter, arguments=["nothing"])


def test_a_cache_that_is_a_file_is_refused(tmp_path: Path, exporter: str):
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(StorageError):
        network_once(tmp_path / "cache" / "net", exporter=exporter, arguments=["first"])
