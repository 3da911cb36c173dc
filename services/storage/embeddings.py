"""Vectors of tracklets, by model; vectors of two models are never mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from reid_core.errors import StorageError
from reid_core.types import ClockQuality
from services.storage.codec import pack_vectors, unpack_vector, unpack_vectors
from services.storage.statements import insert_into
from services.storage.tables import EmbeddingRow, TrackletRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from reid_core.types import Embedding, FloatArray, Tracklet

_IN_ONE_QUESTION = 500


@dataclass(frozen=True, slots=True, eq=False)
class StoredEmbedding:
    """A tracklet's vectors as they come back: rounded to half floats.

    Attributes:
        vector: Shape ``(d,)``, float32.
        crop_vectors: Shape ``(K, d)``, float32.
        crop_nos: Which crop each of the K belongs to.
    """

    model_id: str
    vector: FloatArray
    crop_vectors: FloatArray
    crop_nos: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class VectorRows:
    """A batch of rows for the index, column by column, by rising number.

    Attributes:
        tracklet_nos: Shape ``(n,)``, int64.
        vectors: Shape ``(n, d)``, float32.
        camera_ids: n of them.
        starts_s: Shape ``(n,)``, float64.
        ends_s: Shape ``(n,)``, float64.
        qualities: Shape ``(n,)``, float32.
        clock_known: False where the times only count from the source's first frame. Shape ``(n,)``, bool.
    """

    tracklet_nos: NDArray[np.int64]
    vectors: FloatArray
    camera_ids: tuple[str, ...]
    starts_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    qualities: FloatArray
    clock_known: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.tracklet_nos)


class EmbeddingRepository:
    """Vectors in the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self, tracklet_no: int, tracklet: Tracklet, embedding: Embedding, *, crop_nos: Sequence[int] | None = None
    ) -> None:
        """Store a tracklet's vectors in one model's space.

        Args:
            tracklet_no: The stored tracklet.
            tracklet: As it was embedded.
            embedding: Its vectors.
            crop_nos: Which crops the crop vectors belong to, in their order; default: the first in display order.

        Raises:
            ValueError: If the vectors' shapes do not belong together, or the crops are not crops of the tracklet.
        """
        count = len(embedding.crop_vectors)
        numbers = tracklet.display_order[:count] if crop_nos is None else crop_nos
        self._session.add(EmbeddingRow(**_columns(tracklet_no, embedding, numbers, crop_count=len(tracklet.crops))))
        self._session.flush()

    def add_later(self, tracklet_no: int, embedding: Embedding, *, crop_nos: Sequence[int], crop_count: int) -> bool:
        """Store the vectors of a tracklet that is stored already; those that are there already are left as they are.

        Args:
            tracklet_no: The stored tracklet.
            embedding: Its vectors.
            crop_nos: Which crops the crop vectors belong to, in their order.
            crop_count: How many crops it has.

        Returns:
            False if it has a vector of the model already, or is not stored any more.

        Raises:
            ValueError: As `add`.
        """
        columns = _columns(tracklet_no, embedding, crop_nos, crop_count=crop_count)
        stays = select(TrackletRow.tracklet_no).where(TrackletRow.tracklet_no == tracklet_no)
        if self._session.scalar(stays.with_for_update(read=True, key_share=True)) is None:
            return False
        statement = insert_into(self._session, EmbeddingRow).values(columns).on_conflict_do_nothing()
        return self._session.execute(statement.returning(EmbeddingRow.tracklet_no)).first() is not None

    def by_no(self, tracklet_no: int, model_id: str) -> StoredEmbedding:
        """One tracklet's vectors.

        Raises:
            StorageError: If the tracklet has no vector of the model.
        """
        found = self.by_nos([tracklet_no], model_id)
        if tracklet_no not in found:
            raise StorageError(f"tracklet {tracklet_no} has no vector of model {model_id}")
        return found[tracklet_no]

    def by_nos(self, tracklet_nos: Iterable[int], model_id: str) -> dict[int, StoredEmbedding]:
        """Several tracklets' vectors; those without a vector of the model are left out."""
        wanted = sorted({int(number) for number in tracklet_nos})
        found: dict[int, StoredEmbedding] = {}
        for first in range(0, len(wanted), _IN_ONE_QUESTION):
            some = wanted[first : first + _IN_ONE_QUESTION]
            statement = select(
                EmbeddingRow.tracklet_no, EmbeddingRow.vec, EmbeddingRow.crop_vecs, EmbeddingRow.crop_nos
            ).where(EmbeddingRow.model_id == model_id, EmbeddingRow.tracklet_no.in_(some))
            for number, vec, crop_vecs, crop_nos in self._session.execute(statement):
                vector = unpack_vector(vec)
                crop_vectors = unpack_vectors(crop_vecs, len(vector))
                found[number] = StoredEmbedding(model_id, vector, crop_vectors, tuple(crop_nos))
        return found

    def iter_vectors(self, model_id: str, *, after_no: int = 0, batch: int = 10_000) -> Iterator[VectorRows]:
        """All vectors of one model in batches, by rising tracklet number; use it inside a reading transaction.

        Args:
            model_id: The model.
            after_no: Only tracklets of larger numbers.
            batch: Rows a batch, at least 1.

        Raises:
            ValueError: If the batch is smaller than 1.
            StorageError: If two vectors differ in length.
        """
        if batch < 1:
            raise ValueError(f"batch must be 1 or more, got {batch}")
        statement = (
            select(
                EmbeddingRow.tracklet_no,
                EmbeddingRow.vec,
                TrackletRow.camera_id,
                TrackletRow.start_s,
                TrackletRow.end_s,
                TrackletRow.quality,
                TrackletRow.clock_quality,
            )
            .join(TrackletRow, TrackletRow.tracklet_no == EmbeddingRow.tracklet_no)
            .where(EmbeddingRow.model_id == model_id)
            .order_by(EmbeddingRow.tracklet_no)
            .limit(batch)
        )
        while True:
            rows = self._session.execute(statement.where(EmbeddingRow.tracklet_no > after_no)).all()
            if rows:
                after_no = rows[-1][0]
                yield _stacked(*zip(*rows, strict=True))
            if len(rows) < batch:
                return


