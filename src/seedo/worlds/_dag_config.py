"""Settings of world `dag`: presets, splits, and what goes with what."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from seedo.errors import UserError, is_number, one_of, whole
from seedo.worlds._scm import MECHANISMS, NOISE_FAMILIES

SPLITS = (
    "train",
    "heldout-link",
    "heldout-set",
    "more-variables",
    "shifted-mechanism",
    "shifted-noise",
    "longer",
    "drawn",
)
"""`drawn`: systems given from outside (`DagWorld.given`); sampled, any graph."""

MOST_STEPS = 10_000
"""Of an episode of several rounds."""

SHOCKS = ("none", "observed", "hidden")

LEVERS = ("same", "varied")

_UNSAID = ("held", "rounds", "drift", "shocks", "shock_scale", "levers", "costs")

_LARGEST_SIZE = 4.0
"""Of a lever, where they vary; the smallest is its inverse."""

HELD_CAUSE = 3
"""The cause of the held-out link: in training D is never an ancestor of E (see `held`)."""
HELD_EFFECT = 4
"""The effect of the held-out link."""

HELD = ("path", "arrow")

CHOICES: dict[str, tuple[str, ...]] = {
    "graph": ("uniform", "roots"),
    "mechanism": tuple(MECHANISMS),
    "weight_family": ("normal", "uniform"),
    "noise_family": tuple(NOISE_FAMILIES),
    "goals": ("same", "fresh"),
    "held": HELD,
    "shocks": SHOCKS,
    "levers": LEVERS,
}
"""What named settings can be."""

PRESETS: dict[str, dict[str, Any]] = {
    "linear": {},
    "lampinen": {
        "graph": "roots",
        "mechanism": "leaky-relu",
        "weight_family": "uniform",
        "weight_scale": 2.0,
        "noise_variance": 0.5,
        "noise_variance_sd": 0.25,
    },
}
"""Options of world `dag` by preset, beside its defaults."""


@dataclass(frozen=True)
class DagConfig:
    """Settings of world `dag`; the defaults are preset `linear`, split `train`.

    Attributes:
        n: visible variables, 2 to 50.
        graph: `uniform` over all labelled DAGs with in-degree <= max_parents (exact for every n),
            or `roots`: 1..n-1 roots, then 1..max_parents parents among earlier variables.
        mechanism: what a variable with causes makes of their weighted sum and its noise: `linear`,
            `leaky-relu`, `tanh`, or `hump`, which is not monotone (see `_scm.mechanism_function`).
        weight_family: `normal` N(0, weight_scale^2) or `uniform` on [-weight_scale, weight_scale].
        noise_variance, noise_variance_sd: each variable's noise variance is the first when the
            second is 0, else normal with these moments before truncation at 0.
        do_values: values that interventions can set.
        observations, experiments, exploits: steps of each phase.
        held: what split `train` holds out of the link from D to E: every `path`, or the `arrow`
            alone (D may then act on E through others). `heldout-link` has what was held out.
        rounds: how many times experiments and exploits come, one block after the other.
        drift: radians by which the weights of the arrows turn from round to round: those of rounds
            r and s are each N(0, weight_scale^2) and correlate by cos((r - s) drift). Graph and
            noise stay. The observations belong to the first round.
        goals: `same` goal at every exploit step, or a `fresh` one each.
        relevant: None, or how many variables matter. They form a DAG of their own; the others form
            another one, with no link between the two, so only the cue tells them apart.
        confounders: hidden root variables, each a cause of two visible ones.
        shocks, shock_scale: whose noise is stronger than that of the others, and how many times
            (of standard deviations): `observed`, of every visible variable without a cause;
            `hidden`, of the confounders; `none`. What causes several variables then moves them
            together far more than each moves on its own.
        split: see `SPLITS`.
        levers: `same`: a do-value v sets any variable to v; `varied`: it sets variable i to v times
            `sizes[i]`, sizes from 1/4 to 4 of both signs, known to all who know the spec.
        costs: what setting each variable costs at an exploit step, in units of the goal, one number
            a variable; () nothing.
    """

    n: int = 5
    preset: str = "linear"
    split: str = "train"
    graph: str = "uniform"
    max_parents: int = 2
    mechanism: str = "linear"
    weight_family: str = "normal"
    weight_scale: float = 1.0
    noise_family: str = "gaussian"
    noise_variance: float = 1.0
    noise_variance_sd: float = 0.0
    do_values: tuple[float, ...] = (-2.0, 2.0)
    observations: int = 0
    experiments: int = 5
    exploits: int = 1
    goals: str = "same"
    relevant: int | None = None
    confounders: int = 0
    held: str = "path"
    rounds: int = 1
    drift: float = 0.0
    shocks: str = "none"
    shock_scale: float = 1.0
    levers: str = "same"
    costs: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for field, lowest, highest in (
            ("n", 2, 50),
            ("max_parents", 1, 49),
            ("observations", 0, 10_000),
            ("experiments", 0, 10_000),
            ("exploits", 1, 10_000),
            ("confounders", 0, 50),
        ):
            whole(field, getattr(self, field), lowest, highest)
        block = self.experiments + self.exploits
        whole("rounds", self.rounds, 1, max(1, (MOST_STEPS - self.observations) // block))
        one_of("preset", self.preset, tuple(PRESETS))
        one_of("split", self.split, SPLITS)
        for field, options in CHOICES.items():
            one_of(field, getattr(self, field), options)
        _number("weight_scale", self.weight_scale, positive=True)
        _number("noise_variance", self.noise_variance, positive=True)
        _number("noise_variance_sd", self.noise_variance_sd)
        _number("drift", self.drift)
        if self.drift and self.weight_family != "normal":
            raise UserError("drift", self.drift, "weights can drift if weight_family is normal")
        if self.drift and self.rounds == 1:
            raise UserError("drift", self.drift, "weights change between rounds: use rounds >= 2")
        if self.drift and self.split == "heldout-link":
            raise UserError("drift", self.drift, "the best lever changes with it: not heldout-link")
        self._check_shocks()
        _do_values(self.do_values)
        _costs(self.costs, self.n)
        if self.relevant is not None:
            whole("relevant", self.relevant, 2, self.n)
        if self.split == "heldout-link" and self.n <= HELD_EFFECT:
            raise UserError(
                "n", self.n, "split 'heldout-link' is about the link D -> E: use n >= 5"
            )
        if self.split == "heldout-link" and self.relevant is not None:
            raise UserError(
                "relevant", self.relevant, "split 'heldout-link' has no relevance cue: leave it out"
            )
        if self.split == "heldout-set":
            if self.relevant is None or self.relevant >= self.n:
                raise UserError(
                    "relevant", self.relevant, "split 'heldout-set' needs fewer relevant than n"
                )
            if not _has_held_out_set(self.n, self.relevant):
                raise UserError(
                    "relevant",
                    self.relevant,
                    f"no set of this size is held out at n={self.n}: try n=10, relevant=5",
                )

    def _check_shocks(self) -> None:
        _number("shock_scale", self.shock_scale, positive=True)
        if self.shocks == "none" and self.shock_scale != 1:
            raise UserError("shock_scale", self.shock_scale, "say whose: shocks observed or hidden")
        if self.shocks == "hidden" and not self.confounders:
            raise UserError("shocks", self.shocks, "nothing is hidden: use confounders >= 1")

    @property
    def sizes(self) -> tuple[float, ...]:
        """How many times a do-value each variable is set to; () if it is the do-value itself."""
        if self.levers == "same":
            return ()
        steps = 2 * np.arange(self.n) / (self.n - 1) - 1
        signs = 1 - 2 * (np.arange(self.n) % 2)
        return tuple(float(x) for x in np.round(signs * _LARGEST_SIZE**steps, 4))

    @property
    def root_variance(self) -> float | None:
        """Of the noise of visible variables without a cause, where it is another."""
        scale = self.shock_scale if self.shocks == "observed" else 1.0
        return None if scale == 1 else self.noise_variance * scale**2

    @property
    def steps(self) -> int:
        """Of an episode."""
        return self.observations + (self.experiments + self.exploits) * self.rounds

    def to_dict(self) -> dict[str, Any]:
        """JSON-able. What older versions had no word for goes without saying where it is usual."""
        values = dataclasses.asdict(self)
        usual = {f.name: f.default for f in dataclasses.fields(self) if f.name in _UNSAID}
        said = {k: v for k, v in values.items() if k not in usual or v != usual[k]}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in said.items()}

    @staticmethod
    def from_dict(config: dict[str, Any]) -> DagConfig:
        known = {f.name for f in dataclasses.fields(DagConfig)}
        for field in config:
            if field not in known:
                raise UserError(
                    field, config[field], f"not an option of world 'dag': {sorted(known)}"
                )
        values = dict(config)
        for field in ("do_values", "costs"):
            if isinstance(values.get(field), list):
                values[field] = tuple(values[field])
        return DagConfig(**values)


def _number(field: str, value: object, positive: bool = False) -> None:
    if not is_number(value) or value < 0 or (positive and value == 0):
        raise UserError(field, value, f"use a finite number {'> 0' if positive else '>= 0'}")


def _do_values(values: object) -> None:
    if not isinstance(values, tuple) or not values:
        raise UserError("do_values", values, "use one or more finite numbers")
    for value in values:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value):
            raise UserError("do_values", values, "use one or more finite numbers")
    if len(set(values)) != len(values):
        raise UserError("do_values", values, "use distinct numbers")


def _costs(costs: object, n: int) -> None:
    remedy = f"use {n} finite numbers >= 0, one a variable"
    if not isinstance(costs, tuple) or len(costs) not in (0, n):
        raise UserError("costs", costs, remedy)
    if not all(is_number(cost) and cost >= 0 for cost in costs):
        raise UserError("costs", costs, remedy)


def configure(preset: str = "linear", split: str = "train", **options: Any) -> DagConfig:
    """Settings from a preset, a split and the user's own options, which win over both.

    What a split changes: `heldout-set` n=10 of which 5 are relevant; `more-variables` n=10;
    `shifted-mechanism` tanh (linear where the preset was not); `shifted-noise` doubles the noise
    variance; `longer` 4n experiments. Otherwise there are n experiments (one for each relevant
    variable).
    """
    one_of("preset", preset, tuple(PRESETS))
    one_of("split", split, SPLITS)
    base: dict[str, Any] = dict(PRESETS[preset])
    if split == "heldout-set":
        base |= {"n": 10, "relevant": 5}
    elif split == "more-variables":
        base |= {"n": 10}
    elif split == "shifted-mechanism":
        base |= {"mechanism": "tanh" if preset == "linear" else "linear"}
    elif split == "shifted-noise":
        base |= {"noise_variance": 2 * base.get("noise_variance", 1.0)}
    base |= {k: v for k, v in options.items() if v is not None}
    if "experiments" not in base:
        own = base.get("relevant") or base.get("n", 5)
        own = own if isinstance(own, int) else 5
        base["experiments"] = (4 if split == "longer" else 1) * min(max(own, 0), 50)
    return DagConfig.from_dict({"preset": preset, "split": split} | base)


def held_out_set(members: Bool[Array, " n"] | np.ndarray) -> Any:
    """Whether a set of relevant variables is never seen in training: indices sum to 0 mod 5.

    About a fifth of all sets, spread over all variables; a rule rather than a list, so that it
    holds for any n.
    """
    xp = np if isinstance(members, np.ndarray) else jnp
    return (members * xp.arange(members.shape[-1])).sum(axis=-1) % 5 == 0


def _has_held_out_set(n: int, size: int) -> bool:
    rng = np.random.default_rng(0)
    masks = np.stack([np.isin(np.arange(n), rng.permutation(n)[:size]) for _ in range(500)])
    held = held_out_set(masks)
    return bool(held.any() and not held.all())
