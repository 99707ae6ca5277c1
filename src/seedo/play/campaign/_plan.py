"""A campaign's file: what can be set, what is wanted, who chooses, who measures."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from seedo.errors import UserError, one_of, whole
from seedo.play.campaign._graph import graph_of
from seedo.play.campaign._journal import read_journal
from seedo.play.campaign._parts import Cost, Measure, Reading, Start
from seedo.spaces import CausalGraph, Goals, Space

PLAYER = "pretrained:tuner"
"""Who chooses where the file does not say."""

_FIELDS = ("name", "player", "budget", "batch", "workers", "seed", "start", "first", "pareto",
           "knobs", "readings", "goals", "constraints", "graph", "measure", "cost")  # fmt: skip
_SYSTEM = ("knobs", "readings", "goals", "constraints", "pareto", "listed")
"""What says what the system is, rather than how it is experimented with."""
_NAME = re.compile(r"[\w][\w .+-]{0,99}")


@dataclass(frozen=True)
class Plan:
    """What a campaign is to do.

    Attributes:
        name: of its folder and log.
        space: what can be set.
        readings: what is read, in the order of a run's numbers; each goal is one of them.
        goals: what runs are for.
        player: who chooses, by name.
        budget: runs in all, those of earlier tables apart.
        batch: proposals made at once.
        workers: runs measured at once.
        seed: of proposals and of simulated noise.
        first: space-filling runs before the player chooses; None: as the player likes.
        start: tables of earlier rows.
        graph: what is known to move what, among knobs and readings; None: nothing is.
        measure, cost: who measures, and at what cost.
        described: whether the thing that measures told its knobs itself.
        folder: of the file, from which its paths start.

    Raises:
        UserError: names the field that cannot be used.
    """

    name: str
    space: Space
    readings: tuple[Reading, ...]
    goals: Goals
    player: str = PLAYER
    budget: int = 20
    batch: int = 1
    workers: int = 1
    seed: int = 0
    first: int | None = None
    start: tuple[Start, ...] = ()
    graph: CausalGraph | None = None
    measure: Measure = field(default_factory=Measure)
    cost: Cost = field(default_factory=Cost)
    described: bool = False
    folder: Path = Path()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise UserError("name", self.name, "give letters, digits, blanks, points, - or _")
        if not isinstance(self.player, str) or not self.player.strip():
            raise UserError("player", self.player, "give a player's name, e.g. sobol")
        whole("budget", self.budget, 1, 100_000)
        whole("batch", self.batch, 1, 1_000)
        whole("workers", self.workers, 1, 256)
        whole("seed", self.seed, 0, 2**32 - 1)
        if self.first is not None:
            whole("first", self.first, 0, 100_000)
        names = self.names
        for name in names:
            if name in self.space.names or names.count(name) > 1:
                raise UserError("readings", name, "give every knob and reading a name of its own")
        if self.graph is not None:
            self.graph.check(self.space.names, names, self.goals.readings)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the M readings."""
        return tuple(reading.name for reading in self.readings)

    def column(self, name: str) -> str:
        """The name of a further column in tables of runs: `name`, or, where a knob or reading is
        called so, with _ behind it."""
        while name in self.space.names or name in self.names:
            name += "_"
        return name

    def to_json(self) -> dict[str, Any]:
        """The whole plan as plain JSON, as it was understood; recorded settings by their digest."""
        space = self.space.to_json()
        if self.space.listed is not None:
            settings = np.ascontiguousarray(self.space.listed)
            space["listed"] = hashlib.sha256(settings.tobytes()).hexdigest()
        return {
            "name": self.name,
            "player": self.player,
            "budget": self.budget,
            "batch": self.batch,
            "workers": self.workers,
            "seed": self.seed,
            "first": self.first,
            "start": [start.to_json() for start in self.start],
            **space,
            "readings": {reading.name: reading.to_json() for reading in self.readings},
            "goals": self.goals.to_json(),
            **({} if self.graph is None else {"graph": self.graph.to_json()}),
            "pareto": self.goals.pareto,
            "measure": self.measure.to_json(),
            "cost": self.cost.to_json(),
        }

    def with_changes(self, **changes: Any) -> Plan:
        """With other fields; those that are None stay as they are."""
        return replace(self, **{name: v for name, v in changes.items() if v is not None})


