"""A pretrained language model in this process, as a speaker."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from seedo.language.hub._forward import Read, forward, read_once, shares
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
        seed: draw replies with it; None: the likeliest, but where that would be the very
            reply that was just refused: then one is drawn.
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
        self.spent: list[tuple[int, int]] = []
        """Tokens read and written for each conversation of the last call."""
        self._read: tuple[tuple[int, ...], Any] = (), None  # a prefix and its memory
        self._last: list[Read] = []  # what was read in the last call

    def replies(
        self,
        conversations: Sequence[Sequence[Message]],
        tools: Sequence[Sequence[Mapping[str, Any]]] | None = None,
    ) -> list[str]:
        """The next assistant message of each conversation; "" where one is too long to read.

        Args:
            conversations: what was said.
            tools: what each may call, as JSON schemas; a call is part of the reply's text.

        Raises:
            UserError: the model's chat template does not take such a conversation.
        """
        return self.replies_after(conversations, [0] * len(conversations), tools)

    def replies_after(
        self,
        conversations: Sequence[Sequence[Message]],
        refused: Sequence[int],
        tools: Sequence[Sequence[Mapping[str, Any]]] | None = None,
    ) -> list[str]:
        """As `replies`; where as many, above 0, were just refused and the likeliest would be the
        last of them again, one is drawn.

        What is drawn depends on the conversation alone, not on what else is answered with it.
        """
        offered = tools or [()] * len(conversations)
        said = self._replies(conversations, offered)
        again = [
            i
            for i, times in enumerate(refused)
            if times and self._random is None and said[i] == _last_said(conversations[i])
        ]
        if again:
            read, spent = self._last, self.spent
            drawn = self._replies(
                [conversations[i] for i in again], [offered[i] for i in again], True
            )
            for i, text, (seen, written) in zip(again, drawn, self.spent, strict=True):
                said[i], spent[i] = text, (spent[i][0] + seen, spent[i][1] + written)
            self._last, self.spent = [*read, *self._last], spent
        return said

    def _replies(
        self,
        conversations: Sequence[Sequence[Message]],
        tools: Sequence[Sequence[Mapping[str, Any]]],
        drawn: bool = False,
    ) -> list[str]:
        coder = self.opened.tokenizer
        texts = [
            rendered(coder, messages, True, own)
            for messages, own in zip(conversations, tools, strict=True)
        ]
        ids: list[list[int]] = coder(texts, add_special_tokens=False)["input_ids"]
        room = self.opened.longest - self.longest
        fitting = [i for i, tokens in enumerate(ids) if len(tokens) <= room]
        fitting.sort(key=lambda i: len(ids[i]))
        said, self.spent = [""] * len(ids), [(0, 0)] * len(ids)
        with self._torch.inference_mode():
            for rows, read in self._batches([ids[i] for i in fitting]):
                own = [fitting[i] for i in rows]
                draws = [self._draw(texts[i]) for i in own] if drawn else []
                written = self._continued([ids[i] for i in own], read, draws)
                for i, tokens in zip(rows, written, strict=True):
                    self.spent[fitting[i]] = len(ids[fitting[i]]), len(tokens)
                    said[fitting[i]] = coder.decode(tokens, skip_special_tokens=True).strip()
        return said

    def _batches(self, rows: list[list[int]]) -> Iterator[tuple[list[int], Read]]:
        """Which rows are continued at once, and what of them has been read.

        Conversations that went on from those of the last call are not read again; of others, what
        all of them begin with is read once.
        """
        before, self._last = self._last, []
        new = set(range(len(rows)))
        for read in before:
            found = {i: place for i in sorted(new) if (place := read.find(rows[i])) is not None}
            if found:
                new -= found.keys()
                yield list(found), read.of(list(found.values()))
        cold = sorted(new)
        length = self._remember([rows[i] for i in cold]) if cold else 0
        for start in range(0, len(cold), _ROWS):
            some = cold[start : start + _ROWS]
            yield some, Read.once(self._torch, self._read[0][:length], self._read[1], len(some))

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

    def _continued(
        self, rows: list[list[int]], read: Read, draws: Sequence[Any]
    ) -> list[list[int]]:
        """What is written after each row; `draws`: a generator for each, if they are drawn."""
        torch, device = self._torch, self.opened.device
        unread = [row[len(known) :] for row, known in zip(rows, read.rows, strict=True)]
        count, width = len(rows), max(map(len, unread))
        table = np.full((count, width), self.opened.tokenizer.pad_token_id, np.int64)
        seen = np.ones((count, width), np.int64)
        for i, row in enumerate(unread):
            table[i, width - len(row) :] = row
            seen[i, : width - len(row)] = 0
        tokens = torch.tensor(table, device=device)
        mask = torch.cat([read.seen, torch.tensor(seen)], -1).to(device)
        place = mask.cumsum(-1)[:, -width:] - 1
        memory, asked = read.memory, mask.cpu()
        written, over = [], torch.zeros(count, dtype=torch.bool, device=device)
        ends = torch.tensor(self._ends, device=device)
        for _ in range(self.longest):
            scores, memory = forward(
                self.opened.model, memory, input_ids=tokens, attention_mask=mask,
                position_ids=place.clamp(min=0), use_cache=True, logits_to_keep=1,
            )  # fmt: skip
            chosen = self._choose(scores[:, -1].float(), draws)
            over = over | torch.isin(chosen, ends)
            written.append(torch.where(over, -1, chosen))
            if bool(over.all()):
                break
            tokens, place = chosen[:, None], place[:, -1:] + 1
            mask = torch.cat([mask, torch.ones_like(mask[:, :1])], -1)
        if self._shares:
            if len(written) > 1:  # a reply is read again with what is said next
                memory.crop(1 - len(written))
            self._last.append(Read(rows, asked, memory))
        lines = torch.stack(written, -1).tolist()
        return [[token for token in line if token >= 0] for line in lines]

    def _choose(self, scores: Any, draws: Sequence[Any]) -> Any:
        if self._random is None:
            for row, random in enumerate(draws):  # Gumbel's trick: the greatest is a draw
                waits = self._torch.empty(scores.shape[-1]).exponential_(generator=random)
                scores[row] -= waits.log().to(scores.device)
            return scores.argmax(-1)
        drawn = self._torch.softmax(scores, -1)
        return self._torch.multinomial(drawn, 1, generator=self._random)[:, 0]

    def _draw(self, text: str) -> Any:
        """A generator of random numbers for what follows on a text."""
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:7])
        return self._torch.Generator().manual_seed(seed)


def _last_said(messages: Sequence[Message]) -> str | None:
    """The last reply in a conversation; None: there is none yet."""
    own = (m["content"].strip() for m in reversed(messages) if m["role"] == "assistant")
    return next(own, None)


def load_hub_speaker(
    name: str, seed: int | None = None, longest: int = LONGEST_REPLY
) -> HubSpeaker:
    """A pretrained or tuned model as a speaker, by name `hf:FOLDER`.

    Raises:
        UserError: see `open_model`.
    """
    return HubSpeaker(open_model(name), name, seed, longest)
