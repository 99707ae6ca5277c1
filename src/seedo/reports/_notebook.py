"""What a notebook shows of results: tables and pictures in place of a line of Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from seedo.episodes import Dataset, summary
from seedo.evaluation import Advice, Review
from seedo.inference import CausalPosterior, KnownGraph
from seedo.inference.questions import Answer, data_in_words, number
from seedo.reports._answer_report import picture_of
from seedo.reports._estimates import short, text
from seedo.reports._figures import figures
from seedo.reports._graph_figure import graph_figure
from seedo.reports._page import page
from seedo.reports._report import references, units
from seedo.statistics import Estimate, MixedEffects
from seedo.tables import Table

_ROWS = 5
_EDGES = 20
_EDGE = 0.05
Rows = Sequence[Mapping[str, Any]]


def notebook_html(shown: Any) -> str:
    """HTML of a dataset, review, answer, advice, table, graph, posterior or estimate.

    It needs nothing else, follows the notebook's colours, and all text from data is escaped.

    Raises:
        TypeError: something else.
    """
    for kind, show in _SHOWN.items():
        if isinstance(shown, kind):
            return page(
                "notebook.html", {"cell": _cell, "filled": _filled}, **(_NOTHING | show(shown))
            )
    known = "a dataset, review, answer, advice, table, graph, posterior or estimate"
    raise TypeError(f"no display for {type(shown).__name__}: give {known}")


_NOTHING: dict[str, Any] = {
    "lead": "", "facts": {}, "warnings": (), "tables": {}, "pictures": (), "notes": (),
}  # fmt: skip


def _filled(rows: Rows) -> list[str]:
    """Names of the columns in which something stands."""
    return [name for name in rows[0] if any(row.get(name) not in (None, "") for row in rows)]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "" if value is None else str(value)


def _dataset(data: Dataset) -> dict[str, Any]:
    told = summary(data)
    facts = {
        "world": told["world"],
        "experimenter": told["experimenter"],
        "episodes": told["rows"],
        "steps": told["steps"],
        "variables": ", ".join(told["variables"]),
        "seeds": ", ".join(map(str, told["seeds"][:8])),
        "return": told["returns"],
        "omniscient": told["oracle_return"],
        "random": told["random_return"],
        "return ratio": told["return_ratio"],
    }
    broken = () if told["complete"] else ("not complete: some episodes are missing or damaged",)
    phases = [
        {"phase": phase, "steps an episode": steps, **told["target_frequency"].get(phase, {})}
        for phase, steps in told["steps_by_phase"].items()
        if steps
    ]
    return {
        "title": str(data.path),
        "facts": {name: value for name, value in facts.items() if value not in (None, "")},
        "warnings": [*broken, *told["damage"]],
        "tables": {"share of steps on each variable": phases},
    }


def _review(review: Review) -> dict[str, Any]:
    tables = {}
    for group in review.groups:
        rows: list[dict[str, Any]] = [
            {
                "player": run.agent,
                "n": units(run),
                "return ratio [95 %]": text(run.metrics.return_ratio),
                "Bayes ratio [95 %]": text(run.metrics.bayes_ratio),
                "match": short(run.metrics.action_match, percent=True),
            }
            for run in group.runs
        ]
        rows += [
            {"player": name, "n": f"{e.n:,}", "return ratio [95 %]": text(e)}
            for name, e in references(group)
        ]
        tables[group.label] = rows
    warnings = [f"{run.agent}: {line}" for run in review.runs for line in run.warnings]
    drawn = figures(review)
    return {
        "title": f"Review of {len(review.runs)} run{'' if len(review.runs) == 1 else 's'}",
        "warnings": [*review.problems, *warnings],
        "tables": tables,
        "pictures": [Markup(drawn[name]) for name in ("Return ratio",) if name in drawn],
        "notes": ["reports.write_report writes the page with everything"],
    }


def _answer(found: Answer) -> dict[str, Any]:
    lines = [*found.assumes]
    if found.checks:
        lines.append("checked and held: " + ", ".join(found.checks))
    refuted = [
        {"refuter": r["refuter"], "verdict": r["verdict"], "why": r["line"]}
        for r in found.refutations
    ]
    picture = picture_of(found)
    return {
        "title": found.question,
        "lead": found.answer,
        "warnings": found.warnings,
        "tables": {"": list(found.table), "what was tried to refute it": refuted},
        "pictures": [Markup(picture)] if picture else [],
        "notes": [found.rests_on, *lines],
    }


def _table(table: Table) -> dict[str, Any]:
    columns = [
        {
            "column": column.name,
            "type": column.type,
            "role": column.role,
            "unit": column.unit,
            "missing": column.missing,
            "levels": ", ".join(column.levels[:8]) + (", ..." if len(column.levels) > 8 else ""),
        }
        for column in table.columns
    ]
    first = [
        {
            "done": table.regimes[table.regime[row]].name,
            **{
                column.name: _read(column.levels if column.named else (), table.values[row, i])
                for i, column in enumerate(table.columns)
            },
        }
        for row in range(min(_ROWS, table.rows))
    ]
    return {
        "title": table.title or "table",
        "facts": {"rows": table.rows, "observed": int(table.observational.sum())},
        "warnings": [f"{c.name}: {note}" for c in table.columns for note in c.notes],
        "tables": {"columns": columns, f"first {len(first)} rows": first},
    }


def _read(levels: Sequence[str], value: float) -> str:
    if np.isnan(value):
        return ""
    return levels[int(value)] if levels else number(float(value))


def _graph(graph: KnownGraph) -> dict[str, Any]:
    place = {name: i for i, name in enumerate(graph.variables)}
    hidden = np.zeros((len(place), len(place)), np.bool_)
    for one, other in graph.bidirected:
        hidden[place[one], place[other]] = True
    edges = graph.adjacency.astype(float)
    picture = graph_figure(graph.variables, edges, np.zeros_like(edges), hidden=hidden)
    title = f"{len(place)} variables, {len(graph.directed)} edges"
    if graph.bidirected:
        causes = "cause" if len(graph.bidirected) == 1 else "causes"
        title += f", {len(graph.bidirected)} hidden common {causes} (dashed, two heads)"
    return {"title": title, "pictures": [Markup(picture)], "notes": graph.notes}


def _posterior(posterior: CausalPosterior, goal: int | None = None) -> dict[str, Any]:
    names, edges = posterior.table.variables, posterior.graph.edges
    order = np.argsort(-edges, axis=None, kind="stable")[:_EDGES]
    pairs = [divmod(int(at), len(names)) for at in order]
    rows = [
        {
            "edge": f"{names[i]} → {names[j]}",
            "probability": f"{edges[i, j]:.3f}",
            "of the other way": f"{edges[j, i]:.3f}",
            "direction": "no row can tell" if posterior.open_edges[i, j] > 0.5 else "",
        }
        for i, j in pairs
        if edges[i, j] >= _EDGE
    ]
    warnings = []
    if posterior.conflicts.contradicted:
        warnings.append("observations and experiments contradict each other")
    if not posterior.graph.converged:
        warnings.append("the sampled graphs have not converged: probabilities are rough")
    picture = graph_figure(names, edges, posterior.open_edges, goal)
    return {
        "title": "Posterior over graphs",
        "lead": data_in_words(posterior),
        "warnings": warnings,
        "tables": {"most probable edges": rows},
        "pictures": [Markup(picture)],
        "notes": [
            "blue: probability 0.95 or more; orange, dashed: less; grey, no head: no row of these "
            "data can tell the direction"
        ],
    }


def _advice(advice: Advice) -> dict[str, Any]:
    told = _posterior(advice.posterior, None if advice.goal is None else advice.goal.variable)
    rows = [
        {
            "next experiment": row["experiment"],
            "bits": f"{row['bits']:.3f} ± {2 * row['bits_error']:.3f}",
            **(
                {}
                if advice.goal is None
                else {"gain": f"{number(row['gain'])} ± {number(2 * row['gain_error'])}"}
            ),
            "why": row["reason"],
        }
        for row in advice.experiments()
    ]
    stop = f"stop: {advice.plan.stop}" if advice.plan.stop else ""
    return told | {
        "title": f"What to try next {advice.purpose}".strip(),
        "lead": stop or told["lead"],
        "warnings": [*advice.notes, *told["warnings"]],
        "tables": {"plan": rows, "effects on " + (advice.goal_name or ""): advice.effects()}
        | told["tables"],
    }


def _mixed(found: MixedEffects) -> dict[str, Any]:
    rows = [{"effect": name, "estimate [95 %]": text(e)} for name, e in found.effects.items()]
    facts = {"answers": found.answers, "items": found.items, "runs": found.runs}
    return {
        "title": found.model,
        "facts": facts,
        "tables": {"": [*rows, {"effect": "mean level", "estimate [95 %]": text(found.level)}]},
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    lead = text(estimate)
    return {"title": "Estimate [95 %]", "lead": lead, "facts": {"n": estimate.n},
            "warnings": [estimate.reason] if estimate.reason else []}  # fmt: skip


_SHOWN: dict[type, Callable[[Any], dict[str, Any]]] = {
    Dataset: _dataset,
    Review: _review,
    Answer: _answer,
    Advice: _advice,
    Table: _table,
    KnownGraph: _graph,
    CausalPosterior: _posterior,
    MixedEffects: _mixed,
    Estimate: _estimate,
}
