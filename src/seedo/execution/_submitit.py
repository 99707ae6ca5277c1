"""Workers that submitit starts: jobs of Slurm, or processes of this machine (extra `submitit`)."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from seedo.errors import UserError, in_one_line
from seedo.execution._task import carry_out
from seedo.execution._workers import LostWorker

_FIELD = "--executor"
_FOLDER = ".seedo-submitit"
"""Where submitit keeps its own files, below the working folder, which nodes must see."""
_OWN = ("cluster", "folder", "workers")
_PAUSE = 0.2  # seconds between looks at jobs
_USUAL = 32


class SubmititWorkers:
    """Each task is a job.

    Args:
        profile: `local` or `slurm`; or a JSON file of what `submitit.AutoExecutor.
            update_parameters` takes, with `cluster`, `folder` (of submitit's files) and `workers`
            (jobs at a time) if wanted; "": slurm where there is one.

    Raises:
        UserError: submitit is not installed, the profile cannot be read or used.
    """

    def __init__(self, profile: str) -> None:
        named = f"submitit:{profile}" if profile else "submitit"
        own, parameters = _read(profile, named)
        try:
            import submitit
        except ImportError as error:
            raise UserError(
                _FIELD, named, 'needs submitit: pip install "seedo[submitit]"'
            ) from error
        try:
            self._executor: Any = submitit.AutoExecutor(
                own.get("folder", _FOLDER), cluster=own.get("cluster")
            )
            self._executor.update_parameters(**parameters)
        except Exception as error:  # no Slurm here, an unknown parameter
            raise UserError(_FIELD, named, in_one_line(error, 160)) from error
        self._lost = submitit.core.utils.UncompletedJobError
        self.count: int = own.get("workers", _USUAL)
        self._flying: list[tuple[Any, Future[str]]] = []
        self._lock, self._over = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def submit(self, text: str) -> Future[str]:
        answer: Future[str] = Future()
        try:
            job = self._executor.submit(carry_out, text)
        except Exception as error:  # sbatch refuses it
            raise UserError(_FIELD, "submitit", in_one_line(error, 160)) from error
        with self._lock:
            self._flying.append((job, answer))
        return answer

    def _look(self) -> None:
        while not self._over.is_set():
            with self._lock:
                flying = list(self._flying)
            done = [(job, answer) for job, answer in flying if job.done()]
            with self._lock:
                self._flying = [pair for pair in self._flying if pair not in done]
            for job, answer in done:
                try:
                    answer.set_result(job.result())
                except self._lost as error:
                    answer.set_exception(LostWorker(in_one_line(error, 120)))
                except Exception as error:  # a task never raises for what it is
                    answer.set_exception(UserError(_FIELD, "submitit", in_one_line(error, 160)))
            time.sleep(_PAUSE)

    def close(self, now: bool = False) -> None:
        self._over.set()
        self._thread.join()
        if now:
            for job, _ in self._flying:
                job.cancel()


def _read(profile: str, named: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is ours in a profile, and what is submitit's."""
    if not profile or profile in ("local", "slurm", "debug"):
        return ({"cluster": profile} if profile else {}), {}
    try:
        told = json.loads(Path(profile).read_bytes())
    except (OSError, ValueError) as error:
        remedy = f"give local, slurm, or a JSON file of parameters ({in_one_line(error, 100)})"
        raise UserError(_FIELD, named, remedy) from error
    if not isinstance(told, dict):
        raise UserError(_FIELD, named, "the file must hold a JSON object of parameters")
    own = {k: told.pop(k) for k in _OWN if k in told}
    workers = own.get("workers", _USUAL)
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:
        raise UserError(f"{profile} workers", workers, "give a whole number above 0")
    return own, told
