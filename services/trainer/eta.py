"""How far a job is and how long it will take, from how long its steps took so far and in the last job."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["StepRate", "expected_seconds", "job_progress"]

_ROUND = re.compile(r"-\d+$")


class StepRate:
    """Seconds that a step still takes, from how fast it went since it was first heard of.

    A step that resumes from a checkpoint starts in the middle, so what was done before does not count as speed.
    """

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def left_s(self, now_s: float, done: int, total: int) -> float | None:
        """Seconds left, ``None`` while nothing can be said.

        Args:
            now_s: Any clock that rises by seconds.
            done: Parts that are done.
            total: Parts in all.
        """
        if self._first is None or done < self._first[1]:
            self._first = (now_s, done)
        first_s, first_done = self._first
        if done >= total:
            return 0.0
        if done == first_done:
            return None
        return (now_s - first_s) / (done - first_done) * (total - done)


def expected_seconds(step: str, here: Mapping[str, float], before: Mapping[str, float]) -> float | None:
    """How long a step is likely to take.

    Args:
        step: Such as ``train-3``.
        here: Seconds of this job's steps so far; the last one of the same kind tells most.
        before: Seconds of an earlier job's steps.

    Example:
        >>> expected_seconds("train-3", {"train-1": 30.0, "train-2": 28.0}, {"train-3": 99.0})
        28.0
    """
    kind = _ROUND.sub("", step)
    alike = [seconds for name, seconds in here.items() if _ROUND.sub("", name) == kind]
    if alike:
        return alike[-1]
    if step in before:
        return before[step]
    alike = [seconds for name, seconds in before.items() if _ROUND.sub("", name) == kind]
    return sum(alike) / len(alike) if alike else None


def job_progress(
    steps: Sequence[str],
    step: str,
    *,
    here: Mapping[str, float],
    before: Mapping[str, float],
    spent_s: float,
    left_s: float | None,
    share: float,
) -> tuple[float, float | None]:
    """Share of a job that is done, and seconds that it still takes.

    Args:
        steps: All of the job's steps, in order.
        step: The one that runs.
        here: Seconds of the steps that are done.
        before: Seconds of an earlier job's steps.
        spent_s: Seconds in this step so far.
        left_s: Seconds that this step still takes, where it can say so.
        share: Of this step that is done, in ``[0, 1]``.

    Returns:
        A share in ``[0, 1]``, and seconds or ``None`` where a step to come was never seen.
    """
    place = steps.index(step)
    if left_s is None:
        expected_s = expected_seconds(step, here, before)
        left_s = None if expected_s is None else max(expected_s - spent_s, 0.0)
    to_come = [expected_seconds(one, here, before) for one in steps[place + 1 :]]
    if left_s is None or any(seconds is None for seconds in to_come):
        return (place + share) / len(steps), None
    done_s = sum(here.get(one, 0.0) for one in steps[:place]) + spent_s
    eta_s = left_s + sum(seconds or 0.0 for seconds in to_come)
    return done_s / max(done_s + eta_s, 1e-9), eta_s
