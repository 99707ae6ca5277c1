"""Networks, imitation and agents, through the public interface."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seedo import learning, play, worlds
from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.experimenters import scripted

TOLD = tuple(kind for kind in learning.KINDS if kind not in learning.READS_RAW)
"""Kinds that read variables; for the others see test_raw_worlds.py."""
SMALL = {"equivariant": (("size", 12), ("channels", 4), ("layers", 2), ("learnt", 4))} | (
    dict.fromkeys(TOLD[1:], (("size", 16), ("heads", 2), ("layers", 1)))
)
ALIKE = ("tokens", "tokens-frozen", "scratchpad-alone")
"""Networks that differ from others by little, whose tests are run with the long ones."""
KINDS = [pytest.param(kind, marks=pytest.mark.slow) if kind in ALIKE else kind
         for kind in TOLD]  # fmt: skip
FILES = ("agent.json", "weights.safetensors", "optimizer.safetensors", "metrics.jsonl", "job.json")


def make_batch(n: int = 5, count: int = 8, **options) -> EpisodeBatch:
    world = worlds.make("dag", n=n, **options)
    return play.episodes(world, scripted("expert"), 3, "test", 0, count)


def network(kind: str, n: int = 5, steps: int = 12) -> learning.Architecture:
    return learning.architecture(kind, (-2.0, 2.0), n, steps, dict(SMALL[kind]))


@eqx.filter_jit
def _read(net, inputs: learning.Inputs, steps) -> learning.Decision:
    return jax.vmap(lambda i: net.read(i, steps))(inputs)


def decisions(net, batch: EpisodeBatch) -> learning.Decision:
    inputs = jax.tree.map(jnp.asarray, learning.batch_inputs(batch))
    return _read(net, inputs, jnp.arange(batch.steps))


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    path = tmp_path_factory.mktemp("logs") / "dag"
    world = worlds.make("dag", exploits=2, goals="fresh")
    play.watch(world, scripted("expert"), 1600, 0, path, explain="graph")
    return path


@pytest.fixture(scope="module")
def telling(tmp_path_factory):
    """Logs that tell effects, which network `scratchpad` learns to state."""
    path = tmp_path_factory.mktemp("logs") / "telling"
    world = worlds.make("dag", exploits=2, goals="fresh")
    play.watch(world, scripted("expert"), 1600, 0, path, explain="effects")
    return path


def recipe(kind: str = "equivariant", **options) -> learning.Recipe:
    settings = {"network": kind, "widths": SMALL[kind], "batch_size": 8, "epochs": 1.0}
    return learning.Recipe(**(settings | options))


@pytest.mark.parametrize(
    "n", [pytest.param(3, marks=pytest.mark.slow), 5, pytest.param(8, marks=pytest.mark.slow)]
)
def test_renaming_variables_permutes_the_outputs_of_the_equivariant_network(n):
    net = learning.build(network("equivariant"), 1)
    batch = make_batch(n, observations=1, exploits=2, goals="fresh")
    order = np.random.default_rng(n).permutation(n)  # new variable i is old variable order[i]
    place = np.argsort(order)

    def renamed(column):
        return np.where(column >= 0, place[np.maximum(column, 0)], -1)

    other = dataclasses.replace(
        batch,
        target=renamed(batch.target),
        goal=renamed(batch.goal),
        outcome=batch.outcome[..., order],
        mask=batch.mask[:, order],
    )
    a, b = decisions(net, batch), decisions(net, other)
    shape = (*a.log_probs.shape[:2], n, 2)
    np.testing.assert_allclose(
        np.asarray(a.log_probs).reshape(shape)[:, :, order],
        np.asarray(b.log_probs).reshape(shape),
        atol=2e-5,
    )
    np.testing.assert_allclose(
        np.asarray(a.edges)[:, :, order][..., order], np.asarray(b.edges), atol=2e-5
    )


@pytest.mark.parametrize("kind", KINDS)
def test_acting_step_by_step_equals_reading_the_whole_episode(kind):
    world = worlds.make("dag", observations=1, exploits=2, goals="fresh")
    plan = network(kind)
    net = learning.build(plan, 2)
    if kind == "retrieval":
        rng = np.random.default_rng(0)
        net = net.with_episodes(*jnp.asarray(rng.normal(size=(2, 300, 5)), jnp.float32))
    agent = learning.Agent(net, plan, learning.Provenance("agent"), greedy=False)
    batch = play.episodes(world, agent, 0, "test", 0, 16)
    read = decisions(agent.network, batch)
    acting = batch.phase[0] != worlds.OBSERVE
    np.testing.assert_allclose(
        np.asarray(read.log_probs)[:, acting], batch.action_logits[:, acting], atol=2e-5
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_decision_does_not_see_its_own_step_or_later_ones(kind):
    net = learning.build(network(kind), 3)
    batch = make_batch()
    before = decisions(net, batch).log_probs
    outcome, target = batch.outcome.copy(), batch.target.copy()
    outcome[:, 3:] += 1.0
    target[:, 3:5] = (target[:, 3:5] + 1) % 5
    after = decisions(net, dataclasses.replace(batch, outcome=outcome, target=target)).log_probs
    np.testing.assert_array_equal(np.asarray(before)[:, :4], np.asarray(after)[:, :4])
    assert not np.array_equal(np.asarray(before)[:, 4:], np.asarray(after)[:, 4:])


@pytest.mark.parametrize("kind", KINDS)
def test_exploiting_never_sets_the_goal(kind):
    net = learning.build(network(kind), 4)
    batch = make_batch(exploits=1)
    last = np.asarray(decisions(net, batch).log_probs)[:, -1].reshape(-1, 5, 2)
    own = last[np.arange(len(last)), batch.goal[:, -1]]
    assert np.isneginf(own).all()
    np.testing.assert_allclose(np.exp(last).sum((1, 2)), 1.0, atol=1e-5)


@pytest.mark.parametrize(
    "kind",
    [k if k in ("plain", "scratchpad") else pytest.param(k, marks=pytest.mark.slow) for k in TOLD],
)
def test_learning_lowers_the_loss_and_writes_a_loadable_agent(kind, logs, telling, tmp_path):
    out = tmp_path / "agent"
    agent = learning.learn(
        [telling if kind.startswith("scratchpad") else logs],
        out,
        recipe(kind, explanations="predict", epochs=2.0),
    )
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["exploit_loss"] < rows[0]["exploit_loss"]
    assert rows[-1]["edge_loss"] < rows[0]["edge_loss"]
    assert rows[-1]["episodes"] == agent.training["episodes"] == 2 * 1520
    assert agent.training["data"][0]["rows"] == 1600
    again = learning.load_agent(out)
    batch = make_batch()
    np.testing.assert_array_equal(
        decisions(agent.network, batch).log_probs, decisions(again.network, batch).log_probs
    )


class _Killed(Exception):
    pass


@pytest.mark.slow
def test_renaming_changes_nothing_for_a_network_that_treats_variables_alike(logs, tmp_path):
    def losses(renames: bool) -> list[float]:
        out = tmp_path / f"renames-{renames}"
        learning.learn([logs], out, recipe(rename=renames, explanations="predict"))
        row = json.loads((out / "metrics.jsonl").read_text().splitlines()[-1])
        return [row[name] for name in ("explore_loss", "exploit_loss", "edge_loss")]

    np.testing.assert_allclose(losses(True), losses(False), rtol=1e-3)


@pytest.mark.slow
def test_what_a_scratchpad_states_are_the_effects_told(telling, tmp_path):
    agent = learning.learn(
        [telling], tmp_path / "agent", recipe("scratchpad", explanations="predict", epochs=5.0)
    )
    world = worlds.make("dag", exploits=2, goals="fresh")
    batch = play.episodes(world, scripted("expert"), 99, "test", 0, 512, systems=True)
    stated = np.asarray(decisions(agent.network, batch).edges)[:, -1]
    systems = [json.loads(text) for text in batch.system]
    low, high = np.moveaxis(np.array([s["expected"] for s in systems]), 2, 0)
    effects = np.arcsinh((high - low) / 4.0)  # do-values -2 and 2
    others = ~np.eye(5, dtype=bool)
    told = np.corrcoef(stated[:, others].ravel(), effects[:, others].ravel())[0, 1]
    assert told > 0.3
    with pytest.raises(UserError, match="explain effects"):
        learning.learn([telling], tmp_path / "mute", recipe("scratchpad"))


@pytest.mark.parametrize("kind", [pytest.param("equivariant", marks=pytest.mark.slow), "plain"])
def test_an_interrupted_job_ends_in_the_same_bytes(kind, logs, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    learning.learn([logs], whole, recipe(kind))

    def stop(report):
        if report.row["step"] >= 150:
            raise _Killed

    with pytest.raises(_Killed):
        learning.learn([logs], broken, recipe(kind), progress=stop, checkpoint_seconds=0.0)
    with pytest.raises(UserError, match="not finished"):
        learning.load_agent(broken)
    assert (broken / "checkpoint").is_dir()
    learning.learn([logs], broken, recipe(kind), resume=True)
    for name in FILES:
        assert (whole / name).read_bytes() == (broken / name).read_bytes(), name
    assert sorted(p.name for p in broken.iterdir()) == sorted(FILES)


def test_a_job_is_resumed_only_as_it_was_begun(logs, tmp_path):
    learning.learn([logs], tmp_path / "a", recipe(epochs=0.05))
    with pytest.raises(UserError, match="--resume"):
        learning.learn([logs], tmp_path / "a", recipe(epochs=0.05))
    with pytest.raises(UserError, match="learning_rate"):
        learning.learn([logs], tmp_path / "a", recipe(epochs=0.05, learning_rate=0.1), resume=True)


@pytest.mark.slow
def test_two_devices_learn_what_one_learns(logs, tmp_path):
    """Runs in a process of its own, since the number of host devices is fixed at start."""
    code = f"""
