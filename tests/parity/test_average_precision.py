"""Both average precisions against scikit-learn, which knows nothing of people, cameras or junk."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import auc, average_precision_score, precision_recall_curve

from reid_core.metrics.ranking import JUNK_ID, evaluate_ranking

QUERIES, GALLERY, PEOPLE, CAMERAS = 60, 900, 40, 5


def site(seed: int) -> dict[str, np.ndarray]:
    """Queries and a gallery with junk, distractors and the queries' own cameras; no two distances are equal."""
    rng = np.random.default_rng(seed)
    gallery_ids = rng.integers(-1, PEOPLE, GALLERY)
    query_ids = rng.integers(1, PEOPLE, QUERIES)
    alike = query_ids[:, None] == gallery_ids[None, :]
    distances = rng.permutation(QUERIES * GALLERY).reshape(QUERIES, GALLERY) / (QUERIES * GALLERY) - 0.35 * alike
    return {
        "distances": distances + 1e-9 * rng.random(distances.shape),
        "query_ids": query_ids,
        "gallery_ids": gallery_ids,
        "query_cameras": rng.integers(0, CAMERAS, QUERIES),
        "gallery_cameras": rng.integers(0, CAMERAS, GALLERY),
    }


def witnessed(drawn: dict[str, np.ndarray], query: int) -> tuple[float, float]:
    """Step-wise and trapezoid area under the precision-recall curve of what is not junk."""
    own = drawn["gallery_ids"] == drawn["query_ids"][query]
    kept = (drawn["gallery_ids"] != JUNK_ID) & ~(own & (drawn["gallery_cameras"] == drawn["query_cameras"][query]))
    is_right, scores = own[kept], -drawn["distances"][query][kept]
    precision, recall, _ = precision_recall_curve(is_right, scores)
    return float(average_precision_score(is_right, scores)), float(auc(recall, precision))


@pytest.mark.parametrize("seed", range(4))
def test_each_query_has_scikit_learns_average_precision_by_steps_and_by_trapezoids(seed: int):
    drawn = site(seed)
    scores = evaluate_ranking(**drawn)
    expected = np.array([witnessed(drawn, int(query)) for query in scores.queries])
    np.testing.assert_allclose(scores.precisions, expected[:, 0], atol=1e-12)
    np.testing.assert_allclose(scores.precisions_trapezoid, expected[:, 1], atol=1e-12)
    assert scores.map_rectangle == pytest.approx(expected[:, 0].mean(), abs=1e-12)
    assert scores.map_trapezoid == pytest.approx(expected[:, 1].mean(), abs=1e-12)
    assert 0.05 < scores.map_trapezoid < scores.map_rectangle < 0.95  # neither trivial nor the same
