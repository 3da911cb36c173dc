"""Turn published ImageNet weights into the striped-feature network: ``python -m ... RECIPE WEIGHTS FOLDER``.

The only place where timm is imported. It runs as a process of its own, once for each weights file and recipe.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reid_core.errors import WeightsError
from reid_core.models.backbone import BackboneRecipe
from reid_core.vision.conversion import export_network

if TYPE_CHECKING:
    import torch

__all__ = ["striped_network"]

_PRIOR_WIDTH = 0.5


def striped_network(weights: Path, recipe: BackboneRecipe) -> torch.nn.Module:
    """The recipe as a torch module: BGR bytes ``(N, H, W, 3)`` to L2-normalised stripes ``(N, stripes, channels)``.

    Features are standardised by what ImageNet looked like to the network, which its batch normalisation remembers:
    no data are needed for it, and what all pictures share no longer hides what tells them apart.

    Raises:
        WeightsError: If the file does not hold weights of the recipe's architecture.
    """
    import torch

    trunk = _trunk(weights, recipe)
    resting_mean, resting_std = _resting_statistics(trunk.get_submodule(_stage_names(trunk)[recipe.stage]))
    mean = 255 * torch.tensor(recipe.mean).view(1, 3, 1, 1)
    std = 255 * torch.tensor(recipe.std).view(1, 3, 1, 1)

    class StripedNetwork(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trunk = trunk

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            rgb = image.permute(0, 3, 1, 2).flip(1).float()
            (maps,) = self.trunk.forward_intermediates((rgb - mean) / std, [recipe.stage], intermediates_only=True)
            pooled = torch.nn.functional.adaptive_avg_pool2d(maps * _prior(maps.shape[3]), (recipe.stripes, 1))
            standard = (pooled.squeeze(3).transpose(1, 2) - resting_mean) / resting_std
            return torch.nn.functional.normalize(standard, dim=2)

    return StripedNetwork().eval()


def _prior(width: int) -> torch.Tensor:
    """Weights across the crop, the middle first; their mean is 1. Shape ``(width,)``."""
    import torch

    across = (torch.arange(width) + 0.5) / width * 2 - 1
    weights = torch.exp(-0.5 * (across / _PRIOR_WIDTH) ** 2)
    return weights / weights.mean()


def _trunk(weights: Path, recipe: BackboneRecipe) -> Any:
    import torch

    from reid_core.vision import torch_compat

    torch_compat.install()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import timm

    trunk = timm.create_model(recipe.architecture, pretrained=False)
    try:
        stored = torch.load(weights, map_location="cpu", weights_only=True)
        trunk.load_state_dict(dict(zip(trunk.state_dict(), stored.values(), strict=True)))
    except Exception as error:
        raise WeightsError(f"{weights} does not hold weights of {recipe.architecture}") from error
    return trunk.eval()


def _stage_names(trunk: Any) -> list[str]:
    return [entry["module"] for entry in trunk.feature_info]


def _resting_statistics(stage: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation of a stage's output over ImageNet, as its residual chain of normalisations implies."""
    import torch

    mean, variance = torch.zeros(()), torch.zeros(())
    for block in stage:
        norm = block.bn3 if hasattr(block, "bn3") else block.bn2
        if not block.has_skip:
            mean, variance = torch.zeros(()), torch.zeros(())
        mean = mean + norm.bias.detach()
        variance = variance + norm.weight.detach() ** 2
    return mean, variance.sqrt()


def _main(recipe_json: str, weights: str, folder: str) -> int:

    recipe = BackboneRecipe.from_json(recipe_json)
    return export_network(
        lambda: striped_network(Path(weights), recipe), folder, height_px=recipe.height_px, width_px=recipe.width_px
    )


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
