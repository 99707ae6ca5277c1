"""How commands are made: options from the fields of dataclasses, help in groups."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from importlib import import_module
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperGroup

from seedo.cli._places import as_text
from seedo.errors import UserError

GROUPS: dict[str, tuple[str, ...]] = {
    "The whole idea in minutes": ("demo",),
    "Agents": ("watch", "learn", "dagger", "ppo", "perform", "serve-mcp", "review"),
    "Your own data": ("ask", "advise"),
    "Your own system": ("experiment",),
    "Research": ("study", "abstract", "probe", "lab"),
    "Worlds, players and files": ("list", "inspect", "import", "export", "cache"),
}
"""Commands in the order of the work."""

Recipes = Mapping[str, str]
"""`module:Class` of a dataclass, by the world that it is for; "" for any."""

_RECIPES: dict[str, tuple[Callable[..., Any], Recipes]] = {}


class Verbs(TyperGroup):
    """The commands in groups. Those that take a recipe are made when they are asked for, because
    its module takes long to import."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for title, names in GROUPS.items():
            found = [(name, self.commands[name]) for name in names if name in self.commands]
            width = max(len(name) for name, _ in found)
            rows = [(n, c.get_short_help_str(formatter.width - width - 6)) for n, c in found]
            with formatter.section(title):
                formatter.write_dl(rows)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _RECIPES:
            return super().get_command(ctx, cmd_name)
        function, recipes = _RECIPES[cmd_name]
        single = typer.Typer(rich_markup_mode=None, add_completion=False)
        single.command(cmd_name)(_expanded(function, recipes))
        return typer.main.get_command(single)


app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Agents that learn to experiment by watching others do it.",
)
"""The command line: every command is one of its callbacks."""


def command(name: str, recipes: Recipes | None = None) -> Callable[[Callable[..., Any]], Any]:
    """Register a function as a command.

    A parameter whose type is a dataclass stands for one option a field; the function gets the
    dataclass. `recipes` are dataclasses whose fields are options too, and whose modules are not
    imported before the command is used: what was given of them goes to the parameter `recipe`, by
    field.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        if recipes is None:
            app.command(name)(_expanded(function, {}))
        else:
            _RECIPES[name] = function, recipes
            app.command(name, help=function.__doc__)(lambda: None)  # what `--help` lists
        return function

    return register


def _expanded(function: Callable[..., Any], recipes: Recipes) -> Callable[..., Any]:
    """The function with one parameter an option."""
    bundles: dict[str, Any] = {}
    parts: list[inspect.Parameter] = []
    for part in inspect.signature(function, eval_str=True).parameters.values():
        if is_dataclass(part.annotation):
            bundles[part.name] = part.annotation
            parts += _own_options(part.annotation)
        elif part.name != "recipe":
            parts.append(part)
    named = {label: _resolve(target) for label, target in recipes.items()}
    taken = {part.name for part in parts}
    extra = {n: p for n, p in _recipe_options(named).items() if n not in taken}
    parts += extra.values()
    read: dict[str, Callable[[Any], Any]] = {}
    for i, part in enumerate(parts):
        parts[i], made = as_text(part)
        if made is not None:
            read[part.name] = made

    @functools.wraps(function)
    def run(**given: Any) -> Any:
        given |= {name: made(given[name]) for name, made in read.items() if name in given}
        for name, bundle in bundles.items():
            given[name] = bundle(**{f.name: given.pop(f.name) for f in fields(bundle)})
        if recipes:
            told = {name: given.pop(name) for name in extra}
            given["recipe"] = {n: _read(n, v) for n, v in told.items() if v not in (None, [])}
        return function(**given)

    keyword = [part.replace(kind=inspect.Parameter.KEYWORD_ONLY) for part in parts]
    run.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]
    run.__annotations__ = {part.name: part.annotation for part in keyword}
    return run


def _own_options(bundle: Any) -> Iterable[inspect.Parameter]:
    """Options of a dataclass of the command line's own, whose fields are annotated for Typer."""
    hints = get_type_hints(bundle, include_extras=True)
    for each in fields(bundle):
        default = inspect.Parameter.empty if each.default is MISSING else each.default
        yield _keyword(each.name, default, hints[each.name])


def _recipe_options(recipes: Mapping[str, Any]) -> dict[str, inspect.Parameter]:
    """Options of recipes by field; None where one is left out, so that the recipe's own default
    holds."""
    found: dict[str, dict[str, tuple[Field, Any]]] = {}
    for label, recipe in recipes.items():
        hints = get_type_hints(recipe)
        for each in fields(recipe):
            found.setdefault(each.name, {})[label] = each, hints[each.name]
    return {name: _option(name, of, len(recipes)) for name, of in found.items()}


def _option(name: str, of: Mapping[str, tuple[Field, Any]], recipes: int) -> inspect.Parameter:
    each, hint = next(iter(of.values()))
    only = "" if len(of) == recipes else f"{', '.join(of)}: "
    flag = each.metadata.get("option") or "--" + name.replace("_", "-")
    defaults = {label: field.default for label, (field, _) in of.items()}
    shown = {label: v for label, v in defaults.items() if v not in (None, (), MISSING)}
    same = len(shown) == len(of) and len(set(shown.values())) == 1
    told = str(each.default) if same else ", ".join(f"{k} {v}".strip() for k, v in shown.items())
    about = only + each.metadata.get("help", "") + (f" [default: {told}]" if told else "")
    option = typer.Option(flag, help=about.strip(), show_default=False)
    typed = list[str] if "tuple" in str(hint) else hint
    if MISSING in defaults.values():
        return _keyword(name, inspect.Parameter.empty, Annotated[typed, option])
    return _keyword(name, None, Annotated[typed | None, option])


def _keyword(name: str, default: Any, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _resolve(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


def _read(name: str, value: Any) -> Any:
    """A recipe's field from what was typed: pairs of a name and a number for a list of words."""
    return tuple(_pair(name, text) for text in value) if isinstance(value, list) else value


def _pair(name: str, text: str) -> tuple[str, int]:
    field, _, number = text.partition("=")
    try:
        return field, int(number)
    except ValueError:
        option = "--" + name.rstrip("s")
        raise UserError(option, text, "write it as name=whole number, e.g. size=64") from None
