"""The methods that the harness compares, by name. A new method is a function here and a row in every table."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from reid_core.errors import FusionHarnessError
from reid_core.evaluation.fusion.case import FusionCase, Rows, visual_rows
from reid_core.evaluation.fusion.fused_method import gfusion_default_rows
from reid_core.evaluation.fusion.graph_methods import gfusion_paper_rows, k_reciprocal_rows
from reid_core.evaluation.fusion.transit import transit_rows
from reid_core.evaluation.fusion.trials import TRIALS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["METHODS", "VISUAL", "Method", "chosen_methods"]

Method: TypeAlias = Callable[[FusionCase], Rows]
VISUAL = "visual"

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        VISUAL: visual_rows,
        "transit": transit_rows,
        "k_reciprocal": k_reciprocal_rows,
        "gfusion_paper": gfusion_paper_rows,
        "gfusion": gfusion_default_rows,
    }
)


def chosen_methods(
    names: Sequence[str] | None = None, *, ablate: bool = False, known: Mapping[str, Method] = METHODS
) -> dict[str, Method]:
    """Methods by name, ``visual`` always among them and first; no names choose all.

    Args:
        names: Of the methods.
        ablate: Whether to add the default with each of its parts left out, exchanged or added.
        known: What there is to choose from.

    Raises:
        FusionHarnessError: If a name is not known.
    """
    trials = {f"gfusion/{name}": method for name, method in TRIALS.items()} if ablate else {}
    wanted = (*(names or known), *trials)
    known = {**known, **trials}
    for name in wanted:
        if name not in known:
            raise FusionHarnessError(f"there is no method {name!r}; known are {', '.join(known)}")
    return {name: known[name] for name in dict.fromkeys((VISUAL, *wanted))}
