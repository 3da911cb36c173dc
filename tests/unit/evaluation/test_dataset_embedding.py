from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from embedding_fakes import MeanColour, paint
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_core.errors import DatasetError, OutputError
from reid_core.evaluation.dataset_embedding import embed_records, pictures_to_embed
from reid_core.evaluation.datasets.dataset import ReidRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class InFolder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, path: str) -> bytes | None:
        return (self.folder / path).read_bytes() if (self.folder / path).exists() else None

    def stamp(self, path: str) -> str:
        return str((self.folder / path).stat().st_mtime_ns) if (self.folder / path).exists() else ""


def singles(root: Path, count: int) -> list[ReidRecord]:
    return [ReidRecord(paint(root, f"{number}.png", (number % 250, 80, 7)), 1 + number, "a") for number in range(count)]


def embed(root: Path, records: Sequence[ReidRecord], embedder: MeanColour) -> np.ndarray:
    table = embed_records(records, InFolder(root), embedder, folder=root / "kept")
    assert list(table.rows) == [record.path for record in records]
    assert list(table.rows.values()) == list(range(len(records)))
    return table.features


def test_a_picture_has_the_vector_of_itself_alone(tmp_path: Path):
    records, embedder = singles(tmp_path, 70), MeanColour()
    features = embed(tmp_path, records, embedder)
    alone = [MeanColour().embed([np.full((9, 5, 3), (number % 250, 80, 7), np.uint8)]).vector for number in range(70)]
    np.testing.assert_allclose(features, np.stack(alone), atol=1e-6)
    assert max(embedder.calls) <= 32


def test_a_tracklet_is_pooled_by_the_embedder_from_twelve_pictures(tmp_path: Path):
    paths = tuple(paint(tmp_path, f"t/{number:02d}.png", (10 * number, 90, 30)) for number in range(23))
    tracklet = ReidRecord("t", 5, "b", tracklet=paths)
    embedder = MeanColour()
    features = embed(tmp_path, [singles(tmp_path, 1)[0], tracklet], embedder)
    seen = [np.full((9, 5, 3), (20 * number, 90, 30), np.uint8) for number in range(12)]
    np.testing.assert_allclose(features[1], MeanColour().embed(seen).vector, atol=1e-6)
    assert sorted(embedder.calls) == [1, 12]


def test_a_tracklet_of_one_picture_is_that_picture(tmp_path: Path):
    path = paint(tmp_path, "t/1.png", (10, 20, 30))
    both = [ReidRecord(path, 1, "a"), ReidRecord("t", 1, "a", tracklet=(path,))]
    features = embed(tmp_path, both, MeanColour())
    np.testing.assert_array_equal(features[0], features[1])


@settings(deadline=None)
@given(st.integers(1, 200))
def test_pictures_of_a_tracklet_are_spread_from_first_to_last(count: int):
    names = tuple(str(number) for number in range(count))
    chosen = [int(name) for name in pictures_to_embed(ReidRecord("t", 1, "a", tracklet=names))]
    assert len(chosen) == min(count, 12)
    assert (chosen[0], chosen[-1]) == (0, count - 1)
    steps = np.diff(chosen)
    assert len(steps) == 0 or (steps.min() >= 1 and steps.max() - steps.min() <= 1)


def test_interrupted_work_goes_on_where_it_stopped(tmp_path: Path):
    records = singles(tmp_path, 600)
    broken = MeanColour(fail_after=300)
    with pytest.raises(RuntimeError, match="pulled the plug"):
        embed(tmp_path, records, broken)
    again = MeanColour()
    features = embed(tmp_path, records, again)
    assert sum(again.calls) == 600 - 256  # the first group was kept
    whole = embed_records(records, InFolder(tmp_path), MeanColour(), folder=tmp_path / "other").features
    np.testing.assert_array_equal(features, whole)


def test_finished_work_is_not_done_again_and_progress_counts_it(tmp_path: Path):
    records, told = singles(tmp_path, 300), []
    embed(tmp_path, records, MeanColour())
    again = MeanColour()
    embed_records(records, InFolder(tmp_path), again, folder=tmp_path / "kept", on_records=told.append)
    assert (again.calls, told) == ([], [256, 44])


@pytest.mark.parametrize("change", ["picture", "model", "file"])
def test_what_no_longer_fits_is_embedded_again(tmp_path: Path, change: str):
    records = singles(tmp_path, 3)
    embed(tmp_path, records, MeanColour())
    model_id = "mean-colour-1"
    if change == "picture":
        paint(tmp_path, "1.png", (200, 1, 1), mtime_s=5.0)
    elif change == "model":
        model_id = "mean-colour-2"
    else:
        next((tmp_path / "kept").glob("*.npz")).write_bytes(b"half")
    again = MeanColour(model_id)
    features = embed(tmp_path, records, again)
    assert again.calls == [3]
    if change == "picture":
        assert features[1].argmax() == 0


def test_no_records_make_an_empty_table(tmp_path: Path):
    assert embed(tmp_path, [], MeanColour()).shape == (0, 3)


def test_a_missing_picture_is_named(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"the picture nowhere\.png is missing"):
        embed(tmp_path, [ReidRecord("nowhere.png", 1, "a")], MeanColour())


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_a_broken_picture_is_named(tmp_path: Path, content: bytes):
    (tmp_path / "bad.jpg").write_bytes(content)
    with pytest.raises(DatasetError, match=rf"bad\.jpg is not a picture that can be decoded \({len(content)} bytes\)"):
        embed(tmp_path, [ReidRecord("bad.jpg", 1, "a")], MeanColour())


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path):
    (tmp_path / "kept").write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="kept"):
        embed(tmp_path, singles(tmp_path, 1), MeanColour())
