"""torchvision can be imported whether or not its compiled operators load; each case in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

REFUSE = """
import torch
def refuse(path): raise OSError("built for another torch")
torch.ops.load_library = refuse
"""
ACCEPT = """
import torch
torch.ops.load_library = lambda path: None
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_operators_that_do_not_load_are_replaced():
    out = run(
        REFUSE
        + """
from reid_core.vision.torch_compat import install
print(install(), install())
import torchvision
boxes = torch.tensor([[0., 0., 10., 10.], [20., 0., 30., 10.], [0., 0., 10., 9.], [0., 0., 10., 4.]])
print(torchvision.ops.nms(boxes, torch.tensor([0.5, 0.6, 0.9, 0.8]), 0.5).tolist())
print(torchvision.ops.nms(boxes[:0], torch.zeros(0), 0.5).tolist())
"""
    )
    assert out.splitlines() == ["True True", "[2, 3, 1]", "[]"]


def test_operators_that_load_are_left_alone():
    out = run(
        ACCEPT
        + """
import sys
from reid_core.vision.torch_compat import install
print(install(), "torchvision" in sys.modules)
"""
    )
    assert out == "False False"


@pytest.mark.slow
def test_ultralytics_and_timm_can_be_imported_on_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))
    out = run(
        """
from reid_core.vision.torch_compat import install
install()
import timm, torchvision, ultralytics
import torch
boxes = torch.tensor([[0., 0., 10., 10.], [0., 0., 10., 9.]])
print("kept", torchvision.ops.nms(boxes, torch.tensor([0.5, 0.6]), 0.5).tolist())
"""
    )
    assert out.splitlines()[-1] == "kept [1]"
