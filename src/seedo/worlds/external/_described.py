"""What an endpoint says of itself, checked: its knobs, its readings, what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seedo.errors import UserError, one_of
from seedo.spaces import Goals, Space
from seedo.worlds._aims import read_goals
from seedo.worlds.external._endpoint import Endpoint

_MOST = 200
"""Knobs, and readings, at most."""
_FIELDS = ("name", "knobs", "constraints", "readings", "goals", "runs")


@dataclass(frozen=True, eq=False)
class Description:
    """An endpoint's knobs, the names of its readings, its goals."""

    space: Space
    readings: tuple[str, ...]
    goals: Goals


def described(endpoint: Endpoint, goals: object = None) -> Description:
    """What an endpoint says of itself: `knobs`, `constraints`, `goals` as in a campaign's file,
    `readings` a list of names or a table with units; goals are readings in any case.

    Args:
        endpoint: asked once.
        goals: in place of its own, see `read_goals`.

    Raises:
        UserError: it does not answer, or what it says cannot be; names the endpoint and the field.
    """
    found = endpoint.spec()
    try:
        return _read(found, goals)
    except UserError as error:
        field = f"{endpoint.who} spec, {error.field}"
        raise UserError(field, error.value, error.remedy) from None


def _read(found: Mapping[str, Any], goals: object) -> Description:
    for field in found:
        one_of("field", field, _FIELDS)
    names = _names(found.get("readings", []))
    own = found.get("goals", {})
    if not isinstance(own, Mapping | str | list):
        raise UserError("goals", own, 'give a table, e.g. {"yield": {"aim": "maximize"}}')
    if isinstance(own, Mapping):
        names = tuple(dict.fromkeys([*names, *map(str, own)]))
    if not names:
        raise UserError("readings", None, "name what a run reads")
    if len(names) > _MOST:
        raise UserError("readings", len(names), f"at most {_MOST}")
    wanted = (dict(own) if isinstance(own, Mapping) else own) if goals is None else goals
    if not wanted:
        raise UserError("goals", None, "there are none: say what for, e.g. goals='maximize yield'")
    knobs = found.get("knobs")
    if isinstance(knobs, Mapping) and len(knobs) > _MOST:
        raise UserError("knobs", len(knobs), f"at most {_MOST}")
    return Description(Space.from_json(found), names, read_goals(wanted, names))


def _names(given: Any) -> tuple[str, ...]:
    """Names of readings from a list of them, or from a table."""
    if not isinstance(given, list | Mapping):
        raise UserError("readings", given, 'give a list of names, e.g. ["yield", "pressure"]')
    for name in given:
        if not isinstance(name, str) or not name.strip():
            raise UserError("readings", name, "give names")
    if len(set(given)) < len(given):
        raise UserError("readings", list(given), "name every reading once")
    return tuple(given)
