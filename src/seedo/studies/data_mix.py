"""Study `data-mix`: how much of what is watched must be experiments for strategy to appear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
from jaxtyping import Array, PRNGKeyArray
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import learning, play, worlds
from seedo.episodes import EXPLORE, Dataset, EpisodeBatch, write_atomic
from seedo.evaluation import _metrics, _strategies
from seedo.experimenters import Action, Observation, Player, Scripted, scripted
from seedo.learning import Agent
from seedo.reports._figures import BLUE, GREEN, GREY, INK, ORANGE, RED, STYLE, svg
from seedo.statistics import _intervals as _statistics
from seedo.studies._given_histories import acted, network_actions
from seedo.studies._imitation import over_seeds
from seedo.studies._long_tasks import estimate, resampled, say_estimate
from seedo.studies._protocol import Outcome, Say, Study
from seedo.studies._stages import kept_arrays, played
from seedo.worlds import EXPLOIT, DagWorld, Spec

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
    """How much is run.

    Attributes:
        shares: of interventional episodes, increasing, 1 last.
        alone: shares at which a control sees the interventional episodes without the others.
        episodes: watched. epochs: passes over them, by network. widths: by network.
        batch_size, warm_up: of training, see `learning.learn`.
        test_episodes: of every run. seeds: independent ones.
    """

    shares: tuple[float, ...]
    alone: tuple[float, ...]
    episodes: int
    epochs: Mapping[str, float]
    widths: Mapping[str, tuple[tuple[str, int], ...]]
    batch_size: int
    warm_up: int
    test_episodes: int
    seeds: int


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

Columns = dict[str, NDArray[np.float64]]


def _carry_out(size: Scale, out: Path, seed: int, say: Say) -> Outcome:
    stages = {split: worlds.make("dag", split=split) for split in SPLITS}
    runs: list[str] = []
    columns: dict[str, Columns] = {}
    by_seed: list[dict[str, Any]] = []
    for s in range(seed, seed + size.seeds):
        here = out / f"seed-{s}"
        given = {
            (split, name): played(
                world, scripted(player), size.test_episodes, s, here / "given" / f"{split}-{name}",
                say,
            )
            for split, world in stages.items()
            for name, player in GIVEN.items()
        }  # fmt: skip
        own: dict[str, Columns] = {}
        for label, agent, tested in _agents(size, here, s, say):
            for split, world in stages.items():
                folder = here / "runs" / f"{label.replace('/', '-')}-{split}"
                dataset = played(world, agent, size.test_episodes, s, folder, say)
                if s == seed and "alone" not in label:
                    runs.append(str(folder))
                own[f"{label}/{split}"] = _columns(
                    dataset, agent, tested, {k: given[split, k] for k in GIVEN},
                    here / "returns" / f"{folder.name}.npz",
                )  # fmt: skip
        by_seed.append(_values(size, own))
        for key, found in own.items():
            known = columns.setdefault(key, {})
            for name, column in found.items():
                known[name] = np.concatenate([known.get(name, np.empty(0)), column])
    values: dict[str, Any] = {"pooled": _values(size, columns), "by seed": by_seed}
    write_atomic(out / "figure.svg", _figure(size, values["pooled"]).encode())
    return Outcome(
        measure=(
            "by network, share and split. own: exploring by itself; tests: reading an expert's "
            "experiments; looks: reading as many observations; copies: looking or experimenting "
            "as often as the logs it watched. return_ratio: share of the omniscient return; "
            "bayes_ratio: of the exact reader's on the same histories; of_all: of the same "
            "network's return at share 1; over_heuristic: its return less the best heuristic's on "
            "the same histories, as a share of the omniscient; distinct: different variables "
            "tested in 5 experiments; intervenes: share of explore steps; follows_bayes: where "
            "the exact reader and total correlation part and the network did what one of them "
            "does, the share in which it was the exact reader's"
        ),
        values=values,
        verdict="\n".join(_verdict(size, values)),
        runs=runs[:4],
        figures=["figure.svg"],
    )


# -- agents --------------------------------------------------------------------------------------


def _agents(size: Scale, out: Path, seed: int, say: Say) -> list[tuple[str, Agent, float]]:
    """(NETWORK/SHARE, agent, share of explore steps that its logs show to intervene)."""
    training = worlds.make("dag", split="train")
    found = []
    for network, epochs in size.epochs.items():
        plans = [(f"{share:g}", share, size.episodes) for share in size.shares]
        plans += [(f"{share:g} alone", 1.0, round(share * size.episodes)) for share in size.alone]
        for name, share, episodes in plans:
            logs = _logs(training, share, episodes, seed, out / "logs" / name.replace(" ", "-"))
            label = f"{network}/{name}"
            say(f"{label}: learning from {episodes:,} episodes")
            # As many optimiser steps for all: those with fewer episodes see them more often.
            recipe = learning.Recipe(
                network=network, widths=tuple(size.widths.get(network, ())),
                epochs=epochs * size.episodes / episodes, seed=seed,
                batch_size=size.batch_size,
            )  # fmt: skip
            folder = out / "agents" / label.replace("/", "-").replace(" ", "-")
            agent = learning.learn([logs.path], folder, recipe, resume=True, warm_up=size.warm_up)
            found.append((label, agent, _intervening(logs)))
    return found


def _logs(world: DagWorld, share: float, episodes: int, seed: int, folder: Path) -> Dataset:
    return play.watch(world, Mixed(share), episodes, seed, folder, resume=True)


def _intervening(logs: Dataset) -> float:
    """Share of the explore steps of logs that intervene."""
    batch = logs.read(without=logs.optional)
    return float((batch.target >= 0)[batch.phase == EXPLORE].mean())


# -- analysis ------------------------------------------------------------------------------------


def _columns(
    dataset: Dataset, agent: Agent, tested: float, given: Mapping[str, Dataset], file: Path
) -> Columns:
    """Everything that is averaged later, float64[B] each, from the logs of runs alone."""

    def compute() -> Columns:
        found: Columns = {}
        for name, log in (("own", dataset), *given.items()):
            batch = log.read(without=[n for n in log.optional if n != "system"])
            if name != "own":
                batch = acted(batch, network_actions(agent, batch))
            readings = _strategies.read(batch)
            assert not isinstance(readings, str)
            returns = _metrics.episode_returns(batch, readings)
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
    return kept_arrays(file, question, compute)


def _return_of(readings: _strategies.Readings) -> NDArray[np.float64]:
    """float64[B], of logs of one exploit step."""
    assert readings.worth is not None
    rows = np.arange(len(readings.action))
    worth: NDArray[np.float64] = readings.worth[rows, np.maximum(readings.action, 0)]
    return np.where(readings.action >= 0, worth, 0.0)


def _parting(
    readings: _strategies.Readings,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Whether the exact reader and total correlation part and the action is one of theirs (0, 1),
    and whether it is the exact reader's."""
    bayes, seen = readings.best[_strategies.BAYES], readings.best["total-correlation"]
    part = ~(bayes & seen).any(1)
    one, other = readings.agrees(_strategies.BAYES), readings.agrees("total-correlation")
    counts = part & (one | other)
    return counts.astype(np.float64), (counts & one).astype(np.float64)


