"""Training the tuner: imitation alone, on logs drawn afresh for every step.

For comparison the same network can be trained by reward, on as many passes through it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.scipy import special
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from seedo.errors import UserError, one_of
from seedo.experimenters.proposers.tuner import (
    Weights,
    initial,
    promise_and_forecast,
    read_tuner,
    surprise,
)
from seedo.learning._weights import from_bytes, named_arrays
from seedo.learning.tuner._lessons import WITHOUT, Lessons, draw_lessons
from seedo.learning.tuner._reinforced import Campaigns, draw_campaigns, reward_loss

SMALL, LARGE = 6, 12
"""Knobs that lessons have room for; every `_LARGE_EVERY`-th step has the larger ones."""
_LARGE_EVERY = 8


_TOLD = {"watching": ("divergence", "surprise", "gain"), "reward": ("regret", "mean_regret")}
"""What is told of training, by how it goes."""


@dataclass(frozen=True)
class TunerRecipe:
    """How the tuner is trained.

    Attributes:
        steps: of Adam.
        systems: in each.
        settings: that each system has.
        rate: of learning, after a short warm-up and until half of the steps; it falls then.
        averaged: share of the running mean of weights that each step keeps.
        choices, explained: what a nat of the expert's choice, and of his explanation, counts.
        by: "watching" or "reward".
        without: what the systems have none of, one of `WITHOUT`.
        seed: of everything.
        start: file of weights to begin with; "" to begin afresh.
    """

    steps: int = 3000
    systems: int = 24
    settings: int = 112
    rate: float = 1.5e-3
    averaged: float = 0.99
    choices: float = 1.0
    explained: float = 0.0
    by: str = "watching"
    seed: int = 0
    start: str = ""
    without: str = ""

    def __post_init__(self) -> None:
        one_of("by", self.by, tuple(_TOLD))
        one_of("without", self.without, WITHOUT)


class Progress(NamedTuple):
    """Where training stands: a pytree, all of which a checkpoint keeps."""

    weights: Weights
    mean: Weights
    optimizer: Any


def loss(weights: Weights, lessons: Lessons, count: Any) -> tuple[Any, tuple[Any, Any, Any]]:
    """What training lowers, and its parts; means over questions.

    Args:
        count: what a nat of choice, and one of explanation, count.

    Returns:
        The loss; the cross entropy from what the expert chooses, less the expert's own, in nats;
        what the expert's explanation surprises by, in nats a setting; and the gain of the most
        promising setting, in shares of the largest.
    """

    def about_system(
        question: Any, open_: Any, chosen: Any, gain: Any, said: Any
    ) -> tuple[Any, Any, Any, Any]:
        def asked(known: Any, sharpness: Any) -> Any:
            one = question._replace(known=known, sharpness=sharpness)
            logits, forecast = promise_and_forecast(weights, one, jnp, special)
            n = known.sum()
            mean = (one.outcome * known).sum() / n
            spread = jnp.sqrt(((one.outcome - mean) ** 2 * known).sum() / n)
            return logits, surprise(forecast, (said - mean) / (spread + 1e-6), jnp)

        logits, unforeseen = jax.vmap(asked)(question.known, question.sharpness)
        logits = jnp.where(open_, logits, -1e9)
        wrong = optax.losses.kl_divergence(jax.nn.log_softmax(logits), chosen)
        top = jnp.take_along_axis(gain, logits.argmax(1)[:, None], axis=1)[:, 0]
        unforeseen = (unforeseen * open_).sum(1) / open_.sum(1)
        return wrong, unforeseen, top, chosen.sum(1) > 0.5

    wrong, unforeseen, top, counts = jax.vmap(about_system)(*lessons)
    share = counts / jnp.maximum(counts.sum(), 1)
    parts = (wrong * share).sum(), (unforeseen * share).sum(), (top * share).sum()
    return count[0] * parts[0] + count[1] * parts[1], parts


def _optimizer() -> optax.GradientTransformation:
    return optax.chain(optax.clip_by_global_norm(1.0), optax.scale_by_adam(b2=0.99))


def _moved(progress: Progress, slopes: Weights, rate: Any, averaged: Any) -> Progress:
    sound = jnp.isfinite(optax.global_norm(slopes))
    slopes = jax.tree.map(lambda s: jnp.where(sound, s, 0.0), slopes)
    by, optimizer = _optimizer().update(slopes, progress.optimizer)
    weights = jax.tree.map(lambda w, b: w - rate * b, progress.weights, by)
    mean = jax.tree.map(lambda m, w: averaged * m + (1 - averaged) * w, progress.mean, weights)
    return Progress(weights, mean, optimizer)


@jax.jit
def _watched(
    progress: Progress, lessons: Lessons, count: Any, rate: Any, averaged: Any
) -> tuple[Progress, Any]:
    slope = jax.value_and_grad(loss, has_aux=True)
    (_, parts), slopes = slope(progress.weights, lessons, count)
    return _moved(progress, slopes, rate, averaged), parts


@jax.jit
def _rewarded(
    progress: Progress, campaigns: Campaigns, rate: Any, averaged: Any
) -> tuple[Progress, Any]:
    (_, parts), slopes = jax.value_and_grad(reward_loss, has_aux=True)(progress.weights, campaigns)
    return _moved(progress, slopes, rate, averaged), parts


def _rate(recipe: TunerRecipe, step: int) -> float:
    late = max(0.0, 2 * step / recipe.steps - 1)
    falling = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * late))
    return recipe.rate * min(1.0, (step + 1) / 50) * falling


def begun(recipe: TunerRecipe) -> Progress:
    """Before the first step."""
    fresh = initial(np.random.default_rng([recipe.seed, 0]))
    weights = read_tuner(Path(recipe.start)) if recipe.start else fresh
    return Progress(weights, weights, _optimizer().init(weights))


def train(
    recipe: TunerRecipe,
    folder: Path,
    say: Callable[[dict[str, float]], None] = lambda row: None,
    every: int = 30,
    until: int | None = None,
) -> Weights:
    """Train, or go on training in a folder; killed at any moment it comes to the same bytes.

    Args:
        say: is told how it goes, and when, every so many steps.
        until: step to stop at, of the recipe's.

    Returns:
        The running mean of the weights.
    """
    step, progress = read_checkpoint(recipe, folder)
    rows: list[list[float]] = []
    last = recipe.steps if until is None else min(until, recipe.steps)
    while step < last:
        room = LARGE if step % _LARGE_EVERY == _LARGE_EVERY - 1 else SMALL
        rng = np.random.default_rng([recipe.seed, 1, step])
        averaged = min(recipe.averaged, (step + 1) / (step + 20))
        drawn = recipe.systems, recipe.settings, room, rng, recipe.without
        now = _rate(recipe, step), averaged
        if recipe.by == "watching":
            lessons = draw_lessons(*drawn)
            progress, parts = _watched(progress, lessons, (recipe.choices, recipe.explained), *now)
        else:
            campaigns = draw_campaigns(*drawn)
            progress, parts = _rewarded(progress, campaigns, *now)
        rows.append([float(part) for part in parts])
        step += 1
        if step % every == 0 or step == last:
            say(
                {"step": step}
                | dict(zip(_TOLD[recipe.by], np.mean(rows, axis=0).tolist(), strict=True))
            )
            rows = []
            write_checkpoint(recipe, folder, step, progress)
    return progress.mean


def part_way(recipe: TunerRecipe, weights: Weights, share: float) -> Weights:
    """Weights so far along the straight way from where training began, 0, to where it ended, 1.

    What is gained in simulation is nearly kept half-way, and less of what was known before is lost
    where reality is otherwise (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
    """
    first = begun(recipe).weights
    return jax.tree.map(
        lambda a, b: np.asarray((1 - share) * a + share * b, np.float32), first, weights
    )


def write_checkpoint(recipe: TunerRecipe, folder: Path, step: int, progress: Progress) -> None:
    """All of it in one file, in place of the last one at once."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"recipe": json.dumps(asdict(recipe), sort_keys=True), "step": str(step)}
    part = folder / "checkpoint.part"
    part.write_bytes(save(named_arrays(progress), about))
    part.replace(folder / "checkpoint.safetensors")


def read_checkpoint(recipe: TunerRecipe, folder: Path) -> tuple[int, Progress]:
    """The step that a folder's checkpoint stands at, and where training stands.

    Raises:
        UserError: it is of another recipe, or damaged.
    """
    path = folder / "checkpoint.safetensors"
    if not path.exists():
        return 0, begun(recipe)
    try:
        with safe_open(path, "numpy") as stored:
            about = stored.metadata()
    except SafetensorError as error:
        raise UserError(str(path), None, f"not a whole checkpoint ({error}): delete it") from error
    if json.loads(about["recipe"]) != asdict(recipe):
        raise UserError(str(path), about["recipe"], "another recipe: use another folder")
    return int(about["step"]), from_bytes(path.read_bytes(), begun(recipe), path)
