"""Study `data-mix`: how much of what is watched must be experiments for strategy to appear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import reports
from seedo.episodes import EXPLORE, Dataset, EpisodeBatch
from seedo.evaluation import BAYES, HEURISTICS, Readings, episode_returns, read
from seedo.experimenters import Action, Observation, Player, Scripted, scripted
from seedo.learning import Agent
from seedo.reports import BLUE, GREEN, GREY, INK, ORANGE, RED
from seedo.statistics import mean, ratio
from seedo.studies._estimates import ratios_of, share_of
from seedo.studies._histories import acted, network_actions, with_systems
from seedo.studies._stages import stage
from seedo.studies._study import Study, Work
from seedo.studies._words import over_seeds, told, verdict
from seedo.worlds import EXPLOIT, Spec

NEAR = 0.95
"""Share of the return after watching experiments only, from which on a mix counts as enough."""
ENOUGH = 0.05
"""The share of interventional episodes that the claim says is enough."""
SPLITS = ("train", "heldout-link")
GIVEN = {"tests": "shuffled+random", "looks": "none+random"}
"""Whose histories are read: an expert's experiments, or as many observations."""


@dataclass(frozen=True)
class Mixed(Player):
    """The expert; but in all but a share of the episodes, explore steps only look.

    Which episodes depends on the player's key alone: those that experiment at one share also do at
    any larger one, and systems are the same at all.
    """

    share: float
    expert: Scripted = field(default_factory=lambda: scripted("expert"))

    @property
    def knows_system(self) -> bool:
        return True

    @property
    def name(self) -> str:
        return f"expert, {100 * self.share:g} % experimenting"

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: Array | None) -> Any:
        key_coin, key_expert = jax.random.split(key)
        tests = jax.random.uniform(key_coin) < self.share
        return tests, self.expert.begin(spec, key_expert, privileged)

    def act(self, state: Any, observation: Observation, key: PRNGKeyArray) -> tuple[Action, Any]:
        tests, own = state
        action, own = self.expert.act(own, observation, key)
        looks = ~tests & (observation.phase != EXPLOIT)
        target = jnp.where(looks, -1, action.target)
        value = jnp.where(looks, 0.0, action.value)
        return Action(target, value), (tests, own)


@dataclass(frozen=True)
class Scale:
    """How much is run."""

    shares: tuple[float, ...]  # of interventional episodes, increasing, 1 last
    alone: tuple[float, ...]  # at which a control sees the interventional episodes alone
    episodes: int  # watched
    epochs: Mapping[str, float]  # passes over them, by network
    widths: Mapping[str, tuple[tuple[str, int], ...]]  # by network
    batch_size: int  # of training
    warm_up: int  # steps, likewise
    test_episodes: int  # of every run
    seeds: int  # independent ones

    @property
    def plans(self) -> list[tuple[str, float, int]]:
        """(name, share, episodes) of everything that is watched."""
        mixed = [(f"{share:g}", share, self.episodes) for share in self.shares]
        return mixed + [(f"{s:g} alone", 1.0, round(s * self.episodes)) for s in self.alone]


SCALES = {
    "quick": Scale(
        (0.0, 0.01, 0.05, 0.5, 1.0), (0.05,), 30_000, {"equivariant": 1.5},
        {"equivariant": (("size", 32), ("layers", 2))}, 64, 30, 1024, 1,
    ),
    "full": Scale(
        (0.0, 0.002, 0.01, 0.05, 0.2, 0.5, 0.8, 1.0), (0.01, 0.05, 0.2), 200_000,
        {"equivariant": 2.0, "plain": 8.0}, {}, 256, 200, 4096, 3,
    ),
}  # fmt: skip
SCALES["medium"] = replace(SCALES["quick"], test_episodes=2048, seeds=3)

Columns = dict[str, NDArray[np.float64]]


class Played(NamedTuple):
    """By "NETWORK/SHARE/SPLIT": pooled over seeds, and of each seed."""

    pooled: dict[str, Columns]
    by_seed: list[dict[str, Columns]]


def _play(work: Work[Scale]) -> Played:
    seeds = [own.seed for own in work.seeds(work.scale.seeds)]
    by_seed = work.each("seed", [[seed, seed == work.seed] for seed in seeds])
    del work.runs[4:]
    pooled = {
        key: {name: np.concatenate([own[key][name] for own in by_seed]) for name in columns}
        for key, columns in by_seed[0].items()
    }
    return Played(pooled, by_seed)


