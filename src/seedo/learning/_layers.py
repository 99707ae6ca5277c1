"""The few layers that both networks are made of."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray


class Linear(eqx.Module):
    """x @ w (+ b) on the last axis of any shape."""

    weight: Float[Array, "in out"]
    bias: Float[Array, " out"] | None

    def __init__(
        self, inputs: int, outputs: int, key: PRNGKeyArray, bias: bool = True, scale: float = 1.0
    ) -> None:
        self.weight = scale * jax.random.normal(key, (inputs, outputs)) / inputs**0.5
        self.bias = jnp.zeros(outputs) if bias else None

    def __call__(self, x: Float[Array, "*axes in"]) -> Float[Array, "*axes out"]:
        y = x @ self.weight.astype(x.dtype)
        return y if self.bias is None else y + self.bias.astype(x.dtype)


class Norm(eqx.Module):
    """Root-mean-square normalisation (Zhang and Sennrich, 2019) of the last axis."""

    scale: Float[Array, " d"]

    def __init__(self, size: int) -> None:
        self.scale = jnp.ones(size)

    def __call__(self, x: Float[Array, "*axes d"]) -> Float[Array, "*axes d"]:
        power = (x * x).mean(axis=-1, keepdims=True)
        return x * jax.lax.rsqrt(power + 1e-6) * self.scale.astype(x.dtype)


class GatedMLP(eqx.Module):
    """(u * silu(g)) w: the gate multiplies features, which is what comparing effects needs."""

    up: Linear
    down: Linear

    def __init__(self, size: int, hidden: int, key: PRNGKeyArray) -> None:
        key_up, key_down = jax.random.split(key)
        self.up = Linear(size, 2 * hidden, key_up)
        self.down = Linear(hidden, size, key_down, scale=0.5)

    def __call__(self, x: Float[Array, "*axes d"]) -> Float[Array, "*axes d"]:
        value, gate = jnp.split(self.up(x), 2, axis=-1)
        return self.down(value * jax.nn.silu(gate))


def soft_clip(x: Float[Array, "*axes"]) -> Float[Array, "*axes"]:
    """Linear near zero, logarithmic far out: outcomes of long causal chains have heavy tails."""
    return jnp.arcsinh(x)
