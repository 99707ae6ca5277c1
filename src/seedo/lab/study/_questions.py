"""What a study asks people in words: questions with an answer each, and a quiz with right ones."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seedo.errors import UserError, one_of, whole
from seedo.lab.study._fields import distinct, flag, table, tables, text

KINDS = ("choice", "number", "text", "slider")
WHEN = ("before", "task", "end")
"""Before the tasks, after every task, at the end."""

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
MOST = 100  # the right end of a slider

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Question:
    """A question.

    Attributes:
        id: under which the answer is stored.
        text: as asked.
        kind: `choice` (one of `options`), `number`, `text` or `slider` (0 to `MOST`, whose ends
            are called as `options` say).
        optional: whether it may be left without an answer.
        when: one of `WHEN`.
    """

    id: str
    text: str
    kind: str
    options: tuple[str, ...] = ()
    optional: bool = False
    when: str = "end"

    def shown(self) -> dict[str, Any]:
        """What a participant's page needs."""
        return {
            "id": self.id,
            "text": self.text,
            "kind": self.kind,
            "options": list(self.options),
            "optional": self.optional,
        }

    def texts(self) -> dict[str, str]:
        """Its sentences, by the keys of `[[text]]`."""
        options = {f"question-{self.id}_{n}": said for n, said in enumerate(self.options, 1)}
        return {f"question-{self.id}": self.text} | options

    def to_json(self) -> dict[str, Any]:
        """What `read_questions` reads."""
        plain = {"id": self.id, "text": self.text, "kind": self.kind, "optional": self.optional}
        with_options = {"options": list(self.options)} if self.options else {}
        return plain | with_options | ({} if self.when == "end" else {"when": self.when})

    def read(self, answer: str) -> str:
        """The answer as it is stored; "" if none is given and none is needed.

        Raises:
            UserError: it cannot be used.
        """
        said = _CONTROL.sub("", answer).strip()
        if not said:
            if self.optional:
                return ""
            raise UserError(self.id, None, "please answer this question")
        if self.kind == "choice":
            one_of(self.id, said, self.options)
        elif self.kind == "number":
            if not _NUMBER.fullmatch(said) or not math.isfinite(float(said)):
                raise UserError(self.id, said[:40], "write a number")
        elif self.kind == "slider":
            plain = said.isascii() and said.isdecimal() and len(said) <= 3
            if not plain or int(said) > MOST:
                raise UserError(self.id, said[:40], f"use a whole number from 0 to {MOST}")
        return said


def read_answers(questions: Sequence[Question], answers: Mapping[str, str]) -> dict[str, str]:
    """The answers as they are stored, those left out not among them.

    Raises:
        UserError: names the question whose answer cannot be used, or that there is not.
    """
    known = {question.id for question in questions}
    for name in answers:
        if name not in known:
            raise UserError("question", name[:40], "there is no such question")
    read = {question.id: question.read(answers.get(question.id, "")) for question in questions}
    return {name: said for name, said in read.items() if said}


def read_questions(value: object) -> tuple[Question, ...]:
    """The questions of a study's file.

    Raises:
        UserError: names the key that cannot be used.
    """
    questions = tuple(_question(each) for each in tables("question", value))
    ids = [question.id for question in questions]
    distinct("question.id", ids, "give every question an id of its own")
    return questions


def _question(value: object) -> Question:
    fields = table("question", value, ("id", "text", "kind", "options", "optional", "when"))
    name = fields.get("id")
    if not isinstance(name, str) or not SLUG.fullmatch(name) or name.startswith("attention"):
        remedy = "use lower-case letters, digits and hyphens (attention… is taken)"
        raise UserError("question.id", name, remedy)
    text(f"question {name}: text", fields.get("text"))
    kind = fields.get("kind", "text")
    one_of(f"question {name}: kind", kind, KINDS)
    options = fields.get("options", [])
    if kind not in ("choice", "slider") and options:
        raise UserError(f"question {name}: options", None, 'only for kind = "choice" or "slider"')
    if kind == "slider":
        if not isinstance(options, list) or len(options) != 2:
            raise UserError(f"question {name}: options", None, "name both ends of the slider")
    elif not isinstance(options, list) or (kind == "choice" and not 2 <= len(options) <= 50):
        raise UserError(f"question {name}: options", None, "list 2 to 50 texts")
    _options(f"question {name}: options", options)
    optional = fields.get("optional", False)
    flag(f"question {name}: optional", optional)
    when = fields.get("when", "end")
    one_of(f"question {name}: when", when, WHEN)
    return Question(name, fields["text"], kind, tuple(options), optional, when)


