"""Grouped bars with intervals over seeds: the figure of the studies of words and rooms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from seedo import reports
from seedo.statistics import mean


def bar_figure(
    values: Mapping[str, Mapping[str, list[float]]],
    kinds: Sequence[str],
    label: str,
    chance: float,
    bar: float,
) -> Figure:
    """A group of bars for each condition, a bar for each kind.

    Args:
        values: by condition and kind, one a seed.
        kinds: order of the bars.
        label: of the vertical axis.
        chance: dotted line. bar: dashed line.
    """
    figure, [[ax]] = reports.panels(1, 1, 1.2 + 1.1 * len(values), 3.6)
    found = {
        name: {kind: mean(np.array(own[kind])).to_json() for kind in kinds}
        for name, own in values.items()
    }
    reports.bars(ax, found, kinds)
    ax.axhline(chance, color=reports.GREY, linestyle=":", linewidth=1.2, label="chance")
    ax.axhline(bar, color=reports.INK, linestyle="--", linewidth=1.0, label=f"{bar:g}")
    ax.set_ylim(0, 1.02)
    ax.set_ylabel(label)
    reports.legend_above(figure, ax, len(kinds) + 2)
    return figure
