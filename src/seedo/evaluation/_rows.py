"""One table for all players of a world: figures, floors and ceilings, differences on the systems
that two of them met."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo.evaluation._members import REFERENCES, Member, System
from seedo.evaluation._metrics import UNTESTED
from seedo.evaluation._runs import Row, Run
from seedo.evaluation._spoken import KINDS
from seedo.evaluation._stated import NOT_ASKED
from seedo.evaluation._strategies import BAYES, HEURISTICS
from seedo.statistics import (
    Estimate,
    cluster_means,
    mean,
    missing,
    paired_difference,
    ratios,
)

Array = NDArray[np.float64]

DEFINITIONS: dict[str, str] = {
    "less": "a row's figure less that of the row named, on the systems that both met, with the same"
    " noise. Differences of ratios are in their own unit and bootstrapped over systems, others"
    " have Student's t interval of the paired differences. Where a row is the mean of several runs,"
    " each run's difference is one value (clustered by seed); people are clusters of their own.",
    "apart": "marked with *: the run met systems that another run of the table did not, so its"
    " figures are not of the same systems; differences are, and so is the return ratio on the"
    " systems that all runs met.",
}

NO_BITS = "not measured: review --bits"
NO_WORDS = "it does not speak"
UNREAD = "its conversations cannot be read"

Figure = Callable[[Run], Estimate]


def _bits(name: str) -> Figure:
    return lambda run: (
        missing(NO_BITS) if run.information is None else getattr(run.information, name)
    )


def _arrows(name: str) -> Figure:
    return lambda run: missing(NOT_ASKED) if run.stated is None else getattr(run.stated, name)


def _act(phase: str, name: str) -> Figure:
    def act(run: Run) -> Estimate:
        if phase not in run.acts:
            return missing(f"no {phase} phase")
        return run.acts[phase].get(name, missing("no turn showed it an action"))

    return act


def _kind(name: str) -> Figure:
    def share(run: Run) -> Estimate:
        if run.spoken is None:
            return _no_words(run)
        return run.spoken.heard.get(name, missing("an older log does not say"))

    return share


def _said(name: str) -> Figure:
    return lambda run: _no_words(run) if run.spoken is None else getattr(run.spoken, name)


def _no_words(run: Run) -> Estimate:
    """Why nothing is known of its replies."""
    return missing(UNREAD if run.unread else NO_WORDS)


FIGURES: dict[str, Figure] = {
    "return": lambda run: run.metrics.mean_return,
    "return_ratio": lambda run: run.metrics.return_ratio,
    "exploit_regret": lambda run: run.metrics.exploit_regret,
    "unexplored": lambda run: run.metrics.unexplored,
    "unread": lambda run: run.metrics.unread,
    "bayes_ratio": lambda run: run.metrics.bayes_ratio,
    "bayes_reader": lambda run: run.metrics.readers[BAYES].return_ratio,
    "distinct_tested": lambda run: run.metrics.distinct_tested,
    "bits": _bits("bits"),
    "random_bits": _bits("random_bits"),
    "best_bits": _bits("best_bits"),
    "information_ratio": _bits("information_ratio"),
    "bits_above_random": _bits("bits_above_random"),
    "arrows_answered": _arrows("answered"),
    "arrows_f1": _arrows("directed"),
    "arrows_by_chance": _arrows("chance"),
    "arrows_exact": _arrows("exact"),
    **{
        f"{phase}_{name}": _act(phase, name)
        for phase in ("explore", "exploit")
        for name in ("legal", "observed", "passed", "refused", "echoed")
    },
    **{kind: _kind(kind) for kind in KINDS},
    "malformed": _said("malformed"),
    "tokens_in": _said("tokens_in"),
    "tokens_out": _said("tokens_out"),
    "dollars": _said("dollars_each"),
}
"""Figures of a row, by name."""


class Rows(NamedTuple):
    """The table of a group; see `Group`."""

    rows: tuple[Row, ...]
    against: str
    shared: int


def rows_of(
    members: Sequence[Member],
    found: Mapping[str, Estimate],
    regrets: Mapping[str, Estimate],
    against: str | None,
) -> Rows:
    """The table of runs on one world and split.

    Args:
        members: the runs.
        found, regrets: return ratios and regrets of the references.
        against: name, label or path of the run that others are held against; None: the best
            heuristic among them, else the first.
    """
    systems = [frozenset(m.systems) for m in members]
    shared = frozenset.intersection(*systems)
    base = _baseline(members, against)
    made = []
    for member, own in zip(members, systems, strict=True):
        figures = {name: figure(member.run) for name, figure in FIGURES.items()}
        row = Row("run", member.label, (member.run.path,), len(own), figures, own != shared)
        made.append(row)
    same = not any(row.apart for row in made)
    held = _Base([members[i] for i in base]) if base else None
    rows = []
    for i, (row, member) in enumerate(zip(made, members, strict=True)):
        on_shared = {} if same else _on(member, shared)
        less, paired = ({}, 0) if held is None or i in base else held.less([member])
        rows.append(_with(row, on_shared, less, paired))
    for family in dict.fromkeys(m.run.family for m in members if m.people is None):
        which = [i for i, m in enumerate(members) if m.people is None and m.run.family == family]
        if len(which) > 1:
            less, paired = (
                ({}, 0) if held is None or set(which) & set(base)
                else held.less([members[i] for i in which])
            )  # fmt: skip
            rows.append(
                _with(_mean_row([made[i] for i in which], members, which), {}, less, paired)
            )
    name = ""
    if base:
        first = members[base[0]]
        name = first.run.family if len(base) > 1 else first.label
    return Rows((*rows, *_reference_rows(found, regrets)), name, len(shared))


def _with(row: Row, shared: dict[str, Estimate], less: dict[str, Estimate], paired: int) -> Row:
    return Row(row.kind, row.label, row.runs, row.systems, row.figures, row.apart, shared, less,
               paired)  # fmt: skip


def _mean_row(rows: Sequence[Row], members: Sequence[Member], which: Sequence[int]) -> Row:
    """The mean of runs that differ only in their seed, each of them one value."""
    own = [members[i] for i in which]
    figures = {}
    for name in FIGURES:
        values = [row.figures[name] for row in rows]
        known = [v.value for v in values if v.value is not None]
        figures[name] = mean(known) if known else values[0]
    met = frozenset(system for m in own for system in m.systems)
    label = f"{own[0].run.family}, mean of {len(own)} runs"
    return Row("seeds", label, tuple(m.run.path for m in own), len(met), figures,
               any(row.apart for row in rows))  # fmt: skip


def _baseline(members: Sequence[Member], against: str | None) -> list[int]:
    """Which runs the others are held against; [] where the one that was named is not here."""
    if against is not None:
        return [i for i, m in enumerate(members) if m.run.is_called(against, m.label)]
    simple = [i for i, m in enumerate(members) if m.run.agent in HEURISTICS]
    best = max(simple, key=lambda i: _worth(members[i].run), default=0)
    return [best]


def _worth(run: Run) -> float:
    regret = run.metrics.exploit_regret.value
    return -np.inf if regret is None else -regret


# -- on the same systems --------------------------------------------------------------------------


class _Base:
    """What others are held against, by system."""

    def __init__(self, members: Sequence[Member]) -> None:
        names = {name for m in members for name in m.values}
        self._own = _by_system(members, [m.returns["agent"] for m in members])
        self._values = {
            name: _by_system(members, [m.values.get(name, np.full(len(m.episode), np.nan))
                                       for m in members])
            for name in names
        }  # fmt: skip

    def less(self, members: Sequence[Member]) -> tuple[dict[str, Estimate], int]:
        """Figures of runs less these, and on how many systems; several runs are a value each."""
        each = [self._less(member) for member in members]
        systems = len({s for m in members for s in m.systems if s in self._own})
        if len(each) == 1:
            return {name: _told(found) for name, found in each[0].items()}, systems
        found = {}
        for name in each[0]:
            values = [one[name].value for one in each]
            known = [value for value in values if value is not None]
            found[name] = mean(known) if known else each[0][name]
        return found, systems

    def _less(self, member: Member) -> dict[str, Estimate]:
        systems = member.systems
        own, oracle = member.returns["agent"], member.returns["oracle"]
        theirs = np.array([self._own.get(s, np.nan) for s in systems])
        wide = oracle - member.returns["random"]
        over, regret = ratios([own - theirs, theirs - own], [oracle, wide], cluster=member.people)
        none = missing("no system that both met")
        if not np.isfinite(theirs).any():
            over = regret = none
        found = {"return": self._paired(member, own, self._own)}
        if member.run.regret is None:
            found["return_ratio"] = over
        found["exploit_regret"] = regret
        for name, values in member.values.items():
            if name in self._values:
                found[name] = self._paired(member, values, self._values[name])
        return found

    def _paired(self, member: Member, own: Array, theirs: Mapping[System, float]) -> Estimate:
        systems = member.systems
        other = np.array([theirs.get(s, np.nan) for s in systems])
        known = np.isfinite(own) & np.isfinite(other)
        if not known.any():
            return missing("no system of which both are known")
        whose: Sequence[Hashable] = systems if member.people is None else member.people.tolist()
        units = [whose[i] for i in np.flatnonzero(known).tolist()]
        return paired_difference(_means(own[known], units), _means(other[known], units))


def _told(found: Estimate) -> Estimate:
    """The same difference in a handful of systems is not for that the one in all others."""
    if found.low is None or found.low != found.high:
        return found
    return Estimate(found.value, n=found.n, reason="the same in every system: no interval")


def _by_system(members: Sequence[Member], values: Sequence[Array]) -> dict[System, float]:
    """The mean of each system over all runs; only of those of which something is known."""
    every = np.concatenate(list(values))
    systems = [system for member in members for system in member.systems]
    known = np.flatnonzero(np.isfinite(every))
    found = _means(every[known], [systems[i] for i in known.tolist()])
    return {system: value for system, value in found.items() if isinstance(system, tuple)}


def _means(values: Array, units: Sequence[Hashable]) -> dict[Hashable, float]:
    """The mean of each unit's values."""
    if len(set(units)) == len(units):  # as a rule: a system is met once
        return dict(zip(units, values.tolist(), strict=True))
    return cluster_means(values, units)


