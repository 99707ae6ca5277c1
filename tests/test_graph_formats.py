"""Graph files of every format, against networkx, pydot and brute force."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import networkx as nx
import numpy as np
import pydot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedo.errors import UserError
from seedo.inference.graphs._known_graph import KnownGraph, parse_graph, read_graph
from seedo.inference.graphs._latent import project
from seedo.inference.graphs._stated import pairs, stated_prior
from seedo.tables import said_names

XYZ = ["Z", "X", "Y"]
TRIANGLE = {("Z", "X"), ("Z", "Y"), ("X", "Y")}
ODD = ["Room temp (°C)", "Umsatz, €", "item #", "E", 'the "best"', "a->b", "2", "x [mg]", "ß;x"]

SPELLINGS = {
    "flow.mmd": "graph LR\n  Z --> X & Y\n  X -- does --> Y\n",
    "fenced.md": "```mermaid\nflowchart TD;\n%% by hand\nA[Z] ==> B(X); A -.-> Y; B -->|so| Y\n"
                 "style A fill:#fff\n```\n",
    "pairs.py": "graph = nx.DiGraph([('Z', 'X'),\n  ('Z', 'Y'), ('X', 'Y')])\n",
    "list.txt": '[["Z", "X"], ["Z", "Y"], ["X", "Y"]]',
    "ggdag.R": 'g <- ggdag::dagify(Y ~ X + Z,\n  X ~ Z, exposure = "X", coords = list(x = c(1)))',
    "turned.csv": "target,source\nX,Z\nY,Z\nY,X\n",
    "dagitty.txt": 'dag {\nbb="0,0,1,1"\nZ [pos="-0.5,0.2"]\nX [exposure,pos="-2.0,1.6"]\n'
                   'Y [outcome,pos="1.4,1.6"]\nZ -> X\nZ -> Y [beta=".5"]\nX -> Y\n}\n',
    "one_line.txt": "dag { X <- Z -> Y ; X -> Y }",
    "spaces.txt": "dag G { Z -> X Z -> Y X -> Y }",
    "groups.txt": "dag{\nZ -> {X Y}\nX->Y}",
    "in_r.R": "library(dagitty)\ng <- dagitty('dag { Z -> { X ; Y }\nX -> Y }')\n",
    "g.dot": "digraph G {\n  Z -> X;\n  Z -> Y;\n  X -> Y; // direct\n}\n",
    "chain.gv": "strict digraph { node [shape=box]; Z -> X -> Y; Z -> Y [color=red] }",
    "group.dot": "digraph { Z -> {X Y}; X -> Y }",
    "cluster.dot": 'digraph { subgraph cluster_0 { Z -> X } "Z" -> Y; Y -> X [dir=back]; }',
    "labels.dot": 'digraph { a [label="Z"]; b [label="X"]; a -> b -> Y; a -> Y }',
    "g.gml": 'Creator "me"\ngraph [\n directed 1\n node [ id 0 label "Z" ] node [ id 1 label "X" ]'
             ' node [ id 2 label "Y" ] edge [ source 0 target 1 ] edge [ source 0 target 2 ]'
             " edge [ source 1 target 2 ] ]",
    "edges.csv": "from,to\nZ,X\nZ,Y\nX,Y\n",
    "semicolons.csv": "Cause;Effect\nZ;X\nZ;Y\nX;Y\n",
    "tabs.tsv": "Z\tX\nZ\tY\nX\tY\n",
    "no_header.txt": "Z,X\nZ,Y\nX,Y\n",
    "pandas.csv": ",source,target\n0,Z,X\n1,Z,Y\n2,X,Y\n",
    "matrix.csv": ",Z,X,Y\nZ,0,1,1\nX,0,0,1\nY,0,0,0\n",
    "bare_matrix.csv": "Z,X,Y\n0,1,1\n0,0,1\n0,0,0\n",
    "r_matrix.csv": '"Z","X","Y"\n"Z",0,1.0,TRUE\n"X",0,0,1\n"Y",0,0,0\n',
    "shuffled.csv": "node,Y,X,Z\nZ,1,1,0\nX,1,0,0\nY,0,0,0\n",
    "formula.txt": "X ~ Z\nY ~ X + Z\n",
    "interaction.R": "Y ~ X*Z - 1\nX ~ 1 + Z\n",
    "lavaan.txt": "Y ~ X\nY ~ Z; X ~ Z # all\n",
    "bnlearn.txt": "[Z][X|Z][Y|X:Z]",
    "arrows.txt": "Z → X, Y ← Z\nX --> Y",
    "braces.txt": "Z -> {X, Y}; X -> Y",
    "links.json": json.dumps({"directed": True, "nodes": [{"id": n} for n in XYZ],
                              "links": [{"source": a, "target": b} for a, b in TRIANGLE]}),
    "pairs.json": json.dumps({"nodes": XYZ, "edges": sorted(map(list, TRIANGLE))}),
    "net.bif": "network unknown {}\nvariable Z { type discrete [ 2 ] { a, b }; }\n"
               "variable X { }\nvariable Y { }\nprobability ( Z ) { table .5, .5; }\n"
               "probability ( X | Z ) { (a) 0.2, 0.8; }\nprobability ( Y | X, Z ) { }\n",
}  # fmt: skip


@pytest.mark.parametrize("name", SPELLINGS)
def test_one_graph_is_read_from_every_spelling(name, tmp_path):
    (tmp_path / name).write_text(SPELLINGS[name])
    graph = read_graph(tmp_path / name, XYZ)
    assert graph.variables == tuple(XYZ)
    assert graph.directed == TRIANGLE
    assert not graph.bidirected
    assert bool(graph.notes) == ("matrix" in name or name == "shuffled.csv")


def random_dag(rng, names):
    order = list(rng.permutation(np.array(names, object)))
    edges = [(a, b) for a, b in itertools.combinations(order, 2) if rng.random() < 0.4]
    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from(edges)
    return graph


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def as_dot(graph):
    dot = pydot.Dot(graph_type="digraph")
    for name in graph:
        dot.add_node(pydot.Node('"' + name.replace('"', '\\"') + '"'))
    for edge in graph.edges:
        dot.add_edge(pydot.Edge(*('"' + name.replace('"', '\\"') + '"' for name in edge)))
    return dot.to_string()


def as_csv(rows):
    return "\n".join(",".join(quoted(str(cell)) for cell in row) for row in rows)


WRITERS = {
    "txt": lambda g: "\n".join([*map(quoted, g), *(f"{quoted(a)} -> {quoted(b)}"
                                                   for a, b in g.edges)]),
    "plain": lambda g: "\n".join([*g, *(f"{a} -> {b}" for a, b in g.edges)]),
    "dagitty": lambda g: "dag {\n" + "\n".join(
        [*map(quoted, g), *(f"{quoted(a)} -> {quoted(b)}" for a, b in g.edges)]) + "\n}",
    "dot": as_dot,
    "gml": lambda g: "\n".join(nx.generate_gml(g)),
    "json": lambda g: json.dumps(nx.node_link_data(g, edges="edges")),
    "links": lambda g: json.dumps(nx.node_link_data(g, edges="links")),
    "matrix.csv": lambda g: as_csv(
        [["", *g], *([n, *row] for n, row in zip(g, nx.to_numpy_array(g).astype(int), strict=True))]
    ),
    "edges.csv": lambda g: as_csv([("source", "target"), *((n, "") for n in g), *g.edges]),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("names", [list("ABCDEF"), ODD], ids=["plain", "odd"])
def test_random_graphs_come_back_from_what_other_programs_write(kind, names):
    rng = np.random.default_rng(5)
    for _ in range(8):
        graph = random_dag(rng, names)
        if not graph.edges:
            continue
        read = parse_graph(WRITERS[kind](graph), names, "graph.csv" if "csv" in kind else kind)
        assert read.directed == set(graph.edges)
        assert read.variables == tuple(names)


def test_names_with_commas_and_numbers_signs_need_no_quotes_where_the_table_has_them():
    names = ["Room temp (°C)", "Umsatz, €", "E", "item #", "item"]
    text = "Room temp (°C) -> Umsatz, €, Umsatz, € -> E # a comment\nitem # -> item # another\n# x"
    assert parse_graph(text, names).directed == {
        ("Room temp (°C)", "Umsatz, €"), ("Umsatz, €", "E"), ("item #", "item")
    }  # fmt: skip
    assert parse_graph("padded -> y", [" padded ", "y"]).directed == {(" padded ", "y")}
    with pytest.raises(UserError, match="one variable or several"):
        parse_graph("a, b -> c", ["a", "b", "a, b", "c"])
    assert parse_graph('"a, b" -> c', ["a", "b", "a, b", "c"]).directed == {("a, b", "c")}


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("dag {\nU [latent]\nU -> X\nU -> Y\nX -> Y\nZ -> Y\n}", True),
        ('dag { U [latent,pos="1,2"] X <- U -> Y X -> Y Z -> Y }', True),
        ("U -> X\nU -> Y\nX -> Y\nZ -> Y", True),
        ("U [latent]\nU -> X\nU -> Y\nX -> Y\nZ -> Y", True),
        ("X -> Y, Z -> Y, X <-> Y", False),
        ("X ~~ Y\nY ~ X + Z", False),
        ("Y ~ X + Z\nU =~ X + Y", True),
        ('digraph { U [observed="no"]; U -> X; U -> Y; X -> Y; Z -> Y }', True),
        ("digraph { U [latent=true]; U -> {X Y}; {X Z} -> Y }", True),
        ("digraph { X -> Y [dir=both]; X -> Y; Z -> Y }", False),
        ('{"nodes": [{"id": "U", "observed": false}, "X", "Y", "Z"], "edges": [["U", "X"], '
         '["U", "Y"], ["X", "Y"], ["Z", "Y"]]}', True),
        ("source,target\nU,X\nU,Y\nX,Y\nZ,Y", True),
    ],
)  # fmt: skip
def test_what_was_not_measured_becomes_a_hidden_common_cause_and_a_note(text, pair):
    graph = parse_graph(text, XYZ)
    assert graph.directed == {("X", "Y"), ("Z", "Y")}
    assert graph.bidirected == {("X", "Y")}
    assert graph.variables == tuple(XYZ)
    if pair:
        (note,) = graph.notes
        assert note.startswith("U taken as not measured")
        assert "X <-> Y" in note


def test_a_hidden_cause_with_causes_of_its_own_hands_them_on():
    graph = parse_graph("dag { L [latent] M [latent] A -> L -> M -> {B C} }", ["A", "B", "C"])
    assert graph.directed == {("A", "B"), ("A", "C")}
    assert graph.bidirected == {("B", "C")}


def m_separated(directed, bidirected, names, a, b, given):
    """By the DAG in which every bidirected edge is a hidden cause (Richardson & Spirtes 2002)."""
    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from(directed)
    for k, pair in enumerate(bidirected):
        graph.add_edges_from((("hidden", k), name) for name in pair)
    return nx.is_d_separator(graph, {a}, {b}, set(given))


def test_the_projection_keeps_every_independence_and_every_ancestor():
    rng = np.random.default_rng(0)
    for _ in range(20):
        names = list("ABCDEF")
        graph = random_dag(rng, names)
        hidden = [n for n in names if rng.random() < 0.4]
        seen = [n for n in names if n not in hidden]
        arrows, pairs = project(frozenset(graph.edges), frozenset(), hidden)
        again = project(frozenset(graph.edges), frozenset(), hidden[::-1])
        assert again == (arrows, pairs)
        for a, b in itertools.combinations(seen, 2):
            others = [n for n in seen if n not in (a, b)]
            for size in range(len(others) + 1):
                for held in itertools.combinations(others, size):
                    truth = nx.is_d_separator(graph, {a}, {b}, set(held))
                    assert m_separated(arrows, pairs, seen, a, b, held) == truth
        over = nx.DiGraph(arrows)
        over.add_nodes_from(seen)
        for a, b in itertools.permutations(seen, 2):
            assert nx.has_path(over, a, b) == nx.has_path(graph, a, b)


BAD = [
    ("graph { X -- Y }", "no direction"),
    ("digraph { X -> Y", "cannot be read as DOT"),
    ("digraph { X -> Y [dir=none] }", "dir=none is no direction"),
    ("digraph { X -> Y } digraph { Y -> X }", "holds 2 graphs"),
    ("digraph { X -> Q; Z -> Y }", "no variable 'Q'"),
    ("graph [ node [ id 0 label \"X\" ] node [ id 1 label \"Y\" ] edge [ source 0 target 1 ] ]",
     "no direction"),
    ("graph [ directed 1 node [ id 0 ] edge [ source 0 target 7 ] ]", "cannot be read as GML"),
    ('graph [ directed 1 node [ id 0 label "X" ] node [ id 1 label "X" ] ]', "two nodes"),
    ("dag { X -> Y", "close it with }"),
    ("mag { X -> Y }", "ancestry, not cause"),
    ("dag { X -- Y }", "-- is no direction"),
    ("dag { X o-> Y }", "o-> is no direction"),
    ("dag { X -> -> Y }", "write 'A -> B'"),
    ("dag { X [latent] X -> Y }", "marked latent, but is a column"),
    ("X -> Y\nY -> Q", "line 2: got 'Y -> Q'; no variable 'Q'; use one of"),
    ("x -> Y", "did you mean 'X'"),
    ("Q", "no variable 'Q'"),
    ("X -> Y\nX -> X", "line 2: got 'X -> X'; a variable cannot be its own cause"),
    ("X -> U -> Y -> X", "closes the cycle"),
    ('"X -> Y', "expected \" after it"),
    ("X -> {Y", "write 'A -> B'"),
    ("Y ~ log(X)", "without functions"),
    ("Y ~ (1 | X)", "without functions"),
    ("Y ~ .", "without functions"),
    ("Y ~", "the outcome, ~, its causes"),
    ("Y + X ~ Z", "the outcome, ~, its causes"),
    ("source,target,weight\nX,Y,0.1", "leave the others out"),
    ("source,target\nX,Y,Z", "line 2: got 'X,Y,Z'; write two names"),
    (",X,Y\nX,0,0.7\nY,0,0", "'0.7' is neither 0"),
    (",X,Y\nX,0,1\nZ,0,0", "of the same names"),
    (",X,Y\nX,0,1\nY,0", "expected 2 numbers"),
    (",X,Y\nX,0,1\nY,1,0", "closes the cycle"),
    (",X,X\nX,0,1\nX,0,0", "a name stands twice"),
    ('{"nodes": [{"id": "X"}]}', "write node-link data"),
    ('{"directed": false, "nodes": ["X"], "edges": []}', "no direction"),
    ('{"nodes": ["X"], "edges": [', "cannot be read as JSON"),
    ('{"X": ["Y"]}', "write node-link data"),
    ("[X][Y|X", "write 'A -> B'|no variable"),
    ("[X][Y|Q:R][R|Q][Q|R]", "closes the cycle"),
    ("<?xml version='1.0'?><graphml/>", "XML is not read"),
    ("network n {}\nprobability ( ) { }", "a variable and its causes"),
    ("dag { }", "holds no graph"),
    ("", "holds no graph"),
    ("U [latent]", "holds no variable of the table"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_bad_graph_is_refused_in_one_true_line(text, message):
    with pytest.raises(UserError, match=message) as refused:
        parse_graph(text, XYZ)
    assert "\n" not in str(refused.value)


def test_nothing_is_unpickled_and_no_file_is_too_large(tmp_path):
    import pickle

    (tmp_path / "g.pkl").write_bytes(pickle.dumps(nx.DiGraph([("X", "Y")])))
    with pytest.raises(UserError, match="no text in UTF-8"):
        read_graph(tmp_path / "g.pkl", XYZ)
    (tmp_path / "big.txt").write_text("X -> Y\n" * 1_000_000)
    with pytest.raises(UserError, match="bytes"):
        read_graph(tmp_path / "big.txt", XYZ)


WILD = ["digraph " + "{" * 3000, "[" * 5000, '{"a":' * 5000, "graph [" * 3000, "dag {" + "{" * 500,
        "\x00", "X -> \ud800", "~", "~~", "[]", "{}"]  # fmt: skip


@pytest.mark.parametrize("text", WILD)
def test_no_text_at_all_brings_a_library_down(text):
    for name in ("graph", "g.json", "g.csv"):
        with pytest.raises(UserError):
            parse_graph(text, XYZ, name)


pieces = st.lists(
    st.sampled_from(
        ["X", "Y", "Z", "U", "->", "<-", "<->", "--", "~", "~~", "=~", "+", "{", "}", "[", "]", ";",
         ",", "\n", '"', "#", "dag", "digraph", "graph", "[latent]", "0", "1", "source", "target",
         "|", "(", ")", "node", "edge", "id", "label", ":", "=", "//", "/*", "X Y", "é", "\t"]
    ),
    max_size=25,
)  # fmt: skip
starts = st.sampled_from(["", "dag { ", "digraph { ", "graph [ directed 1 ", '{"nodes": ["X"], ',
                          "source,target\n", ",X,Y\n", "network n {}\n", "[X]"])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(starts, pieces, st.sampled_from(["graph", "g.csv", "g.json"]), st.booleans())
def test_any_text_is_a_graph_or_refused_in_one_line(start, parts, name, spaced):
    text = start + (" " if spaced else "").join(parts)
    try:
        graph = parse_graph(text, XYZ, name)
    except UserError as refused:
        lines = str(refused).splitlines()
        graph = KnownGraph((), frozenset())
    else:
        lines = []
    assert len(lines) <= 1
    assert set(graph.variables) <= set(XYZ)
    assert nx.is_directed_acyclic_graph(graph.to_networkx())
    for a, b in graph.bidirected:
        assert XYZ.index(a) < XYZ.index(b)


def test_any_name_can_be_quoted_in_options():
    names = tuple(ODD)
    prior = stated_prior(
        names, require=['"Umsatz, €"->E', "item # -> E"], forbid=['E->"a->b"'],
        believe=['"x [mg]"->"2"=0.25'],
    )  # fmt: skip
    at = {name: i for i, name in enumerate(names)}
    p = prior.edge_probability
    assert p[at["Umsatz, €"], at["E"]] == p[at["item #"], at["E"]] == 1
    assert p[at["E"], at["a->b"]] == 0
    assert p[at["x [mg]"], at["2"]] == 0.25
    assert said_names("--drop", ['"Umsatz, €",E', "item #", '"the ""best"""']) == [
        "Umsatz, €", "E", "item #", 'the "best"'
    ]  # fmt: skip
    assert list(pairs("--values", ['"a = b"=1,2', "E=3"])) == [
        ("a = b", '"a = b"=1,2', "1,2"), ("E", "E=3", "3")
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["X", "X->", "X-->Y->Z", "X<->Y", '"X->Y', "X -- Y", ""])
def test_a_statement_that_is_no_edge_is_refused(text):
    with pytest.raises(UserError, match=r"^--require: got"):
        stated_prior(("X", "Y", "Z"), require=[text], mark="--")


