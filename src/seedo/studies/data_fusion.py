"""Study `data-fusion`: observations made beforehand save experiments; wrong ones are noticed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import worlds
from seedo.episodes import Dataset, write_atomic
from seedo.experimenters import bayesian
from seedo.reports._figures import BLUE, GREEN, GREY, ORANGE, RED, STYLE, svg
from seedo.statistics import _intervals as _statistics
from seedo.studies._beliefs import SCORES, scores_by_experiment, scores_with_unknown_noise
from seedo.studies._confounding import Hidden, Sizes, flagged_shares
from seedo.studies._protocol import Outcome, Say, Study
from seedo.studies._savings import resampled_means, saving, worth
from seedo.studies._stages import kept_arrays, played

N = 5
REFERENCE = 5
"""Experiments that a saving is held against: one a variable."""
STRUCTURE = "shd"
"""The structure score of the bar; F1 and entropy are given beside it."""
MODERATE = 200
"""Observations that the bar is about."""
BAR_KNOWN = (Hidden(1, 2.0), 2000, 100)
"""Named before the run: one hidden cause that correlates two variables by 0.8, 2,000 observations
and 100 experiments a variable, noise variance known."""
BAR_UNKNOWN = (Hidden(1, 4.0), 2000, 400)
"""The same for noise of unknown variance, which forgives far more."""
UNKNOWN = "unknown noise"
_STREAM = 1000  # systems of the second part share nothing with those that suggested its bars


@dataclass(frozen=True)
class Scale:
    """How much is run.

    Attributes:
        choosers: of `bayes:NAME`.
        observations: made beforehand, the first is 0.
        experiments: most that are made.
        long: most that `bayes:random` makes without any observation.
        episodes: of every run.
        unknown: of them, how many are also read without knowing the noise variance; the last
            chooser's.
        hidden: the second part.
    """

    choosers: tuple[str, ...]
    observations: tuple[int, ...]
    experiments: int
    long: int
    episodes: int
    unknown: int
    hidden: Sizes


SCALES = {
    "quick": Scale(
        choosers=("random", "eig"),
        observations=(0, 20, 200, 2000),
        experiments=6,
        long=60,
        episodes=640,
        unknown=60,
        hidden=Sizes(
            hidden=(Hidden(0, 0.0), Hidden(1, 2.0), Hidden(1, 4.0)),
            observations=(2000,),
            repeats=(20, 100, 400),
            episodes=80,
        ),
    ),
    "full": Scale(
        choosers=("random", "rotation", "eig"),
        observations=(0, 20, 200, 2000),
        experiments=10,
        long=200,
        episodes=2560,
        unknown=200,
        hidden=Sizes(
            hidden=(
                Hidden(0, 0.0), Hidden(1, 0.5), Hidden(1, 1.0), Hidden(1, 2.0), Hidden(1, 4.0),
                Hidden(2, 1.0), Hidden(2, 2.0), Hidden(3, 1.0),
            ),
            observations=(200, 2000),
            repeats=(1, 5, 20, 100, 400),
            episodes=150,
        ),
    ),
}  # fmt: skip


def _carry_out(size: Scale, out: Path, seed: int, say: Say) -> Outcome:
    scores, runs = _scores(size, out, seed, say)
    say("resampling episodes")
    # All curves of all cells see the same resampled episodes.
    samples = dict(zip(scores, resampled_means(list(scores.values())), strict=True))
    unknown = _unknown_noise(size, out, seed, say)
    samples |= zip(unknown, resampled_means(list(unknown.values())), strict=True)
    scores |= unknown
    curves = _curves(scores)
    savings = _savings(size, scores, samples)
    flagged = flagged_shares(size.hidden, N, out, seed + _STREAM, say)
    values = {"curves": curves, "savings": savings, "flagged": flagged}
    write_atomic(out / "figure.svg", _figure(size, curves, flagged).encode())
    return Outcome(
        measure="; ".join(
            (
                "curves: return (share of the omniscient return), f1, shd, bits by experiments",
                "savings: experiments saved at the score of no observation and "
                f"{REFERENCE} experiments, and experiments that the observations are worth",
                "flagged: share of systems in which a contradiction is reported",
            )
        ),
        values=values,
        verdict="\n".join([*_verdicts(size, curves, savings), *_flag_verdicts(flagged)]),
        runs=runs,
        figures=["figure.svg"],
    )


Scores = dict[tuple[str, int, str], NDArray[np.float64]]
"""(chooser, observations, score) -> float64[B, T + 1], or float64[B] of "oracle" and "random"."""


def _scores(size: Scale, out: Path, seed: int, say: Say) -> tuple[Scores, list[str]]:
    found: Scores = {}
    runs = []
    cells = [(c, m, size.experiments) for c in size.choosers for m in size.observations]
    for chooser, seen, experiments in [*cells, ("long", 0, size.long)]:
        # Split `longer` draws from all graphs, as the reader believes; `train` leaves some out.
        world = worlds.make("dag", split="longer", n=N, observations=seen, experiments=experiments)
        player = bayesian("random" if chooser == "long" else chooser, world.config())
        folder = out / "runs" / f"{chooser}-{seen}"
        dataset = played(world, player, size.episodes, seed, folder, say)
        if chooser != "long" and seen <= 200:  # a review of 2,000 steps an episode takes long
            runs.append(str(folder))
        question = {"seed": seed, "episodes": size.episodes, "experiments": experiments}
        arrays = kept_arrays(
            out / "scores" / f"{chooser}-{seen}.npz",
            question,
            partial(scores_by_experiment, dataset),
        )
        found |= {(chooser, seen, name): values for name, values in arrays.items()}
    return found, runs


def _unknown_noise(size: Scale, out: Path, seed: int, say: Say) -> Scores:
    """The last chooser's logs, read without knowing the noise variance."""
    found: Scores = {}
    for seen in size.observations:
        folder = out / "runs" / f"{size.choosers[-1]}-{seen}"
        arrays = kept_arrays(
            out / "scores" / f"{UNKNOWN.replace(' ', '-')}-{seen}.npz",
            {"seed": seed, "episodes": size.unknown, "experiments": size.experiments},
            partial(scores_with_unknown_noise, Dataset(folder), size.unknown),
        )
        say(f"{seen:,} observations read without knowing the noise variance")
        found |= {(UNKNOWN, seen, name): values for name, values in arrays.items()}
    return found


