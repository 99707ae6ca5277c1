"""Ways to explore. A chooser picks the next experiment from how often each variable was tried."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

Chooser = Callable[
    [Int[Array, " n"], Bool[Array, " n"], Float[Array, " V"], PRNGKeyArray],
    tuple[Int[Array, ""], Float[Array, ""]],
]
"""(times each variable was tried, relevant, do-values, key) -> (target, value)."""


def any_of(mask: Bool[Array, " n"], key: PRNGKeyArray) -> Int[Array, ""]:
    """A position where the mask is true, all equally likely."""
    # Two fewer logarithms a position than `jax.random.categorical`: this runs at every step.
    return jnp.argmax(jnp.where(mask, jax.random.uniform(key, mask.shape), -1.0))


def _value(values: Float[Array, " V"], key: PRNGKeyArray) -> Float[Array, ""]:
    return values[any_of(jnp.ones(len(values), bool), key)]


def shuffled(tried, relevant, values, key):
    """Every relevant variable once in random order at a random value, then all again."""
    key_target, key_value = jax.random.split(key)
    fewest = jnp.where(relevant, tried, jnp.iinfo(jnp.int32).max).min()
    open_ = relevant & (tried == fewest)
    return any_of(open_, key_target), _value(values, key_value)


def rotation(tried, relevant, values, key):
    """Every relevant variable once in the order of their names, then all again."""
    fewest = jnp.where(relevant, tried, jnp.iinfo(jnp.int32).max).min()
    return jnp.argmax(relevant & (tried == fewest)), _value(values, key)


def random(tried, relevant, values, key):
    """Any relevant variable, with no memory of what was tried."""
    key_target, key_value = jax.random.split(key)
    return any_of(relevant, key_target), _value(values, key_value)


def none(tried, relevant, values, key):
    """No experiments: watch the system run."""
    return jnp.asarray(-1), jnp.asarray(0.0)


CHOOSERS: dict[str, Chooser] = {
    "shuffled": shuffled,
    "rotation": rotation,
    "random": random,
    "none": none,
}
"""How players choose what to test, by name; see `Chooser`."""
