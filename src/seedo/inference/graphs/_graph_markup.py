"""Graphs as other programs write them: DOT, GML, JSON and BIF."""

from __future__ import annotations

import contextlib
import io
import json
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from seedo.inference.graphs._drawing import Drawing, Place

_DOT = re.compile(r"(strict\s+)?(di)?graph(\s+(\"[^\"]*\"|[\w.]+))?\s*\{", re.IGNORECASE)
_GML = re.compile(r"((Creator|Version|comment)\b[^\n]*\n\s*)*graph\s*\[", re.IGNORECASE)
_BIF = re.compile(r"network\b|variable\s+\S+\s*\{")
_COMMENTS = re.compile(r"(?:\s*(?:#|//|%)[^\n]*\n|\s*/\*.*?\*/)*\s*", re.DOTALL)
_NOT_CODE = re.compile(r"\"(?:\\.|[^\"\\])*\"|//[^\n]*|^\s*#[^\n]*|/\*.*?\*/",
                       re.DOTALL | re.MULTILINE)  # fmt: skip
"""What is quoted or commented in DOT."""
_NAME_IN_BIF = re.compile(r'"([^"]*)"|([^\s,|]+)')


def _begins(pattern: re.Pattern[str], text: str) -> bool:
    start = _COMMENTS.match(text)
    return pattern.match(text, start.end() if start else 0) is not None


def is_dot(text: str) -> bool:
    """Whether a text is a graph of Graphviz."""
    return _begins(_DOT, text)


def is_gml(text: str) -> bool:
    """Whether a text is ``graph [ ... ]``."""
    return _begins(_GML, text)


def is_bif(text: str) -> bool:
    """Whether a text is a Bayesian network in the interchange format."""
    return _begins(_BIF, text)


def read_dot(text: str, drawing: Drawing) -> None:
    """A directed graph of Graphviz, through pydot. ``dir=both`` is a hidden common cause, and a
    node with ``observed=no`` or ``latent=true`` was not measured."""
    import pydot  # here, because it takes long to import

    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            with warnings.catch_warnings():  # about how pydot calls its parser
                warnings.simplefilter("ignore")
                found = pydot.graph_from_dot_data(text)
    except Exception as error:  # pydot lets through what its parser raises
        said.write(str(error))
        found = None
    if not found:
        line = re.search(r"line:\s*(\d+)", said.getvalue())
        at = int(line[1]) if line else 1
        shown = text.splitlines()[at - 1 : at] or [""]
        raise drawing.place(at, shown[0]).refuse("cannot be read as DOT; write digraph { A -> B; }")
    if len(found) > 1:
        raise Place(drawing.source, "digraph").refuse(f"holds {len(found)} graphs; give one")
    if found[0].get_type() != "digraph":
        raise Place(drawing.source, "graph").refuse(
            "its edges have no direction; write digraph and ->"
        )
    # pydot takes -- for -> in a digraph, where Graphviz refuses it.
    code = _NOT_CODE.sub(lambda m: "\n" * m[0].count("\n"), text)
    if undirected := code.find("--") + 1:
        number = code[:undirected].count("\n")
        shown = text.splitlines()[number : number + 1] or [""]
        raise drawing.place(number + 1, shown[0]).refuse(
            "-- is no direction: write -> for a cause, A -> B [dir=both] for a hidden common cause"
        )
    _read_dot_graph(found[0], drawing)


def _read_dot_graph(graph: Any, drawing: Drawing) -> list[str]:
    """Draws a graph or a part in braces; returns the nodes in it."""
    inside: dict[str, None] = {}
    for node in graph.get_nodes():
        raw = node.get_name()
        if raw in ("node", "edge", "graph", '"\\n"', '"\\r\\n"'):
            continue
        name = _unquoted(raw)
        drawing.node(name, Place(drawing.source, raw))
        inside.setdefault(name)
        for key, value in node.get_attributes().items():
            drawing.attribute(name, key, str(value))
            if key == "label":
                drawing.labels[name] = _unquoted(str(value))
    for part in graph.get_subgraphs():
        inside.update(dict.fromkeys(_read_dot_graph(part, drawing)))
    for edge in graph.get_edges():
        ends = [_dot_nodes(end, drawing) for end in (edge.get_source(), edge.get_destination())]
        way = _unquoted(str(edge.get_attributes().get("dir", "forward"))).casefold()
        arrow = {"forward": "->", "back": "<-", "both": "<->"}.get(way, f"dir={way}")
        for left in ends[0]:
            for right in ends[1]:
                inside.update({left: None, right: None})
                place = Place(drawing.source, f"{left} -> {right}")
                drawing.edge(left, arrow, right, place)
    return list(inside)


def _dot_nodes(end: Any, drawing: Drawing) -> list[str]:
    """The nodes at one end of an edge: one, or all of a part in braces."""
    import pydot

    if isinstance(end, str):
        if not end.startswith('"'):
            end = end.partition(":")[0]  # a port
        return [_unquoted(end)]
    return _read_dot_graph(pydot.Subgraph(obj_dict=dict(end)), drawing)


