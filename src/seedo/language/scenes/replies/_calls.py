"""Actions that are written as calls of tools, as JSON or in boxes: made lines of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from seedo.language.scenes.replies._grammar import Grammar
from seedo.language.scenes.replies._malformed import LONGEST_LINE, Malformed, read_number

_MOST = 32  # places at which JSON is looked for
_LONGEST = 2_000  # characters of what is read as JSON
_NAMES = ("name", "tool", "tool_name", "function", "function_name", "action", "type", "command")
_ARGUMENTS = ("arguments", "parameters", "args", "input", "action_input", "params", "kwargs")
_TEXTS = ("final_answer", "final answer", "answer", "action", "reply", "response", "command",
          "output", "move", "choice", "decision", "line", "next_action", "do", "intervention",
          "experiment", "result")  # fmt: skip
_OTHERS = ("role", "from", "user", "system", "example", "prompt")

_TAGGED = re.compile(
    r"<(answer|final_answer|final|action|reply|output|response|command|move|choice)>"
    r"([^<]{0,400})</\1>",
    re.IGNORECASE,
)
_TAGGED_CALL = re.compile(
    r"<(?:function|invoke)(?:=| name=)\"?(\w{1,40})\"?>((?:(?!</?(?:function|invoke)).){0,800})"
    r"</(?:function|invoke)>",
    re.IGNORECASE | re.DOTALL,
)
_PARAMETER = re.compile(
    r"<parameter(?:=| name=)\"?(\w{1,40})\"?>\s{0,9}([^<]{0,200}?)\s{0,9}</parameter>",
    re.IGNORECASE,
)
_BOXED = re.compile(r"\\(?:boxed|fbox)\{((?:[^{}\n]|\{[^{}\n]{0,200}\}){0,300})\}")
_HASHES = re.compile(r"(?:^|\n)\s{0,4}####\s{1,4}(?=\S)")


class Found(NamedTuple):
    """JSON in a text, and where it is."""

    start: int
    end: int
    value: Any


def _json_in(text: str) -> Iterator[Found]:
    """Whole objects and lists in a text, from left to right; bounded."""
    decoder = json.JSONDecoder()
    place = 0
    for _ in range(_MOST):
        opened = re.compile(r"[{\[]").search(text, place)
        if opened is None:
            return
        start = opened.start()
        part = text[start : start + _LONGEST]
        found = _decoded(decoder, part)
        if found is None:
            place = start + 1
            continue
        value, size = found
        yield Found(start, start + size, value)
        place = start + size


def _decoded(decoder: json.JSONDecoder, part: str) -> tuple[Any, int] | None:
    """The JSON at the beginning of a text and its length; single quotes are taken for double."""
    for written in (part, part.replace("'", '"')):
        try:
            value, size = decoder.raw_decode(written)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) or (isinstance(value, list) and _is_object(value)):
            return value, size
    return None


def _is_object(value: list[Any]) -> bool:
    return bool(value) and all(isinstance(each, dict) for each in value)


class Called(NamedTuple):
    """A tool and its arguments, as they were written."""

    name: str
    arguments: dict[str, Any] | list[Any]


def _said_by(value: Any, tools: Mapping[str, Any], deep: int = 0) -> Called | str | None:
    """What JSON stands for: a call, a line of text, or None where that cannot be told."""
    if isinstance(value, list):
        return _said_by(value[0], tools, deep + 1) if len(value) == 1 and deep < 4 else None
    if not isinstance(value, dict) or deep > 4 or any(key in value for key in _OTHERS):
        return None
    folded = {str(key).casefold(): each for key, each in value.items()}
    name = next((folded[k] for k in _NAMES if isinstance(folded.get(k), str)
                 and folded[k].casefold() in tools), None)  # fmt: skip
    if name is not None:
        given = next((folded[k] for k in _ARGUMENTS if k in folded), None)
        if isinstance(given, str):
            try:
                given = json.loads(given)
            except (ValueError, RecursionError):
                given = [given]
        if given is None:
            given = {k: v for k, v in folded.items() if v != name}
        given = given if isinstance(given, dict | list) else [given]
        return Called(name.casefold(), given)
    for key in ("function", "tool_call", "tool_calls", "function_call", "action", "call"):
        if isinstance(folded.get(key), dict | list):
            inner = _said_by(folded[key], tools, deep + 1)
            if inner is not None:
                return inner
    texts = [(key, folded[key]) for key in _TEXTS if isinstance(folded.get(key), str)]
    if texts:
        key, text = texts[0]
        return f"do {text}" if key == "do" and not text.casefold().startswith("do") else text
    return _bare(folded, tools)


def _bare(folded: dict[str, Any], tools: Mapping[str, Any]) -> Called | None:
    """The arguments of the one tool that takes just these, or {tool: argument}."""
    if len(folded) == 1 and (name := next(iter(folded))) in tools:
        given = folded[name]
        return Called(name, given if isinstance(given, dict | list) else [given])
    fitting = [n for n, t in tools.items() if t.parameters and set(t.parameters) == set(folded)]
    return Called(fitting[0], folded) if len(fitting) == 1 else None


def _arguments_of(text: str) -> dict[str, Any] | list[Any]:
    """The arguments between the brackets of a call, by name or by place; numbers stay texts."""
    named: dict[str, Any] = {}
    placed: list[Any] = []
    for part in text.split(",") if text.strip() else ():
        name, equals, value = part.partition("=")
        if equals and re.fullmatch(r"\s*[A-Za-z_]{1,20}\s*", name):
            named[name.strip().casefold()] = value.strip(" \"'`")
        else:
            placed.append(part.strip(" \"'`"))
    return named if named and not placed else placed


def in_lines(
    text: str, grammar: Grammar
) -> tuple[str, frozenset[str], list[tuple[Called, Malformed]]]:
    """A text whose calls, JSON and boxes are written as lines, the repairs that this is, and the
    calls that cannot be done."""
    broken: list[tuple[Called, Malformed]] = []
    how: set[str] = set()

    def written(call: Called) -> str | None:
        found = _carried(call, grammar)
        if found is None:
            return None
        how.add("call")
        if isinstance(found, Malformed):
            broken.append((call, found))
            return ""
        return grammar.write(found)

    text = _HASHES.sub("\nfinal answer: ", text)
    text = _boxes(_BOXED, 1, text)
    text = _boxes(_TAGGED, 2, text)
    text = _TAGGED_CALL.sub(lambda match: _as_line(match, written), text)
    text = re.sub(r"</?(?:tool_call|function_call|tool|call|json)>", "\n", text)
    if "{" in text:
        text = _without_json(text, grammar, written, how)
    if grammar.tools and "(" in text:
        names = "|".join(sorted(map(re.escape, grammar.tools), key=len, reverse=True))
        pattern = re.compile(
            rf"(?<![\w.])({names})(?:\.call)? ?\(([^()\n]{{0,200}})\)", re.IGNORECASE | re.ASCII
        )

        def line(match: re.Match[str]) -> str:
            said = written(Called(match[1].lower(), _arguments_of(match[2])))
            return match[0] if said is None else said

        text = pattern.sub(line, text)
    return text, frozenset(how), broken


def _as_line(match: re.Match[str], written: Callable[[Called], str | None]) -> str:
    """A call in tags as a line behind a mark."""
    said = written(Called(match[1].casefold(), dict(_PARAMETER.findall(match[2]))))
    return match[0] if said is None else f"\naction: {said}\n"


def _boxes(pattern: re.Pattern[str], group: int, text: str) -> str:
    """Boxes as lines behind a mark; what stands before one in its line leads to it."""

    def line(match: re.Match[str]) -> str:
        tag = match[1].casefold() if group == 2 else ""
        mark = (
            "action" if tag in ("action", "command", "move", "choice", "output") else "final answer"
        )
        return f"{_opened(text[: match.start()])}\n{mark}: {match[group].strip()}\n"

    return pattern.sub(line, text)


def _opened(before: str) -> str:
    last = before.rpartition("\n")[2].rstrip(" *_`$(\"'")
    return "" if not last or last[-1] in ":.!?" else ":"


def _without_json(
    text: str, grammar: Grammar, written: Callable[[Called], str | None], how: set[str]
) -> str:
    kept, place = [], 0
    for start, end, value in _json_in(text):
        said = _said_by(value, grammar.tools)
        if isinstance(said, Called):
            said = written(said)
        elif said is not None:
            how.add("call")
        if said is None:
            continue
        before = text[place:start]
        line = f"\naction: {said}\n" if said else "\n"
        kept += [before, _opened(text[:start]), line.replace("\n\n", "\n")]
        place = end
    return "".join([*kept, text[place:]])


def _carried(call: Called, grammar: Grammar) -> Any | Malformed | None:
    """What a call does; None: it is none of the tool's."""
    tool = grammar.tools.get(call.name)
    if tool is None:
        return None
    given = call.arguments
    if isinstance(given, list):
        if len(given) != len(tool.parameters):
            return None
        given = dict(zip(tool.parameters, given, strict=True))
    folded = {str(k).casefold(): v for k, v in given.items()}
    if not set(tool.parameters) <= set(folded):
        return None
    arguments = {}
    for name, (kind, _) in tool.parameters.items():
        value = argument(_unquoted(folded[name], kind), kind)
        if value is None:
            return Malformed("unknown-value", f"{name} of {tool.name} cannot be that.")
        arguments[name] = value
    return tool.call(**arguments)


def _unquoted(value: Any, kind: type) -> Any:
    """What a text says as an argument of this type; anything else as it is."""
    if not isinstance(value, str):
        return value
    if kind is str:
        return value.strip() if len(value) <= LONGEST_LINE else None
    if kind is bool:
        return {"true": True, "yes": True, "false": False, "no": False}.get(value.casefold())
    return read_number(value.strip())


def argument(value: Any, kind: type) -> Any | None:
    """A JSON value as an argument of this type (text, truth value or number); None: it is none."""
    if kind is str:
        return value if isinstance(value, str) and len(value) <= LONGEST_LINE else None
    if kind is bool:
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        return None
    return kind(value) if kind is float or value == int(value) else None
