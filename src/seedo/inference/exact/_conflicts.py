"""Where observations and experiments contradict each other.

Under causal sufficiency (no hidden common causes) what was observed must help to predict what
experiments show. It is asked twice. Of the whole: the Bayes factor

    log p(observed, experimental) - log p(observed) - log p(experimental)

compares one system behind both with one system each; below zero, either is better understood
without the other (the same sum over all graphs three times, so nothing is conditioned on a chosen
graph). Of every pair: the effect of i on j measured in the rows in which i was set is held against
the posterior of that effect given the rows in which nothing was set. A hidden common cause moves
only the second; so do selection, a broken intervention, or a mechanism that is not linear.

Of every pair the hidden common cause is weighed as well. It breaks the family of the effect only in
rows in which the cause was not set, so that those in which it was carry the effect by themselves:
what they measure is as likely as an effect of unknown size makes it, against as likely as the
observations predict it. Both densities are of the one number that the test is about, so that
probability and p-value cannot tell two stories. (Weighing all rows, with parameters of their own in
the observed ones, takes observations without any slope for evidence against a common cause that
hides the effect, however plainly experiments show it.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from seedo.inference.exact._draws import draw_parameters
from seedo.inference.exact._graph_posterior import SUMMED, log_evidence
from seedo.inference.exact._kept import kept_posterior
from seedo.inference.scores._score_table import ScoreTable, members
from seedo.inference.scores._scores import Fusion, fuse
from seedo.tables import Table

STRONG = -math.log(20.0)
"""Log Bayes factor under which the whole is called contradicted: 20 to 1."""
LEVEL = 0.01
"""Family-wise level (Holm 1979) at which single effects are called contradicted."""
AGREE = 0.05
"""Level of a pair's test under which it is not said to agree."""
_DRAWS = 500
"""Draws of the observations' posterior, and the most sweeps of chains that sample it: quantiles of
effects need neither many nor independent ones."""


@dataclass(frozen=True)
class PairConflict:
    """The effect of setting `cause` on `effect`, as measured and as the observations predict it.

    Effects are changes of the effect variable for a unit change of the cause.

    Attributes:
        measured, standard_error: least-squares slope in the rows where `cause` was set, with those
            where nothing was done for the mean where it was set to one value only.
        freedom: degrees of freedom of the standard error.
        rows: those in which `cause`, and nothing else, was set.
        contrast: it was set to one value only.
        predicted: posterior quantiles 2.5, 50 and 97.5 % from the observations alone.
        p_value: two-sided, of so extreme a measurement under that prediction.
        contradicted: after Holm's correction over all pairs.
        confounded: posterior probability that a hidden common cause of the two is at work, one
            half beforehand; the effect is then normal about nought with the spread that one row
            has (unit information; Kass & Wasserman 1995, JASA 90).
    """

    cause: int
    effect: int
    measured: float
    standard_error: float
    freedom: int
    rows: int
    contrast: bool
    predicted: tuple[float, float, float]
    p_value: float
    contradicted: bool
    confounded: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval of the measured effect."""
        half = float(special.stdtrit(self.freedom, 0.975)) * self.standard_error
        return self.measured - half, self.measured + half

    @property
    def agree(self) -> bool:
        """Neither interval leaves the other's middle out, and a test finds no difference."""
        (low, middle, high), (least, most) = self.predicted, self.interval
        return self.p_value >= AGREE and low <= self.measured <= high and least <= middle <= most


@dataclass(frozen=True)
class Conflicts:
    """What the comparison of observations with experiments gave.

    Attributes:
        log_bayes_factor: nats, see the module; None where it cannot be had exactly.
        pairs: those that could be compared, most contradicted first.
        reason: why there is nothing to compare; "" if there is.
    """

    log_bayes_factor: float | None
    pairs: tuple[PairConflict, ...]
    reason: str = ""

    @property
    def whole(self) -> bool:
        """One system behind both is refuted, whatever single effects say."""
        return self.log_bayes_factor is not None and self.log_bayes_factor < STRONG

    @property
    def contradicted(self) -> bool:
        """Observations and experiments should not be averaged."""
        return self.whole or any(pair.contradicted for pair in self.pairs)

    @property
    def agree(self) -> bool:
        """Every effect that could be compared is the same in both."""
        return not self.contradicted and all(pair.agree for pair in self.pairs)


def find_conflicts(fusion: Fusion, seed: int = 0) -> Conflicts:
    """Holds the observational rows of a fusion against its interventional ones."""
    table = fusion.table
    observed = table.observational
    if reason := nothing_to_compare(table):
        return Conflicts(None, (), reason)
    candidates = fusion.scores.candidates
    passive = fuse(table.take(observed), fusion.model, fusion.prior, candidates, fusion)
    factor = None
    if table.n <= SUMMED and fusion.scores.full:
        active = fuse(table.take(~observed), fusion.model, fusion.prior, candidates, fusion)
        nothing = _prior_evidence(fusion)
        factor = float(
            log_evidence(fusion.scores)
            - log_evidence(passive.scores)
            - log_evidence(active.scores)
            + nothing
        )
    rng = np.random.default_rng(seed)
    graphs = kept_posterior(passive.scores, _DRAWS, seed, max_sweeps=_DRAWS).graphs
    effects = draw_parameters(passive, graphs, rng).total_effects()
    pairs = [pair for cause in range(table.n) for pair in _pairs(table, cause, observed, effects)]
    return Conflicts(factor, tuple(_holm(pairs)))


