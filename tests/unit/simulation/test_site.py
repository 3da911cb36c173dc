from __future__ import annotations

import json
import tomllib

import av
import numpy as np
import pytest

from reid_core.errors import SimulationSettingsError
from reid_core.simulation import recording
from reid_core.simulation.recording import whole_file
from reid_core.simulation.settings import SiteSettings
from reid_core.simulation.site import simulate_site
from reid_core.simulation.truth import iso_time

TINY = SiteSettings(seed=7, cameras=2, people=20, minutes=0.04, processes=1)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    steps = []
    site = simulate_site(tmp_path_factory.mktemp("site") / "out", TINY, on_progress=steps.append)
    assert sum(steps) == TINY.total_frames
    return site


def test_site_file_names_cameras_sources_starts_and_links(tiny):
    site = tomllib.loads(tiny.site_file.read_text())
    assert [camera["id"] for camera in site["cameras"]] == ["cam1", "cam2"]
    assert [camera["source"] for camera in site["cameras"]] == ["videos/cam1.mp4", "videos/cam2.mp4"]
    assert all(set(camera) == {"id", "source", "start", "position_m"} for camera in site["cameras"])
    assert site["links"][0]["cameras"] == ["cam1", "cam2"]
    assert set(site["links"][0]) == {"cameras", "distance_m"}


def test_only_the_truth_knows_the_clocks_errors(tiny):
    site = tomllib.loads(tiny.site_file.read_text())
    offsets = json.loads((tiny.truth_dir / "offsets.json").read_text())
    for camera in site["cameras"]:
        truth = offsets[camera["id"]]
        assert camera["start"] == truth["stated_start"] != truth["true_start"]
        assert str(truth["offset_s"]) not in tiny.site_file.read_text()
    assert len({truth["true_start"] for truth in offsets.values()}) == 2


def test_videos_decode_to_the_frames_promised(tiny):
    for camera, video in enumerate(tiny.videos):
        with av.open(str(video)) as container:
            stream = container.streams.video[0]
            times = [float(frame.pts * stream.time_base) for frame in container.decode(video=0)]
            assert "creation_time" not in container.metadata
        assert len(times) == TINY.frames_of(camera)
        np.testing.assert_allclose(np.diff(times), 0.1)


def test_truth_rows_are_motchallenge_with_visibility(tiny):
    rows = np.loadtxt(tiny.truth_dir / "boxes" / "cam1.txt", delimiter=",", ndmin=2)
    assert rows.shape[1] == 9
    assert rows[:, 0].min() >= 1
    assert rows[:, 0].max() <= TINY.frames_of(0)
    assert set(rows[:, 1]) <= set(range(1, 21))
    assert (rows[:, 6:8] == 1).all()
    assert ((rows[:, 8] >= 0.05) & (rows[:, 8] <= 1)).all()
    keypoints = np.load(tiny.truth_dir / "keypoints" / "cam1.npz")
    np.testing.assert_array_equal(keypoints["frame"], rows[:, 0])
    np.testing.assert_array_equal(keypoints["person_id"], rows[:, 1])
    assert keypoints["keypoints"].shape == (len(rows), 17, 3)


def test_visits_hold_true_times_of_their_boxes(tiny):
    lines = (tiny.truth_dir / "visits.csv").read_text().splitlines()
    assert lines[0] == "person_id,camera_id,start_s,end_s"
    assert len(lines) == tiny.visits + 1
    offsets = json.loads((tiny.truth_dir / "offsets.json").read_text())
    for line in lines[1:]:
        person, camera, start_s, end_s = line.split(",")
        rows = np.loadtxt(tiny.truth_dir / "boxes" / f"{camera}.txt", delimiter=",", ndmin=2)
        frames = rows[rows[:, 1] == int(person), 0]
        assert float(start_s) <= float(end_s)
        assert iso_time(float(start_s) - (frames.min() - 1) / 10) == offsets[camera]["true_start"]


def test_another_seed_is_another_site(tiny, tmp_path):
    other = simulate_site(tmp_path / "out", SiteSettings(seed=8, cameras=2, people=3, minutes=0.01, processes=1))
    assert other.site_file.read_text() != tiny.site_file.read_text()


def test_folder_of_something_else_is_refused_and_kept(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(SimulationSettingsError, match="is not empty and holds no simulated site"):
        simulate_site(tmp_path, TINY)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_file_instead_of_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SimulationSettingsError, match="is not a folder"):
        simulate_site(tmp_path / "file", TINY)


def test_earlier_simulation_is_replaced_whole(tmp_path):
    settings = SiteSettings(seed=7, cameras=3, people=2, minutes=0.005, processes=1)
    simulate_site(tmp_path / "out", settings)
    simulate_site(tmp_path / "out", SiteSettings(seed=7, cameras=2, people=2, minutes=0.005, processes=1))
    assert sorted(path.name for path in (tmp_path / "out" / "videos").iterdir()) == ["cam1.mp4", "cam2.mp4"]


def test_interrupted_recording_leaves_no_video_and_no_site_file(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(recording.VideoWriter, "write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        simulate_site(tmp_path / "out", TINY)
    assert list((tmp_path / "out" / "videos").iterdir()) == []
    assert not (tmp_path / "out" / "site.toml").exists()


def test_file_takes_its_name_only_when_it_is_whole(tmp_path):
    with whole_file(tmp_path / "a.txt") as partial:
        partial.write_text("half")
        assert not (tmp_path / "a.txt").exists()
    assert (tmp_path / "a.txt").read_text() == "half"


def test_file_that_was_not_finished_is_gone(tmp_path):
    def write_half():
        with whole_file(tmp_path / "b.txt") as partial:
            partial.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert list(tmp_path.iterdir()) == []
