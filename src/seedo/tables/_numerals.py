"""Numbers as people write them: separators, currency, per cent, units, codes for what is missing.

Everything works on the different cells of a column, as Arrow arrays, so that a million rows take
no longer than their reading.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedo.tables._columns import floats, truths

Decimal = Literal[".", ","]

MARKS = (".", "?", "-", "--", "---", "*", "n.a.", "k.a.", "n.d.", "nd", "#div/0!", "#value!",
         "#ref!", "#name?", "#num!", "missing")  # fmt: skip
"""What stands for nothing in a column of numbers, beside what does so in any column."""

_CURRENCY = r"(?:[€$£¥₹]|eur|usd|gbp|chf|jpy)"
_OTHER_DIGIT = r"[\x{0660}-\x{0669}\x{06F0}-\x{06F9}\x{0966}-\x{096F}\x{FF10}-\x{FF19}]"
_BARE = r"(?:\d[\d.,]*|[.,]\d+)(?:e[+-]?\d+)?"
_POINT = r"^[+-]?(\d*\.\d*(e[+-]?\d+)?|\d{1,3}(,\d{3})+\.\d*)$"
_COMMA = r"^[+-]?(\d*,\d*(e[+-]?\d+)?|\d{1,3}(\.\d{3})+,\d*)$"
_OPEN_POINT = r"^[+-]?[1-9]\d{0,2}\.\d{3}$"
_OPEN_COMMA = r"^[+-]?[1-9]\d{0,2},\d{3}$"
_POINT_GROUPS = r"^[+-]?\d{1,3}(\.\d{3}){2,}$"
_COMMA_GROUPS = r"^[+-]?\d{1,3}(,\d{3}){2,}$"


@dataclass(frozen=True, eq=False)
class Numerals:
    """The different cells of a column, as far as they can be numbers.

    Attributes:
        bare: text[D] in lower case without signs of currency, per cent, units and blanks between
            digits; null where nothing is there.
        number: bool[D], digits with points and commas, nothing else.
        infinite: bool[D], infinity in words.
        limit: bool[D], a limit of detection, `<0.5`.
        mark: bool[D], one of `MARKS`.
        unit: that all numbers are written with: %, a currency, a unit.
        mixed: signs that some numbers are written with and others are not, or several.
        grouped: blanks or apostrophes stand between groups of digits.
        turned: examples of numbers written in a way of which is said how it is read: (cell,
            number).
    """

    bare: pa.Array
    number: NDArray[np.bool_]
    infinite: NDArray[np.bool_]
    limit: NDArray[np.bool_]
    mark: NDArray[np.bool_]
    unit: str = ""
    mixed: tuple[str, ...] = ()
    grouped: bool = False
    turned: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Separators:
    """What the numbers of a column say about points and commas.

    Attributes:
        point: a cell in which the point is decimal for sure; empty if there is none.
        comma: likewise for the comma.
        open: a cell that can be read both ways, empty if there is none.
        grouped: one is a whole number below 1000 and an open one ends in a nought, as with
            thousands: who writes all decimals would have written them there too, and who leaves
            noughts out would not have written that one.
        whole: a whole number from 1000 is written without a separator.
        parted: a cell with separated thousands for sure; empty if there is none.
    """

    point: str = ""
    comma: str = ""
    open: str = ""
    grouped: bool = False
    whole: bool = False
    parted: str = ""


def numerals(distinct: pa.Array) -> Numerals:
    """Looks at different cells, text[D]; null means that nothing is there."""
    turned = []
    text = pc.utf8_lower(distinct)
    foreign = _matches(text, _OTHER_DIGIT)
    if foreign.any():
        written = text
        text = pa.array([_in_ascii(cell) for cell in text.to_pylist()], text.type)
        turned += _example(written, text, foreign)
    for old, new in (("−", "-"), ("\u00a0", " "), ("\u202f", " "), ("’", "'")):
        text = pc.replace_substring(text, old, new)
    mark = truths(pc.is_in(text, value_set=pa.array(MARKS, text.type)))
    infinite = _matches(text, r"^[+-]?(inf|infinity|∞)$")
    limit = _matches(text, r"^[<>≤≥]=?\s*[+-]?" + _BARE + r"\s*\S{0,8}$")
    # (1,200) is how accountants write minus 1,200.
    # 1,200- is how SAP does.
    for pattern, plain in (
        (rf"^({_CURRENCY}\s*)?\(([^()]*\d[^()]*)\)$", r"-\1\2"), (rf"^({_BARE})\s*-$", r"-\1"),
    ):  # fmt: skip
        where = _matches(text, pattern)
        if where.any():
            written = text
            text = pc.replace_substring_regex(text, pattern, plain)
            turned += _example(written, text, where)
    signs: list[tuple[str, NDArray[np.bool_]]] = []
    text = _without_currency(text, signs)
    per_cent = _matches(text, r"^[+-]?\s*[\d.,' ]*\d\s*%$")
    if per_cent.any():
        signs.append(("%", per_cent))
        text = pc.replace_substring_regex(text, r"^([^%]*\d)\s*%$", r"\1")
    text = pc.replace_substring_regex(text, r"^([+-])\s+", r"\1")
    groups = _matches(text, r"^[+-]?\d{1,3}([ ']\d{3})+([.,]\d+)?$")
    if groups.any():
        closed = pc.replace_substring_regex(text, r"[ ']", "")
        text = pc.if_else(pa.array(groups), closed, text)
    number = _matches(text, r"^[+-]?" + _BARE + "$")
    number &= ~_matches(text, r"^\d{1,2}\.\d{1,2}\.(\d{4}|\d\d)$")  # a date
    if not number.any():
        text, number, units = _without_unit(text)
        signs += units
    text = pc.replace_substring_regex(text, r"^\+", "")
    there = number & ~_zero(text)
    partly = [sign for sign, where in signs if (there & ~where).any()]
    mixed = tuple(sign for sign, _ in signs) if len(signs) > 1 else tuple(partly)
    unit = signs[0][0] if len(signs) == 1 and not mixed else ""
    return Numerals(text, number, infinite, limit, mark, unit, mixed, bool(groups.any()),
                    tuple(turned))  # fmt: skip


def _in_ascii(cell: str | None) -> str | None:
    """A cell with the digits 0 to 9 in place of those of other scripts."""
    if cell is None:
        return None
    separators = {"٫": ".", "٬": ","}
    return "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() else separators.get(c, c) for c in cell
    )


def _example(before: pa.Array, after: pa.Array, where: NDArray[np.bool_]) -> list[tuple[str, str]]:
    return [(_first(before, where), _first(after, where))]


def separators(found: Numerals) -> Separators:
    """What the numbers say about points and commas."""
    text = found.bare
    open_point, open_comma = _matches(text, _OPEN_POINT), _matches(text, _OPEN_COMMA)
    point = (_matches(text, _POINT) & ~open_point) | _matches(text, _COMMA_GROUPS)
    comma = (_matches(text, _COMMA) & ~open_comma) | _matches(text, _POINT_GROUPS)
    small, large = _matches(text, r"^[+-]?\d{1,3}$"), _matches(text, r"^[+-]?\d{4,}$")
    opened = open_point | open_comma
    nought = opened & _matches(text, r"0$")
    parted = _matches(text, r"^[+-]?\d{1,3}([.,])\d{3}[.,]\d") & (point | comma)
    return Separators(
        _first(text, point & found.number), _first(text, comma & found.number),
        _first(text, opened), bool((small & ~_zero(text)).any() and nought.any()),
        bool(large.any()), _first(text, parted & found.number),
    )  # fmt: skip


def decimal_of(seen: Separators) -> Decimal | None:
    """The decimal separator as far as the column itself decides it; the caller sees to columns
    that contradict themselves."""
    if seen.point or seen.comma:
        return "." if seen.point else ","
    if not seen.open:
        return "."
    other: Decimal = "," if "." in seen.open else "."
    if seen.whole:
        return "." if "." in seen.open else ","
    return other if seen.grouped else None


def values_of(found: Numerals, decimal: Decimal) -> NDArray[np.float64]:
    """float64[D], NaN where a cell is no number with this decimal separator."""
    thousands = "," if decimal == "." else "."
    mark, group = ("\\.", ",") if decimal == "." else (",", "\\.")
    good = _matches(
        found.bare,
        rf"^[+-]?(\d+({mark}\d*)?|{mark}\d+|\d{{1,3}}({group}\d{{3}})+({mark}\d*)?)(e[+-]?\d+)?$",
    )
    text = pc.replace_substring(found.bare, thousands, "")
    if decimal == ",":
        text = pc.replace_substring(text, ",", ".")
    text = pc.if_else(pa.array(good & found.number), text, pa.scalar(None, text.type))
    return floats(pa.chunked_array([pc.cast(text, pa.float64())]))


def _without_currency(text: pa.Array, signs: list[tuple[str, NDArray[np.bool_]]]) -> pa.Array:
    """Signs of currency before or behind a number taken away, and noted by kind."""
    before, behind = rf"^([+-]?)\s*{_CURRENCY}\s*([+-]?[\d.,])", rf"([\d.,])\s*{_CURRENCY}$"
    with_sign = _matches(text, before) | _matches(text, behind)
    if not with_sign.any():
        return text
    kinds = pc.extract_regex(text, rf"(?P<sign>{_CURRENCY})")
    each = pc.struct_field(kinds, "sign").to_pylist()
    for kind in sorted({sign for sign, has in zip(each, with_sign, strict=True) if has and sign}):
        where = np.array([sign == kind for sign in each]) & with_sign
        signs.append((kind.upper(), where))
    text = pc.replace_substring_regex(text, before, r"\1\2")
    return pc.replace_substring_regex(text, behind, r"\1")


def _without_unit(
    text: pa.Array,
) -> tuple[pa.Array, NDArray[np.bool_], list[tuple[str, NDArray[np.bool_]]]]:
    """Numbers that are written with a unit, without it; and where which unit stands.

    Two or three units are such if there are five different numbers or more: else, as with 10mg and
    1g, they are names.
    """
    pattern = rf"^(?P<bare>[+-]?{_BARE})\s*(?P<unit>[^\d\s.,;:/+<>=-][^\d\s,;:<>=]{{0,11}})$"
    parts = pc.extract_regex(text, pattern)
    unit, bare = pc.struct_field(parts, "unit"), pc.struct_field(parts, "bare")
    units = sorted(u for u in pc.unique(unit).to_pylist() if u)
    number = truths(pc.is_valid(unit))
    if not units or len(units) > 3 or (len(units) > 1 and number.sum() < 5):
        return text, np.zeros(len(text), np.bool_), []
    where = [(one, truths(pc.equal(unit, one))) for one in units]
    return pc.if_else(pa.array(number), bare, text), number, where


def _matches(text: pa.Array, pattern: str) -> NDArray[np.bool_]:
    return truths(pc.match_substring_regex(text, pattern))


def _zero(text: pa.Array) -> NDArray[np.bool_]:
    return _matches(text, r"^[+-]?0*[.,]?0*$")


def _first(text: pa.Array, where: NDArray[np.bool_]) -> str:
    return str(text[int(np.argmax(where))].as_py()) if where.any() else ""
