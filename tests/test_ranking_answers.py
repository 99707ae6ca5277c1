"""Ranking of causes, best settings and why a row was low, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from seedo.errors import UserError
from seedo.inference.graphs import parse_graph
from seedo.inference.questions import Answer, Beliefs, ask
from seedo.inference.questions import _query as q
from seedo.inference.questions._answers_ranking import answer_best_setting, answer_ranking
from seedo.inference.questions._answers_why import contributions
from seedo.tables import Column, Table


def effects_of(curves, width):
    """Answers effects from known curves of the outcome, with intervals of one half-width."""

    def effect(query):
        curve = curves.get(query.cause)
        if curve is None:
            return Answer("", None, "", refused="it is open")
        value = float(curve(query.end) - curve(query.start))
        return Answer("", None, "", value, value - width, value + width, rests_on="rows",
                      assumes=("a curve",), warnings=(f"about {query.cause}",))  # fmt: skip

    return effect


def table_of(columns=None, **values):
    table = Table.from_rows(tuple(values), np.column_stack(list(values.values())))
    if columns is None:
        return table
    from dataclasses import replace

    return replace(table, columns=tuple(columns))


RNG = np.random.default_rng(0)
TEMP = RNG.uniform(40, 100, 400)
ARM = RNG.integers(0, 4, 400).astype(float)
FLAT = np.full(400, 3.0)


def test_the_best_setting_of_a_curve_is_its_top_and_the_flat_part_is_not_told_apart():
    curve = lambda x: 90 - 0.05 * (x - 68) ** 2  # noqa: E731
    table = table_of(temp=TEMP, out=TEMP)
    found = answer_best_setting(q.BestSetting("temp", "out"), table, effects_of({"temp": curve}, 2))
    assert abs(found.value - 68) < 2
    # The curve is within 2 of its top where (x - 68)^2 <= 40; one step of the grid is 6.75.
    assert 68 - 40**0.5 - 6.8 < found.low < 68 < found.high < 68 + 40**0.5 + 6.8
    assert "the best lies between" in found.answer
    assert not any("end of what was seen" in line for line in found.warnings)
    worst = found.table[-1]
    assert float(worst["instead of"]) > 95
    assert worst["gain"] == pytest.approx(curve(found.value) - curve(float(worst["instead of"])))
    lowest = answer_best_setting(
        q.BestSetting("temp", "out", "lower"), table, effects_of({"temp": curve}, 2)
    )
    assert lowest.value > 95
    assert "end of what was seen" in lowest.warnings[0]


def test_the_best_of_several_levels_is_named_with_those_not_told_apart():
    columns = [Column("arm", "categorical", levels=("A", "B", "C", "D")), Column("out")]
    table = table_of(columns, arm=ARM, out=ARM)
    curve = {0: 1.0, 1: 5.0, 2: 4.5, 3: 0.0}.__getitem__
    found = answer_best_setting(
        q.BestSetting("arm", "out"), table, effects_of({"arm": lambda x: curve(int(x))}, 1)
    )
    assert found.value == 1
    assert "at arm = B; not told apart from C" in found.answer
    assert "instead of D it changes out by 5 [4, 6]" in found.answer


def test_a_best_setting_is_refused_where_effects_are_open_or_nothing_varies():
    table = table_of(temp=TEMP, flat=FLAT, out=TEMP)
    open_ = answer_best_setting(q.BestSetting("temp", "out"), table, effects_of({}, 1))
    assert open_.refused == "it is open"
    flat = answer_best_setting(q.BestSetting("flat", "out"), table, effects_of({}, 1))
    assert "flat does not vary" in flat.refused


def test_causes_are_ranked_by_their_effect_over_what_was_seen():
    columns = [Column("temp"), Column("arm", "categorical", levels=("A", "B", "C", "D")),
               Column("flat"), Column("open"), Column("out")]  # fmt: skip
    table = table_of(columns, temp=TEMP, arm=ARM, flat=FLAT, open=TEMP, out=TEMP)
    level = {0: 1.0, 1: 9.0, 2: 4.5, 3: -40.0}.__getitem__
    effect = effects_of({"temp": lambda x: 0.5 * x, "arm": lambda x: level(int(x))}, 3)
    found = answer_ranking(q.Ranking("out"), table, effect)
    first, second, *rest = found.table
    assert (first["cause"], first["from"], first["to"]) == ("arm", "D", "B")
    assert first["effect"] == pytest.approx(49)
    low, high = np.quantile(TEMP, [0.05, 0.95])
    assert second["effect"] == pytest.approx(0.5 * (high - low), rel=1e-6)
    assert {row["cause"]: row["why not"] for row in rest} == {
        "flat": "does not vary", "open": "it is open"
    }  # fmt: skip
    assert "not answered: flat, open" in found.answer
    assert not any("leave open" in line for line in found.warnings)
    unsettled = answer_ranking(q.Ranking("out"), table, effects_of(
        {"temp": lambda x: 0.5 * x, "arm": lambda x: 0.6 * level(int(x))}, 3))  # fmt: skip
    assert "arm and temp leave open" in unsettled.warnings[0]


def test_a_ranking_without_any_effect_is_refused_with_the_reason():
    found = answer_ranking(q.Ranking("out"), table_of(temp=TEMP, out=TEMP), effects_of({}, 1))
    assert "temp: it is open" in found.refused


def test_contributions_add_up_whatever_the_weights_and_whatever_was_set():
    rng = np.random.default_rng(1)
    for _ in range(50):
        n = 6
        weight = np.triu(rng.normal(size=(3, n, n)), 1)
        order = rng.permutation(n)
        weight = weight[:, order][:, :, order]
        deviation = rng.normal(size=n)
        outcome = int(rng.integers(n))
        was_set = rng.random(n) < 0.3
        was_set[outcome] = False
        parts = contributions(weight, deviation, was_set, outcome)
        assert np.allclose(parts.sum(axis=1), deviation[outcome])


def test_contributions_along_a_chain_are_those_worked_out_by_hand():
    # X -> M -> Y with weights 2 and 3; X is 1 up, M 5 up (3 of its own), Y 10 up (-5 of its own).
    weight = np.zeros((1, 3, 3))
    weight[0, 0, 1], weight[0, 1, 2] = 2, 3
    deviation = np.array([1.0, 5.0, 10.0])
    untouched = np.zeros(3, bool)
    assert contributions(weight, deviation, untouched, 2).tolist() == [[6.0, 9.0, -5.0]]
    m_set = np.array([False, True, False])
    assert contributions(weight, deviation, m_set, 2).tolist() == [[0.0, 15.0, -5.0]]


def system(rows=400, seed=3):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=rows), 2 * rng.normal(size=rows)
    m = 1.5 * x + rng.normal(size=rows)
    y = 2 * m - z + 0.5 * rng.normal(size=rows)
    return table_of(X=x, Z=z, M=m, Y=y)


def beliefs():
    return Beliefs(parse_graph("X -> M -> Y, Z -> Y"), draws=300)


def test_why_a_row_was_low_adds_up_and_agrees_with_the_mechanisms():
    table = system()
    row = int(np.argmin(table.values[:, 3]))
    found = ask(f"why was Y low in row {row}?", table, beliefs())
    away = table.values[row] - table.values.mean(axis=0)
    assert found.value == pytest.approx(away[3])
    parts = {r["cause"]: r["contribution"] for r in found.table}
    assert sum(parts.values()) == pytest.approx(away[3], rel=0.06)  # less than 5 % is left out
    truth = {"X": 3 * away[0], "Z": -away[1], "M": 2 * (away[2] - 1.5 * away[0])}
    for name, value in truth.items():
        if name in parts:
            assert parts[name] == pytest.approx(value, abs=0.3)
    assert found.rung == 3
    assert f"in row {row}" in found.answer
    other = ask(f"why was Y high in row {row}?", table, beliefs())
    assert other.answer.startswith("it was not high")


def test_why_is_refused_where_the_outcome_was_set_or_the_row_is_not_there():
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    y = x + rng.normal(size=60)
    target = np.where(np.arange(60) < 20, 1, -1)
    table = Table.from_rows(("X", "Y"), np.column_stack([x, y]), target)
    graph = Beliefs(parse_graph("X -> Y"), draws=200)
    with pytest.raises(UserError, match="Y was set in row 3"):
        ask("why was Y low in row 3?", table, graph)
    with pytest.raises(UserError, match="there are 60, counted from 0"):
        ask("why was Y low in row 60?", table, graph)


def test_ranking_and_best_setting_go_the_ways_of_single_effects():
    table = system(200)
    ranked = ask("which factor matters most for Y?", table, beliefs())
    assert [row["cause"] for row in ranked.table[:3]] == ["X", "M", "Z"] or [
        row["cause"] for row in ranked.table[:3]
    ] == ["M", "X", "Z"]
    by_name = {row["cause"]: row for row in ranked.table}
    for name, slope in (("X", 3.0), ("Z", -1.0), ("M", 2.0)):
        low, high = np.quantile(table.values[:, table.index(name)], [0.05, 0.95])
        one = ask(f"effect of {name} on Y from {low} to {high}", table, beliefs())
        assert by_name[name]["effect"] == pytest.approx(one.value, rel=1e-6)
        assert by_name[name]["effect"] == pytest.approx(slope * (high - low), rel=0.15)
    best = ask("best setting of Z for Y", table, beliefs())
    assert best.value == pytest.approx(np.quantile(table.values[:, 1], 0.05), rel=0.02)
    assert best.rung == 2


def test_why_by_effects_follows_curves_and_adds_up():
    rng = np.random.default_rng(7)
    temp, conc = rng.uniform(40, 100, 600), rng.uniform(0, 5, 600)
    y = 90 - 0.03 * (temp - 68) ** 2 + 2 * conc + 0.5 * rng.normal(size=600)
    table = table_of(temp=temp, conc=conc, Y=y)
    hot = int(np.argmax(temp))
    found = ask(f"why was Y low in row {hot}?", table, Beliefs(parse_graph("temp -> Y <- conc")))
    parts = {row["cause"]: row for row in found.table}
    assert sum(row["contribution"] for row in parts.values()) == pytest.approx(y[hot] - y.mean())
    curve = -0.03 * (temp - 68) ** 2
    assert parts["temp"]["contribution"] == pytest.approx(curve[hot] - curve.mean(), rel=0.1)
    assert parts["conc"]["contribution"] == pytest.approx(2 * (conc[hot] - conc.mean()), abs=0.5)


def test_why_is_refused_along_straight_lines_where_there_are_none():
    rng = np.random.default_rng(8)
    temp = rng.uniform(40, 100, 600)
    heat = temp + rng.normal(size=600)
    y = 90 - 0.05 * (heat - 68) ** 2 + 0.5 * rng.normal(size=600)
    table = table_of(temp=temp, heat=heat, Y=y)
    graph = Beliefs(parse_graph("temp -> heat -> Y"), draws=200)
    found = ask(f"why was Y low in row {int(np.argmax(heat))}?", table, graph)
    assert "straight lines" in found.refused
    assert "ask 'effect of" in found.refused
    again = found.refused.split("ask '")[1].rstrip("'")
    assert ask(again, table, graph).value < -5


def test_a_ranking_sees_a_cause_whose_curve_comes_back():
    found = answer_ranking(
        q.Ranking("out"), table_of(temp=TEMP, lin=TEMP, out=TEMP),
        effects_of({"temp": lambda x: -0.05 * (x - 70) ** 2, "lin": lambda x: 0.3 * x}, 1),
    )  # fmt: skip
    assert found.table[0]["cause"] == "temp"
    assert abs(found.table[0]["effect"]) > 30


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("direct effect of X on Y", 0.0),
        ("indirect effect of X on Y", 3.0),
        ("indirect effect of X on Y through M", 3.0),
        ("effect of X on Y mediated by M", 3.0),
        ("effect of X on Y for Z > 0", 3.0),
        ("ATT of X on Y", 3.0),
    ],
)
def test_a_part_of_an_effect_is_never_answered_by_the_whole(text, value):
    found = ask(text, system(600), beliefs())
    low, high = (found.value if end is None else end for end in (found.low, found.high))
    assert low - 0.1 <= value <= high + 0.1


def test_without_a_graph_why_and_best_are_not_told_along_lines_that_bend():
    rng = np.random.default_rng(9)
    x = rng.uniform(-2, 2, 400)
    y = x**2 + 0.2 * rng.normal(size=400)
    table = Table.from_rows(("X", "Y"), np.column_stack([x, y]))
    for text in (
        "why was Y high in row 3?",
        "best setting of X to raise Y",
        "rank the causes of Y",
    ):
        found = ask(text, table, Beliefs(draws=200))
        assert found.refused or "straight" in " ".join(found.warnings), (text, found.answer)
