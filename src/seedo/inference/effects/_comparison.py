"""One comparison of settings of one cause: prepared, checked, and read off."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from seedo.inference.checks import (
    SHARE,
    Finding,
    added_terms,
    copies,
    groups_of,
    missing_finding,
    missing_tells,
    overlap,
)
from seedo.inference.effects._estimate import Estimate, t_estimate
from seedo.inference.effects._fit import Fitted, Means, fit, means, slopes
from seedo.inference.effects._intervals import (
    covariance,
    difference,
    freedom,
    mean_estimate,
    probability_of_effect,
    wald,
)
from seedo.inference.effects._model import (
    MOST_LEVELS,
    TESTED,
    Model,
    Names,
    Wanted,
    alike_groups,
    model_of,
    timely,
)
from seedo.inference.effects._sample import Covariate, Sample, Scale, sample_of
from seedo.inference.effects._season import hold_season
from seedo.inference.effects._tails import tails
from seedo.inference.effects._terms import Form, Terms, curve
from seedo.inference.effects._trend import hold_trend
from seedo.tables import Table

Array = NDArray[np.float64]

FEWEST = 4
"""Rows from which anything is compared."""
_GRID = (0.05, 0.275, 0.5, 0.725, 0.95)
_SHOWN_LEVELS = 12


@dataclass(frozen=True, eq=False)
class Comparison:
    """A fitted and checked model of one outcome under settings of one cause.

    Attributes:
        model: regression, findings, checks that held.
        names: of cause and outcome.
        held: covariates that are set to one value.
        population: bool[R], rows averaged over; None: all.
        randomised: the cause was set by the experimenter.
        covariates: what is held or averaged over.
        by_arm: every setting is averaged over its own rows, because covariates fill in missing
            outcomes and may be consequences of the cause.
    """

    model: Model
    names: Names
    held: Mapping[str, float] = field(default_factory=dict)
    population: NDArray[np.bool_] | None = None
    randomised: bool = False
    covariates: tuple[str, ...] = ()
    by_arm: bool = False

    @property
    def fitted(self) -> Fitted:
        return self.model.fitted

    @property
    def settings(self) -> Array:
        """Different values of the cause among the rows, sorted."""
        found: Array = np.unique(self.fitted.sample.cause)
        return found

    def means(self, settings: Sequence[float]) -> Means:
        if not self.by_arm:
            return means(self.fitted, list(settings), self.population, self.held)
        cause = self.fitted.sample.cause
        arms = [means(self.fitted, [s], cause == s, self.held) for s in settings]
        return Means(
            self.fitted,
            np.concatenate([arm.values for arm in arms]),
            np.concatenate([arm.own for arm in arms], axis=1),
            np.concatenate([arm.influence for arm in arms], axis=1),
            np.concatenate([arm.direction for arm in arms]),
        )

    def mean(self, setting: float) -> Estimate:
        """Mean outcome under one setting."""
        return mean_estimate(self.means([setting]), 0, self.how)

    def effect(self, start: float, end: float) -> Estimate:
        """Difference of mean outcomes."""
        return difference(self.means([start, end]), 1, 0, self.how)

    def among_treated(self, start: float | None) -> Comparison:
        """Averaged over rows in which the cause is not at its start, its lowest setting if None
        (ATT)."""
        start = float(self.settings[0]) if start is None else start
        return replace(self, population=self.fitted.sample.cause != start)

    def ratio(self, start: float, end: float, odds: bool = False) -> Estimate | None:
        """Ratio of mean outcomes, or of their odds; None where one of them has none."""
        found = self.log_ratio(start, end, odds)
        if found is None:
            return None
        value, low, high = (math.exp(x) for x in (found.value, found.low, found.high))
        return replace(found, value=value, standard_error=math.nan, low=low, high=high)

    def log_ratio(self, start: float, end: float, odds: bool) -> Estimate | None:
        """The ratio's logarithm by the delta method (Agresti, Categorical Data Analysis, 2013,
        section 3.1)."""
        found = self.means([start, end])
        values = found.values
        if values.min() <= 0 or (odds and values.max() >= 1):
            return None
        slope = 1 / (values * (1 - values)) if odds else 1 / values
        logs = np.log(values) - (np.log1p(-values) if odds else 0.0)
        combined = found.combined((slope * np.array([-1.0, 1.0]))[:, None])
        error = math.sqrt(float(covariance(combined)[0, 0]))
        free = freedom(self.fitted, combined.direction[0])
        rows = int(self.fitted.weight.sum())
        return t_estimate(float(logs[1] - logs[0]), error, free, self.how, rows)

    @property
    def how(self) -> str:
        """What was done, in words."""
        fitted = self.fitted
        form, link = fitted.terms.cause.form, fitted.link
        kind = {"identity": "regression", "logit": "logistic regression",
                "log": "log-linear regression"}[link]  # fmt: skip
        if form == "levels" and not fitted.terms.covariates and link == "identity":
            kind = "comparison of means"
        elif form == "spline":
            kind += " with a smooth curve"
        if self.covariates:
            kind += f" that holds {', '.join(self.covariates)}"
        return kind

    @property
    def constant(self) -> bool:
        """Whether a unit of the cause does the same wherever it starts."""
        straight = self.fitted.link == "identity" and self.fitted.terms.cause.form == "line"
        return straight or len(self.settings) == 2

    def unit(self) -> Estimate | None:
        """Effect of one more unit, averaged over rows; None where it changes its sign, or where
        there is no such thing because settings are more than two names or levels."""
        settings = self.settings
        if len(settings) == 2:
            start, end = settings.tolist()
            change = 1.0 if self.fitted.sample.cause_named else end - start
            return self.effect(start, end).scaled(1 / change)
        if self.fitted.terms.cause.form == "levels":
            return None
        found = slopes(self.fitted, self.population)
        if not self.constant:
            grid = self.grid()
            signs = {math.copysign(1, self.effect(a, b).value) for a, b in pairwise(grid)}
            if len(signs) > 1:
                return None
        variance = covariance(found)
        free = freedom(self.fitted, found.direction[0])
        rows = int(self.fitted.weight.sum())
        return t_estimate(float(found.values[0]), math.sqrt(variance[0, 0]), free, self.how, rows)

    def grid(self) -> list[float]:
        """Settings among which a table of contrasts is given."""
        settings = self.settings
        if len(settings) <= _SHOWN_LEVELS:
            return [float(x) for x in settings]
        if self.fitted.sample.cause_named:
            count = np.unique(self.fitted.sample.cause, return_counts=True)[1]
            most = np.sort(np.argsort(-count, kind="stable")[:_SHOWN_LEVELS])
            return [float(x) for x in settings[most]]
        points = np.unique(np.quantile(self.fitted.sample.cause, _GRID))
        return [float(x) for x in points]

    def contrasts(self) -> list[tuple[float, float, Estimate]]:
        """Every setting of the grid against the one before; of names, against the first."""
        grid = self.grid()
        if self.fitted.sample.cause_named:
            pairs = [(grid[0], other) for other in grid[1:]]
        else:
            pairs = list(pairwise(grid))
        found = self.means(grid)
        place = {value: i for i, value in enumerate(grid)}
        return [(a, b, difference(found, place[b], place[a], self.how)) for a, b in pairs]

    def probability(self) -> float:
        """That the cause has any effect, apart from its size."""
        settings = self.settings
        own = self.fitted.terms.own
        if len(settings) > own + 1:
            settings = np.quantile(self.fitted.sample.cause, np.linspace(0.05, 0.95, own + 1))
        found = self.means(settings.tolist())
        size = len(found.values)
        steps = np.eye(size)[:, 1:] - np.eye(size)[:, :-1]
        return probability_of_effect(*wald(found.combined(steps)))


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be compared in which rows.

    Attributes:
        rows: bool[R], which are used.
        cause: variable; -1 for none (a plain mean).
        outcome: variable.
        values: float64[R], the outcome or an event of it.
        scale: of these values.
        covariates: variables that are held.
        randomised: the cause was set in these rows.
        asked: settings that are asked about.
        held: values of covariates that are set as well, by name.
        wanted: form of the cause's effect.
        fill: variables that missing outcomes are filled in from, held beside the covariates.
        unmoved: whether the cause is known not to change these; None: the rows must tell.
        distinct: rows are known not to be copies of each other.
    """

    rows: NDArray[np.bool_]
    cause: int
    outcome: int
    values: Array
    scale: Scale
    covariates: tuple[int, ...] = ()
    randomised: bool = False
    asked: tuple[float, ...] = ()
    held: Mapping[str, float] = field(default_factory=dict)
    wanted: Wanted = "auto"
    fill: tuple[int, ...] = ()
    unmoved: bool | None = None
    distinct: bool = False