def _on(member: Member, systems: frozenset[System]) -> dict[str, Estimate]:
    """Ratios of a run on some of its systems."""
    kept = np.array([system in systems for system in member.systems])
    own, oracle, random, bayes = (
        member.returns[name][kept] for name in ("agent", "oracle", "random", BAYES)
    )
    people = None if member.people is None else member.people[kept]
    names = ("return_ratio", "exploit_regret", "bayes_ratio")
    if not kept.any():
        return dict.fromkeys(names, missing("no system that all runs met"))
    found = ratios([own, oracle - own, own], [oracle, oracle - random, bayes], cluster=people)
    return {
        name: figure
        for name, figure in zip(names, found, strict=True)
        if name == "exploit_regret" or member.run.regret is None
    }


# -- floors and ceilings --------------------------------------------------------------------------

_TITLES = {
    "random": "random floor",
    UNTESTED: "best answers without experiments",
    BAYES: "exact Bayes, mean over these players' experiments",
    "oracle": "omniscient ceiling",
}


def _reference_rows(found: Mapping[str, Estimate], regrets: Mapping[str, Estimate]) -> list[Row]:
    """Lowest first; of the heuristics the best."""
    ranked = [name for name in HEURISTICS if found[name].value is not None]
    best = max(ranked, key=lambda name: found[name].value or 0.0, default=None)
    made = []
    for name in (*REFERENCES, "oracle"):
        if name not in found or found[name].value is None or (name in HEURISTICS and name != best):
            continue
        title = _TITLES.get(name, f"{name}, mean over these players' experiments")
        figures = {"return_ratio": found[name], "exploit_regret": regrets[name]}
        made.append(Row("reference", title, (), found[name].n, figures))
    return made
