"""A causal graph somebody knows: read from any format, and held against a table's columns."""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.graphs._drawing import FORMAT, Drawing, Place
from seedo.inference.graphs._graph_code import (
    is_dagify,
    is_mermaid,
    is_pairs,
    is_tetrad,
    read_dagify,
    read_mermaid,
    read_pairs,
    read_tetrad,
)
from seedo.inference.graphs._graph_markup import (
    is_bif,
    is_dot,
    is_gml,
    read_bif,
    read_dot,
    read_gml,
    read_json,
)
from seedo.inference.graphs._graph_tables import (
    is_edge_list,
    is_matrix,
    read_edge_list,
    read_matrix,
    table_rows,
)
from seedo.inference.graphs._graph_text import (
    dagitty_code,
    has_arrows,
    is_model_string,
    read_dagitty,
    read_model_string,
    read_text,
)
from seedo.inference.graphs._latent import project
from seedo.tables import shortened

if TYPE_CHECKING:
    import networkx as nx

MAX_BYTES = 5_000_000
"""Of a graph file."""


@dataclass(frozen=True)
class KnownGraph:
    """An acyclic directed mixed graph.

    Attributes:
        variables: names.
        directed: (cause, effect).
        bidirected: pairs with a hidden common cause, each pair in the order of `variables`.
        notes: how the file was read where it could be read otherwise, and what became of variables
            that were not measured; one line each.
    """

    variables: tuple[str, ...]
    directed: frozenset[tuple[str, str]]
    bidirected: frozenset[tuple[str, str]] = frozenset()
    notes: tuple[str, ...] = field(default=(), compare=False)

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
                raise UserError(field, shortened(name), _nearest(name, self.variables))


