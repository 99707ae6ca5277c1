"""Estimates as text, and the frame of tables for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.box import SIMPLE
from rich.table import Table

from seedo.statistics import Estimate

NONE = "–"


def text(
    estimate: Estimate, percent: bool = False, form: Callable[[float], str] | None = None
) -> str:
    """`0.843 [0.831, 0.855]`, or a dash; `form` writes numbers otherwise."""
    if estimate.value is None:
        return NONE
    write = form or ("{:.1%}".format if percent else "{:.3f}".format)
    if estimate.low is None or estimate.high is None:
        return write(estimate.value)
    return f"{write(estimate.value)} [{write(estimate.low)}, {write(estimate.high)}]"


def short(estimate: Estimate, percent: bool = False) -> str:
    """The value alone, or a dash."""
    if estimate.value is None:
        return NONE
    return f"{estimate.value:.1%}" if percent else f"{estimate.value:.3f}"


def rounded(number: float | None) -> str:
    """Three digits: 0.0123, 4,230, 1.27e+08; a dash for None."""
    if number is None:
        return NONE
    if number == 0 or 1e-3 <= number < 1e6:
        digits = f"{float(f'{number:.3g}'):,.4f}"
        return digits.rstrip("0").rstrip(".")
    return f"{number:.3g}"


def frame(caption: str, names: Sequence[str], numbers: Sequence[str]) -> Table:
    """A table whose names are folded where it is narrow, and whose numbers are not."""
    made = Table(box=SIMPLE, padding=(0, 1, 0, 0), caption=caption, caption_justify="left")
    for title in names:
        made.add_column(title, overflow="fold", min_width=8)
    for title in numbers:
        made.add_column(title, justify="right", no_wrap=True)
    return made


def escape(name: str) -> str:
    """A name in which nothing is markup."""
    return name.replace("[", r"\[")
