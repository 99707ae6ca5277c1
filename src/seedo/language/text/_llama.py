"""The Llama architecture in JAX: to learn here, and to play without PyTorch.

Weights have the names and shapes of `LlamaForCausalLM` in Hugging Face `transformers` (Touvron et
al. 2023: root-mean-square norms before each block, rotary positions, SwiGLU), so a file of them is
a checkpoint there as it is. Input and output embeddings are tied.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from seedo.errors import UserError, whole
from seedo.language.text._tokens import number_values, vocabulary

Weights = dict[str, Any]


@dataclass(frozen=True)
class LlamaPlan:
    """Sizes of the network.

    Attributes:
        size: of the residual stream. layers, heads: how many. inner: of the feed-forward blocks.
        longest: tokens of a conversation. vocabulary: tokens that there are.
        theta: base of the rotary positions.
    """

    size: int = 128
    layers: int = 4
    heads: int = 4
    inner: int = 336
    longest: int = 1024
    vocabulary: int = len(vocabulary())
    theta: float = 1000.0
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        for field in ("size", "layers", "heads", "inner", "longest"):
            whole(field, getattr(self, field), 1, 65_536)
        if self.size % self.heads or self.size // self.heads % 2:
            raise UserError("heads", self.heads, f"size {self.size} must be an even multiple of it")

    def to_json(self) -> dict[str, Any]:
        return {"kind": "text", **dataclasses.asdict(self)}

    @staticmethod
    def from_json(fields: dict[str, Any]) -> LlamaPlan:
        """Raises UserError for fields that are not those of a plan."""
        own = {k: v for k, v in fields.items() if k != "kind"}
        known = [f.name for f in dataclasses.fields(LlamaPlan)]
        for field in own:
            if field not in known:
                raise UserError(field, own[field], f"a text network has {', '.join(known)}")
        return LlamaPlan(**own)


class TextNetwork(eqx.Module):
    """The weights of a text understudy, as training sees them."""

    weights: Weights
    plan: LlamaPlan = eqx.field(static=True)

    def floats(self, inputs: Any, decisions: int) -> int:
        """Size of one activation for an episode."""
        return inputs.shape[-1] * self.plan.size


def fresh(plan: LlamaPlan, seed: int) -> Weights:
    """Random weights; the embeddings of numbers begin as smooth functions of the number."""
    rng = np.random.default_rng(seed)
    size, inner = plan.size, plan.inner

    def normal(rows: int, columns: int, scale: float) -> np.ndarray:
        return rng.normal(scale=scale, size=(rows, columns)).astype(np.float32)

    table = normal(plan.vocabulary, size, 0.1)
    values = number_values()
    said = np.isfinite(values)
    table[said] = 0.2 * table[said] + _smooth(values[said], size, rng)
    weights: Weights = {
        "model.embed_tokens.weight": table,
        "model.norm.weight": np.ones(size, np.float32),
    }
    within, out = size**-0.5, (2 * plan.layers * size) ** -0.5
    for i in range(plan.layers):
        at = f"model.layers.{i}."
        for name in "qkv":
            weights[f"{at}self_attn.{name}_proj.weight"] = normal(size, size, within)
        weights[f"{at}self_attn.o_proj.weight"] = normal(size, size, out)
        weights[f"{at}mlp.gate_proj.weight"] = normal(inner, size, within)
        weights[f"{at}mlp.up_proj.weight"] = normal(inner, size, within)
        weights[f"{at}mlp.down_proj.weight"] = normal(
            size, inner, (2 * plan.layers * inner) ** -0.5
        )
        for name in ("input_layernorm", "post_attention_layernorm"):
            weights[f"{at}{name}.weight"] = np.ones(size, np.float32)
    return {name: jnp.asarray(array) for name, array in weights.items()}


def _smooth(values: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """float32[K, size]: random mixtures of bumps and slopes over the numbers, of scale 0.1."""
    narrow, wide = np.linspace(-8, 8, 33), np.linspace(-8, 8, 5)
    features = np.concatenate(
        [
            np.exp(-0.5 * ((values[:, None] - narrow) / 0.5) ** 2),
            np.exp(-0.5 * ((values[:, None] - wide) / 2.0) ** 2),
            np.stack([values / 3, np.tanh(values), np.abs(values) / 3], axis=1),
        ],
        axis=1,
    )
    mixed = features @ rng.normal(size=(features.shape[1], size))
    return (0.1 * mixed / mixed.std()).astype(np.float32)


def _norm(x: Array, scale: Array, epsilon: float) -> Array:
    return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + epsilon) * scale


def _rotate(x: Float[Array, "B T H D"], at: Int[Array, "B T"], theta: float) -> Array:
    half = x.shape[-1] // 2
    angle = at[..., None] * theta ** (-jnp.arange(half) / half)
    cos, sin = jnp.cos(angle)[:, :, None], jnp.sin(angle)[:, :, None]
    first, second = x[..., :half], x[..., half:]
    return jnp.concatenate([first * cos - second * sin, second * cos + first * sin], -1)


def block(
    plan: LlamaPlan, weights: Weights, i: int, x: Array, at: Array, keys: Any, allowed: Array
) -> tuple[Array, tuple[Array, Array]]:
    """One layer; `keys` takes this layer's new keys and values and gives all to attend to."""
    name = f"model.layers.{i}."

    def project(part: str, x: Array) -> Array:
        return x @ weights[f"{name}{part}.weight"].T

    B, T, _ = x.shape
    heads = (B, T, plan.heads, plan.size // plan.heads)
    h = _norm(x, weights[f"{name}input_layernorm.weight"], plan.epsilon)
    q, k, v = (project(f"self_attn.{p}_proj", h).reshape(heads) for p in "qkv")
    k, v = keys(_rotate(k, at, plan.theta), v)
    score = jnp.einsum("bthd,bshd->bhts", _rotate(q, at, plan.theta), k) * heads[-1] ** -0.5
    share = jax.nn.softmax(jnp.where(allowed[:, None], score, -1e9), axis=-1)
    read = jnp.einsum("bhts,bshd->bthd", share, v).reshape(B, T, plan.size)
    x = x + project("self_attn.o_proj", read)
    h = _norm(x, weights[f"{name}post_attention_layernorm.weight"], plan.epsilon)
    gate = jax.nn.silu(project("mlp.gate_proj", h))
    return x + project("mlp.down_proj", gate * project("mlp.up_proj", h)), (k, v)


def scores(plan: LlamaPlan, weights: Weights, x: Float[Array, "*axes d"]) -> Array:
    """Scores of the next token by what the last layer leaves."""
    normed = _norm(x, weights["model.norm.weight"], plan.epsilon)
    return normed @ weights["model.embed_tokens.weight"].T


def logits(plan: LlamaPlan, weights: Weights, tokens: Int[Array, "B T"]) -> Float[Array, "B T V"]:
    """Scores of the next token after each token."""
    B, T = tokens.shape
    table = weights["model.embed_tokens.weight"]
    x, at = table[tokens], jnp.broadcast_to(jnp.arange(T), (B, T))
    causal = jnp.broadcast_to(jnp.tril(jnp.ones((T, T), bool)), (B, T, T))
    for i in range(plan.layers):
        x, _ = block(plan, weights, i, x, at, lambda k, v: (k, v), causal)
    return scores(plan, weights, x)


@partial(jax.jit, static_argnums=(0, 4, 5))
def complete(
    plan: LlamaPlan,
    weights: Weights,
    tokens: Int[Array, "B T"],
    length: Int[Array, " B"],
    most: int,
    end: int,
    key: Any = None,
) -> Int[Array, "B most"]:
    """The next tokens of each row up to `end`, which is repeated from then on.

    Args:
        tokens: rows filled up on the right. length: tokens of each that count.
        most: tokens to write. key: draw them from the distribution; None: the likeliest each time.
    """
    B, T = tokens.shape
    table = weights["model.embed_tokens.weight"]
    x, at = table[tokens], jnp.broadcast_to(jnp.arange(T), (B, T))
    causal = jnp.broadcast_to(jnp.tril(jnp.ones((T, T), bool)), (B, T, T))
    memory, room = [], ((0, 0), (0, most), (0, 0), (0, 0))
    for i in range(plan.layers):
        x, kept = block(plan, weights, i, x, at, lambda k, v: (k, v), causal)
        memory.append(jax.tree.map(lambda a: jnp.pad(a, room), kept))
    # Filled-up places are overwritten: token j of what is written goes to place length + j.
    rows = jnp.arange(B)

    def choose(x: Array, j: Array) -> Array:
        score = scores(plan, weights, x)
        if key is None:
            return jnp.argmax(score, axis=-1)
        return jax.random.categorical(jax.random.fold_in(key, j), score)

    first = choose(x[rows, length - 1], jnp.asarray(0))

    def write(state: Any, j: Array) -> Any:
        memory, token = state
        at = length + j
        allowed = (jnp.arange(T + most) <= at[:, None])[:, None]
        x, kept = table[token][:, None], []
        for i, (keys, values) in enumerate(memory):

            def put(k: Array, v: Array, keys: Array = keys, values: Array = values) -> Any:
                return keys.at[rows, at].set(k[:, 0]), values.at[rows, at].set(v[:, 0])

            x, both = block(plan, weights, i, x, at[:, None], put, allowed)
            kept.append(both)
        following = jnp.where(token == end, end, choose(x[:, 0], j + 1))
        return (kept, following), token

    _, written = jax.lax.scan(write, (memory, first), jnp.arange(most))
    return written.T
