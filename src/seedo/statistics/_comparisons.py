"""Statistics of comparisons between prompts, names and items.

Values of one episode (a system with its noise) are not independent of each other, so the episode,
(world seed, stream, number), is the cluster: values are averaged within it first, and intervals
are Student's t over clusters (Miller 2024, arXiv:2411.00640).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from seedo.errors import UserError
from seedo.statistics._intervals import LEVEL, Estimate, mean
from seedo.statistics._random_parts import fit_random_parts

POWER = 0.8
"""Of the smallest difference that a comparison could have shown."""

# -- clusters -------------------------------------------------------------------------------------


def cluster_means(values: ArrayLike, clusters: Sequence[Hashable]) -> dict[Hashable, float]:
    """Mean of each cluster's values; NaN entries do not count, NaN where a cluster has no other.

    Args:
        values: float[N].
        clusters: whose cluster each value is; N labels.

    Raises:
        UserError: another number of labels than of values.
    """
    x = np.asarray(values, np.float64).ravel()
    if len(clusters) != len(x):
        raise UserError("clusters", len(clusters), f"give one label for each of {len(x)} values")
    held: dict[Hashable, list[float]] = {}
    for value, cluster in zip(x.tolist(), clusters, strict=True):
        held.setdefault(cluster, [])
        if not math.isnan(value):
            held[cluster].append(value)
    return {c: float(np.mean(own)) if own else math.nan for c, own in held.items()}


def clustered_mean(values: ArrayLike, clusters: Sequence[Hashable]) -> Estimate:
    """Mean over clusters, each counting once, with Student's t interval; `n` counts clusters."""
    return mean(list(cluster_means(values, clusters).values()))


def differences(
    first: Mapping[Hashable, float], second: Mapping[Hashable, float]
) -> NDArray[np.float64]:
    """first - second of every cluster, in the order of `first`; see `cluster_means`.

    Raises:
        UserError: the clusters are not the same.
    """
    if first.keys() != second.keys():
        alone = next(iter(first.keys() ^ second.keys()))
        raise UserError("clusters", alone, "not paired: compare the same episodes on both sides")
    return np.array([first[c] - second[c] for c in first], np.float64)


def paired_difference(
    first: Mapping[Hashable, float], second: Mapping[Hashable, float]
) -> Estimate:
    """Mean of first - second over clusters, with the t interval of the paired differences.

    Raises:
        UserError: the clusters are not the same.
    """
    return mean(differences(first, second))


# -- main effects ---------------------------------------------------------------------------------


class Observed(NamedTuple):
    """One value under one setting of switches."""

    cluster: Hashable  # the episode
    switches: Mapping[str, Any]  # names and levels
    value: float


@dataclass(frozen=True)
class MainEffect:
    """What a switch changes, the others averaged over: value at `high` less value at `low`."""

    switch: str
    low: Any
    high: Any
    effect: Estimate

    def to_json(self) -> dict[str, Any]:
        levels = {"switch": self.switch, "low": self.low, "high": self.high}
        return {**levels, "effect": self.effect.to_json()}


def main_effects(
    table: Iterable[Observed], usual: Mapping[str, Any] | None = None
) -> dict[str, MainEffect]:
    """The main effect of every switch that has two levels in a table, paired by episode.

    Within each episode the values are regressed on all switches at once (ordinary least squares,
    no interactions); the coefficients are averaged over episodes, with t intervals. That is the
    usual contrast in full and in orthogonal fractional factorials, and value less base value where
    one switch is thrown at a time.

    Args:
        table: switches that never vary are left out. Several values of an episode under one
            setting are averaged.
        usual: level of each switch that counts as `low`, where it is one of the levels; else the
            level seen first is.

    Raises:
        UserError: no switch varies, one has more than two levels, the settings cannot tell two
            switches apart, or a setting lacks episodes that another has.
    """
    rows = list(table)
    levels = _levels(rows, usual or {})
    held: dict[tuple[bool, ...], list[Observed]] = {}
    for row in rows:
        setting = tuple(row.switches[s] == high for s, (_, high) in levels.items())
        held.setdefault(setting, []).append(row)
    design = np.array([[1.0, *setting] for setting in held])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        named = ", ".join(levels)
        raise UserError("switches", named, "their effects cannot be told apart: add settings")
    cells = [cluster_means([r.value for r in own], [r.cluster for r in own])
             for own in held.values()]  # fmt: skip
    base = dict.fromkeys(cells[0], 0.0)
    by_episode = np.stack([-differences(base, cell) for cell in cells])  # [settings, episodes]
    coefficients = np.linalg.pinv(design) @ by_episode
    return {
        switch: MainEffect(switch, low, high, mean(own))
        for (switch, (low, high)), own in zip(levels.items(), coefficients[1:], strict=True)
    }


