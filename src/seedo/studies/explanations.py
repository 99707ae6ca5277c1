"""Study `explanations`: passive learning of experiment-then-exploit in rooms, with and without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from seedo import reports
from seedo.episodes import Dataset
from seedo.experimenters import rooms_player
from seedo.studies._bars import bar_figure
from seedo.studies._in_rooms import curve, imitator, share_correct
from seedo.studies._stages import stage
from seedo.studies._study import Study, Work
from seedo.studies._words import over_seeds

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
    """How much is run."""

    episodes: int  # the expert's
    epochs: float  # passes over them
    test_episodes: int  # of every run
    seeds: dict[str, int]  # independent learners, by what becomes of the explanations
    network: str = "relational"  # or one that sees frames
    expert: str = "expert"  # or one that sees no more than a frame shows
    batch_size: int | None = None  # None: what is usual in rooms
    tests: tuple[str, ...] = tuple(TESTS)
    rivals: tuple[str, ...] = RIVALS


class Played(NamedTuple):
    """Runs by condition or rival and test, one a seed; how each learner learnt."""

    runs: dict[str, dict[str, list[Dataset]]]
    curves: dict[str, list[dict[str, list[float]]]]


def _play(work: Work[Scale]) -> Played:
    found: dict[str, dict[str, list[Dataset]]] = {}
    curves: dict[str, list[dict[str, list[float]]]] = {}
    stages = {test: stage("rooms", **TESTS[test]) for test in work.scale.tests}
    keys: list[Any] = [
        [condition, own.seed]
        for condition, seeds in work.scale.seeds.items()
        for own in work.seeds(seeds)
    ]
    for (condition, _), (learnt, runs) in zip(keys, work.each("learner", keys), strict=True):
        curves.setdefault(condition, []).append(learnt)
        for test, run in runs.items():
            found.setdefault(condition, {}).setdefault(test, []).append(run)
    for rival in work.scale.rivals:
        for test, world in stages.items():
            run = _tested(work, rooms_player(rival, world), rival, test)
            found.setdefault(rival, {}).setdefault(test, []).append(run)
    return Played(found, curves)


def _learner(work: Work[Scale], key: Any) -> tuple[dict[str, list[float]], dict[str, Dataset]]:
    """How it learnt, and its runs by test."""
    condition, seed = key
    own = work.at(seed)
    agent = imitator(own, condition, {"level": "meta"}, condition)
    label = f"{condition}-{seed}"
    return curve(agent), {test: _tested(own, agent, label, test) for test in work.scale.tests}


def _tested(work: Work[Scale], player: object, label: str, test: str) -> Dataset:
    folder = f"runs/{label}-{test.replace(' ', '-')}"
    world = stage("rooms", **TESTS[test])
    return work.played(world, player, work.scale.test_episodes, folder, True)


def _measure(_: Work[Scale], found: Played) -> dict[str, Any]:
    """Shares of exploit trials won, by condition or rival and test, one a seed; and `curves`."""
    return {
        who: {test: [share_correct(run) for run in runs] for test, runs in own.items()}
        for who, own in found.runs.items()
    } | {"curves": found.curves}


def _judge(scale: Scale, values: dict[str, Any]) -> list[str]:
    lines = [
        f"Explanations {condition}: "
        + ", ".join(f"{test} {over_seeds(values[condition][test])}" for test in scale.tests)
        + "."
        for condition in scale.seeds
    ]
    best = max(scale.rivals, key=lambda rival: values[rival]["new episodes"][0])
    lines.append(f"Best heuristic ({best}): {values[best]['new episodes'][0]:.3f}; chance 0.250.")
    with_ = values["predict"]["new episodes"]
    without = values.get("none", {}).get("new episodes", [])
    if min(with_) < BAR:
        return [*lines, f"With explanations it stays under {BAR:.2f}: refutes the claim."]
    if not without:
        told = f"With explanations it reaches {BAR:.2f}; full scale compares it without."
        return [*lines, told]
    reach = sum(share >= BAR for share in without)
    text = f"Every seed with explanations reaches {BAR:.2f}; without, {reach} of {len(without)}"
    if reach == 0:
        return [*lines, f"{text}: supports the claim."]
    return [
        *lines,
        f"{text}: explanations make it {'no ' if reach == len(without) else ''}surer, "
        "but the strategy is acquired without them too, which refutes that they are needed.",
    ]


def _draw(scale: Scale, values: dict[str, Any]) -> Figure:
    """Bars; of learners that see frames, how they learn."""
    if scale.network == "relational":
        shares = {who: own for who, own in values.items() if who != "curves"}
        return bar_figure(shares, scale.tests, "exploit trials won", 0.25, BAR)
    figure, [[ax]] = reports.panels(1, 1, 5.2, 3.4)
    colours = (reports.BLUE, reports.ORANGE, reports.GREY, reports.INK)
    for (condition, own), colour in zip(values["curves"].items(), colours, strict=False):
        won = over_seeds(values[condition]["new episodes"])
        for number, one in enumerate(own):
            label = f"explanations {condition}: then wins {won}" if number == 0 else None
            ax.plot(one["episodes"], one["loss"], color=colour, label=label)
    ax.set(xlabel="expert episodes watched", ylabel="loss of an action that counts (nats)")
    ax.legend()
    return figure


STUDY = Study(
    name="explanations",
    claim="""A passive learner that also predicts explanations acquires a strategy of experimenting
        and exploiting in rooms of objects, which it does not acquire without them (Lampinen et al.,
        2023).""",
    design="""Expert logs of meta-episodes: three experiment trials (change an object along a
        dimension and take the odd one), then a trial in which three objects are each odd in another
        dimension and only the one that counts pays. Imitation from the logs with explanations as
        targets, without, and with controls: words of other moments, or true but irrelevant ones.
        Then the network acts in new episodes, with values it never saw, and at the hardest
        level. Symbolic observations, or frames at scale `pixels`.""",
    refuted_if=f"""with explanations it wins fewer than {BAR:.0%} of the exploit trials of new
        episodes, or as many without them.""",
    measures="exploit trials won",
    scales={
        "quick": Scale(60_000, 1.0, 1024, {"predict": 1}),
        "full": Scale(60_000, 1.0, 4096, {"predict": 3, "none": 3, "shuffled": 1, "irrelevant": 1}),
        "pixels": Scale(
            60_000,
            1.0,
            1024,
            {"predict": 3, "none": 3},
            "pixels",
            "looking-expert",
            32,
            ("new episodes",),
            ("last-rewarded",),
        ),
    },
    play=_play,
    parts={"learner": _learner},
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Exploit trials won, by condition",
)
