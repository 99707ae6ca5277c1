"""Study `fine-tuning`: does reinforcement on one split keep what an agent does on others?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import learning, reports
from seedo.episodes import Dataset
from seedo.experimenters import scripted
from seedo.learning import Agent, FineTuning
from seedo.reports import BLUE, GREEN, GREY, ORANGE, RED
from seedo.studies._estimates import ratios_of
from seedo.studies._stages import stage
from seedo.studies._study import Study, Work
from seedo.studies._words import told
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
    """How much is run."""

    watched: int  # expert episodes that the weak agent imitates
    steps: int  # environment steps of each fine-tuning
    conditions: tuple[tuple[str, tuple[str, ...]], ...]  # by agent started from: shipped, weak
    test_episodes: int  # of every agent on every split
    seeds: int  # independent learners
    widths: tuple[tuple[str, int], ...] = ()  # of the weak agent's network
    recipe: tuple[tuple[str, Any], ...] = ()  # settings of `FineTuning` in place of its defaults

    @property
    def agents(self) -> list[tuple[str, str]]:
        """(agent started from, condition), what it was before first."""
        return [(start, c) for start, own in self.conditions for c in ("before", *own)]


ALL = (*CONDITIONS, "imitation")
Runs = dict[tuple[str, str, str], list[Dataset]]
"""By agent started from, condition and split; one a seed."""


def _play(work: Work[Scale]) -> Runs:
    scale = work.scale
    found: Runs = {}
    seeds = [own.seed for own in work.seeds(scale.seeds)]
    keys: list[Any] = [
        [*agent, seed, seed == work.seed] for seed in seeds for agent in scale.agents
    ]
    for (start, condition, *_), runs in zip(keys, work.each("agent", keys), strict=True):
        for split, run in runs.items():
            found.setdefault((start, condition, split), []).append(run)
    return found


def _tuned(work: Work[Scale], key: Any) -> dict[str, Dataset]:
    """Runs of an agent that was tuned, by split."""
    start, condition, seed, first = key
    own = work.at(seed)
    stages = {name: stage("dag", split=name, **options) for name, options in SPLITS.items()}
    agent = _agent(own, stages["train"], start, condition)
    return {
        split: own.played(
            world, agent, work.scale.test_episodes, f"runs/{start}-{condition}-{split}-{seed}",
            first and split in ("train", "heldout-link"),
        )
        for split, world in stages.items()
    }  # fmt: skip


# -- agents ------------------------------------------------------------------------------------


def _agent(work: Work[Scale], world: DagWorld, start: str, condition: str) -> Agent:
    """The agent of a condition: learnt, gone on with or found in its folder."""
    scale = work.scale
    first = "pretrained:dag" if start == "shipped" else _weak(work)
    if condition == "before":
        return learning.load_agent(first)
    folder = f"agents/{start}-{condition}-{work.seed}"
    if condition == "imitation":
        return _imitating_on(work, first, folder)
    options: dict[str, Any] = dict(scale.recipe) | CONDITIONS.get(condition, {})
    options |= {"start": first}
    if condition == "scratch":
        options |= {"start": None, "widths": scale.widths}
    recipe = FineTuning(steps=scale.steps, own_rounds=0, seed=work.seed, **options)
    agent = learning.reinforce(world, work.out / folder, recipe, resume=True)
    speed = np.median([row["steps_per_second"] for row in agent.history])
    work.say(f"{folder}: {agent.training['steps']:,} steps, {speed:,.0f}/s in a typical round")
    return agent


def _weak(work: Work[Scale]) -> str:
    """The folder of an agent that imitated few logs."""
    folder = f"agents/weak-{work.seed}"
    logs = _logs(work, work.scale.watched)
    work.learnt([logs.path], folder, network="equivariant", widths=work.scale.widths, epochs=1.0)
    return str(work.out / folder)


def _logs(work: Work[Scale], episodes: int) -> Dataset:
    """Expert logs of split `train`, four fresh goals an episode."""
    world = stage("dag", exploits=4, goals="fresh")
    return work.watched(world, scripted("expert"), episodes, f"logs/{episodes}-{work.seed}")


def _imitating_on(work: Work[Scale], first: str, folder: str) -> Agent:
    """Imitation that goes on, on new expert episodes, for as many passes as reinforcement takes."""
    wanted = _cost(work.scale, "tuned") / (_IMITATED * COST["learnt"])
    # One shard in twenty is held out; logs of another seed than those that the weak one has seen.
    logs = _logs(replace(work, seed=work.seed + 1000), max(round(wanted * 20 / 19), 640))
    widths = tuple(learning.load_agent(first).architecture.widths.items())
    return work.learnt(
        [logs.path], folder, network="equivariant", epochs=1.0, start=first, widths=widths
    )


def _cost(scale: Scale, condition: str) -> float:
    """Passes through the network that an agent's learning takes, beside those before."""
    if condition == "before":
        return 0.0
    recipe = FineTuning(steps=scale.steps, **dict(scale.recipe))
    learnt = recipe.share * recipe.epochs * COST["learnt"]
    if condition == "anchored":
        learnt += recipe.share * recipe.epochs * COST["forward"]
    share = {"explore": 5 / 6, "exploit": 1 / 6}.get(condition, 1.0)  # five experiments, one goal
    return scale.steps * (COST["forward"] + learnt * share)


