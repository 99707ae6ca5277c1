"""Scripted and Bayesian players by name, for each world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seedo.errors import UserError
from seedo.experimenters._bayesian import BAYESIAN, bayesian
from seedo.experimenters._blicket import BLICKET_PLAYERS, blicket_bayesian, blicket_player
from seedo.experimenters._choosers import CHOOSERS
from seedo.experimenters._readers import READERS
from seedo.experimenters._rooms import ROOMS_PLAYERS, rooms_player
from seedo.experimenters._scripted import Scripted
from seedo.experimenters.proposers import ACQUISITIONS, MechanismsProposer, random_player
from seedo.plugins import resolve
from seedo.worlds import Bench, World

SCRIPTED = ("expert", "random", "memoriser", *READERS)
"""Names for `scripted:NAME`; `CHOOSER+READER` combines any two, e.g. `random+largest-effect`."""


def scripted(name: str) -> Scripted:
    """A scripted experimenter of world `dag` by name.

    `expert` explores in random order and knows the system when it exploits; `random` does both at
    random; a reader's name explores in random order (rotation would always try D just before E,
    which hands the held-out link to whoever repeats its last action); `CHOOSER+READER` names both,
    where READER may also be `random` or `expert`. (`memoriser` has to read logs first.)
    """
    if name == "expert":
        return Scripted("expert", CHOOSERS["shuffled"], None, knows_system=True)
    if name == "random":
        return Scripted("random", CHOOSERS["random"], None)
    chooser, plus, reader = name.partition("+")
    if not plus:
        chooser, reader = "shuffled", name
    if chooser not in CHOOSERS or (reader not in READERS and reader not in ("random", "expert")):
        raise UserError(
            "scripted",
            name,
            f"use one of {', '.join(SCRIPTED)}, or CHOOSER+READER with a chooser among "
            f"{', '.join(CHOOSERS)}",
        )
    return Scripted(name, CHOOSERS[chooser], READERS.get(reader), knows_system=reader == "expert")


def _dag_scripted(name: str, world: Any, seed: int) -> Any:
    memoriser, _, logs = name.partition("@")
    if memoriser == "memoriser":
        fitted: Any = resolve("seedo.play:fitted_memoriser", "player")  # it has to play first
        return fitted(world, seed, logs or None)
    return scripted(name)


def _blind(name: str, world: Any, seed: int) -> Scripted:
    """Of those who never read a variable: in raw worlds there is none to read."""
    player = None if name.startswith("memoriser") else scripted(name)
    if player is None or player.reader is not None:
        remedy = f"reads variables, and world {world.name} shows none: use expert or random"
        raise UserError("player", f"scripted:{name}", f"{remedy}, or play in through:FOLDER")
    return player


_SCRIPTED: dict[str, Callable[[str, Any, int], Any]] = {
    "dag": _dag_scripted,
    "raw": _blind,
    "rooms": lambda name, world, seed: rooms_player(name, world),
    "blicket": lambda name, world, seed: blicket_player(name, world),
}
_BAYESIAN: dict[str, Callable[[str, Any], Any]] = {
    "dag": lambda name, world: bayesian(name, world.config()),
    "blicket": blicket_bayesian,
}

_LISTED: dict[str, tuple[str, ...]] = {
    "dag": (*(f"scripted:{name}" for name in SCRIPTED), "scripted:CHOOSER+READER",
            *(f"bayes:{name}" for name in BAYESIAN), "bayes:sampled-K"),
    "raw": ("scripted:expert", "scripted:random"),
    "rooms": tuple(f"scripted:{name}" for name in ROOMS_PLAYERS),
    "blicket": (*(f"scripted:{name}" for name in BLICKET_PLAYERS), "bayes:eig"),
}  # fmt: skip


SETTING_PLAYERS = (
    "random", "sobol", "grid", "one-factor", "response-surface", "pretrained:tuner",
    *(f"bo:{name}" for name in ACQUISITIONS), "bayes:mechanisms",
)  # fmt: skip
"""Names of players of worlds whose knobs are set all at once."""


def names_in(world: type[World] | World) -> tuple[str, ...]:
    """Names of the players of a world that need no training."""
    own = (f"scripted:{name}" for name in world.players)
    kind = world if isinstance(world, type) else type(world)
    usual = SETTING_PLAYERS if issubclass(kind, Bench) else ("scripted:random",)
    return tuple(dict.fromkeys((*own, *_LISTED.get(world.family, usual))))


def scripted_player(name: str, world: World, greedy: bool, seed: int) -> Any:
    """`scripted:NAME`: the world's own, else ours for its family, else by chance.

    Raises:
        UserError: the world has no player of this name.
    """
    if name in world.players:
        return world.players[name](world)
    if world.family in _SCRIPTED:
        return _SCRIPTED[world.family](name, world, seed)
    if name == "random":
        return random_player("", world, greedy, seed)
    if isinstance(world, Bench):
        remedy = f"in world {world.name} use one of {', '.join(names_in(world))}"
        raise UserError("player", f"scripted:{name}", remedy)
    known = ", ".join(dict.fromkeys((*world.players, "random")))
    raise UserError("scripted", name, f"in world {world.name} use one of {known}")


def bayesian_player(name: str, world: World, greedy: bool, seed: int) -> Any:
    """`bayes:NAME`: who knows the world's prior.

    Raises:
        UserError: there is none for this world, or none of this name.
    """
    if world.spec.space is not None:
        if name != "mechanisms":
            raise UserError("bayes", name, f"in world {world.name} use bayes:mechanisms")
        return MechanismsProposer(seed)
    if world.family not in _BAYESIAN:
        exact = ", ".join(_BAYESIAN)
        raise UserError("bayes", name, f"world {world.name} has no exact posterior; {exact} have")
    return _BAYESIAN[world.family](name, world)
