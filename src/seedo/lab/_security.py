"""The door: who may ask, from where, and how much.

Whatever a page of another site can make a browser do is refused: the host has to be ours (no DNS
rebinding), the origin too, and a request that changes something has to bring the visitor's token.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import logging
import os
import re
import secrets
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import RedirectResponse, Response

from seedo.errors import UserError
from seedo.lab._settings import LabSettings

VISITOR = "seedo_visitor"  # cookie: an opaque name for this browser
RESEARCHER = "seedo_researcher"  # cookie: proof that the token was shown
CSRF_HEADER = "x-csrf-token"
MOST_BODY = 1 << 20  # bytes
BODY_SECONDS = 30.0  # until the whole body has to be here
OPEN_TO_ALL = ("/static/", "/take/", "/api/take/", "/favicon.ico")
"""What participants of a study need; everything else is for the researcher."""

_DAYS = 90
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_VISITOR_ID = re.compile(r"[0-9a-f]{32}")
_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9._-]+)(:[0-9]{1,5})?")
_ODD_PATH = re.compile(r"//|\\|[\x00-\x1f\x7f]|/\.{1,2}(/|$)")
_SAFE = ("GET", "HEAD", "OPTIONS")

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Answer = Callable[[Request, int, str, str], Response]
"""(request, status, line, field): what is said to who is not let in."""


def private_folder(folder: Path) -> None:
    """Make a folder that only this user can read, unless it is there.

    Raises:
        UserError: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        remedy = f"cannot be made: {error.strerror}"
        raise UserError("data", str(folder), remedy) from error


class Keys:
    """What the lab signs with; kept in its folder, so that browsers stay known after a restart."""

    def __init__(self, folder: Path) -> None:
        path = folder / "secret"
        fresh = folder / f"secret-{secrets.token_hex(8)}"
        try:
            if not path.exists():
                handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(secrets.token_bytes(32))
                fresh.replace(path)
            self._secret = path.read_bytes()
        except OSError as error:
            raise UserError("data", str(folder), f"cannot be used: {error.strerror}") from error
        if len(self._secret) != 32:
            raise UserError("data", str(path), "damaged: delete this file")

    def sign(self, purpose: str, text: str) -> str:
        """A proof, for one purpose, that only this lab can give."""
        message = f"{purpose}:{text}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()

    def signed(self, purpose: str, text: str, proof: str) -> bool:
        return hmac.compare_digest(self.sign(purpose, text).encode(), proof.encode())


class Refusal(Exception):
    """A request that is not let in: HTTP status, field and one line."""

    def __init__(self, status: int, field: str, value: str | None, remedy: str) -> None:
        self.status, self.field = status, field
        self.line = str(UserError(field, value, remedy))
        super().__init__(self.line)


