"""The verb lab: the web lab, and the data of studies run in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from understudy.cli._console import app, notes
from understudy.errors import UserError

lab_app = typer.Typer(
    help="A lab in the browser: build, play, watch, compare, look back, run studies with people.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
app.add_typer(lab_app, name="lab")


@lab_app.callback()
def lab(
    context: typer.Context,
    data: Annotated[
        Path, typer.Option(help="Folder for games, challenges and responses; made if missing.")
    ] = Path("lab"),
    logs: Annotated[
        list[Path] | None, typer.Option(help="Folder whose logs may be looked at (default: here).")
    ] = None,
    agent: Annotated[
        list[str] | None, typer.Option(help="An agent folder that joins the cast.")
    ] = None,
    llm: Annotated[
        list[str] | None,
        typer.Option(help="A language model that joins the cast, as Inspect names it."),
    ] = None,
    study: Annotated[
        Path | None, typer.Option(help="A study file (TOML) for human participants.")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(help="URL of the responses, e.g. postgresql+psycopg://...; default SQLite."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than loopback need --token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any free one.")] = 8787,
    token: Annotated[
        str | None,
        typer.Option(envvar="UNDERSTUDY_LAB_TOKEN", help="What a researcher's browser must show."),
    ] = None,
    browse: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Start the lab on this machine and open a browser."""
    if context.invoked_subcommand is not None:
        return
    try:
        from understudy.lab import LabSettings, serve
    except ImportError as error:
        missing = 'install it: pip install "understudy[web]"'
        raise UserError("lab", error.name, f"it needs the extra web; {missing}") from error
    settings = LabSettings(
        data=data,
        logs=tuple(logs or [Path()]),
        agents=tuple(agent or ()),
        models=tuple(llm or ()),
        study=study,
        database=database,
        host=host,
        port=port,
        token=token,
    )
    serve(settings, browse, lambda line: notes.print(line, highlight=False, soft_wrap=True))
