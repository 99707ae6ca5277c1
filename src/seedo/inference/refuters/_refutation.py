"""What a refuter says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["held", "noticed", "no power", "stated", "does not apply"]

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
