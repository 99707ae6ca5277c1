"""DAgger in world `dag`: an agent plays, an expert says what it would have done there, it learns.

Ross, Gordon & Bagnell, A reduction of imitation learning and structured prediction to no-regret
online learning, AISTATS 2011, algorithm 3.1, under a budget of queries.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from seedo.episodes import Dataset, DatasetWriter, EpisodeBatch, Origin
from seedo.errors import UserError
from seedo.experimenters import Experimenter
from seedo.learning._agent import Agent, load_agent
from seedo.learning._checkpoint import finish
from seedo.learning._dagger import DaggerRecipe, Queries, learn_round, plan_queries
from seedo.learning._imitation import learn
from seedo.learning._job import Report, claimed, describe
from seedo.play import Rollout, Setup, origin, set_up, shard_size
from seedo.worlds import Action, World, stream_key

FOLDER = "dagger"
"""Of an agent's folder: `round-00`, `round-01`, ... hold the episodes with labels, `agent-00`, ...
what was learnt up to there, `start` the imitator to begin with if there was none."""
_AT_ONCE = 256


class Relabelled(NamedTuple):
    """Episodes as they were played, and the expert's action at every step."""

    played: Rollout
    target: Any  # [B, S]
    value: Any  # [B, S]


def learn_by_dagger(
    world: World,
    expert: Experimenter,
    logs: Sequence[str | Path],
    out: str | Path,
    recipe: DaggerRecipe,
    *,
    resume: bool = False,
    progress: Callable[[Report], None] | None = None,
    checkpoint_seconds: float = 20.0,
) -> Agent:
    """Learn from logs and from an expert's answers about what the agent visits; an agent folder.

    The result depends on world, expert, logs and recipe alone, however often the job was
    interrupted. The folder is that of `learning.learn` and holds, under `dagger`, every round's
    episodes as a dataset (`target`, `value`: what was done; `label_target`, `label_value`: what the
    expert would have done where it was asked; systems) and the agent after every round. The record
    in agent.json has a row a round: `beta`, `queries`, `expert_actions`, `episodes`,
    `return_ratio` (of the episodes played, the mixture with the expert included) and the losses
    after it.

    Raises:
        UserError: a world other than dag, a bad setting, logs that cannot be learnt from, or an
            output folder that is not this job's.
    """
    if not logs:
        raise UserError("logs", None, "give the logs that were or are imitated")
    if world.name != "dag":
        raise UserError("world", world.name, "DAgger plays world dag")
    agent = None if recipe.start is None else load_agent(recipe.start)
    if agent is not None:
        agent.check(world.spec)
    job = _Dagger(world, expert, logs, Path(out), recipe, progress, checkpoint_seconds)
    with claimed(job.out, job.fixed_by(agent), resume) as open_:
        if open_:
            (job.out / FOLDER).mkdir(exist_ok=True)
            job.run(agent)
    return load_agent(out)


