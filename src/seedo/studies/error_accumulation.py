"""Study `error-accumulation`: imitators of short episodes on long tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import learning, play, reports, worlds
from seedo.episodes import EXPLOIT, Dataset, DatasetWriter
from seedo.experimenters import LastSteps, Mistaken, Slipping, scripted
from seedo.learning import Agent
from seedo.reports import BLUE, GREEN, GREY, INK, ORANGE, RED
from seedo.studies import _long_tasks
from seedo.studies._estimates import estimate, resampled
from seedo.studies._histories import cut
from seedo.studies._long_tasks import BLOCK, N, Returns
from seedo.studies._study import Study, Work
from seedo.studies._words import over_seeds, supports, told

EXPERTS = ("narrow", "broad", "noisy", "correcting")
BROAD: tuple[dict[str, Any], ...] = (
    {"n": 5, "experiments": 2, "noise_variance": 0.25},
    {"n": 4, "experiments": 5, "noise_variance": 1.0},
    {"n": 5, "experiments": 10, "noise_variance": 1.0, "noise_variance_sd": 0.7},
    {"n": 6, "experiments": 7, "noise_variance": 4.0},
)
"""What the broad expert's logs vary; equally many episodes of each."""
SLIP_RATE = 0.3
SHIPPED = "pretrained:dag"
SHORT, LONG = 5, 50
"""Experiments between which the shipped agent may lose `ALLOWED` of its Bayes ratio."""
ALLOWED = 0.05
MISTAKE_ROUND = 1
"""Counted from 0: the round in which one thing goes wrong."""
MEMORY = 16
"""Steps of the short-memory control of the echo."""


@dataclass(frozen=True)
class Scale:
    """How much is run."""

    episodes: int  # every expert's logs hold
    epochs: float  # passes over them
    horizons: tuple[int, ...]  # T, multiples of `BLOCK`, increasing
    drift: float  # radians a round, of the drifting task
    test_episodes: int  # of every run
    bar_episodes: int  # of the shipped agent's
    sample: int  # episodes of each side of a comparison of states
    echo: tuple[str, ...]  # whose echoes are measured
    seeds: int  # independent ones


TASKS = ("one goal", "rounds", "drift")


@dataclass
class Played:
    """Figures of each seed, returns of the first by task and expert, and of the shipped agent."""

    seeds: list[dict[str, Any]]
    returns: dict[tuple[str, str], Returns]
    shipped: Returns


def _play(work: Work[Scale]) -> Played:
    each = work.each("seed", [own.seed for own in work.seeds(work.scale.seeds)])
    agent = learning.load_agent(SHIPPED)
    world = _long_tasks.one_goal_world(LONG)
    run = work.played(world, agent, work.scale.bar_episodes, f"runs/shipped-{LONG}", True)
    file = "returns/shipped.npz"
    shipped = _long_tasks.returns_after(work, run, agent, (SHORT, LONG), file)
    # Intervals over episodes are those of the first seed.
    return Played([found for found, _ in each], each[0][1], shipped)


def _measure(_: Work[Scale], played: Played) -> dict[str, Any]:
    def lost(found: Sequence[Any]) -> float:
        first, *_, last = found
        return float(first["bayes_ratio"]["value"] - last["bayes_ratio"]["value"])

    short, long = _long_tasks.figures_at(played.shipped)
    draws, values, n = _ratios(played.shipped)
    relative = estimate(1 - values[1] / values[0], 1 - draws[1] / draws[0], n)
    return {
        "seeds": played.seeds,
        "loss": _losses(played.returns),
        "loss over seeds": {
            kind: [lost(found[f"one goal/{kind}"]) for found in played.seeds] for kind in EXPERTS
        },
        "horizon bar": {
            str(SHORT): short, str(LONG): long, "relative loss": relative, "allowed": ALLOWED,
        },
    }  # fmt: skip


