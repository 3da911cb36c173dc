"""Pair tracklets of different cameras: by looks, by the paper's joint distance, or by looks and learned times."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logit

from reid_core.association.grouping import group_tracklets
from reid_core.association.pair_costs import JointCost, Metric, VisualCost, paired_distances
from reid_core.association.reciprocal import AssociatedPairs, associate
from reid_core.association.refinement import lowest_cluster
from reid_core.errors import CalibrationError
from reid_core.learning.candidates import candidate_pairs
from reid_core.learning.clustering import cluster_tracklets, pairs_of_clusters
from reid_core.learning.known import known_links
from reid_core.learning.learner_parts import AssociationForm, Clustering
from reid_core.learning.looks import centred_looks, colour_stripes, graph_looks, with_colours
from reid_core.learning.relations import PairWeights
from reid_core.learning.whitening import Whitening, pair_whitening
from reid_core.spatio_temporal.calibration import fit_site_calibration
from reid_core.spatio_temporal.candidates import visual_candidates
from reid_core.spatio_temporal.paper_forms import GaussianTransit
from reid_core.spatio_temporal.transit import MatchedPairs, fit_transit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.association.grouping import GroupedPairs
    from reid_core.association.pair_costs import PairCost
    from reid_core.learning.recipes import Pairing
    from reid_core.learning.tracklet_set import TrackletSet
    from reid_core.spatio_temporal.calibration import Calibration
    from reid_core.spatio_temporal.transit import TransitModel
    from reid_core.types import FloatArray

__all__ = ["Evidence", "Paired", "fit_evidence", "pair_tracklets", "whitening_by"]

_KNOWN_WEIGHT = 0.98
_TWO_CLUSTERS = 2
_LOWEST = -10.0  # log-odds that no recipe looks below


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """How looks and times are read on this site.

    Attributes:
        transit: Learned transit times.
        calibration: Log-odds from distances of centred vectors; ``None`` where times cannot tell anything.
    """

    transit: TransitModel
    calibration: Calibration | None


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """One round's pairs.

    Attributes:
        pairs: Whom training takes for one person.
        candidates: How many pairs came into question: mutual neighbours, or (fused) all likely ones.
        doubtful: Pairs that training takes neither for one person nor for two.
        evidence: What times were worth; ``None`` in forms that do not fit any.
        labels: The cluster of each tracklet, -1 for outliers, shape ``(N,)``; ``None`` in forms without clusters.
    """

    pairs: AssociatedPairs
    candidates: int
    doubtful: PairWeights
    evidence: Evidence | None
    labels: NDArray[np.int64] | None = None


def fit_evidence(vectors: NDArray[np.floating], tracklets: TrackletSet, *, seed: int) -> Evidence:
    """Learn transit times from candidates by looks alone, and what distances are worth beside them.

    Args:
        vectors: L2-normalised, to compare across cameras. Shape ``(N, d)``.
        tracklets: The set.
        seed: Of whatever is drawn.
    """
    seen, paths = tracklets.sightings, tracklets.map_links
    transit = fit_transit(seen, _by_looks(vectors, tracklets), map_links=paths, seed=seed)
    try:
        calibration = fit_site_calibration(vectors, seen, transit, seed=seed, map_links=paths)
    except CalibrationError:
        return Evidence(transit, None)
    return Evidence(transit, calibration)


def pair_tracklets(
    vectors: FloatArray,
    tracklets: TrackletSet,
    how: Pairing,
    *,
    seed: int,
    first_round: bool = False,
    clustering: Clustering | None = None,
) -> Paired:
    """Pair the tracklets of a set by one of four forms.

    The paper's form and the visual one compare vectors as they are, by Euclidean distance, and keep the lowest cluster;
    the fused form first takes away what a camera adds to all its vectors, and groups what is likely enough. Where times
    tell nothing, it keeps the lower of two clusters of visual distances instead. The form of clusters pairs whoever
    shares one. What heights and paces say is kept from the pairs: searches ask them as a witness that training has not
    talked to.

    Args:
        vectors: Of the model in training. Shape ``(N, d)``.
        tracklets: The set.
        how: The recipe's way.
        seed: Of whatever is drawn.
        first_round: Whether nothing was trained across cameras yet.
        clustering: How clusters are made, in the form of clusters; ``None``: as `Clustering` has it.
    """
    if how.form in {AssociationForm.FUSED, AssociationForm.CLUSTERS}:
        share = how.first_colours if first_round else 0.0
        colours = colour_stripes(tracklets, crops=how.crops) if share else None
        looks = with_colours(vectors, colours, share=share) if colours is not None else vectors
        if how.form is AssociationForm.CLUSTERS:
            return _paired_by_density(looks, tracklets, clustering or Clustering())
        return _paired_by_evidence(looks, _without_bodies(tracklets), how, seed)
    cost: PairCost = VisualCost(Metric.EUCLIDEAN)
    if how.form is AssociationForm.PAPER:
        seen = tracklets.sightings
        cost = JointCost(GaussianTransit.of_map(seen.camera_ids, tracklets.map_links).matrix)
    return _paired_by_clusters(vectors, tracklets, cost, how.kmeans, None)


def whitening_by(vectors: FloatArray, paired: Paired, smoothing: float) -> Whitening:
    """The map that a round's own pairs give."""
    pairs = paired.pairs
    return pair_whitening(vectors, pairs.rows_a, pairs.rows_b, pairs.weights, smoothing=smoothing)


