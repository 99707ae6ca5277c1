"""A comparison: several players on the same episodes, at every value of one setting of the world.

What is compared decides the result, byte for byte: how often the lab is killed on the way does not.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError, one_of, whole
from seedo.evaluation import episode_returns, measure, read
from seedo.lab._cast import kind, label, player
from seedo.lab._once import once
from seedo.lab._scenario import STREAM, Scenario
from seedo.lab._worlds import shown_as
from seedo.play import episodes, origin, rollout_on, set_ups
from seedo.statistics import Estimate, mean, ratios
from seedo.worlds import stream_key

PART = 128
"""Episodes played at once: what a person waits for before the first numbers."""

FEWEST, MOST = 10, 20_000
MOST_PLAYERS, MOST_VALUES = 8, 10
_MOST_IN_ALL = 1_000_000
_HEAVIEST_FIRST = ("bayesian", "network", "heuristic", "expert")


@dataclass(frozen=True)
class Cell:
    """One player at one value.

    Attributes:
        index: its place among the comparison's cells.
        player: its name on the command line.
        value: of the setting that varies; None: none does.
        scenario: the world; its seed is the comparison's.
    """

    index: int
    player: str
    value: float | None
    scenario: Scenario


@dataclass(frozen=True)
class Comparison:
    """What is compared.

    Attributes:
        scenario: the world, or a drawn system, which then is the same in every episode.
        players: names as on the command line.
        episodes: of each player at each value: the first of stream `perform`.
        seed: of the episodes.
        field: the setting that varies; "": none.
        values: its values; empty if none varies.

    Raises:
        UserError: a value that cannot be used.
    """

    scenario: Scenario
    players: tuple[str, ...]
    episodes: int
    seed: int
    field: str = ""
    values: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        whole("episodes", self.episodes, FEWEST, MOST)
        whole("seed", self.seed, 0, 2**32 - 1)
        whole("number of players", len(self.players), 1, MOST_PLAYERS)
        if len(set(self.players)) < len(self.players):
            raise UserError("players", ", ".join(self.players), "choose each once")
        if self.field:
            self._check_sweep()
        elif self.values:
            raise UserError("values", len(self.values), "choose first what varies")
        size = self.episodes * len(self.players) * max(1, len(self.values))
        if size > _MOST_IN_ALL:
            raise UserError("episodes", f"{size:,} in all", f"use at most {_MOST_IN_ALL:,} in all")
        for value in self.values:
            self.at(value)

    def _check_sweep(self) -> None:
        sweeps, world = shown_as(self.scenario.world).sweeps, self.scenario.world
        if not sweeps:
            remedy = f"in world {world} nothing varies yet: choose none"
            raise UserError("sweep", self.field, remedy)
        one_of("sweep", self.field, tuple(sweeps))
        sweep = sweeps[self.field]
        if self.scenario.drawn is not None and not sweep.drawn:
            kept = ", ".join(name for name, each in sweeps.items() if each.drawn)
            remedy = f"a drawn system stays as it is drawn: vary {kept}"
            raise UserError("sweep", self.field, remedy)
        whole("number of values", len(self.values), 1, MOST_VALUES)
        if len(set(self.values)) < len(self.values):
            raise UserError("values", ", ".join(map(str, self.values)), "give each once")
        for value in self.values:
            if not sweep.lowest <= value <= sweep.highest:
                remedy = f"{self.field}: use {sweep.lowest:g} to {sweep.highest:g}"
                raise UserError("values", value, remedy)
            if sweep.whole and value != int(value):
                raise UserError("values", value, f"{self.field}: use whole numbers")

    @property
    def label(self) -> str:
        """Of what varies, for people; "": nothing does."""
        return shown_as(self.scenario.world).sweeps[self.field].label if self.field else ""

    def at(self, value: float | None) -> Scenario:
        """The scenario with the setting at this value.

        Raises:
            UserError: the world cannot be like that.
        """
        scenario = replace(self.scenario, seed=self.seed, index=0)
        if value is None:
            return scenario
        whole_only = shown_as(self.scenario.world).sweeps[self.field].whole
        set_to: Any = int(value) if whole_only else value
        return replace(scenario, config=replace(scenario.config, **{self.field: set_to}))

    def cells(self) -> list[Cell]:
        """All of them, value by value, the players in their order."""
        at = [(value, self.at(value)) for value in self.values or (None,)]
        pairs = [(name, value, scenario) for value, scenario in at for name in self.players]
        return [Cell(index, *pair) for index, pair in enumerate(pairs)]

    def to_json(self) -> dict[str, Any]:
        return {
            "scenario": self.scenario.to_json(),
            "players": list(self.players),
            "episodes": self.episodes,
            "seed": self.seed,
            "sweep": self.field,
            "values": list(self.values),
        }

    @staticmethod
    def from_json(plain: dict[str, Any]) -> Comparison:
        """The inverse of `to_json`."""
        return Comparison(
            Scenario.from_json(plain["scenario"]),
            tuple(plain["players"]),
            plain["episodes"],
            plain["seed"],
            plain["sweep"],
            tuple(plain["values"]),
        )


def heaviness(cell: Cell) -> int:
    """Place in the order to play in: who takes longest to compile comes first."""
    return _HEAVIEST_FIRST.index(kind(cell.player))


def play_part(cell: Cell, start: int, count: int) -> EpisodeBatch:
    """Episodes start..start+count-1 with systems, at most `PART`; whoever plays, the same ones.

    Always `PART` are played, so that one program serves all parts.
    """
    stage, who = cell.scenario.stage(), player(cell.player, cell.scenario)
    task, seed = cell.scenario.task(), cell.scenario.seed
    if task is None:
        played = episodes(stage, who, seed, STREAM, start, PART, systems=True)
        return played.take(slice(0, count))
    begun = set_ups(stage, stream_key(seed, STREAM), jnp.arange(start, start + PART), task)
    on_task = jax.tree.map(lambda a: np.asarray(a)[:count], rollout_on(stage, who, begun))
    numbers = np.arange(start, start + count)
    return stage.to_log(origin(stage, who.name, seed), numbers, on_task, systems=True)


def compiled(cell: Cell, count: int = PART) -> EpisodeBatch:
    """The first part, by whoever comes first: who comes later waits rather than compile it too."""
    with once("compare", cell.player, cell.scenario.config):
        return play_part(cell, 0, count)


def so_far(batch: EpisodeBatch) -> dict[str, Any]:
    """Estimates from some of a cell's episodes, without what takes long."""
    agent, oracle, floor = (
        np.asarray(column, np.float64)
        for column in (batch.returns, batch.oracle_return, batch.random_return)
    )
    ratio, random = ratios([agent, floor], [oracle, oracle])
    return _estimates(batch, mean(agent), ratio, random, Estimate(None, reason="at the end"))


