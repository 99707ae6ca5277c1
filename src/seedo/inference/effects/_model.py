"""Which regression fits a sample: its terms, its link, which rows are one; and what was wrong.

The plainest model is tried first and left only where a check refutes it, so that an answer is
long where it must be and short where it can be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seedo.inference.checks import (
    SHARE,
    Finding,
    added_terms,
    alike_in_runs,
    by_time,
    constant_within,
    order,
    order_finding,
    resemblance,
)
from seedo.inference.effects._enough import too_few
from seedo.inference.effects._fit import Fitted, Link, fit
from seedo.inference.effects._sample import Covariate, Sample
from seedo.inference.effects._terms import KNOTS, Curve, Terms, curve

Array = NDArray[np.float64]
Wanted = Literal["auto", "line", "curve"]
"""The curve to fit: what the rows ask for, a line, or a curve."""

TESTED = 20_000
"""Rows of a larger sample on which forms are tried."""
MOST_LEVELS = 12
"""Different values of a number up to which each may have a mean of its own."""
MOST_ARMS = 8
ROWS_AN_ARM = 5
"""Values of a cause, and rows of each that is asked about, for a mean of each from the start."""
_FEW = 4
"""Different values of a covariate up to which each gets a mean of its own at once."""
_CELLS = 32
_ROWS_A_LEVEL = 3


@dataclass(frozen=True, eq=False)
class Model:
    """A regression that fits, as far as the checks can tell.

    Attributes:
        fitted: the regression.
        findings: what was wrong with plainer ones, or with this.
        held: the checks that found nothing.
    """

    fitted: Fitted
    findings: tuple[Finding, ...]
    held: tuple[str, ...]

    @property
    def fatal(self) -> Finding | None:
        """Why there is no answer, if there is none."""
        return next((f for f in self.findings if f.severity == "fatal"), None)


@dataclass(frozen=True)
class Names:
    """What cause and outcome are called."""

    cause: str
    outcome: str


def model_of(
    sample: Sample, names: Names, asked: list[float], wanted: Wanted = "auto", apart: bool = False
) -> Model:
    """Chooses and fits.

    Args:
        sample: rows.
        names: for findings.
        asked: values of the cause that are asked about.
        wanted: a line or a curve whatever the rows say, or what they say.
        apart: covariates may act differently under every setting, whatever the rows say.
    """
    findings: list[Finding] = []
    sample, found = _by_unit(sample)
    findings += found
    sample = _saturated(sample)
    tested = sample
    if sample.rows > TESTED:
        rng = np.random.default_rng(0)
        tested = sample.take(np.sort(rng.choice(sample.rows, TESTED, replace=False)))
    hopeless = too_few(sample, names.cause) or _walk(sample, names)
    if hopeless is not None:
        plain = Terms(_first_form(sample), tuple(_held_form(c) for c in sample.covariates))
        return Model(fit(sample, plain, "identity"), (hopeless,), ())
    terms, link, found = _form(tested, names, asked, wanted, apart)
    findings += found
    if tested is not sample:
        terms = _refreshed(terms, sample)
    rows = fit(sample, terms, link)
    if (told := _unnamed_units(rows, names)) is not None:
        groups, finding = told
        if groups is not None:
            by_run = model_of(replace(sample, clusters=groups), names, asked, wanted, apart)
            return replace(by_run, findings=(finding, *by_run.findings))
        findings.append(finding)
    fitted = _by_halves(rows)
    fitted, in_order = _in_order(fitted, names)
    findings += in_order
    looked = ["curvature", "autocorrelation"]
    if sample.covariates:
        looked.insert(1, "interaction")
    kinds = {f.kind for f in findings} | ({"autocorrelation"} if in_order else set())
    held = tuple(kind for kind in looked if kind not in kinds)
    return Model(fitted, tuple(findings), held)


def _refreshed(terms: Terms, sample: Sample) -> Terms:
    """The same terms where all rows are: a rare level may not have been in the tested ones."""

    def again(c: Curve, x: Array) -> Curve:
        return curve(x, "levels") if c.form == "levels" else c

    pairs = zip(terms.covariates, sample.covariates, strict=True)
    return replace(
        terms,
        cause=again(terms.cause, sample.cause),
        covariates=tuple(again(c, held.values) for c, held in pairs),
    )


def _by_unit(sample: Sample) -> tuple[Sample, list[Finding]]:
    """One row a unit, its means, where the cause is constant within units."""
    if sample.clusters is None:
        return sample, []
    used = np.isfinite(sample.outcome)
    mine = sample.take(used)
    assert mine.clusters is not None
    if len(mine.cause) == 0 or len(np.unique(mine.clusters)) == mine.rows:
        return replace(sample, clusters=None), []
    if not constant_within(mine.cause, mine.clusters):
        return _within(mine), []
    if any(not constant_within(c.values, mine.clusters) for c in mine.covariates):
        return mine, []  # means of units would leave what varies within them unused
    weight = mine.weights
    unit = mine.clusters
    total = np.bincount(unit, weight)

    def averaged(x: Array) -> Array:
        found: Array = np.bincount(unit, weight * x) / total
        return found

    # Codes of names must not change by rounding.
    first = np.unique(mine.clusters, return_index=True)[1]
    held = tuple(
        replace(c, values=c.values[first] if c.named else averaged(c.values))
        for c in mine.covariates
    )
    scale = mine.scale if mine.scale != "yes/no" else "share"
    return Sample(averaged(mine.outcome), mine.cause[first], held, scale, mine.cause_named), []


def _by_halves(fitted: Fitted) -> Fitted:
    """Least squares with an intercept of its own, drawn at random, for every unit.

    Each row less a share of its unit's mean (Fuller & Battese 1973), so that what varies within
    units is told from there and units differ by what is left.
    """
    sample = fitted.sample
    if fitted.link != "identity" or sample.clusters is None or sample.weight is not None:
        return fitted
    unit = np.unique(sample.clusters[fitted.used], return_inverse=True)[1].reshape(-1)
    size = np.bincount(unit).astype(np.float64)
    matrix, y = fitted.matrix, sample.outcome[fitted.used]

    def averages(x: Array) -> Array:
        sums: Array = np.stack([np.bincount(unit, column) for column in x.T], axis=1)
        return sums / size[:, None]

    both = np.column_stack([y, matrix])
    inner = both - averages(both)[unit]
    beta = np.linalg.lstsq(inner[:, 1:], inner[:, 0], rcond=None)[0]
    rank = int(np.linalg.matrix_rank(inner[:, 1:]))
    free = len(y) - len(size) - rank
    if free < 1 or len(size) == len(y):
        return fitted
    within = float(((inner[:, 0] - inner[:, 1:] @ beta) ** 2).sum()) / free
    left = averages(both[:, :1] - both[:, 1:] @ beta[:, None])
    steady = averages(both[:, 1:])
    left = left - steady @ np.linalg.lstsq(steady, left, rcond=None)[0]
    spare = max(len(size) - int(np.linalg.matrix_rank(steady)), 1)
    between = max(float((left**2).sum()) / spare - within * float((1 / size).mean()), 0.0)
    share = 1 - np.sqrt(within / (within + size * between)) if within > 0 else np.zeros(len(size))
    new = both - share[unit, None] * averages(both)[unit]
    inverse: NDArray[Any] = np.linalg.pinv(new[:, 1:].T @ new[:, 1:], hermitian=True)
    slopes: Array = inverse @ (new[:, 1:].T @ new[:, 0])
    return replace(fitted, matrix=new[:, 1:], coefficients=slopes, inverse=inverse,
                   residual=new[:, 0] - new[:, 1:] @ slopes)  # fmt: skip


def _within(sample: Sample) -> Sample:
    """Units held as such where the cause varies within them and they are few enough."""
    assert sample.clusters is not None
    count = len(np.unique(sample.clusters))
    if sample.scale != "real" or count > MAX_HELD_UNITS or sample.rows < 2 * count:
        return sample
    unit = Covariate("unit", sample.clusters.astype(np.float64), True)
    return replace(sample, covariates=(*sample.covariates, unit))


MAX_HELD_UNITS = 60


def _saturated(sample: Sample) -> Sample:
    """Covariates of few values made one, each combination a level, where all are well filled."""
    if sample.scale != "yes/no" or not sample.covariates:
        return sample
    columns = [c.values for c in sample.covariates]
    if any(len(np.unique(c)) > _CELLS for c in columns) or len(np.unique(sample.cause)) > _FEW:
        return sample
    cell = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)[1].reshape(-1)
    used = np.isfinite(sample.outcome)
    levels, arm = np.unique(sample.cause, return_inverse=True)
    count = int(cell.max()) + 1
    if count > _CELLS:
        return sample
    filled = np.bincount(
        (cell * len(levels) + arm.reshape(-1))[used], sample.weights[used], count * len(levels)
    )
    if filled.min() < 5:
        return sample
    name = " and ".join(c.name for c in sample.covariates)
    return replace(sample, covariates=(Covariate(name, cell.astype(np.float64), True),))


def _form(
    sample: Sample, names: Names, asked: list[float], wanted: Wanted, apart: bool
) -> tuple[Terms, Link, list[Finding]]:
    """Terms and link, and what refuted plainer ones."""
    covariates = tuple(_held_form(c) for c in sample.covariates)
    plain = Terms(_first_form(sample, asked), covariates, crossed=apart)
    if _all_levels(sample, plain) and sample.scale == "yes/no" and len(plain.covariates) <= 1:
        return replace(plain, crossed=bool(plain.covariates)), "identity", []
    if wanted == "line":
        line = plain if sample.cause_named else plain.with_cause(curve(sample.cause, "line"))
        return line, _links(sample)[0], []
    if wanted == "curve" and plain.cause.form == "line":
        plain = plain.with_cause(curve(sample.cause, "spline"))
    refuted: list[tuple[Terms, Link, list[Finding]]] = []
    for link in _links(sample):
        terms, found = _grown(sample, plain, link, names, asked)
        if not found:
            return terms, link, []
        refuted.append((terms, link, found))
    # The link that needed fewest amendments.
    return min(refuted, key=lambda one: len(one[2]))


def _first_form(sample: Sample, asked: Sequence[float] = ()) -> Curve:
    """A mean for each of a few values that are asked about by themselves.

    Arms may be coded 1, 2, 3, and few rows seldom refute a line that is wrong for them.
    """
    different, rows = np.unique(sample.cause[np.isfinite(sample.outcome)], return_counts=True)
    arms = dict(zip(different.tolist(), rows.tolist(), strict=True))
    by_arm = len(arms) <= MOST_ARMS and all(arms.get(a, 0) >= ROWS_AN_ARM for a in asked)
    if sample.cause_named or len(different) <= 2 or (asked and by_arm):
        return curve(sample.cause, "levels")
    return curve(sample.cause, "line")


def _held_form(covariate: Covariate) -> Curve:
    few = len(np.unique(covariate.values)) <= _FEW
    return curve(covariate.values, "levels" if covariate.named or few else "line")


def _all_levels(sample: Sample, terms: Terms) -> bool:
    return all(c.form == "levels" for c in (terms.cause, *terms.covariates))


def _links(sample: Sample) -> tuple[Link, ...]:
    """Links to try, the likeliest first; a mean of levels alone needs none."""
    if sample.scale == "yes/no":
        return ("logit",)
    y = sample.outcome[np.isfinite(sample.outcome)]
    if sample.scale in ("real", "share", "per cent") or len(y) == 0 or y.min() < 0 or y.max() <= 0:
        return ("identity",)
    if not sample.covariates and len(np.unique(sample.cause)) <= 2:
        return ("identity",)
    return ("log", "identity") if sample.scale == "count" else ("identity", "log")


def _grown(
    sample: Sample, terms: Terms, link: Link, names: Names, asked: list[float]
) -> tuple[Terms, list[Finding]]:
    """Terms with whatever the rows show to be missing."""
    findings: list[Finding] = []
    # A curve looks like an interaction, and one variable's curve like another's: the likeliest is
    # taken first, and the others must still be needed then.
    ways: list[_Way] = [_smoothed, partial(_curved, asked=asked), _crossed]
    while ways:
        offers = [(offer, way) for way in ways if (offer := way(sample, terms, link, names))]
        if not offers:
            break
        best, taken = min(offers, key=lambda one: one[0].p_value)
        ways.remove(taken)
        terms = best.terms
        findings.append(best.finding)
    if last := _multiplied(sample, terms, link, names):
        terms = last.terms
        findings.append(last.finding)
    return terms, findings


@dataclass(frozen=True, eq=False)
class Amendment:
    """Richer terms that the rows ask for.

    Attributes:
        p_value: of the plainer terms being enough.
        terms: the richer ones.
        finding: what is said.
    """

    p_value: float
    terms: Terms
    finding: Finding


def _curved(
    sample: Sample, terms: Terms, link: Link, names: Names, asked: list[float]
) -> Amendment | None:
    """A curve of the cause, or a mean for each of its levels, where the rows refute a line.

    By a square, which finds what matters most, and by what else a curve may do.
    """
    if terms.cause.form != "line":
        return None
    square = replace(terms.cause, form="square")
    by_square = _lacking(sample, terms, terms.with_cause(square), link)
    any_way = curve(sample.cause, "spline")
    by_curve = _lacking(sample, terms, terms.with_cause(any_way), link)
    level, other = SHARE["curvature"], SHARE["other curvature"] / 2
    if by_square >= level and by_curve >= other:
        return None
    found = _bent(sample, asked)
    shown = "each level has a mean of its own" if found.form == "levels" else (
        "a smooth curve (cubic spline) is fitted")  # fmt: skip
    text = f"{names.outcome} is no straight-line function of {names.cause}: {shown}"
    finding = Finding("curvature", "mended", text)
    return Amendment(min(by_square, by_curve), terms.with_cause(found), finding)


def _bent(sample: Sample, asked: list[float]) -> Curve:
    """How the cause enters if not by a line."""
    different, size = np.unique(sample.cause, return_counts=True)
    enough = len(different) <= MOST_LEVELS and size.min() >= _ROWS_A_LEVEL
    if enough and np.isin(asked, different).all():
        return curve(sample.cause, "levels")
    # By the number of rows alone: knots that the outcomes choose are a choice no interval shows.
    knots = KNOTS[sum(sample.rows >= rows for rows in _ROWS_OF_KNOTS)]
    return curve(sample.cause, "spline", knots)


_ROWS_OF_KNOTS = (250, 800)
"""Rows from which a curve of the cause has the next number of knots."""


_Way = Callable[[Sample, Terms, Link, Names], Amendment | None]


def _smoothed(sample: Sample, terms: Terms, link: Link, names: Names) -> Amendment | None:
    """Curves of covariates, where the rows show lines not to be enough."""
    smooth = tuple(
        curve(held.values, "spline") if c.form == "line" else c
        for c, held in zip(terms.covariates, sample.covariates, strict=True)
    )
    if not any(c.form == "spline" for c in smooth):
        return None
    # Whether curves are needed is tested without their products with the cause.
    p = _lacking(sample, terms, replace(terms, covariates=smooth, crossed=False), link)
    if p >= SHARE["other curvature"] / 2:
        return None
    listed = ", ".join(c.name for c in sample.covariates)
    text = f"{names.outcome} is no straight-line function of {listed}: smooth curves are fitted"
    richer = replace(terms, covariates=_smoothest(sample, terms, smooth, link))
    return Amendment(p, richer, Finding("curvature", "mended", text))


def _crossed(sample: Sample, terms: Terms, link: Link, names: Names) -> Amendment | None:
    """Products of cause and covariates, where the rows show the cause to act differently."""
    listed = ", ".join(c.name for c in sample.covariates)
    what = f"{names.cause} acts differently at different {listed}"
    return _with_products(sample, terms, replace(terms, crossed=True), link, what)


def _multiplied(sample: Sample, terms: Terms, link: Link, names: Names) -> Amendment | None:
    """Products of pairs of covariates, where the rows show these to act together."""
    if not 2 <= len(sample.covariates) <= _MOST_MULTIPLIED:
        return None
    what = f"{', '.join(c.name for c in sample.covariates)} act on {names.outcome} together"
    return _with_products(sample, terms, replace(terms, squares=True), link, what)


def _with_products(
    sample: Sample, terms: Terms, richer: Terms, link: Link, what: str
) -> Amendment | None:
    same = (richer.crossed, richer.squares) == (terms.crossed, terms.squares)
    if not sample.covariates or same:
        return None
    if richer.matrix(sample.take(np.arange(1))).shape[1] > sample.rows / 8:
        return None
    p = _lacking(sample, terms, richer, link)
    if p >= SHARE["interaction"] / 2:
        return None
    text = f"{what}: the model lets them, and the answer is the average over the rows"
    return Amendment(p, richer, Finding("interaction", "mended", text))


_MOST_MULTIPLIED = 6
"""Covariates up to which products of pairs are tried."""


_FINER = 0.1
"""Level at which more knots are taken once there are any: a curve that is too coarse errs more."""


def _smoothest(
    sample: Sample, terms: Terms, smooth: tuple[Curve, ...], link: Link
) -> tuple[Curve, ...]:
    """Covariates' splines with more knots where the rows ask for them."""
    for knots in KNOTS[1:]:
        if sample.rows < 20 * knots * len(smooth):
            break
        finer = tuple(
            curve(held.values, "spline", knots) if c.form == "spline" else c
            for c, held in zip(smooth, sample.covariates, strict=True)
        )
        coarse = replace(terms, covariates=smooth)
        if _lacking(sample, coarse, replace(terms, covariates=finer), link) < _FINER:
            smooth = finer
    return smooth


