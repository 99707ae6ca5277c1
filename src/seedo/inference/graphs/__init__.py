"""What is known or believed about a graph before the data, and what it identifies."""

from seedo.inference.graphs._essential import effect_identified, essential_graph
from seedo.inference.graphs._identify import Identified, NotIdentified, Population, identify
from seedo.inference.graphs._known_graph import KnownGraph, parse_graph, read_graph
from seedo.inference.graphs._prior import GraphPrior, edge_prior
from seedo.inference.graphs._stated import numbers, one_number, pairs, stated_prior

__all__ = [
    "GraphPrior",
    "Identified",
    "KnownGraph",
    "NotIdentified",
    "Population",
    "edge_prior",
    "effect_identified",
    "essential_graph",
    "identify",
    "numbers",
    "one_number",
    "pairs",
    "parse_graph",
    "read_graph",
    "stated_prior",
]
