"""One episode of a world, played in words.

A scene is a small machine: it says something (`messages` ends with a user message), gets a reply,
and says the next thing until it is `finished`. It never raises for what a player replies: a reply
that is unmistakably one legal action is taken, in whatever wrapping (`read_reply`); any other is
counted, and said to be so; after `attempts` such replies at one step the step passes with nothing
done.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, TypedDict

import numpy as np

from seedo.episodes import EpisodeBatch, Origin
from seedo.errors import UserError
from seedo.experimenters import find_player, parse_name
from seedo.language.scenes._calculator import calculate
from seedo.language.scenes._conditions import Conditions
from seedo.language.scenes._prompts import ACT, say_example, say_no_answer, say_refusal
from seedo.language.scenes._tool_calls import call_for, say_call
from seedo.language.scenes.replies import (
    LONGEST,
    LONGEST_ANSWER,
    UNDONE,
    Grammar,
    Kind,
    Malformed,
    Phrase,
    Reading,
    judged,
    read_answer,
    read_reply,
    read_strictly,
)
from seedo.worlds import EXPLOIT, EXPLORE

_EXAMPLES = 0x5EED0
"""Seed of the examples of actions and answers."""
_OWN = (*UNDONE, "ambiguous", "too-long")
"""Reasons why an answer is none that are not about its form."""


class Message(TypedDict):
    """One message of a conversation, as chat interfaces know it."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Tool:
    """An action or an analysis that a player may call instead of writing a line.

    Attributes:
        name, description: for the model.
        parameters: name -> (Python type, description) of each argument.
        call: takes the arguments by name; returns the action (as `Scene.read` does) where it acts,
            what the tool says (text) where it does not, or Malformed.
        acts: calling it is this step's action; False: analysis, any number of calls.
    """

    name: str
    description: str
    parameters: dict[str, tuple[type, str]]
    call: Callable[..., Any]
    acts: bool


class Heard(NamedTuple):
    """How one reply was read.

    Attributes:
        step: that it was for.
        kind: one of `KINDS`.
        how: of `REPAIRS`, what was repaired.
        line: of the action that was taken; "": none was.
        asked: name of the question that it should have answered; "": an action was expected.
        reply: its number among `Scene.replies`, from 0.
    """

    step: int
    kind: Kind
    how: tuple[str, ...]
    line: str
    asked: str
    reply: int


class Left(NamedTuple):
    """What is still to be done in an episode: experiments, then actions that are scored."""

    experiments: int
    scored: int


class Question(NamedTuple):
    """What a player is asked before its first scored action, in a turn that is no action.

    Attributes:
        name: key of the answer in `Scene.answers`.
        text: as it is put, without the form of an answer.
        read: the answer that a line stands for, or Malformed.
        example: a line that is an answer, drawn at random, so that it tells nothing.
        own: what our own players reply who know it, by name or by kind of name (`bayes`).
        plain: an answer as plain JSON, for the log.
    """

    name: str
    text: str
    read: Callable[[str], Any]
    example: Callable[[np.random.Generator], str]
    own: Mapping[str, Callable[[], str]]
    plain: Callable[[Any], Any] = str


CANNOT = "I cannot answer that."
"""What those of our own players reply who do not know an answer."""


