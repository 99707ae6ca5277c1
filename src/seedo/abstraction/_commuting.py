"""Whether an intervention and the abstraction commute, where what is shown is simulated.

A system is shown once as it is and once, with the same noise in its mechanisms, with a knob set.
The way below: the knob is set, and what is shown is abstracted. The way above: what is shown is
abstracted, and the knob is set in the abstract system (abduction, action, prediction: Pearl 2009,
section 7.1). An abstraction is exact if both ways end alike (Rubenstein et al. 2017; Beckers &
Halpern 2019). What the way above ends in is shown again, too: a counterfactual picture.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from seedo import play
from seedo.abstraction._errors import root_mean_square
from seedo.statistics import Estimate, missing, share
from seedo.worlds import stream_key
from seedo.worlds.raw import Encoder

SYSTEMS = 256
SIZE = 2.0
"""What knobs are set to: about a standard deviation, either way."""
_UNSTEADY = "what is shown varies by itself: no two showings are alike"


class Commuting(NamedTuple):
    """How far the two ways end apart, over systems that were never watched.

    Attributes:
        error: root mean squared difference between both ways, of variables that the knob did not
            set, per standard deviation of the variable.
        beyond: share of systems of which some value that is found lies beyond all that knobs were
            set to where it was learnt: there it guesses. within: the error over the others.
        correlation: lowest over variables of that between what is read and what is so.
        picture: root mean squared difference between the counterfactual and what would have been
            shown, without noise, per number shown.
        noise: standard deviation of the noise of what is shown. contrast: standard deviation of
            what is shown, over systems; of log lines, of the numbers that they always tell.
    """

    error: Estimate
    within: Estimate
    beyond: Estimate
    correlation: float
    picture: Estimate
    noise: float
    contrast: float

    def to_json(self) -> dict[str, Any]:
        return {
            "error": self.error.to_json(),
            "within": self.within.to_json(),
            "beyond": self.beyond.to_json(),
            "correlation": self.correlation,
            "picture": self.picture.to_json(),
            "noise": self.noise,
            "contrast": self.contrast,
        }


def commuting(
    world: Any, encoder: Encoder, learnt: tuple[float, float], seed: int
) -> Commuting | None:
    """Test on systems of the world; None where its mechanism is not linear.

    Args:
        learnt: the least and the most that knobs were set to where the encoder was learnt.
    """
    if world.settings.mechanism != "linear":
        return None
    key = stream_key(seed, "commuting")
    still, below, above, truth, clean, again = map(
        np.asarray, _both_ways(world, encoder, key, jnp.arange(SYSTEMS))
    )  # [B, n, n] of knob and variable; of knob and number shown; still: [B, 1, n]
    n = world.spec.n
    spread = below.std(axis=(0, 1))
    other = ~np.eye(n, dtype=bool)
    squares = (((below - above) / spread) ** 2)[:, other].mean(axis=1)
    found = np.concatenate([still, below, above], axis=1)
    guessed = ((found < learnt[0]) | (found > learnt[1])).any(axis=(1, 2))
    read, so = below.reshape(-1, n), truth.reshape(-1, n)
    correlations = [np.corrcoef(read[:, k], so[:, k])[0, 1] for k in range(n)]
    within, pictures = missing("no system of the kind"), missing(_UNSTEADY)
    if not guessed.all():
        within = root_mean_square(squares[~guessed])
    if world.drawing.steady:
        pictures = root_mean_square(((again - clean) ** 2).mean(axis=(1, 2)))
    return Commuting(
        root_mean_square(squares), within, share(int(guessed.sum()), SYSTEMS),
        float(min(correlations)), pictures, float(world.shows["raw_noise"]),
        float(np.nanmean(clean.std(axis=(0, 1)))),
    )  # fmt: skip


@eqx.filter_jit
def _both_ways(world: Any, encoder: Encoder, key: Any, indices: Any) -> Any:
    n = world.spec.n

    def one(index: Any) -> Any:
        own = jax.random.fold_in(key, index)
        setup = play.set_up(world, own)
        system, mechanism, seen = setup.task.system, jax.random.fold_in(own, 1), setup.player_key
        weights = system.weights[:n, :n]

        def shown(x: Any, number: int) -> Any:
            drawing, key = world.drawing, jax.random.fold_in(seen, number)
            own = jax.random.fold_in(seen, 100 + number)
            noisy = drawing.noisy(x, key, own, world.shows["raw_noise"])
            return drawing.numbers(drawing.draw(x, key)), drawing.numbers(noisy)

        still = world.outcome(system, jnp.int32(-1), jnp.float32(0.0), mechanism)
        read = encoder(shown(still, 0)[1])
        noise = read - read @ weights
        ends = []
        for knob in range(n):
            value = jnp.where(knob % 2 == 0, SIZE, -SIZE)
            x = world.outcome(system, jnp.int32(knob), value, mechanism)
            clean, raw = shown(x, 1 + knob)
            cut = weights.at[:, knob].set(0.0)
            forced = noise.at[knob].set(value)
            above = jnp.linalg.solve(jnp.eye(n) - cut.T, forced)
            ends.append((encoder(raw), above, x, clean, encoder.shown(above)))
        return read[None], *jax.tree.map(lambda *a: jnp.stack(a), *ends)

    return jax.vmap(one)(indices)
