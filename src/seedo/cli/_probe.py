"""The command that looks inside a trained network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from seedo.cli._commands import command
from seedo.cli._console import Count, notes, print_table
from seedo.cli._options import AsJson, Seed, WorldOptions, check_count, check_seed, say_notes
from seedo.errors import UserError

FEWEST = 60


@command("probe")
def probe(
    agent: Annotated[str, typer.Argument(help="Agent folder, or pretrained:NAME.")],
    world: WorldOptions,
    episodes: Annotated[
        int, typer.Option(help="Played by the agent; a third of them is kept for testing.")
    ] = 1536,
    bayesian: Annotated[
        str | None,
        typer.Option(help="Whose next choice is looked for, none: nobody's; usual: bayes:eig."),
    ] = None,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="JSON file to write.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Figure to write, .svg.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look inside a network: what its states hold.

    And whether what it does depends on it.
    """
    check_count("episodes", episodes)
    if episodes < FEWEST:
        raise UserError("--episodes", episodes, f"use {FEWEST} or more")
    check_seed(seed)
    if figure is not None and figure.suffix.casefold() != ".svg":
        raise UserError("--figure", str(figure), "end its name in .svg")
    for option, path in (("--out", out), ("--figure", figure)):
        _check_place(option, path)
    stage = world.make()
    told = stage.notes
    from seedo import abstraction, evaluation, learning, play, reports
    from seedo.episodes import write_atomic

    player, untrained = learning.open_network(agent, stage, seed + 1)
    exact = abstraction.exact_posterior(stage) is not None
    bayesian = bayesian or ("bayes:eig" if exact else "none")
    reader = None
    if bayesian != "none":
        try:
            reader = play.find_player(bayesian, stage)
        except UserError as error:
            raise UserError("--bayesian", bayesian, error.remedy) from error
    _say(f"playing {episodes:,} episodes…")
    batch = play.episodes(stage, player, seed, "perform", 0, episodes, systems=True)
    choices = None
    if reader is not None:
        _say(f"asking {bayesian} at each of their steps…")
        choices = evaluation.reread(batch, reader, stage.spec, seed)[0]
    with Count("looking inside", "steps") as progress:
        looking = abstraction.look(player.network, untrained, stage, batch, choices, seed=seed)
        found = abstraction.look_inside(looking, progress)
    say_notes(stage, told)
    fields = {"agent": agent, "world": stage.name, "config": stage.config(), "seed": seed,
              "episodes": episodes, **found.to_json()}  # fmt: skip
    if out is not None:
        write_atomic(out, json.dumps(fields, indent=1, sort_keys=True).encode())
    if figure is not None:
        drawn = reports.svg(reports.inside_figure(found), "inside", f"Inside {agent}")
        write_atomic(figure, drawn.encode())
    if as_json:
        print(json.dumps(fields))
    else:
        print_table(reports.probe_table(found))
        print_table(reports.interchange_table(found))
    for path in (out, figure):
        if path is not None:
            _say(f"written: {path}")


def _say(line: str) -> None:
    notes.print(line, highlight=False, markup=False, soft_wrap=True)


def _check_place(option: str, path: Path | None) -> None:
    """Raises UserError for a file that could not be written once all is computed."""
    if path is None:
        return
    if path.is_dir():
        raise UserError(option, str(path), "is a folder: name a file")
    if not path.absolute().parent.is_dir():
        raise UserError(option, str(path), "there is no such folder: make it first")
