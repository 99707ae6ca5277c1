"""Study `watching-in-the-lab`: a tuner that watched, one that was rewarded, and algorithms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from safetensors.numpy import save

from seedo import reports
from seedo.episodes import write_atomic
from seedo.experimenters import Proposer
from seedo.experimenters.proposers.tuner import TunerProposer
from seedo.learning.tuner import PASSES, PASSES_WATCHING, WITHOUT, TunerRecipe, part_way, train
from seedo.studies._campaigns import FIRST, by_name, played, simulated_campaigns, untrained
from seedo.studies._estimates import RESAMPLES, estimate
from seedo.studies._study import Study, Work
from seedo.studies._words import slug, told

Array = NDArray[np.float64]

WATCHED, REWARDED = "watched", "rewarded"
CHOICES, EXPLANATIONS = "watched, choices alone", "watched, explanations alone"
HALF = f"{EXPLANATIONS}, half way"
UNTRAINED, RANDOM = "untrained", "random"
_SETTINGS = 150
_EVERY = 50


@dataclass(frozen=True)
class Scale:
    """How much is run.

    Attributes:
        steps: of training by watching; by reward, as many as cost the same passes.
        seeds: of training, for each arm; ablations have one.
        ablated: whether tuners are trained in poorer worlds as well.
        campaigns: held out, simulated; `dear` of them for the algorithms that are slow.
    """

    steps: int
    seeds: int
    ablated: bool
    campaigns: int
    dear: int


SCALES = {
    "quick": Scale(steps=110, seeds=1, ablated=False, campaigns=30, dear=4),
    "full": Scale(steps=600, seeds=3, ablated=True, campaigns=400, dear=100),
}
_ALGORITHMS = {"sobol": False, "one-factor": False, "response-surface": True}
"""Players without training, and whether they are slow."""

Curves = dict[str, list[Array]]
"""By arm, of each seed: regret after each chosen run, float64[campaigns, CHOSEN]."""


def recipes(steps: int) -> dict[str, dict[str, Any]]:
    """How the arms differ, by name."""
    rewarded = max(1, round(steps * PASSES_WATCHING / PASSES))
    return {
        WATCHED: {"steps": steps, "explained": 1.0},
        CHOICES: {"steps": steps},
        EXPLANATIONS: {"steps": steps, "choices": 0.0, "explained": 1.0},
        REWARDED: {"steps": rewarded, "by": "reward"},
    }


def _play(work: Work[Scale]) -> Curves:
    scale = work.scale
    arms: dict[str, list[Proposer | None]] = {RANDOM: [None]}
    arms[UNTRAINED] = [untrained(work.seed + i) for i in range(scale.seeds)]
    for arm, differs in recipes(scale.steps).items():
        arms[arm] = [_trained(w, arm, differs) for w in work.seeds(scale.seeds)]
    arms[HALF] = [_half(w, recipes(scale.steps)[EXPLANATIONS]) for w in work.seeds(scale.seeds)]
    if scale.ablated:
        for what in filter(None, WITHOUT):
            differs = recipes(scale.steps)[WATCHED] | {"without": what}
            arms[f"watched without {what}"] = [_trained(work, f"without-{what}", differs)]
    for name in _ALGORITHMS:
        arms[name] = [by_name(name)]
    return {arm: [_curves(work, arm, i, p) for i, p in enumerate(ps)] for arm, ps in arms.items()}


def _trained(work: Work[Scale], arm: str, differs: dict[str, Any]) -> TunerProposer:
    name, recipe = f"{slug(arm)}-{work.seed}", _recipe(work, differs)

    def say(row: dict[str, float]) -> None:
        rest = ", ".join(f"{k} {v:.3f}" for k, v in row.items() if k != "step")
        work.say(f"{name}: step {row['step']:,.0f} of {recipe.steps:,}: {rest}")

    weights = train(recipe, work.out / "training" / name, say, _EVERY)
    return _left(work, name, {key: np.asarray(value) for key, value in weights.items()})


def _half(work: Work[Scale], differs: dict[str, Any]) -> TunerProposer:
    """Half of the way that training on explanations went."""
    recipe = _recipe(work, differs)
    end = train(recipe, work.out / "training" / f"{slug(EXPLANATIONS)}-{work.seed}")
    return _left(work, f"{slug(HALF)}-{work.seed}", part_way(recipe, end, 0.5))


def _recipe(work: Work[Scale], differs: dict[str, Any]) -> TunerRecipe:
    return TunerRecipe(**{"seed": work.seed, "systems": 16, "rate": 2e-3} | differs)


def _left(work: Work[Scale], name: str, weights: dict[str, NDArray[Any]]) -> TunerProposer:
    (work.out / "tuners").mkdir(parents=True, exist_ok=True)
    write_atomic(work.out / "tuners" / f"{name}.safetensors", save(weights))
    return TunerProposer(weights)


def _curves(work: Work[Scale], arm: str, number: int, player: Proposer | None) -> Array:
    """Regret after each chosen run, float64[campaigns, CHOSEN]."""
    slow = _ALGORITHMS.get(arm, False)
    count = work.scale.dear if slow else work.scale.campaigns

    def compute() -> dict[str, NDArray[Any]]:
        work.say(f"{arm}, {number + 1}: {count} campaigns")
        campaigns = simulated_campaigns(count, _SETTINGS, work.seed)
        runs = [played(campaign, player, work.seed) for campaign in campaigns]
        return {"regret": np.array([run["regret"][FIRST:] for run in runs])}

    question = {"arm": arm, "number": number, "seed": work.seed, "campaigns": count,
                "steps": work.scale.steps}  # fmt: skip
    file = f"played/{slug(arm)}-{number}.npz"
    return work.arrays(file, question, compute)["regret"]


def _measure(work: Work[Scale], found: Curves) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for arm, curves in found.items():
        own: dict[str, Any] = {"curve": np.mean(curves, axis=(0, 1)).round(4).tolist()}
        for measure, of in _MEASURES.items():
            scores = [of(c) for c in curves]
            own[measure] = _estimate(scores) | {
                "seeds": [round(float(s.mean()), 5) for s in scores]
            }
            for other in (UNTRAINED, REWARDED, RANDOM):
                if arm != other:
                    beside = [of(c) for c in found[other]]
                    own[f"{measure} less {other}"] = _estimate(scores, beside)
        values[arm] = own
    return values


_MEASURES = {
    "after 10": lambda curves: curves[:, 9],
    "after 20": lambda curves: curves[:, 19],
    "area": lambda curves: curves.mean(axis=1),
}


def _estimate(scores: list[Array], beside: list[Array] | None = None) -> dict[str, Any]:
    """Mean, or mean difference on the campaigns that both played, of float64[campaigns] by seed;
    campaigns and seeds are resampled."""
    count = min(map(len, scores + (beside or [])))
    sides = [np.array([s[:count] for s in side]) for side in (scores, beside) if side]
    rng = np.random.default_rng(0)
    campaigns = rng.multinomial(count, np.full(count, 1 / count), RESAMPLES) / count
    means, draws = [], []
    for side in sides:
        seeds = rng.multinomial(len(side), np.full(len(side), 1 / len(side)), RESAMPLES) / len(side)
        draws.append(((campaigns @ side.T) * seeds).sum(axis=1))
        means.append(side.mean())
    if beside is None:
        return estimate(means[0], draws[0], count)
    return estimate(means[0] - means[1], draws[0] - draws[1], count)


def _judge(scale: Scale, values: dict[str, Any]) -> list[str]:
    lines = []
    watched = values[WATCHED]
    for other, what in ((UNTRAINED, "the untrained network"), (REWARDED, "the rewarded one")):
        own = watched[f"area less {other}"]
        word = (
            "better than" if own["high"] < 0 else "worse than" if own["low"] > 0 else "level with"
        )
        lines.append(f"Watched is {word} {what}: area {told(own)}.")
    for name in _ALGORITHMS:
        own = values[name][f"area less {UNTRAINED}"]
        lines.append(f"{name} less the untrained network: area {told(own)}.")
    for arm in values:
        if arm.startswith("watched "):
            own = values[arm][f"area less {UNTRAINED}"]
            lines.append(f"{arm} less the untrained network: area {told(own)}.")
    return lines


def _table(scale: Scale, values: dict[str, Any]) -> str:
    lines = ["| arm | after 10 | after 20 | area | area less untrained |", "|---|---|---|---|---|"]
    for arm, own in values.items():
        cells = [told(own[measure]) for measure in _MEASURES]
        less = own.get(f"area less {UNTRAINED}")
        lines.append(f"| {arm} | {' | '.join(cells)} | {told(less) if less else ''} |")
    return "\n".join(lines) + "\n"


def _draw(scale: Scale, values: dict[str, Any]) -> Figure:
    figure, axes = reports.panels(1, 1, 7.0, 4.5)
    ax = axes.ravel()[0]
    for i, (arm, own) in enumerate(values.items()):
        ax.plot(range(1, len(own["curve"]) + 1), own["curve"], color=f"C{i % 10}", label=arm,
                ls="-" if i < 10 else "--", lw=2.2 if arm == WATCHED else 1.2)  # fmt: skip
    ax.set(xlabel="chosen runs", ylabel="regret", yscale="log")
    ax.legend(fontsize=8)
    return figure


STUDY = Study(
    name="watching-in-the-lab",
    claim="""A tuner that watched experts beats algorithms that it never saw, and a tuner trained by
        reward on the same worlds with as many passes through the network.""",
    design="""One network, from the same start. Watched: it imitates experts who know simulated
        response surfaces, and foretells what they say each setting would read (an explanation);
        choices alone, explanations alone: one of the two; half way: the mean of the weights before
        and after; rewarded: it plays itself, and policy
        gradients with the other campaigns on the same system as baseline lower its regret; without
        X: watched, in worlds that lack it. All are asked on held-out simulated systems: five runs
        at random, then twenty chosen ones among 150 settings; the same starts for all. The
        untrained network averages the expected improvement of several Gaussian processes.
        Intervals resample campaigns and seeds of training; three seeds make them too narrow, so
        that each seed's mean is given beside. Weights are left in tuners/, for
        `lab-vs-reality`.""",
    refuted_if="""the mean regret over a campaign of the watched network is not below that of the
        untrained and of the rewarded network, with 95 % intervals.""",
    measures="""after 10, after 20: regret, (best - best so far) / (best - worst), after so many
        chosen runs; area: its mean over them; seeds: means by seed of training; curve: after each
        chosen run; less X: differences on the same campaigns""",
    scales=SCALES,
    play=_play,
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Watching, reward and algorithms",
    table=_table,
)
