"""An answer as a page, with what was tried to refute it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from seedo import __version__
from seedo.inference.questions import Answer, number
from seedo.reports._drawing import BLUE, GREY, INK, panels, svg
from seedo.reports._page import page, write_page


def write_answer(
    found: Answer,
    path: str | os.PathLike[str],
    title: str = "",
    notes: Sequence[str] = (),
    command: str = "",
) -> None:
    """Writes one HTML file that needs nothing else; whole or not at all.

    Args:
        found: the answer.
        path: of the file.
        title: of the data, for people.
        notes: what was noticed in reading them.
        command: how the page was made.

    Raises:
        UserError: it cannot be written.
    """
    picture = picture_of(found)
    text = page(
        "answer.html",
        {"shown": _shown},
        found=found,
        title=title,
        notes=notes,
        command=command,
        columns=list(found.table[0]) if found.table else [],
        # matplotlib escapes the names in it.
        picture=Markup(picture),
        version=__version__,
    )
    write_page(path, text)


def _shown(cell: Any) -> str:
    return number(cell) if isinstance(cell, float) else "" if cell is None else str(cell)


def picture_of(found: Answer) -> str:
    """The answer's interval above the placebo effects, as SVG; "" where there are none."""
    placebos: list[Mapping[str, Any]] = [r for r in found.refutations if "excluding_none" in r]
    if not placebos or found.value is None or found.low is None or found.high is None:
        return ""
    if any(r["value"] != found.value for r in placebos):
        return ""  # placebos of the effect behind a probability
    rows = [("the answer", found.value, found.low, found.high, BLUE)]
    rows += [(str(r["refuter"]), r["mean"], r["low"], r["high"], GREY) for r in placebos]
    figure, axes = panels(1, 1, 6.0, 0.6 + 0.35 * len(rows))
    ax = axes[0, 0]
    for place, (_, value, low, high, colour) in enumerate(rows):
        ax.plot([low, high], [-place, -place], color=colour, linewidth=3)
        ax.plot([value], [-place], "o", color=colour)
    ax.axvline(0.0, color=INK, linewidth=0.8)
    ax.set_yticks([-k for k in range(len(rows))], [row[0] for row in rows])
    ax.set_ylim(-len(rows) + 0.5, 0.5)
    ax.set_xlabel("effect: 95 % interval of the answer, and where 95 % of placebo effects lie")
    return svg(figure, "refuted", "the answer beside placebo effects")
