"""Actions that are written as calls of tools, as JSON, XML, fields or in boxes: made lines of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from seedo.language.scenes.replies._elements import elements
from seedo.language.scenes.replies._fields import Called, Said, carried, known, said_by
from seedo.language.scenes.replies._grammar import Grammar
from seedo.language.scenes.replies._malformed import Malformed

_MOST = 32  # places at which JSON is looked for
_LONGEST = 2_000  # characters of what is read as JSON

_FINAL_TAGS = ("answer", "final_answer", "final", "reply", "response", "solution")
_TAGGED = re.compile(
    rf"<(?P<tag>{'|'.join(_FINAL_TAGS)}|action|output|command|move|choice|decision|experiment|"
    r"intervention|next_action)>(?P<said>[^<]{0,400})(?:</\w{1,20}>|(?=<)|\Z)",
    re.IGNORECASE,
)
_BOXED = re.compile(r"\\(?:boxed|fbox)\{(?P<said>(?:[^{}\n]|\{[^{}\n]{0,200}\}){0,300})\}")
_HASHES = re.compile(r"(?:^|\n)\s{0,4}####\s{1,4}(?=\S)")
_HOLDER = re.compile(
    r"</?(?:tool_calls?|function_calls?|tool|call|json|function|invoke|answer|action)>",
    re.IGNORECASE,
)
_NAME_BEFORE = re.compile(
    r"(?:^|"
    r"[\n>\]`])[ \t]{0,4}(?:function[ \n]{0,3})?(?:functions?\.)?([A-Za-z_]\w{0,40})(?::\d{1,3})?"
    r"\s{0,3}(?:\[CALL_ID\]\w{1,40})?(?:\[ARGS\])?\s{0,3}(?:```(?:json)?)?\s{0,3}$"
)
_CODE = re.compile(
    r"^[ \t`>]{0,8}(?:\w{1,20}(?:, ?\w{1,20}){0,4} ?= ?)?(?:(?:await|return|yield) )?"
    r"(?:[A-Za-z_]\w{0,30}\.){0,3}([A-Za-z_]\w{0,30})(?:\.call)? ?\(([^\n]{0,300})\)"
    r"[;.`]{0,3}[ \t]{0,4}"
    r"(?:(?:#|//)[^\n]{0,200})?$",
    re.MULTILINE,
)
_CALLED = re.compile(
    r"(?<![\w.])(?:(?:agent|env|environment|self|system|world|scm|functions?|tools?|api|client|"
    r"lab)\.)?"
    r"([A-Za-z_]\w{0,30})(?:\.call)? ?\(([^()\n]{0,200})\)"
)
_LITERAL = re.compile(r"\s{0,4}(?:\w{1,20} ?= ?)?(?:\"([^\"\n]{0,200})\"|'([^'\n]{0,200})')\s{0,4}")
_FIELD = re.compile(
    r"^[ \t]{0,8}(?:[-*•][ \t]{1,3})?[*_\"'`]{0,3}(?P<key>[A-Za-z][\w -]{0,30}?)"
    r"[*_\"'`]{0,3}[ \t]?[:=]"
    r"[*_]{0,2}[ \t]{0,4}(?P<value>[^\n:={}]{0,80}|[^\n{}:]{0,80}=[^\n{}:]{0,40})$"
)
_PAIR = re.compile(
    r"(?:--)?[*_]{0,2}([A-Za-z_]{1,20})[*_]{0,2}[ ]?[:= ][ ]?[\"'`]?([^\s,;|\"'`:=]{1,40})[\"'`]?"
)
_KEYS = frozenset(
    """action tool function type verb command variable var target node name value val level input
    parameters arguments args intervention operation""".split()
)
_TABLE = re.compile(
    r"(?:(?<=\n)|\A)[ ]{0,4}\|(?P<head>[^\n]{3,160})\|[ ]{0,4}\n[ ]{0,4}\|[ :|-]{3,80}\n"
    r"[ ]{0,4}\|(?P<row>[^\n]{3,160})\|[ ]{0,4}(?=\n(?!\s{0,4}\|)|\Z)"
)
"""A table of one row."""


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
    closed = (f"{part.rstrip()}{end}" for end in ("}", "}}") if part.count("{") > part.count("}"))
    for written in (part, part.replace("'", '"'), *closed):
        try:
            value, size = decoder.raw_decode(written)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) or (isinstance(value, list) and _is_object(value)):
            return value, size
    return None


def _is_object(value: list[Any]) -> bool:
    return bool(value) and (
        all(isinstance(each, dict) for each in value)
        or (len(value) == 1 and isinstance(value[0], str))
    )


def _arguments_of(text: str) -> dict[str, Any] | list[Any]:
    """The arguments between the brackets of a call, by name or by place; numbers stay texts."""
    if text.lstrip().startswith("{"):
        found = _decoded(json.JSONDecoder(), text.strip())
        return found[0] if found is not None else []
    named: dict[str, Any] = {}
    placed: list[Any] = []
    for part in text.split(",") if text.strip() else ():
        name, equals, value = part.partition("=")
        if equals and re.fullmatch(r"\s*[A-Za-z_]{1,20}\s*", name):
            named[name.strip().casefold()] = value.strip(" \"'`")
        else:
            placed.append(part.strip(" \"'`"))
    return named if named and not placed else placed


class _Lines:
    """Makes lines of what is said by records; keeps what was repaired and what cannot be done."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.how: set[str] = set()
        self.broken: list[tuple[Called, Malformed]] = []

    def of(self, said: list[Said]) -> str | None:
        """Lines behind marks; None: nothing is said."""
        lines = []
        for mark, what in said:
            line = what if isinstance(what, str) else self._call(what)
            if line is None:
                return None
            lines.append(f"{mark}: {line}" if line else "")
        if not lines:
            return None
        self.how.add("call")
        return "\n" + "\n".join(filter(None, dict.fromkeys(lines))) + "\n"

    def record(self, value: Any) -> str | None:
        return self.of(said_by(value, self.grammar))

    def called(self, name: str, arguments: Any) -> str | None:
        """Lines of a call; None: nothing by that name can be done."""
        if not known(name, self.grammar):
            return None
        return self.record({"name": name, "arguments": arguments})

    def _call(self, call: Called) -> str | None:
        found = carried(call, self.grammar)
        if isinstance(found, Malformed):
            self.broken.append((call, found))
            return ""
        return None if found is None else self.grammar.write(found)


