"""World `rooms` against a plain reimplementation of its rules, and each level's promises."""

from __future__ import annotations

import dataclasses
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from seedo.errors import UserError
from seedo.experimenters import ROOMS_PLAYERS, rooms_player
from seedo.play import play, set_ups, simulate
from seedo.worlds import Action, from_config, make, stream_key
from seedo.worlds.rooms import (
    ACTIONS,
    COLOURS,
    DIFFICULTIES,
    DIMENSIONS,
    HELD_OUT,
    MAX_WORDS,
    NOTHING,
    SHAPES,
    TEXTURES,
    VALUES,
    action_number,
    action_setting,
    irrelevant,
    shuffled,
    vocabulary,
    walk,
    words,
    wrong_verdict,
)
from seedo.worlds.rooms._draws import Draws
from seedo.worlds.rooms._expert import LONGEST_PATH
from seedo.worlds.rooms._pixels import shape_mask, texture_mask
from seedo.worlds.rooms._placement import CLASS_CELLS, placements
from seedo.worlds.rooms._task import _free_cell

LEVELS = ("basic", "confounded", "deconfounded", "meta")
COMPASS = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))


@functools.cache
def world(level="meta", **options):
    return make("rooms", level=level, **options)


@functools.cache
def tasks(n=400, **options):
    keys = jax.random.split(jax.random.key(7), n)
    # Not compiled: many settings, of which one small operation after the other is soon done.
    return jax.tree.map(np.asarray, jax.vmap(world(**options).sample)(keys))


@functools.cache
def mixed_play(level):
    """Episodes in which half of the actions of meta-episodes are an expert's and all others random;
    every state."""
    rooms, n = world(level), 60 if level == "meta" else 200

    def episode(key):
        task = rooms.sample(key)

        def act(state, key):
            keys = jax.random.split(key, 3)
            action = jax.random.randint(keys[1], (), -1, 11)
            if level == "meta":
                expert = rooms.expert(task, state, -1, keys[0])
                action = jnp.where(jax.random.bernoulli(keys[2]), expert, action)
            after, reward = rooms.advance(task, state, action)
            said = rooms.explain(task, state)
            false = wrong_verdict(rooms.settings, task, state, key)
            seen = rooms.symbolic(task, state)
            return after, (state, seen, action, reward, said, irrelevant(said, state), false)

        return task, jax.lax.scan(
            act, rooms.reset(task), jax.random.split(key, rooms.spec.steps + 3)
        )

    out = jax.jit(jax.vmap(episode))(jax.random.split(jax.random.key(11), n))
    task, (_, log) = jax.tree.map(np.asarray, out)
    return task, log


