"""What people state about edges, as they type it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from seedo.errors import UserError
from seedo.inference.graphs._drawing import Drawing
from seedo.inference.graphs._graph_tokens import Scanner
from seedo.inference.graphs._prior import GraphPrior, edge_prior


def stated_prior(
    names: tuple[str, ...],
    prior: GraphPrior | None = None,
    *,
    require: Sequence[str] = (),
    forbid: Sequence[str] = (),
    believe: Sequence[str] = (),
    max_parents: int | None = None,
    mark: str = "",
) -> GraphPrior | None:
    """The prior that the statements amount to; `prior` if there are none.

    Args:
        names: of the variables.
        prior: what is taken where nothing is stated; None: uniform.
        require, forbid: edges that are there, and that are not: `A->B`.
        believe: how probable edges are: `A->B=0.8`.
        max_parents: of a variable.
        mark: before the name of a field in an error, e.g. `--`.

    Raises:
        UserError: a statement that cannot be read, is made twice or contradicts another.
    """
    if not (require or forbid or believe) and max_parents is None:
        return prior
    likely = {}
    for name, text, own in pairs(f"{mark}believe", believe):
        edge = _edge(f"{mark}believe", name, names)
        if edge in likely:
            raise UserError(f"{mark}believe", text, "already stated: state each edge once")
        likely[edge] = one_number(f"{mark}believe", text, own)
    if max_parents is None and prior is not None:
        max_parents = prior.max_parents
    return edge_prior(
        names,
        required=[_edge(f"{mark}require", text, names) for text in require],
        forbidden=[_edge(f"{mark}forbid", text, names) for text in forbid],
        likely=likely,
        max_parents=max_parents,
    )


def pairs(field: str, texts: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """(name, text, value as typed) of NAME=VALUE, each name once; it may stand in double quotes.

    Raises:
        UserError: not of this form, or a name given twice.
    """
    seen = set()
    for text in texts:
        name, equals, value = text.rpartition("=")
        if not equals or not name.strip():
            raise UserError(field, text, "write it as NAME=VALUE")
        name = name.strip()
        if re.fullmatch(r'"(?:[^"]|"")+"', name):
            name = name[1:-1].replace('""', '"')
        if name in seen:
            raise UserError(field, text, f"{name} is already given: give it once")
        seen.add(name)
        yield name, text, value


def numbers(field: str, text: str, typed: str) -> list[float]:
    """Numbers with commas between them.

    Raises:
        UserError: one is none; shows `text`, of which they are a part.
    """
    try:
        return [float(part) for part in typed.split(",")]
    except ValueError:
        raise UserError(field, text, "give numbers after the =") from None


def one_number(field: str, text: str, typed: str) -> float:
    """A number; see `numbers`."""
    found = numbers(field, text, typed)
    if len(found) > 1:
        raise UserError(field, text, "give one number after the =")
    return found[0]


def _edge(field: str, text: str, names: tuple[str, ...]) -> tuple[str, str]:
    """``A->B``: names as in a graph file, in quotes where they hold an arrow or a comma."""
    try:
        tokens = [*Scanner(Drawing(field), names, spaced=True).tokens(text, 1)]
    except UserError as error:
        raise UserError(field, text, error.remedy) from None
    kinds = [token.kind.replace("quoted", "name") for token in tokens]
    if kinds != ["name", "arrow", "name"] or tokens[1].text not in ("->", "<-"):
        raise UserError(field, text, "write an edge as A->B")
    ends = tokens[0].text, tokens[2].text
    parent, child = (next((n for n in names if n.strip() == end), end) for end in ends)
    return (parent, child) if tokens[1].text == "->" else (child, parent)
