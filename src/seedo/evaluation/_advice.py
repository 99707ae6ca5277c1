"""Advice from a table of rows: what is known, what is not, and what to try next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seedo.errors import UserError
from seedo.evaluation._advice_wishes import Wishes
from seedo.evaluation._advised import Advised
from seedo.inference import CausalPosterior, Plan, plan_experiments
from seedo.inference.exact import Progress
from seedo.inference.questions import (
    BestIntervention,
    data_in_words,
    default_options,
    setting_in_words,
    told_by_form,
    why_bent,
    why_open,
)
from seedo.tables import Table

CERTAIN = 0.95
_UNDECIDED = 0.02  # bits of an edge's own entropy that make it worth naming


@dataclass(frozen=True, kw_only=True)
class Advice(Advised):
    """What `advise` found.

    Attributes:
        posterior: what the rows say.
        plan: what to try next.
        open: what these rows leave open and is not told, or is told by less than rows.
    """

    posterior: CausalPosterior
    plan: Plan
    open: tuple[str, ...] = ()

    @property
    def table(self) -> Table:
        return self.posterior.table

    @property
    def data(self) -> str:
        return data_in_words(self.posterior)

    @property
    def best(self) -> str:
        """The best action as things stand, e.g. "do(heat = 20)"; "" where none is told."""
        action = self.plan.action
        return (
            "" if action is None else setting_in_words(self.table, [action.target], [action.value])
        )

    def edges(self, least: float = 0.05) -> list[dict[str, Any]]:
        """Edges by probability, with whether any row of these data could orient them."""
        graph, n = self.posterior.graph.edges, len(self.names)
        told = graph * (1 - self.posterior.by_form)
        rows = [
            {
                "parent": self.names[i],
                "child": self.names[j],
                "probability": float(graph[i, j]),
                "reverse": float(graph[j, i]),
                "certain": bool(told[i, j] >= CERTAIN),
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
                "experiment": setting_in_words(self.table, [c.target], [c.value]),
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
            **self.common(),
            "method": posterior.graph.method,
            "converged": posterior.graph.converged,
            # JSON has no infinity: chains that never moved and differ.
            "max_rhat": rhat if rhat is not None and np.isfinite(rhat) else None,
            "entropy_bits": posterior.graph.entropy_bits,
            "stop": plan.stop,
            "open": list(self.open),
            "best_action": None
            if action is None
            else {
                "action": self.best,
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
        }  # fmt: skip


def _settable(posterior: CausalPosterior) -> list[int]:
    """What can be set, if nobody says: a reading that no row of a user's table sets can not."""
    table = posterior.table
    ever = np.flatnonzero(table.hard.any(axis=0) | table.factors).tolist()
    # Simulated worlds, whose noise is known, let anything be set.
    return ever if ever and posterior.fusion.model.standardise else list(range(table.n))


def advise(
    posterior: CausalPosterior,
    wanted: Wishes | None = None,
    *,
    straight: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Advice:
    """The next experiments for a user's data.

    Args:
        posterior: what the data say.
        wanted: goal, budget and what can be set. Where nothing is said, what was set in some rows
            of a table, and all variables but the goal if nothing was, or in a log; to their 5 and
            95 % points in the table.
        straight: along straight lines, whatever the rows say of curves.
        seed: of the outcomes drawn.
        progress: called with (done, in all).

    Raises:
        UserError: nothing is left that can be set.
    """
    wanted = wanted or Wishes()
    allowed = set(_settable(posterior) if wanted.can_set is None else wanted.can_set)
    allowed |= {*wanted.values, *wanted.costs}
    if wanted.goal is not None:
        allowed.discard(wanted.goal.variable)
    if not allowed:
        raise UserError("can-set", None, "name a variable other than the goal")
    options = [o for o in default_options(posterior)
               if o[0] in allowed and o[0] not in wanted.values]  # fmt: skip
    options += [(target, value) for target, own in wanted.values.items() for value in own]
    options.sort()
    goal, told = wanted.goal, [told_by_form(posterior)]
    if goal is not None:
        name = posterior.table.variables[goal.variable]
        best = BestIntervention(name, "raise" if goal.sign > 0 else "lower")
        if reason := why_bent(best, posterior, straight):
            told.append(f"the goal is left out: {reason}")
            goal = None
    plan = plan_experiments(
        posterior,
        options,
        budget=wanted.budget,
        goal=goal,
        costs=[wanted.costs.get(target, 1.0) for target, _ in options],
        prefer=wanted.prefer,
        seed=seed,
        progress=progress,
    )
    if goal is not None and plan.action is not None:
        if reason := why_open(posterior, [plan.action.target], [goal.variable]):
            told.append(f"the best action is not told: {reason}")
            plan = replace(plan, action=None)
    return Advice(goal, posterior=posterior, plan=plan, open=tuple(filter(None, told)))
