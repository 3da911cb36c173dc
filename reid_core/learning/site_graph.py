"""The teacher's graph of a set of tracklets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reid_core.learning.known import known_links
from reid_core.learning.learner_parts import TimeRule
from reid_core.learning.looks import centred_looks, graph_looks
from reid_core.learning.pairing import fit_evidence
from reid_core.learning.teacher_graph import TeacherGraph, teacher_graph

if TYPE_CHECKING:
    from reid_core.learning.learner_parts import Distillation
    from reid_core.learning.tracklet_set import TrackletSet
    from reid_core.types import FloatArray

__all__ = ["site_graph"]


def site_graph(vectors: FloatArray, tracklets: TrackletSet, how: Distillation, *, seed: int) -> TeacherGraph:
    """Join a set's tracklets by the network's vectors, by times as the recipe says, and by what people said.

    Args:
        vectors: Of the network in training. Shape ``(N, d)``.
        tracklets: The set.
        how: The recipe's way.
        seed: Of whatever is drawn.
    """
    transit = None
    if how.time is TimeRule.TRANSIT:
        transit = fit_evidence(centred_looks(vectors, tracklets.cameras), tracklets, seed=seed).transit
    looks = graph_looks(vectors, tracklets.cameras, centred=how.centred)
    known = known_links(tracklets)
    return teacher_graph(looks, tracklets.sightings, how, transit=transit, known=known, seed=seed)
