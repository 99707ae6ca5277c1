"""Everything that could follow in an episode, worked out at once.

The noise of a step does not depend on what is done, now or before; so what would follow each action
at each step is known when the episode begins. With the table, a step needs no computing.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.experimenters import Action, Stage, execute
from seedo.play._live import LiveEpisode
from seedo.worlds import World


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


def outcome_table(episode: LiveEpisode) -> OutcomeTable:
    """What `episode.act` would return at every step for every action, whatever went before.

    One program for each world, called once; not a step of the episode is taken.
    """
    table = _table(episode.world, episode.stage)
    return OutcomeTable(*(np.asarray(part) for part in table))


@functools.partial(jax.jit, static_argnums=0)
def _table(world: World, stage: Stage):
    values = jnp.asarray(world.spec.do_values, jnp.float32)
    targets = jnp.concatenate([jnp.array([-1]), jnp.repeat(jnp.arange(world.spec.n), len(values))])
    values = jnp.concatenate([jnp.zeros(1), jnp.tile(values, world.spec.n)])

    def follows(t, target, value):
        _, _, outcome, worth = execute(world, stage, t, Action(target, value))
        return outcome, worth

    over_actions = jax.vmap(follows, in_axes=(None, 0, 0))
    over_steps = jax.vmap(over_actions, in_axes=(0, None, None))
    return over_steps(jnp.arange(world.spec.steps), targets, values)
