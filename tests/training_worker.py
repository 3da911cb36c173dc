"""A worker in a process of its own; its settings, its name and the script that does its steps come as JSON."""

from __future__ import annotations

import json
import sys

from services.cli.children import ending_with_us
from services.observability import configure_logging
from services.settings import Settings
from services.trainer.worker import run_worker

if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    configure_logging("INFO")
    with ending_with_us():
        run_worker(Settings(**given["settings"]), name=given["name"], command=(sys.executable, given["step"]))
