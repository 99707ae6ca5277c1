"""Network `equivariant`: one representation per ordered pair of variables.

Every finished step adds statistics about each pair (i, j) to a running sum: how j moved with i when
j was left alone, how j moved when i was set, and a few learnt ones. A decision refines the n x n
grid by composing pairs through third variables (i -> k -> j, common causes, common effects: the
triangle products of pair networks, as in Jumper et al., 2021) and reads its logits from it. All
parameters are shared across variables and rows, so renaming variables permutes the outputs exactly,
any number of variables and any number of steps will do, and memory does not grow with the episode.
"""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from seedo.learning._inputs import Cue, Decision, Edit, Inputs, Row, open_targets, unedited
from seedo.learning._layers import GatedMLP, Linear, Norm, soft_clip
from seedo.worlds import EXPLOIT

_MOMENTS = 8
_STATISTICS = 10  # what `_summaries` makes of the moments


class Memory(NamedTuple):
    """Sums over the rows seen so far."""

    pairs: Float[Array, "n n F"]
    tried: Float[Array, " n"]
    rows: Float[Array, ""]


class _Layer(eqx.Module):
    norm: Norm
    sides: Linear
    joint: Norm
    out: Linear
    into: Linear
    out_of: Linear
    norm_mlp: Norm
    mlp: GatedMLP
    channels: int = eqx.field(static=True)

    def __init__(self, size: int, channels: int, key: PRNGKeyArray) -> None:
        keys = jax.random.split(key, 5)
        self.channels = channels
        self.norm, self.norm_mlp = Norm(size), Norm(size)
        self.sides = Linear(size, 6 * channels, keys[0])
        self.joint = Norm(3 * channels)
        self.out = Linear(3 * channels, size, keys[1], scale=0.5)
        self.into = Linear(size, size, keys[2], scale=0.5)
        self.out_of = Linear(size, size, keys[3], scale=0.5)
        self.mlp = GatedMLP(size, 2 * size, keys[4])

    def __call__(
        self, e: Float[Array, "n n d"], relevant: Bool[Array, " n"]
    ) -> Float[Array, "n n d"]:
        n = e.shape[0]
        keep = (relevant[:, None] & relevant[None, :])[..., None].astype(e.dtype)
        h = self.norm(e) * keep
        left, right = jnp.split(self.sides(h) * keep, 2, axis=-1)
        a1, a2, a3 = jnp.split(left, 3, axis=-1)
        b1, b2, b3 = jnp.split(right, 3, axis=-1)
        # Sums over the third variable k, written out: n is small and the last axis is contiguous.
        if n <= 6:
            path = sum(a1[:, k, None] * b1[None, k] for k in range(n))
            cause = sum(a2[k, :, None] * b2[k, None] for k in range(n))
            effect = sum(a3[:, None, k] * b3[None, :, k] for k in range(n))
        else:
            path = jnp.einsum("ikc,kjc->ijc", a1, b1)
            cause = jnp.einsum("kic,kjc->ijc", a2, b2)
            effect = jnp.einsum("ikc,jkc->ijc", a3, b3)
        count = jnp.maximum(relevant.sum(), 1).astype(e.dtype)
        into, out_of = self.into(h.sum(0) / count), self.out_of(h.sum(1) / count)
        triangles = self.joint(jnp.concatenate([path, cause, effect], -1))
        e = e + self.out(triangles) + into[None] + out_of[:, None]
        return e + self.mlp(self.norm_mlp(e))


