"""The commands that compare and claim: review, study."""

from __future__ import annotations

import json
import math
import re
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from seedo import execution
from seedo.cli._commands import command
from seedo.cli._console import Bar, Count, notes, print_table, print_whole_or
from seedo.cli._options import AsJson, Executor, Seed, check_seed
from seedo.cli._speech import SpeechOptions, studied
from seedo.errors import UserError
from seedo.storage import Place


@command("review")
def review(
    runs: Annotated[list[Place], typer.Argument(help="Runs: folders, or s3://, gs://, az://.")],
    out: Annotated[Path | None, typer.Option(help="HTML report to write.")] = None,
    reader: Annotated[
        list[str] | None,
        typer.Option(help="A player that reads all explorations too; repeat it."),
    ] = None,
    frontier: Annotated[
        bool,
        typer.Option(
            "--frontier", help="Return against cost: experiments, FLOPs (XLA's count), time."
        ),
    ] = False,
    bits: Annotated[
        bool,
        typer.Option("--bits", help="What experiments told, against the best and any; takes long."),
    ] = False,
    strategies: Annotated[
        bool,
        typer.Option("--strategies", help="Which strategies predict experiments and answers."),
    ] = False,
    mixed: Annotated[
        bool,
        typer.Option("--mixed", help="People and others in one mixed model of scores."),
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            help="Run that others are held against on the systems both met: its player or folder "
            "(default: the best heuristic, else the first)."
        ),
    ] = None,
    card: Annotated[
        list[Path] | None,
        typer.Option(help="Model card to write, .html or .md; repeat it for both."),
    ] = None,
    executor: Executor = None,
    as_json: AsJson = False,
) -> None:
    """Compare runs: one table, intervals, floors and ceilings."""
    cards = card or []
    for path in cards:
        if path.suffix.casefold() not in CARDS:
            raise UserError("--card", str(path), f"end its name in {' or '.join(CARDS)}")
    if twice := [path for path in cards if cards.count(path) > 1]:
        raise UserError("--card", str(twice[0]), "is given twice")
    execution.check_executor(executor)
    from seedo import evaluation, play, reports

    readers = {name: partial(play.find_player, name) for name in reader or []}
    with execution.open_workers(executor) as workers, Count("review", "runs") as progress:
        result = evaluation.review(
            runs, progress, readers, bits, against, workers, mixed, strategies
        )
    if mixed and not any(run.participants for run in result.runs):
        raise UserError("--mixed", None, "no run is people's: add one, or leave it out")
    for name in reader or []:
        failed = [p for p in result.problems if f": not read by {name}: " in p]
        if failed and len(failed) == len(result.runs):
            raise UserError("--reader", name, failed[0].partition(f"not read by {name}: ")[2])
    costs = None
    if frontier:
        with Count("counting", "players") as progress:
            costs = evaluation.frontier(result, progress)
    if out is not None:
        reports.write_report(result, out, costs)
    if cards:
        from seedo import language

        words = _typed(runs, reader or [], {"bits": bits, "strategies": strategies, "mixed": mixed},
                       against, cards)  # fmt: skip
        for path in cards:
            reports.write_card(result, path, words, language.parameters_of)
    print_review(result, as_json, costs, with_matrix=bool(reader))
    for problem in result.problems:
        notes.print(f"left out: {problem}", style="yellow", markup=False, soft_wrap=True)
    if out is not None:
        notes.print(f"report in {out}", highlight=False, markup=False, soft_wrap=True)
    for path in cards:
        notes.print(f"card in {path}", highlight=False, markup=False, soft_wrap=True)


CARDS = (".html", ".md")
"""Endings of cards."""


def _typed(
    runs: list[Place],
    readers: list[str],
    flags: dict[str, bool],
    against: str | None,
    cards: list[Path],
) -> list[str]:
    """The words of the command line that writes the cards again."""
    words = ["seedo", "review", *map(str, runs)]
    words += [word for name in readers for word in ("--reader", name)]
    words += [f"--{flag}" for flag, given in flags.items() if given]
    words += [] if against is None else ["--against", against]
    return words + [word for path in cards for word in ("--card", str(path))]


