"""Network `plain`: an ordinary causal transformer over steps, the kind of the published study.

Each step is one token that holds all variables side by side, so the network is tied to one number
of variables and has to learn every variable's role separately.
"""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from seedo.learning._inputs import (
    Cue,
    Decision,
    Edit,
    Inputs,
    Row,
    open_targets,
    rows_and_cues,
    unedited,
)
from seedo.learning._layers import Block, Linear, Norm, soft_clip
from seedo.learning._pointer import Pointer


class Memory(NamedTuple):
    """Keys and values of the tokens so far, one per layer; the latest finished row; the step; with
    a pointer, its keys and what the steps before each token set."""

    keys: Float[Array, "L S H c"]
    values: Float[Array, "L S H c"]
    row: Row
    step: Int[Array, ""]
    pointed: tuple[Array, Array, Array] | None = None


class Plain(eqx.Module):
    """See the module's docstring. `n` variables and at most `most_steps` steps, both fixed.

    With `copies` (network `plain-copy`) it may also do again what an earlier step did.
    """

    embed: Linear
    position: Float[Array, "S d"]
    blocks: list[Block]
    norm: Norm
    head: Linear
    edge: Linear
    pointer: Pointer | None
    do_values: tuple[float, ...] = eqx.field(static=True)
    n: int = eqx.field(static=True)

    reads = "outcome"  # what of an observation says what followed
    explains = "graph"  # what its third output is about
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
        copies: bool = False,
    ) -> None:
        keys = jax.random.split(key, 4 + layers)
        self.do_values, self.n = do_values, n
        self.embed = Linear(6 * n + 3, size, keys[0])
        self.position = 0.1 * jax.random.normal(keys[1], (most_steps, size))
        self.blocks = [Block(size, heads, k) for k in keys[4:]]
        self.norm = Norm(size)
        self.head = Linear(size, n * len(do_values), keys[2], scale=0.1)
        self.edge = Linear(size, n * n, keys[3], scale=0.1)
        pointing = jax.random.fold_in(key, 1)
        self.pointer = Pointer(do_values, size, pointing) if copies else None

    def _token(self, row: Row, cue: Cue) -> Float[Array, " F"]:
        n = self.n
        known = jnp.isfinite(row.outcome) & row.seen
        x = soft_clip(jnp.where(known, row.outcome, 0.0))
        is_set = (jnp.arange(n) == row.target) & row.seen
        goal = jnp.arange(n) == cue.goal
        phase = jnp.arange(3) == cue.phase
        parts = [x, known, is_set, is_set * row.value, goal, cue.relevant, phase]
        return jnp.concatenate([jnp.asarray(p, jnp.float32) for p in parts])

    def _outputs(
        self, h: Float[Array, " d"], cue: Cue, pointed: tuple[Array, Array, Array] | None
    ) -> Decision:
        logits = self.head(h).astype(jnp.float32).reshape(self.n, -1)
        allowed = open_targets(cue)
        logits = jnp.where(allowed[:, None], logits, -jnp.inf)
        said = jax.nn.log_softmax(logits.reshape(-1))
        edges = self.edge(h).astype(jnp.float32).reshape(self.n, self.n)
        if self.pointer is None or pointed is None:
            return Decision(said, edges)
        both = self.pointer.mixed(said.reshape(logits.shape), h, *pointed, allowed)
        return Decision(both.reshape(-1), edges)

    def floats(self, inputs: Inputs, decisions: int) -> int:
        """Size of one activation for an episode."""
        return inputs.target.shape[-1] * self.norm.scale.size

    # -- memory ---------------------------------------------------------------------------------

    def start(self, n: int, steps: int) -> Memory:
        heads = self.blocks[0].heads
        cache = jnp.zeros((len(self.blocks), steps, heads, self.position.shape[1] // heads))
        blank = Row(jnp.asarray(-1), jnp.asarray(0.0), jnp.full(n, jnp.nan), jnp.asarray(False))
        pointed = None
        if self.pointer is not None:
            pointed = (
                jnp.zeros((steps, self.pointer.width())),
                jnp.full(steps, -1),
                jnp.zeros(steps),
            )
        return Memory(cache, cache, blank, jnp.asarray(-1), pointed)

    def remember(self, memory: Memory, row: Row) -> Memory:
        return memory._replace(row=row, step=memory.step + 1)

    # -- decisions ------------------------------------------------------------------------------

    def decide(
        self,
        memory: Memory,
        cue: Cue,
        dtype: jnp.dtype = jnp.float32,
        edit: Edit = unedited,
    ) -> tuple[Decision, Memory]:
        """What to do now, and the memory with this step's keys and values."""
        t = memory.step
        x = (self.embed(self._token(memory.row, cue)) + self.position[t]).astype(dtype)
        x = edit(0, x)[None]
        visible = (jnp.arange(memory.keys.shape[1]) <= t)[None]
        keys, values = memory.keys, memory.values
        for i, block in enumerate(self.blocks):
            q, k, v = block.project(x)
            keys, values = (
                keys.at[i, t].set(k[0].astype(keys.dtype)),
                values.at[i, t].set(v[0].astype(keys.dtype)),
            )
            x = edit(i + 1, block.attend(x, q, keys[i], values[i], visible)[0])[None]
        h, pointed = self.norm(x[0]), memory.pointed
        if self.pointer is not None and pointed is not None:
            now = (self.pointer.key(h).astype(jnp.float32), memory.row.target, memory.row.value)
            pointed = jax.tree.map(lambda old, new: old.at[t].set(new), pointed, now)
        memory = memory._replace(keys=keys, values=values, pointed=pointed)
        return self._outputs(h, cue, pointed), memory

    def read(self, inputs: Inputs, steps: Array, dtype: jnp.dtype = jnp.float32) -> Decision:
        """Decisions at the given steps of one logged episode, stacked."""
        length = len(inputs.target)
        rows, cues = rows_and_cues(inputs)
        x = self.embed(jax.vmap(self._token)(rows, cues).astype(dtype))
        x = x + self.position[:length].astype(dtype)
        visible = jnp.tril(jnp.ones((length, length), bool))
        for block in self.blocks:
            q, k, v = block.project(x)
            x = block.attend(x, q, k, v, visible)
        h = self.norm(x)
        own = jax.tree.map(lambda c: c[steps], cues)
        if self.pointer is None:
            return jax.vmap(lambda h, cue: self._outputs(h, cue, None))(h[steps], own)
        keys, pointer_steps = self.pointer.key(h), jnp.arange(length)

        def decision(h: Array, cue: Cue, step: Array) -> Decision:
            before = jnp.where(pointer_steps <= step, rows.target, -1)
            return self._outputs(h, cue, (keys, before, rows.value))

        return jax.vmap(decision)(h[steps], own, steps)
