"""A pretrained language model in this process, as a speaker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seedo.language.hub._forward import forward, handed_to, read_once, shares
from seedo.language.hub._model import HubModel, libraries, open_model
from seedo.language.hub._tokens import completes, last_tokens, rendered, shared
from seedo.language.scenes import Message

LONGEST_REPLY = 64
"""Tokens of a reply at most."""
_ROWS = 32
"""Conversations that are continued at once."""


class HubSpeaker:
    """A `Speaker`; knows nothing but the messages it gets.

    Args:
        opened: the model.
        name: as it was asked for.
        seed: draw replies with it; None: always the likeliest.
        longest: tokens of a reply at most; reasoning needs more.
    """

    def __init__(
        self, opened: HubModel, name: str, seed: int | None = None, longest: int = LONGEST_REPLY
    ) -> None:
        self.opened, self.name, self.longest = opened, name, longest
        self._torch, _ = libraries()
        self._random = None
        if seed is not None:
            self._random = self._torch.Generator(opened.device).manual_seed(seed)
        ends = getattr(opened.model.generation_config, "eos_token_id", None)
        ends = [] if ends is None else ends if isinstance(ends, list) else [ends]
        ends = {*ends, opened.tokenizer.eos_token_id} - {None}
        if completes(opened.tokenizer):
            ends |= last_tokens(opened.tokenizer)
        self._ends = sorted(ends)
        self._shares = shares(opened.model)
        self._read: tuple[tuple[int, ...], Any] = (), None  # a prefix and its memory

    def replies(self, conversations: Sequence[Sequence[Message]]) -> list[str]:
        """The next assistant message of each conversation; "" where one is too long to read."""
        coder = self.opened.tokenizer
        texts = [rendered(coder, messages, True) for messages in conversations]
        ids: list[list[int]] = coder(texts, add_special_tokens=False)["input_ids"]
        room = self.opened.longest - self.longest
        fitting = [i for i, tokens in enumerate(ids) if len(tokens) <= room]
        fitting.sort(key=lambda i: len(ids[i]))
        said = [""] * len(ids)
        with self._torch.inference_mode():
            length = self._remember([ids[i] for i in fitting]) if fitting else 0
            for start in range(0, len(fitting), _ROWS):
                some = fitting[start : start + _ROWS]
                written = self._continued([ids[i][length:] for i in some], length)
                for i, tokens in zip(some, written, strict=True):
                    said[i] = coder.decode(tokens, skip_special_tokens=True).strip()
        return said

    def _remember(self, rows: list[list[int]]) -> int:
        """See to it that what all rows begin with has been read; its length in tokens."""
        if not self._shares:
            return 0
        known, _ = self._read
        if known and all(len(row) > len(known) and (*row[: len(known)],) == known for row in rows):
            return len(known)
        length = shared(rows, min(map(len, rows)) - 1)
        prefix = self._torch.tensor([rows[0][:length]], device=self.opened.device)
        memory = read_once(self.opened.model, prefix) if length else None
        self._read = tuple(rows[0][:length]), memory
        return length

    def _continued(self, rows: list[list[int]], before: int) -> list[list[int]]:
        """What is written after each row; `before` tokens have been read already."""
        torch, device = self._torch, self.opened.device
        count, width = len(rows), max(map(len, rows))
        table = np.full((count, width), self.opened.tokenizer.pad_token_id, np.int64)
        seen = np.ones((count, before + width), np.int64)
        for i, row in enumerate(rows):
            table[i, width - len(row) :] = row
            seen[i, before : before + width - len(row)] = 0
        mask, tokens = torch.tensor(seen, device=device), torch.tensor(table, device=device)
        place = mask.cumsum(-1)[:, before:] - 1
        memory = handed_to(self._read[1], count) if before else None
        written, over = [], torch.zeros(count, dtype=torch.bool, device=device)
        ends = torch.tensor(self._ends, device=device)
        for _ in range(self.longest):
            scores, memory = forward(
                self.opened.model, memory, input_ids=tokens, attention_mask=mask,
                position_ids=place.clamp(min=0), use_cache=True, logits_to_keep=1,
            )  # fmt: skip
            chosen = self._choose(scores[:, -1].float())
            over = over | torch.isin(chosen, ends)
            written.append(torch.where(over, -1, chosen))
            if bool(over.all()):
                break
            tokens, place = chosen[:, None], place[:, -1:] + 1
            mask = torch.cat([mask, torch.ones_like(mask[:, :1])], -1)
        lines = torch.stack(written, -1).tolist()
        return [[token for token in line if token >= 0] for line in lines]

    def _choose(self, scores: Any) -> Any:
        if self._random is None:
            return scores.argmax(-1)
        drawn = self._torch.softmax(scores, -1)
        return self._torch.multinomial(drawn, 1, generator=self._random)[:, 0]


def load_hub_speaker(
    name: str, seed: int | None = None, longest: int = LONGEST_REPLY
) -> HubSpeaker:
    """A pretrained or tuned model as a speaker, by name `hf:FOLDER`.

    Raises:
        UserError: see `open_model`.
    """
    return HubSpeaker(open_model(name), name, seed, longest)
