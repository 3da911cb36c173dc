"""The steps of a cycle at work: what is loaded, trained, paired and left for the next step."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safetensors.torch import save

from reid_core.errors import CheckpointError
from reid_core.learning.files import written_whole
from reid_core.learning.learner_parts import LossForm
from reid_core.learning.learners import Found, Learner, Lesson
from reid_core.learning.mean_teacher import Teacher
from reid_core.learning.pairing import pair_tracklets
from reid_core.learning.relations import PairWeights
from reid_core.learning.results import finish_cycle
from reid_core.learning.site_graph import site_graph
from reid_core.learning.stages import Stage, train_stage
from reid_core.learning.step_files import (
    StepProgress,
    StepResult,
    load_array,
    load_pairs,
    save_array,
    save_json,
    save_pairs,
    save_result,
)
from reid_core.learning.supervised import without_classifier
from reid_core.learning.teacher_graph import TeacherGraph
from reid_core.learning.tracklet_set import TrackletSet
from reid_core.learning.vectors import tracklet_vectors
from reid_core.models.network import ReidNetwork, build_network, learned_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reid_core.learning.device import Device
    from reid_core.learning.recipes import Recipe
    from reid_core.types import FloatArray

__all__ = ["Cycle"]

_MODEL, _CHECKPOINT, _PAIRS, _VECTORS = "model.safetensors", "checkpoint.safetensors", "pairs.npz", "vectors.npy"
_GRAPH, _CLUSTERS = "graph.npz", "clusters.npy"


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
            "supervise": self._supervise,
            "associate": lambda: self._associate(int(number)),
            "train": lambda: self._train(int(number)),
            "graph": lambda: self._graph(int(number)),
            "distil": lambda: self._distil(int(number)),
            "finish": self._finish,
        }
        result = StepResult(step, act[kind]())
        save_result(self.folder / step, result)
        return result

    @property
    def _learner(self) -> Learner:
        return Learner(self.recipe, self.tracklets, self.device)

    def _within(self) -> dict[str, float]:
        network = self.device.placed(build_network(self.recipe.network, self.weights, seed=self.seed))
        lesson = self._learner.within(network, self.folder / "within" / _CHECKPOINT)
        return self._trained(network, "within", lesson, number=0, iterations=self.recipe.optimisation.within_iterations)

    def _supervise(self) -> dict[str, float]:
        network = self.device.placed(build_network(self.recipe.network, self.weights, seed=self.seed))
        lesson = self._learner.by_labels(network, seed=self.seed)
        iterations = self.recipe.optimisation.within_iterations
        return self._trained(network, "supervise", lesson, number=0, iterations=iterations)

    def _associate(self, number: int) -> dict[str, float]:
        step = f"associate-{number}"
        vectors = self._vectors(step, self._before(number))
        paired = pair_tracklets(
            vectors,
            self.tracklets,
            self.recipe.pairing,
            seed=self.seed,
            first_round=number == 1,
            clustering=self.recipe.clustering,
        )
        pairs = PairWeights(paired.pairs.rows_a, paired.pairs.rows_b, paired.pairs.weights)
        save_pairs(self.folder / step / _PAIRS, pairs, paired.doubtful)
        if paired.evidence is not None:
            save_json(self.folder / step / "transit.json", paired.evidence.transit.to_json())
        if paired.labels is not None:
            save_array(self.folder / step / _CLUSTERS, paired.labels)
        if self.recipe.distillation is not None and self.recipe.distillation.weight:
            self._draw_graph(step, vectors)
        mean = float(pairs.weights.mean()) if len(pairs) else 0.0
        return {"candidates": float(paired.candidates), "pairs": float(len(pairs)), "mean_weight": mean}

    def _train(self, number: int) -> dict[str, float]:
        place = self.folder / f"associate-{number}"
        graph = TeacherGraph.load(place / _GRAPH) if (place / _GRAPH).is_file() else None
        labels = load_array(place / _CLUSTERS) if (place / _CLUSTERS).is_file() else None
        found = Found(*load_pairs(place / _PAIRS), labels, graph)
        network, step = self._network(self._before(number)), f"train-{number}"
        lesson = self._learner.across(network, self.folder / step / _CHECKPOINT, found)
        iterations = self.recipe.optimisation.cross_iterations
        return self._trained(network, step, lesson, number=number, iterations=iterations)

    def _graph(self, number: int) -> dict[str, float]:
        step = f"graph-{number}"
        vectors = self._vectors(step, self._before_graph(number))
        graph = self._draw_graph(step, vectors)
        return {"neighbours": len(graph.columns) / max(1, len(graph))}

    def _distil(self, number: int) -> dict[str, float]:
        network, step, how = self._network(self._before_graph(number)), f"distil-{number}", self._learner.distillation()
        graph = TeacherGraph.load(self.folder / f"graph-{number}" / _GRAPH)
        lesson = self._learner.by_graph(network, self.folder / step / _CHECKPOINT, graph)
        number += self.recipe.pairing.rounds
        return self._trained(
            network, step, lesson, number=number, iterations=how.iterations, tracklets=how.tracklets or None
        )

    def _finish(self) -> dict[str, float]:
        rounds = self.recipe.distillation.rounds if self.recipe.distillation else 0
        return finish_cycle(
            self._network(self._before_graph(rounds + 1)),
            self.tracklets,
            self.folder / "finish",
            recipe=self.recipe,
            seed=self.seed,
            device=self.device,
            report=lambda done: self.report(StepProgress("finish", done, len(self.tracklets))),
        )

    def _vectors(self, step: str, before: str) -> FloatArray:
        """Vectors of all tracklets by the network of the training step before, kept in a step's folder."""
        vectors = tracklet_vectors(
            self._network(before),
            self.tracklets,
            crops=self.recipe.pairing.crops,
            device=self.device,
            report=lambda done: self.report(StepProgress(step, done, len(self.tracklets))),
        )
        save_array(self.folder / step / _VECTORS, vectors)
        return vectors

    def _draw_graph(self, step: str, vectors: FloatArray) -> TeacherGraph:
        """The graph that teaches, kept in a step's folder."""
        graph = site_graph(vectors, self.tracklets, self._learner.distillation(), seed=self.seed)
        graph.save(self.folder / step / _GRAPH)
        return graph

    def _trained(
        self,
        network: ReidNetwork,
        step: str,
        lesson: Lesson,
        *,
        number: int,
        iterations: int,
        tracklets: int | None = None,
    ) -> dict[str, float]:
        place = self.folder / step
        stage = Stage(
            number=number,
            identity=self._identity(step),
            sampler=lesson.sampler,
            objective=lesson.objective,
            pictures=self.tracklets.images,
            light=self.recipe.network.light,
            augmentation=self.recipe.augmentation,
            optimisation=self.recipe.optimisation,
            iterations=iterations,
            tracklets=tracklets or self.recipe.sampling.tracklets,
            teacher=Teacher(network, self.recipe.teacher) if self.recipe.teacher else None,
        )
        outcome = train_stage(
            network,
            stage,
            device=self.device,
            seed=self.seed,
            checkpoint=place / _CHECKPOINT,
            report=lambda done, loss: self.report(StepProgress(step, done, iterations, {"loss": loss})),
        )
        _save_network(place / _MODEL, without_classifier(network))
        return {"loss": outcome.loss, "pictures": float(outcome.pictures), "halvings": float(outcome.halvings)}

    def _network(self, step: str) -> ReidNetwork:
        """The network as a finished step left it, on the device."""
        path = self.folder / step / _MODEL
        if not path.is_file():
            raise CheckpointError(f"{path} is missing: step {step} is not finished")
        return self.device.placed(learned_network(self.recipe.network, path))

    def _before(self, number: int) -> str:
        """The training step before a round."""
        if self.recipe.loss is LossForm.LABELS:
            return "supervise"
        return "within" if number == 1 else f"train-{number - 1}"

    def _before_graph(self, number: int) -> str:
        """The training step before a round of the graph alone."""
        return self._before(self.recipe.pairing.rounds + 1) if number == 1 else f"distil-{number - 1}"

    def _identity(self, step: str) -> str:
        """What a checkpoint must have been made by."""
        recipe = hashlib.sha256(self.recipe.to_json().encode()).hexdigest()[:16]
        return f"{self.recipe.name} {recipe}, seed {self.seed}, {step}, {len(self.tracklets)} tracklets"


def _save_network(path: Path, network: ReidNetwork) -> None:
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with written_whole(path) as file:
        file.write(save(state))
