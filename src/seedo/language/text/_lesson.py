"""From logs to minibatches of tokens, and what learning from them minimises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.language.scenes import token_names
from seedo.language.text._llama import TextNetwork, logits
from seedo.language.text._tokens import ASSISTANT, END, PAD_ID, USER, tokenizer
from seedo.language.text._transcripts import Line, transcript

TOLD_WEIGHT = 0.1
"""Weight of a token that tells results, beside 1 for one of an explanation."""
_STEP = 16
"""Rows are filled up to a multiple of this, so that few shapes have to be compiled."""


class TextLesson(NamedTuple):
    """A minibatch of transcripts; every array has a leading episode axis B."""

    inputs: Any  # int32[B, T]: tokens
    action: Any  # int32[B, T]: the token after each
    explore: Any  # f32[B, T]: weight of a token of an experiment; they sum to 1
    exploit: Any  # f32[B, T]: the same for actions towards a goal
    reading: Any  # f32[B, T]: the same for what is told and explained, before TOLD_WEIGHT
    steps: tuple[()] = ()

    def each_column(self, change: Callable[[Any], Any]) -> TextLesson:
        """With `change` applied to every array."""
        return jax.tree.map(change, self)


Tell = Callable[[EpisodeBatch, int, np.random.Generator, bool], list[Line]]
"""(logs, row, source of whatever is drawn afresh, whether with explanations) -> one text."""


def tell_episode(
    batch: EpisodeBatch, row: int, rng: np.random.Generator, explained: bool
) -> list[Line]:
    """The transcript of a logged episode, with names of variables drawn afresh."""
    return transcript(batch, row, token_names(batch.n, rng), explained)


def text_lesson(
    batch: EpisodeBatch,
    rng: np.random.Generator,
    explained: bool,
    longest: int,
    tell: Tell = tell_episode,
) -> TextLesson:
    """Logged episodes as texts.

    Raises:
        UserError: an episode is longer than `longest` tokens.
    """
    told = [tell(batch, row, rng, explained) for row in range(batch.rows)]
    pieces = tokenizer().encode_batch(
        [spelt(line) for lines in told for line in lines], add_special_tokens=False
    )
    ids = iter(piece.ids for piece in pieces)
    rows, kinds = [], []
    for lines in told:
        row: list[int] = []
        kind: list[str] = []
        for line in lines:
            tokens = next(ids)
            row += tokens
            kind += ["", *(line.kind,) * (len(tokens) - 1)]  # the token of a role is no choice
        rows.append(row)
        kinds.append(kind)
    most = max(map(len, rows))
    if most > longest:
        raise UserError("logs", f"{most} tokens", f"a network of this plan reads {longest}")
    width = -(-(most - 1) // _STEP) * _STEP + 1
    table = np.full((len(rows), width), PAD_ID, np.int32)
    what = np.full((len(rows), width), "", dtype="U9")
    for i, (row, kind) in enumerate(zip(rows, kinds, strict=True)):
        table[i, : len(row)] = row
        what[i, : len(row)] = kind
    what = what[:, 1:]

    def share(weight: np.ndarray) -> np.ndarray:
        return (weight / max(weight.sum(), 1)).astype(np.float32)

    # Told tokens count little, but the weights are shares of tokens, not of these weights.
    spoken = (what == "told") | (what == "explained")
    reading = np.where(what == "told", TOLD_WEIGHT, 1.0) * spoken / max(spoken.sum(), 1)
    return TextLesson(
        inputs=table[:, :-1],
        action=table[:, 1:],
        explore=share(what == "explore"),
        exploit=share(what == "exploit"),
        reading=reading.astype(np.float32),
    )


def mean_tokens(batch: EpisodeBatch, explained: bool, tell: Tell = tell_episode) -> float:
    """Mean length of the texts that logged episodes are told as, in tokens."""
    rng = np.random.default_rng(0)
    lines = [line for row in range(batch.rows) for line in tell(batch, row, rng, explained)]
    coded = tokenizer().encode_batch([spelt(line) for line in lines], add_special_tokens=False)
    return sum(len(piece.ids) for piece in coded) / batch.rows


def spelt(line: Line) -> str:
    """A message as the chat template writes it."""
    if line.role == "user":
        return f"{USER} {line.content}"
    return f"{ASSISTANT} {line.content}{END}"


def text_losses(network: TextNetwork, lesson: TextLesson, dtype: Any) -> Float[Array, " 3"]:
    """Mean cross-entropy (nats a token) of experiments, of exploiting, and of what is read."""
    weights = jax.tree.map(lambda w: w.astype(dtype), network.weights)
    score = logits(network.plan, weights, lesson.inputs).astype(jnp.float32)
    picked = jnp.take_along_axis(score, lesson.action[..., None], -1)[..., 0]
    nll = jax.nn.logsumexp(score, axis=-1) - picked
    return jnp.stack(
        [(nll * weight).sum() for weight in (lesson.explore, lesson.exploit, lesson.reading)]
    )
