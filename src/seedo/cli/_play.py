"""The commands that play: watch others, perform, and the demo of it all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from seedo import execution
from seedo.cli._commands import command
from seedo.cli._console import Count, notes, say, say_odd
from seedo.cli._learning import learn
from seedo.cli._options import (
    AsJson,
    Executor,
    Resume,
    Seed,
    WorldOptions,
    check_count,
    check_seed,
    say_notes,
)
from seedo.cli._review import print_review, review
from seedo.cli._speech import SpeechOptions, perform_llm, perform_text
from seedo.errors import UserError
from seedo.storage import Place, local_path

DEMO_RIVALS = ("random", "total-correlation", "partial-correlation", "largest-effect", "expert")


@command("watch")
def watch(
    out: Annotated[Place, typer.Option(help="Dataset to write: a folder, s3://, gs:// or az://.")],
    world: WorldOptions,
    episodes: Annotated[int, typer.Option(help="How many.")] = 100_000,
    experimenter: Annotated[
        str, typer.Option(help="Who is watched; `seedo list players` names some.")
    ] = "scripted:expert",
    seed: Seed = 0,
    systems: Annotated[bool, typer.Option("--systems", help="Log every system too.")] = False,
    explain: Annotated[
        str | None,
        typer.Option(help="Explanations to log; `seedo list worlds` names each world's."),
    ] = None,
    executor: Executor = None,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Write logs of others' experiments, to learn from."""
    check_count("episodes", episodes)
    check_seed(seed)
    execution.check_executor(executor)
    stage = world.make()
    told = stage.notes
    from seedo import play

    who = play.find_player(experimenter, stage, False, seed)
    with execution.open_workers(executor) as workers, Count("watching") as progress:
        dataset = play.watch(
            stage,
            who,
            episodes,
            seed,
            out,
            resume=resume,
            systems=systems,
            explain=stage.explanations[0] if explain is None else explain,
            name=experimenter,
            progress=progress,
            say=say_odd,
            elsewhere=_elsewhere(workers, experimenter, False, seed),
        )
    say_notes(stage, told)
    size = sum(s.bytes for s in dataset.shards)
    say(
        as_json,
        {"path": str(out), "episodes": dataset.rows, "bytes_per_episode": size / dataset.rows},
        f"{dataset.rows:,} episodes in {out} ({size / dataset.rows:.0f} bytes each)",
    )


def _elsewhere(workers: execution.Workers | None, name: str, greedy: bool, seed: int) -> Any:
    """Who plays, where it is not this process."""
    from seedo import play

    return None if workers is None else play.Elsewhere(workers, name, greedy, seed)


@dataclass(frozen=True)
class FilmOptions:
    """A film of an episode."""

    film: Annotated[
        Path | None, typer.Option(help="Rooms: also write a GIF of one episode here.")
    ] = None
    film_episode: Annotated[int, typer.Option(help="Which episode to film.")] = 0

    def check(self, world: Any, speaks: bool) -> None:
        """Raises UserError where it cannot be made."""
        if self.film_episode < 0:
            raise UserError("--film-episode", self.film_episode, "use a whole number from 0")
        if self.film is None:
            return
        if not world.pictures:
            raise UserError("--film", str(self.film), f"world {world.name} shows no pictures")
        if speaks:
            raise UserError("--film", str(self.film), "players who speak cannot be filmed")


