"""A row of the ablation as a learning cycle: its steps run, its model looked at after each round.

torch is loaded when a row runs, not before.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import TooLittleToLearnError
from reid_core.evaluation.ablation.scoring import Learned, LearnedRound
from reid_core.learning.crop_vectors import CropVectors
from reid_core.learning.cycle import run_step
from reid_core.learning.recipes import Pairing
from reid_core.learning.step_files import StepProgress, load_pairs
from reid_core.learning.tracklet_set import PICTURES, save_arrays, save_description

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reid_core.evaluation.ablation.rows import Row
    from reid_core.learning.device import Device
    from reid_core.learning.tracklet_set import TrackletSet
    from reid_core.models.network import ReidNetwork
    from reid_core.types import FloatArray

__all__ = ["CycleLearner"]

_WITHIN = "within"
_TRACKLETS = "tracklets"


@dataclass(frozen=True, slots=True)
class CycleLearner:
    """Runs rows by `reid_core.learning.cycle`.

    Learning within cameras is the same for many rows: it is done once for each way to do it and shared.

    Attributes:
        seed: Of every row.
        weights: Published weights of the recipe's network; ``None`` starts from noise.
        threads: Of the processor, 0 = all.
        shared: Folder for what rows have in common.
        clock_s: Tells how long a row took.
    """

    seed: int
    weights: Path | None
    threads: int
    shared: Path
    clock_s: Callable[[], float]

    def __call__(
        self,
        row: Row,
        learns_from: TrackletSet,
        judged_on: TrackletSet,
        folder: Path,
        *,
        report: Callable[[int], None],
    ) -> Learned:
        """Train a row and look at it after each round; see `running.Learn`."""
        began_s = self.clock_s()
        _lay_down(learns_from, folder / _TRACKLETS)
        shared = self.shared / _within_identity(row, learns_from, self.seed)
        _link_step(shared, folder / _WITHIN)
        run = _Run(row, self, folder, report)
        run.train(shared)
        crops = run.crop_vectors(judged_on)
        rounds = run.rounds(_means(crops))
        return Learned(rounds, crops, run.iterations, self.clock_s() - began_s)


class _Run:
    """One row under way."""

    def __init__(self, row: Row, learner: CycleLearner, folder: Path, report: Callable[[int], None]) -> None:
        self._row, self._recipe, self._learner, self._folder = row, row.recipe, learner, folder
        self._report = report
        self._trained: list[str] = []
        self.iterations = 0

    def train(self, shared: Path) -> None:
        """All steps; a row that finds too few pairs to train on ends there."""
        self._step(_WITHIN)
        _link_step(self._folder / _WITHIN, shared)
        with suppress(TooLittleToLearnError):
            for number in range(1, self._recipe.pairing.rounds + 1):
                self._step(f"associate-{number}")
                self._step(f"train-{number}")

    def rounds(self, last: FloatArray) -> list[LearnedRound]:
        """Each round's vectors, the last model's given; a row that learned elsewhere has but its last.

        Args:
            last: Of the tracklets that are judged. Shape ``(N, d)``.
        """
        count = len(self._trained) - 1
        if self._row.from_source:
            return [LearnedRound(count, last)]
        vectors = [np.load(self._folder / f"associate-{number}" / "vectors.npy") for number in range(1, count + 1)]
        pairs = [load_pairs(self._folder / f"associate-{number}" / "pairs.npz")[0] for number in range(1, count + 1)]
        ends = [(None, None), *((one.rows_a, one.rows_b) for one in pairs)]
        return [LearnedRound(at, each, *ends[at]) for at, each in enumerate([*vectors, last])]

    def crop_vectors(self, judged_on: TrackletSet) -> CropVectors:
        """The last model's vectors of evenly spaced crops; no crop's time is known, so each counts as one second."""
        from reid_core.learning.device import training_device
        from reid_core.learning.vectors import picture_vectors

        chosen = [judged_on.spread_crops(row, self._recipe.pairing.crops) for row in range(len(judged_on))]
        with training_device(threads=self._learner.threads) as device:
            vectors = picture_vectors(self._network(device), judged_on.images, np.concatenate(chosen), device=device)
        times_s = np.concatenate([np.arange(len(one), dtype=np.float64) for one in chosen])
        first_crop = np.concatenate([[0], np.cumsum([len(one) for one in chosen])]).astype(np.int64)
        return CropVectors(vectors, times_s, first_crop, judged_on.cameras)

    def _step(self, step: str) -> None:
        """Run one step; only training counts for the progress."""
        trains = not step.startswith("associate")

        def told(progress: StepProgress) -> None:
            if trains:
                self._report(self.iterations + progress.done)

        run_step(
            step,
            self._folder,
            recipe=self._recipe,
            seed=self._learner.seed,
            weights=self._learner.weights,
            threads=self._learner.threads,
            report=told,
        )
        if trains:
            how = self._recipe.optimisation
            self.iterations += how.within_iterations if step == _WITHIN else how.cross_iterations
            self._trained.append(step)
            self._report(self.iterations)

    def _network(self, device: Device) -> ReidNetwork:
        """As the last training step left it."""
        from safetensors.torch import load_file

        from reid_core.models.network import build_network

        network = build_network(self._recipe.network, None)
        network.load_state_dict(load_file(self._folder / self._trained[-1] / "model.safetensors"))
        return device.placed(network)


def _means(crops: CropVectors) -> FloatArray:
    """Mean of each tracklet's crops as the network gives them. Shape ``(N, d)``."""
    sums = np.add.reduceat(crops.vectors.astype(np.float64), crops.first_crop[:-1], axis=0)
    return (sums / np.diff(crops.first_crop)[:, None]).astype(np.float32)


def _lay_down(tracklets: TrackletSet, folder: Path) -> None:
    """Write a set whose pictures may lie on disk already: then they are linked and not copied."""
    pictures = tracklets.images
    if not isinstance(pictures, np.memmap) or pictures.filename is None:
        tracklets.save(folder)
        return
    folder.mkdir(parents=True, exist_ok=True)
    _link(os.fspath(pictures.filename), os.fspath(folder / PICTURES))
    save_arrays(folder, tracklets)
    save_description(folder, tracklets)


def _link_step(found: Path, wanted: Path) -> None:
    """Make a finished step's model and figures known in another place; nothing happens where it is not finished."""
    if not (found / "metrics.json").is_file():
        return
    wanted.mkdir(parents=True, exist_ok=True)
    for name in ("model.safetensors", "metrics.json"):  # figures last: they say that the step is finished
        _link(os.fspath(found / name), os.fspath(wanted / name))


def _link(found: str, wanted: str) -> None:
    with suppress(FileExistsError):
        try:
            os.link(found, wanted)
        except PermissionError:
            shutil.copyfile(found, wanted)


def _within_identity(row: Row, tracklets: TrackletSet, seed: int) -> str:
    """Equal where learning within cameras is the same, whatever comes after it."""
    how = replace(row.recipe.optimisation, cross_iterations=0)
    recipe = replace(row.recipe, name="", pairing=Pairing(), optimisation=how)
    digest = hashlib.sha256(f"{recipe.to_json()} {row.labels} {row.from_source} {seed}".encode())
    seen = tracklets.sightings
    for array in (tracklets.tracklet_nos, seen.cameras, seen.starts_s, seen.ends_s, tracklets.must_link):
        digest.update(array.tobytes())
    if tracklets.in_camera_ids is not None:
        digest.update(tracklets.in_camera_ids.tobytes())
    return digest.hexdigest()[:16]
