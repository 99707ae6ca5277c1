"""Where episodes came from, and what their variables are."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from seedo.errors import UserError, one_of
from seedo.tables import COLUMN_TYPES

RECORDED = "recorded:"
"""How the name of a world begins that is one system, from which all episodes are."""
EXTERNAL = "external:"
"""The same, of systems that are called."""
Levels = tuple[tuple[str, ...] | None, ...]
"""For each variable the names of its values, None where they are numbers."""

_NAMED = ("yes/no", "categorical", "ordered", "label")
"""Types of variables whose values may have names."""


@dataclass(frozen=True)
class Origin:
    """Where episodes came from; the same for every row of a batch.

    `world_config` is JSON text; `created` is None for simulated episodes, so that one seed writes
    the same bytes every time, and an ISO 8601 time for people's and foreign logs.

    `levels` gives each variable the names of its values, or None where they are numbers; what such
    a variable was or was set to is then a code, the position of its name (0, 1, ...). `types` gives
    each variable one of `COLUMN_TYPES`. Either is None as a whole where nobody said: all numbers.

    Raises:
        UserError: a field has the wrong type, a name is empty or doubled, `world_config` is not a
            JSON object, or types and levels fit neither the variables nor one another.
    """

    world: str
    world_config: str
    split: str
    seed: int
    experimenter: str
    variables: tuple[str, ...]
    created: str | None = None
    types: tuple[str, ...] | None = None
    levels: Levels | None = None

    def __post_init__(self) -> None:
        for name in ("world", "world_config", "split", "experimenter"):
            if not isinstance(getattr(self, name), str):
                raise UserError(name, getattr(self, name), "give text")
        if self.created is not None and not isinstance(self.created, str):
            raise UserError("created", self.created, "give an ISO 8601 time or None")
        if (
            not isinstance(self.seed, int)
            or isinstance(self.seed, bool)
            or not 0 <= self.seed < 2**63
        ):
            raise UserError("seed", self.seed, "give a whole number from 0 to 2^63 - 1")
        try:
            config = json.loads(self.world_config)
        except (ValueError, RecursionError):
            config = None
        if not isinstance(config, dict):
            raise UserError("world_config", self.world_config[:80], "give a JSON object as text")
        object.__setattr__(self, "variables", _names("variables", self.variables))
        types, levels = _kinds(self.variables, self.types, self.levels)
        object.__setattr__(self, "types", types)
        object.__setattr__(self, "levels", levels)

    @property
    def n(self) -> int:
        """Number of variables."""
        return len(self.variables)

    def to_json(self) -> dict[str, Any]:
        """The fields, JSON-able; without types and levels where there are none."""
        fields = {**dataclasses.asdict(self), "variables": list(self.variables)}
        return {k: v for k, v in fields.items() if v is not None or k == "created"}

    @classmethod
    def from_json(cls, fields: object) -> Origin:
        """The inverse of `to_json`.

        Raises:
            UserError: not an object with exactly the fields of an origin.
        """
        names = {f.name for f in dataclasses.fields(cls)}
        optional = {"types", "levels"}
        if not isinstance(fields, dict) or not names - optional <= set(fields) <= names:
            needed = ", ".join(sorted(names - optional))
            raise UserError("origin", None, f"must be an object with {needed}")
        if not isinstance(fields["variables"], list):
            raise UserError("variables", fields["variables"], "give a list of names")
        return cls(**fields)

    def differs_from(self, other: Origin) -> str | None:
        """Name of the first field in which two origins differ, seeds aside; None if none does."""
        for field in dataclasses.fields(self):
            if field.name != "seed" and getattr(self, field.name) != getattr(other, field.name):
                return field.name
        return None


def _names(field: str, given: Any) -> tuple[str, ...]:
    names = tuple(given) if isinstance(given, list | tuple) else ()
    if not names or not all(isinstance(name, str) and name for name in names):
        raise UserError(field, given, "give one non-empty name each")
    if len(set(names)) != len(names):
        raise UserError(field, given, "give each a name of its own")
    return names


def _kinds(
    variables: tuple[str, ...], types: Any, levels: Any
) -> tuple[tuple[str, ...] | None, Levels | None]:
    """Types and levels of all variables, checked; None for either if no variable has one."""
    for name, given in (("types", types), ("levels", levels)):
        if given is not None and (
            not isinstance(given, list | tuple) or len(given) != len(variables)
        ):
            raise UserError(name, given, f"give one for each of the {len(variables)} variables")
    named = tuple(
        None if of_one is None else _names(f"levels of {variable}", of_one)
        for variable, of_one in zip(variables, levels or (None,) * len(variables), strict=True)
    )
    if types is None and not any(named):
        return None, None
    kinds = tuple(types or ("categorical" if of_one else "real" for of_one in named))
    for variable, kind, of_one in zip(variables, kinds, named, strict=True):
        one_of(f"type of {variable}", kind, COLUMN_TYPES)
        if of_one is not None and kind not in _NAMED:
            raise UserError(f"levels of {variable}", list(of_one), f"a {kind} variable has none")
        if of_one is None and kind in ("categorical", "ordered"):
            raise UserError(f"levels of {variable}", None, f"a {kind} variable needs them")
    return kinds, named if any(named) else None