@command("perform")
def perform(
    agent: Annotated[
        str,
        typer.Argument(
            help="Agent folder, or KIND:NAME as `seedo list players` names them; "
            "llm:MODEL as Inspect names it (llm:openai-api/local/my-model)."
        ),
    ],
    out: Annotated[Place, typer.Option(help="Run to write: a folder, s3://, gs:// or az://.")],
    world: WorldOptions,
    film: FilmOptions,
    speech: SpeechOptions,
    episodes: Annotated[int, typer.Option(help="How many.")] = 4096,
    seed: Seed = 0,
    greedy: Annotated[
        bool, typer.Option("--greedy/--sample", help="Most probable action, or draw.")
    ] = True,
    executor: Executor = None,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Let a player experiment on systems that no log contains."""
    check_count("episodes", episodes)
    check_seed(seed)
    work = execution.check_executor(executor)
    speech.check()
    stage = world.make()
    told = stage.notes
    from seedo import evaluation, experimenters, play, reports

    called = experimenters.is_spoken(agent)
    speaks = called or _is_text_agent(agent)
    film.check(stage, speaks)
    if not called:
        speech.only_prompt()
    options: dict[str, Any] = {"count": episodes, "seed": seed, "out": out, "resume": resume}
    if speaks and not called and executor is not None and work != "serial":
        raise UserError("--executor", executor, "players who speak play here: leave it out")
    if speaks:  # what is paid for is on a disk before anything else happens
        options["out"] = local_path("--out", out)
    if called:
        model = experimenters.parse_name(agent).rest
        dataset = perform_llm(stage, model, speech, work, **options)
    elif speaks:
        dataset = perform_text(stage, agent, speech, greedy, **options)
    else:
        if speech.prompt:
            raise UserError("--prompt", speech.prompt[0], "only language models are prompted")
        if speech.examples is not None:
            raise UserError("--examples", speech.examples, "only language models are shown any")
        if speech.max_tokens is not None:
            raise UserError("--max-tokens", speech.max_tokens, "only language models reply")
        who = play.find_player(agent, stage, greedy, seed)
        with execution.open_workers(work) as workers, Count("performing") as progress:
            dataset = play.perform(
                stage,
                who,
                name=agent,
                progress=progress,
                say=say_odd,
                elsewhere=_elsewhere(workers, agent, greedy, seed),
                **options,
            )
    say_notes(stage, told)
    if film.film is not None:
        reports.film(stage, who, seed, film.film_episode, film.film)
    print_review(evaluation.review([out]), as_json)
    if not as_json:
        notes.print(f"{dataset.rows:,} episodes in {out}", highlight=False, markup=False)


def _is_text_agent(name: str) -> bool:
    """Whether a player's name is that of a text understudy."""
    from seedo import experimenters

    if not experimenters.is_trained(name):
        return False
    from seedo import language

    return language.speaks(name)


@command("demo")
def demo(
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("demo"),
    episodes: Annotated[int, typer.Option(help="Expert episodes to watch.")] = 80_000,
    test_episodes: Annotated[int, typer.Option(help="Episodes of every run.")] = 4096,
    seed: Seed = 0,
) -> None:
    """Watch, learn, perform, review: the whole idea. The same command resumes it."""
    check_count("episodes", episodes)
    check_count("test_episodes", test_episodes)
    check_seed(seed)
    logs, agent, runs = out / "logs", out / "agent", out / "runs"
    notes.print("1/4 watch: an expert, who knows every system, experiments and exploits")
    stage = WorldOptions(settings=["exploits=4", "goals=fresh"])
    watch(logs, stage, episodes=episodes, seed=seed, resume=True)
    notes.print("2/4 learn: a network imitates the logs; it never touches a system")
    learn([logs], agent, {"seed": seed}, resume=True)
    notes.print("3/4 perform: it experiments on systems of its own, link D -> E never seen")
    from seedo import play

    folders = []
    for split in ("train", "heldout-link"):
        world = WorldOptions(split=split).make()
        for name in ("agent", *DEMO_RIVALS):
            folders.append(runs / f"{name}-{split}")
            player = str(agent) if name == "agent" else f"scripted:{name}"
            who = play.find_player(player, world, True, seed)
            with Count(f"{player} on {split}") as progress:
                play.perform(
                    world, who, test_episodes, seed, folders[-1], resume=True, name=player,
                    progress=progress,
                )  # fmt: skip
    notes.print("4/4 review")
    review(folders, out=out / "report.html")
