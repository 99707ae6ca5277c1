"""What a player may compute while it plays: a posterior, a regression, a calculator.

Every tool takes untrusted arguments and answers in short text, or `Malformed`. Nothing is evaluated
but arithmetic, through a whitelist over Python's syntax tree.
"""

from __future__ import annotations

import ast
import functools
import math
import operator
import re
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from seedo.inference import (
    GraphPrior,
    KnownNoise,
    LatticePosterior,
    Rows,
    SubsetPosterior,
    bayes_supported,
    fuse,
)
from seedo.language.scenes._dag_scene import DagScene
from seedo.language.scenes._reply import Malformed, say_number
from seedo.language.scenes._scene import Scene, Tool
from seedo.tables import Regime, Table

_LONGEST_EXPRESSION = 200
_LARGEST = 1e15  # of anything computed
_LARGEST_EXPONENT = 100.0
_WORDS: dict[str, Callable[..., float]] = {
    "abs": abs,
    "exp": math.exp,
    "log": math.log,
    "max": max,
    "min": min,
    "sqrt": math.sqrt,
}
# Possessive (`*+`): a long run of digits can be cut into numbers in exponentially many ways.
_TOKENS = re.compile(
    rf"(?:\d{{1,15}}(?:\.\d{{0,15}})?(?:e[+-]?\d{{1,2}})?|\b(?:{'|'.join(_WORDS)})\b|[-+*/(), ])*+",
    re.ASCII,
)
_OPERATORS: dict[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}


def analysis_tools(scene: Scene) -> tuple[Tool, ...]:
    """The analyses that make sense in a scene: always the calculator; in `dag` a regression, and
    the posterior where it is exact (see `inference.bayes_supported`)."""
    tools = [
        Tool(
            "calculator",
            "Arithmetic: + - * / **, brackets, abs, exp, log, max, min, sqrt.",
            {"expression": (str, "For example (1.2 - 0.3) / 2.")},
            calculate,
            acts=False,
        )
    ]
    if isinstance(scene, DagScene):
        tools.append(
            Tool(
                "regression",
                "Least squares of one variable on others over all results so far, except those in "
                "which it was itself set.",
                {
                    "variable": (str, "The variable to explain."),
                    "on": (str, "The variables that explain it, separated by spaces."),
                },
                lambda variable, on: regress(scene, variable, on),
                acts=False,
            )
        )
        if bayes_supported(scene.world.config()) is None:
            tools.append(
                Tool(
                    "posterior",
                    "Probability of every influence given all results so far; once the goal is "
                    "named, also the expected effect of every variable on it.",
                    {},
                    lambda: posterior(scene),
                    acts=False,
                )
            )
    return tuple(tools)


# -- calculator -----------------------------------------------------------------------------------


def calculate(expression: str) -> str | Malformed:
    """The value of an arithmetic expression to 6 significant digits."""
    wrong = Malformed("not-an-action", "Give arithmetic such as (1.2 - 0.3) / 2.")
    if len(expression) > _LONGEST_EXPRESSION or not _TOKENS.fullmatch(expression):
        return wrong
    try:
        value = _value(ast.parse(expression.strip(), mode="eval").body)
    except (SyntaxError, TypeError, RecursionError, MemoryError):
        return wrong
    except (ArithmeticError, ValueError):
        return Malformed("unknown-value", "This has no finite value, or one beyond 1e15.")
    return f"{value:.6g}"


def _value(node: ast.AST) -> float:
    """Raises SyntaxError for whatever is no arithmetic, ArithmeticError for what is too large."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        value = float(node.value)
    elif isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
        value = _OPERATORS[type(node.op)](_value(node.operand))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        value = _power(_value(node.left), _value(node.right))
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        value = _OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        value = float(_WORDS[node.func.id](*(_value(a) for a in node.args)))
    else:
        raise SyntaxError("not arithmetic")
    if not abs(value) <= _LARGEST:
        raise ArithmeticError("too large")
    return value


def _power(base: float, exponent: float) -> float:
    if abs(exponent) > _LARGEST_EXPONENT:
        raise ArithmeticError("too large")
    return math.pow(base, exponent)


# -- regression -----------------------------------------------------------------------------------


def regress(scene: DagScene, variable: str, on: str) -> str | Malformed:
    """Ordinary least squares with an intercept over what the scene has shown."""
    words = on.replace(",", " ").split()
    found = [scene.names.index(word[:40]) for word in (variable.strip(), *words[:50])]
    if None in found:
        return Malformed("unknown-name", f"The variables are {' '.join(scene.names.words)}.")
    child, *parents = (int(i) for i in found if i is not None)
    if not parents or child in parents or len(set(parents)) < len(parents):
        return Malformed("not-allowed", "Name one variable, and one or more different others.")
    outcome, target = _said_rows(scene)
    outcome = outcome[target != child]
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
        f"{scene.names.words[parent]} {_estimate(fit[i], errors, i)}"
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


def _said_rows(scene: DagScene) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Values as the player knows them (sign and rounding), float64[R, n], and what was set."""
    outcome, target = _rows(scene)
    signs = np.asarray(scene.names.signs, np.float64)
    return np.round(outcome * signs, scene.conditions.decimals), target