def _curves(scores: Scores) -> dict[str, Any]:
    """Estimates with 95 % intervals by "chooser/observations" and score, one a number of
    experiments; and the random floor."""
    found: dict[str, Any] = {}
    for (chooser, seen, name), values in scores.items():
        cell = found.setdefault(f"{chooser}/{seen}", {})
        if name in ("return", "random"):
            oracle = scores[chooser, seen, "oracle"]
            columns = list(np.atleast_2d(values.T))
            estimates = _statistics.ratios(columns, [oracle] * len(columns))
            cell[name] = [e.to_json() for e in estimates]
        elif name in SCORES:
            # Rounded, because of nothing but rounding there is no interval.
            cell[name] = [_statistics.mean(c).to_json() for c in np.round(values.T, 9)]
    return found


def _savings(size: Scale, scores: Scores, samples: Scores) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in SCORES:
        sign = -1 if name in ("shd", "bits") else 1

        def curve(chooser: str, seen: int, name: str = name, sign: int = sign):
            return sign * scores[chooser, seen, name].mean(0), sign * samples[chooser, seen, name]

        for seen in size.observations[1:]:
            for chooser in (*size.choosers, UNKNOWN):
                if (chooser, seen, name) not in scores:
                    continue
                (a, drawn_a), (b, drawn_b) = curve(chooser, 0), curve(chooser, seen)
                reference = min(REFERENCE, size.experiments)
                found.setdefault(f"{chooser}/{seen}", {})[name] = saving(
                    a, b, reference, (drawn_a, drawn_b)
                )
            if "random" in size.choosers:
                (a, drawn_a), (b, drawn_b) = curve("long", 0), curve("random", seen)
                found.setdefault(f"worth/{seen}", {})[name] = worth(a, b, (drawn_a, drawn_b))
    return found


