"""One episode of world `dag` played step by step from Python: for language models, people, tools.

It is the episode that `rollout` would play: the same seed, stream and number give the same system
and the same noise, so whoever plays here is paired with everyone who played there.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from understudy.episodes import EpisodeBatch, Origin
from understudy.evaluation._rollout import (
    Stage,
    execute,
    first_observation,
    next_observation,
    references,
    set_stage,
)
from understudy.experimenters import Action, Experimenter, Observation
from understudy.worlds import EXPLOIT, World, stream_key


class LiveEpisode:
    """An episode in progress.

    Args:
        world: of structural causal models.
        seed, stream, index: which of the world's episodes.
    """

    def __init__(self, world: World, seed: int, stream: str, index: int) -> None:
        self.world, self.index = world, index
        self.stage, self._references, seen = _begin(world, stream_key(seed, stream), index)
        self.seen: list[Observation] = [seen]
        self._targets: list[int] = []
        self._values: list[float] = []
        self._outcomes: list[np.ndarray] = []
        self._worth: list[float] = []

    @property
    def observation(self) -> Observation:
        """What is seen before the next step, as NumPy arrays."""
        return self.seen[-1]

    @property
    def step(self) -> int:
        """Number of the next step, from 0."""
        return len(self._targets)

    @property
    def finished(self) -> bool:
        return self.step == self.world.spec.steps

    @property
    def phase(self) -> int:
        """OBSERVE, EXPLORE or EXPLOIT: what the next step is for."""
        return self.world.spec.phases[self.step]

    @property
    def returns(self) -> float:
        """Mean expected goal value over the exploit steps so far; 0 before the first."""
        exploits = [w for w, p in zip(self._worth, self.world.spec.phases, strict=False)
                    if p == EXPLOIT]  # fmt: skip
        return float(np.mean(exploits)) if exploits else 0.0

    @property
    def oracle_return(self) -> float:
        """The same for a player who knows the system."""
        return float(self._references[0])

    @property
    def random_return(self) -> float:
        """The same for a player who picks legal actions at random, in expectation."""
        return float(self._references[1])

    def act(self, target: int, value: float = 0.0) -> np.ndarray:
        """Carry out do(target = value), -1: only observe; float32[n] of what followed.

        Raises:
            RuntimeError: the episode is over.
        """
        if self.finished:
            raise RuntimeError("the episode is over")
        done = _advance(self.world, self.stage, self.step, target, float(value))
        target, value, outcome, worth, seen = jax.tree.map(np.asarray, done)
        self._targets.append(int(target))
        self._values.append(float(value))
        self._outcomes.append(outcome)
        self._worth.append(float(worth))
        self.seen.append(seen)
        return outcome


def episode_batch(
    origin: Origin,
    lived: Sequence[LiveEpisode],
    explanation: list[list[str]] | None = None,
    system: list[str] | None = None,
) -> EpisodeBatch:
    """Finished episodes of one world in log form; `explanation` has a text for every step."""
    world = lived[0].world
    targets = np.array([e._targets for e in lived])
    goal = np.stack([np.asarray(e.stage.goal) for e in lived])
    return EpisodeBatch(
        origin=origin,
        episode_id=np.array([e.index for e in lived]),
        phase=np.broadcast_to(np.asarray(world.spec.phases, np.int8), targets.shape),
        target=targets,
        value=np.where(targets < 0, np.nan, np.array([e._values for e in lived])),
        outcome=np.stack([np.stack(e._outcomes) for e in lived]),
        mask=np.stack([np.asarray(e.stage.relevant) for e in lived]),
        goal=goal,
        returns=np.array([e.returns for e in lived]),
        oracle_return=np.array([e.oracle_return for e in lived]),
        random_return=np.array([e.random_return for e in lived]),
        explanation=explanation,
        system=system,
    )


class Actor:
    """A JAX experimenter on a live episode; chooses what it would choose inside `rollout`."""

    def __init__(self, player: Experimenter, episode: LiveEpisode) -> None:
        self._player, self._episode = player, episode
        self._state = _init(player, episode.world, episode.stage)
        self._chosen: list[Any] = []  # at every step so far

    def action(self) -> tuple[int, float]:
        """Its (target, value) for the episode's next step; target -1: only observe."""
        while (step := len(self._chosen)) <= self._episode.step:
            chosen, self._state = _choose(
                self._player, self._state, self._episode.seen[step], self._episode.stage, step
            )
            self._chosen.append(chosen)
        chosen = self._chosen[self._episode.step]
        return int(chosen.target), float(chosen.value)


@functools.partial(jax.jit, static_argnums=0)
def _begin(world: World, key: Any, index: Any) -> tuple[Stage, Any, Observation]:
    stage = set_stage(world, jax.random.fold_in(key, index))
    return stage, references(world, stage), first_observation(world, stage)


@functools.partial(jax.jit, static_argnums=0)
def _advance(world: World, stage: Stage, t: Any, target: Any, value: Any) -> Any:
    action = Action(jnp.asarray(target), jnp.asarray(value))
    target, value, outcome, worth = execute(world, stage, t, action)
    seen = next_observation(world, stage, t, target, value, outcome)
    return target, value, outcome, worth, seen


@functools.partial(jax.jit, static_argnums=(0, 1))
def _init(player: Experimenter, world: World, stage: Stage) -> Any:
    init_key, _ = jax.random.split(stage.player_key)
    return player.init(world.spec, init_key, stage.expected if player.knows_system else None)


@functools.partial(jax.jit, static_argnums=0)
def _choose(player: Experimenter, state: Any, seen: Observation, stage: Stage, t: Any) -> Any:
    _, act_key = jax.random.split(stage.player_key)
    return player.act(state, seen, jax.random.fold_in(act_key, t))
