"""`reknit train --ablate` and `reknit evaluate learning` on a small stored site: real storage, learning played."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from reid_core.errors import GroundTruthError, InputError, NoGenerationError
from reid_core.evaluation.ablation import learning
from reid_core.evaluation.ablation.scoring import Learned, LearnedRound
from reid_core.learning.crop_vectors import CropVectors
from reid_core.learning.relations import PairWeights
from reid_core.learning.step_files import StepResult, save_pairs, save_result
from reid_core.types import Camera, CameraLink, ClockQuality, Crop, CropQuality, Embedding, Tracklet, TrackPath
from reid_core.vision.crops import encode_crop
from services import jobs
from services.bootstrap import open_blobs, open_database
from services.cli.main import app
from services.settings import Settings
from services.storage.blobs import blob_key
from services.storage.cameras import CameraRepository
from services.storage.generations import GenerationRepository
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository
from services.trainer.ablation import truth_folder
from services.trainer.snapshot import take_snapshot

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = 6
FRAMES = np.arange(10)


def tracklet(person: int) -> Tracklet:
    box = (60.0 * person, 10.0, 60.0 * person + 40.0, 110.0)
    path = TrackPath(
        FRAMES, 1000.0 + 20 * person + FRAMES / 10, np.tile(np.array(box, np.float32), (10, 1)), np.ones(10, np.float32)
    )
    jpeg, width, height = encode_crop(np.full((100, 40, 3), 30 * person, np.uint8))
    quality = CropQuality(1, 1, 1, 1)
    crops = tuple(Crop(frame, float(path.times_s[frame]), box, jpeg, width, height, quality) for frame in (0, 5, 9))
    return Tracklet(person, path, crops, (0, 1, 2), (640, 480))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Six people, each once in either of two cameras, and true boxes where the demo leaves them."""
    settings = Settings(data_dir=tmp_path / "data", database_url="")
    with open_database(settings) as database, database.write() as session:
        GenerationRepository(session).ensure_cold_start("cold")
        for camera_id in ("cam1", "cam2"):
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
            for person in range(1, PEOPLE + 1):
                key = blob_key(source.source_id, person)
                open_blobs(settings).put_tracklet(key, tracklet(person))
                look = np.eye(PEOPLE, dtype=np.float32)[person - 1]
                TrackletRepository(session).add(
                    source.source_id, camera_id, tracklet(person), key, Embedding("cold", look, np.stack([look] * 3))
                )
        CameraRepository(session).ensure_links((CameraLink("cam1", "cam2", 20.0),))
    truth = settings.data_dir / "site" / "truth" / "boxes"
    truth.mkdir(parents=True)
    rows = [f"{frame + 1},{one},{60 * one},10,40,100,1" for frame in FRAMES for one in range(1, PEOPLE + 1)]
    for camera_id in ("cam1", "cam2"):
        (truth / f"{camera_id}.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return settings


class PlayedLearner:
    """Rows with time find everybody, others only the first half."""

    ran: list[str]

    def __init__(self, **_: object) -> None:
        pass

    def __call__(self, row, _learns_from, judged_on, _folder, *, report) -> Learned:
        type(self).ran.append(row.key)
        person = (judged_on.tracklet_nos - 1) % PEOPLE
        known = PEOPLE if row.has_time else PEOPLE // 2
        vectors = np.eye(PEOPLE)[np.minimum(person, known)]
        report(1)
        pairs = np.arange(PEOPLE)
        rounds = [LearnedRound(0, np.ones((len(vectors), 2)))]
        rounds += [LearnedRound(at + 1, vectors, pairs, pairs + PEOPLE) for at in range(row.recipe.pairing.rounds)]
        counts = np.arange(len(vectors) + 1) * 3
        crops = CropVectors(
            np.repeat(vectors, 3, axis=0), np.tile(np.arange(3.0), len(vectors)), counts, judged_on.cameras
        )
        return Learned(rounds, crops, 1, 0.5)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> type[PlayedLearner]:
    PlayedLearner.ran = []
    monkeypatch.setattr(learning, "CycleLearner", PlayedLearner)
    monkeypatch.setattr("services.bootstrap.start_weights", lambda _settings, _name: None)
    return PlayedLearner


def train(settings: Settings, *more: str):
    return CliRunner().invoke(app, ["train", "--data-dir", str(settings.data_dir), *more])


def test_an_ablation_writes_table_and_page_and_says_that_it_is_quick(
    settings: Settings, played: type[PlayedLearner], tmp_path: Path
):
    table, page = tmp_path / "table.json", tmp_path / "page.html"
    result = train(
        settings, "--ablate", "--quick", "--recipe", "tastr-cpu", "--json", str(table), "--report", str(page)
    )
    assert result.exit_code == 0, result.output
    told = json.loads(table.read_text(encoding="utf-8"))
    by_key = {row["key"]: row for row in told["rows"]}
    assert by_key["nn-str"]["map"] == 1.0 > by_key["nn"]["map"]
    assert by_key["nn"]["published"] == {"rank1": 0.634, "map": 0.653}
    assert told["recipe"] == "tastr-cpu"
    assert "20% of the recipe's iterations" in told["caution"]
    assert "20% of the recipe" in page.read_text(encoding="utf-8")
    assert len(played.ran) == len(by_key) == 16
    assert "single changes go the paper's way" in result.output


def test_a_second_run_takes_what_is_there(settings: Settings, played: type[PlayedLearner]):
    train(settings, "--ablate", "--recipe", "tastr-cpu", "--json", "-")
    first = list(played.ran)
    again = train(settings, "--ablate", "--recipe", "tastr-cpu", "--json", "-")
    assert played.ran == first
    assert json.loads(again.stdout)["rows"][0]["key"] == "supervised"


def test_another_site_adds_a_row(settings: Settings, played: type[PlayedLearner]):
    train(settings, "--ablate", "--recipe", "tastr-cpu", "--source", str(settings.data_dir), "--json", "-")
    assert "source-only" in played.ran


def test_options_of_an_ablation_alone_are_refused(settings: Settings):
    result = train(settings, "--quick")
    assert isinstance(result.exception, InputError)


def test_a_site_without_truth_is_refused(settings: Settings, tmp_path: Path):
    result = train(settings, "--ablate", "--truth", str(tmp_path))
    assert isinstance(result.exception, GroundTruthError)


def test_truth_is_found_where_the_demo_and_the_simulator_leave_it(settings: Settings):
    boxes = settings.data_dir / "site" / "truth" / "boxes"
    for folder in (settings.data_dir, settings.data_dir / "site", boxes.parent, boxes):
        assert truth_folder(folder) == boxes


def evaluate(settings: Settings, *more: str):
    return CliRunner().invoke(app, ["evaluate", "learning", "--data-dir", str(settings.data_dir), *more])


def learned_job(settings: Settings, *, rounds: int) -> str:
    """A job whose cycle got through so many rounds."""
    from reid_core.learning.recipes import recipe_named

    recipe = recipe_named("site-cpu")
    with open_database(settings) as database:
        job = jobs.request_training(database, recipe="site-cpu", seed=0, author="test")
        folder = settings.jobs_dir / str(job.job_id)
        take_snapshot(
            database, open_blobs(settings), folder / "tracklets", recipe=recipe, on_tracklet=lambda _done, _total: None
        )
    (folder / "recipe.json").write_text(recipe.to_json(), encoding="utf-8")
    for step in ("within", *(f"{kind}-{at}" for at in range(1, rounds + 1) for kind in ("associate", "train"))):
        (folder / step).mkdir()
        save_result(folder / step, StepResult(step, {"loss": 0.5, "candidates": 6.0, "mean_weight": 0.9}))
        if step.startswith("associate"):
            rows = np.arange(PEOPLE)
            save_pairs(
                folder / step / "pairs.npz", PairWeights(rows, rows + PEOPLE, np.ones(PEOPLE)), PairWeights.none()
            )
            np.save(folder / step / "vectors.npy", np.tile(np.eye(PEOPLE), (2, 1)))
    return str(job.job_id)


def test_what_a_job_learned_is_told_beside_what_was_there_before(settings: Settings, tmp_path: Path):
    job_id = learned_job(settings, rounds=2)
    page = tmp_path / "page.html"
    result = evaluate(settings, "--truth", str(settings.data_dir), "--json", "-", "--report", str(page))
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["job_id"] == job_id
    assert told["before"] == {"rank1": 1.0, "map": 1.0}
    assert told["rounds"][1]["precision"] == told["rounds"][1]["recall"] == 1.0
    assert "Association by round" in page.read_text(encoding="utf-8")


def test_a_job_by_its_id_without_the_truth_shows_a_table(settings: Settings):
    job_id = learned_job(settings, rounds=1)
    result = evaluate(settings, "--job", job_id)
    assert result.exit_code == 0, result.output
    assert "mean weight" in result.output
    assert "precision" not in result.output


def test_without_a_job_or_before_it_learned_anything_there_is_nothing_to_tell(settings: Settings, tmp_path: Path):
    assert isinstance(evaluate(settings).exception, InputError)
    with open_database(settings) as database:
        jobs.request_training(database, recipe="site-cpu", seed=0, author="test")
    assert "has learned nothing yet" in str(evaluate(settings).exception)
    nowhere = Settings(data_dir=tmp_path / "nowhere", database_url="")
    assert isinstance(evaluate(nowhere).exception, NoGenerationError)
