"""What people said of tracklets, by feedback on pairs and by merging and splitting journeys: the latest word counts."""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from sqlalchemy import select

from services.storage.feedback import FeedbackRepository
from services.storage.feedback_records import Verdict
from services.storage.journeys_history import JourneyHistory
from services.storage.journeys_records import MOST_PARTS, ChangeKind
from services.storage.tables import TrackletRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.orm import InstrumentedAttribute, Session

    from services.storage.feedback_records import Feedback
    from services.storage.journeys_records import JourneyEvent, Part

__all__ = ["Said", "ids_of", "read_said"]

Pair = tuple[int, int]
_Value = TypeVar("_Value", int, UUID)
Said = tuple[list[Pair], list[Pair]]

_IN_ONE_QUESTION = 500
_A_PAGE = 1000


def read_said(session: Session, parts: Iterable[Part] = ()) -> Said:
    """Pairs of parts of tracklets, by key, that are one person, and pairs that are two, as people have it now.

    Whoever merges journeys says that all their tracklets are one person; whoever splits one says so of no tracklet of
    the one side and of the other. Undoing what came by itself says the opposite of it, undoing what somebody did says
    nothing. What was said of a tracklet is true of its longest part, what was said of a part of the one that is now
    nearest to it in time.

    Args:
        session: A transaction.
        parts: As tracklets are cut now; one that is missing counts as whole.
    """
    present: dict[int, list[Part]] = {}
    for part in parts:
        present.setdefault(part.tracklet_no, []).append(part)
    feedback = list(_standing(session))
    numbers = _numbers_of(session, {one for said in feedback for one in (said.tracklet_a, said.tracklet_b)})
    words = []
    for said in feedback:
        one, other = (_longest(present, numbers[tracklet]) for tracklet in (said.tracklet_a, said.tracklet_b))
        words.append((said.created_at_s, str(said.feedback_id), [_pair(one, other)], said.verdict))
    words += [_word(act, present) for act in JourneyHistory(session).acts() if _stands(act)]
    latest: dict[Pair, Verdict] = {}
    for _, _, pairs, verdict in sorted(words, key=lambda word: word[:2]):
        latest.update((pair, verdict) for pair in pairs if pair[0] != pair[1])
    same = sorted(pair for pair, verdict in latest.items() if verdict is Verdict.SAME)
    return same, sorted(pair for pair, verdict in latest.items() if verdict is Verdict.DIFFERENT)


def _longest(present: Mapping[int, Sequence[Part]], number: int) -> int:
    parts = present.get(number)
    return number * MOST_PARTS if parts is None else max(parts, key=lambda one: one.end_s - one.start_s).key


def _nearest(present: Mapping[int, Sequence[Part]], part: Part) -> int:
    parts = present.get(part.tracklet_no)
    return part.key if parts is None else max(parts, key=part.overlap_s).key


def ids_of(session: Session, numbers: Collection[int]) -> dict[int, UUID]:
    """The ids of stored tracklets by number."""
    return dict(_rows(session, TrackletRow.tracklet_no, numbers))


def _stands(act: JourneyEvent) -> bool:
    """Whether it says anything: done and not undone by people, or come by itself and undone by them."""
    return (act.author is None) != (act.undone_by is None)


def _word(act: JourneyEvent, present: Mapping[int, Sequence[Part]]) -> tuple[float, str, list[Pair], Verdict]:
    says_same = (act.kind is ChangeKind.MERGE) == (act.author is not None)
    kept, moved = ([_nearest(present, part) for part in side] for side in (act.kept, act.moved))
    pairs: Iterable[Pair] = combinations((*kept, *moved), 2) if says_same else product(kept, moved)
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
    return {tracklet_id: number for number, tracklet_id in _rows(session, TrackletRow.tracklet_id, ids)}


def _rows(
    session: Session, column: InstrumentedAttribute[_Value], wanted: Collection[_Value]
) -> Iterator[tuple[int, UUID]]:
    """Number and id of every tracklet that has one of some values in a column."""
    values = sorted(wanted)
    for first in range(0, len(values), _IN_ONE_QUESTION):
        some = values[first : first + _IN_ONE_QUESTION]
        statement = select(TrackletRow.tracklet_no, TrackletRow.tracklet_id).where(column.in_(some))
        yield from ((number, tracklet_id) for number, tracklet_id in session.execute(statement))
