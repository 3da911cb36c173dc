"""The life of a track: tentative, confirmed, lost, closed."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TrackState", "TrackTable"]


class TrackState(IntEnum):
    """Where a track is in its life.

    TENTATIVE turns CONFIRMED when it was seen often enough, and is dropped unreported at its first miss. CONFIRMED
    turns LOST at a miss, LOST turns CONFIRMED when seen again, and is closed when it stays away too long.
    """

    TENTATIVE = 0
    CONFIRMED = 1
    LOST = 2


# numpy compares arrays with plain integers several times faster than with members of an enumeration
_TENTATIVE, _CONFIRMED, _LOST = (int(state) for state in TrackState)


class TrackTable:
    """State, id and counters of every open track of one camera, one row for each.

    Attributes:
        state: `TrackState` values. Shape ``(T,)``.
        ids: Given when a track is confirmed, 0 before. Shape ``(T,)``.
        hits: Frames in which the track was seen. Shape ``(T,)``.
        unseen: Frames since it was last seen. Shape ``(T,)``.
        next_id: The id that the next confirmed track gets.
    """

    def __init__(self, *, first_track_id: int) -> None:
        """Start without tracks."""
        self.state = np.zeros(0, np.int8)
        self.ids = np.zeros(0, np.int64)
        self.hits = np.zeros(0, np.int64)
        self.unseen = np.zeros(0, np.int64)
        self.next_id = first_track_id

    def __len__(self) -> int:
        return len(self.state)

    @property
    def is_tentative(self) -> NDArray[np.bool_]:
        """Shape ``(T,)``."""
        mask: NDArray[np.bool_] = self.state == _TENTATIVE
        return mask

    @property
    def is_confirmed(self) -> NDArray[np.bool_]:
        """Shape ``(T,)``."""
        mask: NDArray[np.bool_] = self.state == _CONFIRMED
        return mask

    @property
    def is_lost(self) -> NDArray[np.bool_]:
        """Shape ``(T,)``."""
        mask: NDArray[np.bool_] = self.state == _LOST
        return mask

    def add(self, count: int) -> None:
        """Append ``count`` tentative tracks that were seen once."""
        if not count:
            return
        self.state = np.concatenate([self.state, np.full(count, _TENTATIVE, np.int8)])
        self.ids = np.concatenate([self.ids, np.zeros(count, np.int64)])
        self.hits = np.concatenate([self.hits, np.ones(count, np.int64)])
        self.unseen = np.concatenate([self.unseen, np.zeros(count, np.int64)])

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Forget the tracks whose entry in ``rows`` is False. Shape ``(T,)``."""
        self.state, self.ids = self.state[rows], self.ids[rows]
        self.hits, self.unseen = self.hits[rows], self.unseen[rows]

    def mark(self, seen_rows: NDArray[np.intp]) -> None:
        """Count one frame in which only ``seen_rows`` were seen."""
        self.unseen += 1
        self.unseen[seen_rows] = 0
        self.hits[seen_rows] += 1
        had_id = self.state != _TENTATIVE
        self.state[had_id] = _CONFIRMED
        self.state[had_id & (self.unseen > 0)] = _LOST

    def confirm(self, *, ready: NDArray[np.bool_]) -> None:
        """Give an id to each tentative track that is ``ready``, in order of rows. Shape ``(T,)``."""
        rows = np.flatnonzero((self.state == _TENTATIVE) & ready)
        self.state[rows] = _CONFIRMED
        self.ids[rows] = np.arange(self.next_id, self.next_id + len(rows))
        self.next_id += len(rows)

    def over(self, *, patience: int) -> NDArray[np.bool_]:
        """Tracks to forget: tentative ones that were missed, lost ones that stayed away longer than ``patience``."""
        missed = (self.state == _TENTATIVE) & (self.unseen > 0)
        gone: NDArray[np.bool_] = missed | (self.unseen > patience)
        return gone
