"""Learning to experiment by reading: next-token prediction on transcripts of others' episodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optax
from safetensors.numpy import save

from seedo.episodes import Dataset, EpisodeBatch
from seedo.errors import UserError
from seedo.language.text._agent import TextAgent, open_speaker
from seedo.language.text._hub_files import hub_files
from seedo.language.text._lesson import (
    Tell,
    TextLesson,
    tell_episode,
    text_lesson,
    text_losses,
)
from seedo.language.text._llama import LlamaPlan, TextNetwork, fresh
from seedo.language.text._steps import open_steps
from seedo.learning import Course, NetworkKind, Recipe, Report, Stored, learn

TEXT_RECIPE: dict[str, Any] = {
    "network": "text",
    "batch_size": 32,
    "learning_rate": 2e-3,
    "explore_weight": 0.5,
}
"""Settings by which text understudies learn unless told otherwise."""
READING_WEIGHT = 1.5
"""Weight of reading (results and explanations) beside exploiting, times `explanation_weight`."""
_HELDOUT = 256


def learn_by_reading(
    logs: Sequence[str | Path],
    out: str | Path,
    recipe: Recipe,
    resume: bool = False,
    progress: Callable[[Report], None] | None = None,
    checkpoint_seconds: float = 60.0,
    tell: Tell = tell_episode,
) -> TextAgent:
    """Train a text understudy on dataset folders of world `dag`; see `learning.learn`.

    `tell` puts a logged episode into words; another than the usual one may read other worlds.

    The folder that it writes is a checkpoint of Hugging Face `transformers` (Llama architecture,
    safetensors, tokenizer, chat template) beside our agent.json.

    Raises:
        UserError: as `learning.learn`, or logs of another world, or without the explanations that
            are to be learnt.
    """
    own = None if tell is tell_episode else partial(_course, tell)
    recipe = replace(recipe, network="text")
    agent: TextAgent = learn(logs, out, recipe, resume, progress, checkpoint_seconds, own)
    return agent


def _course(tell: Tell, datasets: list[Dataset], recipe: Recipe) -> Course:
    if recipe.explanations not in ("none", "predict"):
        raise UserError("explanations", recipe.explanations, "this is for rooms: none or predict")
    explained = recipe.explanations == "predict"
    for dataset in datasets:
        if explained and "explanation" not in dataset.optional:
            raise UserError(
                "explanations", "predict", f"{dataset.path} holds none: watch again with --explain "
                "effects"
            )  # fmt: skip
    plan = LlamaPlan.from_json(dict(recipe.widths))

    def lesson(index: int, batch: EpisodeBatch, step: int) -> TextLesson:
        rng = np.random.default_rng([recipe.seed, step])
        return text_lesson(batch, rng, explained, plan.longest, tell)

    def heldout(index: int, batch: EpisodeBatch) -> TextLesson:
        some = batch.take(slice(0, _HELDOUT))
        return text_lesson(some, np.random.default_rng(0), explained, plan.longest, tell)

    assert recipe.explore_weight is not None
    return Course(
        architecture=plan,
        network=TextNetwork(fresh(plan, recipe.seed), plan),
        lesson=lesson,
        heldout=heldout,
        losses=text_losses,
        loss_weights=(recipe.explore_weight, 1.0, READING_WEIGHT * recipe.explanation_weight),
        explaining="reading_loss",
        optimiser=_optimiser,
        files=_files,
    )


def _optimiser(weight_decay: float) -> optax.GradientTransformation:
    """Muon for matrices (Jordan et al. 2024), AdamW for embeddings and scales; clipped gradients.

    Muon's updates are scaled to the size of Adam's, so that one learning rate serves both.
    """
    inner = optax.contrib.muon(
        learning_rate=1.0,
        weight_decay=weight_decay,
        adam_weight_decay=weight_decay,
        adam_b2=0.98,
        consistent_rms=0.2,
        muon_weight_dimension_numbers=_matrices,
    )
    return optax.chain(optax.clip_by_global_norm(1.0), inner, optax.scale(-1.0))


def _matrices(parameters: Any) -> Any:
    weights = {
        name: optax.contrib.MuonDimensionNumbers() if "_proj" in name else None
        for name in parameters.weights
    }
    return TextNetwork(weights, parameters.plan)


def _files(network: TextNetwork) -> dict[str, bytes]:
    weights = {name: np.asarray(array) for name, array in network.weights.items()}
    return {
        "model.safetensors": save(weights, metadata={"format": "pt"}),
        **hub_files(network.plan),
    }


def _load(stored: Stored, greedy: bool) -> TextAgent:
    return open_speaker(stored, None if greedy else 0)


TEXT_NETWORK = NetworkKind(
    _load,
    ("dag",),
    TEXT_RECIPE,
    partial(_course, tell_episode),
    speaks=True,
    inside=open_steps,
)
"""A language model that reads transcripts."""
