from __future__ import annotations

from dataclasses import replace

import pytest

from reid_core.errors import DemoFolderError
from services.cli.demo_folder import DemoFolder, DemoSite

SITE = DemoSite(seed=7, cameras=4, people=100, minutes=2.0, difficulty="default", version="0.1.0")


def simulated(folder: DemoFolder) -> None:
    folder.site_dir.mkdir(parents=True)
    folder.site_file.touch()
    folder.note_simulated(SITE)


def test_a_new_folder_is_made_and_holds_nothing(tmp_path):
    folder = DemoFolder(tmp_path / "data")
    assert folder.claim(SITE) is False
    assert (tmp_path / "data").is_dir()


def test_a_finished_site_is_taken_up_again(tmp_path):
    folder = DemoFolder(tmp_path)
    simulated(folder)
    assert folder.claim(SITE) is True
    assert folder.site_file.exists()


def test_what_an_interrupted_run_left_is_not_taken_for_a_site(tmp_path):
    folder = DemoFolder(tmp_path)
    folder.note_simulated(SITE)
    (folder.site_dir / "videos").mkdir(parents=True)
    assert folder.claim(SITE) is False


def test_another_site_is_never_overwritten(tmp_path):
    folder = DemoFolder(tmp_path)
    simulated(folder)
    with pytest.raises(DemoFolderError, match="4 cameras, 100 people, 2 minutes, seed 7, difficulty default"):
        folder.claim(replace(SITE, seed=8))
    assert folder.site_file.exists()


def test_an_installation_that_is_no_demo_is_left_alone(tmp_path):
    (tmp_path / "reknit.db").touch()
    with pytest.raises(DemoFolderError, match="no demo"):
        DemoFolder(tmp_path).claim(SITE)


def test_a_note_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "demo-site.json").write_text("{")
    with pytest.raises(DemoFolderError, match=r"demo-site\.json cannot be read"):
        DemoFolder(tmp_path).claim(SITE)


def test_options_rebuild_the_site():
    options = SITE.as_options()
    assert dict(zip(options[::2], options[1::2], strict=True)) == {
        "--seed": "7",
        "--cameras": "4",
        "--people": "100",
        "--minutes": "2.0",
        "--difficulty": "default",
    }
