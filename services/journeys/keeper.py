"""Journeys kept up with the database: built as a whole under each generation, then followed event by event.

Memory holds the evidence, the database holds the journeys. Whatever is written is written in one transaction, after a
look whether anything came between that the journeys did not know of; so a process that dies, or a second one at the
same work, leaves the journeys as they were or as they are to be.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import structlog

from reid_core.association.journeys import Journeys
from reid_core.association.journeys_facts import JourneyRule
from reid_core.errors import NoGenerationError
from services.journeys.evidence import read_evidence, read_more
from services.journeys.verdicts import ids_of, read_said
from services.journeys.writing import write_journeys
from services.storage.generations import GenerationRepository
from services.storage.journeys import JourneyRepository
from services.storage.journeys_records import MOST_PARTS, JourneyState
from services.storage.journeys_writing import JOURNEYS_CHANGED, JourneyWriter
from services.storage.outbox import (
    FEEDBACK_GIVEN,
    FEEDBACK_WITHDRAWN,
    GENERATION_PROMOTED,
    TRACKLET_ADDED,
    TRACKLET_REMOVED,
    VECTORS_ADDED,
    Outbox,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.orm import Session

    from reid_core.association.journeys_evidence import PairBlock
    from reid_core.ports import Clock
    from services.journeys.evidence import SiteEvidence
    from services.storage.outbox import OutboxEvent
    from services.storage.session import Database

__all__ = ["RULE", "JourneyKeeper", "Kept"]

RULE = JourneyRule(floor=-4.0, least=-2.0)
_LONGEST_GAP_S = 12 * 3600.0
_EVENTS_AT_ONCE = 1000
_ATTEMPTS = 5
_SAID = {FEEDBACK_GIVEN, FEEDBACK_WITHDRAWN, JOURNEYS_CHANGED}


@dataclass(frozen=True, slots=True)
class Kept:
    """What a look at the database came to.

    Attributes:
        tracklets: How many are in journeys.
        cut: How many of them show several people, and are in them part by part.
        journeys: How many there are.
        changed: How many of them are not as they were.
        conflicts: Chains of verdicts that are not held.
    """

    tracklets: int
    cut: int
    journeys: int
    changed: int
    conflicts: int


class JourneyKeeper:
    """Keeps the journeys of one installation; one caller at a time.

    Args:
        database: Of the installation.
        rule: When two groups of tracklets are one person.
        clock: UTC epoch seconds.
    """

    def __init__(self, database: Database, *, rule: JourneyRule = RULE, clock: Clock = time.time) -> None:
        self._database = database
        self._rule = rule
        self._clock = clock
        self._site: SiteEvidence | None = None
        self._journeys = Journeys(rule)
        self._seq = 0
        self._built_at_s = 0.0
        self._log = structlog.get_logger()

    def rebuild(self) -> Kept:
        """Build all journeys anew under the current generation; journeys keep their names where they can.

        Raises:
            NoGenerationError: If nothing was ingested yet.
            StorageError: If the database cannot be used.
        """
        for _ in range(_ATTEMPTS):
            self._load()
            kept = self._write()
            if kept is not None:
                return kept
        with self._database.write() as session:  # so many changes: nobody may make another one meanwhile
            Outbox(session).take_turn()
            self._load_from(session)
            return self._written(session)

    def catch_up(self) -> Kept | None:
        """Take over what was committed since the last call; ``None`` where there was nothing to do."""
        try:
            with self._database.read() as session:
                generation = GenerationRepository(session).current()
                if self._site is None or self._site.generation.generation_id != generation.generation_id:
                    events = None
                else:
                    events = Outbox(session).after(self._seq, limit=_EVENTS_AT_ONCE)
                    self._take(session, events)
        except NoGenerationError:
            return None
        if events is None:
            return self.rebuild()
        return self._write() if events else None

    def forget(self) -> None:
        """Drop what is in memory, so that the next call builds anew, as after a failure in the middle of a batch."""
        self._site, self._journeys = None, Journeys(self._rule)

    def _load(self) -> None:
        with self._database.read() as session:
            self._load_from(session)

    def _load_from(self, session: Session) -> None:
        seq = Outbox(session).last_seq()
        site = read_evidence(session, GenerationRepository(session).current())
        journeys = Journeys(self._rule)
        journeys.tell(*read_said(session, site.parts))
        journeys.fill(
            fact for block in site.pairs.blocks(longest_gap_s=_LONGEST_GAP_S) for fact in self._facts(site, block)
        )
        self._site, self._journeys, self._seq, self._built_at_s = site, journeys, seq, self._clock()
        self._log.info("journeys.built", parts=len(journeys), generation_id=str(site.generation.generation_id))

    def _take(self, session: Session, events: Sequence[OutboxEvent]) -> None:
        if self._site is None or not events:
            return
        gone = {event.payload["tracklet_no"] for event in events if event.kind == TRACKLET_REMOVED}
        self._remove(gone)
        self._add(session, _added(events, self._site.generation.model_id) - gone)
        if self._journeys.facts.spoken_of or any(_is_said(event) for event in events):
            self._journeys.tell(*read_said(session, self._site.parts))
        self._journeys.settle()
        self._seq = events[-1].seq

    def _remove(self, numbers: set[int]) -> None:
        if self._site is None:
            return
        gone = np.isin(self._site.numbers, sorted(numbers))
        for key in self._site.keys[gone].tolist():
            self._journeys.remove(key)
        self._site = self._site.take(np.flatnonzero(~gone))

    def _add(self, session: Session, numbers: set[int]) -> None:
        if self._site is None or not numbers:
            return
        self._site = site = read_more(session, self._site, numbers)
        there = np.array([key in self._journeys for key in site.keys.tolist()], np.bool_)
        fresh = np.flatnonzero(~there)
        for row in fresh.tolist():
            one = np.array([row])
            near = np.flatnonzero(site.pairs.facts.within(one, _LONGEST_GAP_S) & there)
            for key, odds, never in self._facts(site, site.pairs.block(one, near), all_others=True):
                self._journeys.add(key, odds, never)
            there[row] = True

    def _write(self) -> Kept | None:
        """Store the journeys; ``None`` where something came between that they do not know of."""
        with self._database.write() as session:
            Outbox(session).take_turn()
            if self._is_outrun(session):
                return None
            return self._written(session)

    def _is_outrun(self, session: Session) -> bool:
        site = self._site
        if site is None or GenerationRepository(session).current().generation_id != site.generation.generation_id:
            return True
        moving = {*_SAID, TRACKLET_REMOVED, GENERATION_PROMOTED}
        return any(
            event.kind in moving and (event.kind not in _SAID or _is_said(event))
            for event in _all_after(session, self._seq)
        )

    def _written(self, session: Session) -> Kept:
        site, journeys = self._site, self._journeys
        if site is None:
            raise NoGenerationError
        writer = JourneyWriter(session, site.generation.generation_id, clock=self._clock)
        changed = write_journeys(session, writer, site, journeys)
        chains = [tuple(key // MOST_PARTS for key in chain) for chain in journeys.conflicts]
        names = ids_of(session, {number for chain in chains for number in chain})
        conflicts = tuple(tuple(names[number] for number in chain) for chain in chains if names.keys() >= set(chain))
        writer.put_state(JourneyState(site.generation.generation_id, self._seq, self._built_at_s, conflicts))
        counts = np.unique(site.numbers, return_counts=True)[1]
        tracklets, cut = len(counts), int((counts > 1).sum())
        return Kept(tracklets, cut, JourneyRepository(session).count(), changed, len(conflicts))

    def _facts(
        self, site: SiteEvidence, block: PairBlock, *, all_others: bool = False
    ) -> Iterator[tuple[int, dict[int, float], list[int]]]:
        """What a block says of each of its tracklets and those before it (or all others)."""
        others = site.keys[block.others]
        for place, row in enumerate(block.rows.tolist()):
            earlier = np.ones(len(others), np.bool_) if all_others else block.others < row
            likely = earlier & (block.log_odds[place] > self._rule.floor)
            odds = dict(zip(others[likely].tolist(), block.log_odds[place][likely].tolist(), strict=True))
            yield int(site.keys[row]), odds, others[earlier & block.impossible[place]].tolist()


def _is_said(event: OutboxEvent) -> bool:
    """Whether it tells of something that people said, not of what journeys made of it."""
    return event.kind in _SAID and event.payload.get("author", "") is not None


def _added(events: Sequence[OutboxEvent], model_id: str) -> set[int]:
    found: set[int] = set()
    for event in events:
        if event.kind == TRACKLET_ADDED:
            found.add(event.payload["tracklet_no"])
        elif event.kind == VECTORS_ADDED and event.payload["model_id"] == model_id:
            found.update(event.payload["tracklet_nos"])
    return found


def _all_after(session: Session, seq: int) -> Iterator[OutboxEvent]:
    while True:
        events = Outbox(session).after(seq, limit=_EVENTS_AT_ONCE)
        yield from events
        if len(events) < _EVENTS_AT_ONCE:
            return
        seq = events[-1].seq
