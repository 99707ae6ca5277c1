"""World `blicket` in words: said, read, refused, and the same episode as everybody else's."""

from __future__ import annotations

import re

import numpy as np
import pytest

from seedo import play, worlds
from seedo.errors import UserError
from seedo.language import BlicketScene, Conditions, open_scene
from seedo.language.scenes import (
    Do,
    Malformed,
    blicket_instructions,
    call_for,
    call_tool,
    say_call,
    tools_of,
)
from seedo.worlds import BlicketConfig

PLAYERS = ("scripted:random", "scripted:expert", "bayes:eig")


@pytest.fixture(scope="module")
def world():
    return worlds.make("blicket", n=3, flip=0.25, experiments=4)


def opened(world, index=0, **conditions):
    return open_scene(world, 0, "perform", index, Conditions(**conditions))


@pytest.mark.parametrize("player", PLAYERS)
def test_a_player_in_words_plays_the_episodes_that_it_plays_in_numbers(world, player):
    who = play.find_player(player, world)
    batch = play.episodes(world, who, 0, "perform", 0, 4, systems=True)
    scenes = []
    for index in range(4):
        scene = opened(world, index)
        assert isinstance(scene, BlicketScene)
        act = scene.actor(who)
        while not scene.finished:
            line = scene.write(act())
            assert scene.reply(line) is None
        assert scene.returns == pytest.approx(float(batch.returns[index]))
        scenes.append(scene)
    assert BlicketScene.log(batch.origin, scenes, systems=True).equals(batch)


def test_what_is_said_is_what_happened(world):
    scene = opened(world, names="letters")
    assert scene.messages()[-1]["content"].startswith("Objects: A B C\nOn the machine: nothing\n")
    on: set[str] = set()
    for line in ("put B", "PUT c", "Remove B", "observe"):
        assert scene.reply(line) is None
        verb, *name = line.casefold().split()
        on = on | {name[0].upper()} if verb == "put" else on - {n.upper() for n in name}
        light = int(scene.episode.observation.outcome[-1])
        said = scene.messages()[-1]["content"].split("\n")[0]
        assert said == f"On the machine: {' '.join(sorted(on))}. Light: {('off', 'on')[light]}"
    truth = np.asarray(scene.episode.task.blickets)
    for i, name in enumerate("ABC"):
        assert scene.messages()[-1]["content"].split("\n")[-1] == f"Is {name} a blicket? Yes or no?"
        assert scene.exploiting
        assert scene.reply("Yes" if truth[i] else "no") is None
    assert scene.finished
    assert scene.returns == 1
    assert scene.malformed == []


EXPLORING = [
    ("", "empty"), ("put A\nput B", "ambiguous"), ("put", "not-an-action"),
    ("put A and B", "not-an-action"), ("put A=1", "unknown-name"), ("put D", "unknown-name"),
    ("put machine", "unknown-name"), ("remove A", "not-allowed"), ("yes", "not-allowed"),
    ("observe A", "not-an-action"), ("put \u0391", "not-an-action"),
    ("x" * 30_000, "too-long"), ("__import__('os')", "not-an-action"),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "reason"), EXPLORING)
def test_a_malformed_experiment_is_counted_and_not_carried_out(world, reply, reason):
    scene = opened(world, names="letters")
    found = scene.reply(reply)
    assert found is not None
    assert found.reason == reason
    assert scene.malformed == [(0, reason)]
    assert scene.step == 0
    assert not scene.episode.observation.outcome[:-1].any()
    assert scene.messages()[-1]["content"].startswith("That is no action. ")


def test_what_is_on_the_machine_cannot_be_put_on_it_again(world):
    scene = opened(world, names="letters")
    scene.reply("put A")
    found = scene.reply("put a")
    assert found == Malformed("not-allowed", "A is on the machine already.")
    assert scene.step == 1


def test_after_the_experiments_only_an_answer_counts(world):
    scene = opened(world, names="letters", attempts=2)
    for _ in range(4):
        scene.reply("observe")
    asked = scene.step
    for reply, reason in (("put A", "not-allowed"), ("maybe", "not-an-action")):
        assert scene.reply(reply).reason == reason
    assert scene.passed == [asked]
    assert "Is B a blicket?" in scene.messages()[-1]["content"]
    assert scene.reply("observe").reason == "not-allowed"
    truth = np.asarray(scene.episode.task.blickets)
    for i in (1, 2):
        scene.reply("yes" if truth[i] else "no")
    # The question that passed without an answer counts as wrong.
    assert scene.returns == pytest.approx(2 / 3)
    batch = scene.log(play.origin(world, "someone", 0), [scene])
    assert batch.target[0, -3:].tolist() == [-1, 1, 2]
    assert batch.goal[0, -3:].tolist() == [0, 1, 2]
    assert batch.target[0, :4].tolist() == [-1] * 4