class Plain:
    """The rules of `docs/rooms.md`, one object at a time, in plain Python."""

    def __init__(self, settings, task):
        self.settings, self.task = settings, task
        self.concept = int(task.concept)
        self.trial, self.finished = 0, False
        self.begin()

    def begin(self):
        t = self.trial
        self.agent = tuple(map(int, self.task.start[t]))
        self.cells = [tuple(map(int, cell)) for cell in self.task.cells[t]]
        self.things = []
        for o in range(4):
            bits = [(int(self.task.second[t][d]) >> o) & 1 for d in range(3)]
            look = [int(self.task.values[t][d][bits[d]]) for d in range(3)]
            self.things.append([*look, int(self.task.classes[t][o])])
        self.left, self.chosen, self.transformed = self.settings.limit, -1, False
        self.note = None

    def odd(self, o, d):
        return sum(thing[d] == self.things[o][d] for thing in self.things) == 1

    def near(self):
        r, c = self.agent
        around = itertools.product((r - 1, r, r + 1), (c - 1, c, c + 1))
        return next((self.cells.index(square) for square in around if square in self.cells), None)

    def step(self, action):
        if self.finished:
            return 0.0
        reward, self.note = 0.0, None
        if self.chosen >= 0:
            self.left -= 1
        elif 0 <= action < 8:
            to = (self.agent[0] + COMPASS[action][0], self.agent[1] + COMPASS[action][1])
            if 1 <= to[0] <= 9 and 1 <= to[1] <= 9:
                self.agent = to
            self.left -= 1
            if self.agent in self.cells:
                self.chosen = self.cells.index(self.agent)
                self.left = self.settings.linger
                last = self.settings.level == "meta" and self.trial == self.settings.trials - 1
                if self.odd(self.chosen, self.concept):
                    reward = self.settings.exploit_reward if last else 1.0
        else:
            self.left -= 1
            if action >= 8:
                experiment = self.trial < self.settings.trials - 1
                if not experiment or self.transformed:
                    self.note = "nothing may change now"
                elif self.near() is None:
                    self.note = "nothing to change here"
                else:
                    o, d = self.near(), {8: 0, 9: 2, 10: 1}[action]
                    first, second = self.task.values[self.trial][d]
                    old = self.things[o][d]
                    self.things[o][d] = int(second) if old == first else int(first)
                    self.transformed = True
                    name = VALUES[d][self.things[o][d]]
                    self.note = f"its {DIMENSIONS[d]} is now {name}"
        if self.left == 0:
            if self.trial == self.settings.trials - 1:
                self.finished = True
            else:
                self.trial += 1
                self.begin()
            self.note = None
        return reward

    def says(self):
        d, s = self.concept, self.settings
        if self.finished:
            return ""
        if self.chosen >= 0:
            thing = self.things[self.chosen]
            count = sum(other[d] == thing[d] for other in self.things)
            name = ("in a corner", "by wall x", "by wall y", "in the centre")[thing[3]]
            name = VALUES[d][thing[d]] if d < 3 else name
            reason = f"{DIMENSIONS[d]} decides, " if s.level == "meta" else ""
            if count == 1:
                one = f"one {name}" if d == 3 else f"{name} one"
                return f"right: {reason}the only {one}"
            return f"wrong: {reason}{('two', 'three', 'four')[count - 2]} are {name}"
        if self.note:
            return self.note
        if self.near() is None:
            return ""
        thing = self.things[self.near()]
        colour, shape, texture = (VALUES[i][thing[i]] for i in range(3))
        if s.level in ("confounded", "deconfounded"):
            return (colour, shape, texture)[d]
        place = ("in a corner", "by wall x", "by wall y", "in the centre")[thing[3]]
        return f"{colour} {texture} {shape}" + ("" if s.level == "meta" else f" {place}")


SOME_LEVELS = [
    pytest.param(level, marks=() if level in ("basic", "meta") else pytest.mark.slow)
    for level in LEVELS
]
"""One of single trials and the one of several; the others differ in what is drawn."""


def row(tree, *index):
    return jax.tree.map(lambda array: array[index], tree)


# -- rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", SOME_LEVELS)
def test_every_step_and_word_is_that_of_a_plain_reimplementation(level):
    task, (_, seen, actions, rewards, said, _, _) = mixed_play(level=level)
    met = set()
    for b in range(len(actions)):
        plain = Plain(world(level).settings, row(task, b))
        for t, action in enumerate(actions[b]):
            where = row(seen, b, t)
            assert bool(where.finished) == plain.finished
            assert words(said[b, t]) == plain.says()
            if not plain.finished:
                assert tuple(where.agent) == plain.agent
                assert where.objects.tolist() == plain.things
                assert (where.place + where.agent).tolist() == [list(c) for c in plain.cells]
                assert (where.trial, where.left, where.chosen) == (
                    plain.trial,
                    plain.left,
                    plain.chosen,
                )
                experiment = plain.trial < world(level).settings.trials - 1
                free = experiment and plain.chosen < 0 and not plain.transformed
                assert bool(where.transforms) == free
                assert bool(where.exploit) == (level == "meta" and not experiment)
                assert where.previous == (actions[b, t - 1] if t else NOTHING)
            earned = plain.step(int(action))
            assert rewards[b, t] == earned
            met |= {plain.says().split(" ")[0], earned}
        assert plain.finished
    assert {"right:", "wrong:", 0.0, 1.0} <= met
    assert level != "meta" or {"its", "nothing", 10.0} <= met


