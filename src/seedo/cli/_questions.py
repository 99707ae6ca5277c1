"""The verbs around data: ask what they say, advise what to try next."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from seedo.cli._commands import command
from seedo.cli._console import Count, notes, print_table
from seedo.cli._options import AsJson, ReadingOptions, Seed, check_seed
from seedo.errors import UserError
from seedo.storage import Place, local_path, place

if TYPE_CHECKING:
    from seedo.inference import Beliefs, Form, GraphPrior, NoiseModel
    from seedo.tables import Table

Data = Annotated[
    list[Path],
    typer.Argument(
        help="A log folder, or tables: CSV, Parquet, Excel, Stata, SPSS.", show_default=False
    ),
]


@dataclass(frozen=True)
class TableOptions(ReadingOptions):
    """How data are read."""

    targets: Annotated[
        str | None,
        typer.Option(
            help="Column, or file, that says what was done in which rows: docs/tables.md."
        ),
    ] = None
    sources: Annotated[
        str | None, typer.Option(help="Column with each row's source, or `file`.")
    ] = None
    drop: Annotated[list[str] | None, typer.Option(help="Columns that are no variables: a,b.")] = (
        None
    )
    keep: Annotated[
        list[str] | None, typer.Option(help="The only columns that are variables: a,b.")
    ] = None
    episode: Annotated[int | None, typer.Option(help="The episode that is asked about.")] = None
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Do not say how columns were read, unless it is odd.")
    ] = False


@dataclass(frozen=True)
class BeliefOptions:
    """What is known or believed before the data, and how the posterior is drawn from."""

    graph: Annotated[
        Path | None,
        typer.Option("--graph", help="The graph, if it is known: docs/identification.md."),
    ] = None
    require: Annotated[
        list[str] | None, typer.Option(help="An edge that is there: A->B; repeat it.")
    ] = None
    forbid: Annotated[list[str] | None, typer.Option(help="An edge that is not there: A->B.")] = (
        None
    )
    believe: Annotated[
        list[str] | None, typer.Option(help="How probable an edge is: A->B=0.8.")
    ] = None
    max_parents: Annotated[int | None, typer.Option(help="Most direct causes of a variable.")] = (
        None
    )
    draws: Annotated[int, typer.Option("--draws", help="Posterior draws.")] = 2000
    seed: Seed = 0

    def check(self) -> None:
        """Raises UserError for what cannot be, whatever the data."""
        if not 100 <= self.draws <= 100_000:
            raise UserError("--draws", self.draws, "use a whole number from 100 to 100000")
        check_seed(self.seed)


@command("ask")
def ask(
    data: Annotated[
        list[str],
        typer.Argument(help="A log folder or data files, then the question.", show_default=False),
    ],
    table: TableOptions,
    beliefs: BeliefOptions,
    nonlinear: Annotated[
        bool, typer.Option("--nonlinear", help="Curves whatever the rows say.")
    ] = False,
    linear: Annotated[
        bool, typer.Option("--linear", help="Straight lines and a posterior over graphs alone.")
    ] = False,
    refute: Annotated[
        bool,
        typer.Option("--refute", help="Try to refute an effect: docs/refuters.md."),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="HTML page; .png, .npy, .npz: what would have been shown (docs/raw.md)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask what data say: `seedo ask data.csv "effect of X on Y"`."""
    if len(data) < 2:
        raise UserError("question", None, "give the data first and then the question, in quotes")
    *files, question = data
    paths = [place(f) for f in files]
    check_files(paths)
    if nonlinear and linear:
        raise UserError("--linear", None, "leave out one of --linear and --nonlinear")
    if out is not None:
        _check_report(out, paths)
    beliefs.check()
    rows = _rows(paths, table, question, beliefs)
    from seedo import inference

    form: Form = "nonlinear" if nonlinear else "linear" if linear else "auto"
    believed = _beliefs(rows, beliefs, form)
    if out is not None and out.suffix.casefold() in _SHOTS:
        if refute:
            raise UserError("--refute", None, f"only effects can be refuted: leave out {out}")
        _ask_shown(paths, question, rows, believed, out, as_json)
        return
    with Count("sampling graphs", "sweeps") as progress:
        found = inference.ask(question, rows.table, believed, progress)
    found = replace(found, assumes=(*found.assumes, *rows.through))
    if refute:
        with Count("refuting", "answers") as progress:
            found = inference.refute(question, rows.table, found, believed, progress)
    if out is not None:
        from seedo import reports

        asked = shlex.join(["seedo", *sys.argv[1:]])
        reports.write_answer(found, out, rows.table.title, rows.notes, asked)
    _say_read(rows, as_json)
    if as_json:
        from seedo import reports

        print(json.dumps(reports.answer_json(found, rows.table, rows.notes), sort_keys=True))
        return
    _print_answer(found)
    if out is not None:
        notes.print(f"page in {out}", highlight=False, markup=False, soft_wrap=True)


