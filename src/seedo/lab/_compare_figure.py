"""The figure of a comparison: return ratio of every player, against the setting that varied.

Every player has its own colour, marker and dash, see `_palette`.
"""

from __future__ import annotations

import io
import threading
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seedo.lab._palette import look
from seedo.lab._worlds import shown_as

_DOTS = 96  # pixels of a page to an inch
USUAL, NARROWEST, WIDEST = 700, 300, 1900
"""Widths of a figure in pixels of a page."""

_NARROW = 560
_FLOOR = "Random action (floor)"
_DRAWING = threading.Lock()  # rc_context is the process's
_WIDE = 8.0  # highest value over lowest from which the axis is logarithmic


def draw(
    results: dict[str, Any], dark: bool = False, width: int = USUAL, form: str = "svg"
) -> bytes:
    """The figure as `svg` or `png`; the same results give the same bytes.

    Args:
        results: as `ComparisonRun.results` gives them.
        dark: for a dark page.
        width: in pixels of a page, `NARROWEST` to `WIDEST`; letters stay as large.
        form: `svg` or `png` (at 200 dots an inch).
    """
    ink, paper = ("#ececec", "#15171a") if dark else ("#1a1a1a", "#ffffff")
    style: Any = {
        "svg.hashsalt": "seedo",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 10,
        "text.parse_math": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
        **dict.fromkeys(
            ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), ink
        ),
    }
    with _DRAWING, mpl.rc_context(style):
        narrow = width < _NARROW
        inches = min(max(width, NARROWEST), WIDEST) / _DOTS
        if results["sweep"]:
            height = 5.0 if narrow else min(max(4.4, 0.5 * inches), 7.0)
        else:
            height = 1.7 + 0.55 * len(results["cells"])
        figure = Figure(figsize=(inches, height), layout="constrained", facecolor=paper)
        axes = figure.subplots()
        axes.set_facecolor(paper)
        (_lines if results["sweep"] else _dots)(axes, results, dark, ink)
        whole = results["episodes"]
        part = any(cell.get("n", whole) < whole for cell in results["cells"])
        figure.supxlabel(
            f"{'so far; at the end ' if part else ''}{whole:,} episodes a point, the same for "
            f"every player, seed {results['seed']};{chr(10) if narrow else ' '}"
            "bars: 95 % bootstrap intervals over episodes",
            fontsize=6.5 if narrow else 8,
        )
        out = io.BytesIO()
        metadata: Any = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
        figure.savefig(out, format=form, dpi=200, metadata=metadata, facecolor=paper)
    return out.getvalue()


def _lines(axes: Axes, results: dict[str, Any], dark: bool, ink: str) -> None:
    values = sorted(results["values"])
    logarithmic = values[0] > 0 and values[-1] / values[0] >= _WIDE
    if logarithmic:
        axes.set_xscale("log")
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.set_xticks([], minor=True)
    x = np.asarray(values, np.float64)
    span = (np.log(x[-1] / x[0]) if logarithmic else x[-1] - x[0]) or 1.0
    players = results["players"]
    for number, name in enumerate(players):
        found = {c["value"]: c for c in results["cells"] if c["player"] == name}
        # A little to the side, so that intervals do not hide each other.
        aside = 0.012 * span * (number - (len(players) - 1) / 2)
        at = x * np.exp(aside) if logarithmic else x + aside
        points = [_point(found[value]) for value in values]
        y, low, high = np.array(points).T
        axes.errorbar(
            at, y, yerr=[y - low, high - y], label=next(iter(found.values()))["label"],
            color=_colour(name, dark), marker=look(name).marker, linestyle=_line(name),
            linewidth=1.6, markersize=6, capsize=3, elinewidth=1.1,
        )  # fmt: skip
    floor = [_floor(results, value) for value in values]
    axes.plot(x, floor, color=ink, alpha=0.6, linewidth=1.1, linestyle=":", marker="_",
              label=_FLOOR)  # fmt: skip
    axes.axhline(1.0, color=ink, alpha=0.6, linewidth=1.0)
    axes.set_xlabel(_label(results))
    axes.set_ylabel("Return ratio (1: knows the system)")
    _span(axes.set_ylim, results)
    handles, labels = axes.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: labels[i] == _FLOOR)
    shown = [handles[i] for i in order], [labels[i] for i in order]
    axes.figure.legend(
        *shown, loc="outside upper center", ncols=_columns(axes), fontsize=9, handlelength=3.5
    )


def _dots(axes: Axes, results: dict[str, Any], dark: bool, ink: str) -> None:
    cells = results["cells"]
    for row, cell in enumerate(cells):
        x, low, high = _point(cell)
        name = cell["player"]
        axes.errorbar(x, row, xerr=[[x - low], [high - x]], color=_colour(name, dark),
                      marker=look(name).marker, markersize=8, capsize=4)  # fmt: skip
        if np.isfinite(x):
            axes.annotate(f"{x:.2f}", (x, row), (0, 9), textcoords="offset points", ha="center",
                          fontsize=9)  # fmt: skip
    axes.set_yticks(range(len(cells)), [cell["label"] for cell in cells])
    axes.set_ylim(len(cells) - 0.5, -0.6)
    axes.axvline(_floor(results, None), color=ink, alpha=0.6, linestyle=":",
                 label=_FLOOR)  # fmt: skip
    axes.axvline(1.0, color=ink, alpha=0.6, linewidth=1.0, label="Knows the system (ceiling)")
    axes.set_xlabel("Return ratio")
    _span(axes.set_xlim, results)
    axes.figure.legend(loc="outside upper center", ncols=_columns(axes), fontsize=9)


def _colour(name: str, dark: bool) -> str:
    return look(name).dark if dark else look(name).light


def _line(name: str) -> Any:
    """Of a player, as Matplotlib draws lines."""
    return (0, look(name).dash) if look(name).dash else "-"


def _label(results: dict[str, Any]) -> str:
    """Of what varies."""
    return shown_as(results["scenario"]["world"]).sweeps[results["sweep"]].label


def _columns(axes: Axes) -> int:
    """Of the legend: what the width has room for."""
    return 1 if axes.figure.get_figwidth() < 6 else 2  # type: ignore[union-attr]


def _point(cell: dict[str, Any]) -> tuple[float, float, float]:
    """Return ratio and its interval; NaN where unknown."""
    ratio = cell.get("return_ratio") or {"value": None, "low": None, "high": None}
    value = np.nan if ratio["value"] is None else ratio["value"]
    low = value if ratio["low"] is None else ratio["low"]
    return value, low, value if ratio["high"] is None else ratio["high"]


def _floor(results: dict[str, Any], value: float | None) -> float:
    """The random floor at a value, from the cell that rests on most episodes."""
    known = [c for c in results["cells"] if c["value"] == value and "random_ratio" in c]
    if not known:
        return float("nan")
    ratio = max(known, key=lambda cell: cell["n"])["random_ratio"]["value"]
    return float("nan") if ratio is None else float(ratio)


def _span(limit: Any, results: dict[str, Any]) -> None:
    """From 0, or below if anything lies there, to just above the ceiling."""
    ends = np.array([_point(cell) for cell in results["cells"]]).ravel()
    ends = ends[np.isfinite(ends)]
    low = min(0.0, *ends) if len(ends) else 0.0
    high = max(1.0, *ends) if len(ends) else 1.0
    limit(max(low, -3.0) - 0.04, min(high, 4.0) + 0.06)
