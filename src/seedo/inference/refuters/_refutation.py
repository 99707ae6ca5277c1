"""What a refuter says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["held", "noticed", "no power", "stated", "does not apply"]
"""What a refuter says of an answer."""

LEVEL = 0.01
"""Of each refuter: so often it may notice something in a sound analysis."""


@dataclass(frozen=True)
class Refutation:
    """The verdict of one refuter.

    Attributes:
        refuter: its name.
        verdict: `noticed` speaks against the answer; `held` says that it was tried and found sound
            where it could have failed; `stated` gives a number for the reader to judge.
        line: one plain sentence with its number.
        figures: the numbers, for programs.
    """

    refuter: str
    verdict: Verdict
    line: str
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"refuter": self.refuter, "verdict": self.verdict, "line": self.line,
                **self.figures}  # fmt: skip


def judged(
    name: str, line: str, noticed: bool, why: str, too_few: str, numbers: Mapping[str, Any]
) -> Refutation:
    """A verdict, unless units are too few for one.

    Args:
        name: of the refuter.
        line: what it found.
        noticed: whether that speaks against the answer.
        why: what would explain it.
        too_few: why nothing could have been found; "" if it could.
        numbers: of what it found.
    """
    if too_few:
        return Refutation(name, "no power", f"{name}: {line}; {too_few}", numbers)
    if noticed:
        return Refutation(name, "noticed", f"{name}: {line}: {why}", numbers)
    return Refutation(name, "held", f"{name}: {line}", numbers)


def about(figure: str) -> str:
    """Which of an answer's numbers is spoken of, before a sentence."""
    return f"({figure}) " if figure else ""
