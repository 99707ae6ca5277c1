"""Learning the rooms by reinforcement: the recipe, and what a round of it does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from seedo.errors import UserError
from seedo.learning._job import State, short
from seedo.learning._recipe import (
    EXPLANATIONS,
    LARGEST_SEED,
    Checked,
    between,
    choice,
    count,
    not_negative,
    positive,
    setting,
    share,
    widths,
)
from seedo.learning._reinforcement import Rounds
from seedo.learning._rooms_agent import (
    RoomsArchitecture,
    build_rooms,
    rooms_architecture,
)
from seedo.learning._rooms_ppo import LOSSES, Progress, Settings, adam, begin, make_round
from seedo.worlds import stream_key
from seedo.worlds.rooms import RoomsWorld


@dataclass(frozen=True)
class ReinforcementRecipe(Checked):
    """How to learn the rooms by reinforcement.

    A round plays `unroll` steps in each of `environments` rooms, then learns from them; memory is
    learnt across no more than that. For explanations see `Recipe`.
    """

    steps: int = setting(
        2_000_000, "Environment steps in all, rounded up to whole rounds.", count(1, 10**12)
    )
    network: str = setting("relational", "Kind of network.")
    widths: tuple[tuple[str, int], ...] = setting(
        (), "Widths in place of the network's defaults, e.g. size=64.", widths, "--width"
    )
    environments: int = setting(256, "Rooms played at once.", count(1, 65_536))
    unroll: int = setting(32, "Steps of each between updates.", count(1, 4096))
    epochs: int = setting(2, "Passes over the steps of a round.", count(1, 100))
    minibatches: int = setting(4, "Parts that the rooms are dealt into.", count(1, 4096))
    learning_rate: float = setting(1e-3, "Of Adam, falling linearly to 0.", positive)
    discount: float = setting(0.97, "Of later rewards, a step.", share)
    trace: float = setting(0.95, "Lambda of the advantage estimates.", share)
    clip: float = setting(
        0.2, "By how much an action's probability may change and still count.", between
    )
    entropy_weight: float = setting(0.01, "Of the policy's entropy.", not_negative)
    value_weight: float = setting(0.5, "Of the loss of the value.", not_negative)
    explanations: str = setting(
        "predict",
        "predict what is said, a control of it (shuffled, irrelevant, wrong), input or none.",
        choice(*EXPLANATIONS),
    )
    explanation_weight: float = setting(0.5, "Of the loss of predicting them.", not_negative)
    seed: int = setting(0, "Fixes all that is random.", count(0, LARGEST_SEED))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.environments % self.minibatches:
            raise UserError(
                "minibatches", self.minibatches, f"must divide {self.environments} environments"
            )
        self.architecture()
        if self.network == "pixels":
            raise UserError("network", "pixels", "reinforcement sees symbols: use relational")

    def architecture(self) -> RoomsArchitecture:
        """The network's shape."""
        return rooms_architecture(
            self.network, dict(self.widths), listens=self.explanations == "input"
        )

    @property
    def settings(self) -> Settings:
        return Settings(
            unroll=self.unroll,
            epochs=self.epochs,
            minibatches=self.minibatches,
            discount=self.discount,
            trace=self.trace,
            clip=self.clip,
            entropy_weight=self.entropy_weight,
            value_weight=self.value_weight,
            explanations=self.explanations,
            explanation_weight=self.explanation_weight,
        )

    @property
    def per_round(self) -> int:
        """Environment steps of a round."""
        return self.environments * self.unroll


class RoomsReinforcement(Rounds):
    """Rounds of playing and learning by a fresh network; see `make_round`.

    Rows: `steps` and `episodes` so far; since the line before, `mean_reward` an episode and
    `success` (share of the episodes whose last trial was rewarded), null where none ended, the
    losses, and `steps_per_second`.
    """

    watched = LOSSES

    def __init__(self, world: RoomsWorld, out: Path, recipe: ReinforcementRecipe) -> None:
        super().__init__(world, recipe, recipe.per_round)
        self.architecture = recipe.architecture()
        self.key = stream_key(recipe.seed, "reinforcement")

    def start(self) -> State:
        network = build_rooms(self.architecture, self.recipe.seed)
        state = adam().init(eqx.filter(network, eqx.is_array))
        visits = eqx.filter_jit(begin)(self.world, network, self.key, self.recipe.environments)
        # A round uses up what it is handed, so no array may be in it twice.
        return jax.tree.map(
            lambda x: jnp.array(x) if eqx.is_array(x) else x, State(network, (state, visits))
        )

    def begin(self, state: State, done: int, rows: list[str]) -> State:
        self.advance = make_round(self.world, self.recipe.settings)
        self.episodes = json.loads(rows[-1])["episodes"] if rows else 0
        return state

    def step(self, state: State, number: int, fraction: float) -> tuple[State, Any]:
        now, rate = Progress(state.network, *state.rest), jnp.asarray(self.rate(fraction))
        now, figures = self.advance(self.key, now, jnp.asarray(number), rate)
        return State(now.network, (now.optimiser, now.visits)), figures

    def row(
        self, state: State, figures: list[Any], done: int, seconds: float, last: bool
    ) -> dict[str, Any]:
        found = jax.tree.map(lambda *column: np.stack(column), *map(jax.device_get, figures))
        ended = int(found.episodes.sum())
        self.episodes += ended
        losses = dict(zip(LOSSES, found.losses.mean(0), strict=True))
        return {
            "steps": done * self.per_round,
            "episodes": self.episodes,
            "mean_reward": short(found.gained.sum() / ended) if ended else None,
            "success": short(found.won.sum() / ended) if ended else None,
            **{name: short(loss) for name, loss in losses.items()},
            "steps_per_second": self.speed(len(figures), seconds),
        }

    def told(self, row: dict[str, Any]) -> str:
        won = "no episode ended" if row["success"] is None else f"{row['success']:.1%} won"
        return f"{won}, {row['steps_per_second']:,} steps/s"
