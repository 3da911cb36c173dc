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
from services.storage.cameras import CameraRepository
from services.storage.documents import CalibrationRepository, TransitModelRepository
from services.storage.feet import read_bodies_and_feet
from services.storage.tables import TrackletRow
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from reid_core.types import FloatArray
    from services.storage.generations import Generation

__all__ = ["SiteEvidence", "read_evidence", "read_facts", "read_more"]

_IN_ONE_QUESTION = 500
_SOURCE_BITS = (1 << 62) - 1


@dataclass(frozen=True, slots=True, eq=False)
class SiteEvidence:
    """Tracklets that can be compared under a generation.

    Attributes:
        generation: Whose evidence it is.
        numbers: By rising number. Shape ``(N,)``, int64.
        pairs: Evidence between them, row by row.
    """

    generation: Generation
    numbers: NDArray[np.int64]
    pairs: PairEvidence

    def rows_of(self, numbers: Collection[int]) -> NDArray[np.int64]:
        """Rows of tracklets that are there, in rising order."""
        return np.flatnonzero(np.isin(self.numbers, np.fromiter(numbers, np.int64, len(numbers))))

    def take(self, rows: NDArray[np.int64]) -> SiteEvidence:
        """Some of the tracklets, by rising row."""
        facts = self.pairs.facts
        fewer = replace(
            facts,
            sightings=facts.sightings.take(rows),
            sources=facts.sources[rows],
            starts_s=facts.starts_s[rows],
            ends_s=facts.ends_s[rows],
        )
        pairs = replace(self.pairs, facts=fewer, vectors=self.pairs.vectors[rows], seen=self.pairs.seen.take(rows))
        return SiteEvidence(self.generation, self.numbers[rows], pairs)


def read_evidence(session: Session, generation: Generation) -> SiteEvidence:
    """All tracklets that have a usable vector of a generation's model.

    Args:
        session: A transaction.
        generation: The generation; without a calibration nobody is likely to be anybody.

    Raises:
        StorageError: If a stored document is none of ours.
    """
    batches = list(TrackletRepository(session).iter_vectors(generation.model_id))
    numbers = np.concatenate([batch.tracklet_nos for batch in batches] or [np.zeros(0, np.int64)])
    vectors = np.concatenate([batch.vectors for batch in batches] or [np.zeros((0, 1), np.float32)])
    usable = are_unit(vectors) if len(vectors) else np.zeros(0, np.bool_)
    return _evidence(session, generation, numbers[usable], vectors[usable])


def read_more(session: Session, site: SiteEvidence, numbers: Collection[int]) -> SiteEvidence:
    """The same tracklets and some more, of which those without a usable vector are left out."""
    fresh = sorted(set(numbers) - set(site.numbers.tolist()))
    found = TrackletRepository(session).embeddings(fresh, site.generation.model_id)
    usable = [number for number in fresh if number in found and are_unit(found[number].vector[None]).all()]
    if not usable:
        return site
    more = np.array(usable, np.int64)
    vectors = np.stack([found[number].vector for number in usable])
    if not len(site.numbers):
        return _evidence(session, site.generation, more, vectors)
    every, vectors = np.concatenate([site.numbers, more]), np.concatenate([site.pairs.vectors, vectors])
    facts, seen = _facts(session, more, site.pairs.transit)
    if facts.sightings.camera_ids != site.pairs.facts.sightings.camera_ids:
        order = np.argsort(every, kind="stable")
        return _evidence(session, site.generation, every[order], vectors[order])
    old = site.pairs
    pairs = replace(old, facts=_joined(old.facts, facts), vectors=vectors, seen=_both(old.seen, seen))
    return SiteEvidence(site.generation, every, pairs).take(np.argsort(every, kind="stable"))


def read_facts(session: Session, generation: Generation, numbers: Sequence[int]) -> HardFacts:
    """Where and when tracklets were, whether they have vectors or not; row by row.

    Raises:
        StorageError: If a stored document is none of ours.
    """
    return _facts(session, np.array(numbers, np.int64), _transit(session, generation))[0]


def _evidence(
    session: Session, generation: Generation, numbers: NDArray[np.int64], vectors: FloatArray
) -> SiteEvidence:
    transit, calibration = _transit(session, generation), _calibration(session, generation)
    facts, seen = _facts(session, numbers, transit)
    return SiteEvidence(generation, numbers, PairEvidence(facts, vectors, seen, calibration, transit))


def _facts(session: Session, numbers: NDArray[np.int64], transit: TransitModel | None) -> tuple[HardFacts, Sightings]:
    """Hard facts by corrected clocks, and the sightings by the cameras' own ones."""
    cameras = CameraRepository(session)
    camera_ids = tuple(camera.camera_id for camera in cameras.list())
    rows = _read_rows(session, numbers.tolist())
    known = np.array([row[4] != ClockQuality.UNKNOWN.value for row in rows], np.bool_)
    starts_s, ends_s = (np.array([row[place] for row in rows], np.float64) for place in (2, 3))
    feet = bodies = None
    if transit is not None and (transit.physique or any(len(zones) > 1 for zones in transit.zones.values())):
        bodies, feet = read_bodies_and_feet(session, numbers.tolist())
    seen = Sightings(
        camera_ids,
        np.array([camera_ids.index(row[1]) for row in rows], np.int64),
        np.where(known, starts_s, np.nan),
        np.where(known, ends_s, np.nan),
        None if feet is None else feet[:, 0],
        None if feet is None else feet[:, 1],
        bodies,
    )
    facts = HardFacts(
        seen if transit is None else transit.corrected(seen),
        np.array([_source_no(row[0]) for row in rows], np.int64),
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
    """A number of a source that does not depend on which others are there."""
    return source_id.int & _SOURCE_BITS


def _read_rows(session: Session, numbers: Sequence[int]) -> list[tuple[UUID, str, float, float, str]]:
    """Source, camera, start, end and clock of tracklets, in their order."""
    found: dict[int, tuple[UUID, str, float, float, str]] = {}
    row = TrackletRow
    columns = (row.tracklet_no, row.source_id, row.camera_id, row.start_s, row.end_s, row.clock_quality)
    for first in range(0, len(numbers), _IN_ONE_QUESTION):
        some = numbers[first : first + _IN_ONE_QUESTION]
        statement = select(*columns).where(row.tracklet_no.in_(some))
        for number, source_id, camera_id, start_s, end_s, clock in session.execute(statement):
            found[number] = (source_id, camera_id, start_s, end_s, clock)
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
