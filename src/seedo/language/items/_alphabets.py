"""Ordered symbols: the usual order, an order that nobody has seen, and symbols without one.

Permuted and symbol alphabets separate abstraction from recall (Lewis and Mitchell, "Using
counterfactual tasks to evaluate the generality of analogical reasoning", 2024).
"""

from __future__ import annotations

import string
from collections.abc import Sequence

import numpy as np

from seedo.errors import UserError
from seedo.language.items._draw import shuffled

ALPHABETS = ("usual", "permuted", "symbols")
"""Alphabets that letter-string analogies are written in."""
SYMBOLS = tuple("! # $ % & + = ? @ ^ ~ < > ; | _ - { } *".split())
LETTERS = tuple(string.ascii_lowercase)
DIGITS = tuple(string.digits)


def checked(alphabets: Sequence[str]) -> tuple[str, ...]:
    """The alphabets as asked for, in a fixed order, each once.

    Raises:
        UserError: none, or one that there is not.
    """
    for name in alphabets:
        if name not in ALPHABETS:
            raise UserError("alphabet", name, f"use {', '.join(ALPHABETS)}")
    if not alphabets:
        raise UserError("alphabet", None, f"give one or more of {', '.join(ALPHABETS)}")
    return tuple(name for name in ALPHABETS if name in alphabets)


def ordered(
    name: str, usual: Sequence[str], size: int, rng: np.random.Generator
) -> tuple[str, ...]:
    """`size` or more symbols in an order; `usual` in order, or permuted, or `size` symbols."""
    if name == "usual":
        return tuple(usual)
    if name == "permuted":
        return tuple(shuffled(rng, usual))
    return tuple(shuffled(rng, SYMBOLS)[:size])
