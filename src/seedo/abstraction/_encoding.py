"""Learning to read variables off what is shown, from which knob was set to what.

Whatever a knob sets has, in the steps where it is set, the value that it is set to, while all else
varies: to find the value in what is shown is to find the variable (a perfect intervention with a
known target; Ahuja et al. 2023, Squires et al. 2023, von Kügelgen et al. 2023 say when such are
enough). A decoder back to what is shown makes sure that what knobs set is all that is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from seedo.abstraction._shown import Shown
from seedo.learning import principal
from seedo.worlds.raw import Encoder, perceptron

WIDTH = 128
_BACK = 256
"""Width of the decoder: what variables look like may bend more often than what is read of them."""
_DECODING = 0.3
"""Weight of the decoder's loss beside that of the knobs' values."""
_NEAR = 0.05
"""Errors of a knob's value, in standard deviations, up to which they count squared and beyond which
as they are: where pictures saturate values can hardly be read, and would outweigh all others."""


def fitted(
    shown: Shown,
    further: int,
    updates: int,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> Encoder:
    """An encoder of the knobs' variables and of `further` ones that no knob sets.

    Args:
        shown: steps to learn from; every knob is set in some.
        updates: steps of Adam, on 256 steps of episodes each.
        progress: called with the updates so far.
    """
    rng = np.random.default_rng([seed, further])
    centre, components, spread = principal(shown.raw, rng)
    x = ((shown.raw - centre) @ components / spread).astype(np.float32)
    told = np.isfinite(shown.set_to)
    mean = np.array([shown.set_to[told[:, k], k].mean() for k in range(told.shape[1])])
    scale = np.array([shown.set_to[told[:, k], k].std() for k in range(told.shape[1])])
    mean, scale = np.append(mean, np.zeros(further)), np.append(scale, np.ones(further))
    mean, scale = mean.astype(np.float32), np.where(scale > 0, scale, 1).astype(np.float32)
    count = len(mean)
    known = np.concatenate([shown.set_to, np.full((len(x), further), np.nan)], axis=1)
    target = np.nan_to_num((known - mean) / scale).astype(np.float32)
    weight = np.isfinite(known).astype(np.float32)
    back = [count, _BACK, _BACK, x.shape[1]]
    parts = {"layers": _drawn([x.shape[1], WIDTH, WIDTH, count], rng), "back": _drawn(back, rng)}
    share = spread**2 / (spread**2).sum()
    parts = _trained(parts, x, target, weight, share.astype(np.float32), updates, rng, progress)
    fixed = [jnp.asarray(a, jnp.float32) for a in (centre, components, spread, mean, scale)]
    return Encoder._make([*fixed, parts["layers"], parts["back"], None])


def _drawn(sizes: list[int], rng: np.random.Generator) -> list[tuple[Any, Any]]:
    return [
        (
            jnp.asarray(rng.normal(size=(a, b)) / np.sqrt(a), jnp.float32),
            jnp.zeros(b, jnp.float32),
        )
        for a, b in pairwise(sizes)
    ]


def _trained(
    parts: dict[str, Any],
    x: NDArray[np.float32],
    target: NDArray[np.float32],
    weight: NDArray[np.float32],
    share: NDArray[np.float32],
    updates: int,
    rng: np.random.Generator,
    progress: Callable[[int], None] | None,
) -> dict[str, Any]:
    rate = optax.cosine_decay_schedule(2e-3, updates)
    adam = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate))
    moments = adam.init(parts)
    arrays = tuple(jnp.asarray(a) for a in (x, target, weight))
    done, at_once = 0, 250
    while done < updates:
        number = min(at_once, updates - done)
        rows = jnp.asarray(rng.integers(len(x), size=(at_once, 256)), jnp.int32)
        parts, moments = _some(adam.update, parts, moments, arrays, share, rows, number)
        done += number
        if progress:
            progress(done)
    return parts


@partial(jax.jit, static_argnums=0)
def _some(
    update: Any, parts: Any, moments: Any, arrays: Any, share: Any, rows: Any, number: Any
) -> Any:
    def loss(parts: Any, some: Any) -> Any:
        x, target, weight = (a[some] for a in arrays)
        found = perceptron(parts["layers"], x)
        off = (weight * _size(found - target)).sum() / jnp.maximum(weight.sum(), 1.0)
        again = perceptron(parts["back"], found)
        return off + _DECODING * (((again - x) ** 2) * share).sum(-1).mean()

    def one(i: Any, now: Any) -> Any:
        parts, moments = now
        change, moments = update(jax.grad(loss)(parts, rows[i]), moments, parts)
        return optax.apply_updates(parts, change), moments

    return jax.lax.fori_loop(0, number, one, (parts, moments))


def _size(off: Any) -> Any:
    """Smooth absolute errors (pseudo-Huber: Charbonnier et al. 1997), of slope 2 far out."""
    return 2 * _NEAR * (jnp.sqrt(1 + (off / _NEAR) ** 2) - 1)


def unexplained(encoder: Encoder, raw: NDArray[np.float32]) -> float:
    """The share of the components' variance that is not found again from the variables."""
    x = encoder.reduced(jnp.asarray(raw))
    again = perceptron(encoder.back, perceptron(encoder.layers, x))
    share = encoder.spread**2
    return float((((again - x) ** 2) * share).sum() / ((x**2) * share).sum())