def _columns(tracklet_no: int, embedding: Embedding, crop_nos: Sequence[int], *, crop_count: int) -> dict[str, Any]:
    """A row's values.

    Raises:
        ValueError: If the vectors' shapes do not belong together, or the crops are not crops of the tracklet.
    """
    if embedding.vector.ndim != 1 or embedding.crop_vectors.shape[1:] != embedding.vector.shape:
        shapes = f"{embedding.vector.shape} and {embedding.crop_vectors.shape}"
        raise ValueError(f"vector and crop_vectors must have shapes (d,) and (K, d), got {shapes}")
    numbers, count = [int(no) for no in crop_nos], len(embedding.crop_vectors)
    if len(numbers) != count or len(set(numbers)) != count or not set(numbers) <= set(range(crop_count)):
        raise ValueError(f"{count} crop vectors of {crop_count} crops cannot belong to crops {numbers}")
    return {
        "model_id": embedding.model_id,
        "tracklet_no": tracklet_no,
        "vec": pack_vectors(embedding.vector),
        "crop_nos": numbers,
        "crop_vecs": pack_vectors(embedding.crop_vectors),
    }


def _stacked(
    numbers: Sequence[int],
    packed: Sequence[bytes],
    camera_ids: Sequence[str],
    starts_s: Sequence[float],
    ends_s: Sequence[float],
    qualities: Sequence[float],
    clock_qualities: Sequence[str],
) -> VectorRows:
    size = len(packed[0])
    if any(len(one) != size for one in packed):
        raise StorageError(f"stored vectors differ in length near tracklet {numbers[0]}")
    return VectorRows(
        np.array(numbers, np.int64),
        unpack_vectors(b"".join(packed), size // 2),
        tuple(camera_ids),
        np.array(starts_s, np.float64),
        np.array(ends_s, np.float64),
        np.array(qualities, np.float32),
        np.array([one != ClockQuality.UNKNOWN.value for one in clock_qualities], np.bool_),
    )
