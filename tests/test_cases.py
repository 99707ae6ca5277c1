"""Troubles that people report about tools of this kind, rebuilt small: the answer that each wants.

Every table is made here, and the value that the answer is held against is derived beside it by
other means than ours: differences of means, least squares by hand, closed forms.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from command import run


def write(path: Path, columns: dict, encoding: str = "utf-8", sep: str = ",") -> None:
    """A CSV file of columns of numbers or texts."""
    with open(path, "w", newline="", encoding=encoding) as file:
        out = csv.writer(file, delimiter=sep)
        out.writerow(columns)
        out.writerows(zip(*(np.asarray(c).tolist() for c in columns.values()), strict=True))


@pytest.fixture
def ask(tmp_path, capsys):
    """`ask(columns, question, *words, graph=...)`: what `seedo ask` says, as a dictionary.

    Where it ends in an error, `refused` is its line; `beside`: how the table was read.
    """

    def asked(columns, question, *words, graph="", file="table.csv"):
        path = tmp_path / file
        if columns is not None:
            write(path, columns)
        if graph:
            (tmp_path / "graph.txt").write_text(graph)
            words = (*words, "--graph", str(tmp_path / "graph.txt"))
        code, out, err = run(capsys, "ask", str(path), question, *words, "--json")
        assert "Traceback" not in err
        if code:
            return {"value": None, "refused": err.strip(), "warnings": [], "answer": ""}
        return json.loads(out) | {"beside": err}

    return asked


def everything(found: dict) -> str:
    """All that is said, as one text."""
    return json.dumps(found, ensure_ascii=False)


def holds(found: dict, value: float, half: float | None = None, by: float | None = None) -> None:
    """The answer is `value` within `by`; its interval is about as wide as two `half`."""
    assert found["value"] == pytest.approx(value, abs=by or 0.35 * half), everything(found)
    if half is not None:
        width = found["high"] - found["low"]
        assert 0.7 * 2 * half < width < 1.35 * 2 * half, everything(found)


def line(y, *terms):
    """Coefficients of least squares and half-widths of their 95 % intervals, by hand."""
    x = np.column_stack([np.ones(len(y)), *terms])
    inverse = np.linalg.inv(x.T @ x)
    found = inverse @ x.T @ y
    rest = y - x @ found
    spread = rest @ rest / (len(y) - x.shape[1])
    return found, 1.96 * np.sqrt(spread * np.diag(inverse))


def difference(one, other):
    """Of two means, and half the width of Welch's interval."""
    error = np.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))
    return one.mean() - other.mean(), 1.96 * error


def chance(x):
    return 1 / (1 + np.exp(-x))


# -- levels ------------------------------------------------------------------------------------


def arms_of_a_drug():
    rng = np.random.default_rng(101)
    drug = rng.integers(1, 5, 600)
    age = rng.normal(55, 9, 600).round()
    means = np.array([0, 72, 65, 78, 70])[drug]
    hr = (means + 0.2 * (age - 55) + rng.normal(0, 5, 600)).round(1)
    return {"drug": drug, "age": age, "hr": hr}


@pytest.mark.parametrize("form", ["numbers", "letters", "set in every row"])
def test_arms_that_go_up_and_down_are_compared_as_arms(ask, form):
    table = arms_of_a_drug()
    drug, hr = table["drug"], table["hr"]
    value, half = difference(hr[drug == 3], hr[drug == 2])
    levels, words, graph = (2, 3), (), "drug -> hr\nage -> hr\n"
    if form == "letters":
        table["drug"], levels = np.array(list("?ABCD"))[drug], ("B", "C")
    if form == "set in every row":
        table["did"], graph = ["drug"] * 600, ""
        words = ("--targets", "did")
    found = ask(table, f"effect of drug on hr from {levels[0]} to {levels[1]}", *words, graph=graph)
    holds(found, value, half)


