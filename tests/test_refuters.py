"""Refuters: what they say of sound and of broken analyses, against truths found by other means."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from command import run
from seedo.errors import UserError
from seedo.inference import Beliefs, KnownGraph, ask
from seedo.inference.effects import Benchmark, strongest, tipping_point
from seedo.inference.effects._sensitivity import _bias
from seedo.inference.refuters import Times
from seedo.inference.refuters._shuffles import shifted, shuffled
from seedo.inference.refuters._stretches import _agreement
from seedo.inference.refuters._subject import Figure
from seedo.tables import Table

RANDOM = np.random.default_rng
FEW = Times(placebo=40, order=25, random=3, halves=8, bootstrap=40)


def graph(*edges: str) -> KnownGraph:
    pairs = [tuple(edge.split(">")) for edge in edges]
    names = tuple(dict.fromkeys(name for pair in pairs for name in pair))
    return KnownGraph(names, frozenset(pairs))


def trial(rows: int, effect: float, seed: int) -> Table:
    rng = RANDOM(seed)
    x = rng.permutation(np.arange(rows) % 2)
    values = np.column_stack([x, effect * x + rng.normal(size=rows)])
    return Table.from_rows(["x", "y"], values, np.zeros(rows, int))


def refuted(table: Table, times: Times = FEW, beliefs: Beliefs | None = None, seed: int = 0):
    beliefs = replace(beliefs or Beliefs(), seed=seed)
    found = ask("effect of x on y", table, beliefs, refute=times)
    return {one["refuter"]: one for one in found.refutations}


def test_values_are_exchanged_within_strata_and_whole_units() -> None:
    rng = RANDOM(0)
    strata = rng.integers(-1, 3, 60)
    table = Table.from_rows(["x", "y"], rng.normal(size=(60, 2)))
    table.values[3, 0] = np.nan
    new = shuffled(table, 0, strata, rng).values
    assert np.array_equal(new[:, 1], table.values[:, 1])
    assert np.array_equal(new[strata == -1], table.values[strata == -1], equal_nan=True)
    assert np.isnan(new[3, 0])
    for k in range(3):
        own, other = (np.sort(v[strata == k, 0]) for v in (new, table.values))
        assert np.array_equal(own, other, equal_nan=True)
    unit = np.repeat(np.arange(20), 3)
    clustered = replace(table, unit=unit)
    clustered.values[:, 0] = np.arange(20)[unit] % 7
    by_unit = shuffled(clustered, 0, np.zeros(60, int), rng).values[:, 0].reshape(20, 3)
    assert (by_unit == by_unit[:, :1]).all()
    assert sorted(by_unit[:, 0]) == sorted(np.arange(20) % 7)
    assert not np.array_equal(by_unit[:, 0], np.arange(20) % 7)
    clustered.values[:, 0] = np.arange(60)
    within = shuffled(clustered, 0, np.zeros(60, int), rng).values[:, 0].reshape(20, 3)
    assert np.array_equal(np.sort(within, axis=1), np.arange(60).reshape(20, 3))


def test_values_are_moved_on_in_the_order_of_time() -> None:
    time = np.array([3.0, 1.0, 0.0, 2.0, 4.0])
    table = replace(Table.from_rows(["x", "y"], np.column_stack([time, time])), time=time)
    used = np.array([True, True, True, True, False])
    assert shifted(table, 0, used, 1).values[:, 0].tolist() == [2.0, 0.0, 3.0, 1.0, 4.0]


def test_the_placebos_tell_the_p_value_of_a_permutation_test() -> None:
    table = trial(60, 0.35, 3)
    found = refuted(table, Times(placebo=250, order=0, random=0, halves=0, bootstrap=0))["placebo"]
    one, other = (table.values[table.values[:, 0] == k, 1] for k in (0, 1))
    exact = stats.permutation_test(
        (other, one), lambda a, b: a.mean() - b.mean(), n_resamples=4000, rng=RANDOM(1)
    ).pvalue
    assert found["p_value"] == pytest.approx(exact, abs=0.07)
    assert found["verdict"] == "held"


def test_a_sound_trial_is_held_against_all_that_applies() -> None:
    found = refuted(trial(200, 0.6, 5), replace(FEW, bootstrap=100))
    verdicts = {name: one["verdict"] for name, one in found.items()}
    assert verdicts == {
        "placebo": "held", "placebo in order": "held", "random common cause": "held",
        "hidden common cause": "does not apply", "random halves": "held",
        "stretches of rows": "held", "bootstrap": "held",
    }  # fmt: skip
    assert found["bootstrap"]["width_ratio"] == pytest.approx(1, abs=0.25)
    assert found["placebo"]["low"] < 0 < found["placebo"]["high"]


@pytest.mark.parametrize("arms", [(10, 10), (190, 10)])
def test_nothing_is_held_where_a_fault_could_not_be_found(arms: tuple[int, int]) -> None:
    rng = RANDOM(1)
    x = rng.permutation(np.repeat([0.0, 1.0], arms))
    values = np.column_stack([x, x + rng.normal(size=len(x))])
    table = Table.from_rows(["x", "y"], values, np.zeros(len(x), int))
    found = refuted(table)
    assert "held" not in {one["verdict"] for name, one in found.items() if "stretches" not in name}
    assert "20 rows are too few" in found["placebo"]["line"]


def test_the_same_seed_tells_the_same() -> None:
    table, few = trial(80, 0.5, 2), Times(placebo=20, order=0, random=1, halves=2, bootstrap=8)
    assert refuted(table, few, seed=1) == refuted(table, few, seed=1)
    assert refuted(table, few, seed=1) != refuted(table, few, seed=2)


def test_an_effect_that_drifts_along_the_rows_is_noticed() -> None:
    rng = RANDOM(4)
    x = rng.permutation(np.arange(400) % 2)
    y = np.where(np.arange(400) < 200, 1.0, -1.0) * x + rng.normal(size=400)
    table = Table.from_rows(["x", "y"], np.column_stack([x, y]), np.zeros(400, int))
    found = refuted(table)
    assert found["stretches of rows"]["verdict"] == "noticed"
    assert found["placebo"]["verdict"] == "held"


def test_the_outcome_is_shuffled_under_an_instrument() -> None:
    rng = RANDOM(0)
    z, u = rng.normal(size=(2, 400))
    x = z + u + rng.normal(size=400)
    values = np.column_stack([z, x, 0.4 * x + u + rng.normal(size=400)])
    known = KnownGraph(("z", "x", "y"), frozenset({("z", "x"), ("x", "y")}),
                       frozenset({("x", "y")}))  # fmt: skip
    table = Table.from_rows(["z", "x", "y"], values)
    found = refuted(table, beliefs=Beliefs(known))
    assert found["placebo"]["times"] == 40  # the instrument stays strong, each has an answer
    assert "values of y shuffled" in found["placebo"]["line"]


def test_a_tipping_point_is_where_a_made_cause_tips_the_interval() -> None:
    """A column that explains just as much as is said, held by least squares."""
    rng = RANDOM(7)
    z = rng.normal(size=200)
    x = 0.5 * z + rng.normal(size=200)
    y = 0.4 * x + 0.6 * z + rng.normal(size=200)
    table = Table.from_rows(["z", "x", "y"], np.column_stack([z, x, y]))
    measured = strongest(table, np.ones(200, bool), 1, 2, [0])
    assert measured is not None
    assert measured.name == "z"

    def held(*columns: np.ndarray) -> tuple[float, float, float]:
        """Slope of x, its standard error, degrees of freedom."""
        matrix = np.column_stack([x, np.ones(200), *columns])
        inverse = np.linalg.inv(matrix.T @ matrix)
        beta = inverse @ matrix.T @ y
        free = 200 - matrix.shape[1]
        off = y - matrix @ beta
        return beta[0], float(np.sqrt(off @ off / free * inverse[0, 0])), free

    def left(v: np.ndarray, *columns: np.ndarray) -> np.ndarray:
        matrix = np.column_stack([np.ones(200), *columns])
        off = v - matrix @ np.linalg.lstsq(matrix, v, rcond=None)[0]
        return off / np.linalg.norm(off)

    share = np.corrcoef(left(x), left(z))[0, 1] ** 2
    assert measured.of_cause == pytest.approx(share)
    assert measured.of_outcome == pytest.approx(np.corrcoef(left(y, x), left(z, x))[0, 1] ** 2)
    value, error, free = held(z)
    times = tipping_point(value, error, free, measured)
    of_cause, of_outcome, _ = _bias(measured, times)
    of_x, of_y = left(x, z), left(y, x, z)
    noise = left(rng.normal(size=200), x, y, z)
    rest = 1 - of_cause
    made = (
        np.sqrt(of_cause) * of_x
        + np.sqrt(of_outcome * rest) * of_y
        + np.sqrt((1 - of_outcome) * rest) * noise
    )
    value, error, free = held(z, made)
    assert value / error == pytest.approx(stats.t.ppf(0.975, free), rel=1e-6)


def test_a_hidden_cause_is_held_against_the_strongest_measured() -> None:
    rng = RANDOM(3)
    a, b = rng.normal(size=(2, 300))
    x = a + 0.2 * b + rng.normal(size=300)
    y = 0.5 * x + a + 0.2 * b + rng.normal(size=300)
    table = Table.from_rows(["a", "b", "x", "y"], np.column_stack([a, b, x, y]))
    known = graph("a>x", "b>x", "a>y", "b>y", "x>y")
    none = Times(placebo=0, order=0, random=0, halves=0, bootstrap=0)
    found = refuted(table, none, Beliefs(known))["hidden common cause"]
    assert (found["verdict"], found["as"]) == ("stated", "a")
    assert 0 < found["times_as_strong"] < 1


def test_a_stronger_measured_cause_is_matched_by_fewer_times_its_strength() -> None:
    weak = tipping_point(1.0, 0.1, 200, Benchmark("w", 0.05, 0.05))
    strong = tipping_point(1.0, 0.1, 200, Benchmark("s", 0.2, 0.2))
    assert strong < weak < 100
    assert tipping_point(0.1, 0.1, 200, Benchmark("s", 0.2, 0.2)) == pytest.approx(0, abs=1e-9)


def test_answers_from_weighed_graphs_are_not_refuted() -> None:
    rng = RANDOM(0)
    x = rng.normal(size=150)
    values = np.column_stack([x, x + rng.normal(size=150)])
    found = ask("does x cause y?", Table.from_rows(["x", "y"], values), refute=FEW)
    assert [one["verdict"] for one in found.refutations] in ([], ["does not apply"])


def test_rows_that_stand_for_several_are_exchanged_one_by_one() -> None:
    """The same rows written out, each a unit, tell the same."""
    table = trial(60, 0.5, 0)
    weight = RANDOM(0).integers(1, 5, 60)
    counted = replace(table, weight=weight.astype(float))
    out = replace(table.take(np.repeat(np.arange(60), weight)), unit=np.arange(weight.sum()))
    one, other = refuted(counted), refuted(replace(out, unit_name="row"))
    for name, numbers in (("placebo", ("mean", "low", "high")), ("bootstrap", ("width_ratio",))):
        for number in numbers:
            assert one[name][number] == pytest.approx(other[name][number], rel=0.05)
    assert one["placebo"]["verdict"] == "held"
    assert one["stretches of rows"]["verdict"] == "does not apply"


def test_shares_of_a_mixture_are_not_exchanged() -> None:
    rng = RANDOM(0)
    shares = rng.dirichlet(np.ones(3), 60)
    values = np.column_stack([shares, shares @ [1.0, 2.0, 3.0] + 0.1 * rng.normal(size=60)])
    hard = np.tile([True, True, True, False], (60, 1))
    table = Table.from_rows(["x", "q", "r", "y"], values, hard)
    found = refuted(table)
    assert {found[name]["verdict"] for name in ("placebo", "bootstrap")} == {"does not apply"}
    assert found["random halves"]["verdict"] == "held"


def test_only_effects_are_refuted() -> None:
    with pytest.raises(UserError, match="only effects are refuted"):
        ask("E[y | do(x = 1)]", trial(40, 1.0, 0), refute=FEW)


def test_each_group_is_refuted() -> None:
    rng = RANDOM(0)
    x, sex = rng.permutation(np.arange(200) % 2), np.arange(200) // 2 % 2
    y = x * (1 + sex) + rng.normal(size=200)
    table = Table.from_rows(["x", "sex", "y"], np.column_stack([x, sex, y]), np.zeros(200, int))
    found = ask("effect of x on y by sex", table, refute=FEW)
    told = {one["refuter"]: one for one in found.refutations}
    assert told["placebo"]["of"] in {"sex = 0", "sex = 1"}
    assert told["placebo"]["value"] in {row["effect"] for row in found.table}


def test_refutations_from_the_command_line(tmp_path, capsys) -> None:
    table = trial(40, 1.0, 0)
    lines = ["x,y", *(f"{int(x)},{y:.4f}" for x, y in table.values)]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    words = ["ask", str(tmp_path / "t.csv"), "effect of x on y", "--roles", "x=factor", "--refute"]
    page = tmp_path / "answer.html"
    code, out, _ = run(capsys, *words, "--json", "--out", str(page))
    assert code == 0
    told = json.loads(out)["refutations"]
    assert told[0]["refuter"] == "placebo"
    html = page.read_text()
    assert "What was tried to refute it" in html
    assert "<svg" in html
    assert told[0]["line"].split(";")[0] in html.replace("&#39;", "'")
    code, _, err = run(capsys, "ask", str(tmp_path / "t.csv"), "E[y | do(x = 1)]", "--refute",
                       "--roles", "x=factor")  # fmt: skip
    assert code == 2
    assert "only effects are refuted" in err
    assert "Traceback" not in err


def test_parts_agree_as_often_as_welchs_test_says() -> None:
    """Means of few values with unequal spreads: p-values below 5 % in about 5 % of tables."""
    rng, low = RANDOM(0), 0
    spreads = np.array([0.5, 1.0, 2.0, 1.0, 3.0, 1.0])
    width = stats.t.ppf(0.975, 9)
    for _ in range(2000):
        x = spreads[:, None] * rng.normal(size=(6, 10))
        half = width * x.std(axis=1, ddof=1) / np.sqrt(10)
        parts = [Figure("", m, m - h, m + h) for m, h in zip(x.mean(axis=1), half, strict=True)]
        low += _agreement(parts, 9.0) < 0.05
    assert low / 2000 == pytest.approx(0.05, abs=0.015)
