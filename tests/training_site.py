"""An installation whose jobs run steps made for tests, with workers in processes of their own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from services.storage.jobs import JobRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from services.settings import Settings
    from services.storage.job_records import Job
    from services.storage.session import Database

_WORKER = Path(__file__).with_name("training_worker.py")
PATIENCE_S = 120.0


@dataclass
class TrainingSite:
    """An installation and the workers that a test has started on it.

    ``step`` does the steps: the training cycle in miniature (`training_step`), or the real one (`real_step`).
    """

    settings: Settings
    database: Database
    logs: Path
    step: str = "training_step.py"
    workers: list[subprocess.Popen] = field(default_factory=list)

    def ask(self, *, recipe: str = "tiny", **options) -> Job:
        """A job that behaves as ``options`` say; see `training_step`."""
        with self.database.write() as session:
            return JobRepository(session).add("train", recipe=recipe, options={"seed": 3, **options}, author="test")

    def read(self, job: Job) -> Job:
        with self.database.read() as session:
            return JobRepository(session).by_id(job.job_id)

    def jobs(self) -> tuple[Job, ...]:
        with self.database.read() as session:
            return JobRepository(session).list().items

    def cancel(self, job: Job) -> Job:
        with self.database.write() as session:
            return JobRepository(session).cancel(job.job_id)

    def retry(self, job: Job) -> Job:
        with self.database.write() as session:
            return JobRepository(session).retry(job.job_id)

    def folder(self, job: Job) -> Path:
        return self.settings.jobs_dir / str(job.job_id)

    def steps_started(self, job: Job) -> list[tuple[str, int]]:
        """Each start of a step's process: its name and process id."""
        log = self.folder(job) / "log.txt"
        lines = log.read_text().splitlines() if log.exists() else []
        return [(line.split()[0], int(line.split()[1])) for line in lines]

    def start(self, name: str = "worker-1", **settings) -> subprocess.Popen:
        given = {"settings": self.settings.model_dump(mode="json") | settings, "name": name}
        given["step"] = str(_WORKER.with_name(self.step))
        log = (self.logs / f"{name}.log").open("ab")
        with log:
            worker = subprocess.Popen([sys.executable, str(_WORKER), json.dumps(given)], stdout=log, stderr=log)
        self.workers.append(worker)
        return worker

    @contextmanager
    def worker(self, name: str = "worker-1", **settings) -> Iterator[subprocess.Popen]:
        """A worker that is told to end with the block."""
        worker = self.start(name, **settings)
        try:
            yield worker
        finally:
            end(worker)

    def wait(
        self,
        job: Job,
        until: Callable[[Job], bool] = lambda job: job.state.is_final,
        *,
        patience_s: float = PATIENCE_S,
    ) -> Job:
        """The job once it is as it should be."""
        found = [job]

        def look() -> bool:
            found[0] = self.read(job)
            return until(found[0])

        wait_for(look, tell=lambda: f"{found[0]}\n{self.tail()}", patience_s=patience_s)
        return found[0]

    def tail(self) -> str:
        return "\n".join(f"== {log.name}\n{log.read_text()[-3000:]}" for log in sorted(self.logs.glob("*.log")))

    def close(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
                worker.wait()


def end(worker: subprocess.Popen) -> int:
    """Ask a worker to end, and its exit code."""
    if worker.poll() is None:
        worker.send_signal(signal.SIGTERM)
    return worker.wait(timeout=30)


def wait_for(condition: Callable[[], bool], *, tell: Callable[[], str] = lambda: "", patience_s: float = PATIENCE_S):
    deadline_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline_s, f"it did not come about in time; {tell()}"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    """True for a process that has ended, even if nobody has asked for its exit code yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def undisturbed_value(site, **options):
    """The final metric of a job of the same seed that nothing disturbs."""
    job = site.ask(**{**options, "pause_s": 0.0, "deaths": {}, "passing": {}, "failures": {}})
    with site.worker():
        return site.wait(job).result["value"]
