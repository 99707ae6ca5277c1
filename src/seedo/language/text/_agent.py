"""A text understudy: answers messages with the likeliest tokens; needs no PyTorch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from seedo.errors import UserError
from seedo.language.scenes import Message
from seedo.language.text._hub_files import MOST_NEW_TOKENS
from seedo.language.text._llama import LlamaPlan, TextNetwork, complete, fresh
from seedo.language.text._own_words import in_own_words, renamed
from seedo.language.text._tokens import ASSISTANT, END, END_ID, PAD_ID, USER, tokenizer
from seedo.learning import (
    Provenance,
    Stored,
    agent_folder,
    read_agent,
    read_arrays,
    read_description,
    read_file,
)

_ROWS = (1, 8, 64)
"""Conversations that are continued at once, filled up to one of these: few shapes to compile."""
_STEP = 64


class TextAgent:
    """A `Speaker`; knows nothing but the messages it gets.

    Args:
        network: its weights and their plan.
        name, training, history: see `learning.Provenance`.
        seed: draw replies with it; None: always the likeliest.
    """

    def __init__(
        self,
        network: TextNetwork,
        name: str,
        training: dict[str, Any] | None = None,
        history: list[dict[str, Any]] | None = None,
        seed: int | None = None,
    ) -> None:
        self.network, self.architecture = network, network.plan
        self.name, self.training, self.history = name, training or {}, history or []
        self.greedy = seed is None
        self._key = None if seed is None else jax.random.key(seed)
        self.spent: list[tuple[int, int]] = []
        """Tokens read and written for each conversation of the last call."""

    @property
    def record(self) -> dict[str, Any]:
        """What a run's manifest keeps of the agent."""
        past = Provenance(self.name, self.training, self.history)
        return past.record(self.architecture, self.greedy)

    def replies(self, conversations: Sequence[Sequence[Message]]) -> list[str]:
        """The next assistant message of each conversation; "" where one is too long to read.

        Whatever variables are called, it reads them by the words that it knows.
        """
        heard = [in_own_words(messages) for messages in conversations]
        encoded = tokenizer().encode_batch(
            [prompt(messages) for messages, _ in heard], add_special_tokens=False
        )
        ids = [piece.ids for piece in encoded]
        room = self.architecture.longest - MOST_NEW_TOKENS
        said, self.spent = [""] * len(ids), [(0, 0)] * len(ids)
        fitting = [i for i, tokens in enumerate(ids) if len(tokens) <= room]
        fitting.sort(key=lambda i: len(ids[i]))
        for start in range(0, len(fitting), _ROWS[-1]):
            some = fitting[start : start + _ROWS[-1]]
            for i, (text, count) in zip(some, self._continue([ids[i] for i in some]), strict=True):
                said[i] = renamed(text, heard[i][1])
                self.spent[i] = len(ids[i]), count
        return said

    def _continue(self, ids: list[list[int]]) -> list[tuple[str, int]]:
        rows = next(size for size in _ROWS if size >= len(ids))
        width = -(-max(map(len, ids)) // _STEP) * _STEP
        table, length = np.full((rows, width), PAD_ID, np.int32), np.ones(rows, np.int32)
        for i, tokens in enumerate(ids):
            table[i, : len(tokens)], length[i] = tokens, len(tokens)
        if self._key is not None:
            self._key, own = jax.random.split(self._key)
        written = np.asarray(
            complete(
                self.architecture, self.network.weights, jnp.asarray(table), jnp.asarray(length),
                MOST_NEW_TOKENS, END_ID, None if self._key is None else own,
            )
        )  # fmt: skip
        kept = [row[: int((row == END_ID).argmax())] if END_ID in row else row for row in written]
        texts: list[str] = tokenizer().decode_batch([k.tolist() for k in kept[: len(ids)]])
        return [(text.strip(), len(own)) for text, own in zip(texts, kept, strict=False)]


def prompt(messages: Sequence[Message]) -> str:
    """A conversation as the chat template writes it, up to where the assistant speaks."""
    said = {"system": "", "user": USER + " {}", "assistant": ASSISTANT + " {}" + END}
    return "".join(said[m["role"]].format(m["content"].strip()) for m in messages) + ASSISTANT


def _check_tokens(path: Path) -> None:
    """Raises UserError where a server would read other tokens than are read here."""
    try:
        vocabulary = json.loads(path.read_text())["model"]["vocab"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(str(path), None, f"cannot read ({error}): restore it") from error
    if vocabulary != json.loads(tokenizer().to_str())["model"]["vocab"]:
        raise UserError(str(path), None, "its tokens are not those of this version: train again")


def speaks(path: str | Path) -> bool:
    """Whether this names the folder of a text agent, or a shipped one; False for anything else."""
    try:
        return bool(read_description(agent_folder(path)[0])["architecture"].get("kind") == "text")
    except UserError:
        return False


def load_speaker(path: str | Path, seed: int | None = None) -> TextAgent:
    """A text understudy from its folder, or the shipped one, `pretrained:dag-text`.

    Raises:
        UserError: no such agent; a file missing, damaged or of another network.
    """
    stored = read_agent(path)
    kind = stored.architecture.get("kind")
    if kind != "text":
        remedy = f"its network ({kind}) does not speak: it is no text agent"
        raise UserError("agent", stored.name, remedy)
    return open_speaker(stored, seed)


def open_speaker(stored: Stored, seed: int | None = None) -> TextAgent:
    """A text understudy whose folder has been read."""
    plan = LlamaPlan.from_json(stored.architecture)
    _check_tokens(stored.folder / "tokenizer.json")
    source = stored.folder / "model.safetensors"
    own = {name: np.asarray(array) for name, array in fresh(plan, 0).items()}
    arrays = read_arrays(read_file(source), own, source)
    network = TextNetwork({name: jnp.asarray(array) for name, array in arrays.items()}, plan)
    return TextAgent(network, stored.name, stored.training, stored.history, seed)
