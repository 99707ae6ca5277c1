"""Which settings of several factors to try next, given runs in which all of them were set.

Nothing in the table causes a factor, so there is no graph to find: what counts is the response.
With a goal, settings are chosen for what the best of them is expected to add to the best that was
tried, over joint draws of the response (expected improvement; Jones, Schonlau & Welch 1998, J.
Global Optimization 13; several at once greedily as in Ginsbourger et al. 2010), times the chance
that the run works at all. Without one, for what they tell about the response: half the log of what
a run takes off the variance there (Lindley 1956; MacKay 1992, Neural Computation 4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.design._next_experiment import Goal
from seedo.inference.design._region import (
    Region,
    axes_of,
    faulty_mixture,
    region_of,
    varied_factors,
)
from seedo.inference.design._response import Beside, Factor, Response, basis, fit_response
from seedo.spaces import Forbidden, Linear
from seedo.tables import Mixture, Table

Array = NDArray[np.float64]

_DRAWS = 1000
_WIDTHS = (0.1, 0.03, 0.01)
"""Of the steps around good settings, in ranges of the factors."""
_ROUNDS = 4
"""Most rounds of climbing by one factor at a time."""
_BEST = 12
"""Good settings that are looked around."""
_LITTLE = 0.02
"""Gain, in standard deviations of a run, under which nothing is left to gain."""
_ENDS = {"yes/no": (0.0, 1.0), "positive": (0.0, np.inf), "count": (0.0, np.inf)}
"""Least and largest mean of outcomes of a type."""
_FAILED = 3
"""Failed runs from which on the chance of failure is modelled."""
_FAR = 2.0
"""Width of a mean's interval, in the widest of those at runs, from which on no run is near."""
_CANDIDATES = 600
"""Settings that joint draws are made at."""


@dataclass(frozen=True)
class SettingChoice:
    """One run that could be made.

    Attributes:
        values: float64[F] as a tuple, one for each factor of the region.
        mean, low, high: of the goal there, 95 %; NaN without a goal.
        gain: expected improvement on the best that was tried and on runs chosen before, in units
            of the goal, times the chance that it works; NaN without a goal.
        gain_error: standard error of it.
        bits: that the run tells about the mean response there, all outcomes together.
        works: chance that the run gives a value; 1 where no run failed.
    """

    values: tuple[float, ...]
    mean: float
    low: float
    high: float
    gain: float
    gain_error: float
    bits: float
    works: float


@dataclass(frozen=True, eq=False)
class SettingsPlan:
    """Runs in the order in which to make them.

    Attributes:
        region: where they may be made.
        responses: by variable, what was fitted.
        chosen: each judged after the ones before it.
        best: settings of the best mean within the region, whether tried or not; None without a
            goal.
        tried: the best mean among settings that were tried; None without a goal.
        failed: runs without an outcome.
        runs: all.
        beside: names of factors that cannot be set; means are averages over what the runs had.
        faulty: runs left out because their shares do not add up as in most, and the mixture.
        far: the best setting is further from all runs than the model was seen to hold.
    """

    region: Region
    responses: Mapping[int, Response]
    chosen: tuple[SettingChoice, ...]
    best: SettingChoice | None
    tried: SettingChoice | None
    failed: int
    runs: int
    beside: tuple[str, ...] = ()
    faulty: tuple[int, Mixture] | None = None
    far: bool = False


def plan_settings(
    table: Table,
    *,
    goal: Goal | None = None,
    budget: int = 1,
    can_set: Sequence[int] | None = None,
    values: Mapping[int, Sequence[float]] | None = None,
    ranges: Mapping[int, tuple[float, float]] | None = None,
    constraints: Sequence[Linear | Forbidden] = (),
    prefer: str | None = None,
    seed: int = 0,
) -> SettingsPlan:
    """Chooses `budget` runs.

    Args:
        table: runs; factors as in `Table.factors`. Runs without an outcome are failures.
        goal: a measured variable, raised or lowered; None to learn about all of them.
        budget: how many.
        can_set, values, ranges, constraints: see `region_of`.
        prefer: "bits" to learn, whatever the goal; "gain" or None for the goal.
        seed: of draws.

    Raises:
        UserError: as for `region_of`; the goal is a factor or has names for values; too few runs.
    """
    faulty = None
    if uneven := faulty_mixture(table):
        mixture, whole = uneven
        table, faulty = table.take(whole), (int((~whole).sum()), mixture)
    region = region_of(table, can_set, values, ranges, constraints)
    every = varied_factors(table)
    axes, places = axes_of(table, every), [every.index(i) for i in region.places]
    x = table.values[:, every]
    ran = np.isfinite(x).all(axis=1)
    wanted = [goal.variable] if goal is not None else _outcomes(table)
    for i in wanted:
        _check_outcome(table, i)
    responses, fewest = {}, len(axes) + 3
    for i in wanted:
        y = table.values[:, i]
        kept = ran & np.isfinite(y)
        if kept.sum() < fewest:
            raise UserError(
                "runs", int(kept.sum()),
                f"too few with a value of {table.variables[i]}: {len(axes)} factors take at least "
                f"{fewest}",
            )  # fmt: skip
        found = fit_response(axes, x[kept], y[kept], _beside(table).take(kept))
        responses[i] = replace(found, ends=_ENDS.get(table.columns[i].type, found.ends))
        if len(places) < len(axes):
            responses[i] = responses[i].over(places, x[ran])
    done = np.all(np.isfinite(table.values[:, wanted]), axis=1)
    rng = np.random.default_rng([seed, 2])
    works = _chance(axes, x[ran], done[ran], places)
    search = _Search(region, responses, goal, x[ran & done][:, places], works, rng)
    learn = goal is None or prefer == "bits"
    chosen = search.learn(budget) if learn else search.improve(budget)
    best, tried, far = None, None, False
    if goal is not None:
        best, tried = search.best(), search.tried()
        far = search.far(best)
    beside = tuple(f.name for k, f in enumerate(axes) if k not in places)
    return SettingsPlan(region, responses, tuple(chosen), best, tried,
                        int((ran & ~done).sum()), int(ran.sum()), beside, faulty, far)  # fmt: skip