def _unquoted(name: str) -> str:
    if len(name) > 1 and name[0] == name[-1] == '"':
        return re.sub(r'\\(["\\])', r"\1", name[1:-1].replace("\\\n", ""))
    return name


def read_gml(text: str, drawing: Drawing) -> None:
    """``graph [ directed 1 node [ id 0 label "A" ] edge [ source 0 target 1 ] ]``."""
    import networkx as nx  # here, because it takes long to import

    place = Place(drawing.source)
    try:
        graph = nx.parse_gml(text, label="id")
    except (nx.NetworkXError, ValueError, KeyError, TypeError, RecursionError) as error:
        why = _one_line(error)
        raise place.refuse(
            f'cannot be read as GML ({why}); write graph [ directed 1 node [ id 0 label "A" ] ]'
        ) from None
    if not graph.is_directed():
        raise place.refuse(
            "its edges have no direction; write 'directed 1' if source causes target"
        )
    names = {node: str(said.get("label", node)) for node, said in graph.nodes(data=True)}
    _read_nodes(graph.nodes(data=True), names, drawing)
    _read_pairs(graph.edges(), names, drawing)


def read_json(text: str, drawing: Drawing) -> None:
    """Node-link data of networkx: ``{"directed": true, "nodes": [...], "edges": [...]}``."""
    place = Place(drawing.source)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        remedy = "save it again as JSON, or write 'A -> B', one edge a line"
        raise place.refuse(f"cannot be read as JSON ({_one_line(error)}); {remedy}") from None
    remedy = (
        'write node-link data, as networkx does: {"directed": true, "nodes": [{"id": "A"}, '
        '{"id": "B"}], "edges": [{"source": "A", "target": "B"}]}'
    )
    if not isinstance(data, dict):
        raise place.refuse(remedy)
    nodes, edges = data.get("nodes", []), data.get("edges", data.get("links"))
    if not isinstance(nodes, list) or not isinstance(edges, list):
        raise place.refuse(remedy)
    if data.get("directed") is False:
        raise place.refuse("its edges have no direction (directed: false); give a directed graph")
    nodes = [node if isinstance(node, dict) else {"id": node} for node in nodes]
    edges = [dict(zip(("source", "target"), edge, strict=True))
             if isinstance(edge, list) and len(edge) == 2 else edge for edge in edges]  # fmt: skip
    if not all("id" in node for node in nodes) or not all(
        isinstance(edge, dict) and {"source", "target"} <= edge.keys() for edge in edges
    ):
        raise place.refuse(remedy)
    names = {}
    for node in nodes:
        alike = [node[key] for key in ("name", "label") if key in node]
        names[str(node["id"])] = str(
            node["id"] if isinstance(node["id"], str) or not alike else alike[0]
        )
    _read_nodes(((str(node["id"]), node) for node in nodes), names, drawing)
    _read_pairs(((str(e["source"]), str(e["target"])) for e in edges), names, drawing)


def _read_nodes(
    nodes: Iterable[tuple[Any, Mapping[Any, Any]]], names: Mapping[Any, str], drawing: Drawing
) -> None:
    for node, attributes in nodes:
        name = names[node]
        place = Place(drawing.source, name)
        if name in drawing.nodes:
            raise place.refuse("two nodes have this name; give each its own")
        drawing.node(name, place)
        for key, value in attributes.items():
            drawing.attribute(name, str(key), str(value))


def _read_pairs(
    pairs: Iterable[tuple[Any, Any]], names: Mapping[Any, str], drawing: Drawing
) -> None:
    for pair in pairs:
        left, right = (names.get(end, str(end)) for end in pair)
        drawing.edge(left, "->", right, Place(drawing.source, f"{left} -> {right}"))


def read_bif(text: str, drawing: Drawing) -> None:
    """``variable A { ... }`` and ``probability ( B | A ) { ... }``; the figures are left alone."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)
    bare = re.sub(r'"[^"]*"', "", text)
    if bare.count("{") != bare.count("}"):
        raise Place(drawing.source).refuse("not a whole BIF: a { has no }, or a } no {")
    declared: set[str] = set()
    for name in re.findall(r'\bvariable\s+("[^"]*"|[^\s{]+)\s*\{', text):
        declared.add(name.strip('"'))
        drawing.node(name.strip('"'), Place(drawing.source, f"variable {name}"))
    for inside in re.findall(r'\bprobability\s*\(((?:"[^"]*"|[^")])*)\)', text):
        names = [quoted or bare for quoted, bare in _NAME_IN_BIF.findall(inside)]
        place = Place(drawing.source, f"probability ({inside})")
        if not names:
            raise place.refuse("write probability ( B | A ): a variable and its causes")
        for name in names:
            if name not in declared:
                raise place.refuse(
                    f"{name} is not declared: a BIF says variable {name} {{ ... }} first"
                )
        drawing.node(names[0], place)
        for cause in names[1:]:
            drawing.edge(cause, "->", names[0], place)


def _one_line(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return " ".join(str(error).split())[:120] or type(error).__name__