_SHOTS = (".png", ".npy", ".npz")
"""Endings of files that hold what would have been shown."""


def _ask_shown(
    paths: Sequence[Place], question: str, rows: _Rows, believed: Beliefs, out: Path, as_json: bool
) -> None:
    """A counterfactual about a step of a log, and what the step would have shown."""
    from seedo import abstraction, reports
    from seedo.episodes import Dataset

    if not _is_log(paths):
        raise UserError("--out", str(out), "tables show nothing raw: use a log of through:FOLDER")
    with Count("sampling graphs", "sweeps") as progress:
        found = abstraction.imagine(Dataset(paths[0]), question, rows.table, believed, progress)
    if found.shot is not None:
        reports.write_shot(found.shot, out)
    answer = replace(found.answer, assumes=(*found.answer.assumes, *rows.through))
    _say_read(rows, as_json)
    if as_json:
        told = {**answer.to_dict(), "notes": rows.notes, "shown": found.to_json()}
        print(json.dumps(told, sort_keys=True))
        return
    _print_answer(answer)
    for line in reports.imagined_lines(found):
        print(line)
    if found.shot is not None:
        notes.print(f"written: {out}", highlight=False, markup=False, soft_wrap=True)


@command("advise")
def advise(
    data: Data,
    table: TableOptions,
    beliefs: BeliefOptions,
    goal: Annotated[str | None, typer.Option(help='"maximize Y" or "minimize Y".')] = None,
    budget: Annotated[int, typer.Option(help="How many experiments to plan.")] = 1,
    out: Annotated[Path, typer.Option(help="HTML report to write.")] = Path("advice.html"),
    can_set: Annotated[
        list[str] | None,
        typer.Option(
            help="Variables that can be set: a,b (default: those that rows set; all if none does)."
        ),
    ] = None,
    values: Annotated[
        list[str] | None, typer.Option(help="What a variable can be set to: X=0,1,2; repeat it.")
    ] = None,
    ranges: Annotated[
        list[str] | None,
        typer.Option("--range", help="What a factor can be set to: X=0..5; repeat it."),
    ] = None,
    constraint: Annotated[
        list[str] | None,
        typer.Option(help='What settings have to keep: "2 a + b <= 3"; repeat it.'),
    ] = None,
    avoid: Annotated[
        list[str] | None,
        typer.Option(help='What must not come together: "kind=A, temp>80"; repeat it.'),
    ] = None,
    cost: Annotated[
        list[str] | None, typer.Option(help="Cost of an experiment on a variable: X=3; repeat it.")
    ] = None,
    prefer: Annotated[
        str | None, typer.Option(help="bits or gain (default: gain if there is a goal).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """From a table of your own to the next experiments, with reasons."""
    check_files(data)
    _check_report(out, data)
    beliefs.check()
    rows = _rows(data, table, goal or "", beliefs)
    from seedo import evaluation, inference, reports, tables

    wanted = evaluation.read_wishes(
        rows.table,
        budget=budget,
        goal=goal,
        can_set=tables.said_names("--can-set", can_set) if can_set else None,
        values=values or (),
        ranges=ranges or (),
        constraints=constraint or (),
        avoid=avoid or (),
        costs=cost or (),
        prefer=prefer,
        mark="--",
    )
    found: Any
    write: Any
    shown: Any
    if evaluation.settings_vary(rows.table):
        found = evaluation.advise_settings(rows.table, wanted, seed=beliefs.seed)
        write, shown = reports.write_settings_advice, reports.settings_table
    else:
        with Count("sampling graphs", "sweeps") as progress:
            assumed = _beliefs(rows, beliefs)
            posterior = inference.posterior(rows.table, assumed, progress)
        with Count("planning", "evaluations") as progress:
            found = evaluation.advise(
                posterior, wanted, straight=assumed.form == "linear", seed=beliefs.seed,
                progress=progress,
            )  # fmt: skip
        write, shown = reports.write_advice, reports.advice_table
    asked = shlex.join(["seedo", *sys.argv[1:]])
    found = replace(found, notes=tuple(rows.notes), command=asked)
    write(found, out)
    _say_read(rows, as_json)
    if as_json:
        print(json.dumps(found.to_dict(), sort_keys=True))
        return
    print_table(shown(found))
    notes.print(f"report in {out}", highlight=False, markup=False, soft_wrap=True)


def check_files(paths: Sequence[Place]) -> None:
    """Raises UserError for data that are not there."""
    for path in paths:
        if isinstance(path, Path) and not path.exists():
            raise UserError(str(path), None, "there is no such file or folder")


def _check_report(out: Path, data: Sequence[Place]) -> None:
    """Raises UserError for a report that could not be written, or would take the place of a file
    that is none: data, a graph, roles."""
    if not out.name or out.is_dir():
        given = str(out) if out.name else ""
        raise UserError("--out", given, "name a file to write, e.g. advice.html")
    if any(isinstance(path, Path) and out.exists() and out.samefile(path) for path in data):
        raise UserError("--out", str(out), "these are the data: name another file")
    if out.exists() and not _report(out):
        remedy = "there is such a file, and it is no report: name another one"
        raise UserError("--out", str(out), remedy)
    folder = next(parent for parent in out.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UserError("--out", str(out), f"nothing can be written in {folder}: name another one")


def _report(path: Path) -> bool:
    """Whether a file is an HTML page of ours."""
    try:
        with path.open("rb") as file:
            return b'<meta name="generator" content="seedo' in file.read(1000)
    except OSError:
        return False


class _Rows:
    """Rows about one system, and what was noticed on the way."""

    def __init__(
        self, table: Table, model: NoiseModel | None, prior: GraphPrior | None,
        found: list[str], read: list[str], through: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.table, self.model, self.prior, self.notes = table, model, prior, found
        self.read, self.through = read, through


def _say_read(rows: _Rows, as_json: bool) -> None:
    """Says what was noticed in reading: with the answer, so that an error stays one line."""
    for note in rows.notes:
        notes.print(note, style="yellow", highlight=False, markup=False, soft_wrap=True)
    for line in () if as_json else rows.read:
        notes.print(line, style="dim", highlight=False, markup=False, soft_wrap=True)


def _rows(
    given: Sequence[Place], how: TableOptions, question: str, beliefs: BeliefOptions
) -> _Rows:  # fmt: skip
    episode = how.episode
    if _is_log(given):
        for option, column in (("--targets", how.targets), ("--sources", how.sources)):
            if column is not None:
                raise UserError(option, column, "a log says itself what was done: leave it out")
        for option, names in (("--drop", how.drop), ("--keep", how.keep), ("--types", how.types),
                              ("--roles", how.roles), ("--missing", how.missing)):  # fmt: skip
            if names:
                raise UserError(option, ",".join(names), "only for tables, not for logs")
        named = re.search(r"\bin\s+episode\s+(\d{1,18})\b", question, re.IGNORECASE)
        from seedo import inference

        through = _seen_through(given[0])
        try:
            return _Rows(*inference.log_rows(given[0], episode), [], [], through)
        except UserError as error:
            if episode is None and named and error.field == "episode":
                return _Rows(*inference.log_rows(given[0], int(named[1])), [], [], through)
            raise
    if episode is not None:
        raise UserError("--episode", episode, "only logs have episodes")
    from seedo import tables

    paths = [local_path("data", path) for path in given]
    table, found = tables.read_table(
        paths,
        how.targets,
        sources=how.sources,
        drop=how.drop or (),
        keep=how.keep,
        reading=how.reading(paths, f"{question}\n{_graph_text(beliefs.graph)}"),
    )
    return _Rows(table, None, None, found, [] if how.quiet else tables.described(table))


def _is_log(paths: Sequence[Place]) -> bool:
    """Whether it is a log that is asked: in a store nothing else can be."""
    if len(paths) != 1:
        return False
    return not isinstance(paths[0], Path) or (paths[0] / "manifest.json").is_file()


def _seen_through(log: Place) -> tuple[str, ...]:
    """How the variables of a log were read, where they were not told."""
    from seedo import episodes, worlds

    origin = episodes.Dataset(log).origin
    if not worlds.kind_of(origin.world, origin.world_config).reads_variables:
        return ()
    try:
        return worlds.from_config(origin.world, json.loads(origin.world_config)).notes
    except UserError as error:
        return (f"variables were read off something raw, with what errors cannot be told: {error}",)


def _graph_text(path: Path | None) -> str:
    """What a graph's file says, so that the columns that it names stay variables."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:1_000_000] if path else ""
    except OSError:
        return ""  # said where the graph is read


def _beliefs(rows: _Rows, said: BeliefOptions, form: Form = "auto") -> Beliefs:
    from seedo import inference

    graph = None
    if said.graph is not None:
        graph = inference.read_graph(said.graph, rows.table.variables, rows.table.useless)
    return inference.stated_beliefs(
        rows.table, graph=graph, require=said.require or (), forbid=said.forbid or (),
        believe=said.believe or (), max_parents=said.max_parents, prior=rows.prior,
        model=rows.model, form=form, draws=said.draws, seed=said.seed, mark="--",
    )  # fmt: skip


def _print_answer(found: Any) -> None:
    console = Console(emoji=False)

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
    if found.checks:
        line(f"checked and held: {', '.join(found.checks)}", "dim")
    line(f"assumes: {'; '.join(found.assumes)}", "dim")
    for warning in found.warnings:
        line(f"warning: {warning}", "yellow")
    for tried in found.refutations:
        style = "yellow" if tried["verdict"] == "noticed" else "dim"
        line(f"{tried['verdict']}: {tried['line']}", style)
