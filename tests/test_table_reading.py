"""Tables as they come: how cells, types and roles of columns are read, and what is refused."""

from __future__ import annotations

import gzip
import json
import re
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from command import run
from seedo.errors import UserError
from seedo.tables import Reading, described, read_table, roles_path, roles_text

N = 200
_RNG = np.random.default_rng(17)
X = _RNG.uniform(0, 100, N).round(1)
Y = (1000 + 25 * X + _RNG.normal(0, 60, N)).round(2)


def german(value: float, thousands: bool = False) -> str:
    text = f"{value:,.2f}" if thousands else f"{value:.2f}"
    return text.replace(",", "~").replace(".", ",").replace("~", ".")


def lines(header: str, write) -> str:
    return header + "\n" + "".join(write(x, y) + "\n" for x, y in zip(X, Y, strict=True))


def put(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def rows(header: str, *columns) -> str:
    """A CSV file from its columns."""
    body = "\n".join(",".join(map(str, row)) for row in zip(*columns, strict=True))
    return f"{header}\n{body}\n"


def column(table, name):
    everything = (*table.columns, *table.others)
    return next(one for one in everything if one.name == name)


PLAIN = lines("x,y", lambda x, y: f"{x},{y}")
SPELLINGS = {
    "comma": (PLAIN, "t.csv"),
    "text": (PLAIN, "t.txt"),
    "text compressed": (PLAIN, "t.txt.gz"),
    "bars": (PLAIN.replace(",", "|"), "t.csv"),
    "blanks": (PLAIN.replace(",", " "), "t.csv"),
    "columns with blanks": (lines("   x     y", lambda x, y: f"{x:>8} {y:>10}"), "t.txt"),
    "row labels of R": (lines("x y", lambda x, y: f'"r{x}" {x} {y}'), "t.txt"),
    "semicolons": (lines("x;y", lambda x, y: f"{german(x)};{german(y)}"), "t.csv"),
    "thousands points": (lines("x;y", lambda x, y: f"{german(x)};{german(y, True)}"), "t.csv"),
    "thousands commas": (lines("x,y", lambda x, y: f'{x},"{y:,.2f}"'), "t.csv"),
    "thousands blanks": (lines("x;y", lambda x, y: f"{x};{y:,.2f}".replace(",", " ")), "t.csv"),
    "thousands apostrophes": (
        lines("x;y", lambda x, y: f"{x};{y:,.2f}".replace(",", "'")), "t.csv"),
    "per cent": (lines("x,y", lambda x, y: f"{x}%,{y}"), "t.csv"),
    "currency before": (lines("x,y", lambda x, y: f"{x},€{y:.2f}"), "t.csv"),
    "currency behind": (lines("x;y", lambda x, y: f"{german(x)};{german(y)} EUR"), "t.csv"),
    "a unit in every cell": (lines("x,y", lambda x, y: f"{x} mm,{y}"), "t.csv"),
    "UTF-8 with a mark": (b"\xef\xbb\xbf" + PLAIN.encode(), "t.csv"),
    "UTF-16": (PLAIN.encode("utf-16"), "t.csv"),
    "UTF-16 without a mark": (PLAIN.encode("utf-16-be"), "t.csv"),
    "comment": ("# exported 2024\n# by me, again\n" + PLAIN, "t.csv"),
    "units below the header": (PLAIN.replace("x,y\n", "x,y\nmm,EUR\n"), "t.csv"),
    "units in brackets": (PLAIN.replace("x,y\n", "x,y\n(mm),(EUR)\n"), "t.csv"),
    "sep= of Excel": ("sep=;\n" + PLAIN.replace(",", ";"), "t.csv"),
    "empty columns at the end": (lines("x,y,,", lambda x, y: f"{x},{y},,"), "t.csv"),
    "plus and minus signs": (lines("x,y", lambda x, y: f"+{x},{y}"), "t.csv"),
}  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_the_same_numbers_is_read_alike(tmp_path, spelling):
    content, name = SPELLINGS[spelling]
    table, _ = read_table(put(tmp_path, content, name))
    assert table.variables == ("x", "y")
    np.testing.assert_allclose(table.values, np.stack([X, Y], axis=1), rtol=1e-12)


def test_a_windows_file_is_read_and_said(tmp_path):
    text = lines("Größe;Umsatz", lambda x, y: f"{german(x)};{german(y)}")
    table, said = read_table(put(tmp_path, text.encode("cp1252")))
    assert table.variables == ("Größe", "Umsatz")
    assert any("Windows-1252" in line and "'Größe'" in line for line in said)
    assert any("decimal commas" in line for line in said)


@pytest.mark.parametrize(
    ("spelling", "units"),
    [
        ("per cent", ("%", "")),
        ("currency before", ("", "€")),
        ("currency behind", ("", "EUR")),
        ("a unit in every cell", ("mm", "")),
        ("units below the header", ("mm", "EUR")),
        ("units in brackets", ("mm", "EUR")),
    ],
)
def test_units_are_kept(tmp_path, spelling, units):
    table, _ = read_table(put(tmp_path, *SPELLINGS[spelling]))
    assert tuple(one.unit for one in table.columns) == units


def test_names_may_hold_anything_that_stands_on_a_line(tmp_path):
    text = lines('Room temp (°C),"Umsatz, €", item # ', lambda x, y: f"{x},{y},{(x * 7) % 13:.1f}")
    path = put(tmp_path, text)
    table, _ = read_table(path)
    assert table.variables == ("Room temp (°C)", "Umsatz, €", "item #")
    assert table.columns[0].unit == "°C"
    for drop in (["Umsatz, €"], ['"Umsatz, €"']):
        assert read_table(path, drop=drop)[0].variables == ("Room temp (°C)", "item #")
    kept, _ = read_table(path, keep=['"Umsatz, €",item #'])
    assert kept.variables == ("Umsatz, €", "item #")


# ---------------------------------------------------------------- two thousand or two


OPEN = ["2.215", "1.415", "3.125", "1.250", "2.998", "1.902"] * 5
OTHER = [f"{i}" for i in range(30)]


def test_points_that_may_part_thousands_are_asked_about(tmp_path):
    path = put(tmp_path, rows("x;y", OPEN, OTHER).replace(",", ";"))
    with pytest.raises(UserError, match=r"2215 or 2\.215\? .*--decimal , .*--decimal \."):
        read_table(path)
    english, _ = read_table(path, reading=Reading(decimal="."))
    assert english.values[0, 0] == 2.215
    german_, said = read_table(path, reading=Reading(decimal=","))
    assert german_.values[0, 0] == 2215
    assert any("2.215 read as 2215" in line for line in said)


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1.234.567", 2215.0), ("1.415,08", 2215.0), ("0.5", 2.215), ("7.25", 2.215)],
)
def test_one_cell_that_tells_settles_the_column(tmp_path, cell, value):
    cells = zip([*OPEN, cell], [*OTHER, 3], strict=True)
    table, _ = read_table(put(tmp_path, "x;y\n" + "".join(f"{a};{b}\n" for a, b in cells)))
    assert table.values[0, 0] == value


