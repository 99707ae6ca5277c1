"""Figures of a review as SVG text: the same review gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from seedo.evaluation import BAYES, ORACLE
from seedo.reports._drawing import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PINK,
    RED,
    SKY,
    STYLE,
    bar,
    panels,
    short_name,
    svg,
)
from seedo.reports._regret_figure import draw_regret

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from seedo.evaluation import Diagnosis, Group, Review, Run
    from seedo.statistics import Estimate

_COLUMNS = 3


def figures(review: Review) -> dict[str, str]:
    """SVG by title; a figure without data is left out."""
    made: dict[str, Callable[[Review], Figure | None]] = {
        "Return ratio": _returns,
        "Who explored × who reads": _matrix,
        "Strategy attribution": _attribution,
        "Exploration": _exploration,
        "Best setting found": draw_regret,
        "Learning curves": _learning,
    }
    found = {}
    with mpl.rc_context(STYLE):
        for number, (title, draw) in enumerate(made.items()):
            figure = draw(review)
            if figure is not None:
                found[title] = svg(figure, f"f{number}", title)
    return found


def _panels(count: int, height: float, width: float = 3.6) -> tuple[Figure, list[Axes]]:
    columns = min(_COLUMNS, count)
    rows = -(-count // columns)
    figure, axes = panels(rows, columns, width * columns + 1.4, height * rows + 0.7)
    for spare in axes.ravel()[count:]:
        spare.remove()
    return figure, list(axes.ravel()[:count])


def _listing(groups: list[Group]) -> tuple[Figure, list[Axes]]:
    """A panel for each group, its runs one below the other."""
    figure, axes = _panels(len(groups), 0.9 + 0.24 * max(len(g.runs) for g in groups))
    for ax, group in zip(axes, groups, strict=True):
        _rows(ax, _labels(list(group.runs)))
        ax.set_title(f"{short_name(group.world, 48)}\n{group.split}")
    return figure, axes


def _rows(ax: Axes, names: list[str]) -> None:
    ax.set_yticks(range(len(names)), [short_name(name) for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)


def _labels(runs: list[Run]) -> list[str]:
    """Agents' names, with seeds where a name occurs twice."""
    names = [run.agent for run in runs]
    return [
        f"{run.agent} ({run.seed})" if names.count(run.agent) > 1 else run.agent for run in runs
    ]


