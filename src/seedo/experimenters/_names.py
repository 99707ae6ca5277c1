"""Names of players: the one module that looks into them.

A name is KIND:REST, and REST is read by the kind alone (addresses and paths may hold any
character); or the name of a plug-in's player; or `module:Class`; or the folder of an agent.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from seedo.errors import UserError, in_one_line
from seedo.experimenters._check import check
from seedo.experimenters._limited import LastSteps
from seedo.experimenters._mistakes import MISTAKES, Mistaken
from seedo.experimenters._protocol import Experimenter
from seedo.plugins import Registry, resolve
from seedo.worlds import World

REGISTRY = Registry(
    "seedo.experimenters",
    "player",
    {
        "scripted": "seedo.experimenters._scripted_by_name:scripted_player",
        "bayes": "seedo.experimenters._scripted_by_name:bayesian_player",
        "pretrained": "seedo.experimenters._names:pretrained_player",
        "llm": "seedo.experimenters._names:refuse_spoken",
        "hf": "seedo.experimenters._names:refuse_hub",
        "mcp": "seedo.experimenters._names:refuse_elsewhere",
        "random": "seedo.experimenters.proposers:random_player",
        "sobol": "seedo.experimenters.proposers:sobol",
        "grid": "seedo.experimenters.proposers:grid",
        "bo": "seedo.experimenters.proposers:bo_player",
        "response-surface": "seedo.experimenters.proposers:response_surface",
        "one-factor": "seedo.experimenters.proposers:one_factor",
    },
)
"""Kinds of players. A factory of ours gets (rest, world, greedy, seed), one of a plug-in the world
and, if it takes that, rest."""

FORMS = {
    "pretrained:NAME": "an agent that comes with Seedo",
    "FOLDER": "an agent that you trained",
    "llm:MODEL": "a language model, as Inspect names it",
    "hf:FOLDER": "a language model in Hugging Face's format, in this process",
    "last-K:PLAYER": "a player who sees only the last K steps",
    "slip-T:PLAYER": "a player who acts at random at step T",
    "misread-T:PLAYER": "a player who misreads what followed step T",
    "module:Class": "a player of your own",
}
"""Forms of names that are no fixed list, and what they mean; for `seedo list players`."""

_CHANGED = re.compile(rf"(?P<how>last|{'|'.join(MISTAKES)})-(?P<number>[0-9]{{1,5}})")
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class Name(NamedTuple):
    """A player's name in parts; `kind` is `folder` for an agent's folder, `object` for
    `module:Class`."""

    kind: str
    rest: str

    def __str__(self) -> str:
        return self.rest if self.kind in ("folder", "object") else f"{self.kind}:{self.rest}"


def plugins() -> dict[str, str]:
    """Names of players that plug-ins bring, and whose they are."""
    brought = [name for name in REGISTRY.names() if name not in REGISTRY.own]
    return {name: f"from {REGISTRY.origin(name)}" for name in brought}


def parse_name(name: str) -> Name:
    """The parts of a name; nothing is loaded."""
    kind, colon, rest = name.partition(":")
    if (colon and kind in REGISTRY) or _CHANGED.fullmatch(kind):
        return Name(kind, rest)
    if not colon and name in REGISTRY and not Path(name).is_dir():
        return Name(name, "")
    if _DOTTED.fullmatch(name) and not Path(name).exists():
        return Name("object", name)
    return Name("folder", name)


def is_spoken(name: str) -> bool:
    """Whether a language model is called under this name."""
    return parse_name(name).kind == "llm"


def is_trained(name: str) -> bool:
    """Whether a name is that of a trained agent: shipped, a folder, or a pretrained model's."""
    return parse_name(name).kind in ("pretrained", "folder", "hf")


def find_player(name: str, world: World, greedy: bool = True, seed: int = 0) -> Any:
    """A player by name, for this world: `scripted:NAME`, `bayes:NAME`, `pretrained:NAME`, an agent
    folder, a plug-in's player or `module:Class`.

    Also `last-K:PLAYER`, a player who sees only the last K steps, and `misread-T:PLAYER` or
    `slip-T:PLAYER`, one who makes a mistake at step T (see `LastSteps`, `Mistaken`).

    Args:
        greedy: trained agents take the most probable action; else they draw one.
        seed: of the logs that `scripted:memoriser` reads.

    Raises:
        UserError: there is none of this name, or it cannot play in this world.
    """
    kind, rest = parse_name(name)
    player: Any
    if _CHANGED.fullmatch(kind):
        if not world.measures_variables or world.spec.space is not None:
            remedy = f"not in world {world.name}: leave {kind}: out"
            raise UserError("player", name, remedy)
        player = changed(name, lambda inner: find_player(inner, world, greedy, seed))
    elif kind == "folder":
        player = resolve("seedo.learning:find_agent", "player")(name, world, greedy, seed)
    elif kind == "object":
        player = _plain(resolve(name, "player"), name, "", world)
    elif kind in REGISTRY.own:
        player = REGISTRY.find(kind)(rest if kind != "pretrained" else name, world, greedy, seed)
    else:
        player = _plain(REGISTRY.find(kind), kind, rest, world)
    player.check(world.spec)
    return player


def _plain(factory: Any, name: str, rest: str, world: World) -> Any:
    """A player from a factory of others', which gets the world, and `rest` if it takes or is given
    one; or from a class that wants neither."""
    try:
        wants = [
            p.default is p.empty
            for p in inspect.signature(factory).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        if rest and not wants:
            raise UserError("player", f"{name}:{rest}", f"use {name}: nothing may follow it")
        alone = not rest and (not wants or (isinstance(factory, type) and not any(wants)))
        given = (world, rest) if rest or sum(wants) > 1 else (world,)
        player = factory() if alone else factory(*given)
    except UserError:
        raise
    except Exception as error:
        raise UserError("player", name, in_one_line(error, 160)) from error
    check(player, world)
    return player


def changed(name: str, find: Callable[[str], Any]) -> LastSteps | Mistaken | None:
    """The player of a name `last-K:PLAYER`, `misread-T:PLAYER` or `slip-T:PLAYER`, of the one that
    `find` finds by the inner name; None for other names."""
    kind, rest = parse_name(name)
    if (change := _CHANGED.fullmatch(kind)) is None:
        return None
    number = int(change["number"])
    if change["how"] == "last":
        return LastSteps(find(rest), number)
    return Mistaken(find(rest), number, change["how"])


def pretrained_player(name: str, world: World, greedy: bool, seed: int) -> Any:
    """`pretrained:NAME`; the tuner without what compiles others, so that it is there at once."""
    if parse_name(name).rest == "tuner":
        return resolve("seedo.experimenters.proposers.tuner:shipped_tuner", "player")(seed)
    return resolve("seedo.learning:find_agent", "player")(name, world, greedy, seed)


def refuse_spoken(rest: str, world: World, greedy: bool, seed: int) -> Experimenter:
    """Language models are no experimenters: they are played in words."""
    raise UserError("player", f"llm:{rest}", "it speaks: play it with `seedo perform`")


def refuse_hub(rest: str, world: World, greedy: bool, seed: int) -> Experimenter:
    """The same, of models in this process."""
    raise UserError("player", f"hf:{rest}", "it speaks: play it with `seedo perform`")


def refuse_elsewhere(rest: str, world: World, greedy: bool, seed: int) -> Experimenter:
    """Agents that act through tools come to us, by `seedo serve-mcp`."""
    raise UserError("player", f"mcp:{rest}", "it acts from elsewhere: `seedo serve-mcp` serves it")
