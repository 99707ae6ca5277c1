"""Advice on settings of factors, as a page and as a table for the terminal."""

from __future__ import annotations

import os

from rich.box import SIMPLE
from rich.table import Table

from seedo import __version__
from seedo.evaluation import SettingsAdvice
from seedo.inference.design import SettingChoice
from seedo.inference.questions import number
from seedo.reports._page import page, write_page


def write_settings_advice(advice: SettingsAdvice, path: str | os.PathLike[str]) -> None:
    """Writes one HTML file that needs nothing else; whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    plan = advice.plan
    text = page(
        "settings.html",
        {"number": number, "share": "{:.3f}".format},
        advice=advice,
        goal=None if advice.goal is None else advice.names[advice.goal.variable],
        experiments=advice.experiments(),
        models=advice.models(),
        remarks=advice.remarks(),
        best=None if plan.best is None else _point(advice, plan.best),
        tried=None if plan.tried is None else _point(advice, plan.tried),
        version=__version__,
    )
    write_page(path, text)


def settings_table(advice: SettingsAdvice) -> Table:
    """The plan, one run a row."""
    made = Table(box=SIMPLE, padding=(0, 1, 0, 0), caption_justify="left", caption=_caption(advice))
    made.add_column("next run")
    goal = None if advice.goal is None else advice.names[advice.goal.variable]
    if goal is not None:
        made.add_column(f"{goal} there".replace("[", r"\["), justify="right", no_wrap=True)
        made.add_column("gain", justify="right", no_wrap=True)
    made.add_column("bits", justify="right", no_wrap=True)
    if advice.plan.failed:
        made.add_column("works", justify="right", no_wrap=True)
    for row in advice.experiments():
        cells = [row["experiment"]]
        if goal is not None:
            cells.append(f"{number(row['predicted'])} [{number(row['low'])}, "
                         f"{number(row['high'])}]")  # fmt: skip
            gain = row["gain"]
            cells.append("" if gain is None
                         else f"{number(gain)} ± {number(2 * row['gain_error'])}")  # fmt: skip
        cells.append(f"{row['bits']:.3f}")
        if advice.plan.failed:
            cells.append(f"{row['works']:.2f}")
        made.add_row(*(cell.replace("[", r"\[") for cell in cells))
    return made


def _point(advice: SettingsAdvice, choice: SettingChoice) -> str:
    assert advice.goal is not None
    goal = advice.names[advice.goal.variable]
    return (f"{advice.words(choice)}, mean {goal} {number(choice.mean)} ({number(choice.low)} to "
            f"{number(choice.high)})")  # fmt: skip


def _caption(advice: SettingsAdvice) -> str:
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
    parts += [f"{remark[0].upper()}{remark[1:]}." for remark in advice.remarks()]
    return "\n".join(parts).replace("[", r"\[")
