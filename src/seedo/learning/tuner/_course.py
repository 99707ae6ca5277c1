"""Training the tuner: imitation alone, on logs drawn afresh for every step."""

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

from seedo.errors import UserError
from seedo.experimenters.proposers.tuner import Weights, initial, promise, read_tuner
from seedo.learning._weights import from_bytes, named_arrays
from seedo.learning.tuner._lessons import Lessons, draw_lessons

SMALL, LARGE = 6, 12
"""Knobs that lessons have room for; every `_LARGE_EVERY`-th step has the larger ones."""
_LARGE_EVERY = 8


@dataclass(frozen=True)
class TunerRecipe:
    """How the tuner is trained.

    Attributes:
        steps: of Adam.
        systems: in each.
        settings: that each system has.
        rate: of learning, after a short warm-up and until half of the steps; it falls then.
        averaged: share of the running mean of weights that each step keeps.
        seed: of everything.
        start: file of weights to begin with; "" to begin afresh.
    """

    steps: int = 3000
    systems: int = 24
    settings: int = 112
    rate: float = 1.5e-3
    averaged: float = 0.99
    seed: int = 0
    start: str = ""


class Progress(NamedTuple):
    """Where training stands: a pytree, all of which a checkpoint keeps."""

    weights: Weights
    mean: Weights
    optimizer: Any


def loss(weights: Weights, lessons: Lessons) -> tuple[Any, Any]:
    """Cross entropy from what the expert chooses, less the expert's own, in nats; and the gain of
    the most promising setting, in shares of the largest. Means over questions."""

    def about_system(question: Any, open_: Any, chosen: Any, gain: Any) -> tuple[Any, Any, Any]:
        def asked(known: Any, sharpness: Any) -> Any:
            one = question._replace(known=known, sharpness=sharpness)
            return promise(weights, one, jnp, special)

        logits = jax.vmap(asked)(question.known, question.sharpness)
        logits = jnp.where(open_, logits, -1e9)
        wrong = optax.losses.kl_divergence(jax.nn.log_softmax(logits), chosen)
        top = jnp.take_along_axis(gain, logits.argmax(1)[:, None], axis=1)[:, 0]
        return wrong, top, chosen.sum(1) > 0.5

    wrong, top, counts = jax.vmap(about_system)(*lessons)
    share = counts / jnp.maximum(counts.sum(), 1)
    return (wrong * share).sum(), (top * share).sum()


def _optimizer() -> optax.GradientTransformation:
    return optax.chain(optax.clip_by_global_norm(1.0), optax.scale_by_adam(b2=0.99))


@jax.jit
def _step(progress: Progress, lessons: Lessons, rate: Any, averaged: Any) -> tuple[Any, Any, Any]:
    (wrong, top), slopes = jax.value_and_grad(loss, has_aux=True)(progress.weights, lessons)
    sound = jnp.isfinite(optax.global_norm(slopes))
    slopes = jax.tree.map(lambda s: jnp.where(sound, s, 0.0), slopes)
    by, optimizer = _optimizer().update(slopes, progress.optimizer)
    weights = jax.tree.map(lambda w, b: w - rate * b, progress.weights, by)
    mean = jax.tree.map(lambda m, w: averaged * m + (1 - averaged) * w, progress.mean, weights)
    return Progress(weights, mean, optimizer), wrong, top


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
    rows: list[tuple[float, float]] = []
    last = recipe.steps if until is None else min(until, recipe.steps)
    while step < last:
        room = LARGE if step % _LARGE_EVERY == _LARGE_EVERY - 1 else SMALL
        rng = np.random.default_rng([recipe.seed, 1, step])
        lessons = draw_lessons(recipe.systems, recipe.settings, room, rng)
        averaged = min(recipe.averaged, (step + 1) / (step + 20))
        progress, *row = _step(progress, lessons, _rate(recipe, step), averaged)
        rows.append((float(row[0]), float(row[1])))
        step += 1
        if step % every == 0 or step == last:
            wrong, gain = np.mean(rows, axis=0)
            rows = []
            say({"step": step, "divergence": float(wrong), "gain": float(gain)})
            write_checkpoint(recipe, folder, step, progress)
    return progress.mean


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
