"""One episode played step by step from Python: for language models, people, tools, plain players.

It is the episode that `rollout` would play: the same seed, stream and number give the same system
and the same noise, so whoever plays here is paired with everyone who played there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np

from seedo import programs
from seedo.episodes import EpisodeBatch, Origin
from seedo.experimenters import Experimenter
from seedo.play._loop import begin, check_action, set_up
from seedo.play._unfinished import Unfinished
from seedo.worlds import Action, World, stream_key


class Live:
    """An episode in progress.

    Args:
        world: any.
        seed, stream, index: which of the world's episodes.
        task: in place of that which the world would draw; the noise is that of the episode.
        unfinished: keeps what a `dear` world has measured, so that it is not measured again.
        quickly: compiled in less time, and slower at every step: where few episodes are played.

    Attributes:
        world, index: which of the world's episodes.
        setup, task: what was fixed before the first step; the task is hidden from players.
        state: the world's, before the next step.
        seen: what was seen before every step up to the next, as NumPy arrays.
        rows, rewards: what is kept of every step so far, see `World.row`; what it paid.
    """

    def __init__(
        self,
        world: Any,
        seed: int,
        stream: str,
        index: int,
        task: Any = None,
        unfinished: Unfinished | None = None,
        quickly: bool = False,
    ) -> None:
        self.world, self.index = world, index
        kept = _Kept(unfinished, index) if unfinished is not None and world.dear else None
        self._runs = _Plain(world, kept) if world.host else _Compiled(world, quickly)
        self.setup, self.state, self._references, seen = self._runs.begin(
            stream_key(seed, stream), index, task
        )
        self.seen: list[Any] = [seen]
        self.rows: list[Any] = []
        self.rewards: list[float] = []
        self._over = False

    @property
    def task(self) -> Any:
        return self.setup.task

    @property
    def observation(self) -> Any:
        """What is seen before the next step."""
        return self.seen[-1]

    @property
    def step(self) -> int:
        """Number of the next step, from 0."""
        return len(self.rows)

    @property
    def finished(self) -> bool:
        return self._over or self.step == self.world.spec.steps

    @property
    def phase(self) -> int:
        """OBSERVE, EXPLORE or EXPLOIT: what the next step is for."""
        phase: int = self.world.spec.phases[self.step]
        return phase

    @property
    def returns(self) -> float:
        """What the steps so far earn, see `World.returned`; 0 before the first."""
        if not self.rows:
            return 0.0
        stacked = jax.tree.map(lambda *column: np.stack(column), *self.rows)
        return float(self.world.returned(stacked))

    @property
    def oracle_return(self) -> float:
        """The same for a player who knows the system."""
        return float(self._references.oracle)

    @property
    def random_return(self) -> float:
        """The same for a player who picks legal actions at random, in expectation."""
        return float(self._references.random)

    def act(self, target: int, value: float = 0.0, **more: Any) -> Any:
        """Carry out do(target = value), -1: only observe; what is seen then.

        Raises:
            RuntimeError: the episode is over.
        """
        return self.carry_out(Action(target, float(value), **more))

    def carry_out(self, action: Action) -> Any:
        """The same for an action."""
        if self.finished:
            raise RuntimeError("the episode is over")
        after, row, reward, done, seen = self._runs.step(self.setup, self.state, self.step, action)
        self.state, self._over = after, bool(done)
        self.rows.append(row)
        self.rewards.append(float(reward))
        self.seen.append(seen)
        return seen

    def follow(self, actions: Sequence[tuple[int, float]]) -> None:
        """Carry out these (target, value) as `act` does each, up to the end of the episode.

        In a pure world it is one program for all of them: for what is known and played again.

        Raises:
            RuntimeError: the episode is over.
        """
        if self.finished:
            raise RuntimeError("the episode is over")
        known = list(actions)[: self.world.spec.steps - self.step]
        for after, row, reward, done, seen in self._runs.steps(
            self.setup, self.state, self.step, known
        ):
            self.state, self._over = after, bool(done)
            self.rows.append(row)
            self.rewards.append(float(reward))
            self.seen.append(seen)
            if self._over:
                return


class Actor:
    """A player on a live episode; it chooses what it would choose inside `rollout`.

    Args:
        player: who chooses.
        episode: in which.
        quickly: see `Live`.
    """

    def __init__(self, player: Experimenter, episode: Live, quickly: bool = False) -> None:
        self._player, self._episode = player, episode
        self._programs = _programs(quickly)
        self._memory: Any = None
        self._chosen: list[Action] = []  # at every step so far
        if player.host:
            known = episode.world.privileged(episode.task) if player.knows_system else None
            rng = _generator(episode.setup.player_key, 0)
            self._memory = player.begin(episode.world.spec, rng, known)
        else:
            self._memory, self._key = self._programs.begin(episode.world, player, episode.setup)

    def chosen(self) -> Action:
        """Its action at the episode's next step.

        Raises:
            UserError: it chose an action that the world does not have.
        """
        while (step := len(self._chosen)) <= self._episode.step:
            seen = self._episode.seen[step]
            if self._player.host:
                rng = _generator(self._episode.setup.player_key, step + 1)
                action, self._memory = self._player.act(self._memory, seen, rng)
            else:
                action, self._memory = self._programs.choose(
                    self._player, self._memory, seen, self._key, np.int32(step)
                )
            self._chosen.append(action)
            if step == self._episode.step:  # of earlier ones, others have decided
                self._check(action, step)
        return self._chosen[self._episode.step]

    def _check(self, action: Action, step: int) -> None:
        now, world = self._episode, self._episode.world
        legal = world.legal if world.host else partial(_legal, world)
        # Plain numbers would be static in the compiled program.
        bare = Action(np.int32(action.target), np.float32(action.value), setting=action.setting)
        fits = bool(legal(now.task, now.state, bare))
        check_action(world, self._player.name, action, fits, step)

    def action(self) -> tuple[int, float]:
        """Its (target, value) for the episode's next step; target -1: only observe. Where worlds
        have a space, `chosen` says more."""
        chosen = self.chosen()
        return int(chosen.target), float(chosen.value)


def live_batch(
    origin: Origin,
    lived: Sequence[Live],
    systems: bool = False,
    explain: str = "none",
) -> EpisodeBatch:
    """Finished episodes of one world in log form; see `World.to_log`."""
    world: World = lived[0].world
    played = [
        _recorded(world, live.task, jax.tree.map(lambda *column: np.stack(column), *_padded(live)))
        for live in lived
    ]
    columns = jax.tree.map(lambda *each: np.stack([np.asarray(a) for a in each]), *played)
    index = np.array([live.index for live in lived])
    return world.to_log(origin, index, columns, systems, explain)


def played_by(
    world: World,
    player: Experimenter,
    seed: int,
    stream: str,
    index: int,
    unfinished: Unfinished | None = None,
) -> Live:
    """An episode played to its end, step by step; what is `unfinished` is taken up."""
    live = Live(world, seed, stream, index, unfinished=unfinished)
    actor = Actor(player, live)
    while not live.finished:
        action = actor.chosen()
        if unfinished is not None and action.setting is not None:
            now = np.asarray(action.setting, np.float64)
            setting: Any = unfinished.chosen(index, live.step, now)
            action = action._replace(setting=setting)
        live.carry_out(action)
    return live


def _padded(live: Live) -> list[Any]:
    """Rows of as many steps as an episode has at most: an early end repeats observing."""
    rows, state = list(live.rows), live.state
    while len(rows) < live.world.spec.steps:
        if live.world.host:  # nothing more may be asked of it
            unseen = np.full_like(rows[-1].outcome, np.nan)
            row = rows[-1]._replace(target=-1, value=0.0, outcome=unseen, reward=0.0)
        else:
            nothing = Action(np.int32(-1), np.float32(0.0))
            state, row, *_ = live._runs.step(live.setup, state, len(rows), nothing)
        rows.append(row)
    return rows


def _generator(key: Any, step: int) -> np.random.Generator:
    """Plain Python's randomness from a key, for a step from 1 (0: the beginning)."""
    words = np.asarray(jax.random.key_data(key)).ravel()
    return np.random.default_rng([*(int(word) for word in words), step])