def test_whole_numbers_beside_noughts_tell_thousands(tmp_path):
    # Who writes three decimals everywhere writes 950.000, and who drops noughts writes 1.25.
    cells = ["950", "1.250", "1.415", "12.300", "87"] * 4
    text = "x;y\n" + "".join(f"{c};{i}\n" for i, c in enumerate(cells))
    assert read_table(put(tmp_path, text))[0].values[1, 0] == 1250


def test_a_decimal_point_is_usual_between_commas(tmp_path):
    table, said = read_table(put(tmp_path, rows("x,y", OPEN, OTHER)))
    assert table.values[0, 0] == 2.215
    assert not said


# ---------------------------------------------------------------- what stands for nothing


@pytest.mark.parametrize("code", ["-999", "-999.0", "9999", ".", "?", "inf", "-inf", "<5", "< 0.5",
                                  "n.a.", "NA", "-", "#DIV/0!", ""])  # fmt: skip
def test_a_code_for_missing_is_no_number_and_said(tmp_path, code):
    random = np.random.default_rng(25)
    x = random.normal(50, 10, 800).round(1)
    y = (0.4 * x + random.normal(0, 3, 800)).round(2)
    gone = random.random(800) < 0.04
    cells = [code if bad else str(v) for v, bad in zip(x, gone, strict=True)]
    table, said = read_table(put(tmp_path, rows("x,y", cells, y)))
    whole = table.complete
    np.testing.assert_array_equal(whole, ~gone)
    slope = np.polyfit(table.values[whole, 0], table.values[whole, 1], 1)[0]
    assert slope == pytest.approx(np.polyfit(x[~gone], y[~gone], 1)[0])
    assert column(table, "x").missing == gone.sum()
    plain = code in ("NA", "")
    assert plain or any("column x" in line and "read as missing" in line for line in said)


def test_codes_can_be_named_or_denied(tmp_path):
    x = [*range(20), -999, 7, 77]
    path = put(tmp_path, rows("x,y", x, [i * i % 11 for i in x]))
    assert np.isnan(read_table(path)[0].values[20, 0])
    kept, said = read_table(path, reading=Reading(missing=["none"]))
    assert kept.values[20, 0] == -999
    assert not said
    named, _ = read_table(path, reading=Reading(missing=["-999", "x=77"]))
    assert np.isnan(named.values[[20, 22], 0]).all()
    assert np.isfinite(named.values[21, 0])


@pytest.mark.parametrize(
    "cells",
    [
        [99, 199, 299, 399, 999] * 10,  # prices
        [1, 3, 9, 27] * 10,  # doses
        [18 + i % 80 for i in range(90)],  # ages up to 97
        [-5, -9, 4, 3, 8] * 8,
        [9, 8, 7, 6] * 10,
    ],
)
def test_numbers_that_belong_are_used(tmp_path, cells):
    table, _ = read_table(
        put(tmp_path, rows("x,y", cells, [i * 7 % 13 for i in range(len(cells))]))
    )
    np.testing.assert_array_equal(table.values[:, 0], cells)


def test_a_doubtful_code_is_used_and_said(tmp_path):
    ages = [20 + i * 7 % 55 for i in range(100)] + [99] * 5
    table, said = read_table(put(tmp_path, rows("age,y", ages, [i * 7 % 13 for i in range(105)])))
    assert np.isfinite(table.values).all()
    assert any("99 in 5 cells used as a number: --missing age=99" in line for line in said)
    children = [i % 4 for i in range(100)] + [-1] * 5
    _, said = read_table(
        put(tmp_path, rows("n_kids,y", children, [i * i % 13 for i in range(105)]))
    )
    assert any("-1 in 5 cells used as a number: --missing n_kids=-1" in line for line in said)


