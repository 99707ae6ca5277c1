"""A file's bytes as UTF-8 text, whatever it was written in."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

from seedo.errors import UserError

MAX_BYTES = 4 << 30
"""Most that a file may hold once it is unpacked; a small one may claim any number."""

_OTHERS = (
    (b"\x1f\x8b", "compressed by gzip: let its name end in .csv.gz or .tsv.gz"),
    (b"PAR1", "a Parquet file: let its name end in .parquet"),
    (b"PK\x03\x04", "an Excel or zip file: let its name end in .xlsx, or save it as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file: let its name end in .xls, or save it as CSV"),
)
_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_THIRTY_TWO = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_CONTROLS = frozenset(range(32)) - {9, 10, 12, 13}


def read_bytes(path: Path) -> bytes:
    """What is in a file, unpacked if its name ends in .gz.

    Raises:
        UserError: it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(str(path), None, f"cannot be read: {error.strerror or error}") from error
    if not path.name.lower().endswith(".gz"):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            data = _at_most(file, MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(
            str(path), None, f"not a whole gzip file: copy or save it again ({error})"
        ) from error
    if len(data) > MAX_BYTES:
        raise UserError(str(path), None, f"more than {MAX_BYTES:,} bytes unpacked: part it")
    return data


def _at_most(file: io.BufferedIOBase, most: int) -> bytes:
    """The first bytes of a file, in pieces: who asks for all at once gets memory for `most`."""
    parts, size = [], 0
    while size < most and (part := file.read(min(1 << 20, most - size))):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def decoded(path: Path, data: bytes) -> tuple[bytes, list[str]]:
    """The bytes as UTF-8 without byte order mark, and what to say about them.

    UTF-8 and UTF-16 are known by themselves. Anything else is taken for Windows-1252 (of which
    Latin-1 is a part as far as letters go), with a warning that shows a word in question.

    Raises:
        UserError: the file is empty, of another kind, or no text.
    """
    for start, what in _OTHERS:
        if data.startswith(start):
            raise UserError(str(path), None, what)
    data = data.removeprefix(b"\xef\xbb\xbf")
    said: list[str] = []
    if data.startswith(_THIRTY_TWO):
        raise UserError(str(path), None, "UTF-32 text: save it as UTF-8")
    encoding = _sixteen(data)
    if encoding:
        try:
            data = data.decode(encoding).removeprefix("\ufeff").encode("utf-8")
        except UnicodeError:
            raise UserError(str(path), None, "no whole UTF-16 text: save it as UTF-8") from None
    if not data.strip():
        raise UserError(str(path), None, "an empty file: give a header and rows")
    if not encoding:
        data, said = _eight(path, data)
    # Translating bytes away is much faster than looking for each.
    held = bytes(sorted(_CONTROLS))
    if len(data.translate(None, held)) < len(data):
        _refuse(path, data, next(i for i, byte in enumerate(data) if byte in _CONTROLS))
    return data, said


def _sixteen(data: bytes) -> str:
    """The kind of UTF-16 that the bytes are in, or nothing."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    start = data[:2000]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if len(start) >= 8 and odd > 0.4 * len(start) / 2 and not even:
        return "utf-16-le"
    return "utf-16-be" if len(start) >= 8 and even > 0.4 * len(start) / 2 and not odd else ""


def _eight(path: Path, data: bytes) -> tuple[bytes, list[str]]:
    try:
        data.decode("utf-8")
        return data, []
    except UnicodeDecodeError as error:
        bad = error.start
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        _refuse(path, data, bad)
    if any(byte in _CONTROLS for byte in data[:100_000]):
        _refuse(path, data, bad)
    start = end = bad
    while start and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum() and end - start < 40:
        end += 1
    word = text[start : max(end, start + 1)]
    said = f"{path}: not UTF-8, read as Windows-1252: {word!r} (save it as UTF-8 if that is wrong)"
    return text.encode("utf-8"), [said]


def _refuse(path: Path, data: bytes, bad: int) -> None:
    line = data.count(b"\n", 0, bad) + 1
    remedy = "no UTF-8 text: save it as UTF-8"
    if data[bad] in _CONTROLS:
        remedy = "a control character, which no text holds: remove it, or save the table again"
    raise UserError(f"{path} line {line}", data[bad : bad + 1], remedy)
