"""One table of what the benchmarks found: every ratio of ours to a peer's, with its interval.

    python tests/benchmarks/summary.py [NAME ...]

Reads ``build/benchmarks/NAME.json`` as the single benchmarks wrote them; without names, all there are. Below 1 ours
needs less. Leaves with 1 where a named report is missing.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from pairing import REPORTS

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARTS = {"median", "low", "high"}


def ratios(found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, dict[str, float]]]:
    """Every ratio in a report with the way to it; a contender's ratio to itself is left out."""
    if not isinstance(found, dict):
        return
    if found.keys() >= _PARTS:
        if not found["low"] == found["high"] == 1:
            yield " / ".join(part for part in path if part != "ratio"), found
        return
    for key, value in found.items():
        yield from ratios(value, (*path, key))


def main() -> int:
    """Print the table; answers the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="benchmarks; default: all that have a report")
    names = parser.parse_args().names or sorted(path.stem for path in REPORTS.glob("*.json"))
    missing = [name for name in names if not (REPORTS / f"{name}.json").is_file()]
    for name in (name for name in names if name not in missing):
        print(name)
        for label, ratio in ratios(json.loads((REPORTS / f"{name}.json").read_text(encoding="utf-8"))):
            print(f"  {ratio['median']:6.2f}x  ({ratio['low']:.2f}-{ratio['high']:.2f})  {label}")
    for name in missing:
        print(f"{name}: no report; run make benchmark-{name}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
