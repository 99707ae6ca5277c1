"""The verbs around data: ask what they say, advise what to try next."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from seedo.cli._console import Count, app, notes, print_table
from seedo.cli._options import AsJson, Seed
from seedo.errors import UserError

if TYPE_CHECKING:
    from seedo.inference import CausalPosterior, GraphPrior, KnownGraph, NoiseModel
    from seedo.tables import Table

Data = Annotated[
    list[Path],
    typer.Argument(help="A log folder, or CSV, TSV or Parquet files.", show_default=False),
]
Targets = Annotated[
    str | None,
    typer.Option(help="Column, or file, that says what was done in which rows: docs/tables.md."),
]
Sources = Annotated[str | None, typer.Option(help="Column with each row's source, or `file`.")]
Drop = Annotated[list[str] | None, typer.Option(help="Columns that are no variables: a,b.")]
Keep = Annotated[list[str] | None, typer.Option(help="The only columns that are variables: a,b.")]
Require = Annotated[list[str] | None, typer.Option(help="An edge that is there: A->B; repeat it.")]
Forbid = Annotated[list[str] | None, typer.Option(help="An edge that is not there: A->B.")]
Believe = Annotated[list[str] | None, typer.Option(help="How probable an edge is: A->B=0.8.")]
MaxParents = Annotated[int | None, typer.Option(help="Most direct causes of a variable.")]
KnownGraphFile = Annotated[
    Path | None, typer.Option("--graph", help="The graph, if it is known: docs/identification.md.")
]
DrawCount = Annotated[int, typer.Option("--draws", help="Posterior draws.")]


@app.command()
def ask(
    data: Annotated[
        list[str],
        typer.Argument(help="A log folder or data files, then the question.", show_default=False),
    ],
    targets: Targets = None,
    sources: Sources = None,
    drop: Drop = None,
    keep: Keep = None,
    episode: Annotated[int | None, typer.Option(help="The episode that is asked about.")] = None,
    graph: KnownGraphFile = None,
    nonlinear: Annotated[
        bool, typer.Option("--nonlinear", help="Mechanisms may be curved; needs --graph.")
    ] = False,
    require: Require = None,
    forbid: Forbid = None,
    believe: Believe = None,
    max_parents: MaxParents = None,
    draws: DrawCount = 2000,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Ask what data say: `seedo ask logs/ "effect of X on Y"`; see docs/questions.md."""
    from seedo import inference

    if len(data) < 2:
        raise UserError("question", None, "give the data first and then the question, in quotes")
    *files, question = data
    paths = [Path(f) for f in files]
    rows = _rows(paths, targets, sources, drop, keep, episode, question)
    for note in rows.notes:
        notes.print(note, style="yellow", highlight=False, markup=False)
    query = inference.parse(question, rows.table.variables)
    known = None if graph is None else inference.read_graph(graph, rows.table.variables)
    if nonlinear and known is None:
        raise UserError("--nonlinear", None, "needs the graph: add --graph")
    if known is not None and known.bidirected:
        found = inference.answer_with_hidden_causes(query, known, rows.table)
    elif known is not None and nonlinear:
        found = inference.answer_nonlinear(query, known, rows.table, seed)
    else:
        posterior = _posterior(rows, known, require, forbid, believe, max_parents, draws, seed)
        found = inference.answer(query, posterior)
    if as_json:
        print(json.dumps(found.to_json(), sort_keys=True))
        return
    _print_answer(found)


