"""Family scores of a table of rows: linear-Gaussian, fused over observations and interventions.

Model of variable j given its parents S, in the rows where j itself was not set:

    x_j = a_j + sum_{i in S} w_ij x_i + offsets + eps,   eps ~ N(0, s_j^2).

Offsets are an unknown constant for every source of rows and for every regime that shifts j (a soft
intervention). Rows in which j was set say nothing about its mechanism and are left out for j alone
(Cooper & Yoo, UAI 1999); rows in which j's mechanism was replaced have parameters of their own
(Tian & Pearl, UAI 2001). A regime with unknown targets may or may not shift each variable: its
indicator is averaged over (Eaton & Murphy, AISTATS 2007).

Everything is integrated out in closed form. With columns Z and prior w | s^2 ~ N(0, s^2 L^-1),
the marginal likelihood of y over N rows is (Bishop 2006, sec. 3.5; Murphy 2012, eq. 7.76)

    known s^2:  -N/2 log(2 pi s^2) - 1/2 log|I + L^-1 Z'Z| - R / (2 s^2)
    unknown:    -N/2 log(2 pi)     - 1/2 log|I + L^-1 Z'Z| + a log b - (a + N/2) log(b + R/2)
                + log Gamma(a + N/2) - log Gamma(a),
    R = y'y - y'Z (Z'Z + L)^-1 Z'y.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from seedo.errors import UserError
from seedo.inference.graphs._prior import GraphPrior
from seedo.inference.scores._mechanisms import (
    Form,
    Mechanisms,
    choose_mechanisms,
    sets_by_size,
)
from seedo.inference.scores._noise import KnownNoise, NoiseModel, UnknownNoise
from seedo.inference.scores._row_groups import RowGroup, row_groups, units
from seedo.inference.scores._score_table import ScoreTable, members
from seedo.tables import Table

__all__ = ["Fusion", "KnownNoise", "NoiseModel", "UnknownNoise", "fuse", "mechanisms_of", "regress"]

MAX_UNKNOWN = 6
"""Most regimes with unknown targets: every subset of them is averaged over."""


class _Group(NamedTuple):
    """Rows of one node that share a mechanism: second moments of the n variables, then of the
    columns that are always in (intercept, offsets)."""

    gram: NDArray[np.float64]
    rows: int


@dataclass(frozen=True, eq=False)
class Fusion:
    """A table of rows, fused into family scores.

    Attributes:
        table: complete rows, in the user's units.
        model, prior: as given.
        scores: log marginal likelihood plus log prior of every family.
        unknown: positions of the regimes with unknown targets.
        hits: float64[2^U, n, 2^K] or None, log P(these regimes shift the node | family, rows);
            bit u of the first index stands for `unknown[u]`.
        centre, scale: float64[n], the units in which scores are computed.
        mechanisms: families other than linear-normal ones; None if all are linear-normal.
    """

    table: Table
    model: NoiseModel
    prior: GraphPrior
    scores: ScoreTable
    unknown: tuple[int, ...]
    hits: NDArray[np.float64] | None
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    mechanisms: Mechanisms | None = None

    def groups(self, child: int, shifted_by: Sequence[int] = ()) -> list[_Group]:
        """Moments of the rows of `child`, its own mechanism first, then each replaced one."""
        return _groups(self._standard, self.table, self.model, child, shifted_by)

    def likely_shifts(self, child: int, codes: NDArray[np.int64]) -> tuple[int, ...]:
        """Unknown regimes that shift `child` more probably than not, over families `codes`."""
        if self.hits is None:
            return ()
        p = np.exp(self.hits[:, child][:, codes]).mean(1)
        subsets = np.arange(len(p))
        return tuple(
            regime
            for bit, regime in enumerate(self.unknown)
            if p[(subsets >> bit & 1) == 1].sum() > 0.5
        )

    @property
    def _standard(self) -> NDArray[np.float64]:
        return (self.table.values - self.centre) / self.scale


def fuse(
    table: Table,
    model: NoiseModel | None = None,
    prior: GraphPrior | None = None,
    candidates: NDArray[np.int64] | None = None,
    like: Fusion | None = None,
    mechanisms: Mechanisms | None = None,
) -> Fusion:
    """Scores every family of a table.

    Args:
        table: incomplete rows are left out.
        model: `UnknownNoise()` if None.
        prior: uniform over all DAGs if None.
        candidates: int64[n, K], see `ScoreTable`; all other variables if None. Work and memory
            grow as n 2^K.
        like: computes in the units of another fusion, so that evidences can be compared.
        mechanisms: families of these rows, of `mechanisms_of`; all linear-normal if None.

    Raises:
        UserError: no complete row, too many regimes with unknown targets, or a prior over another
            number of variables.
    """
    model = model or UnknownNoise()
    n = table.n
    prior = prior or GraphPrior(n)
    if prior.n != n:
        raise UserError("prior", prior.n, f"the table has {n} variables")
    table = table if table.complete.all() else table.take(table.complete)
    if not table.rows:
        raise UserError("rows", 0, "no complete row: fill gaps or leave sparse columns out")
    unknown = tuple(int(i) for i in np.unique(table.regime) if table.regimes[i].unknown)
    if len(unknown) > MAX_UNKNOWN:
        remedy = f"at most {MAX_UNKNOWN} regimes may have unknown targets: name or merge some"
        raise UserError("unknown targets", len(unknown), remedy)
    if like is not None:
        centre, scale = like.centre, like.scale
    else:
        centre, scale = units(table, model.standardise)
    standard = (table.values - centre) / scale
    if candidates is None:
        candidates = np.array([[i for i in range(n) if i != j] for j in range(n)], np.int64)
        candidates = candidates.reshape(n, n - 1)
    member = members(candidates.shape[1])
    subsets = [_subset(unknown, code) for code in range(1 << len(unknown))]
    # One target is expected of an intervention of which nothing is known.
    chance = min(0.5, 1.0 / n)
    score = np.empty((n, len(member)))
    hits = np.empty((len(subsets), n, len(member))) if unknown else None
    for child in range(n):
        log_prior = prior.families(child, candidates[child], member)
        wanted = np.isfinite(log_prior)
        if mechanisms is not None:
            wanted &= _considered(mechanisms, prior, child, candidates[child], member)
        by_hit = np.full((len(subsets), len(member)), -np.inf)
        for code, shifted_by in enumerate(subsets):
            log_hit = len(shifted_by) * np.log(chance)
            log_hit += (len(unknown) - len(shifted_by)) * np.log1p(-chance)
            if mechanisms is not None:
                found = mechanisms.score(child, candidates[child], wanted, shifted_by)
            else:
                groups = _groups(standard, table, model, child, shifted_by)
                found = _score(groups, model, n, child, candidates[child], wanted)
            by_hit[code] = found + (log_hit if unknown else 0.0)
        with np.errstate(invalid="ignore"):
            total = by_hit[0] if not unknown else logsumexp(by_hit, axis=0)
            if hits is not None:
                hits[:, child] = np.where(np.isfinite(total), by_hit - total, -np.log(len(subsets)))
        score[child] = total + log_prior
    scores = ScoreTable(candidates, score)
    return Fusion(table, model, prior, scores, unknown, hits, centre, scale, mechanisms)


def mechanisms_of(
    table: Table, model: NoiseModel, prior: GraphPrior, form: Form = "auto"
) -> Mechanisms | None:
    """The families that complete rows ask for; None where all are linear-normal."""
    centre, scale = units(table, model.standardise)
    return choose_mechanisms(table, (table.values - centre) / scale, model, prior, form)


def _considered(
    mechanisms: Mechanisms,
    prior: GraphPrior,
    child: int,
    candidates: NDArray[np.int64],
    member: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Families of the candidates that explain a child best: of as many as can be scored."""
    kinds = mechanisms.kinds
    most = mechanisms.considered(child)
    cheap = kinds[child] == "levels" and all(kinds[i] == "levels" for i in candidates)
    if cheap or len(candidates) <= most or mechanisms.table.factors[child]:
        return np.ones(len(member), np.bool_)
    needed = np.zeros(mechanisms.table.n, np.bool_)
    if prior.edge_probability is not None:
        needed = prior.edge_probability[:, child] == 1
    order = mechanisms.ranking(child, [int(i) for i in candidates], most)
    kept = np.isin(candidates, order) | needed[candidates]
    found: NDArray[np.bool_] = ~np.any(member[:, ~kept], axis=1)
    return found


