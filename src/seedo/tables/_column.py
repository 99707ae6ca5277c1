"""How one column of a user's table was read: its type, its role, and what is odd about it."""

from __future__ import annotations

from dataclasses import dataclass

COLUMN_TYPES = ("real", "positive", "bounded", "count", "yes/no", "categorical", "ordered", "time",
                "label")  # fmt: skip
"""What a column may hold: numbers of several kinds, or codes for names."""

ROLES = ("factor", "outcome", "measured", "unit", "time", "weight", "source", "ignored")
"""What a column is for. A factor was set by the experimenter in every row: nothing in the table
causes it. Rows of one unit (patient, animal, site) are not independent of each other."""

NAMED = ("yes/no", "categorical", "ordered")
"""Types whose values are positions in a list of levels."""


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: as in the table.
        type: one of `COLUMN_TYPES`.
        role: one of `ROLES`.
        levels: names of the values 0, 1, ... of a column whose type is in `NAMED` (of yes/no the
            second is what happened); empty for numbers.
        unit: of measurement, as written in the table or said by the user.
        missing: how many cells hold nothing.
        notes: what is odd, one line each.
        codes: what was taken for missing beside empty cells and their like.
        unread: it holds what cannot be used: lists, lengths of time.
        useless: why it is no variable though it holds values, or none: "is 3 in every row"; empty
            of variables and of columns that have another role.
    """

    name: str
    type: str = "real"
    role: str = "measured"
    levels: tuple[str, ...] = ()
    unit: str = ""
    missing: int = 0
    notes: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    unread: bool = False
    useless: str = ""

    @property
    def named(self) -> bool:
        """Whether values are positions in `levels`."""
        return self.type in NAMED
