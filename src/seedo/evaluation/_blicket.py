"""What an exact reader makes of experiments with blicket machines."""

from __future__ import annotations

import functools
import json
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.experimenters import (
    blicket_answers,
    blicket_beliefs,
    blicket_gains,
    blicket_update,
)
from seedo.worlds import BlicketWorld, kind_of
from seedo.worlds.blicket import BlicketConfig, blicket_prior

_AT_ONCE = 1024


class BlicketReading(NamedTuple):
    """What experiments told, whoever chose them.

    Attributes:
        answers: bool[B, n], the Bayes-optimal answers after all experiments.
        entropy: float32[B, T + 1], bits of uncertainty about rule and blickets, from before the
            first experiment to after the last.
        expected: float32[B, T], bits that each experiment was expected to tell.
        greedy: float32[B, T], bits that the best experiment would have been expected to tell.
        chance: float32[B, T], the same on average over all ways to move an object.
    """

    answers: Any
    entropy: Any
    expected: Any
    greedy: Any
    chance: Any


def read_blicket(batch: EpisodeBatch) -> BlicketReading:
    """The exact posterior of every experiment of a log, from what players are told of the world.

    An experiment whose light is NaN has shown nothing.

    Raises:
        UserError: not a log of world `blicket`, or its experiments do not fit its settings.
    """
    if not issubclass(kind_of(batch.origin.world), BlicketWorld):
        raise UserError("world", batch.origin.world, "give a log of world blicket")
    config = BlicketConfig.from_dict(json.loads(batch.origin.world_config))
    toggles = config.toggles
    if batch.n != config.n + 1 or batch.steps != toggles + config.n:
        raise UserError("steps", batch.steps, f"the world's settings say {toggles + config.n}")
    shown = batch.outcome[:, :toggles]
    unseen = np.isnan(shown[..., -1])
    if not (np.isin(shown[..., :-1], (0.0, 1.0)).all() and np.isin(shown[~unseen], (0, 1)).all()):
        raise UserError("outcome", None, "objects and light are 0 or 1 after every experiment")
    on, light = shown[..., :-1] == 1, np.where(unseen, -1, shown[..., -1]).astype(np.int32)
    size = min(_AT_ONCE, 1 << max(batch.rows - 1, 0).bit_length())
    parts = []
    for start in range(0, batch.rows, size):
        # The last part repeats its last episode, so that all have one shape.
        at = np.minimum(np.arange(start, start + size), batch.rows - 1)
        found = _read(config, on[at], light[at], batch.target[at, :toggles].astype(np.int32))
        keep = min(size, batch.rows - start)
        parts.append(jax.tree.map(lambda a, keep=keep: np.asarray(a)[:keep], found))
    return jax.tree.map(lambda *columns: np.concatenate(columns), *parts)


@functools.partial(jax.jit, static_argnums=0)
def _read(config: BlicketConfig, on: Any, light: Any, target: Any) -> BlicketReading:
    prior = blicket_beliefs(config)

    def step(carry, seen):
        beliefs, before = carry
        after, light, target = seen
        gains = blicket_gains(config, beliefs, before)
        chosen = jnp.where(target < 0, config.n, target)
        beliefs = blicket_update(config, beliefs, after, light)
        told = jnp.where(light < 0, 0.0, gains[chosen])
        return (beliefs, after), (_bits(beliefs), told, gains.max(), gains[:-1].mean())

    def episode(on, light, target):
        start = jnp.full(config.n, config.start == "full")
        (beliefs, _), columns = jax.lax.scan(step, (prior, start), (on, light, target))
        entropy, *gained = columns
        entropy = jnp.concatenate([_bits(prior)[None], entropy])
        return BlicketReading(blicket_answers(config, beliefs), entropy, *gained)

    return jax.vmap(episode)(on, light, target)


def _bits(beliefs: Array) -> Array:
    return jax.scipy.special.entr(beliefs).sum() / math.log(2.0)


def blicket_bayes_returns(batch: EpisodeBatch) -> NDArray[np.float64] | str:
    """float64[B]: share of right answers of the Bayes-optimal reader of each episode's experiments;
    or why it is unknown."""
    truth = _blickets(batch)
    if isinstance(truth, str):
        return truth
    try:
        answers = read_blicket(batch).answers
    except UserError as error:
        return str(error)
    if truth.shape != answers.shape:
        return _OTHER_OBJECTS
    right: NDArray[np.float64] = (truth == answers).mean(1)
    return right


def blicket_prior_returns(batch: EpisodeBatch) -> NDArray[np.float64] | str:
    """float64[B]: share of right answers of whoever answers best before any experiment; or why it
    is unknown."""
    truth = _blickets(batch)
    if isinstance(truth, str):
        return truth
    config = BlicketConfig.from_dict(json.loads(batch.origin.world_config))
    answers = np.asarray(blicket_answers(config, blicket_beliefs(config)))
    if answers.shape != truth.shape[1:]:
        return _OTHER_OBJECTS
    right: NDArray[np.float64] = (truth == answers).mean(1)
    return right


_OTHER_OBJECTS = "column system: 'blickets' has other objects than the world"


def _blickets(batch: EpisodeBatch) -> NDArray[np.bool_] | str:
    """bool[B, n], which objects are blickets; or why it is unknown."""
    if batch.system is None:
        return "the log has no systems"
    try:
        return np.array([json.loads(text)["blickets"] for text in batch.system]) == 1
    except (ValueError, TypeError, KeyError, RecursionError):
        return "column system: no usable 'blickets'"


def best_information(config: BlicketConfig, steps: int) -> list[float]:
    """Bits about rule and blickets that the best policy is expected to have found out after 0, 1,
    ..., `steps` experiments (each number has a best policy of its own).

    Exact, by dynamic programming over what can still be true and what is on the machine; work grows
    fast with objects (n = 4: a second).

    Raises:
        UserError: lights with noise, for which beliefs are not sets, or more than 5 objects.
    """
    if config.flip:
        raise UserError("flip", config.flip, "exact only without noise: use 0")
    if config.n > 5:
        raise UserError("n", config.n, "exact only for 3 to 5 objects")
    prior = blicket_prior(config)
    machines = [
        (int(r), int(b), float(prior[r, b])) for r, b in zip(*np.nonzero(prior), strict=True)
    ]

    @functools.cache
    def bright(on: int) -> int:
        """The machines that light up, as bits."""
        lit = (b & ~on == 0 if rule else b & on != 0 for rule, b, _ in machines)
        return sum(1 << i for i, shines in enumerate(lit) if shines)

    @functools.cache
    def uncertain(possible: int) -> float:
        """Entropy times probability of a set of machines."""
        weights = [w for i, (_, _, w) in enumerate(machines) if possible >> i & 1]
        total = sum(weights)
        return sum(w * math.log2(total / w) for w in weights)

    @functools.cache
    def left(possible: int, on: int, more: int) -> float:
        """What uncertainty the best policy leaves."""
        if not more or not possible & (possible - 1):
            return uncertain(possible)
        contents = [on ^ (1 << i) for i in range(config.n)]
        return min(
            left(possible & bright(c), c, more - 1) + left(possible & ~bright(c), c, more - 1)
            for c in contents
        )

    every, start = (1 << len(machines)) - 1, (1 << config.n) - 1 if config.start == "full" else 0
    return [uncertain(every) - left(every, start, k) for k in range(steps + 1)]
