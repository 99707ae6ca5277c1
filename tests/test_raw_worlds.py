"""Raw worlds: systems of `dag`, shown; what is learnt from that; and playing through it."""

import dataclasses
import json
import re
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from seedo import abstraction, learning, play, worlds
from seedo.episodes import Dataset, write_batch
from seedo.errors import UserError
from seedo.worlds.raw import DRAWINGS, ThroughWorld, drawing, text_of

BIG = ("gauges", "parts")  # pictures, of which lamps are the quick ones
STEADY = [name for name in DRAWINGS if drawing(name, 2, 0).steady]


def slow_if(condition, value):
    return pytest.param(value, marks=pytest.mark.slow) if condition else value


def told(world):
    """The `dag` of the same settings."""
    own = {k: v for k, v in world.config().items() if k not in world.shows}
    return worlds.from_config("dag", own)


def watched(tmp, world, episodes, player="scripted:random", seed=0):
    play.watch(world, play.find_player(player, world), episodes, seed, tmp)
    return Dataset(tmp)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Logs of a mixture of three variables, and what was learnt from them."""
    folder = tmp_path_factory.mktemp("mixture")
    world = worlds.make("raw", drawing="mixture", n=3, drawing_seed=4)
    logs = watched(folder / "logs", world, 1500)
    return world, logs, abstraction.abstract(folder / "logs", folder / "found", updates=2000)


def test_systems_goals_and_returns_are_those_of_dag_and_no_variable_is_told():
    world = worlds.make("raw", n=4, drawing="lamps")
    for name in ("scripted:expert", "scripted:random"):
        one, other = (
            play.simulate(w, play.find_player(name, w), 3, "perform", 0, 64)
            for w in (world, told(world))
        )
        assert np.array_equal(one.target, other.target)
        assert np.allclose(one.returns, other.returns, atol=1e-6)
        assert np.isnan(one.outcome).all()
        assert np.isfinite(other.outcome).all()
    assert worlds.from_config("raw", json.loads(json.dumps(world.config()))) == world


@pytest.mark.parametrize("name", [slow_if(name in BIG, name) for name in STEADY])
def test_what_is_drawn_again_from_a_log_is_what_the_variables_look_like(tmp_path, name):
    world = worlds.make("raw", drawing=name, n=3, raw_noise=0.0, drawing_seed=2)
    logs = watched(tmp_path / "logs", world, 40)
    plain = told(world)
    same = play.episodes(plain, play.find_player("scripted:random", plain), 0, "watch", 0, 40)
    shown = abstraction.shown_in(logs, abstraction.world_of(logs), range(len(logs.shards)))
    draw = jax.vmap(lambda x: drawing(name, 3, 2).draw(x, jax.random.key(0)))
    expected = np.asarray(draw(jnp.asarray(same.outcome.reshape(-1, 3))))
    assert np.allclose(shown.raw, expected.reshape(len(shown.raw), -1), atol=1e-4)
    assert np.array_equal(np.isfinite(shown.set_to).any(axis=1), same.target.reshape(-1) >= 0)


@pytest.mark.parametrize(
    "name", [slow_if(name in BIG, name) for name in DRAWINGS if name != "words"]
)
def test_no_two_states_look_alike_and_noise_is_as_large_as_said(name):
    made = drawing(name, 4, 1)
    x = jnp.asarray([0.5, -1.0, 2.0, -3.0])
    change = jax.jacobian(lambda x: made.draw(x, jax.random.key(0)).reshape(-1))(x)
    assert np.linalg.matrix_rank(np.asarray(change), tol=1e-3) == 4
    world = worlds.make("raw", drawing=name, n=4, drawing_seed=1, raw_noise=0.1)
    states = world.reset(world.sample(jax.random.key(0)), jax.random.key(1))
    keys = jax.random.split(jax.random.key(2), 400)
    noisy = jax.vmap(lambda key: world.shown(states._replace(outcome=x, key=key)))(keys)
    if made.steady:
        apart = np.asarray(noisy - made.draw(x, jax.random.key(0)))
        assert np.std(apart) == pytest.approx(0.1, rel=0.05)
        assert abs(apart.mean(axis=0)).max() < 0.03  # 6 standard errors


def lines(values, seed=0, n=3, steps=60):
    """Log lines of a step whose variables have these values, drawn anew so many times."""
    made = drawing("words", n, seed)
    keys = jax.random.split(jax.random.key(7), steps)
    raw = jax.vmap(made.draw, (None, 0))(jnp.asarray(values, jnp.float32), keys)
    return raw, [text_of(line) for line in np.asarray(raw)]


def told_by(texts):
    """What clauses of lines tell: of each name, without its wording, all that was told."""
    found = {}
    for text in texts:
        for clause in text.split("; ")[1:]:
            name = re.search(r"\b[A-Z]{4}\b", clause)[0]
            rest = re.sub(r"\b(at|reads|on|now|shows|by|is|stays|says)\b", "", clause)
            found.setdefault(name, set()).add(rest.replace(name, "").strip())
    return found


def test_a_log_line_tells_every_variable_in_its_own_clause_and_wording_varies():
    _, low = lines([1.0, 2.0, -4.0])
    _, high = lines([1.0, 2.0, 4.0])
    same, other = told_by(low), told_by(high)
    steady = [name for name in same if len(same[name]) == 1]
    assert len(same) == 6
    assert len(steady) == 3  # the others are chatter
    assert [name for name in steady if same[name] != other[name]] != []
    assert sum(same[name] == other[name] for name in steady) == 2
    orders = {tuple(re.findall(r"\b[A-Z]{4}\b", text)) for text in low}
    assert len(orders) > 30
    wordings = {re.sub(r"[^a-z ]", "", text).strip() for text in low}
    assert len(wordings) > 30
    assert told_by(lines([1.0, 2.0, -4.0], seed=1)[1]) != same
    assert text_of(np.full(9, np.nan)) == ""


def test_the_numbers_of_a_line_are_those_that_a_person_reads():
    raw, texts = lines([0.3, -7.0, 2.0])
    numbers = np.asarray(jax.vmap(drawing("words", 3, 0).numbers)(raw))
    for row, text in zip(numbers, texts, strict=True):
        read = []
        for clause in text.split("; ")[1:]:
            if number := re.search(r"-?\d+\.\d", clause):
                read.append(float(number[0]))
            if "|" in clause:
                read.append(clause.count("#") / 24)
        for value in read:
            assert np.isclose(row, value, rtol=1e-5, atol=1e-5).any()


@pytest.mark.slow
def test_variables_are_read_off_log_lines_and_chatter_is_not_counted(tmp_path):
    world = worlds.make("raw", drawing="words", n=2)
    watched(tmp_path / "logs", world, 600)
    found = abstraction.abstract(tmp_path / "logs", tmp_path / "found", updates=500)
    assert (found.variables, found.further, found.unset) == (2, 0, ())
    assert all(knob.separable and knob.relative.value < 0.15 for knob in found.knobs)
    assert found.commuting.correlation > 0.93
    assert found.commuting.picture.value is None
    json.dumps(found.to_json(), allow_nan=False)
    through = worlds.make(f"through:{found.path}")
    player = play.find_player("scripted:largest-effect", through)
    seen, true = (
        play.simulate(w, player, 2, "perform", 0, 100) for w in (through, worlds.make("dag", n=2))
    )
    assert seen.returns.sum() > 0.85 * true.returns.sum()
    with pytest.raises(UserError, match="read no log lines"):
        learning.learn([tmp_path / "logs"], tmp_path / "a", learning.Recipe(network="plain-raw"))


@pytest.mark.parametrize("hands", ["wide", "joint"])
def test_knobs_that_set_two_variables_do(hands):
    world = worlds.make("raw", n=4, hands=hands, drawing="mixture")
    task = world.sample(jax.random.key(5))
    weights = np.asarray(task.system.weights)
    values = world.spec.do_values
    for knob in range(4):
        held = [0, 1] if knob == 0 or (knob == 1 and hands == "joint") else [knob]
        cut = weights.copy()
        cut[:, held] = 0
        forced = np.zeros(4)
        forced[held] = values[1]
        truth = np.linalg.solve(np.eye(4) - cut.T, forced)
        assert np.allclose(task.expected[knob, 1], truth, atol=1e-4)
        found = world.outcome(task.system, jnp.int32(knob), jnp.float32(2.5), jax.random.key(1))
        assert np.allclose(np.asarray(found)[held], 2.5)


def test_players_that_read_variables_are_refused_where_there_are_none():
    world = worlds.make("raw")
    for name in ("scripted:largest-effect", "scripted:memoriser", "bayes:eig", "pretrained:dag"):
        with pytest.raises(UserError, match="raw"):
            play.find_player(name, world)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"drawing": "oil"}, "drawing"),
        ({"hands": "two"}, "hands"),
        ({"drawing_seed": -1}, "drawing_seed"),
        ({"raw_noise": float("nan")}, "raw_noise"),
        ({"raw_noise": True}, "raw_noise"),
        ({"confounders": 1}, "confounders"),
        ({"levers": "mixed"}, "levers"),
        ({"n": 40}, "n"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(options, field):
    with pytest.raises(UserError) as refused:
        worlds.make("raw", **options)
    assert refused.value.field == field


def test_variables_are_found_from_logs_alone(mixed, tmp_path):
    _world, _, found = mixed
    assert (found.variables, found.further, found.unset) == (3, 0, ())
    assert all(knob.separable and knob.relative.value < 0.15 for knob in found.knobs)
    fresh = worlds.make("raw", drawing="mixture", n=3, drawing_seed=4, do_values=(-2.0, 2.0))
    logs = watched(tmp_path / "fresh", fresh, 100, seed=9)
    shown = abstraction.shown_in(logs, fresh, range(len(logs.shards)))
    plain = told(fresh)
    truth = play.episodes(plain, play.find_player("scripted:random", plain), 9, "watch", 0, 100)
    read = np.asarray(found.encoder(jnp.asarray(shown.raw)))
    for own, true in zip(read.T, truth.outcome.reshape(-1, 3).T, strict=True):
        assert np.corrcoef(own, true)[0, 1] > 0.98
    assert found.commuting.correlation > 0.98
    assert found.commuting.error.high < 0.2
    assert found.commuting.within.high < 0.2
    assert 0 < found.commuting.within.n <= found.commuting.beyond.n
    assert found.commuting.beyond.value == 1 - found.commuting.within.n / found.commuting.beyond.n


@pytest.mark.slow
def test_systems_beyond_all_that_knobs_were_set_to_are_told_from_the_others(mixed, tmp_path):
    _world, _, found = mixed
    narrow = worlds.make("raw", drawing="mixture", n=3, drawing_seed=4, do_values=(-2.0, 2.0))
    watched(tmp_path / "logs", narrow, 1000)
    guessing = abstraction.abstract(tmp_path / "logs", tmp_path / "found", updates=500).commuting
    assert guessing.beyond.low > found.commuting.beyond.high
    assert guessing.beyond.n == found.commuting.beyond.n


@pytest.mark.parametrize("numbers", [200, pytest.param(5000, marks=pytest.mark.slow)])
def test_components_no_louder_than_noise_are_not_read(numbers):
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(4000, 3)) @ rng.normal(size=(3, numbers))
    noise = 0.5 * rng.normal(size=(4000, numbers))
    for shown, count in ((signal + noise, 3), (noise, 1)):
        centre, components, spread = learning.principal(shown.astype(np.float32), rng)
        assert components.shape == (numbers, count)
        assert (centre.shape, spread.shape) == ((numbers,), (count,))
    few = learning.principal(noise[:, :20].astype(np.float32), rng)
    assert few[1].shape == (20, 20)  # numbers that need not be summarised are all kept


@pytest.mark.slow
@pytest.mark.parametrize(("hands", "apart"), [("wide", "BCD"), ("joint", "CD")])
def test_a_knob_that_sets_two_variables_is_found_out(tmp_path, hands, apart):
    world = worlds.make("raw", drawing="mixture", n=4, hands=hands)
    watched(tmp_path / "logs", world, 1500)
    found = abstraction.abstract(tmp_path / "logs", tmp_path / "found", updates=2000)
    assert "".join(knob.name for knob in found.knobs if knob.separable) == apart
    assert found.knobs[0].sets == ("B",)
    assert found.knobs[1].sets == (("A",) if hands == "joint" else ())
    assert (found.variables, found.commuting) == (4, None)
    with pytest.raises(UserError, match="told apart"):
        worlds.make(f"through:{tmp_path / 'found'}", n=4)


@pytest.mark.slow
def test_a_variable_that_no_knob_sets_is_counted(tmp_path):
    world = worlds.make("raw", drawing="mixture", n=4)
    batch = watched(tmp_path / "all", world, 5000).read()
    without = ~(batch.target == 3).any(axis=1)
    kept = batch.take(np.flatnonzero(without))
    write_batch(tmp_path / "logs", kept, Dataset(tmp_path / "all").job, kept.rows // 10 + 1)
    found = abstraction.abstract(tmp_path / "logs", tmp_path / "found", updates=2000)
    assert [knob.name for knob in found.knobs] == ["A", "B", "C"]
    assert (found.unset, found.further, found.variables) == (("D",), 1, 4)


def test_players_of_dag_play_through_an_abstraction(mixed):
    _world, _, found = mixed
    through = worlds.make(f"through:{found.path}", n=3)
    plain = worlds.make("dag", n=3)
    assert through.spec == plain.spec
    assert worlds.make(f"through:{found.path}") == through
    player = play.find_player("scripted:largest-effect", through)
    seen, true = (play.simulate(w, player, 2, "perform", 0, 200) for w in (through, plain))
    assert np.allclose(seen.oracle_return, true.oracle_return)
    assert seen.returns.sum() > 0.9 * true.returns.sum()
    knob = play.find_player("scripted:random", through)
    seen, true = (play.simulate(w, knob, 2, "perform", 0, 200) for w in (through, plain))
    assert np.array_equal(seen.target, true.target)
    off = seen.outcome - true.outcome
    assert np.abs(np.take_along_axis(off, seen.target[..., None], -1)).max() < 1e-6
    assert np.sqrt((off**2).mean()) < 0.25


def test_logs_through_an_abstraction_open_again_unless_it_changed(mixed, tmp_path):
    _, _, found = mixed
    folder = tmp_path / "moved"
    shutil.copytree(found.path, folder)
    through = worlds.make(f"through:{folder}", n=3)
    logs = watched(tmp_path / "logs", through, 20, "scripted:expert")
    origin = logs.origin
    again = worlds.from_config(origin.world, json.loads(origin.world_config))
    assert isinstance(again, ThroughWorld)
    assert again == through
    about = json.loads((folder / "abstraction.json").read_text())
    (folder / "abstraction.json").write_text(json.dumps(about | {"sha256": "0" * 64}))
    with pytest.raises(UserError, match="not the file"):
        worlds.from_config(origin.world, json.loads(origin.world_config))


@pytest.mark.parametrize(
    ("name", "value"),
    [("n", True), ("n", [3]), ("n", 1e999), ("shows", [1]), ("shows", {"drawing": "mixture"}),
     ("shows", {"size": 1}), ("not_separable", 3), ("not_separable", [None]), ("sha256", None),
     ("format", []), ("version", float("nan"))],
)  # fmt: skip
def test_a_damaged_abstraction_is_refused_in_one_line(mixed, name, value, tmp_path):
    shutil.copytree(mixed[2].path, tmp_path / "a")
    about = json.loads((tmp_path / "a" / "abstraction.json").read_text())
    (tmp_path / "a" / "abstraction.json").write_text(json.dumps(about | {name: value}))
    with pytest.raises(UserError, match=r"abstraction\.json"):
        worlds.make(f"through:{tmp_path / 'a'}", n=3)


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [("drawing", "lamps", "reads no 3 variables"), ("drawing", ["mixture"], "drawing"),
     ("raw_noise", 1e400, "raw_noise"), ("hands", "many", "hands")],
)  # fmt: skip
def test_what_is_shown_has_to_be_what_the_abstraction_learnt(mixed, name, value, match, tmp_path):
    shutil.copytree(mixed[2].path, tmp_path / "a")
    through = worlds.make(f"through:{tmp_path / 'a'}", n=3)
    about = json.loads((tmp_path / "a" / "abstraction.json").read_text())
    other = json.dumps(about | {"shows": about["shows"] | {name: value}})
    (tmp_path / "a" / "abstraction.json").write_text(other)
    with pytest.raises(UserError, match=match):
        worlds.make(f"through:{tmp_path / 'a'}", n=3)
    louder = json.dumps(about | {"shows": about["shows"] | {"raw_noise": 0.5}})
    (tmp_path / "a" / "abstraction.json").write_text(louder)
    with pytest.raises(UserError, match="has changed"):
        ThroughWorld.from_config(through.config())


def test_a_cut_encoder_is_refused_and_a_single_update_is_enough(mixed, tmp_path):
    _, logs, found = mixed
    shutil.copytree(found.path, tmp_path / "a")
    weights = tmp_path / "a" / "encoder.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(UserError, match="not the file"):
        worlds.make(f"through:{tmp_path / 'a'}", n=3)
    hardly = abstraction.abstract(logs.path, tmp_path / "b", 400, updates=1)
    json.dumps(hardly.to_json(), allow_nan=False)
    assert hardly.unexplained > found.unexplained


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("through", {}, "through:FOLDER"),
        ("through:nowhere", {}, "seedo abstract"),
        ("through:{}", {"n": 4}, "3 variables"),
        ("through:{}", {"n": 3, "drawing": "lamps"}, "leave it out"),
    ],
)
def test_what_cannot_be_played_through_is_refused(mixed, name, options, match):
    with pytest.raises(UserError, match=match):
        worlds.make(name.format(mixed[2].path), **options)


def test_logs_that_nothing_can_be_abstracted_from_are_refused(mixed, tmp_path):
    dag = worlds.make("dag", n=3)
    watched(tmp_path / "dag", dag, 40)
    with pytest.raises(UserError, match="nothing raw"):
        abstraction.abstract(tmp_path / "dag", tmp_path / "out")
    world, _, found = mixed
    play.watch(world, play.find_player("scripted:random", world), 3, 0, tmp_path / "few")
    with pytest.raises(UserError):
        abstraction.abstract(tmp_path / "few", tmp_path / "out")
    with pytest.raises(UserError, match="not empty"):
        abstraction.abstract(tmp_path / "few", found.path)
    assert not (tmp_path / "out").exists()


def test_the_same_seed_learns_the_same_bytes(tmp_path):
    world = worlds.make("raw", drawing="mixture", n=3)
    watched(tmp_path / "logs", world, 200)
    for name in ("a", "b"):
        abstraction.abstract(tmp_path / "logs", tmp_path / name, updates=50)
    one, other = ((tmp_path / name / "encoder.safetensors").read_bytes() for name in "ab")
    assert one == other


def test_an_observation_says_what_dag_says_but_for_the_variables():
    world = worlds.make("raw", n=3, drawing="parts")
    plain = told(world)
    key = jax.random.key(0)
    task = world.sample(key)
    one = world.observe(task, world.reset(task, key))
    other = plain.observe(plain.sample(key), plain.reset(task, key))
    for field in ("phase", "steps_left", "target", "value", "relevant", "goal"):
        assert np.array_equal(getattr(one, field), getattr(other, field))
    assert one.raw.shape == (32, 32, 3)
    assert dataclasses.asdict(world.settings) == dataclasses.asdict(plain.settings)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Two files: numbers that mix three knobs, a fourth without a trace, a fifth like the first."""
    rng = np.random.default_rng(0)
    knobs = rng.uniform(-2, 2, (3000, 4))
    mixing = rng.normal(size=(4, 9)) * [[1], [1], [1], [0]]
    seen = np.tanh(knobs @ mixing / 4) + 0.01 * rng.normal(size=(3000, 9))
    frame = pd.DataFrame(np.c_[knobs, seen], columns=[*"pqrs", *(f"x{i}" for i in range(9))])
    frame["same"] = 1.0
    frame["note"] = "text"
    frame["twin"] = 3 * frame["p"] + 1
    folder = tmp_path_factory.mktemp("tables")
    frame[:1500].to_csv(folder / "one.csv", index=False)
    frame[1500:].to_parquet(folder / "two.parquet", index=False)
    return [folder / "one.csv", folder / "two.parquet"]


