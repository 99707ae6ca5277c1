"""Learning in rooms: what is replayed, what the network may know, and that it learns."""

from __future__ import annotations

import json
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seedo import experimenters, learning, play, worlds
from seedo.episodes import Origin, write_batch
from seedo.errors import UserError
from seedo.learning._rooms_agent import build_rooms, rooms_architecture
from seedo.learning._rooms_eye import glimpse, glimpse_of
from seedo.learning._rooms_lesson import replay, rooms_lesson, told_words, trimmed
from seedo.learning._rooms_objective import rooms_losses
from seedo.worlds import episode_key
from seedo.worlds.rooms import NOTHING, VARIABLES, RoomsWorld, pictures, room_log, shuffled, words

SMALL = {"size": 16, "objects": 8, "code": 20, "attentions": 2, "pointers": 2}


def world(level: str = "meta", **options) -> RoomsWorld:
    return worlds.make("rooms", level=level, limit=12, **options)


@partial(jax.jit, static_argnums=0)
def live(room, task, state, key):
    before = room.symbolic(task, state), room.explain(task, state)
    action = room.expert(task, state, -1, key)
    state, reward = room.advance(task, state, action)
    return state, (*before, action, reward)


def played(room: RoomsWorld, episodes: int, seed: int = 0):
    """An expert's episodes, step by step in a loop of our own: keys, actions and all that was."""

    keys, actions, seen, said, rewards = [], [], [], [], []
    for i in range(episodes):
        key = episode_key(seed, "watch", i)
        task_key, player_key = jax.random.split(key)
        task = room.sample(task_key)
        state = room.reset(task)
        rows = []
        for own in jax.random.split(player_key, room.spec.steps):
            state, row = live(room, task, state, own)
            rows.append(row)
        keys.append(key)
        seen.append(jax.tree.map(lambda *x: np.stack(x), *[row[0] for row in rows]))
        said.append(np.stack([row[1] for row in rows]))
        actions.append(np.array([int(row[2]) for row in rows], np.int32))
        rewards.append(np.array([float(row[3]) for row in rows], np.float32))
    return jnp.stack(keys), np.stack(actions), seen, np.stack(said), np.stack(rewards)


@eqx.filter_jit
def read(net, seen, heard=None, **options):
    return net.read(seen, heard, **options)


@eqx.filter_jit
def read_singly(net, seen, heard):
    return jax.lax.scan(lambda memory, at: net.step(memory, *at), net.start(), (seen, heard))[1]


@pytest.fixture(scope="module")
def some():
    room = world()
    return room, *played(room, 4)


@pytest.mark.slow
def test_a_replay_sees_hears_and_earns_what_the_episode_did(some):
    room, keys, actions, seen, said, rewards = some
    again = jax.jit(jax.vmap(lambda key, action: replay(room, key, action)))(keys, actions)
    for i in range(len(actions)):
        jax.tree.map(lambda a, b: np.testing.assert_array_equal(a[i], b), again.seen, seen[i])  # noqa: B023
    np.testing.assert_array_equal(again.tokens, said)
    np.testing.assert_array_equal(again.reward, rewards)


def test_only_acts_before_the_choice_are_imitated_and_trials_weigh_as_they_count(some):
    room, keys, actions, seen, _, _ = some
    lesson = rooms_lesson(room, "predict", keys, jnp.asarray(actions), jax.random.key(0))
    acted = actions != NOTHING
    last = np.stack([s.trial for s in seen]) == 3
    np.testing.assert_array_equal(lesson.explore > 0, acted & ~last)
    np.testing.assert_array_equal(lesson.exploit > 0, acted & last)
    np.testing.assert_allclose(
        [lesson.explore.sum(), lesson.exploit.sum(), lesson.naming.sum()], 1.0, rtol=1e-5
    )


def test_told_steps_are_those_where_something_is_said_and_weights_end_with_the_sentence(some):
    said = some[4]
    told, said_there, weight = told_words(jnp.asarray(said), jax.random.key(1))
    for episode in range(len(said)):
        steps = np.asarray(told[episode])
        assert len(set(steps.tolist())) == len(steps)
        for k, step in enumerate(steps):
            np.testing.assert_array_equal(said_there[episode, k], said[episode, step])
            n = int((said[episode, step] > 0).sum())
            counted = min(n + 1, said.shape[-1]) if n else 0
            assert int((weight[episode, k] > 0).sum()) == counted


def test_shuffled_words_are_the_minibatch_s_own_and_controls_keep_the_times(some):
    room, keys, actions, _, said, _ = some

    def heard(control: str) -> np.ndarray:
        draw = jax.random.key(2)
        if control == "shuffled":
            spoken = (said > 0).any(-1)
            flat = shuffled(jnp.asarray(said.reshape(-1, said.shape[-1])), spoken.reshape(-1), draw)
            return np.asarray(flat).reshape(said.shape)
        again = jax.jit(jax.vmap(lambda key, action: replay(room, key, action, control)))
        return np.asarray(again(keys, actions).tokens)

    for control in ("shuffled", "irrelevant", "wrong"):
        other = heard(control)
        np.testing.assert_array_equal((other > 0).any(-1), (said > 0).any(-1))
        assert (other != said).any()
    mixed = heard("shuffled")
    assert sorted(map(words, mixed.reshape(-1, said.shape[-1]))) == sorted(
        map(words, said.reshape(-1, said.shape[-1]))
    )
    assert {words(w)[:14] for w in heard("irrelevant").reshape(-1, said.shape[-1])} == {
        "",
        "you are in row",
    }


