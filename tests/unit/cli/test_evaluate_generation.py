from __future__ import annotations

import json
from typing import TYPE_CHECKING

import dataset_layouts
import numpy as np
import pytest
from embedding_fakes import MeanColour, paint
from typer.testing import CliRunner

from reid_core.errors import DatasetError, InputError, ModelMismatchError, NoGenerationError
from reid_core.evaluation.datasets.pictures import pictures_of
from reid_core.evaluation.datasets.registry import DATASETS, read_dataset
from services import bootstrap
from services.cli.main import app
from services.settings import Settings
from services.storage.generations import GenerationRepository

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

TRACKLETS = ("mars", "dukemtmc-videoreid", "ilids-vid", "prid2011", "campus4k")


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> MeanColour:
    fake = MeanColour()
    monkeypatch.setattr(bootstrap, "make_embedder", lambda _settings, **_options: fake)
    return fake


@pytest.fixture
def data_dir(tmp_path: Path, embedder: MeanColour) -> Path:
    with bootstrap.open_database(Settings(data_dir=tmp_path / "data")) as database, database.write() as session:
        GenerationRepository(session).ensure_cold_start(embedder.model_id)
    return tmp_path / "data"


def painted(name: str, root: Path) -> Path:
    """The tiny dataset, everybody in a colour of their own."""
    root.mkdir()
    dataset_layouts.WRITERS[name](root)
    records = read_dataset(name, root).records
    people = {person: rank for rank, person in enumerate(sorted({record.person_id for record in records}))}
    for record in records:
        hue = np.pi / 2 * people[record.person_id] / len(people)
        for path in pictures_of(record):
            paint(root, path, (round(200 * np.cos(hue)), 40, round(200 * np.sin(hue))))
    return root


def evaluate(name: str, root: Path, data_dir: Path, *more: object, generation: str = "current") -> Result:
    where = ["--dataset", name, "--root", root, "--data-dir", data_dir, "--generation", generation]
    return CliRunner().invoke(app, ["evaluate", "ranking", *map(str, (*where, *more))])


@pytest.mark.parametrize("name", DATASETS)
def test_pictures_of_every_dataset_are_embedded_and_scored(name: str, tmp_path: Path, data_dir: Path):
    done = evaluate(name, painted(name, tmp_path / "d"), data_dir, "--json", "-")
    assert done.exit_code == 0, done.output
    scores = json.loads(done.stdout)
    assert (scores["dataset"], scores["rank1"]) == (name, 1)
    assert "model mean-colour-1" in scores["notes"][-1]
    assert ("12 pictures of a tracklet" in scores["notes"][-1]) == (name in TRACKLETS)


def test_a_second_run_embeds_nothing_and_says_the_same(tmp_path: Path, data_dir: Path, embedder: MeanColour):
    root = painted("market1501", tmp_path / "d")
    first = evaluate("market1501", root, data_dir, "--json", "-")
    assert sum(embedder.calls) == 7  # two queries and five gallery pictures; neither junk nor training
    again = evaluate("market1501", root, data_dir, "--json", "-")
    assert sum(embedder.calls) == 7
    assert again.stdout == first.stdout
    assert [path.suffix for path in (data_dir / "evaluation" / "market1501").iterdir()] == [".npz"]


def test_progress_is_told_beside_the_json(tmp_path: Path, data_dir: Path):
    done = evaluate("market1501", painted("market1501", tmp_path / "d"), data_dir, "--json", "-")
    assert "Embedding: 7/7" in done.stderr
    json.loads(done.stdout)


def test_cuhk03_is_embedded_out_of_its_archive(tmp_path: Path, data_dir: Path, embedder: MeanColour):
    root = dataset_layouts.cuhk03_archive(tmp_path / "d")
    done = evaluate("cuhk03-classic-labeled", root, data_dir, "--json", "-", "--report", tmp_path / "page.html")
    scores = json.loads(done.stdout)
    # Green tells people apart; a person's pictures differ in a little blue only.
    assert (scores["rank1"], scores["trials"]) == (1, 20)
    assert "data:image/jpeg" in (tmp_path / "page.html").read_text()
    assert sum(embedder.calls) == 3 * 4


def test_the_report_shows_the_pictures(tmp_path: Path, data_dir: Path):
    page = tmp_path / "page.html"
    done = evaluate("market1501", painted("market1501", tmp_path / "d"), data_dir, "--report", page)
    assert done.exit_code == 0, done.output
    assert "Features: generation" in done.stdout
    assert "data:image/jpeg" in page.read_text()


def test_a_generation_is_found_by_the_beginning_of_its_id(tmp_path: Path, data_dir: Path):
    root = painted("market1501", tmp_path / "d")
    notes = json.loads(evaluate("market1501", root, data_dir, "--json", "-").stdout)["notes"]
    beginning = notes[-1].split()[2][:13]
    assert evaluate("market1501", root, data_dir, generation=beginning).exit_code == 0
    refused = evaluate("market1501", root, data_dir, generation="zz").exception
    assert isinstance(refused, InputError)
    assert "0 generations begin with 'zz'; there are: 0" in refused.detail


def test_a_generation_of_a_model_that_is_not_at_hand_is_refused(tmp_path: Path, data_dir: Path, embedder: MeanColour):
    embedder.model_id = "mean-colour-2"
    refused = evaluate("market1501", painted("market1501", tmp_path / "d"), data_dir).exception
    assert isinstance(refused, ModelMismatchError)
    assert "mean-colour-2 here, mean-colour-1 stored" in refused.detail


@pytest.mark.usefixtures("embedder")
def test_an_installation_without_any_generation_is_told(tmp_path: Path):
    refused = evaluate("market1501", painted("market1501", tmp_path / "d"), tmp_path / "empty").exception
    assert isinstance(refused, NoGenerationError)


def test_a_picture_that_cannot_be_decoded_is_named_and_nothing_is_written(tmp_path: Path, data_dir: Path):
    root = painted("market1501", tmp_path / "d")
    (root / "query" / "0001_c1s1_001051_00.jpg").write_bytes(b"")
    done = evaluate("market1501", root, data_dir, "--csv", tmp_path / "out.csv", "--json", "-")
    assert isinstance(done.exception, DatasetError)
    assert "query/0001_c1s1_001051_00.jpg is not a picture that can be decoded" in done.exception.detail
    assert (done.stdout, (tmp_path / "out.csv").exists()) == ("", False)
