"""The cells of one column, from any kind of file, before anything is decided about them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.tables._columns import (
    MISSING,
    Columns,
    as_text,
    encoded,
    floats,
    is_numeric,
    is_text,
    truths,
    without_missing,
)
from seedo.tables._numerals import (
    Decimal,
    Numerals,
    Separators,
    decimal_of,
    numerals,
    separators,
    values_of,
)
from seedo.tables._reading import Said
from seedo.tables._totals import is_total

Place = Callable[[int], str]
"""Where row `row` of the whole table stands, with the column."""

PAIRS = ((("no", "n"), ("yes", "y")), (("false", "f"), ("true", "t")),
         (("nein", "n"), ("ja", "j")), (("non",), ("oui",)), (("falsch",), ("wahr",)),
         (("off",), ("on",)), (("nej",), ("ja",)), (("nee",), ("ja",)),
         (("kein", "keine"), ("ja",)), (("não", "nao"), ("sim",)), (("ne",), ("ano",)),
         (("nie",), ("tak",)), (("ei",), ("kyllä",)), (("hayır",), ("evet",)),
         (("нет",), ("да",)), (("否",), ("是",)), (("いいえ",), ("はい",)), (("faux",), ("vrai",)),
         (("falso",), ("vero",)), (("falso",), ("verdadero",)),
         (("negative", "neg"), ("positive", "pos")), (("negativ",), ("positiv",)),
         (("absent",), ("present",)), (("untreated",), ("treated",)),
         (("unexposed",), ("exposed",)),
         (("control", "ctrl"), ("treatment", "treat", "treated")))  # fmt: skip
"""Words for what did not happen, and for what did."""

_NAMELESS = ("?", ".", "n.a.", "k.a.")
_SHOWN = 40  # characters of a cell


@dataclass(frozen=True, eq=False)
class Plain:
    """A column of numbers that are written plainly, or were numbers in the file.

    Attributes:
        values: float64[R], NaN where missing; may be infinite.
        truth: they were truth values.
        moments: they were dates or moments; days since 1970.
        text: the cells they were read from, or None.
    """

    values: NDArray[np.float64]
    truth: bool = False
    moments: bool = False
    text: pa.ChunkedArray | None = None


@dataclass(frozen=True, eq=False)
class Texts:
    """A column of text with its different cells.

    Attributes:
        index: int64[R], position in the different cells.
        cells: the D different ones, None where nothing is there.
        count: int64[D], how often each is there.
        found: them as numbers.
        seen: what they say about points and commas.
        padded: numbers begin with a nought, as in codes: 0041.
    """

    index: NDArray[np.int64]
    cells: list[str | None]
    count: NDArray[np.int64]
    found: Numerals
    seen: Separators
    padded: bool

    @property
    def there(self) -> NDArray[np.bool_]:
        """bool[D]."""
        return np.array([cell is not None for cell in self.cells], np.bool_)

    @property
    def words(self) -> NDArray[np.bool_]:
        """bool[D]: neither a number nor anything that may stand in its place."""
        f = self.found
        something = np.array([cell is not None for cell in f.bare.to_pylist()], np.bool_)
        return something & ~(f.number | f.infinite | f.limit | f.mark)

    @property
    def pair(self) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """Words for what did not happen and for what did, if the cells are such words."""
        held = {cell.casefold() for cell in self.cells if cell} - {*_NAMELESS}
        for no, yes in PAIRS:
            # A letter alone is the name of anything.
            if held <= {*no, *yes} and (len(held) > 1 or held & {no[0], yes[0]}):
                return no, yes
        return None

    @property
    def numeric(self) -> bool:
        """Whether numbers are at least half of what is there, and no codes."""
        words = int(self.count[self.words].sum())
        there = int(self.count[self.there].sum())
        number = bool((self.found.number | self.found.infinite).any())
        return number and not self.padded and 2 * words <= there

    @property
    def certain_comma(self) -> bool:
        """Whether numbers have decimal commas for sure."""
        return self.numeric and bool(self.seen.comma) and not self.seen.point


def merged(blocks: Sequence[Columns], name: str) -> pa.ChunkedArray:
    """A column of all files, as text unless all have it in another kind."""
    arrays = [block.arrays[name] for block in blocks]
    kinds = {array.type for array in arrays}
    if len(kinds) > 1:
        kind = pa.float64() if all(map(is_numeric, kinds)) else pa.string()
        arrays = [pc.cast(array, kind, safe=False) for array in arrays]
    chunks = [chunk for array in arrays for chunk in array.chunks]
    return pa.chunked_array(chunks, arrays[0].type)


def look(array: pa.ChunkedArray, said: Said, delimiter: str) -> Plain | Texts | None:
    """A column's cells; None if they are lists or the like.

    Codes for missing values that the user named are no cells any more.
    """
    if not is_text(array.type):
        if pa.types.is_temporal(array.type):
            return _moments(array)
        if is_numeric(array.type):
            values = floats(pc.cast(array, pa.float64(), safe=False))
            return Plain(_without(values, said.missing), pa.types.is_boolean(array.type))
    text = as_text(array)
    if text is None:
        return None
    if said.type not in ("categorical", "ordered", "label", "yes/no"):
        plain = _plain(text, delimiter)
        if plain is not None:
            return Plain(_without(plain, said.missing), text=text)
    return texts(text, said)


def texts(text: pa.ChunkedArray, said: Said) -> Texts:
    """Text with its different cells."""
    lower = pc.utf8_lower(text)
    codes = {code.casefold() for code in said.missing}
    # The name of a group may be "none"; among numbers it means that nothing is there.
    nothing = [word for word in MISSING if word != "none"]
    gone = pc.is_in(lower, value_set=pa.array([*codes, *nothing], lower.type))
    index, cells = encoded(pc.if_else(gone, "", text))
    held: list[str | None] = [cell or None for cell in cells]
    distinct = pa.array(held, pa.string())
    found = numerals(pc.if_else(pc.is_null(without_missing(pc.utf8_lower(distinct))),
                                pa.scalar(None, pa.string()), distinct))  # fmt: skip
    padded = pc.match_substring_regex(found.bare, r"^0\d{2,}$")
    return Texts(index, held, np.bincount(index, minlength=len(held)), found, separators(found),
                 bool(pc.any(padded).as_py()))  # fmt: skip


def _quoted(cell: str) -> str:
    """As a shell takes it for one word."""
    return cell if re.fullmatch(r"[\w.?+/-]+", cell) else shlex.quote(cell)


def numbers(
    cells: Texts, said: Said, place: Place, field: str, commas: bool, delimiter: str
) -> tuple[NDArray[np.float64], list[str], list[str]]:
    """The column as float64[R], what is odd, and what was taken for missing.

    Args:
        cells: the column.
        said: about it.
        place: where a row stands.
        field: the column as a message names it.
        commas: another column of the file has decimal commas.
        delimiter: between cells.

    Raises:
        UserError: a cell is no number, or could be one of two.
    """
    found, notes = cells.found, []
    f = cells.words
    if f.any():
        row = _row(cells, f)
        cell = str(cells.cells[cells.index[row]])
        name = field.rpartition(" column ")[2]
        remedy = (
            f"give a number, or leave the cell empty; --missing {_quoted(_short(cell))} if it "
            f"means missing, --types {name}=categorical if numbers are names here"
        )
        if is_total(cell):
            remedy = "a total is no measurement: delete this row"
        raise UserError(place(row), _short(cell), remedy)
    if found.mixed:
        row = _row(cells, _signed(cells))
        signs = " and ".join(found.mixed)
        remedy = f"some numbers with {signs} and others without: write all alike"
        if len(found.mixed) > 1:
            remedy = f"numbers with {signs}: write all in one of them"
        raise UserError(place(row), cells.cells[cells.index[row]], remedy)
    decimal = _decimal(cells, said, place, field, commas, delimiter)
    values = values_of(found, decimal)
    wrong = found.number & np.isnan(values)
    if wrong.any():
        row = _row(cells, wrong)
        kind = "decimal point" if decimal == "." else "decimal comma"
        remedy = f"give a number with a {kind}; thousands separators stand before three digits"
        raise UserError(place(row), cells.cells[cells.index[row]], remedy)
    notes += _separated(cells.seen, decimal)
    notes += [f"{cell} read as {read}" for cell, read in found.turned]
    gone, codes = _gone(cells)
    return values[cells.index], notes + gone, codes


def _separated(seen: Separators, decimal: str) -> list[str]:
    """What is said about separators that not everybody writes."""
    thousands = "." if decimal == "," else ","
    notes = []
    if decimal == "," and (seen.comma or "," in seen.open):
        notes.append("decimal commas: 1,5 read as 1.5")
    cell = seen.parted or (seen.open if thousands in seen.open else "")
    if cell:
        read = cell.replace(thousands, "").replace(",", ".")
        notes.append(f"thousands separators: {cell} read as {read}")
    return notes


def levels(
    cells: Texts, said: Said, order: Sequence[str]
) -> tuple[NDArray[np.float64], list[str], list[str]]:
    """The column as positions in its levels, float64[R]; the levels; what is odd.

    Levels that differ in upper and lower case alone are one. They are sorted, numbers by size,
    unless the user or the file says their order.

    Raises:
        UserError: its value is a cell that is none of the said levels; its field is empty.
    """
    gone = [cell is None or (cell.casefold() in _NAMELESS and len(cells.cells) > 2)
            for cell in cells.cells]  # fmt: skip
    marks = [f"{cell!r} in {_cells(int(n))} read as missing" for cell, n, bad
             in zip(cells.cells, cells.count, gone, strict=True) if bad and cell]  # fmt: skip
    names: dict[str, str] = {}
    for cell, bad in sorted(zip(cells.cells, gone, strict=True), key=lambda pair: str(pair[0])):
        if not bad:
            names.setdefault(str(cell).casefold(), str(cell))
    joined = [str(cell) for cell, bad in zip(cells.cells, gone, strict=True)
              if not bad and names[str(cell).casefold()] != cell]  # fmt: skip
    wanted = said.levels or tuple(order)
    by_fold = {level.casefold(): level for level in wanted}
    for fold, name in names.items():
        if said.levels and fold not in by_fold:
            raise UserError("", name, f"none of its levels {', '.join(said.levels)}")
    chosen = list(wanted) if wanted and set(names) <= set(by_fold) else _sorted(names.values())
    place = {level.casefold(): float(i) for i, level in enumerate(chosen)}
    each = [np.nan if bad else place[str(cell).casefold()]
            for cell, bad in zip(cells.cells, gone, strict=True)]  # fmt: skip
    if "none" in names and not said.levels:
        marks.append("'none' is taken for a level: --missing COLUMN=none if it means missing")
    if joined:
        marks.append(f"{joined[0]!r} read as {names[joined[0].casefold()]!r}: they differ in case")
    return np.array(each, np.float64)[cells.index], chosen, marks


def _sorted(names: Iterable[str]) -> list[str]:
    def key(name: str) -> tuple[float, str]:
        try:
            return float(name.replace(",", ".")), name
        except ValueError:
            return float("inf"), name

    return sorted(names, key=key)


def _moments(array: pa.ChunkedArray) -> Plain | None:
    from seedo.tables._dates import clock_days

    if pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        return Plain(clock_days(array), moments=True)
    return None


def _plain(text: pa.ChunkedArray, delimiter: str) -> NDArray[np.float64] | None:
    """Text as float64[R] if it holds plain numbers and cells without anything only.

    Whole columns of numbers are read without making an Arrow value of our own, at which Arrow
    imports pandas, which takes long.
    """
    try:
        values = floats(pc.cast(text, pa.float64()))
    except pa.ArrowInvalid:
        text = without_missing(pc.utf8_lower(text))
        try:
            values = floats(pc.cast(text, pa.float64()))
        except pa.ArrowInvalid:
            return None
    if np.isinf(values).any():
        return None
    if _any(pc.match_substring_regex(text, r"^0\d{2,}$")):
        return None
    if delimiter == ";" and _any(pc.match_substring_regex(text, r"^[+-]?[1-9]\d{0,2}\.\d{3}$")):
        return None
    return values


def _without(values: NDArray[np.float64], codes: Sequence[str]) -> NDArray[np.float64]:
    found = []
    for code in codes:
        try:
            found.append(float(code.replace(",", ".")))
        except ValueError:
            continue
    return np.where(np.isin(values, found), np.nan, values) if found else values


def _decimal(
    cells: Texts, said: Said, place: Place, field: str, commas: bool, delimiter: str
) -> Decimal:
    """The column's decimal separator."""
    seen = cells.seen
    if seen.point and seen.comma:
        row = _row(cells, np.array([cell == seen.point for cell in _bare(cells)]))
        other = _row(cells, np.array([cell == seen.comma for cell in _bare(cells)]))
        counts = [_written(cells, r"\.\d*$"), _written(cells, r",\d*$")]
        row = row if counts[0] < counts[1] else other
        remedy = (
            f"decimal points and decimal commas in one column ({seen.point}, {seen.comma}): give "
            "all with a decimal point, without thousands separators"
        )
        raise UserError(place(row), cells.cells[cells.index[row]], remedy)
    if seen.open and said.decimal and not (seen.point or seen.comma):
        return said.decimal
    decimal = decimal_of(seen)
    if decimal is None and delimiter != ";" and "." in seen.open and not commas:
        return "."
    if decimal is None and delimiter == ";" and "," in seen.open:
        return ","
    if decimal is None:
        ways = [seen.open.replace(",", "").replace(".", ""), seen.open.replace(",", ".")]
        hint = "; another column has decimal commas" if commas else ""
        points = "points" if "." in seen.open else "commas"
        first, second = (",", ".") if points == "points" else (".", ",")
        remedy = (
            f"{' or '.join(ways)}? Nothing in the column tells{hint}: --decimal {first} (thousands "
            f"{points}) or --decimal {second} (decimal {points})"
        )
        raise UserError(field, seen.open, remedy)
    return decimal