def compare(table: Table, plan: Plan) -> Comparison | None:
    """Fits and checks a comparison; None where rows are too few for one.

    Args:
        table: all rows.
        plan: what is compared.
    """
    names = Names(table.variables[plan.cause], table.variables[plan.outcome])
    covariates = [*plan.covariates, *plan.fill]
    sample = sample_of(table, plan.rows, plan.cause, plan.values, covariates, plan.scale)
    by_arm, filled = _filling(table, plan, sample)
    if filled is not None and filled.severity == "warning":
        sample = sample_of(
            table, plan.rows, plan.cause, plan.values, list(plan.covariates), plan.scale
        )
    if by_arm:
        plan = replace(plan, asked=tuple(np.unique(sample.cause).tolist()))
    known = np.isfinite(sample.outcome)
    if known.sum() < FEWEST or len(np.unique(sample.cause[known])) < 2:
        return None
    if not sample.covariates:
        sample = sample.take(known)
    findings = [] if filled is None else [filled]
    if not plan.randomised:
        sample, trend = hold_trend(
            sample, names.cause, names.outcome, _time_name(table), timely(sample)
        )
        findings += trend
        if timely(sample):
            sample, season = hold_season(sample, names.cause, names.outcome)
            findings += season
    alike = twins(table, plan)
    if alike is not None and sample.clusters is None and sample.rows == int(plan.rows.sum()):
        sample = replace(sample, clusters=alike)
        count = len(np.unique(alike))
        findings.append(Finding(
            "copies", "mended",
            f"many rows are exact copies of others ({sample.rows:,} rows, {count:,} of them "
            "different): copies count as one row",
            "say with --weights or --unit if they are not",
        ))  # fmt: skip
    first = model_of(sample, names, list(plan.asked), plan.wanted, bool(plan.fill))
    grouped = None
    if sample.clusters is None and first.fatal is None:
        grouped = _grouped(table, plan, first.fitted)
    if grouped is not None:
        name, groups, share = grouped
        sample = replace(sample, clusters=groups)
        first = model_of(sample, names, list(plan.asked), plan.wanted, bool(plan.fill))
        findings.append(Finding(
            "clusters", "mended",
            f"{names.cause} has one value within each {name}, and rows of one {name} resemble "
            f"each other: the {share} {name}s are what is independent, not the rows",
            f"say so with --unit {name}",
        ))  # fmt: skip
    findings += first.findings
    if not plan.randomised and plan.covariates:
        findings += _overlapping(sample, names, plan.asked)
        if first.fatal is None:
            findings += _all_but_decided(first.fitted, names)
    held = list(first.held)
    shown = tuple(table.variables[j] for j in plan.covariates)
    silent = {*shown, *(table.variables[j] for j in plan.fill)}
    shown = (*shown, *dict.fromkeys(c.name for c in sample.covariates if c.name not in silent))
    found = Comparison(first, names, plan.held, None, plan.randomised, shown, by_arm)
    if first.fatal is None:
        far = _tails(found, plan.asked)
        findings += far
        held += [] if far else ["heavy tails"]
    for kind in ("copies", "clusters", "no overlap"):
        if kind not in {f.kind for f in findings}:
            held.append(kind)
    return replace(found, model=replace(first, findings=tuple(findings), held=tuple(held)))