@pytest.mark.parametrize("text", ["", " ", "a,,b", '"a', '"a"b'])
def test_names_that_cannot_be_told_apart_are_refused(text):
    with pytest.raises(UserError, match=r"^--drop: got"):
        said_names("--drop", [text])


def documented():
    """The first example of every format that is shown in full."""
    text = (Path(__file__).parents[1] / "docs" / "identification.md").read_text()
    table = text.split("## Identification")[0].replace(r"\|", "\x00")
    rows = re.findall(r"^\| ([^|]+) \| [^`|]*`([^`]+)`", table, re.MULTILINE)
    return [(name, example.replace("\x00", "|")) for name, example in rows
            if "..." not in example and not name.startswith("CSV")]  # fmt: skip


def test_documented_examples_are_found():
    assert len(documented()) >= 6


@pytest.mark.parametrize(("name", "example"), documented())
def test_every_documented_format_is_read(name, example):
    assert len(parse_graph(example).variables) > 1


@pytest.mark.parametrize("text", ["Z -> X, Y\nX -> Y", "X -> Y\nZ -> X, Y, W"])
def test_a_comma_that_may_list_effects_is_no_silent_loss_of_an_edge(tmp_path, text):
    path = tmp_path / "graph.txt"
    path.write_text(text)
    with pytest.raises(UserError, match="an effect too"):
        read_graph(path, ("X", "Y", "Z", "W"))


