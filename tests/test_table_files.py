from __future__ import annotations

import csv
import datetime
import gzip
import io
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedo.errors import UserError
from seedo.tables import Reading, Regime, Table, read_table

DATA = Path(__file__).parents[2] / "shared" / "data"
real = pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data are not there")

ROWS = 8
VALUES = np.round(np.random.default_rng(7).normal(size=(ROWS, 3)), 3)


def table(header="a,b,y", rows=None, edit=None, extra=None):
    """A good CSV file of 8 rows, as text; `edit` {(row, column): cell}, `extra` one cell a row."""
    cells = [[f"{v:.3f}" for v in row] for row in VALUES] if rows is None else rows
    for (row, column), cell in (edit or {}).items():
        cells[row][column] = cell
    if extra is not None:
        cells = [[*row, cell] for row, cell in zip(cells, extra, strict=True)]
    return "\n".join([header, *(",".join(row) for row in cells)]) + "\n"


def put(folder: Path, files: dict[str, object]) -> None:
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.mkdir()
        elif isinstance(content, pa.Table):
            pq.write_table(content, path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(str(content), encoding="utf-8", newline="")


def read(folder: Path, content: object, targets=None, *, name="t.csv", **options):
    put(folder, {name: content})
    return read_table(folder / name, targets, **options)


def names_of(t: Table) -> list[str]:
    """The name of every row's regime."""
    return [t.regimes[i].name for i in t.regime]


# ---------------------------------------------------------------- reading


def test_all_formats_of_the_same_data_give_the_same_table(tmp_path):
    text = table()
    arrow = pa.table({name: VALUES[:, j] for j, name in enumerate("aby")})
    files = {
        "a.csv": text,
        "b.tsv": text.replace(",", "\t"),
        "c.csv.gz": gzip.compress(text.encode()),
        "d.tsv.gz": gzip.compress(text.replace(",", "\t").encode()),
        "e.parquet": arrow,
        "f.csv": b"\xef\xbb\xbf" + text.encode(),
        "g.csv": text.replace("\n", "\r\n"),
        "h.csv": text.replace(",", ";").replace(".", ","),
        "i.csv": text.rstrip("\n"),
        "j.csv": "\n" + text.replace("\n", "\n\n") + "\n\n",
        "k.csv": text.replace("a,b,y", ' a ,"b",y'),
        "l.csv": text.replace(",", " , "),
        "m.csv": text.replace("\n", "\r"),
        "n.tsv": text.replace(",", "\t").replace(".", ","),
    }
    put(tmp_path, files)
    for name in files:
        t, warnings = read_table(tmp_path / name)
        assert t.variables == ("a", "b", "y"), name
        np.testing.assert_array_equal(t.values, VALUES, err_msg=name)
        assert t.regimes[0].observational
        assert (t.regime == 0).all()
        assert t.sources == ("data",)
        assert t.title == name
        assert bool(warnings) == (name in ("h.csv", "n.tsv"))
        assert all("decimal commas" in line for line in warnings)


@given(
    cells=st.lists(
        st.tuples(
            *[st.none() | st.floats(-1e9, 1e9, allow_nan=False)] * 3,
            st.sets(st.sampled_from(["a", "~b", "!c", "?"])),
        ),
        min_size=8,
        max_size=20,
    ),
    gap=st.sampled_from(["", "NA", " nan ", "NULL", "None"]),
)
def test_every_number_gap_and_target_written_is_read_back(tmp_path_factory, cells, gap):
    header = ["a", "b", "c", "what"]
    varied = [[j + (i % (3 + j)) ** 2, 1.5 - i, i**3, set()] for i in range(8)
              for j in [i % 2]]  # fmt: skip
    rows = [list(row) for row in cells] + varied
    for row in rows:
        if "a" in row[3] and row[0] is None:
            row[0] = 0.5
    path = tmp_path_factory.mktemp("t") / "t.csv"
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for *numbers, labels in rows:
            shown = [gap if v is None else repr(float(v)) for v in numbers]
            writer.writerow([*shown, ";".join(sorted(labels))])
    t, warnings = read_table(path, "what", reading=Reading(missing=["none"]))
    expected = np.array([[np.nan if v is None else v for v in row[:3]] for row in rows], float)
    np.testing.assert_array_equal(t.values, expected)
    for row, regime in zip(rows, t.regime, strict=True):
        found = t.regimes[regime]
        assert found.hard == ({0} if "a" in row[3] else set())
        assert found.soft == ({1} if "~b" in row[3] else set())
        assert found.replaced == ({2} if "!c" in row[3] else set())
        assert found.unknown == ("?" in row[3])
    whole = int(np.isfinite(expected).all(axis=1).sum())
    assert warnings == (
        [] if whole == len(rows) else [f"missing values: {whole} of {len(rows)} rows are complete"]
    )


def test_booleans_integers_and_signs_are_numbers(tmp_path):
    rows = [["True", "+1", "12", "1e3"], ["false", "-2", "7", "2E-1"], ["", "3.", "9", ".5"],
            ["TRUE", "0", "8", "4"], ["false", "5", "0", "-6"], ["true", "1", "1", "1"],
            ["FALSE", "2", "3", "-1"]]  # fmt: skip
    t, _ = read(tmp_path, table("flag,b,c,d", rows))
    expected = [[1, 1, 12, 1000], [0, -2, 7, 0.2], [np.nan, 3, 9, 0.5], [1, 0, 8, 4],
                [0, 5, 0, -6], [1, 1, 1, 1], [0, 2, 3, -1]]  # fmt: skip
    np.testing.assert_array_equal(t.values, expected)


def test_parquet_numbers_of_every_type_are_read(tmp_path):
    whole = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3])
    arrow = pa.table(
        {
            "flag": pa.array([True, False, None, True, False, True, True, True, False, True]),
            "small": pa.array(whole.astype(np.int8)),
            "large": pa.array(whole.astype(np.uint64) ** 2),
            "half": pa.array((whole**3 / 2).astype(np.float16)),
            "money": pa.array([f"{w % 4}.25" for w in whole]).cast(pa.decimal128(9, 2)),
            "text": pa.array([f"{w % 3 + 0.5}" for w in whole]).dictionary_encode(),
            "__index_level_0__": pa.array(whole),
        }
    )
    t, warnings = read(tmp_path, arrow, name="t.parquet")
    flag = [1, 0, np.nan, 1, 0, 1, 1, 1, 0, 1]
    expected = [flag, whole, whole**2, whole**3 / 2, whole % 4 + 0.25, whole % 3 + 0.5]
    np.testing.assert_array_equal(t.values, np.array(expected).T)
    assert "index" in warnings[0]


