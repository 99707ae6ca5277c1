"""What was played, as plain data, and the finished scene again from it.

Worlds and openings follow from their names and seeds, and a scene from what it was told, so a few
lines of JSON hold a whole episode, whoever played it and wherever it was logged.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from seedo import worlds
from seedo.language.runs._examples import Examples, example_messages
from seedo.language.scenes import (
    LONGEST,
    Conditions,
    Malformed,
    Scene,
    Tool,
    call_tool,
    open_scene,
    say_call,
    tools_of,
)

MOST_ANALYSES = 12
"""Analysis calls that are answered at one step."""


def same_world(name: str, config: dict[str, Any]) -> Any:
    """The world of a configuration, one object for as long as it is in use: worlds are compiled
    once for each object."""
    return _world(name, json.dumps(config, sort_keys=True))


@functools.lru_cache(maxsize=16)
def _world(name: str, config: str) -> Any:
    return worlds.from_config(name, json.loads(config))


class Recorded:
    """A scene that is played, and a record of all it was told.

    Args:
        world: its object should come from `same_world`.
        examples: shown first.
    """

    def __init__(
        self,
        world: Any,
        seed: int,
        stream: str,
        index: int,
        conditions: Conditions,
        examples: Examples | None = None,
    ) -> None:
        opening = example_messages(world, conditions, examples) if examples else ()
        self.index = index
        self.scene: Scene = open_scene(world, seed, stream, index, conditions, opening)
        self.tools = tools_of(self.scene)
        self._where = {
            "world": world.name,
            "config": world.config(),
            "seed": seed,
            "stream": stream,
            "index": index,
            "conditions": conditions.to_dict(),
            "examples": examples.to_dict() if examples else None,
        }
        self._turns: list[dict[str, Any]] = []  # one for each of `scene.replies`
        self._analyses = (0, 0)  # step, analysis calls at it

    def reply(self, text: str) -> str:
        """Take a reply in words; what the scene says to it ("" at the end)."""
        scene = self.scene
        acting = scene.expects == "action"
        heard = len(scene.messages()) + 1
        if acting and self.tools and scene.conditions.strict:
            why = Malformed(
                "not-an-action",
                f"Act by calling one of {', '.join(self.tools)}; text is not read (a model without "
                "tool calls needs tools=none).",
            )
            scene.take_call(text, why)
            self._turns.append({"malformed": list(why)})
            return self._said(heard)
        self._turns.append({"cut": True} if len(text) > LONGEST else {})
        scene.reply(text)
        return self._said(heard)

    def call(self, name: str, arguments: Any, error: str | None = None) -> str:
        """Take a tool call; what the scene says to it ("" at the end).

        Args:
            error: why the arguments could not even be parsed.
        """
        scene = self.scene
        heard = len(scene.messages()) + 1
        said = say_call(name, arguments)
        found = Malformed("not-an-action", "The call could not be parsed.")
        if error is None:
            found = call_tool(self.tools, name, arguments)
        if not isinstance(found, Malformed):
            found = self._allowed(name, found)
        if isinstance(found, Malformed):
            scene.take_call(said, found)
            self._turns.append({"malformed": list(found)})
        elif self.tools[name].acts:
            scene.take_call(said, found)
            self._turns.append({"call": [name, arguments]})
        else:
            scene.answer_call(said, found)
            self._turns.append({"answer": found})
        return self._said(heard)

    def _allowed(self, name: str, found: Any) -> Any:
        scene = self.scene
        if self.tools[name].acts:
            if scene.expects != "action":
                return Malformed("not-allowed", "Do not act yet: first answer in words.")
            return found
        step, count = self._analyses
        self._analyses = (scene.step, count + 1 if step == scene.step else 1)
        if self._analyses[1] > MOST_ANALYSES:
            return Malformed("not-allowed", "No more analyses at this step: act.")
        return found

    def _said(self, heard: int) -> str:
        return "\n".join(m["content"] for m in self.scene.messages()[heard:])

    def turns(self) -> dict[str, Any]:
        """JSON: all that the scene was told, and nothing that its player does not know."""
        return {"turns": self._turns, "replies": [list(reply) for reply in self.scene.replies]}

    def go_on(self, told: dict[str, Any]) -> None:
        """Tell this episode, of which nothing was played yet, what `turns` of it has."""
        for turn, (step, text) in zip(told["turns"], told["replies"], strict=True):
            _retell(self.scene, self.tools, turn, text)
            self._turns.append(turn)
            if "answer" in turn:
                before, count = self._analyses
                self._analyses = (step, count + 1 if step == before else 1)

    def to_dict(self) -> dict[str, Any]:
        """JSON: where the episode is from, all turns, and what came of it.

        `actions` has [step, line] for every step of the player's own, None where it passed.
        """
        scene = self.scene
        done = dict.fromkeys(scene.passed) | {h.step: h.line for h in scene.heard if h.line}
        return self._where | {
            **self.turns(),
            "actions": [[step, done[step]] for step in sorted(done)],
            "malformed": [list(entry) for entry in scene.malformed],
            "heard": [list(h) for h in scene.heard],
            "passed": list(scene.passed),
            "thoughts": len(scene.thoughts),
            "finished": scene.finished,
            "return": scene.returns,
            "oracle_return": scene.oracle_return,
            "random_return": scene.random_return,
        }


def replay(metadata: dict[str, Any]) -> Scene:
    """The scene that `Recorded.to_dict` is about, played again turn by turn.

    Args:
        metadata: that dictionary, or one that has it as "episode" (of an Inspect sample).

    Raises:
        UserError: it names no known world or condition.
    """
    episode = metadata.get("episode", metadata)
    conditions = Conditions.from_dict(episode["conditions"])
    world = same_world(episode["world"], episode["config"])
    examples = Examples.from_dict(episode["examples"]) if episode["examples"] else None
    opening = example_messages(world, conditions, examples) if examples else ()
    where = (episode["seed"], episode["stream"], episode["index"])
    scene = open_scene(world, *where, conditions, opening)
    tools = tools_of(scene)
    for turn, (_, text) in zip(episode["turns"], episode["replies"], strict=True):
        _retell(scene, tools, turn, text)
    return scene


def _retell(scene: Scene, tools: Mapping[str, Tool], turn: dict[str, Any], text: str) -> None:
    """Tell a scene again what it was told in one turn."""
    if "malformed" in turn:
        scene.take_call(text, Malformed(*turn["malformed"]))
    elif "call" in turn:
        scene.take_call(text, call_tool(tools, *turn["call"]))
    elif "answer" in turn:
        scene.answer_call(text, turn["answer"])
    else:
        # One more character than is kept makes it too long again.
        scene.reply(f"{text} " if turn.get("cut") else text)
