"""Graphs in words: arrows one a line, formulas, dagitty's braces, bnlearn's model strings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from seedo.errors import UserError
from seedo.inference.graphs._drawing import FORMAT, Drawing, Place
from seedo.inference.graphs._graph_tokens import Scanner, Token

_DAGITTY = re.compile(r"(dag|pdag|mag|pag)(?:\s+(?:\"[^\"]*\"|[\w.]+))?\s*\{", re.IGNORECASE)
_R_CALL = re.compile(r"""\bdagitty\s*\(\s*(["'])(.*)\1\s*\)""", re.DOTALL)
_COMMENTS = re.compile(r"(?:\s*(?:#|//)[^\n]*\n)*\s*")
_MODEL_STRING = re.compile(r"\s*(\[[^\[\]|]+(\|[^\[\]|]+)?\]\s*)+")
_CONSTANT = re.compile(r"-?\s*[01]")
_FORMULA = "write a formula as 'Y ~ X + Z': the outcome, ~, its causes by name"


def read_text(text: str, drawing: Drawing, variables: Sequence[str]) -> None:
    """Arrows and formulas: statements one a line, or with commas or semicolons between them."""
    scanner = Scanner(drawing, variables, spaced=True)
    for number, line in enumerate(text.splitlines(), 1):
        scanner.depth = 0
        place = drawing.place(number, line)
        tokens = list(scanner.tokens(line, number))
        if tokens and tokens[-1] in (("mark", ","), ("mark", ";")):
            tokens.pop()
        if tokens:
            _refuse_listed(tokens, place)
            depth, statement = 0, list[Token]()
            for token in tokens:
                depth += _deeper(token)
                if depth == 0 and token in (("mark", ","), ("mark", ";")):
                    _draw(statement, drawing, place)
                    statement = []
                else:
                    statement.append(token)
            _draw(statement, drawing, place)


def _refuse_listed(tokens: Sequence[Token], place: Place) -> None:
    """Refuses ``Z -> X, Y``: Y may be a second effect of Z, or a node without edges."""
    depth, drawn = 0, False
    comma = Token("mark", ",")
    for i, token in enumerate(tokens):
        depth += _deeper(token)
        alone = tokens[i + 2 : i + 3] in ([], [comma]) and i + 1 < len(tokens)
        drawn |= token.kind == "arrow"
        if depth == 0 and token == comma and alone and tokens[i + 1].kind in ("name", "quoted"):
            if drawn:
                name = tokens[i + 1].text
                raise place.refuse(f"is {name} an effect too? Write Z -> {{X, Y}} for several, or "
                                   f"{name} on a line of its own")  # fmt: skip


def has_arrows(text: str, variables: Sequence[str]) -> bool:
    """Whether a text draws an edge anywhere, with an arrow or a formula."""
    scanner = Scanner(Drawing(""), variables, spaced=True)
    for number, line in enumerate(text.splitlines(), 1):
        try:
            for token in scanner.tokens(line, number):
                if token.kind == "arrow" or token == ("mark", "~"):
                    return True
        except UserError:  # a comma may be part of a name: no matter in a table
            continue
    return False


def dagitty_code(text: str) -> str:
    """The code of a dagitty graph, alone or in a call in R; "" if there is none."""
    call = _R_CALL.search(text)
    if call:
        before = text[: call.start(2)].count("\n")  # lines keep their numbers
        text = "\n" * before + call[2]
    start = _COMMENTS.match(text)
    return text if _DAGITTY.match(text, start.end() if start else 0) else ""


def read_dagitty(code: str, drawing: Drawing, variables: Sequence[str]) -> None:
    """``dag { ... }``, as dagitty writes it (Textor et al. 2016, Int. J. Epidemiol. 45:1887).

    Statements end with a line or a semicolon, or where another begins.
    """
    begin = _DAGITTY.search(code)
    assert begin is not None
    if begin[1].casefold() in ("mag", "pag"):
        raise Place(drawing.source, begin[0]).refuse(
            "arrows of ancestral graphs mean ancestry, not cause; give a dag"
        )
    scanner = Scanner(drawing, variables, spaced=False)
    first = code[: begin.end()].count("\n") + 1
    statement: list[Token] = []
    depth, place = 0, Place(drawing.source, begin[0])
    for number, line in enumerate(code[begin.end() :].splitlines(), first):
        for token in scanner.tokens(line, number):
            depth += _deeper(token)
            ends = depth == 0 and token in (("mark", ";"), ("mark", ","))
            if statement and (ends or depth < 0 or _begins_another(statement, token, depth)):
                _draw(statement, drawing, place)
                statement = []
            if depth < 0:
                return
            if not ends:
                place = place if statement else drawing.place(number, line)
                statement.append(token)
    raise place.refuse("the graph does not end; close it with }")


def _deeper(token: Token) -> int:
    return {"{": 1, "}": -1}.get(token.text, 0) if token.kind == "mark" else 0


def _begins_another(statement: list[Token], token: Token, depth: int) -> bool:
    """Whether a token cannot go on with this statement: a node right after a node."""
    group = token == ("mark", "{")
    node = token.kind in ("name", "quoted") or group
    return node and depth == int(group) and statement[-1].kind != "arrow"


def _draw(tokens: list[Token], drawing: Drawing, place: Place) -> None:
    """One statement: ``A -> B <- {C D}``, ``A [latent]`` or ``A ~ B + C``."""
    if ("mark", "~") in tokens:
        _draw_formula(tokens, drawing, place)
        return
    operands: list[list[str]] = []
    arrows: list[str] = []
    group: list[str] | None = None
    for token in tokens:
        if token.kind in ("name", "quoted"):
            drawing.node(token.text, place)
            if group is None:
                operands.append([token.text])
            else:
                group.append(token.text)
        elif token.kind == "attributes":
            if len(tokens) == 2 and operands:
                _attributes(operands[0][0], token.text, drawing)
        elif token.kind == "arrow" and group is None:
            arrows.append(token.text)
        elif token == ("mark", "{") and group is None:
            group = []
        elif token == ("mark", "}") and group:
            operands.append(group)
            group = None
        elif group is None or token.text not in (",", ";"):
            raise place.refuse(FORMAT)
    if group is not None or len(operands) != len(arrows) + 1:
        raise place.refuse(FORMAT)
    for left, arrow, right in zip(operands, arrows, operands[1:], strict=False):
        for a in left:
            for b in right:
                drawing.edge(a, arrow, b, place)


def _attributes(name: str, text: str, drawing: Drawing) -> None:
    """``exposure,pos="-2.0,1.6"``."""
    for part in re.findall(r'(?:"[^"]*"|[^,"])+', text):
        key, _, value = part.partition("=")
        drawing.attribute(name, key, value)


def _draw_formula(tokens: list[Token], drawing: Drawing, place: Place) -> None:
    """``Y ~ X + Z`` (R), ``X ~~ Y`` and ``F =~ X + Y`` (lavaan: Rosseel 2012, J. Stat. Softw.)."""
    tilde = tokens.index(Token("mark", "~"))
    left, right = tokens[:tilde], tokens[tilde + 1 :]
    arrow = "<-"
    if right[:1] == [("mark", "~")]:
        arrow, right = "<->", right[1:]
    if left[1:] == [("name", "=")]:
        arrow, left = "->", left[:1]
    elif left and left[0].kind == "name" and left[0].text.endswith("="):
        arrow, left = "->", [Token("name", left[0].text[:-1].strip()), *left[1:]]
    if len(left) != 1 or left[0].kind not in ("name", "quoted") or not right:
        raise place.refuse(_FORMULA)
    outcome = left[0].text
    if left[0].kind == "name" and "+" in outcome:
        raise place.refuse(_FORMULA)
    drawing.node(outcome, place)
    if arrow == "->":
        drawing.latent.add(outcome)
    for token in right:
        if token.kind == "mark" and token.text in "+*:":
            continue
        name = re.sub(r"\s*-\s*1$", "", token.text) if token.kind == "name" else token.text
        if token.kind == "name" and _CONSTANT.fullmatch(token.text):
            continue
        if token.kind not in ("name", "quoted") or (
            token.kind == "name" and re.search(r"[()|^]|^\.$|^-|\s-", name)
        ):
            raise place.refuse(f"{_FORMULA}, without functions, groups and powers")
        drawing.edge(outcome, arrow, name, place)


def is_model_string(text: str) -> bool:
    """Whether a text is ``[A][B|A]``."""
    return _MODEL_STRING.fullmatch(text) is not None


def read_model_string(text: str, drawing: Drawing) -> None:
    """``[A][B|A][C|A:B]``: every variable and its causes, as bnlearn writes it."""
    said: set[str] = set()
    for inside in re.findall(r"\[([^\[\]]+)\]", text):
        child, bar, causes = inside.partition("|")
        place = Place(drawing.source, f"[{inside}]")
        if child.strip() in said:
            raise place.refuse(f"{child.strip()} stands there twice: write its causes in one")
        said.add(child.strip())
        drawing.node(child.strip(), place)
        for cause in causes.split(":") if bar else []:
            drawing.edge(cause.strip(), "->", child.strip(), place)
