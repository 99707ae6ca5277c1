"""Joint posterior draws of graph and parameters, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.inference.scores._scores import Fusion, regress


@dataclass(frozen=True, eq=False)
class Draws:
    """S linear-Gaussian structural causal models, equally probable, in the user's units.

    x_j = intercept_j + sum_i weight_ij x_i + eps_j, eps_j ~ N(0, variance_j).

    Attributes:
        graph: bool[S, n, n] (parent, child).
        weight: float64[S, n, n], 0 where there is no edge.
        intercept: float64[S, n]; of the average source, without any shift.
        variance: float64[S, n].
    """

    graph: NDArray[np.bool_]
    weight: NDArray[np.float64]
    intercept: NDArray[np.float64]
    variance: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.graph)

    @property
    def n(self) -> int:
        return self.graph.shape[1]

    def total_effects(self) -> NDArray[np.float64]:
        """float64[S, n, n]: change of j for a unit change of i set from outside; 1 if i = j."""
        return _along_paths(self.weight)

    def moments(
        self, do: Mapping[int, float] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean float64[S, n] and covariance float64[S, n, n] of all variables under do(...)."""
        weight, intercept, variance = self._mutilated(do or {})
        spread = _along_paths(weight)
        mean = np.einsum("si,sij->sj", intercept, spread)
        covariance = np.einsum("sia,si,sib->sab", spread, variance, spread)
        return mean, covariance

    def given(
        self,
        do: Mapping[int, float] | None,
        seen: Mapping[int, float],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and covariance under do(...), given that some variables take certain values.

        A variable that is seen has variance 0 afterwards.
        """
        mean, covariance = self.moments(do)
        at = list(seen)
        if not at:
            return mean, covariance
        inner = covariance[:, at][:, :, at]
        gain = covariance[:, :, at] @ np.linalg.pinv(inner, hermitian=True)
        off = np.array([seen[i] for i in at]) - mean[:, at]
        mean = mean + np.einsum("sia,sa->si", gain, off)
        return mean, covariance - gain @ covariance[:, at]

    def counterfactual(
        self,
        row: NDArray[np.float64],
        was_set: NDArray[np.bool_],
        do: Mapping[int, float],
    ) -> NDArray[np.float64]:
        """What a row would have been under do(...), float64[S, n] (Pearl 2009, sec. 7.1).

        `row` is float64[n], or float64[S, n]: as each of the models has it.


        Abduction: every variable that was not set gives away its own noise. Action: do(...) comes
        on top of what had been done, and replaces it where both set a variable. Prediction: all
        else is computed anew.
        """
        noise = row - np.einsum("...i,...ij->...j", row, self.weight) - self.intercept
        done = {int(i): row[..., i] for i in np.flatnonzero(was_set)} | dict(do)
        weight, intercept, _ = self._mutilated(done)
        noise[:, list(done)] = 0.0
        spread = _along_paths(weight)
        return np.einsum("si,sij->sj", intercept + noise, spread)

    def _mutilated(
        self, do: Mapping[int, Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        weight, intercept = self.weight.copy(), self.intercept.copy()
        variance = self.variance.copy()
        for target, value in do.items():
            weight[:, :, target] = 0.0
            intercept[:, target] = value
            variance[:, target] = 0.0
        return weight, intercept, variance


def _along_paths(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """(I - W)^-1 = I + W + W^2 + ..., which ends for a DAG; exactly 0 where no path leads, as an
    inverse would not be."""
    n = weight.shape[-1]
    total: NDArray[np.float64] = np.eye(n) + weight
    power, length = weight, 1
    while 2 * length < n:  # paths of up to 2 length - 1 edges are in; the longest has n - 1
        power = power @ power
        total = total + total @ power
        length *= 2
    return total


def draw_parameters(fusion: Fusion, graphs: NDArray[np.bool_], rng: np.random.Generator) -> Draws:
    """Parameters for given graphs, from their exact conditional posterior.

    Args:
        fusion: the data.
        graphs: bool[S, n, n], draws of the graph posterior.
        rng: source of randomness.
    """
    size, n, _ = graphs.shape
    model = fusion.model
    weight = np.zeros((size, n, n))
    intercept, variance = np.zeros((size, n)), np.empty((size, n))
    all_codes = fusion.scores.codes(graphs)
    for child in range(n):
        candidates, codes = fusion.scores.candidates[child], all_codes[:, child]
        shifts = _drawn_hits(fusion, child, codes, rng)
        moments = {}  # of the rows, by the regimes that shift them: families share them
        keys, which = np.unique(np.stack([codes, shifts]), axis=1, return_inverse=True)
        for number, (code, hit) in enumerate(keys.T):
            rows = np.flatnonzero(which.ravel() == number)
            parents = candidates[(code >> np.arange(len(candidates)) & 1).astype(bool)]
            by = tuple(r for bit, r in enumerate(fusion.unknown) if hit >> bit & 1)
            if by not in moments:
                moments[by] = fusion.groups(child, by)[0]
            group = moments[by]
            fit = regress(group, model, n, child, parents)
            s2 = model.draw_variance(n, len(parents), group.rows, fit.residual, len(rows), rng)
            noise = rng.normal(size=(len(fit.mean), len(rows))) * np.sqrt(s2)
            root = np.linalg.cholesky(fit.precision)
            drawn = fit.mean[:, None] + np.linalg.solve(root.T, noise)
            weight[np.ix_(rows, parents, np.array([child]))] = drawn[: len(parents)].T[:, :, None]
            if model.intercept:
                intercept[rows, child] = drawn[len(parents)]
            variance[rows, child] = s2
    centre, scale = fusion.centre, fusion.scale
    weight *= scale[None, None, :] / scale[None, :, None]
    intercept = centre + scale * intercept - np.einsum("i,sij->sj", centre, weight)
    return Draws(graphs, weight, intercept, variance * scale**2)


def _drawn_hits(
    fusion: Fusion, child: int, codes: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """For each graph, which of the unknown interventions shift the child, as a bit mask."""
    if fusion.hits is None:
        return np.zeros(len(codes), np.int64)
    log_p = fusion.hits[:, child][:, codes]
    gumbel = rng.gumbel(size=log_p.shape)
    return np.argmax(log_p + gumbel, axis=0).astype(np.int64)
