"""How good the best setting was after each run, drawn and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from seedo.reports._drawing import BLUE, GREEN, GREY, ORANGE, PINK, RED, SKY, panels, short_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedo.evaluation import Review, Run
    from seedo.statistics import Estimate

_COLOURS = (BLUE, ORANGE, GREEN, RED, PINK, SKY, GREY)
_STYLES = ("-", "--", "-.", ":")
SHOWN = (5, 10, 20)
"""Numbers of runs after which tables show the regret."""


def draw_regret(review: Review) -> Figure | None:
    """A panel for each world: regret, or the best that was found, against the number of runs."""
    groups = [g for g in review.groups if any(run.regret for run in g.runs)]
    if not groups:
        return None
    columns = min(2, len(groups))
    rows = -(-len(groups) // columns)
    figure, axes = panels(rows, columns, 4.6 * columns, 3.2 * rows)
    for spare in axes.ravel()[len(groups) :]:
        spare.remove()
    for ax, group in zip(axes.ravel(), groups, strict=False):
        known = [run for run in group.runs if run.regret]
        relative = all(run.regret and run.regret.area.value is not None for run in known)
        for i, run in enumerate(known):
            assert run.regret is not None
            line = run.regret.regret if relative else run.regret.best
            middle, low, high = _ends(line)
            colour, style = _COLOURS[i % len(_COLOURS)], _STYLES[i // len(_COLOURS) % len(_STYLES)]
            ax.fill_between(run.regret.runs, low, high, color=colour, alpha=0.15, linewidth=0)
            label = short_name(run.agent, 28)
            ax.plot(run.regret.runs, middle, style, color=colour, linewidth=1.4, label=label)
        ax.set_title(short_name(group.world, 56))
        ax.set_xlabel("runs")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_ylabel("regret (1: by chance, 0: the best)" if relative else "best found")
        if relative:
            ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
        ax.legend(fontsize=7)
    return figure


def _ends(line: Sequence[Estimate]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    def numbers(name: str) -> np.ndarray:
        values = [getattr(estimate, name) for estimate in line]
        return np.array([np.nan if value is None else value for value in values], np.float64)

    return numbers("value"), numbers("low"), numbers("high")


def shown_runs(runs: Sequence[Run]) -> list[int]:
    """Numbers of runs after which the regret of any of them is shown."""
    last = {run.regret.runs[-1] for run in runs if run.regret}
    return sorted({n for n in SHOWN if n <= max(last, default=0)} | last)[:4]
