"""Identifiers that the services make themselves."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable

    from reid_core.ports import Clock

_MAX_MILLISECONDS = (1 << 48) - 1


def new_uuid7(*, clock: Clock = time.time, entropy: Callable[[int], bytes] = os.urandom) -> UUID:
    """A UUID that sorts by the millisecond in which it was made (Python 3.11 has none of its own).

    Args:
        clock: UTC epoch seconds.
        entropy: Gives that many random bytes.

    Raises:
        ValueError: If the clock stands before 1970 or beyond 48 bits of milliseconds.

    Example:
        >>> str(new_uuid7(clock=lambda: 1645557742.0, entropy=lambda n: bytes(n)))
        '017f22e2-79b0-7000-8000-000000000000'

    Source:
        RFC 9562, section 5.7.
    """
    milliseconds = round(clock() * 1000)
    if not 0 <= milliseconds <= _MAX_MILLISECONDS:
        raise ValueError(f"the clock must lie within 48 bits of milliseconds since 1970, got {milliseconds} ms")
    random_bits = int.from_bytes(entropy(10), "big")
    high = milliseconds << 16 | 0x7 << 12 | random_bits >> 68
    low = 0b10 << 62 | random_bits & ((1 << 62) - 1)
    return UUID(int=high << 64 | low)
