"""What runs in the process of `measured_apart`: reads one table, tells how large it is as JSON."""

from __future__ import annotations

import contextlib
import json
import resource
import sys
from pathlib import Path

from seedo.errors import UserError, in_one_line
from seedo.tables._read_columns import read_columns


def main(path: Path, most: int) -> None:
    """Prints rows and columns, or what is wrong with the file.

    Args:
        path: of the table.
        most: bytes of memory.
    """
    # Not every system bounds memory; time is bounded by whoever waits.
    for kind, bound in ((resource.RLIMIT_AS, most), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (bound, bound))
    print(json.dumps(_told(path)))


def _told(path: Path) -> dict[str, object]:
    try:
        columns = read_columns(path)
    except UserError as error:
        return {"field": error.field, "value": _plain(error.value), "remedy": error.remedy}
    except MemoryError:
        raise
    except Exception as error:  # of the libraries that read files, of many kinds
        remedy = f"damaged, or not what its name says: copy or save it again ({in_one_line(error)})"
        return {"field": str(path), "value": None, "remedy": remedy}
    longest = max(map(len, columns.arrays), default=0)
    return {"rows": columns.rows, "columns": len(columns.arrays), "longest": longest}


def _plain(value: object) -> object:
    """As JSON can carry it."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if value is None or isinstance(value, str | int | float) else repr(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
