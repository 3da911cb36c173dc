"""The steps of a cycle at work: what is loaded, trained, paired and left for the next step."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import save

from reid_core.errors import CheckpointError
from reid_core.learning.files import written_whole
from reid_core.learning.free_samplers import FreeSampler, NeighbourSampler
from reid_core.learning.known import known_links
from reid_core.learning.objectives import BatchHard, Objective, Proxies
from reid_core.learning.pairing import pair_tracklets
from reid_core.learning.recipes import LossForm
from reid_core.learning.relations import PairWeights, Relations
from reid_core.learning.results import finish_cycle
from reid_core.learning.samplers import CameraPairSampler, Sampler, WithinCameraSampler
from reid_core.learning.stages import Stage, train_stage
from reid_core.learning.step_files import StepProgress, StepResult, load_pairs, save_json, save_pairs, save_result
from reid_core.learning.tracklet_set import TrackletSet
from reid_core.learning.vectors import tracklet_vectors
from reid_core.models.network import ReidNetwork, build_network, learned_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reid_core.learning.device import Device
    from reid_core.learning.recipes import Recipe

__all__ = ["Cycle"]

_MODEL, _CHECKPOINT, _PAIRS, _VECTORS = "model.safetensors", "checkpoint.safetensors", "pairs.npz", "vectors.npy"
_BANK_CROPS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Cycle:
    """A cycle's folder, opened to run its steps."""

    folder: Path
    recipe: Recipe
    seed: int
    weights: Path | None
    device: Device
    tracklets: TrackletSet
    report: Callable[[StepProgress], None]

    @classmethod
    def opened(
        cls,
        folder: Path,
        *,
        recipe: Recipe,
        seed: int,
        weights: Path | None,
        device: Device,
        report: Callable[[StepProgress], None],
    ) -> Cycle:
        """Load the tracklets."""
        return cls(folder, recipe, seed, weights, device, TrackletSet.load(folder / "tracklets"), report)

    def run(self, step: str) -> StepResult:
        """Do a step whose predecessors are done, and mark it as finished."""
        (self.folder / step).mkdir(parents=True, exist_ok=True)
        kind, _, number = step.partition("-")
        act: dict[str, Callable[[], dict[str, float]]] = {
            "within": self._within,
            "associate": lambda: self._associate(int(number)),
            "train": lambda: self._train(int(number)),
            "finish": self._finish,
        }
        result = StepResult(step, act[kind]())
        save_result(self.folder / step, result)
        return result

    def _within(self) -> dict[str, float]:
        network = build_network(self.recipe.network, self.weights, seed=self.seed)
        relations = self._relations(PairWeights.none(), PairWeights.none(), one_camera=True)
        return self._trained(network, "within", 0, self._within_sampler(), relations)

    def _associate(self, number: int) -> dict[str, float]:
        step = f"associate-{number}"
        network = self._network(self._before(number))
        vectors = tracklet_vectors(
            network,
            self.tracklets,
            crops=self.recipe.pairing.crops,
            device=self.device,
            report=lambda done: self.report(StepProgress(step, done, len(self.tracklets))),
        )
        paired = pair_tracklets(vectors, self.tracklets, self.recipe.pairing, seed=self.seed, first_round=number == 1)
        pairs = PairWeights(paired.pairs.rows_a, paired.pairs.rows_b, paired.pairs.weights)
        with written_whole(self.folder / step / _VECTORS) as file:
            np.save(file, vectors)
        save_pairs(self.folder / step / _PAIRS, pairs, paired.doubtful)
        if paired.evidence is not None:
            save_json(self.folder / step / "transit.json", paired.evidence.transit.to_json())
        mean = float(pairs.weights.mean()) if len(pairs) else 0.0
        return {"candidates": float(paired.candidates), "pairs": float(len(pairs)), "mean_weight": mean}

    def _train(self, number: int) -> dict[str, float]:
        pairs, doubtful = load_pairs(self.folder / f"associate-{number}" / _PAIRS)
        network = self._network(self._before(number))
        relations = self._relations(pairs, doubtful, one_camera=False)
        return self._trained(network, f"train-{number}", number, self._cross_sampler(pairs, relations), relations)

    def _finish(self) -> dict[str, float]:
        last = self._before(self.recipe.pairing.rounds + 1)
        return finish_cycle(
            self._network(last),
            self.tracklets,
            self.folder / "finish",
            recipe=self.recipe,
            seed=self.seed,
            device=self.device,
            report=lambda done: self.report(StepProgress("finish", done, len(self.tracklets))),
        )

    def _trained(
        self, network: ReidNetwork, step: str, number: int, sampler: Sampler, relations: Relations
    ) -> dict[str, float]:
        how, place = self.recipe.optimisation, self.folder / step
        iterations = how.cross_iterations if number else how.within_iterations
        self.device.placed(network)
        stage = Stage(
            number=number,
            identity=self._identity(step),
            sampler=sampler,
            objective=self._objective(network, relations, place),
            pictures=self.tracklets.images,
            light=self.recipe.network.light,
            augmentation=self.recipe.augmentation,
            optimisation=how,
            iterations=iterations,
            tracklets=self.recipe.sampling.tracklets,
        )
        outcome = train_stage(
            network,
            stage,
            device=self.device,
            seed=self.seed,
            checkpoint=place / _CHECKPOINT,
            report=lambda done, loss: self.report(StepProgress(step, done, iterations, {"loss": loss})),
        )
        _save_network(place / _MODEL, network)
        return {"loss": outcome.loss, "pictures": float(outcome.pictures), "halvings": float(outcome.halvings)}

    def _objective(self, network: ReidNetwork, relations: Relations, place: Path) -> Objective:
        if self.recipe.loss is LossForm.BATCH_HARD:
            return BatchHard(margin=self.recipe.margin, groups=known_links(self.tracklets).groups)
        if (place / _CHECKPOINT).is_file():  # which holds the running vectors
            vectors = np.zeros((len(self.tracklets), network.recipe.dim), np.float32)
        else:
            vectors = tracklet_vectors(network, self.tracklets, crops=_BANK_CROPS, device=self.device)
        bank = torch.from_numpy(vectors).to(self.device.name)
        return Proxies(bank, relations, temperature=self.recipe.temperature)

    def _within_sampler(self) -> Sampler:
        how, seen = self.recipe.sampling, self.tracklets.sightings
        drawn: dict[str, Any] = {"crops": how.crops, "crops_at_most": how.crops_at_most}
        first_crop = self.tracklets.first_crop
        if self.recipe.loss is LossForm.PROXIES or not how.one_camera:
            return FreeSampler(first_crop, seen.cameras if how.one_camera else None, **drawn)
        return WithinCameraSampler(
            seen.cameras,
            seen.starts_s,
            seen.ends_s,
            first_crop,
            apart_s=how.apart_s,
            identities=self.tracklets.in_camera_ids,
            groups=known_links(self.tracklets).groups,
            **drawn,
        )

    def _cross_sampler(self, pairs: PairWeights, relations: Relations) -> Sampler:
        how, first_crop = self.recipe.sampling, self.tracklets.first_crop
        drawn: dict[str, Any] = {"crops": how.crops, "crops_at_most": how.crops_at_most}
        if self.recipe.loss is LossForm.PROXIES:
            return NeighbourSampler(relations, first_crop, **drawn)
        return CameraPairSampler(pairs.rows_a, pairs.rows_b, self.tracklets.cameras, first_crop, **drawn)

    def _relations(self, pairs: PairWeights, doubtful: PairWeights, *, one_camera: bool) -> Relations:
        seen = self.tracklets.sightings
        return Relations(
            seen.cameras,
            seen.starts_s,
            seen.ends_s,
            positives=pairs,
            doubtful=doubtful,
            apart_s=self.recipe.sampling.apart_s,
            one_camera=one_camera,
            known=known_links(self.tracklets),
        )

    def _network(self, step: str) -> ReidNetwork:
        """The network as a finished step left it, on the device."""
        path = self.folder / step / _MODEL
        if not path.is_file():
            raise CheckpointError(f"{path} is missing: step {step} is not finished")
        return self.device.placed(learned_network(self.recipe.network, path))

    def _before(self, number: int) -> str:
        """The training step before a round."""
        return "within" if number == 1 else f"train-{number - 1}"

    def _identity(self, step: str) -> str:
        """What a checkpoint must have been made by."""
        recipe = hashlib.sha256(self.recipe.to_json().encode()).hexdigest()[:16]
        return f"{self.recipe.name} {recipe}, seed {self.seed}, {step}, {len(self.tracklets)} tracklets"


def _save_network(path: Path, network: ReidNetwork) -> None:
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with written_whole(path) as file:
        file.write(save(state))