def test_what_is_yes_or_no_is_named_in_every_spelling(ask, tmp_path):
    rng = np.random.default_rng(119)
    female = rng.random(2000) < 0.4
    treated = rng.random(2000) < np.where(female, 0.7, 0.2)
    recovered = rng.random(2000) < np.where(treated, 0.55, 0.35) - 0.2 * female

    def share(t):  # standardised by hand
        parts = [(recovered[(treated == t) & (female == f)].mean(), (female == f).mean())
                 for f in (0, 1)]  # fmt: skip
        return sum(p * w for p, w in parts)

    graph = "sex -> treated\nsex -> recovered\ntreated -> recovered\n"
    words = {
        "sex": np.where(female, "Female", "Male"),
        "treated": np.where(treated, "yes", "no"),
        "recovered": np.where(recovered, "yes", "no"),
    }
    found = ask(words, "effect of treated on recovered from no to yes", graph=graph)
    holds(found, share(1) - share(0), by=0.012)
    found = ask(words, "P(recovered = yes | do(treated = yes))", graph=graph)
    holds(found, share(1), by=0.012)
    pyarrow.parquet.write_table(
        pyarrow.table({"sex": female, "treated": treated, "recovered": recovered}),
        tmp_path / "flags.parquet",
    )
    found = ask(None, "P(recovered = 1 | do(treated = 1))", graph=graph, file="flags.parquet")
    holds(found, share(1), by=0.012)


# -- outcomes that are not normal --------------------------------------------------------------


def test_a_conversion_is_a_share_that_is_not_shrunk(ask):
    rng = np.random.default_rng(105)
    exposed, hour = rng.integers(0, 2, 3000), rng.integers(0, 24, 3000)
    converted = (rng.random(3000) < np.where(exposed, 0.060, 0.035)).astype(int)
    table = {"exposed": exposed, "hour": hour, "converted": converted, "did": ["exposed"] * 3000}
    one, other = converted[exposed == 1], converted[exposed == 0]
    value, half = difference(one, other)
    targets = ("--targets", "did")
    holds(ask(table, "effect of exposed on converted from 0 to 1", *targets), value, half)
    found = ask(table, "P(converted = 1 | do(exposed = 1))", *targets)
    holds(found, one.mean(), by=0.002)
    for question in ("P(converted = 1)", "P(converted > 0.5)", "E[converted]"):
        holds(ask(table, question, *targets), converted.mean(), by=1e-3)


@pytest.mark.parametrize("options", [(), ("--nonlinear",)])
def test_a_probability_stays_between_nought_and_one(ask, options):
    rng = np.random.default_rng(109)
    dose = rng.uniform(0, 10, 1500).round(2)
    cured = (rng.random(1500) < chance(-3 + 1.2 * dose)).astype(int)
    table, graph = {"dose": dose, "cured": cured}, "dose -> cured\n"
    for at, by in ((0, 0.03), (5, 0.025), (10, 0.03 if options else 0.01)):
        found = ask(table, f"P(cured = 1 | do(dose = {at}))", *options, graph=graph)
        holds(found, chance(-3 + 1.2 * at), by=by)
        assert 0 <= found["low"] <= found["high"] <= 1
    found = ask(table, "effect of dose on cured from 5 to 9", *options, graph=graph)
    holds(found, chance(7.8) - chance(3), by=0.025)


def test_a_trial_of_three_standard_errors_is_its_difference_of_means(ask):
    for seed in range(900, 903):
        rng = np.random.default_rng([7, seed])
        arm = np.repeat([0, 1], 225)
        y = 10 + arm + rng.normal(0, 3.93, 450)
        value, half = difference(y[arm == 1], y[arm == 0])
        found = ask({"arm": arm, "y": y, "did": ["arm"] * 450}, "effect of arm on y from 0 to 1",
                    "--targets", "did")  # fmt: skip
        holds(found, value, half)
        assert found["low"] < found["high"]


# -- graphs ------------------------------------------------------------------------------------


def test_the_front_door_may_have_two_mediators_and_is_shut_by_a_hidden_cause(ask):
    rng = np.random.default_rng(103)
    u = rng.normal(size=4000)
    x = u + rng.normal(size=4000)
    r = 0.5 * x + rng.normal(size=4000)
    m = 0.6 * x + 0.8 * r + rng.normal(size=4000)
    y = 0.7 * m - 0.4 * r + 1.5 * u + rng.normal(size=4000)
    two = ask({"X": x, "R": r, "M": m, "Y": y}, "effect of X on Y",
              graph="X -> M -> Y\nX -> R -> M\nR -> Y\nX <-> Y\n")  # fmt: skip
    holds(two, 0.7 * (0.6 + 0.8 * 0.5) - 0.4 * 0.5, by=0.08)
    y = 0.7 * m + 1.5 * u + rng.normal(size=4000)
    table = {"X": x, "M": m, "Y": y}
    holds(ask(table, "effect of X on Y", graph="X -> M -> Y\nX <-> Y\n"), 0.7, by=0.08)
    shut = ask(table, "effect of X on Y", graph="X -> M -> Y\nX <-> Y\nM <-> Y\n")
    assert shut["value"] is None
    assert shut["refused"]


