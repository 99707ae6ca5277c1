"""What players are told: no form that reads as an action, which turn it is, unknown names."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from safetensors.numpy import save_file

from seedo.errors import UserError
from seedo.language import Conditions, open_scene
from seedo.language.runs import is_small, parameters
from seedo.language.scenes import (
    NONSENSE,
    PSEUDO_WORDS,
    Grammar,
    nonsense,
    read_reply,
    without_directions,
)
from seedo.language.text._own_words import in_own_words, renamed
from seedo.worlds import make

WORLDS = [("dag", {}), ("dag", {"experiments": 0}), ("rooms", {}), ("blicket", {})]


def grammar_of(scene):
    return Grammar(scene.read, scene.write, scene.phrases(), {t.name: t for t in scene.tools()})


@pytest.fixture(scope="module")
def worlds():
    return [make(name, **options) for name, options in WORLDS]


def test_no_line_of_the_rules_reads_as_an_action(worlds):
    for world in worlds:
        for conditions in (Conditions(), Conditions(reasoning=True, instruction="strategy")):
            scene = open_scene(world, 1, "perform", 0, conditions)
            rules = scene.messages()[0]["content"]
            assert "NAME" not in rules
            parts = re.split(r"\n|(?<=[.:;]) ", rules)
            for text in (rules, *parts, *(part.strip(".:;") for part in parts)):
                if text.strip() in ("observe", "yes", "no"):
                    continue
                reading = read_reply(text, grammar_of(scene), conditions.reasoning)
                assert reading.kind == "none", text


def test_every_turn_and_every_remedy_end_in_a_legal_action_of_the_task(worlds):
    for world in worlds:
        for index in range(3):
            scene = open_scene(world, 1, "perform", index)
            while not scene.finished:
                shown = scene.example()
                if shown:
                    assert scene.messages()[-1]["content"].endswith(f"such as:\n{shown}")
                else:
                    assert world.name == "blicket"  # yes or no: to show one would be a hint
                    scene.reply("no")
                    continue
                if not scene.malformed or scene.malformed[-1][0] != scene.step:
                    scene.reply("What?")
                    assert scene.messages()[-1]["content"].endswith(f"\n{scene.example()}")
                assert scene.reply(scene.example()) is None, scene.example()


def test_examples_show_every_variable_as_often(worlds):
    shown = {open_scene(worlds[0], 1, "perform", i).example().split("=")[0] for i in range(12)}
    assert len(shown) == 12
    scene = open_scene(worlds[0], 1, "perform", 0, Conditions(attempts=10))
    met = []
    for _ in scene.names.words:
        met.append(scene.example())
        scene.reply("")
    assert len(set(met)) == len(scene.names.words)


def test_the_action_shown_is_the_same_under_every_kind_of_names():
    """So that whoever gives it back plays alike, and shows no effect of names."""
    dag, blicket = make("dag", n=5), make("blicket", n=4)
    for world, other in ((dag, "contrary"), (blicket, "twelve")):
        shown = []
        for kind in ("nonsense", "letters", other):
            scene = open_scene(world, 1, "perform", 3, Conditions(names=kind, attempts=9))
            met = []
            for _ in range(4):
                met.append(scene.read(scene.example()))
                scene.reply("")
            shown.append(met)
        assert shown[0] == shown[1] == shown[2]


def test_each_turn_says_which_it_is_of_how_many(worlds):
    scene = open_scene(make("dag", n=3, exploits=2), 1, "perform", 0)
    told = []
    while not scene.finished:
        told.append(scene.messages()[-1]["content"])
        scene.reply(scene.example())
    assert [f"Experiment {k} of 3." in told[k - 1] for k in (1, 2, 3)] == [True] * 3
    assert ["Scored action 1 of 2." in told[3], "Scored action 2 of 2." in told[4]] == [True] * 2
    blicket = open_scene(worlds[3], 1, "perform", 0)
    assert "Experiment 1 of 12." in blicket.messages()[-1]["content"]


def test_without_turns_nothing_is_said_but_what_happened():
    conditions = Conditions(names="twelve", turns=False)
    scene = open_scene(make("dag", n=3), 1, "perform", 0, conditions)
    assert "the word observe" in scene.messages()[0]["content"]  # no turn says so
    assert set(scene.names.words) <= set(NONSENSE)
    while not scene.finished:
        assert scene.messages()[-1]["content"].count("\n") <= 1
        assert " of 3" not in scene.messages()[-1]["content"]
        scene.reply(scene.example())


def test_pseudo_words_are_pronounceable_unknown_and_enough():
    assert len(set(PSEUDO_WORDS)) == len(PSEUDO_WORDS) >= 500
    assert not {*PSEUDO_WORDS} & {*NONSENSE}
    assert len({word[:4] for word in PSEUDO_WORDS}) == len(PSEUDO_WORDS)
    syllables = re.compile(r"[^aeiou]{1,2}[aeiou][^aeiou]{1,2}[aeiou][^aeiou]{1,2}")
    assert all(syllables.fullmatch(word) for word in PSEUDO_WORDS)
    known = "about after again house water table person number music paper river market".split()
    assert not {*PSEUDO_WORDS} & {*known}
    for n in (5, 40, 700):
        names = nonsense(n, np.random.default_rng(3))
        assert len(set(names.words)) == n
        assert names == nonsense(n, np.random.default_rng(3))
    assert nonsense(5, np.random.default_rng(3)) != nonsense(5, np.random.default_rng(4))


def test_rooms_never_run_out_of_words(worlds):
    told = " ".join(
        message["content"]
        for index in range(4)
        for message in open_scene(worlds[2], 1, "perform", index).messages()
    )
    assert not re.search(r"(?:colour|shape|texture|place) \w*\d", told)


def test_a_text_understudy_reads_any_names_by_words_that_it_knows():
    said = [
        {"role": "system", "content": "Rules."},
        {"role": "user", "content": "Variables: zorbit fep air-flow\nExperiment 1 of 3.\n"
         "Reply with one line such as:\ndo zorbit=2.0"},
        {"role": "assistant", "content": "do air-flow=2.0"},
        {"role": "user", "content": "zorbit=0.1 fep=1.2 air-flow=2.0\nExperiment 2 of 3."},
    ]  # fmt: skip
    told, back = in_own_words(said)
    first, second = (word for word in NONSENSE if word != "fep" and word in back)
    assert [m["content"] for m in told[1:]] == [
        f"Variables: {first} fep {second}",
        f"do {second}=2.0",
        f"{first}=0.1 fep=1.2 {second}=2.0",
    ]
    assert renamed(f"do {first}=2.0", back) == "do zorbit=2.0"
    assert renamed("do fep=-2.0", back) == "do fep=-2.0"


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("openai-api/local/Qwen2.5-Coder-0.5B-Instruct", 5e8),
        ("hf/HuggingFaceTB/SmolLM2-135M-Instruct", 135e6),
        ("ollama/gemma-2-2b-it", 2e9),
        ("vllm/meta-llama/Llama-3.1-8B-Instruct", 8e9),
        ("openai/gpt-4o", None),
        ("anthropic/claude-3-5-sonnet", None),
        ("openai-api/local/model", None),
    ],
)
def test_the_size_of_a_model_is_what_its_name_says(name, size):
    assert parameters(name) == size
    assert is_small(name) == (size is not None and size < 3e9)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_size_of_a_model_in_a_folder_is_that_of_its_arrays(dtype, tmp_path):
    for part, shape in (("a", (3, 5)), ("b", (4,))):
        save_file({"weights": np.zeros(shape, dtype)}, tmp_path / f"model-{part}.safetensors")
    assert parameters(f"hf/{tmp_path}") == 19
    (tmp_path / "model-b.safetensors").write_bytes(b"cut")
    assert parameters(f"hf/{tmp_path}") is None


def test_the_size_of_adapters_is_that_of_the_model_with_them(tmp_path):
    base, own = tmp_path / "base", tmp_path / "own"
    for folder, shape in ((base, (3, 5)), (own, (2, 2))):
        folder.mkdir()
        save_file({"weights": np.zeros(shape, np.float32)}, folder / "model.safetensors")
    named = own / "adapter_config.json"
    named.write_text(json.dumps({"base_model_name_or_path": str(base)}))
    assert parameters(f"hf/{own}") == 3 * 5 + 2 * 2
    elsewhere = [
        "somebody/model-7b",
        str(tmp_path / "none"),
        str(own),
        "a\0b",
        None,
        3,
        [str(base)],
    ]
    for other in elsewhere:
        named.write_text(json.dumps({"base_model_name_or_path": other}))
        assert parameters(f"hf/{own}") is None
    for damaged in ("{}", "[]", "cut {"):
        named.write_text(damaged)
        assert parameters(f"hf/{own}") is None


def test_a_recap_says_every_result_again_sorted_by_what_was_set(worlds):
    dag, _, rooms, blicket = worlds
    scene = open_scene(dag, 1, "perform", 0, Conditions(recap=True))
    names = scene.names.words
    for name in (names[2], names[0], names[2], names[1], names[3]):
        scene.reply(f"do {name}=2.0")
    heard = [m["content"] for m in scene.messages() if m["role"] == "user"]
    results = [without_directions(text).splitlines()[0] for text in heard[1:]]
    told = without_directions(heard[-1])
    again = told.split("All results again, by what was set:\n")[1].splitlines()
    assert sorted(line.split(": ", 1)[1] for line in again) == sorted(results)
    assert [line.split(" at ")[0] for line in again if line.startswith(names[2])] == 2 * [names[2]]
    wanted = [names[i] for i in scene.names.order if i != 4]
    assert list(dict.fromkeys(line.split(" at ")[0] for line in again)) == wanted
    assert heard[-1].count("All results") == 1

    scene = open_scene(blicket, 1, "perform", 0, Conditions(recap=True))
    act = scene.rehearsal()
    while not scene.exploiting:
        scene.reply(scene.write(act()))
    heard = [m["content"] for m in scene.messages() if m["role"] == "user"]
    for text in heard[1:]:
        where, light = text.splitlines()[0].split(" Light: ")
        assert re.search(f"{re.escape(where)} Light: [onf, ]*{light}", heard[-1])
    with pytest.raises(UserError, match="recap"):
        open_scene(rooms, 1, "perform", 0, Conditions(recap=True))
