"""Watched episodes that a network looks up before it acts.

Latent learning (Lampinen et al., 2025): what training did not ask for can still be used when the
episode that holds it is brought back into the context. Episodes are found by what had been seen of
the goal, whichever variable the goal was, so that a choice made for one goal can serve for another.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from seedo.learning._decisions import Lesson
from seedo.learning._inputs import Row
from seedo.learning._layers import Block, Frozen, Linear, soft_clip
from seedo.worlds import EXPLOIT

EPISODES = 2048
"""On the shelf."""
_FOUND = 8
_ITSELF = 1e-9
"""Squared distance below which an episode on the shelf is the one that is being learnt from."""


class Evidence(eqx.Module):
    """What experiments showed: sums of outcome over what was set, and counts, by variable set."""

    sums: Float[Array, "n n"]
    counts: Float[Array, " n"]

    @staticmethod
    def none(n: int) -> Evidence:
        return Evidence(jnp.zeros((n, n)), jnp.zeros(n))

    def plus(self, row: Row) -> Evidence:
        """With one step more."""
        n = len(self.counts)
        able = row.seen & (row.target >= 0) & (row.value != 0)
        own = (jnp.arange(n) == row.target) & able
        slope = jnp.nan_to_num(row.outcome) / jnp.where(row.value == 0, 1.0, row.value)
        return Evidence(self.sums + own[:, None] * slope, self.counts + own)

    def about(self, goal: Int[Array, ""]) -> Float[Array, " n"]:
        """How far each variable moved the goal, on average, when it was raised by 1; 0 where it was
        never set, and for the goal itself."""
        at = jnp.maximum(goal, 0)
        means = self.sums[:, at] / jnp.maximum(self.counts, 1)
        return jnp.where(jnp.arange(len(means)) == at, 0.0, soft_clip(means))


def accumulated(rows: Row, n: int) -> Evidence:
    """What is known after each of S rows: an `Evidence` with a leading axis S."""

    def add(known: Evidence, row: Row) -> tuple[Evidence, Evidence]:
        known = known.plus(row)
        return known, known

    return jax.lax.scan(add, Evidence.none(n), rows)[1]


class Shelf(eqx.Module):
    """Episodes, and what the tokens of variables are told: what was seen and done in those that are
    found, and whether a variable was set before."""

    episodes: Frozen
    told: Linear
    block: Block

    def __init__(self, n: int, size: int, heads: int, key: PRNGKeyArray) -> None:
        keys = jax.random.split(key)
        blank = (jnp.full((EPISODES, n), 1e3), jnp.zeros((EPISODES, n)))
        self.episodes = Frozen(blank)  # what was seen of the goal; what was set to what
        self.told = Linear(2 * _FOUND + 1, size, keys[0])
        self.block = Block(size, heads, keys[1])

    def __call__(
        self, x: Float[Array, "n d"], evidence: Evidence, goal: Int[Array, ""]
    ) -> Float[Array, "n d"]:
        seen, done = self.episodes()
        asked = evidence.about(goal)
        distance = ((seen - asked) ** 2).sum(-1)
        distance = jnp.where(distance < _ITSELF, jnp.inf, distance)
        _, nearest = jax.lax.top_k(-distance, _FOUND)
        found = jnp.concatenate([seen[nearest], done[nearest]]).T * (goal >= 0)
        tried = jnp.minimum(evidence.counts, 1.0)[:, None]
        x = x + self.told(jnp.concatenate([found, tried], -1).astype(x.dtype))
        q, k, v = self.block.project(x)
        return self.block.attend(x, q, k, v, jnp.ones((len(x), len(x)), bool))


def shelved(one: Lesson, do_values: tuple[float, ...]) -> tuple[Array, Array]:
    """The exploit choices of watched episodes, one each, as `Shelf` keeps them.

    Args:
        one: all steps of at least one episode, see `lesson`.
    """
    rows, inputs = len(one.action), one.inputs
    n = inputs.outcome.shape[-1]
    last = np.array(one.steps)[(np.asarray(inputs.phase)[:, one.steps] == EXPLOIT).all(0)][-1]
    column = int(np.flatnonzero(np.asarray(one.steps) == last)[0])

    def about(one_row: tuple[Array, ...]) -> Array:
        target, value, outcome, goal = one_row
        before = Row(target, value, outcome, jnp.arange(len(target)) < last)
        known = jax.tree.map(lambda c: c[-1], accumulated(before, n))
        return known.about(goal)

    seen = jax.vmap(about)(
        tuple(
            jnp.asarray(a)
            for a in (inputs.target, inputs.value, inputs.outcome, inputs.goal[:, last])
        )
    )
    action = np.asarray(one.action)[:, column]
    done = np.zeros((rows, n), np.float32)
    done[np.arange(rows), action // len(do_values)] = np.asarray(do_values, np.float32)[
        action % len(do_values)
    ]
    return seen, jnp.asarray(done)
