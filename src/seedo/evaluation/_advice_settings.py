"""Advice where variables were set in every row: which settings to run next."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from seedo.errors import UserError
from seedo.evaluation._advice_wishes import Wishes
from seedo.evaluation._advised import Advised
from seedo.inference.design import SettingChoice, SettingsPlan, plan_settings
from seedo.inference.questions import number, setting_in_words
from seedo.tables import Table

_POOR = 0.2
"""Share of the outcome's variance that is predicted, under which it is said."""
_LOST = 0.1
"""Share of failed runs from which on it is said what that may do."""


@dataclass(frozen=True, kw_only=True)
class SettingsAdvice(Advised):
    """What `advise_settings` found.

    Attributes:
        runs: the table.
        plan: what to run next.
    """

    runs: Table
    plan: SettingsPlan

    @property
    def table(self) -> Table:
        return self.runs

    @property
    def data(self) -> str:
        """E.g. "60 runs over temp, conc"."""
        listed = ", ".join((*(f.name for f in self.plan.region.factors), *self.plan.beside))
        text = f"{self.plan.runs:,} runs over {listed}"
        return text + (f", {self.plan.failed:,} without an outcome" if self.plan.failed else "")

    def settings(self, choice: SettingChoice) -> dict[str, Any]:
        """By factor, a number or the name of a level."""
        region = self.plan.region
        found: dict[str, Any] = {}
        for place, factor, value in zip(region.places, region.factors, choice.values, strict=True):
            named = self.table.columns[place]
            found[factor.name] = named.levels[int(value)] if named.named else value
        return found

    def words(self, choice: SettingChoice) -> str:
        """E.g. "do(temp = 67, conc = 5)"."""
        return setting_in_words(self.table, self.plan.region.places, choice.values)

    def experiments(self) -> list[dict[str, Any]]:
        """The plan, one run each."""
        return [
            {
                "experiment": self.words(c),
                "settings": self.settings(c),
                "predicted": _or_none(c.mean),
                "low": _or_none(c.low),
                "high": _or_none(c.high),
                "gain": _or_none(c.gain),
                "gain_error": _or_none(c.gain_error),
                "bits": c.bits,
                "works": c.works,
            }
            for c in self.plan.chosen
        ]

    def models(self) -> list[dict[str, Any]]:
        """What was fitted to each outcome, and how well it predicts runs left out."""
        return [
            {
                "outcome": self.names[i],
                "model": r.how,
                "noise": r.noise,
                "left_out_error": r.left_out,
                "explained": r.explained,
                "runs": r.rows,
            }
            for i, r in self.plan.responses.items()
        ]

    def remarks(self) -> list[str]:
        """What may make the plan wrong, or worth widening."""
        plan, found = self.plan, self._given()
        for i, response in plan.responses.items():
            if response.explained < _POOR:
                found.append(
                    f"the factors predict {max(response.explained, 0):.0%} of the variance of "
                    f"{self.names[i]} in runs left out: hardly anything is known of its optimum"
                )
        if plan.failed >= max(3, _LOST * plan.runs):
            found.append(
                f"{plan.failed:,} of {plan.runs:,} runs gave no value: the chance that a run works "
                "is taken into account, but if good settings fail more often, means are too high"
            )
        outside, ends = self._beyond()
        found += outside
        if plan.far:
            found.append("no run was near the best setting: its mean rests on the model going on "
                         "as far as that")  # fmt: skip
        first = plan.chosen[0] if self.goal is not None and plan.chosen else None
        if first is not None and first.gain <= 2 * first.gain_error:
            found.append("no setting is expected to do better than the best that was tried: "
                         "further runs there would confirm it")  # fmt: skip
        if ends:
            listed = ", ".join(ends[:4]) + (f" and {len(ends) - 4} more" if ends[4:] else "")
            found.append(f"the best lies at the end of what was tried ({listed}): there may be "
                         "better beyond")  # fmt: skip
        return found

    def _given(self) -> list[str]:
        """What is not sought, and which runs are left out."""
        plan, found = self.plan, []
        if plan.beside:
            found.append(f"{' and '.join(plan.beside)} cannot be set: means are averages over what "
                         "the runs had")  # fmt: skip
        if plan.region.held and plan.chosen:
            stays = ", ".join(
                f"{plan.region.factors[k].name} = {number(plan.chosen[0].values[k])}"
                for k in plan.region.held
            )
            found.append(f"shares that cannot be set stay in the middle of what was tried: {stays}")
        if plan.faulty:
            count, mixture = plan.faulty
            added = " + ".join(self.names[i] for i in mixture.parts)
            found.append(f"{added} is {mixture.total:g} in {plan.runs:,} runs and something else "
                         f"in {count:,}, which are left out: if it is no mixture, say so by "
                         "dropping one of them")  # fmt: skip
        return found

    def _beyond(self) -> tuple[list[str], list[str]]:
        """Remarks on settings outside what was tried, and factors that are at an end of it."""
        outside, ends = [], []
        region, best = self.plan.region, self.plan.best
        for k, value in enumerate(best.values if best else ()):
            factor, knob = region.factors[k], region.space.knobs[k]
            fine = knob.step or 1e-3 * knob.range
            if factor.levels:
                continue
            # Rounding may leave a setting short of an end; whole numbers apart are no rounding.
            near = min(fine, 0.02 * (factor.high - factor.low))
            if not factor.low - fine <= value <= factor.high + fine:
                outside.append(f"{factor.name} = {number(value)} lies outside what was tried")
            elif not knob.choices and not factor.low + near < value < factor.high - near:
                ends.append(f"{factor.name} = {number(value)}")
        return outside, ends

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        best, tried = self.plan.best, self.plan.tried
        return {
            **self.common(),
            "factors": [f.name for f in self.plan.region.factors],
            "method": "response to factors",
            "models": self.models(),
            "best_action": None if best is None else self._point(best),
            "best_tried": None if tried is None else self._point(tried),
            "remarks": self.remarks(),
        }

    def _point(self, choice: SettingChoice) -> dict[str, Any]:
        return {"settings": self.settings(choice), "mean": choice.mean, "low": choice.low,
                "high": choice.high}  # fmt: skip


def settings_vary(table: Table) -> bool:
    """Whether a variable was set in every row, to more than one value, and another measured."""
    own = table.values[:, table.factors]
    varied = [np.ptp(x[np.isfinite(x)]) > 0 for x in own.T if np.isfinite(x).any()]
    return any(varied) and not bool(table.factors.all())


def _or_none(x: float) -> float | None:
    return x if math.isfinite(x) else None


def advise_settings(table: Table, wanted: Wishes | None = None, *, seed: int = 0) -> SettingsAdvice:
    """The next runs where variables were set in every row.

    Args:
        table: runs, with at least one factor that varies.
        wanted: goal, budget and what can be set: all factors within what was tried, where nothing
            is said.
        seed: of draws.

    Raises:
        UserError: costs, which all runs have alike; a goal that was itself set; too few runs.
    """
    wanted = wanted or Wishes()
    if wanted.costs:
        raise UserError("costs", table.variables[min(wanted.costs)], "a run sets all factors, so "
                        "that all runs cost the same: leave it out")  # fmt: skip
    plan = plan_settings(table, goal=wanted.goal, budget=wanted.budget, can_set=wanted.can_set,
                         values=wanted.values, ranges=wanted.ranges,
                         constraints=wanted.constraints, prefer=wanted.prefer,
                         seed=seed)  # fmt: skip
    return SettingsAdvice(wanted.goal, runs=table, plan=plan)