def test_row_labels_without_a_name_are_left_out(tmp_path):
    pd.DataFrame(VALUES, columns=list("aby")).to_csv(tmp_path / "t.csv")
    t, warnings = read_table(tmp_path / "t.csv")
    np.testing.assert_array_equal(t.values, VALUES)
    assert len(warnings) == 1
    assert "row labels" in warnings[0]


def test_several_files_are_blocks_of_rows_in_any_order_of_columns(tmp_path):
    swapped = [[f"{v:.3f}" for v in row[::-1]] for row in VALUES + 1]
    put(tmp_path, {"one.csv": table(), "two.csv": table("y,b,a", swapped)})
    t, _ = read_table([tmp_path / "one.csv", tmp_path / "two.csv"], sources="file")
    np.testing.assert_allclose(t.values, np.concatenate([VALUES, VALUES + 1]), atol=1e-9)
    assert [Path(s).name for s in t.sources] == ["one.csv", "two.csv"]
    np.testing.assert_array_equal(t.source, np.repeat([0, 1], ROWS))
    np.testing.assert_array_equal(t.episode, np.arange(2 * ROWS))


def test_a_column_names_the_sources(tmp_path):
    t, _ = read(tmp_path, table("a,b,y,lab", extra=list("xyxxyxyy")), sources="lab")
    assert t.variables == ("a", "b", "y")
    assert [t.sources[i] for i in t.source] == list("xyxxyxyy")


def test_drop_and_keep_choose_the_variables(tmp_path):
    text = table("a,b,y,note", extra=["hm"] * ROWS)
    assert read(tmp_path, text, drop=["note", "b"])[0].variables == ("a", "y")
    assert read(tmp_path, text, keep=["y", "a"])[0].variables == ("a", "y")


# ---------------------------------------------------------------- what was done in which row