# ---------------------------------------------------------------- types


def test_yes_in_several_spellings_is_one_yes(tmp_path):
    cells = ["Yes", "NO", "yes", "n", "Y", "no"] * 5
    table, _ = read_table(put(tmp_path, rows("t,y", cells, [i * 7 % 13 for i in range(30)])))
    np.testing.assert_array_equal(table.values[:, 0], [1, 0, 1, 0, 1, 0] * 5)
    assert table.columns[0].type == "yes/no"


@pytest.mark.parametrize(
    ("no", "yes"),
    [("no", "yes"), ("No", "Yes"), ("n", "y"), ("False", "True"), ("F", "T"), ("nein", "ja"),
     ("off", "on"), ("0", "1"), ("0.0", "1.0")],
)  # fmt: skip
def test_yes_and_no_are_one_and_nought(tmp_path, no, yes):
    truth = np.arange(40) % 3 == 0
    cells = [yes if v else no for v in truth]
    table, _ = read_table(put(tmp_path, rows("t,y", cells, [i * 7 % 13 for i in range(40)])))
    np.testing.assert_array_equal(table.values[:, 0], truth)
    assert table.columns[0].type == "yes/no"
    assert len(table.columns[0].levels) == 2


def test_parquet_truth_and_categories_are_read(tmp_path):
    truth = np.arange(40) % 3 == 0
    arm = pa.DictionaryArray.from_arrays(pa.array((np.arange(40) % 3).astype(np.int8)),
                                         pa.array(["low", "mid", "high"]),
                                         ordered=True)  # fmt: skip
    sex = pa.array(["m" if v else "f" for v in truth]).dictionary_encode()
    pq.write_table(pa.table({"t": truth, "arm": arm, "sex": sex, "y": np.arange(40) * 7 % 13.5,
                             "l": [[1.0]] * 40}), tmp_path / "t.parquet")  # fmt: skip
    table, said = read_table(tmp_path / "t.parquet")
    assert [c.type for c in table.columns[:2]] == ["yes/no", "ordered"]
    assert table.columns[1].levels == ("low", "mid", "high")
    np.testing.assert_array_equal(table.values[:, 1], np.arange(40) % 3)
    assert "sex" not in table.variables  # another spelling of t
    assert any("column l: holds list" in line for line in said)


def test_types_are_guessed(tmp_path):
    random = np.random.default_rng(3)
    n = 300
    text = rows(
        "user,arm,day,visits,share,revenue,height,rating,grade",
        [f"u{i:04d}" for i in range(n)],
        random.choice(["exposed", "control"], n),
        [f"2024-03-{1 + i % 28:02d}" for i in range(n)],
        random.poisson(2, n),
        random.uniform(0, 1, n).round(3),
        random.lognormal(0, 1, n).round(2),
        random.normal(170, 8, n).round(1),
        random.choice(["low", "medium", "high"], n),
        random.choice(["A", "b", "B", "C"], n),
    )
    table, said = read_table(put(tmp_path, text))
    kinds = {c.name: (c.type, c.role) for c in (*table.columns, *table.others)}
    assert kinds == {
        "user": ("label", "ignored"),
        "arm": ("categorical", "measured"),
        "day": ("time", "time"),
        "visits": ("count", "measured"),
        "share": ("bounded", "measured"),
        "revenue": ("positive", "measured"),
        "height": ("real", "measured"),
        "rating": ("ordered", "measured"),
        "grade": ("categorical", "measured"),
    }
    assert column(table, "arm").levels == ("control", "exposed")
    assert column(table, "rating").levels == ("low", "medium", "high")
    assert column(table, "grade").levels == ("A", "B", "C")
    assert any("differ in case" in line for line in said)
    assert table.time is not None
    assert table.time[1] - table.time[0] == 1
    shown = described(table)
    assert len(shown) <= 12
    assert any("user (label, ignored)" in line for line in shown)


def test_types_can_be_said(tmp_path):
    text = rows("dose,size,zip,y", [1, 2, 3, 4] * 10, ["S", "L", "M", "L"] * 10,
                [f"{i % 7:05d}" for i in range(40)], [i * 7 % 13 for i in range(40)])  # fmt: skip
    said = Reading(types=["dose=categorical,size=S<M<L", "y=count"])
    table, _ = read_table(put(tmp_path, text), reading=said)
    assert column(table, "dose").levels == ("1", "2", "3", "4")
    np.testing.assert_array_equal(table.values[:4, 0], [0, 1, 2, 3])
    assert column(table, "size").levels == ("S", "M", "L")
    np.testing.assert_array_equal(table.values[:3, 1], [0, 2, 1])
    assert column(table, "zip").type == "categorical"  # noughts in front: names, no numbers
    assert column(table, "y").type == "count"


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["2024-01-31", "2024-02-01"], 19753),
        (["2024-01-31 12:00", "2024-02-01 12:00"], 19753.5),
        (["2024-01-31T00:00:00Z", "2024-02-01T00:00:00Z"], 19753),
        (["31.01.2024", "01.02.2024"], 19753),
        (["1/31/2024", "2/1/2024"], 19753),
        (["31/1/2024", "1/2/2024"], 19753),
        (["31.1.24", "1.2.24"], 19753),
    ],
)
def test_dates_are_days(tmp_path, cells, first):
    text = rows("when,x,y", cells * 10, range(20), [i * 7 % 13 for i in range(20)])
    table, _ = read_table(put(tmp_path, text))
    assert table.time is not None
    np.testing.assert_allclose(table.time[:2], [first, first + 1])


