"""Towards fronts, and in batches: hypervolume by brute force, whole fronts, settings apart."""

import itertools

import numpy as np
import pytest

from seedo.experimenters import find_player
from seedo.experimenters.proposers._front import Gain, Ranges, Stairs, beaten_by
from seedo.spaces import Goal, Goals, Knob, Runs, Space, among, fresh
from seedo.worlds import Bench, Spec

PLAYERS = ("pretrained:tuner", "response-surface", "bayes:mechanisms")


def volume(points: np.ndarray) -> float:
    """What points dominate above 0, by inclusion and exclusion."""
    points = np.maximum(points, 0)
    total = 0.0
    for count in range(1, len(points) + 1):
        for some in itertools.combinations(points, count):
            total += (-1) ** (count + 1) * np.prod(np.min(some, axis=0))
    return total


def test_what_a_point_adds_to_stairs_is_by_inclusion_and_exclusion() -> None:
    rng = np.random.default_rng(0)
    for count in (0, 1, 6):
        front = rng.uniform(-0.2, 1, (count, 2))
        front[count // 2 :: 3, 0] = front[:1, 0] if count else 0  # ties
        points = rng.uniform(-0.3, 1.3, (20, 2))
        wanted = [volume(np.vstack([front, p])) - volume(front) for p in points]
        np.testing.assert_allclose(Stairs.over(front).added(points), wanted, atol=1e-12)


def test_what_a_normal_point_is_expected_to_add_is_the_integral() -> None:
    rng = np.random.default_rng(1)
    stairs = Stairs.over(rng.random((5, 2)))
    mean, error = rng.random((4, 2)), rng.uniform(0.05, 0.4, (4, 2))
    z = np.linspace(-6, 6, 801)
    weight = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    for m, e, found in zip(mean, error, stairs.expected(mean, error), strict=True):
        first, second = np.meshgrid(*(m[:, None] + e[:, None] * z), indexing="ij")
        added = stairs.added(np.stack([first.ravel(), second.ravel()], axis=1))
        assert found == pytest.approx(weight @ added.reshape(first.shape) @ weight, rel=1e-4)


def test_more_goals_are_looked_at_in_directions_that_make_up_the_hypervolume() -> None:
    rng = np.random.default_rng(2)
    tried, points = rng.random((4, 3)), rng.uniform(0.3, 1.2, (5, 3))
    wanted = np.array([volume(np.vstack([tried, p])) - volume(tried) for p in points])
    found = np.mean([Gain(tried[None], np.random.default_rng(i))(points[None])
                     for i in range(400)], axis=0)  # fmt: skip
    # An eighth of the sphere: pi / 6 of volume for a reach of 1.
    np.testing.assert_allclose(found * np.pi / 6, wanted, rtol=0.03)


def test_how_many_beat_a_run() -> None:
    worths = np.array([[1.0, 1], [2, 0], [1, 1], [0, 0], [2, 1]])
    assert list(beaten_by(worths)) == [1, 1, 1, 4, 0]


def test_ranges_put_the_worst_a_tenth_above_the_reference() -> None:
    worths = np.array([[1.0, -5], [3, 5], [2, 5]])
    found = Ranges.of(worths).of_worths(worths)
    np.testing.assert_allclose(found, [[0.1, 0.1], [1.1, 1.1], [0.6, 1.1]])


class Concave(Bench):
    """A quarter of a circle, reached where the second knob is 0.3: weighted sums find its ends."""

    name = "concave"

    def __init__(self) -> None:
        goals = Goals((Goal("f", "minimize", scale=1), Goal("g", "minimize", scale=1)), pareto=True)
        super().__init__(Space((Knob("a"), Knob("b"))), ("f", "g"), goals, 20)

    def config(self):
        return {}

    def measured(self, task, setting, rng):
        far = 1 + 2 * (setting[1] - 0.3) ** 2
        angle = setting[0] * np.pi / 2
        return far * np.array([np.cos(angle), np.sin(angle)])


@pytest.mark.parametrize("name", PLAYERS)
def test_concave_fronts_are_covered(name: str) -> None:
    world = Concave()
    player = find_player(name, world, seed=0)
    runs = Runs.none(2, world.readings)
    for made in range(20):
        rng = np.random.default_rng([3, made])
        setting = player.propose(world.spec, runs, np.empty((0, 2)), 20 - made, rng)
        runs = runs.plus(setting, world.measured(None, setting, rng))
    near = np.linalg.norm(runs.readings, axis=1) < 1.05
    angles = np.sort(np.arctan2(*runs.readings[near].T[::-1]) / (np.pi / 2))
    assert len(angles) >= 7
    assert np.diff(np.r_[0, angles, 1]).max() < 0.3


@pytest.mark.parametrize("name", [*PLAYERS, "random", "sobol", "one-factor", "grid"])
@pytest.mark.parametrize("pareto", [False, True])
def test_no_two_settings_of_a_batch_are_equal(name: str, pareto: bool) -> None:
    space = Space((Knob("a", "whole", 1, 3), Knob("L", "categorical", levels=("x", "y", "z"))))
    goals = Goals((Goal("y", scale=1.0), Goal("z", scale=2.0)), pareto)
    spec = Spec((*space.names, "y", "z"), (), (1,) * 30, space=space, goals=goals)
    rng = np.random.default_rng(0)
    every = space.all()
    assert every is not None
    x = every[rng.integers(len(every), size=12)]
    runs = Runs(x, np.stack([x[:, 0] + x[:, 1], -x[:, 0]], axis=1), ("y", "z"))
    player = find_player(name, Concave(), seed=1)
    pending = np.empty((0, 2))
    for i in range(len(every)):
        setting = player.propose(spec, runs, pending, 18 - i, np.random.default_rng(i))
        assert not among(setting[None], pending)[0]
        pending = np.concatenate([pending, setting[None]])
    space.check(player.propose(spec, runs, pending, 9, np.random.default_rng(9)))  # no other left


@pytest.mark.parametrize("name", PLAYERS)
def test_settings_of_a_batch_lie_apart(name: str) -> None:
    """Where results say where the best is, further settings of a batch look elsewhere than the
    first."""
    space = Space((Knob("a"), Knob("b")))
    spec = Spec(("a", "b", "y"), (), (1,) * 30, space=space, goals=Goals((Goal("y"),)))
    rng = np.random.default_rng(4)
    x = rng.random((12, 2))
    y = -((x - [0.7, 0.4]) ** 2).sum(axis=1) + 0.05 * rng.normal(size=12)
    player, pending = find_player(name, Concave(), seed=1), np.empty((0, 2))
    for i in range(4):
        runs = Runs(x, y[:, None], ("y",))
        setting = player.propose(spec, runs, pending, 18 - i, np.random.default_rng([5, i]))
        pending = np.concatenate([pending, setting[None]])
    apart = np.linalg.norm(pending[:, None] - pending, axis=2)[np.triu_indices(4, 1)]
    assert apart.min() > 0.01


def test_weighted_goals_do_not_depend_on_their_units() -> None:
    rng = np.random.default_rng(6)
    space = Space((Knob("a"), Knob("b")))
    goals = Goals((Goal("y"), Goal("z", "minimize")))
    spec = Spec(("a", "b", "y", "z"), (), (1,) * 30, space=space, goals=goals)
    x = rng.random((14, 2))
    y = np.stack([x[:, 0] - x[:, 1] ** 2, x[:, 0] ** 2 + x[:, 1]], axis=1)
    player = find_player("bayes:mechanisms", Concave(), seed=0)

    def settings(scale: float) -> np.ndarray:
        runs = Runs(x, y * [1.0, scale], ("y", "z"))
        nothing = np.empty((0, 2))
        return np.array([player.propose(spec, runs, nothing, 9, np.random.default_rng(0)),
                         player.recommend(spec, runs, np.random.default_rng(0))])  # fmt: skip

    np.testing.assert_allclose(settings(1.0), settings(1000.0), atol=1e-6)


def test_a_front_is_sought_where_rows_were_only_observed() -> None:
    rng = np.random.default_rng(7)
    world = Concave()
    x = rng.random((40, 2))
    read = np.array([world.measured(None, row, rng) for row in x])
    runs = Runs(x, read, world.readings, np.ones(40, np.bool_))
    player = find_player("bayes:mechanisms", world, seed=0)
    setting = player.propose(world.spec, runs, np.empty((0, 2)), 9, rng)
    world.space.check(setting)
    assert abs(setting[1] - 0.3) < 0.3


def test_fresh_settings_are_those_not_taken_unless_none_is_left() -> None:
    some = np.array([[0.0, 1], [2, 3], [-0.0, 1]])
    np.testing.assert_array_equal(fresh(some, some[:1]), some[1:2])
    np.testing.assert_array_equal(fresh(some, some), some)
    np.testing.assert_array_equal(fresh(some, np.empty((0, 2))), some)
