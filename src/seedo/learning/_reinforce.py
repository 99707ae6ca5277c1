"""Learning by reinforcement, whatever the world."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from seedo.errors import UserError
from seedo.learning._dag_reinforcement import DagReinforcement
from seedo.learning._find import load_agent
from seedo.learning._job import Report, train
from seedo.learning._reinforcement import Rounds
from seedo.learning._rooms_reinforcement import RoomsReinforcement
from seedo.recipes import FineTuning, ReinforcementRecipe


class Way(NamedTuple):
    """How worlds of a family are learnt."""

    recipe: type[Any]
    rounds: Callable[[Any, Path, Any], Rounds]  # of a world, an agent's folder and a recipe


WAYS = {
    "dag": Way(FineTuning, DagReinforcement),
    "rooms": Way(ReinforcementRecipe, RoomsReinforcement),
}


def way_of(world: Any) -> Way:
    """How a world is learnt by reinforcement.

    Raises:
        UserError: nobody can learn it.
    """
    if world.family not in WAYS:
        known = " and ".join(WAYS)
        remedy = f"only worlds of the families {known} can be learnt by reinforcement"
        raise UserError("world", world.name, remedy)
    return WAYS[world.family]


def reinforce(
    world: Any,
    out: str | Path,
    recipe: FineTuning | ReinforcementRecipe,
    *,
    resume: bool = False,
    progress: Callable[[Report], None] | None = None,
    checkpoint_seconds: float = 20.0,
) -> Any:
    """Let an agent play in a world, learn from rewards, and leave an agent folder; the agent.

    The result depends on world, recipe and the agent started from alone, however often the job was
    interrupted. For the lines of `metrics.jsonl` see `DagReinforcement` and `RoomsReinforcement`.

    Args:
        recipe: a `FineTuning` in worlds of the family dag, a `ReinforcementRecipe` in rooms.

    Raises:
        UserError: bad settings, an agent that cannot play in the world, an output folder that is
            not this job's, or divergence.
    """
    way, out = way_of(world), Path(out)
    if not isinstance(recipe, way.recipe):
        given = type(recipe).__name__
        raise UserError("recipe", given, f"world {world.name} takes a {way.recipe.__name__}")
    rounds = way.rounds(world, out, recipe)
    train(
        rounds, out, rounds.job,
        resume=resume, progress=progress, checkpoint_seconds=checkpoint_seconds,
    )  # fmt: skip
    return load_agent(out)