def _returns(review: Review) -> Figure | None:
    groups = [g for g in review.groups if any(r.metrics.return_ratio.value is not None
                                              for r in g.runs)]  # fmt: skip
    if not groups:
        return None
    figure, axes = _listing(groups)
    for ax, group in zip(axes, groups, strict=True):
        for position, run in enumerate(group.runs):
            ratio = run.metrics.return_ratio
            if ratio.value is not None:
                ax.errorbar(ratio.value, position, xerr=bar(ratio), fmt="o", color=BLUE,
                            markersize=5, capsize=3, zorder=3)  # fmt: skip
        for value, color, style in _lines(group):
            ax.axvline(value, color=color, linestyle=style, linewidth=1.4, zorder=1)
        ax.set_xlabel("return ratio (share of the omniscient return)")
    handles = [
        Line2D([], [], color=BLUE, marker="o", linestyle="-", label="run, 95 % interval"),
        Line2D([], [], color=GREY, linestyle=":", label="random floor"),
        Line2D([], [], color=ORANGE, linestyle="--", label="best heuristic, same histories"),
        Line2D([], [], color=GREEN, linestyle="-.", label="Bayes reader, same histories"),
        Line2D([], [], color=INK, linestyle="-", label="omniscient ceiling"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _matrix(review: Review) -> Figure | None:
    groups = [g for g in review.groups if g.read and len(g.runs) > 1]
    if not groups:
        return None
    most = max(len(g.runs) for g in groups)
    figure, axes = _panels(len(groups), 1.5 + 0.24 * most, 4.4)
    for ax, group in zip(axes, groups, strict=True):
        columns = ("itself", *group.readers)
        cells = [
            [
                run.metrics.return_ratio,
                *(
                    run.metrics.readers[n].return_ratio if n in run.metrics.readers else None
                    for n in group.readers
                ),
            ]
            for run in group.runs
        ]
        values = np.array([[_ratio(cell) for cell in row] for row in cells])
        # A mesh, not an image: the page stays free of embedded files.
        ax.pcolormesh(np.ma.masked_invalid(values), cmap="cividis", vmin=0, vmax=1)
        for (row, column), value in np.ndenumerate(values):
            text = "–" if np.isnan(value) else f"{value:.2f}"
            ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=7,
                    color="#ffffff" if value < 0.6 else "#000000")  # fmt: skip
        middle = np.arange(len(columns)) + 0.5
        ax.set_xticks(middle, [short_name(c, 20) for c in columns], rotation=35, ha="right")
        agents = [short_name(n) for n in _labels([*group.runs])]
        ax.set_yticks(np.arange(len(group.runs)) + 0.5, agents)
        ax.invert_yaxis()
        ax.set_title(f"{short_name(group.world, 48)}\n{group.split}")
    return figure


def _ratio(cell: Estimate | None) -> float:
    return float("nan") if cell is None or cell.value is None else cell.value


def _lines(group: Group) -> list[tuple[float, str, str]]:
    best = group.references.get(group.best_heuristic or "")
    lines = [
        (group.references["random"], GREY, ":"),
        (best, ORANGE, "--"),
        (group.references[BAYES], GREEN, "-."),
        (group.references["oracle"], INK, "-"),
    ]
    return [(e.value, c, s) for e, c, s in lines if e is not None and e.value is not None]


def _diagnosis(run: Run) -> Diagnosis | None:
    """Episodes on which the optimal reader stands alone, at margin 0; the most telling ones."""
    found = [d for d in run.attribution.diagnoses if d.definition != "any" and d.n > 0]
    return found[0] if found else None


def _attribution(review: Review) -> Figure | None:
    cases = [
        (group, label, diagnosis)
        for group in review.groups
        for run, label in zip(group.runs, _labels(list(group.runs)), strict=True)
        if (diagnosis := _diagnosis(run)) is not None
    ]
    if not cases:
        return None
    figure, axes = _panels(len(cases), 2.2, 3.2)
    colors = {BAYES: GREEN, ORACLE: BLUE}
    for ax, (group, label, diagnosis) in zip(axes, cases, strict=True):
        for position, (name, strategy) in enumerate(diagnosis.strategies.items()):
            agrees = strategy.agrees
            ax.barh(position, agrees.value or 0.0, height=0.7, xerr=bar(agrees),
                    color=colors.get(name, ORANGE),
                    error_kw={"ecolor": INK, "capsize": 2, "linewidth": 1})  # fmt: skip
        _rows(ax, list(diagnosis.strategies))
        ax.set_xlim(0, 1)
        ax.set_xlabel("share of exploit actions predicted")
        ax.set_title(
            f"{short_name(label, 40)}\n{short_name(group.label, 48)}\n"
            f"{diagnosis.definition}, {diagnosis.n:,} episodes"
        )
    return figure


def _exploration(review: Review) -> Figure | None:
    groups = [g for g in review.groups
              if any(r.metrics.distinct_tested.value is not None for r in g.runs)]  # fmt: skip
    if not groups:
        return None
    figure, axes = _listing(groups)
    for ax, group in zip(axes, groups, strict=True):
        most = longest = 0.0
        for position, run in enumerate(group.runs):
            tested = run.metrics.distinct_tested
            most = max(most, run.metrics.relevant.value or 0.0)
            if tested.value is not None:
                longest = max(longest, tested.value, tested.high or 0.0)
                ax.barh(position, tested.value, height=0.6, xerr=bar(tested), color=BLUE,
                        error_kw={"ecolor": INK, "capsize": 2, "linewidth": 1})  # fmt: skip
        if most > 0:
            ax.axvline(most, color=INK, linewidth=1.2, linestyle="--")
        ax.set_xlim(0, max(1.0, most, longest) * 1.05)
        ax.set_xlabel("relevant variables tested (mean an episode;\ndashed: all of them)")
    return figure


def _learning(review: Review) -> Figure | None:
    curves = {run.agent: run.learning for run in review.runs if run.learning}
    at = "episodes"
    curves = {name: rows for name, rows in curves.items() if any(at in row for row in rows)}
    keys = [
        key
        for key in ("exploit_loss", "heldout_exploit_loss", "explore_loss", "edge_loss")
        if any(key in row for rows in curves.values() for row in rows)
    ]
    if not keys:
        return None
    figure, axes = _panels(len(keys), 2.4, 3.0)
    palette = (BLUE, ORANGE, GREEN, RED, PINK, SKY, GREY)
    styles = ("-", "--", ":", "-.")
    for ax, key in zip(axes, keys, strict=True):
        for number, (name, rows) in enumerate(curves.items()):
            points = [(row[at], row[key]) for row in rows if at in row and key in row]
            if points:
                x, y = zip(*points, strict=True)
                ax.plot(x, y, color=palette[number % len(palette)], linewidth=1.4,
                        linestyle=styles[number // len(palette) % 4],
                        marker="o" if len(points) == 1 else "", markersize=4,
                        label=short_name(name))  # fmt: skip
        ax.set_xlabel("training episodes")
        ax.set_ylabel(f"{key.replace('_', ' ')} (nats)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure
