"""Seeded draws: every block of items has a generator of its own."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def generator(kind: str, seed: int, *block: int) -> np.random.Generator:
    """The generator of a kind, or of one of its blocks: items do not depend on how many follow."""
    return np.random.default_rng([zlib.crc32(kind.encode()), seed, *block])


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of the options, uniformly."""
    return options[int(rng.integers(len(options)))]


def shuffled(rng: np.random.Generator, options: Sequence[T]) -> list[T]:
    """The options in random order."""
    return [options[int(i)] for i in rng.permutation(len(options))]
