"""World `blicket`: a machine that lights up for some objects; see `docs/language/blicket.md`.

After the blicket detector of developmental psychology (Gopnik and Sobel 2000) and the rules of
Kosoy et al. (*Learning causal overhypotheses through exploration*, 2022): a disjunctive machine
lights up if at least one blicket is on it, a conjunctive one if all are.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray
from numpy.typing import NDArray

from seedo.errors import UserError, one_of, whole
from seedo.worlds._spec import EXPLOIT, EXPLORE, Spec, variable_names
from seedo.worlds._world import Action, Observation, References, Rollout, World

RULES = ("or", "and")
"""Kinds of machine; index 1 is the conjunctive one."""

STARTS = ("empty", "full")
SPLITS = ("train", "heldout-conjunctive", "heldout-disjunctive")
PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "reference": {"n": 3, "blickets": 1, "experiments": 20},
}
_HELD_OUT = {"heldout-conjunctive": "and", "heldout-disjunctive": "or"}
_DUAL = {
    "rule": {"or": "and", "and": "or", "any": "any"},
    "start": {"empty": "full", "full": "empty"},
    "without": {"or": "and", "and": "or", "": ""},
    "split": {
        "train": "train",
        "heldout-conjunctive": "heldout-disjunctive",
        "heldout-disjunctive": "heldout-conjunctive",
    },
}


@dataclass(frozen=True)
class BlicketConfig:
    """Settings of world `blicket`.

    Attributes:
        n: objects, 3 to 8.
        rule: what players are told of the machine: `or` (lights up if at least one blicket is on
            it), `and` (if all of them are; there are at least 2), `any` (one of the two, drawn with
            probability 1/2 for each episode).
        blickets: how many there are, 1 to n - 1; None: drawn uniformly from 2 to n - 1 in each
            episode, whatever the rule. With 1, an `and` machine still has 2. Which objects they
            are is uniform.
        flip: probability, below 0.5, that the light of an experiment shows the opposite.
        experiments: objects put on or removed, before the questions; None: 3 n.
        start: `empty`, or `full`: all objects are on the machine at first.
        split: `train`; `heldout-conjunctive` (every machine is an `and` machine, though players are
            told `any`) or `heldout-disjunctive` (every one an `or` machine).
        without: a rule that split `train` never has, though players are told `any`: what to learn
            from before a test on the split that is about it. Those splits set it themselves, so the
            same settings with split `train` are what goes with them.
        preset: `default`, or `reference` (3 objects, 1 blicket under `or` and 2 under `and`, 20
            experiments: the hypotheses of Kosoy et al.).
    """

    n: int = 4
    rule: str = "any"
    blickets: int | None = None
    flip: float = 0.0
    experiments: int | None = None
    start: str = "empty"
    split: str = "train"
    without: str = ""
    preset: str = "default"

    def __post_init__(self) -> None:
        for field, options in (
            ("rule", (*RULES, "any")),
            ("start", STARTS),
            ("split", SPLITS),
            ("without", ("", *RULES)),
            ("preset", tuple(PRESETS)),
        ):
            one_of(field, getattr(self, field), options)
        whole("n", self.n, 3, 8)
        if self.blickets is not None:
            whole("blickets", self.blickets, 1, self.n - 1)
        if self.experiments is not None:
            whole("experiments", self.experiments, 0, 1000)
        number = isinstance(self.flip, int | float) and not isinstance(self.flip, bool)
        if not number or not 0 <= self.flip < 0.5:
            raise UserError("flip", self.flip, "use a number from 0 to below 0.5")
        if self.rule == "and" and self.blickets == 1:
            raise UserError("blickets", 1, "an 'and' machine has at least 2 blickets")
        held_out = _HELD_OUT.get(self.split, self.without)
        if self.without not in ("", held_out):
            raise UserError("without", self.without, f"split '{self.split}' is about '{held_out}'")
        object.__setattr__(self, "without", held_out)
        if held_out and self.rule != "any":
            raise UserError("rule", self.rule, "use 'any' where a rule is held out")

    @property
    def toggles(self) -> int:
        """Number of experiments."""
        return 3 * self.n if self.experiments is None else self.experiments

    @property
    def told(self) -> tuple[str, ...]:
        """The rules that players reckon with, equally likely."""
        return RULES if self.rule == "any" else (self.rule,)

    @property
    def drawn(self) -> tuple[str, ...]:
        """The rules that machines have, equally likely."""
        if self.split in _HELD_OUT:
            return (_HELD_OUT[self.split],)
        return tuple(rule for rule in self.told if rule != self.without)

    def numbers(self, rule: str) -> tuple[int, ...]:
        """How many blickets a machine of this rule may have, equally likely."""
        if self.blickets is None:
            return tuple(range(2, self.n))
        return (max(self.blickets, 2) if rule == "and" else self.blickets,)

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @staticmethod
    def from_dict(config: dict[str, Any]) -> BlicketConfig:
        known = sorted(field.name for field in dataclasses.fields(BlicketConfig))
        for field, value in config.items():
            if field not in known:
                raise UserError(field, value, f"not an option of world 'blicket': {known}")
        return BlicketConfig(**config)


def configure(preset: str = "default", split: str = "train", **options: Any) -> BlicketConfig:
    """Settings from a preset, a split and the user's own options, which win over the preset."""
    one_of("preset", preset, tuple(PRESETS))
    own = {field: value for field, value in options.items() if value is not None}
    return BlicketConfig.from_dict(PRESETS[preset] | {"preset": preset, "split": split} | own)


