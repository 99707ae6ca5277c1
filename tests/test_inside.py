"""Probes and interchange interventions, on networks whose algorithm is known."""

from __future__ import annotations

import json
from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import cross_val_score

from command import run
from seedo import abstraction, learning, play, worlds
from seedo.errors import UserError
from seedo.inference.exact import ExactPosterior
from seedo.inference.scores import Rows
from seedo.worlds import EXPLOIT

RIVAL = "largest-effect"


class Averages(eqx.Module):
    """Takes the lever with the largest mean of result over value: `largest-effect` by hand.

    What it knows of i and j stands at [where[i], where[j]] of its one state; `where` is known to
    nobody else.
    """

    where: tuple[int, ...] = eqx.field(static=True)
    values: tuple[float, ...] = eqx.field(static=True)

    def start(self, n, steps):
        return jnp.zeros((n, n)), jnp.zeros(n)

    def remember(self, memory, row):
        total, count = memory
        own = (jnp.arange(len(count)) == row.target) & row.seen
        slope = jnp.where(own[:, None], row.outcome / jnp.where(own.any(), row.value, 1.0), 0.0)
        return total + jnp.nan_to_num(slope), count + own

    def decide(self, memory, cue, dtype=jnp.float32, edit=learning.unedited):
        total, count = memory
        at = jnp.asarray(self.where)
        mean = total / jnp.maximum(count, 1)[:, None]
        # A second layer, so that the first is handed on as it was put there.
        state = edit(0, jnp.zeros_like(mean).at[at[:, None], at].set(mean)[..., None])
        state = edit(1, 2.0 * state)[..., 0] / 2
        score = state[at[:, None], at][:, jnp.maximum(cue.goal, 0)]
        logits = score[:, None] * jnp.asarray(self.values)
        closed = (jnp.arange(len(score)) == cue.goal) & (cue.phase == EXPLOIT)
        logits = jnp.where(closed[:, None], -jnp.inf, logits)
        decision = learning.Decision(jax.nn.log_softmax(logits.reshape(-1)), mean)
        return decision, memory


class Sizes(Averages):
    """Keeps the sizes of its averages, off which a line can tell edges; it takes any action."""

    def decide(self, memory, cue, dtype=jnp.float32, edit=learning.unedited):
        total, count = memory
        at = jnp.asarray(self.where)
        size = jnp.abs(total / jnp.maximum(count, 1)[:, None])
        state = edit(0, jnp.zeros_like(size).at[at[:, None], at].set(size)[..., None])
        actions = len(count) * len(self.values)
        return learning.Decision(jnp.full(actions, -jnp.log(actions)), state[..., 0]), memory


class Hidden(eqx.Module):
    """The same in one vector, turned, where nothing linear tells a score: each stands there times a
    sign that differs from episode to episode, and the sign beside it; the rest is idle."""

    own: Averages
    turn: jax.Array

    def start(self, n, steps):
        return self.own.start(n, steps)

    def remember(self, memory, row):
        return self.own.remember(memory, row)

    def write(self, score, logits):
        sign = jnp.where(jnp.sin(997 * score) > 0, 1.0, -1.0)
        return jnp.concatenate([score * sign, sign])

    def read(self, code, n):
        return (code[:n] * code[n : 2 * n])[:, None] * jnp.asarray(self.own.values)

    def decide(self, memory, cue, dtype=jnp.float32, edit=learning.unedited):
        total, count = memory
        n = len(count)
        score = (total / jnp.maximum(count, 1)[:, None])[:, jnp.maximum(cue.goal, 0)]
        closed = (jnp.arange(n) == cue.goal)[:, None] & (cue.phase == EXPLOIT)

        def said(scores):
            return jnp.where(closed, -jnp.inf, scores)

        used = self.write(score, said(score[:, None] * jnp.asarray(self.own.values)))
        idle = jnp.resize(jnp.sin(131 * total), len(self.turn) - len(used))
        vector = edit(0, self.turn @ jnp.concatenate([used, idle]))
        logits = said(self.read(self.turn.T @ vector, n)).reshape(-1)
        return learning.Decision(jax.nn.log_softmax(logits), total), memory


