"""A mock that follows instructions: it knows nothing but the messages, and no causal theory.

In `dag` it sets each variable once, then the one with the largest effect seen on the goal; in
`rooms` it makes objects unique in one attribute after another and remembers which was rewarded;
with `blicket` it moves one object at a time; of an item's options it takes the first. It stands in
for a language model where none can be had.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from seedo.language.scenes import Message

LOST = "I do not understand what I am asked to do."

_RESULT = re.compile(r"(\S{1,40})=(-?\d{1,12}(?:\.\d{1,12})?)")
_DO = re.compile(r"do (\S{1,40})=(\S{1,40})")
_CALL = re.compile(r'set_variable\(variable="(\S{1,40})", value=(\S{1,40})\)')
_VALUES = re.compile(r"set one variable to (.{1,200}?)(?:;|, or only)")
_OPTIONS = re.compile(r"The answer is (?:one of|those of) (.{1,400}?)(?: that apply|\.)")
_OBJECT = re.compile(r"([1-4]): (.{1,200})")
_NAMED = re.compile(r"(colour|shape|texture|place) (\S{1,40})")
_TOOK = re.compile(r"You took ([1-4])\. Reward: ([01])")
_LIT = re.compile(r"On the machine: (.{0,1000})\. Light: (on|off)")
_ASKED = re.compile(r"Is (\S{1,40}) a blicket\?")
_ATTRIBUTES = ("colour", "shape", "texture")


def follow(messages: Sequence[Message]) -> str:
    """The follower's reply, a line of text."""
    found = _act(messages)
    return found if isinstance(found, str) else found[0]


def follow_with_tools(
    messages: Sequence[Message], tools: Sequence[str]
) -> tuple[str, dict[str, Any]] | None:
    """The follower's reply as a call (tool, arguments); None: it has only words, see `follow`."""
    found = _act(messages)
    return None if isinstance(found, str) or found[1] not in tools else (found[1], found[2])


_Found = str | tuple[str, str, dict[str, Any]]
"""Words, or the same action as a line and as a call."""


def _act(messages: Sequence[Message]) -> _Found:
    rules = "\n".join(m["content"] for m in messages if m["role"] == "system")
    last = messages[-1]["content"] if messages else ""
    if "Do not act yet" in last:
        if "arrows: " in last:
            return "arrows: none"
        return "Each result shows what followed when one thing was done; I go by the largest."
    if "You study a system of" in rules:
        return _in_dag(rules, messages)
    if "There are rooms with four objects" in rules:
        return _in_rooms(messages)
    if "There is a machine with a light" in rules:
        return _with_blickets(messages)
    if match := _OPTIONS.search(rules):
        return f"Answer: {match[1].split(', ')[0].strip()}"
    return LOST


# -- dag ------------------------------------------------------------------------------------------


def _in_dag(rules: str, messages: Sequence[Message]) -> _Found:
    values = _VALUES.search(rules)
    sayable = values[1].split(" or ") if values else []
    numbers = sorted((float(v), v) for v in sayable if _number(v) is not None)
    starts = [i for i, m in enumerate(messages) if m["content"].startswith("Variables: ")]
    if not starts:
        return LOST
    own = messages[starts[-1] :]
    names = own[0]["content"].split("\n")[0].removeprefix("Variables: ").split()
    relevant, goal = names, None
    effects: dict[str, dict[str, float]] = {}  # per unit set: variable -> what each did
    done: tuple[str, float] | None = None
    for message in own:
        if message["role"] == "assistant":
            done = _setting(message["content"])
            continue
        for line in message["content"].split("\n"):
            if line.startswith("Relevant: "):
                relevant = line.removeprefix("Relevant: ").split()
            elif line.startswith("Goal: "):
                goal = line.removeprefix("Goal: ").strip()
            elif (row := dict(_RESULT.findall(line))) and set(row) == set(names) and done:
                if done[1]:
                    effects[done[0]] = {k: float(v) / done[1] for k, v in row.items()}
                done = None
    untried = [name for name in relevant if name not in effects and name != goal]
    if goal is None:
        if not untried:
            return "observe", "observe", {}
        return _set(untried[0], numbers[-1] if numbers else (2.0, "2.0"))
    tried = {name: e[goal] for name, e in effects.items() if name != goal and name in relevant}
    if tried:
        best = max(tried, key=lambda name: abs(tried[name]))
        return _set(best, numbers[-1 if tried[best] >= 0 else 0] if numbers else (2.0, "2.0"))
    return _set(untried[0], numbers[-1] if numbers else (2.0, "2.0")) if untried else LOST


