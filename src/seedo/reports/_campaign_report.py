"""What a campaign found, as a page and as a table for the terminal."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from rich.box import SIMPLE
from rich.table import Table

from seedo import __version__
from seedo.evaluation import Best, Found
from seedo.inference.questions import number
from seedo.reports._drawing import BLUE, GREY, INK, ORANGE, RED, STYLE, panels, svg
from seedo.reports._page import page, write_page

NOISE = (
    "where results scatter, luck puts some runs on the front and keeps others off it; expected is "
    "what they give on average"
)
_CHOICES = 12
"""Settings on a front that are told in the terminal; all are on the page."""


def write_campaign(
    found: Found, units: dict[str, str], path: str | os.PathLike[str], command: str = ""
) -> None:
    """Writes one HTML file that needs nothing else; whole or not at all.

    Args:
        units: of knobs and readings, by name; knobs first.
        command: that makes it again.

    Raises:
        UserError: it cannot be written.
    """
    read = list(found.runs[0]["readings"]) if found.runs else []
    names = [name for name in units if name not in read]
    text = page(
        "campaign.html",
        {"number": number, "value": _value},
        found=found,
        names=names,
        read=read,
        knobs=[_titled(name, units) for name in names],
        readings=[_titled(name, units) for name in read],
        pictures={title: Markup(picture) for title, picture in campaign_figures(found).items()},
        command=command,
        noise=NOISE,
        version=__version__,
    )
    write_page(path, text)


def _titled(name: str, units: dict[str, str]) -> str:
    return f"{name} ({units[name]})" if units.get(name) else name


def _value(x: float) -> str:
    return "–" if math.isnan(x) else number(x)


def campaign_figures(found: Found) -> dict[str, str]:
    """SVG by caption; a figure without data is left out."""
    with mpl.rc_context(STYLE):
        made = {
            "Every run, and the best so far. Crosses: runs that failed.": _curve(found),
            "Two goals against one another: runs that no other one beats are joined.": _front(
                found
            ),
        }
        return {
            title: svg(figure, f"c{place}", title)
            for place, (title, figure) in enumerate(made.items())
            if figure is not None
        }


def _curve(found: Found) -> Any:
    values = np.array([row["value"] for row in found.curve], np.float64)
    if not np.isfinite(values).any():
        return None
    runs = np.array([row["run"] for row in found.curve])
    best = np.array([row["best"] for row in found.curve], np.float64)
    goal = found.goals[0]
    alone = len(found.goals) == 1
    sign = -1.0 if alone and goal["aim"] == "minimize" else 1.0
    figure, axes = panels(1, 1, 6.4, 2.8)
    ax = axes[0, 0]
    ax.plot(runs, sign * values, "o", color=GREY, markersize=4)
    ax.step(runs, sign * best, where="post", color=BLUE, linewidth=1.6)
    failed = runs[np.isnan(values)]
    low = float(np.nanmin(sign * values))
    ax.plot(failed, np.full(len(failed), low), "x", color=RED, markersize=5)
    ax.set_xlabel("run")
    ax.set_ylabel(_worth(found) if alone else "weighted sum of goals")
    return figure


def _worth(found: Found) -> str:
    goal = found.goals[0]
    if goal["aim"] == "target":
        return f"minus the distance of {goal['reading']} from {goal['target']:g}"
    return str(goal["reading"])


def _front(found: Found) -> Any:
    if len(found.goals) != 2 or not found.front:
        return None
    first, second = (goal["reading"] for goal in found.goals)
    rows = [row["readings"] for row in found.runs if row["state"] == "done"]
    figure, axes = panels(1, 1, 4.4, 3.4)
    ax = axes[0, 0]
    ax.plot([r[first] for r in rows], [r[second] for r in rows], "o", color=GREY, markersize=4)
    at = sorted((found.runs[i]["readings"][first], found.runs[i]["readings"][second])
                for i in found.front)  # fmt: skip
    ax.plot([x for x, _ in at], [y for _, y in at], "o-", color=ORANGE, markeredgecolor=INK)
    ax.set_xlabel(first)
    ax.set_ylabel(second)
    return figure


def campaign_table(found: Found) -> Table:
    """What was found, for the terminal."""
    made = Table(box=SIMPLE, padding=(0, 1, 0, 0), caption_justify="left", caption=_caption(found))
    for title in ("", "setting", "goal", "expected", "95 % interval", "by"):
        made.add_column(title, overflow="fold")
    kept = "to keep, by weights" if found.choices else "to keep"
    rows = [(kept, found.best), ("best single result", found.measured)]
    rows += [(_on_front(one), one) for one in found.choices[:_CHOICES]]
    for title, best in rows:
        if best is None:
            continue
        for place, one in enumerate(best.expected):
            interval = "" if one.low is None or one.high is None else (
                f"{number(one.low)} to {number(one.high)}"
            )  # fmt: skip
            cells: Sequence[str] = (
                title if place == 0 else "", best.words if place == 0 else "", one.reading,
                number(one.value), interval, one.by,
            )  # fmt: skip
            made.add_row(*(cell.replace("[", r"\[") for cell in cells))
    return made


def _on_front(best: Best) -> str:
    return f"front, run{'s' if len(best.runs) > 1 else ''} {', '.join(map(str, best.runs))}"


def _caption(found: Found) -> str:
    counts = found.counts
    parts = [f"{counts['done']} runs with a result"]
    parts += [f"{counts[state]} {word}" for state, word in (
        ("failed", "failed"), ("skipped", "not made"), ("waits", "without a result yet"),
        ("earlier", "earlier"), ("observed", "only observed")) if counts[state]]  # fmt: skip
    lines = [", ".join(parts) + (f"; cost {number(found.spent)}" if found.spent else "")]
    if found.front:
        lines.append(f"no other run beats, as measured: {', '.join(map(str, found.front))}")
    if found.choices:
        lines.append(NOISE)
    sure = [e for e in found.effects if (e.probability or 0.0) >= 0.95]
    if sure:
        lines.append(
            "effects beyond doubt so far: " + ", ".join(f"{e.knob} on {e.reading}" for e in sure)
        )
    lines += [f"graph: {line}" for line in found.heeded]
    if found.next:
        title = "waits" if counts["waits"] else "next would be"
        lines.append(f"{title}: {'; '.join(found.next[:3])}")
    return "\n".join(lines).replace("[", r"\[")
