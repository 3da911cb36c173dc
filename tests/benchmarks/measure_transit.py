"""How much the transit model learns: six hours of simulated events, and short sites with stored vectors.

    python tests/benchmarks/measure_transit.py --events SEED ... [--hours H] [--site FILE.npz ...] [--json FILE]

Events (`reknit simulate --events-only`, made in a temporary folder) get the fusion harness's looks and clocks that are
wrong by up to 20 s; pairs are candidates by looks within two minutes, most of them wrong. A site file holds
``vectors, camera_ids, starts_s, ends_s, entries, exits, person_ids, offsets_s`` and ``links`` (rows of camera, camera,
metres), as ``--export DATA_DIR SITE_DIR FILE.npz`` writes it. Truth is used for scoring and, where it says so, for
ceilings.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from transit_logs import Log, looks, shuffled, simulated_log, true_pairs
from transit_site_files import centred, export_site, score

from reid_core.metrics.ranking import SameCamera, evaluate_ranking
from reid_core.spatio_temporal.candidates import visual_candidates
from reid_core.spatio_temporal.sightings import MatchedPairs, Sightings
from reid_core.spatio_temporal.transit import fit_transit
from reid_core.types import CameraLink

_WINDOW_S = 120.0
_MAP_MPS, _MAP_SPREAD = 1.25, 0.7
_QUERIES, _GALLERY = 300, 6000


def held_out(log: Log, model, pairs: MatchedPairs) -> dict[str, float]:
    """Mean log-likelihood in nats per pair of true gaps: the model, single Gaussians, and Gaussians with outliers."""
    right = log.sightings.shifted(-log.offsets_s)
    rows_a, rows_b = true_pairs(log, within_s=_WINDOW_S)
    late = right.starts_s[rows_a] > np.median(right.starts_s)
    totals: dict[str, list[np.ndarray]] = {}
    for (a, b), link in model.links.items():
        here, there = log.sightings.camera_ids.index(a), log.sightings.camera_ids.index(b)
        if here > there:
            continue
        chosen = late & (log.sightings.cameras[rows_a] == here) & (log.sightings.cameras[rows_b] == there)
        turned = late & (log.sightings.cameras[rows_a] == there) & (log.sightings.cameras[rows_b] == here)
        i = np.concatenate([rows_a[chosen], rows_b[turned]])
        j = np.concatenate([rows_b[chosen], rows_a[turned]])
        corrected = model.corrected(log.sightings)
        apart_s = np.maximum(corrected.starts_s[j] - corrected.ends_s[i], corrected.starts_s[i] - corrected.ends_s[j])
        near = apart_s <= link.background.reach_s
        i, j = i[near], j[near]
        evidence = model.pair_llr(log.sightings.take(i), log.sightings.take(j))
        ways = [corrected.starts_s[j] - corrected.ends_s[i], corrected.starts_s[i] - corrected.ends_s[j]]
        other_way = model.links[b, a].background.density(ways[1])
        background = np.where(ways[0] >= ways[1], link.background.density(ways[0]), other_way)
        background = np.maximum(background, 1e-9)
        totals.setdefault("model", []).append(evidence + np.log(background * link.beyond))
        for name, (means, sds) in gaussians(log, model, pairs, here, there).items():
            parts = [
                0.5 * np.exp(-0.5 * ((gaps - mean) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))
                for gaps, mean, sd in zip(ways, means, sds, strict=True)
            ]
            density = sum(parts)
            totals.setdefault(name, []).append(np.log(np.maximum(density, 1e-300)))
            totals.setdefault(f"{name}, half outliers", []).append(np.log(0.5 * density + 0.5 * background))
    return {name: float(np.concatenate(parts).mean()) for name, parts in totals.items()}


def gaussians(log: Log, model, pairs: MatchedPairs, here: int, there: int) -> dict:
    """Mean and spread of both ways: from the map, and of the gaps of the pairs that the model was given."""
    corrected = model.corrected(log.sightings)
    cameras = log.sightings.cameras
    found = {}
    metres = {frozenset((link.camera_a, link.camera_b)): link.distance_m for link in log.links}
    walk_m = metres.get(frozenset((log.sightings.camera_ids[here], log.sightings.camera_ids[there])))
    if walk_m is None:
        walk_m = sum(metres.values()) / 2
    mean = walk_m / _MAP_MPS
    found["map Gaussian"] = ((mean, mean), (_MAP_SPREAD * mean, _MAP_SPREAD * mean))
    means, sds = [], []
    for a, b in ((here, there), (there, here)):
        gaps = []
        for one, other in ((pairs.rows_a, pairs.rows_b), (pairs.rows_b, pairs.rows_a)):
            way = (cameras[one] == a) & (cameras[other] == b)
            gaps.append(corrected.starts_s[other[way]] - corrected.ends_s[one[way]])
        positive = np.concatenate(gaps)
        positive = positive[positive > 0]
        means.append(float(positive.mean()))
        sds.append(float(positive.std()))
    found["fitted Gaussian"] = (tuple(means), tuple(sds))
    return found


def two_peaks(log: Log, model) -> dict[str, object]:
    """The link with the detour: true medians of direct and detoured walks (split at the deepest valley), and ours."""
    right = log.sightings.shifted(-log.offsets_s)
    order = np.lexsort((right.starts_s, log.people))
    one, other = order[:-1], order[1:]
    found = {}
    for a, b in ((0, 1), (1, 0)):
        went = (log.people[one] == log.people[other]) & (right.cameras[one] == a) & (right.cameras[other] == b)
        gaps = right.starts_s[other[went]] - right.ends_s[one[went]]
        gaps = gaps[(gaps > 0) & (gaps < 90)]
        counts, edges = np.histogram(gaps, np.arange(0, 90, 1.5))
        smooth = np.convolve(counts, np.ones(3) / 3, "same")
        tops = [k for k in range(1, len(smooth) - 1) if smooth[k] >= smooth[k - 1] and smooth[k] > smooth[k + 1]]
        tops = sorted(tops, key=lambda k: -smooth[k])
        first = tops[0]
        second = next((k for k in tops if abs(edges[k] - edges[first]) > 12 and smooth[k] > 0.04 * smooth[first]), None)
        true = sorted(float(edges[k] + 0.75) for k in (first, second) if k is not None)
        ids = log.sightings.camera_ids
        ours = [(round(peak.mode_s, 1), round(peak.share, 3)) for peak in model.links[ids[a], ids[b]].peaks]
        hit = [any(abs(mode - top) < max(2.5, 0.2 * top) for mode, _ in ours) for top in true]
        found[f"{ids[a]}>{ids[b]}"] = {"true": true, "peaks": ours, "found": hit}
    return found


def fused_map(log: Log, vectors: np.ndarray, model, seed: int) -> dict[str, float]:
    """Ranking of some queries against the log's last part: looks alone, and with time (truth says what looks weigh)."""
    rng = np.random.default_rng([seed, 5])
    gallery = np.argsort(log.sightings.starts_s)[-_GALLERY:]
    queries = rng.choice(gallery, min(_QUERIES, len(gallery)), replace=False)
    alike = (vectors[queries] @ vectors[gallery].T).astype(np.float64)
    evidence = model.llr_matrix(log.sightings.take(queries), log.sightings.take(gallery))
    same = log.people[queries][:, None] == log.people[gallery][None]
    across = log.sightings.cameras[queries][:, None] != log.sightings.cameras[gallery][None]
    slope = logistic(alike[across], same[across])[0]
    scores = {}
    for name, values in (("visual", slope * alike), ("fused", slope * alike + evidence)):
        ranking = evaluate_ranking(
            -values,
            query_ids=log.people[queries],
            gallery_ids=log.people[gallery],
            query_cameras=log.sightings.cameras[queries],
            gallery_cameras=log.sightings.cameras[gallery],
            same_camera=SameCamera.EVERYBODY,
        )
        scores[f"{name} map"], scores[f"{name} rank1"] = ranking.map_rectangle, ranking.rank(1)
    return scores