def _levels(rows: Sequence[Observed], usual: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """(low, high) of each switch that varies."""
    found = {}
    for switch in dict.fromkeys(s for row in rows for s in row.switches):
        for row in rows:
            if switch not in row.switches:
                raise UserError("switches", switch, "say its level in every row")
        seen = list(dict.fromkeys(row.switches[switch] for row in rows))
        if len(seen) > 2:
            raise UserError(switch, seen, "a main effect has two levels: choose two")
        if len(seen) == 2:
            if usual.get(switch) == seen[1]:
                seen.reverse()
            found[switch] = (seen[0], seen[1])
    if not found:
        raise UserError("switches", None, "none varies: give values under two settings at least")
    return found


# -- items ----------------------------------------------------------------------------------------


class ItemAnswer(NamedTuple):
    """One answer to one item."""

    item: Hashable
    run: Hashable  # a repetition: seed of the run, or epoch
    value: float  # 1 right, 0 wrong; or any score
    factors: Mapping[str, Hashable]  # level of each factor, such as {"belief": "believable"}


@dataclass(frozen=True)
class MixedEffects:
    """Effects of factors on answers.

    Attributes:
        model: what was fitted, in words.
        effects: "belief: unbelievable - believable", "... x ..." for crossed factors; differences
            in the values' own unit (a proportion for right and wrong), the other factors' levels
            counting equally.
        level: the mean over all levels of all factors, counting equally.
        item_sd, run_sd: standard deviation of the random intercepts; None where not in the model.
        answers, items, runs: how many.
    """

    model: str
    effects: dict[str, Estimate]
    level: Estimate
    item_sd: float | None
    run_sd: float | None
    answers: int
    items: int
    runs: int

    def to_json(self) -> dict[str, Any]:
        effects = {name: effect.to_json() for name, effect in self.effects.items()}
        return {**vars(self), "effects": effects, "level": self.level.to_json()}


def mixed_effects(
    answers: Iterable[ItemAnswer], crossed: Sequence[tuple[str, str]] = ()
) -> MixedEffects:
    """A linear mixed model with random intercepts for items and for runs.

    Fitted by REML with statsmodels' `MixedLM` (Powell's method). For right and wrong answers that
    is a linear probability model: effects are differences of proportions, and unlike the logistic
    mixed models at hand (statsmodels' Laplace fit diverged, its variational intervals covered 72
    to 78 % in trials) it converges and its intervals keep their level. A random intercept is left
    out where nothing is repeated (one run; every item answered once). Where the fit fails after
    all: least squares with standard errors clustered by item; `model` says which it was.

    Intervals are Student's t; the degrees of freedom of an effect are those of the units that it
    varies between: items, runs, or items seen under several levels.

    Args:
        answers: every one has the same factors. The first level seen of each factor is what others
            are compared with.
        crossed: pairs of factors whose interaction is in the model.

    Raises:
        UserError: no answers, a value that is not finite, factors missing, without a second level,
            or confounded with each other; statsmodels is not installed.
    """
    rows = list(answers)
    columns = _factor_columns(rows, crossed)
    x = np.column_stack(list(columns.values()))
    y = np.array([row.value for row in rows], np.float64)
    if not np.isfinite(y).all():
        raise UserError("value", float(y[~np.isfinite(y)][0]), "give finite values")
    if np.linalg.matrix_rank(x) < x.shape[1]:
        named = ", ".join(list(columns)[1:])
        raise UserError("factors", named, "confounded with each other: more answers are needed")
    units = {"item": _codes([r.item for r in rows]), "run": _codes([r.run for r in rows])}
    count = {name: int(own.max()) + 1 for name, own in units.items()}
    repeated = [name for name, k in count.items() if 1 < k < len(y)]
    if y.min() == y.max():
        fit = _means(x, y, "all answers alike")
    elif len(y) <= x.shape[1]:
        fit = _means(x, y, "no more answers than effects")
    else:
        fit = _fit(x, y, {name: units[name] for name in repeated}, units)
    found = {}
    for k, name in enumerate(columns):
        value, free = float(fit.coefficients[k]), _degrees(x, k, units)
        if fit.errors is None or free < 1:
            reason = fit.reason or "it varies between too few items or runs"
            found[name] = Estimate(value, n=len(y), reason=f"{reason}: no interval")
        else:
            half = float(stats.t.ppf((1 + LEVEL) / 2, free) * fit.errors[k])
            found[name] = Estimate(value, value - half, value + half, len(y))
    level = found.pop(_LEVEL)
    return MixedEffects(
        model=fit.model,
        effects=found,
        level=level,
        item_sd=fit.spread.get("item"),
        run_sd=fit.spread.get("run"),
        answers=len(y),
        items=count["item"],
        runs=count["run"],
    )


_LEVEL = "level"


class _Fit(NamedTuple):
    model: str
    coefficients: NDArray[np.float64]
    errors: NDArray[np.float64] | None
    spread: Mapping[str, float]  # standard deviations of random intercepts
    reason: str = ""  # why there are no standard errors


def _factor_columns(
    rows: Sequence[ItemAnswer], crossed: Sequence[tuple[str, str]]
) -> dict[str, NDArray[np.float64]]:
    """Name and coding of each effect: level against first level, centred, so that what is crossed
    does not change the meaning of a factor's own effect."""
    if not rows:
        raise UserError("answers", None, "give at least one")
    parts: dict[str, dict[str, NDArray[np.float64]]] = {}
    for factor in rows[0].factors:
        for row in rows:
            if row.factors.keys() != rows[0].factors.keys():
                raise UserError("factors", sorted(row.factors), "give every answer the same ones")
        levels = list(dict.fromkeys(row.factors[factor] for row in rows))
        if len(levels) < 2:
            raise UserError(factor, levels[0], "the same everywhere: leave it out")
        parts[factor] = {
            f"{factor}: {level} - {levels[0]}":
                np.array([row.factors[factor] == level for row in rows]) - 1 / len(levels)
            for level in levels[1:]
        }  # fmt: skip
    columns = {_LEVEL: np.ones(len(rows))}
    for own in parts.values():
        columns |= own
    for pair in crossed:
        for factor in pair:
            if factor not in parts:
                raise UserError("crossed", factor, f"the factors are {', '.join(parts)}")
        for (a, left), (b, right) in product(parts[pair[0]].items(), parts[pair[1]].items()):
            columns[f"{a} x {b}"] = left * right
    return columns


def _codes(labels: Sequence[Hashable]) -> NDArray[np.int64]:
    code = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return np.array([code[label] for label in labels])


def _degrees(x: NDArray[np.float64], k: int, units: Mapping[str, NDArray[np.int64]]) -> int:
    """Degrees of freedom of column k: of the units within which it is constant, if any."""

    def constant(column: NDArray[np.float64], unit: NDArray[np.int64]) -> bool:
        first = np.unique(unit, return_index=True)[1]
        return bool(np.array_equal(column, column[first][unit]))

    for unit in sorted(units.values(), key=lambda unit: int(unit.max())):  # the coarser one first
        if unit.max() > 0 and constant(x[:, k], unit):
            return int(unit.max()) + 1 - sum(constant(column, unit) for column in x.T)
    return int(units["item"].max() or units["run"].max())


def _fit(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    random: Mapping[str, NDArray[np.int64]],
    units: Mapping[str, NDArray[np.int64]],
) -> _Fit:
    try:
        from statsmodels.regression.linear_model import OLS
    except ImportError:
        raise UserError(
            "statsmodels", None, 'not installed: pip install "seedo[inspect]"'
        ) from None
    if random:
        names = list(random)
        each = {name: np.eye(int(own.max()) + 1)[own] for name, own in random.items()}
        fitted = fit_random_parts(y, x, each)
        errors = None if fitted is None else np.asarray(fitted.bse_fe, np.float64)
        if errors is not None and np.isfinite(errors).all() and (errors > 0).all():
            sds = np.sqrt(np.maximum(fitted.vcomp, 0))
            return _Fit(
                f"linear mixed model, random intercepts for {' and '.join(names)}, REML",
                np.asarray(fitted.fe_params, np.float64),
                errors,
                dict(zip(fitted.model.exog_vc.names, map(float, sds), strict=True)),
            )
    cause = "the mixed model did not converge" if random else "nothing is repeated"
    if units["item"].max() + 1 < len(y):
        by = "clustered by item"
        fitted = OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": units["item"]})
    else:
        by, fitted = "robust to unequal variances (HC3)", OLS(y, x).fit(cov_type="HC3")
    return _Fit(
        f"least squares, standard errors {by}: {cause}",
        np.asarray(fitted.params, np.float64),
        np.asarray(fitted.bse, np.float64),
        {},
    )


def _means(x: NDArray[np.float64], y: NDArray[np.float64], reason: str) -> _Fit:
    coefficients = np.asarray(np.linalg.lstsq(x, y, rcond=None)[0], np.float64)
    return _Fit("means alone", coefficients, None, {}, reason)


# -- power ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Power:
    """The smallest difference that a comparison finds 4 times in 5.

    Attributes:
        detectable: that difference, two-sided t test at 5 %.
        n: pairs, or values in each of two arms where not `paired`.
        sd: standard deviation of the paired differences, or of the values in an arm.
    """

    detectable: float
    n: int
    sd: float
    paired: bool

    @property
    def line(self) -> str:
        """One line to print with a study."""
        what, of = ("pairs", "a difference") if self.paired else ("values in each arm", "a value")
        return (
            f"Power: with {self.n:,} {what} (standard deviation of {of} {self.sd:.3g}), a "
            f"difference of {self.detectable:.3g} is found 80 % of the time "
            "(two-sided t test at 5 %); smaller ones are more often missed."
        )

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "line": self.line}


