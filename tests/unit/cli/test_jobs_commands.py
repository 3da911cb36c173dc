"""`reknit train` without following, and `reknit jobs`."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from reid_core.errors import (
    JobStateError,
    NoGenerationError,
    RecipeError,
    TrackletSetError,
    UnknownJobError,
    WeightsError,
)
from reid_core.learning.recipes import recipe_named
from services import bootstrap
from services.bootstrap import open_database
from services.cli.main import app
from services.settings import Settings
from services.storage.job_records import JobState
from services.storage.jobs import JobRepository
from services.trainer.step import Tell
from services.trainer.steps import run_step


@pytest.fixture
def data_dir(tmp_path):
    settings = Settings(data_dir=tmp_path / "data")
    open_database(settings).close()
    return settings.data_dir


@pytest.fixture
def run(data_dir):
    def runs(*args):
        return CliRunner().invoke(app, [*args, "--data-dir", str(data_dir)])

    return runs


def test_a_training_cycle_waits_for_a_worker(run):
    asked = json.loads(run("train", "--recipe", "site-cpu", "--seed", "5", "--json", "-").stdout)
    assert (asked["state"], asked["recipe"], asked["seed"], asked["author"]) == (
        "queued",
        "site-cpu",
        5,
        "command line",
    )
    listed = json.loads(run("jobs", "list", "--json", "-").stdout)
    assert listed == {"items": [asked], "next_cursor": None}
    assert json.loads(run("jobs", "show", asked["job_id"], "--json", "-").stdout) == asked


def test_people_are_told_how_to_go_on(run):
    told = run("train").stdout
    assert "is queued; a worker runs it ('reknit work')" in told
    assert "queued" in run("jobs", "list").stdout


def test_an_empty_list_says_so(run):
    assert run("jobs", "list").stdout.strip() == "No job was asked for yet."


def test_a_job_is_cancelled_and_retried(run):
    job_id = json.loads(run("train", "--json", "-").stdout)["job_id"]
    assert json.loads(run("jobs", "cancel", job_id, "--json", "-").stdout)["state"] == "cancelled"
    assert isinstance(run("jobs", "cancel", job_id).exception, JobStateError)
    again = json.loads(run("jobs", "retry", job_id, "--json", "-").stdout)
    assert (again["state"], again["attempt"]) == ("queued", 2)
    assert json.loads(run("jobs", "list", "--state", "cancelled", "--json", "-").stdout)["items"] == []


def test_what_came_of_a_job_is_shown(run, data_dir):
    job_id = json.loads(run("train", "--json", "-").stdout)["job_id"]
    with open_database(Settings(data_dir=data_dir)) as database, database.write() as session:
        jobs = JobRepository(session)
        job = jobs.by_id(job_id)
        jobs.begin(job.job_id)
        jobs.finish(job.job_id, JobState.SUCCEEDED, result={"reason": "better by far", "seconds": {"within": 12.5}})
    shown = run("jobs", "show", job_id, "--follow").stdout
    assert "better by far" in shown
    assert "within: 12.5 s" in shown


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("train", "--recipe", "no-such"), RecipeError),
        (("jobs", "show", "nonsense"), UnknownJobError),
        (("jobs", "retry", "01a1f8a0-51c3-7b2e-9d5c-61b0f2f6a7c4"), UnknownJobError),
    ],
)
def test_mistakes_are_refused_in_one_line(run, args, error):
    refused = run(*args).exception
    assert isinstance(refused, error)
    assert refused.exit_code == 2


@pytest.mark.parametrize("args", [("train",), ("jobs", "list")])
def test_a_folder_without_an_installation_is_refused_and_stays_empty(tmp_path, args):
    done = CliRunner().invoke(app, [*args, "--data-dir", str(tmp_path / "none")])
    assert isinstance(done.exception, NoGenerationError)
    assert not (tmp_path / "none").exists()


def test_asking_and_looking_load_neither_the_engine_nor_torch(data_dir):
    code = (
        "import sys; from services.cli.main import app\n"
        "for args in (['train'], ['jobs', 'list']):\n"
        f"    app([*args, '--data-dir', {str(data_dir)!r}], standalone_mode=False)\n"
        "print(*sorted({'torch', 'dbos', 'croniter', 'openvino', 'timm'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""


def test_a_cycle_may_start_from_weights_of_ones_own(run, data_dir, tmp_path, monkeypatch):
    monkeypatch.setenv("REKNIT_WEIGHTS_DIR", str(tmp_path))
    own = tmp_path / "own.safetensors"
    own.write_bytes(b"weights")
    entry = ["[[weights]]", 'name = "own"', f'sha256 = "{hashlib.sha256(b"weights").hexdigest()}"', f'path = "{own}"']
    (tmp_path / "weights.toml").write_text("\n".join(entry))
    asked = json.loads(run("train", "--start", "own", "--json", "-").stdout)
    with open_database(Settings(data_dir=data_dir)) as database, database.read() as session:
        job = JobRepository(session).by_id(asked["job_id"])
    assert (job.options["seed"], job.options["start"]) == (0, "own")
    assert isinstance(run("train", "--start", "nobody's").exception, WeightsError)
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "recipe.json").write_text(recipe_named("site-cpu").to_json())
    taken = []
    monkeypatch.setattr(bootstrap, "start_weights", lambda _settings, name: taken.append(name))
    request = {"step": "within", "job_id": asked["job_id"], "kind": "train", "options": dict(job.options)}
    with pytest.raises(TrackletSetError):  # there is no snapshot
        run_step({**request, "folder": str(folder), "settings": {"data_dir": str(data_dir)}}, Tell(io.StringIO()))
    assert taken == ["own"]
