"""A training cycle in miniature, for tests of the trainer: real processes and checkpoints, a sum instead of a network.

Run as a step's command. ``options`` of the job say how it behaves:

- ``iterations``: of each of the two learning steps; ``pause_s``: after each iteration;
- ``failures``: step name -> how many times it fails, ``passing`` -> the same with a failure that passes;
- ``deaths``: step name -> how many times its process kills itself half way;
- ``steps``: what the first step says comes after it.

The one step of a job that makes missing vectors (``embed``) is the real one, over colours for a network.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
from generation_site import TurnedColour

from reid_core.errors import StorageError, TooLittleToLearnError
from services import bootstrap
from services.trainer.step import main

STEPS = ["learn-1", "learn-2", "promote"]


def run(request, tell):
    folder, options, step = Path(request["folder"]), request["options"], request["step"]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log.txt").open("a") as log:
        log.write(f"{step} {os.getpid()} {time.time()}\n")
    if _times(folder, f"failed-{step}") < options.get("failures", {}).get(step, 0):
        _count(folder, f"failed-{step}")
        raise TooLittleToLearnError("one camera only")
    if _times(folder, f"passing-{step}") < options.get("passing", {}).get(step, 0):
        _count(folder, f"passing-{step}")
        raise StorageError("out of reach")
    if step == "embed":
        return _embed(request, tell)
    if step == "prepare":
        return {"steps": options.get("steps", STEPS)}
    if step == "promote":
        last = json.loads((folder / "learn-2.json").read_text())
        return {"promoted": True, "reason": "better", "value": last["value"]}
    return _learn(step, folder, request, tell)


def _embed(request, tell):
    """The real step, with colours for a model."""
    from services.trainer.steps import run_step

    bootstrap.make_embedder_for = lambda _settings, _database, model_id: TurnedColour(model_id)
    return run_step(request, tell)


def _learn(step, folder, request, tell):
    options = request["options"]
    iterations, place = options.get("iterations", 20), STEPS.index(step)
    checkpoint = folder / f"{step}.json"
    before = folder / f"{STEPS[place - 1]}.json" if place else None
    state = {"iteration": 0, "value": json.loads(before.read_text())["value"] if before else 0.0}
    if checkpoint.exists():
        state = json.loads(checkpoint.read_text())
    for iteration in range(state["iteration"], iterations):
        if iteration == iterations // 2 and _times(folder, f"died-{step}") < options.get("deaths", {}).get(step, 0):
            _count(folder, f"died-{step}")
            os.kill(os.getpid(), signal.SIGKILL)
        draw = np.random.default_rng([options["seed"], place, iteration]).normal()
        state = {"iteration": iteration + 1, "value": 0.9 * state["value"] + draw}
        partial = checkpoint.with_suffix(".partial")
        partial.write_text(json.dumps(state))
        partial.replace(checkpoint)
        tell.progress(iteration + 1, iterations, {"value": state["value"]})
        time.sleep(options.get("pause_s", 0.0))
    return {"metrics": {"value": state["value"]}}


def _times(folder, name):
    file = folder / name
    return len(file.read_text()) if file.exists() else 0


def _count(folder, name):
    with (folder / name).open("a") as file:
        file.write("x")


if __name__ == "__main__":
    main(run)
    sys.exit()