def test_a_column_of_targets_is_read_in_all_its_notation(tmp_path):
    cells = ["", "-", "a", " a ; b ", "~a", "!b;?", "?", "a;~b"]
    t, warnings = read(tmp_path, table("a,b,y,do", extra=cells), "do")
    expected = [
        Regime("observed"),
        Regime("observed"),
        Regime("do(a)", frozenset([0])),
        Regime("do(a, b)", frozenset([0, 1])),
        Regime("shift(a)", soft=frozenset([0])),
        Regime("replace(b), unknown", replaced=frozenset([1]), unknown=True),
        Regime("unknown", unknown=True),
        Regime("do(a), shift(b)", frozenset([0]), frozenset([1])),
    ]
    assert [t.regimes[i] for i in t.regime] == expected
    assert t.variables == ("a", "b", "y")
    assert warnings == []


def test_a_column_comes_before_a_file_of_the_same_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path, {"do": "rows,targets\n1,b\n"})
    t, _ = read(tmp_path, table("a,b,y,do", extra=["a"] * 4 + [""] * 4), "do")
    assert names_of(t) == ["do(a)"] * 4 + ["observed"] * 4


def test_switches_are_joined_and_shifts_by_two_reagents_told_apart(tmp_path):
    text = table("a,b,y,p,q,r,z", extra=["1,0,0,1", "0,1,0,1", "1,1,0,0", "0,0,1,0",
                                         "0,0,0,1", "0,0,1,1", "1,0,1,1", "0,0,0,0"])  # fmt: skip
    put(tmp_path, {"s.csv": "column,targets\np,~a\nq,~a\nr,a\nz,\n"})
    t, warnings = read(tmp_path, text, str(tmp_path / "s.csv"))
    assert t.variables == ("a", "b", "y")
    assert names_of(t) == ["p: shift(a)", "q: shift(a)", "p+q: shift(a)", "do(a)", "observed",
                           "do(a)", "do(a)", "observed"]  # fmt: skip
    assert t.regimes[t.regime[6]] == Regime("do(a)", frozenset([0]))  # setting leaves no shift
    assert t.regimes[t.regime[2]].soft == {0}
    assert warnings == []


def test_ranges_of_rows_count_from_one_through_all_files(tmp_path):
    ranges = "rows,targets,kind\n2-3,a;b,hard\n8–10,y,soft\n16,,unknown\n1,y,\n"
    put(tmp_path, {"one.csv": table(), "two.csv": table(), "s.csv": ranges})
    t, _ = read_table([tmp_path / "one.csv", tmp_path / "two.csv"], str(tmp_path / "s.csv"))
    done = {1: "do(y)", 2: "do(a, b)", 3: "do(a, b)", 8: "shift(y)", 9: "shift(y)",
            10: "shift(y)", 16: "unknown"}  # fmt: skip
    assert names_of(t) == [done.get(i, "observed") for i in range(1, 17)]


def test_files_are_told_apart_by_name_or_path(tmp_path):
    put(tmp_path, {"x": None, "z": None})
    put(tmp_path, {"x/t.csv": table(), "z/t.csv": table(), "u.csv": table(), "s.csv":
                   f"file,targets\n{tmp_path}/z/t.csv,!b\nu.csv,a\n"})  # fmt: skip
    paths = [tmp_path / "x/t.csv", tmp_path / "z/t.csv", tmp_path / "u.csv"]
    t, _ = read_table(paths, str(tmp_path / "s.csv"))
    assert names_of(t) == ["observed"] * 8 + ["t: replace(b)"] * 8 + ["do(a)"] * 8


def test_what_was_done_to_a_column_left_out_has_an_unknown_target(tmp_path):
    text = table("a,b,y,do", extra=["b"] * 3 + ["a"] * 2 + [""] * 3)
    t, warnings = read(tmp_path, text, "do", drop=["b"])
    assert [t.regimes[i].unknown for i in t.regime] == [True] * 3 + [False] * 5
    assert not t.observational[:5].any()
    assert len(warnings) == 1
    assert "b was changed in 3 rows" in warnings[0]


# ---------------------------------------------------------------- what is left out