def measured(batch: EpisodeBatch) -> dict[str, Any]:
    """Estimates from all of a cell's episodes: those of `evaluation.measure`."""
    readings = read(batch)
    found = measure(batch, readings, episode_returns(batch, readings))
    return _estimates(
        batch, found.mean_return, found.return_ratio, found.random_floor, found.bayes_ratio
    )


def _estimates(
    batch: EpisodeBatch, returns: Estimate, ratio: Estimate, floor: Estimate, bayes: Estimate
) -> dict[str, Any]:
    found = {
        "mean_return": returns,
        "return_ratio": ratio,
        "bayes_ratio": bayes,
        "random_return": mean(batch.random_return),
        "random_ratio": floor,
        "oracle_return": mean(batch.oracle_return),
    }
    return {"n": batch.rows, **{name: estimate.to_json() for name, estimate in found.items()}}


def above_one(bayes: dict[str, Any]) -> str:
    """What a Bayes ratio above 1 means, as an estimate in JSON; "": it is none, as shown."""
    value, low = bayes["value"], bayes["low"]
    if value is None or round(value, 3) <= 1:
        return ""
    if low is None or low <= 1:
        return "chance: 1 is within the interval, and the most in the long run"
    return "hardly chance: the reader that it is measured by may assume what does not hold here"


def described(comparison: Comparison, cell: Cell) -> dict[str, Any]:
    """Which cell it is, for the page and for files."""
    return {
        "index": cell.index,
        "player": cell.player,
        "label": label(cell.player),
        "value": cell.value,
        "command": command(comparison, cell),
    }


def command(comparison: Comparison, cell: Cell) -> str:
    """The command line that plays the same episodes; "" where there is none."""
    scenario = cell.scenario
    if scenario.drawn is not None:
        return ""
    config = scenario.config.to_dict()
    words = ["seedo", "perform", cell.player, "--world", scenario.world]
    preset = {name: config[name] for name in ("preset", "split", "n") if name in config}
    for name, value in preset.items():
        words += [f"--{name}", str(value)]
    usual = Scenario.from_json({"world": scenario.world, "config": preset}).config.to_dict()
    for field, value in config.items():
        if usual[field] != value:
            text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
            words += ["--set", f"{field}={text}"]
    words += ["--episodes", str(comparison.episodes), "--seed", str(comparison.seed)]
    return shlex.join([*words, "--out", f"compare/{run_name(cell)}"])


def run_name(cell: Cell) -> str:
    """A folder name that says which cell it is."""
    who = "".join(c if c.isalnum() or c == "-" else "-" for c in cell.player.rpartition("/")[2])
    at = "" if cell.value is None else f"-{cell.value:g}"
    return f"{cell.index:02d}{at}-{who}"
