"""The commands list (what there is to choose from) and cache (compiled programs)."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.table import Table

from seedo import programs
from seedo.cli._commands import command
from seedo.cli._console import notes, print_table, say
from seedo.cli._options import AsJson
from seedo.errors import UserError, one_of

Row = dict[str, Any]


@command("list")
def list_(
    what: Annotated[
        str,
        typer.Argument(
            help="worlds, players, splits, settings, networks or studies.", show_default=False
        ),
    ] = "",
    world: Annotated[
        str | None,
        typer.Argument(help="Which world's settings, splits or players.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the worlds, players, splits, settings, networks or studies."""
    one_of("what", what or None, tuple(_LISTS))
    if what == "settings" and world is None:
        raise UserError("world", None, "say whose settings: seedo list settings WORLD")
    if what in ("worlds", "networks", "studies") and world is not None:
        raise UserError("world", world, f"{what} are not listed by world: leave it out")
    rows = list(_LISTS[what](world))
    if as_json:
        print(json.dumps(rows))
        return
    table = Table(box=SIMPLE)
    for name in rows[0] if rows else ():
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    print_table(table)


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_cell, value))
    return "" if value is None else str(value).replace("[", r"\[")


def _about(thing: Any) -> str:
    """The first sentence of its docstring, up to where it points elsewhere."""
    return re.split(r"[;.]", inspect.getdoc(thing) or "")[0]


def _found(world: str | None) -> Iterator[tuple[str, Any]]:
    """Worlds by name; a plug-in that cannot be loaded is named and passed over, unless asked
    for."""
    from seedo import worlds

    for name in worlds.names() if world is None else (world,):
        try:
            yield name, worlds.find(name)
        except UserError as error:
            if world is not None:
                raise
            notes.print(f"left out: {error}", style="yellow", markup=False, soft_wrap=True)


def _worlds(_: str | None) -> Iterator[Row]:
    for name, world in _found(None):
        yield {"world": name, "about": _about(world), "presets": list(world.presets),
               "explanations": list(world.explanations)}  # fmt: skip


def _splits(world: str | None) -> Iterator[Row]:
    for name, found in _found(world):
        for split in found.splits:
            yield {"world": name, "split": split}


def _settings(world: str | None) -> Iterator[Row]:
    for _, found in _found(world):
        for setting, default in found.settings_of().items():
            none = default is inspect.Parameter.empty
            yield {"setting": setting, "default": None if none else default,
                   "one of": found.choices_of().get(setting)}  # fmt: skip


def _players(world: str | None) -> Iterator[Row]:
    from seedo import experimenters

    for name, found in _found(world):
        for player in experimenters.names_in(found):
            yield {"player": player, "world": name, "about": experimenters.about(player, found)}
    for player, about in (experimenters.FORMS | experimenters.plugins()).items():
        yield {"player": player, "world": None, "about": about}


def _networks(_: str | None) -> Iterator[Row]:
    from seedo import learning

    for name in learning.NETWORKS.names():
        try:
            kind = learning.NETWORKS.find(name)
        except UserError as error:  # a plug-in that cannot be loaded
            notes.print(f"left out: {error}", style="yellow", markup=False, soft_wrap=True)
            continue
        yield {"network": name, "worlds": [family for family in kind.families if family]}


def _studies(_: str | None) -> Iterator[Row]:
    from seedo import studies

    for name, about in studies.names().items():
        yield {"study": name, "about": about}


_LISTS: dict[str, Callable[[str | None], Iterator[Row]]] = {
    "worlds": _worlds,
    "players": _players,
    "splits": _splits,
    "settings": _settings,
    "networks": _networks,
    "studies": _studies,
}


@command("cache")
def cache(
    what: Annotated[str, typer.Argument(help="clear, or where.")], as_json: AsJson = False
) -> None:
    """Compiled programs kept between commands: clear them, or where."""
    one_of("what", what, ("clear", "where"))
    place = programs.folder()
    if what == "where":
        say(as_json, {"path": str(place)}, str(place))
        return
    gone = programs.clear()
    say(as_json, {"path": str(place), "bytes": gone}, f"{gone / 1e6:,.1f} MB deleted in {place}")
