"""The stored tracklets as journeys are built from them: one state of the database, one generation's evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from reid_core.association.journeys_evidence import HardFacts, PairEvidence, least_gaps_s
from reid_core.errors import StorageError
from reid_core.retrieval.index import are_unit
from reid_core.spatio_temporal.calibration_model import Calibration
from reid_core.spatio_temporal.sightings import Sightings
from reid_core.spatio_temporal.transit_model import TransitModel
from reid_core.types import ClockQuality
from services.journeys.cutting import cut_tracklets
from services.storage.cameras import CameraRepository
from services.storage.documents import CalibrationRepository, TransitModelRepository
from services.storage.feet import read_bodies_and_feet
from services.storage.journeys_records import MOST_PARTS
from services.storage.tables import TrackletRow
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from reid_core.types import FloatArray
    from services.journeys.cutting import SeenPart
    from services.storage.generations import Generation
    from services.storage.journeys_records import Part

__all__ = ["SiteEvidence", "read_evidence", "read_facts", "read_more"]

_IN_ONE_QUESTION = 500
_SOURCE_BITS = (1 << 62) - 1


@dataclass(frozen=True, slots=True, eq=False)
class SiteEvidence:
    """Tracklets, and parts of those that show several people, that can be compared under a generation.

    Attributes:
        generation: Whose evidence it is.
        parts: ``N`` of them, by rising key.
        keys: Theirs. Shape ``(N,)``, int64.
        pairs: Evidence between them, row by row.
    """

    generation: Generation
    parts: tuple[Part, ...]
    keys: NDArray[np.int64]
    pairs: PairEvidence

    @property
    def numbers(self) -> NDArray[np.int64]:
        """Of the tracklets. Shape ``(N,)``, int64."""
        return self.keys // MOST_PARTS

    def rows_of(self, keys: Collection[int]) -> NDArray[np.int64]:
        """Rows of parts that are there, in rising order."""
        return np.flatnonzero(np.isin(self.keys, np.fromiter(keys, np.int64, len(keys))))

    def take(self, rows: NDArray[np.int64]) -> SiteEvidence:
        """Some of the parts, by rising row."""
        facts = self.pairs.facts
        fewer = replace(
            facts,
            sightings=facts.sightings.take(rows),
            sources=facts.sources[rows],
            starts_s=facts.starts_s[rows],
            ends_s=facts.ends_s[rows],
        )
        pairs = replace(
            self.pairs,
            facts=fewer,
            vectors=self.pairs.vectors[rows],
            seen=self.pairs.seen.take(rows),
            yardsticks=None if self.pairs.yardsticks is None else self.pairs.yardsticks[rows],
        )
        return SiteEvidence(self.generation, tuple(self.parts[row] for row in rows.tolist()), self.keys[rows], pairs)


def read_evidence(session: Session, generation: Generation) -> SiteEvidence:
    """All tracklets that have a usable vector of a generation's model, cut where they change their person.

    Args:
        session: A transaction.
        generation: The generation; without a calibration nobody is likely to be anybody, and nothing is cut.

    Raises:
        StorageError: If a stored document is none of ours.
    """
    vectors: dict[int, FloatArray] = {}
    for batch in TrackletRepository(session).iter_vectors(generation.model_id):
        usable = are_unit(batch.vectors)
        vectors.update(zip(batch.tracklet_nos[usable].tolist(), batch.vectors[usable], strict=True))
    transit, calibration = _transit(session, generation), _calibration(session, generation)
    return _evidence(session, generation, vectors, calibration, transit)


def read_more(session: Session, site: SiteEvidence, numbers: Collection[int]) -> SiteEvidence:
    """The same and some more tracklets, of which those without a usable vector are left out.

    Those that are there keep the yardsticks by which they were measured.
    """
    fresh = sorted(set(numbers) - set(site.numbers.tolist()))
    found = TrackletRepository(session).embeddings(fresh, site.generation.model_id)
    usable = {number: one.vector for number, one in found.items() if are_unit(one.vector[None]).all()}
    if not usable:
        return site
    old = site.pairs
    more = _evidence(session, site.generation, usable, old.calibration, old.transit)
    if not len(site.keys):
        return more
    if more.pairs.facts.sightings.camera_ids != old.facts.sightings.camera_ids:
        return read_evidence(session, site.generation)
    pairs = replace(
        old,
        facts=_joined(old.facts, more.pairs.facts),
        vectors=np.concatenate([old.vectors, more.pairs.vectors]),
        seen=_both(old.seen, more.pairs.seen),
    ).measured(since=len(site.keys))
    keys = np.concatenate([site.keys, more.keys])
    return SiteEvidence(site.generation, site.parts + more.parts, keys, pairs).take(np.argsort(keys, kind="stable"))


def read_facts(session: Session, generation: Generation, parts: Sequence[Part]) -> HardFacts:
    """Where and when parts of tracklets were, whether they have vectors or not; row by row.

    Raises:
        StorageError: If a stored document is none of ours.
    """
    return _facts(session, parts, _transit(session, generation))[0]


def _evidence(
    session: Session,
    generation: Generation,
    vectors: Mapping[int, FloatArray],
    calibration: Calibration | None,
    transit: TransitModel | None,
) -> SiteEvidence:
    seen = cut_tracklets(session, vectors, model_id=generation.model_id, calibration=calibration)
    parts = tuple(one.part for one in seen)
    facts, sightings = _facts(session, parts, transit)
    if transit is not None and _knows_places(transit):
        bodies, feet = _bodies_and_feet(session, seen)
        sightings = replace(sightings, entries=feet[:, 0], exits=feet[:, 1], bodies=bodies)
        facts = replace(facts, sightings=transit.corrected(sightings))
    looks = np.stack([one.looks for one in seen]) if seen else np.zeros((0, 1), np.float32)
    keys = np.array([part.key for part in parts], np.int64)
    pairs = PairEvidence(facts, looks, sightings, calibration, transit).measured()
    return SiteEvidence(generation, parts, keys, pairs)


def _knows_places(transit: TransitModel) -> bool:
    return transit.physique is not None or any(len(zones) > 1 for zones in transit.zones.values())


def _bodies_and_feet(session: Session, seen: Sequence[SeenPart]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Marks of bodies, and foot points at first and at last sight. Shapes ``(N, 7)`` and ``(N, 2, 2)``."""
    bodies, feet = read_bodies_and_feet(session, [one.part.tracklet_no for one in seen])
    for row, one in enumerate(seen):
        if one.feet is not None and one.body is not None:  # a part: the rest of the path is another person's
            feet[row], bodies[row] = one.feet, one.body
    return bodies, feet


