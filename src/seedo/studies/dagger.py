"""Study `dagger`: what imitation at a short horizon loses at a long one, won back by asking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import learning, play, reports
from seedo.episodes import EXPLORE, Dataset, EpisodeBatch
from seedo.evaluation import episode_returns, read
from seedo.experimenters import scripted
from seedo.learning import Agent
from seedo.reports import BLUE, GREY, INK, ORANGE
from seedo.statistics import mean, ratio
from seedo.studies._histories import with_systems
from seedo.studies._stages import stage
from seedo.studies._study import Study, Work
from seedo.studies._words import told, verdict

BAR = 0.8
"""Share of what imitation loses that is to be won back."""
BUDGETS = (0.001, 0.01, 0.1)
"""Expert queries as a share of the labels that were imitated."""
SHORT, LONG = 1, 50
MAIN = "dagger 10 %"
CONTROLS = ("dagger 10 %, mixed", "demonstrations, equal labels", "demonstrations, equal episodes",
            "further steps")  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """How much is run."""

    episodes: int  # of the logs to imitate, of `SHORT` experiments each
    epochs: float  # passes over them; DAgger and its controls take as many steps again
    widths: tuple[tuple[str, int], ...]  # of the network; () for its defaults
    rounds: int  # of DAgger
    test_episodes: int  # of every run
    seeds: int  # independent repetitions, logs included
    long: int = LONG  # experiments of the tasks to be played
    batch_size: int = 128  # episodes a step


@dataclass(frozen=True)
class Played:
    """Runs by label, answers asked for by label, and what Bayes reads in the expert's experiments;
    one entry a seed each."""

    labels: int  # imitated
    runs: dict[str, list[EpisodeBatch]] = field(default_factory=dict)
    asked: dict[str, list[int]] = field(default_factory=dict)
    bayes: list[NDArray[np.float64]] = field(default_factory=list)


def _play(work: Work[Scale]) -> Played:
    scale = work.scale
    found = Played(scale.episodes * (SHORT + 1))
    seeds = [own.seed for own in work.seeds(scale.seeds)]
    for asked, runs, bayes in work.each("seed", [[seed, seed == work.seed] for seed in seeds]):
        for label, queries in asked.items():
            found.asked.setdefault(label, []).append(queries)
        for label, run in runs.items():
            found.runs.setdefault(label, []).append(run)
        found.bayes.append(bayes)
    return found


def _one_seed(work: Work[Scale], key: Any) -> tuple[dict[str, int], dict[str, Any], Any]:
    """By label: queries and episodes of a run; and what exact Bayes makes of the expert's."""
    seed, first = key
    own, scale = work.at(seed).below(f"seed-{seed}"), work.scale
    long = stage("dag", split="longer", experiments=scale.long)
    short = stage("dag", experiments=SHORT)
    logs = own.watched(short, scripted("expert"), scale.episodes, "logs")
    asked: dict[str, int] = {}
    players: dict[str, Any] = {}
    for label, agent, queries in _agents(own, long, logs, scale.episodes * (SHORT + 1)):
        players[label], asked[label] = agent, queries
    runs: dict[str, Any] = {}
    for label, player in (players | {"expert": scripted("expert")}).items():
        review = first and label in ("imitation", MAIN, "expert")
        run = own.played(long, player, scale.test_episodes, f"runs/{_file(label)}", review)
        runs[label] = run.read(without=run.optional)
    return asked, runs, _bayes(own, run)  # the last run is the expert's


