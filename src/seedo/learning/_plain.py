"""Network `plain`: an ordinary causal transformer over steps, the kind of the published study.

Each step is one token that holds all variables side by side, so the network is tied to one number
of variables and has to learn every variable's role separately.
"""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from seedo.learning._inputs import Cue, Decision, Inputs, Row, open_targets
from seedo.learning._layers import GatedMLP, Linear, Norm, soft_clip


class Memory(NamedTuple):
    """Keys and values of the tokens so far, one per layer; the latest finished row; the step."""

    keys: Float[Array, "L S H c"]
    values: Float[Array, "L S H c"]
    row: Row
    step: Int[Array, ""]


class _Block(eqx.Module):
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
        parts = jnp.split(self.qkv(self.norm(x)), 3, axis=-1)
        return [p.reshape(*p.shape[:-1], self.heads, -1) for p in parts]

    def attend(self, x, q, k, v, visible: Bool[Array, "T S"]):
        score = jnp.einsum("thc,shc->hts", q, k).astype(jnp.float32) / q.shape[-1] ** 0.5
        weight = jax.nn.softmax(jnp.where(visible, score, -1e9), -1).astype(x.dtype)
        mixed = jnp.einsum("hts,shc->thc", weight, v)
        x = x + self.out(mixed.reshape(x.shape))
        return x + self.mlp(self.norm_mlp(x))


class Plain(eqx.Module):
    """See the module's docstring. `n` variables and at most `most_steps` steps, both fixed."""

    embed: Linear
    position: Float[Array, "S d"]
    blocks: list[_Block]
    norm: Norm
    head: Linear
    edge: Linear
    do_values: tuple[float, ...] = eqx.field(static=True)
    n: int = eqx.field(static=True)

    kind = "plain"
    decisions_are_free = True  # one pass over the steps gives all of them
    remembers_decisions = True  # their keys and values

    def __init__(
        self,
        do_values: tuple[float, ...],
        n: int,
        most_steps: int,
        size: int,
        heads: int,
        layers: int,
        key: PRNGKeyArray,
    ) -> None:
        keys = jax.random.split(key, 4 + layers)
        self.do_values, self.n = do_values, n
        self.embed = Linear(6 * n + 3, size, keys[0])
        self.position = 0.1 * jax.random.normal(keys[1], (most_steps, size))
        self.blocks = [_Block(size, heads, k) for k in keys[4:]]
        self.norm = Norm(size)
        self.head = Linear(size, n * len(do_values), keys[2], scale=0.1)
        self.edge = Linear(size, n * n, keys[3], scale=0.1)

    def _token(self, row: Row, cue: Cue) -> Float[Array, " F"]:
        n = self.n
        known = jnp.isfinite(row.outcome) & row.seen
        x = soft_clip(jnp.where(known, row.outcome, 0.0))
        is_set = (jnp.arange(n) == row.target) & row.seen
        goal = jnp.arange(n) == cue.goal
        phase = jnp.arange(3) == cue.phase
        parts = [x, known, is_set, is_set * row.value, goal, cue.relevant, phase]
        return jnp.concatenate([jnp.asarray(p, jnp.float32) for p in parts])

    def _outputs(self, x: Float[Array, " d"], cue: Cue) -> Decision:
        h = self.norm(x)
        logits = self.head(h).astype(jnp.float32).reshape(self.n, -1)
        logits = jnp.where(open_targets(cue)[:, None], logits, -jnp.inf)
        edges = self.edge(h).astype(jnp.float32).reshape(self.n, self.n)
        return Decision(jax.nn.log_softmax(logits.reshape(-1)), edges)

    def floats(self, inputs: Inputs, decisions: int) -> int:
        """Size of one activation for an episode."""
        return inputs.target.shape[-1] * self.norm.scale.size

    # -- memory ---------------------------------------------------------------------------------

    def start(self, n: int, steps: int) -> Memory:
        heads = self.blocks[0].heads
        cache = jnp.zeros((len(self.blocks), steps, heads, self.position.shape[1] // heads))
        blank = Row(jnp.asarray(-1), jnp.asarray(0.0), jnp.full(n, jnp.nan), jnp.asarray(False))
        return Memory(cache, cache, blank, jnp.asarray(-1))

    def remember(self, memory: Memory, row: Row) -> Memory:
        return memory._replace(row=row, step=memory.step + 1)

    # -- decisions ------------------------------------------------------------------------------

    def decide(
        self, memory: Memory, cue: Cue, dtype: jnp.dtype = jnp.float32
    ) -> tuple[Decision, Memory]:
        """What to do now, and the memory with this step's keys and values."""
        t = memory.step
        x = (self.embed(self._token(memory.row, cue)) + self.position[t])[None].astype(dtype)
        visible = (jnp.arange(memory.keys.shape[1]) <= t)[None]
        keys, values = memory.keys, memory.values
        for i, block in enumerate(self.blocks):
            q, k, v = block.project(x)
            keys, values = (
                keys.at[i, t].set(k[0].astype(keys.dtype)),
                values.at[i, t].set(v[0].astype(keys.dtype)),
            )
            x = block.attend(x, q, keys[i], values[i], visible)
        return self._outputs(x[0], cue), memory._replace(keys=keys, values=values)

    def read(self, inputs: Inputs, steps: Array, dtype: jnp.dtype = jnp.float32) -> Decision:
        """Decisions at the given steps of one logged episode, stacked."""
        length = len(inputs.target)

        def previous(column, fill):
            return jnp.concatenate([jnp.full_like(column[:1], fill), column[:-1]])

        rows = Row(
            previous(inputs.target, -1),
            previous(inputs.value, 0),
            previous(inputs.outcome, jnp.nan),
            jnp.arange(length) > 0,
        )
        relevant = jnp.broadcast_to(inputs.relevant, (length, self.n))
        cues = Cue(inputs.phase, inputs.goal, relevant)
        x = self.embed(jax.vmap(self._token)(rows, cues).astype(dtype))
        x = x + self.position[:length].astype(dtype)
        visible = jnp.tril(jnp.ones((length, length), bool))
        for block in self.blocks:
            q, k, v = block.project(x)
            x = block.attend(x, q, k, v, visible)
        return jax.vmap(self._outputs)(x[steps], jax.tree.map(lambda c: c[steps], cues))
