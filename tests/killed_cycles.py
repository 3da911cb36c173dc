"""A learning cycle in a process of its own, killed again and again until it gets through."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from reid_core.learning.recipes import Recipe

_CHILD = """
import sys
from pathlib import Path
from reid_core.learning.cycle import cycle_steps, run_step
from reid_core.learning.recipes import Recipe
folder = Path(sys.argv[1])
recipe = Recipe.from_json((folder / "recipe.json").read_text())
for step in cycle_steps(recipe):
    run_step(step, folder, recipe=recipe, seed=5, weights=None, threads=1)
"""


def run_killed(folder: Path, recipe: Recipe, *, lives_s: tuple[float, float], attempts: int = 40) -> bool:
    """Whether the cycle came to its end, with seed 5 and one thread; each attempt lives for a drawn while."""
    (folder / "recipe.json").write_text(recipe.to_json())
    rng = np.random.default_rng(0)
    for _ in range(attempts):
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(folder)], env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        deadline = time.monotonic() + rng.uniform(*lives_s)
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
        if child.wait() == 0:
            return True
    return False
