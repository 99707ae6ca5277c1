"""Study `bounded-rationality`: the best strategy where experiments cost and thinking costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from seedo import reports, worlds
from seedo.evaluation import flops_of
from seedo.experimenters import Experimenter, scripted
from seedo.learning import Agent
from seedo.play import find_player
from seedo.reports import BLUE, GREEN, GREY, INK, ORANGE, RED
from seedo.statistics import mean
from seedo.studies._asked_early import asked_early
from seedo.studies._histories import ends_of, with_systems, worths
from seedo.studies._priced import (
    EXACT,
    HEURISTIC,
    KINDS,
    NOTHING,
    Strategies,
    as_good,
    best_by_price,
    kind_of,
    takeovers,
)
from seedo.studies._study import Study, Work
from seedo.studies._words import slug, told, told_ends
from seedo.worlds import DagWorld

_COLOURS = dict(zip(KINDS, (BLUE, GREEN, ORANGE, RED, GREY), strict=True))
_LETTERS = dict(zip(KINDS, "BSHN-", strict=True))  # not by colour alone
EVERYDAY, DEMANDING = "everyday", "noisy"
"""The places whose takeover prices the claim compares."""
NAMED_PRICE = 0.02
"""Price of an experiment at which it does so, as a share of the omniscient return."""
FREE = 0.0


@dataclass(frozen=True)
class Place:
    """A distribution of tasks: options of world `dag`, and who plays there."""

    name: str
    options: Mapping[str, Any]
    players: tuple[str, ...]


@dataclass(frozen=True)
class Trained:
    """A network the study trains: its name, widths, passes over the logs."""

    name: str
    widths: tuple[tuple[str, int], ...]
    epochs: float


@dataclass(frozen=True)
class Scale:
    """How much is run."""

    places: tuple[Place, ...]  # the tasks
    after: tuple[int, ...]  # numbers of experiments, increasing
    networks: tuple[Trained, ...]  # trained here, on `logs` episodes of the default world
    logs: int
    batch_size: int  # of training
    warm_up: int  # steps, likewise
    experiment_prices: tuple[float, ...]  # of one, as shares of the omniscient return
    thinking_prices: tuple[float, ...]  # of 10^6 operations, likewise; increasing, 0 first
    test_episodes: int  # of every run


_HEURISTICS = ("scripted:largest-effect", "scripted:partial-correlation")
_SMALL = Trained("network-8", (("size", 8), ("layers", 1), ("channels", 4)), 2.0)
_MIDDLE = Trained("network-24", (("size", 24), ("layers", 2), ("channels", 8)), 2.0)
_LARGE = Trained("network-64", (("size", 64), ("layers", 3), ("channels", 16)), 2.0)
_FEW = (*_HEURISTICS, "bayes:sampled-4", "bayes:sampled-64", "bayes:rotation", "bayes:eig",
        "network-8", "pretrained:dag")  # fmt: skip
_MORE = (*_HEURISTICS, "scripted:total-correlation", "scripted:best-outcome",
         "scripted:last-reward", "bayes:sampled-1",
         "bayes:sampled-4", "bayes:sampled-16", "bayes:sampled-64", "bayes:sampled-256",
         "bayes:sampled-1024", "bayes:rotation", "bayes:eig", "bayes:goal", "network-8",
         "network-24", "network-64", "pretrained:dag")  # fmt: skip
_SPARSE, _DENSE = {"max_parents": 1}, {"max_parents": 2}
_WIDE = ("scripted:largest-effect", "bayes:sampled-64", "bayes:rotation", "pretrained:dag")


def _places(players: tuple[str, ...]) -> tuple[Place, ...]:
    return (
        Place(EVERYDAY, {**_SPARSE, "noise_variance": 0.25}, players),
        Place(DEMANDING, {**_DENSE, "noise_variance": 4.0}, players),
    )


_REVIEWED = ("scripted:largest-effect", "bayes:rotation", "pretrained:dag")
_PRICES = (0.0, *(float(f"{10 ** (k / 2):.2g}") for k in range(-12, 5)))
SCALES = {
    "quick": Scale(
        (*_places(_FEW), Place("many variables", {"n": 8}, _WIDE)),
        (1, 2, 3, 5, 8), (_SMALL,), 20_000, 64, 30,
        (0.0, 0.01, 0.02, 0.05, 0.1, 0.2), _PRICES, 1024,
    ),
    "full": Scale(
        (
            *_places(_MORE),
            Place("sparse", _SPARSE, _MORE),
            Place("ordinary", _DENSE, _MORE),
            Place("strong", {**_DENSE, "noise_variance": 0.25}, _MORE),
            Place("sparse, noisy", {**_SPARSE, "noise_variance": 4.0}, _MORE),
            Place(
                "many variables", {"n": 8},
                tuple(p for p in _MORE if p not in ("bayes:goal", "bayes:eig")),
            ),
        ),
        (1, 2, 3, 4, 5, 6, 8, 10, 15), (_SMALL, _MIDDLE, _LARGE), 200_000, 256, 200,
        (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4), _PRICES, 8192,
    ),
}  # fmt: skip


# -- players -------------------------------------------------------------------------------------


def _play(work: Work[Scale]) -> dict[str, Strategies]:
    scale = work.scale
    default = worlds.make("dag", exploits=4, goals="fresh")
    logs = work.watched(default, scripted("expert"), scale.logs, "logs")
    trained = {
        plan.name: work.learnt(
            [logs.path], f"agents/{plan.name}", widths=plan.widths, epochs=plan.epochs,
            batch_size=scale.batch_size, warm_up=scale.warm_up,
        )
        for plan in scale.networks
    }  # fmt: skip
    return {place.name: _strategies(work, place, trained) for place in scale.places}


class Asked(NamedTuple):
    """A player after each number of experiments: operations of an episode, [K], and returns."""

    operations: list[float]
    returns: dict[str, Any]  # float64[B, K] "own"; float64[B] "oracle", "random"


def _strategies(work: Work[Scale], place: Place, trained: Mapping[str, Agent]) -> Strategies:
    """Everyone plays once, with the most experiments, and is asked after fewer."""
    after = work.scale.after
    asked = {name: _asked(work, place, name, trained.get(name)) for name in place.players}
    ends = next(iter(asked.values())).returns  # the same systems for all
    own = [one.returns["own"] for one in asked.values()]
    returns = np.concatenate([*own, ends["random"][:, None]], 1) / ends["oracle"].mean()
    return Strategies(
        (*(name for name in asked for _ in after), NOTHING),
        np.array([*after * len(asked), 0]),
        np.array([*(count for one in asked.values() for count in one.operations), 0.0]),
        returns,
    )


def _asked(work: Work[Scale], place: Place, name: str, network: Agent | None) -> Asked:
    after = work.scale.after
    world = _world(place, after[-1])
    player = network or find_player(name, world)
    file = slug(f"{place.name}-{name.split(':')[-1]}")
    review = place is work.scale.places[0] and name in _REVIEWED
    # Places of as many variables differ only in the systems that they draw.
    rules = worlds.make("dag", split="longer", experiments=after[-1], n=world.spec.n)
    run = work.played(world, player, work.scale.test_episodes, f"runs/{file}", review, rules)

    def compute() -> dict[str, Any]:
        batch = with_systems(run)
        worth = worths(batch)
        action = asked_early(batch, player, world.spec, after, work.seed)
        return {"own": np.take_along_axis(worth, action, 1), **ends_of(worth)}

    question = {"after": after, "episodes": run.rows, "seed": work.seed}
    counted = work.numbers(
        f"operations/{file}.json", {"after": after, "world": world.config()},
        partial(operations_after, player, place, after),
    )  # fmt: skip
    return Asked(counted, work.arrays(f"returns/{file}.npz", question, compute))


def _world(place: Place, experiments: int) -> DagWorld:
    return worlds.make("dag", split="longer", experiments=experiments, **place.options)


def operations_after(player: Experimenter, place: Place, after: Sequence[int]) -> list[float]:
    """Of episodes of these numbers of experiments: counted for the fewest and the most.

    Between them the count is a straight line, for a step works on memories as long as the episode
    or of a fixed size.
    """
    counts = []
    for experiments in (after[0], after[-1]):
        spec = _world(place, experiments).spec
        found = flops_of(player, spec)
        exploit = found.of(spec.phases[-1:])
        counts.append((exploit, (found.of(spec.phases) - exploit) / max(experiments, 1)))
    ends = (after[0], after[-1])
    return [
        float(np.interp(k, ends, [c[0] for c in counts]))
        + k * float(np.interp(k, ends, [c[1] for c in counts]))
        for k in after
    ]


# -- analysis ------------------------------------------------------------------------------------


def _measure(work: Work[Scale], found: Mapping[str, Strategies]) -> dict[str, Any]:
    scale = work.scale
    values: dict[str, Any] = {
        name: {
            "strategies": [
                {
                    "player": player,
                    "experiments": int(own.experiments[s]),
                    "operations": float(own.operations[s]),
                    "return_ratio": mean(own.returns[:, s]).to_json(),
                }
                for s, player in enumerate(own.players)
            ],
            "best": best_by_price(own, scale.experiment_prices, scale.thinking_prices),
            "as_good": as_good(own),
        }
        for name, own in found.items()
    }
    taken = takeovers(found, scale.experiment_prices, (EVERYDAY, DEMANDING))
    return values | {"takeover": taken}


# -- what is said --------------------------------------------------------------------------------


def _judge(scale: Scale, values: Mapping[str, Any]) -> list[str]:
    lines, beaten = [], []
    for place in scale.places:
        own = values[place.name]
        cell = next(c for c in own["best"] if (c["experiment"], c["thinking"]) == (FREE, FREE))
        if kind_of(cell["player"]) != EXACT and cell["lead"]["low"] > 0:
            beaten.append(place.name)
        heuristic = max(
            (s for s in own["strategies"] if kind_of(s["player"]) == HEURISTIC),
            key=lambda s: s["return_ratio"]["value"],
        )
        free = own["as_good"].get("5", next(iter(own["as_good"].values()), None))
        lines.append(
            f"{place.name}: all free, {cell['player']} is best ({cell['value']:.3f} of the "
            f"omniscient return; ahead of {cell['rival']}, the best of another kind, by "
            f"{told(cell['lead'])}); best heuristic {heuristic['player']} "
            f"{told(heuristic['return_ratio'])}"
            + (f"; as good as exact Bayes in {told(free)} of the tasks." if free else ".")
        )
        taken = values["takeover"][place.name].get(f"{NAMED_PRICE:g}")
        if taken is not None:
            lines.append(
                f"{place.name}: with experiments at {NAMED_PRICE:g}, heuristics are best from "
                f"{_price(taken)} per million operations on."
            )
    ratio = values["takeover"].get("ratio", {}).get(f"{NAMED_PRICE:g}")
    if beaten:
        lines.append(f"With all free exact Bayes is beaten in {', '.join(beaten)}: refuted.")
    if ratio is not None:
        low, high = ratio["low"], ratio["high"]
        word = "open"
        if low is not None and low > 1:
            word = "supported"
        elif high is not None and high < 1:
            word = "refuted"
        lines.append(
            f"Heuristics take over in {DEMANDING} tasks at {_price(ratio)} times the price at "
            f"which they do in {EVERYDAY} ones: that everyday tasks suit them better is {word}."
        )
    return lines


_price = partial(told_ends, form=".2g", none="never")


def _table(scale: Scale, values: Mapping[str, Any]) -> str:
    """Markdown: every strategy, then the best at every pair of prices."""
    lines = []
    for place in scale.places:
        own = values[place.name]
        lines += [f"## {place.name}", "", "| player | experiments | operations | return ratio |",
                  "|---|---|---|---|"]  # fmt: skip
        lines += [
            f"| {s['player']} | {s['experiments']} | {s['operations']:.3g} | "
            f"{told(s['return_ratio'])} |"
            for s in own["strategies"]
        ]
        lines += ["", "| an experiment | 10⁶ operations | best | experiments | value | lead over |",
                  "|---|---|---|---|---|---|"]  # fmt: skip
        lines += [
            f"| {c['experiment']:g} | {c['thinking']:g} | {c['player']} | {c['experiments']} | "
            f"{c['value']:.3f} | {c['rival']}: {told(c['lead'])} |"
            for c in own["best"]
        ]
        lines.append("")
    return "\n".join(lines)


def _draw(scale: Scale, values: Mapping[str, Any]) -> Figure:
    """Above, return against operations, a line a player; below, who is best at what prices."""
    count = len(scale.places)
    figure, axes = reports.panels(2, count, 4.6 * count, 7.2)
    for column, place in enumerate(scale.places):
        _costs(axes[0][column], place.name, values[place.name]["strategies"])
        _map(axes[1][column], scale, values[place.name]["best"])
    handles = [Patch(color=_COLOURS[kind], label=f"{_LETTERS[kind]} {kind}") for kind in KINDS]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(KINDS),
                  title="letter and number of experiments; in brackets: its lead over the "
                        "best of another kind is within the interval")  # fmt: skip
    return figure


def _costs(ax: Any, title: str, strategies: Sequence[Mapping[str, Any]]) -> None:
    for player in dict.fromkeys(s["player"] for s in strategies if s["player"] != NOTHING):
        own = [s for s in strategies if s["player"] == player]
        x, y = [s["operations"] for s in own], [s["return_ratio"]["value"] for s in own]
        ax.plot(x, y, "o-", markersize=3, linewidth=1, color=_COLOURS[kind_of(player)])
        ax.annotate(player.split(":")[-1], (x[-1], y[-1]), (3, 0), textcoords="offset points",
                    fontsize=6, color=INK)  # fmt: skip
    reports.log_scale(ax)
    ax.set_xlim(right=max(s["operations"] for s in strategies) * 30)
    ax.set(title=title, xlabel="operations an episode", ylabel="share of the omniscient return")


def _map(ax: Any, scale: Scale, best: Sequence[Mapping[str, Any]]) -> None:
    rows, columns = len(scale.experiment_prices), len(scale.thinking_prices)
    kinds = np.array([KINDS.index(kind_of(cell["player"])) for cell in best])
    ax.imshow(kinds.reshape(rows, columns), cmap=ListedColormap(list(_COLOURS.values())),
              vmin=-0.5, vmax=len(KINDS) - 0.5, origin="lower", aspect="auto",
              alpha=0.55)  # fmt: skip
    for (y, x), cell in zip(product(range(rows), range(columns)), best, strict=True):
        word = _LETTERS[kind_of(cell["player"])] + (str(cell["experiments"] or ""))
        sure = cell["lead"]["low"] > 0
        ax.text(x, y, word if sure else f"({word})", ha="center", va="center", fontsize=5.5,
                color=INK)  # fmt: skip
    ax.set_yticks(range(rows), [f"{p:g}" for p in scale.experiment_prices])
    shown = range(0, columns, 3)
    ax.set_xticks(shown, [f"{scale.thinking_prices[k]:.0e}" if k else "0" for k in shown])
    ax.set(xlabel="price of 10⁶ operations", ylabel="price of an experiment")


STUDY = Study(
    name="bounded-rationality",
    claim="""Which strategy is best depends on what experiments and computation cost: with both free
        it is exact Bayes, and as computation grows dear heuristics take over, in everyday tasks
        (sparse and strong causes) at a lower price than in noisy, dense ones.""",
    design="""World `dag`, linear, 5 variables, any graph. Everyday: at most one cause each, noise
        variance 0.25 (sparse and strong, the prior that people's judgements fit: Lu et al., 2008,
        Psychological Review 115:955); noisy: up to two causes each, noise variance 4; many
        variables: 8. A strategy is a player and how many experiments it makes. Exact Bayes
        (experiments in rotation, or by expected information gain), Bayes by K sampled graphs,
        heuristics, networks of several sizes that imitated an expert in the default world, and an
        action at random without any. Bayesian players are told prior and noise. Everyone plays once
        with the most experiments and is asked after fewer: none looks at the steps left. Value:
        return less the price of each experiment and of each floating-point operation, as XLA counts
        them (see `review --frontier`), all as shares of the omniscient return. The same systems and
        noise for all players of a place. The best strategy and its rival of another kind are picked
        on half of the episodes and measured on the other half, with 95 % intervals of the paired
        bootstrap. Power: with 1,024 episodes half of the interval of a difference in return is
        about 0.04.""",
    refuted_if=f"""with both free, another kind leads exact Bayes in some place, with an interval
        above 0; or, with experiments at {NAMED_PRICE:g}, the interval of the ratio of takeover
        prices, noisy over everyday, lies below 1.""",
    measures="""by place. strategies: return as a share of the omniscient, experiments, operations
        (XLA's count, an episode); best: by price of an experiment and of 10^6 operations (shares of
        the omniscient return), the best strategy, picked on half of the episodes, and on the others
        its value and its lead over the best of another kind; as_good: share of tasks in which the
        best heuristic does at least as well as exact Bayes after as many experiments; takeover:
        price of 10^6 operations from which on a heuristic beats all who think more (null: never,
        while it is worth playing at all)""",
    scales=SCALES,
    play=_play,
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="The best strategy at every pair of prices",
    table=_table,
)
