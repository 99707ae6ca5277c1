"""The verbs around worlds and agents: watch, learn, perform, review, study."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from seedo.cli._console import Count, app, learning_bar, notes, print_table, say
from seedo.cli._learning import (
    Ask,
    Beta,
    Expert,
    ExpertQueries,
    Mix,
    Rounds,
    Share,
    learn_by_dagger,
    refuse_dagger_options,
)
from seedo.cli._options import (
    AsJson,
    Preset,
    Resume,
    Seed,
    Settings,
    Split,
    Variables,
    WorldName,
    make_world,
    player,
)
from seedo.cli._speech import (
    BudgetTokens,
    BudgetUsd,
    Cache,
    Connections,
    Line,
    MaxTokens,
    PriceIn,
    PriceOut,
    Prices,
    Prompt,
    Purse,
    Retries,
    Temperature,
    Timeout,
    is_text_agent,
    only_for_models,
    perform_llm,
    perform_text,
    studied,
)
from seedo.errors import UserError

_STUDIES = (
    "heldout-links, heldout-sets, data-fusion, limit, error-accumulation, context-length, dagger, "
    "fine-tuning, data-mix, bounded-rationality, fragility, explanations, deconfounding, "
    "rl-explanations, text-explanations, meta-scm, recitation or prompts."
)

if TYPE_CHECKING:
    from seedo.learning import FineTuning, ReinforcementRecipe


@app.command()
def watch(
    out: Annotated[Path, typer.Option(help="Dataset folder to write.")],
    world: WorldName = "dag",
    preset: Preset = None,
    split: Split = "train",
    episodes: Annotated[int, typer.Option(help="How many.")] = 100_000,
    experimenter: Annotated[
        str,
        typer.Option(
            help="Who is watched: scripted:NAME, bayes:NAME, pretrained:NAME or an agent folder."
        ),
    ] = "scripted:expert",
    n: Variables = None,
    settings: Settings = None,
    seed: Seed = 0,
    systems: Annotated[bool, typer.Option("--systems", help="Log every system too.")] = False,
    explain: Annotated[
        str | None,
        typer.Option(
            help="dag: graph logs the edges, effects what each variable does to the others "
            "(default none); rooms: words, or none."
        ),
    ] = None,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Write logs of others' experiments, to learn from."""
    from seedo import play

    stage = make_world(world, preset, split, n, settings)
    who = player(experimenter, stage, greedy=False, seed=seed)
    with Count("watching") as progress:
        dataset = play.watch(
            stage,
            who,
            episodes,
            seed,
            out,
            resume=resume,
            systems=systems,
            explain=explain or ("words" if world == "rooms" else "none"),
            progress=progress,
        )
    size = sum(s.bytes for s in dataset.shards)
    say(
        as_json,
        {"path": str(out), "episodes": dataset.rows, "bytes_per_episode": size / dataset.rows},
        f"{dataset.rows:,} episodes in {out} ({size / dataset.rows:.0f} bytes each)",
    )


