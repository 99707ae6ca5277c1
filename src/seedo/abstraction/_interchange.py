"""Interchange interventions: parts of one episode's state put into another (Geiger et al. 2021).

If a network runs an algorithm that scores every lever and takes the best, and a part of its state
holds the score of lever i, then with that part taken from another episode it must do what the
algorithm does with that score taken from there. Which part holds it is known for networks whose
state has an axis for variables or pairs; in a state without, it is a subspace that was learnt in
other episodes (`find_subspaces`), each algorithm's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo.abstraction._algorithms import ALGORITHMS, CAUSAL, Table, taken
from seedo.abstraction._alignment import Subspaces, moved
from seedo.abstraction._drawn import levers_of, partners
from seedo.abstraction._states import Looked, actions_with, ready
from seedo.learning import Inputs
from seedo.statistics import Estimate, missing, ratio, share

_LIKE = 50
"""Episodes whose choice is as close as one after a replacement."""


class Algorithm(NamedTuple):
    """How far a network does what an algorithm would.

    Attributes:
        followed: share of episodes in which it takes the algorithm's action, nothing replaced.
        same: share of the replacements that change what the causal algorithm does, after which it
            takes this algorithm's action; all are judged on the causal algorithm's parts.
        own: share of the replacements that change what this algorithm does, of its own parts;
            none where they were not sought.
    """

    followed: Estimate
    same: Estimate
    own: Estimate


class Interchange(NamedTuple):
    """Interchange at one layer.

    Attributes:
        layer: number of the state.
        algorithms: by name, of `ALGORITHMS`.
        new: as `same` of the causal algorithm, where what is right is done in neither of the two
            episodes, so that no action that is taken over as a whole is right.
        fair: `same` of the causal algorithm as a share of what can be asked for: how often the
            network does as the algorithm with nothing replaced, where the best two actions are as
            far apart.
        elsewhere: as `same` of the causal algorithm, had the part come from another episode than
            it did: what is right by accident.
        ignored: share of the same replacements after which the network does what it did before.
        kept: share of replacements that leave the causal action, after which the network's stays.
        chance: of an action drawn at random.
    """

    layer: int
    algorithms: dict[str, Algorithm]
    new: Estimate
    fair: Estimate
    elsewhere: Estimate
    ignored: Estimate
    kept: Estimate
    chance: float


def interchanged(
    network: Looked,
    inputs: Inputs,
    step: int,
    layer: int,
    state: NDArray[np.float32],
    scores: dict[str, Table],
    subspaces: Mapping[str, Subspaces] | None,
    seed: int,
    levers: NDArray[np.bool_] | None = None,
) -> Interchange:
    """Replace parts of each episode's state by those of another with the same goal.

    An episode alone with its goal counts for what is done with nothing replaced, and no more.

    Args:
        network: that decides.
        inputs: B episodes.
        step: at which it decides.
        layer: number of the state.
        state: float32[B, ...] at that step and layer.
        scores: by algorithm, of `tables`.
        subspaces: by algorithm, the causal one among them, from other episodes; needed where the
            state has no axes, else None.
        seed: of which episodes and levers.
        levers: bool[B, n], whose parts are replaced; None: some of each goal's, drawn.
    """
    drawn = np.random.default_rng([seed, layer])
    goal = np.asarray(inputs.goal)[:, step]
    source, other = partners(goal, drawn)
    n = np.asarray(inputs.outcome).shape[-1]
    levers = levers_of(goal, n, drawn) if levers is None else levers
    at = ready(network, inputs, step)
    base = actions_with(network, at, layer, state)

    def acted(own: Subspaces | None) -> NDArray[np.int64]:
        if own is None:
            new = _replaced(state, state[source], levers, goal)
        else:
            new = moved(state, state[source], levers, own)
        return actions_with(network, at, layer, new)

    def after(name: str, origin: NDArray[np.int64]) -> Table:
        table = scores[name]
        return np.where(levers[..., None], table[origin], table)

    if subspaces is None:
        now = dict.fromkeys(ALGORITHMS, acted(None))
    else:
        now = {name: acted(own) for name, own in subspaces.items()}
    before = {name: taken(scores[name]) for name in ALGORITHMS}
    then = {name: taken(after(name, source)) for name in ALGORITHMS}
    rows = np.arange(len(goal))
    paired, apart = source != rows, other != rows
    changed = paired & (then[CAUSAL] != before[CAUSAL])
    new = changed & (then[CAUSAL] != before[CAUSAL][source])

    def told(hits: NDArray[np.bool_], among: NDArray[np.bool_]) -> Estimate:
        return share(int((hits & among).sum()), int(among.sum()))

    found = {
        name: Algorithm(
            told(base == before[name], np.ones(len(goal), bool)),
            told(now[CAUSAL] == then[name], changed),
            told(now[name] == then[name], paired & (then[name] != before[name]))
            if name in now
            else missing("not sought"),
        )
        for name in ALGORITHMS
    }
    right = now[CAUSAL] == then[CAUSAL]
    asked = _expected(scores[CAUSAL], base == before[CAUSAL], after(CAUSAL, source))
    return Interchange(
        layer,
        found,
        told(right, new),
        ratio(right[changed], asked[changed]),
        told(now[CAUSAL] == taken(after(CAUSAL, other)), changed & apart),
        told(now[CAUSAL] == base, changed),
        told(now[CAUSAL] == base, paired & ~changed),
        1 / ((n - 1) * scores[CAUSAL].shape[2]),
    )


def _expected(table: Table, right: NDArray[np.bool_], other: Table) -> NDArray[np.float64]:
    """How often a network does as an algorithm, right bool[B] of its table, where the best two of
    another table are as far apart: float64[B], of the `_LIKE` episodes that are most alike."""
    lead, order = _lead(table), np.argsort(_lead(table))
    count = min(_LIKE, len(order))
    total = np.concatenate([[0], np.cumsum(right[order])])
    first = np.searchsorted(lead[order], _lead(other)) - count // 2
    first = np.clip(first, 0, len(order) - count)
    return np.asarray((total[first + count] - total[first]) / count)


def _lead(table: Table) -> NDArray[np.float64]:
    """By how much the best action is ahead of the next, float64[B]."""
    best = np.sort(table.reshape(len(table), -1), axis=1)
    return np.asarray(best[:, -1] - best[:, -2])


def _replaced(
    state: NDArray[np.float32],
    source: NDArray[np.float32],
    levers: NDArray[np.bool_],
    goal: NDArray[np.int64],
) -> NDArray[np.float32]:
    """The states with the parts that hold what is believed of these levers of the goal.

    With all pairs of a lever's replaced, `pretrained:dag` does as the causal algorithm a little
    oftener, but so does, by far more, a network whose parts are mixed up: it tells less.
    """
    if state.ndim == 3:
        return np.where(levers[..., None], source, state)
    at = np.arange(state.shape[1]) == goal[:, None]
    toward = levers[:, :, None] & at[:, None, :]  # of lever i and the goal, either way round
    alone = levers[:, :, None] & np.eye(state.shape[1], dtype=bool)
    part = toward | toward.swapaxes(1, 2) | alone
    return np.where(part[..., None], source, state)
