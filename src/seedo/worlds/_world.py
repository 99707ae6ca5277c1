"""What a world is: the one protocol of all of them, with the defaults of its optional powers."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch, Origin
from seedo.errors import UserError
from seedo.worlds._spec import EXPLOIT, Spec


class Observation(NamedTuple):
    """What is seen before a step, for one episode."""

    phase: Int[Array, ""]  # OBSERVE, EXPLORE or EXPLOIT
    steps_left: Int[Array, ""]  # including this one
    target: Int[Array, ""]  # previous action; -1: none, or a plain observation
    value: Float[Array, ""]  # previous do-value; 0 where target is -1
    outcome: Float[Array, " n"]  # what followed; NaN where unobserved and at the first step
    relevant: Bool[Array, " n"]  # which variables matter, see `World.relevant`
    goal: Int[Array, ""]  # variable to raise; -1 while hidden
    setting: Float[Array, " n"] | None = None  # in worlds with a space: the last; NaN: left alone


class Action(NamedTuple):
    """An intervention do(target = value); target -1 observes without touching anything.

    Where the world has a space, `setting` says what every variable is set to (NaN: left alone), and
    target is -1: see `set_to`. A player may add the log probabilities of all actions that it chose
    by, and the tokens of the explanation that it expects.
    """

    target: Any  # int32, or a whole number
    value: Any  # float32, or a number
    log_probs: Float[Array, " A"] | None = None
    said: Int[Array, " L"] | None = None
    setting: Float[Array, " n"] | None = None


def set_to(setting: Any, n: int) -> Action:
    """The action that sets the first of n variables, a world's knobs, to `setting`, f64[K]."""
    knobs = jnp.asarray(setting) if isinstance(setting, jax.Array) else np.asarray(setting)
    rest = np.full(n - knobs.shape[0], np.nan)
    whole = (jnp if isinstance(knobs, jax.Array) else np).concatenate([knobs, rest])
    return Action(np.int32(-1), np.float32(0.0), setting=whole)


class References(NamedTuple):
    """Returns to compare an episode's with; NaN where unknown."""

    oracle: Float[Array, ""]  # of whoever knows the system
    random: Float[Array, ""]  # of whoever picks legal actions at random, in expectation


class Row(NamedTuple):
    """What is kept of a step."""

    target: Int[Array, ""]  # as it was carried out
    value: Float[Array, ""]
    outcome: Float[Array, " n"]
    goal: Int[Array, ""]
    reward: Float[Array, ""]
    log_probs: Float[Array, " A"] | None
    setting: Float[Array, " n"] | None = None


class Rollout(NamedTuple):
    """A finished episode, or B of them where every field has a leading axis B."""

    target: Int[Array, "*B S"]
    value: Float[Array, "*B S"]
    outcome: Float[Array, "*B S n"]
    goal: Int[Array, "*B S"]
    relevant: Bool[Array, "*B n"]
    log_probs: Float[Array, "*B S A"] | None
    returns: Float[Array, "*B"]
    oracle_return: Float[Array, "*B"]
    random_return: Float[Array, "*B"]
    task: Any
    setting: Float[Array, "*B S n"] | None = None


