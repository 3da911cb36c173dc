"""Lists of tracklets: which ones, and where a page ends."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVarTuple

from sqlalchemy import and_, or_

from services.storage.cursors import decode_place, encode_place
from services.storage.tables import TrackletRow

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Select

    from services.storage.records import StoredTracklet

_CURSOR = struct.Struct(">dq")  # start_s, tracklet_no
_Columns = TypeVarTuple("_Columns")


@dataclass(frozen=True, slots=True)
class Where:
    """Which tracklets a list shows.

    Attributes:
        camera_id: Only of this camera.
        source_id: Only of this source.
        start_s: Only those that end at or after this time.
        end_s: Only those that start at or before this time.
        min_quality: Only those of at least this quality.
    """

    camera_id: str | None = None
    source_id: UUID | None = None
    start_s: float | None = None
    end_s: float | None = None
    min_quality: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some tracklets of a list; ``next_cursor`` leads to the page after, ``None`` on the last."""

    items: tuple[StoredTracklet, ...]
    next_cursor: str | None


def encode_cursor(start_s: float, tracklet_no: int) -> str:
    """The place after a tracklet in a list by start, then number, as URL-safe text."""
    return encode_place(_CURSOR, start_s, tracklet_no)


def decode_cursor(cursor: str) -> tuple[float, int]:
    """Start and number of the tracklet after which the page begins.

    Raises:
        InputError: If the text is no cursor.
    """
    return decode_place(_CURSOR, cursor)


def narrowed(
    statement: Select[*_Columns], where: Where, *, after: tuple[float, int] | None = None
) -> Select[*_Columns]:
    """The statement over `TrackletRow` with only the chosen rows."""
    row = TrackletRow
    if where.camera_id is not None:
        statement = statement.where(row.camera_id == where.camera_id)
    if where.source_id is not None:
        statement = statement.where(row.source_id == where.source_id)
    if where.start_s is not None:
        statement = statement.where(row.end_s >= where.start_s)
    if where.end_s is not None:
        statement = statement.where(row.start_s <= where.end_s)
    if where.min_quality is not None:
        statement = statement.where(row.quality >= where.min_quality)
    if after is not None:
        start_s, tracklet_no = after
        statement = statement.where(
            or_(row.start_s > start_s, and_(row.start_s == start_s, row.tracklet_no > tracklet_no))
        )
    return statement