class Guard:
    """ASGI middleware; leaves `visitor`, `csrf` and `researcher` in the request's state."""

    def __init__(self, app: Any, settings: LabSettings, keys: Keys, answer: Answer) -> None:
        self._app, self._settings, self._keys, self._answer = app, settings, keys, answer
        self._hosts, self._headers = _our_hosts(settings), _headers(settings)

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
        cookies = cookie_parser(headers.get("cookie", ""))
        visitor = cookies.get(VISITOR, "")
        known = bool(_VISITOR_ID.fullmatch(visitor))
        if not known:
            visitor = secrets.token_hex(16)
        state = scope.setdefault("state", {})
        state["visitor"] = visitor
        state["csrf"] = self._keys.sign("csrf", visitor)
        state["researcher"] = self._is_researcher(cookies)
        started = False

        async def guarded(message: Any) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                added = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    added[name] = value
                static = scope["path"].startswith("/static/")
                if "cache-control" not in added:
                    added["Cache-Control"] = "no-cache" if static else "no-store"
                if not known and not static and message["status"] < 400:
                    added.append("Set-Cookie", _cookie(scope, VISITOR, visitor))
            await send(message)

        try:
            self._check(scope, headers)
            entry = self._entry(scope)
            if entry is not None:
                await entry(scope, receive, guarded)
                return
            body = await _whole_body(headers, receive)
            if body is not None:
                await self._app(scope, _again(body, receive), guarded)
        except Refusal as refusal:
            response = self._answer(Request(scope), refusal.status, refusal.line, refusal.field)
            await response(scope, receive, guarded)
        except Exception:
            # What went wrong is for whoever runs the lab, not for whoever asked.
            logging.getLogger(__name__).exception("%s %s", scope["method"], scope["path"])
            if not started:
                line = "the lab made a mistake; its terminal says which"
                response = self._answer(Request(scope), 500, line, "")
                await response(scope, receive, guarded)

    def _check(self, scope: Any, headers: Headers) -> None:
        """Raises Refusal unless the request can have come from one of our own pages."""
        host = headers.get("host", "")
        if not self._is_ours(host):
            raise Refusal(400, "host", host[:80], "open the address that the lab printed")
        if self._settings.token is None and (
            any(name in headers for name in ("forwarded", "x-forwarded-for", "via"))
        ):
            raise Refusal(403, "proxy", None, "others can reach this lab: start it with --token")
        if _ODD_PATH.search(scope["path"]):
            raise Refusal(404, "address", None, "there is no such page")
        site = headers.get("sec-fetch-site", "same-origin")
        if scope["method"] not in _SAFE:
            origin = headers.get("origin")
            if site != "same-origin" or (origin is not None and _authority(origin) != host):
                raise Refusal(403, "origin", origin and origin[:80], "use the lab's own pages")
            proof = headers.get(CSRF_HEADER, "")
            if not self._keys.signed("csrf", scope["state"]["visitor"], proof):
                raise Refusal(403, "token", None, "this page is out of date: load it again")
        elif site not in ("same-origin", "none") and scope["path"].startswith("/api/"):
            raise Refusal(403, "origin", None, "use the lab's own pages")

    def _entry(self, scope: Any) -> Response | None:
        """None for who may go on; a redirect for who brings the token in the address.

        Raises:
            Refusal: for all others.
        """
        if scope["path"].startswith(OPEN_TO_ALL):
            return None
        token = self._settings.token
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        offered = dict(query).get("token", "")
        if token is not None and hmac.compare_digest(offered.encode(), token.encode()):
            # Out of the address bar, and with it out of bookmarks and of links that are passed on.
            rest = urlencode([(name, value) for name, value in query if name != "token"])
            response = RedirectResponse(quote(scope["path"]) + (f"?{rest}" if rest else ""), 303)
            proof = self._keys.sign("researcher", token)
            response.headers.append("Set-Cookie", _cookie(scope, RESEARCHER, proof))
            return response
        if not scope["state"]["researcher"]:
            raise Refusal(401, "token", None, "open the link with the token that the lab printed")
        return None

    def _is_researcher(self, cookies: dict[str, str]) -> bool:
        token = self._settings.token
        if token is None:
            return True
        return self._keys.signed("researcher", token, cookies.get(RESEARCHER, ""))

    def _is_ours(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match["name"].strip("[]").lower()
        if name in self._hosts:
            return True
        # Listening everywhere, at addresses we cannot know. A name could be made to lead here by
        # whoever owns it; an address could not.
        return self._settings.everywhere and _is_address(name)


def _headers(settings: LabSettings) -> dict[str, str]:
    if not settings.frames:
        return _HEADERS
    may = "frame-ancestors " + " ".join(settings.frames)
    policy = _POLICY.replace("frame-ancestors 'none'", may)
    # The older header knows no list of origins.
    rest = {name: value for name, value in _HEADERS.items() if name != "X-Frame-Options"}
    return rest | {"Content-Security-Policy": policy}


def _authority(origin: str) -> str:
    """Host and port of an origin; empty for `null` and whatever else is none.

    The scheme is left out: a proxy in front may speak HTTPS where we do not.
    """
    return origin.partition("://")[2]


def _our_hosts(settings: LabSettings) -> frozenset[str]:
    hosts = {"localhost", "127.0.0.1", "::1", settings.host.lower()}
    if settings.public is not None:
        hosts.add(urlsplit(settings.public).hostname or "")
    if settings.everywhere:
        name = socket.gethostname().lower()
        hosts |= {name, f"{name}.local"}
    return frozenset(hosts)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _whole_body(headers: Headers, receive: Receive) -> bytes | None:
    """The body, in one piece; None: the client has left.

    Raises:
        Refusal: too large, or too slow.
    """
    large = Refusal(413, "body", None, f"send at most {MOST_BODY:,} bytes")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > 12 or int(length) > MOST_BODY:
        raise large
    parts: list[bytes] = []
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                parts.append(message.get("body", b""))
                if sum(map(len, parts)) > MOST_BODY:
                    raise large
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError as error:
        raise Refusal(408, "body", None, "it took too long to arrive: try again") from error


def _again(body: bytes, receive: Receive) -> Receive:
    """Receive the body that was read; then what else comes (that the client leaves)."""
    told = False

    async def replay() -> Any:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _cookie(scope: Any, name: str, value: str) -> str:
    secure = "; Secure" if scope["scheme"] == "https" else ""
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={_DAYS * 86_400}{secure}"