def _lacking(sample: Sample, terms: Terms, richer: Terms, link: Link) -> float:
    """p-value of the plainer terms being enough."""
    fitted = fit(sample, terms, link)
    extra = richer.matrix(sample)[fitted.used]
    clusters = None if sample.clusters is None else (
        np.unique(sample.clusters[fitted.used], return_inverse=True)[1].reshape(-1))  # fmt: skip
    return added_terms(
        fitted.residual, fitted.matrix, extra, fitted.slope, fitted.weight, clusters,
        known=link == "logit",
    )  # fmt: skip


def timely(sample: Sample) -> bool:
    """Whether neighbouring rows may be neighbours in time."""
    if sample.clusters is not None or sample.episode is not None or sample.weight is not None:
        return False
    used = np.isfinite(sample.outcome)
    return sample.ordered or by_time(sample.outcome[used], sample.cause[used])


def _apart(fitted: Fitted) -> Array:
    """float64[U], the cause's main column less what covariates say of it."""
    own = slice(1, 1 + fitted.terms.own)
    held = np.delete(fitted.matrix, own, axis=1)
    mine = fitted.matrix[:, own]
    if not mine.shape[1]:
        return np.zeros(len(fitted.residual))
    left = mine - held @ np.linalg.lstsq(held, mine, rcond=None)[0]
    found: Array = left[:, int(np.argmax(left.std(axis=0)))]
    return found


