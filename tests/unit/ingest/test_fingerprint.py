from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from reid_core.errors import InputError
from services.ingest.fingerprint import content_hash

if TYPE_CHECKING:
    from pathlib import Path


def test_hash_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"pictures")
    assert content_hash(tmp_path / "a.mp4") == hashlib.sha256(b"pictures").hexdigest()


def test_name_of_a_file_does_not_matter_but_names_in_a_folder_do(tmp_path: Path) -> None:
    for folder, names in (("one", "ab"), ("other", "ab"), ("swapped", "ba")):
        (tmp_path / folder).mkdir()
        for name, content in zip(names, (b"1", b"2"), strict=True):
            (tmp_path / folder / name).write_bytes(content)
    assert content_hash(tmp_path / "one") == content_hash(tmp_path / "other")
    assert content_hash(tmp_path / "one") != content_hash(tmp_path / "swapped")


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.mp4"):
        content_hash(tmp_path / "none.mp4")
