"""Study `context-length`: the same agents with memories of different lengths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from matplotlib.figure import Figure

from seedo import reports
from seedo.play import find_player
from seedo.reports import BLUE, GREEN, GREY, INK, ORANGE, RED
from seedo.studies._estimates import share_of
from seedo.studies._long_tasks import Returns, figures_at, returns_in_rounds, rounds_world
from seedo.studies._study import Study, Work
from seedo.studies._words import supports, told

ALL = "all"
PLAYERS = ("pretrained:dag", "scripted:largest-effect", "scripted:partial-correlation")


@dataclass(frozen=True)
class Scale:
    """How much is run."""

    players: tuple[str, ...]  # names for `find_player`; the first is whom the claim is about
    memories: tuple[int, ...]  # steps, beside all
    drifts: tuple[float, ...]  # radians a round, 0 among them
    horizons: tuple[int, ...]  # T, multiples of `_long_tasks.BLOCK`, increasing
    episodes: int  # of every run

    @property
    def limits(self) -> tuple[str, ...]:
        """Of memory, none last."""
        return (*map(str, self.memories), ALL)


def _play(work: Work[Scale]) -> dict[str, dict[str, Returns]]:
    """By "PLAYER/DRIFT" and memory."""
    scale = work.scale
    keys: list[Any] = [list(key) for key in product(scale.players, scale.drifts, scale.limits)]
    found: dict[str, dict[str, Returns]] = {}
    for (player, drift, memory), returns in zip(keys, work.each("memory", keys), strict=True):
        found.setdefault(f"{player}/{drift:g}", {})[memory] = returns
    return found


def _remembering(work: Work[Scale], key: Any) -> Returns:
    """What a player gets in systems that drift so much, with a memory."""
    player, drift, memory = key
    scale = work.scale
    world = rounds_world(max(scale.horizons), drift)
    who = player if memory == ALL else f"last-{memory}:{player}"
    name = f"{who.replace(':', '-')}-drift-{drift:g}"
    run = work.played(world, find_player(who, world), scale.episodes, f"runs/{name}",
                      player == scale.players[0])  # fmt: skip
    return returns_in_rounds(work, run, scale.horizons, f"returns/{name}.npz")


def _measure(_: Work[Scale], found: dict[str, dict[str, Returns]]) -> dict[str, Any]:
    return {
        "figures": {
            f"{key}/{memory}": figures_at(returns)
            for key, own in found.items()
            for memory, returns in own.items()
        },
        "gain": {key: _gain(own) for key, own in found.items()},
    }


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
        **share_of(limited[best][1::2] - whole[1::2], oracle[1::2]),
        "each": {m: share_of(own - whole, oracle) for m, own in limited.items()},
    }


def _judge(scale: Scale, values: Mapping[str, Any]) -> list[str]:
    lines = []
    for player, drift in product(scale.players, scale.drifts):
        key = f"{player}/{drift:g}"
        gain = values["gain"][key]
        last = {m: values["figures"][f"{key}/{m}"][-1] for m in scale.limits}
        shares = "; ".join(f"{m} {told(own['return_ratio'])}" for m, own in last.items())
        # Under drift the best limit must help; in constant systems no limit may.
        good = gain["low"] > 0 if drift else all(own["low"] <= 0 for own in gain["each"].values())
        lines.append(
            f"{player}, drift {drift:g}, T={scale.horizons[-1]}: share of the omniscient return by "
            f"steps remembered: {shares}; random {told(last[ALL]['random_floor'])}. The best "
            f"limited memory ({gain['memory']}, picked on other episodes) less all memory: "
            f"{told(gain)} (n = {gain['n']:,}); it {supports(good)} the claim."
        )
    return lines


def _draw(scale: Scale, values: Mapping[str, Any]) -> Figure:
    """Return against horizon, a line for each memory, a panel for each player and drift."""
    rows, columns = len(scale.players), len(scale.drifts)
    figure, axes = reports.panels(rows, columns, 3.8 * columns, 3.2 * rows, sharey=True)
    for ax, (player, drift) in zip(axes.ravel(), product(scale.players, scale.drifts), strict=True):
        for place, memory in enumerate(scale.limits):
            own = [f["return_ratio"] for f in values["figures"][f"{player}/{drift:g}/{memory}"]]
            colour = INK if memory == ALL else (RED, ORANGE, GREEN, BLUE, GREY)[place % 5]
            reports.curve(ax, scale.horizons, own, color=colour, label=memory)
        reports.only_ticks(ax, scale.horizons)
        ax.set(title=f"{player}, drift {drift:g}", xlabel="steps")
    for ax in axes[:, 0]:
        ax.set_ylabel("share of the omniscient return")
    reports.legend_above(figure, axes[0][0], len(scale.limits), "steps remembered")
    return figure


STUDY = Study(
    name="context-length",
    claim="""What an agent should remember depends on how long the world stays as it is: in constant
        systems no limit to its memory helps, in drifting ones the right limit does, the longer the
        task the more.""",
    design="""World `dag`, linear, 5 variables, rounds of 4 experiments and one exploit action with
        a goal of its own, up to 100 steps. The same agents with the last 4, 8, 16 and 32 steps in
        memory (before each decision they read these afresh: what went before leaves no trace), and
        with all. Weights constant, or turning by 0.1 radian a round, so that those of rounds r and
        s correlate by cos((r - s) 0.1): they are forgotten after 16 rounds. One run of the longest
        T serves all T: these agents do not look at the steps left. Same systems and noise for all.
        Controls: constant systems, a random exploit action, and at full scale two heuristics that
        no training has made used to short episodes, and other drifts. The best limit is picked on
        half of the episodes and measured on the other half. 95 % intervals by the paired bootstrap
        over episodes. Power: with 512 episodes measured, half of an interval of the gain is about
        0.1.""",
    refuted_if="""at the longest horizon, under drift, the interval of the best limited memory's
        return less that of all memory reaches 0; or in constant systems some limited memory's
        return exceeds that of all memory, with an interval above 0.""",
    measures="""figures: by player, drift and memory, at every horizon: return_ratio (share of the
        omniscient return), bayes_ratio (of the exact reader's on the same whole histories; unknown
        under drift), random_floor; gain: at the longest horizon, the return of the best limited
        memory less that of all memory, as a share of the omniscient""",
    scales={
        "quick": Scale(PLAYERS[:1], (4, 8, 16, 32), (0.0, 0.1), (5, 10, 20, 50, 100), 1024),
        "full": Scale(
            PLAYERS, (4, 8, 16, 32, 64), (0.0, 0.03, 0.1, 0.3), (5, 10, 20, 50, 100, 200), 4096
        ),
    },
    play=_play,
    parts={"memory": _remembering},
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Return against horizon by length of memory",
)
