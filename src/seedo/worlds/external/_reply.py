"""What comes back from outside, checked before anybody believes it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from seedo.errors import UserError

LARGEST = 1_000_000
"""Most bytes of one reply."""


class EndpointError(UserError):
    """Something outside did not do what it should; nothing was measured. One line, as all."""


class NotReached(EndpointError):
    """It could not be asked at all: no run was made."""


def failed(who: str, what: str) -> EndpointError:
    """The error of an endpoint, `who`, that says `what` went wrong."""
    return EndpointError(who, None, what)


def shown(text: object, most: int = 80) -> str:
    """The beginning of something foreign, on one line and without control characters."""
    clean = "".join(c if c.isprintable() else " " for c in str(text)[: 4 * most])
    words = " ".join(clean.split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def read_json(who: str, raw: bytes) -> dict[str, Any]:
    """A reply's JSON object.

    Raises:
        EndpointError: it is too large, no UTF-8, no JSON, no object, or names a field twice.
    """
    if len(raw) > LARGEST:
        raise failed(who, f"its reply is larger than {LARGEST:,} bytes")
    if not raw.strip():
        raise failed(who, "its reply is empty: give a JSON object")
    try:
        found = json.loads(raw.decode(), object_pairs_hook=_fields)
    except UnicodeDecodeError:
        raise failed(who, "its reply is no text (UTF-8): give a JSON object") from None
    except _Twice as error:
        raise failed(who, f"its reply names {shown(error)!r} twice") from None
    except (ValueError, RecursionError):
        raise failed(who, f"its reply is no JSON: {shown(raw.decode())!r}") from None
    if not isinstance(found, dict):
        raise failed(who, f"its reply is {_kind(found)}, where a JSON object belongs")
    return found


def readings_of(who: str, reply: Mapping[str, Any], names: Sequence[str]) -> dict[str, float]:
    """The readings of these names from a reply, which may hold others too.

    Returns:
        One number a name; NaN where the reply says null: nothing was measured.

    Raises:
        EndpointError: one is missing, or is no finite number.
    """
    found = {}
    for name in names:
        if name not in reply:
            has = ", ".join(shown(field, 30) for field in list(reply)[:8]) or "nothing"
            raise failed(who, f"reading {name} is missing: it gave {has}")
        found[name] = _number(who, name, reply[name])
    return found


def _number(who: str, name: str, value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise failed(who, f"reading {name} is {_kind(value)}, where a number belongs")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        remedy = "give null where nothing was measured"
        raise failed(who, f"reading {name} is {number}, no finite number: {remedy}")
    return number


class _Twice(Exception):
    """A field that an object has twice."""


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


def _kind(value: Any) -> str:
    kinds = {bool: "true or false", str: "a text", list: "a list", dict: "an object",
             type(None): "null"}  # fmt: skip
    kind = kinds.get(type(value), "a number")
    return f"{kind} ({shown(value, 30)!r})" if isinstance(value, str) else kind
