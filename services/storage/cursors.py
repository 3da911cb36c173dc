"""Places in a list as text that can stand in a URL: a time, and what tells rows of the same time apart."""

from __future__ import annotations

import base64
import struct
from typing import Any

from reid_core.errors import InputError

__all__ = ["decode_place", "encode_place"]


def encode_place(form: struct.Struct, at_s: float, key: Any) -> str:
    """A place as URL-safe text.

    Args:
        form: How a time in seconds and a key are packed.
        at_s: The time.
        key: What tells rows of that time apart.
    """
    return base64.urlsafe_b64encode(form.pack(at_s, key)).decode("ascii")


def decode_place(form: struct.Struct, cursor: str) -> tuple[float, Any]:
    """Inverse of `encode_place`.

    Raises:
        InputError: If the text is no place of this form.
    """
    refused = InputError(f"{cursor[:80]!r} is not a cursor that a page gave out")
    try:
        at_s, key = form.unpack(base64.b64decode(cursor, altchars="-_", validate=True))
    except (ValueError, struct.error) as error:
        raise refused from error
    if at_s != at_s:  # noqa: PLR0124 - NaN
        raise refused
    return at_s, key
