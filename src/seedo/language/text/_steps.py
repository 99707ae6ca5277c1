"""A text network that reads steps: the words of an episode, one row and one cue at a time.

What `transcript` writes is put together here from tokens within compiled code, so that a language
model can be looked into, and play, as networks of rows can. Variables have the same words in every
episode: what it knows of one variable then always stands in the same place.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seedo.errors import UserError
from seedo.language.scenes import NONSENSE
from seedo.language.text._agent import open_speaker
from seedo.language.text._llama import LlamaPlan, Weights, block, fresh, scores
from seedo.language.text._tokens import ASSISTANT_ID, END_ID, LARGEST, PAD_ID, USER_ID, vocabulary
from seedo.learning import Agent, Cue, Decision, Edit, Provenance, Row, Stored, unedited
from seedo.worlds import EXPLOIT

_TOKEN = {piece: token for token, piece in enumerate(vocabulary())}


@dataclass(frozen=True)
class StepsPlan:
    """What fixes a network that reads steps: its sizes, and the world's variables and values."""

    plan: LlamaPlan
    do_values: tuple[float, ...]
    n: int
    most_steps: int
    kind: str = "text"

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"plan": self.plan.to_json()}


class Memory(NamedTuple):
    """Keys and values of T places, those that hold a token, and how many do; the next place."""

    keys: Float[Array, "L T H c"]
    values: Float[Array, "L T H c"]
    held: Bool[Array, " T"]
    place: Int[Array, ""]


