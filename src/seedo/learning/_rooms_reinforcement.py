"""Learning the rooms by reinforcement: the recipe, and the job that leaves an agent folder."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from seedo import __version__
from seedo.episodes import lock_folder
from seedo.errors import UserError
from seedo.learning._agent import FORMAT, count_parameters
from seedo.learning._checkpoint import finish, load_checkpoint, prepare, save_checkpoint
from seedo.learning._rooms_agent import (
    RoomsAgent,
    RoomsArchitecture,
    build_rooms,
    load_rooms_agent,
    rooms_architecture,
)
from seedo.learning._rooms_ppo import (
    LOSSES,
    Progress,
    Round,
    Settings,
    adam,
    begin,
    make_round,
)
from seedo.learning._weights import from_bytes, to_bytes
from seedo.worlds import stream_key
from seedo.worlds.rooms import RoomsWorld

REINFORCEMENT_EXPLANATIONS = ("predict", "none", "shuffled", "irrelevant", "wrong", "input")
MOST_ROWS = 400
"""Lines of metrics.jsonl, about: long jobs put several rounds into one."""


@dataclass(frozen=True)
class ReinforcementRecipe:
    """How to learn by reinforcement.

    Attributes:
        steps: environment steps in all; rounded up to whole rounds of `environments` x `unroll`.
        network: kind of network; widths: overrides of its default widths.
        environments: rooms played at once. unroll: steps of each between updates; memory is learnt
            across no more than that.
        epochs: passes over the steps of a round. minibatches: parts that the rooms are dealt into.
        learning_rate: of Adam, falling linearly to 0.
        discount: of later rewards, a step. trace: lambda of the advantage estimates.
        clip: by how much the probability of an action may change in a round and still count.
        entropy_weight, value_weight: of these terms beside the policy's.
        explanations: `predict` adds the loss of naming what is said; `shuffled`, `irrelevant` and
            `wrong` are its controls; `input` hears what is said and predicts nothing.
        explanation_weight: of that loss.
    """

    steps: int = 2_000_000
    network: str = "relational"
    widths: tuple[tuple[str, int], ...] = ()
    environments: int = 256
    unroll: int = 32
    epochs: int = 2
    minibatches: int = 4
    learning_rate: float = 1e-3
    discount: float = 0.97
    trace: float = 0.95
    clip: float = 0.2
    entropy_weight: float = 0.01
    value_weight: float = 0.5
    explanations: str = "predict"
    explanation_weight: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        for field, highest in (
            ("steps", 10**12),
            ("environments", 65_536),
            ("unroll", 4096),
            ("epochs", 100),
            ("minibatches", 4096),
        ):
            value = getattr(self, field)
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not 1 <= value <= highest:
                raise UserError(field, value, f"use a whole number from 1 to {highest}")
        if self.environments % self.minibatches:
            raise UserError(
                "minibatches", self.minibatches, f"must divide {self.environments} environments"
            )
        if not _number(self.learning_rate) or self.learning_rate <= 0:
            raise UserError("learning_rate", self.learning_rate, "use a finite number above 0")
        for field in ("discount", "trace"):
            value = getattr(self, field)
            if not _number(value) or not 0 <= value <= 1:
                raise UserError(field, value, "use a number from 0 to 1")
        if not _number(self.clip) or not 0 < self.clip < 1:
            raise UserError("clip", self.clip, "use a number between 0 and 1")
        for field in ("entropy_weight", "value_weight", "explanation_weight"):
            value = getattr(self, field)
            if not _number(value) or value < 0:
                raise UserError(field, value, "use a finite number, 0 or more")
        if self.explanations not in REINFORCEMENT_EXPLANATIONS:
            options = ", ".join(REINFORCEMENT_EXPLANATIONS)
            raise UserError("explanations", self.explanations, f"use one of {options}")
        if not isinstance(self.seed, int) or not 0 <= self.seed < 2**32:
            raise UserError("seed", self.seed, "use a whole number from 0 to 4294967295")
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

    @property
    def rounds(self) -> int:
        return -(-self.steps // self.per_round)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)


class ReinforcementReport(NamedTuple):
    """What a progress display needs; figures are of the steps since the last report."""

    fraction: float
    steps: int
    episodes: int
    mean_reward: float  # an episode; NaN where none ended
    success: float  # share of the episodes whose last trial was rewarded
    steps_per_second: float


class _Position(NamedTuple):
    round: int
    episodes: int


def learn_by_reinforcement(
    world: RoomsWorld,
    out: str | Path,
    recipe: ReinforcementRecipe,
    *,
    resume: bool = False,
    progress: Callable[[ReinforcementReport], None] | None = None,
    checkpoint_seconds: float = 20.0,
) -> RoomsAgent:
    """Let a fresh network play in a world, learn from rewards, and leave an agent folder.

    The result depends on world and recipe alone, however often the job was interrupted. Lines of
    `metrics.jsonl`: `steps` and `episodes` so far; since the line before, `mean_reward` an episode,
    `success` (share of the episodes whose last trial was rewarded), the losses, and
    `steps_per_second`.

    Raises:
        UserError: bad settings, an output folder that is not this job's, or divergence.
    """
    if not isinstance(world, RoomsWorld):
        raise UserError(
            "world", getattr(world, "name", world), "reinforcement plays in rooms and dag only"
        )
    out = Path(out)
    settings = asdict(recipe) | {"widths": [list(w) for w in recipe.widths]}
    job = {"method": "ppo", "world": world.name, "world_config": world.config()} | settings
    if prepare(out, json.loads(json.dumps(job)), resume):
        return load_rooms_agent(out)
    lock = lock_folder(out)
    try:
        return _train(world, out, recipe, settings, progress, checkpoint_seconds)
    finally:
        os.close(lock)


def _train(
    world: RoomsWorld,
    out: Path,
    recipe: ReinforcementRecipe,
    settings: dict[str, Any],
    progress: Callable[[ReinforcementReport], None] | None,
    checkpoint_seconds: float,
) -> RoomsAgent:
    key = stream_key(recipe.seed, "reinforcement")
    plan = recipe.architecture()
    now = _start(world, plan, recipe, key)
    rows: list[str] = []
    at = _Position(0, 0)
    saved = load_checkpoint(out)
    if saved is not None:
        network = from_bytes(saved["weights.safetensors"], now.network, out / "checkpoint")
        rest = from_bytes(saved["optimizer.safetensors"], now[1:], out / "checkpoint")
        now = Progress(network, *rest)
        rows = saved["metrics.jsonl"].decode().splitlines()
        at = _Position(**json.loads(saved["state.json"]))

    advance = make_round(world, recipe.settings)
    total, every = recipe.rounds, max(1, recipe.rounds // MOST_ROWS)
    episodes, recent = at.episodes, []
    last_row = last_saved = time.monotonic()
    for number in range(at.round, total):
        rate = recipe.learning_rate * (1 - number / total)
        now, figures = advance(key, now, jnp.asarray(number), jnp.asarray(rate))
        recent.append(figures)
        done = number + 1
        if done % every and done < total:
            continue
        found = jax.tree.map(lambda *column: np.stack(column), *map(jax.device_get, recent))
        seconds = max(time.monotonic() - last_row, 1e-9)
        speed, last_row = len(recent) * recipe.per_round / seconds, time.monotonic()
        episodes, recent = episodes + int(found.episodes.sum()), []
        row = {"steps": done * recipe.per_round, "episodes": episodes} | _row(found, speed)
        if not np.isfinite(found.losses).all():
            raise UserError("loss", row["policy_loss"], "learning diverged: lower learning_rate")
        rows.append(json.dumps(row))
        if progress:
            reward, success = (
                float("nan") if row[name] is None else row[name]
                for name in ("mean_reward", "success")
            )
            progress(
                ReinforcementReport(done / total, row["steps"], episodes, reward, success, speed)
            )
        if time.monotonic() - last_saved >= checkpoint_seconds and done < total:
            state = json.dumps(_Position(done, episodes)._asdict()).encode()
            save_checkpoint(out, _files(now, rows) | {"state.json": state})
            last_saved = time.monotonic()

    files = _files(now, rows)
    training = {
        "method": "ppo",
        "recipe": settings,
        "steps": total * recipe.per_round,
        "episodes": episodes,
        "parameters": count_parameters(now.network),
        "seedo_version": __version__,
        "weights_sha256": hashlib.sha256(files["weights.safetensors"]).hexdigest(),
        "world": world.name,
        "world_config": world.config(),
    }
    description = {"format": FORMAT, "architecture": plan.to_json(), "training": training}
    files["agent.json"] = json.dumps(description, indent=1, sort_keys=True).encode()
    finish(out, files)
    return load_rooms_agent(out)


def _start(
    world: RoomsWorld, plan: RoomsArchitecture, recipe: ReinforcementRecipe, key: jax.Array
) -> Progress:
    network = build_rooms(plan, recipe.seed)
    state = adam().init(eqx.filter(network, eqx.is_array))
    visits = eqx.filter_jit(begin)(world, network, key, recipe.environments)
    # A round uses up what it is handed, so no array may be in it twice.
    return jax.tree.map(
        lambda x: jnp.array(x) if eqx.is_array(x) else x, Progress(network, state, visits)
    )


def _row(found: Round, speed: float) -> dict[str, Any]:
    """Figures of some rounds (leading axis); null where no episode ended in them."""
    ended = int(found.episodes.sum())
    losses = dict(zip(LOSSES, found.losses.mean(0), strict=True))
    return {
        "mean_reward": _short(found.gained.sum() / ended) if ended else None,
        "success": _short(found.won.sum() / ended) if ended else None,
        **{name: _short(loss) for name, loss in losses.items()},
        "steps_per_second": round(speed),
    }


def _short(x: Any) -> float:
    return float(f"{float(x):.6g}")


def _files(now: Progress, rows: list[str]) -> dict[str, bytes]:
    return {
        "weights.safetensors": to_bytes(now.network),
        "optimizer.safetensors": to_bytes(now[1:]),
        "metrics.jsonl": "".join(row + "\n" for row in rows).encode(),
    }