def _agents(
    work: Work[Scale], long: Any, logs: Dataset, labels: int
) -> Iterator[tuple[str, Agent, int]]:
    """Everyone who is compared: label, agent, and how many answers it learnt from."""
    scale = work.scale
    steps: dict[str, Any] = {
        "epochs": scale.epochs,
        "batch_size": scale.batch_size,
        "widths": scale.widths,
    }
    start = work.learnt([logs.path], "agents/imitation", **steps)
    yield "imitation", start, 0
    first = str(work.out / "agents/imitation")
    again = steps | {"seed": work.seed, "start": first}

    def dagger(label: str, share: float, beta: float) -> Agent:
        queries = max(scale.rounds, int(share * labels))
        settings = learning.DaggerRecipe(
            expert_queries=queries, rounds=scale.rounds, beta=beta, ask="balanced", **again
        )
        work.say(f"{label}, seed {work.seed}: {queries:,} queries")
        return learning.learn_by_dagger(
            long, scripted("expert"), [logs.path], work.out / "agents" / _file(label), settings,
            resume=True,
        )  # fmt: skip

    def go_on(label: str, episodes: int) -> tuple[str, Agent, int]:
        """Imitation that goes on with so many demonstrations of long episodes."""
        data = []
        if episodes:
            data = [work.out / _file(label)]
            play.record(
                long, scripted("expert"), episodes, work.seed, data[0],
                {"stream": "demonstrate", "provenance": "watched"}, resume=True,
            )  # fmt: skip
        queries = episodes * (scale.long + 1)
        settings = learning.DaggerRecipe(expert_queries=1, rounds=1, **again)
        work.say(f"{label}, seed {work.seed}: {queries:,} labels")
        folder = work.out / "agents" / _file(label)
        return label, learning.learn_round(start, [logs.path], data, folder, settings), queries

    episodes = 0
    mixed, equal_labels, equal_episodes, further = CONTROLS
    for label, share, beta in (*((_name(s), s, 0.0) for s in BUDGETS), (mixed, BUDGETS[-1], 0.5)):
        agent = dagger(label, share, beta)
        record = agent.training["dagger"]
        if label == MAIN:
            episodes = sum(row["episodes"] for row in record["by_round"])
        yield label, agent, record["queries"]
    yield go_on(equal_labels, max(2, int(BUDGETS[-1] * labels) // (scale.long + 1)))
    yield go_on(equal_episodes, max(2, episodes))
    yield go_on(further, 0)


def _name(share: float) -> str:
    return f"dagger {100 * share:g} %"


def _file(label: str) -> str:
    return label.replace(" %", "pc").replace(",", "").replace(" ", "-")


def _bayes(work: Work[Scale], run: Dataset) -> NDArray[np.float64]:
    """Return of the Bayes-optimal reader in every episode, from the log alone."""

    def compute() -> dict[str, NDArray[Any]]:
        batch = with_systems(run)
        return {"bayes": episode_returns(batch, read(batch))["bayes"]}

    question = {"seed": work.seed, "episodes": run.rows}
    return work.arrays("bayes.npz", question, compute)["bayes"]


def _measure(_: Work[Scale], found: Played) -> dict[str, Any]:
    """All figures. Intervals: the paired bootstrap over episodes within a seed, and, as a t
    interval, over seeds where there are several."""
    oracle = [batch.oracle_return.astype(np.float64) for batch in found.runs["expert"]]
    start = [batch.returns.astype(np.float64) for batch in found.runs["imitation"]]
    values: dict[str, Any] = {"labels imitated": found.labels}
    for label, batches in {**found.runs, "Bayes reader": []}.items():
        own = [b.returns.astype(np.float64) for b in batches] if batches else found.bayes
        figures: dict[str, Any] = {
            "return_ratio": _pooled(own, oracle),
            "of_bayes": _pooled(own, found.bayes),
        }
        if label not in ("imitation", "expert", "Bayes reader"):
            gain = [a - b for a, b in zip(own, start, strict=True)]
            for name, top in (("bayes", found.bayes), ("omniscient", oracle)):
                lost = [a - b for a, b in zip(top, start, strict=True)]
                figures[f"recovered_{name}"] = _pooled(gain, lost)
                each = np.array([g.sum() / x.sum() for g, x in zip(gain, lost, strict=True)])
                figures[f"recovered_{name}_over_seeds"] = mean(each).to_json()
                if name == "bayes":
                    figures["by_seed"] = each.tolist()
        if label in found.asked:
            figures["queries"] = found.asked[label]
            figures["share_of_labels"] = max(found.asked[label]) / found.labels
        if batches:
            figures["repeated"] = float(np.mean([_repeated(b) for b in batches]))
        values[label] = figures
    return values


def _pooled(top: list[NDArray[Any]], bottom: list[NDArray[Any]]) -> dict[str, Any]:
    return ratio(np.concatenate(top), np.concatenate(bottom)).to_json()


def _repeated(batch: EpisodeBatch) -> float:
    """Mean share of an episode's experiments that are on the variable tried most."""
    targets = np.where(batch.phase == EXPLORE, batch.target, -1)
    tried = (targets[:, :, None] == np.arange(batch.n)).sum(1)
    return float((tried.max(1) / np.maximum(tried.sum(1), 1)).mean())


def _judge(_: Scale, values: Mapping[str, Any]) -> list[str]:
    main = values[MAIN]
    return [
        f"Imitation of {SHORT}-experiment logs ({values['labels imitated']:,} labels) returns "
        f"{told(values['imitation']['return_ratio'])} of the omniscient at the long horizon; "
        f"the best that anyone without knowledge of the system can, reading the expert's "
        f"experiments, {told(values['Bayes reader']['return_ratio'])}.",
        f"DAgger with {max(main['queries']):,} queries ({main['share_of_labels']:.1%} of the "
        f"labels) wins back {told(main['recovered_bayes'])} of what is lost to that reader "
        f"({told(main['recovered_omniscient'])} of what is lost to the omniscient expert): "
        f"{word(main['recovered_bayes'])} the claim.",
        *(
            f"{label} ({max(values[label]['queries']):,} labels): return ratio "
            f"{told(values[label]['return_ratio'])}, won back "
            f"{told(values[label]['recovered_bayes'])}."
            for label in (*map(_name, BUDGETS[:-1]), *CONTROLS)
        ),
    ]


def word(recovered: Mapping[str, Any]) -> str:
    """What the share won back says about the claim."""
    low, high = recovered["low"], recovered["high"]
    return verdict(low is not None and low >= BAR, high is not None and high < BAR)


def _draw(_: Scale, values: Mapping[str, Any]) -> Figure:
    """Return against labels, DAgger and its controls; lines for the start and the ceilings."""
    figure, [[ax]] = reports.panels(1, 1, 6.4, 4.0)
    lines = [("DAgger", BLUE, "o", "-", [_name(share) for share in BUDGETS])]
    lines += [(c, ORANGE, m, "", [c]) for c, m in zip(CONTROLS[:-1], "s^D", strict=True)]
    for name, colour, marker, style, labels in lines:
        at = [float(np.mean(values[label]["queries"])) for label in labels]
        reports.curve(ax, at, [values[label]["return_ratio"] for label in labels], color=colour,
                      marker=marker, markersize=6, linestyle=style, label=name)  # fmt: skip
    for label, style in (("imitation", ":"), ("further steps", "-."), ("Bayes reader", "--")):
        height = values[label]["return_ratio"]["value"]
        colour = INK if label == "Bayes reader" else GREY
        ax.axhline(height, color=colour, linestyle=style, linewidth=1.2, label=label)
    reports.log_scale(ax)
    ax.set(xlabel="labels of the expert beyond the logs", ylabel="share of the omniscient return")
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure


STUDY = Study(
    name="dagger",
    claim=f"""After imitating logs of {SHORT} experiment a task, DAgger (Ross, Gordon & Bagnell,
        2011) wins back at least {BAR:.0%} of the return that the imitator loses at {LONG}
        experiments, with expert queries of at most 10 % of the labels imitated.""",
    design=f"""World `dag`, linear, 5 variables. Expert logs of {SHORT} experiment and one exploit
        action; imitation by the equivariant network; then tasks of {LONG} experiments. DAgger goes
        on from the imitator, acts by itself (beta 0: the logs were the expert's round) and asks at
        the exploit step and at one experiment an episode; each answer is a query. Budgets 0.1, 1
        and 10 % of the imitated labels. The expert knows the system, which no reader of data can
        match: what is lost is measured to the Bayes-optimal reader of the expert's own experiments,
        and to the omniscient expert besides. Controls: beta 0.5, halved every round, where the
        expert's actions count as queries; ordinary demonstrations of long episodes, as many labels
        and as many episodes; as many further optimiser steps without new data. All take equally
        many steps, in the same systems and noise. Intervals: paired bootstrap over test episodes,
        seeds pooled; each seed (logs, network, tasks) is reported, with a t interval over
        seeds.""",
    refuted_if=f"""the interval of the share won back, relative to the Bayes-optimal reader, lies
        below {BAR} with 10 % of the labels as queries.""",
    measures="""return_ratio: share of the omniscient return at the long horizon; of_bayes: of the
        Bayes-optimal reader's, of the expert's experiments; recovered_bayes, recovered_omniscient:
        share won back of what imitation falls short of either; by_seed: recovered_bayes of each
        seed; queries: answers of the expert that were learnt, by seed; repeated: share of
        experiments on the variable tried most""",
    scales={
        "quick": Scale(40_000, 1.0, (("channels", 8), ("layers", 2), ("size", 24)), 4, 512, 1),
        "medium": Scale(40_000, 1.0, (("channels", 8), ("layers", 2), ("size", 24)), 4, 2048, 3),
        "full": Scale(160_000, 2.0, (), 8, 4096, 5),
    },
    play=_play,
    parts={"seed": _one_seed},
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Return at the long horizon against expert labels",
)