def power(
    n: int,
    sd: float | None = None,
    p: float | None = None,
    *,
    paired: bool = True,
    correlation: float = 0.0,
) -> Power:
    """Minimal detectable difference at 80 % power, from the noncentral t distribution.

    Args:
        n: pairs (clusters), or values in each arm where not `paired`.
        sd: of the paired differences, or of the values in one arm where not `paired`.
        p: instead of `sd`, a proportion near which both arms are expected.
        paired: the same episodes or items in both arms.
        correlation: between the two arms' values of one pair; with `p` and `paired` only.

    Raises:
        UserError: n < 2, not exactly one of `sd` and `p`, or a number out of range.
    """
    if not isinstance(n, int) or isinstance(n, bool) or n < 2:
        raise UserError("n", n, "use a whole number above 1")
    if (sd is None) == (p is None):
        raise UserError("sd", sd, "give either a standard deviation or a proportion p")
    if p is not None:
        if not 0 <= p <= 1:
            raise UserError("p", p, "use a proportion from 0 to 1")
        if not -1 <= correlation <= 1:
            raise UserError("correlation", correlation, "use a number from -1 to 1")
        variance = p * (1 - p)
        sd = math.sqrt(2 * variance * (1 - correlation) if paired else variance)
    assert sd is not None
    if not (math.isfinite(sd) and sd >= 0):
        raise UserError("sd", sd, "use a finite number from 0")
    free, size = (n - 1, math.sqrt(n)) if paired else (2 * n - 2, math.sqrt(n / 2))
    critical = float(stats.t.ppf((1 + LEVEL) / 2, free))

    def lacking(shift: float) -> float:
        opposite = np.nan_to_num(stats.nct.cdf(-critical, free, shift))  # NaN where it is below 0
        return float(stats.nct.sf(critical, free, shift) + opposite) - POWER

    most = critical
    while lacking(most) < 0:
        most *= 2
    shift = optimize.brentq(lacking, 0.0, most)
    return Power(float(shift) / size * sd, n, float(sd), paired)
