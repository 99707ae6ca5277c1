"""Scenes on stage: what our own players reply where a language model would."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from seedo.errors import UserError
from seedo.language.scenes import Scene, call_for
from seedo.play import find_player

_log = logging.getLogger(__name__)


@functools.lru_cache(maxsize=64)
def _player(name: str, world: Any, seed: int) -> Any:
    """One object for each world, so that it is compiled once; UserError: cannot play there."""
    try:
        return find_player(name, world, seed=seed)
    except UserError as error:
        _log.warning("%s cannot play world %s: %s", name, world.name, error)
        return error


class ScenePerformance:
    """A scene that our own players can see.

    A player that does not know the world says so, in words: every task can be run with every
    player, and such replies are counted as malformed.
    """

    def __init__(self, scene: Scene, world: Any) -> None:
        self._scene, self._world = scene, world
        self._choosers: dict[tuple[str, int], Callable[[], Any]] = {}
        self._chosen: tuple[int, Any] | None = None  # step, action: asking twice changes nothing

    @property
    def tools(self) -> str:
        """Which its player is offered, see `Conditions`."""
        return self._scene.conditions.tools

    @property
    def refused(self) -> int:
        """How many malformed replies it has just given."""
        return self._scene.refused

    def line(self, player: str, seed: int) -> str:
        if self._scene.expects == "thought":
            return "My choices rest on the numbers alone; I have nothing to add."
        if self._scene.expects == "answer":
            return self._scene.own_answer(player)
        action = self._action(player, seed)
        return action if isinstance(action, str) else self._scene.write(action)

    def call(self, player: str, seed: int) -> tuple[str, dict[str, Any]] | None:
        """The same as a tool call; None: say the line."""
        if self._scene.expects != "action":
            return None
        action = self._action(player, seed)
        return None if isinstance(action, str) else call_for(self._scene, action)

    def _action(self, name: str, seed: int) -> Any:
        scene = self._scene
        if self._chosen is None or self._chosen[0] != scene.step:
            player = _player(name, self._world, seed)
            if isinstance(player, UserError):
                return f"I cannot play this: {player}"
            if (name, seed) not in self._choosers:
                self._choosers[name, seed] = scene.actor(player)
            self._chosen = scene.step, self._choosers[name, seed]()
        return self._chosen[1]