def _facts(session: Session, parts: Sequence[Part], transit: TransitModel | None) -> tuple[HardFacts, Sightings]:
    """Hard facts by corrected clocks, and the sightings by the cameras' own ones."""
    cameras = CameraRepository(session)
    camera_ids = tuple(camera.camera_id for camera in cameras.list())
    rows = _read_rows(session, [part.tracklet_no for part in parts])
    known = np.array([clock != ClockQuality.UNKNOWN.value for _, _, clock in rows], np.bool_)
    starts_s = np.array([part.start_s for part in parts], np.float64)
    ends_s = np.array([part.end_s for part in parts], np.float64)
    seen = Sightings(
        camera_ids,
        np.array([camera_ids.index(camera_id) for _, camera_id, _ in rows], np.int64),
        np.where(known, starts_s, np.nan),
        np.where(known, ends_s, np.nan),
    )
    facts = HardFacts(
        seen if transit is None else transit.corrected(seen),
        np.array([_source_no(source_id) for source_id, _, _ in rows], np.int64),
        starts_s,
        ends_s,
        np.full(len(camera_ids), np.inf) if transit is None else transit.offsets.uncertainty_s(camera_ids),
        least_gaps_s(camera_ids, cameras.links()),
    )
    return facts, seen


def _joined(one: HardFacts, other: HardFacts) -> HardFacts:
    return replace(
        one,
        sightings=_both(one.sightings, other.sightings),
        sources=np.concatenate([one.sources, other.sources]),
        starts_s=np.concatenate([one.starts_s, other.starts_s]),
        ends_s=np.concatenate([one.ends_s, other.ends_s]),
    )


def _both(one: Sightings, other: Sightings) -> Sightings:
    points = [
        None if a is None or b is None else np.concatenate([a, b])
        for a, b in ((one.entries, other.entries), (one.exits, other.exits), (one.bodies, other.bodies))
    ]
    times = (np.concatenate([one.starts_s, other.starts_s]), np.concatenate([one.ends_s, other.ends_s]))
    return Sightings(one.camera_ids, np.concatenate([one.cameras, other.cameras]), *times, *points)


def _source_no(source_id: UUID) -> int:
    return source_id.int & _SOURCE_BITS  # does not depend on which others are there


def _read_rows(session: Session, numbers: Sequence[int]) -> list[tuple[UUID, str, str]]:
    """Source, camera and clock of tracklets, in their order."""
    found: dict[int, tuple[UUID, str, str]] = {}
    row, wanted = TrackletRow, sorted(set(numbers))
    for first in range(0, len(wanted), _IN_ONE_QUESTION):
        some = wanted[first : first + _IN_ONE_QUESTION]
        statement = select(row.tracklet_no, row.source_id, row.camera_id, row.clock_quality)
        for number, source_id, camera_id, clock in session.execute(statement.where(row.tracklet_no.in_(some))):
            found[number] = (source_id, camera_id, clock)
    return [found[number] for number in numbers]


def _transit(session: Session, generation: Generation) -> TransitModel | None:
    if generation.transit_id is None:
        return None
    try:
        return TransitModel.from_json(TransitModelRepository(session).by_id(generation.transit_id))
    except ValueError as error:
        raise StorageError(f"transit model {generation.transit_id}: {error}") from error


def _calibration(session: Session, generation: Generation) -> Calibration | None:
    if generation.calibration_id is None:
        return None
    try:
        return Calibration.from_json(CalibrationRepository(session).by_id(generation.calibration_id))
    except ValueError as error:
        raise StorageError(f"calibration {generation.calibration_id}: {error}") from error
