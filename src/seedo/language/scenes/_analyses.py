"""What a player may have computed of its results while it plays: a regression, the posterior.

Both take untrusted arguments and answer in short text, or `Malformed`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from seedo.inference import GraphPrior, KnownNoise
from seedo.inference.exact import (
    LatticePosterior,
    SubsetPosterior,
    posterior_of,
    relevant_rows,
)
from seedo.inference.scores import Rows, fuse
from seedo.language.scenes._names import Names
from seedo.language.scenes.replies import Malformed, say_number
from seedo.tables import Regime, Table


class Results(NamedTuple):
    """Every result so far.

    Attributes:
        outcome: float64[R, n].
        target: int64[R], the variable set, -1 for none.
    """

    outcome: NDArray[np.float64]
    target: NDArray[np.int64]


def regress(names: Names, results: Results, variable: str, on: str) -> str | Malformed:
    """Ordinary least squares with an intercept over results as the player knows them."""
    words = on.replace(",", " ").split()
    found = [names.index(word[:40]) for word in (variable.strip(), *words[:50])]
    if None in found:
        return Malformed("unknown-name", f"The variables are {names.listed()}.")
    child, *parents = (int(i) for i in found if i is not None)
    if not parents or child in parents or len(set(parents)) < len(parents):
        return Malformed("not-allowed", "Name one variable, and one or more different others.")
    outcome = results.outcome[results.target != child]
    size = 1 + len(parents)
    if len(outcome) < size:
        return f"{len(outcome)} results are too few for {size} coefficients."
    design = np.column_stack([np.ones(len(outcome)), outcome[:, parents]])
    fit, _, rank, _ = np.linalg.lstsq(design, outcome[:, child], rcond=None)
    if rank < size:
        return "These variables did not vary independently: no unique coefficients."
    errors = _standard_errors(design, outcome[:, child] - design @ fit)
    said = [f"{len(outcome)} results.", f"intercept {_estimate(fit[0], errors, 0)}"]
    said += [
        f"{names.words[parent]} {_estimate(fit[i], errors, i)}"
        for i, parent in enumerate(parents, 1)
    ]
    return "\n".join(said)


def _standard_errors(
    design: NDArray[np.float64], residual: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """None where the fit uses up every row."""
    free = len(design) - design.shape[1]
    if free < 1:
        return None
    variance = residual @ residual / free
    errors: NDArray[np.float64] = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))
    return errors


def _estimate(value: float, errors: NDArray[np.float64] | None, at: int) -> str:
    said = say_number(float(value), 2)
    return said if errors is None else f"{said} (standard error {errors[at]:.2f})"


def say_posterior(
    names: Names,
    results: Results,
    relevant: NDArray[np.bool_],
    goal: int,
    config: Mapping[str, Any],
    steps: int,
) -> str:
    """Edges and, once the goal is named (not -1), influence on it.

    Exact, over all graphs with the world's in-degree, under its noise and weights; irrelevant
    variables are left out (`SubsetPosterior`, `LatticePosterior`).
    """
    places, rows = relevant_rows(results.outcome[None], results.target[None], relevant[None])
    chosen = places[0]
    edges, ancestors, effects = _marginals(config, Rows(rows.outcome[0], rows.target[0]), steps)
    place = {int(variable): at for at, variable in enumerate(chosen)}
    order = [place[i] for i in names.order if i in place]
    words = [names.words[i] for i in chosen]
    said = ["Probability that one directly influences the other:"]
    said += [
        f"{words[i]}: " + " ".join(f"{words[j]} {edges[i, j]:.2f}" for j in order if j != i)
        for i in order
    ]
    if goal >= 0:
        on, signs = place[goal], names.signs
        said.append(
            f"Influence on {words[on]}: probability that there is any, and expected change of "
            f"{words[on]} for each 1 of the variable:"
        )
        for i in order:
            if i != on:
                slope = effects[i, on] * signs[chosen[i]] * signs[goal]
                said.append(f"{words[i]}: {ancestors[i, on]:.2f}, {say_number(slope, 2)}")
    return "\n".join(said)


def _marginals(
    config: Mapping[str, Any], rows: Rows, steps: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """P(edge), P(directed path), E[total effect], each float64[k, k]."""
    outcome, target = np.asarray(rows.outcome, np.float64), np.asarray(rows.target)
    k = outcome.shape[1]
    model = posterior_of(config, k)
    prior = GraphPrior(k, min(config["max_parents"], k - 1))
    noise = KnownNoise(
        model.noise_variance, model.weight_variance, root_variance=model.root_variance
    )
    if not len(outcome):  # a row of zeros that sets everything tells nothing
        outcome, regime = np.zeros((1, k)), np.zeros(1, np.int64)
        regimes: tuple[Regime, ...] = (Regime("none", frozenset(range(k))),)
    else:
        regimes = (Regime("observed"), *(Regime(f"do({i})", frozenset({i})) for i in range(k)))
        regime = target + 1
    count = len(outcome)
    table = Table(tuple(map(str, range(k))), outcome, regime, regimes, np.zeros(count, np.int64),
                  ("scene",), np.zeros(count, np.int64), np.arange(count))  # fmt: skip
    graphs = LatticePosterior.from_scores(fuse(table, noise, prior).scores)
    # One shape, hence one compilation, for the whole episode.
    padded = np.full((steps, k), np.nan, np.float32)
    padded[: len(target)] = outcome[: len(target)]
    settings = np.full(steps, -1, np.int32)
    settings[: len(target)] = target
    effects = _effects(model, Rows(padded, settings))
    return graphs.edge_marginals(), graphs.ancestor_marginals(), np.asarray(effects, np.float64)


@functools.partial(jax.jit, static_argnums=0)
def _effects(model: SubsetPosterior, rows: Any) -> Any:
    return model.effect_matrix(rows)
