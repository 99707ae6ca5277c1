"""Study `error-accumulation`: imitators of short episodes on long tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import learning, play, worlds
from seedo.episodes import EXPLOIT, Dataset, DatasetWriter, write_atomic
from seedo.experimenters import LastSteps, Mistaken, Slipping, scripted
from seedo.learning import Agent
from seedo.reports._figures import BLUE, GREEN, GREY, INK, ORANGE, RED, STYLE, svg
from seedo.studies import _long_tasks
from seedo.studies._cut_logs import cut
from seedo.studies._imitation import over_seeds
from seedo.studies._long_tasks import BLOCK, N, Returns, estimate, say_estimate
from seedo.studies._protocol import Outcome, Say, Study
from seedo.studies._stages import kept_numbers, played

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
    """How much is run.

    Attributes:
        episodes: every expert's logs hold. epochs: passes over them.
        horizons: T, multiples of `BLOCK`, increasing.
        drift: radians a round, of the drifting task.
        test_episodes: of every run; bar_episodes: of the shipped agent's.
        sample: episodes of each side of a comparison of states.
        echo: whose echoes are measured.
        seeds: independent ones.
    """

    episodes: int
    epochs: float
    horizons: tuple[int, ...]
    drift: float
    test_episodes: int
    bar_episodes: int
    sample: int
    echo: tuple[str, ...]
    seeds: int


SCALES = {
    "quick": Scale(12_000, 1.0, (5, 10, 20, 50, 100), 0.1, 512, 4096, 500, ("broad",), 1),
    "full": Scale(100_000, 1.0, (5, 10, 20, 50, 100), 0.1, 4096, 4096, 1000, EXPERTS, 3),
}
TASKS = ("one goal", "rounds", "drift")


def _carry_out(size: Scale, out: Path, seed: int, say: Say) -> Outcome:
    runs: list[str] = []
    by_seed: list[dict[str, Any]] = []
    returns: dict[tuple[str, str], Returns] = {}
    for s in range(seed, seed + size.seeds):
        found, own = _one_seed(size, out / f"seed-{s}", s, say, runs)
        by_seed.append(found)
        returns = returns or own  # intervals over episodes are those of the first seed
    bar = _shipped(size, out, seed, say, runs)
    losses = _losses(size, returns)
    values: dict[str, Any] = {
        "seeds": by_seed,
        "loss": losses,
        "loss over seeds": {
            kind: [float(found[f"one goal/{kind}"][0]["bayes_ratio"]["value"]
                         - found[f"one goal/{kind}"][-1]["bayes_ratio"]["value"])
                   for found in by_seed]
            for kind in EXPERTS
        },
        "horizon bar": bar,
    }  # fmt: skip
    write_atomic(out / "figure.svg", _figure(size, by_seed[0]).encode())
    return Outcome(
        measure=(
            "seeds: figures of each seed, by task and expert, at every horizon: return_ratio "
            "(share of the omniscient return), bayes_ratio (of the exact reader's on the same "
            "histories; unknown under drift), random_floor, divergence (energy coefficient between "
            "trained and visited states, 0 to 1), echo (loss after one mistake); loss: Bayes ratio "
            "at the shortest less that at the longest horizon"
        ),
        values=values,
        verdict="\n".join(_verdict(size, values)),
        runs=runs,
        figures=["figure.svg"],
    )


def _one_seed(
    size: Scale, out: Path, seed: int, say: Say, runs: list[str]
) -> tuple[dict[str, Any], dict[tuple[str, str], Returns]]:
    found: dict[str, Any] = {}
    returns: dict[tuple[str, str], Returns] = {}
    longest = max(size.horizons)
    stages = {
        "one goal": _long_tasks.one_goal_world(longest),
        "rounds": _long_tasks.rounds_world(longest),
        "drift": _long_tasks.rounds_world(longest, size.drift),
    }
    agents = {}
    for kind in EXPERTS:
        logs = _logs(kind, size, out / "logs", seed, say)
        say(f"{kind}: learning")
        recipe = learning.Recipe(epochs=size.epochs, seed=seed)
        agents[kind] = learning.learn(logs, out / "agents" / kind, recipe, resume=True)
        for task, stage in stages.items():
            name = f"{task.replace(' ', '-')}-{kind}"
            folder = out / "runs" / name
            dataset = played(stage, agents[kind], size.test_episodes, seed, folder, say)
            file = out / "returns" / f"{name}.npz"
            if task == "one goal":
                own = _long_tasks.returns_after(dataset, agents[kind], size.horizons, file)
            else:
                own = _long_tasks.returns_in_rounds(dataset, size.horizons, file)
            if kind in ("narrow", "broad") and task != "one goal":
                runs.append(str(folder))
            returns[task, kind] = own
            found[f"{task}/{kind}"] = _long_tasks.figures_at(own)
            for figures, d in zip(
                found[f"{task}/{kind}"],
                _divergence(logs, dataset, task, size, seed, out / "states" / f"{name}.json"),
                strict=True,
            ):
                figures["divergence"] = d
        found[f"alike/{kind}"] = _alike(logs, size, seed, out / "states" / f"alike-{kind}.json")
    for kind in size.echo:
        found[f"echo/{kind}"] = _echoes(agents[kind], kind, stages["rounds"], size, seed, out, say)
    return found, returns


# -- experts --------------------------------------------------------------------------------------


def _logs(kind: str, size: Scale, out: Path, seed: int, say: Say) -> list[Path]:
    """An expert's short episodes, `size.episodes` in all, each with four goals."""
    settings = BROAD if kind == "broad" else ({"n": N, "experiments": 5},)
    folders = []
    for number, options in enumerate(settings):
        world = worlds.make("dag", split="longer", exploits=4, goals="fresh", **options)
        folder = out / f"{kind}-{number}"
        count = size.episodes // len(settings)
        say(f"{kind}: watching {count:,} episodes of {options}")
        expert: Any = scripted("expert")
        if kind in ("noisy", "correcting"):
            expert = Slipping(expert, SLIP_RATE)
        if kind == "correcting":
            _labelled(world, expert, count, seed, folder)
        else:
            play.watch(world, expert, count, seed, folder, resume=True)
        folders.append(folder)
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


