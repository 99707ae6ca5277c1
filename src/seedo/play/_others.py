"""Worlds and players of others: checked before they play, and named where they fail."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Iterator
from typing import Any

from seedo import experimenters, worlds
from seedo.errors import UserError, in_one_line


def check(world: Any, player: Any) -> None:
    """See that a world and a player of others keep the protocol; ours have tests of their own.

    Raises:
        UserError: one of them does not, and where.
    """
    if not _is_ours(world):
        worlds.check(world)
    if not (_is_ours(player) and _is_ours(world)):
        experimenters.check(player, world)


@contextlib.contextmanager
def named(world: Any, player: Any) -> Iterator[None]:
    """Whatever the code of others raises becomes one line that says whose it is, and where."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if _is_ours(world) and _is_ours(player):
            raise
        frames = traceback.extract_tb(error.__traceback__)
        homes = tuple(_home(thing) for thing in (world, player) if not _is_ours(thing))
        at = ([frame for frame in frames if frame.filename.startswith(homes)] or frames)[-1]
        remedy = f"{in_one_line(error)} ({at.filename}, line {at.lineno})"
        field = f"player {player.name} in world {world.name}"
        raise UserError(field, None, remedy) from error


def _is_ours(thing: Any) -> bool:
    return type(thing).__module__.partition(".")[0] == "seedo"


def _home(thing: Any) -> str:
    """The file of the module that defines a thing, or the folder of its package."""
    top = type(thing).__module__.partition(".")[0]
    file = getattr(sys.modules.get(top), "__file__", None) or ""
    return file.removesuffix("__init__.py")
