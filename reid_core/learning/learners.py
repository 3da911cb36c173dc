"""What each stage of a recipe draws and minimises."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from reid_core.learning.cluster_contrast import ClusterContrast, ClusterSampler
from reid_core.learning.clustering import classes_of
from reid_core.learning.free_samplers import FreeSampler, NeighbourSampler
from reid_core.learning.graph_objective import GraphDistillation, Together
from reid_core.learning.known import known_links
from reid_core.learning.learner_parts import Clustering, LossForm
from reid_core.learning.objectives import BatchHard, Objective, Proxies
from reid_core.learning.relations import PairWeights, Relations
from reid_core.learning.samplers import CameraPairSampler, Sampler, WithinCameraSampler
from reid_core.learning.supervised import IdentityAndTriplet, people_of, with_classifier
from reid_core.learning.vectors import tracklet_vectors

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from reid_core.learning.device import Device
    from reid_core.learning.learner_parts import Distillation
    from reid_core.learning.recipes import Recipe
    from reid_core.learning.teacher_graph import TeacherGraph
    from reid_core.learning.tracklet_set import TrackletSet
    from reid_core.models.network import ReidNetwork

__all__ = ["Found", "Learner", "Lesson"]

_BANK_CROPS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What one stage draws and minimises."""

    sampler: Sampler
    objective: Objective


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What an association leaves to the stage after it.

    Attributes:
        pairs: Whom to take for one person.
        doubtful: Whom to leave alone.
        labels: The cluster of each tracklet, -1 for outliers, shape ``(N,)``; ``None`` in forms without clusters.
        graph: What neighbours are worth; ``None`` where the recipe does without.
    """

    pairs: PairWeights
    doubtful: PairWeights
    labels: NDArray[np.int64] | None
    graph: TeacherGraph | None


@dataclass(frozen=True, slots=True, eq=False)
class Learner:
    """A recipe over a set of tracklets.

    Attributes:
        recipe: How to learn.
        tracklets: From what.
        device: Where.
    """

    recipe: Recipe
    tracklets: TrackletSet
    device: Device

    def within(self, network: ReidNetwork, checkpoint: Path) -> Lesson:
        """Tracklets of one camera are told apart.

        Args:
            network: As the stage takes it up, on the device.
            checkpoint: Of the stage; where it exists, memories come from it.
        """
        relations = self._relations(PairWeights.none(), PairWeights.none(), one_camera=True)
        return Lesson(self._within_sampler(), self._by_pairs(network, relations, checkpoint))

    def by_labels(self, network: ReidNetwork, *, seed: int) -> Lesson:
        """Labelled people are told apart, whatever their cameras; the network gets a classifier for the stage.

        Args:
            network: As the stage takes it up, on the device.
            seed: Of the classifier.

        Raises:
            TooLittleToLearnError: If a tracklet has no label, or there are no two people.
        """
        people = people_of(self.tracklets)
        sampler = ClusterSampler(people, self.tracklets.cameras, self.tracklets.first_crop, **self._crops())
        taught = with_classifier(network, int(people.max()) + 1, seed=seed)
        return Lesson(sampler, IdentityAndTriplet(taught, people, margin=self.recipe.margin))

    def across(self, network: ReidNetwork, checkpoint: Path, found: Found) -> Lesson:
        """Tracklets that were found to be one person are drawn together; by the graph too, where there is one.

        Args:
            network: As the stage takes it up, on the device.
            checkpoint: Of the stage.
            found: By the association before.
        """
        if found.labels is not None and self.recipe.loss is LossForm.CONTRAST:
            lesson = self._by_clusters(network, checkpoint, found.labels)
        else:
            relations = self._relations(found.pairs, found.doubtful, one_camera=False)
            objective = self._by_pairs(network, relations, checkpoint)
            lesson = Lesson(self._cross_sampler(found.pairs, relations), objective)
        return replace(lesson, objective=self._joined(network, checkpoint, lesson.objective, found.graph))

    def by_graph(self, network: ReidNetwork, checkpoint: Path, graph: TeacherGraph) -> Lesson:
        """The graph alone teaches; any tracklets are drawn.

        Args:
            network: As the stage takes it up, on the device.
            checkpoint: Of the stage.
            graph: What neighbours are worth.
        """
        sampler = FreeSampler(self.tracklets.first_crop, None, **self._crops())
        return Lesson(sampler, self._distillation(network, checkpoint, graph))

    def distillation(self) -> Distillation:
        """What the recipe says of its graph.

        Raises:
            ValueError: If it has none.
        """
        if self.recipe.distillation is None:
            raise ValueError(f"{self.recipe.name} distils no graph")
        return self.recipe.distillation

    def _joined(
        self, network: ReidNetwork, checkpoint: Path, objective: Objective, graph: TeacherGraph | None
    ) -> Objective:
        if graph is None:
            return objective
        taught = self._distillation(network, checkpoint, graph)
        return Together([(1.0, objective), (self.distillation().weight, taught)])

    def _distillation(self, network: ReidNetwork, checkpoint: Path, graph: TeacherGraph) -> GraphDistillation:
        how = self.distillation()
        start = self._start(network, checkpoint)
        return GraphDistillation(start, graph, temperature=how.temperature, keep=how.keep, rivals=how.rivals)

    def _by_clusters(self, network: ReidNetwork, checkpoint: Path, labels: NDArray[np.int64]) -> Lesson:
        how, classes, cameras = self.recipe.clustering or Clustering(), classes_of(labels), self.tracklets.cameras
        sampler = ClusterSampler(classes, cameras, self.tracklets.first_crop, **self._crops())
        start = self._start(network, checkpoint)
        return Lesson(sampler, ClusterContrast(start, classes, cameras, how, temperature=self.recipe.temperature))

    def _by_pairs(self, network: ReidNetwork, relations: Relations, checkpoint: Path) -> Objective:
        if self.recipe.loss is LossForm.BATCH_HARD:
            return BatchHard(margin=self.recipe.margin, groups=known_links(self.tracklets).groups)
        return Proxies(self._start(network, checkpoint), relations, temperature=self.recipe.temperature)

    def _start(self, network: ReidNetwork, checkpoint: Path) -> torch.Tensor:
        """Vectors with which a memory of all tracklets begins."""
        if checkpoint.is_file():  # which holds the memory
            vectors = np.zeros((len(self.tracklets), network.recipe.dim), np.float32)
        else:
            vectors = tracklet_vectors(network, self.tracklets, crops=_BANK_CROPS, device=self.device)
        return torch.from_numpy(vectors).to(self.device.name)

    def _within_sampler(self) -> Sampler:
        how, seen = self.recipe.sampling, self.tracklets.sightings
        first_crop = self.tracklets.first_crop
        if self.recipe.loss is not LossForm.BATCH_HARD or not how.one_camera:
            return FreeSampler(first_crop, seen.cameras if how.one_camera else None, **self._crops())
        return WithinCameraSampler(
            seen.cameras,
            seen.starts_s,
            seen.ends_s,
            first_crop,
            apart_s=how.apart_s,
            identities=self.tracklets.in_camera_ids,
            groups=known_links(self.tracklets).groups,
            **self._crops(),
        )

    def _cross_sampler(self, pairs: PairWeights, relations: Relations) -> Sampler:
        first_crop = self.tracklets.first_crop
        if self.recipe.loss is LossForm.BATCH_HARD:
            return CameraPairSampler(pairs.rows_a, pairs.rows_b, self.tracklets.cameras, first_crop, **self._crops())
        return NeighbourSampler(relations, first_crop, **self._crops())

    def _crops(self) -> dict[str, Any]:
        how = self.recipe.sampling
        return {"crops": how.crops, "crops_at_most": how.crops_at_most}

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