def _gone(cells: Texts) -> tuple[list[str], list[str]]:
    """What is said about cells that are no numbers and are taken for missing, and these."""
    found, notes, codes = cells.found, [], []
    limit = ", a limit and no number, which may bias what follows"
    for where, why in ((found.mark, ""), (found.infinite, ""), (found.limit, limit)):
        if where.any():
            shown = [str(cells.cells[i]) for i in np.flatnonzero(where)[:3]]
            count = int(cells.count[where].sum())
            more = " ..." if where.sum() > 3 else ""
            notes.append(f"{', '.join(map(repr, shown))}{more} in {_cells(count)} read as "
                         f"missing{why}")  # fmt: skip
            codes += shown
    return notes, codes


def _cells(count: int) -> str:
    return f"{count:,} cell{'s' * (count != 1)}"


def _bare(cells: Texts) -> list[str | None]:
    return cells.found.bare.to_pylist()  # type: ignore[no-any-return]


def _written(cells: Texts, pattern: str) -> int:
    return int(cells.count[truths(pc.match_substring_regex(cells.found.bare, pattern))].sum())


def _signed(cells: Texts) -> NDArray[np.bool_]:
    sign = [str(cell).casefold().find(cells.found.mixed[0].casefold()) >= 0 if cell else False
            for cell in cells.cells]  # fmt: skip
    return np.array(sign, np.bool_)


def _row(cells: Texts, where: NDArray[np.bool_]) -> int:
    """The first row whose cell is one of some."""
    return int(np.argmax(where[cells.index]))


def _short(cell: str) -> str:
    return cell if len(cell) <= _SHOWN else cell[: _SHOWN - 3] + "..."


def _any(mask: pa.ChunkedArray) -> bool:
    return bool(pc.any(mask).as_py())
