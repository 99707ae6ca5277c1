"""Learning world `dag` by reinforcement, from an agent or afresh: the recipe, and what a round
of it does."""

from __future__ import annotations

import hashlib
import json
import math
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from seedo.episodes import DatasetWriter, EpisodeBatch, Origin
from seedo.learning._agent import Agent, Provenance
from seedo.learning._dag_ppo import (
    LOSSES,
    Played,
    Practice,
    Weights,
    floats,
    improve,
    make_gradient,
    make_play,
    part_size,
    practice,
    returns,
)
from seedo.learning._find import load_agent
from seedo.learning._job import State, short
from seedo.learning._networks import Architecture, Network, architecture, build
from seedo.learning._reinforcement import Rounds
from seedo.learning._rooms_ppo import adam
from seedo.learning._weights import to_bytes
from seedo.recipes import FineTuning
from seedo.worlds import DagWorld, stream_key

OWN = "own"
"""Folder, in the agent's, of the episodes it has played; and their provenance."""


def _first(world: DagWorld, recipe: FineTuning) -> tuple[Network, Architecture]:
    if recipe.start is not None:
        agent = load_agent(recipe.start)
        agent.check(world.spec)
        return agent.network, agent.architecture
    spec = world.spec
    kind = recipe.network or "equivariant"
    plan = architecture(kind, spec.do_values, spec.n, spec.steps, dict(recipe.widths))
    return build(plan, recipe.seed), plan


