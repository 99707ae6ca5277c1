"""Advice on settings of factors, as a page and as a table for the terminal."""

from __future__ import annotations

import os

from rich.table import Table

from seedo.evaluation import SettingsAdvice
from seedo.inference.design import SettingChoice
from seedo.inference.questions import interval, number
from seedo.reports._advice_frame import plan_table, write_advice_page


def write_settings_advice(advice: SettingsAdvice, path: str | os.PathLike[str]) -> None:
    """Writes one HTML file that needs nothing else; whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    plan = advice.plan
    write_advice_page(
        path,
        "settings.html",
        advice,
        models=advice.models(),
        remarks=advice.remarks(),
        best=None if plan.best is None else _point(advice, plan.best),
        tried=None if plan.tried is None else _point(advice, plan.tried),
    )


def settings_table(advice: SettingsAdvice) -> Table:
    """The plan, one run a row."""
    columns = [] if advice.goal is None else [f"{advice.goal_name} there", "gain"]
    columns += ["bits", *(["works"] if advice.plan.failed else [])]
    rows = []
    for row in advice.experiments():
        cells = [row["experiment"]]
        if advice.goal is not None:
            gain = row["gain"]
            cells += [
                f"{number(row['predicted'])} {interval(row['low'], row['high'])}",
                "" if gain is None else f"{number(gain)} ± {number(2 * row['gain_error'])}",
            ]
        cells.append(f"{row['bits']:.3f}")
        if advice.plan.failed:
            cells.append(f"{row['works']:.2f}")
        rows.append(cells)
    return plan_table("next run", columns, rows, _caption(advice))


def _point(advice: SettingsAdvice, choice: SettingChoice) -> str:
    low, high = number(choice.low), number(choice.high)
    mean = f"mean {advice.goal_name} {number(choice.mean)} ({low} to {high})"
    return f"{advice.words(choice)}, {mean}"


def _caption(advice: SettingsAdvice) -> list[str]:
    plan = advice.plan
    parts = [f"{advice.data}."]
    if plan.best is not None:
        parts.append(f"Best as things stand: {_point(advice, plan.best)}.")
    if plan.tried is not None:
        parts.append(f"Best of what was tried: {_point(advice, plan.tried)}.")
    for m in advice.models():
        parts.append(
            f"{m['outcome']}: {m['model']} model, {max(m['explained'], 0):.0%} of the variance "
            f"predicted in runs left out, a run scatters by {number(m['noise'])}."
        )
    return parts + [f"Note: {remark}." for remark in advice.remarks()]
