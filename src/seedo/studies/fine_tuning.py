"""Study `fine-tuning`: does reinforcement on one split keep what an agent does on others?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import learning, play, worlds
from seedo.episodes import Dataset, write_atomic
from seedo.experimenters import scripted
from seedo.learning import Agent, FineTuning
from seedo.reports._figures import BLUE, GREEN, GREY, ORANGE, RED, STYLE, svg
from seedo.statistics import _intervals as _statistics
from seedo.studies._protocol import Outcome, Say, Study
from seedo.studies._stages import played
from seedo.worlds import DagWorld

ANCHOR = 0.3
"""Weight of staying near the agent started from, where a condition has one."""
SPLITS: dict[str, dict[str, Any]] = {
    "train": {},
    "heldout-link": {},
    "more-variables": {"n": 8},
    "shifted-noise": {},
    "longer": {},
}
CONDITIONS: dict[str, dict[str, Any]] = {
    "tuned": {},
    "anchored": {"anchor_weight": ANCHOR},
    "explore": {"learnt": "explore"},
    "exploit": {"learnt": "exploit"},
}
"""What reinforcement learns, by condition; `imitation` and `scratch` come beside them."""
CLAIMED = ("tuned", "anchored")
"""The conditions that the claim is about; the others are controls."""
COST = {"forward": 1.0, "learnt": 3.0}
"""Of one decision, in passes through the network: playing it, and learning from it."""
_IMITATED = 5  # decisions that imitation learns from in an episode: one exploring, four exploiting


@dataclass(frozen=True)
class Scale:
    """How much is run.

    Attributes:
        watched: expert episodes that the weak agent imitates.
        steps: environment steps of each fine-tuning.
        conditions: by agent started from: `shipped` (`pretrained:dag`) and `weak`.
        test_episodes: of every agent on every split.
        seeds: independent learners.
        widths: of the weak agent's network, in place of the defaults.
        recipe: settings of `FineTuning` in place of its defaults.
    """

    watched: int
    steps: int
    conditions: tuple[tuple[str, tuple[str, ...]], ...]
    test_episodes: int
    seeds: int
    widths: tuple[tuple[str, int], ...] = ()
    recipe: tuple[tuple[str, Any], ...] = ()


ALL = (*CONDITIONS, "imitation")
SCALES = {
    "quick": Scale(12_000, 200_000, (("shipped", CLAIMED), ("weak", (*ALL, "scratch"))), 1024, 1),
    "full": Scale(12_000, 4_000_000, (("shipped", ALL), ("weak", (*ALL, "scratch"))), 8192, 3),
}


def _carry_out(size: Scale, out: Path, seed: int, say: Say) -> Outcome:
    stages = {name: worlds.make("dag", split=name, **options) for name, options in SPLITS.items()}
    returns: dict[str, NDArray[np.float64]] = {}
    runs: list[str] = []
    for at in range(seed, seed + size.seeds):
        for start, conditions in size.conditions:
            if at > seed and start == "shipped" and not conditions:
                continue
            for condition in ("before", *conditions):
                agent = _agent(size, stages["train"], start, condition, at, out, say)
                for split, world in stages.items():
                    folder = out / "runs" / f"{start}-{condition}-{split}-{at}"
                    batch = _returns(played(world, agent, size.test_episodes, at, folder, say))
                    for name, column in batch.items():
                        key = f"{start}/{condition}/{split}/{name}"
                        returns[key] = np.concatenate([returns.get(key, np.empty(0)), column])
                    if split in ("train", "heldout-link") and at == seed:
                        runs.append(str(folder))
    values = _values(size, returns)
    write_atomic(out / "figure.svg", _figure(size, values).encode())
    return Outcome(
        measure=(
            "return_ratio: mean return over mean omniscient return; change: the same of the "
            "return less that of the agent started from, in the same episodes; cost: passes "
            "through the network spent on it"
        ),
        values=values,
        verdict="\n".join(_verdict(size, values)),
        runs=runs,
        figures=["figure.svg"],
    )


# -- agents ------------------------------------------------------------------------------------


def _agent(
    size: Scale, world: DagWorld, start: str, condition: str, seed: int, out: Path, say: Say
) -> Agent:
    """The agent of a condition: learnt, gone on with or found in its folder."""
    first = _first(size, start, seed, out, say)
    if condition == "before":
        return learning.load_agent(first)
    folder = out / "agents" / f"{start}-{condition}-{seed}"
    if condition == "imitation":
        return _imitating_on(size, first, seed, out, folder)
    options: dict[str, Any] = dict(size.recipe) | CONDITIONS.get(condition, {})
    if condition == "scratch":
        options |= {"start": None, "widths": size.widths}
    else:
        options |= {"start": first}
    recipe = FineTuning(steps=size.steps, own_rounds=0, seed=seed, **options)
    agent = learning.reinforce(world, folder, recipe, resume=True)
    speed = np.median([row["steps_per_second"] for row in agent.history])
    say(f"{folder.name}: {agent.training['steps']:,} steps, {speed:,.0f}/s in a typical round")
    return agent


def _first(size: Scale, start: str, seed: int, out: Path, say: Say) -> str:
    """The agent started from: its folder or name."""
    if start == "shipped":
        return "pretrained:dag"
    folder = out / "agents" / f"weak-{seed}"
    recipe = learning.Recipe(network="equivariant", widths=size.widths, epochs=1.0, seed=seed)
    learning.learn([_logs(size.watched, seed, out)], folder, recipe, resume=True)
    return str(folder)


def _logs(episodes: int, seed: int, out: Path) -> Path:
    """Expert logs of split `train`, four fresh goals an episode."""
    folder = out / "logs" / f"{episodes}-{seed}"
    world = worlds.make("dag", exploits=4, goals="fresh")
    play.watch(world, scripted("expert"), episodes, seed, folder, resume=True)
    return folder


def _imitating_on(size: Scale, first: str, seed: int, out: Path, folder: Path) -> Agent:
    """Imitation that goes on, on new expert episodes, for as many passes as reinforcement takes."""
    wanted = _cost(size, "tuned") / (_IMITATED * COST["learnt"])
    # One shard in twenty is held out; logs of another seed than those that the weak one has seen.
    episodes = max(round(wanted * 20 / 19), 640)
    recipe = learning.Recipe(network="equivariant", epochs=1.0, seed=seed, start=first,
                             widths=_widths(first))  # fmt: skip
    return learning.learn([_logs(episodes, seed + 1000, out)], folder, recipe, resume=True)


def _widths(first: str) -> tuple[tuple[str, int], ...]:
    return tuple(learning.load_agent(first).architecture.widths.items())


def _cost(size: Scale, condition: str) -> float:
    """Passes through the network that an agent's learning takes, beside those before."""
    if condition == "before":
        return 0.0
    recipe = FineTuning(steps=size.steps, **dict(size.recipe))
    learnt = recipe.share * recipe.epochs * COST["learnt"]
    if condition == "anchored":
        learnt += recipe.share * recipe.epochs * COST["forward"]
    share = {"explore": 5 / 6, "exploit": 1 / 6}.get(condition, 1.0)  # five experiments, one goal
    return size.steps * (COST["forward"] + learnt * share)