class Equivariant(eqx.Module):
    """See the module's docstring.

    Args:
        do_values: the grid of values; logits are a quadratic in the value, so that order and
            distance of values matter and their number does not.
        size, channels, layers, learnt: widths of pair vectors, triangle products, depth, and the
            number of learnt row statistics.
    """

    row_hidden: Linear
    row_out: Linear
    embed: Linear
    layers: list[_Layer]
    norm: Norm
    explore: Linear
    explore_out: Linear
    exploit: Linear
    exploit_out: Linear
    edge: Linear
    do_values: tuple[float, ...] = eqx.field(static=True)
    learnt: int = eqx.field(static=True)

    kind = "equivariant"
    reads = "outcome"  # what of an observation says what followed
    explains = "graph"  # what its third output is about
    decisions_are_free = False  # each costs a pass over the grid
    remembers_decisions = False

    def __init__(
        self,
        do_values: tuple[float, ...],
        size: int,
        channels: int,
        layers: int,
        learnt: int,
        key: PRNGKeyArray,
    ) -> None:
        keys = jax.random.split(key, 9 + layers)
        self.do_values, self.learnt = do_values, learnt
        self.row_hidden = Linear(8, 2 * learnt, keys[0])
        self.row_out = Linear(2 * learnt, learnt, keys[1])
        node = 3
        self.embed = Linear(2 * (_STATISTICS + learnt) + 2 * node + 1, size, keys[2])
        self.layers = [_Layer(size, channels, k) for k in keys[9:]]
        self.norm = Norm(size)
        self.explore = Linear(size + node, size, keys[3])
        self.explore_out = Linear(size, 3, keys[4], scale=0.1)
        self.exploit = Linear(3 * size, size, keys[5])
        self.exploit_out = Linear(size, 3, keys[6], scale=0.1)
        self.edge = Linear(size, 1, keys[7], scale=0.1)

    def floats(self, inputs: Inputs, decisions: int) -> int:
        """Size of one activation for an episode."""
        return decisions * inputs.relevant.shape[-1] ** 2 * self.norm.scale.size

    # -- memory ---------------------------------------------------------------------------------

    def _row(self, row: Row) -> tuple[Float[Array, "n n F"], Float[Array, " n"]]:
        """What one finished step adds to the memory."""
        n = row.outcome.shape[0]
        known = jnp.isfinite(row.outcome) & row.seen
        x = jnp.where(known, row.outcome, 0.0)
        is_set = (jnp.arange(n) == row.target) & row.seen
        cause, effect = x[:, None], x[None, :]
        free = (known & ~is_set)[None, :] & known[:, None]
        by_hand = free & is_set[:, None]
        zero = jnp.zeros((n, n))
        moments = jnp.stack(
            [
                free * cause**2,
                free * cause * effect,
                free * effect**2,
                free + zero,
                by_hand * cause * effect,
                by_hand * cause**2,
                by_hand * effect**2,
                by_hand + zero,
            ],
            axis=-1,
        )
        near_cause, near_effect = soft_clip(cause) + zero, soft_clip(effect) + zero
        signals = jnp.stack(
            [
                near_cause,
                near_effect,
                near_cause * near_effect,
                jnp.abs(near_cause) * near_effect,
                near_cause * jnp.abs(near_effect),
                near_effect**2,
                is_set[:, None] + zero,
                is_set[None, :] + zero,
            ],
            axis=-1,
        )
        learnt = self.row_out(jax.nn.silu(self.row_hidden(signals)))
        both = (known[:, None] & known[None, :])[..., None]
        return jnp.concatenate([moments, learnt * both], -1), is_set.astype(jnp.float32)

    def start(self, n: int, steps: int) -> Memory:
        pairs = jnp.zeros((n, n, _MOMENTS + self.learnt))
        return Memory(pairs, jnp.zeros(n), jnp.zeros(()))

    def remember(self, memory: Memory, row: Row) -> Memory:
        pairs, tried = self._row(row)
        return Memory(
            memory.pairs + pairs, memory.tried + tried, memory.rows + row.seen.astype(jnp.float32)
        )

    # -- decisions ------------------------------------------------------------------------------

    def _grid(
        self, memory: Memory, relevant: Bool[Array, " n"], dtype: jnp.dtype, edit: Edit
    ) -> tuple[Float[Array, "n n d"], Float[Array, "n 3"]]:
        n = relevant.shape[0]
        summaries = _summaries(memory.pairs, memory.rows)
        node = jnp.stack(
            [
                jnp.log1p(memory.tried),
                relevant.astype(jnp.float32),
                jnp.broadcast_to(jnp.log1p(memory.rows), (n,)),
            ],
            axis=-1,
        )
        grid = jnp.concatenate(
            [
                summaries,
                summaries.swapaxes(0, 1),
                jnp.broadcast_to(node[:, None], (n, n, 3)),
                jnp.broadcast_to(node[None, :], (n, n, 3)),
                jnp.eye(n)[..., None],
            ],
            axis=-1,
        )
        e = edit(0, self.embed(grid.astype(dtype)))
        for passed, layer in enumerate(self.layers, 1):
            e = edit(passed, layer(e, relevant))
        return self.norm(e), node.astype(dtype)

    def decide(
        self,
        memory: Memory,
        cue: Cue,
        dtype: jnp.dtype = jnp.float32,
        edit: Edit = unedited,
    ) -> tuple[Decision, Memory]:
        """What to do now; the memory comes back unchanged."""
        n = cue.relevant.shape[0]
        e, node = self._grid(memory, cue.relevant, dtype, edit)
        own = e[jnp.arange(n), jnp.arange(n)]
        goal = jnp.maximum(cue.goal, 0)
        explore = self.explore_out(jax.nn.silu(self.explore(jnp.concatenate([own, node], -1))))
        pair = jnp.concatenate([e[:, goal], e[goal], own], -1)
        exploit = self.exploit_out(jax.nn.silu(self.exploit(pair)))
        shape = jnp.where(cue.phase == EXPLOIT, exploit, explore).astype(jnp.float32)
        v = jnp.asarray(self.do_values) / max(max(abs(v) for v in self.do_values), 1e-6)
        basis = jnp.stack([jnp.ones_like(v), v, v**2])
        logits = jnp.where(open_targets(cue)[:, None], shape @ basis, -jnp.inf)
        edges = self.edge(e)[..., 0].astype(jnp.float32)
        return Decision(jax.nn.log_softmax(logits.reshape(-1)), edges), memory

    def read(self, inputs: Inputs, steps: Array, dtype: jnp.dtype = jnp.float32) -> Decision:
        """Decisions at the given steps of one logged episode, stacked."""
        rows = Row(inputs.target, inputs.value, inputs.outcome, jnp.ones(len(inputs.target), bool))
        pairs, tried = jax.vmap(self._row)(rows)

        def before(column):
            sums = jnp.cumsum(column[:-1], axis=0)
            return jnp.concatenate([jnp.zeros_like(column[:1]), sums])[steps]

        memory = Memory(before(pairs), before(tried), steps.astype(jnp.float32))
        return jax.vmap(
            lambda m, phase, goal: self.decide(m, Cue(phase, goal, inputs.relevant), dtype)[0]
        )(memory, inputs.phase[steps], inputs.goal[steps])


def _summaries(sums: Float[Array, "n n F"], rows: Float[Array, ""]) -> Float[Array, "n n G"]:
    """Scale-free readings of the running sums: ridge slopes, correlations, evidence, counts."""
    xx, xy, yy, count, dxy, dxx, dyy, dcount = jnp.moveaxis(sums[..., :_MOMENTS], -1, 0)
    slope, set_slope = xy / (1 + xx), dxy / (1 + dxx)
    readings = jnp.stack(
        [
            soft_clip(slope),
            soft_clip(set_slope),
            xy / jnp.sqrt((1 + xx) * (1 + yy)),
            dxy / jnp.sqrt((1 + dxx) * (1 + dyy)),
            soft_clip(0.5 * xy * slope),  # fit of a single-parent family, in nats at unit noise
            jnp.log1p(xx),
            jnp.log1p(yy),
            jnp.log1p(dyy),
            jnp.log1p(count),
            jnp.log1p(dcount),
        ],
        axis=-1,
    )
    learnt = sums[..., _MOMENTS:] / (1 + rows)
    return jnp.concatenate([readings, learnt], axis=-1)
