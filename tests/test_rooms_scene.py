"""Rooms in words: the same rooms, told in full, and choices that are carried out in steps."""

from __future__ import annotations

import collections
import itertools
import json
import re

import jax
import numpy as np
import pytest

from seedo.episodes import Origin
from seedo.errors import UserError
from seedo.language import Conditions, open_scene
from seedo.language.scenes import RoomsScene, call_tool
from seedo.play import find_player, live_batch, simulate
from seedo.worlds import episode_key, make
from seedo.worlds.rooms import LEVELS, VALUES, VARIABLES, logged_actions

KINDS = ("colour", "shape", "texture")


@pytest.fixture(scope="module")
def meta():
    return make("rooms")


@pytest.fixture(scope="module")
def begin(meta):
    """The task and the first state of an episode, from the world itself."""

    def begin(seed, index):
        task = meta.sample(jax.random.split(episode_key(seed, "perform", index))[0])
        return task, meta.reset(task)

    return jax.jit(begin)


def origin(world, seed):
    return Origin("rooms", json.dumps(world.config()), "train", seed, "someone", VARIABLES)


def play(scene, player):
    """A player of ours, by lines alone."""
    chooses = scene.actor(player)
    while not scene.finished:
        scene.reply(scene.write(chooses()))
    return scene


def solved(world, episodes):
    expert = find_player("scripted:expert", world)
    scenes = [play(open_scene(world, 5, "perform", i), expert) for i in range(episodes)]
    assert not any(scene.malformed or scene.passed for scene in scenes)
    return np.mean([scene.returns for scene in scenes])


@pytest.mark.slow
def test_the_experts_lines_solve_every_meta_episode(meta):
    assert solved(meta, 40) == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_the_experts_lines_solve_episodes_of_every_level(level):
    assert solved(make("rooms", level=level), 100) == 1.0


# -- what is said ----------------------------------------------------------------------------------


def listed(said):
    """The lines of the last list of objects."""
    return [line for line in said.splitlines() if re.match(r"[1-4]: ", line)][-4:]


def objects(said):
    """What the last list of objects says, read with no knowledge but of the form."""
    found = []
    for line in listed(said):
        _, _, rest = line.partition(": ")
        fields = dict(part.split(" ") for part in rest.split(", "))
        found.append([fields[kind] for kind in KINDS])
    return found


def solve_from_text(scene):
    """A player that sees the messages alone: it tests attributes, one a trial, until one pays."""
    untested, decides, testing = list(range(3)), None, None
    while not scene.finished:
        said = scene.messages()[-1]["content"]
        if "Reward: 1" in said and testing is not None:
            decides = testing
        things = objects(said)
        if "you may change one thing" in said:
            testing = untested.pop() if decides is None else decides
            scene.reply(f"change {KINDS[testing]} of 1")
            continue
        wanted = testing if "experiment" in said else (untested[0] if decides is None else decides)
        values = [thing[wanted] for thing in things]
        odd = [k for k, value in enumerate(values) if values.count(value) == 1]
        scene.reply(f"take {odd[0] + 1}")
    return scene.returns


def test_the_text_holds_all_that_a_player_needs_under_nonsense_names(meta):
    scenes = [open_scene(meta, 2, "perform", i) for i in range(40)]
    assert [solve_from_text(scene) for scene in scenes] == [1.0] * 40
    assert not any(scene.malformed for scene in scenes)


def test_objects_are_told_as_the_world_has_them(meta, begin):
    places = ("in a corner", "by an x wall", "by a y wall", "in the centre")
    for i in range(5):
        scene = open_scene(meta, 1, "perform", i, Conditions(names="familiar"))
        truth = np.asarray(meta.symbolic(*begin(1, i)).objects)
        told = listed(scene.messages()[-1]["content"])
        for k, (line, (colour, shape, texture, place)) in enumerate(zip(told, truth, strict=True)):
            look = f"{VALUES[0][colour]} {VALUES[2][texture]} {VALUES[1][shape]}"
            assert line == f"{k + 1}: {look} {places[place]}"


