"""The graph of a campaign's file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedo.errors import UserError
from seedo.spaces import CausalGraph

if TYPE_CHECKING:
    from seedo.inference.graphs import KnownGraph

_REMEDY = 'give the name of a file, or a list of statements, e.g. ["temperature -> yield"]'


def graph_of(given: Any, folder: Path, names: Sequence[str]) -> CausalGraph:
    """A graph as a campaign's file gives it: what was not measured is left out, and what it moves
    in common is said to have a hidden cause.

    Args:
        given: the name of a file of any format that `seedo ask --graph` reads, or statements.
        folder: from which the path starts.
        names: of knobs and readings.

    Raises:
        UserError: it cannot be read, or is no acyclic graph of these variables.
    """
    from seedo.inference.graphs import parse_graph, read_graph  # here: it takes long to import

    if isinstance(given, str) and given.strip():
        if "->" in given and not (folder / given).exists():
            raise UserError("graph", given, _REMEDY)
        return _known(read_graph(folder / given, names))
    if not isinstance(given, list | tuple) or not all(isinstance(line, str) for line in given):
        raise UserError("graph", given, _REMEDY)
    text = "\n".join(" ".join(line.split()) for line in given)
    if not text.strip():
        raise UserError("graph", given, f"it is empty: {_REMEDY}, or leave it out")
    return _known(parse_graph(text, names))


def _known(graph: KnownGraph) -> CausalGraph:
    return CausalGraph(tuple(graph.directed), tuple(graph.bidirected), graph.notes)
