"""A comparison whose rows miss values of the cause or of what is held: multiple imputation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seedo.inference.checks import SHARE, Finding, missing_by_outcome
from seedo.inference.effects._agreed import agreed
from seedo.inference.effects._comparison import Comparison, Plan, compare, twins
from seedo.inference.effects._estimate import Estimate
from seedo.inference.effects._fit import Fitted
from seedo.inference.effects._imputation import completed
from seedo.inference.effects._intervals import quantile
from seedo.inference.effects._model import MOST_LEVELS
from seedo.inference.effects._sample import TOPS
from seedo.tables import Table

Array = NDArray[np.float64]

_TELLS = 0.1
"""Level at which values are filled in: complete rows are no worse where the outcome does not tell
which they are, and need no model of what is missing."""
_TABLES = ((2_000, 20), (20_000, 10), (200_000, 5))
_FEWEST_TABLES = 3
"""How many tables are filled in, for so many rows at most, and for more."""
_FEW = 4
_COMPLETE = 20
"""Complete rows from which values are filled in."""
_BESIDE = 8
_ROWS_A_COLUMN = 20
"""Further columns that help to fill in: at most so many, and one in so many rows."""


@dataclass(frozen=True, eq=False)
class Filled(Comparison):
    """The same comparison in several filled-in tables, pooled (Rubin 1987).

    Attributes:
        tables: one comparison a table.
        cells: how many values were filled in.
    """

    tables: tuple[Comparison, ...] = ()
    cells: int = 0

    def mean(self, setting: float) -> Estimate:
        scale = self.fitted.sample.scale
        least = -math.inf if scale == "real" else 0.0
        return self._pooled(lambda one: one.mean(setting), (least, TOPS.get(scale, math.inf)))

    def effect(self, start: float, end: float) -> Estimate:
        most = TOPS.get(self.fitted.sample.scale, math.inf)
        return self._pooled(lambda one: one.effect(start, end), (-most, most))

    def log_ratio(self, start: float, end: float, odds: bool) -> Estimate | None:
        found = [one.log_ratio(start, end, odds) for one in self.tables]
        there = [one for one in found if one is not None]
        return pooled(there, self.cells) if len(there) == len(found) else None

    def unit(self) -> Estimate | None:
        found = [one.unit() for one in self.tables]
        there = [one for one in found if one is not None]
        if len(there) < len(found):
            return None
        return pooled(there, self.cells)

    def contrasts(self) -> list[tuple[float, float, Estimate]]:
        pairs = [(a, b) for a, b, _ in super().contrasts()]
        return [(a, b, self.effect(a, b)) for a, b in pairs]

    def probability(self) -> float:
        return float(np.mean([one.probability() for one in self.tables]))

    def among_treated(self, start: float | None) -> Comparison:
        start = float(self.settings[0]) if start is None else start
        tables = tuple(one.among_treated(start) for one in self.tables)
        return replace(self, population=tables[0].population, tables=tables)

    def _pooled(
        self, of: Callable[[Comparison], Estimate], ends: tuple[float, float]
    ) -> Estimate:  # fmt: skip
        found = pooled([of(one) for one in self.tables], self.cells)
        return replace(found, low=max(found.low, ends[0]), high=min(found.high, ends[1]))


def pooled(found: Sequence[Estimate], cells: int) -> Estimate:
    """Rubin's rules, with the degrees of freedom of Barnard & Rubin (1999).

    Each side of an interval, which need not be symmetric, is lengthened by what the filled-in
    values vary.

    Args:
        found: the estimate of each table.
        cells: how many values were filled in.
    """
    times = len(found)
    values = np.array([one.value for one in found])
    between = (1 + 1 / times) * float(values.var(ddof=1))
    within = float(np.mean([one.standard_error**2 for one in found]))
    total = within + between
    share = between / total if total > 0 else 0.0
    whole = float(np.median([min(one.freedom, 1e8) for one in found]))
    observed = (whole + 1) / (whole + 3) * whole * (1 - share)
    free = 1 / (share**2 / (times - 1) + 1 / max(observed, 1e-3))
    free = max(free, 1.0)
    wide, narrow = quantile(free), quantile(whole)

    def reach(sides: Sequence[float]) -> float:
        return wide * math.hypot(float(np.mean(sides)) / narrow, math.sqrt(between))

    value = float(values.mean())
    low = value - reach([one.value - one.low for one in found])
    high = value + reach([one.high - one.value for one in found])
    how = (
        f"{found[0].how}, {cells:,} missing values filled in {times} times, which leave "
        f"{share:.0%} of the information missing"
    )
    rows = found[0].rows
    return Estimate(value, math.sqrt(total), free, low, high, how, rows)


def compare_filled(table: Table, plan: Plan) -> Comparison | None:
    """`compare`, with values of cause and covariates filled in where the outcome tells which rows
    miss them: rows without holes are then no fair choice.

    Right if nothing but the columns filled in from decides what is missing (missing at random).

    Args:
        table: all rows.
        plan: what is compared.
    """
    holes = _holes(table, plan)
    told = {j: p for j in holes if (p := told_by_outcome(table, plan, j)) < _TELLS}
    if not told:
        return compare(table, plan)
    columns = _columns(table, plan)
    named = [_by_name(table, plan, j) for j in columns]
    able = _able(table, plan, columns, holes, named)
    findings = [
        _finding(table, plan, j, columns if able else ())
        for j, p in told.items() if p < SHARE["missingness"]
    ]  # fmt: skip
    found = _filled(table, plan, columns, named) if able else None
    if found is None:
        found = compare(table, plan)
    if found is None:
        return None
    model = replace(found.model, findings=(*found.model.findings, *findings))
    return replace(found, model=model)


def _rows(table: Table, plan: Plan) -> NDArray[np.bool_]:
    return plan.rows if table.weight is None else plan.rows & (table.weight > 0)


def _holes(table: Table, plan: Plan) -> list[int]:
    rows = _rows(table, plan)
    return [
        j for j in (plan.cause, *plan.covariates)
        if not np.isfinite(table.values[rows, j]).all()
    ]  # fmt: skip


def told_by_outcome(table: Table, plan: Plan, j: int) -> float:
    """p-value of the outcome's not telling where variable `j` has holes."""
    rows = _rows(table, plan) & np.isfinite(plan.values)
    beside = [k for k in (plan.cause, *plan.covariates) if k != j]
    some = [k for k in beside if np.isfinite(table.values[rows, k]).mean() > 0.5]
    rows = rows & np.isfinite(table.values[:, some]).all(axis=1)
    blocks = [np.zeros((int(rows.sum()), 0))]
    for k in some:
        x = table.values[rows, k]
        levels = np.unique(x)
        few = table.columns[k].named and len(levels) <= MOST_LEVELS
        blocks.append((x[:, None] == levels[1:]).astype(np.float64) if few else x[:, None])
    missing = ~np.isfinite(table.values[rows, j])
    return missing_by_outcome(missing, plan.values[rows], np.concatenate(blocks, axis=1))


