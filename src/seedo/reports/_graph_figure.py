"""A posterior over graphs as a picture: one arrow an edge, as strong as it is probable."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import networkx as nx
import numpy as np
from matplotlib.patches import FancyArrowPatch
from numpy.typing import NDArray

from seedo.reports._drawing import BLUE, GREY, INK, ORANGE, STYLE, panels, svg

_SHOWN = 0.1
_CERTAIN = 0.95


def graph_figure(
    names: Sequence[str],
    edges: NDArray[np.float64],
    open_edges: NDArray[np.float64],
    goal: int | None = None,
    hidden: NDArray[np.bool_] | None = None,
) -> str:
    """SVG of edge probabilities.

    Args:
        names: of the n variables; those without any edge to show are left out if n > 20.
        edges: float[n, n], P(i -> j); from 0.1 on they are drawn.
        open_edges: float[n, n], P(adjacent, and no row can tell which way): drawn without a head
            where above one half.
        goal: a variable to mark.
        hidden: bool[n, n], pairs with a hidden common cause: dashed, with two heads.
    """
    undirected = np.triu(open_edges > 0.5)
    arrows = (edges >= _SHOWN) & ~(undirected | undirected.T)
    shown = [i for i in range(len(names)) if len(names) <= 20 or i == goal
             or arrows[i].any() or arrows[:, i].any()
             or undirected[i].any() or undirected[:, i].any()
             or (hidden is not None and (hidden[i].any() or hidden[:, i].any()))]  # fmt: skip
    place = _layout(edges, shown)
    with mpl.rc_context(STYLE):
        heights = [place[i][1] for i in shown]
        tall = min(1.8 + 0.75 * (max(heights) - min(heights)), 5.4) if shown else 1.8
        figure, [[ax]] = panels(1, 1, 9, tall)
        ax.axis("off")
        for i, j in np.argwhere(arrows):
            certain = edges[i, j] >= _CERTAIN
            _line(ax, place[i], place[j], edges[i, j], BLUE if certain else ORANGE, "-|>",
                  "solid" if certain else (0, (4, 2)))  # fmt: skip
        for i, j in np.argwhere(undirected):
            _line(ax, place[i], place[j], edges[i, j] + edges[j, i], GREY, "-", "solid")
        for i, j in np.argwhere(hidden) if hidden is not None else ():
            if i in place and j in place:
                _line(ax, place[i], place[j], 1.0, GREY, "<|-|>", (0, (4, 2)))
        for i in shown:
            ax.annotate(
                names[i], place[i], ha="center", va="center", fontsize=9, color=INK, zorder=4,
                bbox={"boxstyle": "round,pad=0.35", "facecolor": "#ffffff00" if i != goal
                      else "#009E7355", "edgecolor": INK, "linewidth": 2 if i == goal else 0.8},
            )  # fmt: skip
        xy = np.array([place[i] for i in shown])
        ax.set_xlim(xy[:, 0].min() - 0.6, xy[:, 0].max() + 0.6)
        ax.set_ylim(xy[:, 1].min() - 0.6, xy[:, 1].max() + 0.6)
        return svg(figure, "graph", "Posterior over graphs")


def _layout(edges: NDArray[np.float64], shown: Sequence[int]) -> dict[int, tuple[float, float]]:
    """Causes to the left: layers of the acyclic graph made of the most probable edges."""
    graph = nx.DiGraph()
    graph.add_nodes_from(shown)
    order = np.dstack(np.unravel_index(np.argsort(-edges, axis=None, kind="stable"), edges.shape))
    for i, j in order[0].tolist():
        if edges[i, j] < 0.3:
            break
        if i in graph and j in graph and not nx.has_path(graph, j, i):
            graph.add_edge(i, j)
    found = {}
    for depth, layer in enumerate(nx.topological_generations(graph)):
        for at, node in enumerate(layer):
            # A shift by layer, so that arrows over several layers do not lie on one another.
            height = (at - (len(layer) - 1) / 2) * 1.2 + 0.35 * (depth % 2) + 0.11 * depth
            found[node] = (2.0 * depth, -height)
    return found


def _line(ax, start, end, probability: float, color: str, head: str, style) -> None:
    ax.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle=head, mutation_scale=13, shrinkA=17, shrinkB=17,
            connectionstyle="arc3,rad=0.12", linewidth=0.6 + 1.8 * probability, color=color,
            linestyle=style, alpha=0.35 + 0.65 * min(probability, 1.0), zorder=2,
        )
    )  # fmt: skip