def _walk(sample: Sample, names: Names) -> Finding | None:
    """Cause and outcome wander, so that any curve through them is found by chance.

    Looked at before curves are: random walks make them.
    """
    if not timely(sample) or sample.cause_named or len(np.unique(sample.cause)) <= 2:
        return None
    plain = Terms(curve(sample.cause, "line"), tuple(_held_form(c) for c in sample.covariates))
    fitted = fit(sample, plain, "identity")
    seen = order(fitted.residual, _apart(fitted), fitted.matrix.shape[1] - 1)
    finding = order_finding(seen, names.cause, names.outcome)
    return finding if finding is not None and finding.severity == "fatal" else None


def _in_order(fitted: Fitted, names: Names) -> tuple[Fitted, list[Finding]]:
    """Refits with autocorrelated noise where neighbouring rows resemble each other."""
    if not timely(fitted.sample):
        return fitted, []
    seen = replace(order(fitted.residual, _apart(fitted)), walk=False)
    finding = order_finding(seen, names.cause, names.outcome)
    if finding is None:
        return fitted, []
    if fitted.link != "identity" or fitted.sample.scale == "yes/no":
        text = ": runs of rows are taken as one in the interval"
        fitted = _blocks(fitted, seen.residual)
    else:
        text = ": noise that goes over from row to row is part of the model"
        fitted = _whitened(fitted)
    return fitted, [replace(finding, text=finding.text + text)]


