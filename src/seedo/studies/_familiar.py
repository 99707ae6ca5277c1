"""One big system with names of its own, of which an episode shows a few variables.

It is what a learner can be familiar with: the names are always those of the same variables, so that
what was once said of them is true again. The same episodes can be told as facts (`tell_facts`).
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from seedo.episodes import EXPLOIT, EXPLORE, EpisodeBatch
from seedo.language import Conditions, DagScene, Message
from seedo.language.scenes import NONSENSE, Malformed, Names, say_number
from seedo.language.text import DECIMALS, Line
from seedo.worlds import DagWorld, Draw, Spec, System, configure, random_subset, sample_dag


class FamiliarWorld(DagWorld):
    """Sub-systems of one linear system over the variables `NONSENSE`: `shown` relevant ones each.

    The others are there, unseen: they mediate and confound. What setting a shown variable does to
    another is the total effect in the big system.

    Args:
        seed: of the system: a DAG, uniform over those with in-degree up to 2, weights N(0, 1).
        shown: variables of an episode.
        options: of `worlds.configure`, less those of the graph.
    """

    name = "dag-familiar"

    def __init__(self, seed: int, shown: int = 3, **options: Any) -> None:
        n = len(NONSENSE)
        super().__init__(configure(n=n, relevant=shown, max_parents=2, **options))
        self._shown = shown
        self.spec = Spec(NONSENSE, self.spec.do_values, self.spec.phases)
        self._seed = seed
        graph_key, weight_key = jax.random.split(jax.random.key(seed))
        weights = jax.random.normal(weight_key, (n, n))
        self.system = System(
            jnp.where(sample_dag(graph_key, n, 2), weights, 0.0),
            jnp.full(n, self.settings.noise_variance**0.5, jnp.float32),
        )

    def config(self) -> dict[str, Any]:
        return super().config() | {"familiar_system": self._seed}

    def draw(self, key: PRNGKeyArray) -> Draw:
        """Any variables, and any of them as the goal, also one that the others do not move."""
        set_key, goal_key = jax.random.split(key)
        shown = random_subset(set_key, self.settings.n, self._shown)
        goal = jax.random.categorical(goal_key, jnp.where(shown, 0.0, -jnp.inf))
        return Draw(self.system, shown, jnp.broadcast_to(goal, (self.settings.exploits,)))


class FamiliarScene(DagScene):
    """An episode of `FamiliarWorld` in words: of the relevant variables, by their own names."""

    def __init__(
        self,
        world: FamiliarWorld,
        seed: int,
        stream: str,
        index: int,
        conditions: Conditions | None = None,
        opening: Sequence[Message] = (),
    ) -> None:
        self._order = np.random.default_rng([seed, zlib.crc32(stream.encode()), index])
        conditions = replace(conditions or Conditions(), turns=False)  # as its transcripts are
        super().__init__(world, seed, stream, index, conditions, opening)

    def begin(self) -> str:
        shown = np.flatnonzero(np.asarray(self.episode.task.relevant))
        order = tuple(int(i) for i in self._order.permutation(shown))
        self.names = Names(NONSENSE, order, (1,) * len(NONSENSE))
        listed = " ".join(NONSENSE[i] for i in order)
        return "\n".join([f"Variables: {listed}", *self._goal()])

    def intervention(self, name: str | None, value: float) -> Any:
        if name is not None and self.names.index(name) not in self.names.order:
            listed = " ".join(NONSENSE[i] for i in self.names.order)
            return Malformed("unknown-name", f"The variables are {listed}.")
        return super().intervention(name, value)


def tell_facts(
    batch: EpisodeBatch, row: int, rng: np.random.Generator, explained: bool
) -> list[Line]:
    """A logged episode of `FamiliarWorld` as sentences about causal facts, with nothing tried.

    The variables, what each does to the others ("dax: wug=0.5 fep=-1.2"), a goal and what to do;
    the facts come before all else or, as often, after the answer. Of the logged observations a
    random number is told (none, or all of them, as often as any other), so that a reader knows
    what results look like. All that is said is of the relevant variables, in a random order.
    """
    words = batch.origin.variables
    order = rng.permutation(np.flatnonzero(batch.mask[row]))
    seen = np.flatnonzero(batch.phase[row] == EXPLORE)[: rng.integers(0, batch.steps)]
    [last] = np.flatnonzero(batch.phase[row] == EXPLOIT)
    told = f"Variables: {' '.join(words[i] for i in order)}"
    facts, before = None, rng.random() < 0.5
    if explained and batch.explanation is not None:
        text = _among(batch.explanation[row][last], [words[i] for i in order])
        facts = Line("user", text, "explained") if text else None
    lines: list[Line] = []
    if facts is not None and before:
        lines, told = [Line("user", told, "told"), facts], ""
    for step in seen:
        lines += [Line("user", told, "told")] * bool(told)
        lines.append(Line("assistant", "observe", "explore"))
        told = " ".join(f"{words[i]}={_number(batch.outcome[row, step, i])}" for i in order)
    question = f"Goal: {words[batch.goal[row, last]]}"
    answer = f"do {words[batch.target[row, last]]}={_number(batch.value[row, last])}"
    lines.append(Line("user", f"{told}\n{question}" if told else question, "told"))
    lines.append(Line("assistant", answer, "exploit"))
    return lines if facts is None or before else [*lines, facts]


def _number(value: Any) -> str:
    return say_number(float(value), DECIMALS)


def _among(text: str, listed: Sequence[str]) -> str:
    """What an explanation says of these variables, in this order."""
    said = _effects(text)
    lines = []
    for cause in listed:
        items = [f"{e}={said[cause][e]}" for e in listed if e in said.get(cause, {})]
        if items:
            lines.append(f"{cause}: {' '.join(items)}")
    return "\n".join(lines)


@functools.lru_cache(maxsize=64)  # all logs of one big system say the same
def _effects(text: str) -> dict[str, dict[str, str]]:
    lines = (line.split(": ") for line in text.split("\n") if line)
    return {cause: dict(i.split("=") for i in items.split(" ")) for cause, items in lines}
