"""Actions and analyses that come as tool calls: untrusted names and arguments, read strictly."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seedo.language.scenes.replies import Malformed, argument, read_number

if TYPE_CHECKING:
    from seedo.language.scenes._scene import Scene, Tool

_JSON_TYPES = {str: "string", float: "number", int: "integer", bool: "boolean"}


def tools_of(scene: Scene) -> dict[str, Tool]:
    """The tools that the scene's conditions offer, by name; none in text mode."""
    kind = scene.conditions.tools
    if kind == "none":
        return {}
    analyses = scene.analyses() if kind == "analysis" else ()
    return {tool.name: tool for tool in (*scene.tools(), *analyses)}


def arguments_schema(tool: Tool) -> dict[str, Any]:
    """The arguments that a tool takes, as JSON Schema; all are required."""
    properties = {
        name: {"type": _JSON_TYPES[kind], "description": text}
        for name, (kind, text) in tool.parameters.items()
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def call_tool(tools: Mapping[str, Tool], name: str, arguments: Any) -> Any:
    """What a tool returns (an action, or text of an analysis), or Malformed; never raises for what
    a player gave."""
    tool = tools.get(name)
    if tool is None:
        return Malformed("not-an-action", f"The tools are {', '.join(tools)}.")
    if not isinstance(arguments, dict) or set(arguments) != set(tool.parameters):
        wanted = ", ".join(tool.parameters) or "no arguments"
        return Malformed("not-an-action", f"{tool.name} takes {wanted}.")
    given = {}
    for key, (kind, _) in tool.parameters.items():
        value = argument(arguments[key], kind)
        if value is None:
            return Malformed("unknown-value", f"{key} has to be {_KINDS[kind]}.")
        given[key] = value
    return tool.call(**given)


_KINDS = {str: "a short text", float: "a number", int: "a whole number", bool: "true or false"}


def say_call(name: str, arguments: Any) -> str:
    """How a call reads in a transcript: `set_variable(variable="dax", value=2.0)`."""
    if not isinstance(arguments, dict):
        return f"{name}(?)"
    try:
        given = [f"{key}={json.dumps(value)}" for key, value in arguments.items()]
    except (TypeError, ValueError, RecursionError):  # untrusted: nested too deep, or no JSON
        return f"{name}(?)"
    return f"{name}({', '.join(given)})"


def call_for(scene: Scene, action: Any) -> tuple[str, dict[str, Any]] | None:
    """The call of an acting tool that stands for an action; None: there is none.

    Found by trying the words of the action's line as arguments, so it holds for every world.
    """
    line = scene.write(action)
    words = re.split(r"[\s=]+", line)
    numbers = [n for word in words if (n := read_number(word)) is not None]
    choices: dict[type, list[Any]] = {
        str: words,
        float: numbers,
        int: [int(n) for n in numbers if n == int(n)],
        bool: [True, False],
    }
    for tool in scene.tools():
        if tool.acts:
            kinds = [choices[kind] for kind, _ in tool.parameters.values()]
            for values in itertools.product(*kinds):
                arguments = dict(zip(tool.parameters, values, strict=True))
                found = tool.call(**arguments)
                if not isinstance(found, Malformed) and scene.write(found) == line:
                    return tool.name, arguments
    return None