def test_after_the_end_nothing_happens():
    rooms = world("confounded", limit=3)
    task = jax.tree.map(jnp.asarray, row(tasks(level="confounded"), 0))
    state = rooms.reset(task)
    step = jax.jit(rooms.advance)
    for _ in range(3):
        state, _ = step(task, state, NOTHING)
    assert state.finished
    still, reward = step(task, state, 2)
    assert reward == 0
    assert still.previous == NOTHING
    same = {name: getattr(still, name).tolist() for name in still._fields if name != "previous"}
    assert same == {n: getattr(state, n).tolist() for n in state._fields if n != "previous"}


@pytest.mark.slow
def test_an_episode_never_outlasts_its_horizon_and_the_same_key_gives_the_same_bytes():
    rooms = world()
    keys = jax.random.split(jax.random.key(7), 400)
    again = jax.jit(jax.vmap(rooms.sample))(keys[5:9])
    for first, second in zip(tasks(level="meta"), again, strict=True):
        assert first[5:9].tobytes() == np.asarray(second).tobytes()
    task = row(again, 0)
    state, _ = jax.lax.scan(
        lambda s, _: rooms.advance(task, s, NOTHING), rooms.reset(task), None, rooms.spec.steps
    )
    assert state.finished


def test_draws_from_one_word_are_uniform_and_independent():
    bits = jax.random.bits(jax.random.key(1), (60_000,), jnp.uint32)

    def draw(word):
        draws = Draws(word)
        return draws.below(342), draws.below(6), draws.below(24)

    first, second, third = map(np.asarray, jax.vmap(draw)(bits))
    assert stats.chisquare(np.bincount(first, minlength=342)).pvalue > 1e-3
    together = np.bincount(second * 24 + third, minlength=144)
    assert stats.chisquare(together).pvalue > 1e-3


# -- what each level promises -------------------------------------------------------------------


def looks(task):
    """Values of colour, shape, texture and position class at the start, [B, T, 4, 4]."""
    bits = (task.second[..., None, :] >> np.arange(4)[:, None]) & 1
    values = np.take_along_axis(
        np.broadcast_to(task.values[:, :, None], (*bits.shape, 2)), bits[..., None], axis=-1
    )[..., 0]
    return np.concatenate([values, task.classes[..., None]], axis=-1)


def shared(task):
    """How many objects share each value, itself included: [B, T, object, dimension]."""
    things = looks(task)
    return (things[:, :, :, None] == things[:, :, None]).sum(axis=3)


def test_basic_rooms_split_the_concept_3_1_and_everything_else_2_2():
    task = tasks(level="basic")
    counts = np.sort(shared(task)[:, 0], axis=1)
    concept = np.arange(4) == task.concept[:, None]
    assert (counts.swapaxes(1, 2)[concept] == [1, 3, 3, 3]).all()
    assert (counts.swapaxes(1, 2)[~concept] == 2).all()
    odd = np.argmin(shared(task)[np.arange(400), 0, :, task.concept], axis=1)
    assert stats.chisquare(np.bincount(odd, minlength=4)).pvalue > 1e-3
    assert stats.chisquare(np.bincount(task.concept, minlength=4)).pvalue > 1e-3


def test_confounded_rooms_have_one_object_unique_in_colour_shape_and_texture_together():
    unique = shared(tasks(level="confounded"))[:, 0] == 1
    assert (unique[..., :3].all(axis=-1).sum(axis=1) == 1).all()
    assert (unique[..., :3].any(axis=-1).sum(axis=1) == 1).all()
    assert not unique[..., 3].any()


@pytest.mark.parametrize("level", ["deconfounded", "meta"])
def test_deconfounded_rooms_have_three_objects_each_unique_in_another_dimension(level):
    unique = shared(tasks(level=level))[:, -1, :, :3] == 1
    assert (unique.sum(axis=1) == 1).all()
    assert (unique.sum(axis=2).max(axis=1) == 1).all()


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_experiment_trials_have_as_many_paired_dimensions_as_their_difficulty_says(difficulty):
    counts = shared(tasks(level="meta", difficulty=difficulty))[:, :-1, :, :3]
    assert np.isin(counts, [2, 4]).all()
    assert ((counts == 2).all(axis=2).sum(axis=-1) == DIFFICULTIES.index(difficulty)).all()


