"""Ways to learn that have settings of their own: what `seedo learn --method dagger` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from seedo.cli._console import learning_bar, say
from seedo.errors import UserError

ExpertQueries = Annotated[
    int | None, typer.Option(help="dagger: steps at which the expert may be asked, in all.")
]
Expert = Annotated[
    str | None,
    typer.Option(
        help="dagger: who answers: scripted:expert (default; knows the system), bayes:eig, ..."
    ),
]
Rounds = Annotated[int | None, typer.Option(help="dagger: rounds of playing and asking (4).")]
Beta = Annotated[
    float | None, typer.Option(help="dagger: share of steps that the expert acts in round 0 (0.5).")
]
Mix = Annotated[
    float | None, typer.Option(help="dagger: by what that share shrinks each round (0.5).")
]
Ask = Annotated[
    str | None,
    typer.Option(help="dagger: which visited steps: exploit (default), balanced or uniform."),
]
Share = Annotated[
    float | None, typer.Option(help="dagger: share of minibatches with new labels (0.5).")
]

OPTIONS = {
    "expert_queries": "--expert-queries",
    "expert": "--expert",
    "rounds": "--rounds",
    "beta": "--beta",
    "decay": "--mix",
    "ask": "--ask",
    "share": "--share",
}


def refuse_dagger_options(method: str, given: Mapping[str, Any]) -> None:
    """Raises UserError if an option of DAgger was given for another method."""
    for field, value in given.items():
        if value is not None:
            raise UserError(OPTIONS[field], value, f"only for --method dagger, not {method}")


def learn_by_dagger(
    world: Any,
    logs: list[Path] | None,
    out: Path,
    imitation: Any,
    given: Mapping[str, Any],
    resume: bool,
    as_json: bool,
) -> None:
    """Carry out the command; `given` are the options of `OPTIONS`, None where left out."""
    from seedo import learning, play

    if not logs:
        raise UserError("logs", None, "give the logs that are or were imitated")
    if given["expert_queries"] is None:
        raise UserError("--expert-queries", None, "say how often the expert may be asked")
    if imitation.explanations != "none" or imitation.network == "text":
        raise UserError("--method", "dagger", "neither text nor explanations can be learnt by it")
    if imitation.minutes is not None:
        raise UserError("minutes", imitation.minutes, "DAgger counts --epochs")
    own = {k: v for k, v in given.items() if v is not None and k != "expert"}
    shared = {f.name: getattr(imitation, f.name) for f in fields(learning.Training)}
    recipe = learning.DaggerRecipe(**shared, **own)
    expert = play.find_player(given["expert"] or "scripted:expert", world, True)
    with learning_bar() as progress:
        agent = learning.learn_by_dagger(
            world, expert, logs, out, recipe, resume=resume, progress=progress
        )
    record = agent.training["dagger"]
    last = record["by_round"][-1]
    say(
        as_json,
        {"path": str(out), **agent.history[-1], "queries": record["queries"],
         "by_round": record["by_round"]},
        f"agent in {out}: {record['queries']:,} expert queries in {recipe.rounds} rounds, return "
        f"ratio {last['return_ratio']:.3f} in the last, held-out exploit loss "
        f"{last['heldout_exploit_loss']:.3f}",
    )  # fmt: skip