def print_review(result: Any, as_json: bool, costs: Any = None, with_matrix: bool = False) -> None:
    """What a review found, as tables or as JSON."""
    from seedo import reports

    if as_json:
        found = result.to_dict() | ({"frontier": costs.to_dict()} if costs else {})
        print(json.dumps(found, sort_keys=True))
        return
    # Whoever speaks stands in one table with everybody else.
    speaks = any(run.spoken for run in result.runs)
    if speaks:
        for group in result.groups:
            print_whole_or(*reports.players_tables(group))
    elif not all(run.regret for run in result.runs):
        print_table(reports.table(result))
        if (less := reports.less_table(result)) is not None:
            print_table(less)
    if costs is not None:
        print_table(reports.frontier_table(costs))
        for agent, reason in costs.reasons:
            notes.print(f"{agent}: experiments only: {reason}", style="yellow")
    more = (
        reports.regret_table,
        reports.beside_table,
        reports.mixed_table,
        reports.information_table,
        reports.strategies_table,
    )
    for beside in (table(result) for table in more):
        if beside is not None:
            print_table(beside)
    if with_matrix:
        print_table(reports.matrix(result))


@command("study")
def study(
    name: Annotated[str, typer.Argument(help="`seedo list studies` names them.")],
    speech: SpeechOptions,
    out: Annotated[
        Path | None, typer.Option(help="Folder (default studies/NAME-SCALE, -PLAYER).")
    ] = None,
    scale: Annotated[
        str, typer.Option(help="quick: minutes; full: up to hours, smaller intervals.")
    ] = "quick",
    seed: Seed = 0,
    player: Annotated[
        str | None,
        typer.Option(
            help="recitation, prompts: llm:MODEL, a text agent's folder or pretrained:dag-text; "
            "watched-models: hf:FOLDER."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="lab-vs-reality: recorded campaigns; people: their logs.")
    ] = None,
    executor: Executor = None,
    machine_hours: Annotated[
        float | None, typer.Option(help="Hours of all workers together that cells may take.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Test a claim: design, what would refute it, result. The same command resumes it."""
    check_seed(seed)
    execution.check_executor(executor)
    if machine_hours is not None and not 0 < machine_hours < math.inf:
        raise UserError("--machine-hours", machine_hours, "give hours above 0, e.g. 0.5")
    speech.check()
    if player is None and speech.given():
        raise UserError("--player", None, "without one, nobody is prompted or paid: name it")
    from seedo import evaluation, reports, studies

    subject = None if player is None else studied(player, speech)
    ending = "" if player is None else "-" + re.sub(r"[^\w.-]+", "-", player).strip("-")
    folder = out or Path("studies") / f"{name}-{scale}{ending}"
    with execution.open_workers(executor) as workers, Bar(name) as bar:
        try:
            finding = studies.study(
                name, scale, folder, seed, say=lambda text: notes.print(text), player=subject,
                data=data, workers=workers, hours=machine_hours,
                progress=lambda done, of, note: bar.show(done, of, note if bar.bar else "", note),
            )  # fmt: skip
        except studies.OutOfHours as error:
            notes.print(f"{error}: the same command goes on", highlight=False, soft_wrap=True)
            raise typer.Exit(1) from error
    shown = folder / "report.html" if finding.runs else folder / "study.json"
    if finding.runs:
        with Count("review", "runs") as progress:
            reports.write_report(evaluation.review(finding.runs, progress), shown)
    if as_json:
        print((folder / "study.json").read_text())
        return
    for title in ("claim", "design", "refuted_if", "verdict"):
        Console(emoji=False).print(
            f"[bold]{title}[/bold]: {getattr(finding, title)}", highlight=False
        )
    notes.print(f"report in {shown}", highlight=False, soft_wrap=True)
