"""The tuner: what its choices may not depend on, what it keeps, how it is trained."""

import numpy as np
import pytest
from scipy import special, stats

from seedo import play
from seedo.errors import UserError
from seedo.experimenters import check, find_player
from seedo.experimenters.proposers.tuner import (
    Forecast,
    Frame,
    TunerProposer,
    initial,
    normalised,
    promise,
    surprise,
)
from seedo.learning.tuner import (
    WITHOUT,
    TunerRecipe,
    draw_history,
    draw_lessons,
    draw_system,
    loss,
    train,
)
from seedo.spaces import Goal, Goals, Knob, Runs, Space
from seedo.worlds import Spec
from seedo.worlds.surfaces import SurfacesWorld


def question(seed: int = 0, knobs: int = 6):
    lessons = draw_lessons(3, 60, knobs, np.random.default_rng(seed))
    one = type(lessons.questions)(*(field[1] for field in lessons.questions))
    return one._replace(known=one.known[3], sharpness=one.sharpness[3])


def weights():
    rng = np.random.default_rng(3)
    return {
        n: a + 0.1 * rng.normal(size=a.shape).astype(np.float32) for n, a in initial(rng).items()
    }


def asked(q) -> np.ndarray:
    """In double precision, in which sums in another order are the same."""
    exact = [np.asarray(f, np.int64 if f is q.kind else np.float64) for f in q]
    double = {name: array.astype(np.float64) for name, array in weights().items()}
    return promise(double, type(q)(*exact), np, special)


def test_order_of_knobs_and_runs_is_nothing_and_settings_keep_theirs() -> None:
    rng = np.random.default_rng(1)
    for seed in range(5):
        q = question(seed)
        before = asked(q)
        knobs, runs, further = (rng.permutation(n) for n in (6, 28, 60))
        other = q._replace(
            tried=q.tried[runs][:, knobs],
            tried_rank=q.tried_rank[runs][:, knobs],
            outcome=q.outcome[runs],
            known=q.known[runs],
            further=q.further[further][:, knobs],
            further_rank=q.further_rank[further][:, knobs],
            kind=q.kind[knobs],
            live=q.live[knobs],
        )
        np.testing.assert_allclose(asked(other), before[further], atol=1e-6)


def test_padding_and_units_of_the_outcome_are_nothing() -> None:
    q = question(2)
    before = asked(q)
    known = q.known > 0
    short = q._replace(
        tried=q.tried[known], tried_rank=q.tried_rank[known], outcome=q.outcome[known],
        known=q.known[known],
    )  # fmt: skip
    np.testing.assert_allclose(asked(short), before, atol=1e-6)
    live = q.live > 0
    narrow = q._replace(
        tried=q.tried[:, live], tried_rank=q.tried_rank[:, live], further=q.further[:, live],
        further_rank=q.further_rank[:, live], kind=q.kind[live], live=q.live[live],
    )  # fmt: skip
    np.testing.assert_allclose(asked(narrow), before, atol=1e-6)
    other = q._replace(outcome=np.where(known, 64.0 * q.outcome + 512, 7))
    np.testing.assert_allclose(asked(other), before, atol=1e-3)


@pytest.mark.slow
def test_learning_and_playing_compute_the_same() -> None:
    import jax.numpy as jnp
    from jax.scipy import special as compiled

    q = question(4)
    compared = np.corrcoef(promise(weights(), q, jnp, compiled), asked(q))[0, 1]
    assert compared > 0.9999


def test_outcomes_are_scores_and_ranks() -> None:
    y = np.array([3.0, 1, 2, 2, 99], np.float32)
    known = np.array([1, 1, 1, 1, 0], np.float32)
    score, rank = normalised(y, known, np, special).T
    np.testing.assert_allclose(score[:4], (y[:4] - 2) / y[:4].std(), rtol=1e-5)
    assert score[4] == rank[4] == 0
    assert rank[2] == rank[3]
    assert rank[1] < rank[2] < rank[0]


def test_units_of_knobs_are_nothing() -> None:
    rng = np.random.default_rng(0)
    settings, outcome = rng.random((40, 3)), rng.normal(size=12)
    kind = np.array([0, 1, 0])
    player = TunerProposer(weights())

    def of(scaled: np.ndarray) -> np.ndarray:
        frame = Frame.of(scaled, kind)
        return player.promise(frame, scaled[:12], outcome, scaled[12:], 2.0)

    there = np.array([1000.0, 0.001, 5.0]) * settings + np.array([-300.0, 8.0, 0.0])
    assert np.corrcoef(of(there), of(settings))[0, 1] > 0.9999


