"""Leaving unmeasured variables out of a graph: the latent projection."""

from __future__ import annotations

from collections.abc import Iterable

Edges = frozenset[tuple[str, str]]


def project(directed: Edges, bidirected: Edges, latent: Iterable[str]) -> tuple[Edges, Edges]:
    """The acyclic directed mixed graph over the measured variables.

    It has A -> B where a directed path leads from A to B through latent variables only, and
    A <-> B where a path without colliders, through latent variables only, has an arrowhead at both
    ends (Verma & Pearl 1990, UAI; Verma 1993). It entails the same conditional independences among
    the measured variables, and the same identified effects. One latent variable is left out after
    the other, in whatever order: a path through it is replaced by the edge that it amounts to.

    Args:
        directed: (cause, effect), without cycles.
        bidirected: pairs with a hidden common cause, each in either order.
        latent: names of the variables to be left out.

    Returns:
        Directed and bidirected edges, the pairs of the latter in alphabetical order.
    """
    arrows = set(directed)
    pairs = {frozenset(pair) for pair in bidirected}
    for hidden in latent:
        causes = {a for a, b in arrows if b == hidden}
        effects = {b for a, b in arrows if a == hidden}
        spouses = {name for pair in pairs if hidden in pair for name in pair - {hidden}}
        arrows = {edge for edge in arrows if hidden not in edge}
        pairs = {pair for pair in pairs if hidden not in pair}
        arrows |= {(cause, effect) for cause in causes for effect in effects}
        ends = effects | spouses
        pairs |= {frozenset((a, b)) for a in effects for b in ends if a != b}
    return frozenset(arrows), frozenset((min(pair), max(pair)) for pair in pairs)
