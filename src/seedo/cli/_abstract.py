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


@command("abstract")
def abstract(
    logs: Annotated[
        Path, typer.Argument(help="Dataset folder of world raw, or of a bench.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    steps: Annotated[int, typer.Option(help="Watched steps to learn from, at most.")] = 30_000,
    updates: Annotated[int, typer.Option(help="Updates of the network.")] = 4_000,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Learn to read variables off raw data, from which knob was set to what."""
    check_folders("logs", [logs])
    check_count("steps", steps)
    check_count("updates", updates)
    check_seed(seed)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError("--out", str(out), "is there and not empty: choose another")
    from seedo import abstraction, reports

    with Bar("abstracting") as bar:
        found = abstraction.abstract(
            logs, out, steps, updates, seed,
            lambda what, done, of: bar.show(done, of, what, f"{done:,} of {of:,}"),
        )  # fmt: skip
    if as_json:
        print(json.dumps(found.to_json()))
        return
    print_table(reports.abstraction_table(found))
    for line in reports.abstraction_lines(found):
        print(line)
    notes.print(f"written: {out}", highlight=False, markup=False, soft_wrap=True)
