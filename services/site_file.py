"""The site file (TOML): a site's cameras, where their videos lie, and the walking paths between them.

[site]
name = "ring"

[[cameras]]
id = "cam1"
source = "videos/cam1.mp4"          # beside the site file, or an absolute path
start = "2026-01-01T08:00:00Z"      # optional; without a zone it is UTC
position_m = [0.0, 12.5]            # optional

[[links]]
cameras = ["cam1", "cam2"]
distance_m = 18.5
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeGuard

from reid_core.errors import InputError, SiteFileError
from reid_core.types import Camera, CameraLink

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Site", "SiteSource", "parse_time", "read_site"]


@dataclass(frozen=True, slots=True)
class SiteSource:
    """One video of the site.

    Attributes:
        camera_id: The camera that took it.
        path: Where it lies.
        start_s: UTC epoch seconds of its first frame, ``None`` where the site file does not say.
    """

    camera_id: str
    path: Path
    start_s: float | None


@dataclass(frozen=True, slots=True)
class Site:
    """What a site file says."""

    name: str
    cameras: tuple[Camera, ...]
    links: tuple[CameraLink, ...]
    sources: tuple[SiteSource, ...]


def read_site(path: Path) -> Site:
    """Read a site file.

    Raises:
        SiteFileError: If it is not there, not TOML, or says something that cannot be; names file, entry and value.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return _site(content, path)
    except OSError as error:
        raise SiteFileError(f"{path}: {error.strerror}") from error
    except (ValueError, InputError) as error:
        raise SiteFileError(f"{path}: {getattr(error, 'detail', error)}") from error


def parse_time(text: str) -> float:
    """UTC epoch seconds of a time in ISO 8601 form; one without a zone is taken as UTC.

    Raises:
        InputError: If it is no such time.

    Example:
        >>> parse_time("2026-01-01T08:00:00Z")
        1767254400.0
        >>> parse_time("2026-01-01 09:00:00.5+01:00")
        1767254400.5
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is no time such as 2026-01-01T08:00:00Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _site(content: dict[str, Any], path: Path) -> Site:
    entries = _tables(content, "cameras")
    if not entries:
        raise ValueError("no [[cameras]] entry")
    cameras = tuple(_camera(entry) for entry in entries)
    known = [camera.camera_id for camera in cameras]
    twice = sorted({camera_id for camera_id in known if known.count(camera_id) > 1})
    if twice:
        raise ValueError(f"camera {twice[0]!r} is given twice")
    links = tuple(_link(entry, known) for entry in _tables(content, "links"))
    sources = tuple(_source(entry, path.parent) for entry in entries if "source" in entry)
    return Site(str(content.get("site", {}).get("name", path.stem)), cameras, links, sources)


def _tables(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    entries = content.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError(f"{name} must be given as [[{name}]] entries")
    return entries


def _camera(entry: dict[str, Any]) -> Camera:
    camera_id = entry.get("id")
    if not isinstance(camera_id, str) or not camera_id:
        raise ValueError(f"a camera needs an id, got {camera_id!r}")
    if "position_m" not in entry:
        return Camera(camera_id)
    position = entry["position_m"]
    if not isinstance(position, list) or len(position) != 2 or not all(_is_number(part) for part in position):
        raise ValueError(f"camera {camera_id!r} needs position_m = [x, y], got {position!r}")
    return Camera(camera_id, (float(position[0]), float(position[1])))


def _source(entry: dict[str, Any], folder: Path) -> SiteSource:
    camera_id, source, start = entry["id"], entry["source"], entry.get("start")
    if not isinstance(source, str) or not source:
        raise ValueError(f'camera {camera_id!r} needs source = "FILE", got {source!r}')
    start_s = None
    if start is not None:
        start_s = parse_time(start.isoformat() if isinstance(start, datetime) else str(start))
    return SiteSource(camera_id, folder / source, start_s)


def _link(entry: dict[str, Any], known: list[str]) -> CameraLink:
    ends, distance_m = entry.get("cameras"), entry.get("distance_m")
    if not isinstance(ends, list) or len(ends) != 2 or ends[0] == ends[1]:
        raise ValueError(f'a link needs cameras = ["one", "other"], got {ends!r}')
    strangers = [end for end in ends if end not in known]
    if strangers:
        raise ValueError(f"a link names camera {strangers[0]!r}, which has no [[cameras]] entry")
    if not _is_number(distance_m) or distance_m < 0:
        raise ValueError(f"the link of {ends[0]!r} and {ends[1]!r} needs distance_m = METRES, got {distance_m!r}")
    return CameraLink(ends[0], ends[1], float(distance_m))


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
