"""Our network finds what ultralytics' own prediction finds, box for box."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from reid_core.geometry import iou_matrix
from reid_core.vision import weights as weight_files
from reid_core.vision.detector import load_detector
from reid_core.vision.video import open_source

pytestmark = [pytest.mark.weights, pytest.mark.shared_data, pytest.mark.slow]

FRAMES = range(0, 795, 53)
PEER = """
import sys
import numpy as np
from reid_core.vision import torch_compat
torch_compat.install()
import ultralytics
ultralytics.settings.update({"sync": False})
model = ultralytics.YOLO(sys.argv[1])
images = np.load(sys.argv[2])
rows = []
for number, image in enumerate(images):
    boxes = model.predict(image, imgsz=640, conf=0.1, iou=0.7, classes=[0], verbose=False, device="cpu")[0].boxes
    rows.append(np.column_stack([np.full(len(boxes), number), boxes.xyxy.numpy(), boxes.conf.numpy()]))
np.save(sys.argv[3], np.concatenate(rows))
"""


@pytest.fixture(scope="module")
def weights(weights_dir):
    return weight_files.resolve("yolov8n.pt", folders=[weights_dir], cache_dir=weights_dir, fetch=False)


@pytest.fixture(scope="module")
def images(shared_data):
    source = open_source(shared_data / "pets09_s2l1" / "vtest.avi")
    return [frame.image for frame in source.frames() if frame.index in FRAMES]


@pytest.fixture(scope="module")
def theirs(weights, images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("peer")
    np.save(folder / "images.npy", np.stack(images))
    environment = {
        "YOLO_CONFIG_DIR": str(folder),
        "YOLO_OFFLINE": "1",
        "YOLO_AUTOINSTALL": "0",
        "ULTRALYTICS_SAFE_LOAD": "1",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-c", PEER, weights, folder / "images.npy", folder / "found.npy"]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300)
    found = np.load(folder / "found.npy")
    return [found[found[:, 0] == number, 1:] for number in range(len(images))]


@pytest.mark.parametrize("backend", ["openvino", "torch:cpu"])
def test_boxes_and_confidences_equal_ultralytics(weights, weights_dir, images, theirs, backend):
    ours = load_detector(weights=weights, cache_dir=weights_dir, backend=backend, precision="f32", threads=1)
    for image, expected in zip(images, theirs, strict=True):
        found = ours.detect(image)
        assert len(found) == len(expected)
        nearest = iou_matrix(expected[:, :4], found.boxes_px.astype(np.float64)).argmax(axis=1)
        assert found.boxes_px[nearest] == pytest.approx(expected[:, :4], abs=0.05)
        assert found.confidences[nearest] == pytest.approx(expected[:, 4], abs=1e-3)


@pytest.mark.gpu
def test_gpu_finds_the_same_sure_people(weights, weights_dir, images, theirs):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    ours = load_detector(weights=weights, cache_dir=weights_dir, backend="torch:cuda")
    for image, expected in zip(images, theirs, strict=True):
        found = ours.detect(image)
        sure = expected[expected[:, 4] > 0.6, :4]
        assert iou_matrix(sure, found.boxes_px.astype(np.float64)).max(axis=1).min() > 0.9
