"""A step of the trainer as it is, with the recipe of `real_cycle`; logs what it does for tests that kill it.

``pause_s`` of the job's options: seconds before and after the promotion, and a tenth of it after each embedding.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from real_cycle import know_tiny_recipe

from services import bootstrap, succession
from services.trainer.step import main


def run(request, tell):
    from services.trainer.steps import run_step

    folder, pause_s = Path(request["folder"]), request["options"].get("pause_s", 0.0)
    folder.mkdir(parents=True, exist_ok=True)
    know_tiny_recipe()
    _log(folder, request["step"])
    if pause_s:
        _promote_slowly(folder, pause_s)
        _embed_slowly(pause_s / 10)
    return run_step(request, tell)


def _promote_slowly(folder, pause_s):
    promote = succession.promote

    def slowly(*given, **how):
        _log(folder, "promoting")
        time.sleep(pause_s)
        done = promote(*given, **how)
        _log(folder, "promoted")
        time.sleep(pause_s)
        return done

    succession.promote = slowly


def _embed_slowly(pause_s):
    make = bootstrap.make_embedder_for

    def made(*given, **how):
        embedder = make(*given, **how)
        embed = embedder.embed

        def slowly(crops):
            time.sleep(pause_s)
            return embed(crops)

        embedder.embed = slowly
        return embedder

    bootstrap.make_embedder_for = made


def _log(folder, what):
    with (folder / "log.txt").open("a") as log:
        log.write(f"{what} {os.getpid()} {time.time()}\n")


if __name__ == "__main__":
    main(run)
    sys.exit()
