"""The demo's figures: before learning, after it, and with times, held against the simulated truth."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sqlalchemy.orm import Session

    from reid_core.evaluation.stored_site import SiteRetrieval
    from reid_core.metrics.mot_boxes import MotBoxes
    from reid_core.spatio_temporal.clocks import ClockOffsets
    from services.cli.demo_folder import DemoFolder
    from services.query.answer_scores import AnswerScores
    from services.query.live_index import LoadedGeneration
    from services.scoring import SiteScores
    from services.showcase import Scored
    from services.storage.job_records import Job

__all__ = ["DemoScores", "LearnedScores", "clock_offset_error_s", "score_demo"]


@dataclass(frozen=True, slots=True, eq=False)
class DemoScores:
    """All that a demo scores.

    Attributes:
        cold: Before learning, and the tracks.
        learned: After it; ``None`` where nothing took over.
        report: Of the training job that was run, ``None`` without one: why its result took over, or did not.
        journeys: As `score_demo_journeys` has them.
    """

    cold: SiteScores
    learned: LearnedScores | None
    report: str | None
    journeys: Mapping[str, float | int] = field(default_factory=dict)

    @property
    def shown(self) -> Scored:
        """How the generation that answers now was scored."""
        if self.learned is None:
            return self.cold
        return self.learned.looks if self.learned.answers is None else self.learned.answers


def score_demo(
    session: Session, loaded: LoadedGeneration, folder: DemoFolder, job: Job | None, *, jobs_dir: Path
) -> DemoScores:
    """Score what is stored of the demo's site, before and after learning.

    Args:
        session: A reading transaction.
        loaded: The generation that answers now.
        folder: The demo's.
        job: The training job, as it ended.
        jobs_dir: Where the jobs' folders lie.

    Raises:
        GroundTruthError: If the truth does not fit what is stored.
    """
    from services.scoring import read_site_truth, score_site
    from services.storage.models import ModelKind, ModelRepository

    truth = read_site_truth(folder.true_boxes_dir)
    models = {one.model_id: one for one in ModelRepository(session).list()}
    first = next(one.model_id for one in models.values() if one.kind is ModelKind.COLD_START)
    cold = score_site(session, truth, model_id=first)
    now = models[loaded.generation.model_id]
    learned = None
    if now.kind is ModelKind.LEARNED and now.job_id is not None:
        cycle = jobs_dir / str(now.job_id)
        learned = _score_learned(session, loaded, truth, true_offsets=folder.true_offsets, cycle=cycle)
    result = None if job is None else str((job.result or {}).get("reason") or job.error or job.state.value)
    return DemoScores(cold, learned, result)


@dataclass(frozen=True, slots=True, eq=False)
class LearnedScores:
    """Figures of the generation that learned.

    Attributes:
        looks: Its vectors alone.
        answers: Its answers, looks and times together; ``None`` where it has no calibration.
        reranked: Places of its answers when neighbours have a say in the order; ``None`` where it has no graph.
        association: Pairs that the last round learned from, as `score_association` has them; ``precision_of_known`` is
            among pairs of which both tracklets show somebody.
        clock_offset_error_s: The largest error of a recovered clock; ``None`` where none was recovered.
        clocks_unidentified: Cameras whose clocks could not be recovered.
    """

    looks: SiteScores
    answers: AnswerScores | None
    reranked: SiteRetrieval | None
    association: Mapping[str, float]
    clock_offset_error_s: float | None
    clocks_unidentified: int

    def with_transit(self) -> SiteRetrieval | None:
        """Retrieval by looks and times."""
        return None if self.answers is None else self.answers.retrieval


def _score_learned(
    session: Session, loaded: LoadedGeneration, truth: Mapping[str, MotBoxes], *, true_offsets: Path, cycle: Path
) -> LearnedScores:
    """Score the current generation, which a learning cycle made.

    Args:
        session: A reading transaction.
        loaded: The generation.
        truth: True boxes of every camera.
        true_offsets: The simulated site's ``offsets.json``.
        cycle: Folder of the learning cycle.

    Raises:
        GroundTruthError: If the truth does not fit what is stored.
    """
    from services.query.answer_scores import score_answers, score_reranked
    from services.scoring import score_site

    looks = score_site(session, truth, model_id=loaded.generation.model_id)
    people = dict(zip(looks.tracklet_nos.tolist(), looks.person_ids.tolist(), strict=True))
    error_s, unidentified = None, len(truth)
    if loaded.transit is not None:
        true_s = {name: one["offset_s"] for name, one in json.loads(true_offsets.read_text("utf-8")).items()}
        error_s, unidentified = clock_offset_error_s(loaded.transit.offsets, true_s)
    return LearnedScores(
        looks=looks,
        answers=score_answers(session, loaded, people),
        reranked=score_reranked(session, loaded, people),
        association=_association(cycle, people),
        clock_offset_error_s=error_s,
        clocks_unidentified=unidentified,
    )


def clock_offset_error_s(offsets: ClockOffsets, true_s: Mapping[str, float]) -> tuple[float | None, int]:
    """How far recovered clocks are off, each against the first camera of its component.

    Args:
        offsets: As recovered.
        true_s: What each camera's clock shows, less the true time.

    Returns:
        The largest error in seconds (``None`` where no clock was recovered), and how many clocks were not.
    """
    first: dict[int, str] = {}
    errors, lone = [], 0
    members = {camera: component for camera, component in offsets.components.items() if camera in true_s}
    for camera, component in members.items():
        found_s = offsets.offsets_s.get(camera)
        if found_s is None or list(members.values()).count(component) < 2:
            lone += 1
            continue
        base = first.setdefault(component, camera)
        expected_s = true_s[camera] - true_s[base]
        errors.append(abs(found_s - (offsets.offsets_s[base] or 0.0) - expected_s))
    return (max(errors) if errors else None), lone


def _association(cycle: Path, people: Mapping[int, int]) -> dict[str, float]:
    """The pairs that the last round learned from."""
    from reid_core.evaluation.stored_site import NOBODY
    from reid_core.learning.step_files import load_pairs
    from reid_core.learning.tracklet_set import TrackletSet
    from reid_core.metrics.association import score_association

    last = max(cycle.glob("associate-*"), key=lambda folder: int(folder.name.rpartition("-")[2]))
    pairs, _ = load_pairs(last / "pairs.npz")
    tracklets = TrackletSet.load(cycle / "tracklets")
    shown = np.array([people.get(number, NOBODY) for number in tracklets.tracklet_nos.tolist()], np.int64)
    scores = score_association(pairs.rows_a, pairs.rows_b, person_ids=shown, cameras=tracklets.cameras)
    somebody = (shown[pairs.rows_a] != NOBODY) & (shown[pairs.rows_b] != NOBODY)
    return scores.as_dict() | {"precision_of_known": scores.pairs.right / max(1, int(somebody.sum()))}
