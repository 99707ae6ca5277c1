"""One episode of world `dag` played step by step from Python: for language models, people, tools.

It is the episode that `rollout` would play: the same seed, stream and number give the same system
and the same noise, so whoever plays here is paired with everyone who played there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from seedo.episodes import EpisodeBatch, Origin
from seedo.experimenters import (
    Action,
    Experimenter,
    Given,
    Observation,
    Stage,
    execute,
    first_observation,
    next_observation,
    references,
    set_stage,
)
from seedo.worlds import EXPLOIT, World, stream_key


class Live:
    """An episode in progress that takes one action a step.

    Attributes:
        world, index: which of the world's episodes.
        seen: what was seen before every step up to the next, as NumPy arrays.
    """

    def __init__(self, world: Any, index: int, first: Any) -> None:
        self.world, self.index = world, index
        self.seen: list[Any] = [first]
        self._done: list[Any] = []  # what is logged of every step

    @property
    def observation(self) -> Any:
        """What is seen before the next step."""
        return self.seen[-1]

    @property
    def step(self) -> int:
        """Number of the next step, from 0."""
        return len(self._done)

    @property
    def finished(self) -> bool:
        return self.step == self.world.spec.steps

    @property
    def phase(self) -> int:
        """OBSERVE, EXPLORE or EXPLOIT: what the next step is for."""
        phase: int = self.world.spec.phases[self.step]
        return phase

    def _refuse_at_end(self) -> None:
        """Raises RuntimeError if there is no next step."""
        if self.finished:
            raise RuntimeError("the episode is over")

    def _add(self, done: Any, seen: Any) -> None:
        self._done.append(done)
        self.seen.append(seen)


class LiveEpisode(Live):
    """An episode in progress.

    Args:
        world: of structural causal models.
        seed, stream, index: which of the world's episodes.
        given: a system and a goal in place of those that the world would draw; the noise is that
            of the episode.
    """

    def __init__(
        self, world: World, seed: int, stream: str, index: int, given: Given | None = None
    ) -> None:
        key = stream_key(seed, stream)
        self.stage, self._references, seen = _begin(world, key, index, given)
        super().__init__(world, index, seen)

    @property
    def returns(self) -> float:
        """Mean expected goal value over the exploit steps so far; 0 before the first."""
        steps = zip(self._done, self.world.spec.phases, strict=False)
        exploits = [worth for (*_, worth), phase in steps if phase == EXPLOIT]
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
        self._refuse_at_end()
        done = _advance(self.world, self.stage, self.step, target, float(value))
        target, value, outcome, worth, seen = jax.tree.map(np.asarray, done)
        self._add((int(target), float(value), outcome, float(worth)), seen)
        return outcome


def episode_batch(
    origin: Origin,
    lived: Sequence[LiveEpisode],
    explanation: list[list[str]] | None = None,
    system: list[str] | None = None,
) -> EpisodeBatch:
    """Finished episodes of one world in log form; `explanation` has a text for every step."""
    world = lived[0].world
    steps = [[np.stack(column) for column in zip(*e._done, strict=True)] for e in lived]
    targets, values, outcomes, _ = (np.stack(column) for column in zip(*steps, strict=True))
    goal = np.stack([np.asarray(e.stage.goal) for e in lived])
    return EpisodeBatch(
        origin=origin,
        episode_id=np.array([e.index for e in lived]),
        phase=np.broadcast_to(np.asarray(world.spec.phases, np.int8), targets.shape),
        target=targets,
        value=np.where(targets < 0, np.nan, values),
        outcome=outcomes,
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


@eqx.filter_jit
def _begin(
    world: World, key: Any, index: Any, given: Given | None
) -> tuple[Stage, Any, Observation]:
    stage = set_stage(world, jax.random.fold_in(key, index), given)
    return stage, references(world, stage), first_observation(world, stage)


@eqx.filter_jit
def _advance(world: World, stage: Stage, t: Any, target: Any, value: Any) -> Any:
    action = Action(jnp.asarray(target), jnp.asarray(value))
    target, value, outcome, worth = execute(world, stage, t, action)
    seen = next_observation(world, stage, t, target, value, outcome)
    return target, value, outcome, worth, seen


@eqx.filter_jit
def _init(player: Experimenter, world: World, stage: Stage) -> Any:
    init_key, _ = jax.random.split(stage.player_key)
    return player.init(world.spec, init_key, stage.expected if player.knows_system else None)


@eqx.filter_jit
def _choose(player: Experimenter, state: Any, seen: Observation, stage: Stage, t: Any) -> Any:
    _, act_key = jax.random.split(stage.player_key)
    return player.act(state, seen, jax.random.fold_in(act_key, t))