def matched(config: BlicketConfig) -> BlicketConfig:
    """The dual settings, which are exactly as hard: the other rule from the other start.

    An `and` machine with blickets B lights up on objects S iff an `or` machine with blickets B
    stays dark on all objects but S (De Morgan). So after the same toggles, from opposite starts,
    the one light is always the opposite of the other and both tell the same about B.

    Raises:
        UserError: a machine with a single blicket, which `and` machines do not have.
    """
    if config.blickets == 1:
        raise UserError("blickets", 1, "an 'and' machine has at least 2: use 2 or more, or none")
    fields = config.to_dict()
    return BlicketConfig.from_dict(
        fields | {field: dual[fields[field]] for field, dual in _DUAL.items()}
    )


def blicket_prior(config: BlicketConfig) -> NDArray[np.float64]:
    """float64[2, 2^n], probability of each rule (index into `RULES`) and set of blickets.

    Bit i of a set says whether object i is a blicket. This is what players are told; a held-out
    split draws from the part of it that is about its rule.
    """
    sizes = np.array([bits.bit_count() for bits in range(2**config.n)])
    found = np.zeros((2, len(sizes)))
    for rule in config.told:
        numbers = config.numbers(rule)
        for k in numbers:
            share = len(config.told) * len(numbers) * math.comb(config.n, k)
            found[RULES.index(rule), sizes == k] = 1 / share
    return found


def bit_set(flags: Bool[Array, "*some n"]) -> Int[Array, "*some"]:
    """A set of objects as one number: bit i stands for object i."""
    return (flags << jnp.arange(flags.shape[-1])).sum(-1)


def lit(conjunctive: Array, blickets: Array, on: Array) -> Array:
    """Whether a machine without noise lights up, with objects `on` it.

    Args: bool, int and int, of shapes that broadcast; the last two are bit sets. Returns bool.
    """
    return jnp.where(conjunctive, blickets & ~on == 0, blickets & on != 0)


class BlicketTask(NamedTuple):
    """What is hidden in an episode."""

    blickets: Bool[Array, " n"]
    conjunctive: Bool[Array, ""]
    flips: Bool[Array, " S"]  # steps whose light shows the opposite


class BlicketState(NamedTuple):
    """An episode in progress."""

    on: Bool[Array, " n"]  # objects on the machine
    light: Int[Array, ""]  # what the last step showed, 0 or 1; -1: nothing
    step: Int[Array, ""]  # number of the next step, from 0
    target: Int[Array, ""]  # object that the last step moved or answered about; -1: none
    value: Float[Array, ""]  # 1 if it was put on or said to be a blicket


