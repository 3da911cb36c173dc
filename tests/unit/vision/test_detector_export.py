"""The converted network is kept by content and appears whole or not at all."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from reid_core.errors import StorageError, WeightsError
from reid_core.vision import detector_export
from reid_core.vision.detector import load_detector
from reid_core.vision.detector_export import converted_network

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def weights(tmp_path):
    file = tmp_path / "net.pt"
    file.write_bytes(b"weights")
    return file


@pytest.fixture
def conversions(monkeypatch):
    done: list[Path] = []

    def convert(_weights: Path, folder: Path) -> None:
        done.append(folder)
        (folder / "network.xml").write_text(f"conversion {len(done)}")

    monkeypatch.setattr(detector_export, "_convert_in_child", convert)
    return done


def test_network_is_converted_once_for_each_content(tmp_path, weights, conversions):
    first = converted_network(weights, tmp_path / "cache")
    assert converted_network(weights, tmp_path / "cache") == first
    assert len(conversions) == 1
    weights.write_bytes(b"other weights")
    assert converted_network(weights, tmp_path / "cache") != first
    assert len(conversions) == 2


def test_of_two_processes_the_later_takes_the_earlier_ones_network(tmp_path, weights, monkeypatch):
    def convert(_weights: Path, folder: Path) -> None:
        (folder / "network.xml").write_text("mine")
        other = folder.parent / folder.name[1:].rsplit(".", 1)[0]
        other.mkdir()
        (other / "network.xml").write_text("theirs")

    monkeypatch.setattr(detector_export, "_convert_in_child", convert)
    network = converted_network(weights, tmp_path / "cache")
    assert network.read_text() == "theirs"
    assert [folder.name for folder in (tmp_path / "cache" / "networks").iterdir()] == [network.parent.name]


def test_failed_conversion_leaves_nothing_behind(tmp_path, weights, monkeypatch):
    def fail(_weights: Path, folder: Path) -> None:
        (folder / "network.xml").write_text("half")
        raise WeightsError("no detector")

    monkeypatch.setattr(detector_export, "_convert_in_child", fail)
    with pytest.raises(WeightsError, match="no detector"):
        converted_network(weights, tmp_path / "cache")
    assert list((tmp_path / "cache" / "networks").iterdir()) == []


def test_error_of_the_converting_process_is_its_last_line(tmp_path, weights, monkeypatch):
    def run(command, **_options):
        return subprocess.CompletedProcess(command, 2, "", "noise\nnet.pt holds no detector\n")

    monkeypatch.setattr(detector_export.subprocess, "run", run)
    with pytest.raises(WeightsError, match=r"net\.pt holds no detector$"):
        converted_network(weights, tmp_path / "cache")


def test_cache_that_cannot_be_written_is_told(weights, conversions):
    with pytest.raises(StorageError):
        converted_network(weights, weights)
    assert conversions == []


@pytest.mark.parametrize("wrong", [{"backend": "abacus"}, {"precision": "f8"}])
def test_unknown_backend_and_precision_are_refused(tmp_path, weights, wrong):
    with pytest.raises(ValueError, match="must be"):
        load_detector(weights=weights, cache_dir=tmp_path, **wrong)