def _verdicts(size: Scale, curves: dict[str, Any], savings: dict[str, Any]) -> list[str]:
    lines = []
    for chooser in size.choosers:
        for seen in size.observations[1:]:
            own = savings[f"{chooser}/{seen}"]
            line = (
                f"bayes:{chooser}, {seen:,} observations: save {_interval(own[STRUCTURE])} of "
                f"{REFERENCE} experiments at equal structure (expected SHD), "
                f"{_interval(own['f1'])} at equal F1, {_interval(own['return'])} at equal return"
            )
            if seen == MODERATE:
                least = own[STRUCTURE]["low"]
                supported = least is not None and least >= 1
                line += f": {'supports' if supported else 'refutes'} the claim (at least 1 saved)"
            lines.append(line + ".")
    for seen in size.observations[1:]:
        own = savings[f"{UNKNOWN}/{seen}"]
        lines.append(
            f"The same rows read without knowing the noise variance (bayes:{size.choosers[-1]}, "
            f"{size.unknown} episodes), {seen:,} observations: save {_interval(own['shd'])} of "
            f"{REFERENCE} experiments at equal structure (expected SHD), {_interval(own['f1'])} at "
            "equal F1."
        )
    for seen in size.observations[1:]:
        if f"worth/{seen}" in savings:
            own = savings[f"worth/{seen}"]
            lines.append(
                f"{seen:,} observations are worth {_worth_words(own[STRUCTURE], size.long)} random "
                f"experiments for structure, {_worth_words(own['return'], size.long)} for return."
            )
    chooser = size.choosers[-1]
    before, after = curves[f"{chooser}/0"], curves[f"{chooser}/{size.observations[-1]}"]
    floor = before["random"][0]["value"]
    at = min(REFERENCE, size.experiments)
    lines.append(
        f"bayes:{chooser} after {at} experiments: return "
        f"{_estimate(before['return'][at])} of the omniscient without observations, "
        f"{_estimate(after['return'][at])} with {size.observations[-1]:,}; random floor "
        f"{floor:.3f}. n = {size.episodes:,} episodes; noise of known variance throughout."
    )
    return lines


def _flag_verdicts(flagged: dict[str, dict[str, Any]]) -> list[str]:
    lines = []
    for (hidden, seen, repeats), model in ((BAR_KNOWN, "known noise"),
                                           (BAR_UNKNOWN, "unknown noise")):  # fmt: skip
        hit = flagged.get(f"{hidden.label}/{seen}/{repeats}/{model}")
        alarm = flagged.get(f"none/{seen}/{repeats}/{model}")
        if hit is None or alarm is None:
            continue
        good = hit["share"] >= 0.9 and alarm["share"] <= 0.05
        lines.append(
            f"{model}, one hidden cause of effect {hidden.effect:g}, {seen:,} observations, "
            f"{repeats} experiments a variable: flagged in {_estimate(hit, 'share')} of "
            f"{hit['n']} systems, false alarms {_estimate(alarm, 'share')}: "
            f"{'supports' if good else 'refutes'} the claim (0.9 flagged, at most 0.05 false)."
        )
    short = sorted((v["share"], k) for k, v in flagged.items() if not k.startswith("none/"))
    if short:
        missed = sum(share < 0.9 for share, _ in short)
        lines.append(
            f"In {missed} of {len(short)} settings with hidden causes fewer than 0.9 are flagged; "
            f"the least is {short[0][0]:.2f} ({short[0][1]}: hidden roots x effect / observations "
            "/ experiments a variable / model)."
        )
        worst = max((v["share"], k) for k, v in flagged.items() if k.startswith("none/"))
        lines.append(f"Most false alarms: {worst[0]:.3f} ({worst[1]}).")
    return lines


def _estimate(found: dict[str, Any], name: str = "value") -> str:
    if found["low"] is None:
        return f"{found[name]:.3f}"
    return f"{found[name]:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def _interval(found: dict[str, float | None]) -> str:
    def words(x: float | None) -> str:
        return "less than none" if x is None else f"{x:.1f}"

    return f"{words(found['value'])} [{words(found['low'])}, {words(found['high'])}]"


def _worth_words(found: dict[str, float | None], most: int) -> str:
    def words(x: float | None) -> str:
        return f"more than {most}" if x is None else f"{x:.1f}"

    return f"{words(found['value'])} [{words(found['low'])}, {words(found['high'])}]"


