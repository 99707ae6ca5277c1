"""Study `fragility`: players that assume much against players that assume little, as each
assumption is broken by degrees and as data grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import learning, play
from seedo.episodes import Dataset, EpisodeBatch, write_atomic
from seedo.experimenters import scripted
from seedo.learning import Agent
from seedo.reports._figures import BLUE, GREEN, GREY, INK, ORANGE, RED, STYLE, svg
from seedo.statistics import _intervals as _statistics
from seedo.studies import _assuming_readers as readers
from seedo.studies._broken_worlds import BrokenWorld, Degrees, Range
from seedo.studies._given_histories import network_actions, shortened, worths
from seedo.studies._protocol import Outcome, Say, Study
from seedo.studies._savings import resampled_means
from seedo.studies._stages import kept_arrays

N = 5
NARROW = Degrees()
BROAD = Degrees((0.0, 1.0), (0, 4), (1 / 16, 16.0), (0.0, 1.0))
BASE = "holds"
EXACT, UNTOLD = "exact", "exact, noise unknown"
HEURISTICS = ("largest-effect", "partial-correlation")
MEANS = "action-means"
SHIPPED = ("pretrained:dag", "pretrained:dag-plain")


@dataclass(frozen=True)
class Assumption:
    """One assumption, and degrees to which it is broken.

    Attributes:
        field: of `Degrees`. degrees: in increasing order. holds: the one at which it holds.
        hard: the player who makes it; soft: players who do not.
        scale: of the horizontal axis.
    """

    name: str
    field: str
    degrees: tuple[float, ...]
    holds: float
    hard: str
    soft: tuple[str, ...]
    scale: str = "linear"

    @property
    def ways(self) -> list[tuple[str, tuple[float, ...]]]:
        """Degrees from where it holds outwards, in each direction, and what to call that."""
        at = self.degrees.index(self.holds)
        up, down = self.degrees[at:], self.degrees[at::-1]
        named = [("more", up), ("less", down)] if at else [("", up)]
        return [(f"{self.name}, {word}".rstrip(", "), way) for word, way in named if len(way) > 1]


SOFT = (MEANS, "equivariant/broad", "plain/broad")
ASSUMPTIONS = (
    Assumption("linearity", "bend", (0.0, 0.25, 0.5, 0.75, 1.0), 0.0, EXACT, SOFT),
    Assumption("causal sufficiency", "hidden", (0, 1, 2, 3, 4), 0, EXACT,
               (*SOFT, "largest-effect")),
    Assumption("known noise", "noise", (1 / 16, 1 / 4, 1.0, 4.0, 16.0), 1.0, EXACT,
               (*SOFT, UNTOLD), "log"),
    Assumption("renaming symmetry", "lead", (0.0, 0.25, 0.5, 0.75, 1.0), 0.0,
               "equivariant/broad", ("plain/broad",)),
)  # fmt: skip


@dataclass(frozen=True)
class Trained:
    """An agent that the study trains.

    Attributes:
        network: kind; data: `narrow` (every assumption holds) or `broad` (each broken to a degree
            drawn anew for every system).
        episodes, epochs: watched, and passes over them.
        explanations: `predict` or `none`.
    """

    network: str
    data: str
    episodes: int
    epochs: float
    explanations: str = "none"
    label: str = ""

    @property
    def name(self) -> str:
        return f"{self.network}/{self.data}{self.label}"


@dataclass(frozen=True)
class Scale:
    """How much is run.

    Attributes:
        experiments: in increasing order.
        trained: agents; names ending in ` x...` are the same recipe with fewer episodes.
        widths: by network, in place of the defaults.
        batch_size, warm_up: of training, see `learning.learn`.
        test_episodes: of every run. seeds: independent ones (systems and agents).
    """

    assumptions: tuple[Assumption, ...]
    experiments: tuple[int, ...]
    trained: tuple[Trained, ...]
    widths: Mapping[str, tuple[tuple[str, int], ...]]
    batch_size: int
    warm_up: int
    test_episodes: int
    seeds: int


def _growing(network: str, data: str, episodes: int, epochs: float) -> tuple[Trained, ...]:
    """The same recipe on a hundredth, a tenth and all of the episodes; fewer are passed over more
    often, up to ten times."""
    return tuple(
        Trained(network, data, episodes // part, min(10.0, epochs * part), "predict", label)
        for part, label in ((100, " x0.01"), (10, " x0.1"), (1, ""))
    )


SCALES = {
    "quick": Scale(
        ASSUMPTIONS, (5, 50, 500),
        (Trained("equivariant", "broad", 40_000, 1.5), *_growing("plain", "broad", 40_000, 5.0)),
        {"equivariant": (("size", 32), ("layers", 2)), "plain": (("size", 96), ("layers", 3))},
        64, 30, 384, 1,
    ),
    "full": Scale(
        ASSUMPTIONS, (5, 50, 500),
        (
            Trained("equivariant", "narrow", 200_000, 2.0),
            *_growing("equivariant", "broad", 200_000, 2.0),
            Trained("plain", "narrow", 1_000_000, 2.0),
            Trained("plain", "broad", 1_000_000, 2.0, "none", " silent"),
            *_growing("plain", "broad", 1_000_000, 2.0),
        ),
        {}, 256, 200, 2048, 3,
    ),
}  # fmt: skip

Returns = dict[str, NDArray[np.float64]]
"""float64[B] by "PLAYER@EXPERIMENTS", and "oracle" and "random"."""


def _carry_out(size: Scale, out: Path, seed: int, say: Say) -> Outcome:
    returns: dict[str, Returns] = {}
    stages = Range(scripted("shuffled+random"), experiments=max(size.experiments))
    for s in range(seed, seed + size.seeds):
        agents = _agents(size, out / f"seed-{s}", s, say)
        for key, degrees in _cells(size).items():
            say(f"seed {s}: {key}")
            folder = out / f"seed-{s}" / "runs" / key.replace("/", "-")
            dataset = stages.played(degrees, size.test_episodes, s, folder)
            own = _returns(size, dataset, agents, folder.parent.parent / "returns", s)
            known = returns.setdefault(key, {})
            for name, column in own.items():
                known[name] = np.concatenate([known.get(name, np.empty(0)), column])
    values = _values(size, returns)
    write_atomic(out / "figure.svg", _figure(size, values).encode())
    write_atomic(out / "table.md", _table(size, values).encode())
    return Outcome(
        measure=(
            "normalised: by assumption, degree, experiments and player, (return - random) / "
            "(omniscient - random), in means; ahead: by assumption and experiments, the hard "
            "player's return less a soft one's, in the same unit, at each degree; crossing: the "
            "degree, interpolated, at which that reaches 0 (null: not within the degrees)"
        ),
        values=values,
        verdict="\n".join(_verdict(size, values)),
        runs=[],
        figures=["figure.svg"],
    )


def _cells(size: Scale) -> dict[str, Degrees]:
    """Worlds by "FIELD/DEGREE"; the one in which all assumptions hold is shared."""
    cells = {BASE: NARROW}
    for assumption in size.assumptions:
        for degree in assumption.degrees:
            if degree != assumption.holds:
                span = {assumption.field: (degree, degree)}
                cells[f"{assumption.field}/{degree:g}"] = Degrees(**span)
    return cells


def _cell(assumption: Assumption, degree: float) -> str:
    return BASE if degree == assumption.holds else f"{assumption.field}/{degree:g}"


# -- players -------------------------------------------------------------------------------------


def _agents(size: Scale, out: Path, seed: int, say: Say) -> dict[str, Agent]:
    found = {name: learning.load_agent(name) for name in SHIPPED}
    # Worlds and expert are made once, so that they are compiled once.
    expert = scripted("expert")
    stages = {
        data: BrokenWorld(degrees, 128, exploits=4, goals="fresh")
        for data, degrees in (("narrow", NARROW), ("broad", BROAD))
    }
    for plan in size.trained:
        logs = out / "logs" / f"{plan.data}-{plan.episodes}"
        play.watch(
            stages[plan.data], expert, plan.episodes, seed, logs, explain="graph", resume=True
        )
        say(f"{plan.name}: learning from {plan.episodes:,} episodes")
        recipe = learning.Recipe(
            network=plan.network, widths=tuple(size.widths.get(plan.network, ())),
            epochs=plan.epochs, explanations=plan.explanations, seed=seed,
            batch_size=size.batch_size,
        )  # fmt: skip
        folder = out / "agents" / plan.name.replace("/", "-").replace(" ", "-")
        found[plan.name] = learning.learn([logs], folder, recipe, resume=True, warm_up=size.warm_up)
    return found


def _returns(
    size: Scale, dataset: Dataset, agents: Mapping[str, Agent], out: Path, seed: int
) -> Returns:
    """What each player would get after each number of experiments, from the log alone."""

    def compute() -> Returns:
        batch = dataset.read(without=[n for n in dataset.optional if n != "system"])
        worth = worths(batch)
        legal = np.isfinite(worth)
        found = {
            "oracle": worth.max(1),
            "random": np.where(legal, worth, 0.0).sum(1) / legal.sum(1),
        }
        for experiments in size.experiments:
            short = shortened(batch, experiments)
            for name, action in _actions(short, agents, legal, seed).items():
                found[f"{name}@{experiments}"] = worth[np.arange(len(action)), action]
        return found

    question = {
        "rows": dataset.rows,
        "experiments": size.experiments,
        "agents": {name: a.training["weights_sha256"] for name, a in agents.items()},
    }
    return kept_arrays(out / f"{dataset.path.name}.npz", question, compute)


def _actions(
    batch: EpisodeBatch, agents: Mapping[str, Agent], legal: NDArray[np.bool_], seed: int
) -> dict[str, NDArray[np.int64]]:
    """int64[B] by player."""
    values = (-2.0, 2.0)
    goals = batch.goal[:, -1].astype(np.int64)
    rng = np.random.default_rng(seed)

    def best(scores: NDArray[np.float64]) -> NDArray[np.int64]:
        """Ties are broken at random."""
        masked = np.where(legal, scores.reshape(len(legal), -1), -np.inf)
        top = masked.max(1, keepdims=True)
        near = masked >= top - 1e-5 * np.maximum(np.abs(top), 1e-2)
        return np.where(near, rng.random(near.shape), -1.0).argmax(1)

    moments = readers.history_moments(batch)
    found = {
        name: best(effects[:, :, None] * np.asarray(values))
        for name, effects in readers.exact_effects(moments, goals).items()
    }
    for name in HEURISTICS:
        found[name] = best(readers.heuristic_scores(name, batch, values))
    found[MEANS] = best(readers.action_means(batch, values))
    for name, agent in agents.items():
        most = agent.architecture.most_steps
        if most is None or batch.steps <= most:
            found[name] = network_actions(agent, batch)
    return found


# -- analysis ------------------------------------------------------------------------------------


def _values(size: Scale, returns: Mapping[str, Returns]) -> dict[str, Any]:
    normalised: dict[str, Any] = {}
    for cell, own in returns.items():
        names = [n for n in own if n not in ("oracle", "random")]
        room = own["oracle"] - own["random"]
        estimates = _statistics.ratios([own[n] - own["random"] for n in names], [room] * len(names))
        for name, estimate in zip(names, estimates, strict=True):
            player, _, after = name.partition("@")
            at = normalised.setdefault(cell, {}).setdefault(after, {})
            at[player] = estimate.to_json()
    ahead: dict[str, Any] = {}
    for assumption in size.assumptions:
        for way, degrees in assumption.ways:
            cells = [returns[_cell(assumption, degree)] for degree in degrees]
            for experiments in size.experiments:
                pairs = _pairs(assumption, cells[0], experiments)
                for hard, soft in pairs:
                    found = _compare(
                        cells, degrees, hard, soft, experiments, assumption.scale, len(pairs)
                    )
                    ahead.setdefault(way, {}).setdefault(str(experiments), {})[
                        f"{hard} - {soft}"
                    ] = found
    return {"normalised": normalised, "ahead": ahead}


def _pairs(assumption: Assumption, own: Returns, experiments: int) -> list[tuple[str, str]]:
    """The hard player against every soft one who can play, in all its sizes of training data."""
    players = [n.partition("@")[0] for n in own if n.endswith(f"@{experiments}")]
    if assumption.hard not in players:
        return []
    return [
        (assumption.hard, player)
        for player in players
        if player in assumption.soft or player.partition(" x")[0] in assumption.soft
    ]


def _compare(
    cells: list[Returns], degrees: tuple[float, ...], hard: str, soft: str, experiments: int,
    scale: str, rivals: int,
) -> dict[str, Any]:  # fmt: skip
    """Hard less soft at each degree, and where it crosses 0; episodes paired over degrees.

    Intervals of the lead hold for all `rivals` at once (Bonferroni).
    """
    tail = 0.025 / rivals
    keys = (f"{hard}@{experiments}", f"{soft}@{experiments}")
    top = np.stack([own[keys[0]] - own[keys[1]] for own in cells], 1)
    bottom = np.stack([own["oracle"] - own["random"] for own in cells], 1)
    tops, bottoms = resampled_means([top, bottom])
    draws = tops / bottoms
    value = top.mean(0) / bottom.mean(0)
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    x = np.log(degrees) if scale == "log" else np.asarray(degrees, float)
    crossings = np.array([crossing(x, row) for row in draws])
    ends = np.quantile(crossings, [0.025, 0.975], method="nearest")

    def from_base(place: float) -> float | None:
        """Distances outwards back to degrees."""
        if not np.isfinite(place):
            return None
        at = x[0] + place * np.sign(x[-1] - x[0])
        return float(np.exp(at) if scale == "log" else at)

    return {
        "degrees": list(degrees),
        "value": value.tolist(), "low": low.tolist(), "high": high.tolist(), "n": len(top),
        "crossing": {
            "value": from_base(crossing(x, value)),
            "nearest": from_base(float(ends[0])), "farthest": from_base(float(ends[1])),
        },
    }  # fmt: skip


def crossing(x: NDArray[np.float64], ahead: NDArray[np.float64]) -> float:
    """How far from x[0] a lead first is gone, linearly interpolated.

    Args:
        x: float[D], monotone. ahead: float[D], the lead there.

    Returns:
        0 where there is none to begin with; infinity where it never goes.
    """
    gone = np.flatnonzero(ahead <= 0)
    if not len(gone):
        return float("inf")
    at = int(gone[0])
    if at == 0:
        return 0.0
    share = ahead[at - 1] / (ahead[at - 1] - ahead[at])
    return float(abs(x[at - 1] + share * (x[at] - x[at - 1]) - x[0]))


def _verdict(size: Scale, values: Mapping[str, Any]) -> list[str]:
    lines = []
    for assumption in size.assumptions:
        for way, degrees in assumption.ways:
            own = values["ahead"].get(way, {})
            if not own:
                lines.append(f"{way}: {assumption.hard} or its rivals were not trained: open.")
                continue
            few, many = (own[str(e)] for e in _ends(size, own))
            start = [f for f in few.values() if f["high"][0] < 0]
            won = [name for name, f in many.items() if f["high"][-1] < 0]
            kept = all(f["low"][-1] > 0 for f in many.values())
            word = "refutes" if start or kept else "supports" if won else "leaves open"
            told = [
                f"after {e} experiments {_words(f, name)}"
                for e in own
                for name, f in own[e].items()
                if " x" not in name or assumption.field == "lead"
            ]
            lines.append(
                f"{way} (n = {next(iter(many.values()))['n']:,} systems a degree, "
                f"{degrees[0]:g} to {degrees[-1]:g}): {'; '.join(told)}. It {word} the claim."
            )
        lines.append(_trend(size, assumption, values))
    return [line for line in lines if line]


def _ends(size: Scale, own: Mapping[str, Any]) -> tuple[int, int]:
    """The fewest and the most experiments after which the players can be compared."""
    able = [e for e in size.experiments if str(e) in own]
    return able[0], able[-1]


def _trend(size: Scale, assumption: Assumption, values: Mapping[str, Any]) -> str:
    """Whether crossings come nearer as experiments grow."""
    told = []
    for way, _ in assumption.ways:
        own = values["ahead"].get(way, {})
        if len(own) < 2:
            continue
        for soft in dict.fromkeys(name for found in own.values() for name in found):
            places = [own[e][soft]["crossing"]["value"] for e in own if soft in own[e]]
            if len(places) == len(own) and " x" not in soft:
                words = " -> ".join("none" if p is None else f"{p:.3g}" for p in places)
                told.append(f"{way}, {soft}: {words}")
    if not told:
        return ""
    return f"Crossings with {' -> '.join(map(str, size.experiments))} experiments: " + "; ".join(
        told
    )


def _words(found: Mapping[str, Any], pair: str) -> str:
    def at(place: int) -> str:
        return (
            f"{found['value'][place]:+.3f} [{found['low'][place]:+.3f}, "
            f"{found['high'][place]:+.3f}]"
        )

    cross = found["crossing"]

    def degree(x: float | None) -> str:
        return "never" if x is None else f"{x:.3g}"

    return (
        f"{pair} {at(0)} where it holds, {at(-1)} at worst, crossing at {degree(cross['value'])} "
        f"[{degree(cross['nearest'])}, {degree(cross['farthest'])}]"
    )


# -- figure and table ----------------------------------------------------------------------------


def _players(size: Scale, values: Mapping[str, Any]) -> list[str]:
    few = values["normalised"][BASE][str(size.experiments[0])]
    return list(few)


def _table(size: Scale, values: Mapping[str, Any]) -> str:
    """Normalised return of every player at every degree and number of experiments, Markdown."""
    players = _players(size, values)
    lines = [
        "Normalised return, (return - random) / (omniscient - random), with 95 % intervals; 0 is "
        "the random floor, 1 the ceiling; - cannot read so many steps.",
        "",
        "| assumption | degree | experiments | " + " | ".join(players) + " |",
        "|---" * (3 + len(players)) + "|",
    ]
    for assumption in size.assumptions:
        for degree in assumption.degrees:
            for experiments, own in values["normalised"][_cell(assumption, degree)].items():
                cells = [_cell_words(own.get(player)) for player in players]
                lines.append(
                    f"| {assumption.name} | {degree:g} | {experiments} | {' | '.join(cells)} |"
                )
    return "\n".join(lines) + "\n"


def _cell_words(found: Mapping[str, Any] | None) -> str:
    if found is None or found["value"] is None:
        return "-"
    if found["low"] is None:
        return f"{found['value']:.2f}"
    return f"{found['value']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


def _figure(size: Scale, values: Mapping[str, Any]) -> str:
    """Rows are numbers of experiments, columns assumptions, lines players."""
    players = _players(size, values)
    palette = (BLUE, "#56B4E9", RED, GREY, ORANGE, GREEN, "#CC79A7", INK)
    styles = {p: (palette[k % len(palette)], ("-", "--", ":")[k // len(palette) % 3])
              for k, p in enumerate(players)}  # fmt: skip
    shape = len(size.experiments), len(size.assumptions)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.4 * shape[1], 2.8 * shape[0] + 1.2), layout="constrained",
                        facecolor="none")  # fmt: skip
        axes = figure.subplots(*shape, squeeze=False, sharey=True)
        for row, experiments in zip(axes, size.experiments, strict=True):
            for ax, assumption in zip(row, size.assumptions, strict=True):
                ax.set_facecolor("none")
                for player in players:
                    own = [
                        values["normalised"][_cell(assumption, d)][str(experiments)].get(player)
                        for d in assumption.degrees
                    ]
                    if any(e is None or e["value"] is None for e in own):
                        continue
                    middle = np.array([e["value"] for e in own])
                    ends = np.array([[e["low"], e["high"]] for e in own], float).T
                    colour, style = styles[player]
                    ax.plot(assumption.degrees, middle, color=colour, linestyle=style,
                            marker="o", markersize=3, linewidth=1.3, label=player)  # fmt: skip
                    ax.fill_between(assumption.degrees, *ends, color=colour, alpha=0.12,
                                    linewidth=0)  # fmt: skip
                ax.axhline(0, color=GREY, linestyle=":", linewidth=1)
                if assumption.scale == "log":
                    ax.set_xscale("log", base=2)
                ax.set_xticks(assumption.degrees, [f"{d:g}" for d in assumption.degrees])
                ax.set_xticks([], minor=True)
                ax.set_title(f"{assumption.name}, {experiments} experiments")
                ax.set_xlabel(f"{assumption.field} (holds at {assumption.holds:g})")
                ax.set_ylim(-0.25, 1.05)
            row[0].set_ylabel("normalised return")
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=5)
        return svg(figure, "fragility", "Normalised return as assumptions are broken")


STUDY = Study(
    name="fragility",
    claim=(
        "An assumption built in pays while it holds and data are few; broken far enough, and with "
        "data enough, it costs: a player that does without it overtakes."
    ),
    design=(
        "World `dag`, 5 variables, in which four assumptions are each broken by five degrees, the "
        "others held: linearity (x -> max(x, 0) + (1 - 2b) min(x, 0), from linear over a ReLU to "
        "the absolute value), causal sufficiency (0 to 4 hidden common causes), known noise (the "
        "true variance 1/16 to 16 times the assumed), renaming symmetry (with probability a, names "
        "are swapped so that A moves the others most). The same graphs, weights and noise at every "
        "degree. One chooser, in random order, explores for all; players read the same histories "
        "after 5, 50 and 500 experiments, cut from one log, and choose the action: the exact "
        "posterior that makes all four assumptions, the same without knowledge of the noise, "
        "heuristics, the mean of the goal under each action (assumes nothing), and networks: "
        "equivariant ones (renaming symmetry built in) and plain ones, shipped (narrow data) and "
        "trained here on broad data, the plain one with explanations to predict and on x0.01, x0.1 "
        "and x1 of the episodes. Plain networks read at most as many steps as they were trained "
        "on. Hard against soft: exact against those that do not assume the thing; for symmetry, "
        "the equivariant network on broad data against the plain one on the same. Controls: the "
        "random floor is 0 and the omniscient ceiling 1 in normalised return; the degree at which "
        "all hold is one of each five. 95 % intervals by the bootstrap over systems, paired over "
        "degrees and players; those of a lead are widened so as to hold for all soft players at "
        "once (full scale: over systems of 3 seeds, each with its own agents). Power: 384 systems "
        "a degree give half an interval of a lead of about 0.08 after 5 experiments and 0.01 after "
        "500. Broad training data contain every degree tested, which favours their learners; the "
        "reader of unknown noise has the true variances among those it thinks possible, likewise."
    ),
    refuted_if=(
        "for some assumption, a soft player is ahead where it holds and data are fewest, with an "
        "interval that leaves out 0; or the hard player is ahead of every soft one where it is "
        "broken most and data are most, each with an interval above 0."
    ),
    scales=SCALES,
    carry_out=_carry_out,
)
