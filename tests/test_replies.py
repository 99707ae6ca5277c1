"""Replies in whatever wrapping: what is unmistakably one action is taken, nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from replies import DO, UNTAKEN_DAG, UNTAKEN_OTHER, WRAPPED_DAG, WRAPPED_OTHER
from seedo.language import Conditions, open_scene
from seedo.language.scenes import (
    KINDS,
    REPAIRS,
    Grammar,
    Malformed,
    Names,
    read_answer,
    read_reply,
    read_strictly,
)
from seedo.language.scenes.replies import OBSERVING, setting_phrases
from seedo.worlds import make

WRAPPED = [("dag", text, DO) for text in WRAPPED_DAG]
WRAPPED += [(scene, *pair) for scene, pairs in WRAPPED_OTHER.items() for pair in pairs]
UNTAKEN = [("dag", text) for text in UNTAKEN_DAG]
UNTAKEN += [(scene, text) for scene, texts in UNTAKEN_OTHER.items() for text in texts]


@pytest.fixture(scope="module")
def scenes():
    found = {name: open_scene(make(name), 1, "perform", 0) for name in ("dag", "rooms", "blicket")}
    asked = open_scene(found["blicket"].world, 1, "perform", 0)
    while not asked.exploiting:
        asked.reply("observe")
    return found | {"question": asked}


def filled(text, scene):
    if not hasattr(scene, "names"):
        return text
    x, y = scene.names.words[:2]
    goal = scene.names.words[scene.goal] if scene.exploiting else ""
    return text.replace("@X", x.upper()).replace("@x", x).replace("@y", y).replace("@g", goal)


def understood(scene, text, reasoning=False):
    tools = {tool.name: tool for tool in scene.tools()}
    grammar = Grammar(scene.read, scene.write, scene.phrases(), tools)
    told = "\n".join(m["content"] for m in scene.messages())
    return read_reply(filled(text, scene), grammar, reasoning, lambda: told)


def test_two_hundred_wrappings_and_more_are_each_read_as_the_one_action_they_are(scenes):
    assert len({text for _, text, _ in WRAPPED}) >= 350
    for name, text, line in WRAPPED:
        scene = scenes[name]
        reading = understood(scene, text)
        assert not isinstance(reading.found, Malformed), text
        assert scene.write(reading.found) == filled(line, scene), text
        assert reading.kind in ("clean", "repaired")
        assert (reading.kind == "repaired") == bool(reading.how), text
        assert set(reading.how) <= set(REPAIRS)


def test_nothing_is_taken_of_three_hundred_replies_that_are_ambiguous_injected_or_no_action(scenes):
    assert len({text for _, text in UNTAKEN}) >= 300
    for name, text in UNTAKEN:
        reading = understood(scenes[name], text)
        assert isinstance(reading.found, Malformed), text
        assert reading.kind in ("ambiguous", "illegal", "none")


@pytest.fixture(scope="module")
def phases():
    """A task of three variables while experiments are made, and where wumple has to be raised."""
    world = make("dag", n=3)
    named = Names(words=("blorit", "ketha", "wumple"), order=(0, 1, 2), signs=(1, 1, 1))
    for index in range(100):
        scene = open_scene(world, 0, "perform", index, Conditions(names="letters"))
        scene.names = named
        if int(np.ravel(scene.episode.task.goal)[-1]) != 2:
            continue
        for word in named.words:
            scene.reply(f"do {word}=2.0")
        assert scene.exploiting
        assert named.words[scene.goal] == "wumple"
        explore = open_scene(world, 0, "perform", index, Conditions(names="letters"))
        explore.names = named
        return {"explore": explore, "exploit": scene}
    raise AssertionError("no task has this goal")


@pytest.mark.parametrize(
    ("table", "count"),
    [("replies_by_a_stranger.jsonl", 440), ("replies_by_another_stranger.jsonl", 400)],
)
def test_replies_that_a_stranger_wrote_are_read_as_a_person_would(phases, table, count):
    rows = rows_of(table)
    assert len(rows) == count
    assert sum(row["means"] is None for row in rows) >= 200
    hold(rows, phases)


def test_every_kind_of_wrapping_of_call_and_of_aside_is_read_as_a_person_would(phases):
    rows = rows_of("replies_in_kinds.jsonl")
    assert sum(row["means"] is None for row in rows) > 600
    assert sum(row["means"] is not None for row in rows) > 600
    hold(rows, phases)


def rows_of(name):
    """Replies and what a person would say that each means: the phase it is said in, and the action
    it means (null: none that could be carried out)."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def hold(rows, phases):
    """Each row is read as what it means."""
    for row in rows:
        scene = phases[row["phase"]]
        found = understood(scene, row["reply"]).found
        said = None if isinstance(found, Malformed) else scene.write(found).replace(".0", "")
        assert said == row["means"], row["reply"]