def _set(name: str, value: tuple[float, str]) -> _Found:
    return f"do {name}={value[1]}", "set_variable", {"variable": name, "value": value[0]}


def _setting(reply: str) -> tuple[str, float] | None:
    lines = reply.strip().split("\n")
    match = _DO.fullmatch(lines[-1].strip()) or _CALL.fullmatch(lines[-1].strip())
    value = _number(match[2]) if match else None
    return (match[1], value) if match and value is not None else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


# -- rooms ----------------------------------------------------------------------------------------


@dataclass
class _Memory:
    """What the trials so far leave possible."""

    candidates: list[str] = field(default_factory=lambda: list(_ATTRIBUTES))
    room: dict[int, dict[str, str]] = field(default_factory=dict)

    def unique(self, thing: int) -> list[str]:
        """The attributes in which an object is the only one with its value."""
        own = self.room[thing]
        others = [o for k, o in self.room.items() if k != thing]
        return [a for a in _ATTRIBUTES if all(o.get(a) != own.get(a) for o in others)]

    def rewarded(self, thing: int, reward: bool) -> None:
        shown = self.unique(thing) if self.room else []
        left = [a for a in self.candidates if (a in shown) == reward]
        self.candidates = left or self.candidates


def _in_rooms(messages: Sequence[Message]) -> _Found:
    memory, changeable = _Memory(), False
    starts = [i for i, m in enumerate(messages)
              if m["role"] == "user" and m["content"].split("\n")[0].startswith(
                  ("Trial 1 of", "This trial", "What decides"))]  # fmt: skip
    for message in messages[starts[-1] if starts else 0 :]:
        if message["role"] != "user":
            continue
        lines = message["content"].split("\n")
        for line in lines:
            if match := _TOOK.search(line):
                if int(match[1]) in memory.room:
                    memory.rewarded(int(match[1]), match[2] == "1")
            elif line.startswith("What decides: "):
                memory.candidates = [line.removeprefix("What decides: ").strip()]
        room = {int(m[1]): _look(m[2]) for line in lines if (m := _OBJECT.fullmatch(line))}
        if len(room) == 4:
            memory.room = room
            changeable = "you may change one thing" in message["content"]
    if not memory.room:
        return LOST
    if changeable and len(memory.candidates) > 1:
        attribute = memory.candidates[0]
        return (
            f"change {attribute} of 1",
            "change",
            {"object": 1, "attribute": attribute},
        )
    ranked = [[a for a in memory.unique(k) if a in memory.candidates] for k in sorted(memory.room)]
    fits = [(len(u), k) for k, u in zip(sorted(memory.room), ranked, strict=True) if u]
    thing = min(fits)[1] if fits else 1
    return f"take {thing}", "take", {"object": thing}


def _look(text: str) -> dict[str, str]:
    named = dict(_NAMED.findall(text))
    if named:
        return named
    words = text.split()
    return dict(zip(("colour", "texture", "shape"), words, strict=False))


# -- blicket --------------------------------------------------------------------------------------


def _with_blickets(messages: Sequence[Message]) -> _Found:
    starts = [i for i, m in enumerate(messages) if m["content"].startswith("Objects: ")]
    if not starts:
        return LOST
    own = [m["content"] for m in messages[starts[-1] :] if m["role"] == "user"]
    first = own[0].split("\n")
    names = first[0].removeprefix("Objects: ").split()
    begun = _on(first[1].removeprefix("On the machine: ")) if len(first) > 1 else set()
    full, now = len(begun) == len(names), begun
    told: dict[str, bool] = {}  # object -> whether it alone made the difference
    for text in own:
        for match in _LIT.finditer(text):
            now = _on(match[1])
            if len(odd := now ^ begun) == 1:
                told[next(iter(odd))] = (match[2] == "on") != full
    if asked := _ASKED.search(own[-1]) or next(map(_ASKED.search, reversed(own)), None):
        # Where no object ever made a difference, it may take all of them.
        yes = told.get(asked[1], False) or not any(told.values())
        return "yes" if yes else "no", "answer", {"yes": yes}
    moved = sorted(now ^ begun)
    untried = [name for name in names if name not in told]
    if not moved and not untried:
        return "observe", "observe", {}
    name = moved[0] if moved else untried[0]
    verb = "remove" if name in now else "put"
    return f"{verb} {name}", verb, {"object": name}


def _on(said: str) -> set[str]:
    return set() if said == "nothing" else set(said.split())