# ---------------------------------------------------------------- roles


def test_rows_of_one_animal_belong_together(tmp_path):
    animal = np.repeat(np.arange(1, 13), 5)
    y = (np.arange(60) * 7 % 13) / 2
    text = rows("animal,drug,bp", animal, (animal > 6).astype(int), y)
    table, said = read_table(put(tmp_path, text))
    assert table.variables == ("drug", "bp")
    assert table.unit_name == "animal"
    np.testing.assert_array_equal(table.unit, animal - 1)
    assert any("column animal" in line and "--roles animal=measured" in line for line in said)
    other, _ = read_table(tmp_path / "t.csv", reading=Reading(roles={"animal": "measured"}))
    assert other.unit is None
    assert "animal" in other.variables


def test_an_index_of_time_is_time_unless_it_is_asked_for(tmp_path):
    text = rows("week,ads,sales", range(1, 61), [i * 7 % 13 for i in range(60)],
                [i * 5 % 11 for i in range(60)])  # fmt: skip
    path = put(tmp_path, text)
    table, _ = read_table(path)
    assert table.variables == ("ads", "sales")
    np.testing.assert_array_equal(table.time, range(1, 61))
    asked, _ = read_table(path, reading=Reading(asked="effect of week on sales"))
    assert "week" in asked.variables
    np.testing.assert_array_equal(asked.time, range(1, 61))


CELLS = rows("severe,drug,cured,n", [0, 0, 0, 0, 1, 1, 1, 1], [1, 1, 0, 0] * 2, [1, 0] * 4,
             [81, 6, 234, 36, 192, 71, 55, 25])  # fmt: skip


def test_counts_of_cells_are_weights_and_said(tmp_path):
    path = put(tmp_path, CELLS)
    table, said = read_table(path)
    assert table.variables == ("severe", "drug", "cured")
    assert table.weight.tolist() == [81, 6, 234, 36, 192, 71, 55, 25]
    assert any("--weights n" in line and "--roles n=measured" in line for line in said)
    quiet, nothing = read_table(path, reading=Reading(weights="n"))
    assert quiet.weight.sum() == 700
    assert not nothing
    measured, warned = read_table(path, reading=Reading(roles=["n=measured"]))
    assert measured.weight is None
    assert any("--weights n" in line for line in warned)


def test_a_factor_is_never_guessed_but_taken_from_targets_or_roles(tmp_path):
    text = rows("temp,solvent,out,did", [40, 60, 80, 100] * 5, ["THF", "DMF"] * 10,
                [i * 7 % 13 for i in range(20)], ["temp;solvent"] * 20)  # fmt: skip
    path = put(tmp_path, text)
    table, _ = read_table(path, "did")
    assert table.factors.tolist() == [True, True, False]
    assert [c.role for c in table.columns] == ["factor", "factor", "measured"]
    plain, _ = read_table(path, drop=["did"])
    assert not plain.factors.any()
    declared, _ = read_table(path, drop=["did"], reading=Reading(roles={"temp": "factor"}))
    assert declared.factors.tolist() == [True, False, False]
    assert declared.hard[:, 0].all()


def test_a_nearly_empty_column_costs_no_rows_unless_it_is_asked_for(tmp_path):
    z = np.arange(100) * 7 % 13
    gaps = [i + 1.5 if i % 50 == 0 else "" for i in range(100)]
    path = put(tmp_path, rows("z,y,followup", z, np.arange(100) * 5 % 11, gaps))
    table, said = read_table(path)
    assert table.complete.all()
    assert any("nearly empty" in line and "followup (98%)" in line for line in said)
    with pytest.raises(UserError, match="complete rows"):
        read_table(path, reading=Reading(asked="effect of followup on y"))


def test_copies_of_rows_are_noted_where_chance_makes_none(tmp_path):
    random = np.random.default_rng(1)
    x = random.normal(size=(100, 2)).round(4)
    text = rows("x,y", *np.concatenate([x, x]).T)
    assert any("100 of 200 rows" in line for line in read_table(put(tmp_path, text))[1])
    coarse = rows("age,t,y", random.integers(20, 80, 3000), random.integers(0, 2, 3000),
                  random.integers(0, 2, 3000))  # fmt: skip
    assert not read_table(put(tmp_path, coarse))[1]


def test_clean_rounded_tables_have_no_copies_and_copied_ones_do(tmp_path):
    # One column on a grid and an outcome of two values agree by chance: no fault of the table's.
    warned = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        conc = random.uniform(0, 20, 400).round(2)
        alive = (random.uniform(size=400) < 1 / (1 + np.exp(conc - 10))).astype(int)
        strength = random.normal(90, 5, 63).round(1)
        recipe = np.where(np.arange(63) < 40, 10, 20)
        texts = rows("conc,alive", conc, alive), rows("strength,recipe", strength, recipe)
        for path in (put(tmp_path, text) for text in texts):
            warned += any("exact copies" in line for line in read_table(path)[1])
    assert warned == 0
    fine = np.random.default_rng(0).normal(size=100)
    text = rows("x,y", np.r_[fine, fine], np.tile(np.arange(100) % 2, 2))
    assert any("exact copies" in line for line in read_table(put(tmp_path, text))[1])