_RESPONDS = 0.1
"""Level at which a variable is taken to be changed by the cause."""


def _filling(table: Table, plan: Plan, sample: Sample) -> tuple[bool, Finding | None]:
    """Whether each arm must be filled in from its own rows; and what is said of it.

    What fills in may be a consequence of the cause: holding it would then hold a part of the
    effect. Averaged over the rows of each arm by themselves it does no harm; that takes arms.
    """
    if not plan.fill:
        return False, None
    moved = plan.unmoved is False or (plan.unmoved is None and _moved(table, plan, sample))
    arms = len(np.unique(sample.cause)) <= MOST_LEVELS
    missing = int((plan.rows & ~np.isfinite(plan.values)).sum())
    by = [table.variables[j] for j in plan.fill]
    found = missing_finding(
        table.variables[plan.outcome], missing, int(plan.rows.sum()), by, not moved or arms
    )
    return moved and arms, found


def _moved(table: Table, plan: Plan, sample: Sample) -> bool:
    """Whether the cause goes together with what fills in."""
    names = {table.variables[j] for j in plan.fill}
    levels, arm = np.unique(sample.cause, return_inverse=True)
    few = len(levels) <= MOST_LEVELS
    extra = (
        (arm.reshape(-1)[:, None] == np.arange(1, len(levels))).astype(np.float64)
        if few else sample.cause[:, None]
    )  # fmt: skip
    ones = np.ones((sample.rows, 1))
    return any(
        added_terms(c.values - c.values.mean(), ones, extra - extra.mean(axis=0)) < _RESPONDS
        for c in sample.covariates if c.name in names
    )  # fmt: skip


