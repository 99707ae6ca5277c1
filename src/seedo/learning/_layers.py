"""The few layers that networks are made of."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray


class Frozen(eqx.Module):
    """Arrays that learning leaves as they are: no gradient reaches them, and no decay."""

    arrays: tuple[Array, ...]

    def __call__(self) -> tuple[Array, ...]:
        return jax.lax.stop_gradient(self.arrays)


def decaying(parameters: Any) -> Any:
    """Which of a network's parameters decay: a tree of booleans of the same structure."""

    def all_of(node: Any) -> Any:
        return jax.tree.map(lambda _: not isinstance(node, Frozen), node)

    return jax.tree.map(all_of, parameters, is_leaf=lambda node: isinstance(node, Frozen))


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


class Block(eqx.Module):
    """Attention and a gated MLP, each on what is normalised, each added to its input."""

    norm: Norm
    qkv: Linear
    out: Linear
    norm_mlp: Norm
    mlp: GatedMLP
    heads: int = eqx.field(static=True)

    def __init__(self, size: int, heads: int, key: PRNGKeyArray) -> None:
        keys = jax.random.split(key, 3)
        self.heads = heads
        self.norm, self.norm_mlp = Norm(size), Norm(size)
        self.qkv = Linear(size, 3 * size, keys[0], bias=False)
        self.out = Linear(size, size, keys[1], scale=0.5)
        self.mlp = GatedMLP(size, 2 * size, keys[2])

    def project(self, x: Float[Array, "S d"]) -> list[Float[Array, "S H c"]]:
        """Queries, keys and values."""
        parts = jnp.split(self.qkv(self.norm(x)), 3, axis=-1)
        return [p.reshape(*p.shape[:-1], self.heads, -1) for p in parts]

    def attend(
        self,
        x: Float[Array, "T d"],
        q: Float[Array, "T H c"],
        k: Float[Array, "S H c"],
        v: Float[Array, "S H c"],
        visible: Bool[Array, "T S"],
    ) -> Float[Array, "T d"]:
        """The block's output, given what each of T tokens may see of S."""
        score = jnp.einsum("thc,shc->hts", q, k).astype(jnp.float32) / q.shape[-1] ** 0.5
        weight = jax.nn.softmax(jnp.where(visible, score, -1e9), -1).astype(x.dtype)
        mixed = jnp.einsum("hts,shc->thc", weight, v)
        x = x + self.out(mixed.reshape(x.shape))
        return x + self.mlp(self.norm_mlp(x))


def soft_clip(x: Float[Array, "*axes"]) -> Float[Array, "*axes"]:
    """Linear near zero, logarithmic far out: outcomes of long causal chains have heavy tails."""
    return jnp.arcsinh(x)