def _rows(scene: DagScene) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Every result so far, float64[R, n], and the variable set in it, -1 for none."""
    seen = scene.episode.seen[1:]
    n = scene.world.spec.n
    outcome = np.array([np.asarray(o.outcome) for o in seen], np.float64).reshape(-1, n)
    return outcome, np.array([int(o.target) for o in seen], np.int64)


# -- posterior ------------------------------------------------------------------------------------


def posterior(scene: DagScene) -> str:
    """Edges and, once the goal is named, influence on it, in the scene's names.

    Exact, over all graphs with the world's in-degree, under its noise and weights; irrelevant
    variables are left out (`SubsetPosterior`, `LatticePosterior`).
    """
    chosen = np.flatnonzero(np.asarray(scene.episode.task.relevant))
    outcome, target = _rows(scene)
    outcome = outcome[:, chosen]
    place = np.full(scene.world.spec.n + 1, -1)
    place[chosen] = np.arange(len(chosen))
    target = place[target]  # -1 takes the last entry, which is -1
    edges, ancestors, effects = _marginals(scene, outcome, target)
    order = [int(place[i]) for i in scene.names.order if place[i] >= 0]
    words = {int(place[i]): scene.names.words[i] for i in chosen}
    said = ["Probability that one directly influences the other:"]
    said += [
        f"{words[i]}: " + " ".join(f"{words[j]} {edges[i, j]:.2f}" for j in order if j != i)
        for i in order
    ]
    if scene.goal >= 0:
        goal, signs = int(place[scene.goal]), scene.names.signs
        said.append(
            f"Influence on {words[goal]}: probability that there is any, and expected change of "
            f"{words[goal]} for each 1 of the variable:"
        )
        for i in order:
            if i != goal:
                slope = effects[i, goal] * signs[chosen[i]] * signs[scene.goal]
                said.append(f"{words[i]}: {ancestors[i, goal]:.2f}, {say_number(slope, 2)}")
    return "\n".join(said)


def _marginals(
    scene: DagScene, outcome: NDArray[np.float64], target: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """P(edge), P(directed path), E[total effect], each float64[k, k]."""
    config, k = scene.world.config(), outcome.shape[1]
    most = min(config["max_parents"], k - 1)
    noise, weight = float(config["noise_variance"]), float(config["weight_scale"]) ** 2
    if not len(outcome):  # a row of zeros that sets everything tells nothing
        outcome, regime = np.zeros((1, k)), np.zeros(1, np.int64)
        regimes: tuple[Regime, ...] = (Regime("none", frozenset(range(k))),)
    else:
        regimes = (Regime("observed"), *(Regime(f"do({i})", frozenset({i})) for i in range(k)))
        regime = target + 1
    rows = len(outcome)
    table = Table(tuple(map(str, range(k))), outcome, regime, regimes, np.zeros(rows, np.int64),
                  ("scene",), np.zeros(rows, np.int64), np.arange(rows))  # fmt: skip
    graphs = LatticePosterior.from_scores(
        fuse(table, KnownNoise(noise, weight), GraphPrior(k, most)).scores
    )
    steps = scene.world.spec.steps  # one shape, hence one compilation, for the whole episode
    padded = np.full((steps, k), np.nan, np.float32)
    padded[: len(target)] = outcome[: len(target)]
    settings = np.full(steps, -1, np.int32)
    settings[: len(target)] = target
    effects = _effects(SubsetPosterior(k, most, noise, weight), Rows(padded, settings))
    return graphs.edge_marginals(), graphs.ancestor_marginals(), np.asarray(effects, np.float64)


@functools.partial(jax.jit, static_argnums=0)
def _effects(model: SubsetPosterior, rows: Any) -> Any:
    return model.effect_matrix(rows)
