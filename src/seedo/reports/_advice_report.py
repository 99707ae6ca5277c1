"""Advice as a page and as tables for the terminal."""

from __future__ import annotations

import os

from markupsafe import Markup
from rich.table import Table

from seedo.evaluation import Advice
from seedo.inference.questions import number
from seedo.reports._advice_frame import plan_table, write_advice_page
from seedo.reports._graph_figure import graph_figure


def write_advice(advice: Advice, path: str | os.PathLike[str]) -> None:
    """Writes one HTML file that needs nothing else; whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    posterior = advice.posterior
    goal = None if advice.goal is None else advice.goal.variable
    picture = graph_figure(advice.names, posterior.graph.edges, posterior.open_edges, goal)
    write_advice_page(
        path,
        "advice.html",
        advice,
        posterior=posterior,
        edges=advice.edges(),
        effects=advice.effects(),
        candidates=advice.plan.candidates[:20],
        names=advice.names,
        # matplotlib escapes the names in it.
        picture=Markup(picture),
    )


def advice_table(advice: Advice) -> Table:
    """The plan, one experiment a row."""
    rows = []
    for row in advice.experiments():
        cells = [row["experiment"], f"{row['bits']:.3f} ± {2 * row['bits_error']:.3f}"]
        if advice.goal is not None:
            cells.append(f"{number(row['gain'])} ± {number(2 * row['gain_error'])}")
        rows.append([*cells, row["reason"]])
    columns = ["bits", *([] if advice.goal is None else ["gain"]), "why"]
    return plan_table("next experiment", columns, rows, _caption(advice))


def _caption(advice: Advice) -> list[str]:
    parts = []
    if advice.plan.stop:
        parts.append(f"Stop: {advice.plan.stop}.")
    action = advice.plan.action
    if action is not None and advice.goal is not None:
        parts.append(
            f"Best action as things stand: {advice.best}, mean "
            f"{advice.goal_name} {number(action.mean)} "
            f"({number(action.low)} to {number(action.high)})."
        )
    parts += [f"{line[0].upper()}{line[1:]}." for line in advice.open]
    certain = [f"{e['parent']} -> {e['child']}" for e in advice.edges() if e["certain"]]
    parts.append(f"Certain edges: {', '.join(certain) or 'none'}.")
    if advice.posterior.conflicts.contradicted:
        parts.append("Observations and experiments contradict each other: see the report.")
    if not advice.posterior.graph.converged:
        parts.append("The sampled graphs have not converged: probabilities are rough.")
    return parts
