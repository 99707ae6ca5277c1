"""Advice where variables were set in every row: which settings to run next."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seedo import __version__
from seedo.errors import UserError
from seedo.evaluation._advice import known_variable, read_goal
from seedo.inference import Goal
from seedo.inference.design import SettingChoice, SettingsPlan, plan_settings
from seedo.inference.questions import number, setting_in_words
from seedo.tables import LARGEST_VALUE, Table

_POOR = 0.2
"""Share of the outcome's variance that is predicted, under which it is said."""
_LOST = 0.1
"""Share of failed runs from which on it is said what that may do."""


@dataclass(frozen=True)
class SettingsAdvice:
    """What `advise_settings` found.

    Attributes:
        table: the runs.
        plan: what to run next.
        goal: None if only the response matters.
        notes: what was noticed while reading the table, one line each.
        command: what was asked, for the report.
    """

    table: Table
    plan: SettingsPlan
    goal: Goal | None
    notes: tuple[str, ...] = ()
    command: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return self.table.variables

    @property
    def data(self) -> str:
        """E.g. "60 runs over temp, conc"."""
        listed = ", ".join(f.name for f in self.plan.region.factors)
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
        plan, found = self.plan, []
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
        ends = []
        region, best = plan.region, plan.best.values if plan.best else ()
        for k, value in enumerate(best):
            factor, fine = region.factors[k], 10.0 ** -region.decimals[k]
            if factor.levels:
                continue
            # Rounding may leave a setting short of an end; whole numbers apart are no rounding.
            near = min(fine, 0.02 * (factor.high - factor.low))
            if not factor.low - fine <= value <= factor.high + fine:
                found.append(f"{factor.name} = {number(value)} lies outside what was tried")
            elif region.choices[k] is None and not factor.low + near < value < factor.high - near:
                ends.append(f"{factor.name} = {number(value)}")
        first = plan.chosen[0] if self.goal is not None and plan.chosen else None
        if first is not None and first.gain <= 2 * first.gain_error:
            found.append("no setting is expected to do better than the best that was tried: "
                         "further runs there would confirm it")  # fmt: skip
        if ends:
            listed = ", ".join(ends[:4]) + (f" and {len(ends) - 4} more" if ends[4:] else "")
            found.append(f"the best lies at the end of what was tried ({listed}): there may be "
                         "better beyond")  # fmt: skip
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        best, tried = self.plan.best, self.plan.tried
        return {
            "data": self.data,
            "variables": list(self.names),
            "factors": [f.name for f in self.plan.region.factors],
            "notes": list(self.notes),
            "method": "response to factors",
            "models": self.models(),
            "experiments": self.experiments(),
            "best_action": None if best is None else self._point(best),
            "best_tried": None if tried is None else self._point(tried),
            "remarks": self.remarks(),
            "seedo_version": __version__,
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


def advise_settings(
    table: Table,
    *,
    budget: int = 1,
    goal: str | None = None,
    can_set: Sequence[str] | None = None,
    values: Mapping[str, Sequence[float | str]] | None = None,
    prefer: str | None = None,
    seed: int = 0,
) -> SettingsAdvice:
    """The next runs where variables were set in every row.

    Args:
        table: runs, with at least one factor that varies.
        budget: how many runs to plan.
        goal: "maximize Y" or "minimize Y", of a measured variable; None if only the response
            matters.
        can_set: factors that may be set anew; all if None.
        values: what a factor can be set to: numbers, or names of its levels; its range in the
            table, or its levels, if not given.
        prefer: "bits" to learn about the response, "gain" for the goal.
        seed: of draws.

    Raises:
        UserError: an unknown variable or level, a goal that cannot be read or was itself set, too
            few runs.
    """
    names = table.variables
    if not isinstance(budget, int) or isinstance(budget, bool) or not 1 <= budget <= 100:
        raise UserError("budget", budget, "use a whole number from 1 to 100")
    if prefer not in (None, "bits", "gain"):
        raise UserError("prefer", prefer, "use bits or gain")
    aim = None if goal is None else read_goal(goal, names)
    if aim is None and prefer == "gain":
        raise UserError("prefer", prefer, "there is nothing to gain without a goal: name one")
    allowed = None
    if can_set is not None:
        allowed = [known_variable(name, names, "can-set") for name in can_set]
    choices = {}
    for name, own in (values or {}).items():
        at = known_variable(name, names, "values")
        choices[at] = [_coded(table, at, value) for value in own]
        if not choices[at]:
            raise UserError("values", name, "give at least one value")
    plan = plan_settings(table, goal=aim, budget=budget, can_set=allowed, values=choices,
                         prefer=prefer, seed=seed)  # fmt: skip
    return SettingsAdvice(table, plan, aim)


def _coded(table: Table, variable: int, value: float | str) -> float:
    """A level's position, or the number itself."""
    column = table.columns[variable]
    if column.named:
        if str(value) not in column.levels:
            listed = ", ".join(column.levels[:12])
            raise UserError(f"values {column.name}", value, f"use one of {listed}")
        return float(column.levels.index(str(value)))
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not abs(found) <= LARGEST_VALUE:
        remedy = f"give finite numbers, at most {LARGEST_VALUE:.0e} in size"
        raise UserError(f"values {column.name}", value, remedy)
    return found
