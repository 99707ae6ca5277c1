"""Whatever can be run outside of this process, called in one way; nothing it says is trusted."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from seedo.errors import UserError
from seedo.worlds.external import _command, _http
from seedo.worlds.external._reply import failed, readings_of, shown
from seedo.worlds.external._served import Served

_HERE = Path(__file__).parent

ADAPTERS = {"tclab": "TCLab", "chamber": "Chamber", "cobra": "Metabolism", "sbml": "Reactions"}
"""Adapters of ours by name, and the factory in `adapters/NAME.py`."""

_ATTRIBUTE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:.*)?")


class Endpoint:
    """Something with a description and runs: a simulator, a program, a device.

    Every call goes out once: a run may have been made though its reply was lost, and whoever asked
    decides whether it is made again. A context manager that closes itself.

    Attributes:
        target: as it was named.
    """

    def __init__(self, target: str) -> None:
        self.target = target

    def spec(self) -> dict[str, Any]:
        """What it says of itself: `knobs`, `readings`, `goals`, as in a campaign's file.

        Raises:
            EndpointError: it does not, in time and as JSON.
        """
        return self._object(self._spec())

    def run(
        self, setting: Mapping[str, Any], readings: Sequence[str], seed: int | None = None
    ) -> dict[str, float]:
        """A run at a setting, by name of knob: a number, or the name of a level.

        Args:
            setting: plain JSON.
            readings: names of what is read.
            seed: for simulators: the same gives the same noise.

        Returns:
            A finite number for every reading; NaN where null came: nothing was measured.

        Raises:
            EndpointError: it did not give them, in time, and what it did.
        """
        reply = self._object(self._run(dict(setting), seed))
        return readings_of(self.who, reply, readings)

    def close(self) -> None:
        """Let go of whatever runs for it."""

    @property
    def who(self) -> str:
        """Its name in errors."""
        return shown(self.target)

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def _object(self, reply: Any) -> dict[str, Any]:
        if not isinstance(reply, dict):
            raise failed(self.who, f"it gave {shown(reply, 40)}, where names with values belong")
        return reply

    def _spec(self) -> Any:
        raise NotImplementedError

    def _run(self, setting: dict[str, Any], seed: int | None) -> Any:
        raise NotImplementedError


def open_endpoint(target: str, timeout: float = 60.0, described: bool = True) -> Endpoint:
    """An endpoint by its name; nothing is called yet.

    Args:
        target: `http://HOST:PORT/PATH` (or https), `cmd:COMMAND` (no shell reads it),
            `python:module:factory` or `module:factory` (perhaps `:ARGUMENT`), `gym:ID`,
            `gym:ID?steps=50`, or one of `ADAPTERS`: `tclab`, `cobra:textbook`, `sbml:FILE`.
        timeout: of each call, in seconds.
        described: it tells its own knobs: GET ADDRESS/spec and POST ADDRESS/run, `COMMAND spec` and
            `COMMAND run`, a factory of something with `spec` and `run`. Else it is only run: POST
            ADDRESS, COMMAND, a function of a setting.

    Raises:
        UserError: there is no such kind of endpoint.
    """
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise UserError("timeout", timeout, "give a number of seconds above 0")
    if not (math.isfinite(timeout) and 0 < timeout <= 86_400):
        raise UserError("timeout", timeout, "give a number of seconds above 0, a day at most")
    kind, _, rest = target.partition(":")
    if kind in ("http", "https"):
        _http.check_address(target)
        return _Address(target, float(timeout), described)
    if kind == "cmd":
        return _Command(target, _command.read_command(rest), float(timeout), described)
    if kind == "gym":
        if not rest:
            raise UserError("external", target, "give an environment, e.g. gym:Pendulum-v1")
        return _of_file(target, _HERE / "_gym_rig.py", "GymRig", rest, float(timeout))
    if kind in ADAPTERS:
        file = _HERE / "adapters" / f"{kind}.py"
        return _of_file(target, file, ADAPTERS[kind], rest, float(timeout))
    named = rest if kind == "python" else target
    if _ATTRIBUTE.fullmatch(named):
        module, attribute, *argument = named.split(":", 2)
        opening = {"module": module, "attribute": attribute, "described": described}
        if argument:
            opening["argument"] = argument[0]
        return _Python(target, opening, float(timeout))
    known = f"http://…, cmd:COMMAND, gym:ID, module:factory, {', '.join(ADAPTERS)}"
    raise UserError("external", target, f"use {known}")


def _of_file(target: str, file: Path, attribute: str, argument: str, timeout: float) -> Endpoint:
    """The endpoint of a factory in a file of ours that imports nothing of ours."""
    opening = {"file": str(file), "attribute": attribute, "described": True}
    if argument:
        opening["argument"] = argument
    return _Python(target, opening, timeout)


class _Address(Endpoint):
    def __init__(self, target: str, timeout: float, described: bool) -> None:
        super().__init__(target)
        self._timeout, self._described = timeout, described

    def _spec(self) -> Any:
        return _http.call(f"{self.target.rstrip('/')}/spec", None, self._timeout, None)

    def _run(self, setting: dict[str, Any], seed: int | None) -> Any:
        address = f"{self.target.rstrip('/')}/run" if self._described else self.target
        return _http.call(address, setting, self._timeout, seed)


class _Command(Endpoint):
    def __init__(self, target: str, words: list[str], timeout: float, described: bool) -> None:
        super().__init__(target)
        self._words, self._timeout, self._described = words, timeout, described

    def _spec(self) -> Any:
        return _command.call([*self._words, "spec"], None, self._timeout, None)

    def _run(self, setting: dict[str, Any], seed: int | None) -> Any:
        words = [*self._words, "run"] if self._described else self._words
        return _command.call(words, setting, self._timeout, seed)


class _Python(Endpoint):
    def __init__(self, target: str, opening: dict[str, Any], timeout: float) -> None:
        super().__init__(target)
        self._served = Served(self.who, opening, timeout)

    def close(self) -> None:
        self._served.close()

    def _spec(self) -> Any:
        return self._served.call({})

    def _run(self, setting: dict[str, Any], seed: int | None) -> Any:
        return self._served.call({"setting": setting, "seed": seed})
