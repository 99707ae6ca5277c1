"""Whose request it is where a proxy passes it on: what its header says, if the proxy was named."""

from __future__ import annotations

import ipaddress
import logging
import re
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from seedo.lab._settings import LabSettings

_PORT = re.compile(r"(\d+\.\d+\.\d+\.\d+):\d+|\[([0-9A-Fa-f:.]+)\](?::\d+)?")


class Proxied:
    """ASGI middleware: puts the visitor's address in place of a named proxy's.

    The header lists addresses, each proxy adding whence it was asked: the last one that is no named
    proxy's is the visitor's, and what stands before it may be made up. Where it cannot be read,
    nobody knows who visits, and the request has no address.
    """

    def __init__(self, app: Any, settings: LabSettings) -> None:
        self._app, self._header = app, settings.proxy_header
        self._proxies = settings.proxies
        self._expected = bool(settings.public or settings.proxies)
        public = urlsplit(settings.public or "")
        self._encrypted = public.netloc if public.scheme == "https" else None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            peer = _address(scope["client"][0]) if scope.get("client") else None
            if peer is not None and self._is_proxy(peer):
                visitor = self._visitor(headers.getlist(self._header))
                scope = {**scope, "client": None if visitor is None else (str(visitor), 0)}
            elif self._expected and self._header in headers:
                self._expected = False  # once is enough, and the address may be a visitor's
                logging.getLogger(__name__).warning(
                    "a request with %s came from an address that --proxy does not name: what it "
                    "says of the visitor is not believed", self._header,
                )  # fmt: skip
            if self._encrypted is not None and headers.get("host") == self._encrypted:
                scope = {**scope, "scheme": "https"}
        await self._app(scope, receive, send)

    def _is_proxy(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)

    def _visitor(self, lines: list[str]) -> Address | None:
        """The address that the header's lines say; None: none that can be read."""
        for part in reversed(",".join(lines).split(",")):
            address = _address(part.strip())
            if address is None or not self._is_proxy(address):
                return address
        return None


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _address(text: str) -> Address | None:
    """An address, with or without a port."""
    if match := _PORT.fullmatch(text):
        text = match[1] or match[2]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
