"""A small stored site, made by hand, scored and shown: real SQLite, real blobs, real index."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from reid_core.errors import GroundTruthError, InputError, NoGenerationError
from reid_core.evaluation.mot_files import write_mot
from reid_core.evaluation.ranking_page import ranking_page
from reid_core.evaluation.report_page import render_page
from reid_core.metrics.mot_boxes import MotBoxes
from reid_core.types import Camera, ClockQuality, Crop, CropQuality, Embedding, Tracklet, TrackPath
from reid_core.vision.contact_sheet import draw_contact_sheet
from reid_core.vision.crops import encode_crop
from services.bootstrap import open_blobs, open_database
from services.cli.main import app
from services.query.live_index import LiveIndex
from services.query.stored_queries import finder
from services.scoring import read_site_truth, score_site
from services.settings import Settings
from services.showcase import sheet_rows
from services.site_story import site_story
from services.storage.blobs import blob_key
from services.storage.cameras import CameraRepository
from services.storage.generations import GenerationRepository
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

    from services.storage.session import Database

FRAMES = np.arange(10)
SEEN = {  # camera: (person or nobody, angle of the look in degrees)
    "cam1": [(1, 0.0), (2, 40.0), (3, 80.0)],
    "cam2": [(1, 10.0), (2, 12.0), (None, 85.0)],
}


def box_of(place: int) -> list[float]:
    return [60.0 * place, 10.0, 60.0 * place + 40.0, 110.0]


def tracklet(track_no: int, place: int) -> Tracklet:
    boxes = np.tile(np.array(box_of(place), np.float32), (len(FRAMES), 1))
    path = TrackPath(FRAMES, 1000.0 + 5 * place + FRAMES / 10, boxes, np.ones(len(FRAMES), np.float32))
    jpeg, width, height = encode_crop(np.full((100, 40, 3), 20 * place, np.uint8))
    crop = Crop(0, float(path.times_s[0]), tuple(box_of(place)), jpeg, width, height, CropQuality(1, 1, 1, 1))
    return Tracklet(track_no, path, (crop,), (0,), (640, 480))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", database_url="")


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with open_database(settings) as database:
        yield database


@pytest.fixture
def site(settings: Settings, database: Database) -> dict[str, MotBoxes]:
    """Stores the site; returns its truth."""
    blobs, truth = open_blobs(settings), {}
    with database.write() as session:
        GenerationRepository(session).ensure_cold_start("angles")
        for camera_id, seen in SEEN.items():
            CameraRepository(session).ensure(Camera(camera_id))
            source = SourceRepository(session).open_source(
                camera_id,
                "hash",
                "video",
                start_s=1000.0,
                clock_quality=ClockQuality.STATED,
                frame_size_px=(640, 480),
                fps=10.0,
            )
            for place, (_, angle) in enumerate(seen):
                key = blob_key(source.source_id, place + 1)
                blobs.put_tracklet(key, tracklet(place + 1, place))
                vector = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))], np.float32)
                TrackletRepository(session).add(
                    source.source_id,
                    camera_id,
                    tracklet(place + 1, place),
                    key,
                    Embedding("angles", vector, vector[None]),
                )
            rows = [(f + 1, p, box_of(i)) for f in FRAMES for i, (p, _) in enumerate(seen) if p is not None]
            truth[camera_id] = MotBoxes.of([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows])
    return truth


def test_figures_are_those_worked_by_hand(database: Database, site: dict[str, MotBoxes]):
    with database.read() as session:
        scores = score_site(session, site)
    assert scores.person_ids.tolist() == [1, 2, 3, 1, 2, 0]
    # cam1's 1 (0) finds 1 (10) first; its 2 (40) finds 2 (12) first; cam2's 1 (10) finds 1 (0) first,
    # its 2 (12) finds 1 (0) before 2 (40): 1/2. Person 3 is at one camera only.
    assert scores.retrieval.as_dict()["map"] == pytest.approx(3.5 / 4)
    assert [scores.retrieval.as_dict()[name] for name in ("rank1", "queries", "skipped", "distractors")] == [
        0.75,
        4,
        1,
        1,
    ]
    # every true box is found; the tracklet on nobody is ten false alarms among fifty
    assert (scores.tracking.as_dict()["GT"], scores.tracking.as_dict()["FP"]) == (50, 10)
    assert scores.camera_tracking["cam1"].hota == pytest.approx(100)


def test_sheet_shows_real_searches_with_their_verdicts(
    settings: Settings, database: Database, site: dict[str, MotBoxes]
):
    live = LiveIndex(database)
    live.load()
    with database.read() as session:
        scores = score_site(session, site)
        rows = sheet_rows(session, open_blobs(settings), finder(session, live.current), scores)
    assert [row.query.lines[0] for row in rows] == ["cam1", "cam1"]
    assert rows[0].query.lines == ("cam1", "00:16:40")
    assert [answer.is_right for answer in rows[0].answers] == [True, False, False]
    assert rows[0].answers[0].lines == ("cam2  00:16:40", "d 0.02  -1 s")
    assert draw_contact_sheet(rows, title="t", subtitle="s", footer="f").ndim == 3


def test_camera_without_truth_is_named(database: Database, site: dict[str, MotBoxes]):
    with database.read() as session, pytest.raises(GroundTruthError, match="none for camera 'cam2'"):
        score_site(session, {"cam1": site["cam1"]})


def test_truth_of_a_camera_that_was_not_ingested_is_named(database: Database, site: dict[str, MotBoxes]):
    with database.read() as session, pytest.raises(GroundTruthError, match="'cam9' must have one video, it has 0"):
        score_site(session, site | {"cam9": MotBoxes.none()})


def test_nothing_ingested_is_told(database: Database):
    with database.read() as session, pytest.raises(NoGenerationError):
        score_site(session, {})


def test_truth_is_read_by_camera_and_sorted(tmp_path: Path):
    (tmp_path / "cam1.txt").write_text("2,1,0,0,5,9,1,1,0.5\n1,1,0,0,5,9,1,1,1\n")
    truth = read_site_truth(tmp_path)
    assert truth["cam1"].frames.tolist() == [1, 2]
    assert truth["cam1"].visibility.tolist() == [1.0, 0.5]


def test_folder_without_truth_is_named(tmp_path: Path):
    with pytest.raises(GroundTruthError, match="holds no"):
        read_site_truth(tmp_path)


def test_person_zero_is_refused(tmp_path: Path):
    (tmp_path / "cam1.txt").write_text("1,0,0,0,5,9,1,1,1\n")
    with pytest.raises(GroundTruthError, match="numbered from 1, found 0"):
        read_site_truth(tmp_path)


def written_truth(folder: Path, site: dict[str, MotBoxes]) -> Path:
    (folder / "boxes").mkdir(parents=True)
    for camera, boxes in site.items():
        write_mot(folder / "boxes" / f"{camera}.txt", boxes)
    return folder


def evaluate(settings: Settings, truth: Path, *more: object) -> Result:
    where = ["--data-dir", settings.data_dir, "--truth", truth]
    return CliRunner().invoke(app, ["evaluate", "ranking", *map(str, (*where, *more))])


def test_story_of_the_site_looks_into_every_query(settings: Settings, database: Database, site: dict[str, MotBoxes]):
    with database.read() as session:
        scores = score_site(session, site)
        story = site_story(session, open_blobs(settings), scores, title="t")
        assert story is not None
        assert [query.precision for query in story.inspection.queries] == pytest.approx([1, 1, 1, 0.5])
        html = render_page(ranking_page(story))
    assert story.inspected == "all 4 queries"
    pairs = story.inspection.pairs
    assert pairs is not None
    assert pairs.mean_precision[0, 1] == pytest.approx(1.0)
    assert pairs.mean_precision[1, 0] == pytest.approx(0.75)
    assert html.count("data:image/jpeg;base64,") > 10


def test_a_lost_blob_leaves_a_gap_in_the_report(settings: Settings, database: Database, site: dict[str, MotBoxes]):
    blobs = open_blobs(settings)
    with database.read() as session:
        lost = TrackletRepository(session).by_no(1)
        blobs.delete(lost.blob_key)
        story = site_story(session, blobs, score_site(session, site), title="t")
        assert story is not None
        html = render_page(ranking_page(story))
    assert "no picture" in html
    assert "data:image/jpeg;base64," in html


def test_command_scores_the_stored_site_and_writes_all_forms(
    settings: Settings, site: dict[str, MotBoxes], tmp_path: Path
):
    truth = written_truth(tmp_path / "truth", site)
    report, rows = tmp_path / "report.html", tmp_path / "rows.csv"
    done = evaluate(settings, truth, "--json", "-", "--csv", rows, "--report", report)
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["map"] == pytest.approx(3.5 / 4)
    assert (result["model_id"], result["tracking"]["FP"], sorted(result["cameras"])) == ("angles", 10, ["cam1", "cam2"])
    assert "Retrieval across cameras" in report.read_text()
    table = list(csv.DictReader(rows.read_text().splitlines()))
    assert [float(row["average_precision"]) for row in table] == pytest.approx([1, 1, 1, 0.5])
    assert [row["camera_id"] for row in table] == ["cam1", "cam1", "cam2", "cam2"]


def test_a_generation_is_chosen_by_the_beginning_of_its_id(
    settings: Settings, site: dict[str, MotBoxes], tmp_path: Path
):
    truth = written_truth(tmp_path / "truth", site)
    name = json.loads(evaluate(settings, truth, "--json", "-").stdout)["generation"]
    assert evaluate(settings, truth, "--generation", name[:8]).exit_code == 0
    error = evaluate(settings, truth, "--generation", "zz").exception
    assert isinstance(error, InputError)
    assert error.detail == f"0 generations begin with 'zz'; there are: {name}"


def test_a_site_where_nobody_was_seen_twice_has_no_report(
    settings: Settings, site: dict[str, MotBoxes], tmp_path: Path
):
    apart = site | {"cam2": MotBoxes.of(site["cam2"].frames, site["cam2"].ids + 50, site["cam2"].boxes_px)}
    truth = written_truth(tmp_path / "truth", apart)
    assert json.loads(evaluate(settings, truth, "--json", "-").stdout)["map"] is None
    assert "queries" in evaluate(settings, truth, "--csv", tmp_path / "rows.csv").stdout
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 1
    error = evaluate(settings, truth, "--report", tmp_path / "report.html").exception
    assert isinstance(error, InputError)
    assert "nobody was seen by two cameras" in error.detail
    assert not (tmp_path / "report.html").exists()
