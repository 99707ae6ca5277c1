"""Which decisions of a log batch are imitated, and what the right answers are."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.learning._inputs import Inputs, batch_inputs
from seedo.worlds import EXPLOIT, EXPLORE


class Lesson(NamedTuple):
    """A minibatch ready for the loss."""

    inputs: Inputs  # leading axis B; arrays of NumPy here, of JAX inside the loss
    steps: Any  # int32[K]: decisions read
    action: Any  # int32[B, K]: action index taken there
    explore: Any  # f32[B, K]: weight of an imitated exploration choice; they sum to 1
    exploit: Any  # f32[B, K]: the same for exploitation choices
    edges: Any  # f32[B, n, n]: edges that the explanation names, or the effects that it tells
    naming: Any  # f32[B, K]: weight of saying so at a decision; they sum to 1

    def each_column(self, change: Callable[[Any], Any]) -> Lesson:
        """With `change` applied to every array that has an episode axis."""
        return jax.tree.map(change, self._replace(steps=()))._replace(steps=self.steps)


MOST_EXPLOITS = 4


def lesson(
    batch: EpisodeBatch,
    do_values: tuple[float, ...],
    rng: np.random.Generator | None,
    explains: str,
) -> Lesson:
    """Decisions to imitate.

    With `rng`, one exploration step and at most `MOST_EXPLOITS` exploitation steps are drawn for
    the minibatch, an unbiased sample for networks that pay for every decision; without, all steps.
    Where the log has labels, these are the right answers, and no other step is imitated.
    `explains`: what its explanations are learnt as, `graph`, `effects`, or "" if they are not.
    """
    values = np.asarray(do_values, np.float32)
    target, value = batch.target, batch.value
    if batch.label_target is not None and batch.label_value is not None:
        target, value = batch.label_target, batch.label_value
    index = np.abs(np.nan_to_num(value)[..., None] - values).argmin(-1)
    action = np.maximum(target, 0).astype(np.int32) * len(values) + index
    # Raising the goal by setting it is forbidden: a log that does so cannot be imitated there.
    acted = (target >= 0) & ~((batch.phase == EXPLOIT) & (target == batch.goal))
    explore, exploit = (acted & (batch.phase == code) for code in (EXPLORE, EXPLOIT))
    steps = np.arange(batch.steps)
    if rng is not None and (batch.phase == batch.phase[0]).all():
        exploring = np.flatnonzero(explore.any(0))
        exploiting = np.flatnonzero(exploit.any(0))
        if len(exploring) and batch.label_target is not None:  # each label is as likely to count
            labels = explore.sum(0)[exploring]
            exploring = rng.choice(exploring, 1, p=labels / labels.sum())
        elif len(exploring):
            exploring = rng.choice(exploring, 1)
        if len(exploiting) > MOST_EXPLOITS:
            exploiting = np.sort(rng.choice(exploiting, MOST_EXPLOITS, replace=False))
        steps = np.concatenate([exploring, exploiting])
    edges = np.zeros((batch.rows, batch.n, batch.n), np.float32)
    explained = np.zeros(batch.rows, np.float32)
    if explains and batch.explanation is not None:
        read = named_edges if explains == "graph" else told_effects
        edges, explained = read(batch.explanation, batch.origin.variables)
    return Lesson(
        inputs=batch_inputs(batch),
        steps=steps.astype(np.int32),
        action=action[:, steps],
        explore=_shares(explore[:, steps]),
        exploit=_shares(exploit[:, steps]),
        edges=edges,
        naming=_shares(exploit[:, steps] * explained[:, None]),
    )


def renamed(one: Lesson, do_values: int, rng: np.random.Generator) -> Lesson:
    """The lesson with the variables of every episode in an order of their own.

    A network that learns from such lessons treats all variables alike, for it cannot tell them
    apart: what a split holds out of some variables it has seen of others in their place.

    Args:
        do_values: how many each variable has.
    """
    inputs: Any = one.inputs
    rows, _, n = inputs.outcome.shape
    old = rng.permuted(np.tile(np.arange(n), (rows, 1)), axis=1)  # of every new variable
    new = np.argsort(old, axis=1)  # of every old one
    each = np.arange(rows)[:, None]

    def name(index: Any) -> Any:
        return np.where(index >= 0, new[each, np.maximum(index, 0)], -1).astype(index.dtype)

    return one._replace(
        inputs=inputs._replace(
            goal=name(inputs.goal),
            target=name(inputs.target),
            outcome=np.take_along_axis(inputs.outcome, old[:, None, :], 2),
            relevant=np.take_along_axis(inputs.relevant, old, 1),
        ),
        action=name(one.action // do_values) * do_values + one.action % do_values,
        edges=one.edges[each[..., None], old[:, :, None], old[:, None, :]],
    )


def _shares(counted: np.ndarray) -> np.ndarray:
    return (counted / max(counted.sum(), 1)).astype(np.float32)


_EDGE = re.compile(r"(\S+)->(\S+)")


_EFFECTS = re.compile(r"^(\S+): (.*)$", re.MULTILINE)
_EFFECT = re.compile(r"(\S+)=(\S+)")


def told_effects(texts: list[list[str]], names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Effects that explanations such as `A: B=0.5 C=-1.2` tell, and who explained, f32[B].

    They are arcsinh of the change of j when i is raised by 1, f32[B, n, n]; what goes unsaid is 0.

    Every episode of such a log explained: where nothing moves anything there is nothing to say.
    """
    place = {name: i for i, name in enumerate(names)}
    effects = np.zeros((len(texts), len(names), len(names)), np.float32)
    for row, steps in enumerate(texts):
        if "->" in steps[-1]:
            remedy = "names arrows, not effects: watch with --explain effects"
            raise UserError("explanation", steps[-1], remedy)
        for cause, line in _EFFECTS.findall("\n".join(steps)):
            for effect, size in _EFFECT.findall(line):
                if cause not in place or effect not in place:
                    raise UserError(
                        "explanation", f"{cause}: {effect}", f"names a variable not in {names}"
                    )
                effects[row, place[cause], place[effect]] = float(size)
    return np.arcsinh(effects), np.ones(len(texts), np.float32)


def named_edges(texts: list[list[str]], names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Edges that explanations such as `A->B C->E` name: f32[B, n, n], and who explained, f32[B].

    An episode whose explanations are all empty did not explain; a graph without edges cannot be
    told from silence, and is left out likewise.
    """
    place = {name: i for i, name in enumerate(names)}
    edges = np.zeros((len(texts), len(names), len(names)), np.float32)
    explained = np.zeros(len(texts), np.float32)
    for row, steps in enumerate(texts):
        for cause, effect in _EDGE.findall(" ".join(steps)):
            if cause not in place or effect not in place:
                raise UserError(
                    "explanation", f"{cause}->{effect}", f"names a variable not in {list(names)}"
                )
            edges[row, place[cause], place[effect]] = 1.0
            explained[row] = 1.0
    return edges, explained
