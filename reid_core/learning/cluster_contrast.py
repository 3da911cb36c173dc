"""Clusters as classes: who is drawn, and what is minimised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from reid_core.errors import TooLittleToLearnError
from reid_core.learning.batches import Batch, batch_of, draw_tracklet
from reid_core.learning.losses.clusters import centre_loss, cross_camera_loss
from reid_core.learning.memory import MemoryBank

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from reid_core.learning.learner_parts import Clustering

__all__ = ["ClusterContrast", "ClusterSampler"]


@dataclass(frozen=True, slots=True, eq=False)
class ClusterSampler:
    """Classes, and pictures of each from as many of its cameras and tracklets as can be.

    Attributes:
        classes: Of the tracklets. Shape ``(N,)``.
        cameras: Of the tracklets. Shape ``(N,)``.
        first_crop: As in `TrackletSet`. Shape ``(N + 1,)``.
        crops: Pictures of a class, K.
        crops_at_most: Of a tracklet.

    Raises:
        TooLittleToLearnError: If there are no two classes.
    """

    classes: NDArray[np.int64]
    cameras: NDArray[np.int64]
    first_crop: NDArray[np.int64]
    crops: int = 4
    crops_at_most: int = 60

    def __post_init__(self) -> None:
        """See to it that there is something to tell apart."""
        if len(np.unique(self.classes)) < 2:
            raise TooLittleToLearnError(f"all {len(self.classes)} tracklets are one cluster")

    def draw(self, rng: np.random.Generator, tracklets: int) -> Batch:
        """A batch of at most that many classes."""
        chosen = rng.permutation(np.unique(self.classes))[:tracklets].tolist()
        rows, labels, crops = [], [], []
        for label in chosen:
            members = self._spread(np.flatnonzero(self.classes == label), rng)
            for row, count in zip(*np.unique(np.resize(members, self.crops), return_counts=True), strict=True):
                rows.append(int(row))
                labels.append(label)
                crops.append(draw_tracklet(self.first_crop, int(row), int(count), rng, at_most=self.crops_at_most))
        return batch_of(rows, labels, crops)

    def _spread(self, members: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Members in a drawn order in which cameras take turns."""
        drawn = rng.permutation(members)
        seen = self.cameras[drawn]
        turns = [int(np.count_nonzero(seen[:place] == camera)) for place, camera in enumerate(seen.tolist())]
        return drawn[np.argsort(turns, kind="stable")]


class ClusterContrast:
    """Pictures are drawn to their class's centre and to its proxies at other cameras.

    Every class has a running vector for each camera that saw it; its centre is their mean, so a camera that saw much of
    somebody counts no more than one that saw little.

    Args:
        vectors: The network's vectors of all tracklets, from which proxies begin. Shape ``(N, d)``.
        classes: Of the tracklets, from 0, none left out. Shape ``(N,)``.
        cameras: Of the tracklets. Shape ``(N,)``.
        how: The recipe's way.
        temperature: Of the softmaxes.
    """

    def __init__(
        self,
        vectors: torch.Tensor,
        classes: NDArray[np.int64],
        cameras: NDArray[np.int64],
        how: Clustering,
        *,
        temperature: float,
    ) -> None:
        pairs, proxy_of = np.unique(np.stack([classes, cameras], axis=1), axis=0, return_inverse=True)
        device = vectors.device
        self._proxy_of = torch.from_numpy(proxy_of.reshape(-1).astype(np.int64)).to(device)
        self._classes, self._cameras = (torch.from_numpy(column.copy()).to(device) for column in pairs.T)
        self._count = int(classes.max()) + 1
        self._how, self._temperature = how, temperature
        start = torch.zeros(len(pairs), vectors.shape[1], device=device)
        start.index_add_(0, self._proxy_of, functional.normalize(vectors.float(), dim=1))
        self._bank = MemoryBank(start, keep=how.keep)

    def loss(self, vectors: torch.Tensor, batch: Batch) -> torch.Tensor:
        """See `centre_loss` and `cross_camera_loss`."""
        unit, proxies = functional.normalize(vectors, dim=1), self._bank.vectors
        own = self._proxy_of[torch.from_numpy(batch.rows).to(vectors.device)]
        classes, cameras = self._classes[own], self._cameras[own]
        loss = centre_loss(unit, self._centres(), classes, temperature=self._temperature)
        if not self._how.cross:
            return loss
        same = classes[:, None] == self._classes[None, :]
        elsewhere = same & (cameras[:, None] != self._cameras[None, :])
        across = cross_camera_loss(
            unit, proxies, elsewhere, ~same, hardest=self._how.hardest, temperature=self._temperature
        )
        return loss + self._how.cross * across

    def remember(self, vectors: torch.Tensor, batch: Batch) -> None:
        """Visit the proxies of the batch's classes and cameras."""
        rows = torch.from_numpy(batch.rows).to(vectors.device)
        self._bank.visit(self._proxy_of[rows], functional.normalize(vectors, dim=1))

    def memory(self) -> Mapping[str, torch.Tensor]:
        """The proxies."""
        return {"proxies": self._bank.vectors}

    def restore(self, memory: Mapping[str, torch.Tensor]) -> None:
        """Take the proxies back."""
        self._bank.restore(memory["proxies"])

    def _centres(self) -> torch.Tensor:
        proxies = self._bank.vectors
        sums = torch.zeros(self._count, proxies.shape[1], device=proxies.device).index_add_(0, self._classes, proxies)
        return functional.normalize(sums, dim=1)
