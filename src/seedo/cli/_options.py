"""Options that several commands share, and what they mean."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from seedo.cli._console import notes
from seedo.errors import UserError
from seedo.plugins import WORLDS
from seedo.storage import Place

Seed = Annotated[int, typer.Option(help="Same seed, same machine: same bytes.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted job.")]
Executor = Annotated[
    str | None,
    typer.Option(help="Who works: serial, local[:N], ray[:ADDRESS] or submitit[:PROFILE]."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout.")]


@dataclass(frozen=True)
class ReadingOptions:
    """How the columns of a table are read: docs/tables.md."""

    types: Annotated[
        list[str] | None,
        typer.Option(help="Types of columns: a=count,b=categorical,c=low<medium<high."),
    ] = None
    roles: Annotated[
        list[str] | None,
        typer.Option(help="Roles of columns: a=ignored,b=factor; or a file with them."),
    ] = None
    unit: Annotated[
        str | None, typer.Option(help="Column whose rows belong together, e.g. patient.")
    ] = None
    time: Annotated[str | None, typer.Option(help="Column with the time of each row.")] = None
    weights: Annotated[
        str | None, typer.Option(help="Column with how many rows each row stands for.")
    ] = None
    missing: Annotated[
        list[str] | None,
        typer.Option(help="Codes for missing values: -999, or x=-999, or none."),
    ] = None
    decimal: Annotated[
        str | None, typer.Option(help="Decimal separator, where cells do not tell: , or .")
    ] = None

    def reading(self, paths: list[Path], asked: str = "") -> Any:
        """What is said about the columns of these files, there or in a file beside them."""
        from seedo import tables

        said, file = [], None
        for text in self.roles or ():
            if "=" in text and not Path(text).is_file():
                said.append(text)
            elif file is not None:
                raise UserError("--roles", text, "give one file")
            else:
                file = Path(text)
        beside = tables.roles_path(paths[0])
        if file is None and beside.is_file():
            file = beside
        return tables.Reading(
            self.types or (), said, self.unit, self.time, self.weights, self.missing, self.decimal,
            file, asked,
        )  # fmt: skip


@dataclass(frozen=True)
class WorldOptions:
    """Which world."""

    world: Annotated[str, typer.Option(help="`seedo list worlds` names them.")] = "dag"
    preset: Annotated[str | None, typer.Option(help="Of the world; default its first.")] = None
    split: Annotated[str, typer.Option(help="`seedo list splits` names them.")] = "train"
    n: Annotated[int | None, typer.Option("--n", help="Number of variables or objects.")] = None
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="A setting, e.g. noise_variance=2; see `seedo list settings WORLD`."
        ),
    ] = None

    def make(self) -> Any:
        """The world that the options describe."""
        options = read_settings(self.settings or [])
        WORLDS.check(self.world)
        from seedo import worlds

        known = worlds.find(self.world).settings_of()
        for field, value in options.items():
            if field not in known:
                has = f"its settings are {', '.join(known)}" if known else "it has none"
                raise UserError(field, value, f"no setting of world {self.world}: {has}")
        if self.n is not None:
            options = {"n": self.n} | options
        made = worlds.make(self.world, preset=self.preset, split=self.split, **options)
        say_notes(made)
        return made


def say_notes(world: Any, said: tuple[str, ...] = ()) -> None:
    """Print what a world says of itself, but for what it `said` before."""
    for line in world.notes:
        if line not in said:
            notes.print(line, style="yellow", markup=False, soft_wrap=True)


def read_settings(texts: list[str]) -> dict[str, Any]:
    """Settings of a world from `field=value`."""
    options: dict[str, Any] = {}
    for text in texts:
        field, equals, value = text.partition("=")
        if not equals or not field:
            raise UserError("--set", text, "write it as field=value, e.g. noise_variance=2")
        if field in ("preset", "split"):
            raise UserError("--set", text, f"use --{field}")
        options[field] = _value(value)
    return options


def _value(text: str) -> Any:
    """A setting as typed: a number, a list like 1,2,3, true/false, or a word."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if "," in text:
        return [_value(part) for part in text.split(",")]
    return text


def check_count(field: str, value: int) -> None:
    """Raises UserError for a number of episodes that cannot be."""
    if value < 1:
        raise UserError(field, value, "use a whole number from 1")


def check_seed(value: int) -> None:
    """Raises UserError for a seed that cannot be."""
    if not 0 <= value < 2**32:
        raise UserError("seed", value, "use a whole number from 0 to 4294967295")


def check_folders(field: str, paths: Sequence[Place]) -> None:
    """Raises UserError for a folder of this machine that is not there; what is in a store is asked
    for when it is read."""
    for path in paths:
        if isinstance(path, Path) and not path.exists():
            raise UserError(str(path), None, "there is no such folder")