def _one_seed(work: Work[Scale], key: Any) -> dict[str, Columns]:
    seed, first = key
    work, scale = work.at(seed).below(f"seed-{seed}"), work.scale
    stages = {split: stage("dag", split=split) for split in SPLITS}
    given = {
        split: {
            name: work.played(world, scripted(who), scale.test_episodes, f"given/{split}-{name}")
            for name, who in GIVEN.items()
        }
        for split, world in stages.items()
    }
    found: dict[str, Columns] = {}
    for network, (name, share, episodes) in product(scale.epochs, scale.plans):
        file = name.replace(" ", "-")
        logs = work.watched(stages["train"], Mixed(share), episodes, f"logs/{file}")
        # As many optimiser steps for all: those with fewer episodes see them more often.
        agent = work.learnt(
            [logs.path], f"agents/{network}-{file}", network=network,
            widths=tuple(scale.widths.get(network, ())), batch_size=scale.batch_size,
            epochs=scale.epochs[network] * scale.episodes / episodes, warm_up=scale.warm_up,
        )  # fmt: skip
        for split, world in stages.items():
            folder = f"runs/{network}-{name}-{split}"
            review = first and "alone" not in name
            run = work.played(world, agent, scale.test_episodes, folder, review)
            tested = _intervening(logs)
            found[f"{network}/{name}/{split}"] = _columns(work, run, agent, tested, given[split])
    return found


def _intervening(logs: Dataset) -> float:
    """Share of the explore steps of logs that intervene."""
    batch = logs.read(without=logs.optional)
    return float((batch.target >= 0)[batch.phase == EXPLORE].mean())


# -- analysis ------------------------------------------------------------------------------------


def _columns(
    work: Work[Scale], dataset: Dataset, agent: Agent, tested: float, given: Mapping[str, Dataset]
) -> Columns:
    """Everything that is averaged later, float64[B] each, from the logs of runs alone.

    `tested`: share of explore steps that the agent's logs show to intervene.
    """

    def compute() -> Columns:
        found: Columns = {}
        for name, log in (("own", dataset), *given.items()):
            batch = with_systems(log)
            if name != "own":
                batch = acted(batch, network_actions(agent, batch))
            readings = read(batch)
            assert not isinstance(readings, str)
            returns = episode_returns(batch, readings)
            if name != "own":
                returns["agent"] = _return_of(readings)
            for who, column in returns.items():
                found[f"{name}/{who}"] = column
            found[f"{name}/parts"], found[f"{name}/follows"] = _parting(readings)
        batch = dataset.read(without=dataset.optional)
        found["own/distinct"] = _distinct(batch)
        found["own/intervenes"] = (batch.target[:, :-1] >= 0).mean(1)
        coin = np.random.default_rng(0).random(dataset.rows) < tested
        found["copies/agent"] = np.where(coin, found["own/agent"], found["looks/agent"])
        found["copies/oracle"] = found["own/oracle"]
        found["copies/intervenes"] = np.where(coin, found["own/intervenes"], 0.0)
        return found

    question = {
        "rows": dataset.rows,
        "tested": tested,
        "weights": agent.training["weights_sha256"],
    }
    return work.arrays(f"returns/{dataset.path.name}.npz", question, compute)


def _return_of(readings: Readings) -> NDArray[np.float64]:
    """float64[B], of logs of one exploit step."""
    assert readings.worth is not None
    rows = np.arange(len(readings.action))
    worth: NDArray[np.float64] = readings.worth[rows, np.maximum(readings.action, 0)]
    return np.where(readings.action >= 0, worth, 0.0)


def _parting(readings: Readings) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Whether the exact reader and total correlation part and the action is one of theirs (0, 1),
    and whether it is the exact reader's."""
    bayes, seen = readings.best[BAYES], readings.best["total-correlation"]
    part = ~(bayes & seen).any(1)
    one, other = readings.agrees(BAYES), readings.agrees("total-correlation")
    counts = part & (one | other)
    return counts.astype(np.float64), (counts & one).astype(np.float64)


def _distinct(batch: EpisodeBatch) -> NDArray[np.float64]:
    targets = np.where(batch.phase == EXPLORE, batch.target, -1)
    return (targets[:, :, None] == np.arange(batch.n)).any(1).sum(1).astype(np.float64)


