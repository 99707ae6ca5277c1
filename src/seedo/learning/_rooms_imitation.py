"""Passive imitation in rooms: what is learnt from their logs, and how."""

from __future__ import annotations

import json
from typing import Any

import jax
import jax.numpy as jnp

from seedo.episodes import Dataset, EpisodeBatch
from seedo.errors import UserError
from seedo.learning._course import Course
from seedo.learning._kinds import NetworkKind
from seedo.learning._rooms_agent import build_rooms, load_rooms_agent, rooms_architecture
from seedo.learning._rooms_lesson import RoomsLesson, rooms_lesson, trimmed
from seedo.learning._rooms_objective import rooms_losses
from seedo.worlds import from_config, stream_key
from seedo.worlds.rooms import logged_actions

ROOMS_RECIPE: dict[str, Any] = {
    "network": "relational",
    "batch_size": 64,
    "learning_rate": 3e-3,
    "explore_weight": 1.0,
}
"""Defaults of a recipe for rooms: many small steps learn from far fewer episodes."""


def rooms_course(datasets: list[Dataset], recipe: Any) -> Course:
    """How to imitate logs of rooms.

    Raises:
        UserError: unknown network, a precision it does not compute in, or explanations asked for
            that the logs do not hold.
    """
    if recipe.precision != "float32":
        raise UserError("precision", recipe.precision, "networks of rooms compute in float32")
    worlds = [from_config("rooms", json.loads(d.origin.world_config)) for d in datasets]
    if recipe.explanations != "none":
        for dataset in datasets:
            if "explanation" not in dataset.optional:
                raise UserError(
                    "explanations", recipe.explanations, f"{dataset.path} holds none: watch again "
                    "with --explain words"
                )  # fmt: skip
    plan = rooms_architecture(
        recipe.network, dict(recipe.widths), listens=recipe.explanations == "input"
    )
    names = recipe.explanations not in ("none", "input")

    def lesson(index: int, batch: EpisodeBatch, step: int) -> RoomsLesson:
        world, stream = worlds[index], str(datasets[index].job.get("stream", "watch"))
        return rooms_lesson(
            world,
            recipe.explanations,
            _keys(stream_key(batch.origin.seed, stream), jnp.asarray(batch.episode_id)),
            jnp.asarray(trimmed(logged_actions(batch), world.settings.linger)),
            jax.random.fold_in(jax.random.key(recipe.seed), step),
            pixels=plan.sees,
        )

    return Course(
        architecture=plan,
        network=build_rooms(plan, recipe.seed),
        lesson=lesson,
        heldout=lambda index, batch: lesson(index, batch, 0),
        losses=rooms_losses,
        loss_weights=(recipe.explore_weight, 1.0, recipe.explanation_weight if names else 0.0),
        explaining="word_loss" if names else "",
    )


@jax.jit
def _keys(stream: Any, ids: Any) -> Any:
    return jax.vmap(lambda i: jax.random.fold_in(stream, i))(ids)


ROOMS_NETWORK = NetworkKind(load_rooms_agent, ("rooms",), ROOMS_RECIPE, rooms_course)
"""Networks that see rooms."""
