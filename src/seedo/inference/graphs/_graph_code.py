"""Graphs as programs hold them: mermaid, Tetrad, pairs in Python or JSON, ggdag's `dagify`."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from seedo.inference.graphs._drawing import Drawing, Place
from seedo.inference.graphs._graph_text import read_text

_FENCE = re.compile(r"\s*```\s*\w*[ \t]*\n")
_MERMAID = re.compile(r"(?:\s*%%[^\n]*\n)*\s*(?:graph|flowchart)(?:\s+(?:TD|TB|BT|LR|RL))?\s*[;\n]",
                      re.IGNORECASE)  # fmt: skip
_PAIRS = re.compile(r"\s*(?:[\w.]+\s*=\s*)?(?:[\w.]+\(\s*)?(?=[\[({]\s*[\[(]\s*[\"'])")
_DAGIFY = re.compile(r"\bdagify\s*\(")
_PASSED = re.compile(r"(?:subgraph|end|style|class|classDef|linkStyle|click|direction)\b")
_NODE = re.compile(
    r"([\w.]+(?:-[\w.]+)*)"
    r"(?:\(\[(?P<a>.*?)\]\)|\[+\(?(?P<b>[^\]]*?)\)?\]+|\(+(?P<c>[^)]*)\)+|\{+(?P<d>[^}]*)\}+)?"
    r"(?::::\w+)?"
)
_LINK = re.compile(
    r"(?P<back><)?(?:-{2,}|={2,}|-\.+-)(?P<head>>)(?:\|[^|]*\|)?"
    r"|(?P<back2><)?(?:--|==|-\.)\s+[^-=>\n]+?\s+(?:-{2,}|={2,}|\.+-)(?P<head2>>)"
    r"|-{3,}|={3,}|-\.+-|--[ox]"
)
_STATEMENT = "write A --> B, or A <--> B (a hidden common cause)"


def is_mermaid(text: str) -> bool:
    """Whether a text is a flow chart of mermaid, perhaps between fences of Markdown."""
    fence = _FENCE.match(text)
    return _MERMAID.match(text, fence.end() if fence else 0) is not None


def read_mermaid(text: str, drawing: Drawing) -> None:
    """``graph LR`` and edges ``A --> B``, one a line; what stands between brackets is a label."""
    begun = False
    for number, line in enumerate(text.splitlines(), 1):
        for statement in line.partition("%%")[0].split(";"):
            statement = statement.strip()
            if not begun:
                begun = bool(re.match(r"(graph|flowchart)\b", statement, re.IGNORECASE))
            elif statement and not statement.startswith("```") and not _PASSED.match(statement):
                _draw_mermaid(statement, drawing, drawing.place(number, line))


def _draw_mermaid(statement: str, drawing: Drawing, place: Place) -> None:
    left, arrow, at = list[str](), "", 0
    while True:
        nodes, at = _mermaid_nodes(statement, at, drawing, place)
        for a in left:
            for b in nodes:
                drawing.edge(a, arrow, b, place)
        if at == len(statement):
            return
        link = _LINK.match(statement, at)
        if link is None:
            raise place.refuse(_STATEMENT)
        if not (link["head"] or link["head2"]):
            raise place.refuse(f"{link[0]} is no direction: {_STATEMENT}")
        arrow = "<->" if link["back"] or link["back2"] else "->"
        left, at = nodes, _passed(statement, link.end())


def _mermaid_nodes(
    statement: str, at: int, drawing: Drawing, place: Place
) -> tuple[list[str], int]:
    """``A[label] & B``, and where it ends."""
    nodes = []
    while True:
        node = _NODE.match(statement, at)
        if node is None:
            raise place.refuse(_STATEMENT)
        drawing.node(node[1], place)
        if label := next((part for part in node.groups()[1:] if part), ""):
            drawing.labels[node[1]] = label.strip().strip('"')
        nodes.append(node[1])
        at = _passed(statement, node.end())
        if not statement.startswith("&", at):
            return nodes, at
        at = _passed(statement, at + 1)


def _passed(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def is_tetrad(text: str) -> bool:
    """Whether a text is a graph as Tetrad and causal-learn save it."""
    return re.match(r"\s*Graph Nodes:", text) is not None


def read_tetrad(text: str, drawing: Drawing) -> None:
    """``Graph Nodes:`` and names, then ``Graph Edges:`` and numbered lines ``1. A --> B``."""
    part = ""
    for number, line in enumerate(text.splitlines(), 1):
        place = drawing.place(number, line)
        if found := re.match(r"\s*Graph (\w+):", line):
            part = found[1]
        elif part == "Nodes":
            for name in filter(None, re.split(r"\s*[;,]\s*", line.strip())):
                drawing.node(name, place)
        elif part == "Edges" and line.strip():
            edge = re.match(r"\s*(?:\d+\.\s+)?(\S.*?)\s+([<o-]-[>o-])\s+(\S.*?)\s*$", line)
            if edge is None:
                raise place.refuse("write 1. A --> B, or A <-> B (a hidden common cause)")
            if edge[2] not in ("-->", "<->", "<--"):
                raise place.refuse(f"{edge[2]} leaves the direction open: write --> for a cause, "
                                   "<-> for a hidden common cause")  # fmt: skip
            ends = (edge[3], edge[1]) if edge[2] == "<--" else (edge[1], edge[3])
            drawing.edge(ends[0], "<->" if edge[2] == "<->" else "->", ends[1], place)


def is_pairs(text: str) -> bool:
    """Whether a text is a list of pairs: ``[("A", "B"), ("B", "C")]``."""
    return _PAIRS.match(text) is not None


def read_pairs(text: str, drawing: Drawing) -> None:
    """``[("A", "B")]``, cause first, as networkx takes it; perhaps within a call."""
    place = Place(drawing.source, text.strip())
    begin = _PAIRS.match(text)
    assert begin is not None
    closing = {"[": "]", "(": ")", "{": "}"}[text[begin.end()]]
    code = text[begin.end() : text.rfind(closing) + 1]
    try:
        found = ast.literal_eval(code)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        found = None
    listed = [*found] if isinstance(found, list | tuple | set) else []
    pairs = [[*pair] for pair in listed if isinstance(pair, list | tuple)]
    named = all(len(pair) == 2 and all(isinstance(end, str) for end in pair) for pair in pairs)
    if not pairs or len(pairs) < len(listed) or not named:
        raise place.refuse('write pairs of names, the cause first: [("A", "B"), ("B", "C")]')
    for cause, effect in pairs:
        drawing.edge(cause, "->", effect, Place(drawing.source, f"({cause!r}, {effect!r})"))


def is_dagify(text: str) -> bool:
    """Whether a text calls ggdag's `dagify`."""
    return _DAGIFY.search(text) is not None