def test_a_step_passes_with_nothing_done_after_too_many_malformed_replies(world):
    scene = opened(world, names="letters", attempts=2)
    scene.reply("put A")
    scene.reply("?")
    scene.reply("?")
    assert scene.step == 2
    assert scene.passed == [1]
    assert scene.episode.observation.outcome.tolist()[:3] == [1, 0, 0]


def test_tools_do_what_lines_do(world):
    scene = opened(world, names="letters", tools="actions")
    tools = tools_of(scene)
    assert set(tools) == {"put", "remove", "observe", "answer"}
    assert call_tool(tools, "put", {"object": "b"}) == scene.read("put B") == Do(1, 1)
    assert call_tool(tools, "observe", {}) == scene.read("observe") == Do(-1, 0)
    assert call_tool(tools, "remove", {"object": "b"}).reason == "not-allowed"
    assert call_tool(tools, "answer", {"yes": True}).reason == "not-allowed"
    for _ in range(4):
        scene.take(Do(-1, 0))
    assert call_tool(tools, "answer", {"yes": True}) == scene.read("yes") == Do(0, 1)
    assert call_tool(tools, "answer", {"yes": False}) == scene.read("no") == Do(0, 0)
    for given in ({"yes": "true"}, {"yes": 1}, {"yes": None}, {}, {"yes": True, "sure": True}):
        assert isinstance(call_tool(tools, "answer", given), Malformed)
    assert call_tool(tools, "put", {"object": "A"}).reason == "not-allowed"
    assert say_call(*call_for(scene, Do(0, 0))) == "answer(yes=false)"


def test_a_theory_is_asked_for_before_the_first_question(world):
    scene = opened(world, check=True)
    for _ in range(4):
        scene.reply("observe")
    assert scene.expects == "thought"
    assert "which objects are blickets" in scene.messages()[-1]["content"]
    scene.reply("All of them.")
    assert scene.expects == "action"
    assert scene.reply("yes") is None


def test_nonsense_names_differ_between_episodes_and_not_between_players(world):
    first, again, other = (opened(world, index).begin() for index in (0, 0, 1))
    assert first == again != other
    assert len(set(first.split("\n")[0].split()[1:])) == 3


@pytest.mark.parametrize("names", ["familiar", "contrary", "permuted"])
def test_names_that_would_tell_something_are_refused(world, names):
    with pytest.raises(UserError, match="names"):
        opened(world, names=names)


@pytest.mark.parametrize(
    ("options", "said", "unsaid"),
    [
        ({"rule": "or"}, ["at least one", "2 to 3 blickets"], ["all blickets are", "opposite"]),
        ({"rule": "and"}, ["only if all blickets"], ["at least one"]),
        ({}, ["two ways", "at least one", "only if all", "nothing is on"], ["opposite"]),
        ({"start": "full"}, ["all objects are on the machine"], ["nothing is on"]),
        ({"flip": 0.125}, ["In 12.5% of experiments"], []),
        ({"blickets": 1}, ["1 blicket if one is enough"], []),
        ({"n": 3}, ["There are 2 blickets", "9 experiments"], []),
        ({"experiments": 0}, ["no experiments"], ["First you make"]),
    ],
)
def test_the_rules_say_what_the_settings_are(options, said, unsaid):
    text = blicket_instructions(BlicketConfig(**options), Conditions())
    for words in said:
        assert words in text
    for words in unsaid:
        assert words not in text


def test_a_held_out_split_and_its_training_are_put_in_the_same_words():
    texts = {
        blicket_instructions(worlds.make("blicket", split=split).settings, Conditions())
        for split in ("train", "heldout-conjunctive", "heldout-disjunctive")
    }
    assert len(texts) == 1


def test_without_experiments_questions_come_at_once(world):
    scene = open_scene(
        worlds.make("blicket", n=3, experiments=0), 0, "perform", 0, Conditions(names="letters")
    )
    assert scene.exploiting
    assert re.search(r"Is A a blicket\? Yes or no\?$", scene.messages()[-1]["content"])
    for _ in range(3):
        assert scene.reply("yes") is None
    assert scene.finished
    assert scene.returns == pytest.approx(2 / 3)  # two of three objects are blickets
