"""What a player made of words would have done in the place of people, told their own histories."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.inference.binary import FREE, OFF, ON
from seedo.language import Message
from seedo.people.choices import STRATEGIES, Histories, best_marks, scores
from seedo.statistics import clusters_of, mean
from seedo.studies._spoken import TextPlayer

CHOICES = 12
"""Of each person: their first episodes until there are so many."""
_AT_ONCE = 32


def conversation(part: Histories, episode: int, step: int) -> list[Message]:
    """What somebody is told who stands where a person stood: the task, and every test so far."""
    lines = [_task(part), _rules(part)]
    seen = []
    for earlier in range(step):
        done = said(part, int(part.chosen[episode, earlier]))
        seen.append(f"Test {earlier + 1}: {done}. {_outcome(part, episode, earlier)}")
    lines += seen or ["No test was made yet."]
    lines.append(f"Which test next? Test {step + 1}:")
    return [{"role": "user", "content": "\n".join(lines)}]


def said(part: Histories, setting: int) -> str:
    """An intervention as it is written: `A on, B off`, or `nothing`."""
    held = dict(zip(part.names, part.settings[setting].tolist(), strict=True))
    if part.graphs is None:  # whatever is not named is off
        held = {name: value for name, value in held.items() if value == ON}
    each = [f"{name} {'on' if v == ON else 'off'}" for name, v in held.items() if v != FREE]
    return ", ".join(each) or "nothing"


def understood(part: Histories, reply: str) -> int | None:
    """Which intervention a reply says, by number; None: none that could be chosen. The first line
    counts that says one."""
    names = "|".join(map(re.escape, part.names))
    usual = OFF if part.graphs is None else FREE
    for line in reply.splitlines():
        found = re.findall(rf"(?<!\w)({names})\s+(on|off)(?!\w)", line, re.IGNORECASE)
        if not found and not re.search(r"\bnothing\b", line, re.IGNORECASE):
            continue
        wanted: dict[str, int] = {}
        for name, how in found:
            value = ON if how.lower() == "on" else OFF
            if wanted.setdefault(name.lower(), value) != value:
                return None
        setting = [wanted.get(name.lower(), usual) for name in part.names]
        match = (part.settings == np.array(setting)).all(axis=1)
        return int(match.argmax()) if match.any() else None
    return None


def _task(part: Histories) -> str:
    names = ", ".join(part.names)
    if part.graphs is None:
        return (
            f"A machine goes or stays off, by which objects lie on it: {names}. Some objects are "
            "blickets; either any one of them makes it go, or it takes all of them together."
        )
    text = (
        f"Parts of a device turn each other on: {names}. A part comes on by itself in "
        f"{part.background:.0%} of tests; a part that is on turns on each part that it is linked "
        f"to with probability {part.strength:.0%}."
    )
    if len(part.graphs) == 2:
        text += " The links are either " + " or ".join(_links(part, g) for g in part.graphs) + "."
    return text + " Find out which part is linked to which."


def _links(part: Histories, graph: NDArray[np.bool_]) -> str:
    found = [f"{part.names[i]} to {part.names[j]}" for i, j in np.argwhere(graph).tolist()]
    return "; ".join(found) or "none"


def _rules(part: Histories) -> str:
    rest = "left free" if part.graphs is not None else "off the machine"
    held = (part.settings != FREE).sum(axis=1)
    first, second = part.names[:2]
    if held.max() == 1:
        return f"A test turns one part on, e.g. {first} on, or {second} on. Answer with one test."
    return (
        f"A test says what is on or off; what is not named is {rest}. E.g. {first} on, or "
        f"{first} on, {second} off, or nothing. Answer with one test and no other word."
    )


def _outcome(part: Histories, episode: int, step: int) -> str:
    number = int(part.seen[episode, step])
    if part.graphs is None:
        return "The machine goes." if number else "The machine stays off."
    n = len(part.names)
    on = [name for k, name in enumerate(part.names) if number >> (n - 1 - k) & 1]
    return f"On then: {', '.join(on) or 'none'}."


def agreement(
    parts: Sequence[Histories], player: TextPlayer, people: int, seed: int
) -> dict[str, Any]:
    """How often a player would have done what people did next, beside random and the strategies.

    Args:
        parts: of one task.
        player: who is asked.
        people: how many of them, drawn.

    Returns:
        Shares of choices with intervals over people; `no test`: replies that say none.
    """
    everybody = np.unique(np.concatenate([part.person for part in parts]))
    rng = np.random.default_rng(seed)
    asked = rng.choice(everybody, min(people, len(everybody)), replace=False)
    left = dict.fromkeys(asked.tolist(), CHOICES)
    whose: list[str] = []
    found: dict[str, list[float]] = {name: [] for name in (player.name, "no test", *STRATEGIES)}
    for part in parts:
        rows = []
        for row, person in enumerate(part.person.tolist()):
            if left.get(person, 0) > 0:
                left[person] -= part.chosen.shape[1]
                rows.append(row)
        at = [(row, step) for row in rows for step in range(part.chosen.shape[1])]
        replies = []
        for start in range(0, len(at), _AT_ONCE):
            some = at[start : start + _AT_ONCE]
            replies += player.ask([conversation(part, row, step) for row, step in some])
        marks = {name: best_marks(scores(part, name))[0] for name in STRATEGIES}
        for (row, step), reply in zip(at, replies, strict=True):
            taken, own = understood(part, reply), int(part.chosen[row, step])
            whose.append(str(part.person[row]))
            found[player.name].append(float(taken == own))
            found["no test"].append(float(taken is None))
            for name, mark in marks.items():
                best = mark[row, step]
                found[name].append(float(best[own] / best.sum()))
    cluster = clusters_of(whose)
    own_share = np.array(found[player.name])
    told = {name: mean(values, cluster).to_json() for name, values in found.items()}
    less = {n: mean(own_share - np.array(found[n]), cluster).to_json() for n in STRATEGIES}
    return {"player": player.name, "choices": len(whose), "agrees": told, "less": less}