def test_nonsense_names_differ_between_episodes_and_tell_the_same_rooms(meta):
    names = [open_scene(meta, 1, "perform", i)._words for i in range(6)]
    assert len({tuple(sorted(words.items())) for words in names}) == 6
    assert all(len(set(words.values())) == len(words) for words in names)
    told = {
        kind: open_scene(meta, 1, "perform", 0, Conditions(names=kind)).messages()[-1]["content"]
        for kind in ("nonsense", "letters")
    }
    pairs = set()
    for own, line in zip(objects(told["nonsense"]), listed(told["letters"]), strict=True):
        colour, texture, shape = line.split()[1:4]
        pairs |= set(zip(KINDS, own, (colour, shape, texture), strict=True))
    for (kind1, own1, true1), (kind2, own2, true2) in itertools.combinations(pairs, 2):
        assert kind1 != kind2 or (own1 != own2 and true1 != true2)


def test_verdicts_are_said_where_the_conditions_ask_for_them(meta):
    said = {}
    for kind, explained in itertools.product(("nonsense", "familiar"), (True, False)):
        scene = open_scene(meta, 3, "perform", 0, Conditions(names=kind, explanations=explained))
        scene.reply("take 1")
        said[kind, explained] = scene.messages()[-1]["content"].splitlines()
    assert not any(
        "says" in line for kind in ("nonsense", "familiar") for line in said[kind, False]
    )
    true = said["familiar", True][1]
    # In an experiment room nothing is unique before a change, so the first object is wrong.
    assert true.startswith("Someone who knows says: wrong: ")
    decides = true.split()[5]
    assert decides in KINDS
    own = said["nonsense", True][1].split()
    assert own[:-1] == true.split()[:-1]
    assert own[-1] == open_scene(meta, 3, "perform", 0)._words[
        KINDS.index(decides), VALUES[KINDS.index(decides)].index(true.split()[-1])
    ]  # fmt: skip


def test_names_that_rooms_do_not_have_are_refused(meta):
    for kind in ("contrary", "permuted"):
        with pytest.raises(UserError, match="names"):
            open_scene(meta, 0, "perform", 0, Conditions(names=kind))
    with pytest.raises(UserError, match="structure"):
        open_scene(meta, 0, "perform", 0, Conditions(structure=True))


# -- what is done ----------------------------------------------------------------------------------


def distance(cells, start, goal):
    """Fewest king's moves onto a square, over squares of the room without other objects."""
    blocked = {tuple(cell) for cell in cells} - {tuple(goal)}
    far, queue = {tuple(start): 0}, collections.deque([tuple(start)])
    while queue:
        row, column = here = queue.popleft()
        for to in itertools.product((row - 1, row, row + 1), (column - 1, column, column + 1)):
            if to not in far and to not in blocked and all(1 <= x <= 9 for x in to):
                far[to] = far[here] + 1
                queue.append(to)
    return far[tuple(goal)]


def test_a_choice_takes_a_shortest_path_and_touches_no_other_object(meta):
    rng = np.random.default_rng(0)
    for i in range(15):
        scene = open_scene(meta, 4, "perform", i)
        while not scene.finished:
            seen, k = scene.episode.symbolic, int(rng.integers(4))
            far = distance(seen.place + seen.agent, seen.agent, (seen.place + seen.agent)[k])
            before = scene.step
            if seen.transforms and rng.random() < 0.7:
                kind = str(rng.choice(KINDS))
                dimension = KINDS.index(kind)
                assert scene.reply(f"change {kind} of {k + 1}") is None
                assert scene.step - before == far  # far - 1 to its side, one to change it
                after = scene.episode.symbolic.objects
                changed = {tuple(at) for at in np.argwhere(after != seen.objects)}
                assert changed == {(k, dimension)}
            else:
                assert scene.reply(f"Take {k + 1}") is None
                assert scene.step - before == far + meta.settings.linger
                assert max(row.chosen for row in scene.episode.rows[before:]) == k


