"""Study `explanations`: passive learning of experiment-then-exploit in rooms, with and without."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seedo import worlds
from seedo.experimenters import rooms_player
from seedo.studies._bars import bar_figure
from seedo.studies._in_rooms import Training, imitator, interval, share_correct
from seedo.studies._protocol import Outcome, Say, Study
from seedo.studies._stages import played

TESTS = {
    "new episodes": {"level": "meta"},
    "new values": {"level": "meta", "split": "heldout-values"},
    "hardest": {"level": "meta", "difficulty": "hard3"},
}
RIVALS = ("random", "nearest", "most-salient", "last-rewarded", "expert-colour")
BAR = 0.90
"""Share of exploit trials to be won."""


@dataclass(frozen=True)
class Scale:
    """How much is run.

    Attributes:
        episodes: the expert's. epochs: passes over them. test_episodes: of every run.
        seeds: independent learners, by what becomes of the explanations.
    """

    episodes: int
    epochs: float
    test_episodes: int
    seeds: dict[str, int]


SCALES = {
    "quick": Scale(60_000, 1.0, 1024, {"predict": 1}),
    "full": Scale(60_000, 1.0, 4096, {"predict": 3, "none": 3, "shuffled": 1, "irrelevant": 1}),
}


def _carry_out(scale: Scale, out: Path, seed: int, say: Say) -> Outcome:
    values: dict[str, dict[str, list[float]]] = {}
    runs: list[str] = []
    for condition, seeds in scale.seeds.items():
        for at in range(seed, seed + seeds):
            training = Training(condition, {"level": "meta"}, condition, scale.episodes,
                                scale.epochs)  # fmt: skip
            agent = imitator(training, at, out, say)
            for test, world in TESTS.items():
                folder = out / "runs" / f"{condition}-{at}-{test.replace(' ', '-')}"
                share = share_correct(agent, world, scale.test_episodes, at, folder, say)
                values.setdefault(condition, {}).setdefault(test, []).append(share)
                runs.append(str(folder))
    for rival in RIVALS:
        for test, world in TESTS.items():
            folder = out / "runs" / f"{rival}-{test.replace(' ', '-')}"
            stage = worlds.make("rooms", **world)
            run = played(stage, rooms_player(rival, stage), scale.test_episodes, seed, folder, say)
            mean = float(run.read(without=run.optional).returns.mean())
            values.setdefault(rival, {})[test] = [mean]
            runs.append(str(folder))
    figure = bar_figure(out / "figure.svg", values, tuple(TESTS), "exploit trials won", 0.25, BAR)
    return Outcome("exploit trials won", values, _verdict(values, scale), runs, [figure])


def _verdict(values: dict[str, dict[str, list[float]]], scale: Scale) -> str:
    lines = []
    for condition in scale.seeds:
        told = ", ".join(f"{test} {interval(values[condition][test])}" for test in TESTS)
        lines.append(f"Explanations {condition}: {told}.")
    best = max(RIVALS, key=lambda rival: values[rival]["new episodes"][0])
    lines.append(f"Best heuristic ({best}): {values[best]['new episodes'][0]:.3f}; chance 0.250.")
    with_ = values["predict"]["new episodes"]
    without = values.get("none", {}).get("new episodes", [])
    if min(with_) < BAR:
        lines.append(f"With explanations it stays under {BAR:.2f}: refutes the claim.")
    elif not without:
        lines.append(f"With explanations it reaches {BAR:.2f}; full scale compares it without.")
    else:
        reach = sum(share >= BAR for share in without)
        text = f"Every seed with explanations reaches {BAR:.2f}; without, {reach} of {len(without)}"
        if reach == 0:
            lines.append(f"{text}: supports the claim.")
        else:
            lines.append(
                f"{text}: explanations make it {'no ' if reach == len(without) else ''}surer, "
                "but the strategy is acquired without them too, which refutes that they are needed."
            )
    return "\n".join(lines)


STUDY = Study(
    name="explanations",
    claim=(
        "A passive learner that also predicts explanations acquires a strategy of experimenting "
        "and exploiting in rooms of objects, which it does not acquire without them (Lampinen et "
        "al., 2023)."
    ),
    design=(
        "Expert logs of meta-episodes: three experiment trials (change an object along a dimension "
        "and take the odd one), then a trial in which three objects are each odd in another "
        "dimension and only the one that counts pays. Imitation from the logs with explanations as "
        "targets, without, and with controls: words of other moments, or true but irrelevant ones. "
        "Then the network acts in new episodes, with values it never saw, and at the hardest level."
    ),
    refuted_if=(
        f"with explanations it wins fewer than {BAR:.0%} of the exploit trials of new episodes, or "
        "as many without them."
    ),
    scales=SCALES,
    carry_out=_carry_out,
)
