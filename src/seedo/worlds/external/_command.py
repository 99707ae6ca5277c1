"""An endpoint that is a command: started for every call, JSON in on stdin, JSON out on stdout."""

from __future__ import annotations

import json
import os
import selectors
import shlex
import signal
import subprocess
import time
from typing import Any

from seedo.errors import UserError
from seedo.worlds.external._reply import LARGEST, NotReached, failed, read_json, shown

_TAIL = 4_000
"""Bytes of what it complained about that are kept."""
_LOOK = 0.05
"""Seconds between looks at whether it still runs."""


def read_command(text: str) -> list[str]:
    """A command's words; no shell reads them.

    Raises:
        UserError: there is none, or a quotation mark is left open.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        raise UserError("command", text, "close the quotation mark") from None
    if not words:
        raise UserError("command", text, "give a command, e.g. cmd:python rig.py")
    return words


def call(words: list[str], given: dict[str, Any] | None, timeout: float, seed: int | None) -> Any:
    """The JSON object that a command writes, given one or nothing on stdin.

    It is a group of processes of its own, killed as one when it is late or done.

    Raises:
        EndpointError: it cannot be started, is late, dies, or writes anything else.
    """
    who = shown(shlex.join(words))
    environment = dict(os.environ) | ({} if seed is None else {"SEEDO_SEED": str(seed)})
    try:
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment, start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise NotReached(who, None, f"it cannot be started: {shown(why)}") from None
    try:
        raw, tail, ended = _answer(process, b"" if given is None else _line(given), timeout)
    finally:
        kill(process)
    if not ended:
        raise failed(who, f"no whole reply within {timeout:g} s: it was stopped")
    if len(raw) > LARGEST:
        raise failed(who, f"its reply is larger than {LARGEST:,} bytes: it was stopped")
    if process.returncode:
        raise failed(who, died(process.returncode, tail))
    return read_json(who, raw)


def died(code: int, tail: bytes) -> str:
    """How a process ended, with the last line that it complained about."""
    if code < 0:
        try:
            how = f"it was killed by {signal.Signals(-code).name}"
        except ValueError:
            how = f"it was killed by signal {-code}"
    else:
        how = f"it ended with exit code {code}"
    lines = [line for line in tail.decode(errors="replace").splitlines() if line.strip()]
    return f"{how}: {shown(lines[-1], 160)}" if lines else how


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process, and all that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            try:
                stream.close()
            except OSError:
                pass  # what was not yet written to it


def _line(given: dict[str, Any]) -> bytes:
    return json.dumps(given).encode() + b"\n"


def _answer(
    process: subprocess.Popen[bytes], given: bytes, timeout: float
) -> tuple[bytes, bytes, bool]:
    """Its output, the end of its complaints, and whether it ended, or wrote too much, in time."""
    assert process.stdin
    assert process.stdout
    assert process.stderr
    deadline = time.monotonic() + timeout
    found, tail = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        os.set_blocking(process.stdin.fileno(), False)
        if given:
            selector.register(process.stdin, selectors.EVENT_WRITE)
        else:
            process.stdin.close()
        selector.register(process.stdout, selectors.EVENT_READ)
        selector.register(process.stderr, selectors.EVENT_READ)
        while process.stdout in {key.fileobj for key in selector.get_map().values()}:
            left = deadline - time.monotonic()
            if left <= 0:
                return bytes(found), bytes(tail), False
            ready = selector.select(min(left, _LOOK))
            if not ready and process.poll() is not None:
                ready = selector.select(0)  # what it wrote between the look and its end
                if not ready:
                    break  # something that it started still holds the pipe
            for key, _ in ready:
                if key.fileobj is process.stdin:
                    given = _written(process.stdin, given)
                    if not given:
                        selector.unregister(process.stdin)
                        _closed(process.stdin)
                    continue
                part = os.read(key.fd, 65536)
                if not part:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stdout:
                    found += part
                    if len(found) > LARGEST:
                        return bytes(found), bytes(tail), True
                else:
                    tail = (tail + part)[-_TAIL:]
    try:
        process.wait(max(deadline - time.monotonic(), 0.0))
    except subprocess.TimeoutExpired:
        return bytes(found), bytes(tail), False
    return bytes(found), bytes(tail + _rest(process.stderr)), True


def _written(stream: Any, given: bytes) -> bytes:
    """What is left to be written; nothing, where nobody reads any more."""
    try:
        return given[os.write(stream.fileno(), given) :]
    except BlockingIOError:
        return given
    except OSError:
        return b""


def _closed(stream: Any) -> None:
    try:
        stream.close()
    except OSError:
        pass  # nobody reads it any more


def _rest(stream: Any) -> bytes:
    """What can be read from a pipe without waiting."""
    os.set_blocking(stream.fileno(), False)
    try:
        return os.read(stream.fileno(), 65536)[-_TAIL:]
    except OSError:
        return b""