def test_a_table_of_thousands_of_columns_is_refused_at_once(tmp_path):
    names = [f"v{i}" for i in range(3000)]
    text = "\n".join([",".join(names)] + [",".join(f"{(i * k) % 7}" for i in range(3000))
                                          for k in range(1, 6)])  # fmt: skip
    start = time.monotonic()
    with pytest.raises(UserError, match="variables"):
        read_table(put(tmp_path, text))
    assert time.monotonic() - start < 5


def test_roles_are_written_edited_and_read_again(tmp_path, capsys):
    path = put(tmp_path, CELLS)
    code, out, _ = run(capsys, "inspect", str(path), "--write-roles", "--json")
    assert code == 0
    assert json.loads(out)["columns"][3]["role"] == "weight"
    file = roles_path(path)
    assert file == tmp_path / "t.roles.csv"
    before, _ = read_table(path)
    again, said = read_table(path, reading=Reading(file=file))
    assert [*again.columns, *again.others] == [*before.columns, *before.others]
    assert not said
    file.write_text(file.read_text().replace("drug,yes/no,measured", "drug,categorical,factor"))
    code, out, _ = run(capsys, "inspect", str(path), "--json")
    found = {c["name"]: c for c in json.loads(out)["columns"]}
    assert (found["drug"]["type"], found["drug"]["role"]) == ("categorical", "factor")
    assert roles_text(before.columns).startswith("column,type,role,levels,unit,missing,decimal\n")


def test_excel_stata_and_spss_are_read(tmp_path):
    pytest.importorskip("python_calamine")
    pyreadstat = pytest.importorskip("pyreadstat")
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"x": X, "sex": (X > 50).astype(float), "y": Y})
    labels = {"sex": {0: "male", 1: "female"}}
    pyreadstat.write_dta(frame, str(tmp_path / "t.dta"), variable_value_labels=labels)
    pyreadstat.write_sav(frame, str(tmp_path / "t.sav"), variable_value_labels=labels)
    for name in ("t.dta", "t.sav"):
        table, _ = read_table(tmp_path / name)
        np.testing.assert_allclose(table.values, frame.to_numpy())
        assert column(table, "sex").levels == ("male", "female")
    pytest.importorskip("openpyxl")
    frame.assign(arm=["a", "b"] * 100).to_excel(tmp_path / "t.xlsx", index=False)
    table, _ = read_table(tmp_path / "t.xlsx")
    np.testing.assert_allclose(table.values[:, :3], frame.to_numpy())
    assert column(table, "arm").levels == ("a", "b")


# ---------------------------------------------------------------- refused in one true line


GOOD = rows("x,arm,y", range(20), ["a", "b"] * 10, [i * 7 % 13 for i in range(20)])