@dataclasses.dataclass
class _Dagger:
    """The rounds of a job. `queries` counts those of finished rounds and shards."""

    world: World
    expert: Experimenter
    logs: Sequence[str | Path]
    out: Path
    recipe: DaggerRecipe
    progress: Callable[[Report], None] | None
    checkpoint_seconds: float
    behind: float = 0.0  # of all parts: the rounds, and imitation before them
    parts: int = 1
    queries: int = 0

    def fixed_by(self, agent: Agent | None) -> dict[str, Any]:
        """What fixes the result, with the agent to begin with."""
        return self.recipe.to_json() | {
            "method": "dagger",
            "world": self.world.name,
            "world_config": self.world.config(),
            "expert": self.expert.name,
            "logs": [Dataset(path).manifest_hash for path in self.logs],
            "from": None if agent is None else agent.training.get("weights_sha256"),
        }

    def tell(self, number: int, doing: str, within: float, left: float = float("nan")) -> None:
        """Report on a part of the work of which `within` is behind; round -1: before all rounds."""
        if self.progress:
            row = {"round": number, "queries": self.queries}
            place = f"round {number + 1} of {self.recipe.rounds}" if number >= 0 else "start"
            doing = f"{place}, {self.queries:,} queries, {doing}"
            self.progress(Report((self.behind + within) / self.parts, row, doing, left))

    def learning(self, number: int, report: Report) -> None:
        asked = 0.5 * (number >= 0)
        self.tell(number, f"learning, {report.doing}", asked + (1 - asked) * report.fraction)

    def run(self, agent: Agent | None) -> None:
        self.parts = self.recipe.rounds + (agent is None)
        if agent is None:
            agent = learn(
                self.logs, self.out / FOLDER / "start", self.recipe.imitation, True,
                functools.partial(self.learning, -1), self.checkpoint_seconds,
            )  # fmt: skip
            agent.check(self.world.spec)
            self.behind = 1.0
        labelled: list[Path] = []
        rounds: list[dict[str, Any]] = []
        rows: list[str] = []
        steps = 0
        for number in range(self.recipe.rounds):
            dataset, row = self.ask(agent, number)
            labelled.append(dataset.path)
            folder = self.out / FOLDER / f"agent-{number:02d}"
            told = functools.partial(self.learning, number)
            agent = learn_round(
                agent, self.logs, labelled, folder, self.recipe, told, self.checkpoint_seconds
            )
            last = agent.history[-1]
            names = ("explore_loss", "exploit_loss", "heldout_exploit_loss")
            rounds.append(row | {name: last[name] for name in names})
            for line in agent.history:
                rows.append(json.dumps(line | {"step": steps + line["step"], "round": number}))
            steps += last["step"]
            self.behind += 1.0
        self.finish(agent, folder, rounds, rows)

    def ask(self, agent: Agent, number: int) -> tuple[Dataset, dict[str, Any]]:
        """The episodes of a round with their labels, and the figures of its row."""
        world, expert, recipe = self.world, self.expert, self.recipe
        queries = plan_queries(recipe, number, world.spec.phases)
        count, seed, before = len(queries.acts), recipe.seed, self.queries
        play = functools.lru_cache(maxsize=2)(
            functools.partial(_block, world, expert, agent, queries, seed, f"dagger-{number}")
        )
        asked = int(queries.asked.sum())
        job = {
            "task": "dagger",
            "provenance": "dagger",
            "stream": f"dagger-{number}",
            "round": number,
            "beta": recipe.beta_of(number),
            "expert": expert.name,
            "queries": asked,
            "expert_actions": int(queries.acts.sum()),
            "seed": seed,
            "systems": True,
        }

        def asking(done: int, total: int) -> None:
            self.queries = before + int(queries.asked[:done].sum())
            self.tell(number, "asking", 0.5 * done / total)

        dataset = _write(
            self.out / FOLDER / f"round-{number:02d}", origin(world, "dagger", seed), count, job,
            lambda rows: _labelled(world, play, queries, rows, seed), asking,
        )  # fmt: skip
        self.queries = before + asked
        batch = dataset.read(without=dataset.optional)
        ratio = float(batch.returns.mean() / batch.oracle_return.mean())
        row = {"round": number, "episodes": count, "return_ratio": round(ratio, 6)}
        return dataset, row | {k: job[k] for k in ("beta", "queries", "expert_actions")}

    def finish(
        self, agent: Agent, folder: Path, rounds: list[dict[str, Any]], rows: list[str]
    ) -> None:
        """The agent of the last round, with the record of all."""
        record = {
            "world": self.world.name,
            "world_config": self.world.config(),
            "expert": self.expert.name,
            "queries": self.queries,
            "by_round": rounds,
        }
        training = agent.training | {
            "method": "dagger", "dagger": self.recipe.to_json() | record
        }  # fmt: skip
        files = {
            name: (folder / name).read_bytes()
            for name in ("weights.safetensors", "optimizer.safetensors")
        }
        files["metrics.jsonl"] = "".join(row + "\n" for row in rows).encode()
        files["agent.json"] = describe(agent.architecture.to_json(), training)
        finish(self.out, files)


