"""A campaign: proposals are asked for, results are told, all of it is on the disk."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError, is_number
from seedo.play.campaign._earlier import read_earlier
from seedo.play.campaign._journal import Journal, read_journal
from seedo.play.campaign._plan import Plan, read_plan
from seedo.play.campaign._runs import Run, enter, lenient, runs_of
from seedo.spaces import Runs

Array = NDArray[np.float64]
FORMAT = 1


@dataclass(frozen=True)
class Proposal:
    """A run to be made.

    Attributes:
        run: its number, from 0.
        setting: by name of knob: a number, or the name of a level.
        again: whether it was handed out before, without a result.
    """

    run: int
    setting: dict[str, Any]
    again: bool = False


class Campaign:
    """A plan and what came of it, in a folder of its own.

    Whatever is proposed is written down before it is handed out, and every result before anything
    else is proposed; opened again, the campaign goes on where it was. One process at a time has
    it::

        with Campaign("reactor.toml") as campaign:
            while proposals := campaign.ask():
                for each in proposals:
                    campaign.tell(each.run, {"yield": measure(each.setting)})

    Args:
        plan: what to do, or the file that says so.
        folder: that of the journal; by default one of the plan's name beside its file.
        say: gets one line for everything that is odd.
        dry: nothing is written, and nobody is kept out.

    Raises:
        UserError: the plan or a table cannot be read, the folder cannot be written or is that of
            another campaign, or another process has it.
    """

    def __init__(
        self,
        plan: Plan | str | Path,
        folder: str | Path | None = None,
        *,
        say: Callable[[str], None] | None = None,
        dry: bool = False,
    ) -> None:
        self.plan = plan if isinstance(plan, Plan) else read_plan(plan, folder)
        self.folder = Path(folder) if folder is not None else self.plan.folder / self.plan.name
        self.say = say or (lambda line: None)
        self.earlier = read_earlier(self.plan)
        self._denied = False  # whether it was said that rows speak against the graph
        self._dear = False  # whether the last proposal cost more than is left
        self._journal = None if dry else Journal(self.folder)
        try:
            entries = self._journal.entries if self._journal else read_journal(self.folder)
            self._begun(entries)
            self.began: str | None = entries[0].get("time") if entries else None
            self.runs: list[Run] = runs_of(entries, self.plan)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Campaign:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others have the folder."""
        if self._journal:
            self._journal.close()

    # -- what has happened ------------------------------------------------------------------------

    @property
    def waiting(self) -> list[Run]:
        """Runs that were proposed and have no result."""
        return [run for run in self.runs if run.state == "waits"]

    @property
    def made(self) -> int:
        """Runs that count: those with a result, failed ones too, not those that were skipped."""
        return sum(run.made for run in self.runs)

    @property
    def spent(self) -> float:
        """What all runs cost."""
        return sum(run.cost for run in self.runs)

    @property
    def left(self) -> int:
        """Runs of the budget, of money too, that are neither made nor waiting."""
        left = self.plan.budget - self.made - len(self.waiting)
        cost = self.plan.cost
        if cost.budget is not None and cost.run:
            waiting = cost.run * len(self.waiting)
            paid = (cost.budget - self.spent - waiting) / cost.run
            left = min(left, math.floor(min(paid, 1e9) + 1e-9))
        return max(left, 0)

    @property
    def known(self) -> Runs:
        """What a player sees: earlier rows, then runs with a result, in the order of proposals."""
        known = Runs.none(self.plan.space.size, self.plan.names)
        for seen in (False, True):
            rows = self.earlier.observed == seen
            if rows.any():
                known = known.plus(self.earlier.settings[rows], self.earlier.readings[rows], seen)
        for run in self.runs:
            if run.state != "waits" and np.isfinite(run.setting).all():
                known = known.plus(run.setting, run.readings)
        return known

    @property
    def best(self) -> Run | None:
        """The run whose result is best, of all goals together; None before there is one."""
        runs = [run for run in self.runs if run.state == "done"]
        if not runs:
            return None
        settings = np.array([run.setting for run in runs])
        read = Runs(settings, np.array([run.readings for run in runs]), self.plan.names)
        values = read.values(self.plan.goals)
        return runs[int(np.nanargmax(values))] if np.isfinite(values).any() else None

    def setting(self, run: Run) -> dict[str, Any]:
        """A run's setting by name, as users write it."""
        return self.plan.space.named(run.setting)

    # -- the next runs ----------------------------------------------------------------------------

    def ask(self) -> list[Proposal]:
        """Hands out the runs that are to be made now: those that wait, else the next batch; none
        when the budget is used up.

        Raises:
            UserError: the player fails, or the journal cannot be written.
        """
        if not self.waiting:
            self.propose()
        return [self.hand_out(run) for run in self.waiting]

    def propose(self, most: int | None = None) -> list[Run]:
        """Proposes a batch, as far as the budget goes, and writes it down; [] when it is used up.

        Raises:
            UserError: the player fails, or the journal cannot be written.
        """
        found = self.preview(min(self.plan.batch, self.left, most or self.plan.batch))
        afford = self._affordable(found)
        self._dear = afford < len(found)
        del found[afford:]
        if not found:
            return []
        if not self._denied and (lines := self.chooser.denied(self.known)):
            self._denied = True
            self.say(f"the rows speak against the graph, which is set aside: {lines[0]}")
        first = len(self.runs)
        proposed = [
            {"number": first + i, "setting": self.plan.space.named(setting)}
            for i, setting in enumerate(found)
        ]
        self._write({"kind": "proposed", "player": self.plan.player, "runs": proposed})
        return self.runs[first:]

    def preview(self, most: int) -> list[Array]:
        """What would be proposed now, whatever the budget: settings float64[K]; nothing is written.

        Raises:
            UserError: the player fails.
        """
        known, waiting = self.known, [run.setting for run in self.waiting]
        left, found = max(self.left, most), list[Array]()
        for i in range(most):
            pending = np.array([*waiting, *found]).reshape(-1, self.plan.space.size)
            found.append(self.chooser.propose(known, pending, left - i, len(self.runs) + i))
        return found

    def _affordable(self, batch: list[Array]) -> int:
        """How many of some proposals the budget of cost pays."""
        if self.plan.cost.budget is None:
            return len(batch)
        spent = self.spent + sum(self._price(run.number, run.setting) for run in self.waiting)
        for i, setting in enumerate(batch):
            spent += self._price(len(self.runs) + i, setting, batch)
            if spent > self.plan.cost.budget * (1 + 1e-9):
                return i
        return len(batch)

    def hand_out(self, run: Run) -> Proposal:
        """Writes down that a run is handed out to be measured."""
        again = run.asked > 0
        self._write({"kind": "asked", "run": run.number, "again": again})
        if again:
            self.say(f"run {run.number} was handed out before and has no result: asked for again")
        return Proposal(run.number, self.setting(run), again)

    def take_back(self, number: int) -> None:
        """Writes down that a run that was handed out is known not to have been made: it is handed
        out again as if for the first time."""
        self._write({"kind": "taken back", "run": number})

    def tell(
        self,
        number: int,
        readings: Mapping[str, float | None] | None = None,
        *,
        failed: str = "",
        skipped: str = "",
        setting: Mapping[str, Any] | None = None,
        seconds: float | None = None,
    ) -> None:
        """Writes down a result.

        Args:
            number: of the run.
            readings: by name; None or NaN where nothing was read. All None: the run failed.
            failed: why the run gave nothing.
            skipped: why it was not made; it costs nothing and does not count.
            setting: knobs that were set to something else than what was proposed.
            seconds: that it took.

        Raises:
            UserError: there is no such run or it has a result, a name is unknown, or a value is no
                number.
        """
        if not 0 <= number < len(self.runs):
            raise UserError("run", number, f"there are runs 0 to {len(self.runs) - 1}")
        run = self.runs[number]
        if run.state != "waits":
            raise UserError("run", number, "it has a result: nothing was changed")
        read = self._readings(readings or {})
        state = "skipped" if skipped else "failed" if failed or not read else "done"
        entry: dict[str, Any] = {"kind": "result", "run": number, "state": state}
        made = run.setting
        if setting is not None:
            made = self._was_set(number, setting)
            entry["setting"] = self.plan.space.named(made)
        if state == "done":
            entry["readings"] = {name: read.get(name) for name in self.plan.names}
        else:
            entry["why"] = skipped or failed or "nothing was read"
        entry["cost"] = 0.0 if skipped else self._price(number, made)
        odd = [reading.odd(read[reading.name]) for reading in self.plan.readings
               if reading.name in read]  # fmt: skip
        if odd := [line for line in odd if line]:
            entry["odd"] = odd
        if seconds is not None:
            entry["seconds"] = round(seconds, 3)
        self._write(entry)
        for line in odd:
            self.say(f"run {number}: {line}")

    def stop(self, why: str) -> None:
        """Writes down that it stops here, and why."""
        self._write({"kind": "stop", "why": why})

    def finish(self) -> str:
        """Why no further run is proposed; "" while there is no reason."""
        if self.waiting:
            return ""
        if self.made >= self.plan.budget:
            return f"the budget of {self.plan.budget} runs is used up"
        if self.left == 0 or self._dear:
            return f"what is left of the budget of {self.plan.cost.budget:g} pays no further run"
        return ""

    @cached_property
    def chooser(self) -> Any:
        """Who chooses; found when it is first needed."""
        from seedo.play.campaign._world import Chooser

        return Chooser(self.plan)

    def _was_set(self, number: int, given: Mapping[str, Any]) -> Array:
        """The setting, float64[K], that was made instead of what was proposed; it may lie outside
        of what can be set, since it happened.

        Raises:
            UserError: a knob is unknown, or a value is none of its kind.
        """
        made = self.runs[number].setting.copy()
        for name, value in given.items():
            if name not in self.plan.space.names:
                raise UserError("knob", name, f"use {', '.join(self.plan.space.names)}")
            at = self.plan.space.names.index(name)
            knob = self.plan.space.knobs[at]
            made[at] = lenient(knob, value)
            if math.isnan(made[at]):
                levels = f"one of {', '.join(knob.levels)}" if knob.named else "a number"
                raise UserError(name, value, f"give {levels}")
        if not self.plan.space.allows(made[None])[0]:
            said = self.plan.space.words(made)
            self.say(f"run {number}: {said} is not among what can be set: kept as data")
        return made

    def _price(self, number: int, setting: Array, batch: list[Array] | None = None) -> float:
        """What a run costs: itself, and every knob that is moved from the run before it."""
        price = self.plan.cost.run
        at = number - 1
        before = None
        if batch and at >= len(self.runs):
            before = batch[at - len(self.runs)]
        elif 0 <= at < len(self.runs):
            before = self.runs[at].setting
        for i, knob in enumerate(self.plan.space.knobs):
            if knob.cost and before is not None and before[i] != setting[i]:
                price += knob.cost
        return price

    def _readings(self, given: Mapping[str, Any]) -> dict[str, float]:
        """Readings that are numbers.

        Raises:
            UserError: a name is unknown or a value is none.
        """
        found = {}
        for name, value in given.items():
            if name not in self.plan.names:
                raise UserError("reading", name, f"use {', '.join(self.plan.names)}")
            if isinstance(value, np.generic):
                value = value.item()
            if value is None or (isinstance(value, float) and math.isnan(value)):
                continue
            if not is_number(value):
                raise UserError(name, value, "give a finite number, or nothing")
            found[name] = float(value)
        return found

    # -- the journal ------------------------------------------------------------------------------

    def _begun(self, entries: list[dict[str, Any]]) -> None:
        """Writes the plan down, or sees that the journal is of this campaign."""
        plan = self.plan.to_json()
        plans: list[Any] = [entry.get("plan") for entry in entries if entry["kind"] == "plan"]
        for old in plans:
            if not isinstance(old, dict) or not isinstance(old.get("knobs"), dict):
                raise UserError(str(self.folder), None, "a plan in its journal has no knobs")
        if not plans and any(entry["kind"] != "torn" for entry in entries):
            raise UserError(str(self.folder), None, "its journal does not begin with a plan")
        if entries and entries[0].get("format", FORMAT) != FORMAT:
            remedy = "its journal was written by a newer Seedo"
            raise UserError(str(self.folder), entries[0]["format"], remedy)
        if plans:
            names, own = set(plans[-1]["knobs"]), set(plan["knobs"])
            if names != own:
                differ = ", ".join(sorted(names ^ own))
                remedy = "the folder is of a campaign with other knobs: choose another --out"
                raise UserError(str(self.folder), differ, remedy)
            both = dict.fromkeys((*plan, *plans[-1]))
            changed = [name for name in both if plan.get(name) != plans[-1].get(name)]
            if not changed:
                return
            self.say(f"changed since the last time: {', '.join(changed)}")
        self._write({"kind": "plan", "format": FORMAT, "plan": plan}, enters=False)

    def _write(self, entry: dict[str, Any], enters: bool = True) -> None:
        entry = entry | {"time": _now()}
        if self._journal:
            self._journal.write(entry)
        if enters:
            enter(self.runs, entry, self.plan)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
