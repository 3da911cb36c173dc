"""Where a tracklet changes its person: a tracker that follows one and goes on with another is found out by looks.

Tracks of a busy view mix people where these cross. A journey takes parts of tracklets, so that one wrong step of the
tracker does not tie two people together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["cut_places", "mean_looks"]

_FEWEST = 3  # crops of a part: the looks of fewer say too little


def cut_places(
    crops: NDArray[np.floating], *, llr: Callable[[NDArray[np.float64]], NDArray[np.float64]], fewest: int = _FEWEST
) -> tuple[int, ...]:
    """Cut a tracklet where its looks before and after rather show two people, and go on with either side.

    Of all places the one counts at which the distance of the two sides' mean looks, weighed by how many crops tell it,
    is largest.

    Args:
        crops: Vectors of its crops in order of time. Shape ``(K, d)``.
        llr: What a distance says of one person against two, in nats; falling.
        fewest: Crops that each part must have, at least 1.

    Returns:
        Numbers of the crops with which a new part begins, rising; empty where it shows one person.

    Raises:
        ValueError: If ``fewest`` is below 1.

    Example:
        >>> looks = np.array([[1.0, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 1]])
        >>> cut_places(looks, llr=lambda distances: 0.5 - distances)
        (3,)
    """
    if fewest < 1:
        raise ValueError(f"a part has at least one crop, not {fewest}")
    if len(crops) < 2 * fewest:
        return ()
    places = np.arange(fewest, len(crops) - fewest + 1)
    sums = np.cumsum(np.asarray(crops, np.float64), axis=0)
    before, after = sums[places - 1], sums[-1] - sums[places - 1]
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    distances = np.clip(1.0 - (before * after).sum(axis=1) / np.maximum(lengths, 1e-12), 0.0, 2.0)
    best = int(np.argmax(distances * np.sqrt(places * (len(crops) - places))))
    if llr(distances[best : best + 1])[0] >= 0:
        return ()
    place = int(places[best])
    first = cut_places(crops[:place], llr=llr, fewest=fewest)
    last = cut_places(crops[place:], llr=llr, fewest=fewest)
    return (*first, place, *(place + one for one in last))


def mean_looks(crops: NDArray[np.floating], places: Sequence[int]) -> NDArray[np.float32]:
    """The looks of each part, of length 1. Shape ``(parts, d)``.

    Args:
        crops: As above.
        places: As `cut_places` gives them.
    """
    means = np.stack([part.mean(axis=0) for part in np.split(np.asarray(crops, np.float64), list(places))])
    looks: NDArray[np.float32] = (means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)).astype(
        np.float32
    )
    return looks
