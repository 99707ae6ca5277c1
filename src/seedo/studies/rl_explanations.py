"""Study `rl-explanations`: whether predicting explanations helps a reinforcement learner."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from seedo import learning, worlds
from seedo.episodes import write_atomic
from seedo.reports._figures import BLUE, GREY, INK, ORANGE, STYLE, svg
from seedo.statistics import _intervals as _statistics
from seedo.studies._in_rooms import interval, share_correct
from seedo.studies._protocol import Outcome, Say, Study

CONDITIONS = ("predict", "none")
CHANCE, NEAR = 0.25, 0.90
MARGIN = 0.05
"""By how much every seed with explanations must beat every one without to count."""


@dataclass(frozen=True)
class Scale:
    """How much is run: dimensions that the odd one stands out along, environment steps of each
    learner, test episodes, independent seeds."""

    dimensions: tuple[str, ...]
    steps: int
    test_episodes: int
    seeds: int


SCALES = {
    "quick": Scale(("colour",), 300_000, 1024, 1),
    "full": Scale(("colour",), 500_000, 4096, 3),
}


def _carry_out(scale: Scale, out: Path, seed: int, say: Say) -> Outcome:
    values: dict[str, Any] = {}
    runs: list[str] = []
    for dimension in scale.dimensions:
        options = {"level": "basic", "dimension": dimension}
        world = worlds.make("rooms", **options)
        for at in range(seed, seed + scale.seeds):
            for condition in CONDITIONS:
                label = f"{dimension}-{condition}"
                say(f"{label}, seed {at}: learning, {scale.steps:,} steps")
                recipe = learning.ReinforcementRecipe(
                    steps=scale.steps, explanations=condition, seed=at
                )
                agent = learning.reinforce(
                    world, out / "agents" / f"{label}-{at}", recipe, resume=True
                )
                folder = out / "runs" / f"{label}-{at}"
                share = share_correct(agent, options, scale.test_episodes, at, folder, say)
                own = values.setdefault(label, {"won": [], "steps": [], "curves": []})
                own["won"].append(share)
                own["steps"] = [row["steps"] for row in agent.history]
                own["curves"].append([row["success"] or 0.0 for row in agent.history])
                runs.append(str(folder))
    figure = _figure(out / "figure.svg", values, scale)
    return Outcome("rooms won", values, _verdict(values, scale), runs, [figure])


def _half(own: dict[str, Any]) -> float | None:
    """Steps after which the mean curve first reaches half of all rooms; None if it never does."""
    mean = np.mean(own["curves"], axis=0)
    above = np.flatnonzero(mean >= 0.5)
    return float(own["steps"][above[0]]) if len(above) else None


def _verdict(values: dict[str, Any], scale: Scale) -> str:
    lines = []
    for dimension in scale.dimensions:
        with_, without = (values[f"{dimension}-{c}"] for c in CONDITIONS)
        text = (
            f"dimension {dimension}, {scale.steps:,} steps: wins {interval(with_['won'])} of the "
            f"rooms with explanations, {interval(without['won'])} without (chance {CHANCE})"
        )
        reached = [_half(own) for own in (with_, without)]
        told = [f"{steps:,.0f}" if steps is not None else "never" for steps in reached]
        text += f"; half of them after {told[0]} and {told[1]} steps"
        if min(with_["won"]) >= NEAR and max(without["won"]) <= CHANCE + 0.1:
            verdict = "supports the claim"
        elif min(with_["won"]) > max(without["won"]) + MARGIN:
            verdict = "explanations help, but not as claimed"
        else:
            verdict = "refutes the claim"
        lines.append(f"{text}: {verdict}.")
    return "\n".join(lines)


def _figure(path: Path, values: dict[str, Any], scale: Scale) -> str:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.2 * len(scale.dimensions), 3.4), layout="constrained",
                        facecolor="none")  # fmt: skip
        axes = figure.subplots(1, len(scale.dimensions), squeeze=False)[0]
        for ax, dimension in zip(axes, scale.dimensions, strict=True):
            ax.set_facecolor("none")
            for condition, color, label in (
                ("predict", BLUE, "with explanations"),
                ("none", ORANGE, "without"),
            ):
                own = values[f"{dimension}-{condition}"]
                points = [_statistics.mean(at) for at in np.array(own["curves"]).T]
                x = own["steps"]
                ax.plot(x, [e.value for e in points], color=color, label=label)
                if all(e.low is not None for e in points):
                    ax.fill_between(x, [e.low for e in points], [e.high for e in points],
                                    color=color, alpha=0.2, linewidth=0)  # fmt: skip
            ax.axhline(CHANCE, color=GREY, linestyle=":", linewidth=1.2)
            ax.axhline(NEAR, color=INK, linestyle="--", linewidth=0.8)
            ax.set_ylim(0, 1.02)
            ax.set_title(f"odd one along {dimension}")
            ax.set_xlabel("environment steps")
            ax.set_ylabel("rooms won while learning")
        axes[0].legend()
        text = svg(figure, "study", "Learning curves with and without explanations")
    write_atomic(path, text.encode())
    return str(path)


STUDY = Study(
    name="rl-explanations",
    claim=(
        "A reinforcement learner that also predicts explanations learns odd-one-out nearly "
        "perfectly where one that does not stays at chance (Lampinen et al., 2022, 'Tell me why!')."
    ),
    design=(
        "PPO in single rooms, reward only at the choice; the same network and seeds with and "
        "without predicting what is said, at equal steps; then greedy play in new rooms. Symbolic "
        "observations, in which objects are given as such, are easier than the published pixels."
    ),
    refuted_if=(
        f"with explanations it wins under {NEAR:.0%} of the rooms, or without them more than "
        "chance by 10 points."
    ),
    scales=SCALES,
    carry_out=_carry_out,
)
