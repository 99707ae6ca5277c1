"""Options that several commands share, and what they mean."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from seedo.errors import UserError

WorldName = Annotated[str, typer.Option("--world", help="dag, rooms or blicket.")]
Preset = Annotated[
    str | None,
    typer.Option(help="dag: linear (default) or lampinen; rooms, blicket: default or reference."),
]
Split = Annotated[
    str,
    typer.Option(
        help="train; dag: heldout-link, heldout-set, ...; rooms: heldout-values, ...; "
        "blicket: heldout-conjunctive, ..."
    ),
]
Seed = Annotated[int, typer.Option(help="Same seed, same machine: same bytes.")]
Variables = Annotated[int | None, typer.Option("--n", help="Number of variables or objects.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting of the world, e.g. --set noise_variance=2."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted job.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout.")]


def make_world(
    name: str, preset: str | None, split: str, n: int | None, settings: list[str] | None
) -> Any:
    """The world that the options describe."""
    from seedo import worlds

    options: dict[str, Any] = {} if n is None else {"n": n}
    for text in settings or []:
        field, equals, value = text.partition("=")
        if not equals or not field:
            raise UserError("--set", text, "write it as field=value, e.g. noise_variance=2")
        if field in ("preset", "split"):
            raise UserError("--set", text, f"use --{field}")
        options[field] = _value(value)
    return worlds.make(name, preset=preset, split=split, **options)


def _value(text: str) -> Any:
    """A setting as typed: a number, a list like 1,2,3, true/false, or a word."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    if "," in text:
        return [_value(part) for part in text.split(",")]
    return text


def player(name: str, world: Any, greedy: bool = True, seed: int = 0) -> Any:
    """A player by name; see `play.find_player`."""
    from seedo import play

    return play.find_player(name, world, greedy, seed)
