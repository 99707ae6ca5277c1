"""Variables told in words: a log line a step, and its numbers; pure JAX, a character a number.

    13:05:22; ZUKO reads -31.4; |#######_________________| by MIVA; PELU is very low; ...

Every variable has a clause of its own: a number in a unit of its own, a bar, or words of degree.
The order of clauses and their wording are drawn at every step. A time and three clauses more tell
nothing: what they say is drawn at every step, whatever is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray
from numpy.typing import NDArray

from seedo.worlds.raw._drawing import LARGEST, Drawing

_NUMBER, _BAR, _DEGREE = range(3)
_WORDINGS = (
    ("{} at ~", "{} reads ~", "~ on {}", "{} now ~"),
    ("{} shows ~", "{} at ~", "~ by {}", "{} ~"),
    ("{} is ~", "{} stays ~", "~ says {}", "{} ~"),
)
"""Of clauses by what they tell; `{}` is the name, `~` what is told."""
_BY = ("slightly", "fairly", "very", "extremely", "utterly")
_DEGREES = (
    *(f"{by} low" for by in reversed(_BY)),
    "level",
    *(f"{by} high" for by in _BY),
)
_BAR_WIDTH = 24
_DISTRACTING = 3
"""Clauses that tell nothing: a number, a bar, words of degree."""
_SPREAD = 3.0
"""Standard deviation of what they tell, as if it were of variables."""
_LARGEST_TOLD = 9999.9
_WIDTHS = (len("-9999.9"), _BAR_WIDTH + 2, max(map(len, _DEGREES)))
_STAMP = len("00:00:00")


def text_of(raw: Float[np.ndarray, " length"]) -> str:
    """The log line of a step, as people and language models read it.

    Args:
        raw: f32[length], what world `raw` with `drawing=words` shows: a character code a number, 0
            after the end; NaN (before the first step): "".
    """
    codes = np.nan_to_num(np.asarray(raw, np.float64)).astype(np.int64)
    return "".join(chr(code) for code in codes if code > 0)


def words(n: int, rng: np.random.Generator) -> Drawing:
    """A log line: names, units, directions and what is told how are dealt by `rng`."""
    clauses = n + _DISTRACTING
    names = _names(clauses, rng)
    told = np.append(rng.permutation(np.arange(n) % 3), np.arange(_DISTRACTING))
    way = rng.choice([-1.0, 1.0], clauses)
    scale = way * np.exp(rng.uniform(np.log(0.5), np.log(50.0), clauses))
    offset = rng.uniform(-500.0, 500.0, clauses)
    told_as: list[tuple[Callable[[Array], Array], NDArray[Any]]] = [
        (lambda x: _as_number(offset[told == _NUMBER] + scale[told == _NUMBER] * x),
         np.flatnonzero(told == _NUMBER)),
        (lambda x: _as_bar(way[told == _BAR] * x), np.flatnonzero(told == _BAR)),
        (lambda x: _as_degree(way[told == _DEGREE] * x), np.flatnonzero(told == _DEGREE)),
    ]  # fmt: skip
    back = np.argsort(np.concatenate([which for _, which in told_as]))
    before, after = _around(names, told)  # [clauses, wordings, P]
    wordings = ((before > 0).sum(-1) + (after > 0).sum(-1)).max(-1)
    length = _STAMP + int(wordings.sum()) + sum(_WIDTHS[how] for how in told)

    def draw(values: Float[Array, " n"], key: PRNGKeyArray) -> Float[Array, " length"]:
        of_time, of_own, of_order, of_wording = jax.random.split(key, 4)
        own = _SPREAD * jax.random.normal(of_own, (_DISTRACTING,))
        x = jnp.concatenate([values, own])
        fields = jnp.concatenate([tell(x[which]) for tell, which in told_as])[back]
        wording = jax.random.randint(of_wording, (clauses,), 0, before.shape[1])
        each = jnp.arange(clauses)
        whole = jnp.concatenate(
            [jnp.asarray(before)[each, wording], fields, jnp.asarray(after)[each, wording]], axis=1
        )
        order = jax.random.permutation(of_order, clauses)
        line = _closed(jnp.concatenate([_time(of_time), whole[order].reshape(-1)]), length)
        return jnp.where(jnp.isfinite(values).all(), line.astype(jnp.float32), jnp.nan)

    spoken = {word for many in _WORDINGS for one in many for word in one.split() if word.isalpha()}
    degrees = {word for degree in _DEGREES for word in degree.split()}
    reader = _reader(sorted({*names, *spoken, *degrees}), clauses + 1)
    return Drawing((length,), draw, steady=False, reader=reader)


def _names(count: int, rng: np.random.Generator) -> list[str]:
    """Words that mean nothing, each another."""
    found: dict[str, None] = {}
    while len(found) < count:
        consonants, vowels = rng.choice(list("BDFGKLMPRSTVXZ"), 2), rng.choice(list("AEIOU"), 2)
        found["".join(np.stack([consonants, vowels], -1).reshape(-1))] = None
    return list(found)


def _around(names: Sequence[str], told: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """What stands before and after what is told, i32[clauses, wordings, P] each, 0: nothing."""
    halves = [
        [("; " + wording.format(name)).split("~") for wording in _WORDINGS[how]]
        for name, how in zip(names, told, strict=True)
    ]
    parts = [_codes([[two[side] for two in many] for many in halves]) for side in (0, 1)]
    return parts[0], parts[1]


def _codes(texts: Any) -> NDArray[np.int32]:
    """Character codes of texts in an array of any shape, i32[..., longest], 0 after the end."""
    array = np.asarray(texts, np.str_)
    return array.view(np.uint32).reshape(*array.shape, -1).astype(np.int32)


def _as_number(x: Float[Array, " m"]) -> Int[Array, "m width"]:
    """With one decimal."""
    tenths = jnp.rint(10 * jnp.clip(jnp.abs(x), 0.0, _LARGEST_TOLD)).astype(jnp.int32)[:, None]
    size = jnp.asarray([10_000, 1_000, 100, 10])
    digit = 48 + tenths // size % 10
    digits = jnp.where((tenths >= size) | (size == 10), digit, 0)
    sign = jnp.where((x[:, None] < 0) & (tenths > 0), ord("-"), 0)
    point = jnp.full_like(tenths, ord("."))
    return _padded(jnp.concatenate([sign, digits, point, 48 + tenths % 10], axis=1))


def _as_bar(x: Float[Array, " m"]) -> Int[Array, "m width"]:
    """Filled from the left, to a half at 0."""
    filled = jnp.rint(_BAR_WIDTH * (0.5 + 0.5 * jnp.tanh(x / LARGEST)))[:, None]
    bar = jnp.where(jnp.arange(_BAR_WIDTH) < filled, ord("#"), ord("_"))
    return jnp.pad(bar, ((0, 0), (1, 1)), constant_values=ord("|"))


def _as_degree(x: Float[Array, " m"]) -> Int[Array, "m width"]:
    """One of eleven degrees, finer in the middle."""
    table = _codes(list(_DEGREES))
    degree = len(_BY) + jnp.rint((len(_BY) + 0.49) * jnp.tanh(x / LARGEST)).astype(jnp.int32)
    return _padded(jnp.asarray(table)[degree])


def _padded(codes: Int[Array, "m any"]) -> Int[Array, "m width"]:
    return jnp.pad(codes, ((0, 0), (0, max(_WIDTHS) - codes.shape[1])))


def _time(key: PRNGKeyArray) -> Int[Array, " 8"]:
    hour, minute, second = (
        jax.random.randint(own, (), 0, most)
        for own, most in zip(jax.random.split(key, 3), (24, 60, 60), strict=True)
    )
    parts = [jnp.stack([48 + part // 10, 48 + part % 10]) for part in (hour, minute, second)]
    colon = jnp.full(1, ord(":"))
    return jnp.concatenate([parts[0], colon, parts[1], colon, parts[2]])


def _closed(codes: Int[Array, " any"], length: int) -> Int[Array, " length"]:
    """Without the gaps."""
    there = codes > 0
    place = jnp.where(there, jnp.cumsum(there) - 1, length)
    return jnp.zeros(length, jnp.int32).at[place].set(codes, mode="drop")


# -- numbers of a line ----------------------------------------------------------------------------

_PRIME = np.uint32(16_777_619)
_LONGEST = 16
_IN_CLAUSE = 4
"""Words in a clause, at most."""


def _reader(
    vocabulary: Sequence[str], clauses: int
) -> Callable[[Float[Array, " length"]], Float[Array, " numbers"]]:
    """Numbers of a line, V (2 + V) of them for V words: of every word the number and the share of a
    bar that its clause tells, and which other words it holds (1 or 0).

    NaN where they are not told: no such word in the line, or in two clauses; no number beside it.
    The words are those of lines in alphabetical order: which mean what is not told. They are told
    apart by a hash of 32 bits.
    """
    known = jnp.asarray([_hash(word) for word in vocabulary], jnp.uint32)
    power = jnp.asarray(_powers())

    def numbers(raw: Float[Array, " length"]) -> Float[Array, " numbers"]:
        codes = jnp.nan_to_num(raw).astype(jnp.int32)
        clause = jnp.cumsum(codes == ord(";"))
        holds = _holds(codes, clause)
        number, bar = _number(codes, clause, clauses), _bar(codes, clause, clauses)
        once = holds.sum(axis=0) == 1
        told = [jnp.where(holds, of[:, None], 0.0).sum(axis=0) for of in (number, bar)]
        beside = holds.astype(jnp.float32).T @ holds.astype(jnp.float32)
        found = jnp.concatenate([jnp.stack(told, axis=1), beside], axis=1)
        return jnp.where(once[:, None], found, jnp.nan).reshape(-1)

    def _holds(codes: Array, clause: Array) -> Array:
        """Whether a clause holds a word, bool[clauses, V]."""
        letter = _letter(codes)
        start = letter & ~_letter(_previous(codes))
        at = jnp.arange(len(codes))
        place = jnp.minimum(at - jax.lax.cummax(jnp.where(start, at, 0)), _LONGEST - 1)
        most = clauses * _IN_CLAUSE
        word = jnp.where(letter, jnp.cumsum(start) - 1, most)
        spelt = jnp.where(letter, codes.astype(jnp.uint32) * power[place], jnp.uint32(0))
        hashed = jax.ops.segment_sum(spelt, word, most)
        where = jax.ops.segment_max(clause, word, most)  # out of range where there is no word
        is_word = (hashed[:, None] == known).astype(jnp.int32)
        return jax.ops.segment_sum(is_word, where, clauses) > 0

    return numbers


def _letter(codes: Array) -> Array:
    upper = codes & ~32
    return (upper >= ord("A")) & (upper <= ord("Z"))


def _previous(codes: Array) -> Array:
    return jnp.concatenate([jnp.zeros(1, codes.dtype), codes[:-1]])


def _powers() -> NDArray[np.uint32]:
    power = np.ones(_LONGEST, np.uint32)
    for place in range(1, _LONGEST):
        power[place] = np.uint32(int(power[place - 1]) * int(_PRIME) % 2**32)
    return power


def _hash(word: str) -> int:
    return sum(ord(c) * int(p) for c, p in zip(word, _powers(), strict=False)) % 2**32


def _number(codes: Array, clause: Array, clauses: int) -> Float[Array, " clauses"]:
    """The number that a clause tells; NaN: none, or several."""
    digit = (codes >= ord("0")) & (codes <= ord("9"))
    previous = _previous(codes)
    inside = ((previous >= ord("0")) & (previous <= ord("9"))) | (previous == ord("."))
    count = jax.ops.segment_sum((digit & ~inside).astype(jnp.int32), clause, clauses)
    so_far = jnp.cumsum(digit)
    point = jax.ops.segment_max(jnp.where(codes == ord("."), so_far, -1), clause, clauses)
    end = jax.ops.segment_max(jnp.where(digit, so_far, -1), clause, clauses)
    place = jnp.where(point >= 0, point, end)[clause] - so_far
    size = jnp.asarray([10.0**k for k in range(-6, 7)], jnp.float32)[jnp.clip(place, -6, 6) + 6]
    total = jax.ops.segment_sum(jnp.where(digit, (codes - 48) * size, 0.0), clause, clauses)
    minus = jax.ops.segment_max((codes == ord("-")).astype(jnp.int32), clause, clauses)
    return jnp.where(count == 1, jnp.where(minus == 1, -total, total), jnp.nan)


def _bar(codes: Array, clause: Array, clauses: int) -> Float[Array, " clauses"]:
    """How much of a clause's bar is filled, 0 to 1; NaN: it has none."""
    full, empty = (
        jax.ops.segment_sum((codes == ord(c)).astype(jnp.float32), clause, clauses) for c in "#_"
    )
    return full / (full + empty)