def test_constant_and_empty_columns_are_left_out_with_a_warning(tmp_path):
    text = table(
        "a,b,y,k,e,do", extra=[f"{k},,{do}" for k, do in zip("5" * 8, "kk------", strict=True)]
    )
    t, warnings = read(tmp_path, text, "do")
    assert t.variables == ("a", "b", "y")
    assert t.observational.all()  # k was 5 all the same
    assert [w for w in warnings if "constant" in w and "k (5)" in w]
    assert [w for w in warnings if "without a value" in w and "e" in w]
    assert [w for w in warnings if "k was changed in 2 rows but is constant" in w]
    assert len(warnings) == 3


def test_a_column_constant_in_complete_rows_is_left_out(tmp_path):
    text = table("a,b,y,k", edit={(0, 1): ""}, extra=["9"] + ["5"] * 7)
    t, warnings = read(tmp_path, text)
    assert t.variables == ("a", "b", "y")
    assert "k (5)" in warnings[0]


def test_copies_are_left_out_and_their_targets_move(tmp_path):
    fahrenheit = [f"{1.8 * v + 32:.4f}" for v in VALUES[:, 0]]
    extra = [
        f"{v:.3f},{f},{do}" for v, f, do in zip(VALUES[:, 1], fahrenheit, "cf------", strict=True)
    ]
    t, warnings = read(tmp_path, table("a,b,y,c,f,do", extra=extra), "do")
    assert t.variables == ("a", "b", "y")
    assert [t.regimes[i].hard for i in t.regime] == [{1}, {0}, *[set()] * 6]
    assert warnings[0] == "column c is identical to b and left out"
    assert warnings[1] == "column f is a linear function of a and left out"


def test_an_outlier_shared_by_two_columns_makes_no_copy(tmp_path):
    text = table(edit={(0, 0): "1e9", (0, 1): "1e9"})
    assert read(tmp_path, text)[0].n == 3


def test_nearly_equal_columns_both_stay(tmp_path):
    extra = [f"{row[1] + 1e-3 * row[2]:.6f}" for row in VALUES]
    assert read(tmp_path, table("a,b,y,c", extra=extra))[0].n == 4


# ---------------------------------------------------------------- bad input


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


def excel() -> bytes:
    return b"PK\x03\x04" + bytes(40)


def wide(n: int) -> str:
    rows = np.random.default_rng(0).normal(size=(60, n))
    buffer = io.StringIO()
    pd.DataFrame(rows, columns=[f"v{i}" for i in range(n)]).to_csv(buffer, index=False)
    return buffer.getvalue()


GOOD = table()
DO = table("a,b,y,do", extra=["a", "", "", "b", "", "", "", ""])
SWITCH = table("a,b,y,p,q", extra=["0,1", "1,0"] * 4)
TYPES = pa.table(
    {"a": VALUES[:, 0], "b": VALUES[:, 1], "l": [[1.0]] * ROWS, "s": [{"x": 1}] * ROWS,
     "t": [datetime.date(2024, 1, 2)] * ROWS, "y": [b"\xff"] * ROWS}
)  # fmt: skip


def sidecar(text: str, data: str = GOOD):
    return {"t.csv": data, "s.csv": text}, {"targets": "s.csv"}


