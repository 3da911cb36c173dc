"""Arrays to bytes and back: vectors as half floats, paths as compressed columns with a version in front."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import StorageError
from reid_core.types import TrackPath

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.types import FloatArray

PATH_VERSION = 1
_HEADER = struct.Struct("<BI")  # version, observations
_BYTES_EACH = 8 + 8 + 16 + 4  # frame delta, time, box, confidence
_HALF_MAX = float(np.finfo(np.float16).max)


def pack_vectors(vectors: FloatArray) -> bytes:
    """Vectors as little-endian half floats, row by row.

    Args:
        vectors: Shape ``(d,)`` or ``(K, d)``, each value within ``[-65504, 65504]``.

    Raises:
        ValueError: If a value is not finite or does not fit a half float.

    Example:
        >>> pack_vectors(np.array([1.0, -2.0], np.float32)).hex()
        '003c00c0'
    """
    if vectors.size and not float(np.abs(vectors).max()) <= _HALF_MAX:
        raise ValueError(f"a vector must hold finite values of at most {_HALF_MAX}, got {np.abs(vectors).max()}")
    return vectors.astype("<f2").tobytes()


def unpack_vector(packed: bytes) -> FloatArray:
    """One vector. Shape ``(d,)``, float32.

    Raises:
        StorageError: If the bytes are no half floats.
    """
    if len(packed) % 2:
        raise StorageError(f"a stored vector has {len(packed)} bytes, which is not a whole number of half floats")
    return np.frombuffer(packed, "<f2").astype(np.float32)


def unpack_vectors(packed: bytes, dim: int) -> FloatArray:
    """Vectors of one length. Shape ``(K, dim)``, float32.

    Raises:
        StorageError: If the bytes do not divide into such vectors.
    """
    if dim < 1 or len(packed) % (2 * dim):
        raise StorageError(f"{len(packed)} stored bytes do not divide into vectors of {dim} half floats")
    return np.frombuffer(packed, "<f2").reshape(-1, dim).astype(np.float32)


def pack_path(path: TrackPath) -> bytes:
    """A path as bytes, without loss: frame steps, times, boxes and confidences, column by column, compressed.

    Args:
        path: Frame indices must rise.

    Raises:
        ValueError: If the columns differ in length or the frame indices do not rise.
    """
    count = len(path)
    shapes = (path.times_s.shape, path.boxes_px.shape, path.confidences.shape)
    if shapes != ((count,), (count, 4), (count,)):
        raise ValueError(f"a path of {count} frames needs shapes ({count},), ({count}, 4), ({count},), got {shapes}")
    steps = np.diff(path.frame_indices, prepend=np.int64(0))
    if count > 1 and steps[1:].min() < 1:
        raise ValueError("the frame indices of a path must rise")
    columns = b"".join(
        (
            _planes(steps.astype("<i8")),
            _planes(path.times_s.astype("<f8")),
            _planes(path.boxes_px.astype("<f4")),
            _planes(path.confidences.astype("<f4")),
        )
    )
    return _HEADER.pack(PATH_VERSION, count) + zlib.compress(columns, 6)


def unpack_path(packed: bytes) -> TrackPath:
    """The path that `pack_path` packed.

    Raises:
        StorageError: If the bytes are damaged or of a version that this code does not know.
    """
    if len(packed) < _HEADER.size:
        raise StorageError(f"a stored path has only {len(packed)} bytes")
    version, count = _HEADER.unpack_from(packed)
    if version != PATH_VERSION:
        raise StorageError(f"a stored path has version {version}; this Reknit reads version {PATH_VERSION}")
    try:
        columns = zlib.decompress(packed[_HEADER.size :])
    except zlib.error as error:
        raise StorageError(f"a stored path is damaged ({error})") from error
    if len(columns) != count * _BYTES_EACH:
        raise StorageError(f"a stored path of {count} frames holds {len(columns)} bytes, not {count * _BYTES_EACH}")
    return TrackPath(
        np.cumsum(_values(columns, "<i8", 0, count), dtype=np.int64),
        _values(columns, "<f8", 8 * count, count).astype(np.float64),
        _values(columns, "<f4", 16 * count, 4 * count).astype(np.float32).reshape(count, 4),
        _values(columns, "<f4", 32 * count, count).astype(np.float32),
    )


def _planes(values: NDArray[np.generic]) -> bytes:
    """First bytes of all values, then second bytes, and so on: neighbours alike, which deflate likes."""
    flat = np.ascontiguousarray(values).reshape(-1)
    return flat.view(np.uint8).reshape(-1, flat.dtype.itemsize).T.tobytes()


def _values(columns: bytes, dtype: str, offset: int, count: int) -> NDArray[np.generic]:
    size = np.dtype(dtype).itemsize
    planes = np.frombuffer(columns, np.uint8, count * size, offset).reshape(size, count)
    return np.ascontiguousarray(planes.T).view(dtype).reshape(-1)
