"""The converted network is kept by content; that it appears whole or not at all is the network cache's to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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


def test_network_is_named_by_the_content_of_its_weights(tmp_path, weights, monkeypatch):
    asked: list[tuple[Path, str, list[str]]] = []

    def made(folder: Path, *, exporter: str, arguments: list[str]) -> Path:
        asked.append((folder, exporter, arguments))
        return folder / "network.xml"

    monkeypatch.setattr(detector_export, "network_once", made)
    first = converted_network(weights, tmp_path / "cache")
    assert converted_network(weights, tmp_path / "cache") == first
    weights.write_bytes(b"other weights")
    assert converted_network(weights, tmp_path / "cache") != first
    assert {exporter for _folder, exporter, _arguments in asked} == {detector_export.__name__}
    assert asked[0][2] == [str(weights)]


@pytest.mark.parametrize("wrong", [{"backend": "abacus"}, {"precision": "f8"}])
def test_unknown_backend_and_precision_are_refused(tmp_path, weights, wrong):
    with pytest.raises(ValueError, match="must be"):
        load_detector(weights=weights, cache_dir=tmp_path, **wrong)