def read_plan(path: str | Path, out: str | Path | None = None) -> Plan:
    """The plan that a campaign's file holds.

    Args:
        path: of the file.
        out: the campaign's folder, by default one of its name beside the file: where whatever
            measures should tell its knobs and cannot be reached, what it told before holds.

    Raises:
        UserError: it cannot be read, or names the field that cannot be used.
    """
    path = Path(path)
    try:
        fields = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise UserError(str(path), None, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(str(path), None, "it is no text in UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserError(str(path), None, f"it is no TOML: {error}") from None
    fields.setdefault("name", re.sub(r"[^\w .+-]", "-", path.stem) or "campaign")
    folder = path.absolute().parent
    return plan_of(fields, folder, folder / str(fields["name"]) if out is None else Path(out))


def plan_of(fields: Mapping[str, Any], folder: Path = Path(), begun: Path | None = None) -> Plan:
    """The plan of fields as in a campaign's file.

    Where it says who measures, and nothing of knobs and goals, whatever measures is asked for them.

    Args:
        folder: from which paths start.
        begun: folder of the campaign, if it may have begun, see `read_plan`.

    Raises:
        UserError: names the field that is missing, unknown or cannot be used.
    """
    for name in fields:
        one_of("campaign", name, _FIELDS)
    measure = Measure.from_json(fields.get("measure", {}))
    given = dict(fields)
    described = measure.kind != "user" and "knobs" not in fields
    if described:
        told = _told(measure, begun)
        given |= {name: told[name] for name in _SYSTEM if name in told and name not in given}
    goals = _goals(given)
    own = {name: given[name] for name in ("player", "budget", "batch", "workers", "seed", "first")
           if name in given}  # fmt: skip
    if "budget" not in own:
        raise UserError("budget", None, "missing: say how many runs, e.g. budget = 20")
    space, readings = Space.from_json(given), _readings(given.get("readings", {}), goals)
    names = (*space.names, *(reading.name for reading in readings))
    return Plan(
        name=given.get("name", "campaign"),
        space=space,
        readings=readings,
        goals=goals,
        start=_starts(given.get("start", []), folder),
        graph=graph_of(given["graph"], folder, names) if "graph" in given else None,
        measure=measure,
        cost=Cost.from_json(given.get("cost", {})),
        described=described,
        folder=folder,
        **own,
    )


def _told(measure: Measure, begun: Path | None) -> Mapping[str, Any]:
    """What the thing that measures tells of itself, or told when the campaign was last opened."""
    from seedo.play.campaign._meters import described_by  # which imports worlds

    try:
        return described_by(measure)
    except UserError:
        entries = read_journal(begun) if begun is not None else []
        plans = [entry.get("plan") for entry in entries if entry["kind"] == "plan"]
        if not plans or not isinstance(plans[-1], dict) or "listed" in plans[-1]:
            raise
        return plans[-1]


def _goals(fields: Mapping[str, Any]) -> Goals:
    given, pareto = fields.get("goals"), fields.get("pareto", False)
    if not isinstance(given, Mapping) or not given:
        remedy = 'give a table for every goal, e.g. [goals.yield] and aim = "maximize"'
        raise UserError("goals", given, remedy)
    if not isinstance(pareto, bool):
        raise UserError("pareto", pareto, "give true or false")
    if pareto and len(given) < 2:
        raise UserError("pareto", True, "give two goals or more, or leave it out")
    return Goals.from_json(given, pareto)


def _readings(given: Any, goals: Goals) -> tuple[Reading, ...]:
    """All that is read: what the file lists, then goals that it does not list."""
    if isinstance(given, list | tuple) and all(isinstance(name, str) for name in given):
        given = {name: {} for name in given}
    if not isinstance(given, Mapping):
        raise UserError("readings", given, "give a table for every one, e.g. [readings.pressure]")
    listed = tuple(Reading.from_json(name, each) for name, each in given.items())
    return listed + tuple(Reading(name) for name in goals.readings if name not in given)


def _starts(given: Any, folder: Path) -> tuple[Start, ...]:
    if isinstance(given, str | Mapping):
        given = [given]
    if not isinstance(given, list):
        raise UserError("start", given, 'give a list of files, e.g. start = ["earlier.csv"]')
    return tuple(Start.from_json(each, folder) for each in given)
