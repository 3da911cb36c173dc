from __future__ import annotations

from dataclasses import replace

from reid_core.models.backbone import BackboneRecipe


def test_a_recipe_survives_its_written_form():
    recipe = BackboneRecipe(stage=2, stripes=4, mean=(0.5, 0.25, 0.125))
    assert BackboneRecipe.from_json(recipe.to_json()) == recipe


def test_recipes_that_differ_in_anything_have_different_names():
    recipe = BackboneRecipe()
    others = [
        replace(recipe, stage=2),
        replace(recipe, stripes=4),
        replace(recipe, height_px=256),
        replace(recipe, width_px=128),
        replace(recipe, mean=(0.5, 0.5, 0.5)),
        replace(recipe, std=(0.5, 0.5, 0.5)),
        replace(recipe, version=recipe.version + 1),
        replace(recipe, architecture="tf_efficientnet_lite0"),
    ]
    assert len({recipe.name, *(other.name for other in others)}) == 1 + len(others)
