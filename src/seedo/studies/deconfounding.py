"""Study `deconfounding`: explanations decide how a learner generalises from confounded rooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from seedo.episodes import Dataset
from seedo.studies._bars import bar_figure
from seedo.studies._in_rooms import imitator, share_correct
from seedo.studies._stages import stage
from seedo.studies._study import Study, Work
from seedo.studies._words import over_seeds, supports

DIMENSIONS = ("colour", "shape", "texture")
BAR = 0.85
"""Share of deconfounded rooms to be chosen by the explained dimension."""


@dataclass(frozen=True)
class Scale:
    """How much is run."""

    episodes: int  # the expert's
    epochs: float  # passes over them
    test_episodes: int  # of every run
    seeds: int  # independent learners
    network: str = "relational"  # or one that sees frames
    expert: str = "expert"  # or one that sees no more than a frame shows
    batch_size: int | None = None  # None: what is usual in rooms
    beside: bool = True  # also learners without explanations and with a cue, and other choices


Values = dict[str, dict[str, list[float]]]
"""Shares by condition and dimension, one a seed."""


def _conditions(scale: Scale) -> list[tuple[str, dict[str, Any], str]]:
    """Label, world of the logs, and what becomes of their explanations."""
    found: list[tuple[str, dict[str, Any], str]] = [
        (f"explained-{d}", {"level": "confounded", "dimension": d}, "predict") for d in DIMENSIONS
    ]
    if not scale.beside:
        return found
    found.append(("unexplained", {"level": "confounded", "dimension": "colour"}, "none"))
    cued = {"level": "confounded", "dimension": "any", "cue": True}
    return [*found, ("cued", cued, "predict")]


def _play(work: Work[Scale]) -> dict[str, dict[str, list[Dataset]]]:
    found: dict[str, dict[str, list[Dataset]]] = {}
    seeds = [own.seed for own in work.seeds(work.scale.seeds)]
    keys: list[Any] = [[label, seed] for seed in seeds for label, *_ in _conditions(work.scale)]
    for (label, _), runs in zip(keys, work.each("learner", keys), strict=True):
        for by, run in runs.items():
            found.setdefault(label, {}).setdefault(by, []).append(run)
    return found


def _learner(work: Work[Scale], key: Any) -> dict[str, Dataset]:
    """Its runs, by what decides in the rooms."""
    label, seed = key
    world, explanations = next(c[1:] for c in _conditions(work.scale) if c[0] == label)
    own = work.at(seed)
    agent = imitator(own, label, world, explanations)
    return {
        by: own.played(
            stage(
                "rooms", level="deconfounded", dimension=by, cue=world.get("cue", False)
            ),
            agent, work.scale.test_episodes, f"runs/{label}-{seed}-by-{by}", True,
        )
        for by in (DIMENSIONS if work.scale.beside else [world["dimension"]])
    }  # fmt: skip


def _measure(_: Work[Scale], found: dict[str, dict[str, list[Dataset]]]) -> Values:
    return {
        label: {by: [share_correct(run) for run in runs] for by, runs in own.items()}
        for label, own in found.items()
    }


def _judge(_: Scale, values: Values) -> list[str]:
    lines = []
    for dimension in DIMENSIONS:
        shares = values[f"explained-{dimension}"][dimension]
        lines.append(
            f"Explained by {dimension}: chooses by {dimension} in {over_seeds(shares)} of "
            f"deconfounded rooms: {supports(min(shares) >= BAR)} the claim."
        )
    if "cued" not in values:
        return lines
    unexplained, cued = (
        ", ".join(f"{d} {over_seeds(values[label][d])}" for d in DIMENSIONS)
        for label in ("unexplained", "cued")
    )
    good = min(min(values["cued"][d]) for d in DIMENSIONS) >= BAR
    return [
        *lines,
        f"Without explanations its choices split: {unexplained}.",
        f"One network, told by a cue which way to generalise: {cued}: {supports(good)} it too.",
    ]


def _draw(scale: Scale, values: Values) -> Figure:
    if not scale.beside:
        values = {"explained": {d: values[f"explained-{d}"][d] for d in DIMENSIONS}}
    return bar_figure(values, DIMENSIONS, "share of deconfounded rooms", 0.25, BAR)


STUDY = Study(
    name="deconfounding",
    claim="""Predicting explanations that speak of one dimension makes a learner generalise by that
        dimension from perfectly confounded data (Lampinen et al., 2022, 2023); with a cue for which
        explanation to expect, one network can be told at test time which way to generalise.""",
    design="""Expert logs of rooms in which one object is odd in colour, shape and texture at once;
        the verdict speaks of one of them. Imitation with the explanations as targets, never as
        input; then rooms in which three objects are each odd in another dimension. Symbolic
        observations, or frames at scale `pixels`. Chance is 0.25.""",
    refuted_if=f"for any dimension fewer than {BAR:.0%} of the choices follow the explanations.",
    measures="share chosen by dimension",
    scales={
        "quick": Scale(20_000, 1.0, 1024, 1),
        "full": Scale(40_000, 1.0, 4096, 3),
        "pixels": Scale(16_000, 1.0, 1024, 3, "pixels", "looking-expert", 32, beside=False),
    },
    play=_play,
    parts={"learner": _learner},
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Share of deconfounded rooms chosen by dimension",
)
