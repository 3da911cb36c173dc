"""Keeps numeric libraries from starting threads of their own, where the caller already keeps every processor busy."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import cv2
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["one_thread_each"]


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let matrix products and OpenCV work on the calling thread while the block runs, in the whole process.

    Their pools pay for large arrays only. For the small ones of tracking and embedding, threads that wait for each
    other by spinning cost ten times the work itself as soon as processors are busy with something else.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        cv2.setNumThreads(before)