@pytest.mark.parametrize("targets", [False, True])
def test_an_instrument_gives_the_ratio_of_two_slopes(ask, targets):
    rng = np.random.default_rng(104)
    hidden = rng.normal(0, 2, 3000)
    voucher = rng.normal(2, 1, 3000)
    education = 5 + 0.8 * voucher + hidden + rng.normal(size=3000)
    income = 10 + 1.5 * education + 2 * hidden + rng.normal(0, 2, 3000)
    table = {"voucher": voucher, "education": education, "income": income}
    words = ()
    if targets:
        table["did"], words = ["voucher"] * 3000, ("--targets", "did")
    graph = "voucher -> education -> income\neducation <-> income\n"
    found = ask(table, "effect of education on income", *words, graph=graph)
    wald = np.cov(voucher, income)[0, 1] / np.cov(voucher, education)[0, 1]
    holds(found, wald, by=0.01)
    # The true effect is 1.5; regression says 2.9.
    assert found["low"] < 1.5 < found["high"]


GRAPHS = {
    "dagitty": ("g.txt", 'dag {\nZ [pos="-0.5,0.2"]\nX [exposure]\nZ -> X\nZ -> Y\nX -> Y\n}\n'),
    "braces": ("g.txt", "dag { X <- Z -> Y ; X -> Y }\n"),
    "dot": ("g.dot", "digraph {Z->X;Z->Y;X->Y;}"),
    "gml": (
        "g.gml",
        'graph [\n directed 1\n node [\n id 0\n label "Z"\n ]\n node [\n id 1\n label "X"\n ]\n'
        ' node [\n id 2\n label "Y"\n ]\n edge [\n source 0\n target 1\n ]\n'
        " edge [\n source 0\n target 2\n ]\n edge [\n source 1\n target 2\n ]\n]\n",
    ),
    "edges": ("g.csv", "from,to\nZ,X\nZ,Y\nX,Y\n"),
    "matrix": ("g.csv", ",Z,X,Y\nZ,0,1,1\nX,0,0,1\nY,0,0,0\n"),
    "formula": ("g.txt", "Y ~ X + Z\nX ~ Z\n"),
    "arrows": ("g.txt", "Z -> X\nZ -> Y\nX -> Y\n"),
}


@pytest.fixture
def three():
    rng = np.random.default_rng(112)
    z = rng.normal(size=400)
    x = z + rng.normal(size=400)
    y = 2 * x - 1.5 * z + rng.normal(size=400)
    return {"Z": z, "X": x, "Y": y}


@pytest.mark.parametrize("spelling", GRAPHS)
def test_one_graph_in_every_spelling_is_one_answer(ask, three, tmp_path, spelling):
    name, text = GRAPHS[spelling]
    (tmp_path / name).write_text(text)
    found = ask(three, "effect of X on Y", "--graph", str(tmp_path / name))
    slopes, halves = line(three["Y"], three["X"], three["Z"])
    holds(found, slopes[1], halves[1])


@pytest.mark.parametrize(
    "graph", ["dag {\nU [latent]\nU -> X\nU -> Y\nX -> Y\nZ -> Y\n}\n", "X <-> Y, X -> Y, Z -> Y"]
)
def test_a_latent_node_is_a_hidden_cause(ask, three, graph):
    found = ask(three, "effect of X on Y", graph=graph)
    assert found["value"] is None
    assert re.search("hidden|latent|not identified", everything(found))


def test_direct_and_indirect_effects_add_up_to_the_total(ask):
    rng = np.random.default_rng(110)
    x = rng.integers(0, 2, 1500)
    m = 0.9 * x + rng.normal(size=1500)
    y = 0.5 * x + 0.8 * m + rng.normal(size=1500)
    table, graph = {"X": x, "M": m, "Y": y}, "X -> M -> Y\nX -> Y\n"
    through = line(m, x)[0][1]
    (_, direct, slope), halves = line(y, x, m)
    holds(ask(table, "direct effect of X on Y", graph=graph), direct, halves[1])
    holds(ask(table, "indirect effect of X on Y", graph=graph), through * slope, by=0.02)
    holds(ask(table, "effect of X on Y", graph=graph), direct + through * slope, by=0.02)


