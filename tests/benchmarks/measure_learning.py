"""What a learning cycle makes of a simulated site: retrieval before and after, pairs by round, seconds.

    python tests/benchmarks/measure_learning.py DATA_DIR... [--recipe site-cpu] [--weights FILE] [--seed N]
        [--threads N] [--set FIELD=VALUE ...] [--keep FOLDER] [--json FILE]

DATA_DIR is the data folder of a demo (``reknit demo --no-serve --data-dir DATA_DIR``); nothing is written there.
Truth is read by this script alone. Precision counts pairs of tracklets that both show somebody; recall is of all true
pairs of tracklets of different cameras. ``--set`` changes the recipe, e.g. ``--set optimisation.cross_iterations=50``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reid_core.evaluation.stored_site import NOBODY, score_retrieval
from reid_core.learning.cycle import cycle_steps, run_step
from reid_core.learning.recipes import recipe_named
from reid_core.learning.tracklet_set import TrackletSet
from reid_core.metrics.ranking import SameCamera, evaluate_ranking
from reid_core.spatio_temporal.calibration import Calibration
from reid_core.spatio_temporal.transit import TransitModel
from services.scoring import people_of_tracklets, read_site_truth
from services.storage.blobs import BlobStore
from services.storage.generations import GenerationRepository
from services.storage.session import Database
from services.storage.tracklets import TrackletRepository
from services.trainer.snapshot import take_snapshot

if TYPE_CHECKING:
    from reid_core.learning.recipes import Recipe

_WEIGHTS = Path.home() / ".cache/reknit/weights"


@dataclass(frozen=True)
class Site:
    """A stored site and who its tracklets show."""

    tracklets: TrackletSet
    people: np.ndarray
    cold: np.ndarray

    @property
    def truly_one(self) -> np.ndarray:
        """Which pairs of different cameras show one person. Shape ``(N, N)``."""
        cameras, people = self.tracklets.cameras, self.people
        return (people[:, None] == people[None]) & (people[:, None] != NOBODY) & (cameras[:, None] != cameras[None, :])

    def by_looks(self, vectors: np.ndarray) -> dict[str, float]:
        """Retrieval by cosine."""
        ranking = score_retrieval(vectors, self.people, self.tracklets.cameras.astype(str)).ranking
        return {"map": ranking.map_rectangle, "rank1": ranking.rank(1)}

    def by_odds(self, odds: np.ndarray) -> dict[str, float]:
        """Retrieval by log-odds of all pairs."""
        queries, cameras = np.flatnonzero(self.truly_one.any(1)), self.tracklets.cameras
        ranking = evaluate_ranking(
            lambda start, stop: -odds[queries[start:stop]],
            query_ids=self.people[queries],
            gallery_ids=self.people,
            query_cameras=cameras[queries],
            gallery_cameras=cameras,
            same_camera=SameCamera.EVERYBODY,
        )
        return {"map": ranking.map_rectangle, "rank1": ranking.rank(1)}

    def pairs(self, rows_a: np.ndarray, rows_b: np.ndarray) -> dict[str, float]:
        """Precision and recall of associated pairs."""
        right = int(self.truly_one[rows_a, rows_b].sum())
        somebody = (self.people[rows_a] != NOBODY) & (self.people[rows_b] != NOBODY)
        return {
            "pairs": len(rows_a),
            "precision": right / max(int(somebody.sum()), 1),
            "recall": right / max(int(self.truly_one.sum()) // 2, 1),
        }


def read_site(data_dir: Path, folder: Path, recipe: Recipe) -> Site:
    """Gather the tracklets of a data folder into ``folder``; its database is copied first."""
    stored = f"file:{data_dir / 'reknit.db'}?mode=ro"
    with closing(sqlite3.connect(stored, uri=True)) as source, closing(sqlite3.connect(folder / "reknit.db")) as copy:
        source.backup(copy)
    database = Database(f"sqlite:///{folder / 'reknit.db'}")
    database.upgrade()
    blobs = BlobStore(data_dir / "blobs")
    take_snapshot(database, blobs, folder / "tracklets", recipe=recipe, on_tracklet=lambda _done, _total: None)
    tracklets = TrackletSet.load(folder / "tracklets")
    truth = read_site_truth(next(data_dir.rglob("truth/boxes")))
    with database.read() as session:
        repository = TrackletRepository(session)
        people = people_of_tracklets(session, truth)
        cold_model = next(one.model_id for one in GenerationRepository(session).list() if "cold" in one.model_id)
        cold = {
            number: vector
            for batch in repository.iter_vectors(cold_model)
            for number, vector in zip(batch.tracklet_nos.tolist(), batch.vectors, strict=True)
        }
    database.close()
    numbers = tracklets.tracklet_nos.tolist()
    return Site(tracklets, np.array([people[n] for n in numbers]), np.stack([cold[n] for n in numbers]))


def measure(
    site: Site, folder: Path, recipe: Recipe, *, seed: int, weights: Path | None, threads: int
) -> dict[str, Any]:
    """Run all steps; print and return what came of each."""
    found: dict[str, Any] = {"cold_start": site.by_looks(site.cold), "rounds": []}
    _say("cold start", found["cold_start"])
    started, worked = time.perf_counter(), time.process_time()
    for step in cycle_steps(recipe):
        begun = time.perf_counter()
        said = run_step(step, folder, recipe=recipe, seed=seed, weights=weights, threads=threads)
        figures = {"seconds": time.perf_counter() - begun, **said.metrics}
        if step.startswith("associate"):
            stored = np.load(folder / step / "pairs.npz")
            vectors = np.load(folder / step / "vectors.npy")
            vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
            figures |= {**site.by_looks(vectors), **site.pairs(stored["rows_a"], stored["rows_b"])}
            found["rounds"].append(figures)
        _say(step, figures)
    found["seconds"] = time.perf_counter() - started
    found["processor_seconds"] = time.process_time() - worked
    found |= _result(site, folder / "finish")
    for name in ("learned", "with_transit"):
        _say(name, found.get(name, {}))
    print(f"learning took {found['seconds']:.0f} s, {found['processor_seconds']:.0f} s of processors", flush=True)
    return found


def _result(site: Site, folder: Path) -> dict[str, Any]:
    vectors = np.load(folder / "vectors.npy")
    found = {"learned": site.by_looks(vectors)}
    if (folder / "calibration.json").is_file():
        transit = TransitModel.from_json(json.loads((folder / "transit.json").read_text()))
        calibration = Calibration.from_json(json.loads((folder / "calibration.json").read_text()))
        seen = site.tracklets.sightings
        odds = calibration.log_odds(1.0 - vectors @ vectors.T, transit.llr_matrix(seen, seen))
        found["with_transit"] = site.by_odds(odds) | {"time_weight": calibration.time_weight}
    return found


def _say(name: str, figures: dict[str, float]) -> None:
    print(f"{name:14s}", "  ".join(f"{key} {value:.3f}" for key, value in figures.items()), flush=True)


def _changed(recipe: Any, setting: str) -> Any:
    path, _, text = setting.partition("=")
    head, _, rest = path.partition(".")
    old = getattr(recipe, head)
    if rest:
        return replace(recipe, **{head: _changed(old, f"{rest}={text}")})
    return replace(recipe, **{head: type(old)(json.loads(text)) if old is not None else json.loads(text)})


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path, nargs="+")
    parser.add_argument("--recipe", default="site-cpu")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--keep", type=Path, help="where the cycles' folders stay")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    recipe = recipe_named(asked.recipe)
    for setting in asked.set:
        recipe = _changed(recipe, setting)
    weights = asked.weights or (_WEIGHTS / recipe.network.weights if recipe.network.weights else None)
    found = {}
    for data_dir in asked.data_dir:
        folder = Path(tempfile.mkdtemp(prefix="learning-"))
        try:
            site = read_site(data_dir, folder, recipe)
            print(f"{data_dir}: {len(site.tracklets)} tracklets, recipe {recipe.name}", flush=True)
            found[data_dir.name] = measure(
                site, folder, recipe, seed=asked.seed, weights=weights, threads=asked.threads
            )
            if asked.keep:
                shutil.copytree(folder, asked.keep / data_dir.name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
