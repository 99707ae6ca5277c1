"""Chooser x reader for language models, and what each experiment was worth.

A language model's experiments read by others: its log is one like all others, so `review --reader`
and `information` take it as it is. Others' experiments read by a language model: `reading_scene`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.inference.design import INFORMATION_DRAWS, expected_information_gain
from seedo.inference.exact import SubsetPosterior, posterior_of, relevant_rows
from seedo.inference.scores import Rows
from seedo.language.runs import Speaker, converse
from seedo.language.scenes import (
    Conditions,
    DagScene,
    Do,
    Message,
    scene_of,
    without_directions,
)
from seedo.play import origin
from seedo.worlds import EXPLOIT, EXPLORE, World, from_config

SHOWN = ("turns", "table")
"""How another's experiments are shown: as the reader's own turns, or as a table."""

_SAME = 1e-3  # outcomes of one episode played twice differ by float32 rounding only
_AT_ONCE = 64


class ReadingScene(DagScene):
    """An episode whose experiments somebody else has made; the player only exploits.

    It is played again from its seed, so noise, exact returns and references are those of the log.

    Args:
        made: (target, value) of every experiment, target -1 for an observation.
        shown: one of `SHOWN`.
    """

    def __init__(
        self,
        world: World,
        seed: int,
        stream: str,
        index: int,
        conditions: Conditions | None = None,
        opening: Sequence[Message] = (),
        *,
        made: Sequence[tuple[int, float]],
        shown: str = "turns",
    ) -> None:
        if shown not in SHOWN:
            raise UserError("shown", shown, f"use one of {', '.join(SHOWN)}")
        if len(made) != sum(p == EXPLORE for p in world.spec.phases):
            raise UserError("experiments", len(made), "give as many as the world has steps for")
        self._made = [Do(int(target), float(value)) for target, value in made]
        self._shown = shown
        super().__init__(world, seed, stream, index, conditions, opening)
        if shown == "turns":
            for action in self._made:
                self._said.append({"role": "assistant", "content": self.write(action)})
                self.take(action)

    def instructions(self) -> str:
        told = super().instructions()
        if self._shown == "turns":
            return told
        return f"{told}\nHere somebody else has made the experiments; you only act on goals."

    def begin(self) -> str:
        said = super().begin()
        if self._shown == "turns" or not self._made:
            return said
        rows = [f"{self.write(action)}: {self.results(self._experiment(action))}"
                for action in self._made]  # fmt: skip
        head = [without_directions(said), "Experiments made by somebody else:", *rows]
        return "\n".join([*head, *self._turn(), *self._goal()])

    def _experiment(self, action: Do) -> np.ndarray:
        return self.episode.act(action.target, action.value).outcome


def causal_world(batch: EpisodeBatch) -> World:
    """The world of a log.

    Raises:
        UserError: it is not told as structural causal models are.
    """
    world: World = from_config(batch.origin.world, json.loads(batch.origin.world_config))
    if not issubclass(scene_of(world), DagScene):
        raise UserError("log", batch.origin.world, "give a log of world dag")
    return world


def reading_scene(
    batch: EpisodeBatch,
    row: int,
    conditions: Conditions | None = None,
    *,
    world: World | None = None,
    stream: str = "perform",
    shown: str = "turns",
    opening: Sequence[Message] = (),
) -> ReadingScene:
    """The episode in one row of a log with its experiments made; the player only exploits.

    Args:
        batch: of world `dag`.
        row: of the batch.
        conditions: of the prompt.
        world: of the log, where it is at hand (each world object is compiled on its own).
        stream: of the seed, the one that the log was played on.
        shown: one of `SHOWN`.
        opening: messages said first.

    Raises:
        UserError: another world, no such row, or playing it again does not give what the log says.
    """
    world = causal_world(batch) if world is None else world
    if not 0 <= row < batch.rows:
        raise UserError("row", row, f"use a whole number from 0 to {batch.rows - 1}")
    if tuple(batch.phase[row].tolist()) != world.spec.phases:
        raise UserError("log", f"row {row}", "its steps are not those of its world")
    explored = batch.phase[row] == EXPLORE
    values = np.nan_to_num(batch.value[row][explored]).tolist()
    made = list(zip(batch.target[row][explored].tolist(), values, strict=True))
    index = int(batch.episode_id[row])
    scene = ReadingScene(
        world, batch.origin.seed, stream, index, conditions, opening, made=made, shown=shown
    )
    seen = scene.episode.seen[1:]
    played = np.stack([o.outcome for o in seen]) if seen else np.zeros((0, batch.n))
    logged = batch.outcome[row][: len(seen)]
    if not np.allclose(played, logged, atol=_SAME, rtol=_SAME):
        remedy = f"it was not played on seed {batch.origin.seed}, stream {stream}: name its stream"
        raise UserError("log", f"row {row}", remedy)
    return scene


class Read(NamedTuple):
    """What a reader did at the E exploit steps of B episodes.

    Attributes:
        targets: int64[B, E], -1 where nothing legal was done.
        values: float64[B, E], NaN there.
        returns: float64[B], mean exact expected goal value.
        malformed: int64[B], malformed replies.
    """

    targets: NDArray[np.int64]
    values: NDArray[np.float64]
    returns: NDArray[np.float64]
    malformed: NDArray[np.int64]


def read_by_speaker(
    batch: EpisodeBatch,
    speaker: Speaker,
    conditions: Conditions | None = None,
    *,
    world: World | None = None,
    stream: str = "perform",
    shown: str = "turns",
) -> Read:
    """A speaker as the reader of all experiments in a log; arguments as in `reading_scene`."""
    world = causal_world(batch) if world is None else world
    scenes = [
        reading_scene(batch, row, conditions, world=world, stream=stream, shown=shown)
        for row in range(batch.rows)
    ]
    converse(scenes, speaker)
    return what_was_read(scenes, speaker.name)


def what_was_read(scenes: Sequence[DagScene], reader: str) -> Read:
    """The exploit actions of finished scenes of one world."""
    world = scenes[0].world
    played = DagScene.log(origin(world, reader, 0), scenes)
    exploits = played.phase[0] == EXPLOIT
    return Read(
        played.target[:, exploits].astype(np.int64),
        played.value[:, exploits].astype(np.float64),
        np.array([scene.returns for scene in scenes]),
        np.array([len(scene.malformed) for scene in scenes]),
    )


# -- what each experiment was worth ---------------------------------------------------------------


class Information(NamedTuple):
    """Bits about the graph of relevant variables at the T explore steps of B episodes.

    Attributes:
        step: int64[T], of the episode.
        chosen: float64[B, T], expected of what was done, given all that was seen before it.
        greedy: float64[B, T], of what greedy information gain would do at the same history.
        random: float64[B, T], of a random intervention on a relevant variable: the mean.
        entropy: float64[B, T + 1], of the posterior before each explore step and after the last.
    """

    step: NDArray[np.int64]
    chosen: NDArray[np.float64]
    greedy: NDArray[np.float64]
    random: NDArray[np.float64]
    entropy: NDArray[np.float64]

    @property
    def regret(self) -> NDArray[np.float64]:
        """float64[B, T], bits lost to greedy. Below 0 only where draws cannot tell two apart."""
        return self.greedy - self.chosen

    @property
    def random_regret(self) -> NDArray[np.float64]:
        """float64[B, T], the same for random choice at the same history."""
        return self.greedy - self.random


def information(batch: EpisodeBatch, draws: int = INFORMATION_DRAWS, seed: int = 0) -> Information:
    """What every experiment of a log was expected to tell; for logs of every player.

    Greedy picks by one set of drawn outcomes and is judged, as all are, by another: judged by its
    own, it would profit from its errors.

    Args:
        batch: of a world `dag` with an exact posterior.
        draws: outcomes drawn for each experiment, a power of two from 8 on.
        seed: of the draws.

    Raises:
        UserError: another world, no explore steps, or no exact posterior for it.
    """
    causal_world(batch)
    steps = np.flatnonzero((batch.phase == EXPLORE).all(0))
    if not len(steps) or ((batch.phase == EXPLORE).any(0) != (batch.phase == EXPLORE).all(0)).any():
        raise UserError("log", None, "give a log with explore steps, the same in all episodes")
    config = json.loads(batch.origin.world_config)
    _, rows = relevant_rows(batch.outcome, batch.target, batch.mask)
    posterior = posterior_of(config, rows.outcome.shape[-1])
    values = tuple(float(v) for v in config["do_values"])
    value = np.nan_to_num(batch.value)
    which = np.abs(value[:, :, None] - np.asarray(values)).argmin(-1)

    # Every pair of an episode and a step is one problem: the rows before that step.
    episode, step = (a.ravel() for a in np.meshgrid(np.arange(batch.rows), steps, indexing="ij"))
    found = np.zeros((3, len(episode)))
    entropy = np.zeros((batch.rows, len(steps) + 1))
    keys = jax.random.split(jax.random.key(seed))
    for start in range(0, len(episode), _AT_ONCE):
        # The last part repeats its last problem, so that all have one shape.
        at = np.minimum(np.arange(start, start + _AT_ONCE), len(episode) - 1)
        size = min(_AT_ONCE, len(episode) - start)
        row, now = episode[at], step[at]
        before = np.arange(batch.steps) < now[:, None]
        seen = Rows(np.where(before[:, :, None], rows.outcome[row], np.nan), rows.target[row])
        gains, entropies = _worth(posterior, values, draws, keys, seen, row, now)
        first, second = np.asarray(gains, np.float64)[:size].swapaxes(0, 1)
        # Target -1, an observation, is the last row.
        done = second[np.arange(size), rows.target[row, now][:size], which[row, now][:size]]
        best = first[:, :-1].reshape(size, -1).argmax(1)
        judged = second[:, :-1].reshape(size, -1)
        found[:, start : start + size] = done, judged[np.arange(size), best], judged.mean(1)
        column = np.searchsorted(steps, now[:size])
        entropy[row[:size], column] = np.asarray(entropies)[:size]
    entropy[:, -1] = _entropy_after(posterior, rows, int(steps[-1]) + 1)
    chosen, greedy, random = found.reshape(3, batch.rows, len(steps))
    return Information(steps, chosen, greedy, random, entropy)


@eqx.filter_jit
def _worth(
    posterior: SubsetPosterior,
    values: tuple[float, ...],
    draws: int,
    keys: Any,
    rows: Rows,
    episode: Any,
    step: Any,
) -> Any:
    """Gains [., 2, n + 1, V] by either key, the last row an observation's; entropies [.]."""
    targets = (*range(posterior.n), -1)

    def one(rows: Rows, episode: Any, step: Any) -> Any:
        def gains(key: Any) -> jax.Array:
            own = jax.random.fold_in(jax.random.fold_in(key, episode), step)
            return expected_information_gain(posterior, rows, values, own, draws, targets)

        return jax.vmap(gains)(keys), posterior.entropy(rows)

    return jax.vmap(one)(jax.tree.map(jnp.asarray, rows), episode, step)


def _entropy_after(posterior: SubsetPosterior, rows: Rows, steps: int) -> NDArray[np.float64]:
    seen = np.arange(rows.outcome.shape[1]) < steps
    known = Rows(np.where(seen[:, None], rows.outcome, np.nan), rows.target)
    return np.asarray(_entropies(posterior, known), np.float64)


@functools.partial(jax.jit, static_argnums=0)
def _entropies(posterior: SubsetPosterior, rows: Rows) -> jax.Array:
    return jax.lax.map(posterior.entropy, jax.tree.map(jnp.asarray, rows))
