"""A step under way: what it told last, as progress that people can read, mirrored about once a second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from services.trainer.eta import StepRate, job_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Mirror", "StepWatch"]

_LOOK_EVERY_S = 1.0


class Mirror(Protocol):
    """Takes the progress of a step and says whether the step is still wanted."""

    def __call__(self, progress: Mapping[str, Any]) -> bool:
        """False where the step is to be killed."""
        ...


class StepWatch:
    """One step under way.

    Args:
        step: Its name.
        steps: All steps of its job, in order, as far as they are known.
        here: Seconds of the job's steps that are done.
        before: Seconds of the steps of an earlier job of this recipe.
        spent_before_s: Seconds that the step had taken when its worker was interrupted.
        mirror: Where progress goes.
        now_s: A clock that rises by seconds.
    """

    def __init__(
        self,
        step: str,
        steps: Sequence[str],
        *,
        here: Mapping[str, float],
        before: Mapping[str, float],
        spent_before_s: float,
        mirror: Mirror,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._step = step
        self._steps = list(steps)
        self._here = here
        self._before = before
        self._mirror = mirror
        self._now_s = now_s
        self._rate = StepRate()
        self._started_s = now_s() - spent_before_s
        self._looked_s = float("-inf")
        self._told: Mapping[str, Any] = {}
        self._left_s: float | None = None
        self._farthest = 0

    @property
    def farthest(self) -> int:
        """The most that was done of the step so far."""
        return self._farthest

    @property
    def spent_s(self) -> float:
        """Seconds that the step has taken, those before an interruption included."""
        return self._now_s() - self._started_s

    def hear(self, told: Mapping[str, Any]) -> None:
        """The step told how far it is: ``done``, ``total`` and ``metrics``."""
        self._told = told
        self._farthest = max(self._farthest, int(told["done"]))
        self._left_s = self._rate.left_s(self._now_s(), int(told["done"]), int(told["total"]))

    def is_wanted(self) -> bool:
        """Mirrors the progress about once a second, and says what the mirror said."""
        if self._now_s() - self._looked_s < _LOOK_EVERY_S:
            return True
        self._looked_s = self._now_s()
        return self._mirror(self.progress())

    def progress(self) -> dict[str, Any]:
        """How far the job is, as it is stored and shown."""
        done, total = int(self._told.get("done", 0)), int(self._told.get("total", 0))
        share, eta_s = job_progress(
            self._steps,
            self._step,
            here=self._here,
            before=self._before,
            spent_s=self.spent_s,
            left_s=self._left_s,
            share=done / total if total else 0.0,
        )
        return {
            "step_no": self._steps.index(self._step) + 1,
            "steps": self._steps,
            "done": done,
            "total": total,
            "share": round(share, 4),
            "eta_s": None if eta_s is None else round(eta_s, 1),
            "step_seconds": round(self.spent_s, 1),
            "metrics": dict(self._told.get("metrics", {})),
        }