def _columns(table: Table, plan: Plan) -> tuple[int, ...]:
    """What values are filled in from: cause, outcome, what is held, and further whole columns."""
    rows = _rows(table, plan)
    first = [plan.cause, plan.outcome, *plan.covariates, *plan.fill]
    room = min(_BESIDE, int(rows.sum()) // _ROWS_A_COLUMN - len(first))
    more = [
        j for j in range(table.n)
        if j not in first and np.isfinite(table.values[rows, j]).all()
        and np.ptp(table.values[rows, j]) > 0
        and not (table.columns[j].named and len(np.unique(table.values[rows, j])) > MOST_LEVELS)
    ]  # fmt: skip
    return (*dict.fromkeys(first), *more[: max(room, 0)])


def _by_name(table: Table, plan: Plan, j: int) -> bool:
    """Whether only values that occur are filled in."""
    x = table.values[_rows(table, plan), j]
    most = MOST_LEVELS if j == plan.cause else _FEW
    return table.columns[j].named or len(np.unique(x[np.isfinite(x)])) <= most


def _able(
    table: Table, plan: Plan, columns: Sequence[int], holes: Sequence[int], named: Sequence[bool]
) -> bool:
    """Whether there are rows enough to fill in from."""
    values = table.values[_rows(table, plan)][:, list(columns)]
    if twins(table, plan) is not None:
        return False
    whole = int(np.isfinite(values).all(axis=1).sum())
    levels = max(
        (len(np.unique(values[np.isfinite(values[:, k]), k]))
         for k, j in enumerate(columns) if j in holes and named[k]), default=0,
    )  # fmt: skip
    return whole >= max(_COMPLETE, 3 * len(columns)) and levels <= MOST_LEVELS


def _filled(
    table: Table, plan: Plan, columns: Sequence[int], named: Sequence[bool]
) -> Comparison | None:
    rows = _rows(table, plan)
    values = table.values[rows][:, list(columns)]
    event = plan.values[rows]
    asked = bool(np.array_equal(values[:, 1], event, equal_nan=True))
    if not asked:
        values, named = np.column_stack([values, event]), [*named, True]
    plan = replace(plan, distinct=True)
    times = next((m for most, m in _TABLES if rows.sum() <= most), _FEWEST_TABLES)
    weight = None if table.weight is None else table.weight[rows]
    filled_in = [k for k, j in enumerate(columns) if j in (plan.cause, *plan.covariates)]
    cells = int((~np.isfinite(values[:, filled_in])).sum())
    model = _model(table, plan, columns)
    found = []
    for number, filled in enumerate(completed(values, named, times, 0, weight)):
        if model is not None:
            rng = np.random.default_rng((1, number))
            filled = _agreeing(filled, values, named, asked, plan, model, rng)
        whole = table.values.copy()
        for k in filled_in:
            whole[rows, columns[k]] = filled[:, k]
        one = compare(replace(table, values=whole), plan)
        if one is None or one.model.fatal is not None:
            return one
        found.append(one)
    first = found[0]
    kinds = [{f.kind for f in one.model.findings} for one in found]
    often = {kind for some in kinds for kind in some if sum(kind in k for k in kinds) > times / 2}
    typical = max(found, key=lambda one: len(often & {f.kind for f in one.model.findings}))
    findings = tuple(f for f in typical.model.findings if f.kind in often)
    held = tuple(h for h in first.model.held if h not in often)
    return Filled(
        replace(first.model, findings=findings, held=held), first.names, first.held,
        first.population, first.randomised, first.covariates, first.by_arm, tuple(found), cells,
    )  # fmt: skip


_MOST_AGREED = 20_000
"""Rows up to which filled-in values are made to agree with the comparison's own regression."""


def _model(table: Table, plan: Plan, columns: Sequence[int]) -> Fitted | None:
    """The regression that complete rows ask for, on rows and columns as they stand; None where it
    is on other ones (units' averages, a trend beside, too many rows)."""
    rows = _rows(table, plan)
    if rows.sum() > _MOST_AGREED or plan.fill or table.time is not None:
        return None
    found = compare(table, plan)
    if found is None or found.model.fatal is not None:
        return None
    fitted = found.fitted
    terms = fitted.terms
    forms = {c.form for c in (terms.cause, *terms.covariates)}
    if fitted.link == "identity" and forms <= {"line", "levels"} and not terms.crossed:
        return None  # lines throughout: chained equations are those of the same distribution
    names = [c.name for c in fitted.sample.covariates]
    if names != [table.variables[j] for j in plan.covariates] or fitted.sample.clusters is not None:
        return None
    values = table.values[rows]
    weight = None if table.weight is None else table.weight[rows]
    sample = replace(
        fitted.sample, outcome=plan.values[rows], cause=values[:, plan.cause], weight=weight,
        covariates=tuple(
            replace(c, values=values[:, j])
            for c, j in zip(fitted.sample.covariates, plan.covariates, strict=True)
        ),
        episode=None, time=None,
    )  # fmt: skip
    return replace(fitted, sample=sample)


def _agreeing(
    filled: Array, values: Array, named: Sequence[bool], asked: bool, plan: Plan, model: Fitted,
    rng: np.random.Generator,
) -> Array:  # fmt: skip
    """The filled-in columns drawn on to agree with the model; others as they are."""
    outcome = 1 if asked else filled.shape[1] - 1
    mine = [outcome, 0, *range(2, 2 + len(plan.covariates))]
    some = filled[:, mine]
    some[:, 0] = values[:, outcome]
    missing = ~np.isfinite(values[:, mine])
    missing[:, 0] = False
    found = filled.copy()
    found[:, mine[1:]] = agreed(some, missing, [named[k] for k in mine], model, rng)[:, 1:]
    return found


def _finding(table: Table, plan: Plan, j: int, columns: Sequence[int]) -> Finding:
    rows = _rows(table, plan)
    missing = int((~np.isfinite(table.values[rows, j])).sum())
    text = (
        f"{table.variables[j]} is missing in {missing:,} of {int(rows.sum()):,} rows, and more "
        f"often at some values of {table.variables[plan.outcome]} than at others: "
    )
    if not columns:
        text += "those rows are left out, and the rest are chosen by what is to be explained"
        return Finding("missingness", "warning", text)
    by = ", ".join(table.variables[k] for k in columns if k != j)
    text += f"it is filled in from {by}, which is right if nothing else decides what is missing"
    return Finding("missingness", "mended", text)
