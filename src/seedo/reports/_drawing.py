"""What every figure is drawn with: colours, panels, curves and bars with intervals, SVG as text.

Colours are Okabe and Ito's, told apart in all common kinds of colour vision. Lines and words are
drawn in `currentColor`, so that a page's light or dark scheme carries over.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray

from seedo.statistics import Estimate

INK = "#010203"  # replaced by currentColor
"""Colour of text and axes, which `svg` replaces by that of the page."""
BLUE = "#0072B2"
"""A colour that people with any colour vision tell from the others (Okabe and Ito)."""
ORANGE = "#E69F00"
"""A colour that people with any colour vision tell from the others (Okabe and Ito)."""
GREEN = "#009E73"
"""A colour that people with any colour vision tell from the others (Okabe and Ito)."""
RED = "#D55E00"
"""A colour that people with any colour vision tell from the others (Okabe and Ito)."""
PINK = "#CC79A7"
"""A colour that people with any colour vision tell from the others (Okabe and Ito)."""
SKY = "#56B4E9"
"""A colour that people with any colour vision tell from the others (Okabe and Ito)."""
GREY = "#808080"
"""A colour for what is not the point."""
STYLE: Any = {
    "svg.hashsalt": "seedo",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
}
"""Settings of Matplotlib for all figures."""


def panels(rows: int, columns: int, width: float, height: float, **shared: Any) -> Any:
    """A figure of so many inches and its axes, [rows, columns]; `shared`: of `Figure.subplots`."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="none")
    axes = figure.subplots(rows, columns, squeeze=False, **shared)
    for ax in axes.ravel():
        ax.set_facecolor("none")
    return figure, axes


def log_scale(ax: Axes) -> None:
    """A horizontal logarithmic axis, its powers of ten written out: formulas are not typeset."""
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _power(x)))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _power(number: float) -> str:
    """10⁵."""
    exponent = str(round(float(np.log10(number))))
    return "10" + exponent.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def only_ticks(ax: Axes, ticks: Sequence[float], base: float = 10) -> None:
    """A horizontal logarithmic axis with these ticks and no others."""
    ax.set_xscale("log", base=base)
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.set_xticks([], minor=True)


def curve(ax: Axes, x: Any, estimates: Sequence[Any], shaded: bool = False, **style: Any) -> None:
    """A line through estimates with their intervals, as bars or as a shaded band.

    Args:
        ax: axes. x: K places.
        estimates: K mappings with `value`, `low` and `high`; what is None is left out.
        style: of the line.
    """
    middle, low, high = _columns(estimates)
    look: dict[str, Any] = {"marker": "o", "markersize": 3} | style
    if shaded:
        ax.plot(x, middle, **look)
        ax.fill_between(x, low, high, color=style["color"], alpha=0.2, linewidth=0)
    else:
        ax.errorbar(x, middle, [middle - low, high - middle], capsize=2, **look)


def bars(ax: Axes, groups: Mapping[str, Mapping[str, Any]], kinds: Sequence[str]) -> None:
    """A group of bars for each name, with a bar and its interval for each kind."""
    width = 0.8 / len(kinds)
    for place, kind in enumerate(kinds):
        middle, low, high = np.nan_to_num(_columns([own[kind] for own in groups.values()]))
        at = np.arange(len(groups)) + (place - (len(kinds) - 1) / 2) * width
        ax.bar(at, middle, width, yerr=(high - low) / 2, label=kind,
               color=(BLUE, ORANGE, GREEN, RED)[place % 4],
               error_kw={"ecolor": INK, "capsize": 2, "linewidth": 1})  # fmt: skip
    ax.set_xticks(range(len(groups)), list(groups), rotation=30, ha="right")


def _columns(estimates: Sequence[Any]) -> NDArray[np.float64]:
    """float64[3, K]: value, low, high; NaN for None."""
    return np.array([[e[k] for e in estimates] for k in ("value", "low", "high")], np.float64)


def legend_above(figure: Figure, ax: Axes, columns: int, title: str | None = None) -> None:
    """What is labelled in one of the axes, for all of them."""
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=columns,
                  title=title)  # fmt: skip


def svg(figure: Figure, prefix: str, title: str) -> str:
    """A figure as text that stands in a page: ids begin with `prefix`, read out as `title`."""
    text = io.StringIO()
    with warnings.catch_warnings():
        # Letters are the page's own text: what matplotlib's font lacks, the browser's has.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)
    # Several figures share a page, and ids must be the page's only ones.
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    return re.sub(r'(url\(|href=")#', rf"\1#{prefix}-", svg)


def bar(estimate: Estimate) -> list[list[float]] | None:
    """The error bar of an estimate, [[below], [above]]; None: it has no interval."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return None
    return [[estimate.value - estimate.low], [estimate.high - estimate.value]]


def short_name(text: str, most: int = 28) -> str:
    """A name of at most `most` characters, shortened in the middle."""
    return text if len(text) <= most else text[: most - 1] + "…"