def test_trimming_loses_no_act_and_keeps_the_last_verdict():
    actions = np.full((3, 88), NOTHING, np.int32)
    actions[1, 37] = 4
    cut = trimmed(actions, linger=2)
    assert cut.shape == (3, 48)
    assert trimmed(actions[:, :45], linger=2).shape == (3, 45)
    assert (cut[1] == actions[1, :48]).all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["relational", "attention"])
def test_acting_step_by_step_says_what_reading_the_episode_says(some, kind):
    _, _, _, seen, said, _ = some
    net = build_rooms(rooms_architecture(kind, {"size": 16}, listens=True), 3)
    whole, singly = read(net, seen[0], said[0]), read_singly(net, seen[0], said[0])
    for a, b in zip(whole, singly, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
    few = read(net, seen[0], said[0], told=jnp.asarray([5, 2]))
    np.testing.assert_allclose(few.words, whole.words[jnp.asarray([5, 2])], atol=1e-4)


@pytest.mark.slow
def test_a_new_episode_begins_with_an_empty_memory(some):
    seen = some[3]
    net = build_rooms(rooms_architecture("relational", SMALL), 4)
    joined = jax.tree.map(lambda a, b: np.concatenate([a, b]), seen[0], seen[1])
    half = len(seen[0].trial)
    both = read(net, joined, over=jnp.arange(2 * half) == half - 1).logits
    np.testing.assert_allclose(both[half:], read(net, seen[1]).logits, atol=1e-4)
    on = read(net, joined, over=jnp.zeros(2 * half, bool)).logits
    assert np.abs(both[half:] - on[half:]).max() > 1e-3


def test_a_network_that_predicts_never_hears_what_is_said(some):
    _, _, _, seen, said, _ = some
    net = build_rooms(rooms_architecture("relational", SMALL), 5)
    told, untold = read(net, seen[0], said[0]), read(net, seen[0])
    np.testing.assert_array_equal(told.logits, untold.logits)
    listener = build_rooms(rooms_architecture("relational", SMALL, listens=True), 5)
    assert (read(listener, seen[0], said[0]).logits != read(listener, seen[0]).logits).any()


@pytest.mark.parametrize("kind", ["relational", "attention"])
def test_the_order_in_which_objects_are_listed_does_not_matter(some, kind):
    seen = some[3][1]
    net = build_rooms(rooms_architecture(kind, {"size": 16}), 6)
    order = np.asarray([2, 0, 3, 1])
    renamed = seen._replace(
        objects=seen.objects[:, order],
        place=seen.place[:, order],
        chosen=np.where(seen.chosen < 0, -1, np.argsort(order)[seen.chosen]),
    )
    for a, b in zip(read(net, seen), read(net, renamed), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


@pytest.mark.slow
def test_the_eye_finds_every_object_in_view_and_nothing_else():
    room = world("deconfounded")
    look = jax.jit(
        lambda task, state: (
            glimpse(room.pixels(task, state)),
            glimpse_of(room.sights(task, state), state.agent),
            room.symbolic(task, state),
        )
    )
    for i in range(20):
        task = room.sample(episode_key(3, "eye", i))
        eyed, undrawn, seen = look(task, room.reset(task))
        there = {tuple(p) for p in np.asarray(seen.place).tolist() if max(map(abs, p)) <= 5}
        present = np.asarray(eyed.present)
        assert {tuple(p) for p in np.asarray(eyed.place)[present].tolist()} == there
        frame = np.asarray(room.pixels(task, room.reset(task)))
        for picture, (row, column) in zip(eyed.pictures[present], eyed.place[present], strict=True):
            top, left = (row + 5) * 9, (column + 5) * 9
            np.testing.assert_array_equal(
                picture, frame[top : top + 9, left : left + 9].reshape(-1)
            )
        # What is learnt from is the same, without drawing the frame.
        for field in ("present", "place", "brightness"):
            np.testing.assert_array_equal(getattr(undrawn, field), getattr(eyed, field))
        bytes_ = pictures()[undrawn.pictures][present].reshape(-1, 9 * 9 * 3)
        np.testing.assert_array_equal(bytes_, eyed.pictures[present])


@pytest.mark.parametrize("kind", ["pixels", "attention-pixels"])
def test_an_eye_that_knows_all_pictures_says_what_it_sees_in_each(kind):
    eye = build_rooms(rooms_architecture(kind, {"size": 8}), 2).eye
    some = jnp.asarray([3, 700, 1253])
    seen = eye.codes(jnp.asarray(pictures())[some].reshape(3, -1))
    np.testing.assert_allclose(eye.codes(some), seen, atol=1e-5)
    np.testing.assert_allclose(eye.knowing().codes(some), seen, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pixels", "attention-pixels"])
def test_a_network_with_an_eye_sees_no_object_but_through_it(some, kind):
    room, keys, actions, _, _, _ = some
    net = build_rooms(rooms_architecture(kind, {"size": 16}), 8)
    again = jax.jit(lambda key, action: replay(room, key, action, "predict", True))(
        keys[0], actions[0]
    )
    blind = again.seen._replace(
        objects=jnp.zeros_like(again.seen.objects),
        place=jnp.zeros_like(again.seen.place),
        agent=jnp.zeros_like(again.seen.agent),
    )
    whole = read(net, (again.seen, again.glimpse))
    np.testing.assert_array_equal(whole.logits, read(net, (blind, again.glimpse)).logits)
    other = again.glimpse._replace(pictures=again.glimpse.pictures + 1)
    assert (whole.words != read(net, (again.seen, other)).words).any()


def test_losses_of_parts_of_a_minibatch_add_up(some):
    room, keys, actions, _, _, _ = some
    net = build_rooms(rooms_architecture("relational", SMALL), 7)
    lesson = rooms_lesson(room, "predict", keys, jnp.asarray(actions), jax.random.key(0))
    parts = [lesson.each_column(lambda a, i=i: a[i : i + 2]) for i in (0, 2)]
    losses = eqx.filter_jit(lambda part: rooms_losses(net, part, jnp.float32))
    whole = losses(lesson)
    np.testing.assert_allclose(sum(losses(part) for part in parts), whole, rtol=1e-4)
    # Without training, every word is about as likely as any other.
    assert float(whole[2]) == pytest.approx(np.log(net.word_bias.shape[1]), rel=0.2)


def logs(folder, room: RoomsWorld, episodes: int, explained: bool = True):
    """The expert's episodes as a dataset, an eighth of it in each shard."""
    _, actions, seen, said, rewards = played(room, episodes)
    origin = Origin("rooms", json.dumps(room.config()), "train", 0, "expert", VARIABLES)
    batch = room_log(
        origin,
        np.arange(episodes),
        actions,
        rewards,
        np.stack([s.trial for s in seen]),
        np.full(actions.shape, -1),
        np.ones(actions.shape, bool),
        [[words(t) for t in steps] for steps in said] if explained else None,
    )
    write_batch(folder, batch, {"stream": "watch"}, shard_rows=episodes // 8)
    return folder


def recipe(**options) -> learning.Recipe:
    settings = {"widths": tuple(SMALL.items()), "batch_size": 8, "epochs": 1.0}
    return learning.Recipe(**(settings | {"explanations": "predict"} | options))


class _Killed(Exception):
    pass


@pytest.mark.slow
def test_learning_goes_on_where_it_was_killed_and_ends_in_the_same_bytes(tmp_path):
    data = logs(tmp_path / "logs", world("basic"), 128)
    wanted = recipe(epochs=8.0)
    whole = learning.learn([data], tmp_path / "whole", wanted)

    def stop(report):
        if report.row["step"] >= 50:
            raise _Killed

    with pytest.raises(_Killed):
        learning.learn([data], tmp_path / "broken", wanted, False, stop, 0.0)
    learning.learn([data], tmp_path / "broken", wanted, resume=True)
    for name in ("agent.json", "weights.safetensors", "metrics.jsonl"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "broken" / name).read_bytes()
    assert whole.history[-1]["word_loss"] < whole.history[0]["word_loss"]
    loaded = learning.load_agent(tmp_path / "whole")
    weights = [jax.tree.leaves(eqx.filter(x.network, eqx.is_array)) for x in (whole, loaded)]
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(UserError, match="add --world rooms"):
        learning.load_agent(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("dimension", ["colour", "shape", "texture"])
def test_explanations_decide_how_confounded_rooms_generalise(dimension, tmp_path):
    train, test = (
        worlds.make("rooms", level=level, dimension=dimension)
        for level in ("confounded", "deconfounded")
    )
    expert = experimenters.rooms_player("expert", train)
    play.watch(train, expert, 20_000, 0, tmp_path / "logs", explain="words")
    agent = learning.learn(
        [tmp_path / "logs"], tmp_path / "agent", learning.Recipe(explanations="predict")
    )
    assert play.episodes(test, agent, 1, "perform", 0, 1000).returns.mean() > 0.85


def test_a_log_without_explanations_cannot_teach_any(tmp_path):
    data = logs(tmp_path / "logs", world(), 8, explained=False)
    with pytest.raises(UserError, match="--explain words"):
        learning.learn([data], tmp_path / "agent", recipe(batch_size=4))
    with pytest.raises(UserError, match="float32"):
        learning.learn([data], tmp_path / "agent", recipe(batch_size=4, precision="bfloat16"))


def test_bad_requests_say_what_to_do(tmp_path):
    with pytest.raises(UserError, match="relational"):
        rooms_architecture("equivariant")
    with pytest.raises(UserError, match="size"):
        rooms_architecture("relational", {"size": 0})