def read_graph(
    path: Path | str,
    variables: Sequence[str] | None = None,
    useless: Mapping[str, str] | None = None,
) -> KnownGraph:
    """Read a graph file; see `parse_graph` for the formats.

    Raises:
        UserError: the file cannot be read, or is not a graph.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError("graph", str(path), f"holds more than {MAX_BYTES:,} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        remedy = "is no text in UTF-8; save the graph as text, e.g. as DOT, GML or CSV"
        raise UserError("graph", str(path), remedy) from None
    except (OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        why = "there is no such file" if not os.path.exists(path) else (
            "a folder: name a text file" if path.is_dir() else "it cannot be read: name a text file"
        )  # fmt: skip
        raise UserError("graph", shortened(str(path)), why) from None
    return parse_graph(text, variables, path.name, useless)


def parse_graph(
    text: str,
    variables: Sequence[str] | None = None,
    source: str = "graph",
    useless: Mapping[str, str] | None = None,
) -> KnownGraph:
    """Read a graph from text.

    The format is told from the text: statements one a line (``A -> B``, chains, ``A <-> B`` for a
    hidden common cause, ``A`` for a variable without edges, formulas ``Y ~ X + Z``), dagitty, DOT,
    GML, node-link JSON, BIF, bnlearn's model strings, mermaid, Tetrad's text, pairs as in
    Python, ggdag's `dagify`, and CSV of edges or of a matrix of 0 and 1.
    docs/identification.md shows each.

    Variables that were not measured are projected out (`project`): those marked so, and, if
    `variables` are given, those that are not among them and have effects only.

    Args:
        text: the graph.
        variables: the names of the table. They also give the order of the graph's variables, which
            otherwise is that of first mention. None: any name may occur.
        source: what the text is called in messages; the ending of a file's name counts.
        useless: columns of the table that are no variables, and why: "is 3 in every row". What
            causes nothing here and has no cause is left out of the graph; another is refused.

    Raises:
        UserError: a statement that cannot be read, an unknown name, a variable that causes itself
            directly or round a cycle. Names the line and its text.
    """
    drawing = Drawing(source)
    _draw(text, drawing, variables or ())
    if not drawing.nodes:
        raise UserError(source, None, f"holds no graph; {FORMAT}")
    _without(drawing, useless or {})
    return _held_against(drawing, variables)


def _without(drawing: Drawing, useless: Mapping[str, str]) -> None:
    """Takes columns that are no variables out of a drawing.

    What is constant moves nothing in these rows; what moves it may have chosen them.

    Raises:
        UserError: one of them has a cause.
    """
    caused = {edge.right for edge in drawing.edges}
    caused |= {edge.left for edge in drawing.edges if edge.arrow == "<->"}
    for name, why in useless.items():
        if name not in drawing.nodes:
            continue
        if name in caused:
            raise drawing.nodes[name].refuse(
                f"{written(name)} {why}, so that nothing can be learnt about it: leave it out of "
                "the graph"
            )
        del drawing.nodes[name]
        drawing.edges = [edge for edge in drawing.edges if edge.left != name]
        drawing.notes.append(f"{drawing.source}: {name} {why}, and is left out of the graph")


def _draw(text: str, drawing: Drawing, variables: Sequence[str]) -> None:
    start = text.lstrip()[:1]
    if start == "<":
        begin = text.lstrip()[:10].casefold()
        if begin.startswith(("<?xml", "<graphml", "<bif", "<!doctype", "<html")):
            raise UserError(drawing.source, begin[:5], "XML is not read; save the graph as DOT, "
                            "GML, node-link JSON, BIF or CSV")  # fmt: skip
    if re.fullmatch(r"\s*[01](?:[\s,;]+[01]){3,}\s*", text) and "\n" in text.strip():
        first = shortened(text.strip().partition("\n")[0])
        raise UserError(drawing.source, first, "a matrix without names: write those of rows and "
                        "columns above it, as in A,B,C")  # fmt: skip
    if is_dot(text):
        read_dot(text, drawing)
    elif code := dagitty_code(text):
        read_dagitty(code, drawing, variables)
    elif is_gml(text):
        read_gml(text, drawing)
    elif is_bif(text):
        read_bif(text, drawing)
    elif is_mermaid(text):
        read_mermaid(text, drawing)
    elif is_tetrad(text):
        read_tetrad(text, drawing)
    elif is_dagify(text):
        read_dagify(text, drawing, variables)
    elif is_pairs(text):
        read_pairs(text, drawing)
    elif drawing.source.casefold().endswith(".json") or re.match(r'\s*\{\s*"[^"]*"\s*:', text):
        read_json(text, drawing)
    elif is_model_string(text):
        read_model_string(text, drawing)
    elif not has_arrows(text, variables) and (rows := table_rows(text, variables)):
        if is_matrix(rows):
            read_matrix(rows, drawing)
        elif is_edge_list(rows, drawing.source):
            read_edge_list(rows, drawing)
        else:
            read_text(text, drawing, variables)
    else:
        read_text(text, drawing, variables)


def _held_against(drawing: Drawing, variables: Sequence[str] | None) -> KnownGraph:
    """The graph over the variables of the table that a drawing amounts to."""
    name_of = {node: _name(node, drawing, variables) for node in drawing.nodes}
    directed: dict[tuple[str, str], Place] = {}
    bidirected = set()
    for edge in drawing.edges:
        left, right = name_of[edge.left], name_of[edge.right]
        if left == right:
            raise edge.place.refuse("a variable cannot be its own cause; remove the edge")
        if edge.arrow == "->":
            directed.setdefault((left, right), edge.place)
        else:
            bidirected.add((left, right))
    _refuse_cycle([*dict.fromkeys(name_of.values())], directed)
    latent = _latent(drawing, name_of, variables)
    order = variables if variables is not None else dict.fromkeys(name_of.values())
    mentioned = set(name_of.values()) - set(latent)
    measured = tuple(name for name in order if name in mentioned)
    if not measured:
        raise UserError(drawing.source, None, f"holds no variable of the table; {FORMAT}")
    arrows, pairs = project(frozenset(directed), frozenset(bidirected), latent)
    place = {name: i for i, name in enumerate(measured)}
    ordered = ((a, b) if place[a] < place[b] else (b, a) for a, b in pairs)
    notes = (*drawing.notes, *_latent_notes(latent, directed, arrows, pairs - bidirected))
    return KnownGraph(measured, arrows, frozenset(ordered), notes)


def _name(node: str, drawing: Drawing, variables: Sequence[str] | None) -> str:
    """The variable that a node stands for, or its own name if it is none."""
    if variables is None or node in variables:
        return node
    for said in (node, drawing.labels.get(node, node)):
        if said in variables:
            return said
        same = [name for name in variables if _spelling(name) == _spelling(said)]
        if len(same) == 1:
            return same[0]
    return node


def _spelling(name: str) -> str:
    """A name without what no eye sees: spaces at the ends, their width, Unicode forms."""
    return " ".join(unicodedata.normalize("NFKC", name).split())


def _latent(
    drawing: Drawing, name_of: dict[str, str], variables: Sequence[str] | None
) -> dict[str, bool]:
    """Nodes that were not measured, and whether the file says so.

    Raises:
        UserError: a node that is no column of the table and that is not the cause of anything, or
            has causes itself; one that is marked as not measured, but is a column.
    """
    latent = {}
    caused = {edge.right for edge in drawing.edges}
    caused |= {edge.left for edge in drawing.edges if edge.arrow == "<->"}
    causing = {edge.left for edge in drawing.edges if edge.arrow == "->"}
    for node, place in drawing.nodes.items():
        name = name_of[node]
        marked = node in drawing.latent
        if variables is not None and name in variables:
            if marked:
                raise place.refuse(
                    f"{name!r} is marked latent, but is a column of the table: "
                    "remove the mark, or leave the column out with --drop"
                )
            continue
        if marked:
            latent[name] = True
        elif variables is not None:
            free = [v for v in variables if v not in name_of.values()]
            typo = _near(name, free, 0.8)
            if node in caused or node not in causing or typo:
                raise place.refuse(
                    f"no variable {name!r}; {_nearest(name, variables)}, or mark it as not "
                    f"measured: {written(name)} [latent]"
                )
            latent[name] = False
    return latent


def _latent_notes(
    latent: dict[str, bool],
    directed: Iterable[tuple[str, str]],
    arrows: frozenset[tuple[str, str]],
    pairs: Iterable[tuple[str, str]],
) -> Iterator[str]:
    """What became of the nodes that were not measured."""
    if not latent:
        return
    names = ", ".join(latent)
    unsaid = [name for name, marked in latent.items() if not marked]
    why = "marked latent" if not unsaid else f"no column of the table: {', '.join(unsaid)}"
    new = [f"{a} -> {b}" for a, b in sorted(arrows - set(directed))]
    new += [f"{a} <-> {b}" for a, b in sorted(pairs)]
    yield f"{names} taken as not measured ({why}): {', '.join(new) or 'no edge'} instead"


def _refuse_cycle(names: Sequence[str], directed: dict[tuple[str, str], Place]) -> None:
    import networkx as nx  # here, because it takes long to import

    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from(sorted(directed))
    try:
        cycle = nx.find_cycle(graph)
    except nx.NetworkXNoCycle:
        return
    order = list(directed)
    last = max(cycle, key=lambda edge: order.index(edge[:2]))
    way = " -> ".join([*(edge[0] for edge in cycle), cycle[-1][1]])
    raise directed[last[:2]].refuse(f"closes the cycle {way}; a graph must be acyclic")


def written(name: str) -> str:
    """A name as it is written in a graph: in quotes if it holds more than one word."""
    return name if re.fullmatch(r"[\w.]+", name) else '"' + name.replace('"', '""') + '"'


def _nearest(name: str, known: Sequence[str]) -> str:
    near = _near(name, known, 0.6)
    return f"did you mean {near!r}?" if near else f"use one of {', '.join(known)}"


def _near(name: str, known: Sequence[str], cutoff: float) -> str:
    """The known name that is spelt most like this one, in whatever case; "" if none is."""
    folded = {other.casefold(): other for other in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=cutoff)
    return folded[near[0]] if near else ""
