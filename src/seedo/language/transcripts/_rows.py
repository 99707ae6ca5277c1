"""Rows of training data, in the forms that trainers of language models document.

`chat` is TRL's conversational language modelling (`messages`), with a mark on each message that
says whether it is to be learnt, as Axolotl's `message_field_training` reads it; `completion` is
TRL's conversational prompt-completion, whose loss is on the completion alone; `tools` is TRL's tool
calling, with the schemas as JSON text, which every version of `datasets` keeps as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from seedo.language.transcripts._watched import Turn, Watched

FORMS = ("chat", "completion", "tools")
"""What a row of an export is: a conversation, one reply with what led to it, or calls of tools."""


def rows_of(watched: Watched, form: str, tools: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of one episode.

    Args:
        form: one of `FORMS`. tools: schemas of the tools that act, for form `tools`.
    """
    if form == "chat":
        messages = [{**turn.message, "training": turn.part != "told"} for turn in watched.turns]
        yield {"episode": watched.episode, "messages": messages}
    elif form == "completion":
        for place, turn in enumerate(watched.turns):
            if turn.part != "told":
                yield {
                    "episode": watched.episode,
                    "step": turn.step,
                    "phase": turn.part,
                    "prompt": watched.messages[:place],
                    "completion": [turn.message],
                }
    else:
        yield {
            "episode": watched.episode,
            "messages": list(_called(watched.turns)),
            "tools": json.dumps(tools, sort_keys=True),
        }


def _called(turns: tuple[Turn, ...]) -> Iterator[dict[str, Any]]:
    """The messages of an episode played through tools: what is said after a call is its result."""
    name = None
    for turn in turns:
        training = turn.part != "told"
        if turn.call is not None:
            name, arguments = turn.call
            function = {"name": name, "arguments": arguments}
            calls = [{"type": "function", "function": function}]
            yield {"role": "assistant", "content": "", "tool_calls": calls, "training": training}
        elif name is not None:
            content = turn.message["content"]
            yield {"role": "tool", "name": name, "content": content, "training": training}
        else:
            yield {**turn.message, "training": training}


_TYPES = {
    "string": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
}


def schema_of(form: str, tools: list[dict[str, Any]]) -> pa.Schema:
    """The columns of these rows in Parquet.

    Arguments are a struct of those that any of the tools takes, null where a call has none: TRL's
    `remove_none_values` takes them out again.
    """
    message = [("role", pa.string()), ("content", pa.string())]
    marked = [*message, ("training", pa.bool_())]
    if form == "chat":
        return pa.schema([("episode", pa.int64()), ("messages", pa.list_(pa.struct(marked)))])
    if form == "completion":
        said = pa.list_(pa.struct(message))
        return pa.schema(
            [
                ("episode", pa.int64()),
                ("step", pa.int32()),
                ("phase", pa.string()),
                ("prompt", said),
                ("completion", said),
            ]
        )
    taken = {
        name: _TYPES[about["type"]]
        for tool in tools
        for name, about in tool["function"]["parameters"]["properties"].items()
    }
    arguments = pa.struct(list(taken.items()))
    function = pa.struct([("name", pa.string()), ("arguments", arguments)])
    calls = pa.list_(pa.struct([("type", pa.string()), ("function", function)]))
    called = [*marked, ("name", pa.string()), ("tool_calls", calls)]
    messages = pa.list_(pa.struct(called))
    return pa.schema([("episode", pa.int64()), ("messages", messages), ("tools", pa.string())])
