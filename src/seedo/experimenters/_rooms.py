"""Scripted players of world `rooms`: the expert, and heuristics that look at less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from seedo.errors import UserError
from seedo.worlds import RoomsWorld
from seedo.worlds.rooms import (
    ACTIONS,
    DIMENSIONS,
    NOTHING,
    RoomTask,
    Symbolic,
    concepts_left,
    expert,
    walk,
)


class RoomsPlayer(Protocol):
    """A pure player of rooms, for one episode; the runner vmaps and scans it.

    `act` gets the task only where `knows_system`, else None. Actions are int32, -1..10.
    """

    @property
    def name(self) -> str: ...
    @property
    def knows_system(self) -> bool: ...

    def init(self, key: PRNGKeyArray) -> Any: ...

    def act(
        self,
        world: RoomsWorld,
        task: RoomTask | None,
        state: Any,
        seen: Symbolic,
        key: PRNGKeyArray,
    ) -> tuple[Int[Array, ""], Any]: ...


class _Beliefs(NamedTuple):
    possible: Bool[Array, " 4"]  # dimensions that explain all rewards so far
    judged: Bool[Array, ""]  # the verdict of the current choice has been taken in


@dataclass(frozen=True)
class RoomsExpert:
    """Shortest paths to the odd one out.

    With `dimension`: as if that dimension decided. Without: in meta-episodes it experiments and
    infers the concept from rewards; in single rooms, where nothing can be inferred, it is told.
    """

    name: str = "expert"
    dimension: int | None = None

    @property
    def knows_system(self) -> bool:
        return self.dimension is None

    def init(self, key: PRNGKeyArray) -> _Beliefs:
        return _Beliefs(jnp.ones(4, bool), jnp.asarray(False))

    def act(self, world, task, state, seen, key):
        fresh = (seen.chosen >= 0) & ~state.judged
        possible = jnp.where(fresh, state.possible & concepts_left(seen), state.possible)
        if self.dimension is not None:
            believed = jnp.arange(4) == self.dimension
        elif world.settings.level == "meta":
            cued = jnp.arange(4) == seen.cue - 1
            believed = jnp.where(seen.cue > 0, cued, possible)
        else:
            believed = jnp.arange(4) == task.concept
        return expert(seen, believed, key), _Beliefs(possible, seen.chosen >= 0)


@dataclass(frozen=True)
class Wanderer:
    """Any of the actions at every step."""

    name: str = "wanderer"
    knows_system: bool = False

    def init(self, key: PRNGKeyArray) -> None:
        return None

    def act(self, world, task, state, seen, key):
        actions = len(ACTIONS) if world.settings.level == "meta" else 8
        drawn = jax.random.randint(key, (), 0, actions)
        return jnp.where(seen.finished | (seen.chosen >= 0), NOTHING, drawn), state


@dataclass(frozen=True)
class RandomChoice:
    """Walks to one of the objects, drawn anew in each trial."""

    name: str = "random"
    knows_system: bool = False

    def init(self, key: PRNGKeyArray) -> PRNGKeyArray:
        return key

    def act(self, world, task, state, seen, key):
        wanted = jax.random.randint(jax.random.fold_in(state, seen.trial), (), 0, 4)
        return walk(seen, jnp.arange(4) == wanted), state


@dataclass(frozen=True)
class Nearest:
    """Walks to the nearest object."""

    name: str = "nearest"
    knows_system: bool = False

    def init(self, key: PRNGKeyArray) -> None:
        return None

    def act(self, world, task, state, seen, key):
        return walk(seen, jnp.ones(4, bool)), state


@dataclass(frozen=True)
class MostSalient:
    """Walks to the object that differs from the others in most colours, shapes and textures; the
    nearest of several such."""

    name: str = "most-salient"
    knows_system: bool = False

    def init(self, key: PRNGKeyArray) -> None:
        return None

    def act(self, world, task, state, seen, key):
        looks = seen.objects[:, :3]
        differences = (looks[:, None] != looks).sum(axis=(1, 2))
        return walk(seen, differences == differences.max()), state


class _Rewarded(NamedTuple):
    looks: Int[Array, " 3"]  # colour, shape and texture that last earned something; -1: none yet


@dataclass(frozen=True)
class LastRewarded:
    """Walks to the object that shares most of colour, shape and texture with the one that was last
    rewarded; the nearest of several such."""

    name: str = "last-rewarded"
    knows_system: bool = False

    def init(self, key: PRNGKeyArray) -> _Rewarded:
        return _Rewarded(jnp.full(3, -1))

    def act(self, world, task, state, seen, key):
        looks = seen.objects[:, :3]
        taken = looks[jnp.maximum(seen.chosen, 0)]
        earned = (seen.chosen >= 0) & (seen.reward > 0)
        state = _Rewarded(jnp.where(earned, taken, state.looks))
        shared = (looks == state.looks).sum(axis=1)
        return walk(seen, shared == shared.max()), state


_ALL: tuple[RoomsPlayer, ...] = (
    RoomsExpert(),
    *(RoomsExpert(f"expert-{name}", dimension) for dimension, name in enumerate(DIMENSIONS)),
    RandomChoice(),
    Nearest(),
    MostSalient(),
    LastRewarded(),
    Wanderer(),
)
_PLAYERS = {player.name: player for player in _ALL}
ROOMS_PLAYERS = tuple(_PLAYERS)
"""Names for `rooms_player`."""


def rooms_player(name: str) -> RoomsPlayer:
    """A scripted player of rooms by name; `expert-colour` acts as if colour decided, and so on."""
    if name not in _PLAYERS:
        raise UserError("scripted", name, f"use one of {', '.join(ROOMS_PLAYERS)}")
    return _PLAYERS[name]
