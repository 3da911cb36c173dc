"""The journeys in memory brought to the database: only what differs, under the names that journeys had."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from reid_core.association.journeys_names import ChangeKind, carry_on
from services.storage.journeys import JourneyRepository
from services.storage.journeys_records import LinkEvidence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sqlalchemy.orm import Session

    from reid_core.association.journeys import Journeys
    from reid_core.association.journeys_names import Change
    from services.journeys.evidence import SiteEvidence
    from services.storage.journeys_records import Part, Placement
    from services.storage.journeys_writing import JourneyWriter

__all__ = ["write_journeys"]


def write_journeys(session: Session, writer: JourneyWriter, site: SiteEvidence, journeys: Journeys) -> int:
    """Write every journey that is not as it is stored, with its history, and tell of it.

    Args:
        session: The writing transaction.
        writer: Of the same transaction.
        site: Where the evidence is from.
        journeys: As they are to be.

    Returns:
        How many journeys changed.
    """
    stored = JourneyRepository(session)
    placed = stored.placed()
    before = {key: place.journey_id for key, place in placed.items()}
    parts = dict(zip(site.keys.tolist(), site.parts, strict=True))
    groups = _changed(placed, journeys.groups(), parts, site.generation.generation_id)
    lost = [key for key in before if key not in journeys]
    renamed = carry_on({key: name for key, name in before.items() if key in journeys}, groups, new_name=writer.start)
    for name, group in zip(renamed.names, groups, strict=True):
        stayed = {key: placed[key].author for key in group if before.get(key) == name}
        evidence = _evidence(site, group)
        for author in sorted({stayed.get(key) or "" for key in group}):
            own = [parts[key] for key in group if (stayed.get(key) or "") == author]
            writer.link(name, own, evidence=evidence, author=author or None)
    writer.unlink(lost)
    for change in renamed.changes:
        _record(writer, journeys, change, parts)
    writer.prune()
    touched = {*renamed.names, *(change.other for change in renamed.changes), *(before[key] for key in lost)}
    if touched:
        writer.tell(touched, author=None)
    return len(groups) + len({before[key] for key in lost} - set(renamed.names))


def _changed(
    placed: Mapping[int, Placement],
    groups: Sequence[tuple[int, ...]],
    parts: Mapping[int, Part],
    generation_id: UUID,
) -> list[tuple[int, ...]]:
    """Groups that are no stored journey, to the last part, or whose evidence is of another generation."""
    sizes = Counter(place.journey_id for place in placed.values())
    changed = []
    for group in groups:
        places = [placed.get(key) for key in group]
        names = {
            None if place is None or place.part != parts[key] else (place.journey_id, place.generation_id)
            for key, place in zip(group, places, strict=True)
        }
        name = next(iter(names))
        if len(names) > 1 or name is None or sizes[name[0]] != len(group) or name[1] != generation_id:
            changed.append(group)
    return changed


def _evidence(site: SiteEvidence, group: Sequence[int]) -> dict[int, LinkEvidence]:
    """For each part its likeliest pair with another of the journey."""
    calibration = site.pairs.calibration
    if len(group) < 2 or calibration is None:
        return {}
    rows = site.rows_of(group)
    visual, time = site.pairs.parts(rows, rows)
    total = visual + np.nan_to_num(time)
    np.fill_diagonal(total, -np.inf)
    total[site.pairs.facts.impossible(rows, rows)] = -np.inf
    found = {}
    for place, best in enumerate(total.argmax(axis=1).tolist()):
        told = None if np.isnan(time[place, best]) else float(time[place, best])
        found[int(site.keys[rows[place]])] = LinkEvidence(
            site.parts[rows[best]].tracklet_no, float(visual[place, best]), told, calibration.prior_log_odds
        )
    return found


def _record(writer: JourneyWriter, journeys: Journeys, change: Change[UUID], parts: Mapping[int, Part]) -> None:
    odds = [journeys.facts.odds(one, other) for one in change.kept for other in change.moved]
    mean = float(np.mean(odds)) if odds else None
    kept, moved = ([parts[key] for key in side] for side in (change.kept, change.moved))
    writer.record(change.kind, change.journey, change.other, kept=kept, moved=moved, log_odds=mean)
    if change.kind is ChangeKind.MERGE:
        writer.end(change.other, change.journey)