def in_lines(
    text: str, grammar: Grammar
) -> tuple[str, frozenset[str], list[tuple[Called, Malformed]]]:
    """A text whose calls, JSON, XML, fields and boxes are written as lines, the repairs that this
    is, and the calls that cannot be done."""
    lines = _Lines(grammar)
    text = _HASHES.sub("\nfinal answer: ", text)
    text = _boxes(_BOXED, text)
    if "<" in text:
        text = _cut_out(text, elements(text), lines.record)
        text = _boxes(_TAGGED, text)
        text = _HOLDER.sub("\n", text)
    if "{" in text or "[" in text:
        text = _without_json(text, lines)
    if "(" in text:
        text = _CODE.sub(lambda match: _code(match, lines), text)
        text = _CALLED.sub(lambda match: _inline(match, lines), text)
    text = _without_fields(_TABLE.sub(lambda match: _table(match, lines), text), lines)
    return text, frozenset(lines.how), lines.broken


def _boxes(pattern: re.Pattern[str], text: str) -> str:
    """Boxes as lines behind a mark; what stands before one in its line leads to it."""

    def line(match: re.Match[str]) -> str:
        tag = match.groupdict().get("tag", "answer").casefold()
        mark = "final answer" if tag in _FINAL_TAGS else "action"
        return f"{_opened(text[: match.start()])}\n{mark}: {match['said'].strip()}\n"

    return pattern.sub(line, text)


def _opened(before: str) -> str:
    last = before[-200:].rpartition("\n")[2].rstrip(" *_`$(\"'")
    return "" if not last or last[-1] in ":.!?" else ":"


def _cut_out(
    text: str, found: Iterator[tuple[int, int, Any]], lines: Callable[[Any], str | None]
) -> str:
    """A text with lines in the place of the records found in it."""
    kept, place = [], 0
    for start, end, value in found:
        said = lines(value)
        if said is None or start < place:
            continue
        kept += [text[place:start], _opened(text[:start]), said]
        place = end
    return "".join([*kept, text[place:]])


