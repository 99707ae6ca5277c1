"""Commands about files: what is in a log, and logs from your own files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from seedo.cli._console import app, notes
from seedo.cli._options import AsJson


@app.command()
def inspect(
    logs: Annotated[Path, typer.Argument(help="Dataset or run folder.")],
    as_json: AsJson = False,
) -> None:
    """Say what is in a dataset, and whether it is whole."""
    from seedo import episodes

    found = episodes.summary(episodes.Dataset(logs))
    if as_json:
        print(json.dumps(found, sort_keys=True))
        return
    for field, value in found.items():
        Console().print(f"{field:>22}  {value}", markup=False, highlight=False)


@app.command("import")
def import_(
    table: Annotated[Path, typer.Argument(help="CSV, one row a step; see docs/logs.md.")],
    out: Annotated[Path, typer.Option(help="Dataset folder to write.")],
    experimenter: Annotated[str, typer.Option(help="Who acted.")] = "unknown",
) -> None:
    """Turn your own logs into a dataset."""
    from seedo import episodes

    batch = episodes.import_csv(table, experimenter=experimenter)
    episodes.write_batch(out, batch, shard_rows=max(1, -(-batch.rows // 20)))
    notes.print(f"{batch.rows:,} episodes in {out}")
