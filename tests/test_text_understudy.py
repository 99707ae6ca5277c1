"""Text understudies: transcripts, tokens, the Llama network, learning by reading."""

import json
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

from seedo import evaluation, experimenters, play, worlds
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.language import (
    DagScene,
    converse,
    learn_by_reading,
    load_speaker,
    record_speaker,
    speaks,
)
from seedo.language.scenes import Conditions, letters, without_directions
from seedo.language.text import (
    CHAT_TEMPLATE,
    END_ID,
    SPECIAL,
    LlamaPlan,
    TextAgent,
    complete,
    fresh,
    logits,
    prompt,
    text_lesson,
    tokenizer,
    transcript,
    vocabulary,
)
from seedo.learning import Recipe

WORLD = worlds.make("dag", n=4, exploits=2, goals="fresh")
WIDTHS = (("size", 16), ("layers", 1), ("heads", 2), ("inner", 24), ("longest", 512))


def played(index, player="expert", **conditions):
    scene = DagScene(WORLD, 0, "perform", index, Conditions(**conditions))
    act = scene.actor(experimenters.scripted(player))
    while not scene.finished:
        scene.reply(scene.write(act()))
    return scene


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs") / "dag"
    play.watch(WORLD, experimenters.scripted("expert"), 400, 0, folder, explain="effects")
    return folder


def recipe(**changes):
    return Recipe(**({"network": "text", "widths": WIDTHS, "batch_size": 16} | changes))