@pytest.mark.slow
def test_what_knobs_of_a_table_set_is_read_off_its_other_columns(tables, tmp_path):
    raw = [f"x{i}" for i in range(9)]
    found = abstraction.abstract_table(tables, "pqrs", tmp_path / "a", raw, updates=1000)
    assert [knob.separable for knob in found.knobs] == [True, True, True, False]
    assert not found.knobs[3].shown
    assert all(knob.relative.high < 0.2 for knob in found.knobs[:3])
    assert (found.variables, found.further) == (3, 0)


def test_knobs_that_were_always_set_alike_are_not_separable(tables, tmp_path):
    raw = [f"x{i}" for i in range(9)]
    found = abstraction.abstract_table(
        tables, ["p", "q", "twin"], tmp_path / "a", raw, updates=1000
    )
    assert [(knob.name, knob.sets, knob.like) for knob in found.knobs] == [
        ("p", (), ("twin",)), ("q", (), ()), ("twin", (), ("p",)),
    ]  # fmt: skip
    assert found.variables == 2


@pytest.mark.parametrize(
    ("knobs", "raw", "field"),
    [
        ("pz", (), "--knobs"),
        ("pp", (), "--knobs"),
        ("pq", ("x1", "p"), "--raw"),
        ("pq", ("x1", "note"), "column note"),
        ("pq", ("nowhere",), "--raw"),
    ],
)
def test_columns_that_cannot_be_are_refused_by_name(tables, tmp_path, knobs, raw, field):
    with pytest.raises(UserError) as refused:
        abstraction.abstract_table(tables, list(knobs), tmp_path / "out", raw)
    assert field in refused.value.field
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def watcher(tmp_path_factory):
    """A small network that read what a mixture shows, and the world that it watched."""
    folder = tmp_path_factory.mktemp("watcher")
    world = worlds.make("raw", drawing="mixture", n=3, do_values=(-2.0, 2.0))
    play.watch(
        world, play.find_player("scripted:expert", world), 1600, 0, folder / "logs", explain="graph"
    )
    widths = (("size", 16), ("heads", 2), ("layers", 1), ("sight", 16))
    settings = learning.Recipe(
        network="plain-raw", widths=widths, batch_size=8, epochs=2.0, explanations="predict"
    )
    return world, learning.learn([folder / "logs"], folder / "agent", settings), folder / "agent"


