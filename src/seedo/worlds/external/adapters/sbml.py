"""`external:sbml:FILE`: a model of reactions of the user's own, simulated by libRoadRunner.

Needs the package libroadrunner (extra `labs`); nothing of Seedo is imported here. FILE is SBML,
followed perhaps by `?time=100&knobs=k1,k2&readings=P&goal=P`. Knobs are the model's global
parameters that nothing computes (or those named, floating species then being initial values), each
from a tenth to ten times its value in the file. A run is one simulation from time 0 to `time`
(100); read are the concentrations of all floating species at its end. The goal is to raise the last
of them, unless `goal` or the user says another.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

TIME = 100.0
_MOST = 40


class Reactions:
    """The model; see the module.

    Args:
        name: FILE with its options.

    Raises:
        ValueError: the file cannot be used, or names something that is not in it.
    """

    def __init__(self, name: str = "") -> None:
        where, _, rest = name.partition("?")
        options = _options(rest)
        if not Path(where).is_file():
            raise ValueError(f"{where or 'sbml'}: there is no such file; write external:sbml:FILE")
        import roadrunner  # here, so that a library that is missing is named in one line

        roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
        self._time = float(options.get("time", TIME))
        if not 0 < self._time <= 1e9:
            raise ValueError(f"time={options['time']}: give a number above 0")
        self._runner = roadrunner.RoadRunner(where)
        model = self._runner.model
        species = list(model.getFloatingSpeciesIds())
        parameters = [p for p in model.getGlobalParameterIds() if not _computed(self._runner, p)]
        knobs = _named(options, "knobs", parameters, [*parameters, *species], where)
        readings = _named(options, "readings", species, species, where)
        if not knobs or not readings:
            raise ValueError(f"{where}: it has no parameter to set, or no species to read")
        self._knobs = {knob: f"init({knob})" if knob in species else knob for knob in knobs}
        self._readings = readings
        ranges = {knob: _range(float(self._runner[target]), knob)
                  for knob, target in self._knobs.items()}  # fmt: skip
        goal = options.get("goal", readings[-1])
        if goal not in readings:
            raise ValueError(f"goal={goal}: use one of {', '.join(readings)}")
        self.spec = {
            "name": Path(where).name,
            "knobs": {knob: {"type": "real", "low": low, "high": high}
                      for knob, (low, high) in ranges.items()},
            "readings": list(readings),
            "goals": {goal: {"aim": "maximize"}},
        }  # fmt: skip

    def run(self, setting: dict[str, Any]) -> dict[str, float]:
        runner = self._runner
        runner.resetToOrigin()
        # Initial amounts first: to reset by them puts the parameters back.
        for initial in (True, False):
            for knob, target in self._knobs.items():
                if target.startswith("init(") == initial:
                    runner[target] = float(setting[knob])
            if initial:
                runner.reset()
        runner.simulate(0.0, self._time, 101)
        return {name: float(runner[f"[{name}]"]) for name in self._readings}


def _computed(runner: Any, parameter: str) -> bool:
    """Whether a rule of the model says what a parameter is."""
    return parameter in [*runner.getAssignmentRuleIds(), *runner.getRateRuleIds()]


def _range(value: float, knob: str) -> tuple[float, float]:
    if value == 0:
        return 0.0, 1.0
    low, high = sorted((value / 10, value * 10))
    return low, high


def _named(
    options: dict[str, str], field: str, usual: list[str], known: list[str], where: str
) -> list[str]:
    """The names that an option gives, of those that are known."""
    if field not in options:
        return usual[:_MOST]
    names = [name for name in options[field].split(",") if name]
    for name in names:
        if name not in known:
            raise ValueError(f"{field}={name}: {where} has {', '.join(known[:12])}")
    return names


def _options(text: str) -> dict[str, str]:
    found = dict(part.partition("=")[::2] for part in text.split("&") if part)
    for name in found:
        if name not in ("time", "knobs", "readings", "goal"):
            raise ValueError(f"after ? only time, knobs, readings and goal may stand, not {name}")
    return found