SPACE = Space.from_json(
    {
        "knobs": {
            "a": {"low": 0, "high": 1},
            "b": {"low": 0, "high": 1},
            "n": {"type": "whole", "low": 1, "high": 9},
            "kind": {"levels": ["x", "y", "z"]},
        },
        "constraints": [{"sum": ["a", "b"], "equals": 1}, {"forbid": {"kind": "x", "n": 9}}],
    }
)


def runs_of(space: Space, count: int, seed: int, names=("y",)) -> Runs:
    rng = np.random.default_rng(seed)
    return Runs(space.sample(count, rng), rng.normal(size=(count, len(names))), names)


def test_proposals_are_possible_new_and_the_same_again() -> None:
    spec = Spec((*SPACE.names, "y"), (), (1,) * 30, space=SPACE, goals=Goals((Goal("y"),)))
    player = TunerProposer(weights())
    for count in (0, 3, 9, 30, 130):
        runs = runs_of(SPACE, count, count)
        runs.readings[count // 2 :: 7] = np.nan
        pending = SPACE.sample(2, np.random.default_rng(9))
        one, two = (
            player.propose(spec, runs, pending, 7, np.random.default_rng(5)) for _ in range(2)
        )
        np.testing.assert_array_equal(one, two)
        SPACE.check(one)
        if count >= 9:
            assert not (np.concatenate([runs.settings, pending]) == one).all(axis=1).any()


def test_recorded_settings_are_chosen_among_and_none_twice() -> None:
    listed = np.unique(SPACE.sample(24, np.random.default_rng(0)), axis=0)
    space = Space(SPACE.knobs, listed=listed)
    spec = Spec((*space.names, "y"), (), (1,) * 30, space=space, goals=Goals((Goal("y"),)))
    player, runs = TunerProposer(weights()), Runs.none(4, ("y",))
    for t in range(len(listed)):
        rng = np.random.default_rng(t)
        chosen = player.propose(spec, runs, np.empty((0, 4)), 5, rng)
        runs = runs.plus(chosen, rng.normal(size=1))
        if t >= 5:
            assert len(np.unique(runs.settings[5:], axis=0)) == t - 4


def test_several_goals_towards_a_front() -> None:
    goals = Goals((Goal("y"), Goal("z", "minimize")), pareto=True)
    spec = Spec((*SPACE.names, "y", "z"), (), (1,) * 9, space=SPACE, goals=goals)
    runs = runs_of(SPACE, 8, 0, ("y", "z"))
    chosen = TunerProposer(weights()).propose(
        spec, runs, np.empty((0, 4)), 3, np.random.default_rng(0)
    )
    SPACE.check(chosen)


@pytest.mark.slow
def test_rewarded_choices_become_likelier_where_regret_ends_lower() -> None:
    """Against the definition: the slope of the mean regret in a temperature, by differences."""
    import jax

    from seedo.learning.tuner import draw_campaigns, reward_loss

    campaigns = draw_campaigns(256, 50, 6, np.random.default_rng(0))
    fixed = initial(np.random.default_rng(0))

    def warmer(by: float) -> dict:
        return fixed | {"improvement": fixed["improvement"] * np.float32(by)}

    both = jax.jit(jax.value_and_grad(reward_loss, has_aux=True))
    (_, now), slopes = both(fixed, campaigns)
    along = float((slopes["improvement"] * fixed["improvement"]).sum())
    means = [float(both(warmer(by), campaigns)[0][1][1]) for by in (0.5, 1.6)]
    assert np.sign(along) == np.sign(means[1] - means[0])
    assert 0 < now[0] < now[1] < 1


@pytest.mark.parametrize("without", [w for w in WITHOUT if w != "shapes"])
def test_training_worlds_can_lack_parts(without) -> None:
    rng = np.random.default_rng(1)
    systems = [draw_system(60, 6, rng, without) for _ in range(30)]
    there = {
        "categorical": any((s.knobs.kinds == 2).any() for s in systems),
        "mixtures": any(s.knobs.mixture for s in systems),
        "noise": any(s.noise > 0 for s in systems),
    }
    assert there == {part: part != without for part in there}


def test_training_worlds_without_shapes_are_less_skewed() -> None:
    def skewed(without: str) -> float:
        rng = np.random.default_rng(1)
        systems = [draw_system(60, 4, rng, without) for _ in range(60)]
        return np.mean([abs(stats.skew(system.truth)) > 1.8 for system in systems])

    assert skewed("shapes") < skewed("") / 2


@pytest.mark.parametrize(
    ("field", "value"), [("by", "magic"), ("without", "everything"), ("by", "")]
)
def test_recipes_say_what_they_cannot_be(field, value) -> None:
    with pytest.raises(UserError, match=field):
        TunerRecipe(**{field: value})


def test_what_surprises_is_what_was_not_forecast() -> None:
    """Against the densities of scipy."""
    rng = np.random.default_rng(0)
    forecast = Forecast(
        np.array([0.7, 0.3]), rng.normal(size=(2, 5)), rng.uniform(0.1, 2, size=(2, 5))
    )
    said = rng.normal(size=5)
    scale = np.sqrt(forecast.variance / 2)
    density = (forecast.trust[:, None] * stats.t.pdf(said, 4, forecast.mean, scale)).sum(0)
    np.testing.assert_allclose(surprise(forecast, said, np), -np.log(density))


def test_experimenters_of_histories_who_go_by_what_they_read_do_better_than_chance() -> None:
    rng = np.random.default_rng(0)
    gained = []
    for _ in range(60):
        system = draw_system(100, 4, rng)
        runs = draw_history(system, 100, rng)
        chance = rng.permutation(100)[: len(runs)]
        scale = np.ptp(system.truth)
        gained.append((system.truth[runs].max() - system.truth[chance].max()) / scale)
    assert np.mean(gained) > 0


def test_histories_are_of_different_settings_without_the_best() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        system = draw_system(60, 12, rng)
        runs = draw_history(system, 50, rng)
        assert len(set(runs.tolist())) == len(runs)
        assert runs.max() < 50
        assert int(np.argmax(system.truth[:50])) not in runs


def test_the_expert_knows_and_chooses_only_what_improves() -> None:
    lessons = draw_lessons(6, 60, 6, np.random.default_rng(0))
    total = lessons.chosen.sum(axis=-1)
    assert ((np.abs(total - 1) < 1e-4) | (total == 0)).all()
    assert (lessons.chosen[~lessons.open] == 0).all()
    assert (lessons.gain[lessons.chosen > 0] > 0).all()
    best = lessons.gain.argmax(axis=-1)
    assert (lessons.chosen.argmax(axis=-1) == best)[total > 0].all()


@pytest.mark.slow
def test_every_weight_has_a_slope() -> None:
    import jax

    lessons = draw_lessons(3, 50, 6, np.random.default_rng(0))
    slopes = jax.jit(jax.grad(loss, has_aux=True))(weights(), lessons, (1.0, 1.0))[0]
    assert all(np.isfinite(slope).all() for slope in slopes.values())
    slopes.pop("contextb.b")  # it moves trust in all heads alike
    assert all(np.any(slope) for slope in slopes.values())


@pytest.mark.slow
@pytest.mark.parametrize("by", ["watching", "reward"])
def test_training_resumes_to_the_same_bytes(tmp_path, by) -> None:
    recipe = TunerRecipe(steps=3, systems=2, settings=50, by=by)
    whole = train(recipe, tmp_path / "a")
    train(recipe, tmp_path / "b", until=2)
    again = train(recipe, tmp_path / "b")
    assert all((whole[name] == again[name]).all() for name in whole)


def test_the_shipped_tuner_plays_and_beats_chance() -> None:
    world = SurfacesWorld(runs=20, knobs=4, noise=0.05)
    tuner, chance = find_player("pretrained:tuner", world), find_player("random", world)
    check(tuner, world)
    kept = [play.episodes(world, p, 3, "s", 0, 8).outcome[:, -1, -1] for p in (tuner, chance)]
    assert np.mean(kept[0] > kept[1]) > 0.8


def test_knobs_of_one_value_do_no_harm() -> None:
    space = Space(
        (Knob("a"), Knob("b", low=2, high=3)), listed=np.array([[0.1 * i, 2] for i in range(9)])
    )
    spec = Spec(("a", "b", "y"), (), (1,) * 9, space=space, goals=Goals((Goal("y"),)))
    runs = Runs(space.listed[:6], np.arange(6.0)[:, None], ("y",))
    chosen = TunerProposer(weights()).propose(
        spec, runs, np.empty((0, 2)), 3, np.random.default_rng(0)
    )
    assert chosen[0] > 0.5