class Decided(Hidden):
    """Its vector holds what it will do, and no lever's score."""

    def write(self, score, logits):
        return 3.0 * jax.nn.one_hot(logits.reshape(-1).argmax(), logits.size)

    def read(self, code, n):
        return code[: 2 * n].reshape(n, 2)


@pytest.fixture(scope="module")
def world():
    return worlds.make("dag", n=4, experiments=4, noise_variance=0.25)


@pytest.fixture(scope="module")
def batch(world):
    return play.episodes(
        world,
        play.find_player("scripted:largest-effect", world),
        3,
        "perform",
        0,
        900,
        systems=True,
    )


@pytest.fixture(scope="module")
def tests(world, batch):
    """Inputs of the episodes, step of the scored action, and scores by algorithm."""
    inputs, step = learning.batch_inputs(batch), world.spec.phases.index(EXPLOIT)
    return SimpleNamespace(inputs=inputs, step=step, scores=abstraction.tables(world, inputs, step))


def exchanged(network, tests, layer=0, subspaces=None):
    state = abstraction.states(network, tests.inputs).layers[layer][:, tests.step]
    return abstraction.interchanged(
        network, tests.inputs, tests.step, layer, state, tests.scores, subspaces, seed=0
    )


def some(tests, rows):
    inputs = learning.Inputs(*(np.asarray(column)[rows] for column in tests.inputs))
    scores = {name: table[rows] for name, table in tests.scores.items()}
    return SimpleNamespace(inputs=inputs, step=tests.step, scores=scores)


def turned(network, world, size=24):
    drawn = np.random.default_rng(0).normal(size=(size, size))
    turn = jnp.asarray(np.linalg.qr(drawn)[0], jnp.float32)
    return network(Averages((0, 1, 2, 3), world.spec.do_values), turn)


def searched(network, tests, dealt=False):
    """Interchange in a third of the episodes along what is learnt in the others."""
    rows = np.arange(len(tests.inputs.goal))
    learn, test = some(tests, rows[rows % 3 > 0]), some(tests, rows[rows % 3 == 0])
    at = abstraction.ready(network, learn.inputs, tests.step)
    state = abstraction.states(network, learn.inputs).layers[0][:, tests.step]
    goal = np.asarray(learn.inputs.goal)[:, tests.step]
    order = np.random.default_rng(1).permutation(len(goal)) if dealt else np.arange(len(goal))
    found = {
        name: abstraction.find_subspaces(
            network, at, 0, state, goal, learn.scores[name][order], seed=0
        )
        for name in (abstraction.CAUSAL, RIVAL)
    }
    return exchanged(network, test, 0, found)


def test_states_are_those_of_the_network_and_putting_them_back_changes_nothing(world, tests):
    network = Averages((0, 1, 2, 3), world.spec.do_values)
    found = abstraction.states(network, tests.inputs)
    log = tests.inputs
    for row in range(5):
        for target, value, outcome in zip(
            log.target[row, :4], log.value[row, :4], log.outcome[row, :4], strict=True
        ):
            mean = found.layers[0][row, tests.step, target, :, 0]
            np.testing.assert_allclose(mean, outcome / value, rtol=1e-5)
    np.testing.assert_allclose(found.layers[1], 2 * found.layers[0])
    plain = found.log_probs[:, tests.step].argmax(-1)
    np.testing.assert_array_equal(plain, abstraction.taken(tests.scores[RIVAL]))
    for layer in (0, 1):
        state = found.layers[layer][:, tests.step]
        at = abstraction.ready(network, tests.inputs, tests.step)
        again = abstraction.actions_with(network, at, layer, state)
        np.testing.assert_array_equal(again, plain)


