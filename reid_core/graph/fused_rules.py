"""How looks and time are fused in a graph: the frozen default of re-ranking."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["FusedRules"]

_MAY_BE_BELOW_0 = {"floor_nats", "least_pooled"}


@dataclass(frozen=True, slots=True)
class FusedRules:
    """What joins nodes, what they hear of each other, and what counts in the end.

    Chosen on seeds 1 to 3 of the fusion harness and frozen (docs/graph.md). Cosines and evidence are added up: a nat of
    time is worth ``per_nat`` of cosine in an edge.

    Attributes:
        neighbours: Most alike nodes that may be joined; the node itself counts.
        per_nat: Cosine that a nat of transit evidence is worth in an edge.
        least: Cosine and time together at which an edge weighs a half, as much as half of the node itself. Above 1,
            looks alone hardly join.
        softness: How slowly an edge's weight rises around that.
        own_temperature: Whether cosines count by how far away a node's neighbours usually are; of no use where tried.
        layers: How often neighbours are asked.
        direct: Cosine that a nat between query and answer is worth in the ranking.
        heard: The same of a nat between their neighbours.
        floor_nats: Evidence counts as this at least in the ranking: time that does not fit is no proof against.
        candidates: So many best nodes of a query are asked for their neighbours' evidence.
        pool_s: Images of one camera at most so far apart in time, in a chain, may be one tracklet; 0 pools nothing.
        least_pooled: Cosine that they need for that.

    Raises:
        ValueError: If a count is below 1, or a number below 0 that must not be.
    """

    neighbours: int = 60
    per_nat: float = 0.12
    least: float = 1.0
    softness: float = 0.06
    own_temperature: bool = False
    layers: int = 2
    direct: float = 0.04
    heard: float = 0.12
    floor_nats: float = -0.3
    candidates: int = 100
    pool_s: float = 20.0
    least_pooled: float = 0.75

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool):
                continue
            least = 1 if isinstance(field.default, int) else 0
            if field.name not in _MAY_BE_BELOW_0 and not value >= least:
                raise ValueError(f"{field.name} must be {least} or more, got {value}")
        if not self.softness > 0:
            raise ValueError(f"softness must be above 0, got {self.softness}")
