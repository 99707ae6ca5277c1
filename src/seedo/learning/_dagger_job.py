"""DAgger in world `dag`: an agent plays, an expert says what it would have done there, it learns.

Ross, Gordon & Bagnell, A reduction of imitation learning and structured prediction to no-regret
online learning, AISTATS 2011, algorithm 3.1, under a budget of queries.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from seedo.episodes import Dataset, DatasetWriter, EpisodeBatch, Origin, lock_folder
from seedo.errors import UserError
from seedo.experimenters import Experimenter
from seedo.learning._agent import Agent, load_agent
from seedo.learning._checkpoint import finish, prepare
from seedo.learning._dagger import DaggerRecipe, Queries, learn_round, plan_queries
from seedo.learning._imitation import Report, learn
from seedo.play import Rollout, Setup, origin, set_up, shard_size
from seedo.worlds import Action, World, stream_key

FOLDER = "dagger"
"""Of an agent's folder: `round-00`, `round-01`, ... hold the episodes with labels, `agent-00`, ...
what was learnt up to there, `start` the imitator to begin with if there was none."""
_AT_ONCE = 256


class DaggerReport(NamedTuple):
    """What a progress display needs."""

    fraction: float
    round: int
    queries: int  # of finished rounds and shards
    doing: str


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
    progress: Callable[[DaggerReport], None] | None = None,
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
    out, start = Path(out), recipe.imitation.start
    agent = None if start is None else load_agent(start)
    if agent is not None:
        agent.check(world.spec)
    settings = recipe.to_json()
    job = settings | {
        "method": "dagger",
        "world": world.name,
        "world_config": world.config(),
        "expert": expert.name,
        "logs": [Dataset(path).manifest_hash for path in logs],
        "from": None if agent is None else agent.training.get("weights_sha256"),
    }
    if prepare(out, json.loads(json.dumps(job)), resume):
        return load_agent(out)
    lock = lock_folder(out)
    try:
        (out / FOLDER).mkdir(exist_ok=True)
        return _rounds(
            world, expert, logs, out, recipe, agent, settings, progress, checkpoint_seconds
        )
    finally:
        os.close(lock)


def _rounds(
    world: World,
    expert: Experimenter,
    logs: Sequence[str | Path],
    out: Path,
    recipe: DaggerRecipe,
    agent: Agent | None,
    settings: dict[str, Any],
    progress: Callable[[DaggerReport], None] | None,
    checkpoint_seconds: float,
) -> Agent:
    stages = recipe.rounds + (agent is None)
    done = [0.0]  # parts of all stages before this one

    def tell(number: int, queries: int, doing: str, within: float) -> None:
        if progress:
            progress(DaggerReport((done[0] + within) / stages, number, queries, doing))

    def learning(number: int, queries: int, report: Report) -> None:
        note = (
            f"learning, loss {report.exploit_loss:.3f} (held out "
            f"{report.heldout_exploit_loss:.3f}), {report.episodes_per_second:,.0f} episodes/s"
        )
        asks = 0.5 * (number >= 0)
        tell(number, queries, note, asks + (1 - asks) * report.fraction)

    if agent is None:
        imitation = recipe.imitation
        agent = learn(
            logs, out / FOLDER / "start", imitation, True,
            functools.partial(learning, -1, 0), checkpoint_seconds,
        )  # fmt: skip
        agent.check(world.spec)
        done[0] = 1.0
    labelled: list[Path] = []
    rounds: list[dict[str, Any]] = []
    rows: list[str] = []
    steps = 0
    for number in range(recipe.rounds):
        spent = sum(row["queries"] for row in rounds)
        dataset, row = _ask(world, expert, agent, out, recipe, number, spent, tell)
        labelled.append(dataset.path)
        folder = out / FOLDER / f"agent-{number:02d}"
        spent += row["queries"]
        told = functools.partial(learning, number, spent)
        agent = learn_round(agent, logs, labelled, folder, recipe, told, checkpoint_seconds)
        last = agent.history[-1]
        rounds.append(
            row | {k: last[k] for k in ("explore_loss", "exploit_loss", "heldout_exploit_loss")}
        )
        for line in agent.history:
            rows.append(json.dumps(line | {"step": steps + line["step"], "round": number}))
        steps += last["step"]
        done[0] += 1.0

    description = json.loads((folder / "agent.json").read_text())
    description["training"] |= {
        "method": "dagger",
        "dagger": settings | {
            "world": world.name,
            "world_config": world.config(),
            "expert": expert.name,
            "queries": sum(row["queries"] for row in rounds),
            "by_round": rounds,
        },
    }  # fmt: skip
    files = {
        name: (folder / name).read_bytes()
        for name in ("weights.safetensors", "optimizer.safetensors")
    }
    files["metrics.jsonl"] = "".join(row + "\n" for row in rows).encode()
    files["agent.json"] = json.dumps(description, indent=1, sort_keys=True).encode()
    finish(out, files)
    return load_agent(out)


def _ask(
    world: World,
    expert: Experimenter,
    agent: Agent,
    out: Path,
    recipe: DaggerRecipe,
    number: int,
    spent: int,
    tell: Callable[[int, int, str, float], None],
) -> tuple[Dataset, dict[str, Any]]:
    """The episodes of a round with their labels, and the figures of its row."""
    queries = plan_queries(recipe, number, world.spec.phases)
    count, seed = len(queries.acts), recipe.imitation.seed
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
        answered = int(queries.asked[:done].sum())
        tell(number, spent + answered, "asking", 0.5 * done / total)

    path = out / FOLDER / f"round-{number:02d}"
    dataset = _write(
        path, origin(world, "dagger", seed), count, job,
        lambda rows: _labelled(world, play, queries, rows, seed), asking,
    )  # fmt: skip
    batch = dataset.read(without=dataset.optional)
    ratio = float(batch.returns.mean() / batch.oracle_return.mean())
    row = {"round": number, "episodes": count, "return_ratio": round(ratio, 6)}
    return dataset, row | {k: job[k] for k in ("beta", "queries", "expert_actions")}


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
            writer.write(shard, episodes(np.arange(first, first + writer.rows_of(shard))))
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