def test_any_name_can_be_written_in_graph_question_and_option(ask, tmp_path):
    rng = np.random.default_rng(116)
    room = rng.normal(20, 2, 300)
    sales = 0.5 * room + rng.normal(size=300)
    e = 2 * sales - room + rng.normal(size=300)
    table = {"Room temp (°C)": room, "Umsatz, €": sales, "item #": e}
    graph = '"Room temp (°C)" -> "Umsatz, €" -> "item #"\n"Room temp (°C)" -> "item #"\n'
    found = ask(table, 'effect of "Umsatz, €" on "item #"', graph=graph)
    slopes, halves = line(e, sales, room)
    holds(found, slopes[1], halves[1])
    found = ask(table, 'E["item #"]', "--drop", '"Umsatz, €"')
    holds(found, e.mean(), by=0.3)


# -- rows --------------------------------------------------------------------------------------


def test_an_empty_column_costs_no_rows_and_missing_outcomes_are_filled_in(ask):
    rng = np.random.default_rng(106)
    z = rng.normal(size=1200)
    x = z + rng.normal(size=1200)
    y = x + 2 * z + rng.normal(size=1200)
    later = np.where(rng.random(1200) < 0.02, rng.normal(size=1200), np.nan)
    graph = "z -> x\nz -> y\nx -> y\n"
    cells = [("" if np.isnan(v) else f"{v:.4f}") for v in later]
    found = ask({"z": z, "x": x, "y": y, "followup": cells}, "effect of x on y", graph=graph)
    slopes, halves = line(y, x, z)
    holds(found, slopes[1], halves[1])
    missing = rng.random(1200) < chance(1.5 * z)
    cells = [("" if gone else f"{v:.4f}") for v, gone in zip(y, missing, strict=True)]
    found = ask({"z": z, "x": x, "y": cells}, "E[y]", graph=graph)
    # Of the rows that have it: about -1.5.
    holds(found, y.mean(), by=0.15)
    assert "missing" in everything(found)


@pytest.mark.parametrize("words", [(), ("--unit", "animal")])
def test_readings_of_one_animal_are_not_animals(ask, words):
    rng = np.random.default_rng(115)
    animal = np.repeat(np.arange(1, 13), 80)
    own = rng.normal(size=12)
    bp = np.repeat(own, 80) + rng.normal(0, 0.7, 960)
    drug = np.repeat(np.repeat([0, 1], 6), 80)
    table = {"animal": animal, "drug": drug, "bp": bp.round(3), "did": ["drug"] * 960}
    means = bp.reshape(12, 80).mean(axis=1)
    value, normal = difference(means[6:], means[:6])
    found = ask(table, "effect of drug on bp from 0 to 1", "--targets", "did", *words)
    holds(found, value, normal * 2.228 / 1.96)  # Student's, 10 degrees of freedom


def test_two_random_walks_are_refused_as_such(ask):
    for seed in range(200):
        rng = np.random.default_rng([14, seed])
        ads = 100 + np.cumsum(rng.normal(0, 2, 260))
        sales = 500 + np.cumsum(rng.normal(0, 5, 260))
        if abs(np.corrcoef(ads, sales)[0, 1]) > 0.7:
            break
    table = {"week": np.arange(1, 261), "ads": ads.round(2), "sales": sales.round(2)}
    found = ask(table, "effect of ads on sales", graph="ads -> sales\n")
    assert found["value"] is None
    assert re.search("random walk|time", everything(found))


def test_a_column_of_counts_weighs_the_rows(ask):
    cells = [(0, 1, 1, 90), (0, 1, 0, 9), (0, 0, 1, 210), (0, 0, 0, 40), (1, 1, 1, 180),
             (1, 1, 0, 75), (1, 0, 1, 60), (1, 0, 0, 36)]  # fmt: skip
    severe, drug, cured, n = np.array(cells).T

    def cure(d, s):
        these = (drug == d) & (severe == s)
        return n[these & (cured == 1)].sum() / n[these].sum()

    effect = sum((cure(1, s) - cure(0, s)) * n[severe == s].sum() / n.sum() for s in (0, 1))
    table = {"severe": severe, "drug": drug, "cured": cured, "n": n}
    graph = "severe -> drug\nsevere -> cured\ndrug -> cured\n"
    question = "effect of drug on cured from 0 to 1"
    weighted = ask(table, question, "--weights", "n", graph=graph)
    holds(weighted, effect, by=0.006)
    long = {name: np.repeat(column, n) for name, column in table.items() if name != "n"}
    one_by_one = ask(long, question, graph=graph)
    holds(one_by_one, effect, by=0.006)
    assert weighted["high"] - weighted["low"] == pytest.approx(
        one_by_one["high"] - one_by_one["low"], rel=0.15
    )


