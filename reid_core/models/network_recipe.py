"""What a trainable network is made of. No torch here: a recipe is written, read and compared by any process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NetworkRecipe"]

_MOST_DIMENSIONS = 512


@dataclass(frozen=True, slots=True)
class NetworkRecipe:
    """A trunk, and the heads that turn its last map into a vector.

    Attributes:
        architecture: Name in timm.
        weights: Published weights to start from, by their name in the weights registry; ``None``: start from noise, or
            from a file that the user brings.
        height_px: Pictures are resized to this height ...
        width_px: ... and this width.
        output_stride: Pixels of the picture to one cell of the last map: 32 as published, 16 for a finer map.
        stages: So many of the trunk's stages (its stem counts as one) are used, the later ones cut off; 0: all.
        frozen_stages: So many of the trunk's first stages (its stem counts as one) stay as published; they see edges
            and colours, which are the same everywhere, and cost most of a training step.
        global_dim: Length of the part that sees the whole picture.
        stripes: Equal horizontal bands with a head each, 0 for none.
        stripe_dim: Length of one band's part.
        normalised: Whether vectors (and each part of them) get length 1; else they are as the heads give them.
        mirrored: Whether a picture's vector, outside of training, is the mean of its own and its mirror image's.
        whitened: Whether vectors, outside of training, go through a linear map that a learning cycle fits at its end.
        light: Every channel of a picture is scaled to this mean first (`balance_light`); 0 leaves the light alone.
        mean: Subtracted from RGB in ``[0, 1]``.
        std: Divides what is left.
    """

    architecture: str
    weights: str | None
    height_px: int = 128
    width_px: int = 64
    output_stride: int = 16
    stages: int = 0
    frozen_stages: int = 0
    global_dim: int = 256
    stripes: int = 4
    stripe_dim: int = 64
    normalised: bool = True
    mirrored: bool = False
    whitened: bool = False
    light: float = 110.0
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        """Refuse what no network can be built of.

        Raises:
            ValueError: If a size is out of range.
        """
        if not 1 <= self.dim <= _MOST_DIMENSIONS:
            raise ValueError(f"a vector has 1 to {_MOST_DIMENSIONS} numbers, not {self.dim}")
        if self.output_stride not in {16, 32} or min(self.height_px, self.width_px) < self.output_stride:
            size = f"{self.height_px}x{self.width_px}"
            raise ValueError(f"an output stride of {self.output_stride} does not suit pictures of {size} px")
        if self.stripes > self.height_px // self.output_stride:
            raise ValueError(f"{self.stripes} stripes are more than the map has rows")

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.global_dim + self.stripes * self.stripe_dim

    @staticmethod
    def from_fields(fields: Mapping[str, Any]) -> NetworkRecipe:
        """The recipe that `dataclasses.asdict` took apart, from JSON too.

        Raises:
            ValueError: If a size is out of range.
            TypeError: If a field is unknown or missing.
        """
        given: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in fields.items()}
        return NetworkRecipe(**given)
