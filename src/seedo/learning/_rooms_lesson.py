"""What is learnt from a minibatch of room episodes: played again from keys and actions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray
from numpy.typing import NDArray

from seedo.learning._rooms_eye import Glimpse, glimpse_of
from seedo.worlds.rooms import (
    NOTHING,
    RoomState,
    RoomsWorld,
    RoomTask,
    Symbolic,
    irrelevant,
    shuffled,
    wrong_verdict,
)

TOLD = 8
"""Steps of an episode at which naming is learnt in one pass, drawn from those where something is
said: neighbouring steps teach nearly the same, and naming costs as much as all the rest."""
LENGTHS = 16
"""Episodes are cut to a multiple of this many steps, so that few programs are compiled."""


class Replay(NamedTuple):
    """An episode seen again: what was seen and said before each action, and what it earned."""

    seen: Symbolic
    reward: Float[Array, " S"]
    tokens: Int[Array, "S L"]
    glimpse: Glimpse | None = None


class RoomsLesson(NamedTuple):
    """A minibatch ready for the loss; every array has a leading episode axis B."""

    inputs: Any  # Symbolic [B, S, ...], or a pair of it and Glimpse [B, S, ...]
    action: Any  # int32[B, S]: taken there
    explore: Any  # f32[B, S]: weight of an imitated action in an experiment; they sum to 1
    exploit: Any  # f32[B, S]: the same for actions on which the outcome depends
    heard: Any  # int32[B, S, L], or None: words given as input
    told: Any  # int32[B, K]: steps at which naming is learnt
    words: Any  # int32[B, K, L]: what is said there
    naming: Any  # f32[B, K, L]: weight of a word; they sum to 1
    steps: tuple[()] = ()  # all are decided at

    def each_column(self, change: Callable[[Any], Any]) -> RoomsLesson:
        """With `change` applied to every array."""
        return jax.tree.map(change, self)


def replay(
    world: RoomsWorld,
    key: PRNGKeyArray,
    actions: Int[Array, " S"],
    control: str = "predict",
    pixels: bool = False,
) -> Replay:
    """An episode from the key it was drawn with (`worlds.episode_key`) and its actions.

    `control`: `irrelevant` or `wrong` replaces what is said; see `seedo.worlds.rooms`.
    `pixels`: with what the eye takes from each frame.
    """
    task_key, _ = jax.random.split(key)
    task = world.sample(task_key)
    other_key = jax.random.fold_in(key, 1)

    def step(state: Any, action: Array) -> tuple[Any, Replay]:
        seen, said = world.symbolic(task, state), say(world, control, task, state, other_key)
        eyed = glimpse_of(world.sights(task, state), state.agent) if pixels else None
        after, reward = world.advance(task, state, action)
        return after, Replay(seen, reward, said, eyed)

    return jax.lax.scan(step, world.reset(task), actions)[1]


def say(
    world: RoomsWorld, control: str, task: RoomTask, state: RoomState, key: PRNGKeyArray
) -> Int[Array, " L"]:
    """What is said in a state, or what a control says instead: something `irrelevant`, or a `wrong`
    verdict (`key`: the same for all steps of an episode)."""
    if control == "wrong":
        return wrong_verdict(world.settings, task, state, key)
    said = world.explain(task, state)
    return irrelevant(said, state) if control == "irrelevant" else said


@functools.partial(jax.jit, static_argnums=(0, 1), static_argnames="pixels")
def rooms_lesson(
    world: RoomsWorld,
    explanations: str,
    keys: PRNGKeyArray,
    actions: Int[Array, "B S"],
    draw: PRNGKeyArray,
    pixels: bool = False,
) -> RoomsLesson:
    """A minibatch from episode keys [B] and actions; `draw` chooses the steps that are told."""
    episode = jax.vmap(lambda k, a: replay(world, k, a, explanations, pixels))(keys, actions)
    seen, tokens = episode.seen, episode.tokens
    acted = (actions != NOTHING) & ~seen.finished & (seen.chosen < 0)
    last = seen.exploit | (world.settings.trials == 1)
    draw_told, draw_other = jax.random.split(draw)
    said = (tokens > 0).any(-1)
    if explanations == "shuffled":
        # Words of any other step of the minibatch: those of the same episode would still tell.
        mixed = shuffled(tokens.reshape(-1, tokens.shape[-1]), said.reshape(-1), draw_other)
        tokens = mixed.reshape(tokens.shape)
    told, words, naming = told_words(tokens, draw_told)
    return RoomsLesson(
        inputs=(seen, episode.glimpse) if pixels else seen,
        action=jnp.maximum(actions, 0),
        explore=_shares(acted & ~last),
        exploit=_shares(acted & last),
        heard=tokens if explanations == "input" else None,
        told=told,
        words=words,
        naming=naming,
    )


def told_words(
    tokens: Int[Array, "B S L"], draw: PRNGKeyArray
) -> tuple[Int[Array, "B K"], Int[Array, "B K L"], Float[Array, "B K L"]]:
    """At most `TOLD` steps of each episode at which something is said, drawn with `draw`; the words
    there; and each word's weight in the loss. The weights sum to 1 over the minibatch."""
    said = (tokens > 0).any(-1)
    chance = jax.random.uniform(draw, said.shape)
    told = jnp.argsort(jnp.where(said, chance, 2.0), axis=1)[:, :TOLD]
    words = jnp.take_along_axis(tokens, told[..., None], 1)
    # The first absent word counts too: it ends the sentence.
    counted = jnp.pad(words > 0, ((0, 0), (0, 0), (1, 0)), constant_values=True)[..., :-1]
    counted &= jnp.take_along_axis(said, told, 1)[..., None]
    return told, words, _shares(counted)


def _shares(counted: Array) -> Float[Array, "*axes"]:
    return counted / jnp.maximum(counted.sum(), 1)


def trimmed(actions: NDArray[np.int32], linger: int) -> NDArray[np.int32]:
    """Actions int32[B, S] without the steps after the longest episode, to a multiple of
    `LENGTHS`."""
    steps = actions.shape[1]
    acted = np.flatnonzero((actions != NOTHING).any(0))
    length = (int(acted[-1]) + 1 if len(acted) else 0) + linger
    length = min(max(-(-length // LENGTHS) * LENGTHS, TOLD), steps)
    return actions[:, :length]
