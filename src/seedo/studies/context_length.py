"""Study `context-length`: the same agents with memories of different lengths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo.episodes import write_atomic
from seedo.play import find_player
from seedo.reports._figures import BLUE, GREEN, GREY, INK, ORANGE, RED, STYLE, svg
from seedo.studies import _long_tasks
from seedo.studies._long_tasks import Returns, estimate, say_estimate
from seedo.studies._protocol import Outcome, Say, Study
from seedo.studies._stages import played

ALL = "all"
PLAYERS = ("pretrained:dag", "scripted:largest-effect", "scripted:partial-correlation")


@dataclass(frozen=True)
class Scale:
    """How much is run.

    Attributes:
        players: names for `find_player`; the first is whom the claim is about.
        memories: steps, beside all.
        drifts: radians a round, 0 among them.
        horizons: T, multiples of `_long_tasks.BLOCK`, increasing.
        episodes: of every run.
    """

    players: tuple[str, ...]
    memories: tuple[int, ...]
    drifts: tuple[float, ...]
    horizons: tuple[int, ...]
    episodes: int


SCALES = {
    "quick": Scale(PLAYERS[:1], (4, 8, 16, 32), (0.0, 0.1), (5, 10, 20, 50, 100), 1024),
    "full": Scale(
        PLAYERS, (4, 8, 16, 32, 64), (0.0, 0.03, 0.1, 0.3), (5, 10, 20, 50, 100, 200), 4096
    ),
}


def _carry_out(size: Scale, out: Path, seed: int, say: Say) -> Outcome:
    runs: list[str] = []
    values: dict[str, Any] = {}
    gains: dict[str, Any] = {}
    for player in size.players:
        for drift in size.drifts:
            world = _long_tasks.rounds_world(max(size.horizons), drift)
            returns: dict[str, Returns] = {}
            for memory in (*map(str, size.memories), ALL):
                who = player if memory == ALL else f"last-{memory}:{player}"
                name = f"{who.replace(':', '-')}-drift-{drift:g}"
                folder = out / "runs" / name
                dataset = played(world, find_player(who, world), size.episodes, seed, folder, say)
                file = out / "returns" / f"{name}.npz"
                returns[memory] = _long_tasks.returns_in_rounds(dataset, size.horizons, file)
                values[f"{player}/{drift:g}/{memory}"] = _long_tasks.figures_at(returns[memory])
                if player == size.players[0]:
                    runs.append(str(folder))
            gains[f"{player}/{drift:g}"] = _gain(returns)
    values = {"figures": values, "gain": gains}
    write_atomic(out / "figure.svg", _figure(size, values).encode())
    return Outcome(
        measure=(
            "figures: by player, drift and memory, at every horizon: return_ratio (share of the "
            "omniscient return), bayes_ratio (of the exact reader's on the same whole histories; "
            "unknown under drift), random_floor; gain: at the longest horizon, the return of the "
            "best limited memory less that of all memory, as a share of the omniscient"
        ),
        values=values,
        verdict="\n".join(_verdict(size, values)),
        runs=runs,
        figures=["figure.svg"],
    )


def _gain(returns: Mapping[str, Returns]) -> dict[str, Any]:
    """The best limited memory against all memory, at the last horizon.

    It is picked on the even episodes and measured on the odd ones, so that picking cannot favour
    it. `each`: every limited memory against all, on all episodes.
    """
    whole = returns[ALL]["agent"][:, -1]
    oracle = returns[ALL]["oracle"][:, -1]
    limited = {m: own["agent"][:, -1] for m, own in returns.items() if m != ALL}
    best = max(limited, key=lambda m: float(limited[m][::2].mean()))
    return {
        "memory": int(best),
        **_share(limited[best][1::2] - whole[1::2], oracle[1::2]),
        "each": {m: _share(own - whole, oracle) for m, own in limited.items()},
    }


def _share(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> dict[str, Any]:
    columns = np.stack([top, bottom])
    draws = _long_tasks.resampled(columns)
    value = float(top.mean() / bottom.mean())
    return estimate(value, draws[:, 0] / draws[:, 1], len(top))


def _verdict(size: Scale, values: Mapping[str, Any]) -> list[str]:
    lines = []
    longest = size.horizons[-1]
    for player in size.players:
        for drift in size.drifts:
            gain = values["gain"][f"{player}/{drift:g}"]
            told = (
                f"{memory} {say_estimate(_at_last(values, player, drift, str(memory)))}"
                for memory in (*size.memories, ALL)
            )
            if drift:
                verdict = "supports" if gain["low"] > 0 else "refutes"
            else:
                better = [m for m, own in gain["each"].items() if own["low"] > 0]
                verdict = "refutes" if better else "supports"
            floor = values["figures"][f"{player}/{drift:g}/{ALL}"][-1]["random_floor"]
            lines.append(
                f"{player}, drift {drift:g}, T={longest}: share of the omniscient return by steps "
                f"remembered: {'; '.join(told)}; random {say_estimate(floor)}. The best limited "
                f"memory ({gain['memory']}, picked on other episodes) less all memory: "
                f"{say_estimate(gain)} (n = {gain['n']:,}); it {verdict} the claim."
            )
    return lines


def _at_last(values: Mapping[str, Any], player: str, drift: float, memory: str) -> dict[str, Any]:
    found: dict[str, Any] = values["figures"][f"{player}/{drift:g}/{memory}"][-1]["return_ratio"]
    return found


def _figure(size: Scale, values: Mapping[str, Any]) -> str:
    """Return against horizon, a line for each memory, a panel for each player and drift."""
    memories = (*map(str, size.memories), ALL)
    colours = (RED, ORANGE, GREEN, BLUE, GREY, INK)
    with mpl.rc_context(STYLE):
        shape = len(size.players), len(size.drifts)
        figure = Figure(figsize=(3.8 * shape[1], 3.2 * shape[0]), layout="constrained",
                        facecolor="none")  # fmt: skip
        axes = figure.subplots(*shape, squeeze=False, sharey=True)
        for row, player in zip(axes, size.players, strict=True):
            for ax, drift in zip(row, size.drifts, strict=True):
                for place, memory in enumerate(memories):
                    own = [f["return_ratio"] for f in values["figures"][
                        f"{player}/{drift:g}/{memory}"]]  # fmt: skip
                    middle = [e["value"] for e in own]
                    spread = [[e["value"] - e["low"] for e in own],
                              [e["high"] - e["value"] for e in own]]  # fmt: skip
                    colour = INK if memory == ALL else colours[place % 5]
                    ax.errorbar(size.horizons, middle, spread, color=colour, label=memory,
                                marker="o", markersize=3, capsize=2)  # fmt: skip
                ax.set_xscale("log")
                ax.set_xticks(size.horizons, [str(h) for h in size.horizons])
                ax.set_xticks([], minor=True)
                ax.set_title(f"{player}, drift {drift:g}")
                ax.set_xlabel("steps")
            row[0].set_ylabel("share of the omniscient return")
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(memories),
                      title="steps remembered")  # fmt: skip
        return svg(figure, "context-length", "Return against horizon by length of memory")


STUDY = Study(
    name="context-length",
    claim=(
        "What an agent should remember depends on how long the world stays as it is: in constant "
        "systems no limit to its memory helps, in drifting ones the right limit does, the longer "
        "the task the more."
    ),
    design=(
        "World `dag`, linear, 5 variables, rounds of 4 experiments and one exploit action with a "
        "goal of its own, up to 100 steps. The same agents with the last 4, 8, 16 and 32 steps in "
        "memory (before each decision they read these afresh: what went before leaves no trace), "
        "and with all. Weights constant, or turning by 0.1 radian a round, so that those of rounds "
        "r and s correlate by cos((r - s) 0.1): they are forgotten after 16 rounds. One run of the "
        "longest T serves all T: these agents do not look at the steps left. Same systems and "
        "noise for all. Controls: constant systems, a random exploit action, and at full scale two "
        "heuristics that no training has made used to short episodes, and other drifts. The best "
        "limit is picked on half of the episodes and measured on the other half. 95 % intervals by "
        "the paired bootstrap over episodes. Power: with 512 episodes measured, half of an "
        "interval of the gain is about 0.1."
    ),
    refuted_if=(
        "at the longest horizon, under drift, the interval of the best limited memory's return "
        "less that of all memory reaches 0; or in constant systems some limited memory's return "
        "exceeds that of all memory, with an interval above 0."
    ),
    scales=SCALES,
    carry_out=_carry_out,
)
