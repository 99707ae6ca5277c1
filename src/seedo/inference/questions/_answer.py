"""What an answer is, and what all kinds of answers are made with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.inference.exact._causal_posterior import CausalPosterior
from seedo.inference.exact._conflicts import PairConflict
from seedo.inference.questions import _query as q
from seedo.inference.scores._row_groups import within_units
from seedo.tables import Table

LEVEL = 0.95
UNIDENTIFIED = 0.05
"""Posterior mass of graphs that leave an effect open, above which it is not answered."""


@dataclass(frozen=True)
class Answer:
    """What is said to one question.

    Attributes:
        question: in its canonical form.
        rung: of Pearl's ladder; None for questions about the graph.
        answer: one sentence.
        value, low, high: the number asked for and its 95 % posterior interval, where there is one.
        refused: why there is no answer; "" if there is.
        assumes: what the answer takes for granted.
        rests_on: which data.
        warnings: what may make it wrong.
        table: rows, for answers that are lists.
        checks: what was checked and held.
        probability: that there is an effect, apart from its size; None where graph or design fix
            it, or it cannot be said.
        refutations: what was tried to refute it, where that was asked for: plain JSON values,
            `refuter`, `verdict`, `line` and numbers each.
    """

    question: str
    rung: int | None
    answer: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    refused: str = ""
    assumes: tuple[str, ...] = ()
    rests_on: str = ""
    warnings: tuple[str, ...] = ()
    table: tuple[dict[str, Any], ...] = field(default=())
    checks: tuple[str, ...] = ()
    probability: float | None = None
    refutations: tuple[dict[str, Any], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            **self.__dict__,
            "assumes": list(self.assumes),
            "warnings": list(self.warnings),
            "table": list(self.table),
            "checks": list(self.checks),
            "refutations": list(self.refutations),
        }


def data_in_words(posterior: CausalPosterior) -> str:
    """E.g. "220 rows: 200 observed, 20 interventional (do(X): 12, do(Z): 8)"."""
    table = posterior.table
    observed = int(table.observational.sum())
    names = [table.regimes[i].name for i in table.regime[~table.observational]]
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    text = f"{table.rows:,} rows: {observed:,} observed, {table.rows - observed:,} interventional"
    if counts:
        listed = [f"{name}: {count:,}" for name, count in list(counts.items())[:12]]
        more = len(counts) - len(listed)
        text += f" ({', '.join(listed)}{f', and {more} more' if more > 0 else ''})"
    return text


def number(x: float) -> str:
    """Three significant digits, more of numbers from a thousand to a million."""
    if x == 0 or not math.isfinite(x):
        return f"{x:g}"
    if 999.5 <= abs(x) < 1e6:
        return f"{x:.0f}"
    return f"{x:.3g}" if 1e-3 <= abs(x) < 1e6 else f"{x:.2e}"


def setting_in_words(table: Table, variables: Sequence[int], values: Sequence[float]) -> str:
    """E.g. "do(temp = 67, solvent = DMF)"."""
    parts = []
    for i, value in zip(variables, values, strict=True):
        column = table.columns[i]
        level = column.named and value in range(len(column.levels))
        shown = column.levels[int(value)] if level else f"{value:.6g}"
        parts.append(f"{table.variables[i]} = {shown}")
    return f"do({', '.join(parts)})"


def assumptions(posterior: CausalPosterior) -> tuple[str, ...]:
    model = posterior.fusion.model
    noise = "unknown variance" if model.standardise else "known variance"
    limit = posterior.fusion.prior.max_parents
    factors = posterior.table.factors
    p = posterior.fusion.prior.edge_probability
    said = (
        p is not None
        and not (p[:, ~factors] == 0.5)[~np.eye(len(p), dtype=bool)[:, ~factors]].all()
    )
    prior = "your statements about edges" if said else "uniform over graphs"
    if factors.any():
        names = np.array(posterior.table.variables)[factors]
        prior += f" in which nothing causes {', '.join(names)}, set in every row"
    if limit is not None:
        prior += f" with at most {limit} parents a variable"
    found: tuple[str, ...] = (
        _mechanisms(posterior) + noise,
        "no hidden common causes, no cycles",
        "rows are independent; an intervention acts on its stated targets only",
        f"prior: {prior}",
    )
    if held := _held(posterior.table):
        found = (*found, held)
    if not posterior.fusion.scores.full:
        k = posterior.fusion.scores.k
        found = (*found, f"direct causes are sought among {k} candidates a variable")
    return found


def _held(table: Table) -> str:
    """What is taken out of every variable before its causes are weighed."""
    said = []
    if within_units(table):
        said.append(f"every {table.unit_name or 'unit'} has a constant of its own")
    if table.time is not None:
        said.append("a smooth trend in time moves no variable through another")
    return "; ".join(said)


def _mechanisms(posterior: CausalPosterior) -> str:
    fusion = posterior.fusion
    if fusion.mechanisms is None:
        return "every variable is a linear function of its causes plus normal noise of "
    kinds = set(fusion.mechanisms.kinds)
    said = []
    if "levels" in kinds:
        said.append("levels follow tables of shares or logistic regressions")
    if "count" in kinds:
        said.append("counts are Poisson or negative binomial")
    if "number" in kinds:
        said.append("numbers are straight, bent or joint functions of their causes (or their "
                    "logarithms or normal scores are) plus normal noise of ")  # fmt: skip
    return "; ".join(said) if said[-1].endswith(" of ") else "; ".join(said) + "; noise of "


def spread(values: NDArray[np.float64]) -> tuple[float, float, float]:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(values.mean()), float(low), float(high)


def interval(low: float, high: float) -> str:
    """An interval in words: `[0.12, 0.3]`."""
    return f"[{number(low)}, {number(high)}]"


def independence(table: Table) -> str:
    """What intervals take for granted of rows, or of the units that they belong to."""
    if table.unit is None:
        return "rows are independent of each other"
    return f"units ({table.unit_name or 'unit'}) are independent of each other"


def refuse(reason: str, **more: Any) -> Answer:
    return Answer("", None, f"Not answered: {reason}", refused=reason, **more)


def why_open(posterior: CausalPosterior, causes: Sequence[int], outcomes: Sequence[int]) -> str:
    """Why the data leave effects of some variables on others open; "" if they do not."""
    names = posterior.table.variables
    for cause in causes:
        for outcome in outcomes:
            mass = posterior.unidentified(cause, outcome)
            if mass <= UNIDENTIFIED:
                continue
            beside = np.argsort(-posterior.open_edges[cause])
            neighbours = [names[k] for k in beside if posterior.open_edges[cause, k] > UNIDENTIFIED]
            edges = ", ".join(f"{names[cause]} - {k}" for k in neighbours[:3])
            return (
                f"the effect of {names[cause]} on {names[outcome]} is not identified from these "
                f"data: graphs with {mass:.0%} of the posterior probability leave open which way "
                f"{edges or names[cause]} points, and equally good graphs disagree about the "
                f"effect; an experiment that sets {names[cause]} would decide it"
            )
    return ""


def conflict_about(posterior: CausalPosterior, cause: int, outcome: int) -> PairConflict | None:
    """The measured effect, if observations contradict it, or experiments as a whole."""
    conflicts = posterior.conflicts
    for pair in conflicts.pairs if conflicts.contradicted else ():
        if (pair.cause, pair.effect) == (cause, outcome) and (pair.contradicted or conflicts.whole):
            return pair
    return None


def inside(event: q.Event, x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether values lie in an event; its ends have probability 0."""
    found: NDArray[np.bool_] = (x >= event.low) & (x <= event.high)
    return found
