"""Study `fragility`: players that assume much against players that assume little, as each
assumption is broken by degrees and as data grow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import learning, reports
from seedo.episodes import Dataset, EpisodeBatch
from seedo.experimenters import scripted
from seedo.learning import Agent
from seedo.reports import BLUE, GREEN, GREY, INK, ORANGE, PINK, RED, SKY
from seedo.statistics import ratios
from seedo.studies import _assuming_readers as readers
from seedo.studies._broken_worlds import BrokenWorld, Degrees, Range
from seedo.studies._estimates import resampled_means
from seedo.studies._histories import ends_of, network_actions, shortened, with_systems, worths
from seedo.studies._study import Study, Work
from seedo.studies._words import told, verdict

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

    def cell(self, degree: float) -> str:
        """Names the world of this degree; the one in which all assumptions hold is shared."""
        return BASE if degree == self.holds else f"{self.field}/{degree:g}"


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
    """How much is run."""

    assumptions: tuple[Assumption, ...]
    experiments: tuple[int, ...]  # in increasing order
    trained: tuple[Trained, ...]  # names ending in " x...": the same recipe, fewer episodes
    widths: Mapping[str, tuple[tuple[str, int], ...]]  # by network, in place of the defaults
    batch_size: int  # of training
    warm_up: int  # steps, likewise
    test_episodes: int  # of every run
    seeds: int  # independent ones (systems and agents)


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
SCALES["medium"] = replace(SCALES["quick"], test_episodes=1024, seeds=3)

Returns = dict[str, NDArray[np.float64]]
"""float64[B] by "PLAYER@EXPERIMENTS", and "oracle" and "random"."""


def _play(work: Work[Scale]) -> dict[str, Returns]:
    scale = work.scale
    by_seed = work.each("seed", [own.seed for own in work.seeds(scale.seeds)])
    return {
        cell: {
            name: np.concatenate([own[cell][name] for own in by_seed]) for name in by_seed[0][cell]
        }
        for cell in by_seed[0]
    }


def _one_seed(work: Work[Scale], seed: int) -> dict[str, Returns]:
    """Returns in every cell: assumptions and how far each is broken."""
    scale, own = work.scale, work.at(seed).below(f"seed-{seed}")
    cells = {BASE: NARROW}
    for assumption, degree in _degrees(scale):
        cells.setdefault(assumption.cell(degree), Degrees(**{assumption.field: (degree, degree)}))
    stages, agents = (
        Range(scripted("shuffled+random"), experiments=max(scale.experiments)),
        _agents(own),
    )
    found = {}
    for cell, degrees in cells.items():
        own.say(f"seed {seed}: {cell}")
        folder = own.out / "runs" / cell.replace("/", "-")
        dataset = stages.played(degrees, scale.test_episodes, seed, folder)
        found[cell] = _returns(own, dataset, agents)
    return found


def _degrees(scale: Scale) -> Iterator[tuple[Assumption, float]]:
    return ((a, degree) for a in scale.assumptions for degree in a.degrees)


# -- players -------------------------------------------------------------------------------------


def _agents(work: Work[Scale]) -> dict[str, Agent]:
    scale = work.scale
    found = {name: learning.load_agent(name) for name in SHIPPED}
    # Worlds and expert are made once, so that they are compiled once.
    expert = scripted("expert")
    stages = {
        data: BrokenWorld(degrees, 128, exploits=4, goals="fresh")
        for data, degrees in (("narrow", NARROW), ("broad", BROAD))
    }
    for plan in scale.trained:
        folder = f"logs/{plan.data}-{plan.episodes}"
        logs = work.watched(stages[plan.data], expert, plan.episodes, folder, "graph")
        found[plan.name] = work.learnt(
            [logs.path], f"agents/{plan.name.replace('/', '-').replace(' ', '-')}",
            network=plan.network, widths=tuple(scale.widths.get(plan.network, ())),
            epochs=plan.epochs, explanations=plan.explanations, batch_size=scale.batch_size,
            warm_up=scale.warm_up,
        )  # fmt: skip
    return found


def _returns(work: Work[Scale], dataset: Dataset, agents: Mapping[str, Agent]) -> Returns:
    """What each player would get after each number of experiments, from the log alone."""
    scale = work.scale

    def compute() -> Returns:
        batch = with_systems(dataset)
        worth = worths(batch)
        found = ends_of(worth)
        for experiments in scale.experiments:
            short = shortened(batch, experiments)
            for name, action in _actions(short, agents, np.isfinite(worth), work.seed).items():
                found[f"{name}@{experiments}"] = worth[np.arange(len(action)), action]
        return found

    question = {
        "rows": dataset.rows,
        "experiments": scale.experiments,
        "agents": {name: a.training["weights_sha256"] for name, a in agents.items()},
    }
    return work.arrays(f"returns/{dataset.path.name}.npz", question, compute)


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


def _measure(work: Work[Scale], returns: Mapping[str, Returns]) -> dict[str, Any]:
    scale = work.scale
    normalised: dict[str, Any] = {}
    for cell, own in returns.items():
        names = [n for n in own if n not in ("oracle", "random")]
        room = own["oracle"] - own["random"]
        estimates = ratios([own[n] - own["random"] for n in names], [room] * len(names))
        for name, estimate in zip(names, estimates, strict=True):
            player, _, after = name.partition("@")
            at = normalised.setdefault(cell, {}).setdefault(after, {})
            at[player] = estimate.to_json()
    ahead: dict[str, Any] = {}
    for assumption, experiments in product(scale.assumptions, scale.experiments):
        for way, degrees in assumption.ways:
            cells = [returns[assumption.cell(degree)] for degree in degrees]
            pairs = _pairs(assumption, cells[0], experiments)
            for pair in pairs:
                keys = [f"{player}@{experiments}" for player in pair]
                found = _compare(cells, degrees, keys, assumption.scale, len(pairs))
                own = ahead.setdefault(way, {}).setdefault(str(experiments), {})
                own[" - ".join(pair)] = found
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
    cells: list[Returns], degrees: tuple[float, ...], keys: list[str], scale: str, rivals: int
) -> dict[str, Any]:
    """Hard less soft at each degree, and where it crosses 0; episodes paired over degrees.

    Intervals of the lead hold for all `rivals` at once (Bonferroni).
    """
    tail = 0.025 / rivals
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


def _judge(scale: Scale, values: Mapping[str, Any]) -> list[str]:
    lines = []
    for assumption in scale.assumptions:
        for way, degrees in assumption.ways:
            own = values["ahead"].get(way, {})
            if not own:
                lines.append(f"{way}: {assumption.hard} or its rivals were not trained: open.")
                continue
            # The fewest and the most experiments after which the players can be compared.
            able = [str(e) for e in scale.experiments if str(e) in own]
            few, many = own[able[0]].values(), own[able[-1]].values()
            early = any(f["high"][0] < 0 for f in few)
            won = any(f["high"][-1] < 0 for f in many)
            kept = all(f["low"][-1] > 0 for f in many)
            each = [
                f"after {e} experiments {_words(f, name)}"
                for e in own
                for name, f in own[e].items()
                if " x" not in name or assumption.field == "lead"
            ]
            lines.append(
                f"{way} (n = {next(iter(many))['n']:,} systems a degree, "
                f"{degrees[0]:g} to {degrees[-1]:g}): {'; '.join(each)}. It "
                f"{verdict(won, early or kept)} the claim."
            )
        lines.append(_trend(scale, assumption, values))
    return [line for line in lines if line]


def _trend(scale: Scale, assumption: Assumption, values: Mapping[str, Any]) -> str:
    """Whether crossings come nearer as experiments grow."""
    each = []
    for way, _ in assumption.ways:
        own = values["ahead"].get(way, {})
        if len(own) < 2:
            continue
        for soft in dict.fromkeys(name for found in own.values() for name in found):
            places = [own[e][soft]["crossing"]["value"] for e in own if soft in own[e]]
            if len(places) == len(own) and " x" not in soft:
                words = " -> ".join("none" if p is None else f"{p:.3g}" for p in places)
                each.append(f"{way}, {soft}: {words}")
    after = " -> ".join(map(str, scale.experiments))
    return f"Crossings with {after} experiments: {'; '.join(each)}" if each else ""


def _words(found: Mapping[str, Any], pair: str) -> str:
    start, worst = (
        told({k: found[k][place] for k in ("value", "low", "high")}, "+.3f") for place in (0, -1)
    )
    cross, nearest, farthest = (
        "never" if x is None else f"{x:.3g}"
        for x in (found["crossing"][k] for k in ("value", "nearest", "farthest"))
    )
    return (
        f"{pair} {start} where it holds, {worst} at worst, crossing at {cross} "
        f"[{nearest}, {farthest}]"
    )


# -- figure and table ----------------------------------------------------------------------------


def _players(scale: Scale, values: Mapping[str, Any]) -> list[str]:
    return list(values["normalised"][BASE][str(scale.experiments[0])])


def _table(scale: Scale, values: Mapping[str, Any]) -> str:
    """Normalised return of every player at every degree and number of experiments, Markdown."""
    players = _players(scale, values)
    lines = [
        "Normalised return, (return - random) / (omniscient - random), with 95 % intervals; 0 is "
        "the random floor, 1 the ceiling; - cannot read so many steps.",
        "",
        "| assumption | degree | experiments | " + " | ".join(players) + " |",
        "|---" * (3 + len(players)) + "|",
    ]
    for assumption, degree in _degrees(scale):
        for experiments, own in values["normalised"][assumption.cell(degree)].items():
            cells = [told(own.get(p, {"value": None}), ".2f", "-") for p in players]
            lines.append(
                f"| {assumption.name} | {degree:g} | {experiments} | {' | '.join(cells)} |"
            )
    return "\n".join(lines) + "\n"


def _draw(scale: Scale, values: Mapping[str, Any]) -> Figure:
    """Rows are numbers of experiments, columns assumptions, lines players."""
    rows, columns = len(scale.experiments), len(scale.assumptions)
    figure, axes = reports.panels(rows, columns, 3.4 * columns, 2.8 * rows + 1.2, sharey=True)
    palette = (BLUE, SKY, RED, GREY, ORANGE, GREEN, PINK, INK)
    for ax, (experiments, assumption) in zip(
        axes.ravel(), product(scale.experiments, scale.assumptions), strict=True
    ):
        cells = [values["normalised"][assumption.cell(d)] for d in assumption.degrees]
        for k, player in enumerate(_players(scale, values)):
            own = [cell[str(experiments)].get(player) for cell in cells]
            if all(e is not None and e["value"] is not None for e in own):
                reports.curve(ax, assumption.degrees, own, True, color=palette[k % len(palette)],
                              linestyle=("-", "--", ":")[k // len(palette) % 3], linewidth=1.3,
                              label=player)  # fmt: skip
        ax.axhline(0, color=GREY, linestyle=":", linewidth=1)
        if assumption.scale == "log":
            reports.only_ticks(ax, assumption.degrees, 2)
        ax.set_xticks(assumption.degrees, [f"{d:g}" for d in assumption.degrees])
        ax.set(title=f"{assumption.name}, {experiments} experiments", ylim=(-0.25, 1.05),
               xlabel=f"{assumption.field} (holds at {assumption.holds:g})")  # fmt: skip
    for ax in axes[:, 0]:
        ax.set_ylabel("normalised return")
    reports.legend_above(figure, axes[0][0], 5)
    return figure


STUDY = Study(
    name="fragility",
    claim="""An assumption built in pays while it holds and data are few; broken far enough, and
        with data enough, it costs: a player that does without it overtakes.""",
    design="""World `dag`, 5 variables, in which four assumptions are each broken by five degrees,
        the others held: linearity (x -> max(x, 0) + (1 - 2b) min(x, 0), from linear over a ReLU to
        the absolute value), causal sufficiency (0 to 4 hidden common causes), known noise (the true
        variance 1/16 to 16 times the assumed), renaming symmetry (with probability a, names are
        swapped so that A moves the others most). The same graphs, weights and noise at every
        degree. One chooser, in random order, explores for all; players read the same histories
        after 5, 50 and 500 experiments, cut from one log, and choose the action: the exact
        posterior that makes all four assumptions, the same without knowledge of the noise,
        heuristics, the mean of the goal under each action (assumes nothing), and networks:
        equivariant ones (renaming symmetry built in) and plain ones, shipped (narrow data) and
        trained here on broad data, the plain one with explanations to predict and on x0.01, x0.1
        and x1 of the episodes. Plain networks read at most as many steps as they were trained on.
        Hard against soft: exact against those that do not assume the thing; for symmetry, the
        equivariant network on broad data against the plain one on the same. Controls: the random
        floor is 0 and the omniscient ceiling 1 in normalised return; the degree at which all hold
        is one of each five. 95 % intervals by the bootstrap over systems, paired over degrees and
        players; those of a lead are widened so as to hold for all soft players at once (full scale:
        over systems of 3 seeds, each with its own agents). Power: 384 systems a degree give half an
        interval of a lead of about 0.08 after 5 experiments and 0.01 after 500. Broad training data
        contain every degree tested, which favours their learners; the reader of unknown noise has
        the true variances among those it thinks possible, likewise.""",
    refuted_if="""for some assumption, a soft player is ahead where it holds and data are fewest,
        with an interval that leaves out 0; or the hard player is ahead of every soft one where it
        is broken most and data are most, each with an interval above 0.""",
    measures="""normalised: by assumption, degree, experiments and player, (return - random) /
        (omniscient - random), in means; ahead: by assumption and experiments, the hard player's
        return less a soft one's, in the same unit, at each degree; crossing: the degree,
        interpolated, at which that reaches 0 (null: not within the degrees)""",
    scales=SCALES,
    play=_play,
    parts={"seed": _one_seed},
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Normalised return as assumptions are broken",
    table=_table,
)
