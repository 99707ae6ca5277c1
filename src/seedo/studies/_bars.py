"""Grouped bars with intervals over seeds: the figure of the studies in rooms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from seedo.episodes import write_atomic
from seedo.reports._figures import BLUE, GREEN, GREY, INK, ORANGE, RED, STYLE, svg
from seedo.statistics import _intervals as _statistics


def bar_figure(
    path: Path,
    values: Mapping[str, Mapping[str, list[float]]],
    kinds: Sequence[str],
    label: str,
    chance: float,
    bar: float,
) -> str:
    """Writes an SVG with a group of bars for each condition, a bar for each kind; its path.

    Args:
        path: of the file.
        values: by condition and kind, one a seed.
        kinds: order of the bars.
        label: of the vertical axis.
        chance: dotted line.
        bar: dashed line.
    """
    width = 0.8 / len(kinds)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.2 + 1.1 * len(values), 3.6), layout="constrained",
                        facecolor="none")  # fmt: skip
        ax = figure.subplots()
        ax.set_facecolor("none")
        for place, kind in enumerate(kinds):
            found = [_statistics.mean(np.array(own[kind])) for own in values.values()]
            heights = [e.value or 0.0 for e in found]
            spread = [
                (0.0 if e.low is None or e.high is None else (e.high - e.low) / 2) for e in found
            ]
            at = np.arange(len(found)) + (place - (len(kinds) - 1) / 2) * width
            ax.bar(at, heights, width, yerr=spread, label=kind,
                   color=(BLUE, ORANGE, GREEN, RED)[place % 4],
                   error_kw={"ecolor": INK, "capsize": 2, "linewidth": 1})  # fmt: skip
        ax.axhline(chance, color=GREY, linestyle=":", linewidth=1.2, label="chance")
        ax.axhline(bar, color=INK, linestyle="--", linewidth=1.0, label=f"{bar:g}")
        ax.set_xticks(range(len(values)), list(values), rotation=30, ha="right")
        ax.set_ylim(0, 1.02)
        ax.set_ylabel(label)
        figure.legend(loc="outside upper center", ncols=len(kinds) + 2)
        text = svg(figure, "study", label)
    write_atomic(path, text.encode())
    return str(path)