def _one_seed(
    work: Work[Scale], seed: int
) -> tuple[dict[str, Any], dict[tuple[str, str], Returns]]:
    work, scale = work.at(seed).below(f"seed-{seed}"), work.scale
    found: dict[str, Any] = {}
    returns: dict[tuple[str, str], Returns] = {}
    longest = max(scale.horizons)
    stages = {
        "one goal": _long_tasks.one_goal_world(longest),
        "rounds": _long_tasks.rounds_world(longest),
        "drift": _long_tasks.rounds_world(longest, scale.drift),
    }
    agents = {}
    for kind in EXPERTS:
        logs = _logs(work, kind)
        agents[kind] = work.learnt(logs, f"agents/{kind}", epochs=scale.epochs)
        for task, stage in stages.items():
            name = f"{task.replace(' ', '-')}-{kind}"
            review = kind in ("narrow", "broad") and task != "one goal"
            run = work.played(stage, agents[kind], scale.test_episodes, f"runs/{name}", review)
            file = f"returns/{name}.npz"
            if task == "one goal":
                own = _long_tasks.returns_after(work, run, agents[kind], scale.horizons, file)
            else:
                own = _long_tasks.returns_in_rounds(work, run, scale.horizons, file)
            returns[task, kind] = own
            apart = _divergence(work, logs, run, task, f"states/{name}.json")
            found[f"{task}/{kind}"] = [
                figures | {"divergence": d}
                for figures, d in zip(_long_tasks.figures_at(own), apart, strict=True)
            ]
        found[f"alike/{kind}"] = _alike(work, logs, f"states/alike-{kind}.json")
    for kind in scale.echo:
        found[f"echo/{kind}"] = _echoes(work, agents[kind], kind, stages["rounds"])
    return found, returns


# -- experts --------------------------------------------------------------------------------------


def _logs(work: Work[Scale], kind: str) -> list[Path]:
    """An expert's short episodes, `scale.episodes` in all, each with four goals."""
    settings = BROAD if kind == "broad" else ({"n": N, "experiments": 5},)
    folders = []
    for number, options in enumerate(settings):
        world = worlds.make("dag", split="longer", exploits=4, goals="fresh", **options)
        folder = f"logs/{kind}-{number}"
        count = work.scale.episodes // len(settings)
        expert: Any = scripted("expert")
        if kind in ("noisy", "correcting"):
            expert = Slipping(expert, SLIP_RATE)
        if kind == "correcting":
            _labelled(world, expert, count, work.seed, work.out / folder)
        else:
            work.watched(world, expert, count, folder)
        folders.append(work.out / folder)
    return folders


def _labelled(world: Any, expert: Slipping, count: int, seed: int, folder: Path) -> None:
    """The episodes of `watch`, with what the expert meant as labels."""
    job = {"task": "watch", "experimenter": expert.name, "labels": "meant"}
    start = play.origin(world, expert.name, seed)
    rows = play.shard_size(count)
    with DatasetWriter(folder, start, rows, count, job, resume=True) as writer:
        while (shard := writer.next_shard) is not None:
            first, some = shard * rows, writer.rows_of(shard)
            batch = play.episodes(world, expert, seed, "watch", first, some)
            writer.write(shard, _long_tasks.meant_as_labels(batch))


# -- states ---------------------------------------------------------------------------------------