class Scene(ABC):
    """One episode; subclasses know a world."""

    untold: ClassVar[tuple[str, ...]] = ()
    """Settings of the world that words have no form for: worlds that have them are refused."""
    world: Any  # set before `__init__` here, as is
    episode: Any  # what is being played: a live episode of the world
    theory_request: ClassVar[str] = (
        "Before you act: state in a few sentences which variable influences which, and check this "
        "theory against every result above. Do not act yet."
    )

    def __init__(self, conditions: Conditions, opening: Sequence[Message] = ()) -> None:
        """`opening`: messages said first, between instructions and episode (examples)."""
        self.conditions = conditions
        self.malformed: list[tuple[int, str]] = []  # (step, reason)
        self.thoughts: list[tuple[int, str]] = []  # (step, text of a turn that is no action)
        self.replies: list[tuple[int, str]] = []  # (step, text), bounded
        self.heard: list[Heard] = []  # how each that should have been an action or answer was read
        self.passed: list[int] = []  # steps that passed after too many malformed replies
        self.answers: dict[str, Any] = {}  # to `questions`, by name; None: no valid answer given
        self.stated: dict[str, Any] = {}  # the same as plain JSON
        self._refused = 0  # malformed replies at this step
        self._checked = not conditions.check
        self._recapped = not conditions.recap
        self._questions = self.questions()
        self._said: list[Message] = [
            {"role": "system", "content": self.instructions()},
            *opening,
            {"role": "user", "content": self.begin()},
        ]
        self._before_replying()

    # -- what a world has to say --------------------------------------------------------------

    @abstractmethod
    def instructions(self) -> str:
        """The rules, the same in every episode under the same conditions."""

    @abstractmethod
    def begin(self) -> str:
        """What this episode is about, said first."""

    @abstractmethod
    def read(self, line: str) -> Any | Malformed:
        """The action that a line stands for."""

    @abstractmethod
    def act(self, action: Any) -> str:
        """Carry out a legal action (as `read` returns it); what is said next, "" at the end."""

    @abstractmethod
    def let_pass(self) -> str:
        """Let the step pass with nothing done; what is said next."""

    @abstractmethod
    def write(self, action: Any) -> str:
        """The line that `read` reads as this action."""

    @property
    @abstractmethod
    def exploiting(self) -> bool:
        """Whether the next action is scored."""

    @abstractmethod
    def actor(self, player: Any) -> Callable[[], Any]:
        """A function that says what one of our own players (`play.find_player`) does next:
        an action as `read` returns it."""

    def rehearsal(self) -> Callable[[], Any]:
        """What to do in an episode that shows beforehand how long conversations are: the expert's
        actions."""
        return self.actor(find_player("scripted:expert", self.world))

    @abstractmethod
    def tools(self) -> tuple[Tool, ...]:
        """The actions as tools."""

    @classmethod
    @abstractmethod
    def log(cls, origin: Origin, scenes: Sequence[Any], systems: bool = False) -> EpisodeBatch:
        """Finished scenes of this class in log form, with their systems if asked for."""

    def analyses(self) -> tuple[Tool, ...]:
        """The analyses that make sense here."""
        arithmetic = Tool(
            "calculator",
            "Arithmetic: + - * / **, brackets, abs, exp, log, max, min, sqrt.",
            {"expression": (str, "For example (1.2 - 0.3) / 2.")},
            calculate,
            acts=False,
        )
        return (arithmetic,)

    def phrases(self) -> Sequence[Phrase]:
        """Ways to say the actions of this step besides the lines that `read` reads."""
        return ()

    def example(self) -> str:
        """A line that is a legal action at this step, drawn at random (`drawn`), so that it tells
        nothing about what is good; another one after every refusal; "": there is none to show."""
        return ""

    def drawn(self) -> np.random.Generator:
        """What examples at this step are drawn with: the same whoever plays."""
        return np.random.default_rng([_EXAMPLES, int(self.episode.index), self.step])

    def example_call(self) -> str:
        """As `example`, the call of a tool: `set_variable(variable="dax", value=2.0)`."""
        line = self.example()
        found = call_for(self, self.read(line)) if line else None
        return say_call(*found) if found else ""

    def slip(self, said: str, action: Any, rng: np.random.Generator) -> str | None:
        """A reply that miswrites an action and is to be refused, with a further try left; nothing
        is done. None: there is none.

        Args:
            said: the reply that means `action`.
        """
        wrong = self.miswritten(said, action, rng) if self.refusals_left > 1 else None
        refused = wrong is not None and isinstance(self._understood(wrong).found, Malformed)
        return wrong if refused else None

    def miswritten(self, said: str, action: Any, rng: np.random.Generator) -> str | None:
        """For `slip`: the reply with a slip in it; None: this world has none to show."""
        return None

    def reason(self, action: Any) -> str:
        """Why whoever knows would do this now, in one sentence; "": nothing is said."""
        return ""

    def reminder(self) -> list[str]:
        """What is to be done at this step, said again after a turn that was no action."""
        return []

    def recap(self) -> str:
        """All that was seen so far, sorted by what was done; for `conditions.recap`.

        Raises:
            UserError: this world has no such table.
        """
        raise UserError("recap", True, "this world has no table of results: leave it out")

    def questions(self) -> list[Question]:
        """What is asked before the first scored action, after `conditions.check`."""
        return []

    # -- the episode ------------------------------------------------------------------------------

    @property
    def step(self) -> int:
        """Number of the step that the next action is for."""
        return int(self.episode.step)

    @property
    def left(self) -> Left:
        """What the player has still to do."""
        phases = self.world.spec.phases[self.step :]
        return Left(phases.count(EXPLORE), phases.count(EXPLOIT))

    @property
    def refused(self) -> int:
        """Malformed replies at this step."""
        return self._refused

    @property
    def refusals_left(self) -> int:
        """How many more malformed replies at this step, before it passes with nothing done."""
        return self.conditions.attempts - self._refused

    @property
    def finished(self) -> bool:
        """Whether the episode is over."""
        return bool(self.episode.finished)

    @property
    def returns(self) -> float:
        """Mean return so far, in the world's own unit; see the world."""
        return float(self.episode.returns)

    @property
    def oracle_return(self) -> float:
        """The return of a player who knows the system."""
        return float(self.episode.oracle_return)

    @property
    def random_return(self) -> float:
        """The expected return of random play."""
        return float(self.episode.random_return)

    # -- the machine ------------------------------------------------------------------------------

    @property
    def expects(self) -> Literal["action", "thought", "answer", "nothing"]:
        """What the next reply is taken for; an answer is one to a question of `questions`."""
        if self.finished:
            return "nothing"
        if not self.exploiting:
            return "action"
        if not self._checked:
            return "thought"
        return "answer" if self._questions else "action"

    def own_answer(self, player: str) -> str:
        """What our own player of this name replies where an answer is expected."""
        own = self._questions[0].own
        says = own.get(player) or own.get(parse_name(player).kind)
        return says() if says else CANNOT

    def messages(self) -> list[Message]:
        """The conversation so far; a copy."""
        return [Message(role=m["role"], content=m["content"]) for m in self._said]

    def reply(self, text: str) -> Malformed | None:
        """Take a reply; Malformed says why nothing was done.

        Raises:
            RuntimeError: the episode is over.
        """
        expected = self.expects
        if expected == "nothing":
            raise RuntimeError("the episode is over")
        kept = self._hear(text)
        if expected == "thought":
            self.thoughts.append((self.step, kept))
            self._checked = True
            self._say_what_next()
            return None
        if expected == "answer":
            return self._take_answer(text)
        reading = self._understood(text)
        self._note(reading)
        return self.take(reading.found)

    def take(self, action: Any | Malformed) -> Malformed | None:
        """Carry out an action as `read` gives it, or refuse a malformed one."""
        if isinstance(action, Malformed):
            return self._refuse(action)
        self._refused = 0
        self._say(self.act(action))
        self._before_replying()
        return None

    def take_call(self, said: str, action: Any | Malformed) -> Malformed | None:
        """As `take`, for an action that came as a tool call; `said` is how the call reads."""
        self._hear(said)
        self._note(judged(action))
        return self.take(action)

    def pass_the_rest(self) -> None:
        """Let every step that is left pass with nothing done."""
        while not self.finished:
            self.passed.append(self.step)
            self.let_pass()

    def answer_call(self, said: str, answer: str) -> None:
        """Say what an analysis found; `said` is how the call reads. No step passes."""
        self._hear(said)
        self._say(answer)

    def interject(self, text: str) -> None:
        """Add words of somebody else to what was said last to the player."""
        if self._said[-1]["role"] == "user":
            self._said[-1] = {"role": "user", "content": f"{self._said[-1]['content']}\n{text}"}
        else:
            self._say(text)

    def _understood(self, text: str) -> Reading:
        """What a reply in words is read as, where an action is expected."""
        conditions = self.conditions
        if conditions.strict:
            return read_strictly(text, self.read, conditions.reasoning)
        tools = {tool.name: tool for tool in self.tools() if tool.acts}
        grammar = Grammar(self.read, self.write, self.phrases(), tools)
        reading = read_reply(text, grammar, conditions.reasoning, self._told)
        if conditions.tools != "none" and reading.kind == "none":
            remedy = (
                f"Act by calling one of {', '.join(tools)} (a model without tool calls needs "
                "tools=none)."
            )
            return reading._replace(found=Malformed("not-an-action", remedy))
        return reading

    def _told(self) -> str:
        """All that was said to the player."""
        return "\n".join(m["content"] for m in self._said if m["role"] != "assistant")

    def _note(self, reading: Reading, asked: str = "") -> None:
        taken = not asked and not isinstance(reading.found, Malformed)
        line = self.write(reading.found) if taken else ""
        reply = len(self.replies) - 1
        self.heard.append(Heard(self.step, reading.kind, reading.how, line, asked, reply))

    def _hear(self, text: str) -> str:
        # A lone surrogate, which JSON can hold, could be sent to no model and written to no file.
        kept = text[:LONGEST].encode("utf-8", "replace").decode("utf-8")
        self.replies.append((self.step, kept))
        self._said.append({"role": "assistant", "content": kept})
        return kept

    def _refuse(self, why: Malformed) -> Malformed:
        self.malformed.append((self.step, why.reason))
        self._refused += 1
        over = self._refused >= self.conditions.attempts
        shown = self.example if self.conditions.tools == "none" else self.example_call
        unclear = why.reason == "not-an-action"
        said = say_refusal(why.remedy, "" if over else shown(), self.conditions, unclear)
        if not over:
            self._say(said)
            return why
        self._refused = 0
        self.passed.append(self.step)
        self._say(f"{said} This step is over.\n{self.let_pass()}".rstrip())
        self._before_replying()
        return why

    def _take_answer(self, text: str) -> Malformed | None:
        question = self._questions[0]
        reading = self._answered(text, question)
        self._note(reading, question.name)
        found = reading.found
        why = found if isinstance(found, Malformed) else None
        if why is not None:
            self.malformed.append((self.step, why.reason))
            self._refused += 1
            if self._refused < self.conditions.attempts:
                remedy = why.remedy if why.reason in _OWN else ""  # of form, the example says all
                self._say(say_no_answer(remedy, self._answer(question), self.conditions))
                return why
        self._refused = 0
        self.answers[question.name] = None if why is not None else found
        self.stated[question.name] = None if why is not None else question.plain(found)
        self._questions = self._questions[1:]
        self._say_what_next()
        return why

    def _answered(self, text: str, question: Question) -> Reading:
        """What a reply to a question is read as; not strictly, its mark ("arrows:") can be left out
        where the answer is all that is said."""
        how = (self.conditions.reasoning, LONGEST_ANSWER)
        if self.conditions.strict:
            return read_strictly(text, question.read, *how)
        reading = read_answer(text, question.read, *how)
        if reading.kind != "none":
            return reading
        bare = read_answer(
            text, lambda line: question.read(f"{question.name}: {line}"), *how, False, question.read
        )
        return bare if bare.kind == "repaired" else reading

    def _say_what_next(self) -> None:
        asked = self._asked() if self.expects == "answer" else [ACT, *self.reminder()]
        self._say("\n".join(asked))
        self._show_action()

    def _asked(self) -> list[str]:
        question = self._questions[0]
        return [question.text, *say_example(self._answer(question), self.conditions)]

    def _answer(self, question: Question) -> str:
        """An answer drawn at random, another one after every refusal."""
        drawn = [_EXAMPLES, int(self.episode.index), self.step, 1 + self._refused]
        return question.example(np.random.default_rng(drawn))

    def _say(self, text: str) -> None:
        if not self.finished:
            self._said.append({"role": "user", "content": text})

    def _show_action(self) -> None:
        if self.expects == "action" and self.conditions.shows_lines:
            for line in say_example(self.example(), self.conditions):
                self.interject(line)

    def _before_replying(self) -> None:
        """Add what the conditions want said or asked before the first scored action, or what an
        action looks like."""
        if not self._recapped and not self.finished and self.exploiting:
            self._recapped = True
            self.interject(self.recap())
        if self.expects == "thought":
            self.interject(self.theory_request)
        elif self.expects == "answer" and not self.answers:
            self.interject("\n".join(self._asked()))
        self._show_action()
