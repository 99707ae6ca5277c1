"""Whether hidden common causes are noticed when observations meet experiments."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from time import perf_counter
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from seedo.episodes import EXPLORE, OBSERVE, Dataset, EpisodeBatch
from seedo.experimenters import scripted
from seedo.inference import GraphPrior, KnownNoise, NoiseModel, UnknownNoise
from seedo.inference.exact import find_conflicts
from seedo.inference.scores import fuse
from seedo.statistics import share
from seedo.studies._study import Say, Work
from seedo.tables import Table
from seedo.worlds import DagConfig, DagWorld, Draw, configure

MODELS: dict[str, NoiseModel] = {"known noise": KnownNoise(), "unknown noise": UnknownNoise()}
MAX_PARENTS = 2


@dataclass(frozen=True)
class Hidden:
    """Hidden roots, and the size of their effect on each of two visible variables.

    They and all noises have variance 1: alone, an effect of 2 correlates two variables by 0.8.
    """

    roots: int
    effect: float

    @property
    def label(self) -> str:
        return f"{self.roots}x{self.effect:g}" if self.roots else "none"


@dataclass(frozen=True)
class Sizes:
    """Which systems are looked at, how many of each, and with how much data."""

    hidden: tuple[Hidden, ...]
    observations: tuple[int, ...]
    repeats: tuple[int, ...]
    episodes: int


class HiddenCauseWorld(DagWorld):
    """World `dag` in which effects of hidden roots all have one size; signs stay random."""

    name = "dag-hidden"

    def __init__(self, config: DagConfig, effect: float) -> None:
        super().__init__(config)
        self._effect = effect

    def config(self) -> dict[str, Any]:
        return super().config() | {"hidden_effect": self._effect}

    def draw(self, key: PRNGKeyArray) -> Draw:
        task = super().draw(key)
        weights = task.system.weights
        visible = jnp.arange(len(weights))[:, None] < self.settings.n
        weights = jnp.where(visible, weights, self._effect * jnp.sign(weights))
        return task._replace(system=task.system._replace(weights=weights))


def flagged_shares(work: Work[Any], sizes: Sizes, n: int) -> dict[str, dict[str, Any]]:
    """Share of systems in which `Conflicts.contradicted`, by setting and noise model.

    The logs hold the most data; fewer observations or repeats are their beginning.

    Returns:
        By "hidden/observations/repeats/model": `share` with Wilson's 95 % interval (`low`, `high`,
        `n`), and the share in which a single effect was contradicted (`by_pair`).
    """
    found: dict[str, dict[str, Any]] = {}
    most, repeats = max(sizes.observations), max(sizes.repeats)
    for hidden in sizes.hidden:
        config = configure(
            split="longer", n=n, observations=most, experiments=n * repeats,
            confounders=hidden.roots, max_parents=MAX_PARENTS,
        )  # fmt: skip
        dataset = work.played(
            HiddenCauseWorld(config, hidden.effect), scripted("shuffled+random"), sizes.episodes,
            f"hidden/{hidden.label}",
        )  # fmt: skip
        question = {"sizes": asdict(sizes), "seed": work.seed, "hidden": hidden.label, "n": n}
        answer = partial(_shares, dataset, sizes, hidden, work.say)
        found |= work.numbers(f"hidden/{hidden.label}.json", question, answer)
    return found


def _shares(dataset: Dataset, sizes: Sizes, hidden: Hidden, say: Say) -> dict[str, dict[str, Any]]:
    batch = dataset.read(without=dataset.optional)
    found = {}
    for seen, repeats, model in product(sizes.observations, sizes.repeats, MODELS):
        start = perf_counter()
        flags = np.array([
            _flags(batch, e, seen, repeats, model) for e in range(batch.rows)
        ])  # fmt: skip
        flagged, by_pair = flags.sum(0).tolist()
        own = share(flagged, len(flags))
        found[f"{hidden.label}/{seen}/{repeats}/{model}"] = {
            "share": own.value, "low": own.low, "high": own.high, "n": own.n,
            "by_pair": by_pair / len(flags),
        }  # fmt: skip
        rate = batch.rows / (perf_counter() - start)
        say(
            f"hidden causes {hidden.label}, {seen} observations, {repeats} experiments a variable, "
            f"{model}: {flagged / len(flags):.2f} flagged ({rate:.0f} tables/s)"
        )
    return found


def _flags(
    batch: EpisodeBatch, episode: int, seen: int, repeats: int, model: str
) -> tuple[bool, bool]:
    """Whether anything, and whether any pair, speaks of a conflict."""
    phase = batch.phase[episode]
    passive = np.flatnonzero(phase == OBSERVE)[:seen]
    # Every variable comes once before any comes again: the first n r set each r times.
    active = np.flatnonzero(phase == EXPLORE)[: batch.n * repeats]
    steps = np.concatenate([passive, active])
    table = Table.from_rows(
        batch.origin.variables, batch.outcome[episode, steps], batch.target[episode, steps]
    )
    prior = GraphPrior(batch.n, min(MAX_PARENTS, batch.n - 1))
    conflicts = find_conflicts(fuse(table, MODELS[model], prior))
    return conflicts.contradicted, any(pair.contradicted for pair in conflicts.pairs)
