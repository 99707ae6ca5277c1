"""What a visitor says about a table: how columns are to be read, and what is taken for granted."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from seedo import inference
from seedo.tables import Column, Table, roles_text

GRAPH = "graph.txt"
"""What the file that holds the graph is called."""

_Name = Annotated[str, Field(max_length=1_000)]
_Statement = Annotated[str, Field(max_length=1_000)]


class ColumnSaid(BaseModel):
    """What is said about a column; what is empty is guessed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Name
    type: str = Field("", max_length=20)
    role: str = Field("", max_length=20)
    levels: tuple[_Name, ...] = Field((), max_length=1_000)
    unit: str = Field("", max_length=100)
    missing: str = Field("", max_length=200)
    decimal: Literal["", ".", ","] = ""

    @property
    def empty(self) -> bool:
        return self == ColumnSaid.model_validate({"name": self.name})


class Assumed(BaseModel):
    """What is taken for granted; see `seedo ask`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    graph: str = Field("", max_length=20_000)
    require: tuple[_Statement, ...] = Field((), max_length=200)
    forbid: tuple[_Statement, ...] = Field((), max_length=200)
    believe: tuple[_Statement, ...] = Field((), max_length=200)
    max_parents: int | None = Field(None, ge=0, le=50)
    form: Literal["auto", "linear", "nonlinear"] = "auto"
    draws: int = Field(2000, ge=100, le=20_000)
    seed: int = Field(0, ge=0, le=2**32 - 1)

    def beliefs(self, table: Table) -> inference.Beliefs:
        """Of a table, as questions need them.

        Raises:
            UserError: a statement that cannot be used.
        """
        graph = None
        if self.graph.strip():
            graph = inference.parse_graph(self.graph, table.variables, GRAPH, table.useless)
        return inference.stated_beliefs(
            table, graph=graph, require=self.require, forbid=self.forbid, believe=self.believe,
            max_parents=self.max_parents, form=self.form, draws=self.draws, seed=self.seed,
        )  # fmt: skip

    def options(self, graph: str) -> list[str]:
        """The same on the command line; `graph` names the file that holds the graph."""
        words: list[str] = []
        for name in ("require", "forbid", "believe"):
            for text in getattr(self, name):
                words += [f"--{name}", text]
        if self.graph.strip():
            words += ["--graph", graph]
        for name, usual in (("max_parents", None), ("draws", 2000), ("seed", 0)):
            if getattr(self, name) != usual:
                words += [f"--{name.replace('_', '-')}", str(getattr(self, name))]
        return words


class Said(BaseModel):
    """All that is said about one table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: tuple[ColumnSaid, ...] = Field((), max_length=1_000)
    targets: _Name = ""
    assumed: Assumed = Assumed.model_validate({})

    def roles(self) -> str:
        """The file of roles that says so; "" where everything is guessed."""
        told = [column for column in self.columns if not column.empty]
        if not told:
            return ""
        columns = [
            Column(one.name, one.type, one.role, one.levels, one.unit,
                   codes=(one.missing,) if one.missing else ())
            for one in told
        ]  # fmt: skip
        return roles_text(columns, {one.name: one.decimal for one in told})

    @classmethod
    def from_json(cls, plain: Any) -> Said:
        """As `model_dump` wrote it; nothing is said where it cannot be read."""
        try:
            return cls.model_validate(plain)
        except ValueError:
            return cls.model_validate({})