def _unnamed_units(fitted: Fitted, names: Names) -> tuple[NDArray[np.int64] | None, Finding] | None:
    """Runs of rows with one setting whose rows resemble each other however far apart they are: as
    readings of one unit do that no column names. Noise that goes over from row to row dies out.

    Returns int64[R], the runs, where they are enough to be units themselves, and what is said.
    """
    sample = fitted.sample
    if sample.clusters is not None or sample.episode is not None or sample.weight is not None:
        return None
    run = np.concatenate([[0], np.cumsum(np.diff(sample.cause) != 0)]).astype(np.int64)
    count, levels = int(run[-1]) + 1, len(np.unique(sample.cause))
    if levels > MOST_LEVELS or len(run) < _LONG_RUN * count:
        return None
    seen = alike_in_runs(sample.outcome[fitted.used], fitted.residual, run[fitted.used])
    if seen is None:
        return None
    text = (
        f"{names.cause} stays the same over runs of rows, {count} in all, and rows of a run "
        f"resemble each other (correlation {seen:.2f}), as readings of the same unit do"
    )
    remedy = "if a column names the units, say it with --unit"
    if count < levels + _SPARE_RUNS:
        text += ": rows are taken as independent, and if they are not, the interval is too short"
        return None, Finding("clusters", "warning", text, remedy)
    text += f": the {count} runs are what is taken as independent, not the rows"
    return run, Finding("clusters", "mended", text, remedy)


