"""Fine-tuning an agent of world `dag` by reinforcement: the recipe, and the job."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from seedo import __version__
from seedo.episodes import DatasetWriter, EpisodeBatch, Origin, lock_folder
from seedo.errors import UserError, one_of, whole
from seedo.learning._agent import FORMAT, Agent, count_parameters, load_agent
from seedo.learning._checkpoint import finish, load_checkpoint, prepare, save_checkpoint
from seedo.learning._dag_ppo import (
    LEARNT,
    LOSSES,
    REWARDS,
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
from seedo.learning._networks import Architecture, Network, architecture, build
from seedo.learning._rooms_ppo import adam
from seedo.learning._rooms_reinforcement import MOST_ROWS
from seedo.learning._weights import from_bytes, to_bytes
from seedo.worlds import DagWorld, stream_key

OWN = "own"
"""Folder, in the agent's, of the episodes it has played; and their provenance."""


@dataclass(frozen=True)
class FineTuning:
    """How to learn world `dag` by reinforcement.

    Attributes:
        steps: environment steps in all, those of phase `observe` included; rounded up to whole
            rounds of `tasks` x `players` episodes.
        start: agent to go on from, a folder or `pretrained:NAME`; None: from random weights, of
            `network` (default equivariant) with `widths` in place of its defaults.
        tasks: of a round. players: episodes of each task, for the leave-one-out baseline.
        reward: `expected` is the exact expected goal value of an exploit action, without the noise
            that a person would see; `sampled` the goal value that was seen.
        learnt: decisions that are learnt from: `both`, `explore` or `exploit`.
        share: of these decisions that is drawn to learn from, evenly over each phase.
        epochs: passes over them. minibatches: parts of each pass.
        learning_rate: of Adam, falling linearly to 0.
        clip: by how much the probability of an action may change in a round and still count.
        entropy_weight: of the policy's entropy.
        anchor_weight: of KL(policy | agent started from) beside the advantage, which is in units of
            its standard deviation.
        own_rounds: how many of the last rounds are kept as a dataset, `own/`; None: all.
    """

    steps: int = 1_000_000
    start: str | None = None
    network: str | None = None
    widths: tuple[tuple[str, int], ...] = ()
    tasks: int = 256
    players: int = 8
    reward: str = "expected"
    learnt: str = "both"
    share: float = 0.15
    epochs: int = 1
    minibatches: int = 4
    learning_rate: float = 3e-4
    clip: float = 0.2
    entropy_weight: float = 0.0
    anchor_weight: float = 0.0
    own_rounds: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for field, lowest, highest in (
            ("steps", 1, 10**12),
            ("tasks", 1, 65_536),
            ("players", 2, 4096),
            ("epochs", 1, 100),
            ("minibatches", 1, 4096),
            ("seed", 0, 2**32 - 1),
        ):
            whole(field, getattr(self, field), lowest, highest)
        if self.own_rounds is not None:
            whole("own_rounds", self.own_rounds, 0, 10**12)
        one_of("reward", self.reward, REWARDS)
        one_of("learnt", self.learnt, LEARNT)
        for field in ("share", "clip", "learning_rate", "entropy_weight", "anchor_weight"):
            value = getattr(self, field)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value):
                raise UserError(field, value, "use a finite number")
        if not 0 < self.share <= 1:
            raise UserError("share", self.share, "use a number above 0, up to 1")
        if not 0 < self.clip < 1:
            raise UserError("clip", self.clip, "use a number between 0 and 1")
        if self.learning_rate <= 0:
            raise UserError("learning_rate", self.learning_rate, "use a number above 0")
        for field in ("entropy_weight", "anchor_weight"):
            if getattr(self, field) < 0:
                raise UserError(field, getattr(self, field), "use a number, 0 or more")
        if self.start is not None and (self.network is not None or self.widths):
            given = self.network or dict(self.widths)
            raise UserError("network", given, "the agent to go on from has one: leave it out")
        if self.start is None and self.anchor_weight:
            raise UserError("anchor_weight", self.anchor_weight, "needs an agent to start from")


class FineTuningReport(NamedTuple):
    """What a progress display needs; returns are of the episodes since the last report."""

    fraction: float
    steps: int
    episodes: int
    mean_return: float
    return_ratio: float  # mean return over mean omniscient return
    steps_per_second: float
    seconds_left: float


class _State(NamedTuple):
    network: Network
    optimiser: Any


class _Position(NamedTuple):
    round: int


