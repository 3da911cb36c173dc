"""Where the order of merit is the paper's and where it is not, computed from the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reid_core.evaluation.ablation.rows import FULL, Group, Published, cross_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reid_core.evaluation.ablation.results import Ablation

__all__ = ["EVEN", "Verdict", "order_agreement", "tell_differences", "verdicts"]

EVEN = 0.01


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one change to the method does to mean average precision, in the paper and here.

    Attributes:
        change: What is added, and to what.
        published: Difference in the paper, in ``[-1, 1]``.
        found: Difference here.
    """

    change: str
    published: float
    found: float

    @property
    def agrees(self) -> bool:
        """Whether both help, both hurt, or both do neither: less than a point counts as neither."""
        return _direction(self.published) == _direction(self.found)

    def told(self) -> str:
        """As a sentence.

        Example:
            >>> Verdict("k-means alone", -0.116, 0.02).told()
            'k-means alone hurts in the paper (-11.6 points of mAP) and helps here (+2.0).'
        """
        words = {-1: "hurts", 0: "changes little", 1: "helps"}
        theirs, ours = words[_direction(self.published)], words[_direction(self.found)]
        figures = f"({100 * self.published:+.1f} points of mAP)", f"({100 * self.found:+.1f})"
        if theirs == ours:
            return f"{self.change} {theirs} in the paper {figures[0]} and here {figures[1]}."
        return f"{self.change} {theirs} in the paper {figures[0]} and {ours} here {figures[1]}."


def verdicts(ablation: Ablation) -> list[Verdict]:
    """One for each single change between two rows that both have figures."""
    published = {row.key: row.published for row in ablation.rows}
    found = []
    for change, before, after in _changes():
        if before in ablation.results and after in ablation.results:
            theirs = _published(published, after) - _published(published, before)
            found.append(Verdict(change, theirs, ablation.results[after].map - ablation.results[before].map))
    return found


def order_agreement(ablation: Ablation) -> float | None:
    """Kendall's tau between the paper's order of Table IV's third group and ours, by mAP, in ``[-1, 1]``.

    Returns:
        ``None`` with fewer than two rows. Rows that are equal in either count for nothing.
    """
    rows = [
        (row.published.map, result.map)
        for row, result in ablation.finished()
        if row.group is Group.CROSS and row.published is not None
    ]
    if len(rows) < 2:
        return None
    pairs = [(a, b) for at, a in enumerate(rows) for b in rows[at + 1 :]]
    signs = [_sign(a[0] - b[0]) * _sign(a[1] - b[1]) for a, b in pairs]
    return sum(signs) / len(pairs)


def tell_differences(ablation: Ablation) -> list[str]:
    """Sentences: how far the order agrees, what differs, and what k-means alone does."""
    found = verdicts(ablation)
    if not found:
        return ["Too few rows have figures to compare their order with the paper's."]
    differing = [one for one in found if not one.agrees]
    sentences = [f"{len(found) - len(differing)} of {len(found)} single changes go the paper's way."]
    sentences += [one.told() for one in differing]
    sentences += [one.told() for one in found if one.agrees and one.change in _ALWAYS_TOLD]
    return [*sentences, _told_best(ablation)]


def _told_best(ablation: Ablation) -> str:
    """Which row of Table IV's third group is best, once all are there."""
    rows = [row for row in ablation.rows if row.group is Group.CROSS]
    found = [(ablation.results[row.key].map, row.title) for row in rows if row.key in ablation.results]
    if len(found) < len(rows):
        return f"{len(found)} of the {len(rows)} rows across cameras have figures, so none is called the best."
    best, full = max(found)[1], next(row.title for row in rows if row.key == FULL)
    return f"Best without labels: {best}, {'as in the paper' if best == full else f'where the paper has {full}'}."


_KMEANS_ALONE = "k-means alone, on NN-CCTA with one association"
_ALWAYS_TOLD = (_KMEANS_ALONE,)


def _changes() -> Iterator[tuple[str, str, str]]:
    """What is added to what: a name, the row before, the row after."""
    yield "TSCCC within cameras", "s1-without-tsccc", "s1"
    yield "Association across cameras (NN-CCTA, once)", "s1", cross_key(**_switches())
    for name, switch in (
        ("STR", "has_time"),
        ("k-means", "has_kmeans"),
        ("Progressive optimisation", "is_progressive"),
    ):
        for others in _other_switches(switch):
            before = _switches(**others)
            yield _told_change(name, others), cross_key(**before), cross_key(**{**before, switch: True})
    yield "Per-camera identities within cameras", "s1", "weak-s1"
    yield "Per-camera identities with all steps", FULL, "weak"


def _switches(**on: bool) -> dict[str, bool]:
    return {"has_time": False, "has_kmeans": False, "is_progressive": False, **on}


def _other_switches(switch: str) -> Iterator[dict[str, bool]]:
    one, other = (name for name in _switches() if name != switch)
    for first in (False, True):
        for second in (False, True):
            yield {one: first, other: second}


def _told_change(name: str, others: dict[str, bool]) -> str:
    if name == "k-means" and not any(others.values()):
        return _KMEANS_ALONE
    with_time = {True: "with STR", False: "without STR"}
    with_kmeans = {True: "with k-means", False: "without k-means"}
    in_turns = {True: "progressively", False: "with one association"}
    words = {"has_time": with_time, "has_kmeans": with_kmeans, "is_progressive": in_turns}
    return f"{name}, " + ", ".join(words[switch][is_on] for switch, is_on in others.items())


def _published(published: dict[str, Published | None], key: str) -> float:
    figures = published[key]
    if figures is None:
        raise ValueError(f"the paper has no figures for row {key!r}")
    return figures.map


def _direction(difference: float) -> int:
    return 0 if abs(difference) < EVEN else _sign(difference)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
