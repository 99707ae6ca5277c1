"""Does a network that watched carry a causal model, and does what it does depend on it?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from seedo.abstraction._algorithms import CAUSAL, RIVALS, Table, tables
from seedo.abstraction._alignment import Subspaces, find_subspaces
from seedo.abstraction._drawn import partners
from seedo.abstraction._interchange import Interchange, interchanged
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
from seedo.abstraction._states import Looked, States, ready, states
from seedo.abstraction._truths import Truths, truths
from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.learning import Inputs, batch_inputs
from seedo.statistics import Estimate
from seedo.worlds import EXPLOIT, World

FEWEST = 60
"""Episodes."""
TESTED = 3
"""One of so many episodes is kept for testing probes and interchange."""


class Probe(NamedTuple):
    """What a kind of probe reads off one layer at one step.

    Attributes:
        target: of `TARGETS`.
        kind: of `PROBES`.
        layer, step: of the state.
        found: AUC or R^2 on systems that the probe has not seen; see `scored`.
        untrained: off a network that has learnt nothing.
        control: of other episodes' targets, learnt and tested: what a probe makes of nothing.
        known: of the exact posterior itself, whose prior is uniform over graphs whatever the split
            leaves out; None where the target is the posterior's own.
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
        probes: linear ones of edges at every layer, before the first scored action; then the rest,
            at the steps asked for, at `probe_layer`.
        probe_layer: off which edges were read best in the learning episodes.
        interchange: at every layer, at the first scored action. At the last, where a state has
            axes, the parts that are exchanged make the levers' outputs and nothing else does: it
            says how outputs compare, not what is inside.
        layer: at which, the last aside, the learning episodes showed the causal algorithm most.
        untrained: interchange at `layer` in the network that has learnt nothing.
        axes: whether a state has a part for every variable or pair. Where not, parts are subspaces
            that were learnt in the learning episodes; those of rivals, at `layer` alone.
        exact: whether the causal algorithm goes by the exact posterior; where there is none, by the
            true effects, which nobody can know from the experiments.
        dealt: where parts are learnt, interchange at `layer` with what is learnt and tested dealt
            out at random, scores of one episode to another: what the search makes of nothing.
    """

    probes: list[Probe]
    probe_layer: int
    interchange: list[Interchange]
    layer: int
    untrained: Interchange
    axes: bool
    exact: bool
    dealt: Interchange | None

    def to_json(self) -> dict[str, Any]:
        return {
            "probes": [probe.to_json() for probe in self.probes],
            "probe_layer": self.probe_layer,
            "interchange": [_told(one) for one in self.interchange],
            "layer": self.layer,
            "untrained": _told(self.untrained),
            "axes": self.axes,
            "exact": self.exact,
            "dealt": None if self.dealt is None else _told(self.dealt),
        }


def _told(one: Interchange) -> dict[str, Any]:
    return {
        "layer": one.layer,
        "algorithms": {
            name: {k: v.to_json() for k, v in found._asdict().items()}
            for name, found in one.algorithms.items()
        },
        "new": one.new.to_json(),
        "fair": one.fair.to_json(),
        "elsewhere": one.elsewhere.to_json(),
        "ignored": one.ignored.to_json(),
        "kept": one.kept.to_json(),
        "chance": one.chance,
    }


class Half(NamedTuple):
    """The episodes that probes learn from, or those that they are tested on.

    Attributes:
        rows: their numbers in the batch.
        inputs: what a network reads.
        scores: by algorithm, before the first scored action.
    """

    rows: NDArray[np.int64]
    inputs: Inputs
    scores: dict[str, Table]


class Looking(NamedTuple):
    """A network and its untrained twin on two halves of a batch.

    Attributes:
        world, batch, step: whose episodes, and the first scored step.
        learn, test: see `Half`.
        steps: at which probes look.
        true: at those steps.
        choices: of the Bayesian, int64[B, S].
        network, twin: with their states on the halves.
        seed: of what is drawn.
    """

    world: World
    batch: EpisodeBatch
    step: int
    learn: Half
    test: Half
    steps: tuple[int, ...]
    true: Truths
    choices: NDArray[np.int64] | None
    network: tuple[Looked, States, States]
    twin: tuple[Looked, States, States]
    seed: int

    def sought(self, target: str, step: int) -> tuple[NDArray[Any], NDArray[Any] | None, Any]:
        """Of one of `TARGETS` at a step: it, float or bool[B, P]; what the exact posterior knows of
        it, if it is not about that; and which of the P places count."""
        true, n = self.true, self.world.spec.n
        if target == "entropy":
            return true.entropy[step][:, None].astype(np.float64), None, np.ones(1, bool)
        if target == "next choice":
            assert self.choices is not None
            return self.choices[:, step, None] == np.arange(n), None, np.ones(n, bool)
        of = true.edges if target == "edges" else true.effects
        believed = true.believed_edges if target == "edges" else true.believed_effects
        known = believed[step].reshape(len(of), -1) if believed else None
        return of.reshape(len(of), -1), known, ~np.eye(n, dtype=bool).ravel()

    def read(
        self, target: str, kind: str, layer: int, step: int, counts: NDArray[np.bool_] | None = None
    ) -> Probe:
        """A probe; `counts`, bool[P]: of some of its places only."""
        wanted, known, usual = self.sought(target, step)
        counts = usual if counts is None else counts
        view = VIEWS[target]
        others = np.random.default_rng([self.seed, step]).permutation(len(wanted))

        def asked(who: tuple[Looked, States, States], of: NDArray[Any]) -> Estimate:
            lesson, exam = (
                Places(view(own.layers[layer][:, step]), of[half.rows], counts)
                for own, half in ((who[1], self.learn), (who[2], self.test))
            )
            return probed(lesson, exam, kind, self.seed)

        tested = self.test.rows
        return Probe(
            target,
            kind,
            layer,
            step,
            asked(self.network, wanted),
            asked(self.twin, wanted),
            asked(self.network, wanted[others]),
            None
            if known is None
            else scored(wanted[tested][:, counts], known[tested][:, counts], self.seed),
        )

    def probe_layer(self) -> int:
        """The layer off which a linear probe reads edges best, within the learning episodes."""
        wanted, _, counts = self.sought("edges", self.step)
        of, first = wanted[self.learn.rows], np.arange(len(self.learn.rows)) % TESTED > 0

        def value(state: NDArray[np.float32]) -> float:
            view = pairs(state[:, self.step])
            lesson, exam = (Places(view[own], of[own], counts) for own in (first, ~first))
            return probed(lesson, exam, PROBES[0], self.seed).value or 0.0

        return int(np.argmax([value(state) for state in self.network[1].layers]))

    def axes(self) -> bool:
        """Whether a state has a part for every variable or pair."""
        return self.network[1].layers[0].ndim > 3

    def subspaces(
        self,
        layer: int,
        who: tuple[Looked, States, States],
        sought: Sequence[str] = (CAUSAL,),
        dealt: bool = False,
    ) -> dict[str, Subspaces] | None:
        """By algorithm, what is learnt in the learning episodes; None where a state has axes.

        Args:
            layer, who: of the states, those of `network` or `twin`.
            sought: algorithms.
            dealt: give every episode the scores of another with its goal.
        """
        if self.axes():
            return None
        at, scores = ready(who[0], self.learn.inputs, self.step), self._scores(self.learn, dealt)
        state = who[1].layers[layer][:, self.step]
        goal = np.asarray(self.learn.inputs.goal)[:, self.step]
        return {
            name: find_subspaces(who[0], at, layer, state, goal, scores[name], self.seed)
            for name in sought
        }

    def exchange(
        self,
        layer: int,
        who: tuple[Looked, States, States],
        subspaces: dict[str, Subspaces] | None,
        levers: NDArray[np.bool_] | None = None,
        dealt: bool = False,
    ) -> tuple[Interchange, Interchange]:
        """On the episodes that are learnt from, and on those that are tested.

        Args:
            layer, who, dealt: as of `subspaces`.
            subspaces: what that gives.
            levers: bool[n], whose parts are replaced; None: random ones.
        """

        def on(half: Half, own: States) -> Interchange:
            chosen = None if levers is None else np.tile(levers, (len(half.rows), 1))
            return interchanged(
                who[0], half.inputs, self.step, layer, own.layers[layer][:, self.step],
                self._scores(half, dealt), subspaces, self.seed, chosen,
            )  # fmt: skip

        return on(self.learn, who[1]), on(self.test, who[2])

    def _scores(self, half: Half, dealt: bool) -> dict[str, Table]:
        if not dealt:
            return half.scores
        goal = np.asarray(half.inputs.goal)[:, self.step]
        other = partners(goal, np.random.default_rng([self.seed, self.step]))[0]
        return {name: table[other] for name, table in half.scores.items()}


VIEWS = {"edges": pairs, "effects": pairs, "entropy": episode, "next choice": variables}
"""By target, what of a state a probe reads."""


def look(
    network: Looked,
    untrained: Looked,
    world: World,
    batch: EpisodeBatch,
    choices: NDArray[np.int64] | None = None,
    steps: Sequence[int] | None = None,
    seed: int = 0,
) -> Looking:
    """Read the states of a network on a batch; see `look_inside`."""
    if batch.rows < FEWEST:
        raise UserError("episodes", batch.rows, f"use {FEWEST} or more")
    step = next(i for i, phase in enumerate(world.spec.phases) if phase == EXPLOIT)
    asked = [*range(step + 1)] if steps is None else sorted({*steps, step})
    true, inputs = truths(world, batch, asked), batch_inputs(batch)
    test = np.arange(batch.rows) % TESTED == 0

    def half(rows: NDArray[np.int64]) -> Half:
        own: Any = jax.tree.map(lambda column: np.asarray(column)[rows], inputs)
        return Half(rows, Inputs(*own), tables(world, Inputs(*own), step, true.expected[rows]))

    learn, tested = (half(np.flatnonzero(rows)) for rows in (~test, test))

    def read(one: Looked) -> tuple[Looked, States, States]:
        return one, states(one, learn.inputs), states(one, tested.inputs)

    at = tuple(asked)
    own = learn, tested, at, true, choices, read(network), read(untrained)
    return Looking(world, batch, step, *own, seed)


def look_inside(looking: Looking, progress: Callable[[int, int], None] | None = None) -> Inside:
    """Probes and interchange interventions of a network on episodes of world `dag`.

    Args:
        looking: of `look(network, untrained, world, batch, choices, steps, seed)`: the network and
            one of the same shape that has learnt nothing; a world; its episodes with their systems,
            whoever experimented; the variable that the Bayesian would set at every step, int64[B,
            S], to be looked for too; the steps before whose decisions probes look (None: all up to
            the first scored one); and the seed of resamples, parts and partners.
        progress: called with (done, total).

    Raises:
        UserError: by `look`: costs, irrelevant variables, no systems, or too few episodes.
    """
    layers = len(looking.network[1].layers)
    exact, chosen_by = bool(looking.true.entropy), looking.choices is not None
    absent = {TARGETS[2]: not exact, TARGETS[3]: not chosen_by}
    targets = [target for target in TARGETS if not absent.get(target)]
    asked = looking.steps
    total = 2 * layers + len(asked)
    say = progress or (lambda done, total: None)
    best, found = looking.probe_layer(), []
    for layer in range(layers):
        say(layer, total)
        found.append(looking.read("edges", PROBES[0], layer, looking.step))
    for number, at in enumerate(asked):
        say(layers + number, total)
        for target in targets:
            for kind in PROBES:
                if (target, kind, at) != ("edges", PROBES[0], looking.step):
                    found.append(looking.read(target, kind, best, at))
    exchange, learnt = [], []
    for layer in range(layers):
        say(layers + len(asked) + layer, total)
        learnt.append(looking.subspaces(layer, looking.network))
        exchange.append(looking.exchange(layer, looking.network, learnt[-1]))
    shown = [one[0].algorithms[CAUSAL].same.value or 0.0 for one in exchange[:-1]]
    chosen = int(np.argmax(shown))
    other = looking.subspaces(chosen, looking.twin)
    twin, dealt = looking.exchange(chosen, looking.twin, other)[1], None
    own = learnt[chosen]
    if own is not None:
        own |= looking.subspaces(chosen, looking.network, RIVALS) or {}
        exchange[chosen] = looking.exchange(chosen, looking.network, own)
        nothing = looking.subspaces(chosen, looking.network, dealt=True)
        dealt = looking.exchange(chosen, looking.network, nothing, dealt=True)[1]
    interchange, axes = [one[1] for one in exchange], looking.axes()
    say(total, total)
    return Inside(found, best, interchange, chosen, twin, axes, exact, dealt)