def _trained_states(logs: Sequence[Path], sample: int, seed: int, part: int) -> NDArray[np.float64]:
    """Of training episodes: part 0 from the first shards on, part 1 from the last ones."""
    states = []
    for path in logs:
        dataset = Dataset(path)
        each = -(-sample // len(logs))
        shards = range(len(dataset.shards))
        parts, rows = [], 0
        for shard in shards if part == 0 else reversed(shards):
            batch = dataset.read_shard(shard, without=dataset.optional)
            parts.append(batch)
            rows += batch.rows
            if rows >= each:
                break
        for batch in parts:
            rng = np.random.default_rng([seed, part])
            exploits = np.flatnonzero(batch.phase[0] == EXPLOIT)
            states.append(
                _long_tasks.pair_statistics(batch, rng.choice(exploits, batch.rows), seed)
            )
    every = np.concatenate(states)
    return every[np.random.default_rng(seed).permutation(len(every))[:sample]]


def _apart(trained: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Energy coefficient between states, in standard deviations of the first."""
    centre, spread = trained.mean(0), trained.std(0) + 1e-9
    return _long_tasks.energy_share((trained - centre) / spread, (others - centre) / spread)


def _divergence(
    work: Work[Scale], logs: Sequence[Path], dataset: Dataset, task: str, file: str
) -> list[float]:
    """Between trained and visited states, at every horizon."""
    scale, seed = work.scale, work.seed

    def compute() -> list[float]:
        trained = _trained_states(logs, scale.sample, seed, 0)
        batch = dataset.read(without=dataset.optional).take(slice(0, scale.sample))
        found = []
        for horizon in scale.horizons:
            some, step = batch, horizon - 1
            if task == "one goal":
                some, step = cut(batch, horizon, batch.steps), batch.steps - 1
            steps = np.full(some.rows, step)
            found.append(_apart(trained, _long_tasks.pair_statistics(some, steps, seed)))
        return found

    question = {"horizons": list(scale.horizons), "sample": scale.sample, "rows": dataset.rows}
    answer: list[float] = work.numbers(file, question, compute)
    return answer


def _alike(work: Work[Scale], logs: Sequence[Path], file: str) -> float:
    """The same of two halves of the training logs: what no divergence looks like."""
    sample = work.scale.sample

    def compute() -> float:
        return _apart(*(_trained_states(logs, sample, work.seed, part) for part in (0, 1)))

    return float(work.numbers(file, {"sample": sample}, compute))


# -- one mistake ----------------------------------------------------------------------------------


def _echoes(work: Work[Scale], agent: Agent, kind: str, stage: Any) -> dict[str, Any]:
    """What a misread experiment and a slip cost later on, with all memory and with little."""
    found = {}
    start = MISTAKE_ROUND * BLOCK
    steps = {"misread": start, "slip": start + BLOCK - 1}
    for title, player in (("all", agent), (f"last {MEMORY}", LastSteps(agent, MEMORY))):
        returns = {}
        for mistake in ("none", *steps):
            name = f"echo-{kind}-{title.replace(' ', '-')}-{mistake}"
            own = player if mistake == "none" else Mistaken(player, steps[mistake], mistake)
            at = f"rounds-{kind}" if mistake == "none" and title == "all" else name
            run = work.played(stage, own, work.scale.test_episodes, f"runs/{at}")
            file = f"returns/{name}.npz"
            returns[mistake] = _long_tasks.returns_of_all_rounds(work, run, file)
        for mistake, step in steps.items():
            found[f"{mistake}, memory {title}"] = _long_tasks.echo(
                returns["none"]["agent"], returns[mistake]["agent"], returns["none"]["oracle"], step
            )
    return found


# -- what is lost ---------------------------------------------------------------------------------


def _ratios(returns: Returns) -> tuple[list[NDArray[np.float64]], list[float], int]:
    """Bayes ratios at the first and at the last horizon, resampled alike: draws, values, n."""
    columns = np.stack(
        [returns[name][:, place] for place in (0, -1) for name in ("agent", "bayes")]
    )
    means, draws = columns.mean(1), resampled(columns)
    values = [float(means[0] / means[1]), float(means[2] / means[3])]
    return [draws[:, 0] / draws[:, 1], draws[:, 2] / draws[:, 3]], values, columns.shape[1]


def _losses(returns: Mapping[tuple[str, str], Returns]) -> dict[str, Any]:
    """Bayes ratio lost between the ends of the horizons, and less the narrow imitator's loss."""
    found: dict[str, Any] = {}
    for task in ("one goal", "rounds"):
        drawn = {kind: _ratios(returns[task, kind]) for kind in EXPERTS}
        for kind, (draws, values, n) in drawn.items():
            found[f"{task}/{kind}"] = estimate(values[0] - values[1], draws[0] - draws[1], n)
            if kind != "narrow":
                other, theirs, _ = drawn["narrow"]  # the same systems, resampled alike
                found[f"{task}/{kind} less narrow"] = estimate(
                    values[0] - values[1] - theirs[0] + theirs[1],
                    draws[0] - draws[1] - other[0] + other[1],
                    n,
                )
    return found


# -- words and pictures ---------------------------------------------------------------------------


def _judge(scale: Scale, values: Mapping[str, Any]) -> list[str]:
    loss, first = values["loss"], values["seeds"][0]
    longest = scale.horizons[-1]
    lines = []
    for task in ("one goal", "rounds"):
        own = loss[f"{task}/narrow"]
        better = [k for k in ("broad", "correcting")
                  if loss[f"{task}/{k} less narrow"]["high"] < 0]  # fmt: skip
        lines.append(
            f"{task}: Bayes ratio lost between T={scale.horizons[0]} and T={longest}: "
            + "; ".join(f"{kind} {told(loss[f'{task}/{kind}'])}" for kind in EXPERTS)
            + f". Less than the narrow imitator lose: {', '.join(better) or 'none'}. "
            + f"It {supports(own['low'] > 0 and bool(better))} the claim (n = {own['n']:,} "
            "episodes)."
        )
    if scale.seeds > 1:
        own = values["loss over seeds"]
        lines.append("Over seeds, one goal: " + "; ".join(f"{k} {over_seeds(own[k])}" for k in own))
    for task in TASKS:
        last = {kind: first[f"{task}/{kind}"][-1] for kind in EXPERTS}
        shares = "; ".join(f"{kind} {told(own['return_ratio'])}" for kind, own in last.items())
        lines.append(
            f"{task}, T={longest}: share of the omniscient return: {shares}; random "
            f"{told(last['narrow']['random_floor'])}."
        )
    for task in TASKS:
        ends = {k: [f["divergence"] for f in first[f"{task}/{k}"]] for k in EXPERTS}
        words = (f"{k} {d[0]:.2f} to {d[-1]:.2f} ({first[f'alike/{k}']:.2f})"
                 for k, d in ends.items())  # fmt: skip
        lines.append(
            f"{task}: visited against trained states, from T={scale.horizons[0]} to T={longest} "
            f"(halves of the training logs): {'; '.join(words)}."
        )
    for kind in scale.echo:
        for name, own in first[f"echo/{kind}"].items():
            at = own["loss"][0]
            lines.append(
                f"One {name} ({kind}): {told(at)} of the omniscient return lost "
                f"{at['steps_later']} steps later; lower for {own['steps']} steps."
            )
    bar = values["horizon bar"]
    met = bar["relative loss"]["high"] <= ALLOWED
    lines.append(
        f"{SHIPPED}: Bayes ratio {told(bar[str(SHORT)]['bayes_ratio'])} after {SHORT} "
        f"experiments, {told(bar[str(LONG)]['bayes_ratio'])} after {LONG}: "
        f"{told(bar['relative loss'])} of it lost, "
        f"{'within' if met else 'not surely within'} {ALLOWED:.0%} "
        f"(n = {bar['relative loss']['n']:,})."
    )
    return lines


def _draw(scale: Scale, values: Mapping[str, Any]) -> Figure:
    """Success against horizon by task, divergence, and the echo of a misread experiment."""
    found = values["seeds"][0]
    figure, axes = reports.panels(2, 3, 11.0, 6.4)
    for (place, task), (kind, colour) in product(
        enumerate(TASKS), zip(EXPERTS, (RED, BLUE, ORANGE, GREEN), strict=True)
    ):
        measure = "return_ratio" if task == "drift" else "bayes_ratio"
        own, ax = found[f"{task}/{kind}"], axes[0][place]
        reports.curve(ax, scale.horizons, [f[measure] for f in own], color=colour, label=kind)
        ax.set(title=task, ylabel=measure.replace("_", " ").replace("bayes", "Bayes"))
        if task != "drift":
            below = axes[1][place]
            below.plot(scale.horizons, [f["divergence"] for f in own], color=colour, marker="o",
                       markersize=3)  # fmt: skip
            below.set(title=f"{task}: visited against trained states",
                      ylabel="energy coefficient")  # fmt: skip
    for ax in (*axes[0], *axes[1][:2]):
        reports.only_ticks(ax, scale.horizons)
        ax.set_xlabel("steps")
    for ax in axes[0]:
        ax.axhline(1.0, color=GREY, linestyle=":", linewidth=1)
    ax = axes[1][2]
    echoes = found[f"echo/{scale.echo[0]}"]
    for (name, own), shade in zip(echoes.items(), (INK, BLUE, ORANGE, GREEN), strict=True):
        later = [e["steps_later"] for e in own["loss"]]
        ax.plot(later, [e["value"] for e in own["loss"]], label=name, color=shade)
    ax.axhline(0.0, color=GREY, linestyle=":", linewidth=1)
    ax.set(title=f"one mistake ({scale.echo[0]})", xlabel="steps later",
           ylabel="share of the omniscient return lost")  # fmt: skip
    ax.legend(fontsize=7)
    reports.legend_above(figure, axes[0][0], len(EXPERTS))
    return figure


STUDY = Study(
    name="error-accumulation",
    claim="""An imitator of a narrow expert's short episodes gets worse, beside the exact reader of
        the same histories, the longer the task; imitators of broad logs, or of logs of errors with
        the expert's corrections, less so.""",
    design="""World `dag`, linear, 5 variables. Four experts, equally many episodes of four goals:
        narrow (5 experiments, noise variance 1), broad (4 to 6 variables, 2 to 10 experiments,
        noise variance 0.25 to 4), noisy (as narrow, but a random legal action at 30 % of the steps,
        imitated like any other), correcting (the very same episodes, with what the expert would
        have done as the label of every step). Equivariant networks imitate; then they play T = 5 to
        100 steps: one goal after T experiments; rounds of 4 experiments and one goal; the same
        while the weights drift by 0.1 radian a round. One run of the longest T serves all T, for
        these networks do not look at the steps left: with one goal, the action after T experiments
        is read off the network. Same systems and noise for all. Divergence: energy coefficient
        between the statistics of a variable and the goal in training and in play, beside that of
        two halves of the training logs. Echo: one experiment whose outcome is misread (signs
        reversed), or one exploit action of the wrong sign, in the second round; paired losses at
        all later goals, also for a memory of 16 steps, after which a mistake is forgotten. 95 %
        intervals by the paired bootstrap over episodes, over seeds at full scale. Power: with 512
        episodes half of an interval of a loss is about 0.02. Under drift there is no exact reader:
        only returns are compared.""",
    refuted_if="""with one goal, the interval of the narrow imitator's loss of Bayes ratio between
        the shortest and the longest horizon reaches 0, or neither the broad nor the correcting
        imitator loses less than it, with an interval below 0.""",
    measures="""seeds: figures of each seed, by task and expert, at every horizon: return_ratio
        (share of the omniscient return), bayes_ratio (of the exact reader's on the same histories;
        unknown under drift), random_floor, divergence (energy coefficient between trained and
        visited states, 0 to 1), echo (loss after one mistake); loss: Bayes ratio at the shortest
        less that at the longest horizon""",
    scales={
        "quick": Scale(12_000, 1.0, (5, 10, 20, 50, 100), 0.1, 512, 4096, 500, ("broad",), 1),
        "full": Scale(100_000, 1.0, (5, 10, 20, 50, 100), 0.1, 4096, 4096, 1000, EXPERTS, 3),
    },
    play=_play,
    parts={"seed": _one_seed},
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Imitators of short episodes on long tasks",
)
