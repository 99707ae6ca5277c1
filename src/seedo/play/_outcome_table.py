"""Everything that could follow in an episode, worked out at once.

The noise of a step does not depend on what is done, now or before; so what would follow each action
at each step is known when the episode begins. With the table, a step needs no computing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.play._live import Live
from seedo.worlds import Action, World


class OutcomeTable(NamedTuple):
    """Axes: step S; action, `only observe` first, then target * V + index of the value; variable.

    Attributes:
        outcome: float32[S, 1 + n V, n]; of an action that an exploit step refuses: as after
            `only observe`.
        worth: float32[S, 1 + n V], expected value of the goal at exploit steps; 0 elsewhere and for
            refused actions.
    """

    outcome: NDArray[np.float32]
    worth: NDArray[np.float32]


def outcome_table(episode: Live) -> OutcomeTable:
    """What `episode.act` would return at every step for every action, whatever went before.

    One program for each world, called once; not a step of the episode is taken.
    """
    table = _table(episode.world, episode.setup)
    return OutcomeTable(*(np.asarray(part) for part in table))


@eqx.filter_jit
def _table(world: World, setup: Any) -> Any:
    values = jnp.asarray(world.spec.do_values, jnp.float32)
    targets = jnp.concatenate([jnp.array([-1]), jnp.repeat(jnp.arange(world.spec.n), len(values))])
    values = jnp.concatenate([jnp.zeros(1), jnp.tile(values, world.spec.n)])

    def follows(t, target, value):
        begun = world.reset(setup.task, setup.noise_key)._replace(step=t)
        noise = jax.random.fold_in(setup.noise_key, t)
        after, worth, _ = world.step(setup.task, begun, Action(target, value), noise)
        return after.outcome, worth

    over_actions = jax.vmap(follows, in_axes=(None, 0, 0))
    over_steps = jax.vmap(over_actions, in_axes=(0, None, None))
    return over_steps(jnp.arange(world.spec.steps), targets, values)
