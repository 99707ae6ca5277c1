"""World `blicket` in words."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from seedo.episodes import EpisodeBatch, Origin
from seedo.errors import UserError
from seedo.language.scenes._conditions import Conditions, form_rules
from seedo.language.scenes._names import letters, nonsense
from seedo.language.scenes._reply import Malformed
from seedo.language.scenes._scene import Message, Scene, Tool
from seedo.play import Actor, Live, live_batch
from seedo.worlds import BlicketConfig, BlicketWorld

_MOVE = re.compile(r"(put|remove) (\S{1,40})", re.IGNORECASE | re.ASCII)
_RULES = {
    "or": "it lights up if at least one blicket is on it",
    "and": "it lights up only if all blickets are on it",
}


class Move(NamedTuple):
    """Put an object on the machine (value 1) or remove it (0); or answer that it is a blicket (1)
    or none (0). Target -1: only observe, or give no answer."""

    target: int
    value: int


class BlicketScene(Scene):
    """One episode of a blicket machine; the return is the share of right answers.

    Raises:
        UserError: objects cannot be given names of this kind.
    """

    theory_request = (
        "Before you answer: state in a few sentences which objects are blickets, and check this "
        "theory against every result above. Do not act yet."
    )

    def __init__(
        self,
        world: BlicketWorld,
        seed: int,
        stream: str,
        index: int,
        conditions: Conditions | None = None,
        opening: Sequence[Message] = (),
    ) -> None:
        conditions = conditions or Conditions()
        if conditions.names not in ("nonsense", "letters"):
            raise UserError("names", conditions.names, "blickets have nonsense names or letters")
        if conditions.structure:
            raise UserError("structure", True, "machines have no causal structure to ask for")
        self.world, self.episode = world, Live(world, seed, stream, index)
        objects = world.spec.variables[: world.settings.n]
        rng = np.random.default_rng([seed, zlib.crc32(stream.encode()), index])
        self.names = (
            letters(objects) if conditions.names == "letters" else nonsense(len(objects), rng)
        )
        super().__init__(conditions, opening)

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
        return [f"Is {self.names.words[self.asked]} a blicket?"] if self.exploiting else []

    def write(self, action: Move) -> str:
        if self.exploiting:
            return "yes" if action.value else "no"
        if action.target < 0:
            return "observe"
        return f"{'put' if action.value else 'remove'} {self.names.words[action.target]}"

    # -- reading ----------------------------------------------------------------------------------

    def read(self, line: str) -> Move | Malformed:
        folded = line.casefold()
        if folded in ("yes", "no"):
            return self.answering(folded == "yes")
        if folded == "observe":
            return self.observing()
        if match := _MOVE.fullmatch(line):
            return self.moving(match[2], match[1].casefold() == "put")
        form = "yes or no" if self.exploiting else "put NAME, remove NAME or observe"
        return Malformed("not-an-action", f"Write {form} and nothing else.")

    def moving(self, name: str, put: bool) -> Move | Malformed:
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
        return Move(target, int(put))

    def observing(self) -> Move | Malformed:
        """The action of leaving everything as it is."""
        if self.exploiting:
            return Malformed("not-allowed", "The experiments are over. Answer yes or no.")
        return Move(-1, 0)

    def answering(self, yes: bool) -> Move | Malformed:
        """The action of answering the question."""
        if not self.exploiting:
            return Malformed("not-allowed", "Nothing has been asked yet: make an experiment.")
        return Move(self.asked, int(yes))

    # -- acting -----------------------------------------------------------------------------------

    def act(self, action: Move) -> str:
        self.episode.act(*action)
        said = []
        if not np.isnan(light := self._shown[-1]):
            said = [f"{self._contents()}. Light: {'on' if light else 'off'}"]
        return "\n".join([*said, *self._question()])

    def let_pass(self) -> str:
        return self.act(Move(-1, 0))

    @property
    def exploiting(self) -> bool:
        return not self.finished and self.asked >= 0

    @property
    def asked(self) -> int:
        """The object that the question is about; -1 while there is none."""
        return int(self.episode.observation.goal)

    @property
    def _shown(self) -> np.ndarray:
        """1 for every object that is on the machine, then for the light; see `BlicketWorld`."""
        return np.asarray(self.episode.observation.outcome)

    def actor(self, player: Any) -> Callable[[], Move]:
        actor = Actor(player, self.episode)

        def move() -> Move:
            target, value = actor.action()
            return Move(target, int(value))

        return move

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

    @classmethod
    def log(cls, origin: Origin, scenes: Sequence[Any], systems: bool = False) -> EpisodeBatch:
        return live_batch(origin, [scene.episode for scene in scenes], systems)


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
