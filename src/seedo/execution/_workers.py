"""Whoever carries tasks out: processes of this machine, or a pool of somebody else's."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from typing import Protocol

from seedo.errors import UserError
from seedo.execution._task import carry_out


class LostWorker(RuntimeError):
    """A worker died under its task, which can be handed out again."""


class Workers(Protocol):
    """Takes tasks as text and answers as `carry_out` does.

    Attributes:
        count: how many tasks are done at a time, as far as is known.
    """

    @property
    def count(self) -> int: ...

    def submit(self, text: str) -> Future[str]:
        """The answer to come; `LostWorker` where it never will."""
        ...

    def close(self, now: bool = False) -> None:
        """Let go of the workers; `now`: whatever they are doing."""
        ...


_UNKNOWN = 64


class Pool:
    """Any `concurrent.futures.Executor` as workers; whoever made it closes it.

    Args:
        executor: it must be able to send a function of Seedo's and a text.
        count: of its workers, if it is known.
    """

    def __init__(self, executor: Executor, count: int = _UNKNOWN) -> None:
        self._executor, self.count = executor, count

    def submit(self, text: str) -> Future[str]:
        try:
            return self._executor.submit(carry_out, text)
        except BrokenExecutor as error:
            name = type(self._executor).__name__
            remedy = "a worker died, and it takes no more work: open another, go on with resume"
            raise UserError("executor", name, remedy) from error

    def close(self, now: bool = False) -> None:
        """Leaves the executor as it is."""


class Processes:
    """Processes of this machine. One that dies is replaced; none outlives its task when this
    process dies.

    Args:
        count: how many.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._threads = ThreadPoolExecutor(count, "worker")
        self._own = threading.local()
        self._started: list[subprocess.Popen[bytes]] = []
        self._closed = False

    def submit(self, text: str) -> Future[str]:
        return self._threads.submit(self._ask, text)

    def _ask(self, text: str) -> str:
        process = getattr(self._own, "process", None) or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(text.encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:  # it has gone
            answer = b""
        if not answer.endswith(b"\n"):
            self._own.process = None
            raise LostWorker(f"process {process.pid} ended with {process.wait()}")
        return answer.decode()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise LostWorker("closed")
        # A program of its own, not a copy of this one: nothing that was set up here is in the way.
        self._own.process = process = subprocess.Popen(
            [sys.executable, "-m", "seedo.execution._serve"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment(),
        )  # fmt: skip
        self._started.append(process)
        return process

    def close(self, now: bool = False) -> None:
        self._closed = True
        if now:
            for process in self._started:
                process.kill()
        self._threads.shutdown(cancel_futures=now)
        for process in self._started:
            with contextlib.suppress(OSError):
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None:
                        pipe.close()
            process.wait()


def _environment() -> dict[str, str]:
    """That of this process; what can be imported here can be there."""
    path = os.pathsep.join(part for part in sys.path if part)
    return dict(os.environ) | {"PYTHONPATH": path}
