"""The demo's journeys: built by the generation that answers, scored against the simulated truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from services.storage.session import Database

__all__ = ["journey_rows", "score_demo_journeys"]

_FIGURES = {
    "idf1": "IDF1",
    "idp": "IDP",
    "idr": "IDR",
    "mcta": "MCTA",
    "pair_precision": "pair_precision",
    "pair_recall": "pair_recall",
}


def score_demo_journeys(database: Database, true_boxes: Path) -> dict[str, float | int]:
    """Build the journeys, and hold them against the truth.

    Args:
        database: Of the demo's installation.
        true_boxes: Folder of CAMERA.txt.

    Returns:
        Shares in ``[0, 1]``. ``idf1_of_tracklets`` is that of journeys that give every tracklet to whom it mostly
        shows, which whole tracks allow at best; ``idf1_of_parts`` the same of the parts into which some were cut.
        ``journeys`` and ``cut_tracklets``: how many there are.

    Raises:
        GroundTruthError: If the truth does not fit what is stored.
    """
    from services.journeys.keeper import JourneyKeeper
    from services.journeys.scoring import best_identities, score_identities, score_journeys
    from services.scoring import read_site_truth

    truth = read_site_truth(true_boxes)
    kept = JourneyKeeper(database).rebuild()
    with database.read() as session:
        figures = score_journeys(session, truth).as_dict()
        best = {
            name: score_identities(session, truth, best_identities(session, truth, cut=cut)).as_dict()["IDF1"] / 100
            for name, cut in (("idf1_of_tracklets", False), ("idf1_of_parts", True))
        }
    found: dict[str, float | int] = {name: figures[key] / 100 for name, key in _FIGURES.items()}
    return found | best | {"journeys": kept.journeys, "cut_tracklets": kept.cut}


def journey_rows(figures: Mapping[str, float | int]) -> list[tuple[str, str, str]]:
    """Lines of the demo's table."""
    if not figures:
        return []
    idf1, best = f"{figures['idf1']:.3f}", f"{figures['idf1_of_parts']:.3f}"
    pairs = f"{figures['pair_precision']:.3f}; recall {figures['pair_recall']:.3f}"
    return [
        ("journeys", "IDF1 over all cameras", f"{idf1}; at best {best} with these tracks"),
        ("", "pair precision", pairs),
    ]