def test_mixed_difficulty_draws_all_four_equally_often():
    paired = (shared(tasks(level="meta"))[:, :-1, 0, :3] == 2).sum(axis=-1)
    assert stats.chisquare(np.bincount(paired.ravel(), minlength=4)).pvalue > 1e-3


@pytest.mark.parametrize("level", LEVELS)
def test_objects_stand_apart_on_squares_of_their_class_and_the_agent_starts_touching_none(level):
    task = tasks(level=level)
    gaps = np.abs(task.cells[:, :, :, None] - task.cells[:, :, None]).max(axis=-1)
    assert gaps[..., *np.triu_indices(4, 1)].min() >= 3
    assert np.abs(task.cells - task.start[:, :, None]).max(axis=-1).min() >= 2
    assert (task.start.min(), task.start.max()) == (1, 9)
    for kind, squares in enumerate(CLASS_CELLS):
        there = {tuple(map(int, cell)) for cell in task.cells[task.classes == kind]}
        assert there <= set(squares)
    assert sum(map(len, CLASS_CELLS)) == len(set(itertools.chain(*CLASS_CELLS)))


def test_the_agent_starts_on_every_free_square_equally_often():
    cells = jnp.array([[1, 1], [1, 9], [5, 4], [9, 6]])
    bits = jax.random.bits(jax.random.key(2), (20_000,), jnp.uint32)
    drawn = np.asarray(jax.vmap(lambda word: _free_cell(cells, Draws(word)))(bits))
    free = [
        square
        for square in itertools.product(range(1, 10), repeat=2)
        if min(max(abs(square[0] - r), abs(square[1] - c)) for r, c in cells.tolist()) > 1
    ]
    counts = {square: 0 for square in free}
    for square in map(tuple, drawn.tolist()):
        counts[square] += 1
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_every_placement_is_listed_once():
    classes, table = placements(2).classes, placements(2)
    want = set()
    for one, other in itertools.combinations(range(4), 2):
        pairs = (itertools.combinations(CLASS_CELLS[kind], 2) for kind in (one, other))
        for a, b in itertools.product(*pairs):
            squares = (*a, *b)
            gaps = [
                max(abs(p[0] - q[0]), abs(p[1] - q[1]))
                for p, q in itertools.combinations(squares, 2)
            ]
            if min(gaps) >= 3:
                want.add(frozenset(squares))
    got = [
        frozenset(divmod((int(code) >> 8 * s) & 255, 16) for s in range(4)) for code in table.cells
    ]
    assert len(got) == len(set(got)) == table.sizes.sum()
    assert set(got) == want
    assert (classes[:, 0] == classes[:, 1]).all()


def held(d):
    return [VALUES[d].index(name) for name in HELD_OUT[d]]


@pytest.mark.parametrize("level", ["basic", "meta"])
def test_held_out_values_never_occur_in_train_and_mark_every_held_out_room(level):
    train, test = tasks(level=level).values, tasks(level=level, split="heldout-values").values
    for d in range(3):
        assert not np.isin(train[:, :, d], held(d)).any()
        assert (train[:, :, d, 0] != train[:, :, d, 1]).all()
        seen = set(np.unique(train[:, :, d])) | set(held(d))
        assert seen == set(range(len(VALUES[d])))
        least = min(len(held(d)), 2)
        assert (np.isin(test[:, :, d], held(d)).sum(axis=-1) == least).all()
        assert (test[:, :, d, 0] != test[:, :, d, 1]).all()


def test_the_held_out_dimension_is_the_concept_of_its_split_only():
    assert set(tasks(without="texture").concept) == {0, 1}
    assert set(tasks(split="heldout-dimension").concept) == {2}
    assert set(tasks(split="heldout-dimension", without="shape").concept) == {1}
    assert set(tasks(level="meta").concept) == {0, 1, 2}
    assert set(tasks(level="basic", without="position").concept) == {0, 1, 2}