def _subset(items: Sequence[int], code: int) -> tuple[int, ...]:
    return tuple(item for bit, item in enumerate(items) if code >> bit & 1)


def _groups(
    standard: NDArray[np.float64],
    table: Table,
    model: NoiseModel,
    child: int,
    shifted_by: Sequence[int],
) -> list[_Group]:
    return [_moments(standard, model, group) for group in row_groups(table, child, shifted_by)]


def _moments(standard: NDArray[np.float64], model: NoiseModel, group: RowGroup) -> _Group:
    x = standard[group.rows]
    columns = [np.ones((len(x), 1))] if model.intercept else []
    z = np.concatenate([x, *columns, group.offsets], axis=1)
    # As restricted likelihood has it (Patterson & Thompson 1971): what told the units' constants
    # tells nothing else.
    return _Group(z.T @ z, len(x) - group.spent)


def own_moments(table: Table, model: NoiseModel, child: int) -> _Group:
    """Moments of the rows in which `child` followed its own mechanism, in standard units."""
    centre, scale = units(table, model.standardise)
    return _groups((table.values - centre) / scale, table, model, child, ())[0]


def score_families(
    group: _Group, model: NoiseModel, n: int, child: int, parents: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Log marginal likelihood with parent sets of one size, int64[M, p]; float64[M]."""
    gram, log_always = _without_always(group, model, n)
    log_det, residual = _evidence_terms(gram, child, parents, model.weight_precision(n))
    return model.evidence(n, parents.shape[1], group.rows, log_det + log_always, residual)


class Regression(NamedTuple):
    """Posterior of one family in one group of rows: N(mean, s^2 precision^-1) given s^2.

    Coefficients are those of the parents, then the intercept if there is one, then the offsets.
    """

    mean: NDArray[np.float64]
    precision: NDArray[np.float64]
    residual: float  # R of the module's formulas


def regress(
    group: _Group, model: NoiseModel, n: int, child: int, parents: NDArray[np.int64]
) -> Regression:
    """The exact posterior of a family's coefficients."""
    columns = [*parents, *range(n, len(group.gram))]
    penalty = np.full(len(columns), model.weight_precision(n))
    penalty[len(parents) :] = model.always_precisions(len(columns) - len(parents))
    precision = group.gram[np.ix_(columns, columns)] + np.diag(penalty)
    moment = group.gram[columns, child]
    mean: NDArray[Any] = np.linalg.solve(precision, moment)
    return Regression(mean, precision, float(group.gram[child, child] - moment @ mean))


def _score(
    groups: list[_Group],
    model: NoiseModel,
    n: int,
    child: int,
    candidates: NDArray[np.int64],
    wanted: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Log marginal likelihood of every family, float64[2^K]; -inf where it is not wanted."""
    found = np.full(len(wanted), -np.inf)
    found[wanted] = 0.0
    for group in groups:
        for codes, parents in sets_by_size(candidates, wanted):
            found[codes] += score_families(group, model, n, child, parents)
    return found


def _without_always(group: _Group, model: NoiseModel, n: int) -> tuple[NDArray[np.float64], float]:
    """Moments [n, n] after the always-in columns are integrated out, and their log determinant."""
    always = group.gram.shape[0] - n
    if not always:
        return group.gram, 0.0
    precision = model.always_precisions(always)
    inner = group.gram[n:, n:] + np.diag(precision)
    cross = group.gram[:n, n:]
    reduced = group.gram[:n, :n] - cross @ np.linalg.solve(inner, cross.T)
    return reduced, float(np.linalg.slogdet(inner)[1] - np.log(precision).sum())


def _evidence_terms(
    gram: NDArray[np.float64], child: int, parents: NDArray[np.int64], precision: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """log|I + Z'Z / precision| and the penalised residual sum of squares, float64[M] each."""
    count, size = parents.shape
    power = gram[child, child]
    if size == 0:
        return np.zeros(count), np.full(count, power)
    inner = gram[parents[:, :, None], parents[:, None, :]] + precision * np.eye(size)
    factor = np.linalg.cholesky(inner)
    half = np.linalg.solve(factor, gram[parents, child][:, :, None])[:, :, 0]
    diagonal = np.diagonal(factor, axis1=1, axis2=2)
    log_det = 2 * np.log(diagonal).sum(1) - size * np.log(precision)
    return log_det, power - (half**2).sum(1)