def fine_tune(
    world: DagWorld,
    out: str | Path,
    recipe: FineTuning,
    *,
    resume: bool = False,
    progress: Callable[[FineTuningReport], None] | None = None,
    checkpoint_seconds: float = 20.0,
) -> Agent:
    """Let an agent play in a world of its own, learn from rewards, and leave an agent folder.

    The result depends on world, recipe and the agent started from (and, in the last bits, on the
    number of cores), however often the job was interrupted. Lines of `metrics.jsonl`: `steps` and
    `episodes` so far; since the line before, `mean_return`, `return_ratio` (to the omniscient), the
    losses, `anchor` (KL to the agent started from; 0 where it has no weight), and
    `steps_per_second`. The episodes are kept in `own/`, provenance `own`.

    Raises:
        UserError: bad settings, an agent that cannot play in the world, an output folder that is
            not this job's, or divergence.
    """
    if not isinstance(world, DagWorld):
        raise UserError("world", getattr(world, "name", world), "this plays in world dag only")
    first, plan = _first(world, recipe)
    out = Path(out)
    settings = asdict(recipe) | {"widths": [list(w) for w in recipe.widths]}
    job = {"method": "ppo", "world": world.name, "world_config": world.config()} | settings
    if recipe.start is not None:
        job["start_sha256"] = hashlib.sha256(to_bytes(first)).hexdigest()
    if prepare(out, json.loads(json.dumps(job)), resume):
        return load_agent(out)
    lock = lock_folder(out)
    try:
        _Job(world, out, recipe, first, plan, job).run(progress, checkpoint_seconds)
    finally:
        os.close(lock)
    return load_agent(out)


def _first(world: DagWorld, recipe: FineTuning) -> tuple[Network, Architecture]:
    if recipe.start is not None:
        agent = load_agent(recipe.start)
        agent.check(world.spec)
        return agent.network, agent.architecture
    spec = world.spec
    kind = recipe.network or "equivariant"
    plan = architecture(kind, spec.do_values, spec.n, spec.steps, dict(recipe.widths))
    return build(plan, recipe.seed), plan


