"""What a known graph says of each reading: what predicts it, in which rows, and what does not.

In runs, where the knobs are set, readings in the order of the graph are each predicted by their
parents, and by those earlier readings, and their parents, to which hidden common causes tie them:
the rest says nothing more (the ordered local Markov property of acyclic directed mixed graphs,
Richardson 2003, Scandinavian Journal of Statistics 30). What a knob does to a goal is then the
chain of these predictions, whatever is hidden. In rows in which nobody set the knobs a prediction
is the same if what it is of is separated, given what it is from, from whatever moves the knobs
(Pearl & Bareinboim 2014, Statistical Science 29).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from seedo.spaces import CausalGraph

if TYPE_CHECKING:
    import networkx as nx

Names = tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """One reading on the way from the knobs to a goal.

    Attributes:
        reading: its name.
        knobs, readings: what predicts it, in the order of knobs and of the graph.
        everywhere: whether rows in which nobody set the knobs tell the same of it as runs.
        idle: knobs and readings that say nothing more about it in runs.
        idle_watched: the same of rows in which nobody set the knobs; () unless `everywhere`.
    """

    reading: str
    knobs: Names
    readings: Names
    everywhere: bool
    idle: Names
    idle_watched: Names


@lru_cache(maxsize=64)
def steps(graph: CausalGraph, knobs: Names, readings: Names, goals: Names) -> tuple[Step, ...]:
    """The readings through which knobs move goals, and the goals, causes before effects."""
    made = graph.where_set(knobs)
    order = [name for name in graph.order((*knobs, *readings)) if name in readings]
    there = made.ancestors(goals)
    both = _separating(made, knobs, readings), _separating(graph, knobs, readings)
    return tuple(
        _step(name, order[:place], there, made, knobs, both)
        for place, name in enumerate(order)
        if name in there
    )


@lru_cache(maxsize=64)
def told_by_watching(
    graph: CausalGraph, knobs: Names, readings: Names, goals: Names
) -> tuple[bool, ...]:
    """By goal: whether rows in which nobody set the knobs tell what knobs do to it."""
    watched = _separating(graph, knobs, readings)
    return tuple(_separated(watched, goal, map(_mover, knobs), set(knobs)) for goal in goals)


def _step(
    name: str, earlier: list[str], there: set[str], made: CausalGraph, knobs: Names,
    both: tuple[nx.DiGraph, nx.DiGraph],
) -> Step:  # fmt: skip
    before = [other for other in earlier if other in there]
    tied = _tied(name, before, made)
    given = (made.parents({name, *tied}) | tied) - {name}
    others = [other for other in (*knobs, *earlier) if other not in given]
    in_runs, watched = both
    everywhere = _separated(watched, name, map(_mover, knobs), given)
    return Step(
        name,
        tuple(knob for knob in knobs if knob in given),
        tuple(each for each in before if each in given),
        everywhere,
        tuple(other for other in others if _separated(in_runs, name, [other], given)),
        tuple(
            other for other in others if everywhere and _separated(watched, name, [other], given)
        ),
    )


def _tied(name: str, before: list[str], graph: CausalGraph) -> set[str]:
    """Earlier readings that hidden common causes tie to one, directly or from one to the next."""
    found, fresh = {name}, {name}
    while fresh:
        fresh = {
            other
            for pair in graph.hidden
            for here, other in (pair, pair[::-1])
            if here in fresh and other in before and other not in found
        }
        found |= fresh
    return found - {name}


def _mover(knob: str) -> tuple[str, str]:
    """Whatever moves a knob while nobody sets it, and what else it is moved by, as a variable."""
    return ("moves", knob)


def _separating(graph: CausalGraph, knobs: Names, readings: Names) -> nx.DiGraph:
    """The graph with a variable for each hidden common cause, and for what moves each knob."""
    import networkx as nx  # here, because it takes long to import

    whole = nx.DiGraph()
    whole.add_nodes_from((*knobs, *readings))
    whole.add_edges_from(graph.arrows)
    for pair in graph.hidden:
        whole.add_edges_from((("hidden", pair), name) for name in pair)
    whole.add_edges_from((_mover(knob), knob) for knob in knobs)
    return whole


def _separated(graph: nx.DiGraph, name: str, others: Iterable[object], given: set[str]) -> bool:
    import networkx as nx

    return bool(nx.is_d_separator(graph, {name}, set(others), given))
