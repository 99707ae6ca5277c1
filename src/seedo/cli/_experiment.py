"""The command that experiments on the user's own system."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seedo.cli._commands import command
from seedo.cli._console import Bar, notes, print_table, say_odd
from seedo.cli._options import AsJson
from seedo.errors import UserError

if TYPE_CHECKING:
    from seedo.play.campaign import Campaign

NEXT = "next.csv"
"""Proposals to be filled in, in the campaign's folder."""


@command("experiment")
def experiment(
    campaign: Annotated[
        Path | None, typer.Argument(help="The campaign's file; --example writes one.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Its folder [default: its name, beside the file].")
    ] = None,
    player: Annotated[str | None, typer.Option(help="Who chooses, instead of the file's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the file's.")] = None,
    budget: Annotated[int | None, typer.Option(help="Runs in all, instead of the file's.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Runs measured at once, instead of the file's.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show how the file is read and what comes first.")
    ] = False,
    propose: Annotated[
        bool, typer.Option("--propose", help="Print the next runs to make, and end.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option(help="Results of proposed runs, filled into a table or JSON.")
    ] = None,
    export: Annotated[
        bool, typer.Option("--export", help="Only write table, log and report of what there is.")
    ] = False,
    example: Annotated[
        bool, typer.Option("--example", help="Print a campaign's file to begin with.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Propose experiments on your own system, one after another."""
    from seedo.play import campaign as play

    if example:
        print(play.EXAMPLE, end="")
        return
    if campaign is None:
        raise UserError("CAMPAIGN", None, "missing: give a campaign's file; --example writes one")
    ways = {"--dry-run": dry_run, "--propose": propose, "--record": record, "--export": export}
    chosen = [name for name, given in ways.items() if given]
    if len(chosen) > 1:
        raise UserError(" and ".join(chosen), None, "give one of them")
    plan = play.read_plan(campaign, out).with_changes(
        player=player, seed=seed, budget=budget, workers=workers
    )
    with play.Campaign(plan, out, say=say_odd, dry=dry_run) as live:
        if dry_run:
            _dry(live, as_json)
        elif propose:
            _propose(live, as_json)
        elif record:
            _record(live, record, as_json)
        else:
            _go(live, export, as_json)


def _note(line: str) -> None:
    notes.print(line, highlight=False, markup=False, soft_wrap=True)


def _dry(live: Campaign, as_json: bool) -> None:
    """How the file is read, and what would be proposed; nothing is written or measured."""
    plan = live.plan
    most = max(plan.batch, min(plan.workers, plan.budget))
    waits = [run.setting for run in live.waiting]
    settings = waits or live.preview(min(most, plan.budget))
    if as_json:
        shown = {"plan": plan.to_json(), "next": [plan.space.named(x) for x in settings],
                 "rows": list(live.earlier.told)}  # fmt: skip
        if plan.graph is not None:
            shown["graph"] = list(live.chooser.told(live.known))
        print(json.dumps(shown, sort_keys=True))
        return
    for line in _described(live):
        print(line)
    print("waiting for a result:" if waits else "next:")
    for setting in settings:
        print(f"  {plan.space.words(setting)}")


def _described(live: Campaign) -> list[str]:
    from seedo.spaces import Forbidden

    plan = live.plan
    lines = [f"campaign {plan.name}: {plan.budget:,} runs, {live.made} made; in {live.folder}"]
    for knob in plan.space.knobs:
        values = ", ".join(knob.levels) if knob.named else knob.words_of_range
        unit = f" {knob.unit}" if knob.unit else ""
        lines.append(f"  knob {knob.name}: {knob.type}, {values}{unit}")
    for constraint in plan.space.constraints:
        never = "never " if isinstance(constraint, Forbidden) else ""
        lines.append(f"  constraint: {never}{constraint}")
    if plan.graph is not None:
        lines.append(f"  graph: {', '.join(plan.graph.to_json())}")
        lines += [f"    {line}" for line in live.chooser.told(live.known)]
    for reading in plan.readings:
        ends = [f"from {reading.low:g}" if reading.low is not None else "",
                f"to {reading.high:g}" if reading.high is not None else ""]  # fmt: skip
        said = [reading.unit, f"plausible {' '.join(filter(None, ends))}" if any(ends) else ""]
        told = ", ".join(filter(None, said))
        lines.append(f"  reading {reading.name}" + (f": {told}" if told else ""))
    for goal in plan.goals.each:
        target = f" {goal.target:g}" if goal.target is not None else ""
        lines.append(f"  goal: {goal.aim} {goal.reading}{target}")
    if plan.goals.pareto:
        lines.append("  wanted: all runs that no other one beats in every goal")
    if plan.space.listed is not None:
        lines.append(f"  among {len(plan.space.listed):,} recorded settings")
    kind = plan.measure.kind
    who = "you" if kind == "user" else f"{kind} {plan.measure.target}"
    lines.append(f"  measured by {who}; chosen by {plan.player}, seed {plan.seed}")
    lines.append(f"  {plan.batch} proposed and {plan.workers} measured at once")
    return [*lines, *(f"  {line}" for line in live.earlier.told)]


def _propose(live: Campaign, as_json: bool) -> None:
    """The next runs as JSON or a table, also in the campaign's folder."""
    from seedo.episodes import write_atomic
    from seedo.play import campaign as play

    proposals = live.ask()
    if not as_json and not proposals:
        _note(f"nothing to propose: {live.finish()}")
        return
    text = play.proposals_csv(live, proposals)
    path = live.folder / NEXT
    write_atomic(path, text.encode())
    if as_json:
        print(json.dumps(play.proposals_json(live, proposals), ensure_ascii=False))
    else:
        print(text, end="")
        _note(f"also in {path}: fill it in, then: {_again('--record', str(path))}")


def _record(live: Campaign, path: Path, as_json: bool) -> None:
    from seedo.play import campaign as play

    told = play.record(live, path)
    why = live.finish()
    if as_json:
        print(json.dumps({"recorded": told, "finished": why}))
    for line in () if as_json else told:
        _note(line)
    if why:
        _end(live, why, as_json, quiet=as_json)
    elif not as_json:
        _note(f"{live.made} of {live.plan.budget} runs made; next: {_again('--propose')}")


def _go(live: Campaign, export: bool, as_json: bool) -> None:
    """Runs until the budget is used up, or the user stops."""
    _ = live.chooser  # a wrong name is said before all else
    if not (as_json or export):
        for line in _described(live):
            notes.print(line, style="dim", highlight=False, markup=False, soft_wrap=True)
    if export:
        _end(live, live.finish(), as_json)
        return
    why = _measured(live, as_json)
    if why is None:
        return
    _end(live, why, as_json)
    if not live.finish():
        _note(f"{live.made} of {live.plan.budget} runs made; this goes on: {_again()}")
        if live.plan.measure.kind != "user":
            raise typer.Exit(1)  # runs failed, one after another


def _measured(live: Campaign, as_json: bool) -> str | None:
    """Why it ended; None where the next runs were printed, because there is nobody to ask."""
    from seedo.play import campaign as play

    if live.plan.measure.kind != "user":
        with Bar("experiment") as bar:
            _progress(bar, live)
            return play.run_campaign(live, progress=lambda now: _progress(bar, now))
    if sys.stdin.isatty():
        return play.run_by_hand(live, _ask, _note)
    if live.finish():
        return live.finish()
    say_odd("no terminal to ask on: the next runs are printed")
    _propose(live, as_json)
    return None


def _ask(text: str) -> str:
    return notes.input(text, markup=False)


def _progress(bar: Bar, live: Campaign) -> None:
    failed = sum(run.state == "failed" for run in live.runs)
    notes_of = [f"{failed} failed"] if failed else []
    best, goals = live.best, live.plan.goals.readings
    if best is not None and len(goals) == 1:
        value = best.readings[live.plan.names.index(goals[0])]
        notes_of.append(f"best {goals[0]} {value:.4g}")
    made, budget = live.made, live.plan.budget
    bar.show(made, budget, ", ".join(notes_of), f"{made} of {budget} runs")


def _end(live: Campaign, why: str, as_json: bool, quiet: bool = False) -> None:
    """Table, log and report."""
    from seedo import evaluation, reports
    from seedo.play import campaign as play

    plan = live.plan
    found = evaluation.found(live, why)
    report = live.folder / "report.html"
    units = {knob.name: knob.unit for knob in plan.space.knobs}
    units |= {reading.name: reading.unit for reading in plan.readings}
    reports.write_campaign(found, units, report, _again())
    play.write_runs(live, live.folder / "runs.csv")
    if live.made:
        play.write_log(live, live.folder / "log")
    if quiet:
        return
    if as_json:
        print(json.dumps(found.to_dict(), sort_keys=True))
        return
    if found.best is not None:
        print_table(reports.campaign_table(found))
    if why:
        _note(why)
    _note(f"report in {report}; runs in {live.folder / 'runs.csv'}, as a log in "
          f"{live.folder / 'log'}")  # fmt: skip


_WAYS = ("--propose", "--record", "--dry-run", "--export")


def _again(*options: str) -> str:
    """The command that was given, with other options in the place of what it was to do."""
    words: list[str] = []
    given: list[str] = sys.argv[1:]
    skip = False
    for word in given:
        if skip:
            skip = False
        elif word == "--record":
            skip = True
        elif word not in _WAYS and not word.startswith("--record="):
            words.append(word)
    return shlex.join(["seedo", *words, *options])
