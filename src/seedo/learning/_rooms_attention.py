"""An ordinary network for the rooms, into which no relation between objects is built.

One token for the step and one for each object; self-attention, a memory (a GRU), attention from the
memory to the objects, and layers that say what to do, what it is worth and why. Attributes have
embeddings drawn at random, or objects are pictures; what is alike is for the network to find out.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from seedo.learning._layers import Block, GatedMLP, Linear, Norm
from seedo.learning._rooms_eye import Eye
from seedo.learning._rooms_network import (
    ACTIONS,
    ATTRIBUTE_VALUES,
    FARTHEST,
    FEATURES,
    Recurrent,
    Verdict,
    pick,
    step_features,
)

LEXICAL = 24
"""Width of a word's embedding."""


class AttentionNetwork(eqx.Module):
    """See the module's docstring.

    Args:
        vocabulary: number of words, the empty one included.
        words: most words of an explanation.
        size: width of tokens and memory. blocks: of self-attention. heads: of every attention.
        listen: take explanations as input.
        pixels: observations are (Symbolic, Glimpse) pairs; of the first, objects and places are not
            looked at.
    """

    attributes: list[Float[Array, "v d"]]
    eye: Eye | None
    rows: Float[Array, "q d"]
    columns: Float[Array, "q d"]
    chosen: Float[Array, " d"]
    features: Linear
    heard: Linear | None
    blocks: list[Block]
    norm_step: Norm
    memory: Recurrent
    inward: Linear
    look: Block
    norm: Norm
    think: GatedMLP
    act: Linear
    critic: Linear
    name_out: Linear
    lexicon: Float[Array, "V w"]
    word_bias: Float[Array, "L V"]

    kind = "rooms"

    def __init__(
        self,
        vocabulary: int,
        words: int,
        *,
        size: int = 48,
        blocks: int = 1,
        heads: int = 4,
        listen: bool = False,
        pixels: bool = False,
        key: PRNGKeyArray,
    ) -> None:
        keys = iter(jax.random.split(key, 20 + blocks))
        normal = jax.random.normal
        tables = () if pixels else ATTRIBUTE_VALUES
        self.attributes = [normal(next(keys), (n, size)) for n in tables]
        self.eye = Eye(size, size, size, next(keys)) if pixels else None
        span = 2 * FARTHEST + 1
        self.rows, self.columns = (normal(next(keys), (span, size)) for _ in range(2))
        self.chosen = normal(next(keys), (size,))
        self.features = Linear(FEATURES, size, next(keys), scale=3.0)
        self.heard = Linear(words * LEXICAL, size, next(keys), bias=False) if listen else None
        self.blocks = [Block(size, heads, next(keys)) for _ in range(blocks)]
        self.norm_step = Norm(size)
        self.memory = Recurrent(size, next(keys))
        self.inward = Linear(2 * size, size, next(keys))
        self.look = Block(size, heads, next(keys))
        self.norm = Norm(size)
        self.think = GatedMLP(size, 2 * size, next(keys))
        self.act = Linear(size, ACTIONS, next(keys), scale=0.1)
        self.critic = Linear(size, 1, next(keys), scale=0.1)
        self.name_out = Linear(size, words * LEXICAL, next(keys))
        self.lexicon = 0.3 * normal(next(keys), (vocabulary, LEXICAL))
        self.word_bias = jnp.zeros((words, vocabulary))

    def start(self) -> Float[Array, " d"]:
        """The memory before the first step."""
        return jnp.zeros(self.norm_step.scale.shape)

    def floats(self, inputs: Any, decisions: int) -> int:
        """Size of one activation for an episode."""
        return jax.tree.leaves(inputs)[0].shape[1] * 5 * self.norm_step.scale.size

    def read(
        self,
        obs: Any,
        heard: Int[Array, "S L"] | None = None,
        told: Int[Array, " K"] | None = None,
        memory: Float[Array, " d"] | None = None,
        over: Bool[Array, " S"] | None = None,
    ) -> Verdict:
        """What it says at each of S steps of one episode; arguments as of `RoomsNetwork.read`."""
        tokens, present = self._attended(obs, heard)
        first = self.start() if memory is None else memory
        memories = self.memory.through(first, self.norm_step(tokens[:, 0]), over)
        return self._decide(tokens, present, memories, told)

    def step(
        self, memory: Float[Array, " d"], obs: Any, heard: Int[Array, " L"] | None = None
    ) -> tuple[Float[Array, " d"], Verdict]:
        """The same, one step at a time."""
        one = jax.tree.map(lambda x: x[None], (obs, heard))
        tokens, present = self._attended(*one)
        memory = self.memory.step(memory, self.memory.inward(self.norm_step(tokens[0, 0])))
        verdict = self._decide(tokens, present, memory[None], None)
        return memory, jax.tree.map(lambda x: x[0], verdict)

    def _attended(
        self, obs: Any, heard: Int[Array, "S L"] | None
    ) -> tuple[Float[Array, "S T d"], Bool[Array, "S T"]]:
        """Tokens of the step and of objects after self-attention; which are there."""
        if self.eye is None:
            things = sum(
                pick(table, obs.objects[..., d]) for d, table in enumerate(self.attributes)
            )
            where, present = obs.place, jnp.ones(obs.place.shape[:-1], bool)
            chosen = jnp.arange(where.shape[-2]) == obs.chosen[..., None]
            things = things + chosen[..., None] * self.chosen
            step = self.features(step_features(obs, obs.agent))
        else:
            obs, glimpse = obs
            things, where, present = (
                self.eye.codes(glimpse.pictures), glimpse.place, glimpse.present
            )  # fmt: skip
            unseen = jnp.full_like(obs.agent, -1)
            step = self.features(step_features(obs, unseen))
            step = step + self.eye.surroundings(glimpse.brightness)
        if self.heard is not None and heard is not None:
            said = pick(self.lexicon, heard) * (heard > 0)[..., None]
            step = step + self.heard(said.reshape(*said.shape[:-2], -1))
        things = things + pick(self.rows, where[..., 0] + FARTHEST)
        things = things + pick(self.columns, where[..., 1] + FARTHEST)
        tokens = jnp.concatenate([step[:, None], things], 1)
        present = jnp.pad(present, ((0, 0), (1, 0)), constant_values=True)

        def attended(tokens: Array, present: Array) -> Array:
            visible = jnp.broadcast_to(present, (len(present), len(present)))
            for block in self.blocks:
                q, k, v = block.project(tokens)
                tokens = block.attend(tokens, q, k, v, visible)
            return tokens

        return jax.vmap(attended)(tokens, present), present

    def _decide(
        self,
        tokens: Float[Array, "S T d"],
        present: Bool[Array, "S T"],
        memory: Float[Array, "S d"],
        told: Int[Array, " K"] | None,
    ) -> Verdict:
        asking = self.inward(jnp.concatenate([memory, tokens[:, 0]], -1))

        def looked(asking: Array, tokens: Array, present: Array) -> Array:
            q, _, _ = self.look.project(asking[None])
            _, k, v = self.look.project(tokens)
            return self.look.attend(asking[None], q, k, v, present[None])[0]

        state = self.norm(jax.vmap(looked)(asking, tokens, present))
        state = state + self.think(state)
        said = self.name_out(state if told is None else pick(state, told))
        said = said.reshape(*said.shape[:-1], self.word_bias.shape[0], -1)
        words = said @ self.lexicon.T + self.word_bias
        return Verdict(self.act(state), self.critic(state)[..., 0], words)
