"""What was asked of a table and answered, in the order in which it was: one JSON object a line."""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Iterator
from typing import Any

from seedo.errors import UserError
from seedo.lab.data._shelf import Kept

MOST = 500
"""Entries of one table."""

_FILE = "history.jsonl"
_LOCK = threading.Lock()


def keep(
    kept: Kept, kind: str, asked: str, command: str, result: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """Write an answer down.

    Args:
        kept: the table.
        kind: `ask`, `levers` or `advise`.
        asked: the question, outcome or goal.
        command: what is typed for the same on the command line.
        result: what `--json` prints there.
        more: what the page needs beside it.
    """
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    with _LOCK:
        number = sum(1 for _ in entries(kept))
        if number >= MOST:
            remedy = f"{MOST} answers are kept of a table: export them, and drop it again"
            raise UserError("history", None, remedy)
        entry = {"number": number, "kind": kind, "asked": asked, "at": now, "command": command,
                 "result": result, **more}  # fmt: skip
        with open(kept.folder / _FILE, "a", encoding="utf-8", errors="replace") as file:
            file.write(json.dumps(entry) + "\n")
    return entry


def entries(kept: Kept) -> Iterator[dict[str, Any]]:
    """All of them, the first first; a last line that was not written to its end is passed over."""
    path = kept.folder / _FILE
    if not path.is_file():
        return
    with open(path, encoding="utf-8") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                continue


def exported(kept: Kept) -> str:
    """All answers as one JSON text; each `result` is what the command beside it prints with
    `--json`."""
    return json.dumps({"table": kept.name, "answers": list(entries(kept))}, sort_keys=True)


def one(kept: Kept, number: int) -> str:
    """One result as `--json` prints it.

    Raises:
        UserError: there is none of this number.
    """
    for entry in entries(kept):
        if entry["number"] == number:
            return json.dumps(entry["result"], sort_keys=True)
    raise UserError("answer", number, "there is none of this number: look at the history")


def forget(kept: Kept) -> None:
    """Delete what was asked and answered."""
    (kept.folder / _FILE).unlink(missing_ok=True)
