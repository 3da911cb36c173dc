"""What people said of tracklets, by feedback on pairs and by merging and splitting journeys: the latest word counts."""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING

from sqlalchemy import select

from services.storage.feedback import FeedbackRepository
from services.storage.feedback_records import Verdict
from services.storage.journeys import JourneyRepository
from services.storage.journeys_records import ChangeKind
from services.storage.tables import TrackletRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from uuid import UUID

    from sqlalchemy.orm import Session

    from services.storage.feedback_records import Feedback
    from services.storage.journeys_records import JourneyEvent

__all__ = ["Said", "ids_of", "read_said"]

Pair = tuple[int, int]
Said = tuple[list[Pair], list[Pair]]

_IN_ONE_QUESTION = 500
_A_PAGE = 1000


def read_said(session: Session) -> Said:
    """Pairs of tracklet numbers that are one person, and pairs that are two, as people have it now.

    Whoever merges journeys says that all their tracklets are one person; whoever splits one says so of no tracklet of
    the one side and of the other. Undoing what came by itself says the opposite of it, undoing what somebody did says
    nothing.
    """
    feedback = list(_standing(session))
    numbers = _numbers_of(session, {one for said in feedback for one in (said.tracklet_a, said.tracklet_b)})
    words = [
        (
            said.created_at_s,
            str(said.feedback_id),
            [_pair(numbers[said.tracklet_a], numbers[said.tracklet_b])],
            said.verdict,
        )
        for said in feedback
    ]
    words += [_word(act) for act in JourneyRepository(session).acts() if _stands(act)]
    latest: dict[Pair, Verdict] = {}
    for _, _, pairs, verdict in sorted(words, key=lambda word: word[:2]):
        latest.update(dict.fromkeys(pairs, verdict))
    same = sorted(pair for pair, verdict in latest.items() if verdict is Verdict.SAME)
    return same, sorted(pair for pair, verdict in latest.items() if verdict is Verdict.DIFFERENT)


def ids_of(session: Session, numbers: Collection[int]) -> dict[int, UUID]:
    """The ids of stored tracklets by number."""
    found: dict[int, UUID] = {}
    wanted = sorted(numbers)
    for first in range(0, len(wanted), _IN_ONE_QUESTION):
        some = wanted[first : first + _IN_ONE_QUESTION]
        statement = select(TrackletRow.tracklet_no, TrackletRow.tracklet_id).where(TrackletRow.tracklet_no.in_(some))
        found.update((number, tracklet_id) for number, tracklet_id in session.execute(statement))
    return found


def _stands(act: JourneyEvent) -> bool:
    """Whether it says anything: done and not undone by people, or come by itself and undone by them."""
    return (act.author is None) != (act.undone_by is None)


def _word(act: JourneyEvent) -> tuple[float, str, list[Pair], Verdict]:
    says_same = (act.kind is ChangeKind.MERGE) == (act.author is not None)
    pairs: Iterable[Pair] = combinations((*act.kept, *act.moved), 2) if says_same else product(act.kept, act.moved)
    at_s = act.created_at_s if act.undone_at_s is None else act.undone_at_s
    verdict = Verdict.SAME if says_same else Verdict.DIFFERENT
    return at_s, str(act.event_id), [_pair(*pair) for pair in pairs], verdict


def _pair(one: int, other: int) -> Pair:
    return (min(one, other), max(one, other))


def _standing(session: Session) -> Iterable[Feedback]:
    stored, cursor = FeedbackRepository(session), None
    while True:
        page = stored.list(limit=_A_PAGE, cursor=cursor)
        yield from (said for said in page.items if said.counts)
        cursor = page.next_cursor
        if cursor is None:
            return


def _numbers_of(session: Session, ids: Collection[UUID]) -> dict[UUID, int]:
    found: dict[UUID, int] = {}
    wanted = sorted(ids)
    for first in range(0, len(wanted), _IN_ONE_QUESTION):
        some = wanted[first : first + _IN_ONE_QUESTION]
        statement = select(TrackletRow.tracklet_id, TrackletRow.tracklet_no).where(TrackletRow.tracklet_id.in_(some))
        found.update((tracklet_id, number) for tracklet_id, number in session.execute(statement))
    return found