def test_a_treatment_that_a_rule_decides_has_no_counterparts(ask):
    rng = np.random.default_rng(121)
    age = rng.uniform(20, 80, 1200).round(1)
    risk = np.exp(age / 25) + rng.normal(size=1200)  # the statin does nothing
    table = {"age": age, "statin": (age >= 65).astype(int), "risk": risk.round(3)}
    found = ask(table, "effect of statin on risk from 0 to 1",
                graph="age -> statin\nage -> risk\nstatin -> risk\n")  # fmt: skip
    said = re.search("overlap|counterpart|comparable|decides|alike", everything(found))
    assert said
    assert found["value"] is None or found["low"] <= 0 <= found["high"]


def test_sites_that_differ_in_level_are_compared_within(ask):
    rng = np.random.default_rng(129)
    lab = rng.integers(0, 3, 300)
    x = 5 - 2 * lab + rng.normal(size=300)
    y = 4 * lab + x + rng.normal(size=300)
    table = {"lab": np.array(["Bern", "Lyon", "Turin"])[lab], "x": x, "y": y}
    slopes, halves = line(y, x, lab == 1, lab == 2)
    for options in ((), ("--nonlinear",)):
        found = ask(table, "effect of x on y", "--sources", "lab", *options, graph="x -> y\n")
        holds(found, slopes[1], by=0.6 * halves[1])


# -- cells -------------------------------------------------------------------------------------


def german(value, thousands=False):
    text = f"{value:,.2f}" if thousands else f"{value:.2f}"
    return text.replace(",", "~").replace(".", ",").replace("~", ".")


FILES = {
    "decimal commas": ("a.csv", "utf-8-sig", "x;y\r\n", lambda a, b: f"{german(a)};{german(b)}"),
    "cp1252": ("a.csv", "cp1252", "Größe;y\n", lambda a, b: f"{german(a)};{german(b)}"),
    "thousands": ("a.csv", "utf-8", "x;y\n", lambda a, b: f"{german(a)};{german(b, True)}"),
    "per cent": ("a.csv", "utf-8", "x,y\n", lambda a, b: f'{a}%,"{b:,.2f}"'),
    "currency": ("a.csv", "utf-8", "x,y\n", lambda a, b: f"{a},€{b:.2f}"),
    "utf-16": ("a.csv", "utf-16", "x,y\n", lambda a, b: f"{a},{b}"),
    "txt": ("a.txt", "utf-8", "x,y\n", lambda a, b: f"{a},{b}"),
    "spaces": ("a.csv", "utf-8", "x y\n", lambda a, b: f"{a} {b}"),
    "units": ("a.csv", "utf-8", "x,y\nmm,EUR\n", lambda a, b: f"{a},{b}"),
    "comment": ("a.csv", "utf-8", "# exported 2024\nx,y\n", lambda a, b: f"{a},{b}"),
}


@pytest.mark.parametrize("kind", FILES)
def test_the_same_numbers_in_every_dress_have_one_mean(ask, tmp_path, kind):
    rng = np.random.default_rng(117)
    x = rng.uniform(0, 100, 200).round(1)
    y = (1000 + 25 * x + rng.normal(0, 60, 200)).round(2)
    name, encoding, head, row = FILES[kind]
    text = head + "".join(row(a, b) + "\n" for a, b in zip(x, y, strict=True))
    (tmp_path / name).write_text(text, encoding=encoding)
    holds(ask(None, "E[y]", file=name), y.mean(), by=0.5)


@pytest.mark.parametrize("code", ["-999", "?", "."])
def test_a_code_for_missing_is_asked_about_and_then_left_out(ask, code):
    rng = np.random.default_rng(125)
    x = rng.normal(50, 10, 800).round(1)
    y = (0.4 * x + rng.normal(0, 3, 800)).round(2)
    coded = rng.random(800) < 0.04
    cells = np.where(coded, code, x.astype(str))
    table, graph = {"x": cells, "y": y}, "x -> y\n"
    slopes, halves = line(y[~coded], x[~coded])
    found = ask(table, "effect of x on y", "--missing", code, graph=graph)
    holds(found, slopes[1], halves[1])
    assert code in everything(ask(table, "effect of x on y", graph=graph))


