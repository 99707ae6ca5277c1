"""Nonlinear effects and counterfactuals under a known graph, by DoWhy's gcm.

Every variable is a smooth function of its parents plus independent noise (an additive noise model:
Hoyer et al. 2009, NeurIPS), so that the noise behind a row can be worked out from the row, which
is what counterfactuals need (abduction, action, prediction: Pearl 2009, theorem 7.1.7). Fitting,
sampling and abduction are those of `dowhy.gcm` (Blöbaum et al. 2024, JMLR 25:147).
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.graphs._known_graph import KnownGraph
from seedo.tables import Table

MIN_ROWS = 10
"""Fewest rows from which a variable's mechanism is fitted."""


@dataclass(frozen=True, eq=False)
class Interventional:
    """What to expect of a variable under an intervention.

    Attributes:
        mean: estimate, in the variable's unit.
        low: lower end of the 95 % bootstrap interval of the mean.
        high: upper end.
        samples: float64[draws], from the fitted model.
    """

    mean: float
    low: float
    high: float
    samples: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """What rows would have been had something been set.

    Attributes:
        variables: n names, those of the graph.
        values: float64[R, n].
        low: float64[R, n], lower end of the 95 % bootstrap interval: uncertainty about the
            mechanisms, the row's own noise being worked out anew in each.
        high: float64[R, n].
    """

    variables: tuple[str, ...]
    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


class NonlinearModel:
    """A structural causal model fitted to a table.

    Each mechanism is fitted on the rows in which nothing had been done to its variable, so
    observations and experiments count together. Its regression is the best in cross-validation
    among a line, polynomials of degree 2 and 3, and gradient-boosted trees. Interventions to values
    beyond those seen are extrapolation.

    Args:
        graph: without bidirected edges, its variables all in the table.
        table: the rows.
        seed: of everything random; the global generators are left as they were.
        bootstrap: how often the mechanisms are fitted again to rows resampled within each regime.

    Raises:
        UserError: a hidden common cause, a variable that the table lacks, too few rows, no DoWhy.
    """

    def __init__(
        self, graph: KnownGraph, table: Table, *, seed: int = 0, bootstrap: int = 50
    ) -> None:
        if graph.bidirected:
            pair = " <-> ".join(sorted(graph.bidirected)[0])
            raise UserError("graph", pair, "needs a graph without hidden common causes; "
                            "see whether the effect is identified")  # fmt: skip
        for name in graph.variables:
            table.index(name)
        if bootstrap < 2:
            raise UserError("bootstrap", bootstrap, "give 2 or more")
        self._gcm = _gcm()
        self.graph, self.seed = graph, seed
        table = table.only([table.index(name) for name in graph.variables])
        usable = self._usable(table)
        fitted_on = usable.sum(axis=0).tolist()
        always_set = [bool(table.hard[:, v].all()) for v in range(table.n)]
        for name, rows, held in zip(graph.variables, fitted_on, always_set, strict=True):
            if rows < MIN_ROWS and not held:
                raise UserError("rows", rows, f"{name} needs at least {MIN_ROWS} complete "
                                "rows in which nothing was done to it")  # fmt: skip
        self._held = {v for v, held in zip(graph.variables, always_set, strict=True) if held}
        self._structure = graph.to_networkx()
        for name in self._held:
            self._structure.remove_edges_from([*self._structure.in_edges(name)])
        rng = np.random.default_rng(seed)
        with _seeded(self._gcm, int(rng.integers(2**32))):
            self._regressions = self._choose(table, usable)
            self._model = self._fit(table, usable)
            self._refits = []
            for _ in range(bootstrap):
                rows = _resampled(table, rng)
                self._refits.append(self._fit(table.take(rows), usable[rows]))

    def interventional(
        self, do: Mapping[str, float], outcome: str, *, draws: int = 2000
    ) -> Interventional:
        """The outcome under do.

        Args:
            do: values to which variables are set.
            outcome: the variable asked about.
            draws: samples from the model, and from each of its refits.

        Raises:
            UserError: an unknown name; a mechanism that is needed but was never seen at work.
        """
        self.graph.check([*do, outcome], "variable")
        self._require([outcome], do)

        def samples(model: Any) -> NDArray[np.float64]:
            drawn = self._gcm.interventional_samples(
                model, {v: _constant(x) for v, x in do.items()}, num_samples_to_draw=draws
            )
            return drawn[outcome].to_numpy(np.float64)

        with _seeded(self._gcm, self.seed):
            own = samples(self._model)
            means = [samples(model).mean() for model in self._refits]
        low, high = np.quantile(means, [0.025, 0.975])
        return Interventional(float(own.mean()), float(low), float(high), own)

    def counterfactual(self, rows: Table, do: Mapping[str, float]) -> Counterfactual:
        """What the rows would have been under do.

        What an experiment had set in a row stays set, unless `do` sets it.

        Args:
            rows: complete rows with the graph's variables.
            do: values to which variables are set.

        Raises:
            UserError: an unknown name, a missing value, a row in which mechanisms were changed, a
                mechanism that is needed but was never seen at work.
        """
        self.graph.check([*do], "variable")
        self._require(self.graph.variables, do)
        rows = rows.only([rows.index(name) for name in self.graph.variables])
        if not rows.complete.all():
            at = int(np.flatnonzero(~rows.complete)[0])
            raise UserError("row", at, "a counterfactual needs a row without missing values")
        changed = [r.unknown or bool(r.soft | r.replaced) for r in rows.regimes]
        if np.array(changed)[rows.regime].any():
            raise UserError("rows", None, "mechanisms were changed in some; give others")
        frame = self._frame(rows)

        def answer(model: Any) -> NDArray[np.float64]:
            actions = {
                name: _kept(rows.hard[:, i], rows.values[:, i])
                for i, name in enumerate(rows.variables)
                if rows.hard[:, i].any()
            } | {name: _constant(value) for name, value in do.items()}
            found = self._gcm.counterfactual_samples(model, actions, observed_data=frame)
            return found[list(self.graph.variables)].to_numpy(np.float64)

        with _seeded(self._gcm, self.seed):
            values = answer(self._model)
            spread = np.stack([answer(model) for model in self._refits])
        low, high = np.quantile(spread, [0.025, 0.975], axis=0)
        return Counterfactual(self.graph.variables, values, low, high)

    def _usable(self, table: Table) -> NDArray[np.bool_]:
        """bool[R, n]: the row tells how the variable comes about."""
        untouched = np.array([[not r.unknown and v not in r.targets for v in range(table.n)]
                              for r in table.regimes], np.bool_)[table.regime]  # fmt: skip
        family = self.graph.adjacency | np.eye(table.n, dtype=np.bool_)
        return untouched & ~(~np.isfinite(table.values) @ family)

    def _require(self, outcomes: Any, do: Mapping[str, float]) -> None:
        import networkx as nx  # here, because it takes long to import

        kept = self.graph.to_networkx()
        kept.remove_edges_from([edge for v in do for edge in kept.in_edges(v)])
        needed = set(outcomes).union(*(nx.ancestors(kept, v) for v in outcomes)) - set(do)
        for name in sorted(needed & self._held):
            raise UserError("variable", name, "was set in every row: how it comes about by itself "
                            "is unknown, so set it here too")  # fmt: skip

    def _frame(self, table: Table) -> Any:
        return importlib.import_module("pandas").DataFrame(
            table.values, columns=list(table.variables)
        )

    def _choose(self, table: Table, usable: NDArray[np.bool_]) -> dict[str, Callable[[], Any]]:
        """For each variable with parents, the maker of its regression."""
        ml, chosen = self._gcm.ml, {}
        makers: list[Callable[[], Any]] = [
            ml.create_linear_regressor,
            lambda: ml.create_polynom_regressor(degree=2),
            lambda: ml.create_polynom_regressor(degree=3),
            ml.create_hist_gradient_boost_regressor,
        ]
        auto = importlib.import_module("dowhy.gcm.auto")
        for child, name in enumerate(self.graph.variables):
            parents = np.flatnonzero(self.graph.adjacency[:, child])
            if parents.size and name not in self._held:
                rows = table.values[usable[:, child]]
                chosen[name] = auto.find_best_model(
                    makers, rows[:, parents], rows[:, child], n_jobs=1
                )[0]
        return chosen

    def _fit(self, table: Table, usable: NDArray[np.bool_]) -> Any:
        model = self._gcm.InvertibleStructuralCausalModel(self._structure.copy())
        frame = self._frame(table)
        for i, name in enumerate(self.graph.variables):
            maker = self._regressions.get(name)
            model.set_causal_mechanism(
                name,
                self._gcm.EmpiricalDistribution()
                if maker is None
                else self._gcm.AdditiveNoiseModel(maker()),
            )
            rows = frame if name in self._held else frame[usable[:, i]]
            self._gcm.fitting_sampling.fit_causal_model_of_target(model, name, rows)
        return model