def _divergence(
    logs: Sequence[Path], dataset: Dataset, task: str, size: Scale, seed: int, file: Path
) -> list[float]:
    """Energy coefficient between trained and visited states, at every horizon."""

    def compute() -> list[float]:
        trained = _trained_states(logs, size.sample, seed, 0)
        batch = dataset.read(without=dataset.optional).take(slice(0, size.sample))
        centre, spread = trained.mean(0), trained.std(0) + 1e-9
        found = []
        for horizon in size.horizons:
            some, step = batch, horizon - 1
            if task == "one goal":
                some, step = cut(batch, horizon, batch.steps), batch.steps - 1
            steps = np.full(some.rows, step)
            visited = _long_tasks.pair_statistics(some, steps, seed)
            found.append(
                _long_tasks.energy_share((trained - centre) / spread, (visited - centre) / spread)
            )
        return found

    question = {"horizons": list(size.horizons), "sample": size.sample, "rows": dataset.rows}
    answer: list[float] = kept_numbers(file, question, compute)
    return answer


def _alike(logs: Sequence[Path], size: Scale, seed: int, file: Path) -> float:
    """The same of two halves of the training logs: what no divergence looks like."""

    def compute() -> float:
        one, other = (_trained_states(logs, size.sample, seed, part) for part in (0, 1))
        centre, spread = one.mean(0), one.std(0) + 1e-9
        return _long_tasks.energy_share((one - centre) / spread, (other - centre) / spread)

    return float(kept_numbers(file, {"sample": size.sample}, compute))


# -- one mistake ----------------------------------------------------------------------------------


def _echoes(
    agent: Agent, kind: str, stage: Any, size: Scale, seed: int, out: Path, say: Say
) -> dict[str, Any]:
    """What a misread experiment and a slip cost later on, with all memory and with little."""
    found = {}
    start = MISTAKE_ROUND * BLOCK
    steps = {"misread": start, "slip": start + BLOCK - 1}
    for title, player in (("all", agent), (f"last {MEMORY}", LastSteps(agent, MEMORY))):
        returns = {}
        for mistake in ("none", *steps):
            name = f"echo-{kind}-{title.replace(' ', '-')}-{mistake}"
            own = player if mistake == "none" else Mistaken(player, steps[mistake], mistake)
            folder = out / "runs" / name
            if mistake == "none" and title == "all":
                folder = out / "runs" / f"rounds-{kind}"
            dataset = played(stage, own, size.test_episodes, seed, folder, say)
            returns[mistake] = _long_tasks.returns_of_all_rounds(
                dataset, out / "returns" / f"{name}.npz"
            )
        for mistake, step in steps.items():
            found[f"{mistake}, memory {title}"] = _long_tasks.echo(
                returns["none"]["agent"], returns[mistake]["agent"], returns["none"]["oracle"], step
            )
    return found


