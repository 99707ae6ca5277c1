"""Watched episodes as the conversations that a player in words would have had.

A logged episode is opened again as a scene, and every logged action is put to it as a reply. So
what a model learns from is what it will hear on stage, word for word, and what a scene would not
take as a reply cannot be taught.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from seedo import worlds
from seedo.episodes import Dataset, EpisodeBatch
from seedo.errors import UserError, is_number
from seedo.language.scenes import (
    Conditions,
    DagScene,
    Do,
    Malformed,
    Message,
    PlainScene,
    Tool,
    arguments_schema,
    call_for,
    open_scene,
    say_call,
    scene_of,
    tools_of,
)
from seedo.worlds import EXPLOIT

Part = Literal["told", "explore", "exploit"]
"""What a piece of a transcript is: told to the player, or its choice in either phase."""

_ASKED = ("check", "structure")
_SLIPS = zlib.crc32(b"slips")


class Turn(NamedTuple):
    """A message and what it is.

    Attributes:
        part: told to the player, or done by it in one of two phases.
        step: of the episode, for what the player did; else -1.
        call: what it did as a tool call, (name, arguments); None: in words.
    """

    message: Message
    part: Part
    step: int = -1
    call: tuple[str, dict[str, Any]] | None = None


class Watched(NamedTuple):
    """A logged episode in words, up to its last action."""

    episode: int
    turns: tuple[Turn, ...]

    @property
    def messages(self) -> list[Message]:
        return [turn.message for turn in self.turns]


@dataclass
class Retold:
    """The episodes of a dataset in words.

    Args:
        dataset: written by `seedo watch` or `seedo perform` on a simulated world.
        conditions: how they are put into words. With `explanations`, each action comes with the
            reason that whoever knows the system would give: within the reply, before the action,
            where replies may reason; else told in the turn after it.
        slips: share of the actions that are miswritten first and put right once refused, so that
            going on from a refusal can be learnt; the slip itself is not to be learnt.

    Attributes:
        left_out: numbers of episodes so far that have no words: a step that was to be scored passed
            with nothing done, or more was done than a reply can say.

    Raises:
        UserError: its world cannot be drawn again, or has no words; or the conditions ask for more
            than a log says.
    """

    dataset: Dataset
    conditions: Conditions
    slips: float = 0.0
    left_out: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        path, origin = str(self.dataset.path), self.dataset.origin
        if not (is_number(self.slips) and 0 <= self.slips <= 1):
            raise UserError("slips", self.slips, "a share of the actions, from 0 to 1")
        if self.slips and self.conditions.tools != "none":
            raise UserError("slips", self.slips, "not with actions as tool calls: leave it out")
        if self.slips and self.conditions.attempts < 2:
            remedy = "with one attempt nothing can be put right: use attempts=2 or more"
            raise UserError("slips", self.slips, remedy)
        for name in _ASKED:
            if getattr(self.conditions, name):
                remedy = "a log holds actions, not thoughts or answers: leave it out"
                raise UserError(name, getattr(self.conditions, name), remedy)
        if self.conditions.reasoning and not self.conditions.explanations:
            remedy = "a log holds no thoughts: leave it out, or add explanations=true"
            raise UserError("reasoning", True, remedy)
        if self.conditions.reasoning and self.conditions.tools != "none":
            raise UserError("reasoning", True, "not with actions as tool calls: leave it out")
        if self.conditions.examples:
            raise UserError("examples", self.conditions.examples, "watched episodes have none")
        stream = self.dataset.job.get("stream")
        if not isinstance(stream, str):
            remedy = "not played by Seedo, so that its systems cannot be drawn again to tell of"
            raise UserError(path, origin.world, remedy)
        self.stream = stream
        self.world = worlds.from_config(origin.world, json.loads(origin.world_config))
        if self.world.host:
            remedy = "its episodes are measured, not simulated: they are not played again"
            raise UserError(path, origin.world, remedy)
        scene = scene_of(self.world)
        if self.conditions.explanations and not issubclass(scene, DagScene):
            remedy = f"world {origin.world} gives no reasons: leave it out"
            raise UserError("explanations", True, remedy)
        if not issubclass(scene, PlainScene):
            remedy = "its logs hold single steps, not what was said: use world dag or blicket"
            raise UserError(path, origin.world, remedy)

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools that act, as JSON schemas of functions."""
        scene = open_scene(self.world, 0, self.stream, 0, self.conditions)
        return [_schema(tool) for tool in tools_of(scene).values() if tool.acts]

    def episodes(self, limit: int | None = None) -> Iterator[Watched]:
        """The first `limit` episodes, or all, in order, without those `left_out`."""
        for shard in range(len(self.dataset.shards)):
            batch = self.shard(shard)
            rows = batch.rows if limit is None else min(limit, batch.rows)
            yield from self.told(batch.take(slice(0, rows)))
            if limit is not None and (limit := limit - rows) <= 0:
                return

    def shard(self, index: int) -> EpisodeBatch:
        """A shard without what is not told."""
        unused = [name for name in ("system", "action_logits") if name in self.dataset.optional]
        return self.dataset.read_shard(index, without=unused)

    def told(self, batch: EpisodeBatch) -> Iterator[Watched]:
        """Episodes of a batch of this dataset in words, without those `left_out`.

        Raises:
            UserError: an episode that is played again takes another course than the logged one.
        """
        for row in range(batch.rows):
            one = self._told(batch, row)
            if one is None:
                self.left_out.append(int(batch.episode_id[row]))
            else:
                yield one

    def _told(self, batch: EpisodeBatch, row: int) -> Watched | None:
        episode = int(batch.episode_id[row])
        scene = open_scene(self.world, batch.origin.seed, self.stream, episode, self.conditions)
        turns = [Turn(message, "told") for message in scene.messages()]
        slips = np.random.default_rng([_SLIPS, batch.origin.seed, episode])
        while not scene.finished:
            step = scene.step
            target, value = int(batch.target[row, step]), float(batch.value[row, step])
            action = Do(target, value if target >= 0 else 0.0)
            call = call_for(scene, action) if scene.conditions.tools != "none" else None
            part: Part = "exploit" if batch.phase[row, step] == EXPLOIT else "explore"
            said = scene.write(action) if call is None else say_call(*call)
            if call is None and scene.conditions.tools != "none":
                return None
            why = scene.reason(action) if scene.conditions.explanations else ""
            if why and scene.conditions.reasoning:
                said, why = f"{why}\n{said}", ""
            if self.slips and slips.random() < self.slips:
                turns.extend(_slipped(scene, said, action, slips))
            refused = scene.reply(said) if call is None else scene.take_call(said, action)
            if isinstance(refused, Malformed):
                return None
            turns.append(Turn({"role": "assistant", "content": said}, part, step, call))
            if not scene.finished:
                turns.append(Turn(_after(why, scene.messages()[-1]), "told"))
        if not _same(batch.setting[row], scene, batch, "setting"):
            return None
        if not _same(batch.outcome[row], scene, batch, "outcome"):
            remedy = "took another course when played again: its log is of another version of Seedo"
            raise UserError(str(self.dataset.path), f"episode {episode}", remedy)
        return Watched(episode, tuple(turns))


def _slipped(scene: PlainScene, said: str, action: Do, rng: np.random.Generator) -> Iterator[Turn]:
    """A miswritten reply and what is said to it; nothing, where there is none that is refused."""
    wrong = scene.slip(said, action, rng)
    if wrong is not None:
        scene.reply(wrong)
        for message in scene.messages()[-2:]:
            yield Turn(message, "told")


def _after(why: str, told: Message) -> Message:
    """What is told next, after the reason for what was done."""
    return {"role": told["role"], "content": f"Why: {why}\n{told['content']}"} if why else told


def _same(logged: np.ndarray, scene: Any, batch: EpisodeBatch, column: str) -> bool:
    """Whether a finished scene's log has the same in a column."""
    again = getattr(type(scene).log(batch.origin, [scene]), column)[0]
    return bool(np.allclose(again, logged, rtol=1e-4, atol=1e-4, equal_nan=True))


def _schema(tool: Tool) -> dict[str, Any]:
    """A tool as chat templates and interfaces know it."""
    parameters = arguments_schema(tool)
    about = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": about}
