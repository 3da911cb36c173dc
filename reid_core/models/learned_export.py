"""Turn a learned network into one that OpenVINO runs: ``python -m ... NETWORK_RECIPE WEIGHTS FOLDER``.

It runs as a process of its own, once for each model.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from reid_core.models.network_recipe import NetworkRecipe
from reid_core.vision.conversion import export_network

__all__ = ["main"]


def main(recipe_json: str, weights: str, folder: str) -> int:
    """Convert; 0 where it went well, 2 where the weights are not the recipe's."""
    from reid_core.models.network import learned_network

    recipe = NetworkRecipe.from_fields(json.loads(recipe_json))
    size = {"height_px": recipe.height_px, "width_px": recipe.width_px}
    return export_network(lambda: learned_network(recipe, Path(weights)).eval(), folder, **size)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