def test_what_names_two_actions_is_ambiguous_and_what_cannot_be_done_illegal(scenes):
    scene = scenes["dag"]
    kinds = {
        "do @x=2.0": "clean",
        "**do @x=2.0**": "repaired",
        "do @x=2.0 or do @y=2.0": "ambiguous",
        "do NAME=2.0": "illegal",
        "do @x=5": "illegal",
        "I do not know.": "none",
        "": "none",
    }
    assert set(kinds.values()) == set(KINDS)
    assert {text: understood(scene, text).kind for text in kinds} == kinds


def test_a_whole_episode_in_wrappings_is_counted_by_kind(scenes):
    scene = open_scene(scenes["dag"].world, 1, "perform", 1)
    x, y = scene.names.words[:2]
    two = f"do {x}=2.0 or do {y}=2.0"
    replies = [f"do {x}=2.0", f"Action: `do {y}=-2`", two, "do NAME=2.0", "no"]
    whys = [scene.reply(reply) for reply in replies]
    assert [why is None for why in whys] == [True, True, False, False, False]
    assert [h.kind for h in scene.heard] == ["clean", "repaired", "ambiguous", "illegal", "none"]
    assert "mark" in scene.heard[1].how
    assert [h.line for h in scene.heard] == [f"do {x}=2.0", f"do {y}=-2.0", "", "", ""]
    assert [reason for _, reason in scene.malformed] == [
        "ambiguous",
        "unknown-name",
        "not-an-action",
    ]
    assert scene.passed == [2]


def test_where_the_form_counts_wrappings_are_malformed(scenes):
    scene = open_scene(scenes["dag"].world, 1, "perform", 1, Conditions(strict=True))
    x = scene.names.words[0]
    assert scene.reply(f"**do {x}=2.0**").reason == "not-an-action"
    assert scene.reply(f"do {x}=2.0") is None
    assert [h.kind for h in scene.heard] == ["none", "clean"]


def test_an_echo_of_what_was_said_is_no_action(scenes):
    scene = scenes["dag"]
    x = scene.names.words[0]
    tools = {tool.name: tool for tool in scene.tools()}
    grammar = Grammar(scene.read, scene.write, scene.phrases(), tools)
    said = f"So do {x}=2.0 now."
    assert read_reply(said, grammar).kind == "repaired"
    assert read_reply(said, grammar, told=lambda: f"Rules. {said} Go.").kind == "none"


def test_with_reasoning_the_last_line_is_the_action_unless_it_is_not_meant(scenes):
    scene = scenes["dag"]
    meant = "do @y=2.0 told little.\nIf I do @y=-2.0, no more.\ndo @x=2.0"
    reading = understood(scene, meant, reasoning=True)
    assert scene.write(reading.found) == filled(DO, scene)
    assert reading.kind == "clean"
    assert understood(scene, meant).kind == "ambiguous"
    for text in ("A wrong reply would be:\ndo @x=2.0", "<think>\ndo @x=2.0", "Hm.\n> do @x=2.0"):
        assert isinstance(understood(scene, text, reasoning=True).found, Malformed), text


def test_answers_to_questions_are_read_in_wrappings_too():
    def read(line):
        head, _, body = line.partition(": ")
        return frozenset(body.split()) if head.lower() == "arrows" and body else Malformed(
            "not-an-answer", "")  # fmt: skip

    for text in ("arrows: a>b", "**arrows: a>b**", "`arrows: a>b`", "Final answer: arrows: a>b",
                 "I think so.\narrows: a>b", "<think>arrows: b>a</think>arrows: a>b"):  # fmt: skip
        assert read_answer(text, read, False, 4_000).found == frozenset({"a>b"}), text
    for text in ("arrows: a>b\narrows: b>a", "<think>arrows: a>b</think>", "User: arrows: a>b"):
        assert isinstance(read_answer(text, read, False, 4_000).found, Malformed), text


# -- any reply at all --------------------------------------------------------------------------------

NAMES = ("blorp", "tazzle", "wim", "air-flow", "quen")


