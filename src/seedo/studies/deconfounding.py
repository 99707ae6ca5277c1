"""Study `deconfounding`: explanations decide how a learner generalises from confounded rooms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedo.studies._bars import bar_figure
from seedo.studies._in_rooms import Training, imitator, interval, share_correct
from seedo.studies._protocol import Outcome, Say, Study

DIMENSIONS = ("colour", "shape", "texture")
BAR = 0.85
"""Share of deconfounded rooms to be chosen by the explained dimension."""


@dataclass(frozen=True)
class Scale:
    """How much is run: expert episodes, passes over them, test episodes, independent seeds."""

    episodes: int
    epochs: float
    test_episodes: int
    seeds: int


SCALES = {"quick": Scale(20_000, 1.0, 1024, 1), "full": Scale(40_000, 1.0, 4096, 3)}


def _carry_out(scale: Scale, out: Path, seed: int, say: Say) -> Outcome:
    values: dict[str, dict[str, list[float]]] = {}
    runs: list[str] = []

    def test(label: str, agent: Any, at: int, options: dict[str, Any], by: str) -> None:
        folder = out / "runs" / f"{label}-{at}-by-{by}"
        world = {"level": "deconfounded", "dimension": by, **options}
        share = share_correct(agent, world, scale.test_episodes, at, folder, say)
        values.setdefault(label, {}).setdefault(by, []).append(share)
        runs.append(str(folder))

    for at in range(seed, seed + scale.seeds):
        for label, world, explanations in _conditions():
            training = Training(label, world, explanations, scale.episodes, scale.epochs)
            agent = imitator(training, at, out, say)
            for by in DIMENSIONS:
                test(label, agent, at, {"cue": world.get("cue", False)}, by)
    figure = bar_figure(
        out / "figure.svg", values, DIMENSIONS, "share of deconfounded rooms", 0.25, BAR
    )
    return Outcome("share chosen by dimension", values, _verdict(values), runs, [figure])


def _conditions() -> list[tuple[str, dict[str, Any], str]]:
    """Label, world of the logs, and what becomes of their explanations."""
    found: list[tuple[str, dict[str, Any], str]] = [
        (f"explained-{d}", {"level": "confounded", "dimension": d}, "predict") for d in DIMENSIONS
    ]
    found.append(("unexplained", {"level": "confounded", "dimension": "colour"}, "none"))
    cued = {"level": "confounded", "dimension": "any", "cue": True}
    return [*found, ("cued", cued, "predict")]


def _verdict(values: dict[str, dict[str, list[float]]]) -> str:
    lines = []
    explained = {d: values[f"explained-{d}"][d] for d in DIMENSIONS}
    for dimension, shares in explained.items():
        verdict = "supports" if min(shares) >= BAR else "refutes"
        lines.append(
            f"Explained by {dimension}: chooses by {dimension} in {interval(shares)} of "
            f"deconfounded rooms: {verdict} the claim."
        )
    split = ", ".join(f"{d} {interval(values['unexplained'][d])}" for d in DIMENSIONS)
    lines.append(f"Without explanations its choices split: {split}.")
    cued = [min(values["cued"][d]) for d in DIMENSIONS]
    told = ", ".join(f"{d} {interval(values['cued'][d])}" for d in DIMENSIONS)
    verdict = "supports" if min(cued) >= BAR else "refutes"
    lines.append(f"One network, told by a cue which way to generalise: {told}: {verdict} it too.")
    return "\n".join(lines)


STUDY = Study(
    name="deconfounding",
    claim=(
        "Predicting explanations that speak of one dimension makes a learner generalise by that "
        "dimension from perfectly confounded data (Lampinen et al., 2022, 2023); with a cue for "
        "which explanation to expect, one network can be told at test time which way to generalise."
    ),
    design=(
        "Expert logs of rooms in which one object is odd in colour, shape and texture at once; the "
        "verdict speaks of one of them. Imitation with the explanations as targets, never as "
        "input; then rooms in which three objects are each odd in another dimension. Symbolic "
        "observations. Chance is 0.25."
    ),
    refuted_if=f"for any dimension fewer than {BAR:.0%} of the choices follow the explanations.",
    scales=SCALES,
    carry_out=_carry_out,
)
