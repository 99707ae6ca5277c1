"""World `surfaces`: settings, surfaces and what is known about them."""

import numpy as np
import pytest

from seedo import play, worlds
from seedo.errors import UserError
from seedo.experimenters import find_player
from seedo.worlds.surfaces import (
    SurfacesWorld,
    beliefs,
    draw_knobs,
    draw_settings,
    draw_surface,
    outcomes,
    snapped,
)


def test_settings_of_mixtures_sum_to_one_and_others_are_values_of_their_knobs() -> None:
    kinds = set()
    for seed in range(60):
        rng = np.random.default_rng(seed)
        knobs = draw_knobs(rng)
        settings = draw_settings(knobs, 40, rng)
        assert settings.shape == (40, len(knobs.kinds))
        assert (settings >= 0).all()
        assert (settings <= 1).all()
        if knobs.mixture:
            np.testing.assert_allclose(settings.sum(axis=1), 1)
        else:
            np.testing.assert_allclose(settings, snapped(knobs, settings), atol=1e-12)
        kinds |= {"mixture"} if knobs.mixture else set(knobs.kinds.tolist())
    assert kinds == {0, 1, 2, "mixture"}


def test_surfaces_are_functions_of_relevant_knobs_alone() -> None:
    still = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        knobs = draw_knobs(rng)
        surface = draw_surface(knobs, rng)
        settings = draw_settings(knobs, 30, rng)
        found = outcomes(surface, settings)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, outcomes(surface, settings[::-1])[::-1], atol=1e-9)
        assert beliefs(surface, settings).shape == (30, 3)
        idle = ~surface.relevant
        if idle.any() and not knobs.mixture:
            still += 1
            other = np.where(idle, settings[rng.permutation(30)], settings)
            np.testing.assert_allclose(found, outcomes(surface, other), atol=1e-9)
    assert still > 5


@pytest.mark.parametrize(
    "config",
    [
        {"knobs": 1},
        {"knobs": 5, "stepped": 1, "categorical": 2},
        {"knobs": 4, "mixture": True},
        {"knobs": 3, "between": 2, "noise": 0.3},
    ],
)
def test_it_is_played_and_its_best_is_the_best(config: dict) -> None:
    world = SurfacesWorld(runs=3, **config)
    assert worlds.from_config("surfaces", world.config()).config() == world.config()
    player = find_player("random", world)
    batch = play.episodes(world, player, 0, "s", 0, 2)
    assert np.isfinite(batch.outcome[:, :3]).all()
    rng = np.random.default_rng(1)
    task = world.sample(rng)
    world.space.check(task.best)
    some = world.space.sample(200, rng)
    assert world.expected(task, some).max() <= task.highest + 1e-9
    assert task.middle < task.highest
    read = np.array([world.measured(task, some[0], rng)[-1] for _ in range(400)])
    expected = world.expected(task, some[:1])[0]
    assert abs(read.mean() - expected) < 5 * world.noise * task.spread / 20 + 1e-9


@pytest.mark.parametrize(
    "config", [{"knobs": 13}, {"mixture": True, "categorical": 1}, {"noise": -1}, {"stepped": 9}]
)
def test_what_cannot_be_is_refused(config: dict) -> None:
    with pytest.raises(UserError):
        SurfacesWorld(**config)
