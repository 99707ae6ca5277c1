"""Where observations and experiments contradict each other.

Under causal sufficiency (no hidden common causes) what was observed must help to predict what
experiments show. It is asked twice. Of the whole: the Bayes factor

    log p(observed, experimental) - log p(observed) - log p(experimental)

compares one system behind both with one system each; below zero, either is better understood
without the other (the same sum over all graphs three times, so nothing is conditioned on a chosen
graph). Of every pair: the effect of i on j measured in the rows in which i was set is held against
the posterior of that effect given the rows in which nothing was set. A hidden common cause moves
only the second; so do selection, a broken intervention, or a mechanism that is not linear.

Of every pair the hidden common cause is weighed as well: it breaks the family of the effect only in
rows in which the cause was not set. With parameters of its own for the two kinds of row that family
is as decomposable as the others, and the sum over all graphs with it stands beside the sum without.
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
_WEIGHED = 8
"""Variables up to which hidden common causes are weighed."""


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
            half beforehand; None where it cannot be had exactly.
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
    confounded: float | None = None

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
    if observed.sum() < table.n + 2:
        return Conflicts(None, (), f"{observed.sum()} observational rows are too few to compare")
    if observed.all():
        return Conflicts(None, (), "no experiment to compare the observations with")
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
    graphs = kept_posterior(passive.scores, _DRAWS, seed).graphs
    effects = draw_parameters(passive, graphs, rng).total_effects()
    pairs = [pair for cause in range(table.n) for pair in _pairs(table, cause, observed, effects)]
    if table.n <= _WEIGHED and fusion.scores.full:
        pairs = _weighed(fusion, pairs)
    return Conflicts(factor, tuple(_holm(pairs)))


def _weighed(fusion: Fusion, pairs: list[PairConflict]) -> list[PairConflict]:
    """With the probability of a hidden common cause of every pair."""
    candidates = fusion.scores.candidates
    member = members(fusion.scores.k)
    without = log_evidence(fusion.scores) - _prior_evidence(fusion)
    families = np.stack([fusion.prior.families(j, own, member) for j, own in enumerate(candidates)])
    both: dict[int, NDArray[np.float64] | None] = {}
    found = []
    for pair in pairs:
        cause, effect = pair.cause, pair.effect
        if cause not in both:
            both[cause] = _apart(fusion, cause)
        parts = both[cause]
        within = member[:, int(np.flatnonzero(candidates[effect] == cause)[0])]
        split = within & np.isfinite(families[effect]) & np.isfinite(fusion.scores.score[effect])
        if parts is None or not split.any():
            found.append(pair)
            continue
        score, prior = fusion.scores.score.copy(), families.copy()
        # The prior of a family counts once, whatever the number of its parameters.
        score[effect] = np.where(split, parts[effect] - np.where(split, prior[effect], 0), -np.inf)
        prior[effect, ~split] = -np.inf
        hidden = log_evidence(ScoreTable(candidates, score))
        odds = float(hidden - log_evidence(ScoreTable(candidates, prior)) - without)
        found.append(replace(pair, confounded=float(special.expit(odds))))
    return found


def _apart(fusion: Fusion, cause: int) -> NDArray[np.float64] | None:
    """Scores of all families with parameters of their own where `cause` was set, and where not."""
    rows = fusion.table.hard[:, cause]
    if rows.all():
        return None
    first, second = (
        fuse(fusion.table.take(some), fusion.model, fusion.prior, fusion.scores.candidates, fusion)
        for some in (rows, ~rows)
    )
    return first.scores.score + second.scores.score


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
    off = np.abs(slope - own) / max(error, 1e-12)
    p = float(2 * special.stdtr(freedom, -off).mean())
    low, middle, high = np.quantile(own, [0.025, 0.5, 0.975])
    return PairConflict(cause, effect, float(slope), float(error), freedom, count, contrast,
                        (float(low), float(middle), float(high)), p, False)  # fmt: skip


def _holm(pairs: list[PairConflict]) -> list[PairConflict]:
    ordered = sorted(pairs, key=lambda pair: pair.p_value)
    found, rejecting = [], True
    for place, pair in enumerate(ordered):
        rejecting = rejecting and pair.p_value < LEVEL / (len(ordered) - place)
        found.append(replace(pair, contradicted=rejecting))
    return found
