"""Second derivation for letter strings: every change the family knows, listed for every string.

Reads the prompt's text alone. For each string all changes are written down under a label; labels
whose change turns every example's first string into its second are kept, and what they make of the
question has to be one string.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LINE = re.compile(r"\[(.+?)\] becomes (?:\[(.+?)\]|what\?)")


def solve(prompt: str) -> str:
    """The answer to a prompt, from its text alone.

    Raises:
        ValueError: the rules that fit give no or several answers.
    """
    first, *lines = prompt.split("\n")
    alphabet = first.split(": ", 1)[1].split()
    pairs = [match.groups() for line in lines if (match := _LINE.fullmatch(line))]
    *examples, (question, _) = pairs
    fitting: set[str] | None = None
    for before, after in examples:
        made = _changes(before.split(), alphabet)
        now = {label for label, word in made if word == after.split()}
        fitting = now if fitting is None else fitting & now
    made = _changes(question.split(), alphabet)
    found = {" ".join(word) for label, word in made if label in (fitting or ())}
    if len(found) != 1:
        raise ValueError(f"{len(found)} answers fit: {sorted(found)}")
    return found.pop()


def _changes(word: list[str], alphabet: list[str]) -> Iterator[tuple[str, list[str]]]:
    place = {symbol: i for i, symbol in enumerate(alphabet)}

    def moved(symbol: str, by: int) -> str | None:
        to = place[symbol] + by
        return alphabet[to] if 0 <= to < len(alphabet) else None

    for label, tokens in (("letters", [[x] for x in word]), ("runs", _runs(word))):
        for name, changed in _token_changes(tokens, moved, place, alphabet):
            flat = [x for token in changed for x in token]
            if flat != word and flat:
                yield f"{label} {name}", flat
    runs = _runs(word)
    least = min(map(len, runs))
    for label, width in (("single", 1), ("shortest", least)):
        shortened = [x for run in runs for x in run[:width]]
        if shortened != word:
            yield f"collapse {label}", shortened
    for i in range(min(len(word), 8)):
        yield f"without {i} from left", word[:i] + word[i + 1 :]
        j = len(word) - 1 - i
        yield f"without {i} from right", word[:j] + word[j + 1 :]
    if word[::-1] != word:
        yield "mirrored", word[::-1]


def _runs(word: list[str]) -> list[list[str]]:
    runs: list[list[str]] = []
    for symbol in word:
        if runs and runs[-1][0] == symbol:
            runs[-1].append(symbol)
        else:
            runs.append([symbol])
    return runs


def _token_changes(tokens, moved, place, alphabet) -> Iterator[tuple[str, list[list[str]]]]:  # type: ignore[no-untyped-def]
    n = len(tokens)
    places = [place[token[0]] for token in tokens]
    gaps = [places[i + 1] - places[i] for i in range(n - 1)]
    pace = gaps[0] if gaps and gaps[0] and all(g == gaps[0] for g in gaps) else None

    def with_token(i: int, by: int) -> list[list[str]] | None:
        symbol = moved(tokens[i][0], by)
        return symbol and [*tokens[:i], [symbol] * len(tokens[i]), *tokens[i + 1 :]]

    amounts = {"+1": 1, "-1": -1, "+2": 2, "-2": -2}
    for name, by in amounts.items():
        for i in range(min(n, 8)):
            if changed := with_token(i, by):
                yield f"{name} at {i}", changed
        if changed := with_token(n - 1, by):
            yield f"{name} at the end", changed
    if pace:
        for name, i, by in (
            ("on at the end", n - 1, pace),
            ("back at the end", n - 1, -pace),
            ("on at the front", 0, pace),
            ("back at the front", 0, -pace),
        ):
            if changed := with_token(i, by):
                yield name, changed
    grown = [("+1", 1, 1), ("-1", -1, -1), *([("pace", pace, -pace)] if pace else [])]
    for name, behind, before in grown:
        if symbol := moved(tokens[-1][0], behind):
            yield f"append {name}", [*tokens, [symbol] * len(tokens[-1])]
        if symbol := moved(tokens[0][0], before):
            yield f"prepend {name}", [[symbol] * len(tokens[0]), *tokens]
    yield "up", [tokens[i] for i in sorted(range(n), key=lambda i: places[i])]
    yield "down", [tokens[i] for i in sorted(range(n), key=lambda i: -places[i])]
    yield "first to the end", [*tokens[1:], tokens[0]]
    yield "last to the front", [tokens[-1], *tokens[:-1]]
    for i in range(min(n, 8)):
        for j in range(i):
            exchanged = list(tokens)
            exchanged[i], exchanged[j] = tokens[j], tokens[i]
            yield f"exchange {j} and {i}", exchanged
    mended = {
        (i, symbol)
        for pace in (1, 2, 3, -1, -2, -3)
        for i, symbol in _mends(places, pace, alphabet)
    }
    if len(mended) == 1:
        i, symbol = mended.pop()
        yield "mend", [*tokens[:i], [symbol] * len(tokens[i]), *tokens[i + 1 :]]


def _mends(places: list[int], pace: int, alphabet: list[str]) -> Iterator[tuple[int, str]]:
    """(where, symbol) of each one change that makes a string run at this pace."""
    n = len(places)
    if n < 3:
        return
    starts = [at - pace * i for i, at in enumerate(places)]
    for start in set(starts):
        off = [i for i in range(n) if starts[i] != start]
        if len(off) == 1:
            to = start + pace * off[0]
            if 0 <= to < len(alphabet):
                yield off[0], alphabet[to]
