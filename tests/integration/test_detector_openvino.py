"""The real detector on real and drawn pictures, through OpenVINO."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import cv2
import numpy as np
import pytest

from reid_core.errors import WeightsError
from reid_core.geometry import iou_matrix
from reid_core.types import Detections
from reid_core.vision import weights as weight_files
from reid_core.vision.detector import DetectorSettings, OpenVinoDetector, load_detector
from reid_core.vision.motion import MotionGate
from reid_core.vision.video import open_source

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def weights(weights_dir):
    return weight_files.resolve("yolov8n.pt", folders=[weights_dir], cache_dir=weights_dir, fetch=False)


@pytest.fixture(scope="module")
def detector(weights, weights_dir):
    return load_detector(weights=weights, cache_dir=weights_dir, precision="f32", threads=1)


@pytest.fixture(scope="module")
def street(shared_data):
    """Every hundredth picture of a real street with people, and the boxes drawn by hand."""
    folder = shared_data / "pets09_s2l1"
    truth = np.loadtxt(folder / "gt.txt", delimiter=",")[:, :6]
    frames = [frame for frame in open_source(folder / "vtest.avi").frames() if frame.index % 100 == 0]
    return [(frame.image, truth[truth[:, 0] == frame.index + 1][:, 2:6]) for frame in frames]


def equal(a: Detections, b: Detections) -> bool:
    return np.array_equal(a.boxes_px, b.boxes_px) and np.array_equal(a.confidences, b.confidences)


def test_picture_without_people_gives_empty_arrays(detector):
    found = detector.detect(np.full((576, 768, 3), 128, np.uint8))
    assert found.boxes_px.shape == (0, 4)
    assert found.confidences.shape == (0,)


@pytest.mark.parametrize("shape", [(1, 1, 3), (10, 4000, 3), (333, 77, 3)])
def test_strange_sizes_are_taken(detector, shape):
    assert isinstance(detector.detect(np.zeros(shape, np.uint8)), Detections)


def test_what_is_no_picture_is_refused(detector):
    with pytest.raises(ValueError, match="BGR picture"):
        detector.detect(np.zeros((10, 10), np.uint8))


@pytest.mark.shared_data
def test_people_of_a_real_street_are_found(detector, street):
    hits = total = 0
    for image, truth in street:
        found = detector.detect(image)
        sure = found.boxes_px[found.confidences > 0.3].astype(np.float64)
        truth_xyxy = np.concatenate([truth[:, :2], truth[:, :2] + truth[:, 2:]], axis=1)
        hits += int((iou_matrix(truth_xyxy, sure).max(axis=1, initial=0) >= 0.5).sum())
        total += len(truth)
    assert hits / total > 0.75


@pytest.mark.shared_data
def test_boxes_are_sorted_clipped_float32_and_over_the_threshold(detector, street):
    for image, _ in street:
        found = detector.detect(image)
        assert found.boxes_px.dtype == found.confidences.dtype == np.float32
        assert (np.diff(found.confidences) <= 0).all()
        assert (found.confidences >= 0.1).all()
        assert (found.boxes_px >= 0).all()
        assert (found.boxes_px <= [768, 576, 768, 576]).all()
        assert (found.boxes_px[:, 2:] > found.boxes_px[:, :2]).all()


@pytest.mark.shared_data
def test_mirrored_picture_gives_mirrored_people(detector, street):
    image, _ = street[0]
    found, mirrored = detector.detect(image), detector.detect(np.ascontiguousarray(image[:, ::-1]))
    sure, sure_mirrored = (each.boxes_px[each.confidences > 0.6] for each in (found, mirrored))
    back = np.stack(
        [768 - sure_mirrored[:, 2], sure_mirrored[:, 1], 768 - sure_mirrored[:, 0], sure_mirrored[:, 3]], axis=1
    )
    assert iou_matrix(sure, back).max(axis=1).min() > 0.8


@pytest.mark.shared_data
def test_threads_that_share_a_detector_find_what_one_finds(detector, street):
    images = [image for image, _ in street] + [cv2.resize(image, (480, 480)) for image, _ in street[:3]]
    alone = [detector.detect(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector.detect, images * 2))
    assert all(equal(a, b) for a, b in zip(alone * 2, together, strict=True))


@pytest.mark.shared_data
def test_default_precision_finds_the_same_sure_people(detector, street, weights, weights_dir):
    quick = load_detector(weights=weights, cache_dir=weights_dir, threads=1)
    for image, _ in street:
        exact, rough = detector.detect(image), quick.detect(image)
        sure = exact.boxes_px[exact.confidences > 0.6]
        assert iou_matrix(sure, rough.boxes_px).max(axis=1).min() > 0.85


def test_size_seen_long_ago_is_compiled_again(weights, weights_dir):
    detector = load_detector(
        weights=weights, cache_dir=weights_dir, precision="f32", threads=1, settings=DetectorSettings(longest_px=320)
    )
    for height in range(32, 321, 32):
        detector.detect(np.zeros((height, 320, 3), np.uint8))
    assert len(detector.detect(np.zeros((32, 320, 3), np.uint8))) == 0


def test_precision_in_force_is_told(detector):
    assert detector.effective_precision() == "f32"


def test_damaged_network_in_the_cache_is_named(tmp_path):
    network = tmp_path / "network.xml"
    network.write_text("<net")
    detector = OpenVinoDetector(network, precision="auto", threads=1, streams=1, settings=DetectorSettings())
    with pytest.raises(WeightsError, match=r"network\.xml is damaged"):
        detector.detect(np.zeros((64, 64, 3), np.uint8))


def test_running_needs_no_torch(weights, weights_dir):
    code = f"""
