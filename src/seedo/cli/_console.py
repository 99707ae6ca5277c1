"""What people see: progress, tables, sentences."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Agents that learn to experiment by watching others do it.",
)
notes = Console(stderr=True)


def counter(title: str) -> Progress:
    return Progress(
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=notes,
        disable=not notes.is_terminal,
    )


class Count:
    """A progress bar of episodes, or of something else, with their rate."""

    def __init__(self, title: str, unit: str = "episodes") -> None:
        self.bar, self.unit = counter(title), unit

    def __enter__(self) -> Count:
        self.bar.start()
        self.task = self.bar.add_task("", total=None, note="")
        self.began, self.first = time.monotonic(), 0
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def __call__(self, done: int, total: int) -> None:
        if self.bar.tasks[0].total is None:
            self.first = done
        rate = (done - self.first) / max(time.monotonic() - self.began, 1e-9)
        shown = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
        self.bar.update(self.task, completed=done, total=total, note=f"{shown} {self.unit}/s")


@contextmanager
def learning_bar() -> Iterator[Callable[[Any], None]]:
    """A progress bar of a training job, to be called with its reports."""
    with counter("learning") as bar:
        task = bar.add_task("", total=1000, note="")
        yield lambda report: bar.update(
            task, completed=int(1000 * report.fraction), note=report.doing
        )


def print_table(table: Any) -> None:
    """Print a table; where there is no terminal to ask for its width, as wide as it needs."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    console.print(table)


def say(as_json: bool, figures: dict[str, Any], sentence: str) -> None:
    if as_json:
        print(json.dumps(figures, sort_keys=True))
    else:
        notes.print(sentence, highlight=False)
