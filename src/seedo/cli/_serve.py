"""The verb serve-mcp: worlds for agents that act through tools elsewhere."""

from __future__ import annotations

import dataclasses
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from seedo.cli._commands import command
from seedo.cli._console import notes
from seedo.cli._options import Resume, Seed, WorldOptions, check_count, check_seed
from seedo.errors import UserError, whole

HOME, PORT = "127.0.0.1", 8000


@command("serve-mcp")
def serve_mcp(
    world: WorldOptions,
    out: Annotated[
        Path | None, typer.Option(help="Run folder to write; without, nothing is kept.")
    ] = None,
    episodes: Annotated[int, typer.Option(help="With --out: how many systems there are.")] = 100,
    name: Annotated[str, typer.Option(help="With --out: who plays, for the log.")] = "agent",
    stream: Annotated[str, typer.Option(help="Of the episodes.")] = "perform",
    prompt: Annotated[
        list[str] | None,
        typer.Option(help="A switch of the prompt, e.g. tools=analysis; repeat it."),
    ] = None,
    seed: Seed = 0,
    http: Annotated[bool, typer.Option("--http", help="Serve HTTP, not stdin and stdout.")] = False,
    host: Annotated[str, typer.Option(help="With --http: the address.")] = HOME,
    port: Annotated[int, typer.Option(help="With --http: the port.")] = PORT,
    resume: Resume = False,
) -> None:
    """Serve a world to agents through MCP tools."""
    check_count("episodes", episodes)
    check_seed(seed)
    whole("port", port, 0, 65_535)
    for option, value, usual in (("--host", host, HOME), ("--port", port, PORT)):
        if not http and value != usual:
            raise UserError(option, str(value), "only with --http")
    if resume and out is None:
        raise UserError("--resume", None, "give --out, the run to go on with")
    if find_spec("mcp") is None:
        raise UserError("mcp", None, 'it needs the extra mcp; install it: pip install "seedo[mcp]"')
    stage = world.make()
    from seedo import language

    conditions = language.read_conditions(prompt or [])
    if conditions.tools == "none":
        conditions = dataclasses.replace(conditions, tools="actions")
    plan = language.RunPlan.of(stage, seed, {"conditions": conditions, "stream": stream})
    run = None if out is None else language.AgentRun(plan, name, episodes, out, resume)
    try:
        sessions = language.Sessions(plan, run)
        if http:
            if host not in language.MCP_HOME:
                notes.print("whoever reaches this address can play: it asks for no password")
            language.serve_http(sessions, host, port, lambda where: _say(stage, run, where))
        else:
            _say(stage, run, "stdin and stdout")
            language.serve_stdio(sessions)
    finally:
        if run is not None:
            run.close()


def _say(stage: Any, run: Any, where: str) -> None:
    kept = f", {run.finished} of {run.count} episodes finished in {run.path}" if run else ""
    line = f"world {stage.name} on {where}{kept}"
    notes.print(line, highlight=False, markup=False, soft_wrap=True)
