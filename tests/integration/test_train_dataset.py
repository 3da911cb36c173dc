"""A source with labels, then a target without, then the target's score: the cross-domain course, in small."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from types import MappingProxyType

import cv2
import numpy as np
import pytest
from real_cycle import TINY_CLUSTERS
from typer.testing import CliRunner

from reid_core.learning import recipes
from reid_core.learning.learner_parts import LossForm
from services.cli.main import app

_SOURCE = replace(
    TINY_CLUSTERS,
    name="tiny-source",
    network=replace(TINY_CLUSTERS.network, whitened=False),
    loss=LossForm.LABELS,
    clustering=None,
    distillation=None,
    teacher=None,
)


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    known = {**recipes.RECIPES, _SOURCE.name: _SOURCE, TINY_CLUSTERS.name: TINY_CLUSTERS}
    monkeypatch.setattr(recipes, "RECIPES", MappingProxyType(known))


def market_like(root, *, seed):
    """Striped people, eight to train on and four to test with, as Market-1501 lays them out."""
    rng = np.random.default_rng(seed)
    for person in range(1, 13):
        look, start = rng.integers(30, 226, (4, 1, 3)), 500 * person
        for camera in (1, 2, 3):
            for number in range(2):
                name = f"{person:04d}_c{camera}s1_{start + 120 * camera + number:06d}_0{number}.jpg"
                parts = ["bounding_box_train"] if person <= 8 else [["query"], ["bounding_box_test"]][number]
                picture = np.repeat(look, 16, axis=0) + rng.normal(0, 12, (64, 32, 3))
                folder = root / parts[0]
                folder.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(folder / name), np.clip(picture, 0, 255).astype(np.uint8))
    return root


def invoke(*args):
    done = CliRunner().invoke(app, [str(one) for one in args])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def learn(tmp_path, source, out, recipe, *more):
    args = ["--root", source, "--out", out, "--recipe", recipe, "--data-dir", tmp_path / "data", *more]
    return invoke("train-dataset", "market1501", *args)


@pytest.mark.slow
def test_from_a_source_with_labels_to_the_score_of_a_target_without(tmp_path, monkeypatch):
    monkeypatch.setenv("REKNIT_WEIGHTS_DIR", str(tmp_path / "weights"))
    source, target = (market_like(tmp_path / name, seed=seed) for seed, name in enumerate(("source", "target")))
    said = learn(tmp_path, source, tmp_path / "a", _SOURCE.name, "--epochs", "2")
    assert "supervise: halvings 0, loss" in said
    learned = tmp_path / "a" / "finish" / "model.safetensors"
    (tmp_path / "weights").mkdir()
    entry = ["[[weights]]", 'name = "source"', f'sha256 = "{hashlib.sha256(learned.read_bytes()).hexdigest()}"']
    (tmp_path / "weights" / "weights.toml").write_text("\n".join([*entry, f'path = "{learned}"']))
    said = learn(tmp_path, target, tmp_path / "b", TINY_CLUSTERS.name, "--start", "source")
    assert learn(tmp_path, target, tmp_path / "b", TINY_CLUSTERS.name, "--start", "source") == said
    told = ["--dataset", "market1501", "--root", target, "--features", tmp_path / "b" / "features.npz"]
    invoke("evaluate", "ranking", *told, "--json", tmp_path / "scores.json")
    assert json.loads((tmp_path / "scores.json").read_text())["title"] == "Market-1501"
    refused = CliRunner().invoke(
        app,
        [
            "train-dataset",
            "market1501",
            *map(str, ["--root", target, "--out", tmp_path / "b"]),
            "--recipe",
            "tiny-source",
        ],
    )
    assert refused.exit_code != 0, "a folder of other work is not gone on with"