BAD = {
    # the file
    "missing file": ({}, {}, ["t.csv", "no such file"]),
    "directory": ({"t.csv": None}, {}, ["t.csv", "a folder"]),
    "no files": ({}, {"paths": []}, ["data", "at least one file"]),
    "same file twice": ({"t.csv": GOOD}, {"paths": ["t.csv", "t.csv"]}, ["t.csv", "twice"]),
    "extension": ({"t.json": "{}"}, {"paths": ["t.json"]}, [".json", ".csv", ".parquet"]),
    "pickle": ({"t.pkl": pickle.dumps(Trap())}, {"paths": ["t.pkl"]}, [".pkl", ".csv"]),
    "pickle named CSV": ({"t.csv": pickle.dumps(Trap())}, {}, ["t.csv", "UTF-8"]),
    "Excel named CSV": ({"t.csv": excel()}, {}, ["t.csv", "Excel"]),
    "gzip named CSV": ({"t.csv": gzip.compress(GOOD.encode())}, {}, ["t.csv", "gzip"]),
    "Parquet named CSV": ({"t.csv": b"PAR1abcPAR1"}, {}, ["t.csv", "Parquet"]),
    "CSV named gzip": ({"t.csv.gz": GOOD}, {"paths": ["t.csv.gz"]}, ["t.csv.gz", "gzip"]),
    "gzip cut short": ({"t.csv.gz": gzip.compress(GOOD.encode())[:-20]}, {"paths": ["t.csv.gz"]},
                       ["t.csv.gz", "gzip"]),
    "corrupt Parquet": ({"t.parquet": b"PAR1 nothing PAR1"}, {"paths": ["t.parquet"]},
                        ["t.parquet", "Parquet"]),
    "empty Parquet": ({"t.parquet": b""}, {"paths": ["t.parquet"]}, ["t.parquet", "Parquet"]),
    "no rows in Parquet": ({"t.parquet": TYPES.slice(0, 0)}, {"paths": ["t.parquet"]},
                           ["t.parquet", "no rows"]),
    "targets nested": ({"t.parquet": TYPES}, {"paths": ["t.parquet"], "targets": "l"},
                       ["column l", "list", "text"]),
    "empty file": ({"t.csv": ""}, {}, ["t.csv", "empty"]),
    "blank file": ({"t.csv": "\n \n"}, {}, ["t.csv", "empty"]),
    "header only": ({"t.csv": "a,b\n"}, {}, ["t.csv", "no rows"]),
    "half of UTF-16": ({"t.csv": GOOD.encode("utf-16")[:-1]}, {}, ["t.csv", "UTF-16"]),
    "bytes of nothing": ({"t.csv": GOOD.replace("0.", "\0.")}, {}, ["line", "control"]),
    "open quote": ({"t.csv": table(edit={(2, 0): '"0.5'})}, {}, ["row 4", "never closed"]),
    # the header
    "duplicate names": ({"t.csv": table("a,b,a")}, {}, ["'a'", "more than once"]),
    "duplicate Parquet names": (
        {"t.parquet": pa.table([VALUES[:, 0], VALUES[:, 1]], names=["a", "a"])},
        {"paths": ["t.parquet"]}, ["'a'", "more than once"]),
    "nameless column": ({"t.csv": table("a,,y")}, {}, ["column 2", "name"]),
    "no header": ({"t.csv": table("1.5,2,0.3")}, {}, ["1.5,2,0.3", "name the columns"]),
    "one column": ({"t.csv": "a\n1\n2\n3\n4\n5\n"}, {}, ["only a", "two", "tabs"]),
    # the rows
    "short line": ({"t.csv": GOOD + "1,2\n"}, {}, ["row 10", "2 cells", "has 3"]),
    "long line": ({"t.csv": GOOD + "\n1,2,3,4\n"}, {}, ["row 11", "4 cells", "has 3"]),
    "line of blanks": ({"t.csv": GOOD + "  \n" + GOOD[6:]}, {}, ["row 10", "1 cell", "has 3"]),
    "text in a number": ({"t.csv": table(edit={(2, 1): "high"})}, {},
                         ["row 4, column b", "'high'", "number"]),
    "after a blank line": ({"t.csv": table(edit={(2, 1): "high"}).replace("\n", "\n\n", 1)}, {},
                           ["row 5, column b", "'high'"]),
    "after a quoted break": (
        {"t.csv": table("a,b,y,n", edit={(2, 1): "high"}, extra=['"x\ny"'] * ROWS)},
        {"drop": ["n"]}, ["row 4, column b", "'high'"]),
    "in the second file": ({"t.csv": GOOD, "u.csv": table(edit={(2, 1): "high"})},
                           {"paths": ["t.csv", "u.csv"]}, ["u.csv row 4, column b", "'high'"]),
    "points and commas": ({"t.csv": GOOD.replace(",", ";").replace(".", ",", 1)}, {},
                          ["row 2, column a", "decimal point"]),
    "thousands with points": (
        {"t.csv": table(edit={(3, 0): "1.234.567"}).replace(",", ";")}, {},
        ["row 5, column a", "'1.234.567'", "thousands"]),
    "per cent": ({"t.csv": table(edit={(3, 0): "5%"})}, {}, ["row 5, column a", "'5%'"]),
    "overflow": ({"t.csv": table(edit={(4, 2): "1e400"})}, {}, ["row 6, column y", "1e400"]),
    "huge": ({"t.csv": table(edit={(4, 2): "1e200"})}, {}, ["row 6, column y", "1e200", "1e+100"]),
    "tiny": ({"t.csv": "a,b\n" + "".join(f"{k}e-200,{k * k}\n" for k in range(1, 9))}, {},
             ["column a", "1e-100", "unit"]),
    "a name of two lines": ({"t.csv": GOOD.replace("a,", '"a\nb",', 1)}, {},
                            ["header, column 1", "'a\\nb'", "one line"]),
    "booleans and numbers": ({"t.csv": table(edit={(3, 0): "true"})}, {}, ["row 5", "'true'"]),
    "too few rows": ({"t.csv": "a,b\n1,2\n2,1\n5,5\n"}, {}, ["rows", "3", "too few"]),
    "fewer rows than variables": ({"t.csv": "a,b,c\n1,2,5\n2,1,3\n5,5,5\n1,6,8\n"}, {},
                                  ["4 of 4", "at least 5"]),
    "too few complete": ({"t.csv": table(edit={(i, 1): "NA" for i in range(5)})}, {},
                         ["3 of 8", "at least 5", "b is missing in 5", "--drop"]),
    # which columns
    "all constant": ({"t.csv": "a,b\n" + "1,2\n" * 9}, {}, ["a (1), b (2)", "at least two"]),
    "copies only": ({"t.csv": "a,b\n" + "".join(f"{i},{2 * i}\n" for i in range(9))}, {},
                    ["only a", "b is a linear function of a"]),
    "too many": ({"t.csv": wide(51)}, {}, ["51", "at most 50", "--keep"]),
    "other columns": ({"t.csv": GOOD, "u.csv": table("a,c,y")}, {"paths": ["t.csv", "u.csv"]},
                      ["u.csv", "no 'b'", "in addition 'c'"]),
    "drop unknown": ({"t.csv": GOOD}, {"drop": ["aa"]}, ["drop", "'aa'", "did you mean 'a'"]),
    "keep unknown": ({"t.csv": GOOD}, {"keep": ["a", "Y "]}, ["keep", "'Y '", "'y'"]),
    "keep and drop": ({"t.csv": GOOD}, {"keep": ["a", "b"], "drop": ["a"]}, ["keep", "'a'"]),
    "all dropped": ({"t.csv": GOOD}, {"drop": ["a", "b", "y"]}, ["none", "at least two"]),
    "keep nothing": ({"t.csv": GOOD}, {"keep": []}, ["none", "at least two"]),
    "keep the targets": ({"t.csv": DO}, {"targets": "do", "keep": ["a", "do"]},
                         ["'do'", "--targets"]),
    "keep the sources": ({"t.csv": DO}, {"sources": "do", "keep": ["a", "do"]},
                         ["row 3, column do", "source"]),
    "keep a switch": ({"t.csv": SWITCH, "s.csv": "column,targets\np,a\n"},
                      {"targets": "s.csv", "keep": ["a", "p"]}, ["'p'", "--targets"]),
    # sources
    "sources missing": ({"t.csv": GOOD}, {"sources": "bb"}, ["sources", "'bb'", "file", "'b'"]),
    "sources unique": ({"t.csv": GOOD}, {"sources": "a"}, ["sources", "'a'", "share"]),
    "sources are targets": ({"t.csv": DO.replace(",\n", ",-\n")},
                            {"sources": "do", "targets": "do"}, ["targets", "'do'", "sources"]),
    # a column of targets
    "targets missing": ({"t.csv": GOOD}, {"targets": "yy"}, ["targets", "'yy'", "mean 'y'"]),
    "label": ({"t.csv": DO.replace(",b\n", ",bb\n")}, {"targets": "do"},
              ["row 5, column do", "got 'bb'", "use one of a, b, y", "did you mean 'b'?"]),
    "label of itself": ({"t.csv": DO.replace(",b\n", ",do\n")}, {"targets": "do"},
                        ["row 5, column do", "got 'do'"]),
    "label NA": ({"t.csv": DO.replace(",b\n", ",NA\n")}, {"targets": "do"},
                 ["row 5", "'NA'", "empty"]),
    "label twice": ({"t.csv": DO.replace(",b\n", ",b;~b\n")}, {"targets": "do"},
                    ["row 5, column do", "'b;~b'", "twice"]),
    "label unfinished": ({"t.csv": DO.replace(",b\n", ",b;\n")}, {"targets": "do"},
                         ["row 5, column do", "'b;'", "joined by ;"]),
    "prefix only": ({"t.csv": DO.replace(",b\n", ",~\n")}, {"targets": "do"}, ["row 5", "'~'"]),
    "label in the second file": (
        {"t.csv": DO, "u.csv": DO.replace(",b\n", ",q\n")},
        {"paths": ["t.csv", "u.csv"], "targets": "do"}, ["u.csv row 5, column do", "'q'"]),
    "set but missing": ({"t.csv": table("a,b,y,do", edit={(3, 1): ""}, extra="a--b----")},
                        {"targets": "do"}, ["row 5, column b", "missing", "set"]),
    # a file of targets
    "sidecar header": (*sidecar("col,targets\na,b\n"), ["s.csv", "col,targets", "rows,targets"]),
    "two forms": (*sidecar("rows,column,targets\n1,a,b\n"), ["s.csv", "rows,column,targets"]),
    "stranger in the header": (*sidecar("rows,targets,note\n1,a,b\n"), ["rows,targets,note"]),
    "no lines": (*sidecar("rows,targets\n"), ["s.csv", "no lines"]),
    "sidecar empty": (*sidecar(""), ["s.csv", "empty"]),
    "sidecar ragged": (*sidecar("rows,targets\n1\n"), ["s.csv row 2", "1 cell"]),
    "no key": (*sidecar("rows,targets\n,a\n"), ["s.csv row 2, column rows", "rows"]),
    "unknown kind": (*sidecar("rows,targets,kind\n1,a,firm\n"),
                     ["row 2, column kind", "'firm'", "soft"]),
    "kind and prefix": (*sidecar("rows,targets,kind\n1,~a,hard\n"), ["row 2", "'~a'", "hard"]),
    "kind without targets": (*sidecar("rows,targets,kind\n1,,soft\n"), ["row 2", "soft"]),
    "unknown with targets": (*sidecar("rows,targets,kind\n1,a,unknown\n"), ["row 2", "'a'"]),
    "sidecar label": (*sidecar("rows,targets\n1,a\n2,presure\n", table("pressure,a,b")),
                      ["s.csv row 3, column targets", "'presure'", "did you mean 'pressure'"]),
    "reversed": (*sidecar("rows,targets\n5-2,a\n"), ["row 2, column rows", "'5-2'", "2-5"]),
    "row 0": (*sidecar("rows,targets\n0-2,a\n"), ["'0-2'", "1 to 8"]),
    "beyond": (*sidecar("rows,targets\n1-9,a\n"), ["'1-9'", "1 to 8"]),
    "overlapping": (*sidecar("rows,targets\n1-4,a\n6,b\n3-5,b\n"), ["row 4", "'3-5'", "1-4"]),
    "same rows": (*sidecar("rows,targets\n1-4,a\n1-4,b\n"), ["row 3", "'1-4'", "row 2"]),
    "no range": (*sidecar("rows,targets\nJan-04,a\n"), ["'Jan-04'", "1-100"]),
    "no such file": (*sidecar("file,targets\nu.csv,a\n"), ["row 2", "'u.csv'", "t.csv"]),
    "file twice": (*sidecar("file,targets\nt.csv,a\n./t.csv,a\n"), ["row 3", "'./t.csv'", "twice"]),
    "switch unknown": (*sidecar("column,targets\npp,a\n", SWITCH), ["row 2", "'pp'", "mean 'p'"]),
    "switch twice": (*sidecar("column,targets\np,a\np,b\n", SWITCH), ["row 3", "'p'", "row 2"]),
    "switch not 0/1": (*sidecar("column,targets\na,b\n", SWITCH), ["row 2, column a", "0 or 1"]),
    "switch missing": (*sidecar("column,targets\np,a\n", SWITCH.replace(",1,0\n", ",,0\n", 1)),
                       ["row 3, column p", "0 or 1"]),
    "switch as target": (*sidecar("column,targets\np,q\nq,a\n", SWITCH), ["row 2", "'q'", "a, b"]),
    "sidecar is Parquet": ({"t.csv": GOOD, "s.parquet": b"PAR1"}, {"targets": "s.parquet"},
                           ["s.parquet", "Parquet"]),
    "sidecar is a folder": ({"t.csv": GOOD, "s.csv": None}, {"targets": "s.csv"}, ["folder"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_one_line_that_names_it(tmp_path, monkeypatch, case):
    files, options, words = BAD[case]
    monkeypatch.chdir(tmp_path)
    put(tmp_path, files)
    options = dict(options)
    with pytest.raises(UserError) as caught:
        read_table(options.pop("paths", ["t.csv"]), options.pop("targets", None), **options)
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    assert len(text) < 400
    for word in words:
        assert word in text


def test_files_without_permission_are_named(tmp_path, monkeypatch):
    put(tmp_path, {"t.csv": GOOD})

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UserError, match=r"t\.csv: cannot be read: Permission denied"):
        read_table(tmp_path / "t.csv")


@given(
    data=st.binary(max_size=200)
    | st.text('abyd01.,;\t\n\r" -~!?éNA', max_size=200).map(str.encode)
    | st.text(',\n"', max_size=20).map(lambda s: (DO + s).encode()),
    suffix=st.sampled_from([".csv", ".tsv", ".csv.gz", ".parquet"]),
    targets=st.sampled_from([None, "do", "self"]),
)
def test_no_file_whatever_does_worse_than_a_user_error(tmp_path_factory, data, suffix, targets):
    path = tmp_path_factory.mktemp("t") / f"t{suffix}"
    path.write_bytes(gzip.compress(data) if suffix == ".csv.gz" else data)
    try:
        t, _ = read_table(path, str(path) if targets == "self" else targets)
    except UserError:
        return
    assert t.complete.sum() >= t.n + 2
    assert not np.isinf(t.values).any()


# ---------------------------------------------------------------- real data


@real
def test_sachs_reagents_are_regimes(tmp_path):
    path = DATA / "sachs2005" / "sachs.2005.log10plus.with.interventions.tsv.gz"
    reagents = {"aktinhib": "akt", "g0076": "pkc", "psitect": "pip2", "u0126": "mek", "ly": "akt",
                "pma": "pkc", "b2camp": "pka"}  # fmt: skip
    lines = ["column,targets", "cd3_cd28,", "icam2,", *(f"{r},~{x}" for r, x in reagents.items())]
    put(tmp_path, {"s.csv": "\n".join(lines)})
    t, warnings = read_table(path, str(tmp_path / "s.csv"))
    frame = pd.read_csv(path, sep="\t")
    assert list(t.variables) == list(frame.columns[:11])
    np.testing.assert_array_equal(t.values, frame.to_numpy()[:, :11])
    assert warnings == []
    on = [next((r for r in reagents if row[r]), None) for row in frame.to_dict("records")]
    expected = [f"{r}: shift({reagents[r]})" if r else "observed" for r in on]
    assert names_of(t) == expected
    soft = [{t.index(reagents[r])} if r else set() for r in on]
    assert [t.regimes[i].soft for i in t.regime] == soft


@real
def test_chamber_files_are_regimes(tmp_path):
    folder = DATA / "causal_chamber_light_tunnel"
    paths = [folder / f"uniform_{name}.csv.gz" for name in ("reference", "red_strong")]
    put(tmp_path, {"s.csv": "file,targets\nuniform_red_strong.csv.gz,!red\n"})
    drop = ["timestamp", "config", "counter", "flag", "intervention"]
    t, warnings = read_table(paths, str(tmp_path / "s.csv"), sources="file", drop=drop)
    frame = pd.concat([pd.read_csv(p) for p in paths]).drop(columns=drop)
    varied = [name for name in frame if frame[name].nunique() > 1]
    assert list(t.variables) == varied
    np.testing.assert_array_equal(t.values, frame[varied].to_numpy())
    np.testing.assert_array_equal(t.observational, np.arange(11_000) < 10_000)
    assert t.regimes[t.regime[-1]].replaced == {t.index("red")}
    np.testing.assert_array_equal(t.source, np.repeat([0, 1], [10_000, 1_000]))
    assert len(warnings) == 1
    assert all(name in warnings[0] for name in ("osr_c (1)", "camera (0)"))
    whole, _ = read_table(paths)
    assert not {"timestamp", "config", "intervention"} & set(whole.variables)
