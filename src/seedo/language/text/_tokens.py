"""The tokens of a text understudy: words of the stage, numbers, and bytes for the rest."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from seedo.errors import UserError
from seedo.language.scenes import NONSENSE

PAD, USER, ASSISTANT, END = "<|pad|>", "<|user|>", "<|assistant|>", "<|end|>"
SPECIAL = (PAD, USER, ASSISTANT, END)
"""Tokens that are no text: padding, who speaks, and the end."""
PAD_ID = 0
"""Of the token that fills up."""
USER_ID, ASSISTANT_ID = 1, 2
END_ID = 3
"""Of the token after which nothing is said."""
LARGEST = 200
"""Numbers from -20.0 to 20.0 in tenths are one token each; others are spelt."""

_WORDS = ("\n", "Variables:", " Variables:", "Goal:", " Goal:", " do", " observe", "->")


@functools.cache
def vocabulary() -> tuple[str, ...]:
    """All pieces; the position of a piece is its token."""
    names = [form for word in NONSENSE for form in (f" {word}", word)]
    spelt = [f"<0x{byte:02X}>" for byte in range(256)]
    return (*SPECIAL, *_WORDS, *names, *numbers(), *spelt)


def numbers() -> list[str]:
    """The pieces that are numbers, in rising order."""
    return [f"={tenths / 10:.1f}" for tenths in range(-LARGEST, LARGEST + 1)]


def number_values() -> np.ndarray:
    """float64[V]: the value of every piece that is a number, NaN elsewhere."""
    values = np.full(len(vocabulary()), np.nan)
    first = vocabulary().index(numbers()[0])
    values[first : first + 2 * LARGEST + 1] = np.arange(-LARGEST, LARGEST + 1) / 10
    return values


@functools.cache
def tokenizer() -> Any:
    """A `tokenizers.Tokenizer`; any text has tokens, and they spell it again.

    Raises:
        UserError: the library is not installed.
    """
    try:
        import tokenizers
    except ImportError:
        raise UserError(
            "tokenizers", None, 'text agents need it: pip install "seedo[text]"'
        ) from None
    pieces = vocabulary()
    # Whole pieces score better than any spelling of them by bytes.
    scored = [(p, -100.0 if p.startswith("<0x") else -1.0) for p in pieces]
    made = tokenizers.Tokenizer(
        tokenizers.models.Unigram(scored, unk_id=PAD_ID, byte_fallback=True)
    )
    cut = tokenizers.Regex(r"=-?[0-9]+\.[0-9](?![0-9])|\n|->| ?[A-Za-z]+:?|.")
    made.pre_tokenizer = tokenizers.pre_tokenizers.Split(cut, "isolated")
    made.decoder = tokenizers.decoders.Sequence(
        [tokenizers.decoders.ByteFallback(), tokenizers.decoders.Fuse()]
    )
    made.add_special_tokens(
        [tokenizers.AddedToken(s, special=True, normalized=False) for s in SPECIAL]
    )
    return made
