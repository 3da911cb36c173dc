from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from reid_core.errors import FeaturesError
from reid_core.evaluation.datasets.dataset import ReidRecord
from reid_core.evaluation.feature_files import Distance, features_of, read_features

if TYPE_CHECKING:
    from pathlib import Path

FEATURES = np.array([[3.0, 4.0], [0.0, 2.0], [1.0, 0.0]])
PATHS = ["query/a.jpg", "test/b.jpg", "test/c.jpg"]
RECORDS = [ReidRecord("test/b.jpg", 1, "1"), ReidRecord("query/a.jpg", 1, "2")]


def stored(tmp_path: Path, **arrays: Any) -> Path:
    path = tmp_path / "features.npz"
    np.savez(path, **({"features": FEATURES, "paths": PATHS} | arrays))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(FeaturesError) as caught:
        read_features(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_features_come_in_the_order_of_records_and_of_unit_length(tmp_path: Path):
    table = read_features(stored(tmp_path))
    assert features_of(RECORDS, table, distance=Distance.COSINE) == pytest.approx(np.array([[0, 1], [0.6, 0.8]]))
    assert features_of(RECORDS, table, distance=Distance.EUCLIDEAN).tolist() == [[0, 2], [3, 4]]


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int16])
def test_any_kind_of_number_gives_the_same(kind: type, tmp_path: Path):
    table = read_features(stored(tmp_path, features=FEATURES.astype(kind)))
    assert table.features.dtype == np.float32
    assert features_of(RECORDS, table, distance=Distance.COSINE)[1] == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize("paths", [np.array(PATHS, "S"), [f"./{path}" for path in PATHS], ["query\\a.jpg", *PATHS[1:]]])
def test_paths_may_be_bytes_and_of_other_spelling(paths: Any, tmp_path: Path):
    assert set(read_features(stored(tmp_path, paths=paths)).rows) == set(PATHS)


def test_the_table_is_not_changed_by_normalising(tmp_path: Path):
    table = read_features(stored(tmp_path))
    features_of(RECORDS, table, distance=Distance.COSINE)
    assert table.features[0].tolist() == [3, 4]


def test_tracklets_go_by_their_own_path_or_by_their_pictures(tmp_path: Path):
    pictures = ("t/1/a.jpg", "t/1/b.jpg")
    tracklet = ReidRecord("t/1", 1, "1", tracklet=pictures)
    by_picture = read_features(stored(tmp_path, features=[[2.0, 0], [0, 4]], paths=pictures))
    by_path = read_features(stored(tmp_path, features=[[5.0, 6]], paths=["t/1"]))
    assert features_of([tracklet], by_picture, distance=Distance.EUCLIDEAN).tolist() == [[1, 2]]
    assert features_of([tracklet], by_path, distance=Distance.EUCLIDEAN).tolist() == [[5, 6]]


def test_a_tracklet_of_one_picture_goes_by_that(tmp_path: Path):
    tracklet = ReidRecord("t/1", 1, "1", tracklet=("t/1/a.jpg",))
    table = read_features(stored(tmp_path, features=[[5.0, 6]], paths=["t/1/a.jpg"]))
    assert features_of([tracklet], table, distance=Distance.EUCLIDEAN).tolist() == [[5, 6]]


def test_a_tracklet_named_by_its_first_picture_is_averaged_only_if_all_pictures_are_there(tmp_path: Path):
    tracklet = ReidRecord("t/a.jpg", 1, "1", tracklet=("t/a.jpg", "t/b.jpg"))
    whole = read_features(stored(tmp_path, features=[[2.0, 0], [0, 4]], paths=tracklet.tracklet))
    pooled = read_features(stored(tmp_path, features=[[2.0, 0]], paths=["t/a.jpg"]))
    assert features_of([tracklet], whole, distance=Distance.EUCLIDEAN).tolist() == [[1, 2]]
    assert features_of([tracklet], pooled, distance=Distance.EUCLIDEAN).tolist() == [[2, 0]]


def test_missing_features_are_counted_and_the_first_named(tmp_path: Path):
    more = [*RECORDS, ReidRecord("x.jpg", 1, "1"), ReidRecord("t", 1, "1", tracklet=("query/a.jpg", "y.jpg"))]
    with pytest.raises(FeaturesError, match=r"no features of x\.jpg \(2 of 4 missing\)"):
        features_of(more, read_features(stored(tmp_path)), distance=Distance.COSINE)


def test_features_of_no_length_cannot_be_normalised_but_taken_as_they_are(tmp_path: Path):
    table = read_features(stored(tmp_path, features=FEATURES * [[1], [0], [1]]))
    assert features_of(RECORDS, table, distance=Distance.EUCLIDEAN)[0].tolist() == [0, 0]
    with pytest.raises(FeaturesError, match=r"the features of test/b\.jpg are all zero"):
        features_of(RECORDS, table, distance=Distance.COSINE)


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"paths": PATHS[:2]}, "3 features but 2 paths"),
        ({"paths": [PATHS[0], PATHS[1], PATHS[0]]}, "the path query/a.jpg is there twice"),
        ({"paths": [1, 2, 3]}, "paths must be strings of shape (N,), got int64 (3,)"),
        ({"paths": [[path] for path in PATHS]}, "paths must be strings of shape (N,), got <U11 (3, 1)"),
        ({"features": FEATURES[0]}, "features must be numbers of shape (N, d), got float64 (2,)"),
        ({"features": [["a"]]}, "features must be numbers of shape (N, d), got <U1 (1, 1)"),
        ({"features": np.zeros((0, 4)), "paths": np.zeros(0, "U1")}, "got float64 (0, 4)"),
        ({"features": FEATURES * [[1], [np.nan], [1]]}, "the features of test/b.jpg are not all finite"),
        ({"features": np.full((3, 2), np.inf)}, "the features of query/a.jpg are not all finite"),
        ({"features": FEATURES * 1e300}, "the features of query/a.jpg are not all finite"),
        ({"features": np.array([{}, {}])}, "not a readable .npz file of plain arrays"),
    ],
)
def test_arrays_that_cannot_be_scored_are_refused(arrays: dict[str, Any], reason: str, tmp_path: Path):
    assert reason in refusal(stored(tmp_path, **arrays))


@pytest.mark.parametrize("at", range(60, 160, 20))
def test_damaged_data_are_refused(at: int, tmp_path: Path):
    path = tmp_path / "features.npz"
    np.savez_compressed(path, features=FEATURES, paths=PATHS)
    content = bytearray(path.read_bytes())
    content[at : at + 4] = bytes(byte ^ 0xFF for byte in content[at : at + 4])
    path.write_bytes(bytes(content))
    assert "not a readable .npz file" in refusal(path)


def test_files_of_another_kind_are_refused(tmp_path: Path):
    path = tmp_path / "features.npz"
    assert "not a readable .npz file" in refusal(path)
    for content in (b"", b"text", b"PK\x03\x04 broken"):
        path.write_bytes(content)
        assert "not a readable .npz file" in refusal(path)
    np.savez(path, vectors=FEATURES)
    assert "expected an .npz file with the arrays features and paths" in refusal(path)
    np.save(tmp_path / "features.npy", FEATURES)
    assert "expected an .npz file with the arrays" in refusal(tmp_path / "features.npy")