_LONG_RUN = 5
"""Rows a run, on average, from which runs of one setting are looked at."""
_SPARE_RUNS = 3
"""Runs beyond the number of settings from which runs are units by themselves."""


def _whitened(fitted: Fitted) -> Fitted:
    """Least squares with first-order autocorrelated noise (Prais & Winsten 1954)."""
    count = len(fitted.residual)
    y = fitted.sample.outcome[fitted.used]
    residual, found = fitted.residual, fitted
    for _ in range(10):
        r = float(residual[1:] @ residual[:-1] / (residual @ residual))
        # The estimate falls short by about (1 + 4 r) / n (Marriott & Pope 1954).
        r = min(r + (1 + 4 * r) / count, 0.98)

        def lagged(x: Array, r: float = r) -> Array:
            new = np.array(x)
            new[1:] = x[1:] - r * x[:-1]
            new[0] = np.sqrt(1 - r * r) * x[0]
            return new

        matrix, new_y = lagged(fitted.matrix), lagged(y)
        inverse: NDArray[Any] = np.linalg.pinv(matrix.T @ matrix, hermitian=True)
        beta: NDArray[Any] = inverse @ (matrix.T @ new_y)
        found = replace(fitted, matrix=matrix, coefficients=beta, inverse=inverse,
                        residual=new_y - matrix @ beta)  # fmt: skip
        residual = y - fitted.matrix @ beta
    return found