class World:
    """A distribution over systems to experiment on.

    A subclass says `name`, `spec`, `sample`, `reset`, `observe`, `step` and `config`; the rest has
    defaults. Its methods are pure JAX for one episode, to be mapped and scanned inside one program.
    With `host = True` they are plain Python instead: keys are NumPy generators and arrays are
    NumPy's. A task holds all that is fixed in an episode and hidden from whoever plays; a state
    what changes. Worlds of one class and equal `config()` are equal.

    Attributes:
        name: by which commands and logs call it.
        spec: variables, do-values and phases: what players know beforehand.
        settings: what it keeps of its settings, in a form of its own; `config` is for others.
    """

    name: str
    spec: Spec
    settings: Any
    host: ClassVar[bool] = False
    dear: ClassVar[bool] = False
    """Whether what a step reads costs something, so that jobs keep every reading on the disk before
    the next step, and none is made again when a killed one goes on; of a `Bench` alone."""
    noisy: ClassVar[bool] = True
    """Whether steps draw noise; where not, all chance lies in `sample`."""
    explanations: ClassVar[tuple[str, ...]] = ("none",)
    """What `explain` may be; the first is the default of whoever watches."""
    family: ClassVar[str] = ""
    """Whose players, measures and scenes also fit it: `dag`, `rooms`, `blicket`; "" for a world of
    a kind of its own."""
    no_strategies: ClassVar[str] = ""
    """Why strategies on causal graphs cannot read its logs; "" where they can."""
    measures_variables: ClassVar[bool] = True
    """Whether a step's outcome is a measurement of variables, so that questions can be asked."""
    refuses: ClassVar[bool] = True
    """Whether an exploit step may be refused, and is logged as an observation then."""
    tries: ClassVar[tuple[int, ...] | None] = None
    """Variables that count as tried out when they are set; None: the relevant ones."""
    reads_variables: ClassVar[bool] = False
    """Whether its variables are read off something raw, with errors; its `notes` say which."""
    pictures: ClassVar[bool] = False
    """Whether it shows pictures, of which a film can be made."""
    shows: Mapping[str, Any] | None = None
    """How what is read is made from variables, as settings, in a raw world; None: not at all."""
    splits: ClassVar[tuple[str, ...]] = ("train",)
    presets: ClassVar[tuple[str, ...]] = ()
    named_by: ClassVar[str] = ""
    """The setting that REST gives in a name KIND:REST, e.g. a path; "" where nothing may follow."""
    remade: ClassVar[bool] = False
    """Whether a log alone may make a world KIND:REST again, because only data are read for it."""
    players: ClassVar[Mapping[str, Callable[..., Any]]] = {}
    """Further players `scripted:NAME`: by NAME, what makes one from the world."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._identity == other._identity  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(self._identity)

    @functools.cached_property
    def _identity(self) -> tuple[str, str]:
        return self.name, json.dumps(self.config(), sort_keys=True)

    @property
    def split(self) -> str:
        return "train"

    @property
    def at_once(self) -> int:
        """Episodes that one compiled call plays; of a `host` world, those that may be lost at most
        if it fails, because they are not yet on disk."""
        return 1024

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever plays should know, one line each; may grow while it is played."""
        return ()

    @classmethod
    def make(cls, preset: str | None, split: str, **options: Any) -> World:
        """A world from names and settings: unless a world says, its constructor's keywords."""
        if preset is not None:
            raise UserError("preset", preset, f"world {cls.name} has none")
        if split not in cls.splits:
            raise UserError("split", split, f"use one of {', '.join(cls.splits)}")
        known = cls.settings_of()
        for field, value in options.items():
            if field not in known:
                has = f"its settings are {', '.join(known)}" if known else "it has no settings"
                raise UserError(field, value, f"not a setting of world {cls.name}: {has}")
        own = options if len(cls.splits) == 1 else options | {"split": split}
        return cls(**own)

    @classmethod
    def spelt(cls, rest: str) -> str:
        """REST of a name KIND:REST as it is kept, where one thing can be named in several ways."""
        return rest

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> World:
        """The world that `config` described."""
        return cls(**config)

    @classmethod
    def settings_of(cls) -> dict[str, Any]:
        """The settings that `make` takes, and their defaults."""
        parameters = inspect.signature(cls).parameters.values()
        return {p.name: p.default for p in parameters if p.name != "split"}

    @classmethod
    def choices_of(cls) -> dict[str, tuple[str, ...]]:
        """What settings can be chosen to be, of those that are named."""
        return {}

    @classmethod
    def own_settings(cls, config: dict[str, Any]) -> dict[str, Any]:
        """Settings of a configuration other than its preset's and its split's.

        Raises:
            UserError: it is no configuration of this world.
        """
        split = str(config.get("split", "train"))
        usual = cls.make(config.get("preset"), split).config()
        return {field: value for field, value in config.items() if usual.get(field) != value}

    def config(self) -> dict[str, Any]:
        """What makes the world again, as plain JSON."""
        raise NotImplementedError

    def sample(self, key: Any) -> Any:
        """A task; where nothing is `noisy`, with the noise of every step in it."""
        raise NotImplementedError

    def reset(self, task: Any, key: Any) -> Any:
        """The state before the first step."""
        raise NotImplementedError

    def observe(self, task: Any, state: Any) -> Any:
        """What is seen before the next step; an `Observation` unless `row` is the world's own."""
        raise NotImplementedError

    def step(
        self, task: Any, state: Any, action: Action, key: Any
    ) -> tuple[Any, Float[Array, ""], Bool[Array, ""]]:
        """(state after the action, reward, whether the episode is over).

        Compiled episodes always take `spec.steps` steps: after an early end nothing may change and
        no reward be paid. Nor are actions that are not `legal` kept from it there: whoever chose
        one is refused when all is played.
        """
        raise NotImplementedError

    def references(self, task: Any) -> References:
        """Returns to compare with; unknown unless the world says."""
        return References(jnp.float32(jnp.nan), jnp.float32(jnp.nan))

    def privileged(self, task: Any) -> Any:
        """What players that know the system are told."""
        return task

    def legal(self, task: Any, state: Any, action: Action) -> Bool[Array, ""]:
        """Whether there is such an action: observing (-1), or a variable set to one of `do_values`;
        or, in plain Python, a setting of the space; unless the world says. Players that choose
        another are refused."""
        if self.spec.space is not None:
            return self._allows(action)
        # Of NumPy's numbers nothing is asked of JAX, which would take a thousand times as long.
        values = np.asarray(self.spec.do_values, np.float32)
        on_grid = (abs(values - action.value) <= 1e-6 + 1e-5 * abs(action.value)).any()
        return (action.target == -1) | (
            (action.target >= 0) & (action.target < self.spec.n) & on_grid
        )

    def _allows(self, action: Action) -> Any:
        """Whether an action sets all knobs as they can be set, and nothing else, or nothing."""
        space = self.spec.space
        assert space is not None
        if action.setting is None or np.isnan(action.setting).all():
            return np.bool_(int(action.target) == -1)
        knobs, rest = action.setting[: space.size], action.setting[space.size :]
        return np.isnan(rest).all() and space.allows(np.asarray(knobs, np.float64)[None])[0]

    def row(self, task: Any, before: Any, action: Action, reward: Any, after: Any) -> Any:
        """What is kept of a step; `rollout` gets all of them."""
        seen, then = self.observe(task, before), self.observe(task, after)
        return Row(then.target, then.value, then.outcome, seen.goal, reward, action.log_probs,
                   then.setting)  # fmt: skip

    def rollout(self, task: Any, rows: Any) -> Any:
        """The record of an episode from its rows, which have a leading axis of steps."""
        oracle, random = self.references(task)
        return Rollout(
            target=rows.target,
            value=rows.value,
            outcome=rows.outcome,
            goal=rows.goal,
            relevant=self.relevant(task),
            log_probs=rows.log_probs,
            returns=self.returned(rows),
            oracle_return=oracle,
            random_return=random,
            task=task,
            setting=rows.setting,
        )

    def returned(self, rows: Any) -> Any:
        """What the steps so far earn, from their rows: the mean reward of exploit steps."""
        exploiting = np.asarray(self.spec.phases[: len(rows.reward)]) == EXPLOIT
        return (rows.reward * exploiting).sum() / max(1, int(exploiting.sum()))

    def relevant(self, task: Any) -> Bool[Array, " n"]:
        """Which variables matter; all unless the world says."""
        return jnp.ones(self.spec.n, bool)

    def to_log(
        self,
        origin: Origin,
        episode_id: NDArray[np.int64],
        played: Any,
        systems: bool = False,
        explain: str = "none",
    ) -> EpisodeBatch:
        """Finished episodes (a rollout of NumPy arrays with a leading axis) in log form.

        Args:
            systems: log each system as JSON, if the world can describe it.
            explain: one of `explanations`.
        """
        done = (
            {"target": played.target, "value": np.where(played.target < 0, np.nan, played.value)}
            if played.setting is None
            else {"setting": played.setting}
        )
        return EpisodeBatch(
            origin=origin,
            episode_id=episode_id,
            phase=np.broadcast_to(np.asarray(self.spec.phases, np.int8), played.target.shape),
            **done,
            outcome=played.outcome,
            mask=played.relevant,
            goal=played.goal,
            returns=played.returns,
            oracle_return=played.oracle_return,
            random_return=played.random_return,
            action_logits=played.log_probs,
            explanation=None if explain == "none" else self.explained(played, explain),
            system=self.described(played) if systems else None,
        )

    def explained(self, played: Any, explain: str) -> list[list[str]] | None:
        """A text for every step of every episode; None: there are none."""
        return None

    def described(self, played: Any) -> list[str] | None:
        """Every episode's system as JSON text; None: it cannot be told."""
        return None
