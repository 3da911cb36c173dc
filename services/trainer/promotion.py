"""Whether a candidate takes over: a rule over figures that need no label, and the reasons in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reid_core.metrics.tallies import Comparison

__all__ = ["DECIDING", "Decision", "Figures", "Policy", "decide"]

DECIDING = ("rematch_rank1", "rematch_mrr", "halves_agreement", "time_yield")

_SAID = {
    "rematch_rank1": "parts of tracklets found again within their camera",
    "rematch_mrr": "reciprocal rank of parts of tracklets within their camera",
    "halves_agreement": "pairs on which odd and even crops agree",
    "time_yield": "pairs that walking times explain, of all there could be",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What counts as better and as worse.

    Attributes:
        margin: A figure is better or worse only if the whole 95% interval of the difference lies beyond this.
        calibration_margin: The calibration error may be larger than the current generation's by at most this.
        calibration_limit: An error up to this is good enough, whatever the current generation's is. Times are a coarse
            witness: where the truth was known, models whose probabilities were off by 0.03 seemed off by 0.05 to 0.11.
    """

    margin: float = 0.01
    calibration_margin: float = 0.02
    calibration_limit: float = 0.2

    def __post_init__(self) -> None:
        """Refuse margins below 0."""
        for name in ("margin", "calibration_margin", "calibration_limit"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")

    def as_dict(self) -> dict[str, float]:
        """For JSON."""
        return {
            "margin": self.margin,
            "calibration_margin": self.calibration_margin,
            "calibration_limit": self.calibration_limit,
        }


@dataclass(frozen=True, slots=True)
class Figures:
    """What the rule is about.

    Attributes:
        comparisons: Candidate against current by figure, on the same tracklets; large is good. Those of `DECIDING`:
            figures that a model cannot raise by pairing fewer tracklets. Empty where both have one model and differ in
            time and calibration only.
        calibration_error: The candidate's on these tracklets; ``None`` where it has no calibration or times tell
            nothing.
        current_calibration_error: The current generation's.
    """

    comparisons: Mapping[str, Comparison]
    calibration_error: float | None = None
    current_calibration_error: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rule says.

    Attributes:
        promote: Whether the candidate takes over.
        reasons: Why, in words, the weightiest first.
    """

    promote: bool
    reasons: tuple[str, ...]

    @property
    def reason(self) -> str:
        """The reasons as one line."""
        return "; ".join(self.reasons)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"outcome": "promote" if self.promote else "keep", "reasons": list(self.reasons)}


def decide(figures: Figures, policy: Policy) -> Decision:
    """Promote only what is better with confidence, and in nothing worse.

    A figure is better (worse) if the 95% bootstrap interval of its difference lies wholly above the margin (below minus
    the margin). A candidate with a model of its own takes over if at least one figure is better, none is worse, and its
    calibration holds. One that only renews time and calibration takes over if its calibration is better than the
    current one by the calibration margin, or if there was none and it holds.

    Args:
        figures: Of both.
        policy: The margins.
    """
    better, worse = [], []
    for name, comparison in figures.comparisons.items():
        if comparison.low is not None and comparison.low > policy.margin:
            better.append(_said(name, comparison))
        elif comparison.high is not None and comparison.high < -policy.margin:
            worse.append(_said(name, comparison))
    off = _calibration_is_off(figures, policy)
    if worse or off:
        return Decision(promote=False, reasons=(*worse, *off))
    if not figures.comparisons:
        return _by_calibration(figures, policy)
    if better:
        return Decision(promote=True, reasons=tuple(better))
    return Decision(promote=False, reasons=(_nothing_better(figures, policy),))


def _calibration_is_off(figures: Figures, policy: Policy) -> tuple[str, ...]:
    error, current = figures.calibration_error, figures.current_calibration_error
    if error is None or error <= policy.calibration_limit:
        return ()
    if current is not None and error <= current + policy.calibration_margin:
        return ()
    beside = "" if current is None else f", the current generation's {current:.3f}"
    return (f"calibration error is {error:.3f}{beside}; at most {policy.calibration_limit:.2f} is good enough",)


def _by_calibration(figures: Figures, policy: Policy) -> Decision:
    """The rule for one and the same model."""
    error, current = figures.calibration_error, figures.current_calibration_error
    if error is None:
        return Decision(promote=False, reasons=("the model is the same, and times tell nothing of the calibration",))
    if current is None:
        return Decision(promote=True, reasons=(f"a first calibration, with an error of {error:.3f}",))
    said = f"calibration error is {error:.3f} against {current:.3f}"
    return Decision(promote=error + policy.calibration_margin <= current, reasons=(said,))


def _nothing_better(figures: Figures, policy: Policy) -> str:
    told = [name for name, one in figures.comparisons.items() if one.difference is not None]
    if not told:
        return "no figure could be had: too few tracklets to judge by"
    best = max(told, key=lambda name: figures.comparisons[name].low or -1.0)
    said = _said(best, figures.comparisons[best])
    return f"nothing is better by more than {policy.margin:.2f} with confidence; nearest to it: {said}"


def _said(name: str, comparison: Comparison) -> str:
    return (
        f"{_SAID.get(name, name)}: {comparison.difference:+.3f} "
        f"(95% interval {comparison.low:+.3f} to {comparison.high:+.3f})"
    )
