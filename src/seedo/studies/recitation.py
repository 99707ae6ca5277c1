"""Study `recitation`: what a player of words recites from names, and what it discovers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seedo import worlds
from seedo.language.measures import Recitation, recitation
from seedo.language.runs import same_world
from seedo.statistics._intervals import Estimate
from seedo.studies._protocol import Outcome, PlayerStudy, Say
from seedo.studies._spoken import (
    Run,
    TextPlayer,
    beyond,
    keep_varied,
    malformed,
    said,
    shown,
    told,
)

NAMES = ("familiar", "nonsense", "contrary", "permuted")
MARGIN = 0.1
"""Of what there is to gain (omniscient less random return): what counts as a difference."""


@dataclass(frozen=True)
class Scale:
    """How much is run: settings of world `dag`, and the episodes of each arm."""

    world: dict[str, Any]
    episodes: int


SCALES = {"quick": Scale({}, 128), "full": Scale({}, 768)}


def _carry_out(player: TextPlayer, scale: Scale, out: Path, seed: int, say: Say) -> Outcome:
    keep_varied(player.conditions, ["names"])
    config = worlds.make("dag", **scale.world).config()
    runs = []
    for experiments in (config["experiments"], 0):
        world = same_world("dag", config | {"experiments": experiments})
        for names in NAMES:
            folder = out / "runs" / f"{names}-{experiments}"
            conditions = replace(player.conditions, names=names)
            runs.append(Run(folder, world, scale.episodes, conditions))
    player.foresee(runs, seed, say)
    played = [player.play(run, seed, say) for run in runs]
    found = recitation(played)
    words = {run.path.name: said(run) for run in played}
    values = found.to_json() | {
        "margin": margin(found),
        "answers": answers(found),
        "malformed": {arm: malformed(own).to_json() for arm, own in words.items()},
    }
    return Outcome(
        measure="mean returns and their differences, in the world's unit, paired by episode",
        values=values,
        verdict=_verdict(found, scale.episodes, told([s for own in words.values() for s in own])),
        runs=[str(run.folder) for run in runs],
    )


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
    if own == claimed:
        return "supports"
    contradicted = any(own[what] not in (claim, "open") for what, claim in claimed.items())
    return "refutes" if contradicted else "leaves open"


def _verdict(found: Recitation, episodes: int, words: str) -> str:
    power = found.power.line if found.power else "Power: names alone make no difference at all."
    own = answers(found)
    judged = {"leaves open": "leaves the claim open"}.get(judge(found), f"{judge(found)} the claim")
    return "\n".join([
        f"{found.player}, {episodes:,} episodes in each arm; {words}",
        *(f"{what}: {shown(estimate)}; {meaning}." for what, estimate, meaning in found.rows()),
        power,
        f"By a margin of {margin(found):.2f} ({MARGIN:.0%} of what there is to gain): discovers: "
        f"{own['discovers']}; recites: {own['recites']}; misled by false names: {own['misled']}. "
        f"This {judged}.",
    ])  # fmt: skip


STUDY = PlayerStudy(
    name="recitation",
    claim=(
        "The player discovers and does not recite: its experiments earn it return where names say "
        "nothing; true names alone earn it none, and false names do not sway it against its "
        "experiments. (A causal parrot, Zecevic et al. 2023, does the opposite.)"
    ),
    design=(
        "World `dag`, linear, 5 variables. The same systems, noise and goals under names that are "
        "familiar and true, nonsense, contrary (familiar, against the system's direction) and "
        "permuted (familiar, at random), with 5 experiments and with none; everything else in the "
        "prompt the same. Exact expected returns, differences paired by episode, t intervals."
    ),
    refuted_if=(
        f"by more than {MARGIN} of omniscient less random return: true names alone earn more than "
        "nonsense ones (`recited`), or false names cost it return in spite of its experiments "
        "(`resistance`); or experiments earn less than that under nonsense names (`discovered`). "
        "Each by its 95 % interval; an interval that holds the bound leaves the claim open."
    ),
    scales=SCALES,
    carry_out=_carry_out,
)