@pytest.mark.parametrize("layer", [0, 1])
def test_the_algorithm_of_a_network_built_by_hand_is_found(world, tests, layer):
    found = exchanged(Averages((0, 1, 2, 3), world.spec.do_values), tests, layer)
    hand = found.algorithms[RIVAL]
    assert hand.followed.value == hand.same.value == hand.own.value == 1
    for name in set(abstraction.ALGORITHMS) - {RIVAL}:
        other = found.algorithms[name]
        assert other.same.value < 0.95
        assert other.same.high < 1
    assert found.elsewhere.value < 0.5


@pytest.mark.parametrize(
    ("sizes", "replaced", "elsewhere"),
    [((1, 1, 1, 1), 0, False), ((1, 2, 0, 0), 2, False), ((1, 0, 40, 0), 40, True)],
)
def test_episodes_without_another_of_their_goal_are_left_out(
    world, tests, sizes, replaced, elsewhere
):
    goal = np.asarray(tests.inputs.goal)[:, tests.step]
    rows = np.concatenate([np.flatnonzero(goal == at)[:size] for at, size in enumerate(sizes)])
    found = exchanged(Averages((0, 1, 2, 3), world.spec.do_values), some(tests, rows))
    moved = found.algorithms[abstraction.CAUSAL].same.n
    assert moved + found.kept.n == replaced
    assert found.elsewhere.n == (moved if elsewhere else 0)
    assert found.algorithms[RIVAL].followed.n == sum(sizes)


def test_it_is_not_found_in_a_twin_that_does_the_same_with_its_parts_mixed_up(world, tests):
    twin = Averages((2, 0, 3, 1), world.spec.do_values)
    found = exchanged(twin, tests).algorithms[RIVAL]
    assert found.followed.value == 1
    assert found.own.value < 0.4


def test_a_search_finds_scores_that_no_linear_direction_holds(world, tests):
    network = turned(Hidden, world)
    state = abstraction.states(network, tests.inputs).layers[0][:, tests.step]
    goal = np.asarray(tests.inputs.goal)[:, tests.step]
    own = goal != 0
    score = tests.scores[RIVAL][own, 0, -1]
    assert cross_val_score(Ridge(), state[own], score, scoring="r2").mean() < 0.1
    found = searched(network, tests)
    assert found.algorithms[RIVAL].followed.value == 1
    assert found.algorithms[RIVAL].own.low > 0.9
    assert found.algorithms[RIVAL].own.low > found.algorithms[abstraction.CAUSAL].own.high
    assert searched(network, tests, dealt=True).algorithms[RIVAL].own.value < 0.5


def test_a_search_finds_no_scores_where_only_the_action_is_held(world, tests):
    found = searched(turned(Decided, world), tests)
    assert found.algorithms[RIVAL].followed.value == 1
    assert found.algorithms[RIVAL].own.high < 0.8
    assert found.new.high < 0.5


def test_what_can_be_asked_for_is_what_is_done_where_choices_are_as_close(world, tests):
    found = exchanged(Averages((0, 1, 2, 3), world.spec.do_values), tests)
    causal = found.algorithms[abstraction.CAUSAL]
    # It never was the causal algorithm: it does as much of it replaced as it does unreplaced.
    assert found.fair.value == pytest.approx(causal.same.value / causal.followed.value, abs=0.15)
    assert found.fair.low < 1 < found.fair.high + 0.05


@pytest.fixture(scope="module")
def looked(world, batch):
    by_hand, twin = (
        Averages(where, world.spec.do_values) for where in ((0, 1, 2, 3), (2, 0, 3, 1))
    )
    looking = abstraction.look(by_hand, twin, world, batch, steps=[4])
    return abstraction.look_inside(looking)