def read_dagify(text: str, drawing: Drawing, variables: Sequence[str]) -> None:
    """``dagify(Y ~ X + Z, X ~ Z, latent = "U")``: formulas; other arguments are passed over."""
    lines: dict[int, list[str]] = defaultdict(list)
    latent = []
    for at, argument in _arguments(text, drawing):
        name = re.match(r"\s*([\w.]+)\s*=(?!~)", argument)
        if name is None:
            lines[text.count("\n", 0, at) + 1].append(" ".join(argument.split()))
        elif name[1] == "latent":
            latent += re.findall(r"[\"']([^\"']+)[\"']", argument)
    rows = [" ; ".join(lines.get(n, ())) for n in range(1, max(lines, default=0) + 1)]
    read_text("\n".join(rows), drawing, variables)
    drawing.latent.update(name for name in latent if name in drawing.nodes)


def _arguments(text: str, drawing: Drawing) -> Iterator[tuple[int, str]]:
    """The arguments of the call, and where each begins."""
    call = _DAGIFY.search(text)
    assert call is not None
    start, depth, quote = call.end(), 0, ""
    for at in range(call.end(), len(text)):
        character = text[at]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'`":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}" and depth:
            depth -= 1
        elif character in ",)" and not depth:
            argument = text[start:at]
            if argument.strip():
                yield start + len(argument) - len(argument.lstrip()), argument.strip()
            start = at + 1
            if character == ")":
                return
    raise Place(drawing.source, call[0]).refuse("the call does not end; close it with )")
