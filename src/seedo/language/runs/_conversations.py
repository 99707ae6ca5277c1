"""`conversations.jsonl`: what was said in a run, beside the log of what was done."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from seedo.episodes import write_atomic
from seedo.errors import UserError
from seedo.language.scenes import Scene

CONVERSATIONS = "conversations.jsonl"
"""File of a run that holds what was said, one conversation a line."""


def line(
    scene: Scene,
    episode: int,
    *,
    tokens_in: int | None = None,
    tokens_out: int | None = None,
    cost: float | None = None,
    retries: int = 0,
    seconds: float | None = None,
) -> dict[str, Any]:
    """A finished scene as one line of the file; `heard` has the fields of `scenes.Heard`, `answers`
    those to questions by name, null where no valid one was given.

    Args:
        scene: the episode. episode: its number.
        tokens_in, tokens_out: of the whole conversation. cost: in US dollars. retries: of calls.
        seconds: that the episode took. None: unknown.
    """
    return {
        "episode": episode,
        "messages": scene.messages(),
        "malformed": [list(entry) for entry in scene.malformed],
        "heard": [list(entry) for entry in scene.heard],
        "passed": list(scene.passed),
        "answers": scene.stated,
        "thoughts": len(scene.thoughts),
        "replies": len(scene.replies),
        "tokens_in": tokens_in,
        "tokens_out": tokens_out,
        "cost": cost,
        "retries": retries,
        "seconds": seconds,
    }


class Conversations:
    """The conversations of a run folder, kept whole and in order of the episodes' numbers.

    Raises:
        UserError: the file is there and is not what this class writes.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / CONVERSATIONS
        self._lines: dict[int, bytes] = {}
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise UserError(str(self._path), None, f"cannot be read: {error.strerror}") from error
        for number, text in enumerate(data.splitlines(), 1):
            try:
                self._lines[json.loads(text)["episode"]] = text
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                remedy = "not a conversation: restore the file, or choose another --out"
                raise UserError(f"{self._path} line {number}", None, remedy) from error

    def check(self, episodes: Iterable[int]) -> None:
        """Raises UserError if the conversation of one of these episodes is missing."""
        for episode in episodes:
            if episode not in self._lines:
                remedy = f"lacks episode {episode}: restore the file, or choose another --out"
                raise UserError(str(self._path), None, remedy)

    def write(self, lines: Iterable[dict[str, Any]]) -> None:
        """Add lines, or put them in the place of older ones; the file is whole at any moment."""
        for fields in lines:
            text = json.dumps(fields, allow_nan=False, separators=(",", ":"))
            self._lines[fields["episode"]] = text.encode()
        ordered = (self._lines[episode] + b"\n" for episode in sorted(self._lines))
        write_atomic(self._path, b"".join(ordered))