def test_probes_read_what_is_there_and_nothing_where_parts_are_mixed_up(looked, world, batch):
    # A slope of either sign may stand for an edge: no linear probe reads that.
    edges = next(p for p in looked.probes if (p.target, p.kind) == ("edges", "small network"))
    effects = next(p for p in looked.probes if p.target == "effects" and p.kind == "linear")
    # What was set in every experiment tells the effects but for noise of variance 1/4 over 4.
    true = abstraction.truths(world, batch, [4])
    share = 1 - (0.25 / 4) / np.var(true.effects[:, ~np.eye(4, dtype=bool)])
    assert effects.found.value == pytest.approx(share, abs=0.1)
    assert edges.found.low > 0.75
    for probe in (edges, effects):
        assert probe.known is not None
        assert probe.found.value <= probe.known.high
        assert probe.untrained.high < probe.found.low
    assert abs(edges.control.value - 0.5) < 0.05
    assert effects.control.value < 0.02


def test_decoded_edges_are_what_a_probe_of_the_known_state_says_at_every_step(world, batch):
    network = Sizes((0, 1, 2, 3), world.spec.do_values)
    twin = Sizes((2, 0, 3, 1), world.spec.do_values)  # reads each pair where another's is
    looking = abstraction.look(network, twin, world, batch, steps=range(5))
    steps = []
    found = abstraction.decoder(looking, lambda done, total: steps.append((done, total)))
    assert steps == [(k, 5) for k in range(6)]
    assert (found.taught, found.tested, found.steps) == (600, 300, (0, 1, 2, 3, 4))
    test = np.arange(batch.rows) % 3 == 0
    said = found(network, learning.batch_inputs(batch.take(np.flatnonzero(test))))
    assert said.shape == (300, 5, 4, 4)
    edges = np.array([json.loads(s)["weights"] for s in batch.system]) != 0
    off = ~np.eye(4, dtype=bool)
    assert (said[..., ~off] == 0).all()
    # Nothing is known before the first step but how common edges are.
    np.testing.assert_allclose(said[:, 0][:, off], edges[~test][:, off].mean(), atol=1e-3)
    # The state of a pair is the size of the mean of result over value where the first was set; that
    # of the other way round goes with it.
    ratio = batch.outcome / batch.value[..., None]
    for step in (2, 4):
        own = batch.target[:, :step, None] == np.arange(4)
        count = np.maximum(own.sum(1), 1)[..., None]
        mean = np.nan_to_num(np.einsum("bti,btj->bij", own, np.nan_to_num(ratio[:, :step]))) / count
        x = np.abs(np.stack([mean, mean.swapaxes(1, 2)], -1))[:, off]
        model = LogisticRegression(C=1e3, max_iter=1000)
        model.fit(x[~test].reshape(-1, 2), edges[~test][:, off].ravel())
        by_hand = model.predict_proba(x[test].reshape(-1, 2))[:, 1].reshape(300, -1)
        np.testing.assert_allclose(said[:, step][:, off], by_hand, atol=0.02)
        right = edges[test][:, off]
        areas = [roc_auc_score(right[:, k], said[:, step][:, off][:, k]) for k in range(12)]
        assert found.found[step].value == pytest.approx(np.mean(areas))
        assert found.untrained[step].high < found.found[step].low
        assert found.found[step].value <= found.known[step].high
    assert found.found[4].value > found.found[1].value > 0.5


@pytest.mark.slow
def test_a_state_of_one_vector_is_searched_for_every_algorithm_and_for_nothing(world, batch):
    widths = {"size": 16, "heads": 2, "layers": 1}
    own = learning.architecture("plain", world.spec.do_values, 4, 5, widths)
    networks = (learning.build(own, seed) for seed in (0, 1))
    looking = abstraction.look(*networks, world, batch.take(slice(0, 240)), steps=[])
    found = abstraction.look_inside(looking)
    assert not found.axes
    assert found.layer == 0
    searched = found.interchange[0].algorithms
    assert all(searched[name].own.n > 0 for name in (abstraction.CAUSAL, *abstraction.RIVALS))
    assert found.interchange[1].algorithms[RIVAL].own.reason == "not sought"
    # It has learnt nothing, as little as the twin, and nothing is what dealt scores hold.
    for one in (found.interchange[0], found.untrained, found.dealt):
        assert one.algorithms[abstraction.CAUSAL].same.low < 0.4
    json.dumps(found.to_json(), allow_nan=False)


