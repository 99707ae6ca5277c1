"""Study `bounded-rationality`: the best strategy where experiments cost and thinking costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from seedo import learning, play, worlds
from seedo.episodes import write_atomic
from seedo.evaluation._cost import flops_of
from seedo.experimenters import Experimenter, scripted
from seedo.play import find_player
from seedo.reports._figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    RED,
    STYLE,
    log_scale,
    svg,
)
from seedo.statistics import _intervals as _statistics
from seedo.studies._asked_early import asked_early
from seedo.studies._given_histories import worths
from seedo.studies._long_tasks import say_estimate
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
from seedo.studies._protocol import Outcome, Say, Study
from seedo.studies._stages import kept_arrays, kept_numbers, played
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
    """How much is run.

    Attributes:
        places: the tasks. after: numbers of experiments, increasing.
        networks: trained here, on `logs` episodes of the default world.
        batch_size, warm_up: of training, see `learning.learn`.
        experiment_prices: of one experiment, as shares of the omniscient return.
        thinking_prices: of 10^6 operations, likewise; increasing, 0 first.
        test_episodes: of every run.
    """

    places: tuple[Place, ...]
    after: tuple[int, ...]
    networks: tuple[Trained, ...]
    logs: int
    batch_size: int
    warm_up: int
    experiment_prices: tuple[float, ...]
    thinking_prices: tuple[float, ...]
    test_episodes: int


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


def _carry_out(size: Scale, out: Path, seed: int, say: Say) -> Outcome:
    trained = _trained(size, out, seed, say)
    found: dict[str, Strategies] = {}
    runs: list[str] = []
    for place in size.places:
        found[place.name] = _strategies(size, place, trained, out, seed, say, runs)
    values = {name: _values(size, own) for name, own in found.items()}
    values["takeover"] = takeovers(found, size.experiment_prices, (EVERYDAY, DEMANDING))
    write_atomic(out / "figure.svg", _figure(size, values, found).encode())
    write_atomic(out / "table.md", _table(size, values).encode())
    return Outcome(
        measure=(
            "by place. strategies: return as a share of the omniscient, experiments, operations "
            "(XLA's count, an episode); best: by price of an experiment and of 10^6 operations "
            "(shares of the omniscient return), the best strategy, picked on half of the "
            "episodes, and on the others its value and its lead over the best of another kind; "
            "as_good: share of tasks in which the best heuristic does at least as well as exact "
            "Bayes after as many experiments; takeover: price of 10^6 operations from which on a "
            "heuristic beats all who think more (null: never, while it is worth playing at all)"
        ),
        values=values,
        verdict="\n".join(_verdict(size, values)),
        runs=runs,
        figures=["figure.svg"],
    )


# -- players -------------------------------------------------------------------------------------


def _trained(size: Scale, out: Path, seed: int, say: Say) -> dict[str, learning.Agent]:
    logs = out / "logs"
    world = worlds.make("dag", exploits=4, goals="fresh")
    say(f"watching {size.logs:,} expert episodes")
    play.watch(world, scripted("expert"), size.logs, seed, logs, resume=True)
    agents = {}
    for plan in size.networks:
        say(f"{plan.name}: learning")
        recipe = learning.Recipe(
            widths=plan.widths, epochs=plan.epochs, batch_size=size.batch_size, seed=seed
        )
        agents[plan.name] = learning.learn(
            [logs], out / "agents" / plan.name, recipe, resume=True, warm_up=size.warm_up
        )
    return agents


def _strategies(
    size: Scale, place: Place, trained: Mapping[str, learning.Agent], out: Path, seed: int,
    say: Say, runs: list[str],
) -> Strategies:  # fmt: skip
    """Everyone plays once, with the most experiments, and is asked after fewer."""
    world = _world(place, size.after[-1])
    players, experiments, operations, columns = [], [], [], []
    oracle = random = np.empty(0)
    for name in place.players:
        player = trained[name] if name in trained else find_player(name, world)
        file = f"{place.name}-{name.split(':')[-1]}".replace(", ", "-").replace(" ", "-")
        dataset = played(world, player, size.test_episodes, seed, out / "runs" / file, say)
        if place is size.places[0] and name in _REVIEWED:
            runs.append(str(dataset.path))

        def compute(dataset: Any = dataset, player: Experimenter = player) -> dict[str, Any]:
            batch = dataset.read(without=[n for n in dataset.optional if n != "system"])
            worth = worths(batch)
            legal = np.isfinite(worth)
            action = asked_early(batch, player, world.spec, size.after, seed)
            return {
                "own": np.take_along_axis(worth, action, 1),
                "oracle": worth.max(1),
                "random": np.where(legal, worth, 0.0).sum(1) / legal.sum(1),
            }

        question = {"after": size.after, "episodes": dataset.rows, "seed": seed}
        got = kept_arrays(out / "returns" / f"{file}.npz", question, compute)
        oracle, random = got["oracle"], got["random"]
        counted = kept_numbers(
            out / "operations" / f"{file}.json",
            {"after": size.after, "world": world.config()},
            partial(operations_after, player, place, size.after),
        )
        for at, after in enumerate(size.after):
            players.append(name)
            experiments.append(after)
            operations.append(counted[at])
            columns.append(got["own"][:, at])
    players.append(NOTHING)
    returns = np.stack([*columns, random], 1) / oracle.mean()
    return Strategies(
        tuple(players), np.array([*experiments, 0]), np.array([*operations, 0.0]), returns
    )


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


def _values(size: Scale, own: Strategies) -> dict[str, Any]:
    table = [
        {
            "player": player,
            "experiments": int(own.experiments[s]),
            "operations": float(own.operations[s]),
            "return_ratio": _statistics.mean(own.returns[:, s]).to_json(),
        }
        for s, player in enumerate(own.players)
    ]
    return {
        "strategies": table,
        "best": best_by_price(own, size.experiment_prices, size.thinking_prices),
        "as_good": as_good(own),
    }


# -- what is said --------------------------------------------------------------------------------


def _cell(values: Mapping[str, Any], place: str, experiment: float, thinking: float) -> Any:
    for cell in values[place]["best"]:
        if (cell["experiment"], cell["thinking"]) == (experiment, thinking):
            return cell
    raise KeyError((place, experiment, thinking))


def _verdict(size: Scale, values: Mapping[str, Any]) -> list[str]:
    lines = []
    for place in size.places:
        own = values[place.name]
        cell = _cell(values, place.name, FREE, FREE)
        heuristic = max(
            (s for s in own["strategies"] if kind_of(s["player"]) == HEURISTIC),
            key=lambda s: s["return_ratio"]["value"],
        )
        free = own["as_good"].get("5", next(iter(own["as_good"].values()), None))
        lines.append(
            f"{place.name}: all free, {cell['player']} is best ({cell['value']:.3f} of the "
            f"omniscient return; ahead of {cell['rival']}, the best of another kind, by "
            f"{say_estimate(cell['lead'])}); best heuristic {heuristic['player']} "
            f"{say_estimate(heuristic['return_ratio'])}"
            + (f"; as good as exact Bayes in {say_estimate(free)} of the tasks." if free else ".")
        )
        taken = values["takeover"][place.name].get(f"{NAMED_PRICE:g}")
        if taken is not None:
            lines.append(
                f"{place.name}: with experiments at {NAMED_PRICE:g}, heuristics are best from "
                f"{_price(taken)} per million operations on."
            )
    ratio = values["takeover"].get("ratio", {}).get(f"{NAMED_PRICE:g}")
    refuted = [
        place.name
        for place in size.places
        for cell in [_cell(values, place.name, FREE, FREE)]
        if kind_of(cell["player"]) != EXACT and cell["lead"]["low"] > 0
    ]
    if refuted:
        lines.append(f"With all free exact Bayes is beaten in {', '.join(refuted)}: refuted.")
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


def _price(found: Mapping[str, Any]) -> str:
    """3.2e-05 [1e-05, 0.0001]; never, where there is none."""

    def word(x: float | None) -> str:
        return "never" if x is None else f"{x:.2g}"

    return f"{word(found['value'])} [{word(found['low'])}, {word(found['high'])}]"


def _table(size: Scale, values: Mapping[str, Any]) -> str:
    """Markdown: every strategy, then the best at every pair of prices."""
    lines = []
    for place in size.places:
        own = values[place.name]
        lines += [f"## {place.name}", "", "| player | experiments | operations | return ratio |",
                  "|---|---|---|---|"]  # fmt: skip
        lines += [
            f"| {s['player']} | {s['experiments']} | {s['operations']:.3g} | "
            f"{say_estimate(s['return_ratio'])} |"
            for s in own["strategies"]
        ]
        lines += ["", "| an experiment | 10⁶ operations | best | experiments | value | lead over |",
                  "|---|---|---|---|---|---|"]  # fmt: skip
        lines += [
            f"| {c['experiment']:g} | {c['thinking']:g} | {c['player']} | {c['experiments']} | "
            f"{c['value']:.3f} | {c['rival']}: {say_estimate(c['lead'])} |"
            for c in own["best"]
        ]
        lines.append("")
    return "\n".join(lines)


def _figure(size: Scale, values: Mapping[str, Any], found: Mapping[str, Strategies]) -> str:
    """Above, return against operations, a line a player; below, who is best at what prices."""
    count = len(size.places)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6 * count, 7.2), layout="constrained", facecolor="none")
        axes = figure.subplots(2, count, squeeze=False)
        for column, place in enumerate(size.places):
            _costs(axes[0][column], place.name, found[place.name])
            _map(axes[1][column], size, values[place.name]["best"])
        handles = [Patch(color=_COLOURS[kind], label=f"{_LETTERS[kind]} {kind}") for kind in KINDS]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(KINDS),
                      title="letter and number of experiments; in brackets: its lead over the "
                            "best of another kind is within the interval")  # fmt: skip
        return svg(figure, "bounded", "The best strategy at every pair of prices")


def _costs(ax: Any, title: str, own: Strategies) -> None:
    ax.set_facecolor("none")
    means = own.returns.mean(0)
    for player in dict.fromkeys(own.players):
        if player == NOTHING:
            continue
        at = [s for s, name in enumerate(own.players) if name == player]
        ax.plot(own.operations[at], means[at], "o-", markersize=3, linewidth=1,
                color=_COLOURS[kind_of(player)])  # fmt: skip
        ax.annotate(player.split(":")[-1], (own.operations[at[-1]], means[at[-1]]),
                    (3, 0), textcoords="offset points", fontsize=6, color=INK)  # fmt: skip
    log_scale(ax)
    ax.set_xlim(right=own.operations.max() * 30)
    ax.set_title(title)
    ax.set_xlabel("operations an episode")
    ax.set_ylabel("share of the omniscient return")


def _map(ax: Any, size: Scale, best: Sequence[Mapping[str, Any]]) -> None:
    rows, columns = len(size.experiment_prices), len(size.thinking_prices)
    kinds = np.array([KINDS.index(kind_of(cell["player"])) for cell in best])
    ax.imshow(kinds.reshape(rows, columns), cmap=ListedColormap(list(_COLOURS.values())),
              vmin=-0.5, vmax=len(KINDS) - 0.5, origin="lower", aspect="auto",
              alpha=0.55)  # fmt: skip
    for place, cell in enumerate(best):
        word = _LETTERS[kind_of(cell["player"])] + (str(cell["experiments"] or ""))
        sure = cell["lead"]["low"] > 0
        ax.text(place % columns, place // columns, word if sure else f"({word})", ha="center",
                va="center", fontsize=5.5, color=INK)  # fmt: skip
    ax.set_yticks(range(rows), [f"{p:g}" for p in size.experiment_prices])
    shown = range(0, columns, 3)
    ax.set_xticks(shown, [f"{size.thinking_prices[k]:.0e}" if k else "0" for k in shown])
    ax.set_xlabel("price of 10⁶ operations")
    ax.set_ylabel("price of an experiment")


STUDY = Study(
    name="bounded-rationality",
    claim=(
        "Which strategy is best depends on what experiments and computation cost: with both free "
        "it is exact Bayes, and as computation grows dear heuristics take over, in everyday tasks "
        "(sparse and strong causes) at a lower price than in noisy, dense ones."
    ),
    design=(
        "World `dag`, linear, 5 variables, any graph. Everyday: at most one cause each, noise "
        "variance 0.25 (sparse and strong, the prior that people's judgements fit: Lu et al., "
        "2008, Psychological Review 115:955); noisy: up to two causes each, noise variance 4; "
        "many variables: 8. A strategy is a player and how many experiments it makes. Exact Bayes "
        "(experiments in rotation, or by expected information gain), Bayes by K sampled graphs, "
        "heuristics, networks of several sizes that imitated an expert in the default world, and "
        "an action at random without any. Bayesian players are told prior and noise. Everyone "
        "plays once with the most experiments and is asked after fewer: none looks at the steps "
        "left. Value: return less the price of each experiment and of each floating-point "
        "operation, as XLA counts them (see `review --frontier`), all as shares of the omniscient "
        "return. The same systems and noise for all players of a place. The best strategy and its "
        "rival of another kind are picked on half of the episodes and measured on the other half, "
        "with 95 % intervals of the paired bootstrap. Power: with 1,024 episodes half of the "
        "interval of a difference in return is about 0.04."
    ),
    refuted_if=(
        "with both free, another kind leads exact Bayes in some place, with an interval above 0; "
        f"or, with experiments at {NAMED_PRICE:g}, the interval of the ratio of takeover prices, "
        "noisy over everyday, lies below 1."
    ),
    scales=SCALES,
    carry_out=_carry_out,
)
