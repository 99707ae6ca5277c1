"""Ways to exploit: what an associational or shallow learner would make of the rows it has seen.

A reader scores every action (target, value) for the goal from the history alone. Rows not yet
filled, and unobserved entries, do not count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


class History(NamedTuple):
    """Rows seen so far, padded to a fixed length R."""

    outcome: Float[Array, "R n"]
    target: Int[Array, " R"]  # -1: observation
    value: Float[Array, " R"]
    seen: Bool[Array, " R"]


Reader = Callable[[History, Int[Array, ""], Float[Array, " V"]], Float[Array, "n V"]]
"""(history, goal, do-values) -> score of every action."""


def _clean(history: History) -> tuple[Float[Array, "R n"], Bool[Array, "R n"]]:
    known = history.seen[:, None] & jnp.isfinite(history.outcome)
    return jnp.where(known, history.outcome, 0.0), known


def _is_target(history: History, n: int) -> Bool[Array, "R n"]:
    return (history.target[:, None] == jnp.arange(n)) & history.seen[:, None]


def total_correlation(history: History, goal, values):
    """Push the variable whose values correlate most with the goal's, in that direction.

    Every row counts, whoever set it: the confusion of seeing and doing in its purest form.
    """
    x, known = _clean(history)
    pair = (known & known[:, goal][:, None]).astype(x.dtype)
    count = jnp.maximum(pair.sum(0), 1.0)
    y = x[:, goal][:, None]
    mean_x, mean_y = (x * pair).sum(0) / count, (y * pair).sum(0) / count
    dx, dy = (x - mean_x) * pair, (y - mean_y) * pair
    spread = jnp.sqrt((dx**2).sum(0) * (dy**2).sum(0))
    correlation = jnp.where(spread > 1e-6, (dx * dy).sum(0) / jnp.maximum(spread, 1e-6), 0.0)
    return correlation[:, None] * values[None, :]


def partial_correlation(history: History, goal, values):
    """Regress the goal on all other variables (ridge, penalty 1) and push the largest coefficient.

    Rows in which the goal itself was set are left out.
    """
    x, known = _clean(history)
    n = x.shape[-1]
    usable = (history.seen & (history.target != goal) & known[:, goal]).astype(x.dtype)
    design = x.at[:, goal].set(0.0) * usable[:, None]
    gram = design.T @ design + jnp.eye(n)
    coefficient = jnp.linalg.solve(gram, design.T @ (x[:, goal] * usable))
    return coefficient[:, None] * values[None, :]


def largest_effect(history: History, goal, values):
    """Repeat, or reverse, the intervention under which the goal moved most.

    The effect of a variable is the mean of goal value / do-value over the rows that set it; zero if
    it was never set.
    """
    x, known = _clean(history)
    own = _is_target(history, x.shape[-1]) & known[:, goal][:, None]
    safe = jnp.where(history.value == 0, 1.0, history.value)
    slope = (x[:, goal] / safe)[:, None] * (own & (history.value != 0)[:, None])
    mean = slope.sum(0) / jnp.maximum(own.sum(0), 1)
    return mean[:, None] * values[None, :]


def slope(history: History, goal, values):
    """Slope times do-value: of every variable that was set, the straight line from what the goal
    is while nothing is set (its mean over observations; 0 if there are none), by least squares.

    Unlike in `largest_effect`, rows with a larger value count for more, since noise misleads them
    less, and a goal that is not 0 by itself does no harm. Zero if it was never set.
    """
    x, known = _clean(history)
    watched = (history.seen & (history.target < 0) & known[:, goal]).astype(x.dtype)
    usual = (x[:, goal] * watched).sum() / jnp.maximum(watched.sum(), 1)
    own = _is_target(history, x.shape[-1]) & known[:, goal][:, None]
    value = jnp.where(own, history.value[:, None], 0.0)
    moment = (value * (x[:, goal] - usual)[:, None]).sum(0)
    square = (value**2).sum(0)
    found = jnp.where(square > 0, moment / jnp.where(square > 0, square, 1.0), 0.0)
    return found[:, None] * values[None, :]


def best_outcome(history: History, goal, values):
    """Repeat the very intervention after which the goal was highest."""
    x, known = _clean(history)
    own = _is_target(history, x.shape[-1]) & known[:, goal][:, None]
    same = own[:, :, None] & (history.value[:, None, None] == values[None, None, :])
    lowest = -1e9
    return jnp.where(same, x[:, goal][:, None, None], lowest).max(axis=0, initial=lowest)


def last_reward(history: History, goal, values):
    """Win-stay, lose-shift on the latest intervention: repeat it if the goal was positive after it,
    else set the same variable to the most distant other value."""
    x, known = _clean(history)
    rows = jnp.arange(x.shape[0])
    able = history.seen & (history.target >= 0) & (history.target != goal) & known[:, goal]
    last = jnp.argmax(jnp.where(able, rows, -1))
    won = x[last, goal] > 0
    distance = jnp.abs(values - history.value[last])
    preference = jnp.where(won, -distance, distance)
    own = (jnp.arange(x.shape[-1]) == history.target[last]) & able.any()
    return jnp.where(own[:, None], preference[None, :], -1e9)


READERS: dict[str, Reader] = {
    "total-correlation": total_correlation,
    "partial-correlation": partial_correlation,
    "largest-effect": largest_effect,
    "slope": slope,
    "best-outcome": best_outcome,
    "last-reward": last_reward,
}
"""How scripted players read what they have seen, by name; see `Reader`."""
