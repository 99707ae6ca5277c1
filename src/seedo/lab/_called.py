"""Names, units and a story that somebody gives a system: anybody's text, checked first."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from seedo.errors import UserError

MOST_NAME, MOST_UNIT, MOST_STORY = 24, 12, 600  # characters


@dataclass(frozen=True)
class Called:
    """What people are told a system is about.

    Attributes:
        names: of its variables, in order; no two alike.
        units: of their values, each after the number; "": none.
        story: what it is about, in a few sentences; "": nothing.

    Raises:
        UserError: names the field that cannot be used.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    story: str = ""

    def __post_init__(self) -> None:
        seen: dict[str, str] = {}
        for i, name in enumerate(self.names):
            field = f"name {i + 1}"
            check_text(field, name, MOST_NAME)
            if not name.strip():
                raise UserError(field, name, "write a name")
            alike = unicodedata.normalize("NFKC", name).casefold().strip()
            if alike in seen:
                raise UserError(field, name, f"too much like '{seen[alike]}': use another name")
            seen[alike] = name
        if len(self.units) != len(self.names):
            raise UserError("units", len(self.units), f"give {len(self.names)}, '' for none")
        for i, unit in enumerate(self.units):
            check_text(f"unit {i + 1}", unit, MOST_UNIT)
        check_text("story", self.story, MOST_STORY)

    def to_json(self) -> dict[str, Any]:
        return {"names": list(self.names), "units": list(self.units), "story": self.story}

    @staticmethod
    def from_json(plain: object) -> Called:
        """Of anybody's JSON; units and story may be left out.

        Raises:
            UserError: names the field that cannot be used.
        """
        if not isinstance(plain, dict):
            raise UserError("called", str(plain)[:40], "use a JSON object")
        for field in plain:
            if field not in ("names", "units", "story"):
                raise UserError("called", str(field)[:40], "use only names, units, story")
        names = plain.get("names")
        if not isinstance(names, list):
            raise UserError("names", str(names)[:40], "use a list of names")
        units = plain.get("units", [""] * len(names))
        if not isinstance(units, list):
            raise UserError("units", str(units)[:40], "use a list of units")
        return Called(tuple(names), tuple(units), plain.get("story", ""))


def check_text(field: str, text: object, most: int) -> None:
    """Raises UserError unless it is at most so many characters that can be read: no marks that turn
    the line around, nothing unseen."""
    if not isinstance(text, str):
        raise UserError(field, str(text)[:40], "use text")
    if len(text) > most:
        raise UserError(field, f"{len(text)} characters", f"use at most {most}")
    if sign := unseen(text):
        raise UserError(field, sign, "leave out what cannot be seen, new lines too")


def unseen(text: str, but: str = " ") -> str:
    """The first character, as `U+200E`, that cannot be seen or turns the order of others round: no
    letter, mark, number, punctuation or symbol, and none of `but`; "" if there is none."""
    for sign in text:
        if sign not in but and unicodedata.category(sign)[0] not in "LMNPS":
            return f"U+{ord(sign):04X}"
    return ""