@app.command()
def learn(
    out: Annotated[Path, typer.Option(help="Agent folder to write.")],
    logs: Annotated[
        list[Path] | None, typer.Argument(help="Dataset folders; none with --method ppo.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            help="bc: imitate logs; dagger: also ask an expert about what the agent visits (dag); "
            "ppo: reinforcement, in rooms or dag."
        ),
    ] = "bc",
    network: Annotated[
        str | None,
        typer.Option(
            help="dag: equivariant (default), plain, or text (a language model that reads "
            "transcripts); rooms: relational."
        ),
    ] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the logs (default 1).")] = None,
    minutes: Annotated[float | None, typer.Option(help="Wall-clock limit instead.")] = None,
    explanations: Annotated[
        str,
        typer.Option(help="none, or predict; rooms also shuffled, irrelevant, wrong, input."),
    ] = "none",
    explanation_weight: Annotated[
        float, typer.Option(help="Weight of predicting explanations beside exploiting.")
    ] = 1.0,
    batch_size: Annotated[
        int | None, typer.Option(help="Episodes a step (default: dag 256, text 32, rooms 64).")
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Peak rate (bc 3e-3, text 2e-3, ppo 1e-3, in dag 3e-4)."),
    ] = None,
    weight_decay: Annotated[float, typer.Option(help="Decoupled weight decay.")] = 1e-4,
    widths: Annotated[
        list[str] | None, typer.Option("--width", help="E.g. --width size=64 --width layers=4.")
    ] = None,
    precision: Annotated[str, typer.Option(help="float32, or bfloat16 on accelerators.")] = (
        "float32"
    ),
    devices: Annotated[int, typer.Option(help="Devices that share a minibatch.")] = 1,
    start: Annotated[
        str | None, typer.Option("--from", help="Agent with the same network to go on from.")
    ] = None,
    world: Annotated[
        str | None,
        typer.Option("--world", help="ppo: where to play; rooms (default) or dag; dagger: dag."),
    ] = None,
    split: Annotated[str, typer.Option(help="ppo, dagger: split of the world.")] = "train",
    preset: Annotated[str | None, typer.Option(help="dagger: linear or lampinen.")] = None,
    n: Annotated[int | None, typer.Option("--n", help="dagger: number of variables.")] = None,
    settings: Settings = None,
    expert_queries: ExpertQueries = None,
    expert: Expert = None,
    rounds: Rounds = None,
    beta: Beta = None,
    mix: Mix = None,
    ask: Ask = None,
    share: Share = None,
    steps: Annotated[int, typer.Option(help="ppo: environment steps.")] = 1_000_000,
    reward: Annotated[
        str | None,
        typer.Option(help="ppo in dag: expected (exact, default) or sampled goal values."),
    ] = None,
    learnt: Annotated[
        str | None, typer.Option(help="ppo in dag: both phases (default), explore or exploit.")
    ] = None,
    anchor_weight: Annotated[
        float | None, typer.Option(help="ppo in dag: weight of staying near --from (default 0).")
    ] = None,
    own_rounds: Annotated[
        int | None, typer.Option(help="ppo in dag: last rounds kept in own/ (default all).")
    ] = None,
    seed: Seed = 0,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Train a network: imitate logs from the files alone, ask an expert (dagger), or act (ppo)."""
    from seedo import learning

    asking = {"expert_queries": expert_queries, "expert": expert, "rounds": rounds, "beta": beta,
              "decay": mix, "ask": ask, "share": share}  # fmt: skip
    if method != "dagger":
        refuse_dagger_options(method, asking)
        if preset is not None or n is not None:
            raise UserError("--method", method, "--preset and --n are for dagger only")
    if method == "ppo":
        world = world or "rooms"
        if logs:
            raise UserError("logs", str(logs[0]), "--method ppo plays itself: leave logs out")
        if epochs is not None or minutes is not None:
            raise UserError("--method", method, "give --steps, not --epochs or --minutes")
        own: dict[str, Any] = {
            "reward": reward,
            "learnt": learnt,
            "anchor_weight": anchor_weight,
            "own_rounds": own_rounds,
            "learning_rate": learning_rate,
        }
        if world == "dag":
            if explanations != "none":
                raise UserError("--explanations", explanations, "ppo in dag learns without any")
            tuning = learning.FineTuning(
                steps=steps,
                start=start,
                network=network,
                widths=tuple(_width(text) for text in widths or []),
                seed=seed,
                **{name: value for name, value in own.items() if value is not None},
            )
            stage = make_world(world, None, split, None, settings)
            _fine_tune(stage, out, tuning, resume, as_json)
            return
        for name in ("reward", "learnt", "anchor_weight", "own_rounds"):
            if own[name] is not None:
                option = "--" + name.replace("_", "-")
                raise UserError(option, own[name], "only for --world dag")
        if start is not None:
            raise UserError("--from", start, "ppo in rooms starts afresh; --world dag goes on")
        recipe_ppo = learning.ReinforcementRecipe(
            steps=steps,
            network=network or "relational",
            widths=tuple(_width(text) for text in widths or []),
            learning_rate=1e-3 if learning_rate is None else learning_rate,
            explanations=explanations,
            explanation_weight=explanation_weight,
            seed=seed,
        )
        stage = make_world(world, None, split, None, settings)
        _reinforce(stage, out, recipe_ppo, resume, as_json)
        return
    if method not in ("bc", "dagger"):
        raise UserError("--method", method, "use bc, dagger or ppo")
    if not logs:
        raise UserError("logs", None, "give at least one dataset folder")
    if epochs is None and minutes is None:
        epochs = 1.0
    recipe = learning.Recipe(
        network=network,
        widths=tuple(_width(text) for text in widths or []),
        epochs=epochs,
        minutes=minutes,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        explanations=explanations,
        explanation_weight=explanation_weight,
        precision=precision,
        devices=devices,
        seed=seed,
        start=start,
    )
    if method == "dagger":
        stage = make_world(world or "dag", preset, split, n, settings)
        learn_by_dagger(stage, logs, out, recipe, asking, resume, as_json)
        return
    with learning_bar() as progress:
        if network == "text":
            from seedo import language

            agent: Any = language.learn_by_reading(logs, out, recipe, resume, progress)
        else:
            agent = learning.learn(logs, out, recipe, resume=resume, progress=progress)
    last = agent.history[-1]
    say(
        as_json,
        {"path": str(out), **last},
        f"agent in {out}: {agent.training['parameters']:,} parameters, "
        f"{last['episodes']:,} episodes, held-out exploit loss {last['heldout_exploit_loss']:.3f}",
    )


def _reinforce(
    stage: Any, out: Path, recipe: ReinforcementRecipe, resume: bool, as_json: bool
) -> None:
    from seedo import learning

    with learning_bar() as progress:
        agent = learning.reinforce(stage, out, recipe, resume=resume, progress=progress)
    last = agent.history[-1]
    say(
        as_json,
        {"path": str(out), **last},
        f"agent in {out}: {last['steps']:,} steps, {last['success']:.1%} of episodes won at last",
    )


def _fine_tune(stage: Any, out: Path, recipe: FineTuning, resume: bool, as_json: bool) -> None:
    from seedo import learning

    with learning_bar() as progress:
        agent = learning.reinforce(stage, out, recipe, resume=resume, progress=progress)
    last = agent.history[-1]
    say(
        as_json,
        {"path": str(out), **last},
        f"agent in {out}: {last['steps']:,} steps, return ratio {last['return_ratio']:.3f} at last",
    )


def _width(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    try:
        return name, int(number)
    except ValueError:
        raise UserError("--width", text, "write it as name=whole number, e.g. size=64") from None


@app.command()
def perform(
    agent: Annotated[
        str,
        typer.Argument(
            help="Agent folder, pretrained:NAME, scripted:NAME, bayes:NAME (eig, goal, "
            "rotation, sampled-K, ...), last-K:PLAYER, misread-T:PLAYER, slip-T:PLAYER, or "
            "llm:MODEL as Inspect names it (llm:openai-api/local/my-model)."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    world: WorldName = "dag",
    preset: Preset = None,
    split: Split = "train",
    episodes: Annotated[int, typer.Option(help="How many.")] = 4096,
    n: Variables = None,
    settings: Settings = None,
    seed: Seed = 0,
    greedy: Annotated[
        bool, typer.Option("--greedy/--sample", help="Most probable action, or draw.")
    ] = True,
    film: Annotated[
        Path | None, typer.Option(help="Rooms: also write a GIF of one episode here.")
    ] = None,
    film_episode: Annotated[int, typer.Option(help="Which episode to film.")] = 0,
    prompt: Prompt = None,
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    prices: Prices = None,
    temperature: Temperature = None,
    max_tokens: MaxTokens = None,
    connections: Connections = None,
    timeout: Timeout = None,
    retries: Retries = None,
    cache: Cache = False,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Let a player experiment on systems that no log contains."""
    from seedo import evaluation, play, reports

    if film is not None and world != "rooms":
        raise UserError("--film", str(film), "only rooms can be filmed: add --world rooms")
    speaks = agent.startswith("llm:") or is_text_agent(agent)
    if film is not None and speaks:
        raise UserError("--film", str(film), "players who speak cannot be filmed")
    if film_episode < 0:
        raise UserError("--film-episode", film_episode, "use a whole number from 0")

    purse = Purse(budget_usd, budget_tokens, price_in, price_out, prices)
    line = Line(temperature, max_tokens, connections, timeout, retries, cache)
    if not agent.startswith("llm:"):
        only_for_models(purse, line)
    stage = make_world(world, preset, split, n, settings)
    if agent.startswith("llm:"):
        dataset = perform_llm(
            stage,
            agent.removeprefix("llm:"),
            episodes,
            seed,
            out,
            resume,
            prompt or [],
            purse,
            line,
        )
    elif speaks:
        dataset = perform_text(stage, agent, episodes, seed, out, resume, prompt or [], greedy)
    else:
        if prompt:
            raise UserError("--prompt", prompt[0], "only language models are prompted")
        who = player(agent, stage, greedy, seed)
        with Count("performing") as progress:
            dataset = play.perform(
                stage, who, episodes, seed, out, resume=resume, progress=progress
            )
    if film is not None:
        reports.film(stage, who, seed, film_episode, film)
    result = evaluation.review([out])
    if as_json:
        print(json.dumps(result.to_json(), sort_keys=True))
    else:
        print_table(reports.table(result))
        if (spoken := reports.spoken_table(result)) is not None:
            print_table(spoken)
        notes.print(f"{dataset.rows:,} episodes in {out}")


@app.command()
def review(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    out: Annotated[Path | None, typer.Option(help="HTML report to write.")] = None,
    reader: Annotated[
        list[str] | None,
        typer.Option(help="A player that reads all explorations too; repeat it."),
    ] = None,
    frontier: Annotated[
        bool,
        typer.Option(
            "--frontier", help="Return against cost: experiments, FLOPs (XLA's count), time."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare runs: one table, figures, intervals, floors and ceilings."""
    from seedo import evaluation, reports

    readers = {name: partial(player, name) for name in reader or []}
    with Count("review", "runs") as progress:
        result = evaluation.review(runs, progress, readers)
    for name in reader or []:
        failed = [p for p in result.problems if f": not read by {name}: " in p]
        if failed and len(failed) == len(result.runs):
            raise UserError("--reader", name, failed[0].partition(f"not read by {name}: ")[2])
    costs = None
    if frontier:
        with Count("counting", "players") as progress:
            costs = evaluation.frontier(result, progress)
    if out is not None:
        reports.write_report(result, out, costs)
    if as_json:
        found = result.to_json() | ({"frontier": costs.to_json()} if costs else {})
        print(json.dumps(found, sort_keys=True))
    else:
        print_table(reports.table(result))
        if costs is not None:
            print_table(reports.frontier_table(costs))
            for agent, reason in costs.reasons:
                notes.print(f"{agent}: experiments only: {reason}", style="yellow")
        if (beside := reports.beside_table(result)) is not None:
            print_table(beside)
        if (spoken := reports.spoken_table(result)) is not None:
            print_table(spoken)
        if reader:
            print_table(reports.matrix(result))
    for problem in result.problems:
        notes.print(f"left out: {problem}", style="yellow")
    if out is not None:
        notes.print(f"report in {out}")


@app.command()
def study(
    name: Annotated[str, typer.Argument(help=_STUDIES)],
    out: Annotated[
        Path | None, typer.Option(help="Folder (default studies/NAME-SCALE, -PLAYER).")
    ] = None,
    scale: Annotated[
        str, typer.Option(help="quick: minutes; full: up to hours, smaller intervals.")
    ] = "quick",
    seed: Seed = 0,
    who: Annotated[
        str | None,
        typer.Option(
            "--player",
            help="recitation, prompts: llm:MODEL, a text agent's folder or pretrained:dag-text.",
        ),
    ] = None,
    prompt: Prompt = None,
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    prices: Prices = None,
    temperature: Temperature = None,
    max_tokens: MaxTokens = None,
    connections: Connections = None,
    timeout: Timeout = None,
    retries: Retries = None,
    cache: Cache = False,
    as_json: AsJson = False,
) -> None:
    """Run a study: claim, design, what would refute it, result. The same command resumes it."""
    from seedo import evaluation, reports, studies

    purse = Purse(budget_usd, budget_tokens, price_in, price_out, prices)
    line = Line(temperature, max_tokens, connections, timeout, retries, cache)
    if who is None and any([prompt, *purse, *line]):
        raise UserError("--player", None, "without one, nobody is prompted or paid: name it")
    subject = None if who is None else studied(who, prompt or [], purse, line)
    ending = "" if who is None else "-" + re.sub(r"[^\w.-]+", "-", who).strip("-")
    folder = out or Path("studies") / f"{name}-{scale}{ending}"
    finding = studies.study(
        name, scale, folder, seed, say=lambda text: notes.print(text), player=subject
    )
    with Count("review", "runs") as progress:
        reports.write_report(evaluation.review(finding.runs, progress), folder / "report.html")
    if as_json:
        print((folder / "study.json").read_text())
        return
    for title in ("claim", "design", "refuted_if", "verdict"):
        Console().print(f"[bold]{title}[/bold]: {getattr(finding, title)}", highlight=False)
    notes.print(f"report in {folder / 'report.html'}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("demo"),
    episodes: Annotated[int, typer.Option(help="Expert episodes to watch.")] = 80_000,
    test_episodes: Annotated[int, typer.Option(help="Episodes of every run.")] = 4096,
    seed: Seed = 0,
) -> None:
    """Watch, learn, perform, review: the whole idea in minutes. The same command resumes it."""
    logs, agent, runs = out / "logs", out / "agent", out / "runs"
    notes.print("1/4 watch: an expert, who knows every system, experiments and exploits")
    settings = ["exploits=4", "goals=fresh"]
    watch(logs, episodes=episodes, settings=settings, seed=seed, resume=True)
    notes.print("2/4 learn: a network imitates the logs; it never touches a system")
    learn(agent, [logs], epochs=1.0, seed=seed, resume=True)
    notes.print("3/4 perform: it experiments on systems of its own, link D -> E never seen")
    players = [str(agent), *(f"scripted:{name}" for name in DEMO_RIVALS)]
    from seedo import play

    folders = []
    for split in ("train", "heldout-link"):
        stage = make_world("dag", None, split, None, None)
        for name in players:
            folders.append(runs / f"{name.split(':')[-1].split('/')[-1]}-{split}")
            who = player(name, stage, True, seed)
            with Count(f"{name} on {split}") as progress:
                play.perform(
                    stage, who, test_episodes, seed, folders[-1], resume=True, progress=progress
                )
    notes.print("4/4 review")
    review(folders, out=out / "report.html")


DEMO_RIVALS = ("random", "total-correlation", "partial-correlation", "largest-effect", "expert")