@pytest.mark.parametrize(
    "options",
    [
        {"level": "cellar"},
        {"difficulty": "hard4"},
        {"experiments": 0},
        {"limit": 2.5},
        {"linger": True},
        {"exploit_reward": float("nan")},
        {"exploit_reward": 1e300},
        {"dimension": "position"},
        {"dimension": "size"},
        {"dimension": "colour", "without": "shape"},
        {"dimension": "colour", "split": "heldout-dimension"},
        {"split": "heldout-link"},
        {"explain": "all"},
        {"cue": 1},
        {"preset": "lampinen"},
        {"doors": 3},
    ],
)
def test_settings_that_make_no_room_are_refused_in_one_line(options):
    with pytest.raises(UserError) as refused:
        make("rooms", **options)
    assert "\n" not in str(refused.value)


def test_a_logged_configuration_gives_the_same_world_back():
    rooms = make("rooms", preset="reference", difficulty="hard2", cue=True, limit=40)
    assert (rooms.settings.limit, rooms.settings.linger) == (40, 16)
    assert from_config("rooms", rooms.config()) == rooms
    assert hash(from_config("rooms", rooms.config())) == hash(rooms)
    assert make("rooms") != rooms
    assert (
        dataclasses.replace(rooms.settings, cue=False)
        == make("rooms", preset="reference", difficulty="hard2", limit=40).settings
    )


def test_the_cue_names_the_concept_and_is_silent_otherwise():
    for cue, want in ((True, None), (False, 0)):
        rooms = world("confounded", cue=cue)
        task = jax.tree.map(jnp.asarray, row(tasks(level="confounded"), 4))
        got = int(rooms.symbolic(task, rooms.reset(task)).cue)
        assert got == (int(task.concept) + 1 if want is None else want)


# -- experts and heuristics ------------------------------------------------------------------------


def played(level, *names, n=2000, seed=0, **options):
    """Per player n episodes: rewards in all, steps, last trial right, concept: [n] each."""
    rooms = world(level, **options)
    concept = np.asarray(set_ups(rooms, stream_key(seed, "perform"), jnp.arange(n)).task.concept)
    found = [simulate(rooms, rooms_player(name, rooms), seed, "perform", 0, n) for name in names]
    return [
        (one.rows.reward.sum(1), (~one.rows.finished).sum(1), one.returns == 1, concept)
        for one in found
    ]


@pytest.mark.parametrize("level", SOME_LEVELS)
def test_the_expert_is_always_right_and_in_time(level):
    ((returns, steps, right, _),) = played(level, "expert")
    assert right.all()
    assert steps.max() < world(level).spec.steps
    if level == "meta":
        # Tests a third, then a half of what is left, then knows: 1/3 + 2/3 + 1, and the exploit.
        assert abs(returns.mean() - 12) < 4 * returns.std() / np.sqrt(len(returns))
        assert returns.min() == 11


def cases():
    for level in LEVELS:
        for dimension in DIMENSIONS if level == "basic" else DIMENSIONS[:3]:
            for difficulty in DIFFICULTIES if level == "meta" else ("mixed",):
                yield level, dimension, difficulty


@pytest.mark.slow
@pytest.mark.parametrize("case", list(cases()), ids="-".join)
@pytest.mark.parametrize("split", ["train", "heldout-values"])
def test_every_level_is_solvable_in_ten_thousand_seeds(case, split):
    level, dimension, difficulty = case
    options = {"dimension": dimension, "difficulty": difficulty, "split": split}
    results = played(level, "expert", n=10_000, seed=1, **options)
    ((returns, steps, right, _),) = results
    assert right.all()
    assert steps.max() < world(level, **options).spec.steps
    if level == "meta":
        assert returns.min() >= 11


def test_the_worlds_own_expert_settles_the_concept_from_rewards():
    task, log = mixed_play(level="meta")
    states = log[0]
    truth = (states.consistent >> task.concept[:, None]) & 1
    assert truth.all()


def test_the_expert_who_looks_has_had_every_object_in_view_before_it_chooses():
    rooms = world("confounded")
    player = rooms_player("looking-expert", rooms)

    def episode(key):
        task = rooms.sample(key)

        def act(now, key):
            state, memory = now
            seen = rooms.symbolic(task, state)
            number, memory = player.choose(memory, seen, key)
            after, reward = rooms.advance(task, state, number)
            return (after, memory), (state.agent, after.chosen >= 0, reward)

        begun = rooms.reset(task), player.begin(rooms.spec, key, task)
        return task.cells[0], *jax.lax.scan(act, begun, jax.random.split(key, rooms.spec.steps))[1]

    keys = jax.random.split(jax.random.key(5), 200)
    everything = map(np.asarray, jax.jit(jax.vmap(episode))(keys))
    hidden_first = 0
    for cells, agents, chose, rewards in zip(*everything, strict=True):
        assert rewards.sum() == 1
        until = agents[: np.argmax(chose) + 1]
        near = np.abs(until[:, None] - cells).max(-1) <= 5  # the frame reaches five squares far
        assert near.any(0).all()
        hidden_first += not near[0].all()
    assert hidden_first > 50


