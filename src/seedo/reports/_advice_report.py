"""Advice as a page and as tables for the terminal."""

from __future__ import annotations

import os

from markupsafe import Markup
from rich.box import SIMPLE
from rich.table import Table

from seedo import __version__
from seedo.evaluation import Advice
from seedo.inference.questions import data_in_words, number
from seedo.reports._graph_figure import graph_figure
from seedo.reports._page import page, write_page


def write_advice(advice: Advice, path: str | os.PathLike[str]) -> None:
    """Writes one HTML file that needs nothing else; whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    posterior = advice.posterior
    goal = None if advice.goal is None else advice.goal.variable
    picture = graph_figure(advice.names, posterior.graph.edges, posterior.open_edges, goal)
    text = page(
        "advice.html",
        {"number": number, "share": "{:.3f}".format},
        advice=advice,
        posterior=posterior,
        goal=None if goal is None else advice.names[goal],
        data=data_in_words(posterior),
        edges=advice.edges(),
        effects=advice.effects(),
        experiments=advice.experiments(),
        candidates=advice.plan.candidates[:20],
        names=advice.names,
        # matplotlib escapes the names in it.
        picture=Markup(picture),
        version=__version__,
    )
    write_page(path, text)


def advice_table(advice: Advice) -> Table:
    """The plan, one experiment a row."""
    made = Table(box=SIMPLE, padding=(0, 1, 0, 0), caption_justify="left", caption=_caption(advice))
    made.add_column("next experiment")
    made.add_column("bits", justify="right", no_wrap=True)
    if advice.goal is not None:
        made.add_column("gain", justify="right", no_wrap=True)
    made.add_column("why", overflow="fold")
    for row in advice.experiments():
        cells = [row["experiment"], f"{row['bits']:.3f} ± {2 * row['bits_error']:.3f}"]
        if advice.goal is not None:
            cells.append(f"{number(row['gain'])} ± {number(2 * row['gain_error'])}")
        made.add_row(*(cell.replace("[", r"\[") for cell in (*cells, row["reason"])))
    return made


def _caption(advice: Advice) -> str:
    parts = []
    if advice.plan.stop:
        parts.append(f"Stop: {advice.plan.stop}.")
    action = advice.plan.action
    if action is not None and advice.goal is not None:
        name = advice.names[action.target]
        parts.append(
            f"Best action as things stand: do({name} = {number(action.value)}), mean "
            f"{advice.names[advice.goal.variable]} {number(action.mean)} "
            f"({number(action.low)} to {number(action.high)})."
        )
    certain = [f"{e['parent']} -> {e['child']}" for e in advice.edges() if e["certain"]]
    parts.append(f"Certain edges: {', '.join(certain) or 'none'}.")
    if advice.posterior.conflicts.contradicted:
        parts.append("Observations and experiments contradict each other: see the report.")
    if not advice.posterior.graph.converged:
        parts.append("The sampled graphs have not converged: probabilities are rough.")
    return "\n".join(parts).replace("[", r"\[")
