"""Names of columns as people type them in an option."""

from __future__ import annotations

import csv
from collections.abc import Iterable

from seedo.errors import UserError


def said_names(field: str, texts: Iterable[str]) -> list[str]:
    """Names given one by one or with commas between them.

    A name that holds a comma or a quote is put in double quotes, a quote within doubled.

    Args:
        field: the option, for messages.
        texts: as typed.

    Raises:
        UserError: a name is empty, or a quoted one does not end.
    """
    found = []
    for text in texts:
        try:
            names = next(csv.reader([text], skipinitialspace=True, strict=True), [])
        except csv.Error:
            remedy = "write names as a,b; put one that holds a comma in quotes: '\"a, b\",c'"
            raise UserError(field, text, remedy) from None
        if not all(name.strip() for name in names) or not names:
            raise UserError(field, text, "name columns, with commas between them: a,b")
        found += [name.strip() for name in names]
    return found
