"""Where a page of a list by creation ends, as text that can stand in a URL."""

from __future__ import annotations

import struct
from uuid import UUID

from services.storage.cursors import decode_place, encode_place

__all__ = ["decode_created_cursor", "encode_created_cursor"]

_CURSOR = struct.Struct(">d16s")  # created_at_s, id


def encode_created_cursor(created_at_s: float, row_id: UUID) -> str:
    """The place after a row in a list by creation, then id."""
    return encode_place(_CURSOR, created_at_s, row_id.bytes)


def decode_created_cursor(cursor: str) -> tuple[float, UUID]:
    """Creation and id of the row after which the page begins.

    Raises:
        InputError: If the text is no cursor.
    """
    created_at_s, raw = decode_place(_CURSOR, cursor)
    return created_at_s, UUID(bytes=raw)
