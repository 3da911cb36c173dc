"""A transformer of timm's as a trunk: its tokens laid out as the map that they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

from reid_core.errors import WeightsError

if TYPE_CHECKING:
    import torch

__all__ = ["TransformerTrunk", "fitted_positions"]

_POSITIONS = "pos_embed"


class TransformerTrunk(nn.Module):
    """A plain vision transformer: patches, blocks of one width, a norm.

    Args:
        transformer: Of timm's, made for the recipe's picture size.
        stages: So many stages are used, the patches' embedding counting as one and each block as one; 0: all.

    Raises:
        WeightsError: If it is of another kind, or its patches do not fill the picture.
    """

    def __init__(self, transformer: Any, *, stages: int) -> None:
        super().__init__()
        if not hasattr(transformer, "num_prefix_tokens"):
            raise WeightsError(f"{type(transformer).__name__} is no plain vision transformer")
        sides = list(zip(transformer.patch_embed.img_size, transformer.patch_embed.patch_size, strict=True))
        if any(picture % patch for picture, patch in sides):
            raise WeightsError(f"patches of {sides[0][1]} px do not fill pictures of {sides[0][0]}x{sides[1][0]} px")
        self.transformer = transformer
        if stages:
            transformer.blocks = transformer.blocks[: stages - 1]

    def forward_features(self, image: torch.Tensor) -> torch.Tensor:
        """RGB ``(B, 3, H, W)`` to the last block's map ``(B, channels, h, w)``; class and other extra tokens fall."""
        tokens: torch.Tensor = self.transformer.forward_features(image)[:, self.transformer.num_prefix_tokens :]
        height, width = self.transformer.patch_embed.grid_size
        return tokens.transpose(1, 2).reshape(len(tokens), tokens.shape[2], height, width)

    def first_stages(self, count: int) -> tuple[nn.Module, ...]:
        """The patches' embedding and the first blocks, ``count`` in all; tokens that are added are frozen with it."""
        for _, parameter in self.transformer.named_parameters(recurse=False):
            parameter.requires_grad_(requires_grad=False)
        return (self.transformer.patch_embed, *list(self.transformer.blocks)[: count - 1])


def fitted_positions(
    stored: dict[str, torch.Tensor], transformer: Any, wanted: dict[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Published weights with the positions of another picture size moved to the transformer's own grid.

    Args:
        stored: Weights by name.
        transformer: That they are for.
        wanted: Its own, by name.
    """
    positions = stored.get(_POSITIONS)
    if positions is None or _POSITIONS not in wanted or positions.shape == wanted[_POSITIONS].shape:
        return stored
    from timm.layers import resample_abs_pos_embed

    prefix = wanted[_POSITIONS].shape[1] - transformer.patch_embed.num_patches
    moved = resample_abs_pos_embed(positions, list(transformer.patch_embed.grid_size), num_prefix_tokens=prefix)
    return {**stored, _POSITIONS: moved}
