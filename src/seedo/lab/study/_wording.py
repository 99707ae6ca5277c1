"""What a study calls things: names and units of variables, pictures, a cover story."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seedo.errors import UserError
from seedo.lab.study._fields import distinct, plain_text, table, tables, text
from seedo.lab.study._images import image_name
from seedo.lab.study._questions import SLUG

MOST_NAME, MOST_UNIT, MOST_ALT = 30, 12, 300  # characters
_MOST_WORDINGS = 64
_MOST_VARIABLES = 30
_FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True)
class Variable:
    """What a variable is called; `unit` and `image` (a file) may be ""."""

    name: str
    unit: str = ""
    image: str = ""

    @property
    def label(self) -> str:
        """Name and unit, as a table's heading has them."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def to_json(self) -> dict[str, str]:
        plain = {"name": self.name, "unit": self.unit, "image": self.image}
        return {key: value for key, value in plain.items() if value}


@dataclass(frozen=True)
class Wording:
    """A table `[[wording]]`.

    Attributes:
        id: by which factor `wording` names it.
        story: follows the instructions; "": none.
        image, alt: a file, shown with the story, and what can be seen there; "": none.
        variables: in the world's order; (): called as factor `names` says.
    """

    id: str
    story: str = ""
    image: str = ""
    alt: str = ""
    variables: tuple[Variable, ...] = ()

    @property
    def files(self) -> list[tuple[str, str]]:
        """The images' files, each with the field that names it."""
        named = [(f"wording {self.id}: image", self.image)]
        named += [(f"wording {self.id}: image of {v.name}", v.image) for v in self.variables]
        return [(field, file) for field, file in named if file]

    def texts(self) -> dict[str, str]:
        """Its sentences and names, by the keys of `[[text]]`."""
        said = {f"wording-{self.id}_story": self.story, f"wording-{self.id}_alt": self.alt}
        for number, variable in enumerate(self.variables, 1):
            said[f"wording-{self.id}_{number}"] = variable.name
            said[f"wording-{self.id}_{number}_unit"] = variable.unit
        return {key: each for key, each in said.items() if each}

    def told(self, texts: Mapping[str, str]) -> Wording:
        """The same in these words, by the keys of `texts`; as it is where they have none.

        Raises:
            UserError: names that people could not tell apart, or that cannot be shown.
        """
        if not texts:
            return self

        def said(key: str, usual: str) -> str:
            return texts.get(f"wording-{self.id}_{key}", usual) if usual else ""

        variables = tuple(
            replace(v, name=said(str(number), v.name), unit=said(f"{number}_unit", v.unit))
            for number, v in enumerate(self.variables, 1)
        )
        for number, variable in enumerate(variables, 1):
            key = f"wording-{self.id}_{number}"
            check_label(key, variable.name, MOST_NAME)
            if variable.unit:
                check_label(f"{key}_unit", variable.unit, MOST_UNIT)
        check_names(f"wording {self.id}", variables)
        return replace(
            self, story=said("story", self.story), alt=said("alt", self.alt), variables=variables
        )

    def to_json(self) -> dict[str, Any]:
        """What `read_wordings` reads."""
        plain: dict[str, Any] = {
            "id": self.id, "story": self.story, "image": self.image, "alt": self.alt,
            "variable": [variable.to_json() for variable in self.variables],
        }  # fmt: skip
        return {key: value for key, value in plain.items() if value}


def read_wordings(value: object) -> tuple[Wording, ...]:
    """The tables `[[wording]]` of a study's file; images are not looked at.

    Raises:
        UserError: names the key that cannot be used.
    """
    found = tuple(_wording(each) for each in tables("wording", value))
    ids = [wording.id for wording in found]
    distinct("wording.id", ids, "give every wording an id of its own")
    if len(found) > _MOST_WORDINGS:
        raise UserError("wording", f"{len(found)} wordings", f"use at most {_MOST_WORDINGS}")
    return found


def _wording(value: object) -> Wording:
    fields = table("wording", value, ("id", "story", "image", "alt", "variable"))
    name = fields.get("id")
    if not isinstance(name, str) or not SLUG.fullmatch(name):
        remedy = "use 1 to 40 lower-case letters, digits and hyphens"
        raise UserError("wording.id", None if name is None else str(name)[:40], remedy)
    where = f"wording {name}"
    story, alt = fields.get("story", ""), fields.get("alt", "")
    if story != "":
        text(f"{where}: story", story)
        plain_text(f"{where}: story", story, lines=True)
    image = image_name(f"{where}: image", fields["image"]) if fields.get("image") else ""
    if image:
        text(f"{where}: alt", alt, MOST_ALT)
        plain_text(f"{where}: alt", alt)
    elif alt:
        raise UserError(f"{where}: alt", str(alt)[:40], "it is about an image: name that too")
    variables = tuple(
        _variable(f"{where}: variable {number}", each)
        for number, each in enumerate(tables(f"{where}: variable", fields.get("variable", [])), 1)
    )
    check_names(where, variables)
    return Wording(name, story, image, alt, variables)


def check_names(where: str, variables: Sequence[Variable]) -> None:
    """Raises UserError unless people can tell variables apart by their names."""
    if len(variables) > _MOST_VARIABLES:
        remedy = f"name at most {_MOST_VARIABLES}"
        raise UserError(f"{where}: variable", f"{len(variables)} variables", remedy)
    seen: dict[str, str] = {}
    for variable in variables:
        for shown in {variable.name, variable.label}:
            if (alike := _alike(shown)) in seen:
                remedy = f"looks like {seen[alike]!r}: give every variable a name of its own"
                raise UserError(f"{where}: name", shown, remedy)
        for shown in (variable.name, variable.label):
            seen[_alike(shown)] = shown


def _alike(name: str) -> str:
    """The same for names that look alike."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _variable(where: str, value: object) -> Variable:
    fields = table(where, value, ("name", "unit", "image"))
    name, unit = fields.get("name"), fields.get("unit", "")
    check_label(f"{where}: name", name, MOST_NAME)
    if unit != "":
        check_label(f"{where}: unit", unit, MOST_UNIT)
    image = image_name(f"{where}: image", fields["image"]) if fields.get("image") else ""
    return Variable(str(name), unit, image)


def check_label(field: str, value: object, most: int) -> None:
    """Raises UserError unless the value can stand beside numbers, on pages and in tables."""
    text(field, value, most)
    plain_text(field, value)
    assert isinstance(value, str)
    if value != value.strip():
        raise UserError(field, value, "leave out the space at its ends")
    if value.startswith(_FORMULA):
        remedy = "a spreadsheet would take it for a formula: begin with something else"
        raise UserError(field, value, remedy)
    if "<" in value or ">" in value:
        raise UserError(field, value, "names are plain text: leave out < and >")