def test_what_the_posterior_knows_is_what_other_code_says(world, batch):
    true = abstraction.truths(world, batch, [4])
    weights = np.array([json.loads(s)["weights"] for s in batch.system])
    np.testing.assert_array_equal(true.edges, weights != 0)
    chain = sum(np.linalg.matrix_power(weights, k) for k in range(5))
    np.testing.assert_allclose(true.effects, chain, atol=1e-5)
    config = world.config()
    listed = ExactPosterior(4, config["max_parents"], config["noise_variance"], 1.0)
    for row in range(3):
        rows = Rows(jnp.asarray(batch.outcome[row, :4]), jnp.asarray(batch.target[row, :4]))
        np.testing.assert_allclose(
            true.believed_edges[4][row], listed.edge_marginals(rows), atol=2e-4
        )
        np.testing.assert_allclose(true.entropy[4][row], listed.entropy(rows), atol=2e-3)


@pytest.mark.parametrize(
    "kind", ["equivariant", *(pytest.param(k, marks=pytest.mark.slow) for k in ("plain", "tokens"))]
)
def test_our_networks_are_looked_into_without_changing_what_they_do(world, batch, kind):
    own = learning.architecture(kind, world.spec.do_values, 4, 5)
    network = learning.build(own, 0)
    inputs = learning.batch_inputs(batch.take(slice(0, 40)))
    found = abstraction.states(network, inputs)
    read = jax.vmap(lambda own: network.read(own, jnp.arange(5)).log_probs)(
        jax.tree.map(jnp.asarray, inputs)
    )
    np.testing.assert_allclose(found.log_probs, read, atol=1e-4)
    at = abstraction.ready(network, inputs, 4)
    for layer, state in enumerate(found.layers):
        again = abstraction.actions_with(network, at, layer, state[:, 4])
        np.testing.assert_array_equal(again, found.log_probs[:, 4].argmax(-1))
    assert {"equivariant": 5, "plain": 3, "tokens": 4}[kind] == found.layers[0].ndim
    assert len(found.layers) == 1 + {"equivariant": 3, "plain": 4, "tokens": 3}[kind]


def test_too_few_episodes_and_prices_and_idle_variables_are_refused(world, batch):
    network = Averages((0, 1, 2, 3), world.spec.do_values)
    with pytest.raises(UserError, match="60 or more"):
        abstraction.look(network, network, world, batch.take(slice(0, 30)))
    for settings, named in (
        ({"relevant": 3}, "probes take all"),
        ({"costs": (0.1, 0.2, 0.3, 0.4)}, "prices"),
    ):
        with pytest.raises(UserError, match=named):
            abstraction.exact_posterior(worlds.make("dag", n=4, experiments=4, **settings))


@pytest.mark.slow
def test_where_there_is_no_posterior_the_truth_stands_for_it(batch):
    bent = worlds.make("dag", preset="lampinen", n=4, experiments=4)
    player = play.find_player("scripted:largest-effect", bent)
    bent_batch = play.episodes(bent, player, 3, "perform", 0, 60, systems=True)
    assert abstraction.exact_posterior(bent) is None
    true = abstraction.truths(bent, bent_batch, [4])
    assert not true.believed_edges
    assert not true.entropy
    inputs, step = learning.batch_inputs(bent_batch), bent.spec.phases.index(EXPLOIT)
    tables = abstraction.tables(bent, inputs, step, true.expected)
    best = [np.nanmax(table[np.isfinite(table)]) for table in tables[abstraction.CAUSAL]]
    np.testing.assert_allclose(best, bent_batch.oracle_return, atol=1e-5)
    with pytest.raises(UserError, match="posterior"):
        abstraction.tables(bent, inputs, step)


