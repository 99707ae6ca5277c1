"""Conversations as tokens, by a model's own chat template; what the experimenter said is marked."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seedo.errors import UserError
from seedo.language.scenes import Message
from seedo.language.transcripts import Watched

COMPLETION = """\
{%- for message in messages -%}
{%- if message['role'] == 'assistant' %}{{ 'Reply:\\n' }}{% endif -%}
{{ message['content'] + ('\\n\\n' if message['role'] == 'system' else '\\n') }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ 'Reply:\\n' }}{% endif -%}"""
"""Template of models that continue text and have none of their own: a reply is a line."""


def completes(tokenizer: Any) -> bool:
    """Whether a model only continues text, so that a line's end is the end of a reply."""
    return bool(tokenizer.chat_template == COMPLETION)


@functools.lru_cache(maxsize=4)
def last_tokens(tokenizer: Any) -> frozenset[int]:
    """Those that end a reply, as far as the tokenizer tells."""
    ends = set(tokenizer.all_special_ids)
    if completes(tokenizer):
        pieces = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
        ends |= {token for token, piece in enumerate(pieces) if "\n" in piece}
    return frozenset(ends)


class Marked(NamedTuple):
    """A conversation in tokens.

    Attributes:
        ids: int64[T]. part: int8[T], what is learnt of each token: 1 as of an experiment, 2 as of
            an exploit action, 0 nothing.
    """

    ids: np.ndarray
    part: np.ndarray


_PARTS = {"explore": 1, "exploit": 2}


def rendered(
    tokenizer: Any,
    messages: Sequence[Message],
    replying: bool,
    tools: Sequence[Mapping[str, Any]] = (),
) -> str:
    """A conversation as the chat template writes it.

    A template that has no place for instructions gets them at the head of what is said first.

    Args:
        replying: end where the assistant is to speak.
        tools: JSON schemas of functions that may be called.

    Raises:
        UserError: the template does not take such a conversation, or has no place for tools.
    """
    if tools and "tools" not in str(tokenizer.chat_template):
        remedy = "the chat template of this model does not tell it of tools: use tools=none"
        raise UserError("tools", None, remedy)
    problem: Exception | None = None
    for given in (messages, _without_system(messages)):
        try:
            text: str = tokenizer.apply_chat_template(
                list(given), list(tools) or None, tokenize=False, add_generation_prompt=replying
            )
        except Exception as error:  # templates of others raise what they like
            problem = problem or error
        else:
            return text
    remedy = f"does not take these conversations: {str(problem)[:120]}"
    raise UserError("chat template", None, remedy)


def _without_system(messages: Sequence[Message]) -> list[Message]:
    if messages[0]["role"] != "system" or len(messages) < 2:
        return list(messages)
    first = f"{messages[0]['content']}\n\n{messages[1]['content']}"
    return [{"role": messages[1]["role"], "content": first}, *messages[2:]]


def marked(tokenizer: Any, watched: Watched, results: bool = False) -> Marked:
    """A watched episode in tokens.

    A reply's tokens are those of its text and the one that ends the turn.

    Args:
        results: mark what was told in the episode (as 2), and nothing that was done.

    Raises:
        UserError: the chat template does not leave earlier turns as they are, so that no token can
            be told to be the experimenter's.
    """
    messages = watched.messages
    text = rendered(tokenizer, messages, False)
    coded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids, spans = np.asarray(coded["input_ids"]), np.asarray(coded["offset_mapping"])
    part = np.zeros(len(ids), np.int8)
    ends = last_tokens(tokenizer)
    for place, turn in enumerate(watched.turns):
        told = turn.part == "told"
        slip = told and turn.message["role"] == "assistant"
        if told != results or slip or turn.message["role"] == "system":
            continue
        before = rendered(tokenizer, messages[:place], not told) if place > 1 else ""
        said = turn.message["content"]
        if not told and "\n" in said and completes(tokenizer):
            remedy = "a model that continues text replies with one line: leave it out"
            raise UserError("reasoning", True, remedy)
        start = text.find(said, len(before)) if told else len(before)
        if not text.startswith(before) or start < 0 or not text.startswith(said, start):
            remedy = "changes earlier turns of a conversation: another model is needed"
            raise UserError("chat template", None, remedy)
        end = start + len(said)
        own = (spans[:, 0] >= start) & (spans[:, 1] <= end) & (spans[:, 1] > spans[:, 0])
        if not told:
            last = int(np.flatnonzero(own)[-1]) + 1
            if last < len(ids) and ids[last] in ends:
                own[last] = True
        part[own] = 2 if told else _PARTS[turn.part]
    return Marked(ids, part)


def shared(rows: Sequence[ArrayLike], most: int) -> int:
    """How many first tokens, up to `most`, all rows have in common."""
    first = np.asarray(rows[0])[:most]
    length = len(first)
    for row in rows[1:]:
        own = np.asarray(row)[:length]
        differ = np.flatnonzero(own != first[: len(own)])
        length = int(differ[0]) if differ.size else len(own)
    return length
