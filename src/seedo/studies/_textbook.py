"""The right textbook method for each family of `calibration`, by statsmodels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.stats import norm

from seedo.studies._calibration_samples import Array, Sample

Interval = tuple[float, float, float]
"""An estimate and the ends of its 95 % interval."""
Method = Callable[[Sample], Interval]
_Z = float(norm.ppf(0.975))
_KNOTS = 4  # inner ones: as many as a table of some hundred rows bears


def _fitted(y: Array, *terms: Array) -> Any:
    """Least squares with a constant."""
    import statsmodels.api as sm

    return sm.OLS(y, np.column_stack([np.ones(len(y)), *terms])).fit()


def _first(fit: Any) -> Interval:
    """Of the term after the constant."""
    low, high = fit.conf_int()[1]
    return float(fit.params[1]), float(low), float(high)


def splines(x: Array, at: Array | None = None) -> Array:
    """float64[R, k]: cubic B-splines with knots at quantiles of x, the constant left out."""
    inner = np.quantile(x, np.linspace(0, 1, _KNOTS + 2)[1:-1])
    knots = np.concatenate([[x.min()] * 4, inner, [x.max()] * 4])
    found: Array = BSpline.design_matrix(x if at is None else at, knots, 3).toarray()[:, 1:]
    return found


def adjusted(sample: Sample) -> Interval:
    """Regression on cause and covariate."""
    return _first(_fitted(sample.column("y"), sample.column("d"), sample.column("z")))


def plain(sample: Sample) -> Interval:
    """Regression on the cause alone, over the rows that have an outcome."""
    y, d = sample.column("y"), sample.column("d")
    kept = np.isfinite(y) & np.isfinite(d)
    return _first(_fitted(y[kept], d[kept]))


def spline_response(sample: Sample) -> Interval:
    """Regression on splines of the cause, and their difference."""
    d = sample.column("d")
    fit = _fitted(sample.column("y"), splines(d))
    one, other = splines(d, np.array(sample.settings))
    weights = np.concatenate([[0.0], other - one])
    found = fit.t_test(weights)
    low, high = found.conf_int()[0]
    return float(np.squeeze(found.effect)), float(low), float(high)


def spline_covariate(sample: Sample) -> Interval:
    """Regression on the cause and splines of the covariate."""
    return _first(_fitted(sample.column("y"), sample.column("d"), splines(sample.column("z"))))


def interacted(sample: Sample) -> Interval:
    """Regression with cause times centred covariate (Lin 2013, Ann. Appl. Stat. 7, 295).

    The population's mean of the covariate is itself estimated, from all rows, also those without
    an outcome.
    """
    y, d, z = (sample.column(name) for name in ("y", "d", "z"))
    kept = np.isfinite(y)
    centred = z - z.mean()
    fit = _fitted(y[kept], d[kept], centred[kept], (d * centred)[kept]).get_robustcov_results("HC2")
    error = np.sqrt(fit.bse[1] ** 2 + fit.params[3] ** 2 * z.var(ddof=1) / len(z))
    value = float(fit.params[1])
    return value, value - _Z * float(error), value + _Z * float(error)


def _arms(sample: Sample) -> tuple[Array, Array]:
    """Outcomes of the treated, and of the others."""
    y, d = sample.column("y"), sample.column("d")
    return y[d == 1], y[d == 0]


def proportions(sample: Sample) -> Interval:
    """Difference of two proportions (Newcombe 1998, method 10)."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    one, other = _arms(sample)
    low, high = confint_proportions_2indep(
        one.sum(), len(one), other.sum(), len(other), method="newcomb"
    )
    return float(one.mean() - other.mean()), float(low), float(high)


def welch(sample: Sample) -> Interval:
    """Difference of two means of unequal variance."""
    return _difference(*_arms(sample), "unequal")


def pooled(sample: Sample) -> Interval:
    """Difference of two means of equal variance (Student)."""
    return _difference(*_arms(sample), "pooled")


def _difference(one: Array, other: Array, variance: str) -> Interval:
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

    low, high = CompareMeans(DescrStatsW(one), DescrStatsW(other)).tconfint_diff(usevar=variance)
    return float(one.mean() - other.mean()), float(low), float(high)


def unit_means(sample: Sample) -> Interval:
    """Student's comparison of the units' means, which is exact where all have as many rows."""
    unit = _units(sample)
    size = np.bincount(unit)
    y, d = (np.bincount(unit, sample.column(name)) / size for name in ("y", "d"))
    return _difference(y[d == 1], y[d == 0], "pooled")


def _units(sample: Sample) -> NDArray[np.int64]:
    if sample.table.unit is None:
        raise ValueError("the rows of this sample have no units")
    return sample.table.unit


def lingering(sample: Sample) -> Interval:
    """Generalised least squares with noise that depends on the row before (Cochrane-Orcutt)."""
    import statsmodels.api as sm

    model = sm.GLSAR(sample.column("y"), sm.add_constant(sample.column("d")), rho=1)
    return _first(model.iterative_fit(maxiter=20))


def two_stages(sample: Sample) -> Interval:
    """Two-stage least squares."""
    import statsmodels.api as sm
    from statsmodels.sandbox.regression.gmm import IV2SLS

    d, z = (sm.add_constant(sample.column(name)) for name in ("d", "z"))
    return _first(IV2SLS(sample.column("y"), d, z).fit())


def experiments_alone(sample: Sample) -> Interval:
    """Regression over the rows in which the cause was set."""
    rows = sample.table.set_alone(sample.table.index("d"))
    return _first(_fitted(sample.column("y")[rows], sample.column("d")[rows]))


TEXTBOOK: dict[str, Method] = {
    "linear": adjusted,
    "curved": spline_response,
    "curved confounder": spline_covariate,
    "interaction": interacted,
    "binary": proportions,
    "count": welch,
    "skewed": welch,
    "clustered": unit_means,
    "autocorrelated": lingering,
    "missing": interacted,
    "trial": pooled,
    "instrument": two_stages,
    "fusion": experiments_alone,
}


def textbook(family: str) -> Method:
    """By family; those of fusion are all alike."""
    return TEXTBOOK[family.split()[0] if family.startswith("fusion") else family]
