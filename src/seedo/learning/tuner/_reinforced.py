"""Training the tuner by reward instead: it plays campaigns itself, on the same simulated systems.

The comparison that the claim about watching needs: the same network, the same systems, as many
passes through the network. Policy gradients (REINFORCE, Williams 1992), with the mean of the other
campaigns on the same system and start as the baseline (Kool et al. 2019).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy import special

from seedo.experimenters.proposers.tuner import (
    Question,
    Weights,
    promise,
    sharpness,
)
from seedo.learning.tuner._lessons import ASKED, System, draw_system, scaled, wide

FIRST, CHOSEN = 5, 20
"""Runs at random, and runs that the network chooses, of a campaign."""
ROLLOUTS = 4
"""Campaigns on one system, which start alike."""
_TAUGHT = 4
"""Choices of a campaign that slopes are taken of."""
PASSES = ROLLOUTS * (CHOSEN + 3 * _TAUGHT)
"""Through the network, for one system; slopes count as two more."""
PASSES_WATCHING = 3 * ASKED
"""The same where it learns by watching."""


class Campaigns(NamedTuple):
    """S systems of M settings of D knobs, as a campaign meets them.

    Attributes:
        unit, rank: f32[S, M, D]; kind: i32[S, D]; live: f32[S, D]; mixture: f32[S]: see `Question`.
        truth: f32[S, M], from 0 for the worst to 1 for the best.
        noise: f32[S], standard deviation of what is read.
        first: i32[S, FIRST], settings of the first runs.
        luck: f32[S, ROLLOUTS, FIRST + CHOSEN], standard normal, of what is read; the same in the
            first runs of all campaigns.
        key: u32[S, 2], of choices.
    """

    unit: Any
    rank: Any
    kind: Any
    live: Any
    mixture: Any
    truth: Any
    noise: Any
    first: Any
    luck: Any
    key: Any


def draw_campaigns(
    systems: int, settings: int, most_knobs: int, rng: np.random.Generator, without: str = ""
) -> Campaigns:
    """Campaigns on random systems."""
    drawn = (draw_system(settings, most_knobs, rng, without) for _ in range(systems))
    each = [_campaign(system, most_knobs, rng) for system in drawn]
    return Campaigns(*(np.stack(field) for field in zip(*each, strict=True)))


def _campaign(system: System, most_knobs: int, rng: np.random.Generator) -> Campaigns:
    count, width = system.settings.shape
    unit, rank = (wide(a, most_knobs).astype(np.float32) for a in scaled(system.settings))
    kind = np.zeros(most_knobs, np.int32)
    kind[:width] = system.knobs.kinds
    low, span = system.truth.min(), np.ptp(system.truth) + 1e-9
    luck = rng.normal(size=(ROLLOUTS, FIRST + CHOSEN))
    luck[:, :FIRST] = luck[0, :FIRST]
    single = np.float32
    return Campaigns(
        unit, rank, kind, (np.arange(most_knobs) < width).astype(single),
        single(system.knobs.mixture), ((system.truth - low) / span).astype(single),
        single(system.noise / span), rng.choice(count, FIRST, replace=False).astype(np.int32),
        luck.astype(single), rng.integers(2**32, size=2, dtype=np.uint32),
    )  # fmt: skip


def reward_loss(weights: Weights, campaigns: Campaigns) -> tuple[Any, tuple[Any, Any]]:
    """What lowers regret when it is lowered, and (regret in the end, its mean over the campaign),
    in shares of the range of outcomes; means over systems."""
    loss, last, mean = jax.vmap(lambda campaign: _about_system(weights, campaign))(campaigns)
    return loss.mean(), (last.mean(), mean.mean())


def _about_system(weights: Weights, c: Campaigns) -> tuple[Any, Any, Any]:
    fixed = jax.lax.stop_gradient(weights)
    keys = jax.random.split(jax.random.wrap_key_data(c.key), ROLLOUTS + 1)
    chosen, read = jax.vmap(lambda key, luck: _played(fixed, c, key, luck))(keys[:-1], c.luck)
    best = jax.lax.cummax(c.truth[chosen], axis=1)[:, FIRST:]
    regret = 1 - best  # [ROLLOUTS, CHOSEN]
    still = jnp.cumsum(regret[:, ::-1], axis=1)[:, ::-1] / CHOSEN
    others = (still.sum(0) - still) / (ROLLOUTS - 1)
    advantage = others - still
    steps = jax.random.choice(keys[-1], CHOSEN, (_TAUGHT,), replace=False)

    def taught(chosen: Any, read: Any, advantage: Any, step: Any) -> Any:
        said = jax.nn.log_softmax(_logits(weights, c, chosen, read, FIRST + step))
        return -advantage[step] * said[chosen[FIRST + step]]

    by_step = jax.vmap(taught, (None, None, None, 0))
    losses = jax.vmap(by_step, (0, 0, 0, None))(chosen, read, advantage, steps)
    return losses.mean(), regret[:, -1].mean(), regret.mean()


def _played(weights: Weights, c: Campaigns, key: Any, luck: Any) -> tuple[Any, Any]:
    """One campaign: settings i32[FIRST + CHOSEN], and what was read there."""

    def step(state: tuple[Any, Any], t: Any) -> tuple[tuple[Any, Any], None]:
        chosen, read = state
        logits = _logits(weights, c, chosen, read, t)
        i = jax.random.categorical(jax.random.fold_in(key, t), logits)
        return (chosen.at[t].set(i), read.at[t].set(c.truth[i] + c.noise * luck[t])), None

    rest = jnp.zeros(CHOSEN, jnp.int32)
    chosen = jnp.concatenate([c.first, rest])
    read = c.truth[chosen] + c.noise * luck
    when = jnp.arange(FIRST, FIRST + CHOSEN)
    return jax.lax.scan(step, (chosen, read), when)[0]


def _logits(weights: Weights, c: Campaigns, chosen: Any, read: Any, t: Any) -> Any:
    """Of the choice after t runs, f32[M]; never a setting that was run."""
    known = jnp.arange(FIRST + CHOSEN) < t
    sharp = jnp.asarray(_SHARP)[t - FIRST]
    question = Question(
        c.unit[chosen], c.rank[chosen], read, known.astype(read.dtype),
        c.unit, c.rank, c.kind, c.live, c.mixture, sharp,
    )  # fmt: skip
    count = len(c.truth)
    taken = jnp.zeros(count, bool).at[jnp.where(known, chosen, count)].set(True, mode="drop")
    return jnp.where(taken, -1e9, promise(weights, question, jnp, special))


_SHARP = np.array([sharpness(CHOSEN - t) for t in range(CHOSEN)], np.float32)
