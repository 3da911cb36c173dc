"""Training on labelled people, before a site without labels is learned: identity and batch-hard triplets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from reid_core.errors import TooLittleToLearnError
from reid_core.learning.losses.triplet import batch_hard_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from reid_core.learning.batches import Batch
    from reid_core.learning.tracklet_set import TrackletSet
    from reid_core.models.network import ReidNetwork

__all__ = ["IdentityAndTriplet", "people_of", "with_classifier", "without_classifier"]

_CLASSIFIER = "classifier"


def people_of(tracklets: TrackletSet) -> NDArray[np.int64]:
    """Number of each tracklet's person, from 0, whatever the camera. Shape ``(N,)``.

    Raises:
        TooLittleToLearnError: If a tracklet has no label.
    """
    labels = tracklets.in_camera_ids
    if labels is None or (labels < 0).any():
        without = len(tracklets) if labels is None else int((labels < 0).sum())
        raise TooLittleToLearnError(f"{without} of {len(tracklets)} tracklets have no label to learn from")
    return np.unique(labels, return_inverse=True)[1].astype(np.int64).reshape(-1)


def with_classifier(network: ReidNetwork, people: int, *, seed: int) -> ReidNetwork:
    """The network with a layer that tells the labelled people apart, on its device.

    Its weights are trained, put aside and taken up with the network's own.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = nn.Linear(network.recipe.dim, people, bias=False)
        nn.init.normal_(classifier.weight, std=0.001)
    network.add_module(_CLASSIFIER, classifier.to(next(network.parameters()).device))
    return network


def without_classifier(network: ReidNetwork) -> ReidNetwork:
    """The network as it is used: people of a labelled set are nobody's elsewhere. One without a classifier stays."""
    if hasattr(network, _CLASSIFIER):
        delattr(network, _CLASSIFIER)
    return network


class IdentityAndTriplet:
    """Cross-entropy over all labelled people, and the batch-hard triplet loss; it remembers nothing.

    Args:
        network: With its classifier.
        people: Of the tracklets, from 0. Shape ``(N,)``.
        margin: Of the triplets; ``None`` is soft.

    Source:
        G-Fusion, MM 2023, section 4.2 (source domain); Hermans et al., arXiv 1703.07737.
    """

    def __init__(self, network: ReidNetwork, people: NDArray[np.int64], *, margin: float | None) -> None:
        self._classifier: nn.Module = network.get_submodule(_CLASSIFIER)
        self._people, self._margin = people, margin

    def loss(self, vectors: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The sum of both."""
        people = torch.from_numpy(self._people[batch.rows]).to(vectors.device)
        identity = functional.cross_entropy(self._classifier(vectors), people)
        return identity + batch_hard_loss(vectors, people, margin=self._margin)

    def remember(self, vectors: torch.Tensor, batch: Batch) -> None:
        """There is nothing to remember."""

    def memory(self) -> Mapping[str, torch.Tensor]:
        """Empty."""
        return {}

    def restore(self, memory: Mapping[str, torch.Tensor]) -> None:
        """There is nothing to restore."""
