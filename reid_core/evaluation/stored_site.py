"""A stored site against its ground truth: who a tracklet shows, how well it is found elsewhere and was tracked.

Rules, the same for every model that is scored:

- A tracklet's person is the one whose true boxes most of its boxes lie on (best IoU of the frame, at least 0.5). It
  must be at least 80% of the boxes that lie on anybody, and these at least half of all; else it is a distractor.
- Every tracklet whose person also has a tracklet at another camera is a query. Whatever the query's own camera saw is
  dropped; everything else, distractors included, is the gallery.
- For tracking, true boxes that are more than 70% hidden or less than 40 px high are "don't care": a track on one is
  neither right nor wrong, as with MOTChallenge's distractors, and missing one costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from reid_core.geometry import iou_matrix
from reid_core.metrics.mot_boxes import DISTRACTOR, MotBoxes
from reid_core.metrics.ranking import RankingScores, SameCamera, evaluate_ranking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from reid_core.types import FloatArray

__all__ = [
    "NOBODY",
    "SiteRetrieval",
    "TrackletTruth",
    "identify",
    "score_ranked",
    "score_retrieval",
    "trackable_truth",
]

NOBODY = 0
_MATCH_IOU = 0.5
_MIN_PURITY = 0.8
_MIN_COVERED = 0.5
_MIN_VISIBILITY = 0.3
_MIN_HEIGHT_PX = 40.0


@dataclass(frozen=True, slots=True)
class TrackletTruth:
    """Who a tracklet shows.

    Attributes:
        person_id: As the ground truth numbers people, from 1; ``NOBODY`` for a distractor.
        purity: Share of that person among the boxes that lie on anybody, in ``[0, 1]``; 0 if none does.
        covered: Share of the tracklet's boxes that lie on anybody, in ``[0, 1]``.
        mostly: Who it shows more often than anybody else, however rarely; ``NOBODY`` if nobody at all.
    """

    person_id: int
    purity: float
    covered: float
    mostly: int = NOBODY


@dataclass(frozen=True, slots=True, eq=False)
class SiteRetrieval:
    """Cross-camera retrieval over all tracklets of a site.

    Attributes:
        ranking: Scores over the queries; its ``queries`` are rows of the tracklets. ``None`` if nobody was seen by two
            cameras.
        tracklets: How many tracklets there are.
        people: How many different people they show.
        distractors: Tracklets that show nobody in particular.
        skipped: Tracklets of a person that no other camera's tracklet shows: no queries.
    """

    ranking: RankingScores | None
    tracklets: int
    people: int
    distractors: int
    skipped: int

    def as_dict(self) -> dict[str, float | int | None]:
        """Shares in ``[0, 1]`` (``None`` without a query), and counts."""
        ranking = self.ranking
        return {
            "rank1": ranking.rank(1) if ranking else None,
            "map": ranking.map_rectangle if ranking else None,
            "rank5": ranking.rank(5) if ranking else None,
            "rank10": ranking.rank(10) if ranking else None,
            "map_trapezoid": ranking.map_trapezoid if ranking else None,
            "minp": ranking.minp if ranking else None,
            "queries": len(ranking.queries) if ranking else 0,
            "skipped": self.skipped,
            "tracklets": self.tracklets,
            "people": self.people,
            "distractors": self.distractors,
        }


def identify(frames: NDArray[np.int64], boxes_px: NDArray[np.floating], truth: MotBoxes) -> TrackletTruth:
    """Who one tracklet shows.

    Args:
        frames: Frame numbers from 1, rising. Shape ``(n,)``.
        boxes_px: Where it was. Shape ``(n, 4)``.
        truth: True boxes of the same camera, ids from 1, sorted by frame.

    Raises:
        ValueError: If the truth is not sorted by frame or has an id below 1.
    """
    if len(truth) and (np.diff(truth.frames).min(initial=0) < 0 or truth.ids.min() < 1):
        raise ValueError("ground truth must be sorted by frame and number its people from 1")
    starts = np.searchsorted(truth.frames, frames, side="left")
    stops = np.searchsorted(truth.frames, frames, side="right")
    people = np.zeros(len(frames), np.int64)
    for row, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        if stop > start:
            iou = iou_matrix(boxes_px[row : row + 1], truth.boxes_px[start:stop])[0]
            best = int(np.argmax(iou))
            people[row] = truth.ids[start + best] if iou[best] >= _MATCH_IOU else NOBODY
    return _verdict(people)


def score_retrieval(
    vectors: FloatArray, person_ids: NDArray[np.int64], camera_ids: Sequence[str] | NDArray[np.str_]
) -> SiteRetrieval:
    """Look for every query among the other cameras' tracklets, by cosine.

    Args:
        vectors: L2-normalised, one for each tracklet. Shape ``(N, d)``.
        person_ids: Who it shows, ``NOBODY`` for a distractor. Shape ``(N,)``.
        camera_ids: Who saw it. ``N`` of them.

    Raises:
        ValueError: If the lengths differ.
    """
    if len(vectors) != len(person_ids):
        raise ValueError(f"{len(vectors)} vectors, {len(person_ids)} people and {len(camera_ids)} cameras do not fit")
    return score_ranked(lambda rows: 1 - vectors[rows] @ vectors.T, person_ids, camera_ids)


def score_ranked(
    distances_of: Callable[[NDArray[np.intp]], NDArray[np.floating]],
    person_ids: NDArray[np.int64],
    camera_ids: Sequence[str] | NDArray[np.str_],
) -> SiteRetrieval:
    """The same for any way of ranking.

    Args:
        distances_of: From rows of queries to their distances to all tracklets, small = alike. ``(Q,)`` to ``(Q, N)``.
        person_ids: Who each tracklet shows, ``NOBODY`` for a distractor. Shape ``(N,)``.
        camera_ids: Who saw it. ``N`` of them.

    Raises:
        ValueError: If the lengths differ.
    """
    cameras = np.asarray(camera_ids)
    if len(person_ids) != len(cameras):
        raise ValueError(f"{len(person_ids)} people and {len(cameras)} cameras do not fit")
    queries = _seen_elsewhere(person_ids, cameras)
    ranking = None
    if len(queries):
        scores = evaluate_ranking(
            lambda start, stop: distances_of(queries[start:stop]),
            query_ids=person_ids[queries],
            gallery_ids=person_ids,
            query_cameras=cameras[queries],
            gallery_cameras=cameras,
            same_camera=SameCamera.EVERYBODY,
        )
        ranking = _by_tracklet(scores, queries)
    known = person_ids != NOBODY
    return SiteRetrieval(
        ranking=ranking,
        tracklets=len(person_ids),
        people=len(np.unique(person_ids[known])),
        distractors=int(np.count_nonzero(~known)),
        skipped=int(np.count_nonzero(known)) - len(queries),
    )


def trackable_truth(truth: MotBoxes) -> MotBoxes:
    """The same boxes, those that are mostly hidden or tiny marked as distractors."""
    untrackable = (truth.visibility < _MIN_VISIBILITY) | (truth.heights_px < _MIN_HEIGHT_PX)
    return MotBoxes.of(
        truth.frames,
        truth.ids,
        truth.boxes_px,
        confidences=truth.confidences,
        classes=np.where(untrackable, DISTRACTOR, truth.classes),
        visibility=truth.visibility,
    )


def _verdict(people: NDArray[np.int64]) -> TrackletTruth:
    seen = people[people != NOBODY]
    if not len(seen):
        return TrackletTruth(NOBODY, 0.0, 0.0)
    ids, counts = np.unique(seen, return_counts=True)
    purity, covered = counts.max() / len(seen), len(seen) / len(people)
    sure = purity >= _MIN_PURITY and covered >= _MIN_COVERED
    most = int(ids[np.argmax(counts)])
    return TrackletTruth(most if sure else NOBODY, float(purity), float(covered), most)


def _seen_elsewhere(person_ids: NDArray[np.int64], cameras: NDArray[np.str_]) -> NDArray[np.intp]:
    """Rows whose person also has a tracklet at another camera."""
    pairs = {(int(person), str(camera)) for person, camera in zip(person_ids, cameras, strict=True)}
    camera_counts: dict[int, int] = {}
    for person, _ in pairs:
        camera_counts[person] = camera_counts.get(person, 0) + 1
    wanted = [person != NOBODY and camera_counts[int(person)] > 1 for person in person_ids]
    return np.flatnonzero(np.array(wanted, np.bool_))


def _by_tracklet(scores: RankingScores, queries: NDArray[np.intp]) -> RankingScores:
    return replace(scores, queries=queries[scores.queries].astype(np.int64))
