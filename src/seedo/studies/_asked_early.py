"""What any player would have done had it been asked for its decision after fewer experiments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EXPLOIT, EpisodeBatch
from seedo.evaluation import Seen, left_before, seen_before
from seedo.experimenters import Experimenter, Observation
from seedo.studies._histories import check_experiments, in_equal_parts
from seedo.worlds import Spec, stream_key

_AT_ONCE = 512


def asked_early(
    batch: EpisodeBatch, player: Experimenter, spec: Spec, after: Sequence[int], seed: int = 0
) -> NDArray[np.int64]:
    """The exploit actions of a player that does not look at the steps left, from its own log.

    Args:
        batch: B episodes of experiments and one exploit step.
        player: whose log it is, or any other who shall read it.
        spec: of the log's world.
        after: K numbers of experiments.
        seed: of the player's randomness.

    Returns:
        int64[B, K], target * V + index of the value.

    Raises:
        UserError: other phases, or not as many experiments.
    """
    check_experiments(batch, max(after))
    key = stream_key(seed, "asked early")

    def part(rows: NDArray[np.int64]) -> Any:
        seen = seen_before(batch, rows)
        return _actions(player, spec, tuple(after), key, jnp.asarray(rows), seen)

    action: NDArray[Any] = in_equal_parts(batch.rows, _AT_ONCE, part)
    return action.astype(np.int64)


@eqx.filter_jit
def _actions(
    player: Experimenter, spec: Spec, after: tuple[int, ...], key: Any, index: Any, seen: Seen
) -> Any:
    values = jnp.asarray(spec.do_values)

    def episode(i, target, value, outcome, relevant, goal):
        init_key, act_key = jax.random.split(jax.random.fold_in(key, i))
        before = left_before(spec, target, value, outcome)

        def observation(t, phase, goal):
            target, value, outcome = (column[t] for column in before)
            return Observation(
                phase=phase, steps_left=spec.steps - t, target=target, value=value,
                outcome=outcome, relevant=relevant, goal=goal,
            )  # fmt: skip

        def step(state, now):
            t, phase = now
            _, following = player.act(
                state, observation(t, phase, goal[t]), jax.random.fold_in(act_key, t)
            )
            return following, state

        steps = jnp.arange(spec.steps)
        start = player.begin(spec, init_key, None)
        _, states = jax.lax.scan(step, start, (steps, jnp.asarray(spec.phases)))

        def asked(t):
            state = jax.tree.map(lambda column: column[t], states)
            now = observation(t, jnp.asarray(EXPLOIT), goal[-1])
            action, _ = player.act(state, now, jax.random.fold_in(act_key, spec.steps + t))
            nearest = jnp.argmin(jnp.abs(values - action.value))
            return action.target * len(values) + nearest

        return jax.vmap(asked)(jnp.asarray(after))

    return jax.vmap(episode)(index, *seen)
