"""Structural causal models: one system, its outcomes under interventions, exact expectations."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from seedo.worlds._dags import effects

MECHANISMS = ("linear", "leaky-relu", "tanh", "hump")
NOISE_FAMILIES = ("gaussian", "uniform", "laplace")
MONTE_CARLO_DRAWS = 256
"""Noise draws (128 and their mirror images) behind `expected` of a non-linear system."""


class System(NamedTuple):
    """A structural causal model over N = n + hidden variables, the hidden ones last."""

    weights: Float[Array, "N N"]  # [i, j]: effect of i on j; 0 where there is no edge
    noise_scale: Float[Array, " N"]  # standard deviation of each variable's own noise
    second: Float[Array, "N N"] | None = None  # of one that drifts: where `turned` turns to


def turned(system: System, angle: Float[Array, ""]) -> System:
    """The system with weights w cos(angle) + u sin(angle), where u are its second ones.

    If w and u are independent N(0, s^2), so are the weights at every angle, and the correlation of
    those at angles a and b is cos(a - b).
    """
    if system.second is None:
        return system
    weights = system.weights * jnp.cos(angle) + system.second * jnp.sin(angle)
    return System(weights, system.noise_scale)


def mechanism_function(name: str):
    """x = f(sum of weighted parents + noise) for variables with parents; roots are their noise.

    `hump` rises to 1 at 1, falls to -1 at -1, and dies away beyond: pushing harder undoes a push.
    It is the first derivative of a Gaussian, scaled.
    """
    return {
        "linear": lambda x: x,
        "leaky-relu": lambda x: jax.nn.leaky_relu(x, 0.2),
        "tanh": jnp.tanh,
        "hump": lambda x: x * jnp.exp((1 - x**2) / 2),
    }[name]


def draw_noise(key: PRNGKeyArray, shape: tuple[int, ...], family: str) -> Float[Array, ...]:
    """Zero-mean noise of unit variance."""
    if family == "gaussian":
        return jax.random.normal(key, shape)
    if family == "uniform":
        return jax.random.uniform(key, shape, minval=-(3.0**0.5), maxval=3.0**0.5)
    return jax.random.laplace(key, shape) / 2.0**0.5


def simulate(
    system: System,
    noise: Float[Array, "*draws N"],
    clamped: Bool[Array, "*draws N"],
    value: Float[Array, "*draws 1"],
    mechanism: str,
) -> Float[Array, "*draws N"]:
    """Values of all N variables, with the clamped ones held at `value`.

    The equations are iterated N times from zero; a DAG has settled by then whatever its order, and
    no order has to be stored or gathered by.
    """
    size = system.weights.shape[-1]
    f = mechanism_function(mechanism)
    root = ~(system.weights != 0).any(axis=0)
    noise = noise * system.noise_scale

    def pull(x):
        if x.ndim == 1 and size <= 8:  # many tiny products: faster summed than as `@`
            return (x[:, None] * system.weights).sum(axis=0)
        return x @ system.weights

    def settle(x):
        drive = noise + pull(x)
        return jnp.where(clamped, value, drive if mechanism == "linear" else
                         jnp.where(root, drive, f(drive)))  # fmt: skip

    x = settle(jnp.zeros_like(noise))
    if size <= 8:
        for _ in range(size - 1):
            x = settle(x)
        return x
    return jax.lax.fori_loop(0, size - 1, lambda _, x: settle(x), x)


def expected(
    system: System,
    n: int,
    values: Float[Array, "n V"],
    mechanism: str,
    noise_family: str,
    moved: Bool[Array, "n n"] | None = None,
) -> Float[Array, "n V n"]:
    """`[i, v, j]` = E[x_j | do(x_i = values[i, v])] over the n visible variables; where knob i sets
    several, of do(x_m = values[i, v] for all m with moved[i, m]).

    Exact for linear mechanisms (noise is zero-mean, so it is the total effect times the value).
    Otherwise the mean of `MONTE_CARLO_DRAWS` antithetic draws, the same for every intervention and
    every system, hence deterministic; its standard error is about 0.06 noise standard deviations
    (of roots under shocks, theirs).
    """
    size = system.weights.shape[-1]
    alone = jnp.eye(size, dtype=bool)[:n]
    if mechanism == "linear" and moved is None:
        return effects(system.weights)[:n, None, :n] * values[:, :, None]
    if mechanism == "linear":
        noise = jnp.zeros((1, 1, 1, size))
    else:
        half = draw_noise(jax.random.key(0), (MONTE_CARLO_DRAWS // 2, size), noise_family)
        noise = jnp.concatenate([half, -half])[None, None]
    sets = alone if moved is None else alone.at[:, :n].set(moved)
    clamped = sets[:, None, None, :]
    shape = (n, values.shape[1], noise.shape[2], size)
    x = simulate(
        system,
        jnp.broadcast_to(noise, shape),
        jnp.broadcast_to(clamped, shape),
        jnp.broadcast_to(values[:, :, None, None], (*shape[:-1], 1)),
        mechanism,
    )
    return x.mean(axis=2)[..., :n]