def _blocks(fitted: Fitted, r: float) -> Fitted:
    """Runs of rows as clusters, long enough for the resemblance to die out."""
    sample = fitted.sample
    length = int(np.ceil(3 / max(1 - r, 0.05)))
    runs = max(min(sample.rows // length, sample.rows // 2), 5)
    clusters = (np.arange(sample.rows) * runs // sample.rows).astype(np.int64)
    return replace(fitted, sample=replace(sample, clusters=clusters))


def alike_groups(
    fitted: Fitted, candidates: list[tuple[str, NDArray[np.int64]]]
) -> tuple[str, NDArray[np.int64]] | None:
    """The grouping within which the cause is constant and residuals resemble each other most.

    Args:
        fitted: a regression that takes rows as independent.
        candidates: name and int64[R], groups of the rows of the sample.
    """
    found: list[tuple[float, int]] = []
    used = fitted.used
    levels = len(np.unique(fitted.sample.cause))
    suited = [
        k for k, (_, groups) in enumerate(candidates)
        if len(np.unique(groups[used])) > levels and constant_within(
            fitted.sample.cause[used], groups[used])
    ]  # fmt: skip
    for k in suited:
        groups = np.unique(candidates[k][1][used], return_inverse=True)[1].reshape(-1)
        _, p = resemblance(fitted.residual, groups, min(fitted.parameters, levels))
        if p < SHARE["clusters"] / len(suited):
            found.append((p, k))
    return candidates[min(found)[1]] if found else None
