"""Worlds as environments for reinforcement learning of language models, through tool calls.

Meets the contract of `trl.GRPOTrainer(environment_factory=...)` without importing TRL: a class that
is made without arguments, whose `reset(**row)` returns text, whose other public methods are tools
(typed, documented in Google's style), and whose `get_reward()` scores the finished rollout.
"""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable
from typing import Any, ClassVar

from seedo.errors import UserError
from seedo.language.scenes import (
    Conditions,
    Malformed,
    Scene,
    Tool,
    call_tool,
    open_scene,
    say_call,
    tools_of,
)

STREAM = "reinforce"
"""The stream of episodes that is trained on: nobody is evaluated or logged on it."""

_OVER = "The episode is over."


class ExperimentEnvironment:
    """An episode of a world at a time, played through tools; see `environment_factory`.

    A tool never raises for what it is given: it returns what a player is told, also of a malformed
    call, which is counted and changes nothing.
    """

    _world: ClassVar[Any]
    _conditions: ClassVar[Conditions]
    _seed: ClassVar[int]
    _stream: ClassVar[str]
    _penalty: ClassVar[float]

    def __init__(self) -> None:
        self._scene: Scene | None = None
        self._tools: dict[str, Tool] = {}
        self._resets = 0

    def reset(self, seed: Any = None, index: Any = None, **row: Any) -> str:
        """Begin an episode; the rules and what it is about.

        Args:
            seed: which episodes; None: those of the factory's seed.
            index: number of the episode, from 0; None: as many as this environment has begun. Rows
                of a dataset should have it: all rollouts that are compared have to meet the same
                system.
            row: the other columns of a dataset's row; ignored.

        Raises:
            UserError: a seed or index that is no whole number from 0.
        """
        seed = self._seed if seed is None else check_whole("seed", seed)
        index = self._resets if index is None else check_whole("index", index)
        self._scene = open_scene(self._world, seed, self._stream, index, self._conditions)
        self._tools = tools_of(self._scene)
        self._resets += 1
        return "\n\n".join(message["content"] for message in self._scene.messages())

    def get_reward(self) -> float:
        """The `score` of the episode.

        Raises:
            RuntimeError: nothing has been begun.
        """
        return score(self.scene, self._penalty)

    @property
    def scene(self) -> Scene:
        """The episode in words, for whoever wants to look.

        Raises:
            RuntimeError: nothing has been begun.
        """
        if self._scene is None:
            raise RuntimeError("reset the environment first")
        return self._scene

    def _use(self, name: str, arguments: dict[str, Any] | None) -> str:
        """Carry out a call; None for arguments that do not fit the tool at all."""
        scene = self._scene
        if scene is None:
            return "Nothing has been begun: reset first."
        if scene.finished:
            return _OVER
        found = call_tool(self._tools, name, arguments)
        said = say_call(name, arguments)
        if not isinstance(found, Malformed) and not self._tools[name].acts:
            scene.answer_call(said, found)
        else:
            scene.take_call(said, found)
        return _OVER if scene.finished else scene.messages()[-1]["content"]


def environment_factory(
    world: Any,
    conditions: Conditions | None = None,
    seed: int = 0,
    stream: str = STREAM,
    penalty: float = 0.1,
) -> type[ExperimentEnvironment]:
    """A class of environments of a world: `GRPOTrainer(environment_factory=this)`.

    Its tools are those that scenes of the world have under the conditions: `set_variable` and
    `observe` in `dag`, `take` and `change` in `rooms`.

    Args:
        world: as `make` gives it.
        conditions: with tools; `None`: `Conditions(tools="actions")`.
        seed: of episodes where `reset` names none.
        stream: of the episodes.
        penalty: subtracted from the reward for each malformed call.

    Raises:
        UserError: conditions that do not go with calls alone, or not with this world.
    """
    conditions = conditions or Conditions(tools="actions")
    if conditions.tools == "none":
        raise UserError("tools", "none", "environments act through tools: use actions or analysis")
    for field in ("check", "structure", "examples"):
        if getattr(conditions, field):
            raise UserError(field, getattr(conditions, field), "not in environments: leave it out")
    if not 0 <= penalty <= 10:
        raise UserError("penalty", penalty, "use a number from 0 to 10")
    body: dict[str, Any] = {
        "_world": world,
        "_conditions": conditions,
        "_seed": check_whole("seed", seed),
        "_stream": stream,
        "_penalty": penalty,
        "__doc__": ExperimentEnvironment.__doc__,
    }
    for tool in tools_of(open_scene(world, seed, stream, 0, conditions)).values():
        body[tool.name] = _method(tool)
    return type(f"{world.name.capitalize()}Environment", (ExperimentEnvironment,), body)


def score(scene: Scene, penalty: float) -> float:
    """How good a finished episode was: 1 as whoever knows the system, 0 as random play, at least
    -1; -1 also where it is not finished; the return itself where it is not known what these have.
    Less a penalty for each malformed reply or call."""
    best, floor = scene.oracle_return, scene.random_return
    if not scene.finished:
        reward = -1.0
    elif math.isnan(best - floor):
        reward = scene.returns
    elif best - floor < 1e-9:  # nothing that can be done makes a difference
        reward = 0.0
    else:
        reward = max(-1.0, (scene.returns - floor) / (best - floor))
    return reward - penalty * len(scene.malformed)


def training_rows(count: int, seed: int = 0, start: int = 0) -> list[dict[str, Any]]:
    """Rows of a dataset for `datasets.Dataset.from_list`: an empty prompt, to which the trainer
    appends what `reset` says, and the `seed` and `index` of an episode each."""
    prompt = [{"role": "user", "content": ""}]
    return [{"prompt": prompt, "seed": seed, "index": start + i} for i in range(count)]


def _method(tool: Tool) -> Callable[..., str]:
    """A tool as a method with the types and the documentation that schemas are made from."""
    parameters = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=kind)
        for name, (kind, _) in tool.parameters.items()
    ]
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = inspect.Signature([own, *parameters], return_annotation=str)

    def method(self: ExperimentEnvironment, *given: Any, **named: Any) -> str:
        try:
            bound = signature.bind(self, *given, **named).arguments
        except TypeError:
            return self._use(tool.name, None)
        return self._use(tool.name, {k: v for k, v in bound.items() if k != "self"})

    documented = [tool.description, ""]
    if tool.parameters:
        documented += ["Args:", *(f"    {k}: {text}" for k, (_, text) in tool.parameters.items())]
        documented.append("")
    documented += ["Returns:", "    What happened, and what comes next."]
    method.__name__ = tool.name
    method.__qualname__ = f"ExperimentEnvironment.{tool.name}"
    method.__doc__ = "\n".join(documented)
    method.__annotations__ = {name: kind for name, (kind, _) in tool.parameters.items()}
    method.__annotations__["return"] = str
    method.__signature__ = signature  # type: ignore[attr-defined]
    return method


def check_whole(field: str, value: Any) -> int:
    """A whole number from 0 to 2^31 - 1, or UserError."""
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if isinstance(value, bool) or not 0 <= number < 2**31:
        raise UserError(field, value, "use a whole number from 0 to 2147483647")
    return number
