"""Settings of knobs: whatever is drawn keeps the constraints, what is written is read again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedo.errors import UserError
from seedo.spaces import Goal, Goals, Knob, Linear, Runs, Space, read_linear

LEVELS = ("L1", "L2", "L3")


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """Two to five numeric knobs, perhaps a mixture of some, a bound, a level and a ban."""
    count = draw(st.integers(2, 5))
    knobs = []
    for i in range(count):
        low = draw(st.sampled_from([0.0, -5.0, 10.0]))
        wide = draw(st.sampled_from([1.0, 20.0, 1000.0]))
        step = draw(st.sampled_from([0.0, 0.0, wide / 10]))
        knobs.append(Knob(f"k{i}", low=low, high=low + wide, step=step))
    knobs.append(Knob("n", "whole", low=1, high=9))
    knobs.append(Knob("L", "categorical", levels=LEVELS))
    constraints = []
    middle = sum(k.low + k.step * round(k.range / 2 / k.step) if k.step else k.low + k.range / 2
                 for k in knobs[:count])  # fmt: skip
    if draw(st.booleans()):
        names = [k.name for k in knobs[:count]]
        constraints.append({"sum": names, draw(st.sampled_from(["equals", "at_most"])): middle})
    if draw(st.booleans()):
        constraints.append({"linear": f"k0 - {knobs[1].range:g} n <= {knobs[0].high:g}"})
    if draw(st.booleans()):
        constraints.append({"forbid": {"L": ["L1", "L3"], "n": "> 4"}})
    by_name = {k.name: k.to_json() for k in knobs}
    return Space.from_json({"knobs": by_name, "constraints": constraints})


def kept_by_hand(space: Space, x: np.ndarray) -> bool:
    """Whether settings keep everything, from the written form alone."""
    written = space.to_json()
    for i, knob in enumerate(written["knobs"].values()):
        column = x[:, i]
        if "levels" in knob:
            ok = np.isin(column, range(len(knob["levels"])))
        else:
            step = knob.get("step", 0)
            ok = (column >= knob["low"] - 1e-9) & (column <= knob["high"] + 1e-9)
            if step:
                steps = (column - knob["low"]) / step
                ok &= np.abs(steps - np.round(steps)) < 1e-6
        if not ok.all():
            return False
    names = list(written["knobs"])
    n, level = x[:, names.index("n")], x[:, names.index("L")]
    for constraint in written.get("constraints", []):
        if "forbid" in constraint:
            if ((n > 4) & (level != 1)).any():
                return False
            continue
        for sign in ("==", "<=", ">="):
            if sign in constraint["linear"]:
                break
        linear = read_linear(constraint["linear"])
        total = sum(w * x[:, names.index(k)] for k, w in linear.weights)
        off = total - linear.bound
        room = 1e-6 * max(1.0, *(abs(x).max(axis=0) * 1.0))
        if (np.abs(off) if sign == "==" else off if sign == "<=" else -off).max() > room:
            return False
    return True


@settings(max_examples=60, deadline=None)
@given(spaces(), st.integers(0, 2**31))
def test_whatever_is_drawn_or_moved_keeps_every_constraint(space: Space, seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = space.sample(40, rng)
    assert drawn.shape == (40, space.size)
    assert kept_by_hand(space, drawn)
    assert kept_by_hand(space, space.sobol(7, rng))
    moved = space.near(drawn[:5], 0.1, 20, rng)
    assert len(moved) > 0
    assert kept_by_hand(space, moved)
    assert space.allows(drawn).all()
    assert space.allows(moved).all()


@settings(max_examples=40, deadline=None)
@given(spaces(), st.integers(0, 2**31))
def test_what_is_written_is_read_again(space: Space, seed: int) -> None:
    assert Space.from_json(space.to_json()) == space
    for x in space.sample(5, np.random.default_rng(seed)):
        assert np.array_equal(space.read(space.named(x)), x)


def test_an_even_sample_of_a_simplex_has_its_moments() -> None:
    parts = {k: {"low": 0, "high": 1} for k in "abcd"}
    space = Space.from_json({"knobs": parts, "constraints": [{"sum": list("abcd"), "equals": 1}]})
    drawn = space.sample(4000, np.random.default_rng(0))
    # Dirichlet(1, 1, 1, 1): mean 1/4, variance 3/80
    assert np.abs(drawn.mean(axis=0) - 0.25).max() < 0.015
    assert np.abs(drawn.var(axis=0) - 3 / 80).max() < 0.005


def test_whole_parts_that_fit_in_few_ways_are_found() -> None:
    knobs = {k: {"type": "whole", "low": 0, "high": 12} for k in "abc"}
    constraints = [{"sum": list("abc"), "equals": 12}, {"linear": "a - 5 b >= 0"},
                   {"linear": "b - 2 c == 0"}]  # fmt: skip
    space = Space.from_json({"knobs": knobs, "constraints": constraints})
    every = {(a, b, c) for a in range(13) for b in range(13) for c in range(13)
             if a + b + c == 12 and a >= 5 * b and b == 2 * c}  # fmt: skip
    drawn = {tuple(x) for x in space.sample(50, np.random.default_rng(1))}
    assert drawn
    assert drawn <= every
    listed = space.all()
    assert listed is not None
    assert {tuple(x) for x in listed} == every


def test_a_recorded_space_has_its_rows_only() -> None:
    rows = np.array([[1.0, 0], [2.0, 1], [4.0, 0]])
    knobs = (Knob("x", low=0, high=5), Knob("L", "categorical", levels=("a", "b")))
    space = Space(knobs, listed=rows)
    drawn = space.sobol(3, np.random.default_rng(0))
    assert sorted(map(tuple, drawn)) == sorted(map(tuple, rows))
    assert space.allows(np.array([[1.0, 0], [1.0, 1]])).tolist() == [True, False]
    with pytest.raises(UserError, match="recorded"):
        space.check(np.array([3.0, 0]))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"knobs": {}}, "knobs"),
        ({"knobs": {"a": {"low": 1, "high": 1}}}, "low of knob a"),
        ({"knobs": {"a": {"high": 1}}}, "knobs.a.low"),
        ({"knobs": {"a": {"low": 0, "high": 1, "step": 2}}}, "step of knob a"),
        ({"knobs": {"a": {"low": 0, "high": 1, "lvels": 2}}}, "knobs.a"),
        ({"knobs": {"a": {"type": "whole", "low": 0.5, "high": 3}}}, "low of knob a"),
        ({"knobs": {"a": {"levels": ["x"]}}}, "levels of knob a"),
        ({"knobs": {"a": {"levels": ["x", "x"]}}}, "levels of knob a"),
        ({"knobs": {"a": {"levels": ["x", "y"], "low": 0}}}, "knobs.a.low"),
        ({"knobs": {"a": {"low": 0, "high": float("inf")}}}, "high of knob a"),
        ({"knobs": {"a": {"low": 0, "high": True}}}, "high of knob a"),
        ({"knobs": {"a": 3}}, "knobs.a"),
    ],
)  # fmt: skip
def test_bad_knobs_are_named(fields: dict, field: str) -> None:
    with pytest.raises(UserError) as error:
        Space.from_json(fields)
    assert error.value.field == field


@pytest.mark.parametrize(
    "constraint",
    [
        {"linear": "a + b"},
        {"linear": "2 a b <= 1"},
        {"linear": "a + q <= 1"},
        {"linear": "a + L <= 1"},
        {"linear": "a + b <= x"},
        {"sum": ["a"], "equals": 1},
        {"sum": ["a", "b"]},
        {"sum": ["a", "b"], "equals": 1, "at_most": 2},
        {"sum": ["a", "b"], "equals": 9},
        {"forbid": {"a": "about 3"}},
        {"forbid": {"L": "z"}},
        {"forbid": {"q": 1}},
        {"forbid": {}},
        {"total": 1},
        "a + b <= 1",
    ],
)  # fmt: skip
def test_bad_constraints_are_refused(constraint: object) -> None:
    knobs = {"a": {"low": 0, "high": 1}, "b": {"low": 0, "high": 1}, "L": {"levels": ["x", "y"]}}
    with pytest.raises(UserError):
        Space.from_json({"knobs": knobs, "constraints": [constraint]})


def test_a_ban_on_everything_is_said_when_a_setting_is_wanted() -> None:
    space = Space.from_json(
        {"knobs": {"a": {"low": 0, "high": 1}}, "constraints": [{"forbid": {"a": ">= 0"}}]}
    )
    with pytest.raises(UserError, match="constraints"):
        space.sample(1, np.random.default_rng(0))


def test_goals_are_worth_what_they_say() -> None:
    y = np.array([[1.0, 5.0], [3.0, 2.0], [2.0, np.nan], [3.0, 5.0]])
    both = Goals((Goal("a", weight=2, scale=1), Goal("b", "minimize", scale=0.5)))
    assert np.allclose(both.value(y)[[0, 1, 3]], [(2 - 10) / 3, (6 - 4) / 3, (6 - 10) / 3])
    assert np.isnan(both.value(y)[2])
    assert both.front(y).tolist() == [False, True, False, False]
    target = Goals((Goal("a", "target", target=2.5),))
    assert target.value(y[:, :1]).tolist() == [-1.5, -0.5, -0.5, -0.5]
    runs = Runs.none(1, ("a", "b")).plus(np.ones((4, 1)), y)
    assert np.allclose(runs.values(target), [-1.5, -0.5, -0.5, -0.5])


def test_a_constraint_is_written_as_it_is_read() -> None:
    said = read_linear("2 a - `b c` + 0.5*a >= -1e-3")
    assert said == Linear((("a", 2.5), ("b c", -1.0)), ">=", -1e-3)
    assert read_linear(said.to_json()["linear"]) == said
