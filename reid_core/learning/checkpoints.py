"""The state of an interrupted stage in one safetensors file, written whole or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from reid_core.errors import CheckpointError
from reid_core.learning.files import written_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Checkpoint", "load_checkpoint", "optimiser_tensors", "restore_optimiser", "save_checkpoint"]

_STATE = "state"
_PARTS = ("network", "optimiser", "objective", "teacher")


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """All that a stage needs to go on as if nothing had happened.

    Attributes:
        network: The network's state by name.
        optimiser: Moments by name of the parameter and of the moment.
        objective: What the loss remembers, by name.
        state: Numbers: iterations done, running figures, how often the batch was halved.
        identity: What the stage is: recipe, seed, stage. A checkpoint of anything else is refused.
        teacher: State of the mean teacher by name, where there is one.
    """

    network: Mapping[str, torch.Tensor]
    optimiser: Mapping[str, torch.Tensor]
    objective: Mapping[str, torch.Tensor]
    state: Mapping[str, float]
    identity: str
    teacher: Mapping[str, torch.Tensor] = field(default_factory=dict)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Put a checkpoint in the place of the one before.

    Raises:
        StorageFullError: If there is no space left; the one before stays.
        StorageError: If the file cannot be written.
    """
    tensors = {
        f"{part}/{name}": tensor.detach().cpu().contiguous()
        for part in _PARTS
        for name, tensor in getattr(checkpoint, part).items()
    }
    metadata = {_STATE: json.dumps(dict(checkpoint.state)), "identity": checkpoint.identity}
    with written_whole(path) as file:
        file.write(save(tensors, metadata))


def load_checkpoint(path: Path, *, identity: str) -> Checkpoint | None:
    """The checkpoint at a path, ``None`` where there is none.

    Raises:
        CheckpointError: If the file is no checkpoint, or one of another stage, seed or recipe.
    """
    if not path.is_file():
        return None
    parts: dict[str, dict[str, torch.Tensor]] = {part: {} for part in _PARTS}
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            for name in file.keys():  # noqa: SIM118  not a dictionary
                part, _, rest = name.partition("/")
                parts[part][rest] = file.get_tensor(name)
        state = json.loads(metadata[_STATE])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path}: {error}") from error
    if metadata["identity"] != identity:
        raise CheckpointError(f"{path} belongs to {metadata['identity']}, not to {identity}")
    return Checkpoint(**parts, state=state, identity=identity)


def optimiser_tensors(optimiser: torch.optim.Optimizer, names: Mapping[torch.Tensor, str]) -> dict[str, torch.Tensor]:
    """Every moment of every parameter that has one, as ``PARAMETER/MOMENT``."""
    return {
        f"{names[parameter]}/{moment}": torch.as_tensor(value)
        for parameter, moments in optimiser.state.items()
        for moment, value in moments.items()
    }


def restore_optimiser(
    optimiser: torch.optim.Optimizer,
    stored: Mapping[str, torch.Tensor],
    names: Mapping[torch.Tensor, str],
) -> None:
    """Inverse of `optimiser_tensors`.

    Raises:
        CheckpointError: If a moment belongs to no parameter.
    """
    by_name = {name: parameter for parameter, name in names.items()}
    for key, tensor in stored.items():
        name, _, moment = key.rpartition("/")
        if name not in by_name:
            raise CheckpointError(f"there is no parameter {name}")
        parameter = by_name[name]
        on_device = tensor if moment == "step" else tensor.to(parameter.device).to(memory_format=torch.preserve_format)
        optimiser.state[parameter][moment] = on_device.clone()