# -- the shipped agent ----------------------------------------------------------------------------


def _shipped(size: Scale, out: Path, seed: int, say: Say, runs: list[str]) -> dict[str, Any]:
    """The share of its Bayes ratio that the shipped agent loses from `SHORT` to `LONG`."""
    agent = learning.load_agent(SHIPPED)
    folder = out / "runs" / f"shipped-{LONG}"
    dataset = played(_long_tasks.one_goal_world(LONG), agent, size.bar_episodes, seed, folder, say)
    runs.append(str(folder))
    file = out / "returns" / "shipped.npz"
    returns = _long_tasks.returns_after(dataset, agent, (SHORT, LONG), file)
    short, long = _long_tasks.figures_at(returns)
    draws, values, n = _ratios(returns)
    lost = estimate(1 - values[1] / values[0], 1 - draws[1] / draws[0], n)
    return {str(SHORT): short, str(LONG): long, "relative loss": lost, "allowed": ALLOWED}


def _ratios(returns: Returns) -> tuple[list[NDArray[np.float64]], list[float], int]:
    """Bayes ratios at the first and at the last horizon, resampled alike: draws, values, n."""
    columns = np.stack(
        [returns[name][:, place] for place in (0, -1) for name in ("agent", "bayes")]
    )
    means, draws = columns.mean(1), _long_tasks.resampled(columns)
    values = [float(means[0] / means[1]), float(means[2] / means[3])]
    return [draws[:, 0] / draws[:, 1], draws[:, 2] / draws[:, 3]], values, columns.shape[1]


def _losses(size: Scale, returns: Mapping[tuple[str, str], Returns]) -> dict[str, Any]:
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


def _verdict(size: Scale, values: Mapping[str, Any]) -> list[str]:
    loss, first = values["loss"], values["seeds"][0]
    ends = f"T={size.horizons[0]} and T={size.horizons[-1]}"
    lines = []
    for task in ("one goal", "rounds"):
        own = loss[f"{task}/narrow"]
        better = [
            kind
            for kind in ("broad", "correcting")
            if loss[f"{task}/{kind} less narrow"]["high"] < 0
        ]
        verdict = "supports" if own["low"] > 0 and better else "refutes"
        lines.append(
            f"{task}: Bayes ratio lost between {ends}: "
            + "; ".join(f"{kind} {say_estimate(loss[f'{task}/{kind}'])}" for kind in EXPERTS)
            + f". Less than the narrow imitator lose: {', '.join(better) or 'none'}. "
            + f"It {verdict} the claim (n = {own['n']:,} episodes)."
        )
    if size.seeds > 1:
        own = values["loss over seeds"]
        lines.append("Over seeds, one goal: " + "; ".join(f"{k} {over_seeds(own[k])}" for k in own))
    for task in TASKS:
        told = (
            f"{kind} {say_estimate(first[f'{task}/{kind}'][-1]['return_ratio'])}"
            for kind in EXPERTS
        )
        floor = first[f"{task}/narrow"][-1]["random_floor"]
        lines.append(
            f"{task}, T={size.horizons[-1]}: share of the omniscient return: {'; '.join(told)}; "
            f"random {say_estimate(floor)}."
        )
    for task in TASKS:
        told = (
            f"{kind} {first[f'{task}/{kind}'][0]['divergence']:.2f} to "
            f"{first[f'{task}/{kind}'][-1]['divergence']:.2f} ({first[f'alike/{kind}']:.2f})"
            for kind in EXPERTS
        )
        lines.append(
            f"{task}: visited against trained states, from {ends.replace(' and ', ' to ')} (halves "
            f"of the training logs): {'; '.join(told)}."
        )
    for kind in size.echo:
        for name, own in first[f"echo/{kind}"].items():
            at = own["loss"][0]
            lines.append(
                f"One {name} ({kind}): {say_estimate(at)} of the omniscient return lost "
                f"{at['steps_later']} steps later; lower for {own['steps']} steps."
            )
    bar = values["horizon bar"]
    met = bar["relative loss"]["high"] <= ALLOWED
    lines.append(
        f"{SHIPPED}: Bayes ratio {say_estimate(bar[str(SHORT)]['bayes_ratio'])} after {SHORT} "
        f"experiments, {say_estimate(bar[str(LONG)]['bayes_ratio'])} after {LONG}: "
        f"{say_estimate(bar['relative loss'])} of it lost, "
        f"{'within' if met else 'not surely within'} {ALLOWED:.0%} "
        f"(n = {bar['relative loss']['n']:,})."
    )
    return lines


