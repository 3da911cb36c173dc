"""The last step: vectors of all tracklets, transit times and calibration, and the model's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import save

from reid_core.association.reciprocal import associate
from reid_core.learning.files import written_whole
from reid_core.learning.learner_parts import LossForm
from reid_core.learning.looks import unit_rows
from reid_core.learning.pairing import fit_evidence, pair_tracklets, whitening_by
from reid_core.learning.step_files import save_json
from reid_core.learning.vectors import tracklet_vectors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reid_core.learning.device import Device
    from reid_core.learning.recipes import Recipe
    from reid_core.learning.tracklet_set import TrackletSet
    from reid_core.learning.whitening import Whitening
    from reid_core.models.network import ReidNetwork

__all__ = ["finish_cycle"]


def finish_cycle(
    network: ReidNetwork,
    tracklets: TrackletSet,
    folder: Path,
    *,
    recipe: Recipe,
    seed: int,
    device: Device,
    report: Callable[[int], None],
) -> dict[str, float]:
    """Write ``model.safetensors``, ``recipe.json``, ``vectors.npy``, ``transit.json`` and ``calibration.json``.

    The last is left out where times cannot tell anything.

    Args:
        network: As the last round left it, on the device.
        tracklets: The set.
        folder: Where to write; it exists.
        recipe: How the network was trained.
        seed: Of whatever is drawn.
        device: Where the network is.
        report: Told how many tracklets are embedded.

    Returns:
        Figures of the result.
    """
    vectors = tracklet_vectors(network, tracklets, crops=recipe.pairing.crops, device=device, report=report)
    if recipe.network.whitened:
        paired = pair_tracklets(vectors, tracklets, recipe.pairing, seed=seed, clustering=recipe.clustering)
        _whiten(network, whitening_by(vectors, paired, recipe.pairing.smoothing))
        vectors = tracklet_vectors(network, tracklets, crops=recipe.pairing.crops, device=device, report=report)
    vectors = unit_rows(vectors)
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with written_whole(folder / "model.safetensors") as file:
        file.write(save(state))
    with written_whole(folder / "recipe.json") as file:
        file.write(recipe.to_json().encode())
    with written_whole(folder / "vectors.npy") as file:
        np.save(file, vectors)
    if recipe.loss is LossForm.LABELS:  # of which nothing but the network is wanted
        return {"tracklets": float(len(tracklets))}
    evidence = fit_evidence(vectors, tracklets, seed=seed)
    save_json(folder / "transit.json", evidence.transit.to_json())
    if evidence.calibration is not None:
        save_json(folder / "calibration.json", evidence.calibration.to_json())
    mutual = associate(vectors, tracklets.sightings)
    distance = float(mutual.distances.mean()) if len(mutual) else 0.0
    return {"tracklets": float(len(tracklets)), "mutual_pairs": float(len(mutual)), "mutual_distance": distance}


def _whiten(network: ReidNetwork, whitening: Whitening) -> None:
    """Put a map behind the network, for good."""
    with torch.no_grad():
        network.offset.copy_(torch.from_numpy(whitening.offset))
        network.whitening.copy_(torch.from_numpy(whitening.matrix))
