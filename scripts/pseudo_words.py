"""Writes the pool of pseudo-words that variables are named by: pronounceable, and words of nobody.

    pip install english-words wordfreq
    python scripts/pseudo_words.py > src/seedo/language/scenes/_pseudo_words.py

Two syllables of English sounds, drawn from a seed; none is in two English dictionaries or among the
words that `wordfreq` has met in any of a dozen languages, and no two begin alike or differ by one
letter.
"""

from __future__ import annotations

import random
import textwrap

from english_words import get_english_words_set
from wordfreq import zipf_frequency

COUNT = 512
ONSETS = "b bl br d dr f fl g gl gr k kl kr l m n p pl pr r s sk sl sn sp st t tr v w y z".split()
MEDIALS = "b d f g k l m n p r t v z ft lk lm lt mb mp nd nk nt rb rd rk rl rm sk st".split()
CODAS = "b d f g k l m n p r t x z sk lt nt mp rk".split()
RUDE = "fuk dik tit kok pis nig fag naz kun rap slu sex kuk fut nud".split()
LANGUAGES = "en de fr es it nl pt sv pl fi id tr".split()


HEADER = '''"""Pronounceable words that mean nothing, made by scripts/pseudo_words.py."""

PSEUDO_WORDS = tuple(
    """
'''
FOOTER = '''
""".split()
)
"""Two syllables each; no two begin alike."""'''


def apart(word: str, others: list[str]) -> bool:
    """Whether no other word begins alike, or has the same length and differs in one letter."""
    for other in others:
        if other[:4] == word[:4]:
            return False
        if len(other) == len(word) and sum(a != b for a, b in zip(word, other, strict=True)) < 2:
            return False
    return True


def main() -> None:
    """Prints the module of the pool."""
    known = get_english_words_set(["web2", "gcide"], lower=True)
    draw, found = random.Random(0), []
    while len(found) < COUNT:
        parts = (ONSETS, "aeiou", MEDIALS, "aeiou", CODAS)
        word = "".join(draw.choice(part) for part in parts)
        if not 5 <= len(word) <= 6 or word in known or word.rstrip("s") in known:
            continue
        if any(part in word for part in RUDE):
            continue
        if apart(word, found) and not any(zipf_frequency(word, each) for each in LANGUAGES):
            found.append(word)
    print(HEADER + textwrap.fill(" ".join(sorted(found)), 95) + FOOTER)


if __name__ == "__main__":
    main()
