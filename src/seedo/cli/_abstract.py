"""The command that learns to read variables off raw data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from seedo.cli._commands import command
from seedo.cli._console import Bar, notes, print_table
from seedo.cli._options import AsJson, Seed, check_count, check_folders, check_seed
from seedo.errors import UserError
from seedo.storage import Place, local_path


@command("abstract")
def abstract(
    logs: Annotated[
        list[Place],
        typer.Argument(
            help="Dataset folder of world raw or of a bench; or tables, with --knobs.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    knobs: Annotated[
        str | None, typer.Option(help="Of tables: columns that were set, e.g. red,green.")
    ] = None,
    raw: Annotated[
        str | None, typer.Option(help="Of tables: what is shown (default all other numbers).")
    ] = None,
    steps: Annotated[
        int, typer.Option(help="Watched steps of a dataset to learn from, at most.")
    ] = 30_000,
    updates: Annotated[int, typer.Option(help="Updates of the network.")] = 4_000,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Learn to read variables off raw data.

    All that says what is what is which knob was set, and to what.
    """
    if knobs is None:
        _check_logs(logs, raw)
    else:
        tables = [local_path("logs", path) for path in logs]
        for path in tables:
            if path.is_dir():
                remedy = f"is for tables, and {path} is a folder: leave it out for a dataset"
                raise UserError("--knobs", knobs, remedy)
    check_count("steps", steps)
    check_count("updates", updates)
    check_seed(seed)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError("--out", str(out), "is there and not empty: choose another")
    from seedo import abstraction, reports

    with Bar("abstracting") as bar:

        def show(what: str, done: int, of: int) -> None:
            bar.show(done, of, what, f"{done:,} of {of:,}")

        if knobs is None:
            found = abstraction.abstract(logs[0], out, steps, updates, seed, show)
        else:
            shown = _names(raw) if raw is not None else ()
            found = abstraction.abstract_table(
                tables, _names(knobs), out, shown, updates, seed, show
            )
    if as_json:
        print(json.dumps(found.to_json()))
        return
    print_table(reports.abstraction_table(found))
    for line in reports.abstraction_lines(found):
        print(line)
    notes.print(f"written: {out}", highlight=False, markup=False, soft_wrap=True)


def _check_logs(logs: list[Place], raw: str | None) -> None:
    if raw is not None:
        raise UserError("--raw", raw, "is of tables: say --knobs too")
    for path in logs:
        if isinstance(path, Path) and path.is_file():
            remedy = "a table: say with --knobs which of its columns were set"
            raise UserError(str(path), None, remedy)
    check_folders("logs", logs)
    if len(logs) > 1:
        raise UserError("logs", str(logs[1]), "give one dataset folder")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