class _Compiled:
    """How a pure world's episode is played."""

    def __init__(self, world: World, quickly: bool) -> None:
        self.world, self._programs = world, _programs(quickly)

    def begin(self, key: Any, index: int, task: Any) -> Any:
        setup, state, references, seen = self._programs.start(
            self.world, key, np.uint32(index), task
        )
        return setup, state, references, jax.tree.map(np.asarray, seen)

    def step(self, setup: Any, state: Any, t: int, action: Action) -> Any:
        arrays = action._replace(target=np.int32(action.target), value=np.float32(action.value))
        after, *rest = self._programs.advance(self.world, setup, state, np.int32(t), arrays)
        return after, *(jax.tree.map(np.asarray, each) for each in rest)

    def steps(
        self, setup: Any, state: Any, t: int, known: Sequence[tuple[int, float]]
    ) -> Iterator[Any]:
        """As `step` gives them, one after another."""
        length = self.world.spec.steps  # always, so that it is compiled once
        target, value = np.full(length, -1, np.int32), np.zeros(length, np.float32)
        for at, action in enumerate(known):
            target[at], value[at] = action
        every = _advance_all(self.world, setup, state, np.int32(t), Action(target, value))
        plain = jax.tree.map(np.asarray, every)
        for at in range(len(known)):
            yield jax.tree.map(lambda column, at=at: column[at], plain)


