"""Whether a player keeps the protocol, said in plain words before anything is played."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from seedo.errors import UserError
from seedo.worlds import Action, World, same, shaped, traced

_POWERS = ("begin", "act", "check", "knows_system", "host", "episodes_at_once", "record")


def check(player: Any, world: World) -> None:
    """See that a player keeps the protocol and fits a world; it is not asked for an action, so that
    nothing is paid for.

    Raises:
        UserError: it does not, and where.
    """
    name = getattr(player, "name", None)
    if not isinstance(name, str) or not name:
        raise UserError("player", type(player).__name__, "it has no name: give it one, a text")
    owner = f"player {name}"
    for power in _POWERS:
        if not hasattr(player, power):
            raise UserError(owner, None, f"it has no {power}: subclass seedo.experimenters.Player")
    player.check(world.spec)
    if player.host or world.host:
        return
    key = jax.eval_shape(lambda: jax.random.key(0))
    task = traced(f"world {world.name}", "sample", world.sample, key)
    told = traced(f"world {world.name}", "privileged", world.privileged, task)
    state = traced(f"world {world.name}", "reset", world.reset, task, key)
    seen = traced(f"world {world.name}", "observe", world.observe, task, state)
    memory = traced(
        owner,
        "begin",
        lambda key, told: player.begin(world.spec, key, told if player.knows_system else None),
        key,
        told,
    )
    found = traced(owner, "act", player.act, memory, seen, key)
    if not isinstance(found, tuple) or len(found) != 2 or not isinstance(found[0], Action):
        raise UserError(owner, None, "act: give (Action(target, value), memory)")
    action, after = found
    same(owner, "act", "memory", memory, after)
    shaped(owner, "act: target", action.target, ())
    shaped(owner, "act: value", action.value, ())
    if not jnp.issubdtype(action.target.dtype, jnp.integer):
        raise UserError(owner, None, "act: target is the number of a variable, or -1: a whole one")