def _gcm() -> Any:
    try:
        return importlib.import_module("dowhy.gcm")
    except ImportError:
        raise UserError(
            "nonlinear effects", None, "need DoWhy: pip install 'seedo[causal]'"
        ) from None


@contextmanager
def _seeded(gcm: Any, seed: int) -> Iterator[None]:
    """gcm draws from the global generators and shows progress bars: both are put back after."""
    bars, state, other = gcm.config.show_progress_bars, np.random.get_state(), random.getstate()
    gcm.config.show_progress_bars = False
    gcm.util.general.set_random_seed(seed % 2**32)
    try:
        # Small trees on many threads spend their time waiting for one another.
        with importlib.import_module("threadpoolctl").threadpool_limits(1):
            yield
    finally:
        gcm.config.show_progress_bars = bars
        np.random.set_state(state)
        random.setstate(other)


def _resampled(table: Table, rng: np.random.Generator) -> NDArray[np.int64]:
    """int64[R]: rows drawn with replacement, as many of each regime as there are."""
    drawn = np.arange(table.rows)
    for regime in np.unique(table.regime):
        rows = np.flatnonzero(table.regime == regime)
        drawn[rows] = rng.choice(rows, rows.size)
    return drawn


def _constant(value: float) -> Callable[[Any], float]:
    return lambda _: value


def _kept(held: NDArray[np.bool_], values: NDArray[np.float64]) -> Callable[[Any], float]:
    """gcm asks once for each row, in order."""
    rows = iter(zip(held.tolist(), values.tolist(), strict=True))

    def action(natural: Any) -> float:
        was_held, value = next(rows)
        return value if was_held else natural

    return action
