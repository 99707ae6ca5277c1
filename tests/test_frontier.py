"""Return against cost: operations against known programs, the Pareto set against its definition."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from command import run
from seedo import evaluation, play, statistics, worlds
from seedo.episodes import EXPLOIT, EXPLORE, write_batch
from seedo.evaluation import _frontier
from seedo.evaluation._cost import flops_of, speed_of
from seedo.evaluation._frontier import COSTS, Point, frontier
from seedo.experimenters import Action, Player
from seedo.play import find_player
from seedo.reports import html
from seedo.statistics import Estimate
from seedo.worlds import from_config

WORLD = worlds.make("dag", n=2, experiments=2, exploits=1)
SIZE = 16
PRODUCT = 2 * SIZE**3


class Multiplies(Player):
    """Multiplies matrices: once to begin with, `explore` times in a loop or `exploit` times."""

    name = "multiplies"

    def __init__(self, explore: int, exploit: int, inner: int = 1) -> None:
        self.explore, self.exploit, self.inner = explore, exploit, inner

    def begin(self, spec: Any, key: Any, privileged: Any) -> Any:
        matrix = jax.random.key_data(key).astype(jnp.float32)[0] * jnp.ones((SIZE, SIZE))
        return matrix @ (matrix + 1)

    def act(self, state: Any, observation: Any, key: Any) -> Any:
        def times(count: int) -> Any:
            def inner(_: int, x: Any) -> Any:
                return x @ state

            def outer(_: int, x: Any) -> Any:
                return jax.lax.fori_loop(0, self.inner, inner, x)

            return lambda: jax.lax.fori_loop(0, count, outer, state)

        branches = (lambda: state, times(self.explore), times(self.exploit))
        state = jax.lax.switch(observation.phase, branches)
        return Action(jnp.asarray(0), state[0, 0]), state


@pytest.mark.parametrize(("explore", "exploit", "inner"), [(1, 1, 1), (3, 7, 1), (2, 5, 4)])
def test_products_in_loops_and_branches_count_as_often_as_they_are_done(explore, exploit, inner):
    found = flops_of(Multiplies(explore, exploit, inner), WORLD.spec)
    # A few more to count the turns and to make the first matrix.
    assert found.init == pytest.approx(PRODUCT, abs=2.5 * SIZE**2)
    assert found.act[EXPLORE] == pytest.approx(PRODUCT * explore * inner, abs=4 * explore * inner)
    assert found.act[EXPLOIT] == pytest.approx(PRODUCT * exploit * inner, abs=4 * exploit * inner)
    whole = found.of(WORLD.spec.phases)
    assert whole == found.init + 2 * found.act[EXPLORE] + found.act[EXPLOIT]
    assert (found.loops_once, found.uncounted) == (0, ())


class Waits(Multiplies):
    def act(self, state: Any, observation: Any, key: Any) -> Any:
        state = jax.lax.while_loop(
            lambda x: x[0, 0] < observation.value, lambda x: x @ state, state
        )
        return Action(jnp.asarray(0), jnp.linalg.solve(state, state[0])[0]), state


def test_what_cannot_be_counted_is_said():
    found = flops_of(Waits(1, 1), WORLD.spec)
    assert found.loops_once == 2  # one in either phase
    assert any("getrf" in call for call in found.uncounted)


@pytest.mark.slow
def test_thinking_of_twice_as_many_graphs_costs_twice_as_much():
    few, many, more = (
        flops_of(find_player(f"bayes:sampled-{k}", WORLD), WORLD.spec).act[EXPLOIT]
        for k in (64, 128, 256)
    )
    assert (more - many) / (many - few) == pytest.approx(2.0, rel=0.02)


@pytest.mark.slow
def test_a_network_costs_the_same_whatever_its_weights(tmp_path):
    world = worlds.make("dag")
    agent = find_player("pretrained:dag-plain", world)
    play.perform(world, agent, 8, 0, tmp_path / "run")
    (own,) = evaluation.review([tmp_path / "run"]).runs
    batch = play.episodes(world, agent, 0, "perform", 0, 2)
    rebuilt, same = _frontier.rebuilt(own, batch)
    assert same.spec == world.spec
    assert rebuilt.architecture == agent.architecture
    assert flops_of(rebuilt, world.spec) == flops_of(agent, world.spec)


@pytest.mark.slow
def test_time_is_measured_on_the_histories_of_the_log():
    player = find_player("scripted:largest-effect", WORLD)
    batch = play.episodes(WORLD, player, 0, "perform", 0, 4)
    speed = speed_of(player, WORLD.spec, batch)
    assert speed.single > 0
    assert 0 < speed.batched
    assert speed.batch > 1


# -- the Pareto set -------------------------------------------------------------------------------


def measured(name, returns, experiments, flops, first=0):
    returns = np.asarray(returns, float)
    point = Point(
        "", name, statistics.mean(returns), Estimate(None), Estimate(float(experiments)), flops
    )
    episode = np.stack([np.zeros(len(returns), int), first + np.arange(len(returns))], 1)
    return _frontier._Measured(point, episode, returns)


def test_the_pareto_set_is_everybody_whom_nobody_matches_at_less_or_beats_at_as_little():
    rng = np.random.default_rng(0)
    for _ in range(20):
        # Differences so sure that intervals do not matter.
        gets, cost = rng.integers(0, 6, 8), rng.integers(1, 5, 8)
        players = [
            measured(str(i), gets[i] + 0.01 * (np.arange(50) % 2), 1, float(cost[i]))
            for i in range(8)
        ]
        for i, one in enumerate(players):
            better = [
                j
                for j in range(8)
                if gets[j] >= gets[i]
                and cost[j] <= cost[i]
                and (gets[j] > gets[i] or cost[j] < cost[i])
            ]
            status, by = _frontier._standing(one, players, "flops")
            if not better:
                assert (status, by) == ("yes", "")
            elif any(gets[j] > gets[i] for j in better):
                assert status == "no"
                assert gets[int(by)] > gets[i]
            else:
                assert status == "open"  # as much for less: not more, whatever the interval


def test_a_difference_within_its_interval_leaves_it_open():
    rng = np.random.default_rng(0)
    system = rng.normal(0, 5, 400)  # what both met
    good = measured("good", system + 0.5 + rng.normal(0, 1, 400), 5, 10.0)
    bad = measured("bad", system + rng.normal(0, 1, 400), 5, 20.0)
    assert _frontier._standing(bad, [good, bad], "flops") == ("no", "good")
    assert _frontier._standing(good, [good, bad], "flops") == ("yes", "")
    # The same figures on different systems tell nothing.
    apart = measured("good", good.returns, 5, 10.0, first=1000)
    assert _frontier._standing(bad, [apart, bad], "flops") == ("open", "")


def test_unknown_costs_have_no_standing():
    one = measured("person", [1.0, 2.0], 5, None)
    assert _frontier._standing(one, [one], "flops") == ("", "")
    assert _frontier._standing(one, [one], "experiments") == ("yes", "")


# -- runs -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two players, a person, and a model that speaks."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("scripted:random", "last-2:scripted:largest-effect"):
        player = find_player(name, WORLD)
        play.perform(WORLD, player, 64, 0, folder / name.split(":")[-1])
    batch = play.episodes(WORLD, find_player("scripted:random", WORLD), 0, "p", 0, 6, True)
    people = dataclasses.replace(
        batch,
        origin=dataclasses.replace(batch.origin, experimenter="people"),
        participant=["a", "a", "b", "b", "c", "c"],
    )
    write_batch(folder / "people", people, shard_rows=6)
    model = dataclasses.replace(
        batch, origin=dataclasses.replace(batch.origin, experimenter="llm:someone")
    )
    write_batch(folder / "model", model, shard_rows=6)
    return folder


@pytest.mark.slow
def test_those_that_cannot_be_rebuilt_have_experiments_only_and_a_reason(runs):
    result = evaluation.review(sorted(runs.iterdir()))
    found = frontier(result)
    (group,) = found.groups
    points = {point.agent: point for point in group.points}
    for name, word in (("people", "people"), ("llm:someone", "speaks")):
        assert word in points[name].reason
        assert points[name].cost("flops") is None
        assert points[name].cost("milliseconds") is None
        assert points[name].experiments.value == 2
        assert points[name].pareto["flops"] == ""
    for name in ("random", "last-2:largest-effect"):
        assert points[name].reason == ""
        assert all(points[name].cost(cost) > 0 for cost in COSTS)
    assert dict(found.reasons).keys() == {"people", "llm:someone"}
    page = html(result, found)
    assert "Return against cost" in page
    assert page.count("<svg") == html(result).count("<svg") + 1
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.slow
def test_review_prints_the_frontier_and_puts_it_into_json_and_report(runs, tmp_path, capsys):
    report, folder = tmp_path / "report.html", str(runs / "random")
    code, out, _ = run(capsys, "review", folder, "--frontier", "--out", str(report), "--json")
    assert code == 0
    (point,) = json.loads(out)["frontier"]["groups"][0]["points"]
    world = from_config("dag", json.loads(json.dumps(WORLD.config())))
    player = find_player("scripted:random", world)
    assert point["flops"] == flops_of(player, world.spec).of(world.spec.phases)
    assert point["pareto"] == dict.fromkeys(COSTS, "yes")
    assert "FLOPs" in report.read_text()
    code, out, _ = run(capsys, "review", folder, "--frontier")
    assert code == 0
    assert "Pareto" in out
