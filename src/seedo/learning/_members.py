"""Starts processes that learn together, listens to them, and ends all when one has ended.

They are programs of their own, for JAX has to join a group before it computes anything, and brings
its process down where the group breaks: whoever asked is told in a line what has happened.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from seedo.errors import UserError
from seedo.recipes import Group

_LAST_WORDS = 2.0
"""Seconds that the others have to say what they know once one has failed."""
_KEPT = "what is saved is kept: go on with --resume"


class _Member:
    """A process, and what it has said.

    Attributes:
        joined: its number, once the group is complete.
        refusal: in the user's words. trouble: what JAX met with. done: it came to the end.
    """

    def __init__(self, group: Group, task: dict[str, Any], told: Any) -> None:
        self.group = group
        self.joined: int | None = None
        self.refusal = self.trouble = ""
        self.done = False
        self.stderr = tempfile.TemporaryFile()
        path = os.pathsep.join(part for part in sys.path if part)
        # In a session of its own: a Ctrl-C is for whoever asked, who ends them all.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "seedo.learning._member"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.stderr,
            env=dict(os.environ) | {"PYTHONPATH": path}, start_new_session=True,
        )  # fmt: skip
        self.listener = threading.Thread(target=self._listen, args=(told,), daemon=True)
        self.listener.start()
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has gone: its end is heard of
            self.process.stdin.write(json.dumps(task | {"group": asdict(group)}).encode() + b"\n")
            self.process.stdin.flush()

    def _listen(self, told: Callable[[_Member, dict[str, Any] | None], None]) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith(b"\n"):
                told(self, json.loads(line))
        self.process.wait()
        told(self, None)

    def end(self) -> None:
        """Whatever it is doing; the folder is whole at every moment."""
        self.process.kill()
        self.process.wait()
        self.listener.join()
        with contextlib.suppress(OSError):
            assert self.process.stdin is not None
            self.process.stdin.close()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.stderr.close()

    def name(self) -> str:
        number, count = self.group.process_id, self.group.processes
        return "this process" if number is None else f"process {number} of {count}"

    def written(self) -> str:
        """The end of what it wrote to stderr."""
        self.stderr.seek(0)
        return self.stderr.read().decode(errors="replace")[-4000:]


def start(
    group: Group, devices: int, job: dict[str, Any], progress: Callable[[dict[str, Any]], Any]
) -> bool:
    """Have a job done by the processes of a group that are to run here; whether 0 is among them.

    Args:
        devices: of each. job: as JSON. progress: is given what process 0 reports.

    Raises:
        UserError: what one of them refuses, or how the group broke.
    """
    heard: queue.SimpleQueue[tuple[_Member, dict[str, Any] | None]] = queue.SimpleQueue()
    members: list[_Member] = []
    task = {"devices": devices, "together_here": group.coordinator is None, "job": job}
    try:
        for each in _of_this_machine(group):
            members.append(_Member(each, task, lambda *news: heard.put(news)))
        return _until_done(members, heard, progress)
    finally:
        for member in members:
            member.end()


def _of_this_machine(group: Group) -> list[Group]:
    """The group as each of its processes that are started here sees it."""
    if group.coordinator is not None:
        return [group]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    assert group.processes is not None
    return [
        Group(group.processes, address, number, group.join_within)
        for number in range(group.processes)
    ]


def _until_done(
    members: list[_Member], heard: Any, progress: Callable[[dict[str, Any]], Any]
) -> bool:
    first, left, until = False, len(members), None
    while left:
        try:
            patience = None if until is None else max(0.0, until - time.monotonic())
            member, news = heard.get(timeout=patience)
        except queue.Empty:
            break
        if news is None:
            left -= 1
            failed = not member.done
        else:
            failed = bool(news.keys() & {"refusal", "trouble"})
            for name in news.keys() & {"joined", "refusal", "trouble", "done"}:
                setattr(member, name, news[name])
            first |= news.get("joined") == 0
            if "report" in news:
                progress(news["report"])
        if failed and until is None:
            until = time.monotonic() + _LAST_WORDS
    if until is not None:
        _explain(members)
    return first


def _explain(members: list[_Member]) -> None:
    """Raises UserError about what has gone wrong first, as far as can be told."""
    for member in members:
        if member.refusal:
            field, _, remedy = member.refusal.partition(": ")
            raise UserError(field, None, remedy)
    codes = [(member, member.process.poll()) for member in members]
    for member, code in codes:
        if member.trouble or member.done or code in (None, 0, -signal.SIGABRT):
            continue
        if code < 0:
            died = f"died of signal {-code} ({signal.Signals(-code).name})"
            raise UserError(member.name(), None, f"{died}; the others were ended; {_KEPT}")
        raise RuntimeError(f"{member.name()} ended with {code}:\n{member.written()}")
    for member, code in codes:
        if code == -signal.SIGABRT and member.joined is None:
            raise UserError("coordinator", member.group.coordinator, _not_there(member.group))
    for member, _ in codes:
        if member.trouble:
            raise UserError(member.name(), None, f"lost the others ({member.trouble}); {_KEPT}")
    raise UserError(members[0].name(), None, f"was ended by JAX: another one is gone; {_KEPT}")


def _not_there(group: Group) -> str:
    return (
        f"not all {group.processes or ''} processes were there within {group.join_within:g} "
        "seconds: start all of them, with one address that they can reach, and a number each"
    )