@pytest.mark.slow
def test_heuristics_score_what_chance_and_symmetry_say():
    names = ("random", "nearest", "last-rewarded", "most-salient", "wanderer", "expert-texture")
    results = dict(zip(names, played("deconfounded", *names), strict=True))
    rates = {name: result[2].mean() for name, result in results.items()}
    margin = 4 * np.sqrt(0.25 / 2000)
    # One of four objects pays; three of them stand out, one along each dimension.
    for name in ("random", "nearest", "last-rewarded"):
        assert abs(rates[name] - 1 / 4) < margin
    assert abs(rates["most-salient"] - 1 / 3) < margin
    assert 0.05 < rates["wanderer"] < 1 / 4
    _, _, right, concept = results["expert-texture"]
    assert (right == (concept == DIMENSIONS.index("texture"))).all()


def test_the_last_rewarded_looks_are_looked_for_again():
    rooms = world("basic")
    player = rooms_player("last-rewarded", rooms)
    task = jax.tree.map(jnp.asarray, row(tasks(level="basic"), 3))
    seen = rooms.symbolic(task, rooms.reset(task))
    things = jnp.array([[1, 2, 3, 0], [1, 2, 0, 0], [5, 6, 3, 3], [5, 6, 0, 3]])
    earned = seen._replace(objects=things, chosen=jnp.asarray(2), reward=jnp.asarray(1.0))
    _, memory = player.choose(player.begin(rooms.spec, None, None), earned, None)
    assert memory.tolist() == [5, 6, 3]
    later = seen._replace(objects=things[::-1])
    action, _ = player.choose(memory, later, None)
    assert action == walk(later, jnp.arange(4) == 1)


def test_a_player_unknown_by_name_is_refused():
    assert all(rooms_player(name, world()).name == name for name in ROOMS_PLAYERS)
    with pytest.raises(UserError):
        rooms_player("optimist", world())


# -- the protocol of all worlds --------------------------------------------------------------------


def test_actions_and_their_numbers_are_each_others_inverse():
    numbers = jnp.arange(-1, len(ACTIONS))
    target, value = jax.vmap(action_setting)(numbers)
    assert target.tolist() == [-1, *[0] * 8, 1, 2, 3]
    assert value.tolist() == [0, *range(8), 1, 1, 1]
    np.testing.assert_array_equal(jax.vmap(action_number)(target, value), numbers)


@pytest.mark.parametrize(
    ("target", "value", "legal"),
    [(-1, 0, True), (0, 7, True), (0, 8, False), (0, 0.5, False), (0, -1, False), (3, 1, True),
     (3, 2, False), (4, 1, False), (99, 7.5, False)],
)  # fmt: skip
def test_what_is_no_action_is_not_legal(target, value, legal):
    rooms = world()
    task = jax.tree.map(jnp.asarray, row(tasks(level="meta"), 0))
    state = rooms.reset(task)
    action = Action(jnp.int32(target), jnp.float32(value))
    assert bool(rooms.legal(task, state, action)) == legal
    after, _, done = rooms.step(task, state, action)
    if not legal:
        assert after.previous == NOTHING
    assert not done


def test_frames_that_nobody_looks_at_are_not_drawn():
    rooms = world()
    drawn = "u8["  # nothing else is of bytes

    def compiled(program):
        return jax.jit(program).lower(jax.random.key(0)).compile().as_text()

    player = rooms_player("nearest", rooms)
    assert drawn not in compiled(lambda key: play(rooms, player, key))
    assert drawn in compiled(lambda key: play(rooms, Gazer("gazer"), key))


