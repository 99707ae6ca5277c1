"""A known graph as players heed it: which knobs they leave alone, and when they set it aside."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from seedo.experimenters._proposer import Proposer, best_tried, wanted
from seedo.experimenters.proposers._chain import columns_of
from seedo.experimenters.proposers._search import fitted
from seedo.experimenters.proposers._steps import Step, steps
from seedo.spaces import CausalGraph, Goals, Knob, Runs, Space
from seedo.worlds import Spec

Array = NDArray[np.float64]

_AGAINST = 2e-3
"""Probability, by chance, of what is held against one step of a graph, below which the graph is
denied. Of 50 simulated plants, held against their true graph ten times each within 40 runs, the
three least were 3e-4, 4e-4 and 5e-4 before Bonferroni's bound, which multiplies by the number of
knobs and readings that are added (some 3 to 9)."""
_FREEDOM = 3
"""Rows beyond the terms of a test, at least."""
_LOOKED = 200
"""Rows in which nobody set the knobs that a graph is held against, drawn at random from more."""


@dataclass(frozen=True, eq=False)
class Heeded:
    """What is left to a player that heeds a graph.

    Attributes:
        spec, runs, pending: of the knobs that are explored; as given, and without a graph, where
            none is known or runs speak against it.
        held: float64[K], values at which the other knobs are kept; NaN where one is explored.
        against: why the graph is set aside, one line each.
    """

    spec: Spec
    runs: Runs
    pending: Array
    held: Array
    against: tuple[str, ...] = ()

    def whole(self, setting: Array) -> Array:
        """A setting of all K knobs."""
        found = self.held.copy()
        found[np.isnan(found)] = setting
        return found


class HeedingProposer(Proposer):
    """A proposer of knobs that a known graph leaves to be explored; see `heeded`."""

    heeds_graph: ClassVar[bool] = True

    def propose(
        self, spec: Spec, runs: Runs, pending: Array, left: int, rng: np.random.Generator
    ) -> Array:
        view = heeded(spec, runs, pending)
        return view.whole(self.proposed(view.spec, view.runs, view.pending, left, rng))

    def recommend(self, spec: Spec, runs: Runs, rng: np.random.Generator) -> Array:
        view = heeded(spec, runs, np.empty((0, runs.settings.shape[1])))
        kept = self.kept(view.spec, view.runs, rng)
        return view.whole(super().recommend(view.spec, view.runs, rng) if kept is None else kept)

    @abstractmethod
    def proposed(
        self, spec: Spec, runs: Runs, pending: Array, left: int, rng: np.random.Generator
    ) -> Array:
        """As `propose`, of the knobs that are explored."""

    @abstractmethod
    def kept(self, spec: Spec, runs: Runs, rng: np.random.Generator) -> Array | None:
        """As `recommend`, of the knobs that are explored; None: the best that was tried."""


def heeded(spec: Spec, runs: Runs, pending: Array) -> Heeded:
    """What the graph of a spec, where it has one, leaves to a player.

    Knobs that move no goal are kept where they are most often; those that a constraint is on make
    room for others, and stay free, as do all where only recorded settings can be run.
    """
    space, goals = wanted(spec)
    held = np.full(space.size, np.nan)
    if spec.graph is None:
        return Heeded(spec, runs, pending, held)
    if found := against(spec, runs):
        return Heeded(replace(spec, graph=None), runs, pending, held, found)
    for i in idle_knobs(space, goals, spec.graph):
        held[i] = _kept(space.knobs[i], i, goals, runs, pending)
    free = np.isnan(held)
    if free.all():
        return Heeded(spec, runs, pending, held)
    knobs = tuple(knob for knob, own in zip(space.knobs, free, strict=True) if own)
    names = tuple(knob.name for knob in knobs) + spec.readings
    return Heeded(
        replace(spec, variables=names, space=Space(knobs, space.constraints)),
        replace(runs, settings=runs.settings[:, free]),
        pending[:, free],
        held,
    )


def idle_knobs(space: Space, goals: Goals, graph: CausalGraph) -> tuple[int, ...]:
    """Positions of the knobs that are not explored: they move no goal, and no constraint is on
    them."""
    if space.listed is not None:
        return ()
    acting = graph.acting(space.names, goals.readings)
    tied = {name for constraint in space.constraints for name in constraint.names}
    return tuple(i for i, name in enumerate(space.names) if name not in acting and name not in tied)


def _kept(knob: Knob, place: int, goals: Goals, runs: Runs, pending: Array) -> float:
    """The value of a knob that most runs had; among several that of the best run, or the least; in
    the middle of its range, or its first level, before there is a run."""
    values = np.concatenate([runs.made.settings[:, place], pending[:, place]])
    values = values[np.isfinite(values)]
    values = values[knob.allows(values)]
    if not len(values):
        middle = 0.0 if knob.type == "categorical" else (knob.low + knob.high) / 2
        return float(knob.snap(np.array(middle)))
    different, count = np.unique(values, return_counts=True)
    most = different[count == count.max()]
    best = best_tried(runs, goals)
    return float(best[place] if best is not None and best[place] in most else most[0])


# -- whether runs speak against it ----------------------------------------------------------------


def against(spec: Spec, runs: Runs) -> tuple[str, ...]:
    """Why rows speak against the graph of a spec, one line each; () where they do not.

    By the graph some knobs and readings say nothing more of a reading, given what it is predicted
    from: beside the fitted mean, each is added as a line and a square (an F test, Bonferroni's
    bound over what is added to one reading).
    """
    space, goals = wanted(spec)
    if spec.graph is None:
        return ()
    found = []
    for step in steps(spec.graph, space.names, runs.names, goals.readings):
        for watched in (False, True):
            line = _against(step, space, runs, watched)
            if line:
                found.append(line)
    return tuple(found)


def _against(step: Step, space: Space, runs: Runs, watched: bool) -> str:
    """What rows of one kind say against a step; "" where they do not."""
    rows = runs.seen if watched else ~runs.seen
    idle = step.idle_watched if watched else step.idle
    y = runs.readings[rows, runs.names.index(step.reading)]
    inputs = _columns((*step.knobs, *step.readings), space, runs)[rows]
    known = np.flatnonzero(np.isfinite(y) & np.isfinite(inputs).all(axis=1))
    if len(known) > _LOOKED:
        known = np.sort(np.random.default_rng(0).permutation(known)[:_LOOKED])
    if len(known) < inputs.shape[1] + 2 or np.ptp(y[known]) == 0:
        return ""
    base = [np.ones((len(known), 1)), inputs[known]]
    if inputs.shape[1]:
        base.append(fitted(inputs[known], y[known]).alone(inputs[known])[0][:, None])
    least, name, less = 1.0, "", 0.0
    for other in idle:
        more = _columns((other,), space, runs)[rows][known]
        chance, share = _beside(np.concatenate(base, axis=1), more, y[known])
        if chance < least:
            least, name, less = chance, other, share
    if least * max(len(idle), 1) >= _AGAINST:
        return ""
    given = " and ".join((*step.knobs, *step.readings)) or "nothing"
    where = "rows in which nobody set the knobs" if watched else "runs"
    return (f"{name} tells more of {step.reading} than {given}, which by the graph it does not: "
            f"in {len(known)} {where} it explains {less:.0%} of the rest")  # fmt: skip


def _beside(base: Array, more: Array, y: Array) -> tuple[float, float]:
    """What terms float64[R, k] tell of y, float64[R], beside others: the probability of as much by
    chance, and the share of the rest that is explained. Rows that lack the terms are left out."""
    there = np.isfinite(more).all(axis=1)
    base, more, y = base[there], more[there], y[there]
    squares = more**2 if len(np.unique(more[:, 0])) > 2 else more[:, :0]
    rest, rank = _rest(base, y)
    less, terms = _rest(np.concatenate([base, more, squares], axis=1), y)
    freedom = len(y) - terms
    if terms <= rank or freedom < _FREEDOM or rest <= 0:
        return 1.0, 0.0
    ratio = ((rest - less) / (terms - rank)) / max(less / freedom, 1e-300)
    return float(stats.f.sf(ratio, terms - rank, freedom)), 1 - less / rest


def _rest(x: Array, y: Array) -> tuple[float, int]:
    """Sum of squares that columns float64[R, k] leave of y, and their rank."""
    found, _, rank, _ = np.linalg.lstsq(x, y, rcond=1e-10)
    return float(((y - x @ found) ** 2).sum()), int(rank)


def _columns(names: tuple[str, ...], space: Space, runs: Runs) -> Array:
    """Coordinates of knobs, then readings, float64[R, I]."""
    at = space.coordinates(runs.settings)[:, columns_of(space, names)]
    readings = [runs.names.index(name) for name in names if name in runs.names]
    return np.concatenate([at, runs.readings[:, readings]], axis=1)
