"""What was shown in the steps of logged episodes of raw worlds: drawn again."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.episodes import Dataset, EpisodeBatch
from seedo.errors import UserError
from seedo.play._loop import noise_at, set_up
from seedo.worlds import Action, stream_key


def stream_of_shown(dataset: Dataset) -> str:
    """The stream that a log's episodes were drawn from, to draw again what was shown.

    Raises:
        UserError: it was not played by Seedo.
    """
    stream = dataset.job.get("stream")
    if not isinstance(stream, str):
        remedy = "not played by Seedo, so that what was shown cannot be drawn again"
        raise UserError(str(dataset.path), dataset.origin.world, remedy)
    return stream


def shown_again(world: Any, batch: EpisodeBatch, stream: str) -> NDArray[np.float32]:
    """f32[B, S, D], what was shown after every step of a raw world's episodes, flattened.

    Args:
        stream: from which the log's episodes were drawn.
    """
    raw = _again(
        world, stream_key(batch.origin.seed, stream), jnp.asarray(batch.episode_id, jnp.int32),
        jnp.asarray(batch.target, jnp.int32), jnp.asarray(np.nan_to_num(batch.value)),
    )  # fmt: skip
    return np.asarray(raw).reshape(*batch.target.shape, -1)


@eqx.filter_jit
def _again(world: Any, key: Any, indices: Any, target: Any, value: Any) -> Any:
    def one(index: Any, target: Any, value: Any) -> Any:
        setup = set_up(world, jax.random.fold_in(key, index))

        def onward(state: Any, step: Any) -> Any:
            t, i, v = step
            after = world.step(setup.task, state, Action(i, v), noise_at(world, setup, t))[0]
            return after, world.shown(after)

        steps = (jnp.arange(len(target)), target, value)
        return jax.lax.scan(onward, world.reset(setup.task, setup.noise_key), steps)[1]

    return jax.vmap(one)(indices, target, value)


def shown_had(
    world: Any,
    batch: EpisodeBatch,
    stream: str,
    at: tuple[int, int],
    held: NDArray[np.float64],
) -> NDArray[np.float32]:
    """f32[D], what a step of a raw world would have shown, had variables been held; flattened, and
    without the noise of what is shown. All other noise is the step's own.

    Args:
        stream: from which the log's episodes were drawn.
        at: the episode's position in the batch, and the step's in the episode.
        held: float64[n], what each variable would have been set to; NaN: left alone.
    """
    row, step = at
    key = stream_key(batch.origin.seed, stream)
    setup = set_up(world, jax.random.fold_in(key, jnp.int32(batch.episode_id[row])))
    noise = noise_at(world, setup, step)
    drawn = world.shown_had(setup.task.system, jnp.asarray(held, jnp.float32), noise)
    return np.asarray(drawn, np.float32).reshape(-1)