def logistic(values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Slope and level of the log-odds."""
    centre, width = values.mean(), values.std()
    scaled = (values - centre) / width

    def loss(both: np.ndarray) -> float:
        odds = both[0] * scaled + both[1]
        return float(np.mean(np.logaddexp(0, odds) - truth * odds))

    slope, level = minimize(loss, [1.0, -5.0]).x
    return np.array([slope / width, level])


def measure_events(seed: int, hours: float) -> dict[str, object]:
    """All figures of one simulated log."""
    log = simulated_log(seed, hours)
    vectors = looks(log, seed)
    pairs = visual_candidates(vectors, log.sightings, within_s=_WINDOW_S)
    early = log.sightings.starts_s < np.median(log.sightings.starts_s)
    pairs = pairs.take(early[pairs.rows_a] & early[pairs.rows_b])
    started = time.process_time()
    model = fit_transit(log.sightings, pairs, map_links=log.links, seed=seed)
    seconds = time.process_time() - started
    offsets = [model.offsets.offsets_s[camera] for camera in log.sightings.camera_ids]
    true = log.offsets_s - log.offsets_s[0]
    errors = [None if ours is None else abs(ours - theirs) for ours, theirs in zip(offsets, true, strict=True)]
    useless = shuffled(log, seed)
    lost = visual_candidates(vectors, useless.sightings, within_s=_WINDOW_S)
    random_model = fit_transit(useless.sightings, lost, map_links=log.links, seed=seed)
    block = log.sightings.take(np.arange(min(16000, len(log.people))))
    started_block = time.process_time()
    model.llr_matrix(block.take(slice(0, 3000)), block)
    return {
        "tracklets": len(log.people),
        "pairs": len(pairs),
        "precision": float((log.people[pairs.rows_a] == log.people[pairs.rows_b]).mean()),
        "fit_cpu_s": seconds,
        "matrix_cpu_s": time.process_time() - started_block,
        "offset_true_s": true.tolist(),
        "offset_error_s": errors,
        "two_peaks": two_peaks(log, model),
        "held_out": held_out(log, model, pairs),
        "fused": fused_map(log, vectors, model, seed),
        "useless": fused_map(useless, vectors, random_model, seed),
    }


def measure_site(path: Path) -> dict[str, object]:
    """A short site with stored vectors: looks alone, and with time learned from looks or from the truth."""
    held = np.load(path, allow_pickle=False)
    ids = tuple(sorted(set(held["camera_ids"].tolist())))
    cameras = np.array([ids.index(camera) for camera in held["camera_ids"].tolist()], np.int64)
    everything = Sightings(ids, cameras, held["starts_s"], held["ends_s"], held["entries"], held["exits"])
    links = [CameraLink(str(a), str(b), float(m)) for a, b, m in held["links"].tolist()]
    people = held["person_ids"]
    same = (people[:, None] == people[None]) & (people[:, None] > 0) & (cameras[:, None] != cameras[None])
    one, other = np.nonzero(np.triu(same))
    result: dict[str, object] = {}
    for name, vectors in (("as stored", held["vectors"]), ("centred by camera", centred(held["vectors"], cameras))):
        alike = (vectors @ vectors.T).astype(np.float64)
        across = np.triu(cameras[:, None] != cameras[None])
        odds = logistic(alike[across], same[across])[0] * alike
        result[f"{name}: visual"] = score(odds, people, cameras)
        learned = visual_candidates(vectors, everything)
        oracle = MatchedPairs(one, other, np.full(len(one), 0.95))
        blind = Sightings(ids, cameras, held["starts_s"], held["ends_s"])
        ways = (("gaps", blind, learned), ("gaps, zones", everything, learned), ("true pairs", everything, oracle))
        for label, seen, pairs in ways:
            model = fit_transit(seen, pairs, map_links=links)
            evidence = model.llr_matrix(seen, seen)
            for weight in (0.5, 1.0):
                result[f"{name}: {label}, weight {weight}"] = score(odds + weight * evidence, people, cameras)
            offsets = [model.offsets.offsets_s[camera] for camera in ids]
            true = (held["offsets_s"] - held["offsets_s"][0]).tolist()
            result[f"{name}: {label}, offset_error_s"] = [
                None if ours is None else abs(ours - theirs) for ours, theirs in zip(offsets, true, strict=True)
            ]
    return result


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="*", default=[], metavar="SEED")
    parser.add_argument("--hours", type=float, default=6.0)
    parser.add_argument("--site", type=Path, nargs="*", default=[], metavar="FILE")
    parser.add_argument("--export", type=Path, nargs=3, metavar=("DATA_DIR", "SITE_DIR", "FILE"))
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if asked.export:
        export_site(*asked.export)
    result = {f"events {seed}": measure_events(seed, asked.hours) for seed in asked.events}
    result |= {path.stem: measure_site(path) for path in asked.site}
    for name, figures in result.items():
        print(name)
        for key, value in figures.items():
            print(f"  {key:60s}", json.dumps(value, default=float))
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(result, indent=2, default=float) + "\n")


if __name__ == "__main__":
    main()