def test_a_network_learns_from_what_is_shown(watcher):
    _, agent, _ = watcher
    for loss in ("exploit_loss", "edge_loss"):
        assert agent.history[-1][loss] < agent.history[0][loss]


def test_acting_on_what_is_shown_equals_reading_what_was_shown(watcher):
    world, agent, _ = watcher
    drawn = learning.Agent(
        agent.network, agent.architecture, learning.Provenance("agent"), greedy=False
    )
    batch = play.episodes(world, drawn, 0, "test", 0, 16)
    inputs = learning.batch_inputs(batch)._replace(outcome=play.shown_again(world, batch, "test"))
    steps = jnp.arange(batch.steps)
    read = jax.vmap(lambda one: drawn.network.read(one, steps))(jax.tree.map(jnp.asarray, inputs))
    assert np.allclose(read.log_probs, batch.action_logits, atol=2e-4)
    later = inputs.outcome.copy()
    later[:, 2:] += 1.0
    other = inputs._replace(outcome=later)
    after = jax.vmap(lambda one: drawn.network.read(one, steps))(jax.tree.map(jnp.asarray, other))
    assert np.array_equal(read.log_probs[:, :3], after.log_probs[:, :3])
    assert not np.array_equal(read.log_probs[:, 3:], after.log_probs[:, 3:])


