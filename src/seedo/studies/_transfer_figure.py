"""The figure of study `transfer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seedo import reports

Cells = Sequence[Mapping[str, Any]]
_COLUMNS = 4


def map_of_transfer(ladder: Mapping[str, Cells], factors: Mapping[str, Cells]) -> Figure:
    """Returns over noise, one panel a network; held-out against in-distribution return, one panel a
    factor.

    Args:
        ladder: by network, cells that differ in noise and in what is held out.
        factors: by what was changed, cells with and without the change.
    """
    count = len(ladder) + len(factors)
    columns = min(_COLUMNS, count)
    rows = -(-count // columns)
    figure, axes = reports.panels(rows, columns, 2.9 * columns, 2.8 * rows)
    panels = list(axes.ravel())
    for ax, (name, cells) in zip(panels, ladder.items(), strict=False):
        _over_noise(ax, cells)
        ax.set(title=name, ylim=(-0.05, 1.05))
    for ax, (name, cells) in zip(panels[len(ladder) :], factors.items(), strict=False):
        _against(ax, cells)
        ax.set_title(name)
    for ax in panels[count:]:
        ax.set_axis_off()
    if ladder:
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=8)
    return figure


def _over_noise(ax: Axes, cells: Cells) -> None:
    """In distribution, on the held-out link, and what readers make of it."""
    for held, style in (("path", "-"), ("arrow", ":")):
        own = sorted(
            (c for c in cells if c["cell"]["held"] == held), key=lambda c: c["cell"]["noise"]
        )
        if not own:
            continue
        noise = [c["cell"]["noise"] for c in own]
        if held == "path":
            _curve(ax, noise, [c["train"] for c in own], reports.GREY, "-", "in distribution")
            there = [c["references"]["heldout-link"] for c in own]
            for name, colour, label in (("heuristic", reports.ORANGE, "best heuristic"),
                                        ("Bayes", reports.GREEN, "exact Bayes")):  # fmt: skip
                known = [(x, t[name]["value"]) for x, t in zip(noise, there, strict=True)
                         if t[name] is not None]  # fmt: skip
                ax.plot(*zip(*known, strict=True), "--", color=colour, lw=1, label=label)
        found = [c["heldout-link"] for c in own]
        _curve(ax, noise, found, reports.BLUE, style, f"link never seen ({held} held out)")
    reports.log_scale(ax)
    ax.set(xlabel="noise variance", ylabel="share of omniscient return")


def _curve(
    ax: Axes, x: Sequence[float], estimates: Cells, colour: str, style: str, label: str
) -> None:
    ax.plot(x, [e["value"] for e in estimates], style, color=colour, marker="o", ms=3, label=label)
    low, high = (
        [e["value"] if e[end] is None else e[end] for e in estimates] for end in ("low", "high")
    )
    ax.fill_between(x, low, high, color=colour, alpha=0.2, lw=0)


def _against(ax: Axes, cells: Cells) -> None:
    """Held-out return against that in distribution; on the line both are equal."""
    ax.plot([0, 1], [0, 1], color=reports.GREY, lw=0.8)
    for own in cells:
        cell = own["cell"]
        inside, outside = own["train"]["value"], own["heldout-link"]["value"]
        clear = cell["noise"] < 0.1
        ax.plot(inside, outside, "o", ms=4, color=reports.BLUE if clear else reports.RED)
        ax.annotate(_told(cell), (inside, outside), fontsize=6, xytext=(3, 3),
                    textcoords="offset points")  # fmt: skip
    ax.set(xlim=(0, 1.05), ylim=(-0.05, 1.05), xlabel="in distribution", ylabel="held-out link")


def _told(cell: Mapping[str, Any]) -> str:
    """What was changed."""
    parts = [str(v) for _, v in (*cell["world"], *cell["recipe"])]
    parts += [" and ".join(cell["watched"])] if "watched" in cell else []
    parts += [f"{cell['episodes']:,}, {cell['epochs']:g} times"] if not parts else []
    return " ".join(parts)
