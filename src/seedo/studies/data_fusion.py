"""Study `data-fusion`: observations made beforehand save experiments; wrong ones are noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import reports, worlds
from seedo.episodes import Dataset
from seedo.experimenters import bayesian
from seedo.reports import BLUE, GREEN, GREY, ORANGE, RED
from seedo.statistics import mean, ratios
from seedo.studies._beliefs import SCORES, scores_by_experiment, scores_with_unknown_noise
from seedo.studies._confounding import MODELS, Hidden, Sizes, flagged_shares
from seedo.studies._estimates import resampled_means
from seedo.studies._savings import saving, worth
from seedo.studies._study import Study, Work
from seedo.studies._words import supports, told, told_ends

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
    """How much is run."""

    choosers: tuple[str, ...]  # of `bayes:NAME`
    observations: tuple[int, ...]  # made beforehand, the first is 0
    experiments: int  # most that are made
    long: int  # most that `bayes:random` makes without any observation
    episodes: int  # of every run
    unknown: int  # of the last chooser's, how many are also read without knowing the noise variance
    hidden: Sizes  # the second part


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


Scores = dict[tuple[str, int, str], NDArray[np.float64]]
"""(chooser, observations, score) -> float64[B, T + 1], or float64[B] of "oracle" and "random"."""


class Played(NamedTuple):
    """Scores of known noise; of unknown noise; and shares flagged, see `flagged_shares`."""

    scores: Scores
    unknown: Scores
    flagged: dict[str, dict[str, Any]]


def _play(work: Work[Scale]) -> Played:
    scale = work.scale
    scores = _scores(work)
    unknown: Scores = {}
    for seen in scale.observations:
        log = Dataset(work.out / f"runs/{scale.choosers[-1]}-{seen}")
        arrays = work.arrays(
            f"scores/{UNKNOWN.replace(' ', '-')}-{seen}.npz",
            {"seed": work.seed, "episodes": scale.unknown, "experiments": scale.experiments},
            partial(scores_with_unknown_noise, log, scale.unknown),
        )
        work.say(f"{seen:,} observations read without knowing the noise variance")
        unknown |= {(UNKNOWN, seen, name): values for name, values in arrays.items()}
    others = replace(work, seed=work.seed + _STREAM)
    return Played(scores, unknown, flagged_shares(others, scale.hidden, N))


def _scores(work: Work[Scale]) -> Scores:
    scale = work.scale
    found: Scores = {}
    cells = [(c, m, scale.experiments) for c in scale.choosers for m in scale.observations]
    for chooser, seen, experiments in [*cells, ("long", 0, scale.long)]:
        # Split `longer` draws from all graphs, as the reader believes; `train` leaves some out.
        world = worlds.make("dag", split="longer", n=N, observations=seen, experiments=experiments)
        player = bayesian("random" if chooser == "long" else chooser, world.config())
        # A review of 2,000 steps an episode takes long.
        review = chooser != "long" and seen <= 200
        # The world's own: all choosers of a cell share the program that draws its systems.
        run = work.played(world, player, scale.episodes, f"runs/{chooser}-{seen}", review, world)
        question = {"seed": work.seed, "episodes": scale.episodes, "experiments": experiments}
        file = f"scores/{chooser}-{seen}.npz"
        arrays = work.arrays(file, question, partial(scores_by_experiment, run))
        found |= {(chooser, seen, name): values for name, values in arrays.items()}
    return found


def _measure(work: Work[Scale], found: Played) -> dict[str, Any]:
    # All curves of all cells see the same resampled episodes.
    samples: Scores = {}
    for some in (found.scores, found.unknown):
        samples |= dict(zip(some, resampled_means(list(some.values())), strict=True))
    scores = found.scores | found.unknown
    return {
        "curves": _curves(scores),
        "savings": _savings(work.scale, scores, samples),
        "flagged": found.flagged,
    }


def _curves(scores: Scores) -> dict[str, Any]:
    """Estimates with 95 % intervals by "chooser/observations" and score, one a number of
    experiments; and the random floor."""
    found: dict[str, Any] = {}
    for (chooser, seen, name), values in scores.items():
        cell = found.setdefault(f"{chooser}/{seen}", {})
        if name in ("return", "random"):
            oracle = scores[chooser, seen, "oracle"]
            columns = list(np.atleast_2d(values.T))
            estimates = ratios(columns, [oracle] * len(columns))
            cell[name] = [e.to_json() for e in estimates]
        elif name in SCORES:
            # Rounded, because of nothing but rounding there is no interval.
            cell[name] = [mean(c).to_json() for c in np.round(values.T, 9)]
    return found


def _savings(scale: Scale, scores: Scores, samples: Scores) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in SCORES:
        sign = -1 if name in ("shd", "bits") else 1

        def curve(chooser: str, seen: int, name: str = name, sign: int = sign):
            return sign * scores[chooser, seen, name].mean(0), sign * samples[chooser, seen, name]

        for seen in scale.observations[1:]:
            for chooser in (*scale.choosers, UNKNOWN):
                if (chooser, seen, name) not in scores:
                    continue
                (a, drawn_a), (b, drawn_b) = curve(chooser, 0), curve(chooser, seen)
                reference = min(REFERENCE, scale.experiments)
                found.setdefault(f"{chooser}/{seen}", {})[name] = saving(
                    a, b, reference, (drawn_a, drawn_b)
                )
            if "random" in scale.choosers:
                (a, drawn_a), (b, drawn_b) = curve("long", 0), curve("random", seen)
                found.setdefault(f"worth/{seen}", {})[name] = worth(a, b, (drawn_a, drawn_b))
    return found


def _judge(scale: Scale, values: Mapping[str, Any]) -> list[str]:
    return [*_saved(scale, values["curves"], values["savings"]), *_noticed(values["flagged"])]


def _saved(scale: Scale, curves: dict[str, Any], savings: dict[str, Any]) -> list[str]:
    lines = []
    for chooser in scale.choosers:
        for seen in scale.observations[1:]:
            own = savings[f"{chooser}/{seen}"]
            line = (
                f"bayes:{chooser}, {seen:,} observations: save {_saves(own[STRUCTURE])} of "
                f"{REFERENCE} experiments at equal structure (expected SHD), "
                f"{_saves(own['f1'])} at equal F1, {_saves(own['return'])} at equal return"
            )
            if seen == MODERATE:
                least = own[STRUCTURE]["low"]
                word = supports(least is not None and least >= 1)
                line += f": {word} the claim (at least 1 saved)"
            lines.append(line + ".")
    for seen in scale.observations[1:]:
        own = savings[f"{UNKNOWN}/{seen}"]
        lines.append(
            f"The same rows read without knowing the noise variance (bayes:{scale.choosers[-1]}, "
            f"{scale.unknown} episodes), {seen:,} observations: save {_saves(own['shd'])} of "
            f"{REFERENCE} experiments at equal structure (expected SHD), {_saves(own['f1'])} at "
            "equal F1."
        )
    for seen in scale.observations[1:]:
        if f"worth/{seen}" in savings:
            own = savings[f"worth/{seen}"]
            worth_ = partial(told_ends, form=".1f", none=f"more than {scale.long}")
            lines.append(
                f"{seen:,} observations are worth {worth_(own[STRUCTURE])} random experiments for "
                f"structure, {worth_(own['return'])} for return."
            )
    chooser = scale.choosers[-1]
    before, after = curves[f"{chooser}/0"], curves[f"{chooser}/{scale.observations[-1]}"]
    floor = before["random"][0]["value"]
    at = min(REFERENCE, scale.experiments)
    lines.append(
        f"bayes:{chooser} after {at} experiments: return "
        f"{told(before['return'][at])} of the omniscient without observations, "
        f"{told(after['return'][at])} with {scale.observations[-1]:,}; random floor "
        f"{floor:.3f}. n = {scale.episodes:,} episodes; noise of known variance throughout."
    )
    return lines


def _noticed(flagged: dict[str, dict[str, Any]]) -> list[str]:
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
            f"{repeats} experiments a variable: flagged in "
            f"{told(hit | {'value': hit['share']})} of {hit['n']} systems, false alarms "
            f"{told(alarm | {'value': alarm['share']})}: "
            f"{supports(good)} the claim (0.9 flagged, at most 0.05 false)."
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


def _saves(found: Mapping[str, Any]) -> str:
    return told_ends(found, ".1f", "less than none")


_TITLES = {
    "return": "share of the omniscient return",
    "f1": "directed-edge F1",
    "shd": "expected SHD",
    "bits": "posterior entropy (bits)",
}
_COLOURS = (GREY, ORANGE, BLUE, GREEN, RED)


def _draw(scale: Scale, values: Mapping[str, Any]) -> Figure:
    """Scores by experiments, a row for each chooser; at the bottom the shares flagged."""
    curves, rows = values["curves"], (*scale.choosers, UNKNOWN)
    figure, axes = reports.panels(len(rows) + 1, len(_TITLES), 13.5, 2.5 * len(rows) + 3.0)
    for ax, (chooser, name) in zip(axes.ravel(), product(rows, _TITLES), strict=False):
        if name not in curves[f"{chooser}/0"]:
            ax.remove()
            continue
        for seen, colour in zip(scale.observations, _COLOURS, strict=False):
            points = curves[f"{chooser}/{seen}"][name]
            reports.curve(ax, np.arange(len(points)), points, True, color=colour,
                          label=f"{seen:,} observations")  # fmt: skip
        if name == "return":
            floor = curves[f"{chooser}/0"]["random"][0]["value"]
            ax.axhline(floor, color=GREY, linestyle=":", linewidth=1)
            ax.set_ylim(top=1.0)
        title = chooser if chooser == UNKNOWN else f"bayes:{chooser}"
        ax.set(title=title, xlabel="experiments", ylabel=_TITLES[name])
    axes[0][0].legend()
    panels = list(product(MODELS, scale.hidden.observations[-2:]))
    for ax, (model, seen) in zip(axes[-1], panels, strict=False):
        _draw_flagged(ax, scale.hidden, values["flagged"], model, seen)
    axes[-1][0].legend(title="hidden causes × effect")
    for spare in axes[-1][len(panels) :]:
        spare.remove()
    return figure


def _draw_flagged(ax: Any, sizes: Sizes, flagged: Mapping[str, Any], model: str, seen: int) -> None:
    for number, hidden in enumerate(sizes.hidden):
        cells = [flagged[f"{hidden.label}/{seen}/{r}/{model}"] for r in sizes.repeats]
        colour = f"C{number}" if number >= len(_COLOURS) else _COLOURS[number]
        reports.curve(ax, sizes.repeats, [c | {"value": c["share"]} for c in cells], color=colour,
                      label=hidden.label)  # fmt: skip
    ax.axhline(0.9, color=GREY, linestyle="--", linewidth=1)
    ax.axhline(0.05, color=GREY, linestyle=":", linewidth=1)
    reports.only_ticks(ax, sizes.repeats)
    ax.set(ylim=(-0.03, 1.03), title=f"{model}, {seen:,} observations",
           xlabel="experiments a variable", ylabel="share flagged as contradictory")  # fmt: skip


STUDY = Study(
    name="data-fusion",
    claim="""Observations made beforehand save experiments; where hidden common causes make them
        wrong, that is noticed.""",
    design="""World `dag` (linear, 5 variables, noise variance 1, known), all graphs of in-degree up
        to 2; m observations, then experiments. Players know the exact posterior and choose at
        random, in rotation, or by expected information gain. From the logs alone: posterior and
        best action after every experiment. The same systems in every cell, and the first
        observations are the same; the noise of an experiment depends on its step, so it differs
        with m. Saved are the experiments less, interpolated, at which the score of no observation
        and 5 experiments is reached; 95 % intervals by the paired bootstrap over episodes. The last
        chooser's rows are also read with the noise variance unknown, as those of a table are.
        Second part: systems with hidden roots, each a cause of two visible variables; observations
        and experiments of one system are held against each other
        (`inference.exact.find_conflicts`), with the noise variance taken as known (1, which it is
        not where hidden causes act) and unknown.""",
    refuted_if="""the interval of the experiments that 200 observations save, at equal expected SHD,
        reaches below 1; or fewer than 90 % of confounded systems are flagged, or more than 5 % of
        the others, in the settings named beforehand.""",
    measures=f"""curves: return (share of the omniscient return), f1, shd, bits by experiments;
        savings: experiments saved at the score of no observation and {REFERENCE} experiments, and
        experiments that the observations are worth; flagged: share of systems in which a
        contradiction is reported""",
    scales=SCALES,
    play=_play,
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Observations save experiments",
)
