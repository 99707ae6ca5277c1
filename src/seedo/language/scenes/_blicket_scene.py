"""World `blicket` in words."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from seedo.language.scenes._conditions import Conditions, form_rules
from seedo.language.scenes._plain_scene import Do, PlainScene
from seedo.language.scenes._reply import Malformed
from seedo.language.scenes._scene import Scene, Tool
from seedo.worlds import BlicketConfig

_MOVE = re.compile(r"(put|remove) (\S{1,40})", re.IGNORECASE | re.ASCII)
_RULES = {
    "or": "it lights up if at least one blicket is on it",
    "and": "it lights up only if all blickets are on it",
}


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
        names = (self.names.words[i] for i in self.names.order)
        return "\n".join([f"Objects: {' '.join(names)}", self._contents(), *self._question()])

    def _contents(self) -> str:
        """What is on the machine: "On the machine: dax wug"."""
        on = [self.names.words[i] for i in self.names.order if self._shown[i] == 1]
        return f"On the machine: {' '.join(on) or 'nothing'}"

    def _question(self) -> list[str]:
        return [f"Is {self.names.words[self.goal]} a blicket?"] if self.exploiting else []

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
        form = "yes or no" if self.exploiting else "put NAME, remove NAME or observe"
        return Malformed("not-an-action", f"Write {form} and nothing else.")

    def moving(self, name: str, put: bool) -> Do | Malformed:
        """The action of putting an object, by its name, on the machine or removing it."""
        if self.exploiting:
            return Malformed("not-allowed", "The experiments are over. Answer yes or no.")
        target = self.names.index(name)
        if target is None:
            return Malformed("unknown-name", f"The objects are {' '.join(self.names.words)}.")
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
        return "\n".join([*said, *self._question()])

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


def blicket_instructions(config: BlicketConfig, conditions: Conditions) -> str:
    """The rules of the world under these conditions."""
    said = [
        f"There is a machine with a light, and there are {config.n} objects. Some of the objects "
        "are blickets. Names tell nothing.",
        _rule(config),
        _number(config),
    ]
    if config.flip:
        said.append(
            f"In {100 * config.flip:g}% of experiments, at random, the light shows the opposite."
        )
    start = "nothing is" if config.start == "empty" else "all objects are"
    said.append(
        f"First you make {config.toggles} experiments; before them {start} on the machine. In each "
        "you put one object on the machine or remove one from it, and see whether the light is on. "
        "What you do not move stays as it is."
        if config.toggles
        else "You make no experiments."
    )
    said.append(
        "Then you are asked of each object whether it is a blicket. Only these answers are scored."
    )
    if conditions.instruction == "strategy":
        said.append(
            "A light that does not change tells something too. An object may make a difference "
            "only while certain others are on the machine, or only while they are not: test every "
            "object where it can show what it is."
        )
    form = "put NAME or remove NAME, and to a question yes or no."
    observing = "Reply with the line observe to leave everything as it is in an experiment."
    return "\n".join([*said, *form_rules(conditions, form, observing)])


def _rule(config: BlicketConfig) -> str:
    if config.rule != "any":
        return f"This is how the machine works: {_RULES[config.rule]}."
    return (
        "The machine works in one of two ways, equally likely: "
        f"either {_RULES['or']}, or {_RULES['and']}. You are not told which."
    )


def _number(config: BlicketConfig) -> str:
    if config.blickets is None:
        highest = config.n - 1
        if highest == 2:
            return "There are 2 blickets."
        return f"There are 2 to {highest} blickets, each number equally likely."
    if config.blickets > 1:
        return f"There are {config.blickets} blickets."
    if config.rule == "any":
        return "There is 1 blicket if one is enough, and there are 2 if all are needed."
    return "There is 1 blicket."
