"""An endpoint at an address: GET for what it is, POST for a run."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from seedo.errors import UserError
from seedo.worlds.external._reply import LARGEST, NotReached, failed, read_json, shown


def check_address(address: str) -> None:
    """Raises UserError unless an address can be called."""
    try:
        parts = urlsplit(address)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname)
        port = parts.port
    except ValueError:
        whole, port = False, None
    if not whole or port == 0 or any(not c.isprintable() or c == " " for c in address):
        raise UserError("address", address, "write it like http://127.0.0.1:8000")
    if parts.username is not None or parts.password is not None:
        raise UserError("address", parts.hostname, "leave name and password out of it")


def call(address: str, given: dict[str, Any] | None, timeout: float, seed: int | None) -> Any:
    """The JSON object that an address gives: for a GET, or a POST of `given`.

    The time-out is for the whole call, however slowly the bytes come. Nothing is tried twice, no
    redirect is followed, no proxy asked.

    Raises:
        EndpointError: anything else than one JSON object in time.
    """
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    assert parts.hostname is not None
    connection = kind(parts.hostname, parts.port, timeout=timeout)
    late = threading.Event()
    begun = time.monotonic()
    timer = None
    try:
        connection.connect()
    except (OSError, http.client.HTTPException, ValueError) as error:
        connection.close()
        late_words = f"it does not answer within {timeout:g} s"
        what = late_words if isinstance(error, TimeoutError) else _why(error)
        raise NotReached(address, None, what) from None
    try:
        left = max(timeout - (time.monotonic() - begun), 0.0)
        # The response takes the connection's socket away, so it is kept here.
        timer = threading.Timer(left, _hang_up, (connection.sock, late))
        timer.daemon = True
        timer.start()
        status, headers, raw = _exchanged(connection, parts, given, seed)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if late.is_set() or isinstance(error, TimeoutError):
            raise failed(address, f"no whole reply within {timeout:g} s") from None
        raise failed(address, _why(error)) from None
    finally:
        if timer is not None:
            timer.cancel()
        connection.close()
    if late.is_set():
        raise failed(address, f"no whole reply within {timeout:g} s")
    if 300 <= status < 400:
        to = shown(headers.get("Location", "nowhere"))
        raise failed(address, f"it redirects to {to}, which is not followed: give that address")
    if status != 200:
        said = f": {shown(raw.decode(errors='replace'))}" if raw.strip() else ""
        raise failed(address, f"HTTP status {status}{said}")
    return read_json(address, raw)


def _exchanged(
    connection: http.client.HTTPConnection, parts: Any, given: Any, seed: int | None
) -> tuple[int, Any, bytes]:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Accept": "application/json", "Connection": "close"}
    if seed is not None:
        headers["Seedo-Seed"] = str(seed)
    if given is None:
        connection.request("GET", path, headers=headers)
    else:
        headers["Content-Type"] = "application/json"
        connection.request("POST", path, json.dumps(given).encode(), headers)
    response = connection.getresponse()
    raw = response.read(LARGEST + 1)
    if response.length and len(raw) <= LARGEST:
        raise http.client.IncompleteRead(raw, response.length)
    return response.status, response.headers, raw


def _hang_up(sock: socket.socket, late: threading.Event) -> None:
    late.set()
    with contextlib.suppress(OSError):  # closed meanwhile
        sock.shutdown(socket.SHUT_RDWR)


def _why(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there: is it running?"
    if isinstance(error, socket.gaierror):
        return "there is no such host"
    if isinstance(error, http.client.IncompleteRead):
        return "its reply ended early"
    if isinstance(error, ConnectionError | http.client.RemoteDisconnected):
        return "it hung up before its reply was whole"
    if isinstance(error, http.client.HTTPException | ValueError):
        return f"it does not speak HTTP: {type(error).__name__} {shown(error)}".rstrip()
    return f"it cannot be reached: {shown(error)}"
