"""Tiny datasets on disk, each in exactly the published layout: folders, names and tables, pictures without content."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import h5py
import numpy as np
from scipy.io import savemat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def touch(root: Path, paths: Iterable[str]) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


def market1501(root: Path) -> Path:
    train = ["0002_c1s1_000451_03", "0002_c2s1_000801_01", "0007_c3s3_077419_03"]
    gallery = ["-1_c1s1_000401_03", "0000_c1s1_000151_01", "0001_c1s1_001051_03", "0001_c2s1_000301_00"]
    gallery += ["0003_c1s6_015971_02", "0003_c4s6_015641_00"]
    touch(root, [f"bounding_box_train/{name}.jpg" for name in train])
    touch(root, ["query/0001_c1s1_001051_00.jpg", "query/0003_c1s6_015971_00.jpg", "query/Thumbs.db"])
    return touch(root, [f"bounding_box_test/{name}.jpg" for name in gallery])


def dukemtmc_reid(root: Path) -> Path:
    touch(root, ["bounding_box_train/0001_c2_f0046182.jpg", "query/0005_c2_f0046985.jpg"])
    return touch(root, [f"bounding_box_test/{name}.jpg" for name in ("0005_c5_f0051341", "7139_c2_f0160815")])


def msmt17(root: Path) -> Path:
    lists = {
        "train": ["0000/0000_000_01_0303morning_0008_0.jpg 0", "0001/0001_000_01_0303morning_0017_2.jpg 1"],
        "val": ["0000/0000_045_12_0303morning_0006_2.jpg 0"],
        "query": ["0000/0000_004_03_0113noon_0245_0.jpg 0"],
        "gallery": ["0000/0000_031_14_0303afternoon_0245_0.jpg 0", "0002/0002_019_05_0303morning_0040_0_ex.jpg 2"],
    }
    for part, lines in lists.items():
        folder = "train" if part in {"train", "val"} else "test"
        touch(root, [f"{folder}/{line.split()[0]}" for line in lines])
        (root / f"list_{part}.txt").write_text("\n".join(lines) + "\n")
    return root


def cuhk03_new(root: Path, boxes: str = "detected") -> Path:
    names = ["1_001_1_01.png", "1_001_2_06.png", "1_002_1_01.png", "1_002_2_06.png", "5_003_1_01.png", "5_003_2_07.png"]
    touch(root, [f"images_{boxes}/{name}" for name in names])
    cells = np.empty((6, 1), object)
    cells[:, 0] = names
    table = {"filelist": cells, "labels": [[1], [1], [2], [2], [1463], [1463]], "train_idx": [[1], [2]]}
    savemat(
        root / f"cuhk03_new_protocol_config_{boxes}.mat", {**table, "query_idx": [[3], [5]], "gallery_idx": [[4], [6]]}
    )
    return root


def cuhk03_classic(root: Path, boxes: str = "detected", splits: int = 2) -> Path:
    people = {person: [f"1_{person:03d}_{1 if n < 3 else 2}_{n:02d}.png" for n in range(1, 5)] for person in (1, 2, 3)}
    touch(root, [f"images_{boxes}/{name}" for names in people.values() for name in names])

    def rows(chosen: Iterable[int]) -> list[list[object]]:
        return [[f"/elsewhere/images_{boxes}/{name}", person, 0] for person in chosen for name in people[person]]

    parts = [{"train": rows([out]), "query": rows({1, 2, 3} - {out})} for out in (1, 2, 3)[:splits]]
    (root / f"splits_classic_{boxes}.json").write_text(
        json.dumps([{**part, "gallery": part["query"]} for part in parts])
    )
    return root


def cuhk03_archive(root: Path, *, splits: int = 2, place: str = "cuhk03_release/cuhk-03.mat") -> Path:
    """As MATLAB 7.3 writes it; three people of the first camera pair and one of each other, two pictures a view.

    Pictures are of one colour: red tells the pair, green the person and blue the number.
    """
    path = touch(root, [place]) / place
    with h5py.File(path, "w", userblock_size=512) as file:
        refs = file.create_group("#refs#")

        def stored(value: object, kind: str, *, empty: bool = False) -> h5py.Reference:
            made = refs.create_dataset(f"{len(refs):x}", data=value)
            made.attrs["MATLAB_class"] = np.bytes_(kind)
            if empty:
                made.attrs["MATLAB_empty"] = np.uint8(1)
            return made.ref

        def picture(pair: int, person: int, number: int, height: int) -> h5py.Reference:
            if number not in {1, 2, 6, 7}:
                return stored(np.zeros(2, np.uint64), "double", empty=True)
            return stored(np.full((height, 20, 3), [40 * pair, 60 * person, number], np.uint8).T, "uint8")

        def pair_of(pair: int, height: int) -> h5py.Reference:
            people = range(1, 4 if pair == 1 else 2)
            cells = [[picture(pair, person, number, height) for person in people] for number in range(1, 11)]
            return stored(np.array(cells, h5py.ref_dtype), "cell")

        for name, height in (("detected", 48), ("labeled", 50)):
            cells = np.array([[pair_of(pair, height) for pair in range(1, 6)]], h5py.ref_dtype)
            file.create_dataset(name, data=cells).attrs["MATLAB_class"] = np.bytes_("cell")
        tests = [[[1, person] for person in (1, 2, 3) if person != out] for out in (1, 2, 3)[:splits]]
        cells = np.array([[stored(np.array(pairs, float).T, "double") for pairs in tests]], h5py.ref_dtype)
        file.create_dataset("testsets", data=cells).attrs["MATLAB_class"] = np.bytes_("cell")
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Fri Mar 21 2014 HDF5 schema 1.00 .".ljust(124))
        raw.write(bytes(124 - raw.tell()) + b"\x00\x02IM")
    return root


def mars(root: Path) -> Path:
    """Test people 2 (cameras 1, 2, 2) and 4 (cameras 1, 3), a distractor, junk; a query for each camera of 2 and 4."""
    tracklets = {
        "train": [("0001C1T0001", 2, 1, 1), ("0001C2T0001", 1, 1, 2)],
        "test": [
            ("00-1C1T0001", 1, -1, 1),
            ("0000C3T0001", 2, 0, 3),
            ("0002C1T0001", 2, 2, 1),
            ("0002C2T0001", 3, 2, 2),
            ("0002C2T0002", 1, 2, 2),
            ("0004C1T0001", 1, 4, 1),
            ("0004C3T0001", 2, 4, 3),
        ],
    }
    (root / "info").mkdir()
    for part, rows in tracklets.items():
        names, table = [], []
        for stem, count, person, camera in rows:
            table.append([len(names) + 1, len(names) + count, person, camera])
            names += [f"{stem}F{number:03d}.jpg" for number in range(1, count + 1)]
        (root / "info" / f"{part}_name.txt").write_text("\n".join(names) + "\n")
        savemat(root / "info" / f"tracks_{part}_info.mat", {f"track_{part}_info": np.array(table, np.int32)})
        touch(root, [f"bbox_{part}/{name[:4]}/{name}" for name in names])
    savemat(root / "info" / "query_IDX.mat", {"query_IDX": np.array([[3, 4, 6, 7]], np.uint16)})
    return root


def dukemtmc_videoreid(root: Path) -> Path:
    touch(root, [f"train/0001/0000/0001_C6_F{n:04d}_X{30800 + n}.jpg" for n in (1, 2)])
    touch(root, ["query/0010/0003/0010C2F0001X00100.jpg"])
    return touch(root, [f"gallery/0010/0004/0010_C5_F{n:04d}_X{30823 + n}.jpg" for n in (2, 3)])


def ilids_vid(root: Path) -> Path:
    for person in ("person001", "person003", "person004", "person010"):
        for camera in ("cam1", "cam2"):
            names = [f"{camera}_{person}_{frame:05d}.png" for frame in (317, 318)]
            touch(root, [f"i-LIDS-VID/sequences/{camera}/{person}/{name}" for name in names])
    (root / "train-test people splits").mkdir()
    rows = [[3, 1, 4, 2], [1, 2, 3, 4], [4, 2, 1, 3]]
    savemat(root / "train-test people splits" / "train_test_splits_ilidsvid.mat", {"ls_set": np.array(rows, np.uint16)})
    return root


def prid2011(root: Path, *, with_splits: bool = True, pictures: int = 2) -> Path:
    people = [f"person_{number:04d}" for number in (1, 2, 3, 4)]
    for view in ("cam_a", "cam_b"):
        names = [f"{number:04d}.png" for number in range(1, pictures + 1)]
        touch(root, [f"prid_2011/multi_shot/{view}/{person}/{name}" for person in people for name in names])
    touch(root, ["prid_2011/multi_shot/cam_b/person_0749/0001.png"])
    if with_splits:
        halves = [{"train": people[:2], "test": people[2:]}, {"train": people[::2], "test": people[1::2]}]
        (root / "splits_prid2011.json").write_text(json.dumps(halves))
    return root


def last(root: Path) -> Path:
    touch(root, ["train/000001/000001_000_00001_0001_01_000.jpg", "train/000001/000001_000_00002_0001_01_001.jpg"])
    touch(root, ["val/query/005001_001_00001_0001_01_000.jpg", "val/gallery/005001/005001_001_00007_0001_01_000.jpg"])
    touch(root, [f"test/query/{name}_012_01066_1075_01_000.jpg" for name in ("010903", "010904")])
    names = ["010903_012_01067_1075_01_000", "010904_013_00001_0001_01_000", "010905_013_00001_0001_01_000"]
    return touch(root, [f"test/gallery/{name[:6]}/{name}.jpg" for name in names])


def prcc(root: Path) -> Path:
    touch(root, [f"rgb/train/001/{camera}_cropped_rgb001.jpg" for camera in "ABC"])
    for camera in "ABC":
        touch(root, [f"rgb/test/{camera}/{p}/cropped_rgb{n:03d}.jpg" for p in ("003", "005") for n in (1, 2)])
    return root


def ltcc(root: Path) -> Path:
    touch(root, ["train/000_1_c1_000001.png", "train/000_2_c3_000002.png"])
    touch(root, ["query/148_1_c3_014811.png", "query/001_1_c11_015843.png"])
    test = ["148_1_c3_014812", "148_1_c5_014813", "148_2_c6_014814", "001_1_c2_015844", "007_3_c3_000001"]
    return touch(root, [f"test/{name}.png" for name in test])


def celeb_reid(root: Path) -> Path:
    touch(root, ["train/1_1_0.jpg", "train/1_2_0.jpg", "query/633_1_0.jpg"])
    return touch(root, ["gallery/633_2_0.jpg", "gallery/634_1_0.jpg"])


def campus4k(root: Path) -> Path:
    box = "3047-1034-0270-0721"
    train = {"0001": [(1, 1, 423), (2, 5, 60000)], "0002": [(1, 3, 46410)], "0003": [(1, 2, 46409)]}
    for person, tracklets in train.items():
        for number, camera, frame in tracklets:
            names = [f"{person}_C{camera}_F{frame + n:05d}_{box}.jpg" for n in (0, 1)]
            touch(root, [f"train/{person}/{number:04d}/{name}" for name in names])
    touch(root, [f"query/0900/0001/0900_C1_F50000_{box}.jpg", f"gallery/0900/0002/0900_C4_F50500_{box}.jpg"])
    return touch(root, [f"gallery/0901/0001/0901_C4_F{frame}_{box}.jpg" for frame in (50500, 50501)])


WRITERS: dict[str, Callable[[Path], Path]] = {
    "market1501": market1501,
    "msmt17": msmt17,
    "cuhk03-detected": cuhk03_new,
    "cuhk03-labeled": lambda root: cuhk03_new(root, "labeled"),
    "cuhk03-classic-detected": cuhk03_classic,
    "cuhk03-classic-labeled": lambda root: cuhk03_classic(root, "labeled"),
    "dukemtmc-reid": dukemtmc_reid,
    "mars": mars,
    "dukemtmc-videoreid": dukemtmc_videoreid,
    "ilids-vid": ilids_vid,
    "prid2011": prid2011,
    "last": last,
    "prcc": prcc,
    "ltcc": ltcc,
    "celeb-reid": celeb_reid,
    "celebrities-reid": celeb_reid,
    "campus4k": campus4k,
}
