"""The other side of `_served`: a process that holds a Python factory or a Gymnasium environment.

Run as a script, so that nothing of Seedo is imported in it. Requests and replies are JSON, one a
line; whatever the guest prints goes to stderr.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any


class Guest:
    """What a factory gave: a description, and a function of a setting."""

    def __init__(self, spec: Any, run: Callable[..., Any]) -> None:
        self.spec, self._run = spec, run
        try:
            self._seeded = "seed" in inspect.signature(run).parameters
        except (TypeError, ValueError):
            self._seeded = False

    def run(self, setting: dict[str, Any], seed: int | None) -> Any:
        return self._run(setting, seed=seed) if self._seeded else self._run(setting)


def opened(request: Mapping[str, Any]) -> Guest:
    """The guest that a request names: `module` or `file`, `attribute`, perhaps `argument`."""
    if "file" in request:
        spec = importlib.util.spec_from_file_location("seedo_guest", request["file"])
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["seedo_guest"] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(request["module"])
    thing: Any = module
    for part in request["attribute"].split("."):
        thing = getattr(thing, part)
    if not request["described"]:
        if not callable(thing):
            raise TypeError(f"{request['attribute']} is no function of a setting")
        return Guest(None, thing)
    if callable(thing) and not hasattr(thing, "run"):
        thing = thing(*([request["argument"]] if "argument" in request else []))
    elif isinstance(thing, type):
        thing = thing(*([request["argument"]] if "argument" in request else []))
    return _guest(thing)


def _guest(thing: Any) -> Guest:
    fields = thing if isinstance(thing, Mapping) else None
    run = fields.get("run") if fields is not None else getattr(thing, "run", None)
    if not callable(run):
        kind = type(thing).__name__
        raise TypeError(f"the factory gave {kind} without a function `run` of a setting")
    if fields is not None:
        return Guest({name: value for name, value in fields.items() if name != "run"}, run)
    told = getattr(thing, "spec", None)
    if told is None:
        names = ("name", "knobs", "readings", "goals", "constraints", "runs")
        told = {name: getattr(thing, name) for name in names if hasattr(thing, name)}
    return Guest(told() if callable(told) else told, run)


def _plain(value: Any) -> Any:
    """Arrays and their numbers as JSON has them; things that can say themselves as JSON."""
    for method in ("tolist", "to_json"):
        if hasattr(value, method):
            return getattr(value, method)()
    raise TypeError(f"{type(value).__name__} cannot be told as JSON")


def main() -> None:
    """Serve requests until stdin ends."""
    # The guest gets neither: what it reads and prints is its own affair.
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    guest: Guest | None = None
    for line in requests:
        request = json.loads(line)
        try:
            if guest is None:
                guest = opened(request)
                answer: Any = {}
            elif "setting" in request:
                answer = guest.run(request["setting"], request.get("seed"))
            else:
                answer = guest.spec
            text = json.dumps({"gave": answer}, default=_plain)
        except Exception as error:  # whatever the guest's code does
            text = json.dumps({"raised": f"{type(error).__name__}: {error}"})
        replies.write(text.encode() + b"\n")
        replies.flush()


if __name__ == "__main__":
    main()
