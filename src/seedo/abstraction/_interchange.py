"""Interchange interventions: parts of one episode's state put into another (Geiger et al. 2021).

If a network runs an algorithm that scores every lever and takes the best, and a part of its state
holds the score of lever i, then with that part taken from another episode it must do what the
algorithm does with that score taken from there. Which part holds it is known for networks whose
state has an axis for variables or pairs. In a state without, each algorithm is given the directions
off which its own scores can be read by least squares, and the likeliest change, by how states vary,
that makes them read as in the other episode and leaves the other levers' scores.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo.abstraction._algorithms import ALGORITHMS, CAUSAL, Table, taken
from seedo.abstraction._states import Looked, actions_with
from seedo.learning import Inputs
from seedo.statistics import Estimate, share

_RIDGE = 1e-4
"""Penalty, as a share of the states' mean variance."""


class Algorithm(NamedTuple):
    """How far a network does what an algorithm would.

    Attributes:
        followed: share of episodes in which it takes the algorithm's action, nothing replaced.
        same: share of the replacements that change what the causal algorithm does, after which it
            takes this algorithm's action; all are judged on the causal algorithm's parts.
        own: share of the replacements that change what this algorithm does, of its own parts.
    """

    followed: Estimate
    same: Estimate
    own: Estimate


class Interchange(NamedTuple):
    """Interchange at one layer.

    Attributes:
        layer: number of the state.
        algorithms: by name, of `ALGORITHMS`.
        elsewhere: as `same` of the causal algorithm, had the part come from another episode than
            it did: what is right by accident.
        ignored: share of the same replacements after which the network does what it did before.
        kept: share of replacements that leave the causal action, after which the network's stays.
        chance: of an action drawn at random.
    """

    layer: int
    algorithms: dict[str, Algorithm]
    elsewhere: Estimate
    ignored: Estimate
    kept: Estimate
    chance: float


class Directions(NamedTuple):
    """Where a state without axes holds the scores of each goal's levers.

    Attributes:
        read: float64[n, n, d]: by goal and lever, what reads off the score.
        spread: float64[d, d], covariance of states with the same goal.
    """

    read: NDArray[np.float64]
    spread: NDArray[np.float64]


def find_directions(
    state: NDArray[np.float32], goal: NDArray[np.int64], table: Table, values: tuple[float, ...]
) -> Directions:
    """By ridge regression, goal by goal; `state` float32[B, d], scores as of `tables`."""
    unit, n = int(np.argmax(np.abs(values))), table.shape[1]
    x = state.astype(np.float64)
    for at in np.unique(goal):
        x[goal == at] -= x[goal == at].mean(0)
    spread = x.T @ x / len(x)
    penalty = _RIDGE * np.trace(spread) / len(spread) * np.eye(len(spread))
    found = np.zeros((n, n, len(spread)))
    for at in np.unique(goal):
        here, score = x[goal == at], table[goal == at, :, unit]
        effect = np.where(np.isfinite(score), score, 0.0)
        effect = effect - effect.mean(0)
        gram, moment = here.T @ here / len(here), here.T @ effect / len(here)
        found[at] = np.linalg.solve(gram + penalty, moment).T
    return Directions(found, spread)


def interchanged(
    network: Looked,
    inputs: Inputs,
    step: int,
    layer: int,
    state: NDArray[np.float32],
    scores: dict[str, Table],
    directions: dict[str, Directions] | None,
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
        directions: by algorithm, from other episodes; needed where the state has no axes.
        seed: of which episodes and levers.
        levers: bool[B, n], whose parts are replaced; None: some of each goal's, drawn.
    """
    drawn = np.random.default_rng([seed, layer])
    goal = np.asarray(inputs.goal)[:, step]
    source, other = _partners(goal, drawn)
    n = np.asarray(inputs.outcome).shape[-1]
    levers = _levers(goal, n, drawn) if levers is None else levers
    base = actions_with(network, inputs, step, layer, state)

    def acted(own: Directions | None) -> NDArray[np.int64]:
        new = _replaced(state, state[source], levers, goal, own)
        return actions_with(network, inputs, step, layer, new)

    def after(name: str, origin: NDArray[np.int64]) -> NDArray[np.int64]:
        table = scores[name]
        return taken(np.where(levers[..., None], table[origin], table))

    if directions is None:
        now = dict.fromkeys(ALGORITHMS, acted(None))
    else:
        now = {name: acted(directions[name]) for name in ALGORITHMS}
    before = {name: taken(scores[name]) for name in ALGORITHMS}
    then = {name: after(name, source) for name in ALGORITHMS}
    rows = np.arange(len(goal))
    paired, apart = source != rows, other != rows
    moved = paired & (then[CAUSAL] != before[CAUSAL])

    def told(hits: NDArray[np.bool_], among: NDArray[np.bool_]) -> Estimate:
        return share(int((hits & among).sum()), int(among.sum()))

    found = {
        name: Algorithm(
            told(base == before[name], np.ones(len(goal), bool)),
            told(now[CAUSAL] == then[name], moved),
            told(now[name] == then[name], paired & (then[name] != before[name])),
        )
        for name in ALGORITHMS
    }
    return Interchange(
        layer,
        found,
        told(now[CAUSAL] == after(CAUSAL, other), moved & apart),
        told(now[CAUSAL] == base, moved),
        told(now[CAUSAL] == base, paired & ~moved),
        1 / ((n - 1) * scores[CAUSAL].shape[2]),
    )


def _partners(
    goal: NDArray[np.int64], drawn: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of every episode two others with its goal; itself where there are none."""
    first, second = np.arange(len(goal)), np.arange(len(goal))
    for at in np.unique(goal):
        own = drawn.permutation(np.flatnonzero(goal == at))
        first[own], second[own] = np.roll(own, 1), np.roll(own, 2)
    return first, second


def _levers(goal: NDArray[np.int64], n: int, drawn: np.random.Generator) -> NDArray[np.bool_]:
    """Some levers of every goal, bool[B, n]; at least one."""
    chosen = drawn.random((len(goal), n)) < 0.5
    one = (goal + 1 + drawn.integers(n - 1, size=len(goal))) % n
    chosen[np.arange(len(goal)), one] = True
    chosen[np.arange(len(goal)), goal] = False
    return chosen


def _replaced(
    state: NDArray[np.float32],
    source: NDArray[np.float32],
    levers: NDArray[np.bool_],
    goal: NDArray[np.int64],
    directions: Directions | None,
) -> NDArray[np.float32]:
    """The states with the parts that hold what is believed of these levers of the goal."""
    if state.ndim == 3:
        return np.where(levers[..., None], source, state)
    if state.ndim == 4:
        at = np.arange(state.shape[1]) == goal[:, None]
        toward = levers[:, :, None] & at[:, None, :]  # of lever i and the goal, either way round
        alone = levers[:, :, None] & np.eye(state.shape[1], dtype=bool)
        part = toward | toward.swapaxes(1, 2) | alone
        return np.where(part[..., None], source, state)
    assert directions is not None
    new = state.astype(np.float64)
    for row in range(len(new)):
        read = directions.read[goal[row]]
        wanted = levers[row] * (read @ (source[row] - state[row]))  # the others stay as they were
        moves = directions.spread @ read.T
        new[row] += moves @ np.linalg.pinv(read @ moves) @ wanted
    return new.astype(np.float32)
