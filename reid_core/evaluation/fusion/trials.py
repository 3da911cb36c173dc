"""What each part of the default fusion is worth: the default with one part left out, exchanged or added."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.evaluation.fusion.case import FusionCase
from reid_core.evaluation.fusion.fused_method import FPS, fused_rows, learned_times
from reid_core.evaluation.fusion.graph_methods import gfusion_paper_rows
from reid_core.evaluation.fusion.lists import TimedLists
from reid_core.graph.fused_rules import FusedRules
from reid_core.graph.neighbours import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reid_core.evaluation.fusion.case import Rows
    from reid_core.evaluation.fusion.methods import Method
    from reid_core.types import FloatArray

__all__ = ["TRIALS", "expanded"]

_RULES: Final = FusedRules()
_NO_EDGES: Final = 1e3
_HARD: Final = 1e-6
_TOGETHER_S: Final = 1.0


def expanded(vectors: FloatArray, gallery: FloatArray, *, neighbours: int = 10, alpha: float = 3.0) -> FloatArray:
    """Vectors with their nearest of the gallery added, each by its cosine to the power of alpha. Shape as given.

    Source:
        Radenovic et al., "Fine-tuning CNN Image Retrieval with No Human Annotation", TPAMI 2018 (alpha-weighted QE).
    """
    near = nearest(vectors, gallery, neighbours)
    weights = np.maximum(near.cosines, 0) ** alpha
    sums = vectors + np.einsum("nk,nkd->nd", weights, gallery[near.rows])
    unit: FloatArray = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _expanded_rows(case: FusionCase) -> Rows:
    looks = case.features
    more = replace(looks, query=expanded(looks.query, looks.gallery), gallery=expanded(looks.gallery, looks.gallery))
    return fused_rows(FusionCase(case.lists, more))


def _constrained_rows(case: FusionCase) -> Rows:
    """Whoever is at the query's camera in the query's second and does not look like it comes last."""
    times, looks, rows = learned_times(case), case.features, fused_rows(case)
    asks, answers = times.query, times.gallery

    def constrained(start: int, stop: int) -> FloatArray:
        far = np.array(rows(start, stop))
        some = slice(start, stop)
        together = np.abs(asks.starts_s[some, None] - answers.starts_s[None]) <= _TOGETHER_S
        together &= asks.cameras[some, None] == answers.cameras[None]
        together &= looks.query[some] @ looks.gallery.T < _RULES.least_pooled
        far[together] += np.float32(_NO_EDGES)
        return far

    return constrained


def _paper_rows(case: FusionCase) -> Rows:
    """The paper's form, given the clocks that ours set right."""
    times, lists = learned_times(case), case.lists
    parts = zip((lists.train, lists.query, lists.gallery), (times.train, times.query, times.gallery), strict=True)
    right = TimedLists(*(replace(part, frames=np.rint(seen.starts_s * FPS).astype(np.int64)) for part, seen in parts))
    return gfusion_paper_rows(FusionCase(right, case.features))


def _with(rules: FusedRules, *, repaired: bool = True) -> Method:
    return partial(fused_rows, rules=rules, repaired=repaired)


TRIALS: Final[Mapping[str, Method]] = MappingProxyType(
    {
        "clocks_as_counted": _with(_RULES, repaired=False),
        "no_pooling": _with(replace(_RULES, pool_s=0.0)),
        "no_edges": _with(replace(_RULES, least=_NO_EDGES)),
        "edges_in_or_out": _with(replace(_RULES, softness=_HARD)),
        "edges_by_looks": _with(replace(_RULES, per_nat=0.0, least=0.75)),
        "one_hop": _with(replace(_RULES, layers=1)),
        "three_hops": _with(replace(_RULES, layers=3)),
        "nothing_heard": _with(replace(_RULES, heard=0.0, direct=_RULES.direct + _RULES.heard)),
        "no_time_in_ranking": _with(replace(_RULES, heard=0.0, direct=0.0)),
        "own_temperature": _with(replace(_RULES, own_temperature=True)),
        "query_expansion": _expanded_rows,
        "hard_constraints": _constrained_rows,
        "paper_with_our_clocks": _paper_rows,
    }
)