class DagReinforcement(Rounds):
    """Rounds of playing and learning, each on all cores.

    The last bits of the result depend on the number of cores. Rows: `steps` and `episodes` so far;
    since the line before, `mean_return`, `return_ratio` (to the omniscient), the losses, `anchor`
    (KL to the agent started from; 0 where it has no weight), and `steps_per_second`. The episodes
    are kept in `own/`, provenance `own`.
    """

    watched = LOSSES

    def __init__(self, world: DagWorld, out: Path, recipe: FineTuning) -> None:
        super().__init__(world, recipe, recipe.tasks * recipe.players * world.spec.steps)
        self.out = out
        self.first, self.architecture = _first(world, recipe)
        if recipe.start is not None:
            self.job["start_sha256"] = hashlib.sha256(to_bytes(self.first)).hexdigest()
        self.log: DatasetWriter | None = None

    def start(self) -> State:
        return State(self.first, adam().init(eqx.filter(self.first, eqx.is_array)))

    def begin(self, state: State, done: int, rows: list[str]) -> State:
        recipe = self.recipe
        self.key = stream_key(recipe.seed, OWN)
        self.anchor = self.first if recipe.anchor_weight else None
        alone = jax.default_backend() != "cpu"
        self.workers = 1 if alone else math.gcd(os.cpu_count() or 1, recipe.tasks)
        self.pool = ThreadPoolExecutor(self.workers)
        self.size, own = floats(self.first, self.world), recipe.tasks // self.workers
        fitting = part_size(own * recipe.players, self.size) // recipe.players
        tasks = max(d for d in range(1, own + 1) if own % d == 0 and d <= max(1, fitting))
        self.play = make_play(self.world, recipe.players, tasks)
        # As arrays: other weights do not make another program.
        self.weights = Weights(
            *map(jnp.asarray, (recipe.clip, recipe.entropy_weight, recipe.anchor_weight))
        )
        self.log = self._log()
        return state

    def end(self) -> None:
        if self.log is not None:
            self.log.close()
        self.pool.shutdown()

    def step(self, state: State, number: int, fraction: float) -> tuple[State, Any]:
        played = self.played(state.network, number)
        state, losses = self.learnt(state, played, number, self.rate(fraction))
        return state, (played, losses)

    def row(
        self, state: State, figures: list[Any], done: int, seconds: float, last: bool
    ) -> dict[str, Any]:
        batch = self._episodes([played for played, _ in figures], done - 1)
        if self.log is not None and self.log.next_shard == self._shard(done - 1):
            self.log.write(self._shard(done - 1), batch)
        best, mean = float(batch.oracle_return.mean()), float(batch.returns.mean())
        losses = np.mean([found for _, found in figures], axis=0)
        return {
            "steps": done * self.per_round,
            "episodes": done * self.recipe.tasks * self.recipe.players,
            "mean_return": short(mean),
            "return_ratio": short(mean / best) if best > 0 else 0.0,
            **{name: short(x) for name, x in zip(LOSSES, losses, strict=True)},
            "steps_per_second": self.speed(len(figures), seconds),
        }

    def told(self, row: dict[str, Any]) -> str:
        return f"return ratio {row['return_ratio']:.3f}, {row['steps_per_second']:,} steps/s"

    def record(self, row: dict[str, Any]) -> dict[str, Any]:
        training = super().record(row)
        training["recipe"] = {
            k: v for k, v in self.job.items() if k not in ("method", "world_config")
        }
        if self.recipe.start is not None:
            training["start"] = load_agent(self.recipe.start).training
        return training

    # -- one round ------------------------------------------------------------------------------

    def played(self, network: Network, number: int) -> Played:
        """The episodes of a round, [tasks, players], as NumPy arrays; every core plays a share."""
        tasks = self.recipe.tasks
        own = tasks // self.workers
        starts = range(number * tasks, (number + 1) * tasks, own)

        agent = Agent(network, self.architecture, Provenance("ppo"), greedy=False)

        def share(start: int) -> Any:
            indices = jnp.arange(start, start + own)
            return jax.tree.map(np.asarray, self.play(agent, self.key, indices))

        shares = list(self.pool.map(share, starts))
        return jax.tree.map(lambda *a: np.concatenate(a), *shares)

    def learnt(
        self, now: State, played: Played, number: int, rate: float
    ) -> tuple[State, np.ndarray]:
        """The state after learning from a round, and the mean losses."""
        recipe = self.recipe
        rng = np.random.default_rng([recipe.seed, number])
        batch = practice(played, recipe.reward, recipe.learnt, recipe.share, rng)
        rows, losses = len(batch.weight), []
        count = min(recipe.minibatches, rows)
        for _ in range(recipe.epochs):
            for chosen in np.array_split(rng.permutation(rows), count):
                own = batch.take(chosen)
                own = own._replace(weight=own.weight / own.weight.sum())
                *after, parts = improve(self._gradients(now, own), *now, jnp.asarray(rate))
                now = State(*after)
                losses.append(parts)
        return now, np.mean([np.asarray(x) for x in losses], axis=0)

    def _gradients(self, now: State, batch: Practice) -> list[Any]:
        """Of a minibatch, in equal shares for the cores; filled up with decisions of no weight."""
        rows = len(batch.weight)
        most = -(-rows // self.workers)
        part = part_size(most, self.size)
        own = -(-most // part) * part
        gradient = make_gradient(part)
        filler = np.arange(self.workers * own) % rows
        full = batch.take(filler)
        full.weight[rows:] = 0.0
        shares = [full.take(slice(i * own, (i + 1) * own)) for i in range(self.workers)]
        return list(
            self.pool.map(
                lambda share: gradient(now.network, self.anchor, share, self.weights), shares
            )
        )

    # -- own episodes ---------------------------------------------------------------------------

    def _kept(self) -> int:
        """Rounds kept, in whole shards: a shard is what a line of metrics.jsonl tells of."""
        wanted = self.total if self.recipe.own_rounds is None else self.recipe.own_rounds
        shards = -(-min(wanted, self.total) // self.every)
        before = max(0, -(-self.total // self.every) - shards)
        return self.total - before * self.every if shards else 0

    def _shard(self, number: int) -> int:
        """Shard that a round belongs to; negative: not kept."""
        return (number - (self.total - self._kept())) // self.every

    def _log(self) -> DatasetWriter | None:
        kept = self._kept()
        if not kept:
            return None
        per = self.recipe.tasks * self.recipe.players
        return DatasetWriter(
            self.out / OWN,
            self._origin(),
            self.every * per,
            kept * per,
            {"task": "learn", "provenance": OWN, **self.job},
            resume=True,
        )

    def _origin(self) -> Origin:
        world = self.world
        return Origin(
            world=world.name,
            world_config=json.dumps(world.config(), sort_keys=True),
            split=world.split,
            seed=self.recipe.seed,
            experimenter="ppo",
            variables=world.spec.variables,
        )

    def _episodes(self, rounds: list[Played], number: int) -> EpisodeBatch:
        """Rounds up to `number` in log form, numbered from the first of the job."""
        flat: Any = jax.tree.map(
            lambda *a: np.concatenate([x.reshape(-1, *x.shape[2:]) for x in a]), *rounds
        )
        count = len(flat.oracle_return)
        last = (number + 1) * self.recipe.tasks * self.recipe.players
        inputs = flat.inputs
        return EpisodeBatch(
            origin=self._origin(),
            episode_id=np.arange(last - count, last),
            phase=inputs.phase,
            target=inputs.target,
            value=np.where(inputs.target < 0, np.nan, inputs.value),
            outcome=inputs.outcome,
            mask=inputs.relevant,
            goal=inputs.goal,
            returns=returns(flat).astype(np.float32),
            oracle_return=flat.oracle_return,
            random_return=flat.random_return,
        )
