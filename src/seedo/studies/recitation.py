"""Study `recitation`: what a player of words recites from names, and what it discovers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from seedo import worlds
from seedo.language.measures import Recitation, recitation
from seedo.language.runs import same_world
from seedo.statistics import Estimate
from seedo.studies._spoken import Run, Said, malformed, player_of, said, shown, words_of
from seedo.studies._study import Study, Work
from seedo.studies._words import beyond, of_the_claim, verdict

NAMES = ("familiar", "nonsense", "contrary", "permuted")
MARGIN = 0.1
"""Of what there is to gain (omniscient less random return): what counts as a difference."""


@dataclass(frozen=True)
class Scale:
    """How much is run."""

    world: dict[str, Any]  # settings of world `dag`
    episodes: int  # of each arm


@dataclass(frozen=True)
class Recited:
    """What was found, and what was said, by run."""

    found: Recitation
    words: dict[str, list[Said]]

    def to_json(self) -> dict[str, Any]:
        own: dict[str, Any] = self.found.to_json()
        return own | {
            "margin": margin(self.found),
            "answers": answers(self.found),
            "malformed": {arm: malformed(said).to_json() for arm, said in self.words.items()},
        }


def _play(work: Work[Scale]) -> Recited:
    player = player_of(work, ["names"])
    config = worlds.make("dag", **work.scale.world).config()
    runs = []
    for experiments in (config["experiments"], 0):
        world = same_world("dag", config | {"experiments": experiments})
        for names in NAMES:
            folder = work.out / "runs" / f"{names}-{experiments}"
            conditions = replace(player.conditions, names=names)
            runs.append(Run(folder, world, work.scale.episodes, conditions))
    player.foresee(runs, work.seed, work.say)
    played = [player.play(run, work.seed, work.say) for run in runs]
    work.runs.extend(str(run.folder) for run in runs)
    return Recited(recitation(played), {run.path.name: said(run) for run in played})


def margin(found: Recitation) -> float:
    """The difference of returns that counts."""
    best, floor = found.oracle.value, found.random.value
    assert best is not None
    assert floor is not None
    return MARGIN * (best - floor)


def answers(found: Recitation) -> dict[str, str]:
    """Whether it `discovers`, `recites` and is `misled`: yes, no or open, each by its interval."""
    least, resistance = margin(found), found.resistance
    misled = resistance
    if resistance.low is not None and resistance.high is not None:
        misled = Estimate(None, -resistance.high, -resistance.low, resistance.n)
    return {
        "discovers": beyond(found.discovered, least),
        "recites": beyond(found.recited, least),
        "misled": beyond(misled, least),
    }


def judge(found: Recitation) -> str:
    """`supports`, `refutes` or `leaves open`."""
    own = answers(found)
    claimed = {"discovers": "yes", "recites": "no", "misled": "no"}
    contradicted = any(own[what] not in (claim, "open") for what, claim in claimed.items())
    return verdict(own == claimed, contradicted)


def _judge(scale: Scale, values: Recited) -> list[str]:
    found, own = values.found, answers(values.found)
    power = found.power.line if found.power else "Power: names alone make no difference at all."
    words = words_of([s for arm in values.words.values() for s in arm])
    return [
        f"{found.player}, {scale.episodes:,} episodes in each arm; {words}",
        *(f"{what}: {shown(estimate)}; {meaning}." for what, estimate, meaning in found.rows()),
        power,
        f"By a margin of {margin(found):.2f} ({MARGIN:.0%} of what there is to gain): discovers: "
        f"{own['discovers']}; recites: {own['recites']}; misled by false names: {own['misled']}. "
        f"This {of_the_claim(judge(found))}.",
    ]


STUDY = Study(
    name="recitation",
    claim="""The player discovers and does not recite: its experiments earn it return where names
        say nothing; true names alone earn it none, and false names do not sway it against its
        experiments. (A causal parrot, Zecevic et al. 2023, does the opposite.)""",
    design="""World `dag`, linear, 5 variables. The same systems, noise and goals under names that
        are familiar and true, nonsense, contrary (familiar, against the system's direction) and
        permuted (familiar, at random), with 5 experiments and with none; everything else in the
        prompt the same. Exact expected returns, differences paired by episode, t intervals.""",
    refuted_if=f"""by more than {MARGIN} of omniscient less random return: true names alone earn
        more than nonsense ones (`recited`), or false names cost it return in spite of its
        experiments (`resistance`); or experiments earn less than that under nonsense names
        (`discovered`). Each by its 95 % interval; an interval that holds the bound leaves the claim
        open.""",
    measures="mean returns and their differences, in the world's unit, paired by episode",
    scales={"quick": Scale({}, 128), "full": Scale({}, 768)},
    play=_play,
    measure=lambda _, found: found,
    judge=_judge,
    needs_player=True,
)
