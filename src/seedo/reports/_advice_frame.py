"""What the pages and tables of all advice share."""

from __future__ import annotations

import os
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from seedo import __version__
from seedo.evaluation import Advised
from seedo.inference.questions import number
from seedo.reports._page import page, write_page


def write_advice_page(
    path: str | os.PathLike[str], template: str, advice: Advised, **content: Any
) -> None:
    """Writes one HTML file that needs nothing else; whole or not at all.

    Args:
        path: of the file.
        template: of this package; it extends `advice_frame.html`.
        advice: what the frame shows.
        content: what else the template takes.

    Raises:
        UserError: it cannot be written.
    """
    text = page(
        template,
        {"number": number, "share": "{:.3f}".format},
        advice=advice,
        goal=advice.goal_name,
        experiments=advice.experiments(),
        version=__version__,
        **content,
    )
    write_page(path, text)


_LINE = 72
"""Characters that lines below a plan get, however narrow it is."""


def plan_table(first: str, columns: list[str], rows: list[list[str]], caption: list[str]) -> Table:
    """A plan for the terminal, one experiment a row; all text is taken as it is.

    Args:
        first: heading of the experiments.
        columns: headings of the other cells, which are numbers but for "why".
        rows: cells, the experiment first.
        caption: lines below.
    """
    made = Table(box=SIMPLE, padding=(0, 1, 0, 0), caption_justify="left", min_width=_LINE,
                 caption=_plain("\n".join(caption)))  # fmt: skip
    made.add_column(first)
    for name in columns:
        if name == "why":
            made.add_column(name, overflow="fold")
        else:
            made.add_column(_plain(name), justify="right", no_wrap=True)
    for cells in rows:
        made.add_row(*map(_plain, cells))
    return made


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
