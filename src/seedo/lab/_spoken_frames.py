"""Players in words: the text understudy and language models, on any scenario.

What a language model replied is kept in the lab's folder, reply by reply, so that nothing is asked,
or paid for, twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from seedo import language
from seedo.episodes import write_atomic
from seedo.errors import UserError
from seedo.experimenters import is_spoken, is_trained, parse_name
from seedo.lab._scenario import Scenario, encode
from seedo.lab._worlds import shown_as
from seedo.language import (
    Calls,
    Message,
    Speaker,
    load_speaker,
)

_CALLS = Calls(retries=2)


def spoken_frames(
    scenario: Scenario, name: str, folder: Path, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """The frames of a player in words, as JSON.

    Args:
        scenario: what it plays.
        name: `llm:MODEL`, or a text understudy's folder or shipped name.
        folder: where replies of language models are kept.
        progress: called with (steps done, steps in all).

    Raises:
        UserError: it cannot play here, does not answer, or a package is missing.
    """
    model = parse_name(name).rest if is_spoken(name) else None
    shown_in = shown_as(scenario.world)
    # A text understudy has never read other words than these.
    scene = shown_in.scene(scenario, "nonsense" if model is None else scenario.names)
    speaker = _text(name) if model is None else _Model(model, scenario.seed)
    kept = _Replies(folder, scenario, name) if model is not None else None
    said = iter(kept.texts if kept else ())
    steps = scene.world.spec.steps
    while not scene.finished:
        progress(scene.step, steps)
        text = next(said, None)
        if text is None:
            text = language.asked(speaker, [scene])[0]
            if kept:
                kept.add(text)
        scene.reply(text)
    progress(steps, steps)
    shown = shown_in.tell(scenario, scene)
    for step, reply in scene.replies:
        frame = shown["frames"][min(step + 1, len(shown["frames"]) - 1)]
        frame.setdefault("replies", []).append(reply[:2000])
    return shown | {"malformed": len(scene.malformed)}


def speaks(name: str) -> bool:
    """Whether this player plays in words: a language model, or an agent that was taught words."""
    return is_spoken(name) or (is_trained(name) and language.speaks(name))


@lru_cache(maxsize=8)
def _text(name: str) -> Speaker:
    try:
        return load_speaker(name)
    except ImportError as error:
        raise UserError("agent", name, 'install its reader: pip install "seedo[text]"') \
            from error  # fmt: skip


class _Model:
    """A language model as Inspect names it."""

    def __init__(self, model: str, seed: int) -> None:
        try:
            from seedo.language.runs.inspect import open_model
        except ImportError as error:
            remedy = 'install it: pip install "seedo[inspect]"'
            raise UserError("inspect-ai", None, remedy) from error
        self.name, self._seed, self._open = model, seed, open_model

    def replies(self, conversations: Sequence[Sequence[Message]]) -> list[str]:
        """Raises UserError if it does not answer."""
        import anyio
        from inspect_ai.model import (
            ChatMessage,
            ChatMessageAssistant,
            ChatMessageSystem,
            ChatMessageUser,
        )

        kinds = {
            "system": ChatMessageSystem,
            "user": ChatMessageUser,
            "assistant": ChatMessageAssistant,
        }

        async def ask() -> list[str]:
            # Its connections belong to one event loop.
            async with self._open(self.name, _CALLS, self._seed) as model:
                texts = []
                for said in conversations:
                    messages: list[ChatMessage] = [
                        kinds[m["role"]](content=m["content"]) for m in said
                    ]
                    texts.append((await model.generate(messages)).completion)
                return texts

        try:
            return anyio.run(ask)
        except UserError:
            raise
        except Exception as error:  # whatever a provider raises: it was named by the user
            why = str(error).strip().splitlines() or [type(error).__name__]
            raise UserError("model", self.name, f"does not answer: {why[0][:200]}") from error


class _Replies:
    """What a model has said in a scenario, on disk."""

    def __init__(self, folder: Path, scenario: Scenario, name: str) -> None:
        self._who = {"scenario": encode(scenario), "player": name}
        key = hashlib.sha256(json.dumps(self._who, sort_keys=True).encode()).hexdigest()
        self._path = folder / f"{key[:32]}.json"
        self.texts: list[str] = []
        try:
            kept = json.loads(self._path.read_text())
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise UserError(str(self._path), None, "cannot be read: delete this file") from error
        self.texts = [str(text) for text in kept["replies"]]

    def add(self, text: str) -> None:
        self.texts.append(text)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, json.dumps(self._who | {"replies": self.texts}).encode())
        except OSError as error:
            raise UserError(str(self._path), None, f"cannot be written: {error}") from error
