"""What is known to move what, among knobs and readings."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedo.errors import UserError

Pair = tuple[str, str]


@dataclass(frozen=True)
class CausalGraph:
    """An acyclic graph of knobs and readings that somebody knows.

    A variable that no arrow touches moves nothing and is moved by nothing.

    Attributes:
        arrows: (cause, effect), in alphabetical order, each once.
        hidden: pairs that something hidden moves both, in alphabetical order.
        notes: how it was read where that is no matter of course, one line each.

    Raises:
        UserError: a pair is none, or variables move one another round a cycle.
    """

    arrows: tuple[Pair, ...]
    hidden: tuple[Pair, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        arrows = {_pair(each) for each in self.arrows}
        pairs = {_pair(each) for each in self.hidden}
        object.__setattr__(self, "arrows", tuple(sorted(arrows)))
        object.__setattr__(self, "hidden", tuple(sorted({(min(p), max(p)) for p in pairs})))
        self.order(())

    @property
    def names(self) -> tuple[str, ...]:
        """Of the variables that an arrow or a hidden cause touches, in alphabetical order."""
        return tuple(sorted({name for pair in (*self.arrows, *self.hidden) for name in pair}))

    def parents(self, names: Iterable[str]) -> set[str]:
        """What has an arrow into one of these."""
        wanted = set(names)
        return {cause for cause, effect in self.arrows if effect in wanted}

    def ancestors(self, names: Iterable[str]) -> set[str]:
        """These, and everything that an arrow, or a way of arrows, leads from to one of them."""
        found, fresh = set(names), set(names)
        while fresh:
            fresh = self.parents(fresh) - found
            found |= fresh
        return found

    def order(self, names: Sequence[str]) -> tuple[str, ...]:
        """All variables, these and those of the graph, causes before effects; else as given.

        Raises:
            UserError: there is a cycle.
        """
        left = list(dict.fromkeys((*names, *self.names)))
        found: list[str] = []
        while left:
            waits = self._effects_of(left)
            ready = next((name for name in left if name not in waits), None)
            if ready is None:
                raise UserError("graph", " -> ".join(self._cycle(left)), "nothing can be its own "
                                "cause, directly or round a cycle: leave out an arrow")  # fmt: skip
            found.append(ready)
            left.remove(ready)
        return tuple(found)

    def where_set(self, knobs: Iterable[str]) -> CausalGraph:
        """The graph of runs in which these knobs are set: nothing else moves them then."""
        own = set(knobs)
        arrows = (pair for pair in self.arrows if pair[1] not in own)
        hidden = (pair for pair in self.hidden if not own.intersection(pair))
        return CausalGraph(tuple(arrows), tuple(hidden))

    def acting(self, knobs: Sequence[str], goals: Iterable[str]) -> tuple[str, ...]:
        """The knobs that move a goal when all of them are set."""
        reached = self.where_set(knobs).ancestors(goals)
        return tuple(name for name in knobs if name in reached)

    def into(self, knobs: Iterable[str]) -> tuple[Pair, ...]:
        """Arrows and hidden causes that move knobs, and so concern only rows in which nobody set
        them."""
        own = set(knobs)
        moved = [pair for pair in self.arrows if pair[1] in own]
        return (*moved, *(pair for pair in self.hidden if own.intersection(pair)))

    def check(self, knobs: Sequence[str], readings: Sequence[str], goals: Sequence[str]) -> None:
        """Refuses a graph of other variables, and one in which no knob moves a goal.

        Raises:
            UserError: names the variable.
        """
        known = (*knobs, *readings)
        for name in self.names:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                remedy = f"did you mean {near[0]!r}?" if near else f"use {', '.join(known)}"
                raise UserError("graph", name, f"neither knob nor reading: {remedy}")
        for goal in goals:
            if not self.acting(knobs, [goal]):
                remedy = f"draw the arrows that lead to it from knobs ({', '.join(knobs)})"
                raise UserError("graph", goal, f"nothing that can be set moves {goal}: {remedy}")

    def to_json(self) -> list[str]:
        """One statement for each arrow and hidden cause, as they are written in a file."""
        return [f"{_written(a)} -> {_written(b)}" for a, b in self.arrows] + [
            f"{_written(a)} <-> {_written(b)}" for a, b in self.hidden
        ]

    def _effects_of(self, names: Iterable[str]) -> set[str]:
        causes = set(names)
        return {effect for cause, effect in self.arrows if cause in causes}

    def _cycle(self, left: Sequence[str]) -> list[str]:
        """Among variables all of which wait for another one."""
        way = [left[0]]
        while way[-1] not in way[:-1]:
            way.append(min(self.parents([way[-1]]) & set(left)))
        return way[way.index(way[-1]) :][::-1]


def _pair(given: Any) -> Pair:
    """Raises UserError unless it is a pair of different names."""
    if not isinstance(given, tuple | list) or [type(name) for name in given] != [str, str]:
        raise UserError("graph", given, 'give pairs of names, e.g. ("temperature", "yield")')
    if given[0] == given[1]:
        raise UserError("graph", given[0], "nothing can be its own cause: leave out the arrow")
    return given[0], given[1]


def _written(name: str) -> str:
    """A name as in a graph's file: in quotes unless it is one plain word."""
    return name if re.fullmatch(r"[\w.]+", name) else '"' + name.replace('"', '""') + '"'
