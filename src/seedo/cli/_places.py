"""Options and arguments that are files or folders: of this machine, or where a command says so of a
store. Whoever reads them as paths at once loses a slash of `s3://`, so they come as text."""

from __future__ import annotations

import copy
import functools
import inspect
import operator
import types
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from seedo.storage import Place, local_path, place


def as_text(part: inspect.Parameter) -> tuple[inspect.Parameter, Callable[[Any], Any] | None]:
    """A parameter of a command as Typer is to see it, and what then makes a place of its text: a
    path where it is annotated as `Path`, any place where it is as `Place`; None: it is neither.
    """
    if get_origin(part.annotation) is not Annotated:
        return part, None
    hint, info, *_ = get_args(part.annotation)
    kinds = [kind for kind in (Path, Place) if kind in _inner(hint)]
    if not kinds:
        return part, None
    asked = copy.copy(info)
    flags = [word for word in asked.param_decls or () if word.startswith("--")]
    option = type(info).__name__ == "OptionInfo"
    if option:
        asked.metavar = asked.metavar or "<path>"
    flag = "--" + part.name.replace("_", "-") if option else part.name
    field = flags[0] if flags else flag

    def one(text: Any) -> Any:
        return place(text) if kinds == [Place] else local_path(field, text)

    def read(given: Any) -> Any:
        if given is None:
            return None
        return [one(text) for text in given] if isinstance(given, list | tuple) else one(given)

    default = part.default
    if isinstance(default, Path):
        default = str(default)
    annotation = Annotated[_with_text(hint), asked]  # type: ignore[valid-type]
    return part.replace(annotation=annotation, default=default), read


def _inner(hint: Any) -> list[Any]:
    """The types that a type is made of."""
    return [hint] + [inner for part in get_args(hint) for inner in _inner(part)]


def _with_text(hint: Any) -> Any:
    """The same type with texts in place of places."""
    if hint in (Path, Place):
        return str
    if get_origin(hint) is list:
        return list[_with_text(get_args(hint)[0])]  # type: ignore[misc]
    if get_origin(hint) in (Union, types.UnionType):
        return functools.reduce(operator.or_, map(_with_text, get_args(hint)))
    return hint
