"""Figure of a frontier: return ratio against each cost, who is in the Pareto set, and by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from seedo.evaluation import COSTS, Frontier, FrontierGroup, Point
from seedo.reports._drawing import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    STYLE,
    bar,
    log_scale,
    panels,
    short_name,
    svg,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LABELS = {
    "experiments": "experiments an episode",
    "flops": "FLOPs an episode (log scale)",
    "milliseconds": "ms an episode, alone (log scale)",
}
_COLOURS = {"yes": BLUE, "open": ORANGE, "no": GREY}
_MARKS = {"yes": "o", "open": "D", "no": "s"}  # not by colour alone
_GAP = 0.036  # of the axis' height, between labels one above the other


def frontier_figures(frontier: Frontier) -> dict[str, str]:
    """SVG by title, one for each world and split; a group without returns is left out."""
    found = {}
    with mpl.rc_context(STYLE):
        for number, group in enumerate(frontier.groups):
            title = f"Return against cost: {group.label}"
            if (figure := _drawn(group)) is not None:
                found[title] = svg(figure, f"cost{number}", title)
    return found


def _drawn(group: FrontierGroup) -> Figure | None:
    shown = {name: _shown(group, name) for name in COSTS}
    shown = {name: points for name, points in shown.items() if points}
    if not shown:
        return None
    most = max(len(points) for points in shown.values())
    figure, [axes] = panels(1, len(shown), 5.0 * len(shown), max(3.6, 1.6 + 0.26 * most))
    for ax, (name, points) in zip(axes, shown.items(), strict=True):
        _panel(ax, name, points)
    handles = [
        Line2D([], [], color=BLUE, marker="o", label="Pareto set, 95 % interval"),
        Line2D([], [], color=ORANGE, marker="D", linestyle="", label="not told from it"),
        Line2D([], [], color=GREY, marker="s", linestyle="", label="beaten at no more cost"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _shown(group: FrontierGroup, name: str) -> list[Point]:
    return [
        p
        for p in group.points
        if p.return_ratio.value is not None and p.pareto.get(name) and _cost(p, name) > 0
    ]


def _cost(point: Point, name: str) -> float:
    """A cost that a logarithmic axis can show: none of these is less than one operation."""
    cost = point.cost(name)
    if cost is None:
        return -1.0
    return cost + 1e-9 if name == "experiments" else max(cost, 1.0 if name == "flops" else 1e-4)


def _panel(ax: Axes, name: str, points: list[Point]) -> None:
    if name == "experiments":
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        log_scale(ax)
    where = [(_cost(p, name), float(p.return_ratio.value or 0.0)) for p in points]
    for (x, y), point in zip(where, points, strict=True):
        status = point.pareto[name]
        ax.errorbar(x, y, yerr=bar(point.return_ratio), fmt=_MARKS[status], markersize=5,
                    color=_COLOURS[status], capsize=2, linewidth=1, zorder=3)  # fmt: skip
    best = sorted(xy for xy, p in zip(where, points, strict=True) if p.pareto[name] == "yes")
    if len(best) > 1:
        costs, gets = zip(*best, strict=True)
        ax.plot(costs, gets, color=BLUE, linewidth=1.2, drawstyle="steps-post", zorder=2)
    ax.set_xlabel(_LABELS[name])
    ax.set_ylabel("return ratio (share of the omniscient return)")
    _room(ax, name, where)
    _label(ax, name, where, points)


def _room(ax: Axes, name: str, where: list[tuple[float, float]]) -> None:
    """Limits with space for names on the right and, where they crowd, above."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.16 * (high - low))
    x = np.array([x for x, _ in where])
    if name == "experiments":
        right = np.ceil(x.max()) + max(2.0, 0.9 * float(np.ptp(x)))
        ax.set_xlim(max(0.0, np.floor(x.min()) - 1), right)
    else:
        decades = max(float(np.log10(x.max() / x.min())), 1.0)
        ax.set_xlim(x.min() / 10 ** (0.08 * decades), x.max() * 10 ** (0.45 * decades))


def _label(ax: Axes, name: str, where: list[tuple[float, float]], points: list[Point]) -> None:
    """Every point's name beside it; those that would overlap are moved up or down."""
    (low, high), (left, right) = ax.get_ylim(), ax.get_xlim()

    def across(x: float) -> float:
        if name == "experiments":
            return (x - left) / (right - left)
        return float(np.log(x / left) / np.log(right / left))

    order = sorted(range(len(points)), key=lambda i: where[i][1])
    placed: list[tuple[float, float]] = []
    for i in order:
        x, y = across(where[i][0]), (where[i][1] - low) / (high - low)
        at = y
        # Names are about this long; only those that share a column can collide.
        while any(abs(at - b) < _GAP and abs(x - a) < 0.42 for a, b in placed):
            at += _GAP / 4
        placed.append((x, at))
        ax.annotate(
            short_name(points[i].agent), (x, y), (x + 0.02, at), xycoords="axes fraction",
            textcoords="axes fraction", fontsize=7, va="center", color=INK,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkB": 3}
            if abs(at - y) > _GAP / 2 else None,
        )  # fmt: skip