class _Kept(NamedTuple):
    """Where what an episode measures is kept."""

    unfinished: Unfinished
    episode: int

    def read(self, bench: Any, task: Any, t: int, setting: Any, key: Any) -> Any:
        """What a run reads, that is made now or was made before."""
        read = self.unfinished.known(self.episode, t)
        if read is not None:
            bench.recalled(task, read)
            return read
        return self.unfinished.measured(
            self.episode, t, setting, lambda: bench.measured(task, setting, key)
        )


class _Plain:
    """How a world in plain Python is played."""

    def __init__(self, world: Any, kept: _Kept | None = None) -> None:
        self.world, self._kept = world, kept

    def begin(self, key: Any, index: int, task: Any) -> Any:
        keys = jax.random.split(jax.random.fold_in(key, index), 3)
        drawn = self.world.sample(_generator(keys[0], 0)) if task is None else task
        setup = set_up(self.world, jax.random.fold_in(key, index), drawn)
        state = self.world.reset(drawn, _generator(setup.noise_key, 0))
        return setup, state, self.world.references(drawn), self.world.observe(drawn, state)

    def step(self, setup: Any, state: Any, t: int, action: Action) -> Any:
        world, task = self.world, setup.task
        key = _generator(setup.noise_key, t + 1)
        setting = world.set_by(action) if self._kept is not None else None
        if self._kept is None or setting is None:
            after, reward, done = world.step(task, state, action, key)
        else:
            read = self._kept.read(world, task, t, setting, key)
            after, reward, done = world.followed(task, state, action, read, key)
        row = world.row(task, state, action, reward, after)
        return after, row, reward, done, world.observe(task, after)

    def steps(
        self, setup: Any, state: Any, t: int, known: Sequence[tuple[int, float]]
    ) -> Iterator[Any]:
        """As `step` gives them, one after another."""
        for at, (target, value) in enumerate(known, t):
            made = self.step(setup, state, at, Action(target, float(value)))
            state = made[0]
            yield made


def _start(world: World, key: Any, index: Any, task: Any) -> tuple[Any, ...]:
    setup = set_up(world, jax.random.fold_in(key, index), task)
    state = world.reset(setup.task, setup.noise_key)
    return setup, state, world.references(setup.task), world.observe(setup.task, state)


def _advance(world: World, setup: Any, state: Any, t: Any, action: Action) -> tuple[Any, ...]:
    task = setup.task
    noise = jax.random.fold_in(setup.noise_key, t) if world.noisy else setup.noise_key
    after, reward, done = world.step(task, state, action, noise)
    row = world.row(task, state, action, reward, after)
    return after, row, reward, done, world.observe(task, after)


@eqx.filter_jit
def _advance_all(world: World, setup: Any, state: Any, t: Any, actions: Action) -> tuple[Any, ...]:
    """What `_advance` gives for action after action, each with a leading axis."""

    def onward(now: tuple[Any, Any], action: Action) -> tuple[Any, Any]:
        state, t = now
        made = _advance(world, setup, state, t, action)
        return (made[0], t + 1), made

    made: tuple[Any, ...] = jax.lax.scan(onward, (state, t), actions)[1]
    return made


def _recorded(world: World, task: Any, rows: Any) -> Any:
    """The record of an episode; compiled where the world is pure."""
    return world.rollout(task, rows) if world.host else _rollout(world, task, rows)


@eqx.filter_jit
def _rollout(world: World, task: Any, rows: Any) -> Any:
    return world.rollout(task, rows)


@eqx.filter_jit
def _legal(world: World, task: Any, state: Any, action: Action) -> Any:
    return world.legal(task, state, action)


def _act(player: Experimenter, memory: Any, seen: Any, key: Any, t: Any) -> Any:
    return player.act(memory, seen, jax.random.fold_in(key, t))


class _Programs(NamedTuple):
    """Compiled functions of live play."""

    start: Any
    advance: Any
    begin: Any
    choose: Any


@cache
def _programs(quickly: bool) -> _Programs:
    options: dict[str, Any] = {"compiler_options": programs.quickly()} if quickly else {}
    functions: tuple[Any, ...] = (_start, _advance, begin, _act)
    return _Programs(*(eqx.filter_jit(each, **options) for each in functions))
