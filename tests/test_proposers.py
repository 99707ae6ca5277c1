"""Players of worlds with a space: possible settings, the same again, better than chance."""

from importlib.util import find_spec

import numpy as np
import pytest

from seedo import play
from seedo.errors import UserError
from seedo.experimenters import check, find_player
from seedo.spaces import Goal, Goals, Knob, Runs, Space
from seedo.worlds import Bench, Spec

PLAIN = ("random", "sobol", "grid", "one-factor")
BO = ("bo:lognei", "bo:logei", "bo:ucb", "bo:thompson")
needs_botorch = pytest.mark.skipif(find_spec("botorch") is None, reason="BoTorch is an extra")


class Oven(Bench):
    """A hidden optimum of temperature and share, better with one of two catalysts."""

    name = "oven"

    def __init__(self, runs: int = 14):
        self._runs = runs
        knobs = {
            "temperature": {"low": 20, "high": 90},
            "a": {"low": 0, "high": 1},
            "b": {"low": 0, "high": 1},
            "catalyst": {"levels": ["K1", "K2"]},
            "passes": {"type": "whole", "low": 1, "high": 5},
        }
        constraints = [
            {"sum": ["a", "b"], "equals": 1},
            {"forbid": {"catalyst": "K1", "passes": 5}},
        ]
        space = Space.from_json({"knobs": knobs, "constraints": constraints})
        super().__init__(space, ("yield",), Goals((Goal("yield"),)), runs)

    def config(self):
        return {"runs": self._runs}

    def sample(self, key):
        return key.uniform([35, 0.2], [75, 0.8])

    def measured(self, task, setting, rng):
        temperature, a, _, catalyst, passes = setting
        mean = catalyst - ((temperature - task[0]) / 25) ** 2 - 4 * (a - task[1]) ** 2
        return np.array([mean + 0.1 * passes + 0.05 * rng.normal()])


@pytest.mark.parametrize("name", PLAIN)
def test_settings_are_possible_and_the_same_again(name: str) -> None:
    world = Oven()
    player = find_player(name, world, seed=5)
    check(player, world)
    first, again = (play.episodes(world, player, 7, "s", 0, 3) for _ in range(2))
    assert first.equals(again)
    knobs = first.setting[:, :, : world.space.size].reshape(-1, world.space.size)
    made = world.space.made(knobs.astype(np.float64))
    assert len(made) == len(knobs)  # logs round to single precision, no more
    assert np.abs(made - knobs).max() < 1e-4


def regret(name: str, runs: int, episodes: int) -> np.ndarray:
    world = Oven(runs)
    batch = play.episodes(world, find_player(name, world, seed=1), 3, "s", 0, episodes)
    return 1.5 - batch.returns


@pytest.mark.parametrize(
    "name", ["response-surface", pytest.param("bayes:mechanisms", marks=pytest.mark.slow)]
)
def test_fitted_means_find_an_optimum_within_the_range(name: str) -> None:
    assert regret(name, 14, 6).mean() < min(0.15, regret("random", 14, 6).mean() - 0.1)


def test_a_reading_that_never_moves_is_no_trouble() -> None:
    space = Space((Knob("a"), Knob("b")))
    names = ("pressure", "yield")
    spec = Spec((*space.names, *names), (), (1,) * 20, space=space, goals=Goals((Goal("yield"),)))
    rng = np.random.default_rng(0)
    x = rng.random((12, 2))
    runs = Runs(x, np.stack([np.ones(12), x[:, 0] - (x[:, 1] - 0.5) ** 2], axis=1), names)
    player = find_player("bayes:mechanisms", Oven())
    setting = player.propose(spec, runs, np.empty((0, 2)), 5, rng)
    assert space.allows(setting[None]).all()
    assert player.recommend(spec, runs, rng)[0] > 0.9


def test_one_factor_at_a_time_climbs_a_hill_of_one_top() -> None:
    assert regret("one-factor", 14, 12).mean() < regret("random", 14, 12).mean() - 0.1


@needs_botorch
@pytest.mark.slow
@pytest.mark.parametrize("name", BO)
def test_bayesian_optimisation_beats_chance(name: str) -> None:
    assert regret(name, 14, 4).mean() < regret("random", 14, 4).mean() - 0.2


def test_bayesian_optimisation_says_what_is_missing() -> None:
    with pytest.raises(UserError) as error:
        find_player("bo:best", Oven())
    assert error.value.field == "bo"


def test_a_grid_takes_all_corners_of_two_levels_once() -> None:
    space = Space(tuple(Knob(name) for name in "abc"))
    spec = Spec(("a", "b", "c", "y"), (), (1,) * 8 + (2,), space=space, goals=Goals((Goal("y"),)))
    player, runs = find_player("grid", Oven(), seed=2), Runs.none(3, ("y",))
    for left in range(8, 0, -1):
        rng = np.random.default_rng(left)
        setting = player.propose(spec, runs, np.empty((0, 3)), left, rng)
        runs = runs.plus(setting, np.zeros(1))
    assert {tuple(x) for x in runs.settings} == {(a, b, c) for a in (0, 1) for b in (0, 1)
                                                 for c in (0, 1)}  # fmt: skip


def test_pending_settings_are_not_proposed_again() -> None:
    space = Space((Knob("L", "categorical", levels=("a", "b", "c")),))
    spec = Spec(("L", "y"), (), (1,) * 3 + (2,), space=space, goals=Goals((Goal("y"),)))
    for name in ("sobol", "grid"):
        player = find_player(name, Oven())
        taken = np.empty((0, 1))
        for left in (3, 2, 1):
            rng = np.random.default_rng(left)
            setting = player.propose(spec, Runs.none(1, ("y",)), taken, left, rng)
            taken = np.concatenate([taken, setting[None]])
        assert name == "sobol" or sorted(taken.ravel()) == [0, 1, 2]


@pytest.mark.parametrize("name", ["sobol:3", "grid:x", "random:1", "bo:", "one-factor:2"])
def test_names_that_go_on_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="use "):
        find_player(name, Oven())


def test_players_of_one_space_refuse_worlds_without_one() -> None:
    from seedo.worlds import make

    with pytest.raises(UserError, match="recorded:TABLE"):
        find_player("sobol", make("dag"))
