"""How far stated probabilities can be believed on simulated sites, for several ways of fitting them.

    python tests/benchmarks/measure_calibration.py DATA_FOLDER [...] [--plot FILE] [--json FILE]

Each folder is an installation whose ``site/truth/boxes`` says whom its tracklets show, as `reknit demo` leaves it. The
vectors are those of its current generation. Ways, each with a transit model fitted to visual mutual neighbours:

- times: what the product does; no label is used;
- pseudo-labels: mutual neighbours are one person with the posterior of their times, all other pairs are two;
- labels: the truth itself; what no way without labels can pass by much.

Figures are over the first ten answers of each search, by looks and times together and by looks alone; then over all.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from reid_core.association.reciprocal import associate
from reid_core.errors import CalibrationError
from reid_core.evaluation.calibration_score import score_calibration, state_pairs
from reid_core.evaluation.reliability_plot import reliability_plot
from reid_core.evaluation.stored_site import identify
from reid_core.spatio_temporal.calibration import Calibration, fit_site_calibration
from reid_core.spatio_temporal.sightings import MatchedPairs, Sightings
from reid_core.spatio_temporal.site_pairs import SitePairs, mutual_pairs, site_pairs
from reid_core.spatio_temporal.transit import fit_transit
from reid_core.spatio_temporal.visual_curve import fit_curve
from services.bootstrap import open_database
from services.scoring import read_site_truth
from services.settings import Settings
from services.storage.cameras import CameraRepository
from services.storage.feet import read_bodies_and_feet
from services.storage.generations import GenerationRepository
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.transit import TransitModel
    from reid_core.types import CameraLink

_PRIOR_OF_NEIGHBOURS = -1.0  # log-odds of a mutual neighbour, before its times are looked at


@dataclass(frozen=True)
class Site:
    """What is stored of a site, and the truth."""

    model_id: str
    vectors: NDArray[np.float32]
    sightings: Sightings
    links: list[CameraLink]
    people: NDArray[np.int64]


def read(folder: Path) -> Site:
    """The current generation's vectors, places and times, and whom each tracklet shows."""
    truth = read_site_truth(folder / "site" / "truth" / "boxes")
    with open_database(Settings(data_dir=folder)) as database, database.read() as session:
        model_id = GenerationRepository(session).current().model_id
        tracklets = TrackletRepository(session)
        batches = list(tracklets.iter_vectors(model_id))
        numbers = np.concatenate([batch.tracklet_nos for batch in batches])
        people = {
            one.tracklet_no: identify(path.frame_indices + 1, path.boxes_px, truth[one.camera_id]).person_id
            for one, path in tracklets.iter_paths()
        }
        bodies, feet = read_bodies_and_feet(session, numbers.tolist())
        links = CameraRepository(session).links()
    seen_by = [camera_id for batch in batches for camera_id in batch.camera_ids]
    cameras = tuple(sorted(set(seen_by)))
    sightings = Sightings(
        cameras,
        np.array([cameras.index(one) for one in seen_by]),
        np.concatenate([batch.starts_s for batch in batches]),
        np.concatenate([batch.ends_s for batch in batches]),
        feet[:, 0],
        feet[:, 1],
        bodies,
    )
    vectors = np.concatenate([batch.vectors for batch in batches])
    return Site(model_id, vectors, sightings, list(links), np.array([people[no] for no in numbers.tolist()]))


def by_times(site: Site, transit: TransitModel) -> Calibration:
    """As the product fits it."""
    return fit_site_calibration(site.vectors, site.sightings, transit, seed=0, map_links=site.links)


def _fitted(pairs: SitePairs, is_same: NDArray[np.float64]) -> Calibration:
    """Logistic regression on how likely each pair is to be one person."""
    curve = fit_curve(
        np.tile(pairs.standard, 2),
        np.repeat([1.0, 0.0], len(is_same)),
        np.repeat([0.0, 1.0], len(is_same)),
        weights=np.concatenate([is_same, 1.0 - is_same]),
        yardstick=pairs.yardstick,
    )
    return Calibration(curve, 1.0, curve.prior * pairs.candidates, pairs.candidates)


def by_pseudo_labels(site: Site, transit: TransitModel) -> Calibration:
    """Mutual neighbours by their posterior of time are one person, all else is two."""
    pairs = site_pairs(site.vectors, transit.corrected(site.sightings), rng=np.random.default_rng(0))
    mutual = mutual_pairs(pairs, site.sightings.cameras)
    named = {frozenset((int(a), int(b))) for a, b in zip(pairs.queries[mutual], pairs.answers[mutual], strict=True)}
    is_mutual = np.array(
        [frozenset((int(a), int(b))) in named for a, b in zip(pairs.queries, pairs.answers, strict=True)]
    )
    llr = transit.pair_llr(site.sightings.take(pairs.queries), site.sightings.take(pairs.answers))
    return _fitted(pairs, np.where(is_mutual & ~pairs.forbidden, expit(llr + _PRIOR_OF_NEIGHBOURS), 0.0))


def by_labels(site: Site, transit: TransitModel) -> Calibration:
    """The truth."""
    pairs = site_pairs(site.vectors, transit.corrected(site.sightings), rng=np.random.default_rng(0))
    one, other = site.people[pairs.queries], site.people[pairs.answers]
    return _fitted(pairs, ((one == other) & (one > 0)).astype(np.float64))


WAYS: dict[str, Callable[[Site, TransitModel], Calibration]] = {
    "times": by_times,
    "pseudo-labels": by_pseudo_labels,
    "labels": by_labels,
}


def measure(site: Site) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Figures of every way, and the bins of the product's for a plot."""
    found = associate(site.vectors, site.sightings)
    pairs = MatchedPairs(found.rows_a, found.rows_b, np.full(len(found), 0.5))
    transit = fit_transit(site.sightings, pairs, map_links=site.links, seed=0)
    figures: dict[str, Any] = {}
    plotted = []
    for name, fit in WAYS.items():
        try:
            calibration = fit(site, transit)
        except CalibrationError as error:
            print(f"  {name:14} {error}")
            continue
        both = state_pairs(calibration, transit, site.vectors, site.sightings, site.people)
        looks = state_pairs(calibration, None, site.vectors, site.sightings, site.people)
        shown, alone = score_calibration(both, only_shown=True), score_calibration(looks, only_shown=True)
        everything = score_calibration(both, only_shown=False)
        figures[name] = {
            "time_weight": calibration.time_weight,
            "matches": calibration.matches,
            "shown": shown.as_dict(),
            "shown_by_looks": alone.as_dict(),
            "all": everything.as_dict(),
        }
        print(
            f"  {name:14} shown: ece {shown.ece:.3f} (equal mass {shown.ece_equal_mass:.3f}), log loss "
            f"{shown.log_loss:.3f}; by looks: ece {alone.ece:.3f}; all: ece {everything.ece:.4f}, log loss "
            f"{1e3 * everything.log_loss:.1f}e-3; w {calibration.time_weight:g}, {calibration.matches:.2f} matches"
        )
        if name == "times":
            plotted = [("looks and times", shown.bins), ("looks alone", alone.bins)]
    return figures, plotted


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--plot", type=Path, help="an SVG of the last folder's reliability")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    result = {}
    for folder in asked.folders:
        site = read(folder)
        print(f"{folder.name}: {len(site.vectors)} tracklets, vectors of {site.model_id}", flush=True)
        result[folder.name], plotted = measure(site)
        if asked.plot and plotted:
            asked.plot.write_text(reliability_plot(plotted, title="stated probability against truth"))
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