from seedo import learning
r = dict(widths={SMALL["equivariant"]}, batch_size=8, epochs=0.2)
learning.learn([{str(logs)!r}], {str(tmp_path / "two")!r}, learning.Recipe(**r, devices=2))
"""
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    two = learning.load_agent(tmp_path / "two")
    one = learning.learn([logs], tmp_path / "one", recipe(epochs=0.2))
    for a, b in zip(
        jax.tree.leaves(eqx.filter(one.network, eqx.is_array)),
        jax.tree.leaves(eqx.filter(two.network, eqx.is_array)),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, atol=2e-3)


@pytest.mark.slow
def test_bfloat16_stays_near_float32(logs, tmp_path):
    a = learning.learn([logs], tmp_path / "a", recipe(epochs=0.3))
    b = learning.learn([logs], tmp_path / "b", recipe(epochs=0.3, precision="bfloat16"))
    x, y = a.history[-1]["exploit_loss"], b.history[-1]["exploit_loss"]
    assert abs(x - y) < 0.1
    assert x != y


def test_plain_refuses_other_sizes_and_longer_episodes(logs, tmp_path):
    agent = learning.learn([logs], tmp_path / "a", recipe("plain", epochs=0.05))
    agent.check(worlds.make("dag").spec)
    with pytest.raises(UserError, match="5 variables only"):
        agent.check(worlds.make("dag", split="more-variables").spec)
    with pytest.raises(UserError, match="at most 7 steps"):
        agent.check(worlds.make("dag", split="longer").spec)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"epochs": 0.0}, "epochs"),
        ({"epochs": float("nan")}, "epochs"),
        ({"epochs": 1.0, "minutes": 1.0}, "epochs"),
        ({"epochs": None}, "epochs"),
        ({"epochs": None, "minutes": -1.0}, "minutes"),
        ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": float("inf")}, "learning_rate"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"explanations": "loud"}, "explanations"),
        ({"precision": "int3"}, "precision"),
        ({"seed": -1}, "seed"),
        ({"devices": 0}, "devices"),
    ],
)
def test_a_bad_recipe_names_its_field(settings, field):
    with pytest.raises(UserError, match=f"^{field}: ") as error:
        learning.Recipe(**settings)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("file", "damage", "words"),
    [
        ("agent.json", None, "no agent.json"),
        ("agent.json", b"{", "not JSON"),
        ("agent.json", b"[]", "format"),
        ("agent.json", b'{"format": 99}', "format"),
        ("agent.json", b'{"format": 1, "architecture": 3, "training": {}}', "architecture"),
        ("agent.json", b'{"format": 1, "architecture": {}, "training": {}}', "architecture"),
        ("agent.json", b"\xff\xfe\x00", "cannot read"),
        ("weights.safetensors", None, "cannot read"),
        ("weights.safetensors", b"", "not a whole safetensors"),
        ("weights.safetensors", b"\x80\x04pickle", "not a whole safetensors"),
        ("weights.safetensors", "half", "not a whole safetensors"),
        ("metrics.jsonl", b"oops\n", "not JSON"),
    ],
)
def test_a_damaged_agent_folder_is_named(logs, tmp_path_factory, tmp_path, file, damage, words):
    sound = tmp_path_factory.getbasetemp() / "sound-agent"
    if not sound.exists():
        learning.learn([logs], sound, recipe(epochs=0.05))
    folder = tmp_path / "agent"
    shutil.copytree(sound, folder)
    if damage is None:
        (folder / file).unlink()
    elif damage == "half":
        data = (folder / file).read_bytes()
        (folder / file).write_bytes(data[: len(data) // 2])
    else:
        (folder / file).write_bytes(damage)
    with pytest.raises(UserError, match=words) as error:
        learning.load_agent(folder)
    assert "\n" not in str(error.value)


def test_weights_of_another_network_are_refused(logs, tmp_path):
    learning.learn([logs], tmp_path / "a", recipe(epochs=0.05))
    learning.learn([logs], tmp_path / "b", recipe("plain", epochs=0.05))
    shutil.copy(tmp_path / "a" / "weights.safetensors", tmp_path / "b" / "weights.safetensors")
    with pytest.raises(UserError, match="does not fit"):
        learning.load_agent(tmp_path / "b")


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["watch", "learn"])
def test_twenty_kills_at_random_moments_leave_the_same_bytes(verb, logs, tmp_path):
    """SIGKILL whenever, the same command with --resume: the files of an uninterrupted run."""

    def command(out):
        if verb == "watch":
            rest = ["--episodes", "400000", "--set", "exploits=2"]
        else:
            rest = [str(logs), "--epochs", "8", "--batch-size", "16"]
        return [sys.executable, "-m", "seedo", verb, *rest, "--out", str(out), "--resume"]

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    began = time.monotonic()
    subprocess.run(command(whole), check=True, stderr=subprocess.DEVNULL)
    length = time.monotonic() - began
    moments = np.random.default_rng(0).uniform(0.2, 0.9, 20) * length
    for moment in moments:
        job = subprocess.Popen(command(broken), stderr=subprocess.DEVNULL)
        time.sleep(moment)
        job.send_signal(signal.SIGKILL)
        job.wait()
    subprocess.run(command(broken), check=True, stderr=subprocess.DEVNULL)
    names = sorted(p.name for p in whole.iterdir())
    assert names == sorted(p.name for p in broken.iterdir())
    for name in names:
        assert (whole / name).read_bytes() == (broken / name).read_bytes(), name
