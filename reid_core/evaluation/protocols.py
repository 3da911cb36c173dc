"""How each benchmark is scored: who asks, who answers, what is junk, and how often it is drawn.

A dataset has one or more settings, the customary one first. A setting turns the dataset's splits into trials; figures
are means over trials, with their spread. Rules that hold for all:

- the query's own person at its own camera is junk, and so is everything published as junk;
- distractors stay in the gallery; a query without a true match is skipped and counted;
- where clothes change, the query's own person in the query's clothes is junk too.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import DatasetError
from reid_core.evaluation.datasets.dataset import JUNK, NOBODY
from reid_core.metrics.ranking import Clothes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from reid_core.evaluation.datasets.dataset import ReidDataset, Split

__all__ = ["PROTOCOLS", "Setting", "Trial", "protocol_of", "queries_of", "scored_records", "trials_of"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One way in which a benchmark is scored.

    Attributes:
        name: As in reports.
        clothes: Which outfits of the query's own person are junk.
        probe_cameras: Only what these cameras saw asks; empty = all queries.
        draws: 0 = the whole gallery; else how often a gallery of one random picture a person is drawn (single shot).
    """

    name: str
    clothes: Clothes = Clothes.ANY
    probe_cameras: frozenset[str] = frozenset()
    draws: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One scoring of queries against a gallery, as positions among the dataset's records.

    Attributes:
        query: Shape ``(Q,)``, int64.
        gallery: Without what is published as junk. Shape ``(G,)``, int64.
        junk: How many gallery entries were published as junk.
    """

    query: NDArray[np.int64]
    gallery: NDArray[np.int64]
    junk: int


STANDARD = (Setting("standard"),)
SINGLE_SHOT = (Setting("single_shot", draws=10),)
CLOTHES_LABELLED = (Setting("cloth_changing", clothes=Clothes.CHANGED), Setting("standard"))
OTHER_CLOTHES, SAME_CLOTHES = frozenset({"C"}), frozenset({"B"})
CONTOUR_SKETCH = (
    Setting("cloth_changing", clothes=Clothes.CHANGED, probe_cameras=OTHER_CLOTHES, draws=10),
    Setting("same_clothes", probe_cameras=SAME_CLOTHES, draws=10),
    Setting("cloth_changing_multi_shot", clothes=Clothes.CHANGED, probe_cameras=OTHER_CLOTHES),
    Setting("same_clothes_multi_shot", probe_cameras=SAME_CLOTHES),
)

PROTOCOLS: Mapping[str, tuple[Setting, ...]] = MappingProxyType(
    {
        "cuhk03-classic-detected": SINGLE_SHOT,
        "cuhk03-classic-labeled": SINGLE_SHOT,
        "ltcc": CLOTHES_LABELLED,
        "prcc": CONTOUR_SKETCH,
    }
)


def protocol_of(name: str) -> tuple[Setting, ...]:
    """The settings of a dataset, the customary one first; one standard setting unless ``PROTOCOLS`` says otherwise."""
    return PROTOCOLS.get(name, STANDARD)


def trials_of(dataset: ReidDataset, setting: Setting, *, seed: int = 0, validation: bool = False) -> tuple[Trial, ...]:
    """All trials of one setting.

    Args:
        dataset: What to score.
        setting: How.
        seed: For the draws; equal seeds give equal galleries.
        validation: Take the published validation people instead of the test people.

    Raises:
        DatasetError: If there are no validation people, a query shows nobody, or nobody is left to ask or answer.
    """
    people = _people(dataset)
    trials: list[Trial] = []
    for number, split in enumerate(_splits(dataset, validation=validation)):
        query = _asking(dataset, split, setting, people)
        gallery = split.gallery[people[split.gallery] != JUNK]
        if not len(query) or not len(gallery):
            raise DatasetError(f"{dataset.name}, {setting.name}: {len(query)} queries, {len(gallery)} gallery entries")
        junk = len(split.gallery) - len(gallery)
        trials.extend(Trial(query, drawn, junk) for drawn in _galleries(gallery, people, setting, (seed, number)))
    return tuple(trials)


def queries_of(dataset: ReidDataset, *, validation: bool = False) -> int:
    """How many queries all trials of all settings have together.

    Raises:
        DatasetError: As `trials_of`.
    """
    settings = protocol_of(dataset.name)
    return sum(len(trial.query) for s in settings for trial in trials_of(dataset, s, validation=validation))


def scored_records(dataset: ReidDataset, *, validation: bool = False) -> NDArray[np.int64]:
    """Positions of the records that any trial may ask or answer with, rising: those whose features are needed.

    Raises:
        DatasetError: If there are no validation people.
    """
    splits = _splits(dataset, validation=validation)
    parts = [part for split in splits for part in (split.query, split.gallery)]
    used: NDArray[np.int64] = np.unique(np.concatenate(parts))
    return np.asarray(used[_people(dataset)[used] != JUNK])


def _splits(dataset: ReidDataset, *, validation: bool) -> tuple[Split, ...]:
    if not validation:
        return dataset.splits
    if dataset.validation is None:
        raise DatasetError(f"{dataset.name} publishes no validation queries and gallery")
    return (dataset.validation,)


def _people(dataset: ReidDataset) -> NDArray[np.int64]:
    return np.array([record.person_id for record in dataset.records], np.int64)


def _asking(dataset: ReidDataset, split: Split, setting: Setting, people: NDArray[np.int64]) -> NDArray[np.int64]:
    nobody = np.flatnonzero(people[split.query] <= NOBODY)
    if len(nobody):
        raise DatasetError(f"{dataset.name}: the query {dataset.records[split.query[nobody[0]]].path} shows nobody")
    if not setting.probe_cameras:
        return split.query
    return split.query[[dataset.records[at].camera_id in setting.probe_cameras for at in split.query]]


def _galleries(
    gallery: NDArray[np.int64], people: NDArray[np.int64], setting: Setting, seed: tuple[int, int]
) -> Iterator[NDArray[np.int64]]:
    """The whole gallery once, or as often as wanted one random entry a person, and all distractors."""
    if not setting.draws:
        yield gallery
        return
    shown = people[gallery]
    candidates = [gallery[shown == person] for person in np.unique(shown[shown != NOBODY])]
    rng = np.random.default_rng(seed)
    for _ in range(setting.draws):
        drawn = [int(rng.choice(entries)) for entries in candidates]
        yield np.sort(np.concatenate([np.array(drawn, np.int64), gallery[shown == NOBODY]]))