def test_networks_learn_from_logs_of_the_worlds_that_they_read(watcher, tmp_path):
    world, _, _ = watcher
    watched(tmp_path / "raw", world, 40)
    watched(tmp_path / "dag", told(world), 40)
    for logs, network in (("raw", "plain"), ("dag", "plain-raw")):
        with pytest.raises(UserError, match="does not learn from logs"):
            learning.learn([tmp_path / logs], tmp_path / "agent", learning.Recipe(network=network))
    recipe = learning.Recipe(network="plain-raw", rename=True, batch_size=8)
    with pytest.raises(UserError, match="rename"):
        learning.learn([tmp_path / "raw"], tmp_path / "agent", recipe)


def test_an_agent_does_not_play_where_things_are_shown_otherwise(watcher):
    world, _, folder = watcher
    other = worlds.make("raw", drawing="mixture", n=3, do_values=(-2.0, 2.0), drawing_seed=1)
    play.find_player(str(folder), world)
    with pytest.raises(UserError, match="drawing_seed=0"):
        play.find_player(str(folder), other)


@pytest.mark.slow
def test_knobs_that_are_seldom_set_or_do_nothing_leave_the_others_alone(tmp_path):
    rng = np.random.default_rng(1)
    which = rng.integers(3, size=1500)  # of three knobs, one a row; the last does nothing
    knobs = np.where(np.arange(3) == which[:, None], rng.uniform(-2, 2, (1500, 3)), np.nan)
    state = np.where(np.isfinite(knobs), knobs, rng.normal(size=(1500, 3)))[:, :2]
    seen = state @ rng.normal(size=(2, 6)) + 0.02 * rng.normal(size=(1500, 6))
    frame = pd.DataFrame(np.c_[knobs, seen], columns=[*"abc", *(f"x{i}" for i in range(6))])
    frame["copy"] = frame["a"]
    frame["constant"] = 5.0
    frame.to_csv(tmp_path / "t.csv", index=False)
    raw = [f"x{i}" for i in range(6)]
    found = abstraction.abstract_table(
        [tmp_path / "t.csv"], "abc", tmp_path / "out", raw, updates=800
    )
    assert [knob.separable for knob in found.knobs] == [True, True, False]
    assert [knob.sets for knob in found.knobs] == [(), (), ()]
    assert all(knob.error.low > 0 for knob in found.knobs)
    assert found.variables == 2
    copied = abstraction.abstract_table(
        [tmp_path / "t.csv"], ["a", "b", "copy"], tmp_path / "copied", updates=800
    )
    assert [knob.like for knob in copied.knobs] == [("copy",), (), ("a",)]
    assert copied.variables == 2
    with pytest.raises(UserError, match="same in every row"):
        abstraction.abstract_table([tmp_path / "t.csv"], "ab", tmp_path / "c", ["x0", "constant"])
    few = abstraction.abstract_table(
        [tmp_path / "t.csv"], "ab", tmp_path / "few", ["x0"], updates=100
    )
    assert few.variables <= 1 or not any(knob.separable for knob in few.knobs)
