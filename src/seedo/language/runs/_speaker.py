"""Whoever answers messages, and conversations with many scenes at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from seedo.errors import UserError
from seedo.language.scenes import Message, Scene


class Speaker(Protocol):
    """A language model in this process; answers many conversations in one call."""

    @property
    def name(self) -> str: ...

    def replies(self, conversations: Sequence[Sequence[Message]]) -> list[str]:
        """The next assistant message of each conversation."""
        ...


@runtime_checkable
class Redrawing(Protocol):
    """A speaker whose replies are the likeliest, and who would say again what was refused."""

    def replies_after(
        self,
        conversations: Sequence[Sequence[Message]],
        refused: Sequence[int],
        tools: Sequence[Sequence[Mapping[str, Any]]] | None = None,
    ) -> list[str]:
        """As `Speaker.replies`; one that would be what was just refused is drawn instead.

        Args:
            conversations: what was said.
            refused: malformed replies in a row at the end of each.
            tools: what each may call, as JSON schemas.
        """
        ...


class MeteredSpeaker(Speaker, Protocol):
    """A speaker that counts its tokens.

    Attributes:
        spent: tokens read and written for each conversation of the last call.
    """

    spent: list[tuple[int, int]]


def check_meter(speaker: Speaker, meter: MeteredSpeaker | None) -> None:
    """Raises UserError where the tokens that are counted would be somebody else's."""
    if meter is not None and meter is not speaker:
        remedy = f"counts what {speaker.name} does not say: hand over the speaker itself, or none"
        raise UserError("meter", meter.name, remedy)


def asked(speaker: Speaker, scenes: Sequence[Scene]) -> list[str]:
    """What a speaker says next in each scene."""
    said = [scene.messages() for scene in scenes]
    if isinstance(speaker, Redrawing):
        return speaker.replies_after(said, [scene.refused for scene in scenes])
    return speaker.replies(said)


def converse(
    scenes: Sequence[Scene],
    speaker: Speaker,
    progress: Callable[[int], None] | None = None,
    meter: MeteredSpeaker | None = None,
) -> list[tuple[int, int]]:
    """Play scenes to their end; `progress` gets how many have ended, `meter` is the speaker if it
    counts its tokens.

    Returns:
        Tokens read and written in each, replies summed; zeros without a meter.

    Raises:
        UserError: the meter is another than the speaker.
    """
    check_meter(speaker, meter)
    spent = {id(scene): (0, 0) for scene in scenes}
    while playing := [scene for scene in scenes if not scene.finished]:
        if progress:
            progress(len(scenes) - len(playing))
        for scene, text in zip(playing, asked(speaker, playing), strict=True):
            scene.reply(text)
        if meter is not None:
            for scene, (read, written) in zip(playing, meter.spent, strict=True):
                before = spent[id(scene)]
                spent[id(scene)] = before[0] + read, before[1] + written
    if progress:
        progress(len(scenes))
    return [spent[id(scene)] for scene in scenes]