class TextSteps(eqx.Module):
    """See the module's docstring.

    Its state is what goes from layer to layer after "do", where the variable is chosen, and after
    each variable that could follow, where its value is: float[(n + 1) d], one after the other.
    Numbers beyond 20 are told as 20, and setting the goal, which no scored action may, is never
    the likeliest.
    """

    weights: Weights
    plan: StepsPlan = eqx.field(static=True)

    reads = "outcome"
    remembers_decisions = True  # the keys and values of "do"

    def start(self, n: int, steps: int) -> Memory:
        plan = self.plan.plan
        places = steps * (_row_tokens(n) + _CUE_TOKENS + 1)
        cache = jnp.zeros((plan.layers, places, plan.heads, plan.size // plan.heads))
        return Memory(cache, cache, jnp.zeros(places, bool), jnp.asarray(0))

    def remember(self, memory: Memory, row: Row) -> Memory:
        """Reads the rest of the latest action, and its results; at first, which variables are."""
        names, n = self._names(), self.plan.n
        done = [names[jnp.maximum(row.target, 0)], _number(row.value), jnp.asarray(END_ID)]
        told = jnp.stack([names, _number(row.outcome)], 1).reshape(-1)
        later = jnp.concatenate([jnp.stack(done), jnp.asarray([USER_ID]), told])
        listed = jnp.concatenate([jnp.asarray([USER_ID, _TOKEN[" Variables:"]]), names])
        first = jnp.full(_row_tokens(n), PAD_ID).at[: n + 2].set(listed)
        return self._hear(memory, jnp.where(row.seen, later, first))

    def decide(
        self, memory: Memory, cue: Cue, dtype: Any = jnp.float32, edit: Edit = unedited
    ) -> tuple[Decision, Memory]:
        """What it would do, and the memory with what was said up to "do"."""
        names, plan = self._names(), self.plan.plan
        goal = [_TOKEN["\n"], _TOKEN["Goal:"], names[jnp.maximum(cue.goal, 0)]]
        told = jnp.where(cue.goal >= 0, jnp.stack([jnp.asarray(t) for t in goal]), PAD_ID)
        memory = self._hear(memory, jnp.concatenate([told, jnp.asarray([ASSISTANT_ID])]))
        tokens = jnp.concatenate([jnp.asarray([_TOKEN[" do"]]), names])
        count = len(tokens)
        at = memory.held.sum() + (jnp.arange(count) > 0)
        # Every name sees what was said, "do", and itself.
        own = jnp.eye(count, dtype=bool).at[:, 0].set(True)
        allowed = jnp.concatenate([jnp.tile(memory.held, (count, 1)), own], 1)[None]
        x = edit(0, self.weights["model.embed_tokens.weight"][tokens].reshape(-1))
        keys, values = memory.keys, memory.values
        for i in range(plan.layers):

            def beside(k: Array, v: Array, i: int = i) -> Any:
                before = memory.keys[i], memory.values[i]
                return [
                    jnp.concatenate([b, a[0]])[None] for b, a in zip(before, (k, v), strict=True)
                ]

            x, (k, v) = block(
                plan, self.weights, i, x.reshape(1, count, -1), at[None], beside, allowed
            )
            said = len(memory.held)
            keys = keys.at[i, memory.place].set(k[0, said])
            values = values.at[i, memory.place].set(v[0, said])
            x = edit(i + 1, x.reshape(-1))
        following = jax.nn.log_softmax(scores(plan, self.weights, x.reshape(count, -1)), -1)
        value = _number(jnp.asarray(self.plan.do_values))
        log_probs = following[0, names][:, None] + following[1:, value]
        closed = (cue.phase == EXPLOIT) & (jnp.arange(self.plan.n) == cue.goal)
        log_probs = jnp.where(closed[:, None], -jnp.inf, log_probs)
        held = memory.held.at[memory.place].set(True)
        unknown = jnp.full((self.plan.n, self.plan.n), jnp.nan)  # it explains in words
        decision = Decision(log_probs.reshape(-1), unknown)
        return decision, Memory(keys, values, held, memory.place + 1)

    def _names(self) -> Int[Array, " n"]:
        return jnp.asarray([_TOKEN[f" {word}"] for word in NONSENSE[: self.plan.n]])

    def _hear(self, memory: Memory, tokens: Int[Array, " K"]) -> Memory:
        """The memory with tokens read, those of padding left out."""
        plan, count = self.plan.plan, len(tokens)
        real = tokens != PAD_ID
        places = memory.place + jnp.arange(count)
        at = memory.held.sum() + jnp.cumsum(real) - 1
        held = memory.held.at[places].set(real)
        allowed = (held & (jnp.arange(len(held)) <= places[:, None]))[None]
        x = self.weights["model.embed_tokens.weight"][tokens][None]
        keys, values = memory.keys, memory.values
        for i in range(plan.layers):

            def among(k: Array, v: Array, i: int = i) -> Any:
                before = memory.keys[i], memory.values[i]
                return [b.at[places].set(a[0])[None] for b, a in zip(before, (k, v), strict=True)]

            x, (k, v) = block(plan, self.weights, i, x, at[None], among, allowed)
            keys, values = keys.at[i].set(k[0]), values.at[i].set(v[0])
        return Memory(keys, values, held, memory.place + count)


_CUE_TOKENS = 4


def _row_tokens(n: int) -> int:
    return 4 + 2 * n


def _number(value: Array) -> Array:
    """The token of a number, to the nearest tenth."""
    tenths = jnp.clip(jnp.round(10 * value), -LARGEST, LARGEST).astype(jnp.int32)
    return tenths + _TOKEN["=0.0"]


def open_steps(stored: Stored, world: Any, seed: int) -> tuple[Agent, TextSteps]:
    """A text understudy as a player of a world, and one like it that has read nothing.

    Raises:
        UserError: an episode that it cannot be told.
    """
    speaker, spec = open_speaker(stored), world.spec
    if spec.n > len(NONSENSE):
        remedy = f"a text understudy has words for {len(NONSENSE)}: use fewer"
        raise UserError("n", spec.n, remedy)
    if observations := world.config().get("observations"):
        raise UserError("observations", observations, "a text understudy is looked into without")
    steps = StepsPlan(speaker.architecture, tuple(spec.do_values), spec.n, spec.steps)
    tokens = spec.steps * (_row_tokens(spec.n) + _CUE_TOKENS + 1)
    if tokens > steps.plan.longest:
        remedy = f"an episode has {tokens} tokens and it reads {steps.plan.longest}: use fewer"
        raise UserError("steps", spec.steps, remedy)
    past = Provenance(stored.name, stored.training, stored.history)
    network: Any = TextSteps(speaker.network.weights, steps)
    architecture: Any = steps
    return Agent(network, architecture, past), TextSteps(fresh(steps.plan, seed), steps)
