"""The lab's own sentences for participants, in the languages it knows."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from starlette.exceptions import HTTPException

_FOLDER = Path(__file__).with_name("words")
_HOLES = re.compile(r"\{([^{}]*)\}")
TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
"""What a language is called: `de`, `pt-BR`."""


@functools.cache
def english() -> Mapping[str, str]:
    """All sentences by key."""
    return tomllib.loads((_FOLDER / "en.toml").read_text("utf-8"))


@functools.cache
def shipped() -> tuple[str, ...]:
    """The languages that the lab has all sentences in."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@functools.cache
def known(language: str) -> Mapping[str, str]:
    """The sentences that the lab has in a language, or in the one it is a kind of; {}: none."""
    for name in (language, language.partition("-")[0]):
        if name in shipped():
            return tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8"))
    return {}


def holes(sentence: str) -> set[str]:
    """What is to be filled in."""
    return set(_HOLES.findall(sentence))


class Said(HTTPException):
    """A refusal that the participant's page says in their language.

    Attributes:
        field: the sentence's key.
    """

    def __init__(self, status: int, field: str) -> None:
        super().__init__(status, english()[field])
        self.field = field
