"""A causal graph somebody knows: its file format, and what is wrong with a file."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError

if TYPE_CHECKING:
    import networkx as nx

_ARROW = re.compile(r"(<->|->|<-)")
_FORMAT = "write 'A -> B', 'A <-> B' (a hidden common cause) or 'A'"


@dataclass(frozen=True)
class KnownGraph:
    """An acyclic directed mixed graph.

    Attributes:
        variables: names.
        directed: (cause, effect).
        bidirected: pairs with a hidden common cause, each pair in the order of `variables`.
    """

    variables: tuple[str, ...]
    directed: frozenset[tuple[str, str]]
    bidirected: frozenset[tuple[str, str]] = frozenset()

    @property
    def adjacency(self) -> NDArray[np.bool_]:
        """bool[n, n] (parent, child) of the directed edges."""
        place = {name: i for i, name in enumerate(self.variables)}
        edges = np.zeros((len(place), len(place)), np.bool_)
        for cause, effect in self.directed:
            edges[place[cause], place[effect]] = True
        return edges

    def to_networkx(self) -> nx.DiGraph:
        """The directed edges."""
        import networkx as nx  # here, because it takes long to import

        graph = nx.DiGraph()
        graph.add_nodes_from(self.variables)
        graph.add_edges_from(sorted(self.directed))
        return graph

    def check(self, names: Sequence[str], field: str) -> None:
        """Refuse names that are not in the graph.

        Raises:
            UserError: naming the first of them, and the nearest there is.
        """
        for name in names:
            if name not in self.variables:
                raise UserError(field, name, _nearest(name, self.variables))


def read_graph(path: Path | str, variables: Sequence[str] | None = None) -> KnownGraph:
    """Read a graph file; see `parse_graph` for its format.

    Raises:
        UserError: the file cannot be read, or is not a graph.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            "graph", str(path), f"name a text file that can be read ({error})"
        ) from None
    return parse_graph(text, variables, path.name)


def parse_graph(
    text: str, variables: Sequence[str] | None = None, source: str = "graph"
) -> KnownGraph:
    """Read a graph from text.

    Statements stand one a line or are separated by commas: ``A -> B`` (also ``B <- A``, and chains
    ``A -> B -> C``), ``A <-> B`` for a hidden common cause, ``A`` for a variable without edges;
    ``#`` begins a comment. A first line ``source,target`` makes it a CSV of directed edges.

    Args:
        text: the statements.
        variables: the names that may occur; all names may if None. They also give the order of
            the graph's variables, which otherwise is that of first mention.
        source: what the text is called in messages.

    Raises:
        UserError: a statement that cannot be read, an unknown name, a variable that causes itself
            directly or round a cycle. Names the line and its text.
    """
    mentioned: dict[str, None] = {}
    directed: dict[tuple[str, str], tuple[int, str]] = {}
    bidirected: set[tuple[str, str]] = set()
    for number, line, names, arrows in _statements(text, source):
        where = f"{source}, line {number}"
        for name in names:
            if not name:
                raise UserError(where, line, _FORMAT)
            if variables is not None and name not in variables:
                raise UserError(where, line, f"no variable {name!r}; {_nearest(name, variables)}")
            mentioned.setdefault(name)
        for left, arrow, right in zip(names, arrows, names[1:], strict=False):
            if left == right:
                raise UserError(where, line, "a variable cannot be its own cause; remove the edge")
            if arrow == "<->":
                bidirected.add((left, right))
            else:
                edge = (left, right) if arrow == "->" else (right, left)
                directed.setdefault(edge, (number, line))
    if not mentioned:
        raise UserError(source, None, f"holds no graph; {_FORMAT}")
    order = tuple(mentioned) if variables is None else tuple(v for v in variables if v in mentioned)
    place = {name: i for i, name in enumerate(order)}
    graph = KnownGraph(
        order,
        frozenset(directed),
        frozenset((a, b) if place[a] < place[b] else (b, a) for a, b in bidirected),
    )
    _refuse_cycle(graph, directed, source)
    return graph


def _statements(text: str, source: str) -> Iterator[tuple[int, str, list[str], list[str]]]:
    """(line number, line, names, arrows between them) of every statement."""
    lines = [(i, line.split("#")[0].strip()) for i, line in enumerate(text.splitlines(), 1)]
    lines = [(i, line) for i, line in lines if line]
    if lines and [c.strip().lower() for c in lines[0][1].split(",")] == ["source", "target"]:
        for number, line in lines[1:]:
            cells = [cell.strip() for cell in next(csv.reader([line], skipinitialspace=True))]
            if len(cells) != 2:
                raise UserError(f"{source}, line {number}", line, "write two names: source,target")
            yield number, line, cells, ["->"]
        return
    for number, line in lines:
        for statement in line.rstrip(",").split(","):
            parts = [part.strip() for part in _ARROW.split(statement)]
            yield number, line, parts[::2], parts[1::2]


def _refuse_cycle(
    graph: KnownGraph, lines: dict[tuple[str, str], tuple[int, str]], source: str
) -> None:
    import networkx as nx  # here, because it takes long to import

    try:
        cycle = nx.find_cycle(graph.to_networkx())
    except nx.NetworkXNoCycle:
        return
    number, line = max(lines[edge] for edge in cycle)
    way = " -> ".join([*(edge[0] for edge in cycle), cycle[-1][1]])
    raise UserError(f"{source}, line {number}", line,
                    f"closes the cycle {way}; a graph must be acyclic")  # fmt: skip


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(known)}"
