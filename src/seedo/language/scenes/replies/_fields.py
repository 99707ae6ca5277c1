"""What a record of fields says, such as an object of JSON: an action, or a call of a tool."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from seedo.language.scenes.replies._grammar import Grammar
from seedo.language.scenes.replies._malformed import LONGEST_LINE, Malformed, read_number

_DEEPEST = 5
_NAMES = ("tool", "tool_name", "function", "function_name", "name", "action", "type", "command",
          "verb", "operation", "method", "intervention", "kind", "act", "op", "move",
          "experiment", "recipient_name")  # fmt: skip
_ARGUMENTS = ("arguments", "parameters", "args", "input", "action_input", "params", "kwargs",
              "tool_input", "tool_parameters", "action_args")  # fmt: skip
_FINAL = ("final_answer", "finalanswer", "answer", "chosen", "decision", "selected", "choice",
          "winner", "final", "final_action")  # fmt: skip
_TEXTS = (*_FINAL, "action", "cmd", "act", "reply", "response", "command", "output", "move", "line",
          "next_action", "do", "intervention", "experiment", "result", "text", "content", "pick",
          "selected_action", "chosen_action", "next_experiment", "message",
          "selection")  # fmt: skip
_HOLDERS = ("function", "tool_call", "tool_calls", "function_call", "functioncall", "tooluse",
            "tool_use", "action", "call", "message", "content", "intervention", "output",
            "response", "answer", "final_answer", "next_action", "actions", "experiment", "move",
            "decision", "choice", "tool_uses", "command", "params")  # fmt: skip
_OTHERS = ("user", "system", "example", "prompt")
_VERBS = ("action", "type", "tool", "function", "command", "operation", "method", "verb", "act")
_CONDITIONS = ("condition", "if", "else", "then", "when", "unless", "otherwise")
_OUTCOMES = ("result", "results", "observation", "observations", "outcome", "outcomes", "reading",
             "readings", "observed", "tool_response", "returned", "measured")  # fmt: skip
_REPORTED = frozenset("result results error example thinking thought reasoning observation".split())
_SPEAKERS = ("assistant", "ai", "model", "bot", "agent")
_BESIDE = ("thought", "reason", "explanation", "rationale", "confidence", "phase", "step", "turn",
           "expect", "comment", "note", "hypothes", "goal", "purpose", "why", "plan", "analysis",
           "id", "justification", "prediction", "summary", "unit")  # fmt: skip
_HIDDEN = ("thinking", "reasoning", "thought", "redacted_thinking")
_TARGETS = frozenset(
    "variable var target node name object feature factor parameter param on".split()
)
_VALUES = frozenset("value val level setting amount magnitude".split())
_SETS = frozenset(
    "do set fix assign force hold clamp intervene intervention intervening setting".split()
)
_CARRIES = frozenset(
    """step act action submit execute perform run respond reply answer final send print return say
    output play choose select move apply call take tool experiment use""".split()
)


class Called(NamedTuple):
    """A tool and its arguments, as they were written."""

    name: str
    arguments: dict[str, Any] | list[Any]


class Said(NamedTuple):
    """What a record says: text behind a mark of an answer or of an action, or a call."""

    mark: str
    what: str | Called


def said_by(value: Any, grammar: Grammar, deep: int = 0) -> list[Said]:
    """What a record stands for; nothing where that cannot be told."""
    if deep > _DEEPEST:
        return []
    if isinstance(value, list):
        return _said_in_row(value, grammar, deep)
    if not isinstance(value, dict):
        return []
    folded = {_plain_key(key): each for key, each in value.items()}
    speaker = str(folded.get("role", folded.get("from", _SPEAKERS[0]))).casefold()
    if speaker not in _SPEAKERS or any(key in folded for key in (*_OTHERS, *_CONDITIONS)):
        return []
    if set(re.findall("[a-z]+", str(folded.get("type", "")).casefold()[:60])) & _REPORTED:
        return []
    if any(_tells(folded[key]) for key in _OUTCOMES if key in folded):
        return []  # a report of what was done
    fields = _fields(folded, grammar)
    texts = list(_texts(folded, grammar))
    if texts:
        whole = [Said(mark, line) for mark, line, known in texts if known]
        named = _name(folded, grammar) is not None
        if whole:
            given = {k: v for k, v in folded.items() if k not in _TEXTS and _role(k)}
            more = [Said("action", line) for line in _line_of("do", given, grammar)]
            return whole + (fields if named and len(fields) > 1 else more)
        if named or (fields and any(key in _SETS for key in folded)):
            return fields
        return [Said(mark, text) for mark, text, _ in texts[:1]]
    if fields:
        return fields
    inner = [said for key in _HOLDERS if isinstance(folded.get(key), dict | list)
             for said in said_by(folded[key], grammar, deep + 1)]  # fmt: skip
    return inner


def _said_in_row(value: list[Any], grammar: Grammar, deep: int) -> list[Said]:
    """What the parts of a list say; nothing unless each says something, or is hidden."""
    parts = [p for p in value if not (isinstance(p, dict) and p.get("type") in _HIDDEN)]
    if not parts or len(parts) > 8:
        return []
    if len(parts) == 1 and isinstance(parts[0], str):
        return [Said("action", parts[0])] if grammar.line(parts[0]) is not None else []
    found = [said_by(part, grammar, deep + 1) for part in parts]
    return [said for each in found for said in each] if all(found) else []


def _plain_key(key: Any) -> str:
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", str(key)[:60])
    return re.sub(r"[\s-]+", "_", snake.strip()).casefold()


def _tells(value: Any) -> bool:
    """Whether a result is told: numbers, not words."""
    if isinstance(value, str):
        return (
            re.search(r"\d", value) is not None and len(value) < 400 and "do" not in value.lower()
        )
    return isinstance(value, dict | list | int | float) and bool(value)


def _texts(folded: Mapping[str, Any], grammar: Grammar) -> Iterator[tuple[str, str, bool]]:
    """Fields that hold an answer as text: the mark of each, the text, and whether it is an action
    and nothing else."""
    for key in _TEXTS:
        text = folded.get(key)
        if isinstance(text, str) and text.strip():
            text = f"do {text}" if key == "do" and not text.casefold().startswith("do") else text
            line = grammar.line(text)
            mark = "final answer" if key in _FINAL else "action"
            yield mark, text if line is None else line, line is not None


def _fields(folded: Mapping[str, Any], grammar: Grammar) -> list[Said]:
    """What is said by a name of an action and its arguments, or by arguments alone."""
    key = _name(folded, grammar)
    if key is not None:
        given = next((folded[k] for k in _ARGUMENTS if k in folded), None)
        if given is None:
            given = {k: v for k, v in folded.items() if k != key}
        return _call(str(folded[key]), _loaded(given), grammar)
    keyed = [k for k in folded if k in grammar.tools or (k in _SETS and k != "setting")]
    value = next((each for k, each in folded.items() if _role(k) == "value"), None)
    for k in keyed:  # {"set": "x", "to": 2}
        if value is not None and isinstance(folded[k], str) and folded[k]:
            given = {"variable": folded[k], "value": value}
            return [Said("action", line) for line in _line_of("do", given, grammar)]
    found = [
        said
        for k in keyed
        if folded[k] is not False and not (isinstance(folded[k], str) and k in _TEXTS)
        for said in _call(k, _loaded({} if folded[k] in (None, True) else folded[k]), grammar)
    ]
    if any(isinstance(folded.get(k), str) for k in _VERBS):
        return found  # to do something else
    return found or _bare(folded, grammar)


def _loaded(given: Any) -> dict[str, Any] | list[Any]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            given = [given]
    return given if isinstance(given, dict | list) else [given]


def _name(folded: Mapping[str, Any], grammar: Grammar) -> str | None:
    """The field that names the action."""
    return next((k for k in _NAMES if isinstance(folded.get(k), str)
                 and known(folded[k], grammar)), None)  # fmt: skip


def known(name: str, grammar: Grammar) -> bool:
    """Whether a word is one by which actions are called."""
    words = _words(name)
    return name.casefold() in grammar.tools or (bool(words) and len(words) < 4 and bool(
        words & (_SETS | _CARRIES)) and not words & {"type"})  # fmt: skip


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z]+", _plain_key(name))) if len(name) <= 40 else set()


def _call(name: str, given: dict[str, Any] | list[Any], grammar: Grammar) -> list[Said]:
    """What a call says: of a tool, of an action by one of its names, or with an action as text."""
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], dict):
        given = given[0]
    called = Called(name.casefold(), given)
    if fits(called, grammar):
        more = _line_of("do", given, grammar) if isinstance(given, dict) and not (
            grammar.tools[called.name].parameters) else []  # fmt: skip
        return [Said("action", called), *(Said("action", line) for line in more)]
    words = _words(name)
    verbs = [name.replace("_", " "), *(["do"] if words & _SETS else [])]
    for verb in verbs:
        if lines := _line_of(verb, given, grammar):
            return [Said("action", line) for line in lines]
    if words & _CARRIES:
        texts = given if isinstance(given, list) else list(given.values())
        lines = [
            line for t in texts if isinstance(t, str) and (line := grammar.line(t)) is not None
        ]
        return [Said("action", line) for line in lines[:2]]
    return []


def fits(call: Called, grammar: Grammar) -> bool:
    """Whether a call has the arguments of a tool."""
    tool = grammar.tools.get(call.name)
    if tool is None:
        return False
    if isinstance(call.arguments, list):
        return len(call.arguments) == len(tool.parameters)
    return set(tool.parameters) <= {str(k).casefold() for k in call.arguments}


def _line_of(verb: str, given: dict[str, Any] | list[Any], grammar: Grammar) -> list[str]:
    """Lines of actions that a verb and its arguments make."""
    if isinstance(given, list):
        parts = [_scalar(each) for each in given]
        if not parts or len(parts) > 2 or None in parts:
            return []
        forms = [f"{verb} {parts[0]}"] if len(parts) == 1 else [f"{verb} {parts[0]}={parts[1]}"]
    else:
        targets = [v for k, v in given.items() if _role(k) == "target" and isinstance(v, str)]
        values = [v for k, v in given.items() if _role(k) == "value" and _scalar(v) is not None]
        if targets or values:
            forms = [f"{verb} {t}={_scalar(v)}" for t in targets for v in values]
        else:
            forms = [f"{verb} {k}={_scalar(v)}" for k, v in given.items() if _valued(v)]
    lines = [grammar.line(form) for form in forms if len(form) <= LONGEST_LINE]
    return [line for line in lines if line is not None]


def _valued(value: Any) -> bool:
    said = _scalar(value)
    return said is not None and read_number(said) is not None


def _scalar(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip()


def _role(key: str) -> str:
    """What a field is for, by the words of its name."""
    words = _words(key)
    return (
        "value"
        if words & _VALUES or key.casefold() == "to"
        else "target"
        if words & _TARGETS
        else ""
    )


def _bare(folded: Mapping[str, Any], grammar: Grammar) -> list[Said]:
    """The arguments of the one tool that takes just these, or {variable: value} alone."""
    fitting = [
        n for n, t in grammar.tools.items() if t.parameters and set(t.parameters) == set(folded)
    ]
    if len(fitting) == 1:
        return [Said("action", Called(fitting[0], dict(folded)))]
    beside = (*_BESIDE, *_TEXTS)
    kept = {k: v for k, v in folded.items() if not any(word in k for word in beside)}
    roles = sorted(_role(k) for k in kept)
    if roles == ["target", "value"] or (len(kept) == 1 == len(folded)):
        return [Said("action", line) for line in _line_of("do", kept, grammar)]
    return []


def carried(call: Called, grammar: Grammar) -> Any | Malformed | None:
    """What a call does; None: it is none of the tool's."""
    tool = grammar.tools.get(call.name)
    if tool is None or not fits(call, grammar):
        return None
    given = call.arguments
    if isinstance(given, list):
        given = dict(zip(tool.parameters, given, strict=True))
    folded = {str(k).casefold(): v for k, v in given.items()}
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