@pytest.fixture(scope="module")
def agent_folder(logs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("agents") / "text"
    learn_by_reading([logs], folder, recipe(epochs=4.0, explanations="predict"))
    return folder


# -- transcripts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("index", range(4))
def test_the_transcript_of_a_log_is_what_was_said_on_stage(index):
    scene = played(index)
    batch = DagScene.log(play.origin(WORLD, "expert", 0), [scene])
    lines = transcript(batch, 0, scene.names)
    told = [m["content"] for m in scene.messages()[1:]]
    said = [without_directions(text) for text in told]
    roles = [m["role"] for m in scene.messages()[1:]]
    assert [(line.role, line.content) for line in lines] == list(zip(roles, said, strict=True))
    assert [line.kind for line in lines if line.role == "assistant"] == 4 * ["explore"] + 2 * [
        "exploit"
    ]


def test_effects_are_explained_after_the_last_action_in_the_order_of_the_list(logs):
    batch = Dataset(logs).read_shard(0)
    for row in range(8):
        names = letters(batch.origin.variables)
        names = names.__class__(("wug", "dax", "fep", "zib"), (2, 0, 3, 1), names.signs)
        lines = transcript(batch, row, names, explained=True)
        logged = batch.explanation[row][-1]
        told = [line for line in lines if line.kind == "explained"]
        assert len(told) == bool(logged)
        if not told:
            continue
        heads = [line.split(":")[0] for line in told[0].content.split("\n")]
        listed = [w for w in ("fep", "wug", "zib", "dax") if w in heads]
        assert heads == listed
        assert told[0].content.count("=") == logged.count("=")


def test_explained_effects_are_the_slopes_of_exact_expectations(tmp_path):
    dataset = play.watch(
        WORLD, experimenters.scripted("random"), 40, 3, tmp_path / "logs", systems=True,
        explain="effects",
    )  # fmt: skip
    batch = dataset.read_shard(0)
    for text, system in zip(batch.explanation, batch.system, strict=True):
        weights = np.array(json.loads(system)["weights"])
        total = np.linalg.inv(np.eye(4) - weights)  # of a linear system
        said = {}
        for line in filter(None, text[-1].split("\n")):
            head, *items = line.split(" ")
            for item in items:
                name, value = item.split("=")
                said[head[0], name] = float(value)
        for i, cause in enumerate("ABCD"):
            for j, effect in enumerate("ABCD"):
                if i != j:
                    assert said.get((cause, effect), 0.0) == pytest.approx(total[i, j], abs=0.0501)


# -- tokens ---------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_has_tokens_and_they_spell_it_again(text):
    coded = tokenizer().encode(text, add_special_tokens=False)
    assert max(coded.ids, default=0) < len(vocabulary())
    if not any(token in text for token in SPECIAL):
        assert tokenizer().decode(coded.ids, skip_special_tokens=False) == text


def test_names_and_numbers_of_the_stage_are_one_token_each():
    scene = played(0, names="twelve", turns=False)
    for message in scene.messages()[1:]:
        words = message["content"].replace("\n", " ").split(" ")
        pieces = tokenizer().encode(" " + message["content"], add_special_tokens=False)
        assert len(pieces.ids) == len(words) + message["content"].count("=") + message[
            "content"
        ].count("\n")


def test_a_conversation_reads_as_the_chat_template_writes_it():
    scene = played(1)
    messages = scene.messages()[:-1]
    messages[2]["content"] = f" {messages[2]['content']}\n"  # as some servers return it
    template = ImmutableSandboxedEnvironment().from_string(CHAT_TEMPLATE)
    assert prompt(messages) == template.render(messages=messages, add_generation_prompt=True)


def test_a_minibatch_weighs_every_kind_of_token_and_no_padding(logs):
    batch = Dataset(logs).read_shard(0)
    lesson = text_lesson(batch, np.random.default_rng(0), True, 512)
    padded = lesson.action == 0
    for weight in (lesson.explore, lesson.exploit, lesson.reading):
        assert (weight[padded] == 0).all()
    assert lesson.explore.sum() == pytest.approx(1, abs=1e-5)
    assert lesson.exploit.sum() == pytest.approx(1, abs=1e-5)
    pieces = vocabulary()
    done = {pieces[t] for t in np.unique(lesson.action[lesson.exploit > 0])}
    assert {" do", "<|end|>"} < done
    assert not done & {"Goal:", "<|user|>", "<|assistant|>"}


# -- the network ----------------------------------------------------------------------------------


def test_writing_with_a_memory_equals_reading_everything_again():
    plan = LlamaPlan(size=16, layers=2, heads=2, inner=24, longest=64)
    weights = fresh(plan, 3)
    rng = np.random.default_rng(0)
    length = np.array([5, 9, 12])
    tokens = np.zeros((3, 12), np.int32)
    for row, size in enumerate(length):
        tokens[row, :size] = rng.integers(4, 300, size)
    written = np.asarray(
        complete(plan, weights, jnp.asarray(tokens), jnp.asarray(length), 6, END_ID)
    )
    again = jax.jit(lambda tokens: logits(plan, weights, tokens))
    for row, size in enumerate(length):
        said = np.zeros((1, 20), np.int32)  # what stands to the right is not read
        said[0, :size] = tokens[row, :size]
        for at, token in enumerate(written[row], size):
            assert token == int(np.argmax(again(said)[0, at - 1]))
            said[0, at] = token


@pytest.mark.slow
def test_transformers_computes_the_same_and_speaks_the_same(agent_folder):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(agent_folder)
    coder = transformers.AutoTokenizer.from_pretrained(agent_folder)
    agent = load_speaker(agent_folder)
    for index in range(5):
        messages = played(index).messages()[:-1]
        text = coder.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        assert text == prompt(messages)
        ids = coder(text, return_tensors="pt", add_special_tokens=False).input_ids
        assert ids[0].tolist() == tokenizer().encode(text, add_special_tokens=False).ids
        with torch.no_grad():
            expected = theirs(ids).logits.numpy()
        found = np.asarray(
            logits(agent.architecture, agent.network.weights, jnp.asarray(ids.numpy()))
        )
        np.testing.assert_allclose(found, expected, atol=2e-4)
        spoken = theirs.generate(ids)[0, ids.shape[1] :]
        assert (
            coder.decode(spoken, skip_special_tokens=True).strip() == agent.replies([messages])[0]
        )


# -- learning -------------------------------------------------------------------------------------


def test_learning_lowers_the_loss_of_episodes_that_were_not_read(agent_folder):
    rows = [json.loads(line) for line in (agent_folder / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["heldout_exploit_loss"] < rows[0]["heldout_exploit_loss"]
    assert rows[-1]["reading_loss"] < rows[0]["reading_loss"]


def test_an_agent_folder_is_a_hugging_face_checkpoint_without_pickles(agent_folder):
    names = {path.name for path in agent_folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
            "chat_template.jinja", "generation_config.json", "agent.json"} <= names  # fmt: skip
    assert not any(name.endswith((".bin", ".pt", ".pkl")) for name in names)
    assert speaks(agent_folder)
    assert not speaks("pretrained:dag")
    assert not speaks(agent_folder.parent / "nothing")


@pytest.mark.slow
def test_a_text_agent_plays_whole_episodes_and_the_run_can_be_reviewed(agent_folder, tmp_path):
    agent = load_speaker(agent_folder)
    scenes = [DagScene(WORLD, 0, "perform", i) for i in range(3)]
    converse(scenes, agent)
    assert all(scene.finished for scene in scenes)
    run = record_speaker(WORLD, agent, 12, 0, tmp_path / "run")
    assert run.rows == 12
    [row] = evaluation.review([tmp_path / "run"]).runs
    assert row.episodes == 12


def test_drawn_replies_repeat_with_their_seed(agent_folder):
    messages = [DagScene(WORLD, 0, "perform", i).messages() for i in range(6)]
    first = load_speaker(agent_folder, seed=4).replies(messages)
    assert first == load_speaker(agent_folder, seed=4).replies(messages)


def test_a_conversation_too_long_to_read_gets_an_empty_reply(agent_folder):
    agent = load_speaker(agent_folder)
    long = [{"role": "user", "content": "dax=2.0 " * 1000}]
    short = [{"role": "user", "content": "Variables: dax"}]
    assert agent.replies([long, short])[0] == ""


@pytest.mark.slow
def test_the_same_recipe_gives_the_same_bytes_and_an_interrupted_one_too(logs, tmp_path):
    class Stop(Exception):
        pass

    reports = []

    def stop(report):
        reports.append(report)
        if report.row["step"] >= 100:
            raise Stop

    half = recipe(epochs=8.0)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    learn_by_reading([logs], whole, half)
    with pytest.raises(Stop):
        learn_by_reading([logs], cut, half, progress=stop, checkpoint_seconds=0.0)
    learn_by_reading([logs], cut, half, resume=True)
    for name in ("model.safetensors", "metrics.jsonl", "agent.json"):
        assert (whole / name).read_bytes() == (cut / name).read_bytes()


# -- bad input ------------------------------------------------------------------------------------


def test_logs_without_explanations_cannot_be_learnt_with_them(tmp_path):
    play.watch(WORLD, experimenters.scripted("expert"), 60, 0, tmp_path / "logs")
    with pytest.raises(UserError, match="watch again with --explain"):
        learn_by_reading([tmp_path / "logs"], tmp_path / "a", recipe(explanations="predict"))


@pytest.mark.parametrize("width", [("size", 0), ("heads", 3), ("depth", 2)])
def test_bad_widths_are_refused(logs, tmp_path, width):
    with pytest.raises(UserError):
        learn_by_reading([logs], tmp_path / "a", recipe(widths=(*WIDTHS, width)))


@pytest.mark.parametrize("damage", ["cut", "other", "missing", "nan", "tokens", "no tokens"])
def test_a_damaged_checkpoint_is_refused_in_one_line(agent_folder, tmp_path, damage):
    folder = tmp_path / "agent"
    shutil.copytree(agent_folder, folder)
    path = folder / "model.safetensors"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "missing":
        path.unlink()
    elif damage == "tokens":
        stored = json.loads((folder / "tokenizer.json").read_text())
        stored["model"]["vocab"][9][0] = "zzz"
        (folder / "tokenizer.json").write_text(json.dumps(stored))
    elif damage == "no tokens":
        (folder / "tokenizer.json").write_text("{}")
    elif damage == "other":
        description = json.loads((folder / "agent.json").read_text())
        description["architecture"]["size"] = 32
        (folder / "agent.json").write_text(json.dumps(description))
    else:
        agent = load_speaker(folder)
        from safetensors.numpy import save_file

        weights = {k: np.array(v) for k, v in agent.network.weights.items()}
        weights["model.norm.weight"][0] = np.nan
        save_file(weights, path)
    with pytest.raises(UserError) as error:
        load_speaker(folder)
    assert "\n" not in str(error.value)


def test_an_agent_of_another_kind_does_not_speak():
    with pytest.raises(UserError, match="does not speak"):
        load_speaker("pretrained:dag")


def test_only_text_agents_are_speakers(agent_folder):
    assert isinstance(load_speaker(agent_folder), TextAgent)
    with pytest.raises(UserError, match="it speaks"):
        play.find_player(str(agent_folder), WORLD)