# -- analysis ----------------------------------------------------------------------------------


def _returns(dataset: Dataset) -> dict[str, NDArray[np.float64]]:
    batch = dataset.read(without=dataset.optional)
    return {
        "own": batch.returns.astype(np.float64),
        "oracle": batch.oracle_return.astype(np.float64),
        "random": batch.random_return.astype(np.float64),
    }


def _values(size: Scale, returns: dict[str, NDArray[np.float64]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for start, conditions in size.conditions:
        for condition in ("before", *conditions):
            cost = _cost(size, condition)
            values[f"{start}/{condition}/cost"] = cost
            for split in SPLITS:
                key = f"{start}/{condition}/{split}"
                own, best = returns[f"{key}/own"], returns[f"{key}/oracle"]
                before = returns[f"{start}/before/{split}/own"]
                ratio, change, floor = _statistics.ratios(
                    [own, own - before, returns[f"{key}/random"]], [best] * 3
                )
                values[key] = {
                    "return_ratio": ratio.to_json(),
                    "change": change.to_json(),
                    "random_floor": floor.to_json(),
                }
                if size.seeds > 1:
                    parts = zip(
                        np.split(own - before, size.seeds), np.split(best, size.seeds), strict=True
                    )
                    values[key]["change_by_seed"] = [
                        float(gain.mean() / scale.mean()) for gain, scale in parts
                    ]
    return values


def _verdict(size: Scale, values: dict[str, Any]) -> list[str]:
    lines, compared, worse = [], 0, []
    for start, conditions in size.conditions:
        for condition in conditions:
            if condition == "scratch":
                words = [
                    f"{split} {_told(values[f'{start}/scratch/{split}']['return_ratio'])}"
                    for split in SPLITS
                ]
                lines.append(f"From random weights: return ratio {'; '.join(words)}.")
                continue
            found = {split: values[f"{start}/{condition}/{split}"]["change"] for split in SPLITS}
            words = [f"{split} {_told(change)}" for split, change in found.items()]
            lines.append(f"{start}, {condition}: change of the return ratio {'; '.join(words)}.")
            if condition in CLAIMED:
                compared += len(found)
                worse += [
                    f"{start}, {condition}, {split}"
                    for split, change in found.items()
                    if change["high"] is not None and change["high"] < 0
                ]
    chance = f"by chance alone {0.025 * compared:.1f} of {compared} intervals would lie below 0"
    if worse:
        lines.append(f"Refutes the claim: worse than before in {'; '.join(worse)} ({chance}).")
    else:
        low = min(
            values[f"{start}/{condition}/{split}"]["change"]["low"]
            for start, conditions in size.conditions
            for condition in conditions
            if condition in CLAIMED
            for split in SPLITS
        )
        lines.append(
            f"Does not refute the claim: no interval of {compared} lies below 0; a loss of up to "
            f"{max(0.0, -low):.3f} would not have been noticed somewhere."
        )
    return lines


def _told(found: dict[str, Any]) -> str:
    if found["low"] is None:
        return f"{found['value']:.3f}"
    return f"{found['value']:+.3f} [{found['low']:+.3f}, {found['high']:+.3f}]"


def _figure(size: Scale, values: dict[str, Any]) -> str:
    """Changes of the return ratio with intervals, by split; a panel for each agent started from."""
    colours = (BLUE, ORANGE, GREEN, RED, GREY)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6 * len(size.conditions), 3.8), layout="constrained",
                        facecolor="none")  # fmt: skip
        axes = figure.subplots(1, len(size.conditions), squeeze=False)[0]
        for ax, (start, conditions) in zip(axes, size.conditions, strict=True):
            ax.set_facecolor("none")
            shown = [c for c in conditions if c != "scratch"]
            for place, condition in enumerate(shown):
                found = [values[f"{start}/{condition}/{split}"]["change"] for split in SPLITS]
                at = np.arange(len(found)) + 0.14 * (place - (len(shown) - 1) / 2)
                middle = np.array([f["value"] for f in found])
                ends = np.array([[f["low"], f["high"]] for f in found], float).T
                ax.errorbar(at, middle, abs(ends - middle), fmt="o", markersize=4, capsize=2,
                            color=colours[place % 5], label=condition)  # fmt: skip
            ax.axhline(0, color=GREY, linestyle=":", linewidth=1.2)
            ax.set_xticks(range(len(SPLITS)), list(SPLITS), rotation=25, ha="right")
            ax.set_title(f"started from: {start}")
            ax.set_ylabel("change of the return ratio")
            ax.legend(fontsize=7)
        return svg(figure, "study", "What fine-tuning changes, by split")


STUDY = Study(
    name="fine-tuning",
    claim=(
        "Reinforcement on one split, from an agent that learnt passively, never makes it worse on "
        "any split by more than its interval: fine-tuning keeps generalisation to held-out links, "
        "more variables, other noise and longer tasks."
    ),
    design=(
        "PPO with a leave-one-out baseline in world `dag`, split `train` (5 variables, 5 "
        "experiments; D never influences E), from `pretrained:dag` and from an agent that imitated "
        "few logs. Before and after, greedy play on five splits: the same systems and noise, so "
        "that changes are paired. With and without staying near the start (`anchored`: "
        f"{ANCHOR} KL). Controls: learning from exploration or exploitation decisions alone, "
        "imitation of new expert logs for as many passes through the network, and reinforcement "
        "from random weights. Reward: exact expected goal value. 95 % intervals by the paired "
        "bootstrap over episodes, for the agents that were trained; other seeds give other agents "
        "(full scale lists them)."
    ),
    refuted_if=(
        "on some split the interval of the change lies below 0, for fine-tuning with or without "
        "the anchor, from either agent."
    ),
    scales=SCALES,
    carry_out=_carry_out,
)
