"""Campaigns as studies play them, recorded or simulated: paired starts, runs, regret.

Settings are chosen among those of a list: five at random, which are the same for all players, then
one at a time. Regret is (best - best so far) / (best - worst), of the settings' mean outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo import worlds
from seedo.errors import UserError
from seedo.experimenters import Proposer, find_player
from seedo.experimenters.proposers.tuner import TunerProposer, initial
from seedo.learning.tuner import draw_system
from seedo.spaces import Goal, Goals, Knob, Runs, Space, same_setting
from seedo.worlds import Spec
from seedo.worlds.recorded import RecordedWorld
from seedo.worlds.surfaces import CATEGORICAL, MOST_KNOBS

Array = NDArray[np.float64]

FIRST = 5
"""Runs at random, with which a campaign begins."""
CHOSEN = 20
"""Runs that a player chooses."""
_FEWEST = 60
"""Different settings of a simulated campaign."""


@dataclass(frozen=True, eq=False)
class Campaign:
    """Settings to choose among, for one goal.

    Attributes:
        name: of its folder or table.
        number: its place among the campaigns, which its starts are drawn by.
        spec: as players see it.
        settings: float64[S, K].
        worths: float64[S], mean outcome of each setting, to be raised.
        measure: (setting by number, who draws) -> readings float64[M].
        digest: what tells its data from others.
    """

    name: str
    number: int
    spec: Spec
    settings: Array
    worths: Array
    measure: Callable[[int, np.random.Generator], Array]
    digest: str

    def start(self, seed: int) -> tuple[np.random.Generator, list[int], list[Array]]:
        """Who draws further measurements, and the first runs: settings by number, readings."""
        rng = np.random.default_rng([self.number, seed])
        first = [int(i) for i in rng.choice(len(self.settings), FIRST, replace=False)]
        return rng, first, [self.measure(i, rng) for i in first]

    def regret(self, chosen: list[int]) -> list[float]:
        """After each of the runs, from 0 to 1."""
        best, worst = self.worths.max(), self.worths.min()
        found: Array = (best - np.maximum.accumulate(self.worths[chosen])) / (best - worst)
        return found.tolist()


def read_campaigns(folder: Path) -> list[Campaign]:
    """All campaigns of a folder: folders with `config.json`, and tables.

    Raises:
        UserError: there is none, or one cannot be read.
    """
    there = sorted(
        path
        for path in folder.iterdir()
        if (path / "config.json").exists() or path.suffix in (".csv", ".tsv", ".parquet", ".xlsx")
    )
    there = [path for path in there if not path.name.endswith(".roles.csv")]
    if not there:
        remedy = "holds no campaign: folders with data.csv and config.json, or tables"
        raise UserError("--data", str(folder), remedy)
    return [_campaign(path, number) for number, path in enumerate(there)]


def _campaign(path: Path, number: int) -> Campaign:
    world = RecordedWorld(str(path), runs=CHOSEN)
    first = world.goals.each[0]
    if len(world.goals.each) > 1:
        if first.aim == "target":
            raise UserError(str(path), None, "several goals, the first a target: give it one goal")
        world = RecordedWorld(str(path), runs=CHOSEN, goals=f"{first.aim} {first.reading}")
    record = world.record
    worths = record.worths
    if len(worths) < FIRST + CHOSEN or np.ptp(worths) == 0:
        remedy = f"needs {FIRST + CHOSEN} different settings, with outcomes that differ"
        raise UserError(str(path), len(worths), remedy)

    def measure(setting: int, rng: np.random.Generator) -> Array:
        rows = record.rows_at(record.distinct[setting])
        found: Array = record.readings[rows[rng.integers(len(rows))]]
        return found

    digest = str(world.config()["digest"])
    return Campaign(path.stem, number, world.spec, record.distinct, worths, measure, digest)


def simulated_campaigns(count: int, settings: int, seed: int) -> list[Campaign]:
    """On systems as the tuner learns from, drawn anew."""
    return [_simulated(number, settings, seed) for number in range(count)]


def _simulated(number: int, settings: int, seed: int) -> Campaign:
    rng = np.random.default_rng([seed, number, 1])
    while True:
        system = draw_system(settings, MOST_KNOBS, rng)
        if len(np.unique(system.settings, axis=0)) >= _FEWEST:
            break
    levels = np.where(system.knobs.kinds == CATEGORICAL, system.knobs.levels, 0)
    codes = np.where(levels > 0, np.rint(system.settings * np.maximum(levels - 1, 0)), 0)
    at = np.where(levels > 0, codes, system.settings)
    at, kept = np.unique(at, axis=0, return_index=True)
    truth = system.truth[kept]
    space = Space(tuple(_knob(i, int(n)) for i, n in enumerate(levels)), listed=at)
    names, goals = (*space.names, "goal"), Goals((Goal("goal"),))
    spec = Spec(names, (), (1,) * (FIRST + CHOSEN), space=space, goals=goals)

    def measure(setting: int, rng: np.random.Generator) -> Array:
        return np.array([truth[setting] + system.noise * rng.normal()])

    return Campaign(f"simulated-{number}", number, spec, at, truth, measure, f"{seed}/{settings}")


def _knob(i: int, levels: int) -> Knob:
    if levels:
        return Knob(f"k{i + 1}", "categorical", levels=tuple(f"L{j + 1}" for j in range(levels)))
    return Knob(f"k{i + 1}")


def by_name(name: str) -> Proposer:
    """A player without training; whose proposals depend on nothing but the runs."""
    player = find_player(name, worlds.make("surfaces"))
    assert isinstance(player, Proposer)
    return player


def untrained(seed: int = 0) -> TunerProposer:
    """The tuner before the first lesson: an average of expected improvements."""
    return TunerProposer(initial(np.random.default_rng([seed, 0])))


def played(campaign: Campaign, player: Proposer | None, seed: int) -> dict[str, Any]:
    """One run of a player, JSON-able; None: settings at random, none twice."""
    rng, chosen, readings = campaign.start(seed)
    for step in range(CHOSEN):
        of_step = np.random.default_rng([campaign.number, seed, step])
        if player is None:
            left = np.setdiff1d(np.arange(len(campaign.settings)), chosen)
            setting = int(of_step.choice(left))
        else:
            setting = _proposed(campaign, player, chosen, readings, step, of_step)
        chosen.append(setting)
        readings.append(campaign.measure(setting, rng))
    return {"start": seed, "chosen": chosen, "regret": campaign.regret(chosen)}


def _proposed(
    campaign: Campaign, player: Proposer, chosen: list[int], readings: list[Array], step: int,
    rng: np.random.Generator,
) -> int:  # fmt: skip
    settings, spec = campaign.settings, campaign.spec
    runs = Runs(settings[chosen], np.array(readings), spec.readings)
    none = np.empty((0, settings.shape[1]))
    proposed = player.propose(spec, runs, none, CHOSEN - step, rng)
    return int(np.flatnonzero(same_setting(settings, proposed))[0])


def paired(campaign: Campaign, run: Mapping[str, Any], source: str) -> dict[str, Any]:
    """A run that somebody else made, if it started as ours do.

    Raises:
        UserError: it did not.
    """
    seed, chosen = run.get("seed"), run.get("chosen")
    sound = isinstance(seed, int) and isinstance(chosen, list)
    if not sound or chosen[:FIRST] != campaign.start(seed)[1]:  # type: ignore[index, arg-type]
        remedy = "does not start as this study's runs do: make it on the same folder of campaigns"
        raise UserError(source, seed, remedy)
    assert isinstance(chosen, list)
    return {"start": seed, "chosen": chosen, "regret": campaign.regret(chosen)}