def read_setting(line):
    """`do NAME=2.0` or `-2.0`, by hand."""
    words = line.lower().split(" ")
    if words == ["observe"]:
        return "observe"
    name, equals, value = (words[1] if len(words) == 2 else "").partition("=")
    if words[0] != "do" or not equals:
        return Malformed("not-an-action", "")
    if name not in NAMES:
        return Malformed("unknown-name", "")
    number = {"2": "2.0", "2.0": "2.0", "+2": "2.0", "-2": "-2.0", "-2.0": "-2.0"}.get(value)
    return f"do {name}={number}" if number else Malformed("unknown-value", "")


GRAMMAR = Grammar(read_setting, str, (*setting_phrases(NAMES), OBSERVING))
NOISE = [
    "", " ", "\n", "\n\n", "\x00", "\x1b[2J", "\u202e", "\ud800", "😀", "ï", "`", "```", "**", '"', "'",
    "(", ")", "{", "}", "[", "]", "<", ">", "<think>", "</think>", "<answer>", "</answer>", "\\boxed{",
    "}", "####", "Final answer: ", "Action: ", "User: ", "\nAssistant: ", "<|im_start|>", "<|im_end|>",
    "[INST]", "not ", "I will ", "I would not ", "if ", "do ", "do(", "=", "=2.0", "-2", "2.0", "blorp",
    "tazzle", "air-flow", "observe", ". ", "? ", ": ", ", ", "because ", "example ", "said ", "no wait",
    '{"action": "', '"}', '{"name": ', "null", "0", "a" * 300, "{" * 40, "(" * 40, "**" * 60, "> ", "- ",
    "1. ", "$(", "; rm -rf /", "%s", "ＡＢ", "２", "−", "\u00a0", "\u200b",
]  # fmt: skip


@pytest.mark.slow
def test_of_any_twenty_thousand_replies_none_crashes_and_none_does_what_it_does_not_say():
    rng = np.random.default_rng(7)
    taken = 0
    for _ in range(20_000):
        size = int(rng.integers(1, 14))
        reply = "".join(NOISE[i] for i in rng.integers(0, len(NOISE), size))
        reading = read_reply(
            reply, GRAMMAR, bool(rng.random() < 0.3), lambda: "do blorp=2.0 was said"
        )
        assert reading.kind in KINDS
        if not isinstance(reading.found, Malformed):
            taken += 1
            word = reading.found.removeprefix("do ").partition("=")[0]
            assert word in reply.lower()  # never a name that is not there
    assert taken > 50


def test_noise_around_what_is_not_taken_never_makes_an_action_of_it():
    rng = np.random.default_rng(8)
    texts = [t.replace("@X", "BLORP").replace("@x", "blorp").replace("@y", "tazzle")
             for t in UNTAKEN_DAG]  # fmt: skip
    around = [
        "",
        " ",
        "\n",
        "**",
        "`",
        "\n\n",
        "- ",
        "I see. ",
        "Hm.\n",
        "\n```\n",
        "Well, ",
        "\u200b",
    ]
    for _ in range(4_000):
        text = texts[rng.integers(len(texts))]
        before, after = (around[i] for i in rng.integers(0, len(around), 2))
        if not isinstance(read_strictly(text, read_setting, False).found, Malformed):
            continue
        if text.startswith(">") and before.strip():  # else it quotes no more
            before = f"{before}\n"
        if after[:1].isalpha():  # words that are glued together are others
            after = f"\n{after}"
        reading = read_reply(f"{before}{text}{after}", GRAMMAR)
        assert isinstance(reading.found, Malformed), f"{before}{text}{after}"


@pytest.mark.parametrize(
    "reply",
    [
        "do blorp=2.0 " * 1_500, "{" * 20_000, "[" * 20_000, '{"a":' * 4_000, "(" * 20_000,
        "\\boxed{" * 2_500, "do " * 6_000, "=" * 20_000, "<think>" * 2_800, "</think>" * 2_400,
        "`" * 20_000, "I will " * 2_800, ". " * 10_000, "\n" * 19_990, "a" * 20_000, "**do" * 5_000,
        "do blorp=" + "9" * 19_000, "<answer>" * 2_400, "Action: " * 2_400, "x\nUser: " * 2_200,
        "because " * 2_400, "observe " * 2_400, "analysis" * 2_500, "variable: x\n" * 1_600, '<set a="b">' * 1_800,
        "wait, no, " * 2_000, "do(blorp=" * 2_000, '"' * 20_000, "( " * 10_000,
    ],
)  # fmt: skip
def test_a_long_reply_is_read_to_its_end(reply):
    assert isinstance(read_reply(reply[:20_000], GRAMMAR).found, Malformed | str)
