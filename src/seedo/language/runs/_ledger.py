"""What calls have cost, kept call by call: whatever dies, what was paid for is counted."""

from __future__ import annotations

import json
import os
from pathlib import Path

from seedo.errors import UserError
from seedo.language.runs._costs import Spending

NAME = "ledger.jsonl"


class Ledger:
    """Tokens of every call that was answered, of all evaluations in a folder and those below it.

    Each evaluation has lines of its own, written before the next call is made. Logs of evaluations
    say the same once a conversation has ended; of both, the larger counts.

    Args:
        folder: of the logs; what earlier runs and other processes have left there counts.

    Raises:
        UserError: a ledger cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._called: dict[str, Spending] = {}
        self._logged: dict[str, Spending] = {}
        self.total = Spending()
        self.take_in(folder)

    def take_in(self, folder: Path) -> None:
        """Count what other processes have written in a folder or below it."""
        called: dict[str, Spending] = {}
        for path in sorted(folder.rglob(NAME)) if folder.is_dir() else ():
            for evaluation, spent in _lines(path):
                called[evaluation] = called.get(evaluation, Spending()) + spent
        for evaluation, spent in called.items():
            self._replace(self._called, evaluation, spent)

    def called(self, evaluation: str, spent: Spending) -> None:
        """A call was answered; it is on the disk when this returns."""
        self._folder.mkdir(parents=True, exist_ok=True)
        line = json.dumps([evaluation, spent.tokens_in, spent.tokens_out]) + "\n"
        with (self._folder / NAME).open("ab") as file:
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
        before = self._called.get(evaluation, Spending())
        self._replace(self._called, evaluation, before + spent)

    def logged(self, evaluation: str, spent: Spending) -> None:
        """The log of an evaluation tells of so much."""
        self._replace(self._logged, evaluation, spent)

    def _replace(self, kept: dict[str, Spending], evaluation: str, spent: Spending) -> None:
        before = self._of(evaluation)
        kept[evaluation] = spent
        after = self._of(evaluation)
        self.total = Spending(
            self.total.tokens_in + after.tokens_in - before.tokens_in,
            self.total.tokens_out + after.tokens_out - before.tokens_out,
        )

    def _of(self, evaluation: str) -> Spending:
        nothing = Spending()
        both = (kept.get(evaluation, nothing) for kept in (self._called, self._logged))
        return max(both, key=lambda spent: spent.tokens)


def _lines(path: Path) -> list[tuple[str, Spending]]:
    found = []
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UserError(str(path), None, f"cannot be read: {error.strerror}") from error
    for number, text in enumerate(lines, 1):
        try:
            evaluation, tokens_in, tokens_out = json.loads(text)
            found.append((str(evaluation), Spending(int(tokens_in), int(tokens_out))))
        except (ValueError, TypeError) as error:
            if number == len(lines):  # whoever wrote it died at it: its call's answer was lost too
                continue
            remedy = "not a line of a ledger: restore the file; what it counts was paid for"
            raise UserError(f"{path} line {number}", None, remedy) from error
    return found
