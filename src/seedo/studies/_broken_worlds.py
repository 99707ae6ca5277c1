"""World `dag` with its assumptions broken by degrees; one compiled program for all degrees.

The same key gives the same graph, weights, noise and hidden variables at every degree, so that
degrees are compared on the same systems.
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from seedo.episodes import Dataset, DatasetWriter
from seedo.errors import UserError
from seedo.experimenters import Scripted
from seedo.play import Setup, origin, rollout_on, set_up
from seedo.worlds import DagConfig, DagWorld, Draw, draw_noise, stream_key

MOST_HIDDEN = 4
Span = tuple[float, float]


@dataclass(frozen=True)
class Degrees:
    """How far each assumption is broken: (lowest, highest), drawn anew for every system.

    Attributes:
        bend: b of x -> max(x, 0) + (1 - 2 b) min(x, 0), which variables with parents put their
            sum of parents and noise through: 0 is linear, 0.5 a ReLU, 1 the absolute value.
        hidden: number of hidden roots, each a cause of two visible variables with N(0, 1) weights.
        noise: factor of the noise variance, drawn uniformly in its logarithm.
        lead: probability that variable A is made the one that moves the others most, by swapping
            names; 0: names mean nothing.
    """

    bend: Span = (0.0, 0.0)
    hidden: Span = (0, 0)
    noise: Span = (1.0, 1.0)
    lead: Span = (0.0, 0.0)

    def __post_init__(self) -> None:
        limits = {"bend": (0, 1), "hidden": (0, MOST_HIDDEN), "noise": (1e-6, 1e6), "lead": (0, 1)}
        for field in fields(self):
            low, high = getattr(self, field.name)
            least, most = limits[field.name]
            if not least <= low <= high <= most:
                raise UserError(field.name, (low, high), f"use two numbers from {least} to {most}")


class BentSystem(NamedTuple):
    """`worlds.System` with the bend of its mechanisms."""

    weights: Float[Array, "N N"]
    noise_scale: Float[Array, " N"]
    bend: Float[Array, ""]
    second: None = None


class BrokenWorld(DagWorld):
    """See the module's docstring.

    Args:
        degrees: how far assumptions are broken.
        draws: noise draws, half of them mirror images, behind expectations; even.
        options: fields of `DagConfig`; split `longer` (all graphs) unless given.
    """

    name = "dag-broken"

    def __init__(self, degrees: Degrees, draws: int = 512, **options: Any) -> None:
        given = {"split": "longer", "experiments": options.get("n", 5)} | options
        super().__init__(DagConfig(**given, confounders=MOST_HIDDEN))
        self.degrees, self.draws = degrees, draws
        self.spans: Any = asdict(degrees)

    def config(self) -> dict[str, Any]:
        own = {name: list(span) for name, span in asdict(self.degrees).items()}
        return super().config() | {"mechanism": "bent", "draws": self.draws, "broken": own}

    def draw(self, key: PRNGKeyArray) -> Draw:
        key_task, *keys = jax.random.split(key, 6)
        task = super().draw(key_task)
        n, spans = self.settings.n, self.spans

        def drawn(key: PRNGKeyArray, span: Any) -> Array:
            return jax.random.uniform(key, minval=span[0], maxval=span[1])

        bend = drawn(keys[0], spans["bend"])
        low, high = (jnp.asarray(x, jnp.int32) for x in spans["hidden"])
        count = jax.random.randint(keys[1], (), low, high + 1)
        factor = jnp.exp(drawn(keys[2], jnp.log(jnp.asarray(spans["noise"]))))
        present = jnp.arange(n + MOST_HIDDEN) < n + count
        system: Any = BentSystem(
            jnp.where(present[:, None], task.system.weights, 0.0),
            task.system.noise_scale * jnp.sqrt(factor),
            bend,
        )
        leads = jax.random.uniform(keys[4]) < drawn(keys[3], spans["lead"])
        names = self._names(system, leads)
        place = jnp.concatenate([names, jnp.arange(n, n + MOST_HIDDEN)])
        weights = system.weights[place[:, None], place]
        goals = jnp.argsort(names)[task.goals]  # noise scales are equal, so they need no swap
        return Draw(system._replace(weights=weights), task.relevant, goals)

    def _names(self, system: Any, leads: Array) -> Int[Array, " n"]:
        """Which variable each name goes to."""
        n = self.settings.n
        others = ~jnp.eye(n, dtype=bool)
        moved = jnp.where(others, jnp.ptp(self.expected(system), axis=1), 0.0).sum(1)
        first = jnp.where(leads, jnp.argmax(moved), 0)
        own = jnp.arange(n)
        return jnp.where(own == 0, first, jnp.where(own == first, 0, own))

    def outcome(self, system: Any, target: Array, value: Array, key: PRNGKeyArray) -> Any:
        n = self.settings.n
        noise = draw_noise(key, (n + MOST_HIDDEN,), self.settings.noise_family)
        return bent(system, noise, jnp.arange(n) == target, value[None])

    def expected(self, system: Any) -> Float[Array, "n V n"]:
        """Mean of `draws` antithetic draws; exact where nothing bends, for noises cancel."""
        c = self.settings
        half = draw_noise(jax.random.key(0), (self.draws // 2, c.n + MOST_HIDDEN), c.noise_family)
        noise = jnp.concatenate([half, -half])

        def one(i: Array, value: Array) -> Array:
            return bent(system, noise, jnp.arange(c.n) == i, value).mean(0)

        values = jnp.asarray(c.do_values)
        over_values = jax.vmap(one, in_axes=(None, 0))
        return jax.vmap(over_values, in_axes=(0, None))(jnp.arange(c.n), values)


class Range:
    """Runs of one player at many degrees, on the same systems, without compiling anew for each.

    Args:
        player: explores and exploits everywhere. options: of `BrokenWorld`, beside the degrees.
    """

    def __init__(self, player: Scripted, **options: Any) -> None:
        self.player, self._options = player, options
        self._world = BrokenWorld(Degrees(), **options)

    def played(self, degrees: Degrees, count: int, seed: int, folder: Path) -> Dataset:
        """A run in one shard, with systems: finished, or found in its folder."""
        world = BrokenWorld(degrees, **self._options)
        source = origin(world, self.player.name, seed)
        job = {"task": "perform", "agent": self.player.name, "stream": "perform", "seed": seed}
        with DatasetWriter(folder, source, count, count, job, resume=True) as writer:
            if (shard := writer.next_shard) is not None:
                spans = jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), asdict(degrees))
                key, index = stream_key(seed, "perform"), jnp.arange(count)
                played = rollout_on(
                    self._world, self.player, _stages(self._world, spans, key, index)
                )
                columns = jax.tree.map(np.asarray, played)
                batch = world.to_log(source, np.arange(count), columns, systems=True)
                writer.write(shard, batch)
        return Dataset(folder)


@partial(jax.jit, static_argnums=0)
def _stages(world: BrokenWorld, spans: Any, key: PRNGKeyArray, index: Int[Array, " B"]) -> Setup:
    own = copy.copy(world)
    own.spans = spans
    return jax.vmap(lambda i: set_up(own, jax.random.fold_in(key, i)))(index)


def bent(
    system: Any, noise: Float[Array, "*draws N"], clamped: Array, value: Array
) -> Float[Array, "*draws n"]:
    """Values of the visible variables with those `clamped` held at `value`.

    Hidden variables are roots, so they are settled at once; the visible equations are iterated n
    times from zero, after which a DAG has settled whatever its order.
    """
    n = clamped.shape[-1]
    weights = system.weights
    noise = noise * system.noise_scale
    drive = noise[..., :n] + noise[..., n:] @ weights[n:, :n]
    root = ~(weights[:, :n] != 0).any(axis=0)
    among = weights[:n, :n]
    x = jnp.zeros_like(drive)
    for _ in range(n):
        total = drive + x @ among
        bowed = jnp.maximum(total, 0) + (1 - 2 * system.bend) * jnp.minimum(total, 0)
        x = jnp.where(clamped, value, jnp.where(root, total, bowed))
    return x
