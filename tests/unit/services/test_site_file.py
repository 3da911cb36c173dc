from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reid_core.errors import InputError, SiteFileError
from reid_core.types import Camera, CameraLink
from services.site_file import SiteSource, parse_time, read_site

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """
[site]
name = "ring"

[[cameras]]
id = "cam1"
source = "videos/cam1.mp4"
start = "2026-01-01T08:00:00Z"
position_m = [0, 12.5]

[[cameras]]
id = "cam2"

[[links]]
cameras = ["cam1", "cam2"]
distance_m = 18.5
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_site_file_is_read_with_sources_beside_it(tmp_path: Path) -> None:
    site = read_site(write(tmp_path, WHOLE))
    assert site.name == "ring"
    assert site.cameras == (Camera("cam1", (0.0, 12.5)), Camera("cam2"))
    assert site.links == (CameraLink("cam1", "cam2", 18.5),)
    assert site.sources == (SiteSource("cam1", tmp_path / "videos/cam1.mp4", 1767254400.0),)


def test_start_may_be_a_toml_time_or_absent(tmp_path: Path) -> None:
    first_entry = '[[cameras]]\nid = "a"\nsource = "/v/a.mp4"\nstart = 2026-01-01T09:00:00+01:00\n'
    text = first_entry + '[[cameras]]\nid = "b"\nsource = "b"'
    first, second = read_site(write(tmp_path, text)).sources
    assert first.start_s == 1767254400.0
    assert str(first.path) == "/v/a.mp4"
    assert second.start_s is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("this is = not toml =", "line 1"),
        ("[site]\nname = 'empty'", "no [[cameras]] entry"),
        ("cameras = 3", "[[cameras]]"),
        ("[[cameras]]\nsource = 'a.mp4'", "needs an id"),
        ("[[cameras]]\nid = 'a'\n[[cameras]]\nid = 'a'", "given twice"),
        ("[[cameras]]\nid = 'a'\nposition_m = [1]", "position_m"),
        ("[[cameras]]\nid = 'a'\nposition_m = [1, true]", "position_m"),
        ("[[cameras]]\nid = 'a'\nsource = 7", "needs source"),
        ("[[cameras]]\nid = 'a'\nsource = 'a.mp4'\nstart = 'yesterday'", "yesterday"),
        ("[[cameras]]\nid = 'a'\n[[links]]\ncameras = ['a']\ndistance_m = 1", "a link needs cameras"),
        ("[[cameras]]\nid = 'a'\n[[links]]\ncameras = ['a', 'b']\ndistance_m = 1", "'b'"),
        ("[[cameras]]\nid = 'a'\n[[cameras]]\nid = 'b'\n[[links]]\ncameras = ['a', 'b']\ndistance_m = -1", "-1"),
    ],
)
def test_site_file_that_cannot_be_is_refused_with_the_reason(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SiteFileError) as refusal:
        read_site(write(tmp_path, text))
    assert says in str(refusal.value)
    assert "site.toml" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_missing_site_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SiteFileError, match="No such file"):
        read_site(tmp_path / "site.toml")


def test_time_without_a_zone_is_utc() -> None:
    assert parse_time("2026-01-01T08:00:00") == parse_time("2026-01-01T08:00:00Z") == 1767254400.0


def test_text_that_is_no_time_is_refused() -> None:
    with pytest.raises(InputError, match="'soon'"):
        parse_time("soon")
