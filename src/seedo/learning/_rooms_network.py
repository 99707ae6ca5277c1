"""The agent of the rooms: it compares objects, remembers steps, and says why.

Objects are compared attribute by attribute through the inner products of learnt codes; what the
agent attends to (how much each attribute counts) is decided by its memory and is the same for
comparing objects and for naming them. So learning to say "the only red one" turns the agent towards
colour: that shared attention is how explanations can shape what it does (Lampinen et al., 2022).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from seedo.learning._layers import GatedMLP, Linear, Norm
from seedo.learning._rooms_eye import SortingEye

ACTIONS = 11
ATTRIBUTE_VALUES = (19, 11, 6, 4)  # colours, shapes, textures, position classes
FARTHEST = 8
"""Most squares between two places, along a row or a column."""
SQUARES = 11
MOST_TRIALS = 16
CUES = 5
STEPS_SCALE = 20.0
FEATURES = 12 + MOST_TRIALS + CUES + 2 * SQUARES + 5
"""Of a step, apart from the objects."""


class Verdict(NamedTuple):
    """What the agent says at a step."""

    logits: Float[Array, "*steps A"]  # of the actions
    value: Float[Array, "*steps"]  # of the return to come
    words: Float[Array, "*steps L V"]  # logits of the explanation's words, all places at once


class Scene(NamedTuple):
    """What a step shows, before memory: the step, and the objects in it."""

    step: Float[Array, "*steps d"]
    codes: Float[Array, "*steps O D c"]  # of each object's attributes; with an eye: their kinds
    same: Float[Array, "*steps O D"]  # how many others share the attribute, by the learnt codes
    place: Float[Array, "*steps O p"]
    present: Float[Array, "*steps O"]
    cue: Int[Array, "*steps"]


class Recurrent(eqx.Module):
    """A gated recurrent unit (Cho et al., 2014) whose input is projected for all steps at once."""

    inward: Linear
    gates: Linear
    candidate: Linear

    def __init__(self, size: int, key: PRNGKeyArray) -> None:
        keys = jax.random.split(key, 3)
        self.inward = Linear(size, 3 * size, keys[0])
        self.gates = Linear(size, 2 * size, keys[1], bias=False)
        self.candidate = Linear(size, size, keys[2], bias=False)
        # Keep what is remembered unless told otherwise: evidence is needed many steps later.
        bias = jnp.concatenate([jnp.full(size, 2.0), jnp.zeros(2 * size)])
        self.inward = eqx.tree_at(lambda layer: layer.bias, self.inward, bias)

    def step(self, memory: Float[Array, " d"], inward: Float[Array, " 3d"]) -> Float[Array, " d"]:
        size = memory.shape[-1]
        gates = jax.nn.sigmoid(inward[: 2 * size] + self.gates(memory))
        keep, reset = gates[:size], gates[size:]
        new = jnp.tanh(inward[2 * size :] + self.candidate(reset * memory))
        return keep * memory + (1 - keep) * new

    def through(
        self,
        memory: Float[Array, " d"],
        inputs: Float[Array, "S d"],
        over: Bool[Array, " S"] | None = None,
    ) -> Float[Array, "S d"]:
        """Memories after each of S steps; after those that are `over` it begins with nothing."""

        def remember(memory: Array, at: tuple[Array, Array | None]) -> tuple[Array, Array]:
            x, ends = at
            memory = self.step(memory, x)
            nothing = jnp.zeros(memory.shape)
            return memory if ends is None else jnp.where(ends, nothing, memory), memory

        _, memories = jax.lax.scan(remember, memory, (self.inward(inputs), over), unroll=4)
        return memories


class RoomsNetwork(eqx.Module):
    """See the module's docstring.

    Args:
        vocabulary: number of words, the empty one included.
        words: most words of an explanation.
        size: width of the memory. objects: width of an object. code: of an attribute's value.
        attentions: ways of weighing attributes that are held at once.
        pointers: objects that are pointed at, at once, when acting.
        listen: take explanations as input.
        pixels: observations are (Symbolic, Glimpse) pairs; of the first, objects and places are not
            looked at.
    """

    attributes: list[Float[Array, "v c"]]
    eye: SortingEye | None
    sharpness: Float[Array, " 2"]
    rows: Float[Array, "q p"]
    columns: Float[Array, "q p"]
    glance: GatedMLP
    glance_in: Linear
    glance_out: Linear
    features: Linear
    heard: Linear | None
    norm_step: Norm
    memory: Recurrent
    norm_memory: Norm
    think: GatedMLP
    attend: Linear
    cue_attend: Float[Array, "C a"]
    object_in: Linear
    object_context: Linear
    object_mlp: GatedMLP
    point: Linear
    act_in: Linear
    act_mlp: GatedMLP
    act_out: Linear
    critic: Linear
    name_in: Linear
    name_mlp: GatedMLP
    name_out: Linear
    copy: Linear | None
    lexicon: Float[Array, "V w"]
    word_bias: Float[Array, "L V"]
    attentions: int = eqx.field(static=True)

    kind = "rooms"

    def __init__(
        self,
        vocabulary: int,
        words: int,
        *,
        size: int = 64,
        objects: int = 48,
        code: int = 32,
        attentions: int = 4,
        pointers: int = 4,
        listen: bool = False,
        pixels: bool = False,
        key: PRNGKeyArray,
    ) -> None:
        keys = iter(jax.random.split(key, 32))
        orthogonal = jax.nn.initializers.orthogonal()
        place, lexical, acting = 24, 24, 96
        dimensions = len(ATTRIBUTE_VALUES)
        self.attentions = attentions
        # Orthogonal codes: values never met in training still differ from all others.
        tables = () if pixels else ATTRIBUTE_VALUES
        self.attributes = [orthogonal(next(keys), (n, code)) for n in tables]
        self.eye = SortingEye(dimensions, vocabulary, size, next(keys)) if pixels else None
        self.sharpness = jnp.asarray([6.0, -3.0])
        span = 2 * FARTHEST + 1
        self.rows = jax.random.normal(next(keys), (span, 2 * place))
        self.columns = jax.random.normal(next(keys), (span, 2 * place))
        self.glance_in = Linear(dimensions + place + 1, 32, next(keys))
        self.glance = GatedMLP(32, 32, next(keys))
        self.glance_out = Linear(32, size, next(keys))
        self.features = Linear(FEATURES, size, next(keys), scale=3.0)
        self.heard = Linear(words * lexical, size, next(keys), bias=False) if listen else None
        self.norm_step = Norm(size)
        self.memory = Recurrent(size, next(keys))
        self.norm_memory = Norm(2 * size)
        self.think = GatedMLP(2 * size, size, next(keys))
        self.attend = Linear(2 * size, attentions * dimensions, next(keys), scale=0.3)
        self.cue_attend = jnp.zeros((CUES, attentions * dimensions))
        self.object_in = Linear(attentions + dimensions + place + 1, objects, next(keys))
        self.object_context = Linear(2 * size, objects, next(keys))
        self.object_mlp = GatedMLP(objects, objects, next(keys))
        self.point = Linear(objects, pointers + 1, next(keys))
        self.act_in = Linear(pointers * (place + 1) + 2 * size, acting, next(keys))
        self.act_mlp = GatedMLP(acting, acting, next(keys))
        self.act_out = Linear(acting, ACTIONS, next(keys), scale=0.1)
        self.critic = Linear(2 * size + acting, 1, next(keys), scale=0.1)
        named = attentions * (0 if pixels else code) + attentions + objects + 2 * size
        self.name_in = Linear(named, 96, next(keys))
        self.name_mlp = GatedMLP(96, 96, next(keys))
        self.name_out = Linear(96, words * lexical, next(keys))
        self.copy = Linear(2 * size, words * (attentions + 1), next(keys)) if pixels else None
        self.lexicon = 0.3 * jax.random.normal(next(keys), (vocabulary, lexical))
        self.word_bias = jnp.zeros((words, vocabulary))

    # -- one step, without memory -----------------------------------------------------------------

    def embed(self, obs: Any, heard: Int[Array, "*steps L"] | None = None) -> Scene:
        """The scene of one step or of any number of them (leading axes).

        Args:
            obs: Symbolic, or with `pixels` a pair (Symbolic, Glimpse).
            heard: the words given as input; None: silence.
        """
        if self.eye is None:
            codes = jnp.stack(
                [
                    pick(_unit(table), obs.objects[..., d])
                    for d, table in enumerate(self.attributes)
                ],
                axis=-2,
            )
            where, present = obs.place, jnp.ones(obs.place.shape[:-1])
            chosen = jnp.arange(codes.shape[-3]) == obs.chosen[..., None]
            step = self.features(step_features(obs, obs.agent))
        else:
            obs, glimpse = obs
            codes = self.eye.codes(glimpse.pictures)
            where, present = glimpse.place, glimpse.present.astype(codes.dtype)
            chosen = jnp.zeros(where.shape[:-1])
            unseen = jnp.full_like(obs.agent, -1)
            step = self.features(step_features(obs, unseen)) + self.eye.surroundings(
                glimpse.brightness
            )
        likeness = self._likeness(codes)
        alike = jax.nn.sigmoid(self.sharpness[0] * likeness + self.sharpness[1])
        others = (1.0 - jnp.eye(codes.shape[-3])) * present[..., None, :] * present[..., None]
        same = (alike * others[..., None]).sum(-2)
        row = pick(self.rows, where[..., 0] + FARTHEST)
        column = pick(self.columns, where[..., 1] + FARTHEST)
        half = row.shape[-1] // 2
        place = row[..., :half] * column[..., :half] + row[..., half:] + column[..., half:]
        place = jnp.concatenate([place, chosen[..., None].astype(place.dtype)], -1)
        place = place * present[..., None]
        seen = self.glance_in(jnp.concatenate([same, place], -1))
        step = step + self.glance_out(seen + self.glance(seen)).mean(-2)
        if self.heard is not None and heard is not None:
            said = pick(self.lexicon, heard) * (heard > 0)[..., None]
            step = step + self.heard(said.reshape(*said.shape[:-2], -1))
        return Scene(step, codes, same, place, present, obs.cue)

    def _likeness(self, codes: Float[Array, "*steps O D c"]) -> Float[Array, "*steps O O D"]:
        if self.eye is None:
            return jnp.einsum("...idc,...jdc->...ijd", codes, codes)
        unit = _unit(codes)  # with so many kinds, summing is faster than small matrix products
        return (unit[..., :, None, :, :] * unit[..., None, :, :, :]).sum(-1)

    def floats(self, inputs: Any, decisions: int) -> int:
        """Size of one activation for an episode."""
        steps = jax.tree.leaves(inputs)[0].shape[1]
        floats = steps * 2 * self.norm_step.scale.size
        # With an eye parts are larger: in each of them all pictures are looked at.
        return floats if self.eye is None else floats // 8

    # -- with memory --------------------------------------------------------------------------

    def start(self) -> Float[Array, " d"]:
        """The memory before the first step."""
        return jnp.zeros(self.norm_step.scale.shape)

    def read(
        self,
        obs: Any,
        heard: Int[Array, "S L"] | None = None,
        told: Int[Array, " K"] | None = None,
        memory: Float[Array, " d"] | None = None,
        over: Bool[Array, " S"] | None = None,
    ) -> Verdict:
        """What the agent says at each of S steps of one episode.

        Args:
            obs: Symbolic with a leading axis S. heard: the words given as input.
            told: the steps that `words` is for (naming costs as much as all the rest); None: all.
            memory: what to start from. over: steps after which an episode ends and another begins.
        """
        scene = self.embed(obs, heard)
        first = self.start() if memory is None else memory
        memories = self.memory.through(first, self.norm_step(scene.step), over)
        return self._decide(scene, memories, told)

    def step(
        self, memory: Float[Array, " d"], obs: Any, heard: Int[Array, " L"] | None = None
    ) -> tuple[Float[Array, " d"], Verdict]:
        """The same, one step at a time."""
        scene = self.embed(obs, heard)
        memory = self.memory.step(memory, self.memory.inward(self.norm_step(scene.step)))
        return memory, self._decide(scene, memory, None)

    def _decide(
        self,
        scene: Scene,
        memory: Float[Array, "*steps d"],
        told: Int[Array, " K"] | None,
    ) -> Verdict:
        state = self.norm_memory(jnp.concatenate([memory, scene.step], -1))
        state = state + self.think(state)
        weights = self.attend(state) + jax.nn.one_hot(scene.cue, CUES) @ self.cue_attend
        weights = weights.reshape(*weights.shape[:-1], self.attentions, -1)
        weights = jax.nn.softmax(weights, -1)
        common = jnp.einsum("...hd,...od->...oh", weights, scene.same)
        seen = jnp.concatenate([common, scene.same, scene.place], -1)
        x = self.object_in(seen) + self.object_context(state)[..., None, :]
        x = x + self.object_mlp(x)
        absent = (scene.present < 0.5)[..., None]
        pointers = jax.nn.softmax(jnp.where(absent, -1e9, self.point(x)), -2)
        # Only what is pointed at says where to go: one object at a time, not a mean of several.
        pointed = jnp.einsum("...oh,...op->...hp", pointers[..., :-1], scene.place)
        pointed = pointed.reshape(*pointed.shape[:-2], -1)
        y = self.act_in(jnp.concatenate([pointed, state], -1))
        y = y + self.act_mlp(y)
        logits = self.act_out(y)
        value = self.critic(jnp.concatenate([state, y], -1))[..., 0]
        spoken = pointers[..., -1]
        code = jnp.einsum("...o,...hd,...odc->...hc", spoken, weights, scene.codes)
        of_spoken = jnp.einsum("...o,...of->...f", spoken, jnp.concatenate([common, x], -1))
        if told is not None:
            code, of_spoken, state = (pick(part, told) for part in (code, of_spoken, state))
        return Verdict(logits, value, self._name(code, of_spoken, state))

    def _name(
        self,
        code: Float[Array, "*steps h c"],
        of_spoken: Float[Array, "*steps f"],
        state: Float[Array, "*steps d"],
    ) -> Float[Array, "*steps L V"]:
        flat = code.reshape(*code.shape[:-2], -1)
        cause = [of_spoken, state] if self.copy else [flat, of_spoken, state]
        said = self.name_in(jnp.concatenate(cause, -1))
        said = self.name_out(said + self.name_mlp(said))
        said = said.reshape(*said.shape[:-1], self.word_bias.shape[0], -1)
        logits = said @ self.lexicon.T + self.word_bias
        if self.copy is None:
            return logits
        # Each word is one of its own or the kind of what is spoken of (See et al., 2017, eq. 9).
        source = self.copy(state)
        source = jax.nn.softmax(source.reshape(*source.shape[:-1], len(self.word_bias), -1), -1)
        copied = jnp.einsum("...lh,...hv->...lv", source[..., 1:], code)
        return jnp.log(source[..., :1] * jax.nn.softmax(logits, -1) + copied + 1e-9)


def _unit(table: Float[Array, "v c"]) -> Float[Array, "v c"]:
    return table * jax.lax.rsqrt((table * table).sum(-1, keepdims=True) + 1e-6)


def pick(table: Float[Array, "v ..."], index: Int[Array, "*axes"]) -> Float[Array, "*axes ..."]:
    """Rows of a table."""
    # A product with one-hot rows: the gradient of indexing is a scatter, slow on a CPU.
    return jnp.tensordot(jax.nn.one_hot(index, table.shape[0], dtype=table.dtype), table, 1)


def step_features(obs: Any, agent: Int[Array, "*steps 2"]) -> Float[Array, "*steps f"]:
    numbers = jnp.stack(
        [
            obs.exploit,
            obs.transforms,
            obs.reward,
            obs.chosen >= 0,
            obs.left / STEPS_SCALE,
        ],
        -1,
    ).astype(jnp.float32)  # fmt: skip
    parts = [
        jax.nn.one_hot(obs.previous + 1, 12),
        jax.nn.one_hot(obs.trial, MOST_TRIALS),
        jax.nn.one_hot(obs.cue, CUES),
        jax.nn.one_hot(agent[..., 0], SQUARES),
        jax.nn.one_hot(agent[..., 1], SQUARES),
        numbers,
    ]
    return jnp.concatenate(parts, -1)
