"""Logged episodes of world `dag` as the text that a text understudy reads.

The text is that of `DagScene`: what a player on stage would have seen and said. An explanation that
is logged with a step is told after the step, as a message of its own.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from seedo.episodes import EXPLOIT, OBSERVE, EpisodeBatch
from seedo.language.scenes import Names, say_action, say_goal, say_results, say_variables

DECIMALS = 1
"""Places of numbers in a transcript."""
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class Line(NamedTuple):
    """A message of a transcript and what it is: told to the player, done by it in one phase, or an
    explanation."""

    role: Literal["user", "assistant"]
    content: str
    kind: Literal["told", "explore", "exploit", "explained"]


def transcript(batch: EpisodeBatch, row: int, names: Names, explained: bool = False) -> list[Line]:
    """One logged episode in words.

    Args:
        names: of its variables.
        explained: tell what was explained too.
    """
    told = say_variables(names, batch.mask[row])
    lines: list[Line] = []
    for step in range(batch.steps):
        phase, target = int(batch.phase[row, step]), int(batch.target[row, step])
        if phase != OBSERVE:
            if (goal := int(batch.goal[row, step])) >= 0:
                told.append(say_goal(names, goal))
            lines.append(Line("user", "\n".join(told), "told"))
            told = []
            done = say_action(names, target, batch.value[row, step], DECIMALS)
            lines.append(Line("assistant", done, "exploit" if phase == EXPLOIT else "explore"))
        last = step == batch.steps - 1
        if not last:
            told.append(say_results(names, batch.outcome[row, step], DECIMALS))
        if explained and batch.explanation is not None and batch.explanation[row][step]:
            said = _renamed(batch.explanation[row][step], batch.origin.variables, names)
            if last:
                lines.append(Line("user", said, "explained"))
            else:
                told.append(said)
    return lines


def _renamed(text: str, variables: tuple[str, ...], names: Names) -> str:
    """An explanation with the logged names of variables replaced by those of the transcript.

    What is said of one variable after the other ("A: B=0.5 C=1.0" on a line each) is said in the
    order in which the transcript lists them.
    """
    called = dict(zip(variables, names.words, strict=True))
    place = {names.words[i]: k for k, i in enumerate(names.order)}
    renamed = _WORD.sub(lambda m: called.get(m[0], m[0]), text)

    def rank(item: str) -> int:
        head = _WORD.match(item)
        return place.get(head[0], -1) if head else -1

    lines = [line.split(" ") for line in renamed.split("\n")]
    if all(line[0].endswith(":") for line in lines):
        lines = [[first, *sorted(rest, key=rank)] for first, *rest in lines]
        lines.sort(key=lambda line: rank(line[0]))
    return "\n".join(" ".join(line) for line in lines)
