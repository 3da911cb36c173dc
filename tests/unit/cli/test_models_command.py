"""`reknit models` over a data folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import structlog
from generation_site import COLD, GenerationSite, TurnedColour
from typer.testing import CliRunner

from reid_core.errors import ModelFilesError, NoGenerationError, NoWayBackError, UnknownGenerationError
from services.bootstrap import open_database
from services.cli.main import app
from services.settings import Settings
from services.storage.generations import GenerationRepository
from services.storage.models import Model, ModelKind, ModelRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result


@pytest.fixture(autouse=True)
def _no_networks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Models need no files, and logs stay as they were."""
    monkeypatch.setattr(
        "services.bootstrap.make_embedder_for",
        lambda _settings, _database, model_id, **_options: TurnedColour(model_id),
    )
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[GenerationSite]:
    settings = Settings(data_dir=tmp_path / "data")
    with open_database(settings) as database:
        made = GenerationSite(database, settings.data_dir)
        made.store(3)
        yield made


@pytest.fixture
def run(site: GenerationSite) -> Callable[..., Result]:
    def runner(*args: str) -> Result:
        return CliRunner().invoke(app, ["models", *args, "--data-dir", str(site.folder)])

    return runner


def told(done: Result) -> dict:
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_list_tells_models_generations_and_history(run, site):
    candidate = site.candidate("model-b")
    found = told(run("list", "--json", "-"))
    assert [one["model_id"] for one in found["models"]] == [COLD, "model-b"]
    assert [one["state"] for one in found["generations"]] == ["current", "candidate"]
    assert [one["kind"] for one in found["history"]] == ["cold-start"]
    printed = run("list").stdout
    assert str(candidate.generation_id) in printed
    assert "candidate" in printed


def test_show_tells_what_is_missing(run, site):
    site.candidate("model-b")
    found = told(run("show", "model-b", "--json", "-"))
    assert (found["missing"], found["unusable"], found["model"]["model_id"]) == (3, [], "model-b")
    assert "missing" in run("show", COLD).stdout


def test_promote_embeds_what_is_missing_and_rollback_takes_it_back(run, site):
    cold = site.current()
    candidate = site.candidate("model-b")
    change = told(run("promote", str(candidate.generation_id), "--reason", "looks right", "--json", "-"))
    assert change["generation"]["generation_id"] == str(candidate.generation_id)
    assert (change["generation"]["reason"], change["missing"]) == ("looks right", 0)
    assert change["previous_id"] == str(cold.generation_id)
    site.store(2, models=["model-b"])
    back = told(run("rollback", "--json", "-"))
    assert back["generation"]["generation_id"] == str(cold.generation_id)
    assert (back["previous_id"], back["missing"]) == (str(candidate.generation_id), 0)
    assert site.current().generation_id == cold.generation_id


def test_rollback_to_a_named_generation_and_plain_words(run, site):
    site.candidate("model-b")
    assert "is current, with model model-b" in run("promote", "model-b").stdout
    site.candidate("model-c")
    run("promote", "model-c")
    said = run("rollback", COLD).stdout
    assert f"with model {COLD}" in said
    assert "before: " in said


def test_rollback_answers_before_it_embeds(run, site, monkeypatch):
    """An embedder that cannot be loaded does not keep the way back closed."""
    cold = site.current()
    site.candidate("model-b")
    run("promote", "model-b")
    site.store(1, models=["model-b"])

    def broken(*_arguments, **_options):
        raise ModelFilesError("gone")

    monkeypatch.setattr("services.bootstrap.make_embedder_for", broken)
    done = run("rollback")
    assert isinstance(done.exception, ModelFilesError)
    assert site.current().generation_id == cold.generation_id


def test_promoting_what_answers_changes_nothing(run, site):
    before = site.current()
    change = told(run("promote", COLD, "--json", "-"))
    assert change["previous_id"] == change["generation"]["generation_id"] == str(before.generation_id)
    assert len(told(run("list", "--json", "-"))["history"]) == 1


def test_reject_turns_a_candidate_down(run, site):
    site.candidate("model-b")
    assert told(run("reject", "model-b", "--reason", "no need", "--json", "-"))["state"] == "rejected"
    assert "is rejected" in run("reject", "model-b").stdout
    assert "is current" in run("reject", COLD).stdout


def test_users_mistakes_are_one_clear_line(run, tmp_path):
    assert isinstance(run("show", "nonsense").exception, UnknownGenerationError)
    assert isinstance(run("promote", "nonsense").exception, UnknownGenerationError)
    assert isinstance(run("rollback").exception, NoWayBackError)
    nowhere = CliRunner().invoke(app, ["models", "list", "--data-dir", str(tmp_path / "none")])
    assert isinstance(nowhere.exception, NoGenerationError)
    assert not (tmp_path / "none").exists()
    assert all(one.exit_code == 2 for one in (UnknownGenerationError, NoWayBackError, NoGenerationError))


def test_a_learned_model_whose_files_are_gone_is_not_promoted(run, site):
    with site.database.write() as session:
        model = Model("site-cpu-00", ModelKind.LEARNED, files={"model.safetensors": "00" * 32})
        ModelRepository(session).ensure(model)
        GenerationRepository(session).add_candidate("site-cpu-00")
    done = run("promote", "site-cpu-00")
    assert isinstance(done.exception, ModelFilesError)
    assert "is missing; restore it from a backup" in str(done.exception)
    assert site.current().model_id == COLD
