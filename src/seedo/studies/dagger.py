"""Study `dagger`: what imitation at a short horizon loses at a long one, won back by asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import learning, play, worlds
from seedo.episodes import EXPLORE, Dataset, EpisodeBatch, write_atomic
from seedo.evaluation import _metrics, _strategies
from seedo.experimenters import scripted
from seedo.reports._figures import BLUE, GREY, INK, ORANGE, STYLE, log_scale, svg
from seedo.statistics import _intervals as _statistics
from seedo.studies._protocol import Outcome, Say, Study
from seedo.studies._stages import kept_arrays, played

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
    """How much is run.

    Attributes:
        episodes: of the logs to imitate, of `SHORT` experiments each.
        epochs: passes over them; DAgger and its controls take as many steps again.
        widths: of the network; () for its defaults.
        rounds: of DAgger.
        test_episodes: of every run.
        seeds: independent repetitions, logs included.
        long: experiments of the tasks to be played.
        batch_size: episodes a step.
    """

    episodes: int
    epochs: float
    widths: tuple[tuple[str, int], ...]
    rounds: int
    test_episodes: int
    seeds: int
    long: int = LONG
    batch_size: int = 128


SCALES = {
    "quick": Scale(
        40_000, 1.0, (("channels", 8), ("layers", 2), ("size", 24)), 4, 512, 1
    ),
    "full": Scale(160_000, 2.0, (), 8, 4096, 5),
}  # fmt: skip


def _carry_out(scale: Scale, out: Path, seed: int, say: Say) -> Outcome:
    long = worlds.make("dag", split="longer", experiments=scale.long)
    found: dict[str, list[EpisodeBatch]] = {}
    asked: dict[str, list[int]] = {}
    bayes: list[NDArray[np.float64]] = []
    runs: list[str] = []
    labels = 0
    for at in range(seed, seed + scale.seeds):
        folder = out / f"seed-{at}"
        logs = folder / "logs"
        say(f"seed {at}: watching {scale.episodes:,} expert episodes of {SHORT} experiment")
        short = worlds.make("dag", experiments=SHORT)
        watched = play.watch(short, scripted("expert"), scale.episodes, at, logs, resume=True)
        labels = watched.rows * (SHORT + 1)
        agents = _agents(scale, long, logs, labels, folder, at, say, asked)
        for label, agent in agents.items():
            path = folder / "runs" / _file(label)
            run = played(long, agent, scale.test_episodes, at, path, say)
            found.setdefault(label, []).append(run.read(without=run.optional))
            say(f"seed {at}, {label}: {_ratio(found[label][-1]):.3f} of the omniscient return")
            if at == seed and label in ("imitation", MAIN):
                runs.append(str(path))
        expert = played(
            long, scripted("expert"), scale.test_episodes, at, folder / "runs" / "expert", say
        )
        found.setdefault("expert", []).append(expert.read(without=expert.optional))
        bayes.append(_bayes(expert, folder / "bayes.npz", at))
        if at == seed:
            runs.append(str(expert.path))
    values = _values(found, bayes, asked, labels)
    write_atomic(out / "figure.svg", _figure(values).encode())
    return Outcome(
        measure=(
            "return_ratio: share of the omniscient return at the long horizon; of_bayes: of the "
            "Bayes-optimal reader's, of the expert's experiments; recovered_bayes, "
            "recovered_omniscient: share won back of what imitation falls short of either; "
            "by_seed: recovered_bayes of each seed; queries: answers of the expert that were "
            "learnt, by seed; repeated: share of experiments on the variable tried most"
        ),
        values=values,
        verdict=_verdict(values),
        runs=runs,
        figures=["figure.svg"],
    )


def _agents(
    scale: Scale, long: Any, logs: Path, labels: int, folder: Path, seed: int, say: Say,
    asked: dict[str, list[int]],
) -> dict[str, learning.Agent]:  # fmt: skip
    """Everyone who is compared, by label; what each asked is added to `asked`."""
    home = folder / "agents"
    recipe = learning.Recipe(
        widths=scale.widths, epochs=scale.epochs, batch_size=scale.batch_size, seed=seed
    )
    say(f"seed {seed}: imitating")
    start = learning.learn([logs], home / "imitation", recipe, resume=True)
    agents = {"imitation": start}
    asked.setdefault("imitation", []).append(0)
    again: dict[str, Any] = {
        "epochs": scale.epochs, "batch_size": scale.batch_size, "seed": seed,
        "start": str(home / "imitation"), "widths": scale.widths,
    }  # fmt: skip

    def dagger(label: str, share: float, beta: float) -> int:
        queries = max(scale.rounds, int(share * labels))
        settings = learning.DaggerRecipe(
            expert_queries=queries, rounds=scale.rounds, beta=beta, ask="balanced", **again
        )
        say(f"seed {seed}, {label}: {queries:,} queries")
        agents[label] = learning.learn_by_dagger(
            long, scripted("expert"), [logs], home / _file(label), settings, resume=True
        )
        record = agents[label].training["dagger"]
        asked.setdefault(label, []).append(record["queries"])
        return sum(row["episodes"] for row in record["by_round"])

    def go_on(label: str, data: list[Path], queries: int) -> None:
        settings = learning.DaggerRecipe(expert_queries=1, rounds=1, **again)
        say(f"seed {seed}, {label}: {queries:,} labels")
        agents[label] = learning.learn_round(start, [logs], data, home / _file(label), settings)
        asked.setdefault(label, []).append(queries)

    def demonstrate(label: str, episodes: int) -> None:
        data = folder / _file(label)
        play.record(
            long, scripted("expert"), episodes, seed, data, stream="demonstrate", resume=True,
            job={"provenance": "watched"},
        )  # fmt: skip
        go_on(label, [data], episodes * (scale.long + 1))

    for share in BUDGETS:
        episodes = dagger(_name(share), share, 0.0)
    mixed, equal_labels, equal_episodes, further = CONTROLS
    dagger(mixed, BUDGETS[-1], 0.5)
    demonstrate(equal_labels, max(2, int(BUDGETS[-1] * labels) // (scale.long + 1)))
    demonstrate(equal_episodes, max(2, episodes))
    go_on(further, [], 0)
    return agents


def _name(share: float) -> str:
    return f"dagger {100 * share:g} %"


def _file(label: str) -> str:
    return label.replace(" %", "pc").replace(",", "").replace(" ", "-")


def _ratio(batch: EpisodeBatch) -> float:
    return float(batch.returns.mean() / batch.oracle_return.mean())


def _bayes(run: Dataset, file: Path, seed: int) -> NDArray[np.float64]:
    """Return of the Bayes-optimal reader in every episode, from the log alone."""

    def compute() -> dict[str, NDArray[Any]]:
        batch = run.read(without=[name for name in run.optional if name != "system"])
        returns = _metrics.episode_returns(batch, _strategies.read(batch))
        return {"bayes": returns["bayes"]}

    return kept_arrays(file, {"seed": seed, "episodes": run.rows}, compute)["bayes"]


def _values(
    found: dict[str, list[EpisodeBatch]],
    bayes: list[NDArray[np.float64]],
    asked: dict[str, list[int]],
    labels: int,
) -> dict[str, Any]:
    """All figures. Intervals: the paired bootstrap over episodes within a seed, and, as a t
    interval, over seeds where there are several."""
    oracle = [batch.oracle_return.astype(np.float64) for batch in found["expert"]]
    start = [batch.returns.astype(np.float64) for batch in found["imitation"]]
    values: dict[str, Any] = {"labels imitated": labels}
    for label, batches in {**found, "Bayes reader": []}.items():
        own = [b.returns.astype(np.float64) for b in batches] if batches else bayes
        figures: dict[str, Any] = {
            "return_ratio": _pooled(own, oracle),
            "of_bayes": _pooled(own, bayes),
        }
        if label not in ("imitation", "expert", "Bayes reader"):
            gain = [a - b for a, b in zip(own, start, strict=True)]
            for name, top in (("bayes", bayes), ("omniscient", oracle)):
                lost = [a - b for a, b in zip(top, start, strict=True)]
                figures[f"recovered_{name}"] = _pooled(gain, lost)
                each = np.array([g.sum() / x.sum() for g, x in zip(gain, lost, strict=True)])
                figures[f"recovered_{name}_over_seeds"] = _statistics.mean(each).to_json()
                if name == "bayes":
                    figures["by_seed"] = each.tolist()
        if label in asked:
            figures["queries"] = asked[label]
            figures["share_of_labels"] = max(asked[label]) / labels
        if batches:
            figures["repeated"] = float(np.mean([_repeated(b) for b in batches]))
        values[label] = figures
    return values


def _pooled(top: list[NDArray[Any]], bottom: list[NDArray[Any]]) -> dict[str, Any]:
    return _statistics.ratio(np.concatenate(top), np.concatenate(bottom)).to_json()


def _repeated(batch: EpisodeBatch) -> float:
    """Mean share of an episode's experiments that are on the variable tried most."""
    targets = np.where(batch.phase == EXPLORE, batch.target, -1)
    tried = (targets[:, :, None] == np.arange(batch.n)).sum(1)
    return float((tried.max(1) / np.maximum(tried.sum(1), 1)).mean())