class Gazer(type(rooms_player("nearest", make("rooms")))):
    """Goes by the brightness of what it sees."""

    def act(self, memory, observation, key):
        return Action(jnp.int32(0), (observation.frame.sum() % 8).astype(jnp.float32)), memory


def test_no_way_is_longer_than_the_expert_looks_and_every_object_can_be_reached():
    inside = np.zeros((11, 11), bool)
    inside[1:-1, 1:-1] = True
    for first in (1, 2):
        codes = placements(first).cells[:, None] >> (8 * np.arange(4, dtype=np.uint32)) & 255
        r, c = codes >> 4, codes & 15
        taken = np.zeros((len(r), 11, 11), bool)
        for o in range(4):
            taken[np.arange(len(r)), r[:, o], c[:, o]] = True
        free = inside & ~taken
        for o in range(4):
            reached = np.zeros_like(taken)
            reached[np.arange(len(r)), r[:, o], c[:, o]] = True
            for _ in range(LONGEST_PATH):
                wide = reached[:, 1:-1, :] | reached[:, :-2, :] | reached[:, 2:, :]
                wide = wide[:, :, 1:-1] | wide[:, :, :-2] | wide[:, :, 2:]
                reached[:, 1:-1, 1:-1] |= wide & free[:, 1:-1, 1:-1]
            assert reached[free].all()


def test_walks_are_as_short_as_a_breadth_first_search_finds():
    rng = np.random.default_rng(3)
    task = tasks(level="deconfounded")
    rooms = world("deconfounded")
    go = jax.jit(lambda task, state, wanted: walk(rooms.symbolic(task, state), wanted))
    step = jax.jit(rooms.advance)
    for b in range(40):
        own = jax.tree.map(jnp.asarray, row(task, b))
        cells = [tuple(map(int, cell)) for cell in task.cells[b, 0]]
        wanted = rng.random(4) < 0.5
        wanted[rng.integers(4)] = True
        goals = {cell for cell, w in zip(cells, wanted, strict=True) if w}
        distance, edge = {goal: 0 for goal in goals}, list(goals)
        while edge:
            r, c = edge.pop(0)
            for dr, dc in COMPASS:
                to = (r + dr, c + dc)
                fits = 1 <= min(to) and max(to) <= 9
                if fits and to not in distance and to not in cells:
                    distance[to] = distance[r, c] + 1
                    edge.append(to)
        state, taken = rooms.reset(own), 0
        while state.chosen < 0:
            state, _ = step(own, state, go(own, state, jnp.asarray(wanted)))
            taken += 1
        assert taken == distance[tuple(map(int, task.start[b, 0]))]
        assert wanted[int(state.chosen)]


# -- explanations ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_no_explanation_is_longer_than_max_words_and_the_vocabulary_starts_with_silence():
    assert vocabulary[0] == ""
    assert len(set(vocabulary)) == len(vocabulary)
    lengths = [(log[4] > 0).sum(axis=-1).max() for log in (mixed_play(level=v)[1] for v in LEVELS)]
    assert max(lengths) == MAX_WORDS
    for level in LEVELS:  # zeros only after the last word
        said = mixed_play(level=level)[1][4] > 0
        assert (said[..., :-1] >= said[..., 1:]).all()


def test_each_mode_says_its_part_of_the_full_explanations():
    task, log = mixed_play(level="meta")
    states, full = log[0], log[4]
    verdict = (states.chosen >= 0)[..., None]
    for mode, want in (
        ("none", np.zeros_like(full)),
        ("verdict", np.where(verdict, full, 0)),
        ("properties", np.where(verdict, 0, full)),
    ):
        rooms = world(explain=mode)
        each = jax.vmap(jax.vmap(rooms.explain, in_axes=(None, 0)))
        np.testing.assert_array_equal(np.asarray(jax.jit(each)(task, states)), want)


def test_irrelevant_explanations_are_true_of_the_agents_place_and_come_when_others_do():
    numbers = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    _, (states, _, _, _, said, beside, _) = mixed_play(level="meta")
    for b, t in np.ndindex(*said.shape[:2]):
        if not said[b, t].any():
            assert not beside[b, t].any()
            continue
        row_, column = (numbers[i - 1] for i in states.agent[b, t])
        assert words(beside[b, t]) == f"you are in row {row_} column {column}"


