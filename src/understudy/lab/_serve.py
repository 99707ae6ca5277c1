"""Start the lab and open a browser."""

from __future__ import annotations

import socket
import sys
import threading
import webbrowser
from collections.abc import Callable

import uvicorn

from understudy.errors import UserError
from understudy.lab._app import create_app
from understudy.lab._settings import LabSettings
from understudy.lab._warm import keep_programs, warm_up


def serve(
    settings: LabSettings, browse: bool = True, say: Callable[[str], None] | None = None
) -> None:
    """Serve until interrupted.

    Args:
        settings: how.
        browse: open the first page in a browser.
        say: called with the address, once it answers.

    Raises:
        UserError: settings that cannot be used, or an address that is taken.
    """
    keep_programs()
    app = create_app(settings)
    listening = _listen(settings)
    port = listening.getsockname()[1]
    address = f"http://{_shown(settings.host)}:{port}/"
    if settings.token:
        address += f"?token={settings.token}"

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            (say or print)(f"Understudy lab: {address} (Ctrl+C stops it)")
            if settings.warm:
                threading.Thread(target=warm_up, daemon=True).start()
            if browse and sys.stdout.isatty():
                webbrowser.open(address)

    # No access log: addresses may carry the token.
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    Server(config).run(sockets=[listening])


def _listen(settings: LabSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        remedy = f"cannot listen there: {error.strerror}; try --port 0"
        raise UserError("address", f"{settings.host}:{settings.port}", remedy) from error
    return listening


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host
