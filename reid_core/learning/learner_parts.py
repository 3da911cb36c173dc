"""What recipes say of learners beside TASTR's: what is minimised, how tracklets are joined, and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["AssociationForm", "Clustering", "Distillation", "LossForm", "MeanTeacher", "Rivals", "TimeRule"]


class LossForm(StrEnum):
    """What is minimised."""

    BATCH_HARD = "batch-hard"  # TASTR, Eq. 1
    PROXIES = "proxies"  # tracklets' own vectors as classes, associated ones as positives
    CONTRAST = "contrast"  # clusters as classes, with a proxy for each of a cluster's cameras
    LABELS = "labels"  # identity and batch-hard triplets, of people that are known


class AssociationForm(StrEnum):
    """How time takes part in pairing tracklets of different cameras."""

    VISUAL = "visual"  # not at all
    PAPER = "paper"  # TASTR, Eq. 3-4
    FUSED = "fused"  # log-odds of looks and of learned transit times
    CLUSTERS = "clusters"  # not at all: DBSCAN on Jaccard distances of reciprocal neighbours


class TimeRule(StrEnum):
    """Which pairs the teacher's graph joins for their times, beside those joined for their looks."""

    NONE = "none"
    TRANSITIONS = "transitions"  # G-Fusion, Eq. 3-4: near a gap recorded among the most alike
    TRANSIT = "transit"  # where the learned transit times speak for one person


class Rivals(StrEnum):
    """Among whom a neighbour's share is counted in the graph loss."""

    NEIGHBOURS = "neighbours"  # G-Fusion, Eq. 13: the neighbours of the same camera
    CAMERA = "camera"  # everybody of the same camera


@dataclass(frozen=True, slots=True)
class Distillation:
    """The graph loss of G-Fusion: alone in rounds of its own, or beside a learner's loss, or both.

    Attributes:
        rounds: Rounds of the graph loss alone that follow the learner's, each with a graph built anew.
        iterations: Of each such round.
        tracklets: Of a batch of such a round; 0: as many as the recipe draws.
        weight: Of the graph loss in the learner's own rounds across cameras; 0 leaves it out there.
        visual: Most alike tracklets that are joined for their looks alone, the tracklet itself counted; k_s.
        wide: Most alike among which pairs may be joined for their times; k_l.
        time: Which of those are.
        delta_s: How far a gap may lie from a recorded one, in seconds; the paper has 25 frames.
        least_nats: Learned transit times join pairs for which they speak more than that.
        edge_alpha: Width of the Gaussian by which edges are weighted.
        alpha: Width of the Gaussian by which neighbours are taught, after propagation.
        relative: Whether a neighbour's worth is over the largest of its camera (the paper's Eq. 10); else the nearest
            neighbour at a camera that never saw somebody is worth little.
        projection: Width of the paper's random projection with ReLU; 0 leaves embeddings as they are.
        layers: How often neighbours are asked.
        temperature: Of the softmax.
        keep: Share of a memory's entry that a visit leaves; the paper's m.
        rivals: Among whom shares are counted.
        centred: Whether the graph is built on vectors without their cameras' means.
    """

    rounds: int = 0
    iterations: int = 200
    tracklets: int = 0
    weight: float = 0.0
    visual: int = 3
    wide: int = 60
    time: TimeRule = TimeRule.TRANSITIONS
    delta_s: float = 1.0
    least_nats: float = 0.0
    edge_alpha: float = 1.0
    alpha: float = 1.0
    relative: bool = True
    projection: int = 0
    layers: int = 2
    temperature: float = 0.05
    keep: float = 0.01
    rivals: Rivals = Rivals.NEIGHBOURS
    centred: bool = False


@dataclass(frozen=True, slots=True)
class Clustering:
    """How tracklets become clusters, and clusters classes.

    Attributes:
        k1: Neighbours among which reciprocal ones are looked for.
        k2: Neighbours over which descriptions are averaged; 1 leaves them alone.
        eps: Jaccard distance up to which two tracklets are near, in ``(0, 1)``.
        fewest: Tracklets near one another, itself counted, that make a tracklet the core of a cluster.
        keep: Share of a proxy that a visit leaves.
        cross: Weight of the loss over proxies of other cameras.
        hardest: Nearest proxies of other classes that take part in that loss.
        centred: Whether clusters are made on vectors without their cameras' means.
    """

    k1: int = 30
    k2: int = 6
    eps: float = 0.5
    fewest: int = 4
    keep: float = 0.2
    cross: float = 0.5
    hardest: int = 50
    centred: bool = False


@dataclass(frozen=True, slots=True)
class MeanTeacher:
    """A second network, the running mean of the one in training, that says how alike a batch's pictures are.

    Attributes:
        keep: Share of the mean that a step leaves, in ``[0, 1)``; less in a stage's first steps.
        consistency: Weight of agreeing with the teacher on who is alike.
        instance: Weight of being near the teacher's hardest picture of one's own class; needs a learner with classes.
        temperature: Of the agreement.
        instance_temperature: Of the other.
    """

    keep: float = 0.99
    consistency: float = 1.0
    instance: float = 0.0
    temperature: float = 0.1
    instance_temperature: float = 0.1
