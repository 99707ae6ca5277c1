"""The door: who may ask, from where, and how much.

Whatever a page of another site can make a browser do is refused: the host has to be ours (no DNS
rebinding), the origin too, and a request that changes something has to bring the visitor's token.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response

from understudy.errors import UserError
from understudy.lab._settings import LabSettings

VISITOR = "understudy_visitor"  # cookie: an opaque name for this browser
RESEARCHER = "understudy_researcher"  # cookie: proof that the token was shown
CSRF_HEADER = "x-csrf-token"
MOST_BODY = 1 << 20  # bytes
OPEN_TO_ALL = ("/static/", "/take/", "/api/take/", "/favicon.ico")
"""What participants of a study need; everything else is for the researcher."""

_DAYS = 90
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_VISITOR_ID = re.compile(r"[0-9a-f]{32}")

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Keys:
    """What the lab signs with; kept in its folder, so that browsers stay known after a restart."""

    def __init__(self, folder: Path) -> None:
        path = folder / "secret"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(32))
        except FileExistsError:
            pass
        except OSError as error:
            raise UserError("data", str(folder), f"cannot be written: {error.strerror}") from error
        self._secret = path.read_bytes()
        if len(self._secret) != 32:
            raise UserError("data", str(path), "damaged: delete this file")

    def sign(self, purpose: str, text: str) -> str:
        """A proof, for one purpose, that only this lab can give."""
        message = f"{purpose}:{text}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()

    def signed(self, purpose: str, text: str, proof: str) -> bool:
        return hmac.compare_digest(self.sign(purpose, text).encode(), proof.encode())


class Guard:
    """ASGI middleware; leaves `visitor` and `csrf` in the request's state."""

    def __init__(self, app: Any, settings: LabSettings, keys: Keys) -> None:
        self._app, self._settings, self._keys = app, settings, keys

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:  # the lab has no websockets
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Any, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        cookies = _cookies(headers.get("cookie", ""))
        visitor = cookies.get(VISITOR, "")
        known = bool(_VISITOR_ID.fullmatch(visitor))
        if not known:
            visitor = secrets.token_hex(16)
        scope.setdefault("state", {})
        scope["state"]["visitor"] = visitor
        scope["state"]["csrf"] = self._keys.sign("csrf", visitor)
        scope["state"]["researcher"] = self._is_researcher(cookies)

        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start":
                added = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    added[name] = value
                if "cache-control" not in added:
                    static = scope["path"].startswith("/static/")
                    added["Cache-Control"] = "no-cache" if static else "no-store"
                if not known:
                    added.append("Set-Cookie", _cookie(VISITOR, visitor))
            await send(message)

        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, answer)
            return
        taken = 0

        async def limited() -> Any:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MOST_BODY:
                raise TooLarge
            return message

        started = False

        async def tracked(message: Any) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await answer(message)

        try:
            await self._app(scope, limited, tracked)
        except TooLarge:
            if not started:
                await _too_large()(scope, receive, answer)

    def _refusal(self, scope: Any, headers: Headers) -> Response | None:
        """The response to a request that is not let in; None: it is."""
        host = headers.get("host", "")
        if not self._our_host(host):
            return _refuse(400, "host", host[:80], "open the address that the lab printed")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:12]) > MOST_BODY:
            return _too_large()
        if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            origin = headers.get("origin")
            if origin is not None and origin.partition("://")[2] != host:
                return _refuse(403, "origin", origin[:80], "use the lab's own pages")
            proof = headers.get(CSRF_HEADER, "")
            if not self._keys.signed("csrf", scope["state"]["visitor"], proof):
                return _refuse(403, "token", None, "this page is out of date: load it again")
        if scope["state"]["researcher"] or scope["path"].startswith(OPEN_TO_ALL):
            return None
        return self._admit(scope)

    def _admit(self, scope: Any) -> Response:
        """Let in whoever brings the token in the address, once; refuse all others."""
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        offered = dict(query).get("token", "")
        if self._settings.token and hmac.compare_digest(
            offered.encode(), self._settings.token.encode()
        ):
            rest = urlencode([(k, v) for k, v in query if k != "token"])
            path = "/" + scope["path"].lstrip("/")  # //elsewhere would lead away
            response = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
            proof = self._keys.sign("researcher", self._settings.token)
            response.headers.append("Set-Cookie", _cookie(RESEARCHER, proof))
            return response
        return _refuse(401, "token", None, "open the link with the token that the lab printed")

    def _is_researcher(self, cookies: dict[str, str]) -> bool:
        token = self._settings.token
        if token is None:
            return True
        return self._keys.signed("researcher", token, cookies.get(RESEARCHER, ""))

    def _our_host(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        if name in ("localhost", "127.0.0.1", "::1", self._settings.host):
            return True
        # Listening everywhere, under names we cannot know: the token is what protects then.
        return self._settings.host in ("0.0.0.0", "::")


class TooLarge(Exception):
    """A body beyond `MOST_BODY`."""


def _cookies(text: str) -> dict[str, str]:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(text)
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def _cookie(name: str, value: str) -> str:
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={_DAYS * 86_400}"


def _refuse(status: int, field: str, value: str | None, remedy: str) -> Response:
    error = UserError(field, value, remedy)
    return JSONResponse({"error": str(error), "field": field}, status)


def _too_large() -> Response:
    return _refuse(413, "body", None, f"send at most {MOST_BODY:,} bytes")
