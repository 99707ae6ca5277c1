"""The commands that train: learn (imitate), dagger (ask an expert), ppo (act)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from seedo.cli._commands import command
from seedo.cli._console import Bar, say
from seedo.cli._options import AsJson, Resume, WorldOptions, check_folders
from seedo.errors import UserError
from seedo.recipes import HUB, DaggerRecipe, Group, Recipe, TuningRecipe
from seedo.storage import Place

Logs = Annotated[
    list[Place],
    typer.Argument(help="Datasets: folders, or s3://, gs://, az://.", show_default=False),
]
Out = Annotated[Path, typer.Option(help="Agent folder to write.")]


@dataclass(frozen=True)
class TuningOptions:
    """How a pretrained language model is tuned."""

    lora: Annotated[
        bool,
        typer.Option("--lora", help="hf: learn low-rank adapters, not the weights themselves."),
    ] = False
    lora_rank: Annotated[int, typer.Option(help="hf: rank of the adapters.")] = 16
    freeze: Annotated[
        int, typer.Option(help="hf: lowest layers that stay as they are, and the embeddings.")
    ] = 0
    loss_on: Annotated[
        str,
        typer.Option(
            help="hf: actions, what the experimenter said; or results, what it was told, which "
            "teaches no acting and is there to compare with."
        ),
    ] = "actions"
    slips: Annotated[
        float,
        typer.Option(
            help="hf: share of the actions that are miswritten first and put right once refused."
        ),
    ] = 0.0
    prompt: Annotated[
        list[str] | None,
        typer.Option(help="hf: a switch of the prompt, e.g. names=letters; repeat it."),
    ] = None

    def recipe(self, given: dict[str, Any]) -> TuningRecipe:
        """The recipe of these options and those that other networks have too.

        Raises:
            UserError: one of the others was given.
        """
        known = {own.name for own in fields(TuningRecipe)}
        for name in given:
            if name not in known:
                option = "--from" if name == "start" else "--" + name.replace("_", "-")
                raise UserError(option, str(given[name]), f"not for --network {HUB}FOLDER")
        rank = self.lora_rank if self.lora else 0
        return TuningRecipe(
            **given,
            lora=rank,
            freeze=self.freeze,
            loss_on=self.loss_on,
            slips=self.slips,
            prompt=tuple(self.prompt or ()),
        )

    def refuse(self) -> None:
        """Raises UserError if one of them was given to another network."""
        for own in fields(self):
            if (value := getattr(self, own.name)) != own.default:
                option = "--" + own.name.replace("_", "-")
                raise UserError(option, str(value), f"only for --network {HUB}FOLDER")


@dataclass(frozen=True)
class GroupOptions:
    """Which processes learn together."""

    processes: Annotated[int | None, typer.Option(help="Processes that share each minibatch.")] = (
        None
    )
    coordinator: Annotated[
        str | None,
        typer.Option(help="On several machines: HOST:PORT of process 0; auto: as Slurm says."),
    ] = None
    process_id: Annotated[
        int | None, typer.Option(help="Which of them this is, from 0; with --coordinator.")
    ] = None
    join_within: Annotated[float, typer.Option(help="Seconds until all must have joined.")] = (
        Group.join_within
    )

    def group(self) -> Group:
        """Them, if they can be."""
        return Group(self.processes, self.coordinator, self.process_id, self.join_within)


def _one_process(value: str | None) -> None:
    """Refuses what the command cannot do yet."""
    if value is not None:
        raise UserError("processes", value, "only `seedo learn` shares its work: leave it out")


OneProcess = Annotated[str | None, typer.Option("--processes", hidden=True, callback=_one_process)]
"""Of commands that learn in one process."""


@command("learn", {"": "seedo.recipes:Recipe"})
def learn(
    logs: Logs,
    out: Out,
    recipe: dict[str, Any],
    tuning: TuningOptions = TuningOptions(),
    together: GroupOptions = GroupOptions(),
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Imitate logs: train a network from the files alone."""
    check_folders("logs", logs)
    group = together.group()
    if str(recipe.get("network")).startswith(HUB):
        if together != GroupOptions():
            remedy = f"--network {HUB}FOLDER is tuned by one process: leave it out"
            raise UserError("processes", group.processes, remedy)
        _tune(logs, out, tuning.recipe(recipe), resume, as_json)
        return
    tuning.refuse()
    if "minutes" in recipe:
        recipe = {"epochs": None} | recipe
    made = Recipe(**recipe)
    group.check_batch(made.batch_size, made.devices)
    from seedo import learning

    with Bar("learning") as bar:
        agent = learning.learn(logs, out, made, resume=resume, progress=bar.report, group=group)
    if agent is None:
        say(as_json, {"path": None}, f"done; process 0 has written the agent to its {out}")
        return
    last = agent.history[-1]
    say(
        as_json,
        {"path": str(out), **last},
        f"agent in {out}: {agent.training['parameters']:,} parameters, "
        f"{last['episodes']:,} episodes, held-out exploit loss {last['heldout_exploit_loss']:.3f}",
    )


