"""Start the lab and open a browser."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from seedo import programs
from seedo.errors import UserError
from seedo.lab._addresses import bracketed, reachable
from seedo.lab._app import create_app
from seedo.lab._security import private_folder
from seedo.lab._settings import LabSettings
from seedo.lab._warm import stay_light, warm_up

HEADER_SECONDS = 20.0
"""How long a client may take to say what it wants."""


def serve(
    settings: LabSettings, browse: bool = True, say: Callable[[str], None] | None = None
) -> None:
    """Serve until interrupted.

    Args:
        settings: how.
        browse: open the first page in a browser.
        say: called with the address, once it answers.

    Raises:
        UserError: settings that cannot be used, a folder that another lab is using, or an address
            that is taken.
    """
    os.umask(0o077)  # games and responses are nobody else's business on this machine
    private_folder(settings.data)
    with _alone(settings.data) as lock, _listen(settings) as listening:
        address = _address(settings, listening.getsockname()[1])
        lock(address)
        programs.keep()
        app = create_app(settings)
        background = app.state.lab.background
        entry = address + (f"?token={settings.token}" if settings.token else "")

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                (say or print)(f"Seedo lab: {entry} (Ctrl+C stops it)")
                background.start("staying light", stay_light)
                if settings.warm and settings.study is None:  # else its participants come first
                    background.start("warming up", lambda job: warm_up())
                if browse and sys.stdout.isatty():
                    webbrowser.open(entry)

        config = uvicorn.Config(
            app,
            http=Punctual,
            ws="none",
            log_level="warning",
            access_log=False,  # addresses may carry the token
            server_header=False,
            timeout_graceful_shutdown=2,  # a page that is watching would hold it up for ever
        )
        with suppress(KeyboardInterrupt):  # the usual way to stop it; whether it gets here varies
            Server(config).run(sockets=[listening])
        background.close(patience=0.1)
        _leave_if_busy()


def _leave_if_busy() -> None:
    """End the process at once if a thread is still at work.

    A thread that compiles cannot be stopped, and Python's own way out would wait for it, or abort
    as it pulls the floor from under it. What counts is on disk: every commit is synced.
    """
    if threading.active_count() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


class Punctual(H11Protocol):
    """Hangs up on clients that connect and then take their time to ask."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:  # a part of the headers
            self._wait()
        else:
            self._relax()

    def connection_lost(self, exc: Exception | None) -> None:
        self._relax()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


@contextmanager
def _alone(folder: Path) -> Iterator[Callable[[str], Any]]:
    """Hold the folder against a second lab; yields how to leave the address for it to name.

    Raises:
        UserError: another lab holds it.
    """
    with open(folder / "running", "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            remedy = f"a lab is already running with it, at {file.read(200) or 'some address'}"
            raise UserError("data", str(folder), f"{remedy}; or name another --data") from error
        except OSError:
            pass  # a file system without locks

        def leave(address: str) -> None:
            file.truncate(0)
            file.write(address)
            file.flush()

        yield leave


def _listen(settings: LabSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    shown = f"{bracketed(settings.host)}:{settings.port}"
    try:
        listening.bind((settings.host, settings.port))
        listening.listen(socket.SOMAXCONN)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            remedy = "another program, or another lab, listens there: use --port 0"
        else:
            remedy = f"cannot listen there: {error.strerror}"
        raise UserError("address", shown, remedy) from error
    return listening


def _address(settings: LabSettings, port: int) -> str:
    """Where a browser finds the lab: with a slash at the end."""
    if settings.public is not None:
        return settings.public.rstrip("/") + "/"
    host = reachable() if settings.everywhere else settings.host
    return f"http://{bracketed(host)}:{port}/"
