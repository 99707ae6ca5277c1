"""Advice from a table of rows: what is known, what is not, and what to try next."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seedo import __version__
from seedo.errors import UserError
from seedo.inference import CausalPosterior, Goal, Plan, plan_experiments
from seedo.inference.exact import Progress
from seedo.inference.questions import data_in_words, default_options, number
from seedo.tables import LARGEST_VALUE

CERTAIN = 0.95
_UNDECIDED = 0.02  # bits of an edge's own entropy that make it worth naming


@dataclass(frozen=True)
class Advice:
    """What `advise` found.

    Attributes:
        posterior: what the rows say.
        plan: what to try next.
        goal: None if only the graph matters.
        notes: what was noticed while reading the table, one line each.
        command: what was asked, for the report.
    """

    posterior: CausalPosterior
    plan: Plan
    goal: Goal | None
    notes: tuple[str, ...] = ()
    command: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return self.posterior.table.variables

    def edges(self, least: float = 0.05) -> list[dict[str, Any]]:
        """Edges by probability, with whether any row of these data could orient them."""
        graph, n = self.posterior.graph.edges, len(self.names)
        rows = [
            {
                "parent": self.names[i],
                "child": self.names[j],
                "probability": float(graph[i, j]),
                "reverse": float(graph[j, i]),
                "certain": bool(graph[i, j] >= CERTAIN),
                "direction_open": bool(self.posterior.open_edges[i, j] > 0.5),
            }
            for i in range(n)
            for j in range(n)
            if i != j and graph[i, j] >= least
        ]
        return sorted(rows, key=lambda r: -r["probability"])

    def causes(self) -> list[dict[str, Any]]:
        """Who moves whom for certain, directly or through others."""
        reach = self.posterior.graph.ancestors
        return [
            {"cause": name, "effects": [self.names[j] for j in np.flatnonzero(reach[i] >= CERTAIN)]}
            for i, name in enumerate(self.names)
            if (reach[i] >= CERTAIN).any()
        ]

    def effects(self) -> list[dict[str, Any]]:
        """Total effect of every variable on the goal: mean, 95 % interval, whether identified."""
        if self.goal is None:
            return []
        at = self.goal.variable
        effects = self.posterior.draws.total_effects()[:, :, at]
        low, high = np.quantile(effects, [0.025, 0.975], axis=0)
        rows = [
            {
                "variable": self.names[i],
                "effect": float(effects[:, i].mean()),
                "low": float(low[i]),
                "high": float(high[i]),
                "causes": float(self.posterior.graph.ancestors[i, at]),
                "unidentified": self.posterior.unidentified(i, at),
            }
            for i in range(len(self.names))
            if i != at
        ]
        return sorted(rows, key=lambda r: -abs(r["effect"]))

    def experiments(self) -> list[dict[str, Any]]:
        """The plan, with reasons."""
        return [
            {
                "experiment": f"do({self.names[c.target]} = {number(c.value)})",
                "target": self.names[c.target],
                "value": c.value,
                "bits": c.bits,
                "bits_error": c.bits_error,
                "gain": None if self.goal is None else c.gain,
                "gain_error": None if self.goal is None else c.gain_error,
                "cost": c.cost,
                "reason": self._reason(c.target),
            }
            for c in self.plan.chosen
        ]

    def _reason(self, target: int) -> str:
        """The open questions next to the variable that is set."""
        edges = self.posterior.graph.edges
        doubt = []
        for other in range(len(self.names)):
            for i, j in ((target, other), (other, target)):
                p = edges[i, j]
                if i != j and 0 < p < 1:
                    entropy = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
                    doubt.append((entropy, f"{self.names[i]} -> {self.names[j]} ({p:.2f})"))
        doubt.sort(key=lambda item: -item[0])
        named = [text for entropy, text in doubt[:3] if entropy > _UNDECIDED]
        if not named:
            return "its own edges are settled; it helps through its descendants"
        return f"undecided next to it: {', '.join(named)}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        posterior, conflicts, plan = self.posterior, self.posterior.conflicts, self.plan
        action, rhat = plan.action, posterior.graph.max_rhat
        return {
            "data": data_in_words(posterior),
            "variables": list(self.names),
            "notes": list(self.notes),
            "method": posterior.graph.method,
            "converged": posterior.graph.converged,
            # JSON has no infinity: chains that never moved and differ.
            "max_rhat": rhat if rhat is not None and np.isfinite(rhat) else None,
            "entropy_bits": posterior.graph.entropy_bits,
            "experiments": self.experiments(),
            "stop": plan.stop,
            "best_action": None
            if action is None
            else {
                "target": self.names[action.target],
                "value": action.value,
                "mean": action.mean,
                "low": action.low,
                "high": action.high,
            },
            "edges": self.edges(),
            "causes": self.causes(),
            "effects": self.effects(),
            "contradicted": conflicts.contradicted,
            "log_bayes_factor": conflicts.log_bayes_factor,
            "conflicts": [
                {"cause": self.names[p.cause], "effect": self.names[p.effect],
                 "measured": p.measured, "standard_error": p.standard_error,
                 "predicted": list(p.predicted), "p_value": p.p_value}
                for p in conflicts.pairs
                if p.contradicted
            ],
            "seedo_version": __version__,
        }  # fmt: skip


def advise(
    posterior: CausalPosterior,
    *,
    budget: int = 1,
    goal: str | None = None,
    can_set: Sequence[str] | None = None,
    values: Mapping[str, Sequence[float]] | None = None,
    costs: Mapping[str, float] | None = None,
    prefer: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Advice:
    """The next experiments for a user's data.

    Args:
        posterior: what the data say.
        budget: how many experiments to plan.
        goal: "maximize Y" or "minimize Y"; None if only the graph matters.
        can_set: variables that can be set; all (but the goal) if None.
        values: what a variable can be set to; its 5 and 95 % points in the table if not given.
        costs: of an experiment on a variable; 1 if not given.
        prefer: "bits" or "gain", see `plan_experiments`.
        seed: of the outcomes drawn.
        progress: called with (done, in all).

    Raises:
        UserError: an unknown variable, a goal that cannot be read, a bad number.
    """
    names = posterior.table.variables
    if not isinstance(budget, int) or isinstance(budget, bool) or not 1 <= budget <= 100:
        raise UserError("budget", budget, "use a whole number from 1 to 100")
    aim = None if goal is None else read_goal(goal, names)
    if aim is None and prefer == "gain":
        raise UserError("prefer", prefer, "there is nothing to gain without a goal: name one")
    allowed = set(range(len(names)))
    if can_set is not None:
        allowed = {known_variable(name, names, "can-set") for name in can_set}
    if aim is not None:
        allowed.discard(aim.variable)
    if not allowed:
        raise UserError("can-set", can_set, "name a variable other than the goal")
    choices = {known_variable(name, names, "values"): own for name, own in (values or {}).items()}
    price = {known_variable(name, names, "costs"): own for name, own in (costs or {}).items()}
    for target, cost in price.items():
        if not np.isfinite(cost) or cost <= 0:
            raise UserError(f"costs {names[target]}", cost, "give a number above 0")
    options = [o for o in default_options(posterior) if o[0] in allowed and o[0] not in choices]
    for target, own in choices.items():
        if target not in allowed:
            raise UserError("values", names[target], "it cannot be set: add it to can-set")
        if not own or not all(abs(v) <= LARGEST_VALUE for v in own):
            remedy = f"give finite numbers, at most {LARGEST_VALUE:.0e} in size"
            raise UserError(f"values {names[target]}", own, remedy)
        options += [(target, float(v)) for v in dict.fromkeys(own)]
    options.sort()
    plan = plan_experiments(
        posterior,
        options,
        budget=budget,
        goal=aim,
        costs=[price.get(target, 1.0) for target, _ in options],
        prefer=prefer,
        seed=seed,
        progress=progress,
    )
    return Advice(posterior, plan, aim)


_GOAL = re.compile(r"\s*(maximi[sz]e|raise|minimi[sz]e|lower)\s+(.+?)\s*", re.IGNORECASE)


def read_goal(text: str, names: Sequence[str]) -> Goal:
    """`maximize Y` or `minimize Y` (also raise, lower).

    Raises:
        UserError: anything else, or an unknown variable.
    """
    found = _GOAL.fullmatch(text)
    if not found:
        raise UserError("goal", text, "write 'maximize NAME' or 'minimize NAME'")
    verb, name = found[1].lower(), found[2].strip("`\"'")
    return Goal(known_variable(name, names, "goal"), 1 if verb[:2] in ("ma", "ra") else -1)


def known_variable(name: str, names: Sequence[str], field: str) -> int:
    """Position of a variable.

    Raises:
        UserError: there is none of this name; `field` is what named it.
    """
    if name in names:
        return list(names).index(name)
    near = difflib.get_close_matches(name, names, 3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    raise UserError(field, name, f"use one of {listed}{hint}")
