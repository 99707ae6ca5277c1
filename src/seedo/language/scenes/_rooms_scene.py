"""World `rooms` in words: lists of objects, choices instead of steps."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from seedo.episodes import EpisodeBatch, Origin
from seedo.errors import UserError
from seedo.language.scenes._conditions import Conditions
from seedo.language.scenes._names import nonsense
from seedo.language.scenes._prompts import rooms_form, rooms_instructions
from seedo.language.scenes._scene import Left, Message, Scene, Tool
from seedo.language.scenes.replies import BEGIN, END, Malformed, Phrase, compiled
from seedo.play import Choice, LiveRooms, RoomsActor, live_batch
from seedo.worlds.rooms import DIMENSIONS, VALUES, RoomsRow, RoomsWorld

_TAKE = re.compile(r"take (\S{1,40})", re.IGNORECASE | re.ASCII)
_CHANGE = re.compile(r"change (\S{1,40}) of (\S{1,40})", re.IGNORECASE | re.ASCII)
_CHANGEABLE = DIMENSIONS[:3]
_PLACES = ("in a corner", "by an x wall", "by a y wall", "in the centre")
_SAID_PLACES = ("in a corner", "by wall x", "by wall y", "in the centre")  # by the world itself


_THING = (
    r"(?:the )?(?:object |item |thing |number |no\.? ?|# ?){0,2}[\"'*_`(\[]{0,3}"
    rf"(?P<k>\d{{1,6}}|one|two|three|four)[\"'*_`)\]]{{0,3}}{END}"
)
_COUNTED = {"one": "1", "two": "2", "three": "3", "four": "4"}
_ATTRIBUTE = r"[\"'*_`]{0,3}(?P<what>colou?r|shape|texture|place|position)[\"'*_`]{0,3}"


def _said_take(match: re.Match[str]) -> str:
    return f"take {_counted(match)}"


def _said_change(match: re.Match[str]) -> str:
    what = match["what"].casefold().replace("color", "colour")
    return f"change {what} of {_counted(match)}"


def _counted(match: re.Match[str]) -> str:
    said = match["k"].casefold()
    return _COUNTED.get(said, said.lstrip("0") or "0")


_PHRASES = (
    Phrase(
        compiled(
            rf"{BEGIN}change(?: ?[(:] ?| )(?:the )?{_ATTRIBUTE}"
            rf"(?: of| for| on|,| ?:)? {_THING} ?\)?"
        ),
        _said_change,
    ),
    Phrase(compiled(rf"{BEGIN}change {_THING}(?:'s)? {_ATTRIBUTE}{END}"), _said_change),
    Phrase(compiled(rf"{BEGIN}(?:take|pick up|pick|grab)(?: ?[(:] ?| ){_THING} ?\)?"), _said_take),
)
"""Ways to say choices."""


class RoomsScene(Scene):
    """One episode of odd-one-out rooms; the return is 1 if the odd one out is taken in the trial
    that counts, else 0.

    A line is a `Choice`, carried out in steps along shortest paths; the log is of these.
    Steps are counted as in the log, so `step` grows by several with each choice.

    Raises:
        UserError: the objects' looks cannot be given names of this kind.
    """

    theory_request = (
        "Before you act: state in a few sentences which attribute decides, and check this theory "
        "against every reward above. Do not act yet."
    )

    def __init__(
        self,
        world: RoomsWorld,
        seed: int,
        stream: str,
        index: int,
        conditions: Conditions | None = None,
        opening: Sequence[Message] = (),
    ) -> None:
        conditions = conditions or Conditions()
        if conditions.names in ("contrary", "permuted", "twelve"):
            raise UserError("names", conditions.names, "rooms have nonsense, letters or familiar")
        if conditions.structure:
            raise UserError("structure", True, "rooms have no causal structure to ask for")
        if conditions.recap:
            raise UserError("recap", True, "rooms have no table of results: leave it out")
        self.world, self.episode = world, LiveRooms(world, seed, stream, index)
        rng = np.random.default_rng([seed, zlib.crc32(stream.encode()), index])
        self._words: dict[tuple[int, int], str] = {}
        if conditions.names == "nonsense":
            self._words = _pseudo_words(self.episode.task, rng)
        super().__init__(conditions, opening)

    # -- saying -----------------------------------------------------------------------------------

    def instructions(self) -> str:
        return rooms_instructions(self.world, self.conditions)

    def begin(self) -> str:
        cue = int(self.episode.symbolic.cue)
        said = [f"What decides: {DIMENSIONS[cue - 1]}"] if cue else []
        return "\n".join([*said, *self._room()])

    def _room(self) -> list[str]:
        """The trial and its objects."""
        seen, trials = self.episode.symbolic, self.world.settings.trials
        if trials == 1:
            title = "This trial counts."
        elif self.exploiting:
            title = f"Trial {trials} of {trials}: this one counts."
        else:
            allowed = "may change one thing" if seen.transforms else "have made your change"
            title = f"Trial {int(seen.trial) + 1} of {trials}: an experiment, you {allowed}."
        return [title, *(f"{k + 1}: {self._object(thing)}" for k, thing in enumerate(seen.objects))]

    def _object(self, thing: np.ndarray) -> str:
        colour, shape, texture, place = (int(value) for value in thing)
        if self._words:
            kinds = zip((*_CHANGEABLE, "place"), enumerate(thing), strict=True)
            return ", ".join(f"{kind} {self._words[d, int(value)]}" for kind, (d, value) in kinds)
        look = f"{VALUES[0][colour]} {VALUES[2][texture]} {VALUES[1][shape]}"
        return f"{look} {_PLACES[place]}"

    def _value(self, dimension: int, value: int) -> str:
        return self._words.get((dimension, value), VALUES[dimension][value])

    def _renamed(self, said: str) -> str:
        """The world's own words, with the names of this episode."""
        if self._words:
            for (dimension, value), word in self._words.items():
                own = VALUES[dimension][value] if dimension < 3 else _SAID_PLACES[value]
                said = re.sub(rf"\b{own}\b", f"at {word}" if dimension == 3 else word, said)
        return said

    def write(self, action: Choice) -> str:
        """A trial that a player of ours lets pass is `wait`, which is no action in words."""
        if action.object < 0:
            return "wait"
        if action.dimension < 0:
            return f"take {action.object + 1}"
        return f"change {DIMENSIONS[action.dimension]} of {action.object + 1}"

    # -- reading ----------------------------------------------------------------------------------

    def read(self, line: str) -> Choice | Malformed:
        if match := _TAKE.fullmatch(line):
            return self.taking(match[1])
        if match := _CHANGE.fullmatch(line):
            return self.changing(match[2], match[1])
        return Malformed("not-an-action", f"Write {self._form()}")

    def phrases(self) -> Sequence[Phrase]:
        return _PHRASES

    def taking(self, which: str) -> Choice | Malformed:
        """The action of taking an object, as it is said: "1" to "4"."""
        if which not in ("1", "2", "3", "4"):
            return Malformed("unknown-name", "The objects are 1, 2, 3 and 4.")
        return Choice(int(which) - 1)

    def changing(self, which: str, attribute: str) -> Choice | Malformed:
        """The action of changing an attribute of an object, as they are said."""
        taken = self.taking(which)
        if isinstance(taken, Malformed):
            return taken
        if attribute.lower() not in _CHANGEABLE:
            return Malformed("unknown-name", f"You can change {', '.join(_CHANGEABLE)}.")
        if not self.episode.symbolic.transforms:
            return Malformed("not-allowed", "Nothing may be changed now. Take an object.")
        return Choice(taken.object, _CHANGEABLE.index(attribute.lower()))

    def _form(self) -> str:
        return rooms_form(bool(self.episode.symbolic.transforms))

    def example(self) -> str:
        if self.finished:
            return ""
        choices = [f"take {1 + k}" for k in range(4)]
        if self.episode.symbolic.transforms:
            choices += [f"change {what} of {1 + k}" for what in _CHANGEABLE for k in range(4)]
        return str(choices[self.drawn().permutation(len(choices))[self.refused % len(choices)]])

    # -- acting -----------------------------------------------------------------------------------

    def act(self, action: Choice) -> str:
        made = self.episode.choose(action)
        said = [self._result(action, made)]
        if self.conditions.explanations and (verdict := self.episode.verdict()):
            said.append(f"Someone who knows says: {self._renamed(verdict)}")
        return "\n".join([*said, *([] if self.finished else self._room())])

    def _result(self, choice: Choice, made: RoomsRow) -> str:
        taken = int(made.chosen.max())
        if taken >= 0:
            return f"You took {taken + 1}. Reward: {int((made.reward > 0).any())}"
        seen, thing = self.episode.symbolic, choice.object
        if choice.dimension >= 0 and not seen.transforms and seen.trial == made.trial[-1]:
            value = self._value(choice.dimension, int(seen.objects[thing][choice.dimension]))
            return f"The {DIMENSIONS[choice.dimension]} of {thing + 1} is now {value}."
        if choice.object >= 0:
            return "The steps of this trial ended before that was done. Reward: 0"
        return "The trial ended with nothing taken. Reward: 0"

    def let_pass(self) -> str:
        return self.act(Choice())

    @property
    def exploiting(self) -> bool:
        return self.episode.exploiting

    @property
    def left(self) -> Left:
        if self.finished:
            return Left(0, 0)
        trials = self.world.settings.trials
        return Left(trials - 1 - int(self.episode.symbolic.trial), 1)

    def actor(self, player: Any) -> Callable[[], Choice]:
        return RoomsActor(player, self.episode).action

    def tools(self) -> tuple[Tool, ...]:
        take = Tool(
            "take",
            "Take one object; this ends the trial.",
            {"object": (int, "Number of the object, 1 to 4.")},
            lambda object: self.taking(str(object)),
            acts=True,
        )
        change = Tool(
            "change",
            "Change one attribute of one object; once in an experiment trial, before taking.",
            {
                "object": (int, "Number of the object, 1 to 4."),
                "attribute": (str, f"What to change: {', '.join(_CHANGEABLE)}."),
            },
            lambda object, attribute: self.changing(str(object), attribute),
            acts=True,
        )
        return (take, change) if self.world.settings.trials > 1 else (take,)

    @classmethod
    def log(cls, origin: Origin, scenes: Sequence[Any], systems: bool = False) -> EpisodeBatch:
        """With the world's words where the conditions have explanations; never with `systems`."""
        explain = "words" if scenes[0].conditions.explanations else "none"
        return live_batch(origin, [scene.episode for scene in scenes], explain=explain)


def _pseudo_words(task: Any, rng: np.random.Generator) -> dict[tuple[int, int], str]:
    """A name for each (dimension, value) that the episode can show, drawn afresh."""
    values, classes = jax.tree.map(np.asarray, (task.values, task.classes))
    shown = [(d, int(v)) for d in range(3) for v in np.unique(values[:, d])]
    shown += [(3, int(c)) for c in np.unique(classes)]
    return dict(zip(shown, nonsense(len(shown), rng).words, strict=True))