def _without_json(text: str, lines: _Lines) -> str:
    kept, place = [], 0
    for start, end, value in _json_in(text):
        before = text[place:start]
        named = _NAME_BEFORE.search(before[-120:])
        said = None
        if named is not None and isinstance(value, dict) and "name" not in value:
            said = lines.called(named[1], value)
        if said is not None and named is not None:
            before = before[: len(before) - len(before[-120:]) + named.start()]
        else:
            said = lines.record(value)
        if said is None:
            continue
        kept += [before, _opened(before or text[:start]), said.replace("\n\n", "\n")]
        place = end
    return "".join([*kept, text[place:]])


def _code(match: re.Match[str], lines: _Lines) -> str:
    """A line of code that calls something, as a line of an action."""
    name, given = match[1], match[2]
    if not known(name, lines.grammar) or not _balanced(given):
        return match[0]
    literal = _LITERAL.fullmatch(given)
    if literal is not None and lines.grammar.line(literal[1] or literal[2] or "") is not None:
        said = lines.called(name, [literal[1] or literal[2]])
    else:
        line = lines.grammar.line(given) if "(" in given else None
        said = lines.called(name, _arguments_of(given) if line is None else [line])
    return match[0] if said is None else said.strip("\n")


def _balanced(text: str) -> bool:
    """Whether brackets close in it only what they open in it."""
    deep = 0
    for sign in text:
        deep += (sign == "(") - (sign == ")")
        if deep < 0:
            return False
    return deep == 0


def _inline(match: re.Match[str], lines: _Lines) -> str:
    """A call in the middle of a line; in the form of the grammar it stays as it is."""
    line = match.string[max(0, match.start() - 200) : match.start()].rpartition("\n")[2]
    if line.lstrip().startswith(("#", "//")):
        return match[0]  # a comment
    if lines.grammar.line(match[0]) is not None and "." not in match[0].partition("(")[0]:
        return match[0]
    if not known(match[1], lines.grammar):
        return match[0]
    said = lines.called(match[1].lower(), _arguments_of(match[2]))
    if said is None or said.count(": ") > 1:
        return match[0]
    return said.strip("\n").partition(": ")[2] or "\n"


def _without_fields(text: str, lines: _Lines) -> str:
    """A text whose fields, one a line or all in one, are written as lines of actions."""
    kept: list[str] = []
    run: list[tuple[str, str, str]] = []

    def close() -> None:
        if run:
            fields = {key: value for key, value, _ in run}
            said = lines.record(fields) if len(run) > 1 else None
            rows = [_row_of_fields(line, lines) for _, _, line in run]
            kept.extend(rows if said is None else said.strip("\n").split("\n"))
            run.clear()

    for line in text.split("\n"):
        match = _FIELD.match(line) if len(line) < 140 else None
        key = "_".join(match["key"].casefold().split()) if match is not None else ""
        if match is not None and set(re.findall("[a-z]+", key)) & _KEYS:
            if any(key == k for k, _, _ in run):
                close()
            run.append((key, match["value"].strip(" *_`\"'"), line))
            continue
        close()
        kept.append(_row_of_fields(line, lines))
    close()
    return "\n".join(kept)


def _table(match: re.Match[str], lines: _Lines) -> str:
    """A table of one row that is an action, as a line."""
    head = [cell.strip(" *`").casefold() for cell in match["head"].split("|")]
    row = [cell.strip(" *`") for cell in match["row"].split("|")]
    if len(head) != len(row) or not set(head) <= _KEYS or len(set(head)) < 2:
        return match[0]
    record = dict(zip(head, row, strict=True))
    if set(record) == {"action", "value"}:
        line = lines.grammar.line(f"{record['action']}={record['value']}")
        said = None if line is None else lines.of([Said("action", line)])
    else:
        said = lines.record(record)
    return match[0] if said is None else said.strip("\n")


def _row_of_fields(line: str, lines: _Lines) -> str:
    """A line that is nothing but fields, as a line of an action."""
    bare = line.strip(" \t-*•`")
    if not 8 < len(bare) < 140 or "alue" not in bare:
        return line
    verb, _, rest = bare.partition(" ")
    if not verb.isidentifier() or not known(verb, lines.grammar):
        verb, rest = "", bare
    pairs = [m for m in _PAIR.finditer(rest)]
    left = _PAIR.sub("", rest).strip(" ,;|.")
    if left or not all(m[1].casefold() in _KEYS for m in pairs):
        return line
    record: dict[str, Any] = {m[1].casefold(): m[2] for m in pairs}
    if len(record) < len(pairs):
        return line
    said = lines.called(verb, record) if verb else lines.record(record)
    return line if said is None else said.strip("\n")
