"""What people said of a set's tracklets, as pairs: per-camera identities, confirmed and rejected matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.association.known_links import KnownLinks, close_links

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.learning.tracklet_set import TrackletSet

__all__ = ["identity_links", "known_links"]


def known_links(tracklets: TrackletSet) -> KnownLinks:
    """All links of a set and what follows from them.

    Raises:
        ValueError: If links contradict each other.
    """
    must = tracklets.must_link
    if tracklets.in_camera_ids is not None:
        must = np.concatenate([must, identity_links(tracklets.cameras, tracklets.in_camera_ids)])
    return close_links(len(tracklets), must, tracklets.cannot_link)


def identity_links(cameras: NDArray[np.int64], identities: NDArray[np.int64]) -> NDArray[np.int64]:
    """Consecutive tracklets of one camera and one identity. Shape ``(A, 2)``; unlabelled ones (-1) have none.

    Example:
        >>> identity_links(np.array([0, 0, 1, 0]), np.array([5, -1, 5, 5])).tolist()
        [[0, 3]]
    """
    labelled = np.flatnonzero(identities >= 0)
    order = labelled[np.lexsort((labelled, identities[labelled], cameras[labelled]))]
    one, other = order[:-1], order[1:]
    same = (cameras[one] == cameras[other]) & (identities[one] == identities[other])
    return np.stack([one[same], other[same]], axis=1)
