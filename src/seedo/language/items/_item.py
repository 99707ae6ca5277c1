"""One question with one right answer, and the forms that answers can take."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from seedo.language.scenes import (
    LONGEST,
    LONGEST_ANSWER,
    LONGEST_LINE,
    Malformed,
    Message,
    read_answer,
    read_strictly,
)

_ANSWER = re.compile(r"answer ?: ?(.+)", re.IGNORECASE)


_LEAD = re.compile(
    r"(?:(?:so|therefore|thus|hence|i think|i believe|i would say|i say|well),? ){0,2}"
    r"(?:(?:(?:the|my) )?(?:final |correct |right |best )?"
    r"(?:answer|option|choice|argument|conclusion|inference|syllogism|it|this|that)"
    r"(?: is| would be|:| follows| should be)?:? )?(?:option |cell |cards? )?",
    re.IGNORECASE,
)
"""Words that lead to an answer."""
_CAUSE = re.compile(r",? (?:because|since|as) .{0,1000}", re.DOTALL)
_REASON = re.compile(r"(?:,? (?:because|since|as) |[,;:] |\. | \(| - ).{0,1000}", re.DOTALL)
_BEHIND_A_LIST = re.compile(r"(?:,? (?:because|since|as) |[;:] |\. | \(| - ).{0,1000}", re.DOTALL)
_SO = r"(?:(?:so|therefore|thus|hence|no|yes),? )?(?:the |this )?"
_FROM = r"(?: (?:from|by) (?:the |these |both |its )?(?:given )?premises?)?"
_SENTENCES = tuple(
    re.compile(_SO + pattern, re.IGNORECASE)
    for pattern in (
        rf"conclusion(?: (?:logically|necessarily))? follows(?: logically| necessarily)?{_FROM}",
        rf"conclusion (?P<no>does not|doesn't)(?: logically| necessarily)? follow{_FROM}",
        rf"conclusion is (?P<no>not )?(?:entailed|valid){_FROM}",
        r"premises? (?:entails?|(?P<no>do not entail|does not entail|don't entail|doesn't entail))"
        r" the conclusion",
        r"(?:argument|syllogism|inference) is (?P<no>not )?valid",
    )
)
"""That a conclusion follows, or (`no`) does not, in the words of the question."""
_FOLLOWS = {("valid", "invalid"), ("entailed", "not entailed")}


_TURNED = re.compile(
    r"(?:the answer is (?:that )?)?(?:you (?:must|should|have to|need to) turn )?"
    r"(?:the )?(?:cards? )?"
    r"(?P<cards>[0-9, ]{1,40}(?:and [0-9])?)"
    r"(?: (?:must|should|have to|has to|need to|needs to) be turned)?(?: over)?"
    r"(?: to (?:find out|see|check) (?:whether|if) the rule is broken)?",
    re.IGNORECASE,
)
"""Which cards have to be turned, in the words of the question."""


def _concluded(text: str, options: tuple[str, ...]) -> str | None:
    """The option that a sentence about whether a conclusion follows stands for."""
    if options in _FOLLOWS:
        for sentence in _SENTENCES:
            if match := sentence.fullmatch(text.rstrip(". ")):
                return options[bool(match.groupdict().get("no"))]
    return None


class AnswerForm(Protocol):
    """What an answer looks like."""

    @property
    def floor(self) -> float:
        """Probability that `draw` is right, in closed form."""
        ...

    @property
    def instruction(self) -> str:
        """What the answer is: "one of yes, no"."""
        ...

    def read(self, text: str) -> str | None:
        """The answer in its normal form; None: not of this form."""
        ...

    def draw(self, rng: np.random.Generator) -> str:
        """An answer of this form at random, uniformly."""
        ...

    def show(self, rng: np.random.Generator) -> str:
        """One at random that tells nothing about the right one, not even how long it is."""
        ...

    def to_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class OneOf:
    """One of some options."""

    options: tuple[str, ...]

    @property
    def floor(self) -> float:
        return 1 / len(self.options)

    @property
    def instruction(self) -> str:
        return f"one of {', '.join(self.options)}"

    def read(self, text: str) -> str | None:
        bare = " ".join(text.strip(" .()[]\"'").split()).casefold()
        return next((o for o in self.options if o.casefold() == bare), None)

    def draw(self, rng: np.random.Generator) -> str:
        return self.options[int(rng.integers(len(self.options)))]

    def show(self, rng: np.random.Generator) -> str:
        return self.draw(rng)

    def to_dict(self) -> dict[str, Any]:
        return {"form": "one", "options": list(self.options)}


@dataclass(frozen=True)
class SomeOf:
    """One or more of some options, in any order."""

    options: tuple[str, ...]

    @property
    def floor(self) -> float:
        return 1 / (2 ** len(self.options) - 1)

    @property
    def instruction(self) -> str:
        return f"those of {', '.join(self.options)} that apply, separated by commas"

    def read(self, text: str) -> str | None:
        parts = re.split(r" ?, ?and | and | ?, ?", text.strip(" .()[]"))
        if any(part not in self.options for part in parts) or len(set(parts)) < len(parts):
            return None
        return ", ".join(o for o in self.options if o in parts)

    def draw(self, rng: np.random.Generator) -> str:
        chosen = int(rng.integers(1, 2 ** len(self.options)))
        return ", ".join(o for i, o in enumerate(self.options) if chosen >> i & 1)

    def show(self, rng: np.random.Generator) -> str:
        return self.draw(rng)

    def to_dict(self) -> dict[str, Any]:
        return {"form": "some", "options": list(self.options)}


@dataclass(frozen=True)
class Rows:
    """Rows of symbols of one character each: a string (one row) or a grid.

    `rows` and `columns` are those of the right answer. They are not told to the player; `draw`,
    and so the floor, is a player who knows them.
    """

    symbols: tuple[str, ...]
    rows: int
    columns: int

    @property
    def floor(self) -> float:
        return math.exp(-self.rows * self.columns * math.log(len(self.symbols)))

    @property
    def instruction(self) -> str:
        if self.rows == 1:
            return "the symbols, separated by spaces"
        return "the rows from top to bottom, separated by /, symbols separated by spaces"

    def read(self, text: str) -> str | None:
        bare = text.strip(" [].") if "." not in self.symbols else text.strip(" []")
        parts = [row.split() for row in bare.split("/")]
        # Words are no symbols: a sentence is no answer in letters, though it consists of them.
        if any(not row or (len(row) > 1 and max(map(len, row)) > 2) for row in parts):
            return None
        rows = ["".join(row) for row in parts]
        rows = [row if set(row) <= set(self.symbols) else row.lower() for row in rows]
        if any(not set(row) <= set(self.symbols) for row in rows):
            return None
        return " / ".join(" ".join(row) for row in rows)

    def draw(self, rng: np.random.Generator) -> str:
        drawn = rng.integers(len(self.symbols), size=(self.rows, self.columns))
        return " / ".join(" ".join(self.symbols[int(i)] for i in row) for row in drawn)

    def show(self, rng: np.random.Generator) -> str:
        rows = 1 if self.rows == 1 else int(rng.integers(2, 5))
        return replace(self, rows=rows, columns=int(rng.integers(2, 6))).draw(rng)

    def to_dict(self) -> dict[str, Any]:
        symbols = list(self.symbols)
        return {"form": "rows", "symbols": symbols, "rows": self.rows, "columns": self.columns}


def _answer_form(fields: Mapping[str, Any]) -> AnswerForm:
    if fields["form"] == "one":
        return OneOf(tuple(fields["options"]))
    if fields["form"] == "some":
        return SomeOf(tuple(fields["options"]))
    return Rows(tuple(fields["symbols"]), int(fields["rows"]), int(fields["columns"]))


@dataclass(frozen=True)
class Item:
    """A question.

    Attributes:
        id: kind, seed and number; unique among all items of a kind and seed.
        kind: one of `KINDS`.
        block: `kind-seed-number`; items of one block differ in their conditions only.
        conditions: cell of the design, name -> level (`validity`, `belief`, `alphabet`, ...).
        prompt: the question; whoever answers needs nothing else.
        form: of the answer.
        gold: the right answer in normal form.
        metadata: what the generator knows besides, JSON-able.
    """

    id: str
    kind: str
    block: str
    conditions: dict[str, str]
    prompt: str
    form: AnswerForm
    gold: str
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> tuple[str, ...]:
        """What there is to choose from; empty for answers that have to be made up."""
        return self.form.options if isinstance(self.form, OneOf | SomeOf) else ()

    @property
    def floor(self) -> float:
        """Probability that a random answer of the right form is right."""
        return self.form.floor

    @property
    def shown(self) -> str:
        """The answer, drawn at random, by which the form of an answer is shown; drawn alike in all
        conditions of a block, so that to give it back makes no difference between them."""
        return self.form.show(np.random.default_rng(zlib.crc32(self.block.encode())))

    @property
    def shown_normally(self) -> str | None:
        """The same in normal form."""
        return self.form.read(self.shown)

    def messages(self, reasoning: bool = False) -> list[Message]:
        """The question as messages; with `reasoning`, thinking aloud is asked for.

        The form of an answer is shown by one at random, so that to give it back is to guess.
        """
        asked = f"The answer is {self.form.instruction}."
        how = "End" if reasoning else "Reply"
        return [
            Message(role="system", content=f"{'Think step by step. ' if reasoning else ''}{asked}"),
            Message(
                role="user",
                content=f"{self.prompt}\n{how} with one line such as:\nAnswer: {self.shown}",
            ),
        ]

    def read(self, reply: str, reasoning: bool = False, strict: bool = False) -> str | Malformed:
        """The answer that a reply unmistakably gives, in normal form; `strict`: in the very form
        that is asked for."""
        reading = (
            read_strictly(reply, self._asked, reasoning)
            if strict
            else read_answer(
                self._one_line(reply), self._said, reasoning, LONGEST_ANSWER,
                bare=bool(self.options), asked=self._asked,
            )
        )  # fmt: skip
        found: str | Malformed = reading.found
        return found

    def _one_line(self, reply: str) -> str:
        """A reply in which rows that stand below each other after "Answer:" are one line."""
        if self.options or not isinstance(self.form, Rows) or self.form.rows == 1:
            return reply
        head, mark, rows = reply[:LONGEST].rpartition("nswer:")
        lines = [line.strip(" `*|") for line in rows.split("\n")]
        lines = [line for line in lines if line and not line.isalpha()]
        if not mark or len(lines) < 2 or any(len(line) > LONGEST_LINE for line in lines):
            return reply
        return f"{head}{mark} {' / '.join(line.strip('/ ') for line in lines)}"

    def _said(self, line: str) -> str | Malformed:
        """The answer that a line or a sentence stands for, also behind words that lead to it."""
        match = _ANSWER.fullmatch(line)
        text = match[1] if match else line
        bare = _LEAD.sub("", text, count=1)
        for said in dict.fromkeys((text, bare)):
            answer = self.form.read(said)
            if answer is not None:
                return answer
        if (answer := self._in_words_of_the_question(text)) is not None:
            return answer
        # In a list of options, what stands behind a comma is the next one.
        reason = _BEHIND_A_LIST if isinstance(self.form, SomeOf) else _REASON
        answer = self.form.read(reason.sub("", bare, count=1))
        if answer is not None:
            return answer
        return Malformed("not-an-answer", f"Answer with {self.form.instruction}.")

    def _in_words_of_the_question(self, text: str) -> str | None:
        """The answer that a sentence such as "The conclusion does not follow." gives."""
        for said in (text, _CAUSE.sub("", text, count=1)):
            if (answer := _concluded(said, self.options)) is not None:
                return answer
            turned = _TURNED.fullmatch(said.rstrip(". "))
            if turned and isinstance(self.form, SomeOf):
                return self.form.read(turned["cards"])
        return None

    def _asked(self, line: str) -> str | Malformed:
        """The answer that a line of the form asked for stands for."""
        match = _ANSWER.fullmatch(line)
        if match is None:
            return Malformed("not-an-action", 'End with a line of the form "Answer: X".')
        answer = self.form.read(match[1])
        if answer is None:
            return Malformed("unknown-value", f"Answer with {self.form.instruction}.")
        return answer

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "block": self.block,
            "conditions": dict(self.conditions),
            "prompt": self.prompt,
            "form": self.form.to_dict(),
            "gold": self.gold,
            "metadata": self.metadata,
        }

    @staticmethod
    def from_dict(fields: Mapping[str, Any]) -> Item:
        return Item(**{**fields, "form": _answer_form(fields["form"])})