@pytest.mark.parametrize(
    ("text", "arrows", "pairs"),
    [
        ("graph TD\nX <--> Y\nX --> Y", {("X", "Y")}, {("X", "Y")}),
        ("dagify(Y ~ X, X ~~ Y)", {("X", "Y")}, {("X", "Y")}),
        ('dagify(Y ~ X + U, X ~ U, latent = "U")', {("X", "Y")}, {("X", "Y")}),
    ],
)
def test_hidden_common_causes_in_diagrams_and_calls(text, arrows, pairs):
    found = parse_graph(text, ["X", "Y"])
    assert (found.directed, found.bidirected) == (arrows, pairs)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("digraph { X -> Y -- Z }", "line 1: .*-- is no direction"),
        ('digraph { X -> Y\n Y -- Z [label="->"] }', "line 2: .*-- is no direction"),
        ("graph LR\nX --- Y", "line 2: .*is no direction"),
        ("graph LR\nX -->", "line 2: .*write A --> B"),
        ("[('X', 1)]", "pairs of names"),
        ("[('X', 'Y'", "pairs of names"),
        ("dagify(Y ~ X", "does not end"),
        ("[X][Y|X][Y]", "Y stands there twice"),
        ("variable X {", "not a whole BIF"),
        ("network n { }\nprobability ( Y | X ) { }", "Y is not declared"),
        (",X,Y\nX,0,\nY,0,0", "line 2: .*empty cell"),
        ("X -> Y\x01", "control character"),
        ('{"nodes": ' + "[" * 100_000, "nested too deeply"),
        ("graph [ " + "a [ " * 5_000, "nested too deeply"),
    ],
)
def test_what_is_no_graph_is_named(text, says):
    with pytest.raises(UserError, match=says):
        parse_graph(text, ["X", "Y", "Z"])


def test_dashes_in_quotes_and_comments_of_dot_are_no_edges():
    text = 'digraph { X -> Y [label="a--b"]; /* -- */ Z // --\n}'
    assert parse_graph(text, ["X", "Y", "Z"]).directed == {("X", "Y")}


@pytest.mark.parametrize("text", ["X -> Y, " * 40_000 + "X -> X", "{" * 300_000])
def test_a_long_line_is_shown_by_its_beginning(text):
    with pytest.raises(UserError) as caught:
        parse_graph(text, ["X", "Y"])
    assert len(str(caught.value)) < 400


def test_a_folder_and_a_missing_file_are_called_so(tmp_path):
    for path, says in ((tmp_path, "a folder"), (tmp_path / "no", "there is no such file")):
        with pytest.raises(UserError, match=says) as caught:
            read_graph(path)
        assert "Errno" not in str(caught.value)
