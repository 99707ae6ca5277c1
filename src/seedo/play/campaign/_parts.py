"""Parts of a campaign's file beside knobs and goals: readings, costs, earlier tables, meters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedo.errors import UserError, is_number, one_of, whole

MEASURES = ("command", "python", "http", "gym", "world")
"""Fields of `[measure]` that say who measures; none of them: the user."""


@dataclass(frozen=True)
class Reading:
    """What is read in every run.

    Attributes:
        name: as in tables.
        unit: for people.
        low, high: ends of what is plausible; a value outside is said, and kept.

    Raises:
        UserError: names the field that cannot be used.
    """

    name: str
    unit: str = ""
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        where = f"readings.{self.name}"
        if not isinstance(self.unit, str):
            raise UserError(f"{where}.unit", self.unit, "give a text")
        for field in ("low", "high"):
            value = getattr(self, field)
            if value is not None and not is_number(value):
                raise UserError(f"{where}.{field}", value, "give a finite number")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise UserError(f"{where}.low", self.low, f"it must lie below high, {self.high:g}")

    def odd(self, value: float) -> str:
        """What is odd about a value; "" where nothing is."""
        if self.low is not None and value < self.low:
            return f"{self.name} = {value:g} lies below {self.low:g}, the least that is plausible"
        if self.high is not None and value > self.high:
            return f"{self.name} = {value:g} lies above {self.high:g}, the most that is plausible"
        return ""

    def to_json(self) -> dict[str, Any]:
        fields = {"unit": self.unit or None, "low": self.low, "high": self.high}
        return {name: value for name, value in fields.items() if value is not None}

    @classmethod
    def from_json(cls, name: str, fields: Any) -> Reading:
        """A reading from its table in the file."""
        return cls(name, **table_of(f"readings.{name}", fields, ("unit", "low", "high")))


@dataclass(frozen=True)
class Measure:
    """Who measures.

    Attributes:
        kind: one of `MEASURES`, or `user`.
        target: a command, `module:function`, an address, an environment's id, a world's name.
        timeout: of a run, in seconds.
        repeat: whether a run whose result was lost when the campaign was killed is asked for again;
            else it counts as failed.
        failures: so many failed runs in a row stop the campaign.

    Raises:
        UserError: names the field that cannot be used.
    """

    kind: str = "user"
    target: str = ""
    timeout: float = 60.0
    repeat: bool = True
    failures: int = 5

    def __post_init__(self) -> None:
        if self.kind != "user" and not (isinstance(self.target, str) and self.target.strip()):
            raise UserError(f"measure.{self.kind}", self.target, "give a text")
        if not is_number(self.timeout) or not 0 < self.timeout <= 86_400:
            raise UserError("measure.timeout", self.timeout, "give seconds above 0, a day at most")
        if not isinstance(self.repeat, bool):
            raise UserError("measure.repeat", self.repeat, "give true or false")
        whole("measure.failures", self.failures, 1, 1_000_000)

    def to_json(self) -> dict[str, Any]:
        own = {} if self.kind == "user" else {self.kind: self.target}
        return own | {"timeout": self.timeout, "repeat": self.repeat, "failures": self.failures}

    @classmethod
    def from_json(cls, fields: Any) -> Measure:
        """From the table `[measure]`."""
        given = table_of("measure", fields, (*MEASURES, "timeout", "repeat", "failures"))
        kinds = [kind for kind in MEASURES if kind in given]
        if len(kinds) > 1:
            raise UserError("measure", ", ".join(kinds), "give one of them")
        own = {"kind": kinds[0], "target": given.pop(kinds[0])} if kinds else {}
        return cls(**own, **given)


@dataclass(frozen=True)
class Cost:
    """What runs cost, beside moving knobs (`Knob.cost`).

    Attributes:
        run: of every run that is made, failed ones too.
        budget: of all of them; None: no limit.

    Raises:
        UserError: names the field that cannot be used.
    """

    run: float = 0.0
    budget: float | None = None

    def __post_init__(self) -> None:
        if not is_number(self.run) or self.run < 0:
            raise UserError("cost.run", self.run, "give a number from 0")
        if self.budget is not None and (not is_number(self.budget) or self.budget <= 0):
            raise UserError("cost.budget", self.budget, "give a number above 0")

    def to_json(self) -> dict[str, Any]:
        return {"run": self.run} | ({} if self.budget is None else {"budget": self.budget})

    @classmethod
    def from_json(cls, fields: Any) -> Cost:
        """From the table `[cost]`."""
        return cls(**table_of("cost", fields, ("run", "budget")))


@dataclass(frozen=True)
class Start:
    """A table of earlier rows.

    Attributes:
        file: of any kind that `seedo ask` reads.
        observed: whether nobody set the knobs in its rows (True: in none of them), or the column
            that says so row by row.

    Raises:
        UserError: names the field that cannot be used.
    """

    file: Path
    observed: bool | str = False

    def to_json(self) -> dict[str, Any]:
        return {"file": str(self.file), "observed": self.observed}

    @classmethod
    def from_json(cls, fields: Any, folder: Path) -> Start:
        """From an entry of `start`: a file's name, from the folder of the campaign's file, or a
        table."""
        if isinstance(fields, str):
            fields = {"file": fields}
        given = table_of("start", fields, ("file", "observed"))
        file, observed = given.get("file"), given.get("observed", False)
        if not isinstance(file, str) or not file.strip():
            raise UserError("start", file, "give the name of a table's file")
        if not isinstance(observed, bool | str) or observed == "":
            raise UserError("start.observed", observed, "give true, false or the name of a column")
        return cls(folder / file, observed)


def table_of(where: str, fields: Any, known: tuple[str, ...]) -> dict[str, Any]:
    """The fields of a table.

    Raises:
        UserError: it is none, or has an unknown field.
    """
    if not isinstance(fields, Mapping):
        raise UserError(where, fields, f"give a table with {', '.join(known)}")
    for field in fields:
        one_of(where, field, known)
    return dict(fields)