def _figure(size: Scale, found: Mapping[str, Any]) -> str:
    """Success against horizon by task, divergence, and the echo of a misread experiment."""
    colours = dict(zip(EXPERTS, (RED, BLUE, ORANGE, GREEN), strict=True))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11.0, 6.4), layout="constrained", facecolor="none")
        axes = figure.subplots(2, 3)
        for ax, task in zip(axes[0], TASKS, strict=True):
            measure = "return_ratio" if task == "drift" else "bayes_ratio"
            for kind in EXPERTS:
                own = [figures[measure] for figures in found[f"{task}/{kind}"]]
                middle = [e["value"] for e in own]
                spread = [
                    [e["value"] - e["low"] for e in own],
                    [e["high"] - e["value"] for e in own],
                ]
                ax.errorbar(size.horizons, middle, spread, color=colours[kind], label=kind,
                            marker="o", markersize=3, capsize=2)  # fmt: skip
            ax.set_title(task)
            ax.set_ylabel(measure.replace("_", " ").replace("bayes", "Bayes"))
            ax.axhline(1.0, color=GREY, linestyle=":", linewidth=1)
        for ax, task in zip(axes[1][:2], TASKS[:2], strict=True):
            for kind in EXPERTS:
                own = [figures["divergence"] for figures in found[f"{task}/{kind}"]]
                ax.plot(size.horizons, own, color=colours[kind], marker="o", markersize=3)
            ax.set_title(f"{task}: visited against trained states")
            ax.set_ylabel("energy coefficient")
        for ax in (*axes[0], *axes[1][:2]):
            ax.set_xscale("log")
            ax.set_xticks(size.horizons, [str(h) for h in size.horizons])
            ax.set_xticks([], minor=True)
            ax.set_xlabel("steps")
        ax = axes[1][2]
        shades = iter((INK, BLUE, ORANGE, GREEN))
        for name, own in found[f"echo/{size.echo[0]}"].items():
            later = [e["steps_later"] for e in own["loss"]]
            ax.plot(later, [e["value"] for e in own["loss"]], label=name, color=next(shades))
        ax.axhline(0.0, color=GREY, linestyle=":", linewidth=1)
        ax.set_title(f"one mistake ({size.echo[0]})")
        ax.set_xlabel("steps later")
        ax.set_ylabel("share of the omniscient return lost")
        ax.legend(fontsize=7)
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(EXPERTS))
        return svg(figure, "error-accumulation", "Imitators of short episodes on long tasks")


STUDY = Study(
    name="error-accumulation",
    claim=(
        "An imitator of a narrow expert's short episodes gets worse, beside the exact reader of "
        "the same histories, the longer the task; imitators of broad logs, or of logs of errors "
        "with the expert's corrections, less so."
    ),
    design=(
        "World `dag`, linear, 5 variables. Four experts, equally many episodes of four goals: "
        "narrow (5 experiments, noise variance 1), broad (4 to 6 variables, 2 to 10 experiments, "
        "noise variance 0.25 to 4), noisy (as narrow, but a random legal action at 30 % of the "
        "steps, imitated like any other), correcting (the very same episodes, with what the expert "
        "would have done as the label of every step). Equivariant networks imitate; then they play "
        "T = 5 to 100 steps: one goal after T experiments; rounds of 4 experiments and one goal; "
        "the same while the weights drift by 0.1 radian a round. One run of the longest T serves "
        "all T, for these networks do not look at the steps left: with one goal, the action after "
        "T experiments is read off the network. Same systems and noise for all. Divergence: energy "
        "coefficient between the statistics of a variable and the goal in training and in play, "
        "beside that of two halves of the training logs. Echo: one experiment whose outcome is "
        "misread (signs reversed), or one exploit action of the wrong sign, in the second round; "
        "paired losses at all later goals, also for a memory of 16 steps, after which a mistake "
        "is forgotten. 95 % intervals by the paired bootstrap over episodes, over seeds at full "
        "scale. Power: with 512 episodes half of an interval of a loss is about 0.02. Under drift "
        "there is no exact reader: only returns are compared."
    ),
    refuted_if=(
        "with one goal, the interval of the narrow imitator's loss of Bayes ratio between the "
        "shortest and the longest horizon reaches 0, or neither the broad nor the correcting "
        "imitator loses less than it, with an interval below 0."
    ),
    scales=SCALES,
    carry_out=_carry_out,
)