def _verdict(values: dict[str, Any]) -> str:
    main = values[MAIN]
    own = main["recovered_bayes"]
    word = _word(own["low"], own["high"])
    lines = [
        f"Imitation of {SHORT}-experiment logs ({values['labels imitated']:,} labels) returns "
        f"{_estimate(values['imitation']['return_ratio'])} of the omniscient at the long horizon; "
        f"the best that anyone without knowledge of the system can, reading the expert's "
        f"experiments, {_estimate(values['Bayes reader']['return_ratio'])}.",
        f"DAgger with {max(main['queries']):,} queries ({main['share_of_labels']:.1%} of the "
        f"labels) wins back {_estimate(own)} of what is lost to that reader "
        f"({_estimate(main['recovered_omniscient'])} of what is lost to the omniscient expert): "
        f"{word} the claim.",
    ]
    for label in (*map(_name, BUDGETS[:-1]), *CONTROLS):
        figures = values[label]
        lines.append(
            f"{label} ({max(figures['queries']):,} labels): return ratio "
            f"{_estimate(figures['return_ratio'])}, won back "
            f"{_estimate(figures['recovered_bayes'])}."
        )
    return "\n".join(lines)


def _word(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "leaves open"
    return "supports" if low >= BAR else "refutes" if high < BAR else "leaves open"


def _estimate(found: dict[str, Any]) -> str:
    if found["low"] is None:
        return f"{found['value']:.3f}"
    return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def _figure(values: dict[str, Any]) -> str:
    """Return against labels, DAgger and its controls; lines for the start and the ceilings."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 4.0), layout="constrained", facecolor="none")
        ax = figure.subplots()
        ax.set_facecolor("none")
        _points(ax, values, [_name(share) for share in BUDGETS], "DAgger", BLUE, "o-")
        for label, marker in zip(CONTROLS[:-1], "s^D", strict=True):
            _points(ax, values, [label], label, ORANGE, marker)
        for label, style in (("imitation", ":"), ("further steps", "-."), ("Bayes reader", "--")):
            height = values[label]["return_ratio"]["value"]
            colour = INK if label == "Bayes reader" else GREY
            ax.axhline(height, color=colour, linestyle=style, linewidth=1.2, label=label)
        log_scale(ax)
        ax.set_xlabel("labels of the expert beyond the logs")
        ax.set_ylabel("share of the omniscient return")
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
        return svg(figure, "dagger", "Return at the long horizon against expert labels")


def _points(
    ax: Any, values: dict[str, Any], labels: list[str], name: str, colour: str, marker: str
) -> None:
    at = [float(np.mean(values[label]["queries"])) for label in labels]
    found = [values[label]["return_ratio"] for label in labels]
    bound: Callable[[str], list[float]] = lambda side: [  # noqa: E731
        abs((f[side] if f[side] is not None else f["value"]) - f["value"]) for f in found
    ]
    ax.errorbar(at, [f["value"] for f in found], yerr=[bound("low"), bound("high")], fmt=marker,
                color=colour, capsize=2, label=name)  # fmt: skip


STUDY = Study(
    name="dagger",
    claim=(
        f"After imitating logs of {SHORT} experiment a task, DAgger (Ross, Gordon & Bagnell, 2011) "
        f"wins back at least {BAR:.0%} of the return that the imitator loses at {LONG} "
        "experiments, with expert queries of at most 10 % of the labels imitated."
    ),
    design=(
        f"World `dag`, linear, 5 variables. Expert logs of {SHORT} experiment and one exploit "
        f"action; imitation by the equivariant network; then tasks of {LONG} experiments. DAgger "
        "goes on from the imitator, acts by itself (beta 0: the logs were the expert's round) and "
        "asks at the exploit step and at one experiment an episode; each answer is a query. "
        "Budgets 0.1, 1 and 10 % of the imitated labels. The expert knows the system, which no "
        "reader of data can match: what is lost is measured to the Bayes-optimal reader of the "
        "expert's own experiments, and to the omniscient expert besides. Controls: beta 0.5, "
        "halved every round, where the expert's actions count as queries; ordinary demonstrations "
        "of long episodes, as many labels and as many episodes; as many further optimiser steps "
        "without new data. All take equally many steps, in the same systems and noise. Intervals: "
        "paired bootstrap over test episodes, seeds pooled; each seed (logs, network, tasks) is "
        "reported, with a t interval over seeds."
    ),
    refuted_if=(
        f"the interval of the share won back, relative to the Bayes-optimal reader, lies below "
        f"{BAR} with 10 % of the labels as queries."
    ),
    scales=SCALES,
    carry_out=_carry_out,
)