def nothing_to_compare(table: Table) -> str:
    """Why experiments cannot be held against observations; "" if they can."""
    observed = table.observational
    set_always = [name for name, f in zip(table.variables, table.factors, strict=True) if f]
    if set_always and (observed.all() or not observed.any()):
        return (
            f"{', '.join(set_always[:4])} {'were' if len(set_always) > 1 else 'was'} set in every "
            "row: there is no observation to compare the experiments with, and nothing hidden "
            "moves what an experimenter sets"
        )
    if observed.all():
        return (
            "no experiment to compare the observations with, and observations alone never show a "
            "hidden common cause: rows in which a cause was set would; if there are any, say with "
            "--targets which"
        )
    if observed.sum() < table.n + 2:
        return f"{observed.sum()} observational rows are too few to compare experiments with"
    return ""


def _prior_evidence(fusion: Fusion) -> float:
    """Log of the sum of the prior over DAGs: the evidence of no data at all.

    Every evidence carries this constant once; a ratio of one to two of them is left with one.
    """
    candidates, member = fusion.scores.candidates, members(fusion.scores.k)
    families = [fusion.prior.families(j, own, member) for j, own in enumerate(candidates)]
    return log_evidence(ScoreTable(candidates, np.stack(families)))


def _pairs(
    table: Table, cause: int, observed: NDArray[np.bool_], effects: NDArray[np.float64]
) -> list[PairConflict]:
    rows = table.set_alone(cause)
    if not rows.any():
        return []
    if np.ptp(table.values[rows, cause]) == 0:
        # One value only: the contrast is with the mean of the rows where nothing was done.
        return [
            pair
            for effect in range(table.n)
            if effect != cause
            and (pair := _contrast(table, cause, effect, rows, observed, effects)) is not None
        ]
    found = []
    for effect in range(table.n):
        if effect == cause or rows.sum() < 4:
            continue
        x, y = table.values[rows, cause], table.values[rows, effect]
        if np.ptp(y) == 0:
            continue
        found.append(_pair(cause, effect, *regression_slope(x, y), rows, False, effects))
    return found


def regression_slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Slope of y on x by least squares, with its standard error.

    As `scipy.stats.linregress` finds them, whose package takes long to import.
    """
    (xx, xy), (_, yy) = np.cov(x, y, bias=True)
    r = np.clip(xy / np.sqrt(xx * yy), -1.0, 1.0)
    return float(xy / xx), float(np.sqrt((1 - r**2) * yy / xx / (len(x) - 2)))


def _contrast(
    table: Table,
    cause: int,
    effect: int,
    rows: NDArray[np.bool_],
    observed: NDArray[np.bool_],
    effects: NDArray[np.float64],
) -> PairConflict | None:
    distance = table.values[rows, cause][0] - table.values[observed, cause].mean()
    there, here = table.values[rows, effect], table.values[observed, effect]
    if rows.sum() < 3 or distance == 0 or there.std() + here.std() == 0:
        return None
    error = np.sqrt(there.var(ddof=1) / len(there) + here.var(ddof=1) / len(here))
    slope = (there.mean() - here.mean()) / distance
    return _pair(cause, effect, slope, error / abs(distance), rows, True, effects)


def _pair(
    cause: int,
    effect: int,
    slope: float,
    error: float,
    rows: NDArray[np.bool_],
    contrast: bool,
    effects: NDArray[np.float64],
) -> PairConflict:
    """The tail probability of the measurement, averaged over predictions.

    Two-sided for each: between two predictions, as an edge and its reverse make them, no
    measurement is likely that is far from both.
    """
    own = effects[:, cause, effect]
    count = int(rows.sum())
    freedom = count - (1 if contrast else 2)
    error = max(error, 1e-12)
    off = np.abs(slope - own) / error
    p = float(2 * special.stdtr(freedom, -off).mean())
    spread = error * math.sqrt(1 + count)
    free = -0.5 * (slope / spread) ** 2 - math.log(spread * math.sqrt(2 * math.pi))
    predicted = float(special.logsumexp(_log_t(off, freedom))) - math.log(len(own) * error)
    low, middle, high = np.quantile(own, [0.025, 0.5, 0.975])
    return PairConflict(cause, effect, float(slope), float(error), freedom, count, contrast,
                        (float(low), float(middle), float(high)), p, False,
                        float(special.expit(free - predicted)))  # fmt: skip


def _log_t(x: NDArray[np.float64], freedom: int) -> NDArray[np.float64]:
    """Log density of Student's t. As `scipy.stats` has it, which takes long to import."""
    log: NDArray[np.float64] = -0.5 * (freedom + 1) * np.log1p(x**2 / freedom)
    return log - 0.5 * math.log(freedom) - float(special.betaln(0.5 * freedom, 0.5))


def _holm(pairs: list[PairConflict]) -> list[PairConflict]:
    ordered = sorted(pairs, key=lambda pair: pair.p_value)
    found, rejecting = [], True
    for place, pair in enumerate(ordered):
        rejecting = rejecting and pair.p_value < LEVEL / (len(ordered) - place)
        found.append(replace(pair, contradicted=rejecting))
    return found
