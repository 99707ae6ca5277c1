"""`external:TARGET`: a system of the user's own as a world."""

from __future__ import annotations

import queue
import weakref
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError, whole
from seedo.worlds._bench import AddressedBench
from seedo.worlds.external._described import described
from seedo.worlds.external._endpoint import Endpoint, open_endpoint
from seedo.worlds.external._reply import EndpointError

Array = NDArray[np.float64]

_PATIENCE = 3
"""Runs in a row that may fail before nothing more is asked."""


class Visit:
    """What an episode knows of its own runs: whether any of them gave something."""

    def __init__(self) -> None:
        self.gave = False


class ExternalWorld(AddressedBench):
    """A simulator, program or device: it says which knobs it has, and is run at their settings.

    A run that fails (late, dead, no number) is a run without readings, and is named in `notes`;
    after three in a row nothing more is asked: what was measured is kept, and the next episode is
    not begun. There is one system in all episodes; what the best setting is worth is unknown.

    Args:
        target: `http://HOST:PORT/PATH`, `cmd:COMMAND`, `module:factory`, `gym:ID`, or one of the
            adapters; see `open_endpoint`.
        runs: before the setting to keep.
        goals: in place of its own: "minimize cost", a list of such, or a table.
        timeout: seconds of each call.
        workers: runs at once; devices have one.

    Raises:
        UserError: it does not answer, or what it says of itself cannot be.
    """

    name = "external"
    dear: ClassVar[bool] = True
    named_by: ClassVar[str] = "target"

    def __init__(
        self,
        target: str = "",
        runs: int = 20,
        goals: Any = None,
        timeout: float = 60.0,
        workers: int = 1,
    ) -> None:
        if not target:
            raise UserError("world", "external", "name it: external:http://127.0.0.1:8000")
        whole("runs", runs, 1, 100_000)
        whole("workers", workers, 1, 64)
        self._idle: queue.SimpleQueue[Endpoint] = queue.SimpleQueue()
        for _ in range(workers):
            endpoint = open_endpoint(target, timeout)
            self._idle.put(endpoint)
            weakref.finalize(self, endpoint.close)
        first = self._idle.get()
        found = described(first, goals)
        self._idle.put(first)
        self.name = f"external:{target}"
        self._settings = {"target": target, "runs": runs, "goals": goals, "timeout": timeout,
                          "workers": workers}  # fmt: skip
        self._failures: list[str] = []
        self._in_a_row = 0
        super().__init__(found.space, found.readings, found.goals, runs)

    @property
    def at_once(self) -> int:
        """Episodes that are played before they are on disk."""
        return int(self._settings["workers"])

    @property
    def notes(self) -> tuple[str, ...]:
        """What failed: each kind once, with how often."""
        kinds = dict.fromkeys(self._failures)
        return tuple(f"{self._failures.count(kind)} runs failed: {kind}" for kind in kinds)

    def config(self) -> dict[str, Any]:
        said = self.space.to_json() | {"readings": list(self.readings)}
        return self._settings | {"aims": self.goals.to_json(), "spec": said}

    def sample(self, key: Any) -> Visit:
        """There is one system; an episode on one that gave up is not begun.

        Raises:
            EndpointError: the last runs all failed.
        """
        if self._in_a_row >= _PATIENCE:
            raise self._given_up()
        return Visit()

    def measured(self, task: Visit, setting: Array, rng: np.random.Generator) -> Array:
        seed = int(rng.integers(2**31))
        if self._in_a_row >= _PATIENCE:
            return np.full(len(self.readings), np.nan)
        endpoint = self._idle.get()
        try:
            found = endpoint.run(self.space.named(setting), self.readings, seed)
        except EndpointError as error:
            self._failures.append(str(error))
            self._in_a_row += 1
            if self._in_a_row >= _PATIENCE and not task.gave:
                raise self._given_up() from error
            return np.full(len(self.readings), np.nan)
        finally:
            self._idle.put(endpoint)
        self._in_a_row, task.gave = 0, True
        return np.array([found[name] for name in self.readings])

    def recalled(self, task: Visit, read: Array) -> None:
        if np.isfinite(read).any():
            self._in_a_row, task.gave = 0, True
        else:
            self._failures.append("before this job went on")
            self._in_a_row += 1

    def rollout(self, task: Visit, rows: Any) -> Any:
        return super().rollout(task, rows)._replace(task=None)

    def _given_up(self) -> EndpointError:
        remedy = f"{_PATIENCE} runs in a row failed, the last: {self._failures[-1]}"
        remedy += "; finished episodes are kept, --resume goes on"
        return EndpointError(f"world {self.name}", None, remedy)
