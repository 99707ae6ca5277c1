"""Learning the rooms by reinforcement: the recipe, and what a round of it does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from seedo.learning._job import State, short
from seedo.learning._reinforcement import Rounds
from seedo.learning._rooms_agent import (
    RoomsArchitecture,
    build_rooms,
    rooms_architecture,
)
from seedo.learning._rooms_ppo import LOSSES, Progress, Settings, adam, begin, make_round
from seedo.recipes import ReinforcementRecipe
from seedo.worlds import stream_key
from seedo.worlds.rooms import RoomsWorld


def architecture_of(recipe: ReinforcementRecipe) -> RoomsArchitecture:
    return rooms_architecture(
        recipe.network, dict(recipe.widths), listens=recipe.explanations == "input"
    )


def settings_from(recipe: ReinforcementRecipe) -> Settings:
    return Settings(**{name: getattr(recipe, name) for name in Settings._fields})


class RoomsReinforcement(Rounds):
    """Rounds of playing and learning by a fresh network; see `make_round`.

    Rows: `steps` and `episodes` so far; since the line before, `mean_reward` an episode and
    `success` (share of the episodes whose last trial was rewarded), null where none ended, the
    losses, and `steps_per_second`.
    """

    watched = LOSSES

    def __init__(self, world: RoomsWorld, out: Path, recipe: ReinforcementRecipe) -> None:
        super().__init__(world, recipe, recipe.per_round)
        self.architecture = architecture_of(recipe)
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
        self.advance = make_round(self.world, settings_from(self.recipe))
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