def _distinct(batch: EpisodeBatch) -> NDArray[np.float64]:
    targets = np.where(batch.phase == EXPLORE, batch.target, -1)
    return (targets[:, :, None] == np.arange(batch.n)).any(1).sum(1).astype(np.float64)


def _values(size: Scale, columns: Mapping[str, Columns]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, own in columns.items():
        network, _, split = key.split("/")
        whole = columns[f"{network}/{size.shares[-1]:g}/{split}"]
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
            tops, bottoms = zip(*pairs.values(), strict=True)
            estimates = _statistics.ratios(tops, bottoms)
            at: dict[str, Any] = {n: e.to_json() for n, e in zip(pairs, estimates, strict=True)}
            at["best_heuristic"] = heuristic
            at["over_heuristic"] = _over(agent, own[f"{name}/{heuristic}"], oracle)
            found[name] = at
        ratio = _statistics.ratio(own["copies/agent"], own["copies/oracle"])
        found["copies"] = {
            "return_ratio": ratio.to_json(),
            "intervenes": _statistics.mean(own["copies/intervenes"]).to_json(),
        }
        for name in ("distinct", "intervenes"):
            found["own"][name] = _statistics.mean(own[f"own/{name}"]).to_json()
        values[key] = found
    return values


def best_heuristic(own: Columns, name: str) -> str:
    """The one with the highest mean return on these histories: picked after the fact, which
    favours it."""
    means = {h: own[f"{name}/{h}"].mean() for h in _strategies.HEURISTICS}
    return max(means, key=means.__getitem__)


def _over(
    agent: NDArray[np.float64], other: NDArray[np.float64], oracle: NDArray[np.float64]
) -> dict[str, Any]:
    columns = np.stack([agent - other, oracle])
    draws = resampled(columns)
    value = columns[0].mean() / columns[1].mean()
    return estimate(value, draws[:, 0] / draws[:, 1], len(agent))


def _verdict(size: Scale, values: Mapping[str, Any]) -> list[str]:
    lines = []
    pooled = values["pooled"]
    for network in size.epochs:
        for split in SPLITS:
            none, some, whole = (
                pooled[f"{network}/{share:g}/{split}"] for share in (0.0, ENOUGH, 1.0)
            )
            enough, floor = some["own"]["of_all"], none["own"]["over_heuristic"]
            if enough["high"] < NEAR or floor["low"] > 0:
                word = "refutes"
            elif enough["low"] >= NEAR and floor["high"] < 0:
                word = "supports"
            else:
                word = "leaves open"
            told = "; ".join(
                f"{100 * share:g} % {_shares_words(pooled[f'{network}/{share:g}/{split}'])}"
                for share in size.shares
            )
            seeds = [v[f"{network}/{ENOUGH:g}/{split}"]["own"]["of_all"]["value"]
                     for v in values["by seed"]]  # fmt: skip
            lines.append(
                f"{network}, {split}: with {100 * ENOUGH:g} % interventional episodes it gets "
                f"{say_estimate(enough)} of the return with 100 % (over seeds: "
                f"{over_seeds(seeds)}); with none, its return less the best heuristic's is "
                f"{say_estimate(floor)} of the omniscient: {word} the claim. Share of the "
                f"omniscient return by interventional episodes, exploring by itself / reading an "
                f"expert's experiments / variables tested / follows the exact reader rather than "
                f"correlation: {told}. Random {say_estimate(whole['own']['random_floor'])}, best "
                f"heuristic on an expert's experiments {say_estimate(whole['tests']['heuristic'])} "
                f"({whole['tests']['best_heuristic']}), exact reader "
                f"{say_estimate(whole['tests']['bayes_reader'])}; n = {enough['n']:,}."
            )
            for share in size.alone:
                own = pooled[f"{network}/{share:g} alone/{split}"]
                lines.append(
                    f"{network}, {split}, {100 * share:g} % without the observational rest: "
                    f"{_shares_words(own)}."
                )
    lines.append(
        "These networks cannot choose to look: where all they watched only looks, what they do at "
        "explore steps was never taught. One that could, and copied how often, would get "
        + "; ".join(
            f"{100 * share:g} % "
            + say_estimate(
                pooled[f"{next(iter(size.epochs))}/{share:g}/train"]["copies"]["return_ratio"]
            )
            for share in size.shares
        )
        + f" ({next(iter(size.epochs))}, train)."
    )
    return lines


def _shares_words(own: Mapping[str, Any]) -> str:
    return " / ".join(
        say_estimate(e)
        for e in (
            own["own"]["return_ratio"],
            own["tests"]["return_ratio"],
            own["own"]["distinct"],
            own["tests"]["follows_bayes"],
        )
    )


# -- figure --------------------------------------------------------------------------------------


def _figure(size: Scale, values: Mapping[str, Any]) -> str:
    """Rows are networks and splits; columns returns, variables tested, and whom it follows."""
    rows = [(network, split) for network in size.epochs for split in SPLITS]
    places = np.arange(len(size.shares))
    lines = {
        "exploring by itself": ("own", "return_ratio", BLUE, "-"),
        "reading an expert's experiments": ("tests", "return_ratio", GREEN, "-"),
        "reading observations": ("looks", "return_ratio", ORANGE, "-"),
        "copying how often": ("copies", "return_ratio", RED, "--"),
    }
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11.5, 2.7 * len(rows) + 0.9), layout="constrained",
                        facecolor="none")  # fmt: skip
        axes = figure.subplots(len(rows), 3, squeeze=False)
        for row, (network, split) in zip(axes, rows, strict=True):
            cells = [values[f"{network}/{share:g}/{split}"] for share in size.shares]
            for label, (name, measure, colour, style) in lines.items():
                _line(row[0], places, [c[name][measure] for c in cells], label, colour, style)
            for reader, style in (("bayes_reader", "-."), ("heuristic", ":")):
                row[0].axhline(cells[-1]["tests"][reader]["value"], color=GREY, linestyle=style,
                               linewidth=1)  # fmt: skip
            row[0].set_ylabel("share of the omniscient return")
            _line(row[1], places, [c["own"]["distinct"] for c in cells], "", BLUE, "-")
            row[1].axhline(5, color=INK, linestyle="--", linewidth=1)
            row[1].set_ylim(0, 5.2)
            row[1].set_ylabel("variables tested (of 5)")
            for name, colour in (("tests", GREEN), ("looks", ORANGE)):
                _line(row[2], places, [c[name]["follows_bayes"] for c in cells], "", colour, "-")
            row[2].axhline(0.5, color=GREY, linestyle=":", linewidth=1)
            row[2].set_ylim(0, 1.02)
            row[2].set_ylabel("exact reader, not correlation")
            for ax in row:
                ax.set_facecolor("none")
                ax.set_xticks(places, [f"{100 * share:g}" for share in size.shares])
                ax.set_xlabel("interventional episodes (%)")
                ax.set_title(f"{network}, {split}")
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=4)
        return svg(figure, "data-mix", "Return against share of interventional episodes")