def _beside(table: Table) -> Beside:
    """What moves the outcome of runs beside the factors: where, in which batch, and when."""
    groups = (table.source,) if len(np.unique(table.source)) > 1 else ()
    units, trend = table.unit, table.time
    if units is not None and not 1 < len(np.unique(units)) < table.rows:
        units = None
    if trend is None or not np.isfinite(trend).all() or np.ptp(trend) == 0:
        return Beside(groups, units)
    return Beside(groups, units, (trend - trend.mean()) / trend.std())


def _outcomes(table: Table) -> list[int]:
    found = [
        i for i in np.flatnonzero(~table.factors).tolist()
        if not (table.columns[i].named and len(table.columns[i].levels) > 2)
        and np.nanstd(table.values[:, i]) > 0
    ]  # fmt: skip
    if not found:
        raise UserError("outcome", None, "nothing was measured: every variable was set")
    return found


def _check_outcome(table: Table, variable: int) -> None:
    name, column = table.variables[variable], table.columns[variable]
    if table.factors[variable]:
        raise UserError("goal", name, "it was set in every run: name what was measured")
    if column.named and len(column.levels) > 2:
        raise UserError("goal", name, "its values are names, of which none is more or less")


def _chance(
    axes: tuple[Factor, ...], x: Array, done: NDArray[np.bool_], places: Sequence[int]
) -> Callable[[Array], Array]:
    """Settings float64[M, F] of those in `places` -> chance that a run gives a value, float64[M].

    By what is set alone; what cannot be set averages out.
    """
    failed = int((~done).sum())
    if failed < _FAILED or done.sum() < _FAILED:
        # Too few to say where: Laplace's rule of succession.
        share = 1.0 if failed == 0 else float((done.sum() + 1) / (len(done) + 2))
        return lambda at: np.full(len(at), share)
    from sklearn.linear_model import LogisticRegression  # here: takes a second to import

    own = tuple(axes[k] for k in places)
    form = "quadratic" if failed >= 10 else "linear"
    model = LogisticRegression(C=1.0, max_iter=1000)
    model.fit(basis(own, x[:, list(places)], form)[:, 1:], done)

    def chance(at: Array) -> Array:
        found: Array = model.predict_proba(basis(own, at, form)[:, 1:])[:, 1]
        return found

    return chance


