"""Stored values and answers in the forms of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reid_core.types import ClockQuality
from services.query.schemas import CropLink, CropView, GenerationView, TrackletDetail, TrackletView, moment
from services.query.search_schemas import (
    CropPair,
    EvidenceView,
    MatchView,
    PersonView,
    QueryCropView,
    QueryView,
    RankingView,
    RerankingView,
    SearchAnswer,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any
    from uuid import UUID

    from reid_core.types import Evidence
    from services.query.searcher import Answer
    from services.query.stored_queries import QueryCrop
    from services.storage.generations import Generation
    from services.storage.records import CropRecord, StoredTracklet

__all__ = ["answer_view", "crop_href", "generation_view", "tracklet_detail", "tracklet_view"]

_CROPS_SHOWN = 3


def tracklet_view(stored: StoredTracklet) -> TrackletView:
    """A tracklet as lists show it."""
    return TrackletView(**_facts(stored))


def tracklet_detail(stored: StoredTracklet, crops: Sequence[CropRecord]) -> TrackletDetail:
    """A tracklet with all its crops, best first."""
    known = stored.clock_quality is not ClockQuality.UNKNOWN
    views = [
        CropView(
            crop_no=no,
            href=crop_href(stored.tracklet_id, no),
            time=moment(crops[no].time_s) if known else None,
            box_px=_rounded(crops[no].box_px),
            width_px=crops[no].width_px,
            height_px=crops[no].height_px,
            quality=round(crops[no].quality.overall, 6),
        )
        for no in stored.display_order
    ]
    return TrackletDetail(**{**_facts(stored), "frame_size_px": stored.frame_size_px, "crops": views})


def answer_view(answer: Answer) -> SearchAnswer:
    """The answer to a search."""
    return SearchAnswer(
        generation=generation_view(answer.generation),
        query=QueryView(tracklet_ids=[one.tracklet_id for one in answer.queried], people=_people(answer)),
        ranking=RankingView(
            by="distance" if answer.prior_log_odds is None else "probability",
            uses_time=answer.uses_time,
            prior_log_odds=_to_digits(answer.prior_log_odds, 4),
            reranking=_reranking(answer),
        ),
        matches=[
            MatchView(
                **_facts(stored),
                rank=match.rank,
                evidence=_evidence(match.evidence, stored.tracklet_id, answer.query_crops),
            )
            for match, stored in answer.matches
        ],
    )


def generation_view(generation: Generation) -> GenerationView:
    """What a generation consists of."""
    return GenerationView(
        generation_id=generation.generation_id,
        model_id=generation.model_id,
        transit_id=generation.transit_id,
        calibration_id=generation.calibration_id,
    )


def crop_href(tracklet_id: UUID, crop_no: int) -> str:
    """Where a crop's picture is served."""
    return f"/v1/tracklets/{tracklet_id}/crops/{crop_no}"


def _link(tracklet_id: UUID, crop_no: int) -> CropLink:
    return CropLink(crop_no=crop_no, href=crop_href(tracklet_id, crop_no))


def _facts(stored: StoredTracklet) -> Mapping[str, Any]:
    known = stored.clock_quality is not ClockQuality.UNKNOWN
    return {
        "tracklet_id": stored.tracklet_id,
        "camera_id": stored.camera_id,
        "start": moment(stored.start_s) if known else None,
        "end": moment(stored.end_s) if known else None,
        "duration_s": round(stored.end_s - stored.start_s, 6),
        "clock_quality": stored.clock_quality.value,
        "quality": round(stored.quality, 6),
        "crop_count": stored.crop_count,
        "crops": [_link(stored.tracklet_id, no) for no in stored.display_order[:_CROPS_SHOWN]],
    }


def _people(answer: Answer) -> list[PersonView]:
    return [
        PersonView(
            image=place,
            name=person.name,
            size_px=person.size_px,
            box_px=_rounded(person.box_px),
            confidence=None if person.confidence is None else round(person.confidence, 4),
            people_found=person.people_found,
        )
        for place, person in enumerate(answer.people)
    ]


def _rounded(box_px: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = (round(edge, 2) for edge in box_px)
    return left, top, right, bottom


def _evidence(evidence: Evidence, answer_id: UUID, query_crops: Sequence[QueryCrop]) -> EvidenceView:
    return EvidenceView(
        visual_distance=round(evidence.visual_distance, 6),
        gap_s=None if evidence.gap_s is None else round(evidence.gap_s, 6),
        crop_pairs=[
            CropPair(
                query=_query_crop(query_crops[of_query]), answer=_link(answer_id, of_answer), visual_distance=distance
            )
            for of_query, of_answer, distance in evidence.crop_pairs
        ],
        probability=_to_digits(evidence.probability, 6),
        visual_log_odds=_to_digits(evidence.visual_log_odds, 4),
        time_log_odds=_to_digits(evidence.time_log_odds, 4),
        visual_rank=evidence.visual_rank,
        refined_distance=_to_digits(evidence.refined_distance, 6),
        plain_rank=evidence.plain_rank,
    )


def _reranking(answer: Answer) -> RerankingView | None:
    one = answer.reranking
    if one is None:
        return None
    return RerankingView(
        applied=one.applied, reason=one.reason, neighbours=one.neighbours, neighbours_share=round(one.share, 4)
    )


def _to_digits(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _query_crop(crop: QueryCrop) -> QueryCropView:
    if crop.tracklet_id is None:
        return QueryCropView(tracklet_id=None, image=crop.number, crop_no=None, href=None)
    link = _link(crop.tracklet_id, crop.number)
    return QueryCropView(tracklet_id=crop.tracklet_id, image=None, crop_no=link.crop_no, href=link.href)
