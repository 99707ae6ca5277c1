"""Elements of XML in a text, as records of fields: `<set><variable>x</variable>…`, whatever the
family of models that writes its calls so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_TAG = re.compile(
    r"<(?P<close>/?)(?:[a-z]{1,12}:)?(?P<name>[A-Za-z_][\w.-]{0,40})"
    r"(?P<with>(?:\s|=)[^<>]{0,200}?)?\s?(?P<empty>/?)>"
)
_ATTRIBUTE = re.compile(
    r"([\w-]{1,40})\s?=\s?(?:\"([^\"]{0,200})\"|'([^']{0,200})'|([^\s\"'>]{1,200}))"
)
_MOST = 200  # tags that are looked at
_CALLS = frozenset(
    """tool_call tool_calls function_call function_calls function functions invoke tool tools
    tool_use call action actions intervention command move experiment do set intervene fix observe
    take change put remove answer final_answer response output choice decision""".split()
)
_VERBS = frozenset("do set intervene fix observe take change put remove".split())
_NAMED = frozenset("parameter param arg argument property field".split())


class Element:
    """An element of XML, with what stands in it."""

    def __init__(self, name: str, attributes: dict[str, str], start: int, inside: int) -> None:
        self.name, self.attributes = name, attributes
        self.start, self.inside, self.end = start, inside, inside
        self.text = ""
        self.parts: list[Element] = []


def elements(text: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Outermost elements that are written as calls, from left to right: where each begins and ends,
    and what it says as a record. An element that is not closed goes on to the end."""
    for element in _outermost(text):
        record = _record(element)
        if record is not None:
            yield element.start, element.end, record


def _outermost(text: str) -> list[Element]:
    found: list[Element] = []
    opened: list[Element] = []
    for count, tag in enumerate(_TAG.finditer(text)):
        if count >= _MOST:
            return []
        name = tag["name"].casefold()
        if tag["close"]:
            names = [e.name for e in opened]
            if name in names:
                while opened:
                    last = opened.pop()
                    last.end, last.text = tag.end(), text[last.inside : tag.start()]
                    if last.name == name:
                        break
            continue
        if not opened and name not in _CALLS:
            continue
        element = Element(name, _attributes(tag["with"] or ""), tag.start(), tag.end())
        (opened[-1].parts if opened else found).append(element)
        if not tag["empty"] and len(opened) < 8:
            opened.append(element)
    for element in opened:
        element.end, element.text = len(text), text[element.inside :]
    return found


def _attributes(text: str) -> dict[str, str]:
    if text.startswith("="):  # <function=do>
        return {"name": text[1:].strip(" \"'")}
    return {m[1].casefold(): m[2] or m[3] or m[4] or "" for m in _ATTRIBUTE.finditer(text)}


def _record(element: Element) -> dict[str, Any] | None:
    """What an element says as fields; None: it is text alone."""
    fields = _fields(element)
    body = element.text.strip()
    if element.name in _VERBS:
        given = element.attributes | fields
        if not given:
            return {"name": element.name, "arguments": _loaded(body)} if body else {
                "name": element.name}  # fmt: skip
        return {
            "name": element.name,
            "arguments": given | ({} if fields or not body else {"value": body}),
        }
    name = element.attributes.get("name")
    given = {k: v for k, v in element.attributes.items() if k != "name"} | fields
    if len(fields) == 1 and not element.attributes and isinstance(
        inner := next(iter(fields.values())), dict
    ):  # fmt: skip
        return inner  # a call in its holder
    leading = body.partition("\n")[0].partition("<")[0].strip()
    if name is None and given and re.fullmatch(r"[A-Za-z_]\w{0,40}", leading):
        name = leading
    if name is None:
        return given or None
    if not given and body.startswith("{"):
        loaded = _loaded(body)
        return {"name": name, "arguments": loaded} if isinstance(loaded, dict) else None
    return {"name": name, "arguments": given} if given or not body else None


def _loaded(body: str) -> Any:
    """JSON in an element, or its text as the one argument."""
    if body.startswith(("{", "[")):
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            return []
    return [body]


def _fields(element: Element) -> dict[str, Any]:
    """The parts of an element by name; parts of the same name are in a list."""
    fields: dict[str, Any] = {}
    pending = ""
    for part in element.parts:
        value: Any = part.text.strip()
        if part.name == "arg_key":
            pending = value
            continue
        key = part.name
        if part.name in _NAMED and (named := part.attributes.get("name", "")):
            key, value = named, part.attributes.get("value", value)
        elif part.name == "arg_value":
            key = pending
        elif part.parts or (part.attributes and not value):
            value = _record(part) or {}
        if key in fields:
            before = fields[key]
            value = [*before, value] if isinstance(before, list) else [before, value]
        fields[key] = value
    return fields
