"""An endpoint that is Python: a process of its own, so that it may die or hang there."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from seedo.worlds.external._command import died, kill
from seedo.worlds.external._reply import (
    LARGEST,
    EndpointError,
    NotReached,
    failed,
    read_json,
    shown,
)

_CHILD = Path(__file__).with_name("_child.py")
_START = 60.0
"""Seconds that it may take to start, at least: libraries are imported."""
_TAIL = 4_000


class Served:
    """A Python factory, function or environment in a process of its own.

    One call at a time; a process that died or was late is started anew at the next one.

    Args:
        who: its name in errors.
        opening: the request that opens it, see `_child.opened`.
        timeout: of each call, in seconds.
    """

    def __init__(self, who: str, opening: dict[str, Any], timeout: float) -> None:
        self._who, self._opening, self._timeout = who, opening, timeout
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._tail = bytearray()

    def call(self, request: dict[str, Any]) -> Any:
        """What it gives for a request, as JSON.

        Raises:
            EndpointError: it raised, died, was late or gave something that is no JSON.
        """
        with self._lock:
            if self._process is None:
                try:
                    self._start()
                except EndpointError as error:
                    raise NotReached(error.field, error.value, error.remedy) from None
            return self._asked(request, self._timeout)

    def close(self) -> None:
        """End its process."""
        with self._lock:
            self._stop()

    def _start(self) -> None:
        paths = [path for path in sys.path if path] + [os.getcwd()]
        environment = dict(os.environ) | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_CHILD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=environment, start_new_session=True,
        )  # fmt: skip
        self._lines, self._tail = queue.SimpleQueue(), bytearray()
        self._threads = [
            threading.Thread(target=target, args=(self._process, here), daemon=True)
            for target, here in ((_listen, self._lines), (_overhear, self._tail))
        ]
        for thread in self._threads:
            thread.start()
        try:
            self._asked(self._opening, max(self._timeout, _START))
        except EndpointError:
            self._stop()
            raise

    def _asked(self, request: dict[str, Any], timeout: float) -> Any:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            self._stop()
            raise failed(self._who, f"no reply within {timeout:g} s: it was stopped") from None
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            self._lost(line)
        found = read_json(self._who, line)
        if "raised" in found:
            raise failed(self._who, shown(found["raised"], 200))
        return found["gave"]

    def _lost(self, line: bytes) -> None:
        """Raises EndpointError: the process is gone, or wrote more than it may."""
        process = self._process
        assert process is not None
        if len(line) > LARGEST:
            self._stop()
            raise failed(self._who, f"its reply is larger than {LARGEST:,} bytes: it was stopped")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1.0)
        self._threads[1].join(0.5)
        code = process.poll()
        self._stop()
        how = "it hung up" if code is None else died(code, bytes(self._tail))
        raise failed(self._who, f"its process died: {how}")

    def _stop(self) -> None:
        if self._process is not None:
            kill(self._process)
            self._process = None


def _listen(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    assert process.stdout is not None
    with contextlib.suppress(ValueError, OSError):  # closed meanwhile
        while True:
            line = process.stdout.readline(LARGEST + 1)
            lines.put(line)
            if not line.endswith(b"\n"):
                return


def _overhear(process: subprocess.Popen[bytes], tail: bytearray) -> None:
    assert process.stderr is not None
    with contextlib.suppress(ValueError, OSError):
        while part := os.read(process.stderr.fileno(), 65536):
            tail += part
            del tail[:-_TAIL]
