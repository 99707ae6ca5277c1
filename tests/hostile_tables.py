"""Files that nobody should have dropped, by name: each as bytes. Made, not kept: some are bombs."""

import gzip
import io
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_SHEET = '<?xml version="1.0"?><worksheet xmlns="{}"><sheetData>{}</sheetData></worksheet>'
_BOOK = (
    f'<?xml version="1.0"?><workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
_LINKS = (
    f'<?xml version="1.0"?><Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" '
    'Type="{}" Target="{}"/></Relationships>'
)


def workbook(cells, **more) -> bytes:
    """An Excel file with these cells ("A1": a number or a text)."""
    rows: dict[int, str] = {}
    for place, value in cells.items():
        number = int("".join(c for c in place if c.isdigit()))
        shown = (f'<c r="{place}"><v>{value}</v></c>' if not isinstance(value, str) else
                 f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>')  # fmt: skip
        rows[number] = rows.get(number, "") + shown
    body = "".join(f'<row r="{n}">{text}</row>' for n, text in sorted(rows.items()))
    parts = {
        "_rels/.rels": _LINKS.format(f"{_OFFICE}/officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": _BOOK,
        "xl/_rels/workbook.xml.rels": _LINKS.format(
            f"{_OFFICE}/worksheet", "worksheets/sheet1.xml"
        ),
        "xl/worksheets/sheet1.xml": _SHEET.format(_MAIN, body),
    }
    return packed(parts | more)


def packed(files) -> bytes:
    """A zip archive."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in files.items():
            file.writestr(name, text)
    return data.getvalue()


def parquet(**columns) -> bytes:
    """A Parquet file."""
    data = io.BytesIO()
    pq.write_table(pa.table(columns), data)
    return data.getvalue()


def csv(header, *columns) -> str:
    """A table of numbers or texts."""
    return header + "\n" + "\n".join(",".join(map(str, row)) for row in zip(*columns, strict=True))


def files() -> dict[str, bytes]:
    """Names and bytes."""
    rng = np.random.default_rng(0)
    x = np.round(rng.normal(size=40), 3)
    y = np.round(2 * x + rng.normal(size=40), 3)
    good = csv("x,y", x, y)
    whole = parquet(x=x, y=y)
    sheet = {"A1": "x", "B1": "y"} | {
        f"{c}{i + 2}": float(v[i]) for c, v in (("A", x), ("B", y)) for i in range(40)
    }
    none = np.zeros(200_000_000, np.int8)
    entity = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    nested = packed({"inner.zip": packed({"inner.zip": packed({"t.csv": good})})})
    texts = {
        "empty.csv": "",
        "blank.csv": "   \n\n \n",
        "header only.csv": "x,y\n",
        "one column.csv": "x\n" + "\n".join(map(str, x)),
        "one row.csv": "x,y\n1,2\n",
        "one cell.csv": "x",
        "all missing.csv": csv("x,y", [""] * 40, ["NA"] * 40),
        "half missing.csv": csv("x,y", x, [""] * 40),
        "constant.csv": csv("x,y", [1] * 40, [2] * 40),
        "one constant.csv": csv("x,y", x, [2] * 40),
        "copies.csv": csv("x,y,z", x, x, x),
        "nan and inf.csv": csv("x,y", [*x[:38], "NaN", "inf"], [*y[:38], "-Infinity", "1e999"]),
        "huge numbers.csv": csv("x,y", [1e300] * 20 + [-1e300] * 20, y),
        "tiny numbers.csv": csv("x,y", x * 1e-200, y),
        "mixed.csv": csv("x,y", [*x[:39], "high"], y),
        "dates.csv": csv("when,y", [f"2024-02-{d:02d}" for d in [*range(1, 30), *range(1, 12)]], y),
        "no such day.csv": csv("when,y", [f"2023-02-{d:02d}" for d in range(1, 41)], y),
        "duplicate headers.csv": csv("x,x", x, y),
        "nameless.csv": csv(",", x, y),
        "names are numbers.csv": csv("1,2", x, y),
        "long name.csv": csv("x" * 100_000 + ",y", x, y),
        "html name.csv": csv('<img src=x onerror=alert(1)>,"</script><b>"', x, y),
        "formulas.csv": csv("x,y", [*x[:39], '"=HYPERLINK(""http://evil"",1)"'], y),
        "formula names.csv": csv("=cmd|' /C calc'!A0,@SUM(1)", x, y),
        "huge cell.csv": csv("x,y", [*x[:39], "a" * 10_000_000], y),
        "open quote.csv": 'x,y\n1,2\n3,"4\n5,6\n',
        "ragged.csv": "x,y\n1,2\n3,4,5\n6\n",
        "wide.csv": ",".join(f"c{i}" for i in range(1_000_000)) + "\n" + "1," * 999_999 + "1\n",
        "many columns.csv": csv(",".join(f"c{i}" for i in range(2_000)), *[[1] * 5] * 2_000),
        "sixty columns.csv": csv(",".join(f"c{i}" for i in range(60)), *rng.normal(size=(60, 90))),
        "controls.csv": "x,y\n1,\x00\n2,3\n",
        "ends in return.csv": good.replace("\n", "\r"),
        "right to left.csv": csv("\u202ex,\u200by", x, y),
        "emoji.csv": csv("💩,y", x, y),
        "json.csv": '{"x": [1, 2], "y": [3, 4]}',
        "html.csv": "<html><body><table><tr><td>1</td></tr></table></body></html>",
        "labels.csv": csv("name,y", [f"n{i}" for i in range(40)], y),
        "semicolons in commas.csv": csv("x;y", [f"{a};{b}" for a, b in zip(x, y, strict=True)]),
        "../../../etc/passwd": good,
        "..\\..\\windows\\system32\\evil.csv": good,
        "/etc/cron.d/evil.csv": good,
        "<script>alert(1)</script>.csv": good,
        ".csv": good,
        "-rf.csv": good,
        "$(touch pwned) `id`;.csv": good,
        "CON.csv": good,
        "x" * 400 + ".csv": good,
        "experiments.csv": good,
        "trial.roles.csv": good,
        "no suffix": good,
        "evil.exe": "MZ\x90",
    }  # fmt: skip
    data = {name: text.encode() for name, text in texts.items()}
    return data | {
        "binary.csv": bytes(range(256)) * 40,
        "random.csv": rng.bytes(5_000),
        "renamed exe.csv": b"MZ\x90\x00" + rng.bytes(2_000),
        "renamed zip.csv": packed({"t.csv": good}),
        "renamed parquet.csv": whole,
        "latin.csv": csv("Größe,y", x, y).encode("latin-1"),
        "broken utf8.csv": b"x,y\n\xff\xfe\xfa,1\n2,3\n",
        "utf16.csv": csv("x,y", x, y).encode("utf-16"),
        "half utf16.csv": csv("x,y", x, y).encode("utf-16")[:-1],
        "utf32.csv": csv("x,y", x, y).encode("utf-32"),
        "bomb.csv.gz": gzip.compress(b"x,y\n" + b"0" * (1 << 30), 1),
        "truncated.csv.gz": gzip.compress(good.encode())[:-12],
        "no gzip.csv.gz": good.encode(),
        "truncated.parquet": whole[: len(whole) // 2],
        "damaged.parquet": whole[:60] + bytes(30) + whole[90:],
        "no parquet.parquet": good.encode(),
        "nested cells.parquet": parquet(x=[[1, 2]] * 40, y=[{"a": 1}] * 40),
        "parquet bomb.parquet": parquet(x=none, y=none),
        "no excel.xlsx": good.encode(),
        "empty zip.xlsx": packed({}),
        "nested.xlsx": nested,
        "far corner.xlsx": workbook({"A1": "x", "XFD1048576": 1}),
        "bomb.xlsx": workbook(sheet, **{"xl/media/a.bin": bytes(1 << 30) + b"x" * 9}),
        "macros.xlsm": workbook(sheet, **{"xl/vbaProject.bin": rng.bytes(999)}),
        "entities.xlsx": workbook(sheet, **{"xl/workbook.xml": entity + _BOOK}),
        "path.xlsx": packed({"../../evil.txt": "x", "xl/workbook.xml": "x"}),
        "truncated.xlsx": workbook(sheet)[:300],
        "old.xls": b"\xd0\xcf\x11\xe0" + rng.bytes(3_000),
        "bad.dta": rng.bytes(3_000),
        "bad.sav": b"$FL2" + rng.bytes(3_000),
        "bad.ods": packed({"content.xml": "<x"}),
    }  # fmt: skip