def test_a_trial_whose_steps_run_out_is_said_to_have_ended():
    world = make("rooms", limit=1, experiments=1)
    scene = open_scene(world, 0, "perform", 0)
    assert scene.reply("take 1") is None  # agents begin on squares that touch no object
    assert "ended before that was done" in scene.messages()[-1]["content"]
    assert scene.exploiting
    assert scene.step == 1


def test_malformed_replies_are_counted_and_after_some_the_trial_passes(meta):
    scene = open_scene(meta, 0, "perform", 0, Conditions(attempts=2))
    for reply, reason in (
        ("take 5", "unknown-name"),
        ("change size of 1", "unknown-name"),
    ):
        why = scene.reply(reply)
        assert why is not None
        assert why.reason == reason
    limit = meta.settings.limit
    assert scene.step == limit
    assert scene.passed == [0]
    assert scene.malformed == [(0, "unknown-name"), (0, "unknown-name")]
    assert set(scene.episode.actions) == {-1}
    assert scene.reply("change colour of 2") is None
    assert scene.reply("change shape of 2").reason == "not-allowed"  # once a trial
    while not scene.exploiting:
        assert scene.reply("take 2") is None
    assert scene.reply("change colour of 2").reason == "not-allowed"


def test_tools_are_the_same_actions(meta):
    scene = open_scene(meta, 0, "perform", 0)
    tools = {tool.name: tool for tool in scene.tools()}
    texture = {"object": 2, "attribute": "texture"}
    assert call_tool(tools, "take", {"object": 3}) == scene.read("take 3")
    assert call_tool(tools, "change", texture) == scene.read("change texture of 2")
    assert call_tool(tools, "take", {"object": 0}).reason == "unknown-name"


# -- logs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["wanderer", pytest.param("last-rewarded", marks=pytest.mark.slow)]
)
def test_a_player_of_ours_leaves_the_log_that_it_leaves_without_words(meta, name):
    player = find_player(f"scripted:{name}", meta)
    scenes = [open_scene(meta, 3, "perform", i) for i in range(8)]
    for scene in scenes:
        chooses = scene.actor(player)
        while not scene.finished:
            scene.take(chooses())
    plain = simulate(meta, player, 3, "perform", 0, 8)
    source = origin(meta, 3)
    ours = live_batch(source, [scene.episode for scene in scenes], explain="words")
    theirs = meta.to_log(source, np.arange(8), plain, explain="words")
    for field in ("target", "value", "outcome", "phase", "goal", "returns"):
        np.testing.assert_array_equal(getattr(ours, field), getattr(theirs, field))
    assert ours.explanation == theirs.explanation


def test_a_log_of_scenes_replays_to_its_rewards(meta, begin):
    rng = np.random.default_rng(1)
    scenes = [open_scene(meta, 9, "perform", i, Conditions(explanations=True)) for i in range(6)]
    for scene in scenes:
        while not scene.finished:
            line = f"take {rng.integers(1, 5)}"
            if scene.episode.symbolic.transforms and rng.random() < 0.5:
                line = f"change colour of {rng.integers(1, 5)}"
            scene.reply(line)
    batch = RoomsScene.log(origin(meta, 9), scenes)
    actions = logged_actions(batch)
    step = jax.jit(meta.advance)
    for row in range(len(scenes)):
        (task, state), gained = begin(9, row), []
        for action in actions[row]:
            state, reward = step(task, state, int(action))
            gained.append(float(reward))
        np.testing.assert_array_equal(batch.outcome[row, :, 4], np.float32(gained))
        assert batch.returns[row] == scenes[row].returns == float(any(g > 1 for g in gained))
        taken = batch.outcome[row, :, 6]
        assert (~np.isnan(taken)).sum() == meta.settings.trials
    assert any("decides," in text for text in batch.explanation[0])


def test_what_is_drawn_is_the_same_for_every_player_and_every_time(meta):
    first, second = (open_scene(meta, 6, "perform", 2) for _ in range(2))
    assert first.messages() == second.messages()
    play(first, find_player("scripted:expert", meta))
    third = open_scene(meta, 6, "perform", 2)
    assert third.messages() == second.messages()