def _measure(work: Work[Scale], found: Played) -> dict[str, Any]:
    return {
        "pooled": _values(work.scale, found.pooled),
        "by seed": [_values(work.scale, own) for own in found.by_seed],
    }


def _values(scale: Scale, columns: Mapping[str, Columns]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, own in columns.items():
        network, _, split = key.split("/")
        whole = columns[f"{network}/{scale.shares[-1]:g}/{split}"]
        found: dict[str, Any] = {}
        for name in ("own", *GIVEN):
            agent, oracle = own[f"{name}/agent"], own[f"{name}/oracle"]
            heuristic = best_heuristic(own, name)
            pairs = {
                "return_ratio": (agent, oracle),
                "bayes_ratio": (agent, own[f"{name}/bayes"]),
                "of_all": (agent, whole[f"{name}/agent"]),
                "bayes_reader": (own[f"{name}/bayes"], oracle),
                "heuristic": (own[f"{name}/{heuristic}"], oracle),
                "random_floor": (own[f"{name}/random"], oracle),
                "follows_bayes": (own[f"{name}/follows"], own[f"{name}/parts"]),
            }
            at = ratios_of(pairs)
            at["best_heuristic"] = heuristic
            at["over_heuristic"] = share_of(agent - own[f"{name}/{heuristic}"], oracle)
            found[name] = at
        found["copies"] = {
            "return_ratio": ratio(own["copies/agent"], own["copies/oracle"]).to_json(),
            "intervenes": mean(own["copies/intervenes"]).to_json(),
        }
        for name in ("distinct", "intervenes"):
            found["own"][name] = mean(own[f"own/{name}"]).to_json()
        values[key] = found
    return values


def best_heuristic(own: Columns, name: str) -> str:
    """The one with the highest mean return on these histories: picked after the fact, which
    favours it."""
    means = {h: own[f"{name}/{h}"].mean() for h in HEURISTICS}
    return max(means, key=means.__getitem__)


def _judge(scale: Scale, values: Mapping[str, Any]) -> list[str]:
    lines = []
    pooled = values["pooled"]
    for network, split in product(scale.epochs, SPLITS):
        own = {share: pooled[f"{network}/{share:g}/{split}"] for share in scale.shares}
        enough, floor = own[ENOUGH]["own"]["of_all"], own[0.0]["own"]["over_heuristic"]
        word = verdict(
            enough["low"] >= NEAR and floor["high"] < 0, enough["high"] < NEAR or floor["low"] > 0
        )
        shares = "; ".join(f"{100 * share:g} % {_words(cell)}" for share, cell in own.items())
        seeds = [v[f"{network}/{ENOUGH:g}/{split}"]["own"]["of_all"]["value"]
                 for v in values["by seed"]]  # fmt: skip
        tests = own[1.0]["tests"]
        lines.append(
            f"{network}, {split}: with {100 * ENOUGH:g} % interventional episodes it gets "
            f"{told(enough)} of the return with 100 % (over seeds: {over_seeds(seeds)}); with "
            f"none, its return less the best heuristic's is {told(floor)} of the omniscient: "
            f"{word} the claim. Share of the omniscient return by interventional episodes, "
            f"exploring by itself / reading an expert's experiments / variables tested / follows "
            f"the exact reader rather than correlation: {shares}. Random "
            f"{told(own[1.0]['own']['random_floor'])}, best heuristic on an expert's experiments "
            f"{told(tests['heuristic'])} ({tests['best_heuristic']}), exact reader "
            f"{told(tests['bayes_reader'])}; n = {enough['n']:,}."
        )
        lines += [
            f"{network}, {split}, {100 * share:g} % without the observational rest: "
            f"{_words(pooled[f'{network}/{share:g} alone/{split}'])}."
            for share in scale.alone
        ]
    network = next(iter(scale.epochs))
    copies = "; ".join(
        f"{100 * share:g} % " + told(pooled[f"{network}/{share:g}/train"]["copies"]["return_ratio"])
        for share in scale.shares
    )
    lines.append(
        "These networks cannot choose to look: where all they watched only looks, what they do at "
        "explore steps was never taught. One that could, and copied how often, would get "
        f"{copies} ({network}, train)."
    )
    return lines


def _words(own: Mapping[str, Any]) -> str:
    figures = (own["own"]["return_ratio"], own["tests"]["return_ratio"], own["own"]["distinct"],
               own["tests"]["follows_bayes"])  # fmt: skip
    return " / ".join(told(e) for e in figures)


_LINES = {
    "exploring by itself": ("own", BLUE, "-"),
    "reading an expert's experiments": ("tests", GREEN, "-"),
    "reading observations": ("looks", ORANGE, "-"),
    "copying how often": ("copies", RED, "--"),
}


def _draw(scale: Scale, values: Mapping[str, Any]) -> Figure:
    """Rows are networks and splits; columns returns, variables tested, and whom it follows."""
    rows = list(product(scale.epochs, SPLITS))
    places = np.arange(len(scale.shares))
    figure, axes = reports.panels(len(rows), 3, 11.5, 2.7 * len(rows) + 0.9)
    for row, (network, split) in zip(axes, rows, strict=True):
        cells = [values["pooled"][f"{network}/{share:g}/{split}"] for share in scale.shares]
        for label, (name, colour, style) in _LINES.items():
            reports.curve(row[0], places, [c[name]["return_ratio"] for c in cells], label=label,
                          color=colour, linestyle=style)  # fmt: skip
        for reader, style in (("bayes_reader", "-."), ("heuristic", ":")):
            row[0].axhline(cells[-1]["tests"][reader]["value"], color=GREY, linestyle=style,
                           linewidth=1)  # fmt: skip
        reports.curve(row[1], places, [c["own"]["distinct"] for c in cells], color=BLUE)
        for name, colour in (("tests", GREEN), ("looks", ORANGE)):
            reports.curve(row[2], places, [c[name]["follows_bayes"] for c in cells], color=colour)
        row[1].axhline(5, color=INK, linestyle="--", linewidth=1)
        row[2].axhline(0.5, color=GREY, linestyle=":", linewidth=1)
        row[0].set(ylabel="share of the omniscient return")
        row[1].set(ylim=(0, 5.2), ylabel="variables tested (of 5)")
        row[2].set(ylim=(0, 1.02), ylabel="exact reader, not correlation")
        for ax in row:
            ax.set_xticks(places, [f"{100 * share:g}" for share in scale.shares])
            ax.set(xlabel="interventional episodes (%)", title=f"{network}, {split}")
    reports.legend_above(figure, axes[0][0], 4)
    return figure


STUDY = Study(
    name="data-mix",
    claim="""Strategy does not need passive data full of experiments: 5 % of episodes that
        experiment teach an imitator as much as 100 % do, to within 5 %; none teach it nothing that
        a heuristic does not do.""",
    design="""World `dag`, linear, 5 variables, 5 explore steps and one exploit action. Logs of an
        expert whose explore steps experiment (every variable once, in random order) in a share of
        the episodes and only look in the others; it exploits knowing the system in all. Number of
        episodes and systems are the same at every share, and those that experiment at one share
        also do at larger ones. Networks of equal size imitate each mix in equally many steps. Then
        they explore new systems themselves (splits `train` and `heldout-link`), and also read given
        histories: an expert's experiments and as many observations, which separates choosing from
        reading. Their actions are interventions only, so that a network which has never seen any in
        explore steps chooses untaught; what it would get if it looked as often as its logs did is
        computed beside it, from both of its runs. Controls: random exploit action, heuristics and
        exact reader on the same histories; one share's interventional episodes without the others,
        in as many steps. The best heuristic is picked after the fact, which favours it. 95 %
        intervals by the paired bootstrap over episodes; full scale: three seeds, episodes of all
        pooled, and the interval over seeds. Power: 1,024 episodes give half an interval of about
        0.02 of a ratio to the return at 100 %.""",
    refuted_if="""exploring by itself, the network's return at 5 % as a share of that at 100 % has
        an interval below 0.95; or at 0 % its return less the best heuristic's on the same histories
        has an interval above 0.""",
    measures="""by network, share and split. own: exploring by itself; tests: reading an expert's
        experiments; looks: reading as many observations; copies: looking or experimenting as often
        as the logs it watched. return_ratio: share of the omniscient return; bayes_ratio: of the
        exact reader's on the same histories; of_all: of the same network's return at share 1;
        over_heuristic: its return less the best heuristic's on the same histories, as a share of
        the omniscient; distinct: different variables tested in 5 experiments; intervenes: share of
        explore steps; follows_bayes: where the exact reader and total correlation part and the
        network did what one of them does, the share in which it was the exact reader's""",
    scales=SCALES,
    play=_play,
    parts={"seed": _one_seed},
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Return against share of interventional episodes",
)
