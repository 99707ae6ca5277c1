"""Who measures: something outside of this process, a world's system, a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from seedo.errors import UserError, in_one_line
from seedo.play.campaign._parts import Measure
from seedo.play.campaign._plan import Plan

_PREFIXES = {"command": "cmd:", "python": "python:", "http": "", "gym": "gym:"}

Function = Callable[[dict[str, Any]], Any]
"""Of a setting by name, that gives readings by name, or the number of the only one."""


class Failed(Exception):
    """A run gave nothing; its text says why."""


class Off(Exception):
    """Whatever measures cannot be reached: no run was made; its text says why."""


class Meter(Protocol):
    """Makes runs, one at a time; every worker has one of its own."""

    def run(self, number: int, setting: dict[str, Any]) -> Mapping[str, float | None]:
        """Readings by name of a run of this number; None or NaN where nothing was read.

        Raises:
            Failed: it gave nothing.
            Off: it was not made.
        """
        ...

    def close(self) -> None:
        """Let go of whatever runs for it."""
        ...


def open_meter(plan: Plan) -> Meter:
    """The meter that a plan names.

    Raises:
        UserError: there is none of this kind, or the user measures.
    """
    if plan.measure.kind == "world":
        return _System(plan)
    if plan.measure.kind == "user":
        raise UserError("measure", None, "missing: give command, python, http, gym or world")
    return _Outside(plan)


def described_by(measure: Measure) -> dict[str, Any]:
    """Knobs, readings, goals and constraints, as in a campaign's file, of what measures.

    Raises:
        UserError: it does not tell them.
    """
    if measure.kind == "world":
        spec = _world(measure).spec
        told = {"readings": list(spec.readings), "goals": spec.goals.to_json(),
                "pareto": spec.goals.pareto}  # fmt: skip
        return spec.space.to_json() | told
    with _endpoint(measure, described=True) as endpoint:
        return dict(endpoint.spec())


class _Outside:
    """A command, an address, a Python function or a Gymnasium environment."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._endpoint = _endpoint(plan.measure, plan.described)

    def run(self, number: int, setting: dict[str, Any]) -> Mapping[str, float | None]:
        try:
            return self._endpoint.run(setting, self._plan.names, _seed(self._plan, number))
        except UserError as error:
            raise _no_result(error) from error

    def close(self) -> None:
        self._endpoint.close()


class _System:
    """A system of a world whose knobs are set all at once, as a recorded one."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._world = plan, _world(plan.measure)
        spec = self._world.spec
        for name in plan.space.names:
            if name not in spec.space.names:
                remedy = f"{self._world.name} has knobs {', '.join(spec.space.names)}"
                raise UserError("knobs", name, remedy)
        for name in plan.names:
            if name not in spec.readings:
                remedy = f"{self._world.name} has readings {', '.join(spec.readings)}"
                raise UserError("readings", name, remedy)
        self._task = self._world.sample(np.random.default_rng(plan.seed))

    def run(self, number: int, setting: dict[str, Any]) -> Mapping[str, float | None]:
        rng = np.random.default_rng([self._plan.seed, number, 1])
        try:
            at = self._world.spec.space.read(setting)
            self._world.spec.space.check(at)
            read = np.asarray(self._world.measured(self._task, at, rng), np.float64)
        except UserError as error:
            raise _no_result(error) from error
        found = dict(zip(self._world.spec.readings, read.tolist(), strict=True))
        return {name: found[name] for name in self._plan.names}

    def close(self) -> None:
        pass


class FunctionMeter:
    """A function of a setting, called in this process."""

    def __init__(self, function: Function, names: tuple[str, ...]) -> None:
        self._function, self._names = function, names

    def run(self, number: int, setting: dict[str, Any]) -> Mapping[str, float | None]:
        try:
            found = self._function(setting)
        except (Exception, SystemExit) as error:
            raise Failed(in_one_line(error)) from error
        if not isinstance(found, Mapping):
            if len(self._names) > 1 and found is not None:
                raise Failed(f"it gave {found!r:.80}: give readings by name")
            found = {self._names[0]: found}
        return found

    def close(self) -> None:
        pass


def _no_result(error: UserError) -> Failed | Off:
    """What an error of whatever measures means for the run."""
    from seedo.worlds.external import NotReached

    return (Off if isinstance(error, NotReached) else Failed)(str(error))


def _endpoint(measure: Measure, described: bool) -> Any:
    from seedo.worlds.external import open_endpoint  # here: recorded campaigns need none

    if measure.kind == "http" and not measure.target.startswith(("http://", "https://")):
        remedy = "give an address, e.g. http://127.0.0.1:8000/run"
        raise UserError("measure.http", measure.target, remedy)
    return open_endpoint(_PREFIXES[measure.kind] + measure.target, measure.timeout, described)


def _world(measure: Measure) -> Any:
    from seedo.worlds import Bench, make

    world = make(measure.target)
    if not isinstance(world, Bench):
        remedy = "its knobs are not set all at once: give a world such as recorded:TABLE"
        raise UserError("measure.world", measure.target, remedy)
    return world


def _seed(plan: Plan, number: int) -> int:
    """For simulators: a run that is made again has the same noise."""
    return int(np.random.SeedSequence([plan.seed, number]).generate_state(1)[0] >> 1)