def _line(
    ax: Any, x: NDArray[Any], found: Sequence[Mapping[str, Any]], label: str, colour: str,
    style: str,
) -> None:  # fmt: skip
    middle, low, high = (
        np.array([np.nan if e[k] is None else e[k] for e in found], float)
        for k in ("value", "low", "high")
    )
    ax.errorbar(x, middle, [middle - low, high - middle], color=colour, linestyle=style,
                label=label, marker="o", markersize=3, capsize=2)  # fmt: skip


STUDY = Study(
    name="data-mix",
    claim=(
        "Strategy does not need passive data full of experiments: 5 % of episodes that experiment "
        "teach an imitator as much as 100 % do, to within 5 %; none teach it nothing that a "
        "heuristic does not do."
    ),
    design=(
        "World `dag`, linear, 5 variables, 5 explore steps and one exploit action. Logs of an "
        "expert whose explore steps experiment (every variable once, in random order) in a share "
        "of the episodes and only look in the others; it exploits knowing the system in all. "
        "Number of episodes and systems are the same at every share, and those that experiment at "
        "one share also do at larger ones. Networks of equal size imitate each mix in equally many "
        "steps. Then they explore new systems themselves (splits `train` and `heldout-link`), and "
        "also read given histories: an expert's experiments and as many observations, which "
        "separates choosing from reading. Their actions are interventions only, so that a network "
        "which has never seen any in explore steps chooses untaught; what it would get if it "
        "looked as often as its logs did is computed beside it, from both of its runs. Controls: "
        "random exploit action, heuristics and exact reader on the same histories; one share's "
        "interventional episodes without the others, in as many steps. The best heuristic is "
        "picked after the fact, which favours it. 95 % intervals by the paired bootstrap over "
        "episodes; full scale: three seeds, episodes of all pooled, and the interval over seeds. "
        "Power: 1,024 episodes give half an interval of about 0.02 of a ratio to the return at "
        "100 %."
    ),
    refuted_if=(
        "exploring by itself, the network's return at 5 % as a share of that at 100 % has an "
        "interval below 0.95; or at 0 % its return less the best heuristic's on the same histories "
        "has an interval above 0."
    ),
    scales=SCALES,
    carry_out=_carry_out,
)
