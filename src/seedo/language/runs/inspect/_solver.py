"""Plays one scene with the model under evaluation."""

from __future__ import annotations

from typing import Any

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import ToolDef, ToolParam, ToolParams

from seedo.language.runs._examples import Examples
from seedo.language.runs._on_stage import on_stage
from seedo.language.runs._replay import Recorded, same_world
from seedo.language.runs.inspect._cut import end, why_cut
from seedo.language.runs.inspect._performance import ScenePerformance
from seedo.language.scenes import Conditions, Message, Tool

_MESSAGES = {
    "system": ChatMessageSystem,
    "user": ChatMessageUser,
    "assistant": ChatMessageAssistant,
}
_DEEPEST = 8  # levels of a call's arguments; every tool takes one
_SCHEMA: dict[type, Any] = {str: "string", float: "number", int: "integer", bool: "boolean"}


def chat(messages: list[Message]) -> list[ChatMessage]:
    """Messages of a scene as Inspect has them."""
    return [_MESSAGES[m["role"]](content=m["content"]) for m in messages]


@solver
def play_scene() -> Solver:
    """Plays the episode that the sample's metadata names, to its end.

    The scene, its turns and its scores end up in `state.metadata["episode"]`, see
    `seedo.language.runs.replay`; also where the model or a limit ended it early. Then it is no
    finished episode, but what is scored is in `state.metadata["end"]`, see `end`.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        recorded = open_recorded(state.metadata)
        scene = recorded.scene
        state.tools = [_definition(tool) for tool in recorded.tools.values()]
        world = same_world(state.metadata["world"], state.metadata["config"])
        before, why = on_stage.set(ScenePerformance(scene, world)), ""
        try:
            state.messages = chat(scene.messages())  # may be too many for a limit
            while not scene.finished and not state.completed:
                state = await generate(state, tool_calls="none", parallel_tool_calls=False)
                _hear(state, recorded)
        except BaseException as error:
            why = why_cut(error)
            raise
        finally:
            on_stage.reset(before)
            episode = recorded.to_dict()  # as it was left
            state.metadata = {**state.metadata, "episode": episode, **end(scene, why)}
        return state

    return solve


def open_recorded(metadata: dict[str, Any]) -> Recorded:
    """The scene that a sample's metadata names."""
    examples = metadata["examples"]
    return Recorded(
        same_world(metadata["world"], metadata["config"]),
        metadata["seed"],
        metadata["stream"],
        metadata["index"],
        Conditions.from_dict(metadata["conditions"]),
        Examples.from_dict(examples) if examples else None,
    )


def _hear(state: TaskState, recorded: Recorded) -> None:
    """Give the model's last message to the scene, and what the scene says to the model."""
    message = state.output.message
    if not message.tool_calls:
        if said := recorded.reply(message.text):
            state.messages.append(ChatMessageUser(content=said))
        return
    if not recorded.tools:  # a call that nobody offered: only its words count
        state.messages[-1] = ChatMessageAssistant(content=message.text)
        if said := recorded.reply(message.text):
            state.messages.append(ChatMessageUser(content=said))
        return
    for call in message.tool_calls:
        if _depth(call.arguments) > _DEEPEST:
            # In the message too: beyond some depth Inspect cannot write its log, which would end
            # the evaluation.
            call.arguments, call.parse_error = {}, "nested too deep"
        said = "The episode is over."
        if not recorded.scene.finished:
            said = recorded.call(call.function, call.arguments, call.parse_error) or said
        answer = ChatMessageTool(content=said, tool_call_id=call.id, function=call.function)
        state.messages.append(answer)


def _depth(value: Any) -> int:
    """Levels of nesting of something made of JSON."""
    level, depth = [value], 0
    while level := [
        inner
        for outer in level
        if isinstance(outer, dict | list)
        for inner in (outer.values() if isinstance(outer, dict) else outer)
    ]:
        depth += 1
    return depth


def _definition(tool: Tool) -> ToolDef:
    """For the model only: calls are read by the scene, never executed by Inspect."""

    async def never(**arguments: Any) -> str:
        raise RuntimeError("calls are read by the scene")

    properties = {
        name: ToolParam(type=_SCHEMA[kind], description=description)
        for name, (kind, description) in tool.parameters.items()
    }
    parameters = ToolParams(properties=properties, required=list(properties))
    return ToolDef(never, name=tool.name, description=tool.description, parameters=parameters)
