"""A text understudy: answers messages with the likeliest tokens; needs no PyTorch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from understudy.errors import UserError
from understudy.language._scene import Message
from understudy.language.text._hub_files import MOST_NEW_TOKENS
from understudy.language.text._llama import LlamaPlan, TextNetwork, Weights, complete, fresh
from understudy.language.text._tokens import ASSISTANT, END, END_ID, PAD_ID, USER, tokenizer
from understudy.learning import agent_folder, read_description, read_history

_ROWS = (1, 8, 64)
"""Conversations that are continued at once, filled up to one of these: few shapes to compile."""
_STEP = 64


class TextAgent:
    """A `Speaker`; knows nothing but the messages it gets.

    Args:
        weights, plan: the network.
        name: shown in logs and reports.
        training: the training record of its agent.json. history: rows of its metrics.jsonl.
        seed: draw replies with it; None: always the likeliest.
    """

    def __init__(
        self,
        weights: Weights,
        plan: LlamaPlan,
        name: str,
        training: dict[str, Any] | None = None,
        history: list[dict[str, Any]] | None = None,
        seed: int | None = None,
    ) -> None:
        self.weights, self.plan, self.name = weights, plan, name
        self.training, self.history = training or {}, history or []
        self._key = None if seed is None else jax.random.key(seed)

    @property
    def network(self) -> TextNetwork:
        """As training sees it."""
        return TextNetwork(self.weights, self.plan)

    @property
    def architecture(self) -> LlamaPlan:
        return self.plan

    @property
    def record(self) -> dict[str, Any]:
        """What a run's manifest keeps of the agent."""
        return {
            "mode": "greedy" if self._key is None else "sample",
            "agent_record": {"architecture": self.plan.to_json(), **self.training},
            "metrics_history": self.history,
        }

    def replies(self, conversations: Sequence[Sequence[Message]]) -> list[str]:
        """The next assistant message of each conversation; "" where one is too long to read."""
        encoded = tokenizer().encode_batch(
            [prompt(messages) for messages in conversations], add_special_tokens=False
        )
        ids = [piece.ids for piece in encoded]
        room = self.plan.longest - MOST_NEW_TOKENS
        said = [""] * len(ids)
        fitting = [i for i, tokens in enumerate(ids) if len(tokens) <= room]
        fitting.sort(key=lambda i: len(ids[i]))
        for start in range(0, len(fitting), _ROWS[-1]):
            some = fitting[start : start + _ROWS[-1]]
            for i, text in zip(some, self._continue([ids[i] for i in some]), strict=True):
                said[i] = text
        return said

    def _continue(self, ids: list[list[int]]) -> list[str]:
        rows = next(size for size in _ROWS if size >= len(ids))
        width = -(-max(map(len, ids)) // _STEP) * _STEP
        table, length = np.full((rows, width), PAD_ID, np.int32), np.ones(rows, np.int32)
        for i, tokens in enumerate(ids):
            table[i, : len(tokens)], length[i] = tokens, len(tokens)
        if self._key is not None:
            self._key, own = jax.random.split(self._key)
        written = np.asarray(
            complete(
                self.plan, self.weights, jnp.asarray(table), jnp.asarray(length),
                MOST_NEW_TOKENS, END_ID, None if self._key is None else own,
            )
        )  # fmt: skip
        kept = [row[: int((row == END_ID).argmax())] if END_ID in row else row for row in written]
        texts: list[str] = tokenizer().decode_batch([k.tolist() for k in kept[: len(ids)]])
        return [text.strip() for text in texts]


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
    folder, name = agent_folder(path)
    description = read_description(folder)
    kind = description["architecture"].get("kind")
    if kind != "text":
        raise UserError("agent", name, f"its network ({kind}) does not speak: it is no text agent")
    plan = LlamaPlan.from_json(description["architecture"])
    _check_tokens(folder / "tokenizer.json")
    source = folder / "model.safetensors"
    try:
        stored = load(source.read_bytes())
    except (OSError, SafetensorError, ValueError) as error:
        raise UserError(str(source), None, f"cannot read ({error}): restore it") from error
    own = {name: array.shape for name, array in fresh(plan, 0).items()}
    if {n: a.shape for n, a in stored.items()} != own:
        raise UserError(str(source), None, "its arrays do not fit the network in agent.json")
    if not all(np.isfinite(array).all() for array in stored.values()):
        raise UserError(str(source), None, "holds NaN or infinity")
    weights = {n: jnp.asarray(array) for n, array in stored.items()}
    history = read_history(folder / "metrics.jsonl")
    return TextAgent(weights, plan, name, description["training"], history, seed)