class _Job:
    """One training run: what its rounds have in common."""

    def __init__(
        self,
        world: DagWorld,
        out: Path,
        recipe: FineTuning,
        first: Network,
        plan: Architecture,
        job: dict[str, Any],
    ) -> None:
        self.world, self.out, self.recipe, self.plan, self.job = world, out, recipe, plan, job
        self.key = stream_key(recipe.seed, OWN)
        self.first = first
        self.anchor = first if recipe.anchor_weight else None
        alone = jax.default_backend() != "cpu"
        self.workers = 1 if alone else math.gcd(os.cpu_count() or 1, recipe.tasks)
        self.pool = ThreadPoolExecutor(self.workers)
        size, own = floats(first, world), recipe.tasks // self.workers
        fitting = part_size(own * recipe.players, size) // recipe.players
        tasks = max(d for d in range(1, own + 1) if own % d == 0 and d <= max(1, fitting))
        self.play = make_play(world, recipe.players, tasks)
        self.size = size
        # As arrays: other weights do not make another program.
        self.weights = Weights(
            *map(jnp.asarray, (recipe.clip, recipe.entropy_weight, recipe.anchor_weight))
        )
        self.per_round = recipe.tasks * recipe.players * world.spec.steps
        self.rounds = -(-recipe.steps // self.per_round)
        self.every = max(1, self.rounds // MOST_ROWS)

    # -- one round ------------------------------------------------------------------------------

    def played(self, network: Network, number: int) -> Played:
        """The episodes of a round, [tasks, players], as NumPy arrays; every core plays a share."""
        tasks = self.recipe.tasks
        own = tasks // self.workers
        starts = range(number * tasks, (number + 1) * tasks, own)

        def share(start: int) -> Any:
            indices = jnp.arange(start, start + own)
            return jax.tree.map(np.asarray, self.play(network, self.key, indices))

        shares = list(self.pool.map(share, starts))
        return jax.tree.map(lambda *a: np.concatenate(a), *shares)

    def learnt(
        self, now: _State, played: Played, number: int, rate: float
    ) -> tuple[_State, np.ndarray]:
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
                now = _State(*after)
                losses.append(parts)
        return now, np.mean([np.asarray(x) for x in losses], axis=0)

    def _gradients(self, now: _State, batch: Practice) -> list[Any]:
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

    # -- the whole job --------------------------------------------------------------------------

    def run(
        self, progress: Callable[[FineTuningReport], None] | None, checkpoint_seconds: float
    ) -> None:
        recipe, out = self.recipe, self.out
        now = _State(self.first, adam().init(eqx.filter(self.first, eqx.is_array)))
        rows: list[str] = []
        done = 0
        saved = load_checkpoint(out)
        if saved is not None:
            now = _State(
                from_bytes(saved["weights.safetensors"], now.network, out / "checkpoint"),
                from_bytes(saved["optimizer.safetensors"], now.optimiser, out / "checkpoint"),
            )
            rows = saved["metrics.jsonl"].decode().splitlines()
            done = _Position(**json.loads(saved["state.json"])).round
        began_at, began = done, time.monotonic()
        last_row = last_saved = began
        recent: list[tuple[Played, np.ndarray]] = []
        log = self._log()
        try:
            for number in range(done, self.rounds):
                played = self.played(now.network, number)
                rate = recipe.learning_rate * (1 - number / self.rounds)
                now, losses = self.learnt(now, played, number, rate)
                recent.append((played, losses))
                done = number + 1
                if done % self.every and done < self.rounds:
                    continue
                batch = self._episodes([p for p, _ in recent], number)
                if log is not None and log.next_shard == self._shard(number):
                    log.write(self._shard(number), batch)
                seconds = time.monotonic() - last_row
                last_row = time.monotonic()
                row = self._row(batch, np.mean([x for _, x in recent], axis=0), done)
                row["steps_per_second"] = round(len(recent) * self.per_round / max(seconds, 1e-9))
                recent = []
                if not np.isfinite([row[name] for name in LOSSES]).all():
                    raise UserError(
                        "loss", row["policy_loss"], "learning diverged: lower learning_rate"
                    )
                rows.append(json.dumps(row))
                if progress:
                    each = (last_row - began) / (done - began_at)
                    progress(
                        FineTuningReport(
                            done / self.rounds, row["steps"], row["episodes"], row["mean_return"],
                            row["return_ratio"], row["steps_per_second"],
                            each * (self.rounds - done),
                        )
                    )  # fmt: skip
                if last_row - last_saved >= checkpoint_seconds and done < self.rounds:
                    state = json.dumps(_Position(done)._asdict()).encode()
                    save_checkpoint(out, _files(now, rows) | {"state.json": state})
                    last_saved = time.monotonic()
        finally:
            if log is not None:
                log.close()
            self.pool.shutdown()
        self._finish(now, rows)

    def _row(self, batch: EpisodeBatch, losses: np.ndarray, done: int) -> dict[str, Any]:
        best = float(batch.oracle_return.mean())
        mean = float(batch.returns.mean())
        return {
            "steps": done * self.per_round,
            "episodes": done * self.recipe.tasks * self.recipe.players,
            "mean_return": _short(mean),
            "return_ratio": _short(mean / best) if best > 0 else 0.0,
            **{name: _short(x) for name, x in zip(LOSSES, losses, strict=True)},
        }

    def _finish(self, now: _State, rows: list[str]) -> None:
        files = _files(now, rows)
        recipe = self.recipe
        training = {
            "method": "ppo",
            "recipe": {k: v for k, v in self.job.items() if k not in ("method", "world_config")},
            "steps": self.rounds * self.per_round,
            "episodes": self.rounds * recipe.tasks * recipe.players,
            "parameters": count_parameters(now.network),
            "seedo_version": __version__,
            "weights_sha256": hashlib.sha256(files["weights.safetensors"]).hexdigest(),
            "world": self.world.name,
            "world_config": self.world.config(),
        }
        if recipe.start is not None:
            training["start"] = load_agent(recipe.start).training
        description = {
            "format": FORMAT, "architecture": self.plan.to_json(), "training": training,
        }  # fmt: skip
        files["agent.json"] = json.dumps(description, indent=1, sort_keys=True).encode()
        finish(self.out, files)

    # -- own episodes ---------------------------------------------------------------------------

    def _kept(self) -> int:
        """Rounds kept, in whole shards: a shard is what a line of metrics.jsonl tells of."""
        wanted = self.rounds if self.recipe.own_rounds is None else self.recipe.own_rounds
        shards = -(-min(wanted, self.rounds) // self.every)
        before = max(0, -(-self.rounds // self.every) - shards)
        return self.rounds - before * self.every if shards else 0

    def _shard(self, number: int) -> int:
        """Shard that a round belongs to; negative: not kept."""
        return (number - (self.rounds - self._kept())) // self.every

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


def _short(x: Any) -> float:
    return float(f"{float(x):.6g}")


def _files(now: _State, rows: list[str]) -> dict[str, bytes]:
    return {
        "weights.safetensors": to_bytes(now.network),
        "optimizer.safetensors": to_bytes(now.optimiser),
        "metrics.jsonl": "".join(row + "\n" for row in rows).encode(),
    }
