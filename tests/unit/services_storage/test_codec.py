from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from factories import make_path
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reid_core.errors import StorageError
from reid_core.types import TrackPath
from services.storage.codec import PATH_VERSION, pack_path, pack_vectors, unpack_path, unpack_vector, unpack_vectors


@st.composite
def _paths(draw: st.DrawFn) -> TrackPath:
    count = draw(st.integers(0, 40))
    steps = draw(hnp.arrays(np.int64, count, elements=st.integers(1, 10**6)))
    first = draw(st.integers(-(2**40), 2**40))
    return TrackPath(
        first + np.cumsum(steps),
        draw(hnp.arrays(np.float64, count, elements=st.floats(width=64))),
        draw(hnp.arrays(np.float32, (count, 4), elements=st.floats(width=32))),
        draw(hnp.arrays(np.float32, count, elements=st.floats(width=32))),
    )


@given(_paths())
def test_every_path_comes_back_bit_by_bit(path):
    back = unpack_path(pack_path(path))
    for name in ("frame_indices", "times_s", "boxes_px", "confidences"):
        sent, received = getattr(path, name), getattr(back, name)
        assert received.dtype == sent.dtype
        assert received.shape == sent.shape
        assert received.tobytes() == np.ascontiguousarray(sent).tobytes()


def test_an_empty_path_keeps_its_shape():
    back = unpack_path(pack_path(make_path(0)))
    assert len(back) == 0
    assert back.boxes_px.shape == (0, 4)


def test_a_path_begins_with_its_version_and_length():
    assert struct.unpack_from("<BI", pack_path(make_path(5))) == (1, 5)
    assert PATH_VERSION == 1


def test_a_stored_path_of_version_1_is_still_read():
    """Written by hand, byte plane by byte plane; must hold for as long as version 1 is out there."""
    columns = (
        b"\x03"
        + bytes(7)
        + struct.pack("<d", 1.5)
        + b"".join(struct.pack("<4f", 1, 2, 3, 4)[byte::4] for byte in range(4))
    ) + struct.pack("<f", 0.5)
    path = unpack_path(struct.pack("<BI", 1, 1) + zlib.compress(columns))
    assert path.frame_indices.tolist() == [3]
    assert path.times_s.tolist() == [1.5]
    assert path.boxes_px.tolist() == [[1, 2, 3, 4]]
    assert path.confidences.tolist() == [0.5]


def test_a_long_steady_path_is_much_smaller_than_its_arrays():
    assert len(pack_path(make_path(1000))) < 36 * 1000 / 4


@pytest.mark.parametrize(
    ("packed", "what"),
    [
        (b"", "only 0 bytes"),
        (b"\x01\x00", "only 2 bytes"),
        (b"\x09" + pack_path(make_path())[1:], "version 9; this Reknit reads version 1"),
        (pack_path(make_path())[:-4], "damaged"),
        (pack_path(make_path())[:5] + b"junk", "damaged"),
        (struct.pack("<BI", 1, 6) + pack_path(make_path(5))[5:], "6 frames holds 180 bytes, not 216"),
    ],
)
def test_a_damaged_path_is_refused(packed, what):
    with pytest.raises(StorageError, match=what):
        unpack_path(packed)


@pytest.mark.parametrize("indices", [[3, 3], [3, 2], [1, 5, 4]])
def test_frames_that_do_not_rise_are_refused(indices):
    path = make_path(len(indices))
    falling = TrackPath(np.array(indices), path.times_s, path.boxes_px, path.confidences)
    with pytest.raises(ValueError, match="must rise"):
        pack_path(falling)


def test_columns_of_unlike_length_are_refused():
    path = make_path(3)
    with pytest.raises(ValueError, match="needs shapes"):
        pack_path(TrackPath(path.frame_indices, path.times_s[:2], path.boxes_px, path.confidences))


@given(hnp.arrays(np.float16, st.integers(0, 64), elements=st.floats(-65504, 65504, width=16)))
def test_half_floats_come_back_unchanged(vector):
    np.testing.assert_array_equal(unpack_vector(pack_vectors(vector.astype(np.float32))), vector)


def test_a_unit_vector_comes_back_within_half_float_rounding():
    vector = np.random.default_rng(1).normal(size=512).astype(np.float32)
    vector /= np.linalg.norm(vector)
    back = unpack_vector(pack_vectors(vector))
    assert back.dtype == np.float32
    assert float(back @ vector) == pytest.approx(1.0, abs=5e-4)
    assert len(pack_vectors(vector)) == 1024


def test_rows_come_back_as_rows():
    vectors = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(unpack_vectors(pack_vectors(vectors), 4), vectors)
    assert unpack_vectors(b"", 4).shape == (0, 4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 70000.0])
def test_a_vector_that_does_not_fit_is_refused(value):
    with pytest.raises(ValueError, match="finite values"):
        pack_vectors(np.array([0.0, value], np.float32))


def test_bytes_that_are_no_vectors_are_refused():
    with pytest.raises(StorageError, match="3 bytes"):
        unpack_vector(b"abc")
    for packed, dim in ((b"abcdef", 2), (b"abcd", 0)):
        with pytest.raises(StorageError, match="do not divide"):
            unpack_vectors(packed, dim)
