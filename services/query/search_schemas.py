"""The forms of a search's answer, with examples."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.query.examples import ANSWER, MATCH, PERSON, RANKING
from services.query.schemas import CropLink, GenerationView, Share, TrackletView, example


class QueryCropView(BaseModel):
    """The query's side of a pair: a tracklet's crop, or the person in a picture by its place among those sent."""

    tracklet_id: UUID | None
    image: int | None
    crop_no: int | None
    href: str | None


class CropPair(BaseModel):
    """Two crops that speak for an answer."""

    query: QueryCropView
    answer: CropLink
    visual_distance: float


class EvidenceView(BaseModel):
    """Why an answer was given.

    ``gap_s`` is from the query's end to the answer's start, negative when the answer began before that, and null where
    the query has no time or a clock is unknown. Log-odds are in nats: ``ranking.prior_log_odds`` and both parts add up
    to the logit of the probability.
    """

    visual_distance: float = Field(ge=0, le=2, description="Cosine distance of the two vectors.")
    gap_s: float | None
    crop_pairs: list[CropPair] = Field(description="The most alike first.")
    probability: Share | None = Field(
        default=None, description="Of showing one person with the query; null where nothing is calibrated."
    )
    visual_log_odds: float | None = Field(default=None, description="By how much the looks moved the log-odds.")
    time_log_odds: float | None = Field(
        default=None, description="By how much place and time moved them; null where they say nothing."
    )
    visual_rank: int | None = Field(
        default=None, description="The rank by looks alone; null where it was not asked or lies far behind."
    )
    refined_distance: float | None = Field(
        default=None,
        description="Cosine distance of what query and answer became among their neighbours; null where nothing "
        "re-ranked.",
    )
    plain_rank: int | None = Field(
        default=None, description="The rank without re-ranking; null where nothing re-ranked or it lies far behind."
    )


class MatchView(TrackletView):
    """One answer; rank 1 is the best: by probability and neighbours, or by likeness where nothing is calibrated."""

    model_config = example(MATCH)

    rank: int
    evidence: EvidenceView


class PersonView(BaseModel):
    """Whom a picture was found to show; confidence and count are null where the whole picture was taken."""

    model_config = example({**PERSON, "confidence": 0.88, "people_found": 2})

    image: int
    name: str
    size_px: tuple[int, int]
    box_px: tuple[float, float, float, float]
    confidence: float | None
    people_found: int | None


class QueryView(BaseModel):
    """What was searched for."""

    tracklet_ids: list[UUID]
    people: list[PersonView]


class RerankingView(BaseModel):
    """What re-ranking did. It changes the order; probabilities stay what looks and times alone say."""

    applied: bool = Field(description="Whether neighbours had a say in the order.")
    reason: str | None = Field(description="Why they had none; null where they had.")
    neighbours: int = Field(description="How many tracklets the query heard: probably its person, at other cameras.")
    neighbours_share: Share = Field(description="Their share in what the query became; the rest is itself.")


class RankingView(BaseModel):
    """How the answers were put in order, and how likely any candidate was before anything was known of it."""

    model_config = example(RANKING)

    by: Literal["probability", "distance"]
    uses_time: bool = Field(description="Whether the query's place and time were weighed.")
    prior_log_odds: float | None = Field(description="In nats; null where nothing is calibrated.")
    reranking: RerankingView | None = Field(default=None, description="Null where it was not asked for.")


class SearchAnswer(BaseModel):
    """Ranked answers with their evidence, and the generation that gave them."""

    model_config = example(ANSWER)

    generation: GenerationView
    query: QueryView
    ranking: RankingView
    matches: list[MatchView]