@app.command()
def advise(
    data: Data,
    targets: Targets = None,
    goal: Annotated[str | None, typer.Option(help='"maximize Y" or "minimize Y".')] = None,
    budget: Annotated[int, typer.Option(help="How many experiments to plan.")] = 1,
    out: Annotated[Path, typer.Option(help="HTML report to write.")] = Path("advice.html"),
    can_set: Annotated[
        list[str] | None, typer.Option(help="Variables that can be set: a,b (default: all).")
    ] = None,
    values: Annotated[
        list[str] | None, typer.Option(help="What a variable can be set to: X=0,1,2; repeat it.")
    ] = None,
    cost: Annotated[
        list[str] | None, typer.Option(help="Cost of an experiment on a variable: X=3; repeat it.")
    ] = None,
    prefer: Annotated[
        str | None, typer.Option(help="bits or gain (default: gain if there is a goal).")
    ] = None,
    sources: Sources = None,
    drop: Drop = None,
    keep: Keep = None,
    episode: Annotated[int | None, typer.Option(help="The episode that is asked about.")] = None,
    graph: KnownGraphFile = None,
    require: Require = None,
    forbid: Forbid = None,
    believe: Believe = None,
    max_parents: MaxParents = None,
    draws: DrawCount = 2000,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """From a table of your own to the next experiments, with reasons and a report."""
    from seedo import evaluation, inference, reports
    from seedo.inference._stated import numbers, one_number, pairs

    rows = _rows(data, targets, sources, drop, keep, episode, "")
    for note in rows.notes:
        notes.print(note, style="yellow", highlight=False, markup=False)
    known = None if graph is None else inference.read_graph(graph, rows.table.variables)
    posterior = _posterior(rows, known, require, forbid, believe, max_parents, draws, seed)
    with Count("planning", "evaluations") as progress:
        found = evaluation.advise(
            posterior,
            budget=budget,
            goal=goal,
            can_set=_each(can_set) if can_set else None,
            values={n: numbers("--values", t, v) for n, t, v in pairs("--values", values or ())},
            costs={n: one_number("--cost", t, v) for n, t, v in pairs("--cost", cost or ())},
            prefer=prefer,
            notes=rows.notes,
            command=shlex.join(["seedo", *sys.argv[1:]]),
            seed=seed,
            progress=progress,
        )
    reports.write_advice(found, out)
    if as_json:
        print(json.dumps(found.to_json(), sort_keys=True))
        return
    print_table(reports.advice_table(found))
    notes.print(f"report in {out}", highlight=False, markup=False, soft_wrap=True)


class _Rows:
    """Rows about one system, and what was noticed on the way."""

    def __init__(self, table: Table, model: NoiseModel | None, prior: GraphPrior | None,
                 found: list[str]) -> None:  # fmt: skip
        self.table, self.model, self.prior, self.notes = table, model, prior, found


def _rows(
    paths: list[Path],
    targets: str | None,
    sources: str | None,
    drop: list[str] | None,
    keep: list[str] | None,
    episode: int | None,
    question: str,
) -> _Rows:
    from seedo import inference, tables

    if len(paths) == 1 and (paths[0] / "manifest.json").is_file():
        for option, given in (("--targets", targets), ("--sources", sources)):
            if given is not None:
                raise UserError(option, given, "a log says itself what was done: leave it out")
        for option, names in (("--drop", drop), ("--keep", keep)):
            if names:
                raise UserError(option, ",".join(names), "only for tables, not for logs")
        named = re.search(r"\bin\s+episode\s+(\d{1,18})\b", question, re.IGNORECASE)
        try:
            return _Rows(*inference.log_rows(paths[0], episode), [])
        except UserError as error:
            if episode is None and named and error.field == "episode":
                return _Rows(*inference.log_rows(paths[0], int(named[1])), [])
            raise
    if episode is not None:
        raise UserError("--episode", episode, "only logs have episodes")
    table, found = tables.read_table(
        paths,
        targets,
        sources=sources,
        drop=_each(drop),
        keep=_each(keep) if keep else None,
    )
    return _Rows(table, None, None, found)


def _each(texts: list[str] | None) -> list[str]:
    """Names given one by one or with commas between them."""
    return [name.strip() for text in texts or [] for name in text.split(",")]


def _posterior(
    rows: _Rows,
    graph: KnownGraph | None,
    require: list[str] | None,
    forbid: list[str] | None,
    believe: list[str] | None,
    max_parents: int | None,
    draws: int,
    seed: int,
) -> CausalPosterior:
    from seedo import inference

    if not 100 <= draws <= 100_000:
        raise UserError("--draws", draws, "use a whole number from 100 to 100000")
    if not 0 <= seed < 2**32:
        raise UserError("seed", seed, "use a whole number from 0 to 4294967295")
    names = rows.table.variables
    prior = rows.prior
    if graph is not None:
        if require or forbid or believe or max_parents is not None:
            raise UserError("--graph", None, "it settles all edges: leave out --require, --forbid, "
                            "--believe and --max-parents")  # fmt: skip
        prior = inference.prior_of_graph(graph, names)
    else:
        prior = inference.stated_prior(
            names, prior, require=require or (), forbid=forbid or (), believe=believe or (),
            max_parents=max_parents, mark="--",
        )  # fmt: skip
    with Count("sampling graphs", "sweeps") as progress:
        return inference.infer(
            rows.table, rows.model, prior, draws=draws, seed=seed, progress=progress
        )


def _print_answer(found: Any) -> None:
    console = Console()

    def line(text: str, style: str = "") -> None:
        console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)

    line(found.answer, "bold" if not found.refused else "bold yellow")
    for row in found.table[:20]:
        first, *rest = (f"{v:.3g}" if isinstance(v, float) else str(v) for v in row.values())
        named = (f"{k} {v}" for k, v in zip(list(row)[1:], rest, strict=True))
        line("  " + "; ".join([first, *named]))
    if len(found.table) > 20:
        line(f"  ... {len(found.table) - 20} more with --json")
    line(f"rests on: {found.rests_on}", "dim")
    line(f"assumes: {'; '.join(found.assumes)}", "dim")
    for warning in found.warnings:
        line(f"warning: {warning}", "yellow")
