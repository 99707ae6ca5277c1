"""Logs that other processes play: everything that decides over a shard travels as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from seedo import worlds
from seedo.episodes import DatasetWriter, Written
from seedo.errors import UserError
from seedo.execution import Task, Workers, spread
from seedo.experimenters import Experimenter, find_player
from seedo.worlds import World


@dataclass(frozen=True)
class Elsewhere:
    """Whoever plays shards of a log in other processes, and how they find the player.

    Attributes:
        workers: any executor of `concurrent.futures`, or as `execution.open_workers` gives them.
        name: of the player, as `find_player` reads it.
        greedy, seed: see `find_player`.
    """

    workers: Workers | Executor
    name: str
    greedy: bool = False
    seed: int = 0


def elsewhere_if_known(
    workers: Workers | Executor | None,
    world: World,
    player: Experimenter,
    names: Iterable[str],
    greedy: bool = False,
    seed: int = 0,
) -> Elsewhere | None:
    """Whoever plays elsewhere, where one of these names is the player's there; None: nobody, so
    that it plays here, to the same bytes."""
    if workers is None or world.host or player.host:
        return None
    for name in names:
        try:
            at = Elsewhere(workers, name, greedy, seed)
            _check(world, player, at)
            return at
        except UserError:
            continue
    return None


def play_elsewhere(
    writer: DatasetWriter,
    world: World,
    player: Experimenter,
    at: Elsewhere,
    told: dict[str, Any],
) -> Iterator[Written]:
    """Have all missing shards of a log played and written by workers, in any order.

    Args:
        told: arguments of `play.episodes` that travel: `seed`, `stream`, `systems`, `explain`.

    Raises:
        UserError: the world or the player is not to be had in another process; what a worker
            refused.
    """
    told = told | {
        "world": world.name,
        "config": world.config(),
        "player": at.name,
        "greedy": at.greedy,
        "player_seed": at.seed,
        "record": player.record,
        "plan": writer.plan.to_json(),
    }
    _check(world, player, at)
    tasks = ((shard, Task("shard", told | {"shard": shard})) for shard in writer.missing)
    for _, done in spread(tasks, at.workers):
        yield Written.from_json(done.result)


def _check(world: World, player: Experimenter, at: Elsewhere) -> None:
    if world.host or player.host:
        who = f"world {world.name}" if world.host else f"player {at.name}"
        remedy = "is called step by step, in this process: leave the executor out"
        raise UserError("executor", who, remedy)
    again = _again("world", world.name, lambda: worlds.from_config(world.name, world.config()))
    who = _again("player", at.name, lambda: find_player(at.name, world, at.greedy, at.seed))
    remedy = "is another one by this name: workers could not find the one that is meant"
    if type(again) is not type(world):
        raise UserError("world", world.name, remedy)
    if not _same(who, player):
        raise UserError("player", at.name, remedy)


def _same(one: Experimenter, other: Experimenter) -> bool:
    return (type(one), one.name, one.record) == (type(other), other.name, other.record)


def _again(field: str, name: str, find: Callable[[], Any]) -> Any:
    try:
        return find()
    except UserError as error:
        remedy = f"workers find it by its name alone, so make it a plug-in ({error.remedy})"
        raise UserError(field, name, remedy) from error
