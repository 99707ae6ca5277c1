"""Losses of imitation in rooms."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from seedo.learning._rooms_lesson import RoomsLesson
from seedo.learning._rooms_network import RoomsNetwork


def rooms_losses(network: RoomsNetwork, batch: RoomsLesson, dtype: Any) -> Float[Array, " 3"]:
    """Loss of imitated experiments, of imitated exploitation, and of a word (nats), each a mean
    over what it applies to; sums weighted by the lesson, so parts of a minibatch may be added."""

    def read(one: RoomsLesson) -> tuple[Array, Array]:
        verdict = network.read(one.inputs, one.heard, one.told)
        action = optax.softmax_cross_entropy_with_integer_labels(verdict.logits, one.action)
        return action, verdict.words

    action, words = jax.vmap(read)(batch)
    word = word_loss(words, batch.words, batch.naming)
    return jnp.stack([(action * batch.explore).sum(), (action * batch.exploit).sum(), word])


def word_loss(
    logits: Float[Array, "*axes L V"], words: Int[Array, "*axes L"], naming: Float[Array, "*axes L"]
) -> Float[Array, ""]:
    """Cross-entropy of the words said (nats), each with its weight."""
    loss = optax.softmax_cross_entropy_with_integer_labels(logits, words)
    return (loss * naming).sum()