def _tune(logs: list[Place], out: Path, recipe: TuningRecipe, resume: bool, as_json: bool) -> None:
    from seedo import language, learning

    with Bar("learning") as bar:
        language.tune(logs, out, recipe, resume=resume, progress=bar.report)
    last = learning.read_history(out / "metrics.jsonl")[-1]
    say(
        as_json,
        {"path": str(out), **last},
        f"agent in {out}: {last['episodes']:,} episodes, held-out exploit loss "
        f"{last['heldout_exploit_loss']:.3f}; it plays as {HUB}{out}",
    )


@command("dagger", {"": "seedo.recipes:DaggerRecipe"})
def dagger(
    logs: Logs,
    out: Out,
    world: WorldOptions,
    recipe: dict[str, Any],
    expert: Annotated[
        str, typer.Option(help="Who answers, e.g. bayes:eig; scripted:expert knows the system.")
    ] = "scripted:expert",
    processes: OneProcess = None,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Imitate, and ask an expert about what the agent itself visits."""
    check_folders("logs", logs)
    made = DaggerRecipe(**recipe)
    from seedo import learning, play

    stage = world.make()
    who = play.find_player(expert, stage, True)
    with Bar("learning") as bar:
        agent = learning.learn_by_dagger(
            stage, who, logs, out, made, resume=resume, progress=bar.report
        )
    record = agent.training["dagger"]
    last = record["by_round"][-1]
    say(
        as_json,
        {"path": str(out), **agent.history[-1], "queries": record["queries"],
         "by_round": record["by_round"]},
        f"agent in {out}: {record['queries']:,} expert queries in {made.rounds} rounds, return "
        f"ratio {last['return_ratio']:.3f} in the last, held-out exploit loss "
        f"{last['heldout_exploit_loss']:.3f}",
    )  # fmt: skip


@command("ppo", {"dag": "seedo.recipes:FineTuning", "rooms": "seedo.recipes:ReinforcementRecipe"})
def ppo(
    out: Out,
    world: WorldOptions,
    recipe: dict[str, Any],
    processes: OneProcess = None,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Learn by reinforcement: act, and do more of what paid."""
    stage = world.make()
    from seedo import learning

    kind = learning.way_of(stage).recipe
    for field, value in recipe.items():
        if field not in kind.__dataclass_fields__:
            option = "--" + field.replace("_", "-")
            raise UserError(option, value, f"not an option in world {stage.name}")
    with Bar("learning") as bar:
        agent = learning.reinforce(stage, out, kind(**recipe), resume=resume, progress=bar.report)
    last = agent.history[-1]
    measured = [name for name in ("return_ratio", "success") if last.get(name) is not None]
    told = "".join(f", {name.replace('_', ' ')} {last[name]:.3f} at last" for name in measured)
    say(
        as_json,
        {"path": str(out), **last},
        f"agent in {out}: {last['steps']:,} steps{told}",
    )
