"""Sealed challenges: a scenario and scores as text that another lab can play.

What sealing is for: nobody who reads the text, or the page, sees the system before the game is
over. It is a mask, not a lock: the other lab has to read it without a secret, so whoever writes a
program to look can. A checksum tells damage, not forgery.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import secrets
import zlib
from typing import Any, NamedTuple

from seedo.errors import UserError
from seedo.lab._called import check_text
from seedo.lab._scenario import MOST_TEXT, Scenario, decode, encode, read_json

VERSION = 1
MOST_SCORES, MOST_WHO = 12, 32
_MARK = "seedo-challenge"
_MOST = 2 * MOST_TEXT  # characters of a code, and bytes of what it holds
_SALT, _CHECK = 8, 8  # bytes


class Score(NamedTuple):
    """Who earned what on the system."""

    who: str
    returns: float


class Challenge(NamedTuple):
    """What a sealed text holds; the scenario has the noise and the budget in it."""

    scenario: Scenario
    scores: tuple[Score, ...]


def seal(challenge: Challenge) -> str:
    """The challenge as one line of letters, digits and `. - _`; a different one each time.

    Raises:
        UserError: scores that cannot be told.
    """
    scores = [_score(each._asdict()) for each in challenge.scores[:MOST_SCORES]]
    plain = {"s": encode(challenge.scenario), "scores": [list(score) for score in scores]}
    packed = zlib.compress(json.dumps(plain).encode(), 9)
    salt, check = secrets.token_bytes(_SALT), hashlib.sha256(packed).digest()[:_CHECK]
    body = base64.urlsafe_b64encode(salt + check + _masked(packed, salt)).decode().rstrip("=")
    return f"{_MARK}.{VERSION}.{body}"


def unseal(text: str) -> Challenge:
    """The inverse of `seal`, of anybody's text: a code, or a file that `to_file` wrote.

    Raises:
        UserError: no challenge, a damaged one, or one of a later version.
    """
    code = "".join(_code_in(text).split())
    if len(code) > _MOST:
        raise UserError("challenge", f"{len(code)} characters", f"use at most {_MOST}")
    mark, version, body = [*code.split("."), "", ""][:3]
    if mark != _MARK:
        raise UserError("challenge", code[:20], f"no challenge: one begins with {_MARK}")
    if version != str(VERSION):
        remedy = f"this lab reads version {VERSION}: use a newer Seedo"
        raise UserError("challenge", f"version {version[:8]}", remedy)
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        salt, check, masked = raw[:_SALT], raw[_SALT : _SALT + _CHECK], raw[_SALT + _CHECK :]
        packed = _masked(masked, salt)
        if hashlib.sha256(packed).digest()[:_CHECK] != check:
            raise ValueError("checksum")
        unpacking = zlib.decompressobj()
        told = unpacking.decompress(packed, _MOST)
        if not unpacking.eof:
            raise ValueError("too long")
        plain = read_json(told.decode())
    except (ValueError, binascii.Error, zlib.error) as error:
        raise UserError("challenge", code[:24], "damaged: copy all of it again") from error
    return _read(plain)


def to_file(code: str, about: str) -> str:
    """A file's text: what the game is, and the code."""
    return json.dumps({"what": "a challenge for the Seedo lab", "about": about, "code": code},
                      indent=1, ensure_ascii=False) + "\n"  # fmt: skip


def _code_in(text: str) -> str:
    if not text.lstrip().startswith("{"):
        return text
    plain: dict[str, Any] = read_json(text)
    code = plain.get("code")
    if not isinstance(code, str):
        given = None if code is None else str(code)[:20]
        raise UserError("code", given, "no challenge in this file: use one that a lab has made")
    return code


def _read(plain: Any) -> Challenge:
    code = plain.get("s") if isinstance(plain, dict) else None
    scores = plain.get("scores", []) if isinstance(plain, dict) else None
    if not isinstance(code, str) or not isinstance(scores, list) or len(scores) > MOST_SCORES:
        raise UserError("challenge", None, "not made by a lab: ask for another one")
    pairs = [score if isinstance(score, list) and len(score) == 2 else [None, None]
             for score in scores]  # fmt: skip
    told = tuple(_score({"who": who, "returns": returns}) for who, returns in pairs)
    return Challenge(decode(code), told)


def _score(plain: dict[str, Any]) -> Score:
    check_text("who", plain["who"], MOST_WHO)
    returns = plain["returns"]
    number = isinstance(returns, int | float) and not isinstance(returns, bool)
    if not number or not math.isfinite(returns) or abs(returns) > 1e9:
        raise UserError("score", str(returns)[:20], "use a finite number")
    return Score(plain["who"], round(float(returns), 4))


def _masked(text: bytes, salt: bytes) -> bytes:
    """Its own inverse."""
    mask = hashlib.shake_256(_MARK.encode() + salt).digest(len(text))
    return bytes(a ^ b for a, b in zip(text, mask, strict=True))