# -- design ------------------------------------------------------------------------------------


def test_the_best_setting_lies_where_the_curve_is_highest(ask):
    rng = np.random.default_rng(123)
    temp, conc = rng.uniform(40, 100, 60).round(), rng.uniform(1, 5, 60).round(1)
    y = (90 - 0.05 * (temp - 68) ** 2 + 2 * conc + rng.normal(0, 2, 60)).round(1)
    table = {"temp": temp, "conc": conc, "yield_pct": y, "did": ["temp;conc"] * 60}
    words = ("--targets", "did")
    found = ask(table, "effect of temp on yield_pct from 68 to 100", *words)
    holds(found, -0.05 * 32**2, by=6)
    found = ask(table, "best setting of temp to raise yield_pct", *words)
    numbers = [float(n) for n in re.findall(r"temp[^0-9-]{1,12}(\d+\.?\d*)", found["answer"])]
    assert any(abs(n - 68) <= 5 for n in numbers), found["answer"]


def test_shares_that_sum_to_one_cannot_be_raised_alone(ask):
    rng = np.random.default_rng(133)
    shares = rng.dirichlet([2, 2, 2], 80).round(3)
    shares[:, 2] = (1 - shares[:, 0] - shares[:, 1]).round(3)
    strength = shares @ [10, 4, 1] + rng.normal(0, 0.3, 80)
    names = ("polymer", "filler", "oil")
    table = dict(zip(names, shares.T, strict=True)) | {
        "strength": strength.round(3), "did": [";".join(names)] * 80}  # fmt: skip
    found = ask(table, "effect of polymer on strength", "--targets", "did")
    said = everything(found)
    assert "would decide" not in said
    assert re.search("shar|sum to|mixture", said)


@pytest.mark.parametrize("experiments", [60, 400])
def test_experiments_are_not_drowned_by_confounded_observations(ask, experiments):
    rng = np.random.default_rng([135, experiments])
    u, rest = rng.normal(size=(2, 2000 + experiments))
    price = 1.5 * u + rng.normal(size=len(u))
    price[2000:] = rng.choice([-2.0, 0.0, 2.0], experiments)
    sales = 0.5 * price + 2 * u + rest
    did = [""] * 2000 + ["price"] * experiments
    found = ask({"price": price, "sales": sales, "did": did}, "effect of price on sales",
                "--targets", "did")  # fmt: skip
    slopes, halves = line(sales[2000:], price[2000:])
    assert abs(found["value"] - slopes[1]) < halves[1]
    assert 0.6 * halves[1] < (found["high"] - found["low"]) / 2 < 1.4 * halves[1]
    assert re.search("hidden|contradict|confound", everything(found))


PHRASINGS = (
    "does treated affect score?", "ATE of treated on score", "causal effect of treated on score",
    "what is the effect of treated on score?", "impact of treated on score",
    "how much does treated change score?", "average treatment effect of treated on score",
    "is treated a cause of score?", "does score depend on treated?",
    "effect of treated on score for age > 40", "effect of treated on score by age",
    "ATT of treated on score", "which variable matters most for score?",
    "p-value of treated on score",
    "is the effect significant?", "best setting for score", "why was row 5 low?",
    "what happens to score if treated = 1",
)  # fmt: skip


@pytest.mark.parametrize("question", PHRASINGS)
def test_what_people_ask_is_answered_or_met_with_the_form_that_is(ask, question):
    rng = np.random.default_rng(139)
    treated, age = np.arange(80) % 2, rng.normal(40, 8, 80).round()
    score = (10 + 5 * treated + 0.2 * age + rng.normal(0, 2, 80)).round(2)
    table = {"treated": treated, "age": age, "score": score, "did": ["treated"] * 80}
    found = ask(table, question, "--targets", "did")
    if found["answer"]:
        return
    refused = found["refused"]
    assert re.search(r"effect of|P\(|E\[|does \w+ cause|ask |why was", refused), refused
    assert not re.search("(effects? of|does) score (on|cause) treated", refused), refused
