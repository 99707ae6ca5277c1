"""Replies of language models are untrusted text: bounded, read strictly, never executed."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

LONGEST = 20_000
"""Characters of a reply that are looked at and kept; a longer one is malformed."""

LONGEST_LINE = 200
"""Characters of an action line."""

LONGEST_ANSWER = 4_000
"""Characters of the line that answers a question."""

REASONS = (
    "empty",
    "too-long",
    "not-an-action",
    "several-lines",
    "unknown-name",
    "unknown-value",
    "not-allowed",
    "not-an-answer",
    "cycle",
    "ambiguous",
)
"""Why a reply counts as malformed."""

UNDONE = ("unknown-name", "unknown-value", "not-allowed", "cycle")
"""Of these, the reasons of what is an action, but one that cannot be done."""


class Malformed(NamedTuple):
    """A reply that was not carried out."""

    reason: str  # one of REASONS
    remedy: str  # one sentence for the player


NUMBER = re.compile(r"[+-]?(?:\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})", re.ASCII)
"""ASCII decimal numbers, without exponents."""


def action_line(reply: str, reasoning: bool, longest: int = LONGEST_LINE) -> str | Malformed:
    """The line of a reply that has to be the action: the only one, or with `reasoning` the last."""
    if len(reply) > LONGEST:
        return Malformed("too-long", f"Keep replies below {LONGEST} characters.")
    lines = [line.strip() for line in reply.split("\n") if line.strip()]
    if not lines:
        return Malformed("empty", "Reply with an action.")
    if len(lines) > 1 and not reasoning:
        return Malformed("several-lines", "Reply with one line: the action alone.")
    if len(lines[-1]) > longest:
        return Malformed("not-an-action", "End with one short line: the action alone.")
    if not lines[-1].isascii():  # folding case would take other letters for ours: U+212A for k
        return Malformed("not-an-action", "Use plain ASCII letters and digits.")
    return lines[-1]


def read_number(text: str) -> float | None:
    """A plain ASCII decimal number; None for anything else."""
    if not NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def say_number(value: float, decimals: int) -> str:
    """A number rounded half to even as it is said; never "-0.0"."""
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text
