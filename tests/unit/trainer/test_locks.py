from __future__ import annotations

import subprocess
import sys

import pytest

from reid_core.errors import InputError, WorkerBusyError
from services.trainer.locks import is_worker_alive, lock_if_free, worker_lock


def test_one_worker_of_a_name_at_a_time(tmp_path):
    assert not is_worker_alive(tmp_path, "worker-1")
    with worker_lock(tmp_path, "worker-1"):
        assert is_worker_alive(tmp_path, "worker-1")
        with pytest.raises(WorkerBusyError, match="needs another --name"), worker_lock(tmp_path, "worker-1"):
            pass
        with worker_lock(tmp_path, "worker-2"):
            assert is_worker_alive(tmp_path, "worker-2")
    assert not is_worker_alive(tmp_path, "worker-1")


@pytest.mark.parametrize("name", ["", "../x", "a b", "-x", "x" * 65])
def test_a_name_that_is_no_plain_word_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="a worker's name is 1 to 64"), worker_lock(tmp_path, name):
        pass


def test_a_dead_process_holds_no_lock(tmp_path):
    code = (
        "import sys, os, pathlib; from services.trainer.locks import lock_if_free\n"
        "with lock_if_free(pathlib.Path(sys.argv[1])) as ours: print(ours, flush=True); os.kill(os.getpid(), 9)"
    )
    file = tmp_path / "a.lock"
    held = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=False)
    assert held.stdout.strip() == "True"
    with lock_if_free(file) as ours:
        assert ours
        with lock_if_free(file) as others:
            assert not others
