"""Study `calibration`: its samples, textbook methods, faults, and what it makes of numbers."""

from __future__ import annotations

import numpy as np
import pytest

from command import run
from seedo.errors import UserError
from seedo.inference import Answer
from seedo.studies import _rivals, calibration
from seedo.studies._calibration_faults import CLEAN, FAULTS
from seedo.studies._calibration_samples import FAMILIES, STRENGTHS, fusion
from seedo.studies._textbook import splines, textbook
from seedo.studies.calibration import SCALES, STUDY, Scale, asked, measured, misses


def drawn(draw, count):
    return [draw(np.random.default_rng([7, number])) for number in range(count)]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_textbook_method_finds_the_truth_of_every_family(family):
    samples = drawn(FAMILIES[family], 30)
    found = np.array([(*textbook(family)(sample), sample.truth) for sample in samples])
    error = found[:, 0] - found[:, 3]
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(30)
    # 95 % intervals: fewer than 23 of 30 hold in 1 of 10,000 runs.
    assert ((found[:, 1] <= found[:, 3]) & (found[:, 3] <= found[:, 2])).sum() >= 23


@pytest.mark.parametrize("name", FAULTS)
def test_whoever_ignores_a_fault_covers_at_most_about_half(name):
    samples = drawn(FAULTS[name].draw, 60)
    covered = 0
    for sample in samples:
        _, low, high = FAULTS[name].ignoring(sample)
        covered += low <= sample.truth <= high
    assert covered <= 39


def test_the_same_number_is_the_same_table_and_others_differ():
    for draw in (*FAMILIES.values(), *CLEAN.values(), *(fault.draw for fault in FAULTS.values())):
        one, same, other = (draw(np.random.default_rng(seed)).table.values for seed in (0, 0, 1))
        assert np.array_equal(one, same, equal_nan=True)
        assert not np.array_equal(one, other, equal_nan=True)


def test_observations_are_off_by_what_the_hidden_cause_adds_and_experiments_are_not():
    for strength in STRENGTHS:
        sample = fusion(strength, 20_000)(np.random.default_rng(1))
        seen = sample.table.observational
        d, y = sample.column("d"), sample.column("y")
        bias = 3 * strength**2 / (1 + 2.25 * strength**2)
        assert np.polyfit(d[seen], y[seen], 1)[0] == pytest.approx(0.5 + bias, abs=0.25)
        assert np.polyfit(d[~seen], y[~seen], 1)[0] == pytest.approx(0.5, abs=0.1)


def test_splines_span_lines_and_sum_to_less_than_one_beside_the_constant():
    x = np.linspace(-2, 3, 50)
    basis = np.column_stack([np.ones(50), splines(x)])
    for curve in (x, x**2, x**3):
        assert basis @ np.linalg.lstsq(basis, curve)[0] == pytest.approx(curve)


def rows(*intervals):
    return np.array(intervals, np.float64)


def test_coverage_length_and_refusals_are_counted():
    theirs = rows((1, 0, 2, 1), (1, 0, 2, 1), (1, 0, 2, 1))
    ours = rows((1, 0.5, 2.5, 1), (3, 2, 4, 1), (np.nan, np.nan, np.nan, 1))
    found = measured(ours, theirs)
    assert found["covered"]["value"] == 0.5
    assert found["covered"]["n"] == 2
    assert found["length"]["value"] == pytest.approx(1)
    assert found["answered"] == pytest.approx(2 / 3)
    assert found["bias"] == pytest.approx(1)
    assert found["flat"] == 0


def test_an_interval_of_no_width_covers_nothing():
    found = measured(rows((1, 1, 1, 1)), rows((1, 0, 2, 1)))
    assert (found["flat"], found["covered"]["value"]) == (1, 0)


def numbers(covered=0.95, n=2000, length=1.0, **more):
    wide = 2 * np.sqrt(covered * (1 - covered) / n)
    share = {"value": covered, "low": covered - wide, "high": covered + wide, "n": n}
    size = {"value": length, "low": length - 0.01, "high": length + 0.01, "n": n}
    return {"covered": share, "length": size, "answered": 1.0, "flat": 0, **more}


@pytest.mark.parametrize(
    ("family", "own", "said"),
    [
        ("linear", numbers(), []),
        ("linear", numbers(0.93), ["covers too few"]),
        ("linear", numbers(0.98), ["covers too many"]),
        ("linear", numbers(0.93, 40), []),
        ("linear", numbers(length=1.2), ["longer than 1.05 of the textbook's"]),
        ("linear", numbers(answered=0.5), ["50% unanswered"]),
        ("linear", numbers(flat=3), ["3 of width 0"]),
        ("fusion 0.5", numbers(0.93, length=1.2), []),
        ("fusion 0.5", numbers(0.9), ["covers too few"]),
        ("fusion 0", numbers(length=0.95), ["longer than 0.9 of the textbook's"]),
        ("fusion 0", numbers(length=0.85), []),
    ],
)
def test_a_family_falls_short_of_the_bars_that_it_misses(family, own, said):
    assert misses(family, own) == said


def test_an_error_about_the_question_counts_as_a_refusal(monkeypatch):
    def refuse(*_):
        raise UserError("table", 3, "bring more rows")

    monkeypatch.setattr(calibration, "ask", refuse)
    found = asked(FAMILIES["trial"](np.random.default_rng(0)))
    assert found.value is None
    assert "bring more rows" in found.refused


def answered(words=""):
    """An `ask` that covers in every table, and says the same words about each."""

    def ask(query, table, beliefs):
        return Answer("", 2, "", 0.5, -99.0, 99.0, warnings=(words,) if words else ())

    return ask


TINY = Scale(6, 2, 3, ("trial", "fusion 0"))


@pytest.mark.parametrize(
    ("words", "short"), [("", "noticed in 0%"), ("curvature", "100% false alarms")]
)
def test_the_study_resumes_and_says_what_falls_short(tmp_path, monkeypatch, words, short):
    monkeypatch.setattr(_rivals, "RIVALS", {})
    monkeypatch.setattr(calibration, "ask", answered(words))
    monkeypatch.setitem(SCALES, "quick", TINY)
    found = STUDY.run("quick", tmp_path, say=lambda _: None)
    assert short in found.verdict
    assert "Refutes the claim" in found.verdict
    assert (tmp_path / "figure.svg").is_file()
    assert "| trial | ask | 1.000" in (tmp_path / "table.md").read_text()

    def never(*_):
        raise AssertionError("asked again")

    monkeypatch.setattr(calibration, "ask", never)
    assert STUDY.run("quick", tmp_path, say=lambda _: None).values == found.values


def test_a_study_without_runs_is_told_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(_rivals, "RIVALS", {})
    monkeypatch.setattr(calibration, "ask", answered())
    monkeypatch.setitem(SCALES, "quick", TINY)
    code, out, err = run(capsys, "study", "calibration", "--out", str(tmp_path / "a"))
    assert code == 0, err
    assert "verdict: trial: covers 1.000" in out
    assert "study.json" in err


@pytest.mark.parametrize("name", _rivals.RIVALS)
def test_a_rival_that_is_installed_finds_the_line(name):
    if name not in _rivals.installed():
        pytest.skip(f"{name} is not installed")
    samples = drawn(FAMILIES["linear"], 3)
    for sample in samples:
        value, low, high = _rivals.RIVALS[name](sample)
        own = textbook("linear")(sample)
        assert value == pytest.approx(own[0], abs=0.05)
        assert high - low == pytest.approx(own[2] - own[1], rel=0.2)
