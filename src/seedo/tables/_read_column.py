"""One column of a user's table: its numbers, its type, its role, and what is odd about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.tables._cells import Plain, Texts, levels, look, merged, numbers, texts
from seedo.tables._column import NAMED, Column
from seedo.tables._columns import Columns, as_text
from seedo.tables._dates import days
from seedo.tables._guess import number_type, role_of, text_type
from seedo.tables._misread import misread_days, misread_names
from seedo.tables._reading import Said
from seedo.tables._sentinels import suspects

LARGEST_VALUE = 1e100
"""Size of a value from which sums of squares are no longer safe in float64."""

_NUMBERS = ("real", "positive", "bounded", "count")
"""Types of amounts."""

_MOST_SAID = 1000  # levels of a column that the user calls categorical


@dataclass(frozen=True, eq=False)
class Found:
    """A column as it was read.

    Attributes:
        column: about it.
        values: float64[R], NaN where missing; of labels, positions in the different texts.
        also: unit or time, if a variable says that too.
    """

    column: Column
    values: NDArray[np.float64]
    also: str = ""


@dataclass(frozen=True)
class Place:
    """Where the rows of a column stand."""

    blocks: Sequence[Columns]
    name: str

    @property
    def field(self) -> str:
        return f"{self.blocks[0].path} column {self.name}"

    def __call__(self, row: int) -> str:
        for block in self.blocks:
            if row < block.rows:
                return block.place(row, self.name)
            row -= block.rows
        raise IndexError(row)

    def cell(self, row: int) -> object:
        """What stands there."""
        for block in self.blocks:
            if row < block.rows:
                cell = block.arrays[self.name][row].as_py()
                return cell[:80] if isinstance(cell, str) else cell
            row -= block.rows
        raise IndexError(row)


def read_all(
    blocks: Sequence[Columns], names: Sequence[str], said: dict[str, Said]
) -> dict[str, Found]:
    """The named columns of all blocks as one table.

    Raises:
        UserError: a cell cannot be read as what its column is said or seems to be.
    """
    delimiter = blocks[0].delimiter
    cells = {name: look(merged(blocks, name), said[name], delimiter) for name in names}
    commas = [name for name, c in cells.items() if isinstance(c, Texts) and c.certain_comma]
    found = {}
    for name, held in cells.items():
        place = Place(blocks, name)
        other = any(comma != name for comma in commas)
        if other and isinstance(held, Plain) and held.text is not None and not said[name].decimal:
            # Its points may part thousands, as those of the other columns do.
            held = _doubted(held, said[name])
        unit = said[name].unit or blocks[0].units.get(name, "")
        order = blocks[0].orders.get(name, ())
        found[name] = _read(held, said[name], place, other, delimiter, unit, order)
    return found


def _doubted(held: Plain, said: Said) -> Plain | Texts:
    whole = np.isfinite(held.values) & (held.values == np.floor(held.values))
    if held.text is None or whole.all():
        return held
    return texts(held.text, said)


def _read(
    held: Plain | Texts | None, said: Said, place: Place, commas: bool, delimiter: str, unit: str,
    order: Sequence[str],
) -> Found:  # fmt: skip
    name = place.name
    if held is None:
        kind = str(place.blocks[0].arrays[name].type)[:60]
        column = Column(name, "label", "ignored", notes=(f"holds {kind}: not used",),
                        unread=True)  # fmt: skip
        rows = sum(block.rows for block in place.blocks)
        return Found(column, np.full(rows, np.nan))
    if isinstance(held, Plain):
        found = _read_plain(held, said, place, unit, order)
    else:
        found = _read_text(held, said, place, commas, delimiter, unit, order)
    return _with_role(found, said, place)


def _read_plain(
    held: Plain, said: Said, place: Place, unit: str, order: Sequence[str]
) -> Found:  # fmt: skip
    name = place.name
    if said.levels and said.type in ("", *_NUMBERS) and not said.missing:
        remedy = "levels are said of numbers: say its type too, ordered or categorical"
        raise UserError(place.field, " | ".join(said.levels)[:80], remedy)
    if held.moments and said.type in ("", "time"):
        return Found(Column(name, "time", unit=unit or "days"), held.values)
    if said.type in ("categorical", "ordered", "label") or (said.type == "yes/no"
                                                            and said.levels):  # fmt: skip
        text = as_text(merged(place.blocks, name))
        if text is not None:
            return _named(texts(text, said), said, place, order)
    if held.truth:
        return Found(Column(name, "yes/no", levels=("False", "True")), held.values)
    return _numeric(held.values, said, place, unit, (), ())


def _read_text(
    held: Texts, said: Said, place: Place, commas: bool, delimiter: str, unit: str,
    order: Sequence[str],
) -> Found:  # fmt: skip
    name = place.name
    if said.type in ("categorical", "ordered", "label"):
        return _named(held, said, place, order)
    if held.pair and said.type in ("", "yes/no") and not said.levels:
        return _paired(held, name, *held.pair)
    if said.type in _NUMBERS or (said.type != "time" and held.numeric):
        values, notes, codes = numbers(held, said, place, place.field, commas, delimiter)
        return _numeric(values, said, place, unit or held.found.unit, notes, codes)
    if not held.there.any():
        return Found(Column(name), np.full(len(held.index), np.nan))
    if said.type in ("", "time"):
        read = days(held.cells)
        if read is not None:
            values, odd = read
            bad = np.isnan(values) & held.there
            if bad.any():
                row = int(np.argmax(bad[held.index]))
                count = int(held.count[bad].sum())
                more = f" and {count - 1} more" if count > 1 else ""
                line = f"{held.cells[held.index[row]]!r} is no day"
                odd = f"{odd}; " * bool(odd) + f"{place(row)}{more}: {line}, and read as missing"
            return Found(Column(name, "time", unit=unit or "days", notes=(odd,) if odd else ()),
                         values[held.index])  # fmt: skip
        if said.type == "time":
            cell = next(cell for cell in held.cells if cell)
            if held.numeric:
                values, *_ = numbers(held, said, place, place.field, commas, delimiter)
                return Found(Column(name, "time", unit=unit), values)
            raise UserError(place.field, cell[:80], "no dates: write 2024-12-31, or numbers")
    found = _named(held, said, place, order)
    line = misread_names(name, held.cells, held.count) if not (said.type or order) else ""
    if not line:
        return found
    return replace(found, column=replace(found.column, notes=(*found.column.notes, line)))


def _paired(held: Texts, name: str, no: Sequence[str], yes: Sequence[str]) -> Found:
    """A column of yes and no, with the words in which they stand."""
    side = {word: value for value, words in enumerate((no, yes)) for word in words}
    named = [no[0], yes[0]]
    for cell in sorted(filter(None, held.cells), key=len):
        if cell.casefold() in side:
            named[side[cell.casefold()]] = cell
    each = [float(side.get((cell or "").casefold(), np.nan)) for cell in held.cells]
    return Found(Column(name, "yes/no", levels=tuple(named)), np.array(each)[held.index])


def _named(held: Texts, said: Said, place: Place, order: Sequence[str]) -> Found:
    ranked = place.name in place.blocks[0].ranked
    try:
        values, names, notes = levels(held, said, order)
    except UserError as error:
        row = int(np.argmax(np.array([cell == error.value for cell in held.cells])[held.index]))
        raise UserError(place(row), error.value, error.remedy) from None
    there = int(np.isfinite(values).sum())
    kind, ordered = text_type(names, there)
    if order and set(names) <= set(order):
        kind = "ordered" if ranked else "categorical" if kind == "label" else kind
    if said.type == "yes/no" and len(names) != 2:
        remedy = f"{len(names)} different values: yes/no has two"
        raise UserError(place.field, names[0][:80] if names else "", remedy)
    kind = said.type or kind
    if kind in NAMED and len(names) > _MOST_SAID:
        remedy = f"{len(names):,} different names: at most {_MOST_SAID:,} can be levels"
        raise UserError(place.field, names[0][:80], remedy)
    if kind == "ordered" and ordered != names and not (said.levels or order):
        to = np.array([ordered.index(name) for name in names], np.float64)
        values = np.where(np.isfinite(values), to[np.nan_to_num(values).astype(int)], np.nan)
        names = ordered
    return Found(Column(place.name, kind, levels=tuple(names), notes=tuple(notes)), values)


def _numeric(
    values: NDArray[np.float64],
    said: Said,
    place: Place,
    unit: str,
    notes: Sequence[str],
    codes: Sequence[str],
) -> Found:
    """Numbers with codes for missing taken out, checked for size."""
    values = np.where(np.isin(values, _as_numbers(said.missing)), np.nan, values)
    odd, taken = list(notes), [*codes]
    infinite = np.isinf(values)
    if infinite.any():
        row = int(np.argmax(infinite))
        cell = place.cell(row)
        if isinstance(cell, str) and "inf" not in cell.casefold():
            raise UserError(place(row), cell, "too large: choose another unit")
        if said.role == "weight":
            raise UserError(place(row), cell, "give every row's weight, a number from 0 on")
        values = np.where(infinite, np.nan, values)
        count = int(infinite.sum())
        odd.append(f"'inf' in {count:,} cell{'s' * (count != 1)} read as missing")
    if said.guess and said.role not in ("weight", "unit"):
        for one in suspects(values):
            cells = f"{one.value:g} in {one.count:,} cell{'s' * (one.count != 1)}"
            if one.sure:
                values = np.where(values == one.value, np.nan, values)
                taken.append(f"{one.value:.12g}")
                odd.append(f"{cells} read as missing, so far from the rest: --missing none to "
                           "use it as a number")  # fmt: skip
            else:
                odd.append(f"{cells} used as a number: --missing {place.name}={one.value:g} if it "
                           "means missing")  # fmt: skip
    _check_size(values, place)
    if not said.type and (line := misread_days(place.name, values)):
        odd.append(line)
    kind = said.type or number_type(values, unit)
    named = ("0", "1") if kind == "yes/no" else ()
    if kind == "yes/no" and not np.isin(values[np.isfinite(values)], (0, 1)).all():
        row = int(np.argmax(np.isfinite(values) & ~np.isin(values, (0, 1))))
        raise UserError(place(row), place.cell(row), "yes/no: give 0 or 1, or two words")
    if said.type in ("count", "positive") and (values < 0).any():
        row = int(np.argmax(values < 0))
        raise UserError(place(row), place.cell(row), f"of type {kind}: never below 0")
    if said.type == "bounded" and ((values < 0) | (values > 100)).any():
        row = int(np.argmax((values < 0) | (values > 100)))
        remedy = "of type bounded: from 0 to 1, or per cents from 0 to 100"
        raise UserError(place(row), place.cell(row), remedy)
    if said.type == "count" and (there := np.nan_to_num(values) % 1 != 0).any():
        row = int(np.argmax(there))
        raise UserError(place(row), place.cell(row), "of type count: give whole numbers")
    column = Column(place.name, kind, levels=named, unit=unit, notes=tuple(odd),
                    codes=tuple(taken))  # fmt: skip
    return Found(column, values)


def _as_numbers(codes: Sequence[str]) -> list[float]:
    found = []
    for code in codes:
        try:
            found.append(float(code))
        except ValueError:
            continue
    return found


def _check_size(values: NDArray[np.float64], place: Place) -> None:
    with np.errstate(invalid="ignore"):
        huge = np.abs(values) > LARGEST_VALUE
    if huge.any():
        row = int(np.argmax(huge))
        remedy = f"at most {LARGEST_VALUE:.0e} in size: choose another unit"
        raise UserError(place(row), place.cell(row), remedy)
    finite = values[np.isfinite(values)]
    if len(finite) and 0 < np.ptp(finite) < 1 / LARGEST_VALUE:
        remedy = f"its values differ by less than {1 / LARGEST_VALUE:.0e}: choose another unit"
        raise UserError(place.field, None, remedy)


def _with_role(found: Found, said: Said, place: Place) -> Found:
    column, values = found.column, found.values
    role, note, also = said.role, "", ""
    if not role and said.type not in ("", "label", "time"):
        role = "measured"  # who says what its values mean wants them used
    elif not role:
        role, note = role_of(place.name, column.type, values, column.levels)
        if said.wanted and role != "measured":
            also, role, note = role, "measured", ""
        elif role == "unit":
            note += f"; --roles {place.name}=measured if it is a measurement"
    notes = (*column.notes, *([note] if note else []))
    kind = column.type
    if role in ("unit", "source") and kind in _NUMBERS:
        kind = "label"
    elif role == "time" and kind in _NUMBERS:
        kind = "time"
    elif role == "weight" and kind in _NUMBERS and (np.nan_to_num(values) % 1 == 0).all():
        kind = "count"
    named = () if kind == "label" else column.levels
    missing = int(np.isnan(values).sum())
    column = replace(column, type=kind, role=role, levels=named, missing=missing, notes=notes)
    return Found(column, values, also if also in ("unit", "time") else "")
