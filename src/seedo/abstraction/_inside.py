"""Does a network that watched carry a causal model, and does what it does depend on it?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from seedo.abstraction._algorithms import CAUSAL, Table, tables
from seedo.abstraction._interchange import Directions, Interchange, find_directions, interchanged
from seedo.abstraction._probes import (
    PROBES,
    TARGETS,
    Places,
    episode,
    pairs,
    probed,
    scored,
    variables,
)
from seedo.abstraction._states import Looked, States, states
from seedo.abstraction._truths import Truths, truths
from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.learning import Inputs, batch_inputs
from seedo.statistics import Estimate
from seedo.worlds import EXPLOIT, World

TESTED = 3
"""One of so many episodes is kept for testing probes and interchange."""


class Probe(NamedTuple):
    """What a kind of probe reads off one layer at one step.

    Attributes:
        target: of `TARGETS`.
        kind: of `PROBES`.
        layer, step: of the state.
        found: AUC or R^2 on systems that the probe has not seen.
        untrained: off a network that has learnt nothing.
        control: of other episodes' targets, learnt and tested: what a probe makes of nothing.
        known: of the exact posterior itself; None where the target is the posterior's own.
    """

    target: str
    kind: str
    layer: int
    step: int
    found: Estimate
    untrained: Estimate
    control: Estimate
    known: Estimate | None

    def to_json(self) -> dict[str, Any]:
        fields = self._asdict()
        return {k: v.to_json() if isinstance(v, Estimate) else v for k, v in fields.items()}


class Inside(NamedTuple):
    """What was found in a network.

    Attributes:
        probes: of edges at every layer before the first scored action; then of all targets at the
            steps asked for, at the layer off which a linear probe reads edges best.
        interchange: at every layer, at the first scored action.
        untrained: at `layer`, of the network that has learnt nothing.
        layer: at which the learning episodes showed the causal algorithm most.
    """

    probes: list[Probe]
    interchange: list[Interchange]
    untrained: Interchange
    layer: int

    def to_json(self) -> dict[str, Any]:
        return {
            "probes": [probe.to_json() for probe in self.probes],
            "interchange": [_told(one) for one in self.interchange],
            "untrained": _told(self.untrained),
            "layer": self.layer,
        }


def _told(one: Interchange) -> dict[str, Any]:
    return {
        "layer": one.layer,
        "algorithms": {
            name: {k: v.to_json() for k, v in found._asdict().items()}
            for name, found in one.algorithms.items()
        },
        "elsewhere": one.elsewhere.to_json(),
        "kept": one.kept.to_json(),
        "chance": one.chance,
    }


class _Looked(NamedTuple):
    """A network on the episodes that probes learn from, and on those they are tested on."""

    network: Looked
    learn: States
    test: States


class _Sought(NamedTuple):
    """What probes look for; `choices`: see `look_inside`."""

    true: Truths
    choices: NDArray[np.int64] | None

    def at(self, target: str, step: int) -> tuple[NDArray[Any], NDArray[Any] | None, Any]:
        """Of one of `TARGETS` at a step: it, float or bool[B, P]; what the exact posterior knows of
        it, if it is not about that; and which of the P places count."""
        true = self.true
        if target == "entropy":
            return true.entropy[:, step, None].astype(np.float64), None, np.ones(1, bool)
        n = true.edges.shape[1]
        if target == "next choice":
            assert self.choices is not None
            return self.choices[:, step, None] == np.arange(n), None, np.ones(n, bool)
        of = true.edges if target == "edges" else true.effects
        believed = true.believed_edges if target == "edges" else true.believed_effects
        known = believed[:, step].reshape(len(of), -1)
        return of.reshape(len(of), -1), known, ~np.eye(n, dtype=bool).ravel()


def look_inside(
    network: Looked,
    untrained: Looked,
    world: World,
    batch: EpisodeBatch,
    choices: NDArray[np.int64] | None = None,
    steps: Sequence[int] | None = None,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> Inside:
    """Probes and interchange interventions of a network on episodes of world `dag`.

    Args:
        network: its weights.
        untrained: one of the same shape that has learnt nothing.
        world: of the episodes; it needs an exact posterior.
        batch: with their systems; who experimented does not matter.
        choices: int64[B, S], the variable that the Bayesian would set at every step, to be looked
            for too.
        steps: before whose decisions probes look; None: all up to the first scored action.
        seed: of what is drawn: resamples, parts, partners.
        progress: told what is done, how many such steps, of how many.

    Raises:
        UserError: no exact posterior, no systems, or too few episodes.
    """
    if batch.rows < 60:
        raise UserError("episodes", batch.rows, "use 60 or more")
    say = progress or (lambda doing, done, total: None)
    sought = _Sought(truths(world, batch), choices)
    inputs = batch_inputs(batch)
    test = np.arange(batch.rows) % TESTED == 0
    parts = [_where(inputs, ~test), _where(inputs, test)]
    looked, bare = (
        _Looked(one, *(states(one, part) for part in parts)) for one in (network, untrained)
    )
    step = next(i for i, phase in enumerate(world.spec.phases) if phase == EXPLOIT)
    scores = [tables(world, part, step) for part in parts]
    layers, asked = len(looked.learn.layers), range(step + 1) if steps is None else steps
    total = layers + len(asked) + layers
    found = []
    for layer in range(layers):
        say("probing layers", layer, total)
        found.append(_probe(looked, bare, sought, test, "edges", "linear", layer, step, seed))
    best = int(np.argmax([probe.found.value or 0.0 for probe in found]))
    for number, at in enumerate(asked):
        say("probing steps", layers + number, total)
        for target in TARGETS if choices is not None else TARGETS[:-1]:
            for kind in PROBES:
                found.append(_probe(looked, bare, sought, test, target, kind, best, at, seed))
    exchange = []
    for layer in range(layers):
        say("interchanging", layers + len(asked) + layer, total)
        exchange.append(_exchange(looked, parts, scores, world, layer, step, seed))
    shown = [one[0].algorithms[CAUSAL].same.value or 0.0 for one in exchange]
    chosen = int(np.argmax(shown))
    say("interchanging", total, total)
    twin = _exchange(bare, parts, scores, world, chosen, step, seed)[1]
    return Inside(found, [one[1] for one in exchange], twin, chosen)


def _where(inputs: Inputs, rows: NDArray[np.bool_]) -> Inputs:
    own: Any = jax.tree.map(lambda column: np.asarray(column)[rows], inputs)
    return Inputs(*own)


def _exchange(
    looked: _Looked,
    parts: list[Inputs],
    scores: list[dict[str, Table]],
    world: World,
    layer: int,
    step: int,
    seed: int,
) -> tuple[Interchange, Interchange]:
    """On the episodes that are learnt from, and on those that are tested."""
    learn, test = (own.layers[layer][:, step] for own in (looked.learn, looked.test))
    directions: Directions | None = None
    if learn.ndim == 2:
        goal = np.asarray(parts[0].goal)[:, step]
        directions = find_directions(learn, goal, scores[0][CAUSAL], world.spec.do_values)
    first, second = (
        interchanged(looked.network, part, step, layer, state, table, directions, seed)
        for part, state, table in zip(parts, (learn, test), scores, strict=True)
    )
    return first, second


def _probe(
    looked: _Looked,
    bare: _Looked,
    sought: _Sought,
    test: NDArray[np.bool_],
    target: str,
    kind: str,
    layer: int,
    step: int,
    seed: int,
) -> Probe:
    """`target` is one of `TARGETS`."""
    view = {"edges": pairs, "effects": pairs, "entropy": episode, "next choice": variables}[target]
    wanted, known, counts = sought.at(target, step)

    def asked(one: _Looked, of: NDArray[Any]) -> Estimate:
        lesson, exam = (
            Places(view(own.layers[layer][:, step]), of[rows], counts)
            for own, rows in ((one.learn, ~test), (one.test, test))
        )
        return probed(lesson, exam, kind, seed)

    others = np.random.default_rng([seed, step]).permutation(len(wanted))
    return Probe(
        target,
        kind,
        layer,
        step,
        asked(looked, wanted),
        asked(bare, wanted),
        asked(looked, wanted[others]),
        None if known is None else scored(wanted[test][:, counts], known[test][:, counts], seed),
    )
