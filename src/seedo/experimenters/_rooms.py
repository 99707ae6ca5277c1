"""Scripted players of world `rooms`: the expert, and heuristics that look at less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from seedo.errors import UserError
from seedo.experimenters._protocol import Player
from seedo.worlds import Action, Spec
from seedo.worlds.rooms import (
    ACTIONS,
    DIMENSIONS,
    FIRST_TRANSFORM,
    NOTHING,
    VARIABLES,
    RoomsObservation,
    RoomsWorld,
    Symbolic,
    action_setting,
    concepts_left,
    expert,
    in_view,
    look_round,
    walk,
)


def check_rooms(player: str, spec: Spec) -> None:
    """Raises UserError where the world is not one of rooms."""
    if spec.variables != VARIABLES:
        raise UserError("player", player, "plays in world rooms only")


@dataclass(frozen=True)
class RoomsPlayer(Player):
    """A player that looks at numbers and says the number of an action (`choose`).

    It is made for worlds of one kind: `meta`, those of several trials, or single rooms.
    """

    name: str
    meta: bool = True

    def check(self, spec: Spec) -> None:
        check_rooms(self.name, spec)

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: Any) -> Any:
        return None

    def act(
        self, memory: Any, observation: RoomsObservation, key: PRNGKeyArray
    ) -> tuple[Action, Any]:
        number, memory = self.choose(memory, observation.symbolic, key)
        return Action(*action_setting(number)), memory

    def choose(self, memory: Any, seen: Symbolic, key: PRNGKeyArray) -> tuple[Int[Array, ""], Any]:
        """The number of its action, -1..10, and its memory after it."""
        raise NotImplementedError


class _Beliefs(NamedTuple):
    possible: Bool[Array, " 4"]  # dimensions that explain all rewards so far
    judged: Bool[Array, ""]  # the verdict of the current choice has been taken in
    concept: Int[Array, ""] | None  # the dimension that decides, where it was told


@dataclass(frozen=True)
class RoomsExpert(RoomsPlayer):
    """Shortest paths to the odd one out.

    With `dimension`: as if that dimension decided. Without: in meta-episodes it experiments and
    infers the concept from rewards; in single rooms, where nothing can be inferred, it is told.
    """

    dimension: int | None = None

    @property
    def knows_system(self) -> bool:
        return self.dimension is None

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: Any) -> _Beliefs:
        told = privileged.concept if self.knows_system and not self.meta else None
        return _Beliefs(jnp.ones(4, bool), jnp.asarray(False), told)

    def choose(self, memory, seen, key):
        fresh = (seen.chosen >= 0) & ~memory.judged
        possible = jnp.where(fresh, memory.possible & concepts_left(seen), memory.possible)
        if self.dimension is not None:
            believed = jnp.arange(4) == self.dimension
        elif self.meta:
            cued = jnp.arange(4) == seen.cue - 1
            believed = jnp.where(seen.cue > 0, cued, possible)
        else:
            believed = jnp.arange(4) == memory.concept
        return expert(seen, believed, key), _Beliefs(possible, seen.chosen >= 0, memory.concept)


class _Looks(NamedTuple):
    beliefs: _Beliefs
    trial: Int[Array, ""]
    known: Bool[Array, " 4"]  # objects that have been in view in this trial


@dataclass(frozen=True)
class LookingExpert(RoomsExpert):
    """An expert that knows of objects only what a frame shows: in each trial it walks to where the
    whole room is in view until it has seen all four. Whoever imitates it from frames is never to do
    what only one who sees through the edge of the frame could know."""

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: Any) -> Any:
        beliefs = super().begin(spec, key, privileged)
        return _Looks(beliefs, jnp.zeros((), jnp.int32), jnp.zeros(4, bool))

    def choose(self, memory, seen, key):
        number, beliefs = super().choose(memory.beliefs, seen, key)
        known = in_view(seen) | (memory.known & (memory.trial == seen.trial))
        number = jnp.where(known.all(), number, look_round(seen))
        return number, _Looks(beliefs, seen.trial, known)


class Wanderer(RoomsPlayer):
    """Any of the actions at every step."""

    def choose(self, memory, seen, key):
        drawn = jax.random.randint(key, (), 0, len(ACTIONS) if self.meta else FIRST_TRANSFORM)
        return jnp.where(seen.finished | (seen.chosen >= 0), NOTHING, drawn), memory


class RandomChoice(RoomsPlayer):
    """Walks to one of the objects, drawn anew in each trial."""

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: Any) -> PRNGKeyArray:
        return key

    def choose(self, memory, seen, key):
        wanted = jax.random.randint(jax.random.fold_in(memory, seen.trial), (), 0, 4)
        return walk(seen, jnp.arange(4) == wanted), memory


class Nearest(RoomsPlayer):
    """Walks to the nearest object."""

    def choose(self, memory, seen, key):
        return walk(seen, jnp.ones(4, bool)), memory


class MostSalient(RoomsPlayer):
    """Walks to the object that differs from the others in most colours, shapes and textures; the
    nearest of several such."""

    def choose(self, memory, seen, key):
        looks = seen.objects[:, :3]
        differences = (looks[:, None] != looks).sum(axis=(1, 2))
        return walk(seen, differences == differences.max()), memory


class LastRewarded(RoomsPlayer):
    """Walks to the object that shares most of colour, shape and texture with the one that was last
    rewarded; the nearest of several such."""

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: Any) -> Int[Array, " 3"]:
        return jnp.full(3, -1)  # colour, shape and texture of that one; -1: none yet

    def choose(self, memory, seen, key):
        looks = seen.objects[:, :3]
        taken = looks[jnp.maximum(seen.chosen, 0)]
        memory = jnp.where((seen.chosen >= 0) & (seen.reward > 0), taken, memory)
        shared = (looks == memory).sum(axis=1)
        return walk(seen, shared == shared.max()), memory


_KINDS: dict[str, type[RoomsPlayer]] = {
    "random": RandomChoice,
    "nearest": Nearest,
    "most-salient": MostSalient,
    "last-rewarded": LastRewarded,
    "wanderer": Wanderer,
}
_EXPERTS = {"expert": None} | {f"expert-{name}": d for d, name in enumerate(DIMENSIONS)}
_LOOKING = "looking-expert"
ROOMS_PLAYERS = (*_EXPERTS, _LOOKING, *_KINDS)
"""Names for `rooms_player`."""


def rooms_player(name: str, world: RoomsWorld) -> RoomsPlayer:
    """A scripted player by name, for this world; `expert-colour` acts as if colour decided, and so
    on.

    Raises:
        UserError: there is none of this name.
    """
    meta = world.settings.level == "meta"
    if name in _EXPERTS:
        return RoomsExpert(name, meta, _EXPERTS[name])
    if name == _LOOKING:
        return LookingExpert(name, meta)
    if name in _KINDS:
        return _KINDS[name](name, meta)
    raise UserError("scripted", name, f"use one of {', '.join(ROOMS_PLAYERS)}")
