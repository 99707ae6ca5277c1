"""What an episode's experiments say of every action, by one algorithm or another.

Each is a table of scores of the goal's levers; to act is to take the highest. Tables of different
algorithms are what interchange interventions tell apart.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.abstraction._truths import exact_posterior
from seedo.errors import UserError
from seedo.experimenters import READERS, History, action_frequencies, scripted
from seedo.inference.exact import bayes_expected
from seedo.inference.scores import Rows
from seedo.learning import Inputs
from seedo.play import episodes
from seedo.worlds import World, make

CAUSAL = "causal"
"""Expected effects on the goal under the exact posterior; the true ones where there is none."""
RIVALS = ("largest-effect", "total-correlation", "partial-correlation")
"""Heuristics: see `experimenters.READERS`."""
FREQUENCIES = "frequencies"
"""How often an expert takes an action for this goal: no experiment changes that."""
ALGORITHMS = (CAUSAL, *RIVALS, FREQUENCIES)
"""Names of the algorithms that interchange interventions hold networks against."""

Table = NDArray[np.float64]
"""float64[B, n, V]: scores of actions; -inf where the goal is the variable set."""
_WATCHED = 2048


def tables(
    world: World, inputs: Inputs, step: int, expected: NDArray[np.float64] | None = None
) -> dict[str, Table]:
    """The scores at a step by every algorithm, from the steps before it.

    Args:
        expected: of `Truths`, of the same episodes; needed where there is no exact posterior.

    Raises:
        UserError: see `exact_posterior`; or it is needed and not there.
    """
    goal = np.asarray(inputs.goal)[:, step]
    seen = np.arange(np.asarray(inputs.target).shape[1]) < step
    posterior, values = exact_posterior(world), world.spec.do_values
    if posterior is not None:
        outcome = np.where(seen[:, None], inputs.outcome, np.nan)
        rows = Rows(outcome.astype(np.float32), np.asarray(inputs.target, np.int32))
        causal = bayes_expected(posterior, rows, goal, values)
    elif expected is not None:
        causal = expected[np.arange(len(goal)), :, :, goal]
    else:
        raise UserError("world", world.name, "has no exact posterior: give what is expected")
    found = {CAUSAL: causal}
    found |= {name: _heuristic(READERS[name], inputs, goal, seen, values) for name in RIVALS}
    found[FREQUENCIES] = _frequencies(world)[goal]
    own = np.arange(world.spec.n) == goal[:, None]
    return {
        name: np.where(own[..., None], -np.inf, table.astype(np.float64))
        for name, table in found.items()
    }


def taken(table: Table) -> NDArray[np.int64]:
    """The action with the highest score, int64[B]: variable times V plus value."""
    return table.reshape(len(table), -1).argmax(1)


def _heuristic(
    reader: Callable[..., Any],
    inputs: Inputs,
    goal: NDArray[Any],
    seen: NDArray[np.bool_],
    values: tuple[float, ...],
) -> Any:
    def scores(outcome: Any, target: Any, value: Any, goal: Any) -> Any:
        history = History(outcome, target, value, jnp.asarray(seen))
        return reader(history, goal, jnp.asarray(values))

    columns = (inputs.outcome, inputs.target, inputs.value, goal)
    return np.asarray(jax.jit(jax.vmap(scores))(*map(jnp.asarray, columns)))


@functools.lru_cache(maxsize=16)
def _frequencies(world: World) -> Any:
    """Of the world's training systems: float[goal, n, V]."""
    config = world.config()
    train = make(world.name, **{**config, "split": "train"}) if "split" in config else world
    watched = episodes(train, scripted("expert"), 0, "watch", 0, _WATCHED)
    return action_frequencies([watched], world.spec.n, world.spec.do_values).astype(np.float64)