def test_scores_of_probes_are_those_of_other_code_within_places():
    drawn = np.random.default_rng(0)
    said = drawn.normal(size=(200, 3)) + np.array([0, 5, -5])
    edges = said + drawn.normal(size=said.shape) > np.array([0, 5, -5])
    areas = [roc_auc_score(edges[:, k], said[:, k]) for k in range(3)]
    assert abstraction.scored(edges, said).value == pytest.approx(np.mean(areas))
    numbers = 2 * said + drawn.normal(size=said.shape)
    explained = [r2_score(numbers[:, k], said[:, k]) for k in range(3)]
    weights = numbers.var(0) / numbers.var(0).sum()
    assert abstraction.scored(numbers, said).value == pytest.approx(np.dot(explained, weights))
    places = np.broadcast_to(np.array([0.0, 5.0, -5.0]), said.shape)
    assert abstraction.scored(edges, places).value == 0.5  # to know the places is worth nothing
    assert abstraction.scored(np.full((9, 2), 0.3), said[:9, :2]).value is None


@pytest.mark.parametrize("rare", [True, 1.0, 1e9])
def test_where_some_resamples_hold_nothing_to_tell_there_is_no_interval(rare):
    target = np.zeros((20, 2), type(rare))
    target[3] = rare  # not in (19/20)^20, a third, of the resamples
    said = np.arange(40).reshape(20, 2) / 7
    found = abstraction.scored(target, said)
    assert (found.low, found.high, found.n) == (None, None, 20)
    assert found.reason
    right = (
        np.mean([roc_auc_score(target[:, k], said[:, k]) for k in range(2)])
        if rare is True
        else r2_score(target, said)
    )
    assert found.value == pytest.approx(right)
    json.dumps(found.to_json(), allow_nan=False)
    many = abstraction.scored(np.tile(target, (40, 1)), np.tile(said, (40, 1)))
    assert many.low < found.value < many.high


@pytest.mark.parametrize("kind", abstraction.PROBES)
def test_classes_of_one_member_are_survived(kind):
    drawn = np.random.default_rng(0)
    features = drawn.normal(size=(60, 5)).astype(np.float32)
    target = features[:, :2] > 0
    target[:, 1] = np.arange(60) == 7
    counts = np.ones(2, bool)
    learn = abstraction.Places(features, target, counts)
    found = abstraction.probed(learn, learn, kind)
    assert found.value > 0.6


SMALL = ("--n", "3", "--set", "experiments=3", "--episodes", "60")


@pytest.mark.slow
def test_the_command_prints_both_tables_and_writes_what_it_found(tmp_path, capsys):
    out, figure = tmp_path / "inside.json", tmp_path / "inside.svg"
    words = ("probe", "pretrained:dag", *SMALL, "--out", str(out), "--figure", str(figure))
    code, said, _ = run(capsys, *words)
    assert code == 0
    assert "frequencies" in said
    found = json.loads(out.read_text())
    assert {probe["target"] for probe in found["probes"]} == set(abstraction.TARGETS)
    assert {probe["step"] for probe in found["probes"]} == {0, 1, 2, 3}
    assert [one["layer"] for one in found["interchange"]] == [0, 1, 2, 3]
    assert figure.read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["scripted:expert"], "agent"),
        (["pretrained:dag-text", "--set", "observations=2"], "observations"),
        (["pretrained:dag", "--episodes", "59"], "--episodes"),
        (["pretrained:dag", "--figure", "a.pdf"], "--figure"),
        (["pretrained:dag", "--out", "."], "--out"),
        (["pretrained:dag", "--bayesian", "nobody"], "--bayesian"),
        (["pretrained:dag", "--figure", "nowhere/a.svg"], "--figure"),
        (["pretrained:dag-plain", "--n", "4"], "n:"),
    ],
)
def test_what_cannot_be_looked_into_is_one_line(words, named, capsys, tmp_path):
    code, _, said = run(capsys, "probe", *words)
    assert code == 2
    assert said.startswith("seedo: ")
    assert named in said
    assert said.count("\n") == 1
