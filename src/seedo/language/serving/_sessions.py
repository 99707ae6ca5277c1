"""Episodes that are played through tools from elsewhere, each apart from the others.

This is what the MCP server serves, without the protocol: tools with schemas, and what an agent is
told for a call. It never raises for what an agent gives. Until an episode is over it tells what a
player of the scene is told, and nothing else.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any, NamedTuple

from seedo import worlds
from seedo.errors import UserError, in_one_line
from seedo.language.runs import AgentRun, Recorded, RunPlan, same_world
from seedo.language.scenes import Scene, Tool, arguments_schema, tools_of
from seedo.language.serving._environment import check_whole
from seedo.plugins import WORLDS

START, HISTORY, LEFT, FINISH, SAY = (
    "start_task",
    "task_history",
    "task_left",
    "finish_task",
    "say",
)
"""Names of the tools that come with every world."""

MOST_SESSIONS = 256
"""Episodes in memory; of more, those that are over are dropped first."""

_OVER = f"The episode is over: call {FINISH} for the score."
_SESSION: dict[str, str] = {"type": "string", "description": f"As {START} gave it."}


class Told(NamedTuple):
    """What an agent is told.

    Attributes:
        text: for whoever reads.
        data: the same for whoever computes, plain JSON; {} where there is no session.
        refused: nothing was done.
    """

    text: str
    data: dict[str, Any]
    refused: bool = False


class ServedTool(NamedTuple):
    """A tool as it is offered; `looks`: calling it changes nothing."""

    name: str
    description: str
    schema: dict[str, Any]
    looks: bool


@dataclass
class _Session:
    """An episode in play."""

    name: str
    index: int
    recorded: Recorded

    @property
    def scene(self) -> Scene:
        return self.recorded.scene


class Sessions:
    """The episodes in play; safe to call from several threads.

    Args:
        plan: what is played unless an agent says otherwise; its conditions have tools.
        run: where episodes are kept. With one, its plan holds and agents choose nothing but the
            number of a system, each of which is met once; None: they may choose the world, too,
            among those with the same tools that are simulated here.

    Raises:
        UserError: a world or conditions that cannot be played so.
    """

    def __init__(self, plan: RunPlan, run: AgentRun | None = None) -> None:
        if plan.conditions.tools == "none":
            raise UserError("tools", "none", "agents act through tools: use actions or analysis")
        self._plan, self._run = plan, run
        self._sessions: dict[str, _Session] = {}
        self._begun = 0
        self._lock = threading.Lock()
        shown = Recorded(plan.world, plan.seed, plan.stream, 0, plan.conditions, plan.examples)
        self._acting = tools_of(shown.scene)
        for tool in self._acting.values():
            if tool.name in (START, HISTORY, LEFT, FINISH, SAY) or "session" in tool.parameters:
                raise UserError("world", plan.world.name, f"its tool {tool.name} has a taken name")

    @property
    def about(self) -> str:
        """What an agent is told of the server as a whole, before it calls anything."""
        name = self._plan.world.name
        return (
            f"Experiments on hidden systems (world {name} of Seedo). Call {START}: "
            "it gives a session and the rules. Act with the other tools, one call at a time, each "
            f"with that session. When the episode is over, {FINISH} tells the score."
        )

    @property
    def tools(self) -> tuple[ServedTool, ...]:
        """All tools, the same for every agent at any time."""
        alone = {"type": "object", "properties": {"session": _SESSION}, "required": ["session"]}
        said = {"type": "string", "description": "What you say."}
        properties = {"session": _SESSION, "text": said}
        words = {"type": "object", "properties": properties, "required": list(properties)}
        asks = self._plan.conditions.check or self._plan.conditions.structure
        return (
            ServedTool(START, _START, self._start_schema(), False),
            *(_served(tool) for tool in self._acting.values()),
            *([ServedTool(SAY, "Answer in words what you were asked.", words, False)] * asks),
            ServedTool(HISTORY, "The rules, and all that was said and done so far.", alone, True),
            ServedTool(LEFT, "How many experiments and scored actions are left.", alone, True),
            ServedTool(FINISH, "The score of an episode that is over.", alone, True),
        )

    def _start_schema(self) -> dict[str, Any]:
        number = "Number of the system, from 0; left out: the next."
        properties: dict[str, Any] = {"index": {"type": "integer", "description": number}}
        if self._run is None:
            plan = self._plan
            properties |= {
                "world": {
                    "type": "string",
                    "description": f"Left out: {plan.world.name}, as it is served.",
                },
                "settings": {
                    "type": "object",
                    "description": "Options of the world, with preset and split.",
                },
                "seed": {"type": "integer", "description": f"Left out: {plan.seed}."},
                "stream": {"type": "string", "description": f"Left out: {plan.stream}."},
            }
        return {"type": "object", "properties": properties, "required": []}

    # -- calls ------------------------------------------------------------------------------------

    def call(self, name: str, arguments: Any) -> Told:
        """What an agent is told for a call, whatever it is; null leaves an argument out."""
        needed = self._acting[name].parameters if name in self._acting else {}
        arguments = _said(arguments if isinstance(arguments, dict) else {}, needed)
        with self._lock:
            try:
                if name == START:
                    return self._start(arguments)
                return self._in_session(name, arguments)
            except UserError as error:
                return Told(str(error), {}, refused=True)

    def _in_session(self, name: str, arguments: dict[str, Any]) -> Told:
        given = arguments.get("session")
        if given is None:
            known = ", ".join(tool.name for tool in self.tools)
            remedy = f"give the one that {START} gave; the tools are {known}"
            raise UserError("session", None, remedy)
        session = self._find(given)
        rest = {key: value for key, value in arguments.items() if key != "session"}
        own: dict[str, Callable[[_Session], Told]] = {
            HISTORY: self._history,
            LEFT: self._left,
            FINISH: self._finish,
        }
        if name in own:
            _only(rest, (), name)
            return own[name](session)
        if session.scene.finished:
            return Told(_OVER, _standing(session), refused=True)
        asks = session.scene.conditions.check or session.scene.conditions.structure
        if name == SAY and asks:
            _only(rest, ("text",), SAY)
            if not isinstance(text := rest.get("text"), str):
                raise UserError("text", None, "say something")
            then = "the question" if session.scene.expects == "answer" else "the step"
            return self._told(session, lambda: session.recorded.reply(text), then)
        return self._told(session, lambda: session.recorded.call(name, rest), "the step")

    def _start(self, given: dict[str, Any]) -> Told:
        schema = self._start_schema()["properties"]
        _only(given, tuple(schema), START)
        index = check_whole("index", given["index"]) if "index" in given else None
        self._make_room()
        if self._run is not None:
            name, recorded = self._run.begin(index)
        else:
            name, recorded = secrets.token_hex(6), self._free(given, index)
        session = _Session(name, recorded.index, recorded)
        self._sessions[name] = session
        conditions = recorded.scene.conditions
        text = _conversation(recorded.scene)
        house = (
            f"Session: {name}. Give it with every call. A call that cannot be carried out changes "
            f"nothing, but it is counted, and after {conditions.attempts} in a row the step passes "
            f"with nothing done. {LEFT} and {HISTORY} cost nothing."
        )
        return Told(f"{house}\n\n{text}", _standing(session))

    def _free(self, given: dict[str, Any], index: int | None) -> Recorded:
        """An episode as an agent asked for it."""
        plan = self._plan
        world = self._world(given.get("world"), given.get("settings"))
        seed = check_whole("seed", given["seed"]) if "seed" in given else plan.seed
        stream = given.get("stream", plan.stream)
        if not isinstance(stream, str) or not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", stream):
            raise UserError("stream", str(stream)[:40], "use small letters, such as perform")
        number = self._begun if index is None else index
        recorded = Recorded(world, seed, stream, number, plan.conditions, plan.examples)
        own = tools_of(recorded.scene)
        if any(name not in self._acting or _differs(own[name], self._acting[name]) for name in own):
            remedy = (
                f"it has other tools ({', '.join(own)}): it needs a server of its own (--world)"
            )
            raise UserError("world", world.name, remedy)
        self._begun += index is None
        return recorded

    def _world(self, name: Any, settings: Any) -> Any:
        served = self._plan.world
        options = _said(settings) if isinstance(settings, dict) else settings
        if name is None and not options:
            return served
        name, options = served.name if name is None else name, options or {}
        if not isinstance(name, str) or name not in WORLDS:
            raise UserError("world", str(name)[:40], f"use one of {', '.join(WORLDS.names())}")
        kind = worlds.find(name)
        if kind.host or kind.named_by:
            raise UserError("world", name, "not to be chosen from elsewhere: serve it with --world")
        known = ("preset", "split", *kind.settings_of())
        if not isinstance(options, dict):
            raise UserError("settings", None, f"give an object with some of {', '.join(known)}")
        _only(options, known, name)
        chosen: dict[str, Any] = {"preset": None, "split": "train"}
        chosen |= {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
        try:
            made = worlds.make(name, **chosen)
            return same_world(name, made.config())
        except UserError:
            raise
        except Exception as error:  # whatever values of the wrong type lead to
            raise UserError("settings", None, in_one_line(error, 160)) from error

    def _find(self, name: Any) -> _Session:
        if isinstance(name, str):
            if name in self._sessions:
                return self._sessions[name]
            if self._run is not None and name in self._run:
                self._make_room()
                recorded = self._run.open(name)
                self._sessions[name] = _Session(name, recorded.index, recorded)
                return self._sessions[name]
        raise UserError("session", str(name)[:40], f"there is none of this name: call {START}")

    def _make_room(self) -> None:
        """Forget a session where there are too many: one that is over, or that is on the disk."""
        if len(self._sessions) < MOST_SESSIONS:
            return
        over = (n for n, s in self._sessions.items() if s.scene.finished or self._run is not None)
        if (oldest := next(over, None)) is None:
            remedy = f"{MOST_SESSIONS} episodes are in play here: go on with one of those"
            raise UserError("session", None, remedy)
        del self._sessions[oldest]

    # -- what is told -----------------------------------------------------------------------------

    def _told(self, session: _Session, tell: Callable[[], str], passes: str) -> Told:
        """Tell the scene something; what it says, and whether it refused. `passes`: what does
        after too many refusals."""
        scene = session.scene
        malformed, passed = len(scene.malformed), len(scene.passed)
        said = tell()
        if self._run is not None:
            self._run.keep(session.name, session.recorded)
        refused = len(scene.malformed) > malformed
        if refused and len(scene.passed) == passed:
            left = scene.refusals_left
            times = "call" if left == 1 else "calls"
            said += f" (After {left} more such {times} {passes} passes with nothing done.)"
        if scene.finished:
            undone = "Nothing was done, and this step is over." if refused else ""
            said = f"{said or undone}\n{_OVER}".lstrip()
        return Told(said, _standing(session), refused)

    def _history(self, session: _Session) -> Told:
        return Told(_conversation(session.scene), _standing(session))

    def _left(self, session: _Session) -> Told:
        return Told(_say_left(session.scene), _standing(session))

    def _finish(self, session: _Session) -> Told:
        scene = session.scene
        if not scene.finished:
            return Told(f"Not over yet. {_say_left(scene)}", _standing(session), refused=True)
        best, floor, own = scene.oracle_return, scene.random_return, scene.returns
        gain = best - floor
        normalised = (own - floor) / gain if gain > 1e-9 else None  # NaN compares as false
        data = {
            "return": _number(own),
            "oracle_return": _number(best),
            "random_return": _number(floor),
            "normalised_return": normalised,
        }
        told = [f"Return: {own:.4g}."]
        if normalised is not None:
            told.append(
                f"Whoever knows the system gets {best:.4g}, random play {floor:.4g}: on a scale "
                f"from random (0) to knowing (1) that is {normalised:.3f}."
            )
        told.append(
            f"Calls that could not be carried out: {len(scene.malformed)}. Steps that passed with "
            f"nothing done: {len(scene.passed)}."
        )
        return Told(" ".join(told), _standing(session) | data)


_START = (
    "Begin an episode: a system that nobody tells you about, experiments on it, then actions that "
    "are scored. Gives the session that every other tool needs, and the rules."
)


def _served(tool: Tool) -> ServedTool:
    """A tool of the world, with the session that it is called in."""
    own = arguments_schema(tool)
    schema = {
        "type": "object",
        "properties": {"session": _SESSION, **own["properties"]},
        "required": ["session", *own["required"]],
    }
    return ServedTool(tool.name, tool.description, schema, not tool.acts)


def _differs(one: Tool, other: Tool | None) -> bool:
    """Whether a tool is not the other one: it takes other arguments."""
    if other is None:
        return True
    own, others = ({k: kind for k, (kind, _) in t.parameters.items()} for t in (one, other))
    return own != others or one.acts != other.acts


def _said(given: dict[str, Any], needed: Container[str] = ()) -> dict[str, Any]:
    """What was given; null stands for left out, but for what has to be given."""
    return {key: value for key, value in given.items() if value is not None or key in needed}


def _only(given: dict[str, Any], known: tuple[str, ...], of: str) -> None:
    """Raises UserError for a key that is not known."""
    for key in given:
        if key not in known:
            has = f"{of} takes {', '.join(known)}" if known else f"{of} takes the session alone"
            raise UserError(str(key)[:40], None, has)


def _standing(session: _Session) -> dict[str, Any]:
    """Where an episode stands, as far as its player may know."""
    scene = session.scene
    return {
        "session": session.name,
        "index": session.index,
        "experiments_left": scene.left.experiments,
        "scored_actions_left": scene.left.scored,
        "refused": len(scene.malformed),
        "passed": len(scene.passed),
        "finished": scene.finished,
    }


def _conversation(scene: Scene) -> str:
    """All that was said so far, with a mark on what the player did (of examples: an expert)."""
    said = (
        f"You: {m['content']}" if m["role"] == "assistant" else m["content"]
        for m in scene.messages()
    )
    return "\n\n".join(said)


def _say_left(scene: Scene) -> str:
    left = scene.left
    if scene.finished:
        return _OVER
    many = (
        f"{number} {noun}{'' if number == 1 else 's'}"
        for number, noun in ((left.experiments, "experiment"), (left.scored, "scored action"))
        if number
    )
    asked = " First answer in words." if scene.expects in ("thought", "answer") else ""
    return f"Left: {' and '.join(many)}.{asked}"


def _number(value: float) -> float | None:
    """As JSON has it: NaN is null."""
    return None if value != value else float(value)
