"""Other tables of the kinds of trouble in `test_cases`: other designs, languages and codes."""

import json
import sys

import numpy as np
import pandas as pd
import pytest

from seedo import cli


def _ask(folder, monkeypatch, capsys, table, question, *words):
    table.to_csv(folder / "t.csv", index=False)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["seedo", "ask", "t.csv", question, *words, "--json"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    out, err = capsys.readouterr()
    return (json.loads(out) if out else {}), err, end.value.code


@pytest.fixture
def ask(tmp_path, monkeypatch, capsys):
    def asked(table, question, *words, graph=""):
        if graph:
            (tmp_path / "g.txt").write_text(graph)
            words = (*words, "--graph", "g.txt")
        return _ask(tmp_path, monkeypatch, capsys, table, question, *words)

    return asked


def _readings(order):
    """Ten animals of 40 readings each, drug by animal, in this order; no effect."""
    rng = np.random.default_rng(11)
    drug = np.array([0, 1, 1, 0, 1, 0, 0, 1, 0, 1])
    level = rng.normal(0, 1.5, 10)
    animal = np.repeat(order(drug), 40)
    return pd.DataFrame({"drug": drug[animal], "bp": level[animal] + rng.normal(size=400),
                         "did": "drug"})  # fmt: skip


def test_units_that_no_column_names_are_told_by_runs(ask):
    table = _readings(lambda drug: np.arange(10))
    found, _, _ = ask(table, "effect of drug on bp from 0 to 1", "--targets", "did")
    assert found["low"] <= 0 <= found["high"]
    assert "8 runs" in found["warnings"][0]
    sorted_by_drug = _readings(lambda drug: np.argsort(drug, kind="stable"))
    found, _, _ = ask(sorted_by_drug, "effect of drug on bp from 0 to 1", "--targets", "did")
    assert "--unit" in found["warnings"][0]
    assert "too short" in found["warnings"][0]


def test_rows_of_a_sorted_trial_are_no_runs(ask):
    rng = np.random.default_rng(3)
    drug = np.repeat([0, 1], 150)
    table = pd.DataFrame({"drug": drug, "bp": drug + rng.normal(size=300), "did": "drug"})
    found, _, _ = ask(table, "effect of drug on bp from 0 to 1", "--targets", "did")
    assert not found["warnings"]


def test_a_curve_is_not_given_to_a_cause_that_another_decides(ask):
    rng = np.random.default_rng(5)
    age = rng.normal(size=500)
    table = pd.DataFrame({"age": age, "dose": 2 * age + rng.normal(0, 0.02, 500),
                          "y": np.sin(2 * age) + rng.normal(0, 0.2, 500)})  # fmt: skip
    found, _, _ = ask(table, "effect of dose on y", graph="age -> dose\nage -> y\ndose -> y")
    assert found.get("value") is None
    assert "no overlap" in found["answer"]


def test_direct_effect_where_the_outcome_decides_what_is_missing(ask):
    rng = np.random.default_rng(2)
    x = rng.normal(size=600)
    sev = x + rng.normal(size=600)
    y = 2 * x + sev + rng.normal(size=600)
    sev[rng.random(600) < 1 / (1 + np.exp(-y))] = np.nan
    table = pd.DataFrame({"x": x, "sev": sev, "y": y})
    graph = "x -> sev\nsev -> y\nx -> y"
    found, _, _ = ask(table, "direct effect of x on y", graph=graph)
    assert found["low"] <= 2 <= found["high"]
    assert "filled in" in found["warnings"][0]
    found, _, _ = ask(table, "indirect effect of x on y", graph=graph)
    assert "off by more than its interval" in found["warnings"][0]


def test_correlation_of_two_random_walks(ask):
    rng = np.random.default_rng(14)
    a, b = np.cumsum(rng.normal(size=(2, 150)), axis=1)
    found, _, _ = ask(pd.DataFrame({"a": a, "b": b}), "correlation of a and b")
    assert found["low"] <= 0 <= found["high"]
    assert "independent ones" in found["warnings"][0]
    mixed = rng.permutation(150)
    found, _, _ = ask(pd.DataFrame({"a": a[mixed], "b": b[mixed]}), "correlation of a and b")
    assert not found["warnings"]


@pytest.mark.parametrize("code", ["1e30", "9.99E+33", "3.4028235e38"])
def test_huge_codes_are_missing(ask, code):
    rng = np.random.default_rng(25)
    x = rng.normal(120, 15, 300).round()
    cells = np.where(rng.random(300) < 0.05, code, x.astype(int).astype(str))
    table = pd.DataFrame({"x": cells, "y": (x / 20 + rng.normal(size=300)).round(2)})
    found, said, _ = ask(table, "effect of x on y", graph="x -> y")
    assert found["low"] <= 0.05 <= found["high"]
    assert "read as missing" in said


def test_a_remedy_with_a_blank_is_quoted(ask):
    cells = [str(v) for v in range(30)]
    cells[4] = "keine Angabe"
    table = pd.DataFrame({"x": cells, "y": np.arange(30) ** 2})
    _, said, code = ask(table, "E[x]")
    assert code
    assert "--missing 'keine Angabe' if" in said
    found, _, _ = ask(table, "E[x]", "--missing", "keine Angabe")
    assert found["value"] == pytest.approx((435 - 4) / 29)


def test_losses_in_brackets_behind_a_currency(ask):
    table = pd.DataFrame(
        {"x": np.arange(20) ** 2, "y": [f"$({v:,.2f})" for v in range(1000, 1020)]}
    )
    assert ask(table, "E[y]")[0]["value"] == pytest.approx(-1009.5)


@pytest.mark.parametrize(("no", "yes"), [("нет", "да"), ("nee", "ja"), ("não", "sim"),
                                     ("control", "treated"), ("hayır", "evet")])  # fmt: skip
def test_from_no_to_yes_in_other_languages(ask, no, yes):
    rng = np.random.default_rng(19)
    set_to = rng.integers(0, 2, 200)
    table = pd.DataFrame({"t": np.where(set_to, yes, no), "y": set_to + rng.normal(size=200),
                          "did": "t"})  # fmt: skip
    found, _, _ = ask(table, "effect of t on y", "--targets", "did")
    assert found["low"] <= 1 <= found["high"]
    assert f"from {no} to {yes}" in found["answer"]


def test_customers_who_buy_nothing_are_no_copies(ask):
    rng = np.random.default_rng(5)
    spent = np.where(rng.random(900) < 0.1, rng.lognormal(3, 1, 900).round(2), 0.0)
    table = pd.DataFrame({"arm": rng.integers(0, 2, 900), "revenue": spent})
    assert "copies" not in ask(table, "E[revenue]")[1]
    twice = pd.concat([table[spent > 0]] * 2)
    assert "copies" in ask(twice, "E[revenue]")[1]


def test_a_number_that_sites_set_each_around_a_level_of_their_own(ask):
    rng = np.random.default_rng(31)
    site = rng.integers(0, 3, 300)
    dose = 3 * site + rng.normal(size=300)
    pain = -2.5 * site + 0.6 * dose + rng.normal(size=300)
    table = pd.DataFrame({"clinic": np.array(["Basel", "Graz", "Ulm"])[site], "dose": dose,
                          "pain": pain, "did": "dose"})  # fmt: skip
    question = "effect of dose on pain"
    found, _, _ = ask(table, question, "--targets", "did")
    assert "--sources clinic" in found["warnings"][0]
    found, _, _ = ask(table, question, "--targets", "did", "--sources", "clinic")
    assert found["low"] <= 0.6 <= found["high"]
    assert not found["warnings"]
    table["dose"] = rng.normal(size=300)
    table["pain"] = -2.5 * site + 0.6 * table["dose"] + rng.normal(size=300)
    assert not ask(table, question, "--targets", "did")[0]["warnings"]


def test_shares_that_are_set_together(ask):
    rng = np.random.default_rng(33)
    a, b, _c = (100 * rng.dirichlet([2, 3, 2], 60).T).round(1)
    table = pd.DataFrame({"a": a, "b": b, "c": (100 - a - b).round(1), "did": "a;b;c"})
    table["y"] = (0.1 * table.a + 0.05 * table.b - 0.02 * table.c + rng.normal(0, 0.2, 60)).round(2)
    targets = ("--targets", "did")
    for do in ("a = 20, b = 50, c = 30", "a = 20, b = 50", "b = 50, c = 30"):
        found, _, _ = ask(table, f"E[y | do({do})]", *targets)
        assert found["low"] <= 3.9 <= found["high"]
    assert "give way: set all" in ask(table, "E[y | do(a = 20)]", *targets)[0]["answer"]
    assert "no such mixture" in ask(table, "E[y | do(a = 70, b = 50)]", *targets)[0]["answer"]


TETRAD = """Graph Nodes:
z;x;y

Graph Edges:
1. z --> x
2. z --> y
3. x --> y
"""


def test_graphs_of_tetrad_and_matrices_without_names(ask):
    rng = np.random.default_rng(1)
    z = rng.normal(size=300)
    x = z + rng.normal(size=300)
    table = pd.DataFrame({"z": z, "x": x, "y": 2 * x + 3 * z + rng.normal(size=300)})
    found, _, _ = ask(table, "effect of x on y", graph=TETRAD)
    assert found["low"] <= 2 <= found["high"]
    open_end = TETRAD.replace("3. x -->", "3. x o->")
    assert "leaves the direction open" in ask(table, "effect of x on y", graph=open_end)[1]
    assert "without names" in ask(table, "effect of x on y", graph="0 1 1\n0 0 1\n0 0 0\n")[1]


@pytest.mark.parametrize(("said", "meant"), [
    ("t effect on y", "effect of t on y"),
    ("heterogeneous effects of t on y by sex", "effect of t on y by sex"),
    ("how sure are you that t causes y?", "does t cause y?"),
])  # fmt: skip
def test_further_ways_to_ask(ask, said, meant):
    rng = np.random.default_rng(39)
    t = rng.integers(0, 2, 120)
    table = pd.DataFrame({"t": t, "sex": rng.choice(["f", "m"], 120),
                          "y": t + rng.normal(size=120), "did": "t"})  # fmt: skip
    found, err, _ = ask(table, said, "--targets", "did")
    assert found["question"].removesuffix("?") == meant.removesuffix("?"), err


def test_a_nine_beside_answers_from_one_to_five(ask):
    rng = np.random.default_rng(9)
    answer = rng.integers(1, 6, 300)
    table = pd.DataFrame({"y": answer + rng.normal(size=300),
                          "q1": np.where(rng.random(300) < 0.1, 9, answer)})  # fmt: skip
    assert "--missing q1=9 if" in ask(table, "E[q1]")[1]
    table["q1"] = rng.poisson(2.5, 300)
    assert "--missing" not in ask(table, "E[q1]")[1]


@pytest.mark.parametrize("asked", ["from 0 mg to 5 mg", 'from "0 mg" to "5 mg"', "from 0 to 5mg"])
def test_a_setting_with_its_unit(ask, asked):
    rng = np.random.default_rng(11)
    dose = rng.integers(0, 3, 120)
    table = pd.DataFrame({"dose": [f"{5 * k} mg" for k in dose], "did": "dose",
                          "y": np.array([1, 3, 2])[dose] + rng.normal(0, 0.5, 120)})  # fmt: skip
    found, err, _ = ask(table, f"effect of dose on y {asked}", "--targets", "did")
    assert found["low"] <= 2 <= found["high"], err