def _by_looks(vectors: NDArray[np.floating], tracklets: TrackletSet) -> MatchedPairs:
    """Candidates by looks, and whom people paired; without whom they parted."""
    found, known = visual_candidates(vectors, tracklets.sightings), known_links(tracklets)
    must = known.must[tracklets.cameras[known.must[:, 0]] != tracklets.cameras[known.must[:, 1]]]
    judged = np.sort(np.concatenate([must, known.cannot]), axis=1) @ np.array([len(vectors), 1])
    rows = np.sort(np.stack([found.rows_a, found.rows_b], axis=1), axis=1) @ np.array([len(vectors), 1])
    found = found.take(~np.isin(rows, judged))
    return MatchedPairs(
        np.concatenate([found.rows_a, must[:, 0]]),
        np.concatenate([found.rows_b, must[:, 1]]),
        np.concatenate([found.weights, np.full(len(must), _KNOWN_WEIGHT)]),
    )


def _without_bodies(tracklets: TrackletSet) -> TrackletSet:
    return replace(tracklets, sightings=replace(tracklets.sightings, bodies=None))


def _paired_by_evidence(vectors: FloatArray, tracklets: TrackletSet, how: Pairing, seed: int) -> Paired:
    """Pair by evidence; then once more, on vectors whitened by what was found."""
    found = _paired_once(centred_looks(vectors, tracklets.cameras), tracklets, how, seed)
    if not how.smoothing or not len(found.pairs):
        return found
    whitened = whitening_by(vectors, found, how.smoothing)(vectors)
    return _paired_once(centred_looks(whitened, tracklets.cameras), tracklets, how, seed)


def _paired_once(vectors: FloatArray, tracklets: TrackletSet, how: Pairing, seed: int) -> Paired:
    evidence, known = fit_evidence(vectors, tracklets, seed=seed), known_links(tracklets)
    if evidence.calibration is None:
        return _paired_by_clusters(vectors, tracklets, VisualCost(), _TWO_CLUSTERS, evidence)
    floor = max(float(logit(how.doubt_above)), _LOWEST)
    candidates = candidate_pairs(vectors, tracklets.sightings, evidence.calibration, evidence.transit, floor=floor)
    grouped = group_tracklets(
        len(vectors),
        candidates.rows_a,
        candidates.rows_b,
        candidates.log_odds,
        floor=floor,
        least=max(float(logit(how.min_weight)), floor),
        apart=np.concatenate([candidates.apart, known.cannot]),
        groups=known.groups,
    )
    kept = _across_cameras(grouped, vectors, tracklets.cameras)
    if how.kmeans > 1:
        kept = _nearest_cluster(kept, tracklets.cameras, how.kmeans)
    return Paired(kept, len(candidates), candidates.doubtful(tracklets.cameras), evidence)


def _across_cameras(
    grouped: GroupedPairs, vectors: NDArray[np.floating], cameras: NDArray[np.int64]
) -> AssociatedPairs:
    """Pairs of two cameras, the lower-numbered camera's row first."""
    rows = np.stack([grouped.rows_a, grouped.rows_b], axis=1)
    across = cameras[rows[:, 0]] != cameras[rows[:, 1]]
    rows, weights = rows[across], grouped.weights[across]
    turned = cameras[rows[:, 0]] > cameras[rows[:, 1]]
    one, other = np.where(turned[:, None], rows[:, ::-1], rows).T
    return AssociatedPairs(one, other, paired_distances(vectors[one], vectors[other], metric=Metric.COSINE), weights)


def _nearest_cluster(pairs: AssociatedPairs, cameras: NDArray[np.int64], kmeans: int) -> AssociatedPairs:
    """The lowest cluster of distances of each two cameras, in the order of the pairs."""
    ways = np.stack([cameras[pairs.rows_a], cameras[pairs.rows_b]], axis=1)
    kept = np.zeros(len(pairs), np.bool_)
    for way in np.unique(ways, axis=0):
        rows = np.flatnonzero((ways == way).all(axis=1))
        kept[rows] = lowest_cluster(pairs.distances[rows], kmeans)
    return pairs.take(kept)


def _paired_by_clusters(
    vectors: NDArray[np.floating],
    tracklets: TrackletSet,
    cost: PairCost,
    kmeans: int,
    evidence: Evidence | None,
) -> Paired:
    seen, known = tracklets.sightings, known_links(tracklets)
    every = associate(vectors, seen, cost=cost, must_link=known.must, cannot_link=known.cannot)
    kept = associate(vectors, seen, cost=cost, kmeans=kmeans, must_link=known.must, cannot_link=known.cannot)
    return Paired(kept, len(every), PairWeights(every.rows_a, every.rows_b, np.ones(len(every))), evidence)


def _paired_by_density(vectors: FloatArray, tracklets: TrackletSet, how: Clustering) -> Paired:
    """Pairs across cameras of one cluster, in full."""
    cameras = tracklets.cameras
    looks = graph_looks(vectors, cameras, centred=how.centred)
    labels = cluster_tracklets(looks, how, known_links(tracklets))
    one, other = pairs_of_clusters(labels, cameras)
    distances = paired_distances(looks[one], looks[other], metric=Metric.COSINE)
    pairs = AssociatedPairs(one, other, distances, np.ones(len(one)))
    return Paired(pairs, len(pairs), PairWeights.none(), None, labels)