def _options(field: str, options: list[Any]) -> None:
    for option in options:
        text(field, option, 500)
    if len(set(options)) < len(options):
        raise UserError(field, None, "give every option once")


# -- comprehension --------------------------------------------------------------------------------


@dataclass(frozen=True)
class QuizItem:
    """A question about the instructions; `right` is one of `options`."""

    text: str
    options: tuple[str, ...]
    right: str


@dataclass(frozen=True)
class Quiz:
    """Questions after the instructions, all of which have to be right.

    Attributes:
        tries: how often one may try; after each but the last the instructions come again.
        end: whether who fails at the last try is sent away.
    """

    items: tuple[QuizItem, ...]
    tries: int = 2
    end: bool = False

    def passed(self, answers: Sequence[str]) -> bool:
        """Whether these are the right answers.

        Raises:
            UserError: there is no answer to one of them.
        """
        for number, item in enumerate(self.items):
            if number >= len(answers) or answers[number] not in item.options:
                raise UserError(f"question {number + 1}", None, "please answer this question")
        return all(a == item.right for a, item in zip(answers, self.items, strict=False))

    def shown(self) -> list[dict[str, Any]]:
        """What a participant's page needs; not what is right."""
        return [
            {"id": f"quiz-{number + 1}", "text": item.text, "kind": "choice",
             "options": list(item.options), "optional": False}
            for number, item in enumerate(self.items)
        ]  # fmt: skip

    def texts(self) -> dict[str, str]:
        """Their sentences, by the keys of `[[text]]`."""
        said: dict[str, str] = {}
        for number, item in enumerate(self.items, 1):
            said[f"quiz-{number}"] = item.text
            said |= {f"quiz-{number}_{n}": option for n, option in enumerate(item.options, 1)}
        return said

    def to_json(self) -> dict[str, Any]:
        """What `read_quiz` reads."""
        asked = [{"text": i.text, "options": list(i.options), "right": i.right} for i in self.items]
        return {"tries": self.tries, "end": self.end, "question": asked}


def read_quiz(value: object) -> Quiz:
    """Table `[comprehension]` of a study's file.

    Raises:
        UserError: names the key that cannot be used.
    """
    fields = table("comprehension", value, ("tries", "end", "question"))
    tries, end = fields.get("tries", 2), fields.get("end", False)
    whole("comprehension.tries", tries, 1, 10)
    flag("comprehension.end", end)
    items = tuple(
        _quiz_item(number, each)
        for number, each in enumerate(tables("comprehension.question", fields.get("question", [])))
    )
    if not 1 <= len(items) <= 20:
        raise UserError("comprehension.question", None, "ask 1 to 20 questions")
    return Quiz(items, tries, end)


def _quiz_item(number: int, value: object) -> QuizItem:
    name = f"comprehension.question {number + 1}"
    fields = table(name, value, ("text", "options", "right"))
    text(f"{name}: text", fields.get("text"))
    options = fields.get("options")
    if not isinstance(options, list) or not 2 <= len(options) <= 20:
        raise UserError(f"{name}: options", None, "list 2 to 20 texts")
    _options(f"{name}: options", options)
    right = fields.get("right")
    if right not in options:
        raise UserError(f"{name}: right", right, "repeat the option that is right")
    return QuizItem(fields["text"], tuple(options), str(right))
