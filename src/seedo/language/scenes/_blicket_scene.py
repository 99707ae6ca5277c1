"""World `blicket` in words."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence

import numpy as np

from seedo.language.scenes._plain_scene import Do, PlainScene
from seedo.language.scenes._prompts import blicket_instructions, say_turn
from seedo.language.scenes._scene import Scene, Tool
from seedo.language.scenes._tool_calls import say_call
from seedo.language.scenes.replies import (
    BEGIN,
    END,
    OBSERVING,
    Malformed,
    Phrase,
    choice,
    compiled,
)

_MOVE = re.compile(r"(put|remove) (\S{1,40})", re.IGNORECASE | re.ASCII)


class BlicketScene(PlainScene):
    """One episode of a blicket machine; the return is the share of right answers.

    An action `Do` puts an object on the machine (value 1) or removes it (0), or answers that it is
    a blicket (1) or none (0); target -1 only observes, or gives no answer.

    Raises:
        UserError: objects cannot be given names of this kind.
    """

    theory_request = (
        "Before you answer: state in a few sentences which objects are blickets, and check this "
        "theory against every result above. Do not act yet."
    )

    @property
    def called(self) -> tuple[str, ...]:
        return self.world.spec.variables[: self.world.settings.n]  # less the light

    # -- saying -----------------------------------------------------------------------------------

    def instructions(self) -> str:
        return blicket_instructions(self.world.settings, self.conditions)

    def begin(self) -> str:
        told = [f"Objects: {self.names.listed()}", self._contents(), *self._turn()]
        return "\n".join([*told, *self._question()])

    def example(self) -> str:
        if self.exploiting or self.finished:
            return ""  # one of two answers would be a hint
        order = self.drawn().permutation(np.sort(self.names.order)).tolist()
        target = order[self.refused % len(order)]
        return self.write(Do(target, 1.0 - self._shown[target]))

    def example_call(self) -> str:
        if self.exploiting:  # both answers are shown, which tells nothing
            return " or ".join(say_call("answer", {"yes": yes}) for yes in (True, False))
        return super().example_call()

    def _turn(self) -> list[str]:
        if self.finished or not self.conditions.turns:
            return []
        toggles, step = self.world.settings.toggles, self.step
        if self.exploiting:
            return [f"Question {step - toggles + 1} of {self.world.settings.n}."]
        return [say_turn(False, step + 1, toggles)]

    def recap(self) -> str:
        lights: dict[str, list[str]] = {}
        for outcome in self.so_far().outcome:
            if not np.isnan(outcome[-1]):
                light = "on" if outcome[-1] else "off"
                lights.setdefault(self._contents(outcome), []).append(light)
        said = [f"{where}. Light: {', '.join(seen)}" for where, seen in sorted(lights.items())]
        return "\n".join(["All results again, by what was on the machine:", *said])

    def _contents(self, shown: np.ndarray | None = None) -> str:
        """What is, or was, on the machine: "On the machine: dax wug"."""
        shown = self._shown if shown is None else shown
        on = [self.names.words[i] for i in self.names.order if shown[i] == 1]
        return f"On the machine: {' '.join(on) or 'nothing'}"

    def _question(self) -> list[str]:
        if not self.exploiting:
            return []
        asked = f"Is {self.names.words[self.goal]} a blicket?"
        return [f"{asked} Yes or no?" if self.conditions.shows_lines else asked]

    def reminder(self) -> list[str]:
        return self._question()

    def write(self, action: Do) -> str:
        if self.exploiting:
            return "yes" if action.value else "no"
        if action.target < 0:
            return "observe"
        return f"{'put' if action.value else 'remove'} {self.names.words[action.target]}"

    # -- reading ----------------------------------------------------------------------------------

    def read(self, line: str) -> Do | Malformed:
        folded = line.casefold()
        if folded in ("yes", "no"):
            return self.answering(folded == "yes")
        if folded == "observe":
            return self.observing()
        if match := _MOVE.fullmatch(line):
            return self.moving(match[2], match[1].casefold() == "put")
        moves = "put or remove and an object, or observe"
        form = "yes or no" if self.exploiting else moves
        return Malformed("not-an-action", f"Write {form}.")

    def phrases(self) -> Sequence[Phrase]:
        if self.exploiting:
            return _answers(self.names.words[self.goal])
        return (*_moves(self.names.words), OBSERVING)

    def moving(self, name: str, put: bool) -> Do | Malformed:
        """The action of putting an object, by its name, on the machine or removing it."""
        if self.exploiting:
            return Malformed("not-allowed", "The experiments are over. Answer yes or no.")
        target = self.names.index(name)
        if target is None:
            return Malformed("unknown-name", f"The objects are {self.names.listed()}.")
        if bool(self._shown[target] == 1) == put:
            word = self.names.words[target]
            where = "is on the machine already" if put else "is not on the machine"
            return Malformed("not-allowed", f"{word} {where}.")
        return Do(target, int(put))

    def observing(self) -> Do | Malformed:
        """The action of leaving everything as it is."""
        if self.exploiting:
            return Malformed("not-allowed", "The experiments are over. Answer yes or no.")
        return Do(-1, 0.0)

    def answering(self, yes: bool) -> Do | Malformed:
        """The action of answering the question."""
        if not self.exploiting:
            return Malformed("not-allowed", "Nothing has been asked yet: make an experiment.")
        return Do(self.goal, int(yes))

    # -- acting -----------------------------------------------------------------------------------

    def act(self, action: Do) -> str:
        self.episode.act(*action)
        said = []
        if not np.isnan(light := self._shown[-1]):
            said = [f"{self._contents()}. Light: {'on' if light else 'off'}"]
        return "\n".join([*said, *self._turn(), *self._question()])

    @property
    def exploiting(self) -> bool:
        return not self.finished and self.goal >= 0

    @property
    def _shown(self) -> np.ndarray:
        """1 for every object that is on the machine, then for the light; see `BlicketWorld`."""
        return np.asarray(self.episode.observation.outcome)

    def rehearsal(self) -> Callable[[], Do]:
        return Scene.rehearsal(self)

    def analyses(self) -> tuple[Tool, ...]:
        return Scene.analyses(self)

    def tools(self) -> tuple[Tool, ...]:
        which: dict[str, tuple[type, str]] = {"object": (str, "Name of the object.")}
        return (
            Tool(
                "put",
                "Put one object on the machine and see whether it lights up.",
                which,
                lambda object: self.moving(object, True),
                acts=True,
            ),
            Tool(
                "remove",
                "Remove one object from the machine and see whether it lights up.",
                which,
                lambda object: self.moving(object, False),
                acts=True,
            ),
            Tool(
                "observe",
                "Leave everything as it is and look at the light again.",
                {},
                self.observing,
                acts=True,
            ),
            Tool(
                "answer",
                "Answer the question that was asked.",
                {"yes": (bool, "True: it is a blicket. False: it is none.")},
                self.answering,
                acts=True,
            ),
        )


@functools.lru_cache(maxsize=256)
def _moves(names: tuple[str, ...]) -> tuple[Phrase, ...]:
    thing = rf"(?:the )?(?:object )?{choice(names)}{END}"
    where = r"(?: (?:on|onto|to|in|into|off|from)(?: (?:the )?(?:machine|it))?)?"
    # One object: "put dax, wug" is no action.
    alone = rf"(?! ?(?:,|and|or|&|\+) ?(?:the )?{choice(names).replace('?P<name>', '?:')})"
    put = rf"{BEGIN}(?:put|place|add)(?: ?[(:] ?| ){thing}{where} ?\)?{alone}"
    remove = rf"{BEGIN}(?:remove|take off|take away|take)(?: ?[(:] ?| ){thing}{where} ?\)?{alone}"
    return (
        Phrase(compiled(put), lambda match: f"put {match['name']}"),
        Phrase(compiled(remove), lambda match: f"remove {match['name']}"),
    )


@functools.lru_cache(maxsize=256)
def _answers(name: str) -> tuple[Phrase, ...]:
    thing = rf"(?:{choice([name])}|it|this|that|(?:this|that|the) object)"
    because = r"(?:,? ?(?:because|since|as) .{1,150})?"
    surely = r"(?: probably| likely| definitely| also)?"
    isnt = r"(?: is not|n't| isn't|'s not| is no|'s no)(?: a)?"

    def said(word: str, sentence: str) -> Phrase:
        lead = rf"(?:(?:i think|i believe|so|therefore|well|{word}|the answer is)[ ,.:]{{1,2}})"
        pattern = compiled(rf"{lead}{{0,3}}(?:{word}|{thing}{sentence} blicket){because}")
        return Phrase(pattern, lambda _: word, "alone")

    return (said("yes", rf"(?: is|'s){surely} a"), said("no", isnt))