class _Search:
    """Looks for settings within a region."""

    def __init__(
        self,
        region: Region,
        responses: Mapping[int, Response],
        goal: Goal | None,
        tried: Array,
        works: Callable[[Array], Array],
        rng: np.random.Generator,
    ) -> None:
        self.region, self.responses, self.goal = region, responses, goal
        self.works, self.rng = works, rng
        self.runs = np.unique(tried, axis=0)
        self.at = region.settings(tried, rng)

    def _mean(self, x: Array) -> Array:
        """Of the goal, with its sign, float64[M]."""
        assert self.goal is not None
        response = self.responses[self.goal.variable]
        parts = np.array_split(x, max(1, len(x) // 500))
        found: Array = self.goal.sign * np.concatenate([response.joint(p)[0] for p in parts])
        return found

    def best(self) -> SettingChoice:
        """The best mean, by search around the best of those spread over the region."""
        at = self.at
        for width in _WIDTHS:
            good = at[np.argsort(-self._mean(at), kind="stable")[:_BEST]]
            at = np.concatenate([good, self.region.near(good, width, 40, self.rng)])
            at = np.concatenate([at, self._climbed(at[int(np.argmax(self._mean(at)))])])
        top = at[int(np.argmax(self._mean(at)))]
        self.at = np.unique(np.concatenate([self.at, at]), axis=0)
        return self._choice(top, np.nan, np.nan)

    def _climbed(self, x: Array) -> Array:
        """Settings on the way up from `x`, float64[M, F], one factor at a time."""
        way = [x]
        for _ in range(_ROUNDS):
            for factor in range(len(x)):
                line = np.concatenate([way[-1][None], self.region.along(way[-1], factor)])
                way.append(line[int(np.argmax(self._mean(line)))])
            if (way[-1] == way[-1 - len(x)]).all():
                break
        return np.unique(np.stack(way), axis=0)

    def tried(self) -> SettingChoice:
        """The best mean among runs that were made."""
        return self._choice(self.runs[int(np.argmax(self._mean(self.runs)))], np.nan, np.nan)

    def far(self, choice: SettingChoice) -> bool:
        """Whether the mean there is known much worse than at any run."""
        assert self.goal is not None
        _, low, high = self.responses[self.goal.variable].interval(self.runs)
        return choice.high - choice.low > _FAR * float((high - low).max())

    def improve(self, budget: int) -> list[SettingChoice]:
        """Greedily by expected improvement; by the best of one draw each, where none is left."""
        assert self.goal is not None
        self.best()  # candidates around the optimum
        mean = self._mean(self.at)
        known = self.runs[int(np.argmax(self._mean(self.runs)))]
        spread = self.rng.choice(len(self.at), min(_CANDIDATES // 2, len(self.at)), replace=False)
        good = np.argsort(-mean, kind="stable")[: _CANDIDATES // 2]
        at = np.concatenate([known[None], self.at[np.union1d(spread, good)]])
        draws = self.responses[self.goal.variable].draws(at, _DRAWS, self.rng)
        draws = self.goal.sign * draws
        reached, works, chosen = draws[:, 0].copy(), self.works(at), []
        for number in range(budget):
            gains = np.maximum(draws - reached[:, None], 0)
            gains[gains < 1e-9 * np.abs(draws).max()] = 0  # rounding is no gain
            worth = works * gains.mean(axis=0)
            worth[0] = -1.0  # what is known need not lie where runs may be made
            k = int(np.argmax(worth))
            error = float(works[k] * gains[:, k].std() / np.sqrt(_DRAWS))
            if worth[k] <= max(2 * error, _LITTLE * self.responses[self.goal.variable].noise):
                # Nothing is left to gain: the best of all draws first, then of one each.
                guess = draws[number] if number else draws.mean(axis=0)
                k = 1 + int(np.argmax(works[1:] * (guess[1:] - guess.min())))
                error = float(works[k] * gains[:, k].std() / np.sqrt(_DRAWS))
            chosen.append(self._choice(at[k], float(worth[k]), error))
            reached = np.maximum(reached, draws[:, k])
        return chosen

    def learn(self, budget: int) -> list[SettingChoice]:
        """Greedily by information, each run's outcome taken up before the next (Matheron's rule,
        which moves every draw to one given the outcome)."""
        if self.goal is not None:
            self.best()
        some = self.rng.permutation(len(self.at))[:_CANDIDATES]
        at, works = self.at[some], self.works(self.at[some])
        models = list(self.responses.values())
        draws = [model.draws(at, _DRAWS, self.rng) for model in models]
        chosen = []
        for _ in range(budget):
            bits = sum(
                (0.5 * np.log2(1 + d.var(axis=0) / max(m.noise, 1e-12) ** 2)
                 for d, m in zip(draws, models, strict=True)),
                np.zeros(len(at)),
            )  # fmt: skip
            k = int(np.argmax(works * bits))
            chosen.append(self._choice(at[k], np.nan, np.nan, float(works[k] * bits[k])))
            for j, (d, m) in enumerate(zip(draws, models, strict=True)):
                centred = d - d.mean(axis=0)
                variance = centred[:, k].var() + max(m.noise, 1e-12) ** 2
                lift = centred.T @ centred[:, k] / _DRAWS / variance
                off = centred[:, k] + m.noise * self.rng.normal(size=_DRAWS)
                draws[j] = d - off[:, None] * lift
        return chosen

    def _choice(
        self, x: Array, gain: float, error: float, bits: float | None = None
    ) -> SettingChoice:
        mean = low = high = np.nan
        if self.goal is not None:
            mean, low, high = (float(v[0]) for v in
                               self.responses[self.goal.variable].interval(x[None]))  # fmt: skip
        if bits is None:
            bits = 0.0
            for model in self.responses.values():
                variance = float(model.joint(x[None])[1][0, 0])
                bits += float(0.5 * np.log2(1 + variance / max(model.noise, 1e-12) ** 2))
        return SettingChoice(tuple(map(float, x)), mean, low, high, gain, error, bits,
                             float(self.works(x[None])[0]))  # fmt: skip
