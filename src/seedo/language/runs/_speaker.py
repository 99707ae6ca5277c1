"""Whoever answers messages, and conversations with many scenes at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from seedo.language.scenes import Message, Scene


class Speaker(Protocol):
    """A language model in this process; answers many conversations in one call."""

    @property
    def name(self) -> str: ...

    def replies(self, conversations: Sequence[Sequence[Message]]) -> list[str]:
        """The next assistant message of each conversation."""
        ...


def converse(
    scenes: Sequence[Scene], speaker: Speaker, progress: Callable[[int], None] | None = None
) -> None:
    """Play scenes to their end; `progress` gets how many have ended."""
    while playing := [scene for scene in scenes if not scene.finished]:
        if progress:
            progress(len(scenes) - len(playing))
        texts = speaker.replies([scene.messages() for scene in playing])
        for scene, text in zip(playing, texts, strict=True):
            scene.reply(text)
    if progress:
        progress(len(scenes))
