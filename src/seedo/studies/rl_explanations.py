"""Study `rl-explanations`: whether predicting explanations helps a reinforcement learner."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from seedo import learning, reports
from seedo.episodes import Dataset
from seedo.learning import RoomsAgent
from seedo.statistics import mean
from seedo.studies._in_rooms import share_correct
from seedo.studies._stages import stage
from seedo.studies._study import Study, Work
from seedo.studies._words import over_seeds

CONDITIONS = ("predict", "none")
CHANCE, NEAR = 0.25, 0.90
MARGIN = 0.05
"""By how much every seed with explanations must beat every one without to count."""


@dataclass(frozen=True)
class Scale:
    """How much is run."""

    dimensions: tuple[str, ...]  # along which the odd one stands out
    steps: int  # environment steps of each learner
    test_episodes: int  # of every run
    seeds: int  # independent learners
    network: str = "relational"


class Learner(NamedTuple):
    """An agent and its greedy run in new rooms."""

    agent: RoomsAgent
    run: Dataset


def _play(work: Work[Scale]) -> dict[str, list[Learner]]:
    found: dict[str, list[Learner]] = {}
    seeds = [own.seed for own in work.seeds(work.scale.seeds)]
    keys = [list(key) for key in product(work.scale.dimensions, seeds, CONDITIONS)]
    for (dimension, _, condition), learner in zip(keys, work.each("learner", keys), strict=True):
        found.setdefault(f"{dimension}-{condition}", []).append(learner)
    return found


def _learner(work: Work[Scale], key: Any) -> Learner:
    dimension, seed, condition = key
    own, scale = work.at(seed), work.scale
    world = stage("rooms", level="basic", dimension=dimension)
    label = f"{dimension}-{condition}-{seed}"
    own.say(f"{label}: learning, {scale.steps:,} steps")
    recipe = learning.ReinforcementRecipe(
        steps=scale.steps, network=scale.network, explanations=condition, seed=seed
    )
    agent = learning.reinforce(world, work.out / "agents" / label, recipe, resume=True)
    return Learner(agent, own.played(world, agent, scale.test_episodes, f"runs/{label}", True))


def _measure(_: Work[Scale], found: dict[str, list[Learner]]) -> dict[str, Any]:
    return {
        label: {
            "won": [share_correct(one.run) for one in own],
            "steps": [row["steps"] for row in own[-1].agent.history],
            "curves": [[row["success"] or 0.0 for row in one.agent.history] for one in own],
        }
        for label, own in found.items()
    }


def _half(own: dict[str, Any]) -> str:
    """Steps after which the mean curve first reaches half of all rooms."""
    above = np.flatnonzero(np.mean(own["curves"], axis=0) >= 0.5)
    return f"{own['steps'][above[0]]:,.0f}" if len(above) else "never"


def _judge(scale: Scale, values: dict[str, Any]) -> list[str]:
    lines = []
    for dimension in scale.dimensions:
        with_, without = (values[f"{dimension}-{c}"] for c in CONDITIONS)
        if min(with_["won"]) >= NEAR and max(without["won"]) <= CHANCE + 0.1:
            word = "supports the claim"
        elif min(with_["won"]) > max(without["won"]) + MARGIN:
            word = "explanations help, but not as claimed"
        else:
            word = "refutes the claim"
        lines.append(
            f"dimension {dimension}, {scale.steps:,} steps: wins {over_seeds(with_['won'])} of the "
            f"rooms with explanations, {over_seeds(without['won'])} without (chance {CHANCE}); "
            f"half of them after {_half(with_)} and {_half(without)} steps: {word}."
        )
    return lines


def _draw(scale: Scale, values: dict[str, Any]) -> Figure:
    count = len(scale.dimensions)
    figure, [axes] = reports.panels(1, count, 4.2 * count, 3.4)
    lines = zip(CONDITIONS, (reports.BLUE, reports.ORANGE), ("with explanations", "without"),
                strict=True)  # fmt: skip
    for (condition, colour, label), (ax, dimension) in product(
        lines, zip(axes, scale.dimensions, strict=True)
    ):
        own = values[f"{dimension}-{condition}"]
        points = [mean(at).to_json() for at in np.array(own["curves"]).T]
        reports.curve(ax, own["steps"], points, True, color=colour, label=label, marker="")
    for ax, dimension in zip(axes, scale.dimensions, strict=True):
        ax.axhline(CHANCE, color=reports.GREY, linestyle=":", linewidth=1.2)
        ax.axhline(NEAR, color=reports.INK, linestyle="--", linewidth=0.8)
        ax.set(ylim=(0, 1.02), title=f"odd one along {dimension}", xlabel="environment steps",
               ylabel="rooms won while learning")  # fmt: skip
    axes[0].legend()
    return figure


STUDY = Study(
    name="rl-explanations",
    claim="""A reinforcement learner that also predicts explanations learns odd-one-out nearly
        perfectly where one that does not stays at chance (Lampinen et al., 2022, 'Tell me
        why!').""",
    design="""PPO in single rooms, reward only at the choice; the same network and seeds with and
        without predicting what is said, at equal steps; then greedy play in new rooms. Symbolic
        observations, in which objects are given as such, are easier than the published pixels; at
        scale `ordinary` nothing in the network compares objects by construction.""",
    refuted_if=f"""with explanations it wins under {NEAR:.0%} of the rooms, or without them more
        than chance by 10 points.""",
    measures="rooms won",
    scales={
        "quick": Scale(("colour",), 300_000, 1024, 1),
        "full": Scale(("colour",), 500_000, 4096, 3),
        "ordinary": Scale(("colour",), 400_000, 1024, 1, "attention"),
    },
    play=_play,
    parts={"learner": _learner},
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Learning curves with and without explanations",
)