@pytest.mark.parametrize("level", LEVELS)
def test_wrong_verdicts_are_false_and_all_else_is_as_it_was(level):
    task, (states, seen, _, _, said, _, false) = mixed_play(level=level)
    verdict = (states.chosen >= 0) & ~states.finished
    np.testing.assert_array_equal(false[~verdict], said[~verdict])
    for b, t in np.argwhere(verdict):
        true, lie = words(said[b, t]).split(), words(false[b, t]).split()
        assert {true[0], lie[0]} == {"right:", "wrong:"}
        if level == "meta":
            assert lie[1] != true[1]
            assert lie[1] in DIMENSIONS[:3]
        if lie[0] == "wrong:":  # the reason is false as well
            d = DIMENSIONS.index(lie[1]) if level == "meta" else int(task.concept[b])
            things = seen.objects[b, t]
            count = (things[:, d] == things[states.chosen[b, t], d]).sum()
            said_count = ("one", "two", "three", "four").index(lie[lie.index("are") - 1]) + 1
            assert said_count != count


def test_shuffled_explanations_are_the_same_ones_in_another_order_of_the_live_steps():
    _, (states, _, _, _, said, _, _) = mixed_play(level="meta")
    live = ~states.finished
    keys = jax.random.split(jax.random.key(5), len(said))
    mixed = np.asarray(jax.vmap(shuffled)(said, live, keys))
    moved = 0
    for b in range(len(said)):
        before, after = (sorted(map(bytes, rows[b][live[b]])) for rows in (said, mixed))
        assert before == after
        assert not mixed[b][~live[b]].any()
        moved += (mixed[b] != said[b]).any()
    assert moved == len(said)


# -- pixels ----------------------------------------------------------------------------------------


def drawn(objects, cells, agent):
    """The view of a room, square by square."""
    frame = np.zeros((99, 99, 3), np.uint8)
    for i, j in np.ndindex(11, 11):
        square = (agent[0] + i - 5, agent[1] + j - 5)
        tile = np.zeros((9, 9, 3), np.uint8)
        if min(square) >= 0 and max(square) <= 10 and (min(square) == 0 or max(square) == 10):
            tile[:] = 72
        for (colour, shape, texture, _), cell in zip(objects, cells, strict=True):
            if tuple(cell) == square:
                mask = shape_mask(SHAPES[shape]) & texture_mask(TEXTURES[texture])
                tile[mask] = list(COLOURS.values())[colour]
        if (i, j) == (5, 5):
            tile[:] = 255
        frame[9 * i : 9 * i + 9, 9 * j : 9 * j + 9] = tile
    return frame


def test_every_frame_is_that_of_a_square_by_square_drawing():
    rooms = world()
    task, (states, seen, *_) = mixed_play(level="meta")
    batch = slice(0, 6)
    each = jax.jit(jax.vmap(jax.vmap(rooms.pixels, in_axes=(None, 0))))
    frames = np.asarray(each(row(task, batch), row(states, batch)))
    assert frames.dtype == np.uint8
    for b, t in np.ndindex(*frames.shape[:2]):
        now = row(seen, b, t)
        want = drawn(now.objects, now.place + now.agent, now.agent)
        np.testing.assert_array_equal(frames[b, t], want)
    alone = rooms.pixels(row(task, 2), row(states, 2, 3))
    np.testing.assert_array_equal(np.asarray(alone), frames[2, 3])


def test_shapes_and_textures_can_be_told_apart_by_six_pixels_at_least():
    masks = [shape_mask(s) & texture_mask(t) for s in SHAPES for t in TEXTURES]
    assert (len(SHAPES), len(TEXTURES), len(COLOURS)) == (11, 6, 19)
    assert min((a ^ b).sum() for a, b in itertools.combinations(masks, 2)) >= 6


def test_colours_are_far_apart_and_far_from_the_floor():
    everything = np.array([*COLOURS.values(), (0, 0, 0), (72, 72, 72), (255, 255, 255)])
    gaps = [np.linalg.norm(a - b) for a, b in itertools.combinations(everything, 2)]
    assert min(gaps) > 60
