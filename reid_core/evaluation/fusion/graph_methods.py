"""Graphs as methods of the harness: G-Fusion in the paper's form, and the field's k-reciprocal encoding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.graph.neighbours import nearest_in
from reid_core.graph.propagation import RandomProjection
from reid_core.graph.reciprocal_encoding import reciprocal_rerank
from reid_core.graph.refined_gallery import GraphRules
from reid_core.graph.rerank import graph_rerank
from reid_core.graph.transit_rules import recorded_transitions, transition_rule
from reid_core.spatio_temporal.sightings import Sightings

if TYPE_CHECKING:
    from reid_core.evaluation.fusion.case import FusionCase, Rows
    from reid_core.evaluation.fusion.lists import TimedImages

__all__ = ["DELTA_FRAMES", "gfusion_paper_rows", "gfusion_rows", "in_frames", "k_reciprocal_rows"]

DELTA_FRAMES = 25.0
_PROJECTION = RandomProjection(seed=0)


def gfusion_paper_rows(case: FusionCase) -> Rows:
    """The paper's re-ranking with its values: transition sets of training images, one random projection."""
    return gfusion_rows(case, projection=_PROJECTION)


def gfusion_rows(
    case: FusionCase, *, projection: RandomProjection | None = None, rules: GraphRules | None = None
) -> Rows:
    """The paper's graph.

    Args:
        case: Times and looks.
        projection: The paper's random one; none leaves it out.
        rules: How the graph is joined; default: the paper's values.
    """
    looks, rules = case.features, rules or GraphRules()
    train, query, gallery = in_frames(case.lists.train, case.lists.query, case.lists.gallery)
    sets = recorded_transitions(nearest_in(looks.train, rules.visual), train)
    reranked = graph_rerank(
        looks.query,
        looks.gallery,
        gallery_rule=transition_rule(sets, gallery, gallery, delta_s=DELTA_FRAMES),
        query_rule=transition_rule(sets, query, gallery, delta_s=DELTA_FRAMES),
        rules=rules,
        projection=projection,
    )
    return reranked.distances()


def k_reciprocal_rows(case: FusionCase) -> Rows:
    """k-reciprocal encoding with the authors' values, looks alone."""
    return reciprocal_rerank(case.features.query, case.features.gallery)


def in_frames(*parts: TimedImages) -> list[Sightings]:
    """Times stay in frames, as the paper's do: gaps are only compared, and whole numbers compare exactly."""
    cameras = np.unique(np.concatenate([part.camera_ids for part in parts]))
    names = tuple(str(camera) for camera in cameras.tolist())
    return [
        Sightings(names, np.searchsorted(cameras, part.camera_ids), *[part.frames.astype(np.float64)] * 2)
        for part in parts
    ]
