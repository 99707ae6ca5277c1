"""The family of rules that change a string; strings are tuples of places in an alphabet.

A unit is a letter or a run of equal letters; the step of a string is the constant difference of its
neighbouring units' letters. The family:

- `shift`: the last or first unit moves by ±1, ±2 or ± the string's own step;
- `shift-at`: the i-th unit from the left moves by ±1 or ±2;
- `extend`: a unit is added behind the last or before the first, at ±1 or the own step from it;
- `collapse`: every run becomes one letter, or as short as the shortest run;
- `delete-at`: the i-th letter from the left or from the right is removed;
- `fix`: the one unit is replaced whose change gives the string a constant step of 1 to 3, either
  way; where several changes would, the rule gives nothing;
- `sort`: units up or down the alphabet; `reverse`; `rotate` by one unit; `swap` the i-th and j-th.

Rules by constant letters ("replace the last by e") are not in the family.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

LONGEST = 8
"""Units that rules by place reach."""

String = tuple[int, ...]
Units = Sequence[tuple[int, int]]
"""(letter, length) of each unit."""


class Rule(NamedTuple):
    """One rule; `run`: units are runs, not letters. `where` and `by` as the operation needs."""

    name: str
    run: bool = False
    where: tuple[int, ...] = ()
    by: int | str = 0


def _family() -> tuple[Rule, ...]:
    rules = [Rule("reverse")]
    rules += [Rule("delete-at", False, (i,)) for i in range(-LONGEST, LONGEST)]
    for run in (False, True):
        rules.append(Rule("collapse", run))
        rules.append(Rule("fix", run))
        rules += [Rule("sort", run, (), by) for by in (1, -1)]
        rules += [Rule("rotate", run, (), by) for by in (1, -1)]
        for end in (0, -1):
            rules += [Rule("shift", run, (end,), by) for by in (1, -1, 2, -2, "own", "back")]
            rules += [Rule("extend", run, (end,), by) for by in (1, -1, "own")]
        rules += [Rule("shift-at", run, (i,), by) for i in range(LONGEST) for by in (1, -1, 2, -2)]
        rules += [Rule("swap", run, pair) for pair in itertools.combinations(range(LONGEST), 2)]
    return tuple(rules)


FAMILY = _family()


@functools.lru_cache(maxsize=256)
def _units(string: String, run: bool) -> Units:
    if not run:
        return tuple((letter, 1) for letter in string)
    return tuple((letter, len(list(group))) for letter, group in itertools.groupby(string))


def _step(units: Units) -> int | None:
    """The constant difference of neighbouring units; None: there is none."""
    steps = {b[0] - a[0] for a, b in itertools.pairwise(units)}
    return steps.pop() if len(steps) == 1 and 0 not in steps else None


def apply(rule: Rule, string: String) -> String | None:
    """What a rule makes of a string; None: it does not apply.

    Places may lie before or behind the alphabet: what is unique without ends is so with them.
    """
    units = _units(string, rule.run)
    changed = _OPERATIONS[rule.name](rule, units)
    if not changed:
        return None
    result = tuple(letter for letter, length in changed for _ in range(length))
    return None if result == string else result


def _by(rule: Rule, units: Units) -> int | None:
    if isinstance(rule.by, int):
        return rule.by
    step = _step(units)
    if step is None or rule.by == "own":
        return step
    return -step


def _delete(rule: Rule, units: Units) -> Units | None:
    n = len(units)
    if not -n <= rule.where[0] < n:
        return None
    place = rule.where[0] % n
    return [*units[:place], *units[place + 1 :]]


def _shift(rule: Rule, units: Units) -> Units | None:
    place, by = rule.where[0], _by(rule, units)
    if by is None or place >= len(units):
        return None
    changed = list(units)
    changed[place] = (units[place][0] + by, units[place][1])
    return changed


def _extend(rule: Rule, units: Units) -> Units | None:
    by, at_end = _by(rule, units), rule.where[0] == -1
    if by is None:
        return None
    letter, length = units[rule.where[0]]
    if at_end:
        return [*units, (letter + by, length)]
    # "own" goes on in the string's direction, so to the left it goes back
    return [(letter - by if rule.by == "own" else letter + by, length), *units]


def _collapse(rule: Rule, units: Units) -> Units:
    runs = _units(tuple(x for x, length in units for _ in range(length)), True)
    shortest = min(length for _, length in runs) if rule.run else 1
    return [(letter, shortest) for letter, _ in runs]


def _fix(rule: Rule, units: Units) -> Units | None:
    letters, n = [letter for letter, _ in units], len(units)
    if n < 3:
        return None
    found = set()
    # all but one place agree with start + step * i: two of the first three places are right
    for i, j in itertools.combinations(range(3), 2):
        step, rest = divmod(letters[j] - letters[i], j - i)
        if rest or not 1 <= abs(step) <= 3:
            continue
        line = tuple(letters[i] + step * (k - i) for k in range(n))
        if sum(a != b for a, b in zip(line, letters, strict=True)) == 1:
            found.add(line)
    if len(found) != 1:
        return None
    return [(letter, units[k][1]) for k, letter in enumerate(found.pop())]


def _sort(rule: Rule, units: Units) -> Units:
    return sorted(units, key=lambda unit: unit[0], reverse=rule.by == -1)


def _rotate(rule: Rule, units: Units) -> Units:
    return [*units[rule.by :], *units[: rule.by]] if isinstance(rule.by, int) else units


def _swap(rule: Rule, units: Units) -> Units | None:
    i, j = rule.where
    if j >= len(units):
        return None
    changed = list(units)
    changed[i], changed[j] = units[j], units[i]
    return changed


_OPERATIONS: dict[str, Callable[[Rule, Units], Units | None]] = {
    "delete-at": _delete,
    "shift": _shift,
    "shift-at": _shift,
    "extend": _extend,
    "collapse": _collapse,
    "fix": _fix,
    "sort": _sort,
    "rotate": _rotate,
    "swap": _swap,
    "reverse": lambda rule, units: units[::-1],
}


def answers(examples: list[tuple[String, String]], question: String) -> set[String]:
    """What the rules of the family that fit all examples make of the question."""
    return {
        answer
        for rule in FAMILY
        if all(apply(rule, before) == after for before, after in examples)
        and (answer := apply(rule, question)) is not None
    }
