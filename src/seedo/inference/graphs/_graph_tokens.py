"""Cutting lines of a graph in words into names, arrows and marks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from seedo.inference.graphs._drawing import LATENT, Drawing

_ARROWS = {"<->": r"<-+>|↔|⟷", "->": r"-+>|=+>|→|⟶", "<-": r"<-+|←|⟵"}
_NO_DIRECTION = r"(?<=\s)(?:--+|o-[->o]|<-o|@-[->@]|<-@)(?=\s)"
_ARROW = re.compile("|".join([*_ARROWS.values(), _NO_DIRECTION]))
_SEPARATOR = re.compile("|".join(["[,;]", *_ARROWS.values()]))
_CLOSING_QUOTE = {'"': '"', "`": "`", "“": "”", "'": "'"}
_ATTRIBUTES = re.compile(r"\[(?:\"[^\"]*\"|'[^']*'|[^\]\"'])*\]")
_LATENT = re.compile(rf"\[\s*(?:{'|'.join(sorted(LATENT))})\s*\]", re.IGNORECASE)
_SETTING = re.compile(r"\w+\s*=(?![>~])\s*(\"[^\"]*\"|[^\s;]+)")


class Token(NamedTuple):
    """A name as spelt in the file (`name`) or beyond doubt (`quoted`: in quotes, or a variable of
    the table), an arrow in one of the forms ``->``, ``<-``, ``<->`` or as it is, one of the marks
    ``,;{}~+*:``, or what stands between brackets."""

    kind: Literal["name", "quoted", "arrow", "mark", "attributes"]
    text: str


class Scanner:
    """Reads tokens off lines.

    A name is quoted, or a variable of the table as it is spelt (the longest that fits, whatever
    characters it holds), or a run of characters up to the next arrow or mark, and up to the next
    space unless `spaced`. ``#`` begins a comment where a word could begin.

    Args:
        drawing: for messages.
        variables: of the table.
        spaced: whether names may hold spaces; in braces they may not.
    """

    def __init__(self, drawing: Drawing, variables: Sequence[str], spaced: bool) -> None:
        self.drawing, self.spaced = drawing, spaced
        stripped = {name.strip() for name in variables} - {""}
        self.known = sorted(stripped, key=len, reverse=True)
        self.depth = 0  # of braces
        self.formula = False  # after a ~

    def tokens(self, line: str, number: int) -> Iterator[Token]:
        """Tokens of one line.

        Raises:
            UserError: a quoted name does not end, or a name could be two statements.
        """
        at, self.formula = 0, False
        while at < len(line):
            if line[at].isspace():
                at += 1
                continue
            if known := self._known(line, at, number):
                token, at = Token("quoted", known), at + len(known)
            elif line[at] == "#" or (line.startswith("//", at) and not self.spaced):
                return
            elif not self.spaced and (setting := _SETTING.match(line, at)):
                at = setting.end()
                continue
            else:
                token, at = self._other(line, at, number)
            if token.kind == "mark":
                self.formula |= token.text == "~"
                self.depth += {"{": 1, "}": -1}.get(token.text, 0)
            yield token

    @property
    def _one_word(self) -> bool:
        return not self.spaced or self.depth > 0

    def _known(self, line: str, at: int, number: int) -> str:
        """The longest variable that stands here and ends where a name can end."""
        for name in self.known:
            if not line.startswith(name, at) or not self._can_end(line, at + len(name)):
                continue
            parts = [part.strip() for part in _SEPARATOR.split(name)]
            if len(parts) > 1 and all(part in self.known for part in parts):
                raise self.drawing.place(number, line).refuse(
                    f"{name!r} may be one variable or several: put names in double quotes"
                )
            return name
        return ""

    def _can_end(self, line: str, end: int) -> bool:
        at = end
        while at < len(line) and line[at].isspace():
            at += 1
        if at == len(line) or _ARROW.match(line, at) or line.startswith("=~", at):
            return True
        if line[at] == "[":
            return bool(self._attributes(line, at))
        if line[at] in ",;{}~" or (line[at] == "#" and at > end):
            return True
        if self.formula and line[at] in "+*:|-":
            return True
        return at > end and self._one_word

    def _other(self, line: str, at: int, number: int) -> tuple[Token, int]:
        """The token that begins here, and where it ends."""
        if line[at] in _CLOSING_QUOTE and (quoted := self._quoted(line, at, number)):
            return Token("quoted", quoted[0]), quoted[1]
        if arrow := _ARROW.match(line, at):
            return Token("arrow", _plain(arrow.group())), arrow.end()
        if self._is_mark(line[at]):
            return Token("mark", line[at]), at + 1
        if line[at] == "[" and (inside := self._attributes(line, at)):
            return Token("attributes", inside[1:-1]), at + len(inside)
        end = at + 1
        while end < len(line) and not self._stops(line, end):
            end += 1
        return Token("name", line[at:end].strip()), end

    def _is_mark(self, character: str) -> bool:
        return character in ",;{}~" or (self.formula and character in "+*:")

    def _stops(self, line: str, at: int) -> bool:
        """Whether an unknown name ends before this character."""
        if line[at].isspace():
            return self._one_word or line.startswith("#", at + 1)
        if line[at] == "[":
            return bool(self._attributes(line, at))
        return self._is_mark(line[at]) or _ARROW.match(line, at) is not None

    def _attributes(self, line: str, at: int) -> str:
        """The attributes that stand here, with their brackets; "" if that is no attribute. Where
        names hold spaces they hold brackets too, as in X [mg]."""
        found = (_LATENT if self.spaced else _ATTRIBUTES).match(line, at)
        return found.group() if found else ""

    def _quoted(self, line: str, at: int, number: int) -> tuple[str, int] | None:
        """A quoted name and where it ends; a quote within is doubled, or follows a backslash."""
        closing, name, end = _CLOSING_QUOTE[line[at]], "", at + 1
        while end < len(line):
            if line[end] == "\\" and line[end + 1 : end + 2] in (closing, "\\"):
                name, end = name + line[end + 1], end + 2
            elif line[end] != closing:
                name, end = name + line[end], end + 1
            elif line.startswith(closing, end + 1):
                name, end = name + closing, end + 2
            else:
                return name, end + 1
        if closing == "'":  # an apostrophe
            return None
        raise self.drawing.place(number, line).refuse(
            f"a quoted name begins here; expected {closing} after it"
        )


def _plain(arrow: str) -> str:
    """An arrow in plain form, or as it is if it has no direction."""
    for plain, forms in _ARROWS.items():
        if re.fullmatch(forms, arrow):
            return plain
    return arrow
