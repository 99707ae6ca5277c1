"""What variables are called in words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from seedo.language.scenes._pseudo_words import PSEUDO_WORDS

NONSENSE = tuple("blick dax fep wug toma zib korva mip luno tark ganf spod".split())
"""The words that a text understudy has as one token each; some are well known from studies."""


_VOWELS, _CONSONANTS = "aeiou", "bcdfghjklmnpqrstvwxyz"


@dataclass(frozen=True)
class Names:
    """The names of one episode's variables.

    Attributes:
        words: name of each variable, in the world's order.
        order: in which the variables are listed, indices into the world's order.
        signs: 1, or -1 where the value said is the negative of the system's, so that what a name
            makes one expect of it is true (or untrue; see `familiar`).
    """

    words: tuple[str, ...]
    order: tuple[int, ...]
    signs: tuple[int, ...]

    def listed(self, among: Collection[int] | None = None) -> str:
        """The words, of some variables only if told, in the order of listing: the world's own may
        tell something."""
        return " ".join(self.words[i] for i in self.order if among is None or i in among)

    def index(self, word: str) -> int | None:
        """The variable of this name (upper and lower case are one); None: there is none."""
        folded = [w.casefold() for w in self.words]
        wanted = word.casefold() if word.isascii() else word  # folded, the sign for Kelvin is a k
        return folded.index(wanted) if wanted in folded else None


def nonsense(n: int, rng: np.random.Generator) -> Names:
    """Pseudo-words that nobody knows, drawn afresh, listed in an order that tells nothing."""
    return _drawn(PSEUDO_WORDS, n, rng)


def misspelt(word: str, rng: np.random.Generator) -> str:
    """A word with one letter left out, doubled or changed to another of its kind."""
    at, way = int(rng.integers(len(word))), int(rng.integers(3))
    if way == 0 and len(word) > 1:
        return word[:at] + word[at + 1 :]
    if way == 1:
        return word[: at + 1] + word[at:]
    kind = _VOWELS if word[at] in _VOWELS else _CONSONANTS
    others = [letter for letter in kind if letter != word[at]]
    return word[:at] + others[rng.integers(len(others))] + word[at + 1 :]


def token_names(n: int, rng: np.random.Generator) -> Names:
    """The same of the words that a text understudy has as tokens."""
    return _drawn(NONSENSE, n, rng)


def _drawn(pool: tuple[str, ...], n: int, rng: np.random.Generator) -> Names:
    words = list(pool)
    words += [f"{word}{i}" for i in range(2, 2 + n // len(pool)) for word in pool]
    chosen = rng.permutation(len(words))[:n]
    order = tuple(int(i) for i in rng.permutation(n))
    return Names(tuple(words[i] for i in chosen), order, (1,) * n)


def letters(variables: tuple[str, ...]) -> Names:
    """The names that the logs use, in their order."""
    n = len(variables)
    return Names(variables, tuple(range(n)), (1,) * n)