def edited(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


BAD = {
    # files
    "no Excel file": (b"PK\x03\x04" + bytes(40), {"name": "t.xlsx"}, ["t.xlsx"]),
    "Excel named CSV": (b"PK\x03\x04" + bytes(40), {}, ["t.csv", ".xlsx"]),
    "old Excel named CSV": (b"\xd0\xcf\x11\xe0" + bytes(40), {}, ["t.csv", ".xls"]),
    "no Stata file": (b"nothing", {"name": "t.dta"}, ["t.dta"]),
    "no SPSS file": (b"nothing", {"name": "t.sav"}, ["t.sav"]),
    "neither UTF-8 nor Windows": (GOOD.replace("a", "\x81").encode("latin-1"), {},
                                  ["t.csv line 1"]),
    "comments only": ("# a\n# b\n", {}, ["t.csv"]),
    "units alone": ("x,y\nmm,EUR\n", {}, ["rows", "too few"]),
    "duplicate names": (GOOD.replace("arm", "x", 1), {}, ["'x'", "columns 1 and 2", "rename"]),
    "a nameless column with cells": (GOOD.replace("arm", "", 1), {}, ["column 2", "name"]),
    # cells
    "a word among numbers": (edited("\n5,b", "\nfive,b"), {},
                             ["row 7, column x", "'five'", "--missing five"]),
    "two currencies": (rows("x,y", ["€5", "$6"] * 10, range(20)), {}, ["column x", "€", "$"]),
    "per cent here and there": (edited("\n5,b", "\n5%,b"), {},
                                ["row 7, column x", "'5%'", "write all alike"]),
    "points and commas": (rows("x;y", ["1.5", "2:5"] * 9, range(18)).replace(",", ";")
                          .replace(":", ","), {},
                          ["column x", "decimal points and decimal commas"]),
    "groups of two": (edited("\n5,b", '\n"1,23,4",b'), {}, ["row 7, column x", "'1,23,4'"]),
    "quoted thousands": (rows("x,y", ['"1,250"', '"2,125"'] * 10, range(20)), {},
                         ["1250 or 1.250?", "--decimal"]),
    "too large": (edited("\n5,b", "\n1e400,b"), {}, ["row 7, column x", "1e400"]),
    "two units of mass": (rows("x,y", [f"{i} {u}" for i in range(10) for u in ("kg", "g")],
                               range(20)), {}, ["column x", "g and kg", "one of them"]),
    "a title above": ("Our report\n" + GOOD, {}, ["row 2", "3 cells", "title"]),
    # types
    "type of nothing": (GOOD, {"types": ["z=count"]}, ["--types", "'z'", "use one of x, arm, y"]),
    "no such type": (GOOD, {"types": ["x=whole"]}, ["--types", "'whole'", "count"]),
    "no equals sign": (GOOD, {"types": ["x"]}, ["--types", "column=value"]),
    "words as numbers": (GOOD, {"types": ["arm=real"]}, ["row 2, column arm", "'a'"]),
    "words as dates": (GOOD, {"types": ["arm=time"]}, ["column arm", "no dates"]),
    "half a count": (edited("\n5,b", "\n5.5,b"), {"types": ["x=count"]},
                     ["row 7, column x", "whole"]),
    "a negative count": (edited("\n5,b", "\n-5,b"), {"types": ["x=count"]},
                         ["row 7, column x", "below 0"]),
    "five of yes and no": (GOOD, {"types": ["x=yes/no"]}, ["row 4, column x", "yes/no"]),
    "a level that is none": (GOOD, {"types": ["arm=a<c"]}, ["row 3, column arm", "'b'", "a, c"]),
    "a level twice": (GOOD, {"types": ["arm=a<a"]}, ["--types", "different levels"]),
    "decimal": (GOOD, {"decimal": ";"}, ["--decimal", "';'"]),
    "missing of nothing": (GOOD, {"missing": ["z=9"]}, ["--missing", "'z'", "use one of"]),
    # roles
    "role of nothing": (GOOD, {"roles": ["z=unit"]}, ["--roles", "'z'"]),
    "no such role": (GOOD, {"roles": ["x=cause"]}, ["--roles x", "'cause'", "factor"]),
    "unit of nothing": (GOOD, {"unit": "zz"}, ["--unit", "'zz'", "use one of"]),
    "time of nothing": (GOOD, {"time": "zz"}, ["--time", "'zz'"]),
    "weights of nothing": (GOOD, {"weights": "Y"}, ["--weights", "did you mean 'y'"]),
    "two units": (GOOD, {"roles": ["x=unit,arm=unit"]}, ["--roles", "x, arm", "one column"]),
    "names as time": (GOOD, {"time": "arm"}, ["--time", "'arm'", "dates or numbers"]),
    "names as weights": (GOOD, {"weights": "arm"}, ["--weights", "'arm'", "numbers"]),
    "a negative weight": (edited("\n5,b", "\n-5,b"), {"weights": "x"},
                          ["row 7, column x", "below 0"]),
    "a unit missing": (edited("\n5,b", "\n5,"), {"unit": "arm"}, ["row 7, column arm", "unit"]),
    "one variable left": (GOOD, {"roles": ["x=ignored,y=ignored"]},
                          ["only arm", "--roles x=measured"]),
    "a factor with a gap": (edited("\n5,b", "\n,b"), {"roles": ["x=factor"]},
                            ["row 7, column x", "set"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read_is_refused_in_one_true_line(tmp_path, case):
    content, options, words = BAD[case]
    options = dict(options)
    path = put(tmp_path, content, options.pop("name", "t.csv"))
    with pytest.raises(UserError) as caught:
        read_table(path, reading=Reading(**options))
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,type\nx,count\n", ["header", "column,type,role"]),
        ("column,type\nz,count\n", ["row 2, column column", "'z'"]),
        ("column,type\nx,whole\n", ["row 2, column type", "'whole'"]),
        ("column,role\nx,cause\n", ["row 2, column role", "'cause'"]),
        ("column,decimal\nx,;\n", ["row 2, column decimal"]),
        ("column,type\nx,real\nx,real\n", ["row 3, column column", "once"]),
    ],
)
def test_a_file_of_roles_is_refused_where_it_is_wrong(tmp_path, text, words):
    file = put(tmp_path, text, "r.csv")
    with pytest.raises(UserError) as caught:
        read_table(put(tmp_path, GOOD), reading=Reading(file=file))
    assert all(word in str(caught.value) for word in words)


def test_a_library_that_is_not_there_is_named(tmp_path, monkeypatch):
    for module in ("python_calamine", "pyreadstat"):
        monkeypatch.setitem(sys.modules, module, None)
    for name in ("t.xlsx", "t.dta", "t.sav"):
        with pytest.raises(UserError, match=r"pip install 'seedo\[tables\]'"):
            read_table(put(tmp_path, b"PK\x03\x04", name))


def test_weights_can_be_written_out_as_rows(tmp_path):
    table, _ = read_table(put(tmp_path, CELLS))
    long = table.repeated()
    assert long.rows == 700
    assert long.weight is None
    assert long.values[:, 2].mean() == pytest.approx((81 + 234 + 192 + 55) / 700)
    halves, _ = read_table(put(tmp_path, CELLS.replace(",81\n", ",81.5\n")),
                           reading=Reading(weights="n"))  # fmt: skip
    with pytest.raises(UserError, match=r"--weights n: got 81\.5; .*--roles n=ignored"):
        halves.repeated()


REASONS = {
    "NUL": (b"x,y\n1,2\n3,\x004\n", "t.csv", r"line 3: got .*control character.*remove it"),
    "UTF-32": (PLAIN.encode("utf-32"), "t.csv", "UTF-32 text: save it as UTF-8"),
    "ragged": (b"x,y\n1,2\n3,4,5\n", "t.csv", "row 3: got '3 cells'.*double quotes"),
    "suffix": (b"x,y\n1,2\n", "t.foo", "got '.foo'; give .csv"),
    "not there": (None, "nothere.csv", "there is no such file"),
    "workbook": (b"nothing of the kind", "t.xlsx", "damaged.*copy or save it again"),
    "parquet": (b"nothing of the kind", "t.parquet", "damaged.*copy or save it again"),
}


@pytest.mark.parametrize("fault", REASONS)
def test_what_is_no_table_is_refused_in_one_line_with_its_reason(tmp_path, capsys, fault):
    content, name, said = REASONS[fault]
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    code, _, err = run(capsys, "inspect", str(path))
    assert code == 2
    assert re.search(said, err), err
    assert err.count("\n") == 1


@pytest.mark.parametrize("targets", ["", "."])
def test_targets_that_are_neither_column_nor_file_are_refused(tmp_path, targets):
    with pytest.raises(UserError, match=r"targets.*column"):
        read_table(put(tmp_path, PLAIN), targets)


def test_a_refused_question_is_one_line_though_the_table_has_notes(tmp_path, capsys):
    gaps = put(tmp_path, PLAIN.replace("\n", "\n,5\n", 1))
    code, _, err = run(capsys, "ask", str(gaps), "what is this?")
    assert code == 2
    assert err.count("\n") == 1, err


LOOKS = {
    "units": (["5 mm", "6 cm"], "numbers with a unit"),
    "some units": (["5 mm", "6", "7 mm"], "numbers with a unit"),
    "thousands": (["5k", "7M"], "numbers with a unit"),
    "fractions": (["1/2", "5", "3/4"], "fractions"),
    "clock": (["12:30", "13:45"], "times of day"),
    "formulas": (["=1+1", "=2+3"], "formulas"),
    "days of no year": (["2020-02-30", "2020-01-02", "2020-01-03"], "dates"),
    "dates of both kinds": (["13/02/2020", "02/13/2020"], "dates"),
    "dates in several forms": (["2020-01-02", "03/04/2020", "5 Jan 2020"], "dates"),
    "dates without dashes": ([20200102, 20210101, 20210203], "dates"),
    "names": (["arm 1", "arm 2"], ""),
    "ages": (["18-25", "26-40", "41+"], ""),
    "ordinals": (["1st class", "2nd class"], ""),
    "codes": (["3a", "3b", "4a"], ""),
}


@pytest.mark.parametrize("kind", LOOKS)
def test_what_looks_like_an_amount_or_a_date_is_said_with_what_to_do(tmp_path, kind):
    cells, word = LOOKS[kind]
    text = rows("x,y,q", X, Y, np.resize(np.array(cells, object), N))
    said = [line for line in read_table(put(tmp_path, text))[1] if "look like" in line]
    assert bool(said) == bool(word), said
    if word:
        assert "column q" in said[0]
        assert str(cells[0]) in said[0]
        assert word in said[0]


CLASHES = {
    "roles": {"roles": ["x=factor,x=outcome"]},
    "types": {"types": ["x=real,x=categorical"]},
    "role and unit": {"roles": ["x=unit"], "unit": "y"},
    "unit and another role": {"roles": ["x=measured"], "unit": "x"},
    "unit and time": {"unit": "x", "time": "x"},
    "weights and unit": {"weights": "x", "unit": "x"},
    "no code and a code": {"missing": ["none", "-9"]},
    "an empty code": {"missing": ["x="]},
    "a code of no column": {"missing": ["=-9"]},
    "shares beyond all": {"types": ["y=bounded"]},
}


@pytest.mark.parametrize("clash", CLASHES)
def test_contradictory_options_are_refused(tmp_path, clash):
    with pytest.raises(UserError, match=r"contradict|one role|column=code|from 0 to 1"):
        read_table(put(tmp_path, PLAIN), reading=Reading(**CLASHES[clash]))


@pytest.mark.parametrize("line", ["q,categorical,,A|B|B", "q,categorical,,|", "x,real,,1|2"])
def test_levels_that_cannot_be_are_refused_in_a_file_of_roles(tmp_path, line):
    text = rows("x,y,q", X, Y, np.resize(["A", "B"], N))
    file = put(tmp_path, f"column,type,role,levels\n{line}\n", "roles.csv")
    with pytest.raises(UserError, match="levels"):
        read_table(put(tmp_path, text), reading=Reading(file=file))


def test_a_constant_level_is_named(tmp_path):
    text = rows("x,y,arm", X, Y, np.resize(["A", "B"], N))
    said = read_table(put(tmp_path, text), reading=Reading(missing=["A"]))[1]
    assert any("constant" in line and "arm (B)" in line for line in said), said


@pytest.mark.parametrize("fill", [-32768, 65535, 2147483647])
def test_the_end_of_a_range_of_whole_numbers_means_missing(tmp_path, fill):
    x = np.where(np.arange(N) % 20 == 3, fill, X)
    table, said = read_table(put(tmp_path, rows("x,y", x, Y)))
    assert np.nanmax(np.abs(table.values[:, 0])) <= 100
    assert any("10 cells read as missing" in line for line in said), said


def many(*names, **columns):
    """A table of 40 rows, as text: x and y by chance, and further columns."""
    random = np.random.default_rng(1)
    held = {"x": random.normal(50, 8, 40).round(2).tolist(),
            "y": random.normal(9, 2, 40).round(2).tolist()} | columns  # fmt: skip
    return rows(",".join(held), *held.values())


def test_totals_in_the_last_rows_are_left_out_and_said(tmp_path):
    groups = [f"g{i % 3}" for i in range(40)]
    text = many(g=groups)
    total = put(tmp_path, text + "1,2,Total\n")
    first = put(
        tmp_path, "g,x\n" + "".join(f"{i},{i % 7}\n" for i in range(20)) + "Summe:,60\n", "b.csv"
    )
    assert read_table(total)[0].rows == 41  # the last of its cells: a group
    table, said = read_table(first)
    assert table.rows == 20
    assert any("row 22 ('Summe:') is a total and left out" in s for s in said)
    named = "g,x\n" + "".join(f"{'part total'.split()[i % 2]},{i}\n" for i in range(20))
    assert read_table(put(tmp_path, named, "c.csv"))[0].rows == 20


@pytest.mark.parametrize(
    ("cells", "values", "says"),
    [
        (["5-", "6", "7,5-"], [-5, 6, -7.5], "5- read as -5"),
        (["(5)", "6", "(7)"], [-5, 6, -7], "(5) read as -5"),
        (["١٢", "٣", "٤٫٥"], [12, 3, 4.5], "١٢ read as 12"),
        (["１２", "３"], [12, 3], "１２ read as 12"),
    ],
)  # fmt: skip
def test_other_ways_to_write_numbers_are_read_and_said(tmp_path, cells, values, says):
    text = "x;y\n" + "".join(f"{cells[i % len(cells)]};{i}\n" for i in range(40))
    table, said = read_table(put(tmp_path, text))
    assert set(table.values[:, 0]) == set(values)
    assert any(says in line for line in said)


def test_a_bad_day_among_good_ones_is_named_with_its_row(tmp_path):
    days = [f"2024-{1 + i // 20:02d}-{1 + i % 20:02d}" for i in range(40)]
    days[6] = "2024-02-30"
    _, said = read_table(put(tmp_path, many(born_date=days)), reading=Reading(
        types=["born_date=time"], roles=["born_date=measured"]))  # fmt: skip
    assert any("row 8" in line and "'2024-02-30' is no day" in line for line in said)


@pytest.mark.parametrize(("code", "told"), [(0, True), (-1, True), (25, False)])
def test_a_repeated_number_far_from_the_rest_is_said(tmp_path, code, told):
    ages = [26 + i * 7 % 55 for i in range(40)] + [code] * 4
    text = rows("age,y", ages, [i * 7 % 13 for i in range(44)])
    _, said = read_table(put(tmp_path, text))
    assert any(f"--missing age={code}" in line for line in said) == told


def test_doses_and_counts_with_noughts_have_no_code(tmp_path):
    dose = [[0, 5, 10, 20][i % 4] for i in range(40)]
    kids = [i % 4 for i in range(40)]
    _, said = read_table(put(tmp_path, many(dose=dose, kids=kids)))
    assert not any("--missing" in line for line in said)


@pytest.mark.parametrize("name", ["episode", "run", "trial_nr"])
def test_rows_of_one_episode_belong_together(tmp_path, name):
    blocks, crossed = [i // 5 for i in range(40)], [i % 8 for i in range(40)]
    table, _ = read_table(put(tmp_path, many(**{name: blocks})))
    assert table.unit_name == name
    assert len(set(table.unit)) == 8
    table, _ = read_table(put(tmp_path, many(**{name: crossed})))
    assert table.unit is None


@pytest.mark.parametrize("name", ["patients", "total", "N_obs", "cases"])
def test_counts_of_other_names_are_taken_or_said(tmp_path, name):
    cells = [(a, b, c) for a in "AB" for b in ("small", "large") for c in ("yes", "no")]
    text = rows(
        f"treat,stone,success,{name}", *zip(*cells, strict=True), [81, 6, 234, 36, 55, 25, 192, 71]
    )
    table, said = read_table(put(tmp_path, text))
    assert table.weight is not None or any(f"--weights {name}" in line for line in said)


@pytest.mark.parametrize("weight", ["-1", "inf", "nan", "1e99", "1e9", ""])
def test_a_weight_that_cannot_be_is_shown(tmp_path, weight):
    weights = ["1"] * 40
    weights[5] = weight
    with pytest.raises(UserError, match=r"row 7, column w") as caught:
        read_table(put(tmp_path, many(w=weights)), reading=Reading(weights="w"))
    shown = caught.value.value
    assert shown == weight or float(shown) == float(weight)


def test_why_a_column_is_no_variable_is_kept(tmp_path):
    x = [float(i * i % 17) for i in range(40)]
    text = rows("a,b,same,twice,empty", x, [i % 7 for i in range(40)], [3] * 40,
                [2 * one for one in x], [""] * 40)  # fmt: skip
    assert read_table(put(tmp_path, text))[0].useless == {
        "same": "is 3 in every complete row", "twice": "is a linear function of a",
        "empty": "holds nothing in any row",
    }  # fmt: skip
