"""One episode of a world, played in words.

A scene is a small machine: it says something (`messages` ends with a user message), gets a reply,
and says the next thing until it is `finished`. It never raises for what a player replies: whatever
is not an action is counted, and said to be so; after `attempts` such replies at one step the step
passes with nothing done.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypedDict

from understudy.language._conditions import Conditions
from understudy.language._reply import LONGEST, Malformed, action_line


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


class Scene(ABC):
    """One episode; subclasses know a world."""

    world_name: ClassVar[str]

    def __init__(self, conditions: Conditions, opening: Sequence[Message] = ()) -> None:
        """`opening`: messages said first, between instructions and episode (examples)."""
        self.conditions = conditions
        self.malformed: list[tuple[int, str]] = []  # (step, reason)
        self.thoughts: list[tuple[int, str]] = []  # (step, text of a turn that is no action)
        self.replies: list[tuple[int, str]] = []  # (step, text), bounded
        self.passed: list[int] = []  # steps that passed after too many malformed replies
        self._refused = 0  # malformed replies at this step
        self._checked = not conditions.check
        self._said: list[Message] = [
            {"role": "system", "content": self.instructions()},
            *opening,
            {"role": "user", "content": self.begin()},
        ]
        self._ask_to_check()

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
    def step(self) -> int:
        """Number of the step that the next action is for."""

    @property
    @abstractmethod
    def finished(self) -> bool:
        """Whether the episode is over."""

    @property
    @abstractmethod
    def exploiting(self) -> bool:
        """Whether the next action is scored."""

    @property
    @abstractmethod
    def returns(self) -> float:
        """Mean return so far, in the world's own unit; see the world."""

    @property
    @abstractmethod
    def oracle_return(self) -> float:
        """The return of a player who knows the system."""

    @property
    @abstractmethod
    def random_return(self) -> float:
        """The expected return of random play."""

    @abstractmethod
    def actor(self, player: Any) -> Callable[[], Any]:
        """A function that says what one of our own players (`evaluation.find_player`) does next:
        an action as `read` returns it."""

    @abstractmethod
    def tools(self) -> tuple[Tool, ...]:
        """The actions as tools."""

    # -- the machine ------------------------------------------------------------------------------

    @property
    def expects(self) -> Literal["action", "thought", "nothing"]:
        """What the next reply is taken for."""
        if self.finished:
            return "nothing"
        return "action" if self._checked or not self.exploiting else "thought"

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
        kept = text[:LONGEST]
        self.replies.append((self.step, kept))
        self._said.append({"role": "assistant", "content": kept})
        if expected == "thought":
            self.thoughts.append((self.step, kept))
            self._checked = True
            self._say("Now act. Reply with the action.")
            return None
        line = action_line(text, self.conditions.reasoning)
        action = line if isinstance(line, Malformed) else self.read(line)
        return self.take(action)

    def take(self, action: Any | Malformed) -> Malformed | None:
        """Carry out an action as `read` gives it, or refuse a malformed one."""
        if isinstance(action, Malformed):
            return self._refuse(action)
        self._refused = 0
        self._say(self.act(action))
        self._ask_to_check()
        return None

    def interject(self, text: str) -> None:
        """Add words of somebody else to what was said last to the player."""
        if self._said[-1]["role"] == "user":
            self._said[-1] = {"role": "user", "content": f"{self._said[-1]['content']}\n{text}"}
        else:
            self._say(text)

    def _refuse(self, why: Malformed) -> Malformed:
        self.malformed.append((self.step, why.reason))
        self._refused += 1
        if self._refused < self.conditions.attempts:
            self._say(f"Nothing was done: {why.remedy}")
            return why
        self._refused = 0
        self.passed.append(self.step)
        self._say(f"Nothing was done: {why.remedy} This step is over.\n{self.let_pass()}".rstrip())
        self._ask_to_check()
        return why

    def _say(self, text: str) -> None:
        if not self.finished:
            self._said.append({"role": "user", "content": text})

    def _ask_to_check(self) -> None:
        if self.expects == "thought":
            self.interject(
                "Before you act: state in a few sentences which variable influences which, and "
                "check this theory against every result above. Do not act yet."
            )