def _write(
    path: Path,
    source: Origin,
    count: int,
    job: dict[str, Any],
    episodes: Callable[[Any], EpisodeBatch],
    tell: Callable[[int, int], None],
) -> Dataset:
    """A dataset of what `episodes` gives for the numbers of the episodes of each shard."""
    shard_rows = shard_size(count)
    with DatasetWriter(path, source, shard_rows, count, job, resume=True) as writer:
        while (shard := writer.next_shard) is not None:
            first = shard * shard_rows
            writer.write(episodes(np.arange(first, first + writer.rows_of(shard))))
            tell(writer.rows, count)
    return Dataset(path)


def _rows(play: Callable[[int], Relabelled], rows: Any) -> Relabelled:
    """Some episodes of those played in blocks."""
    parts = []
    for block in range(rows[0] // _AT_ONCE, rows[-1] // _AT_ONCE + 1):
        own = rows[rows // _AT_ONCE == block] - block * _AT_ONCE
        parts.append(jax.tree.map(lambda a, own=own: a[own], play(block)))
    return jax.tree.map(lambda *columns: np.concatenate(columns), *parts)


def _labelled(
    world: World, play: Callable[[int], Relabelled], queries: Queries, rows: Any, seed: int
) -> EpisodeBatch:
    """Some of a round's episodes in log form."""
    found = _rows(play, rows)
    numbers = np.arange(rows[0], rows[0] + len(rows))
    batch = world.to_log(origin(world, "dagger", seed), numbers, found.played, systems=True)
    answered = queries.asked[rows] & (found.target >= 0)
    return dataclasses.replace(
        batch,
        label_target=np.where(answered, found.target, -1),
        label_value=np.where(answered, found.value, np.nan),
    )


def _block(
    world: Any,
    expert: Any,
    agent: Agent,
    queries: Queries,
    seed: int,
    stream: str,
    block: int,
) -> Relabelled:
    """Episodes of a round that are played in one call; always equally many, so that it is
    compiled once."""
    indices = np.arange(block * _AT_ONCE, (block + 1) * _AT_ONCE)
    acts = queries.acts[np.minimum(indices, len(queries.acts) - 1)]
    played = _played(world, agent, expert, stream_key(seed, stream), indices, acts)
    return jax.tree.map(np.asarray, played)


@eqx.filter_jit
def _played(world: Any, agent: Agent, expert: Any, key: Any, indices: Any, acts: Any) -> Relabelled:
    return jax.vmap(
        lambda i, own: relabelled(
            world, agent, expert, set_up(world, jax.random.fold_in(key, i)), own
        )
    )(indices, acts)


def relabelled(
    world: World, agent: Experimenter, expert: Experimenter, setup: Setup, acts: Any
) -> Relabelled:
    """One episode in which the expert acts where `acts` bool[S] is true, the agent elsewhere.

    Both see everything that was done, whoever did it; pure.
    """
    spec, task = world.spec, setup.task
    keys = [jax.random.split(jax.random.fold_in(setup.player_key, who)) for who in range(2)]
    players = (agent, expert)
    memories = tuple(
        p.begin(spec, key[0], world.privileged(task) if p.knows_system else None)
        for p, key in zip(players, keys, strict=True)
    )

    def step(carry: Any, now: Any) -> Any:
        (memories, state), (t, own) = carry, now
        seen = world.observe(task, state)
        chosen = [
            p.act(memory, seen, jax.random.fold_in(key[1], t))
            for p, memory, key in zip(players, memories, keys, strict=True)
        ]
        (mine, _), (theirs, _) = chosen
        action = Action(
            jnp.where(own, theirs.target, mine.target), jnp.where(own, theirs.value, mine.value)
        )
        after, reward, _ = world.step(task, state, action, jax.random.fold_in(setup.noise_key, t))
        row = world.row(task, state, action, reward, after)
        return (tuple(memory for _, memory in chosen), after), (row, theirs.target, theirs.value)

    _, (rows, label, to) = jax.lax.scan(
        step, (memories, world.reset(task, setup.noise_key)), (jnp.arange(spec.steps), acts)
    )
    return Relabelled(world.rollout(task, rows), label, to)
