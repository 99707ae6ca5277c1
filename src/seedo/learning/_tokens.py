"""Networks `tokens`, `tokens-frozen`, `scratchpad` and `retrieval`: a token for every variable.

At each step every variable is one token: what it read, whether it was set and to what, whether it
is the goal; and, for all tokens of the step alike, who was set to what and who is the goal, by
their identities. The tokens of a step see each other and those of earlier steps. All weights are
shared by the variables; what tells one from another is an identity vector that is added to its
tokens, learnt, or drawn once and left as it is (`tokens-frozen`). A learnt identity is all that is
needed to treat the variables differently: unlike `equivariant` it has no symmetry.

`scratchpad` states an effect table before it acts: how far each variable moves every other one.
What it stated about the goal is then given to the tokens as numbers, and one block more decides;
in `scratchpad-alone` by these numbers and the identities, whatever else the tokens know.
`retrieval` looks up watched episodes before it acts, and one block more decides (see `_shelf`).
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
from seedo.learning._layers import Block, Frozen, Linear, Norm, soft_clip
from seedo.learning._shelf import Evidence, Shelf, accumulated

_FEATURES = 9
_SIDES = 16


class Memory(NamedTuple):
    """Keys and values of the tokens so far, one per layer; the latest finished row; the step; what
    experiments showed."""

    keys: Float[Array, "L T H c"]
    values: Float[Array, "L T H c"]
    row: Row
    step: Int[Array, ""]
    evidence: Evidence


class _Scratchpad(eqx.Module):
    """Reads what was stated about the goal, and decides.

    Args:
        alone: by that alone, and by who is who.
    """

    read: Linear
    block: Block
    alone: bool = eqx.field(static=True)

    def __init__(self, size: int, heads: int, alone: bool, key: PRNGKeyArray) -> None:
        keys = jax.random.split(key)
        self.read = Linear(3, size, keys[0])
        self.block = Block(size, heads, keys[1])
        self.alone = alone

    def __call__(
        self,
        x: Float[Array, "n d"],
        identities: Float[Array, "n d"],
        stated: Float[Array, "n n"],
        goal: Int[Array, ""],
    ) -> Float[Array, "n d"]:
        if self.alone:
            x = jnp.where(goal >= 0, identities.astype(x.dtype), x)
        # A statement is about the world: that an action pays does not change what is stated.
        stated = jax.lax.stop_gradient(stated)
        at = jnp.maximum(goal, 0)
        about = jnp.stack([stated[:, at], stated[at], jnp.ones(len(x))], -1) * (goal >= 0)
        x = x + self.read(about.astype(x.dtype))
        q, k, v = self.block.project(x)
        return self.block.attend(x, q, k, v, jnp.ones((len(x), len(x)), bool))


class Tokens(eqx.Module):
    """See the module's docstring. `n` variables and at most `most_steps` steps, both fixed.

    Args:
        frozen: identities stay as they were drawn.
        states: it is a `scratchpad`; `Decision.edges` are then effects, as arcsinh of the change of
            j when i is raised by 1, rather than logits of arrows.
        alone: what it does to a goal it decides by what it stated alone (`scratchpad-alone`).
        looks_up: it is a `retrieval`; its shelf is to be filled, see `with_episodes`.
    """

    embed: Linear
    told: Linear
    identity: Float[Array, "n d"] | Frozen
    position: Float[Array, "S d"]
    blocks: list[Block]
    norm: Norm
    head: Linear
    left: Linear
    right: Linear
    scratchpad: _Scratchpad | None
    shelf: Shelf | None
    do_values: tuple[float, ...] = eqx.field(static=True)
    n: int = eqx.field(static=True)

    reads = "outcome"  # what of an observation says what followed
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
        frozen: bool = False,
        states: bool = False,
        alone: bool = False,
        looks_up: bool = False,
    ) -> None:
        keys = jax.random.split(key, 8 + layers)
        self.do_values, self.n = do_values, n
        self.embed = Linear(_FEATURES, size, keys[0])
        self.told = Linear(3 * size, size, keys[7], bias=False)
        drawn = jax.random.normal(keys[1], (n, size))
        drawn = drawn / jnp.linalg.norm(drawn, axis=-1, keepdims=True)
        self.identity = Frozen((drawn,)) if frozen else drawn
        self.position = 0.1 * jax.random.normal(keys[2], (most_steps, size))
        self.blocks = [Block(size, heads, k) for k in keys[8:]]
        self.norm = Norm(size)
        self.head = Linear(size, len(do_values), keys[3], scale=0.1)
        self.left = Linear(size, _SIDES, keys[4])
        self.right = Linear(size, _SIDES, keys[5], scale=0.1)
        self.scratchpad = _Scratchpad(size, heads, alone, keys[6]) if states else None
        self.shelf = Shelf(n, size, heads, jax.random.fold_in(key, 1)) if looks_up else None

    def with_episodes(self, seen: Float[Array, "m n"], done: Float[Array, "m n"]) -> Tokens:
        """With at most `EPISODES` watched ones on the shelf; see `shelved`."""
        assert self.shelf is not None
        blank = self.shelf.episodes.arrays
        count = min(len(seen), len(blank[0]))
        filled = tuple(
            old.at[:count].set(new[:count]) for old, new in zip(blank, (seen, done), strict=True)
        )
        return eqx.tree_at(lambda own: own.shelf.episodes.arrays, self, filled)

    @property
    def identities(self) -> Float[Array, "n d"]:
        """A vector for every variable."""
        return self.identity()[0] if isinstance(self.identity, Frozen) else self.identity

    @property
    def explains(self) -> str:
        """What its third output is about."""
        return "graph" if self.scratchpad is None else "effects"

    def _tokens(self, row: Row, cue: Cue, step: Int[Array, ""]) -> Float[Array, "n d"]:
        variables, identity = jnp.arange(self.n), self.identities
        known = jnp.isfinite(row.outcome) & row.seen
        x = soft_clip(jnp.where(known, row.outcome, 0.0))
        is_set = (variables == row.target) & row.seen
        own = [x, known, is_set, is_set * row.value, variables == cue.goal, cue.relevant]
        own += [jnp.broadcast_to(cue.phase == phase, x.shape) for phase in range(3)]
        features = jnp.stack([part.astype(jnp.float32) for part in own], -1)
        acted = identity[jnp.maximum(row.target, 0)] * ((row.target >= 0) & row.seen)
        wanted = identity[jnp.maximum(cue.goal, 0)] * (cue.goal >= 0)
        step_alike = self.told(jnp.concatenate([acted, acted * row.value, wanted]))
        return self.embed(features) + identity + step_alike + self.position[step]

    def _outputs(self, x: Float[Array, "n d"], cue: Cue, evidence: Evidence | None) -> Decision:
        h = self.norm(x)
        edges = (self.left(h) @ self.right(h).T).astype(jnp.float32)
        if self.scratchpad is not None:
            h = self.norm(self.scratchpad(x, self.identities, edges, cue.goal))
        if self.shelf is not None and evidence is not None:
            h = self.norm(self.shelf(x, evidence, cue.goal))
        logits = self.head(h).astype(jnp.float32)
        logits = jnp.where(open_targets(cue)[:, None], logits, -jnp.inf)
        return Decision(jax.nn.log_softmax(logits.reshape(-1)), edges)

    def floats(self, inputs: Inputs, decisions: int) -> int:
        """Size of one activation for an episode."""
        return inputs.target.shape[-1] * self.n * self.norm.scale.size

    # -- memory ---------------------------------------------------------------------------------

    def start(self, n: int, steps: int) -> Memory:
        heads = self.blocks[0].heads
        width = self.norm.scale.size // heads
        cache = jnp.zeros((len(self.blocks), steps * n, heads, width))
        blank = Row(jnp.asarray(-1), jnp.asarray(0.0), jnp.full(n, jnp.nan), jnp.asarray(False))
        return Memory(cache, cache, blank, jnp.asarray(-1), Evidence.none(n))

    def remember(self, memory: Memory, row: Row) -> Memory:
        evidence = memory.evidence if self.shelf is None else memory.evidence.plus(row)
        return memory._replace(row=row, step=memory.step + 1, evidence=evidence)

    # -- decisions ------------------------------------------------------------------------------

    def decide(
        self,
        memory: Memory,
        cue: Cue,
        dtype: jnp.dtype = jnp.float32,
        edit: Edit = unedited,
    ) -> tuple[Decision, Memory]:
        """What to do now, and the memory with this step's keys and values."""
        n, t = self.n, memory.step
        x = edit(0, self._tokens(memory.row, cue, t).astype(dtype))
        seen = jnp.arange(memory.keys.shape[1]) < (t + 1) * n
        visible = jnp.broadcast_to(seen, (n, len(seen)))
        keys, values = memory.keys, memory.values
        for i, block in enumerate(self.blocks):
            q, k, v = block.project(x)
            keys = jax.lax.dynamic_update_slice(keys, k[None].astype(keys.dtype), (i, t * n, 0, 0))
            values = jax.lax.dynamic_update_slice(
                values, v[None].astype(keys.dtype), (i, t * n, 0, 0)
            )
            x = edit(i + 1, block.attend(x, q, keys[i], values[i], visible))
        memory = memory._replace(keys=keys, values=values)
        return self._outputs(x, cue, memory.evidence), memory

    def read(self, inputs: Inputs, steps: Array, dtype: jnp.dtype = jnp.float32) -> Decision:
        """Decisions at the given steps of one logged episode, stacked."""
        length, n = inputs.outcome.shape
        rows, cues = rows_and_cues(inputs)
        x = jax.vmap(self._tokens)(rows, cues, jnp.arange(length))
        x = x.reshape(length * n, -1).astype(dtype)
        step = jnp.repeat(jnp.arange(length), n)
        visible = step[None, :] <= step[:, None]
        for block in self.blocks:
            q, k, v = block.project(x)
            x = block.attend(x, q, k, v, visible)
        x = x.reshape(length, n, -1)
        cues = jax.tree.map(lambda c: c[steps], cues)
        if self.shelf is None:
            return jax.vmap(lambda x, cue: self._outputs(x, cue, None))(x[steps], cues)
        at = jax.tree.map(lambda c: c[steps], accumulated(rows, n))
        return jax.vmap(self._outputs)(x[steps], cues, at)
