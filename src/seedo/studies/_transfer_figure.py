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
    """Returns over noise, one panel a network; with and without a change, one panel a factor.

    Args:
        ladder: by network, cells that differ in noise and in what is held out.
        factors: by what was changed, cells with and without the change.
    """
    count = len(ladder) + len(factors)
    columns = min(_COLUMNS, count)
    rows = -(-count // columns)
    width = 3.9 if factors else 2.9  # names of cells take room
    figure, axes = reports.panels(rows, columns, width * columns, 2.8 * rows)
    panels = list(axes.ravel())
    for ax, (name, cells) in zip(panels, ladder.items(), strict=False):
        _over_noise(ax, cells)
        ax.set(title=name, ylim=(-0.05, 1.05))
    for ax, (name, cells) in zip(panels[len(ladder) :], factors.items(), strict=False):
        _changed(ax, cells)
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


def _changed(ax: Axes, cells: Cells) -> None:
    """In distribution (grey) and on the held-out link, a line a cell; red where it is noisy."""
    cells = sorted(cells, key=lambda own: float(own["cell"]["noise"]))
    for row, own in enumerate(cells):
        inside, outside = own["train"]["value"], own["heldout-link"]["value"]
        colour = reports.BLUE if own["cell"]["noise"] < 0.1 else reports.RED
        ax.plot([inside, outside], [row, row], color=colour, lw=1)
        ax.plot(inside, row, "o", ms=4, color=reports.GREY)
        ax.plot(outside, row, "o", ms=4, color=colour)
    ax.set_yticks(range(len(cells)), [_told(own["cell"]) for own in cells], fontsize=6)
    ax.set(xlim=(-0.05, 1.05), ylim=(len(cells) - 0.5, -0.5), xlabel="share of omniscient return")


def _told(cell: Mapping[str, Any]) -> str:
    """What was changed."""
    parts = [cell["network"]] * (cell["network"] != "plain")
    parts += [f"{name} {value}" for name, value in (*cell["world"], *cell["recipe"])]
    if "watched" in cell:
        names = cell["watched"]
        parts.append("watched " + (", ".join(names) if len(names) < 3 else f"{names[0]} who errs"))
    parts.append(f"{cell['episodes'] // 1000:,}k × {cell['epochs']:g}")
    return ", ".join(parts)