def _figure(size: Scale, curves: dict[str, Any], flagged: dict[str, dict[str, Any]]) -> str:
    titles = {
        "return": "share of the omniscient return",
        "f1": "directed-edge F1",
        "shd": "expected SHD",
        "bits": "posterior entropy (bits)",
    }
    colours = (GREY, ORANGE, BLUE, GREEN, RED)
    with mpl.rc_context(STYLE):
        rows = len(size.choosers) + 1
        figure = Figure(figsize=(13.5, 2.5 * rows + 3.0), layout="constrained", facecolor="none")
        axes = figure.subplots(rows + 1, len(titles), squeeze=False)
        for row, chooser in zip(axes, (*size.choosers, UNKNOWN), strict=False):
            for ax, (name, title) in zip(row, titles.items(), strict=True):
                if name not in curves[f"{chooser}/0"]:
                    ax.remove()
                    continue
                for seen, colour in zip(size.observations, colours, strict=False):
                    points = curves[f"{chooser}/{seen}"][name]
                    value, low, high = (
                        np.array([p[k] if p[k] is not None else np.nan for p in points])
                        for k in ("value", "low", "high")
                    )
                    x = np.arange(len(points))
                    ax.plot(x, value, color=colour, marker="o", markersize=3,
                            label=f"{seen:,} observations")  # fmt: skip
                    ax.fill_between(x, low, high, color=colour, alpha=0.25, linewidth=0)
                if name == "return":
                    floor = curves[f"{chooser}/0"]["random"][0]["value"]
                    ax.axhline(floor, color=GREY, linestyle=":", linewidth=1)
                    ax.set_ylim(top=1.0)
                ax.set_title(chooser if chooser == UNKNOWN else f"bayes:{chooser}")
                ax.set_xlabel("experiments")
                ax.set_ylabel(title)
        axes[0][0].legend()
        panels = [(m, s) for m in ("known noise", "unknown noise")
                  for s in size.hidden.observations[-2:]]  # fmt: skip
        for ax, (model, seen) in zip(axes[-1], panels, strict=False):
            for number, hidden in enumerate(size.hidden.hidden):
                points = [flagged[f"{hidden.label}/{seen}/{r}/{model}"]
                          for r in size.hidden.repeats]  # fmt: skip
                value, low, high = (np.array([p[k] for p in points])
                                    for k in ("share", "low", "high"))  # fmt: skip
                colour = f"C{number}" if number >= len(colours) else colours[number]
                ax.errorbar(size.hidden.repeats, value, yerr=[value - low, high - value],
                            color=colour, marker="o", markersize=3, capsize=2,
                            label=hidden.label)  # fmt: skip
            ax.axhline(0.9, color=GREY, linestyle="--", linewidth=1)
            ax.axhline(0.05, color=GREY, linestyle=":", linewidth=1)
            ax.set_xscale("log")
            ax.set_xticks(size.hidden.repeats, [str(r) for r in size.hidden.repeats])
            ax.set_xticks([], minor=True)
            ax.set_ylim(-0.03, 1.03)
            ax.set_title(f"{model}, {seen:,} observations")
            ax.set_xlabel("experiments a variable")
            ax.set_ylabel("share flagged as contradictory")
        axes[-1][0].legend(title="hidden causes × effect")
        for spare in axes[-1][len(panels) :]:
            spare.remove()
        return svg(figure, "fusion", "Observations save experiments")


STUDY = Study(
    name="data-fusion",
    claim=(
        "Observations made beforehand save experiments; where hidden common causes make them "
        "wrong, that is noticed."
    ),
    design=(
        "World `dag` (linear, 5 variables, noise variance 1, known), all graphs of in-degree up to "
        "2; m observations, then experiments. Players know the exact posterior and choose at "
        "random, in rotation, or by expected information gain. From the logs alone: posterior and "
        "best action after every experiment. The same systems in every cell, and the first "
        "observations are the same; the noise of an experiment depends on its step, so it differs "
        "with m. Saved are the experiments less, interpolated, at which the score of no "
        "observation and 5 experiments is reached; 95 % intervals by the paired bootstrap over "
        "episodes. The last chooser's rows are also read with the noise variance unknown, as those "
        "of a table are. "
        "Second part: systems with hidden roots, each a cause of two visible variables; "
        "observations and experiments of one system are held against each other "
        "(`seedo.inference.find_conflicts`), with the noise variance taken as known (1, "
        "which it is not where hidden causes act) and unknown."
    ),
    refuted_if=(
        "the interval of the experiments that 200 observations save, at equal expected SHD, "
        "reaches below 1; or fewer than 90 % of confounded systems are flagged, or more than 5 % "
        "of the others, in the settings named beforehand."
    ),
    scales=SCALES,
    carry_out=_carry_out,
)