def _time_name(table: Table) -> str:
    return next((c.name for c in table.others if c.role == "time"), "time")


def twins(table: Table, plan: Plan) -> NDArray[np.int64] | None:
    """int64[rows used]: the group of each with its copies; None where they are no matter."""
    if plan.distinct or table.unit is not None or table.weight is not None:
        return None
    return copies(table.values[plan.rows])


def fillers(
    table: Table, rows: NDArray[np.bool_], values: Array, usable: Sequence[int]
) -> tuple[int, ...]:
    """Variables that tell which rows miss the outcome, known in all rows themselves.

    Args:
        table: all rows.
        rows: bool[R], those that are used.
        values: float64[R], the outcome.
        usable: variables that may be held.
    """
    missing = ~np.isfinite(values[rows])
    if not missing.any() or missing.all():
        return ()
    whole = [
        j for j in usable
        if np.isfinite(table.values[rows, j]).all() and np.ptp(table.values[rows, j]) > 0
        and not (table.columns[j].named and len(np.unique(table.values[rows, j])) > MOST_FILLED)
    ]  # fmt: skip
    return tuple(whole[k] for k in missing_tells(missing, table.values[rows][:, whole]))


MOST_FILLED = 20
"""Levels of a column of names up to which outcomes are filled in from it."""


def _grouped(table: Table, plan: Plan, fitted: Fitted) -> tuple[str, NDArray[np.int64], int] | None:
    """Groups by another column that share the cause's value and resemble each other."""
    if plan.fill:
        return None
    kept = plan.rows & np.isfinite(table.values[:, [plan.cause, *plan.covariates]]).all(axis=1)
    if not plan.covariates:
        kept = kept & np.isfinite(plan.values)
    if table.time is not None or int(kept.sum()) != fitted.sample.rows:
        return None
    candidates = []
    for j, column in enumerate(table.columns):
        whole = column.named or bool(np.all(np.mod(table.values[kept, j], 1) == 0))
        if j in (plan.cause, plan.outcome, *plan.covariates) or not whole:
            continue
        groups = groups_of(table.values[kept, j])
        if groups is not None:
            candidates.append((table.variables[j], groups))
    found = alike_groups(fitted, candidates) if candidates else None
    return None if found is None else (*found, len(np.unique(found[1])))


def _overlapping(sample: Sample, names: Names, asked: Sequence[float]) -> list[Finding]:
    """Whether rows with the settings that are compared are alike in what is held."""
    different = np.unique(sample.cause)
    pair = [a for a in asked if a in different]
    if len(different) == 2 or len(set(pair)) != 2:
        pair = different.tolist() if len(different) == 2 else []
    if not pair or not sample.covariates:
        return []
    mine = sample.take(np.isin(sample.cause, pair) & np.isfinite(sample.outcome))
    if mine.rows > TESTED:
        mine = mine.take(np.random.default_rng(0).choice(mine.rows, TESTED, replace=False))
    covariates = tuple(c for c in mine.covariates if np.ptp(c.values) > 0)
    if not covariates or mine.rows < 10 * (1 + len(covariates)):
        return []
    terms = Terms(
        curve(np.zeros(mine.rows), "levels"),
        tuple(curve(c.values, "levels" if c.named else "line") for c in covariates),
    )
    treated = (mine.cause == max(pair)).astype(np.float64)
    again = Sample(treated, np.zeros(mine.rows), covariates, "yes/no", weight=mine.weight)
    chance = treated - fit(again, terms, "logit").residual
    verdict = overlap(chance, mine.weight)
    if verdict == "good" and (alone := _alone(treated, covariates)):
        return [Finding(
            "no overlap", "warning",
            f"all rows with {alone} have one setting of {names.cause}: there the answer is what "
            "the other rows say",
            "ask about a group in which both occur, with 'for ...'",
        )]  # fmt: skip
    listed = ", ".join(c.name for c in covariates)
    if verdict == "none":
        return [Finding(
            "no overlap", "fatal",
            f"there is no overlap: {names.cause} is decided all but completely by {listed}, so "
            f"that no rows are alike in that and differ in {names.cause}, and any difference "
            "between them could come from either",
            f"only rows in which {names.cause} was set otherwise (an experiment) would tell, or "
            f"rows near the border of the rule under an assumption of continuity",
        )]  # fmt: skip
    if verdict == "some":
        return [Finding(
            "no overlap", "warning",
            f"for many rows the other setting of {names.cause} hardly occurs among rows that are "
            f"alike in {listed}: there the answer rests on the model's going on beyond the data",
            "ask about a group in which both occur, with 'for ...'",
        )]  # fmt: skip
    return []


