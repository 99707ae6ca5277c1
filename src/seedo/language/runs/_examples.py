"""Few-shot examples: whole episodes of one of our players, shown before a player's own.

They come from a stream of their own, so nobody is evaluated on what was shown; which ones to show
is chosen on a third stream (Perez, Kiela & Cho 2021: choosing on the test set flatters).
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seedo.errors import UserError
from seedo.language.runs._speaker import Speaker, converse
from seedo.language.scenes import (
    Conditions,
    Message,
    Scene,
    call_for,
    open_scene,
    say_call,
)
from seedo.play import find_player


@dataclass(frozen=True)
class Examples:
    """Which episodes are shown.

    Attributes:
        indices: of stream `examples`.
        player: who plays them.
        seed: of the stream.
    """

    indices: tuple[int, ...]
    player: str = "scripted:expert"
    seed: int = 0

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"indices": list(self.indices)}

    @staticmethod
    def from_dict(fields: dict[str, Any]) -> Examples:
        return Examples(tuple(fields["indices"]), fields["player"], fields["seed"])


def first_examples(conditions: Conditions, seed: int, player: str = "scripted:expert") -> Examples:
    """The first `conditions.examples` episodes."""
    return Examples(tuple(range(conditions.examples)), player, seed)


def example_messages(world: Any, conditions: Conditions, examples: Examples) -> tuple[Message, ...]:
    """The examples as messages that alternate between user and assistant.

    With `conditions.explanations`, every action comes with a reason: before it where replies may
    reason, else in the turn after it, so that no example shows a reply of more than one line. Where
    actions are tool calls, each example is one transcript, because calls written as replies would
    teach the wrong form.

    Only world `dag` has reasons; `rooms` says its own, if asked for explanations.

    Raises:
        UserError: the player does not play this world.
    """
    return _messages(world, conditions, examples)


@functools.lru_cache(maxsize=64)
def _messages(world: Any, conditions: Conditions, examples: Examples) -> tuple[Message, ...]:
    player = find_player(examples.player, world, seed=examples.seed)
    # Neither theory nor questions: an example shows actions.
    plain = dataclasses.replace(conditions, examples=0, check=False, structure=False)
    found: list[Message] = []
    for index in examples.indices:
        scene = open_scene(world, examples.seed, "examples", index, plain)
        found += _transcript(scene, player) if plain.tools != "none" else _turns(scene, player)
    return tuple(found)


def _played(scene: Scene, player: Any) -> list[tuple[str, str, str]]:
    """What was said to the player, the reason for what it did, and what it did; step by step."""
    chooses, played = scene.actor(player), []
    while not scene.finished:
        said = scene.messages()[-1]["content"]
        action = chooses()
        why = scene.reason(action) if scene.conditions.explanations else ""
        line = scene.write(action)
        if scene.conditions.tools != "none" and (call := call_for(scene, action)) is not None:
            line = say_call(*call)
        played.append((said, why, line))
        scene.take_call(line, action)
    return played


def _turns(scene: Scene, player: Any) -> list[Message]:
    found: list[Message] = []
    before = ""
    for said, why, line in _played(scene, player):
        heard = f"{before}{said}"
        if scene.conditions.reasoning and why:
            line = f"{why}\n{line}"
        elif why:
            before = f"Why: {why}\n"
        found += [{"role": "user", "content": heard}, {"role": "assistant", "content": line}]
    if before:
        found += [
            {"role": "user", "content": f"{before}That episode is over."},
            {"role": "assistant", "content": "I see."},
        ]
    return found


def _transcript(scene: Scene, player: Any) -> list[Message]:
    lines = ["An example of another episode, played well:"]
    for said, why, line in _played(scene, player):
        lines += [said, *([f"Why: {why}"] if why else []), f"Call: {line}"]
    return [
        {"role": "user", "content": "\n".join(lines)},
        {"role": "assistant", "content": "I see."},
    ]


@dataclass(frozen=True)
class ExampleChoice:
    """Which set of examples served a model best.

    Attributes:
        best: the chosen set.
        candidates: all that were tried.
        returns: mean return of each on the validation episodes.
        random_return: the floor on these episodes.
    """

    best: Examples
    candidates: tuple[Examples, ...]
    returns: tuple[float, ...]
    random_return: float


def draw_candidates(
    conditions: Conditions, seed: int, sets: int = 8, player: str = "scripted:expert"
) -> tuple[Examples, ...]:
    """Sets of `conditions.examples` episodes that do not overlap, in order."""
    size = conditions.examples
    if size < 1:
        raise UserError("examples", size, "choosing examples needs at least 1")
    return tuple(
        Examples(tuple(range(i * size, (i + 1) * size)), player, seed) for i in range(sets)
    )


def choose_examples(
    world: Any,
    conditions: Conditions,
    speaker: Speaker,
    candidates: Sequence[Examples],
    seed: int,
    episodes: int = 16,
) -> ExampleChoice:
    """The candidate with the highest mean return on the first episodes of stream `validation`.

    All candidates meet the same episodes; of equals the first wins.

    Raises:
        UserError: no candidates or no episodes.
    """
    if not candidates:
        raise UserError("candidates", 0, "give at least one set of examples")
    if episodes < 1:
        raise UserError("episodes", episodes, "use a whole number above 0")
    returns, floor = [], 0.0
    for examples in candidates:
        opening = example_messages(world, conditions, examples)
        scenes = [
            open_scene(world, seed, "validation", i, conditions, opening) for i in range(episodes)
        ]
        converse(scenes, speaker)
        returns.append(float(np.mean([scene.returns for scene in scenes])))
        floor = float(np.mean([scene.random_return for scene in scenes]))
    return ExampleChoice(
        candidates[int(np.argmax(returns))], tuple(candidates), tuple(returns), floor
    )
