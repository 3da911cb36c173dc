from __future__ import annotations

import cv2
import numpy as np
from threadpoolctl import threadpool_info

from reid_core.vision.threads import one_thread_each


def blas_threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_libraries_work_on_one_thread_inside_and_as_before_afterwards() -> None:
    assert np.ones((2, 2)).sum() == 4  # numpy's BLAS is loaded
    before = blas_threads(), cv2.getNumThreads()
    with one_thread_each():
        assert set(blas_threads()) == {1}
        assert cv2.getNumThreads() == 1
    assert (blas_threads(), cv2.getNumThreads()) == before