def _all_but_decided(fitted: Fitted, names: Names) -> list[Finding]:
    """A cause of many values that what is held leaves hardly any room: lines tell the two apart
    within their interval, curves may belong to either."""
    sample = fitted.sample
    covariates = [c for c in sample.covariates if np.ptp(c.values) > 0]
    if not covariates or sample.cause_named or len(np.unique(sample.cause)) <= MOST_LEVELS:
        return []
    form: Form = "spline" if sample.rows >= 60 * len(covariates) else "line"
    blocks = [
        curve(c.values, "levels" if c.named else form).columns(c.values) for c in covariates
    ]  # fmt: skip
    matrix = np.concatenate([np.ones((sample.rows, 1)), *blocks], axis=1)
    left = sample.cause - matrix @ np.linalg.lstsq(matrix, sample.cause, rcond=None)[0]
    share = float(left.var() / sample.cause.var())
    if share > _ROOM:
        return []
    listed = ", ".join(c.name for c in covariates)
    text = f"{names.cause} is all but decided by {listed}, which leave {share:.2g} of its variance"
    remedy = f"only rows in which {names.cause} was set otherwise (an experiment) would tell"
    bends = any(c.form == "spline" for c in (fitted.terms.cause, *fitted.terms.covariates))
    if bends:
        text = f"there is no overlap: {text}, and a curve may be that of either"
        return [Finding("no overlap", "fatal", text, remedy)]
    return [Finding("no overlap", "warning", f"{text}: the answer rests on straight lines", remedy)]


_ROOM = 0.01
"""Share of a cause's variance beside what is held, below which a curve may be either's."""


def _alone(treated: Array, covariates: Sequence[Covariate]) -> str:
    """A named covariate one of whose levels has one setting alone, more often than by chance."""
    share = float(treated.mean())
    for covariate in covariates:
        if not covariate.named:
            continue
        for level in np.unique(covariate.values):
            mine = treated[covariate.values == level]
            likely = share if mine.all() else 1 - share if not mine.any() else 1.0
            if likely ** len(mine) < SHARE["no overlap"] / len(covariates):
                return f"one value of {covariate.name} ({len(mine):,} rows)"
    return ""


def _tails(found: Comparison, asked: Sequence[float]) -> list[Finding]:
    """Rows far out, and what a robust regression says of what is asked."""
    grid = found.grid()
    start, end = (asked[0], asked[1]) if len(set(asked)) == 2 else (grid[0], grid[-1])
    a_unit = found.fitted.terms.cause.form == "line" and len(set(asked)) != 2
    words = f"a unit of {found.names.cause}" if a_unit else f"from {start:.4g} to {end:.4g}"
    both = found.means([start, end])
    return tails(both, found.names.outcome, end - start if a_unit else 1.0, words)


def plain_mean(
    table: Table,
    rows: NDArray[np.bool_],
    values: Array,
    scale: Scale,
    fill: Sequence[int] = (),
) -> Means | None:
    """The mean of values over rows; where some are missing, filled in from other columns.

    Args:
        table: all rows.
        rows: bool[R].
        values: float64[R], NaN where missing.
        scale: of the values.
        fill: columns that say which rows miss them; the mean is that of all rows, by regression on
            these (right where they alone decide what is missing: missing at random, Rubin 1976).
    """  # fmt: skip
    kept = rows & np.isfinite(table.values[:, list(fill)]).all(axis=1)
    if not fill:
        kept = kept & np.isfinite(values)
    if int((kept & np.isfinite(values)).sum()) < 2:
        return None
    held = tuple(
        Covariate(table.variables[j], table.values[kept, j], table.columns[j].named) for j in fill
    )
    clusters = table.units_of(kept)
    weight = None if table.weight is None else table.weight[kept]
    sample = Sample(values[kept], np.zeros(int(kept.sum())), held, scale, False, clusters, weight)
    if not fill:
        fitted = fit(sample, Terms(curve(sample.cause, "levels")), "identity")
    else:
        fitted = model_of(sample, Names("nothing", "it"), [], "auto").fitted
    return means(fitted, [0.0])