# -- analysis ----------------------------------------------------------------------------------


def _measure(work: Work[Scale], runs: Runs) -> dict[str, Any]:
    scale = work.scale

    def column(key: tuple[str, str, str], name: str) -> NDArray[np.float64]:
        """float64[episodes of all seeds]."""
        batches = [run.read(without=run.optional) for run in runs[key]]
        return np.concatenate([getattr(b, name).astype(np.float64) for b in batches])

    values: dict[str, Any] = {}
    for start, condition in scale.agents:
        values[f"{start}/{condition}/cost"] = _cost(scale, condition)
        for split in SPLITS:
            key = (start, condition, split)
            own, best = column(key, "returns"), column(key, "oracle_return")
            gain = own - column((start, "before", split), "returns")
            found = ratios_of({
                "return_ratio": (own, best),
                "change": (gain, best),
                "random_floor": (column(key, "random_return"), best),
            })  # fmt: skip
            values["/".join(key)] = found
            if scale.seeds > 1:
                parts = zip(np.split(gain, scale.seeds), np.split(best, scale.seeds), strict=True)
                found["change_by_seed"] = [float(g.mean() / b.mean()) for g, b in parts]
    return values


def _judge(scale: Scale, values: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    lows: list[float] = []
    worse: list[str] = []
    for start, condition in scale.agents:
        own = {split: values[f"{start}/{condition}/{split}"] for split in SPLITS}
        if condition == "scratch":
            words = "; ".join(f"{split} {told(e['return_ratio'])}" for split, e in own.items())
            lines.append(f"From random weights: return ratio {words}.")
        elif condition != "before":
            words = "; ".join(f"{split} {told(e['change'], '+.3f')}" for split, e in own.items())
            lines.append(f"{start}, {condition}: change of the return ratio {words}.")
        if condition in CLAIMED:
            lows += [e["change"]["low"] for e in own.values()]
            worse += [
                f"{start}, {condition}, {split}"
                for split, e in own.items()
                if e["change"]["high"] is not None and e["change"]["high"] < 0
            ]
    if worse:
        chance = f"by chance alone {0.025 * len(lows):.1f} of {len(lows)} intervals would lie below"
        return [*lines, f"Refutes the claim: worse than before in {'; '.join(worse)} ({chance} 0)."]
    return [
        *lines,
        f"Does not refute the claim: no interval of {len(lows)} lies below 0; a loss of up to "
        f"{max(0.0, -min(lows)):.3f} would not have been noticed somewhere.",
    ]


def _draw(scale: Scale, values: dict[str, Any]) -> Figure:
    """Changes of the return ratio with intervals, by split; a panel for each agent started from."""
    count = len(scale.conditions)
    figure, [axes] = reports.panels(1, count, 4.6 * count, 3.8)
    for ax, (start, conditions) in zip(axes, scale.conditions, strict=True):
        shown = [c for c in conditions if c != "scratch"]
        for place, condition in enumerate(shown):
            found = [values[f"{start}/{condition}/{split}"]["change"] for split in SPLITS]
            at = np.arange(len(found)) + 0.14 * (place - (len(shown) - 1) / 2)
            reports.curve(ax, at, found, linestyle="", markersize=4, label=condition,
                          color=(BLUE, ORANGE, GREEN, RED, GREY)[place % 5])  # fmt: skip
        ax.axhline(0, color=GREY, linestyle=":", linewidth=1.2)
        ax.set_xticks(range(len(SPLITS)), list(SPLITS), rotation=25, ha="right")
        ax.set(title=f"started from: {start}", ylabel="change of the return ratio")
        ax.legend(fontsize=7)
    return figure


STUDY = Study(
    name="fine-tuning",
    claim="""Reinforcement on one split, from an agent that learnt passively, never makes it worse
        on any split by more than its interval: fine-tuning keeps generalisation to held-out links,
        more variables, other noise and longer tasks.""",
    design=f"""PPO with a leave-one-out baseline in world `dag`, split `train` (5 variables, 5
        experiments; D never influences E), from `pretrained:dag` and from an agent that imitated
        few logs. Before and after, greedy play on five splits: the same systems and noise, so that
        changes are paired. With and without staying near the start (`anchored`: {ANCHOR} KL).
        Controls: learning from exploration or exploitation decisions alone, imitation of new expert
        logs for as many passes through the network, and reinforcement from random weights. Reward:
        exact expected goal value. 95 % intervals by the paired bootstrap over episodes, for the
        agents that were trained; other seeds give other agents (full scale lists them).""",
    refuted_if="""on some split the interval of the change lies below 0, for fine-tuning with or
        without the anchor, from either agent.""",
    measures="""return_ratio: mean return over mean omniscient return; change: the same of the
        return less that of the agent started from, in the same episodes; cost: passes through the
        network spent on it""",
    scales={
        "quick": Scale(
            12_000, 200_000, (("shipped", CLAIMED), ("weak", (*ALL, "scratch"))), 1024, 1
        ),
        "full": Scale(12_000, 4_000_000, (("shipped", ALL), ("weak", (*ALL, "scratch"))), 8192, 3),
    },
    play=_play,
    parts={"agent": _tuned},
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="What fine-tuning changes, by split",
)
