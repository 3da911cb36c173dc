"""Nothing leaves an installation unasked."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import os, socket, sys
os.environ.pop("CI", None)
os.environ["HOME"] = sys.argv[1]

def refuse(*given):
    print("asked for:", *given, flush=True)
    raise OSError("there is no way out")

socket.getaddrinfo = socket.socket.connect = refuse
os.fork = lambda: refuse("fork")
import reid_core
import openvino
assert openvino.Core() is not None
"""


def test_openvino_neither_reports_its_use_nor_copies_the_process(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == [], "no mark by which it could be told again"