class BlicketWorld(World):
    """Blicket machines; see `BlicketConfig`. Methods are pure JAX for one episode.

    An action is (target, value). In an experiment: object, 1 to put it on the machine or 0 to
    remove it; target -1, or what is so already, only observes. For a question: the object that it
    is about, 1 for yes, 0 for no; target -1 gives no answer. Questions are about the objects in
    order, one a step. A right answer earns 1.

    What is seen, and logged, is 0 or 1 for every object (on the machine?) and then for its light;
    NaN after a question, and for the light before the first experiment. The goal is the object
    that is asked about.
    """

    name = "blicket"
    noisy: ClassVar[bool] = False
    family: ClassVar[str] = "blicket"
    no_strategies: ClassVar[str] = "a blicket machine has no causal graph to read"
    measures_variables: ClassVar[bool] = False
    splits: ClassVar[tuple[str, ...]] = SPLITS
    presets: ClassVar[tuple[str, ...]] = tuple(PRESETS)

    def __init__(self, config: BlicketConfig) -> None:
        self.settings = config
        phases = (EXPLORE,) * config.toggles + (EXPLOIT,) * config.n
        self.spec = Spec((*variable_names(config.n), "machine"), (0.0, 1.0), phases)

    @classmethod
    def make(cls, preset: str | None, split: str, **options: Any) -> BlicketWorld:
        return BlicketWorld(configure(preset or "default", split, **options))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> BlicketWorld:
        return BlicketWorld(BlicketConfig.from_dict(config))

    @classmethod
    def settings_of(cls) -> dict[str, Any]:
        fields = dataclasses.fields(BlicketConfig)
        return {f.name: f.default for f in fields if f.name not in ("preset", "split")}

    @property
    def split(self) -> str:
        return self.settings.split

    def config(self) -> dict[str, Any]:
        return self.settings.to_dict()

    def sample(self, key: PRNGKeyArray) -> BlicketTask:
        """A machine, and when its light shows the opposite."""
        machine_key, flip_key = jax.random.split(key)
        u = jax.random.uniform(machine_key, (2 + self.settings.n,))
        rules = [RULES.index(rule) for rule in self.settings.drawn]
        rule = _pick(rules, u[0])
        number = jnp.stack([_pick(self.settings.numbers(r), u[1]) for r in RULES])[rule]
        blickets = jnp.argsort(u[2:]) < number
        flips = jax.random.uniform(flip_key, (self.spec.steps,)) < self.settings.flip
        return BlicketTask(blickets, rule == 1, flips)

    def reset(self, task: BlicketTask, key: PRNGKeyArray) -> BlicketState:
        on = jnp.full(self.settings.n, self.settings.start == "full")
        nothing = jnp.int32(-1)
        return BlicketState(on, nothing, jnp.int32(0), nothing, jnp.float32(0.0))

    def observe(self, task: BlicketTask, state: BlicketState) -> Observation:
        toggles, last = self.settings.toggles, self.spec.steps - 1
        step = jnp.minimum(state.step, last)
        on = jnp.where(state.step > toggles, jnp.nan, state.on)
        light = jnp.where(state.light < 0, jnp.nan, state.light)
        return Observation(
            phase=jnp.asarray(self.spec.phases)[step],
            steps_left=self.spec.steps - step,
            target=state.target,
            value=state.value,
            outcome=jnp.append(on, light).astype(jnp.float32),
            relevant=self.relevant(task),
            goal=jnp.maximum(step - toggles, -1),
        )

    def step(
        self, task: BlicketTask, state: BlicketState, action: Action, key: PRNGKeyArray
    ) -> tuple[BlicketState, Float[Array, ""], Bool[Array, ""]]:
        objects = jnp.arange(self.settings.n)
        question = state.step - self.settings.toggles
        yes = action.value == 1
        moves = (question < 0) & (objects == action.target) & (state.on != yes)
        on = state.on ^ moves
        bright = lit(task.conjunctive, bit_set(task.blickets), bit_set(on))
        light = bright ^ task.flips[state.step]
        answered = (question >= 0) & (action.target >= 0)
        right = answered & (task.blickets[question] == yes)
        done = jnp.where(moves.any(), action.target, jnp.where(answered, question, -1))
        after = BlicketState(
            on,
            jnp.where(question < 0, light, -1).astype(jnp.int32),
            state.step + 1,
            done.astype(jnp.int32),
            jnp.where(done < 0, 0.0, yes).astype(jnp.float32),
        )
        return after, right.astype(jnp.float32), after.step >= self.spec.steps

    def legal(self, task: BlicketTask, state: BlicketState, action: Action) -> Bool[Array, ""]:
        question = state.step - self.settings.toggles
        about = action.target
        fits = jnp.where(question < 0, about < self.settings.n, about == question)
        return super().legal(task, state, action) & ((about == -1) | fits)

    def references(self, task: BlicketTask) -> References:
        """All answers right; and half of them."""
        return References(jnp.float32(1.0), jnp.float32(0.5))

    def relevant(self, task: BlicketTask) -> Bool[Array, " n"]:
        """The objects; the machine cannot be set."""
        return jnp.arange(self.spec.n) < self.settings.n

    def described(self, played: Rollout) -> list[str]:
        return [
            json.dumps(
                {"blickets": blickets.astype(int).tolist(), "rule": RULES[int(conjunctive)]},
                separators=(",", ":"),
            )
            for blickets, conjunctive in zip(
                played.task.blickets, played.task.conjunctive, strict=True
            )
        ]


def lights(n: int, on: Int[Array, ""]) -> Bool[Array, "2 H"]:
    """Which machines, by rule and blickets as in `blicket_prior`, light up; `on` is a bit set."""
    return lit(jnp.array([[False], [True]]), jnp.arange(2**n), on)


def _pick(options: Sequence[int], u: Float[Array, ""]) -> Int[Array, ""]:
    """One of the options, equally likely; u is uniform on [0, 1)."""
    last = len(options) - 1
    return jnp.asarray(options)[jnp.minimum((u * len(options)).astype(jnp.int32), last)]