import sys
from pathlib import Path
import numpy as np
from reid_core.vision.detector import load_detector
detector = load_detector(weights=Path({str(weights)!r}), cache_dir=Path({str(weights_dir)!r}), threads=1)
print(len(detector.detect(np.zeros((64, 64, 3), np.uint8))))
print(sorted({{"torch", "torchvision", "ultralytics", "timm"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.splitlines() == ["0", "[]"]


@pytest.mark.shared_data
def test_people_seen_while_the_gate_rests_are_those_of_the_last_look(detector, shared_data):
    """A real corridor: empty at first, then somebody who stands and turns."""
    clip = open_source(shared_data / "video_intel" / "one-by-one-person-detection.mp4")
    gate = MotionGate()
    empty_and_still = sum(gate.is_still(frame.image, frame.index) for frame in islice(clip.frames(), 50))
    rested, gate, carried = 0, MotionGate(), Detections.none()
    for frame in islice(clip.frames(first_index=118), 45):
        found = detector.detect(frame.image)
        if not gate.is_still(frame.image, frame.index):
            carried = found
            continue
        rested += 1
        sure = found.boxes_px[found.confidences > 0.4]
        assert iou_matrix(sure, carried.boxes_px).max(axis=1, initial=0) == pytest.approx(1, abs=0.3)
    assert empty_and_still >= 40
    assert rested >= 8


@pytest.mark.slow
def test_weights_that_are_no_detector_are_refused_in_one_line(tmp_path):
    file = tmp_path / "noise.pt"
    file.write_bytes(np.random.default_rng(0).bytes(1000))
    with pytest.raises(WeightsError) as caught:
        load_detector(weights=file, cache_dir=tmp_path / "cache")
    assert "cannot be read as YOLO weights" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "cache" / "networks").iterdir()) == []


@pytest.mark.slow
def test_weights_of_another_kind_of_network_are_refused(weights_dir, tmp_path):
    other = weight_files.resolve("mobilenet_v2-b0353104.pth", folders=[weights_dir], cache_dir=weights_dir, fetch=False)
    with pytest.raises(WeightsError, match="YOLO"):
        load_detector(weights=other, cache_dir=tmp_path)


@pytest.mark.slow
def test_two_processes_that_convert_at_once_end_with_one_network(weights, tmp_path):
    code = f"""
from pathlib import Path
from reid_core.vision.detector_export import converted_network
print(converted_network(Path({str(weights)!r}), Path({str(tmp_path)!r})))
"""
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    paths = {process.communicate(timeout=300)[0].strip() for process in both}
    assert len(paths) == 1
    assert [process.returncode for process in both] == [0, 0]
    assert len(list((tmp_path / "networks").iterdir())) == 1
