"""A training job on a disk that fills while it learns: ``python full_disk_child.py DISK ELSEWHERE UNTIL``.

``DISK`` is a small file system that holds the whole installation; ``UNTIL`` is the step that the job is watched up to
once there is room again, or ``end``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from real_cycle import COLD, standing, store_people
from training_site import TrainingSite, wait_for

from services import bootstrap
from services.settings import Settings

_LEFT = 1_500_000  # bytes: enough for the databases to go on, too little for a checkpoint
_PATIENCE_S = 240.0


def main(disk: str, elsewhere: str, until: str) -> None:
    """Say on standard output, as JSON, how it went."""
    ballast, logs = Path(disk) / "ballast", Path(elsewhere) / "logs"
    logs.mkdir()
    settings = Settings(data_dir=Path(disk) / "data", weights_dir=Path(elsewhere) / "weights", threads=1)
    with bootstrap.open_database(settings) as database:
        site = TrainingSite(settings, database, logs, "real_step.py")
        store_people(database, bootstrap.open_blobs(settings))
        job = site.ask()
        try:
            with site.worker():
                wait_for((site.folder(job) / "results" / "prepare.json").exists, tell=site.tail, patience_s=_PATIENCE_S)
                ballast.write_bytes(bytes(_free(disk) - _LEFT))
                failed = site.wait(job, patience_s=_PATIENCE_S)
                told = {"state": failed.state.value, "error": failed.error, "standing": _states(database)}
                ballast.unlink()
                site.retry(job)
                went_on = site.wait(job, lambda job: job.state.is_final or job.step == until, patience_s=_PATIENCE_S)
            told |= {"then": went_on.state.value, "step": went_on.step, "attempt": went_on.attempt}
            told |= {"after": _states(database), "started": [step for step, _ in site.steps_started(job)]}
        finally:
            site.close()
    print(json.dumps(told))


def _free(disk: str) -> int:
    room = os.statvfs(disk)
    return room.f_bavail * room.f_frsize


def _states(database) -> dict[str, str]:
    return {"cold" if name == COLD else "learned": one.state for name, one in standing(database).items()}


if __name__ == "__main__":
    main(*sys.argv[1:])
