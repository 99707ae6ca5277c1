"""One writer at a time to a folder of a store, where there are no locks."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seedo.errors import FolderBusy, UserError
from seedo.storage._store import StorePlace

NAME = "writing.json"
"""The object, in the folder, for as long as somebody writes there."""
RENEWED = 5.0
"""Seconds between two renewals."""
STALE = 30.0
"""Seconds without a renewal after which its holder counts as dead."""


class Lease:
    """An object that only one process can have made, which it renews while it lives.

    Whether another still lives is seen by waiting for a renewal, up to `STALE` seconds: clocks of
    two machines are not compared. Of a process of this machine it is known at once.

    Args:
        folder: which.
        warn: gets a line where one has to wait.

    Raises:
        UserError: another process holds it, or the store fails.
    """

    def __init__(self, folder: StorePlace, warn: Callable[[str], None] | None = None) -> None:
        self._folder, self._object = folder, folder / NAME
        self._about = {"holder": os.urandom(8).hex(), **_here()}
        self._beat, self._lost = 0, False
        self._lock, self._over = threading.Lock(), threading.Event()
        while not self._object.create(self._text()):
            if (other := self._read()) is not None:
                self._await_death(other, warn)
                if self._object.replace(other, self._text()):
                    break
        self._renewed = time.monotonic()
        self._thread = threading.Thread(target=self._renew_often, name="lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises UserError where this process holds it no longer, or cannot know."""
        if time.monotonic() - self._renewed > STALE / 2:
            self._renew()
        if self._lost:
            remedy = "another job has taken this folder over, since nothing was heard of this one: "
            raise UserError(str(self._folder), None, remedy + "let it finish")

    def release(self) -> None:
        """Let others in."""
        self._over.set()
        self._thread.join()
        with contextlib.suppress(UserError, OSError):
            if _parsed(self._read() or b"").get("holder") == self._about["holder"]:
                self._object.unlink(missing_ok=True)

    def _renew_often(self) -> None:
        while not self._over.wait(RENEWED) and not self._lost:
            with contextlib.suppress(UserError):  # said by `check`, when something is written
                self._renew()

    def _renew(self) -> None:
        with self._lock:
            # Where no answer comes, the next try finds the old text or the new one.
            if self._object.replace(self._text(), self._text(self._beat + 1)):
                self._beat += 1
            else:
                self._lost = True
            self._renewed = time.monotonic()

    def _read(self) -> bytes | None:
        try:
            return self._object.read_bytes()
        except FileNotFoundError:
            return None

    def _text(self, beat: int | None = None) -> bytes:
        return json.dumps(self._about | {"beat": self._beat if beat is None else beat}).encode()

    def _await_death(self, other: bytes, warn: Callable[[str], None] | None) -> None:
        """Returns when the holder counts as dead; UserError if it lives."""
        about = _parsed(other)
        who = f"process {about.get('process')} of {about.get('host')}"
        if not _died_here(about):
            if warn is not None:
                warn(f"{self._folder}: waiting up to {STALE:g} s to see if {who} still writes here")
            until = time.monotonic() + STALE
            while time.monotonic() < until:
                time.sleep(min(1.0, RENEWED / 2))
                if (now := self._read()) is None:
                    return
                if now != other:
                    remedy = f"another job is writing to this folder ({who}): wait for it or "
                    raise FolderBusy(str(self._folder), None, remedy + "choose another")


def _here() -> dict[str, Any]:
    return {"host": socket.gethostname(), "machine": _machine(), "process": os.getpid()}


def _machine() -> str:
    """What processes have in common that see each other by number; "" where that is not known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _died_here(about: dict[str, Any]) -> bool:
    """Whether a holder was a process of this machine, and is no more."""
    process = about.get("process")
    if not about.get("machine") or about["machine"] != _machine():
        return False
    if not isinstance(process, int) or process < 1:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False
