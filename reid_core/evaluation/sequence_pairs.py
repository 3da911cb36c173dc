"""Which result file belongs to which ground truth: by order for files, by sequence name for folders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reid_core.errors import MotFileError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["SequencePair", "pair_sequences"]


@dataclass(frozen=True, slots=True)
class SequencePair:
    """One sequence to be scored."""

    name: str
    ground_truth: Path
    result: Path


def pair_sequences(ground_truths: Sequence[Path], results: Sequence[Path]) -> list[SequencePair]:
    """Pair each ground truth with its result.

    Files pair in the order given. A folder of ground truth (``NAME.txt`` or ``NAME/gt/gt.txt``) pairs with a
    folder of results (``NAME.txt``); every sequence of the ground truth needs a result, and results of other
    sequences are left alone.

    Args:
        ground_truths: Files or folders.
        results: As many, of the same kinds.

    Returns:
        The pairs, folders' sequences by name.

    Raises:
        MotFileError: If the two sides do not fit; names what is missing.
    """
    if len(ground_truths) != len(results):
        raise MotFileError(f"{len(ground_truths)} ground truths but {len(results)} results")
    pairs: list[SequencePair] = []
    for truth, result in zip(ground_truths, results, strict=True):
        if truth.is_dir() != result.is_dir():
            raise MotFileError(f"{truth} and {result}: one is a folder and the other is not")
        pairs.extend(_pairs_of_folders(truth, result) if truth.is_dir() else [_pair_of_files(truth, result)])
    return pairs


def _pair_of_files(truth: Path, result: Path) -> SequencePair:
    standard = truth.name == "gt.txt" and truth.parent.name == "gt"
    return SequencePair(truth.resolve().parent.parent.name if standard else result.stem, truth, result)


def _pairs_of_folders(truths: Path, results: Path) -> list[SequencePair]:
    files = {path.stem: path for path in truths.glob("*.txt")}
    files |= {path.parent.parent.name: path for path in truths.glob("*/gt/gt.txt")}
    if not files:
        raise MotFileError(f"{truths}: neither NAME.txt nor NAME/gt/gt.txt was found")
    missing = [name for name in sorted(files) if not (results / f"{name}.txt").is_file()]
    if missing:
        raise MotFileError(f"{results / (missing[0] + '.txt')} is missing ({len(missing)} of {len(files)} sequences)")
    return [SequencePair(name, files[name], results / f"{name}.txt") for name in sorted(files)]
