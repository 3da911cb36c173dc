"""Judges a candidate against the current generation by what is stored, without a label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reid_core.errors import StepFailedError
from reid_core.learning.selfcheck import self_check
from reid_core.metrics.tallies import Tally, compare_tallies
from reid_core.spatio_temporal.calibration_check import check_by_time
from reid_core.spatio_temporal.calibration_model import Calibration
from reid_core.spatio_temporal.transit_model import TransitModel
from services.storage.documents import CalibrationRepository, TransitModelRepository
from services.trainer.evidence import load_judged
from services.trainer.promotion import DECIDING, Figures, decide

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session

    from reid_core.learning.crop_vectors import CropVectors
    from reid_core.metrics.tallies import Comparison
    from services.storage.generations import Generation
    from services.trainer.evidence import Judged
    from services.trainer.promotion import Decision, Policy

__all__ = ["judge"]


def judge(
    session: Session,
    candidate: Generation,
    current: Generation,
    nos: Sequence[int],
    *,
    learned_from: Collection[int],
    seed: int,
    policy: Policy,
) -> tuple[Decision, dict[str, Any]]:
    """Compare a candidate with the current generation on the same tracklets, and decide.

    Args:
        session: Sees vectors of both models.
        candidate: Might take over.
        current: Answers now.
        nos: Tracklets to judge by, as `choose_judged` gives them.
        learned_from: Numbers of the tracklets that the candidate's model learned from.
        seed: Of the bootstrap.
        policy: What counts as better.

    Returns:
        The decision, and its figures as they are stored and shown.
    """
    judged = load_judged(
        session, nos, candidate=candidate.model_id, current=current.model_id, learned_from=learned_from
    )
    transit, ours, theirs = _parts(session, candidate, current)
    checks = [_tallies(one, judged, transit) for one in (judged.candidate, judged.current)]
    is_same_model = candidate.model_id == current.model_id
    differences = {
        name: compare_tallies(tally, checks[1][name], seed=seed)
        for name, tally in checks[0].items()
        if name in checks[1]
    }
    figures = Figures(
        {} if is_same_model else {name: one for name, one in differences.items() if name in DECIDING},
        _calibration_error(ours, transit, judged.candidate, judged, seed=seed),
        _calibration_error(theirs, transit, judged.current, judged, seed=seed),
    )
    decision = decide(figures, policy)
    return decision, _told(decision, figures, differences, checks, judged, candidate, current, policy, seed=seed)


def _parts(
    session: Session, candidate: Generation, current: Generation
) -> tuple[TransitModel | None, Calibration | None, Calibration | None]:
    """One transit model to judge both by, and either's calibration."""
    transit_id = candidate.transit_id or current.transit_id
    try:
        transit = (
            None if transit_id is None else TransitModel.from_json(TransitModelRepository(session).by_id(transit_id))
        )
        ours, theirs = (
            None if one is None else Calibration.from_json(CalibrationRepository(session).by_id(one))
            for one in (candidate.calibration_id, current.calibration_id)
        )
    except ValueError as error:
        raise StepFailedError(f"a stored document of {candidate.model_id} or {current.model_id}: {error}") from error
    return transit, ours, theirs


def _tallies(crops: CropVectors, judged: Judged, transit: TransitModel | None) -> dict[str, Tally]:
    """One model's figures by name, over the trials of the tracklets that count.

    `time_agreement` is a share of the pairs that a model makes, and a model that pairs fewer easily has a larger one.
    So the yield is added: pairs that times explain, of all pairs that there could be.
    """
    check = self_check(crops, judged.sightings, transit=transit)
    tallies = dict(check.tallies())
    if check.time is not None:
        most = max(len(np.unique(judged.sightings.cameras)) - 1, 0) / 2  # a pair counts half for either side
        tallies["time_yield"] = Tally(check.time.hits, np.full(len(judged.counts), most))
    return {name: tally.take(judged.counts) for name, tally in tallies.items()}


def _calibration_error(
    calibration: Calibration | None, transit: TransitModel | None, crops: CropVectors, judged: Judged, *, seed: int
) -> float | None:
    """By the times of the tracklets that count; ``None`` where there is nothing to check or to check by."""
    if calibration is None or transit is None or len(crops) == 0:
        return None
    vectors = crops.means(np.ones(len(crops.vectors), np.bool_))
    try:
        return check_by_time(calibration, transit, vectors, judged.sightings, seed=seed, judged=judged.counts).error
    except ValueError:  # one camera only: there is no pair to be wrong about
        return None


def _told(
    decision: Decision,
    figures: Figures,
    differences: Mapping[str, Comparison],
    checks: Sequence[Mapping[str, Tally]],
    judged: Judged,
    candidate: Generation,
    current: Generation,
    policy: Policy,
    *,
    seed: int,
) -> dict[str, Any]:
    """The decision as it is stored and shown."""
    return {
        **decision.as_dict(),
        "policy": policy.as_dict(),
        "compared_with": str(current.generation_id),
        "candidate": {**_shares(checks[0], seed), "calibration_error": figures.calibration_error},
        "current": {**_shares(checks[1], seed), "calibration_error": figures.current_calibration_error},
        "differences": {name: one.as_dict() for name, one in differences.items()},
        "tracklets": len(judged.tracklet_nos),
        "tracklets_counted": int(judged.counts.sum()),
        "tracklets_held_out": judged.held_out,
        "same_model": candidate.model_id == current.model_id,
    }


def _shares(tallies: Mapping[str, Tally], seed: int) -> dict[str, Any]:
    return {name: tally.interval(seed=seed).as_dict() for name, tally in tallies.items()}
