"""What people see: progress, tables, sentences."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from rich.cells import cell_len
from rich.console import Console

notes = Console(stderr=True, emoji=False)  # `:bread:` in a name is no picture

SECONDS = 5.0
"""Between lines of progress where stderr is no terminal."""


def say_odd(line: str) -> None:
    """A line about something that whoever waits should know."""
    notes.print(line, style="yellow", highlight=False, markup=False, soft_wrap=True)


NAMES = 24
"""Columns of the screen that the names in a table get, if they need so many."""


class Bar:
    """How far something is, on stderr: a bar in a terminal, else a line every few seconds."""

    def __init__(self, title: str) -> None:
        self.title = title

    def __enter__(self) -> Bar:
        self.said = time.monotonic()
        self.bar: Any = None
        if notes.is_terminal:
            self.bar = _terminal_bar(self.title)
            self.bar.start()
            self.task = self.bar.add_task("", total=None, note="")
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def show(self, done: float, total: float, note: str, of: str = "") -> None:
        """Show it, with a note.

        Args:
            of: how far it is, in words; by default in per cent.
        """
        if self.bar is not None:
            self.bar.update(self.task, completed=done, total=total, note=note)
            return
        now = time.monotonic()
        if now - self.said >= SECONDS:
            self.said = now
            far = of or f"{done / max(total, 1e-12):.0%}"
            line = ", ".join(part for part in (f"{self.title}: {far}", note) if part)
            notes.print(line, highlight=False, markup=False, soft_wrap=True)

    def report(self, report: Any) -> None:
        """Show what a job of `learning` reports."""
        self.show(report.fraction, 1.0, report.doing)


def _terminal_bar(title: str) -> Any:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as Remaining

    percent = TextColumn("{task.percentage:>3.0f} %")
    note = TextColumn("{task.fields[note]}", markup=False)
    return Progress(TextColumn(title, markup=False), BarColumn(), percent, note,
                    TimeElapsedColumn(), Remaining(), console=notes)  # fmt: skip


class Count(Bar):
    """Progress in episodes, or in something else, with their rate."""

    def __init__(self, title: str, unit: str = "episodes") -> None:
        super().__init__(title)
        self.unit = unit

    def __enter__(self) -> Count:
        super().__enter__()
        self.began, self.first = time.monotonic(), -1
        return self

    def __call__(self, done: int, total: int) -> None:
        if self.first < 0:
            self.first = done
        rate = (done - self.first) / max(time.monotonic() - self.began, 1e-9)
        shown = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
        of = f"{done:,} of {total:,}"
        note = f"{shown} {self.unit}/s"
        self.show(done, total, note if self.bar is None else f"{of}, {note}", of)


def print_table(table: Any) -> None:
    """Print a table; where there is no terminal to ask for its width, as wide as it needs.

    Where it is too wide, the last columns stand in a table of their own below, after the names.
    """
    console = _screen()
    _widen(table)
    for part in _parts(table, console):
        console.print(part)


def _parts(table: Any, console: Console) -> list[Any]:
    """A table as some that have room, each with the first column; the caption is said once."""
    left = len(table.columns)
    while left > 2 and not _fits(_with(table, range(left)), console):
        left -= 1
    if left == len(table.columns):
        return [table]
    first, rest = _with(table, range(left)), _with(table, [0, *range(left, len(table.columns))])
    first.caption, rest.title = None, None
    return [first, *_parts(rest, console)]


def _with(table: Any, places: Iterable[int]) -> Any:
    """The same table with some of its columns."""
    made = copy.copy(table)
    made.columns = [replace(table.columns[at], _index=i) for i, at in enumerate(places)]
    return made


def print_whole_or(whole: Any, *parts: Any) -> None:
    """Print a table, or where it is too wide its parts one below the other."""
    _widen(whole)
    for table in (whole,) if _fits(whole, _screen()) else parts:
        print_table(table)


def _screen() -> Console:
    console = Console(emoji=False)
    return console if console.is_terminal else Console(width=160, emoji=False)


def _widen(table: Any) -> None:
    """Columns get the room that they need."""
    for place, column in enumerate(table.columns):
        texts = (str(cell) for cell in (column.header, *column.cells))
        widest = max(cell_len(line) for text in texts for line in text.split("\n"))
        if place == 0 or column.no_wrap:
            column.min_width = widest if place else min(NAMES, widest)


def _fits(table: Any, console: Console) -> bool:
    unbounded = console.options.update(max_width=10_000)
    return bool(console.measure(table, options=unbounded).minimum <= console.width)


def say(as_json: bool, figures: dict[str, Any], sentence: str) -> None:
    if as_json:
        print(json.dumps(figures, sort_keys=True))
    else:
        notes.print(sentence, highlight=False, markup=False, soft_wrap=True)
