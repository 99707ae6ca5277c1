"""The languages of a study: which there are, and its sentences in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from seedo.errors import UserError
from seedo.lab.study._fields import plain_text, table, tables, text
from seedo.lab.study._words import TAG, english, holes, known

_MOST_LANGUAGES = 40
_NAMED = 8  # missing sentences that are named


@dataclass(frozen=True)
class Languages:
    """Tables `[language]` and `[[text]]`.

    Attributes:
        default: the one that the study's file is written in.
        offered: those that a link may ask for by `?lang=`, the default among them.
        texts: by language and key, the study's own sentences and the lab's, see `words/en.toml`.
    """

    default: str = "en"
    offered: tuple[str, ...] = ("en",)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def words(self, language: str) -> dict[str, str]:
        """The lab's sentences in a language, English where it has no other."""
        given = self.texts.get(language, {})
        own = {key: said for key, said in given.items() if key in english()}
        return {**english(), **known(language), **own}

    def check(self, languages: Iterable[str], own: Mapping[str, str], free: Iterable[str]) -> None:
        """Raises UserError unless everything can be said in these languages.

        Args:
            own: the study's own sentences by key, in the default language.
            free: keys of those that may be left as they are.
        """
        used = tuple(languages)
        for language, given in self.texts.items():
            if language not in used:
                remedy = f"the study is in {', '.join(used)}: name it in [language] offered"
                raise UserError("text.language", language, remedy)
            self._check_keys(language, given, own)
        for language in used:
            self._check_whole(language, own, set(free))

    def _check_keys(self, language: str, given: Mapping[str, str], own: Mapping[str, str]) -> None:
        for key, said in given.items():
            if key in own:
                if language == self.default:
                    remedy = "in this language it stands in the study itself: leave it out"
                    raise UserError(f"text {language}", key, remedy)
            elif key not in english():
                remedy = "no sentence has this key: seedo lab texts lists all"
                raise UserError(f"text {language}: unknown key", key[:60], remedy)
            elif holes(said) != holes(english()[key]):
                wanted = " ".join(f"{{{hole}}}" for hole in sorted(holes(english()[key])))
                remedy = f"fill in {wanted}" if wanted else "nothing can be filled in here"
                raise UserError(f"text {language}: {key}", said[:60], remedy)

    def _check_whole(self, language: str, own: Mapping[str, str], free: set[str]) -> None:
        missing = [key for key in self.lacking(language, own) if key not in free]
        if missing:
            more = len(missing) - _NAMED
            said = ", ".join(missing[:_NAMED]) + (f" and {more} more" if more > 0 else "")
            remedy = f'write them in a [[text]] with language = "{language}"'
            remedy += f"; seedo lab texts FILE --language {language} prints all"
            raise UserError(f"text {language}: missing", said, remedy)

    def lacking(self, language: str, own: Mapping[str, str]) -> dict[str, str]:
        """The sentences that a language has not yet, as they are, by key; `own`: the study's."""
        there = {*self.texts.get(language, {}), *known(language)}
        wanted = english() if language == self.default else {**own, **english()}
        return {key: said for key, said in wanted.items() if key not in there}

    def to_json(self) -> dict[str, Any]:
        """Of tables `language` and `text`, what `read_languages` reads; {} where there are none."""
        if self == ENGLISH:
            return {}
        texts = [{"language": name, **given} for name, given in self.texts.items()]
        plain = {"language": {"default": self.default, "offered": list(self.offered)}}
        return plain | ({"text": texts} if texts else {})


ENGLISH = Languages()


def template(spoken: Languages, language: str, own: Mapping[str, str]) -> str:
    """A table `[[text]]` with every sentence that a language has not yet, as it is, to translate;
    "": it lacks none.

    Args:
        own: the study's own sentences by key.
    """
    lines = [
        f"{key} = {json.dumps(said, ensure_ascii=False)}"
        for key, said in spoken.lacking(language, own).items()
    ]
    head = ["[[text]]", f'language = "{language}"']
    return "\n".join([*head, *lines, ""]) if lines else ""


def read_languages(language: object, texts: object) -> Languages:
    """Tables `[language]` and `[[text]]` of a study's file.

    Raises:
        UserError: names the key that cannot be used.
    """
    fields = table("language", language, ("default", "offered"))
    default = tag("language.default", fields.get("default", "en"))
    offered = fields.get("offered", [default])
    if not isinstance(offered, list) or len(offered) > _MOST_LANGUAGES:
        remedy = f'list at most {_MOST_LANGUAGES}, like ["en", "de"]'
        raise UserError("language.offered", str(offered)[:40], remedy)
    names = dict.fromkeys([default, *(tag("language.offered", each) for each in offered)])
    found: dict[str, dict[str, str]] = {}
    for each in tables("text", texts):
        name, given = _text(each)
        if name in found:
            raise UserError("text.language", name, "write one [[text]] for a language")
        found[name] = given
    return Languages(default, tuple(names), found)


def tag(what: str, value: object) -> str:
    """What a language is called.

    Raises:
        UserError: none is called so.
    """
    if not isinstance(value, str) or not TAG.fullmatch(value):
        raise UserError(what, str(value)[:40], "name languages like en, de or pt-BR")
    return value


def _text(value: object) -> tuple[str, dict[str, str]]:
    if not isinstance(value, Mapping):
        raise UserError("text", str(value)[:40], "write it as a table: [[text]]")
    given = dict(value)
    name = tag("text.language", given.pop("language", None))
    for key, said in given.items():
        text(f"text {name}: {key[:60]}", said)
        plain_text(f"text {name}: {key[:60]}", said, lines=True)
    return name, given
