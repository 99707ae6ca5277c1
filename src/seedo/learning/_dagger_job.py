"""DAgger: an agent plays, an expert says what it would have done there, it learns.

Ross, Gordon & Bagnell, A reduction of imitation learning and structured prediction to no-regret
online learning, AISTATS 2011, algorithm 3.1, under a budget of queries.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from seedo.episodes import Dataset, DatasetWriter, EpisodeBatch, Origin
from seedo.errors import UserError
from seedo.experimenters import Experimenter, Player
from seedo.learning._agent import Agent
from seedo.learning._checkpoint import finish
from seedo.learning._dagger import Queries, described, learn_round, plan_queries
from seedo.learning._find import load_agent
from seedo.learning._imitation import learn
from seedo.learning._job import Report, claimed, describe
from seedo.learning._kinds import kind_for
from seedo.play import Rollout, Setup, origin, play_noting, set_up, shard_size
from seedo.recipes import DaggerRecipe
from seedo.storage import AnyPlace
from seedo.worlds import Action, Spec, World, stream_key

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
    logs: Sequence[AnyPlace],
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
        UserError: a world or an expert that cannot be asked, a bad setting, logs that cannot be
            learnt from, or an output folder that is not this job's.
    """
    if not logs:
        raise UserError("logs", None, "give the logs that were or are imitated")
    _check(world, expert, logs, recipe)
    agent = None if recipe.start is None else load_agent(recipe.start)
    if agent is not None:
        agent.check(world.spec)
    job = _Dagger(world, expert, logs, Path(out), recipe, progress, checkpoint_seconds)
    with claimed(job.out, job.fixed_by(agent), resume) as open_:
        if open_:
            (job.out / FOLDER).mkdir(exist_ok=True)
            job.run(agent)
    agent = load_agent(out)
    return agent


def _check(
    world: World, expert: Experimenter, logs: Sequence[AnyPlace], recipe: DaggerRecipe
) -> None:
    """Raises UserError for what is missing to ask an expert about what an agent visits."""
    kind = kind_for([Dataset(path) for path in logs], recipe.network)
    if not kind.labels:
        raise UserError("network", recipe.network, "it does not learn from an expert's labels")
    if world.family not in kind.families:
        raise UserError("world", world.name, "the network that learns from these logs plays others")
    for field, host, name in (("world", world.host, world.name),
                              ("expert", expert.host, expert.name)):  # fmt: skip
        if host:
            raise UserError(field, name, "it is plain Python: DAgger plays in compiled programs")
    expert.check(world.spec)


@dataclasses.dataclass
class _Dagger:
    """The rounds of a job. `queries` counts those of finished rounds and shards."""

    world: World
    expert: Experimenter
    logs: Sequence[AnyPlace]
    out: Path
    recipe: DaggerRecipe
    progress: Callable[[Report], None] | None
    checkpoint_seconds: float
    behind: float = 0.0  # of all parts: the rounds, and imitation before them
    parts: int = 1
    queries: int = 0

    def fixed_by(self, agent: Agent | None) -> dict[str, Any]:
        """What fixes the result, with the agent to begin with."""
        return described(self.recipe) | {
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
            "method": "dagger", "dagger": described(self.recipe) | record
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
    player = Guided(agent, expert, acts, setup.player_key)
    played, answers = play_noting(world, player, setup, lambda memory: memory.answer)
    return Relabelled(played, *answers)


class _Memory(NamedTuple):
    """Of a guided agent."""

    own: tuple[Any, Any]  # the agent's, the expert's
    step: Any
    answer: tuple[Any, Any]  # the expert's target and value at the step before


class Guided(Player, eqx.Module):
    """An agent beside an expert, who acts at the steps where `acts` is true and is asked at all."""

    agent: Experimenter
    expert: Experimenter
    acts: Any  # bool[S]
    key: Any  # all that either draws comes from it

    name: ClassVar[str] = "dagger"

    @property
    def knows_system(self) -> bool:
        return self.agent.knows_system or self.expert.knows_system

    def _keys(self, which: int) -> list[Any]:
        """For beginning, or for acting: the agent's and the expert's."""
        both = [jax.random.fold_in(self.key, who) for who in range(2)]
        return [jax.random.split(key)[which] for key in both]

    def begin(self, spec: Spec, key: Any, privileged: Any) -> _Memory:
        own = [
            player.begin(spec, own, privileged if player.knows_system else None)
            for player, own in zip((self.agent, self.expert), self._keys(0), strict=True)
        ]
        nothing = (jnp.asarray(-1, jnp.int32), jnp.asarray(0.0, jnp.float32))
        return _Memory((own[0], own[1]), jnp.asarray(0), nothing)

    def act(self, memory: _Memory, observation: Any, key: Any) -> tuple[Action, _Memory]:
        t = memory.step
        (mine, first), (theirs, second) = (
            player.act(own, observation, jax.random.fold_in(key, t))
            for player, own, key in zip(
                (self.agent, self.expert), memory.own, self._keys(1), strict=True
            )
        )
        answer = (jnp.asarray(theirs.target, jnp.int32), jnp.asarray(theirs.value, jnp.float32))
        acts = self.acts[t]
        chosen = Action(*(jnp.where(acts, a, b) for a, b in zip(answer, mine[:2], strict=True)))
        return chosen, _Memory((first, second), t + 1, answer)
