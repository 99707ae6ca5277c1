"""Environments for reinforcement learning: TRL's contract, the rewards, and TRL itself."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from seedo.errors import UserError
from seedo.language import Conditions, environment_factory, open_scene, openenv_app, training_rows
from seedo.language.scenes import call_for
from seedo.language.serving import OVER, _environment
from seedo.play import find_player
from seedo.worlds import make


@pytest.fixture(scope="module")
def dag():
    return make("dag", n=3)


@pytest.fixture(scope="module")
def of_dag(dag):
    return environment_factory(dag, Conditions(tools="actions", attempts=2), seed=3)


def tools_of_class(cls):
    """What TRL takes for the tools of an environment."""
    members = inspect.getmembers(cls, predicate=inspect.isfunction)
    return {n: f for n, f in members if n not in ("reset", "get_reward") and not n.startswith("_")}


def play(environment, player, **row):
    """A player of ours, by tool calls alone."""
    environment.reset(**row)
    chooses = environment.scene.actor(player)
    while not environment.scene.finished:
        name, arguments = call_for(environment.scene, chooses())
        said = getattr(environment, name)(**arguments)
    return said


def test_the_module_needs_nothing_but_the_package():
    tree = ast.parse(Path(_environment.__file__).read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        )
    }  # fmt: skip
    assert imported <= {*sys.stdlib_module_names, "seedo"}


def test_every_tool_has_the_schema_that_transformers_makes_of_it(of_dag):
    utils = pytest.importorskip("transformers.utils")
    schemas = {n: utils.get_json_schema(getattr(of_dag(), n)) for n in tools_of_class(of_dag)}
    assert set(schemas) == {"set_variable", "observe"}
    given = schemas["set_variable"]["function"]["parameters"]
    assert {k: v["type"] for k, v in given["properties"].items()} == {
        "variable": "string",
        "value": "number",
    }
    assert given["required"] == ["variable", "value"]
    assert "parameters" in schemas["observe"]["function"]


@pytest.mark.parametrize("name", ["dag", "rooms", pytest.param("blicket", marks=pytest.mark.slow)])
def test_whoever_knows_the_system_is_rewarded_with_one(name):
    world = make(name, n=3) if name == "dag" else make(name)
    environment = environment_factory(world)()
    for index in range(8):
        assert play(environment, find_player("scripted:expert", world), index=index)
        scene = environment.scene
        if scene.oracle_return - scene.random_return > 1e-3:
            assert environment.get_reward() == pytest.approx(1, abs=1e-4)


@pytest.mark.slow
def test_random_play_in_rooms_is_rewarded_with_nothing_on_average():
    """A third of a point is lost by a wrong choice, of which there are three in four."""
    environment = environment_factory(make("rooms"))()
    rewards = []
    for index in range(200):
        environment.reset(index=index)
        while not environment.scene.finished:
            environment.take(1 + index % 4)
        rewards.append(environment.get_reward())
    assert sorted(set(rewards)) == pytest.approx([-1 / 3, 1])
    assert abs(sum(rewards) / 200) < 4 * (3 / 16) ** 0.5 / 0.75 / 200**0.5


def test_rows_name_episodes_and_the_same_row_begins_the_same_one(dag, of_dag):
    one, other = of_dag(), of_dag()
    texts = [one.reset(**row) for row in training_rows(4, seed=7)]
    assert [other.reset(**row) for row in training_rows(4, seed=7)] == texts
    assert len(set(texts)) == 4
    told = open_scene(dag, 7, "reinforce", 2, Conditions(tools="actions", attempts=2)).messages()
    assert texts[2] == "\n\n".join(m["content"] for m in told)
    assert one.reset(seed=7, index=2) == texts[2]
    fresh = of_dag()  # without a row: episode after episode of the factory's own seed
    assert [fresh.reset(), fresh.reset()] == [one.reset(index=0), one.reset(index=1)]


def test_what_a_tool_is_given_never_raises_and_is_counted(of_dag):
    environment = of_dag()
    assert "reset" in environment.observe()
    environment.reset(index=0)
    scene = environment.scene
    calls = [
        lambda: environment.set_variable("nobody", 2.0),
        lambda: environment.set_variable(),
        lambda: environment.set_variable(variable=[1], value={}),
        lambda: environment.set_variable("x", "2.0; import os"),
        lambda: environment.set_variable("x" * 10_000_000, float("nan")),
        lambda: environment.observe(1, 2, three=3),
    ]
    for n, call in enumerate(calls):
        assert call().startswith("Nothing was done")
        assert len(scene.malformed) == n + 1
    assert len(scene.passed) == 3  # two malformed calls a step
    while not scene.finished:
        environment.observe()
    malformed = len(scene.malformed)
    assert environment.set_variable("nobody", 2.0) == "The episode is over."
    assert len(scene.malformed) == malformed


def test_an_unfinished_episode_is_worth_the_least_and_malformed_calls_cost(dag):
    environment = environment_factory(dag, penalty=0.25)()
    with pytest.raises(RuntimeError, match="reset"):
        environment.get_reward()
    environment.reset(index=1)
    assert environment.get_reward() == -1
    environment.set_variable("nobody", 2.0)
    assert environment.get_reward() == -1.25
    environment.reset(index=1)
    assert environment.get_reward() == -1


def test_what_does_not_go_with_calls_is_refused(dag):
    for conditions in (
        Conditions(),
        Conditions(tools="actions", check=True),
        Conditions(tools="actions", examples=1),
    ):
        with pytest.raises(UserError):
            environment_factory(dag, conditions)
    with pytest.raises(UserError, match="penalty"):
        environment_factory(dag, penalty=-1)
    environment = environment_factory(dag)()
    for row in ({"seed": -1}, {"index": "0"}, {"seed": True}):
        with pytest.raises(UserError):
            environment.reset(**row)


# -- TRL itself ------------------------------------------------------------------------------------


def tiny_tokenizer():
    """Bytes and the marks of a chat template that TRL knows how to read calls from."""
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    templates = pytest.importorskip("trl.chat_template_utils")
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    marks += [f"<{s}{m}>" for m in ("tool_call", "tool_response", "think") for s in ("", "/")]
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([*alphabet, *marks])}
    made = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    made.add_special_tokens(marks[:3])
    made.add_tokens(marks[3:])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = templates.qwen3_chat_template
    return tokenizer


def reply_to(text):
    """Of a player who sees what the model sees: tests every variable, then raises the goal."""
    names = re.search(r"Variables: (.*)", text)[1].split("<")[0].split()
    tests = re.findall(r'"variable": "(\w+)", "value": 2.0', text.split("Variables:")[1])
    results = re.findall(r"<tool_response>\n(.*)", text)
    if "The episode is over" in text:
        return "Done."
    if len(tests) < len(names):
        target, value = names[len(tests)], 2.0
    else:
        goal = re.findall(r"Goal: (\w+)", text)[-1]
        effects = {
            tested: float(re.search(rf"\b{goal}=(\S+)", said)[1])
            for tested, said in zip(tests, results, strict=False)
            if tested != goal
        }
        target = max(effects, key=lambda name: abs(effects[name]))
        value = 2.0 if effects[target] > 0 else -2.0
    call = {"name": "set_variable", "arguments": {"variable": target, "value": value}}
    return f"<tool_call>\n{json.dumps(call)}\n</tool_call>"


@pytest.mark.slow
def test_trl_trains_two_steps_in_this_environment(dag, tmp_path, monkeypatch):
    """TRL renders the schemas, reads calls, runs tools and takes the reward; only the words of the
    policy are ours, since a model with random weights calls nothing."""
    trl = pytest.importorskip("trl")
    datasets = pytest.importorskip("datasets")
    transformers = pytest.importorskip("transformers")
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    tokenizer = tiny_tokenizer()
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=16_384,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    environments = []
    of_dag = environment_factory(dag, seed=5)

    def factory():
        environments.append(of_dag())
        return environments[-1]

    rewards, malformed = [], []
    reward = of_dag.get_reward

    def get_reward(self):
        rewards.append(reward(self))
        malformed.append(len(self.scene.malformed))
        return rewards[-1]

    monkeypatch.setattr(of_dag, "get_reward", get_reward, raising=False)
    trainer = trl.GRPOTrainer(
        model=transformers.LlamaForCausalLM(config),
        args=trl.GRPOConfig(
            output_dir=str(tmp_path), max_steps=2, per_device_train_batch_size=2,
            num_generations=2, max_completion_length=4096, use_cpu=True, report_to=[],
            save_strategy="no", logging_steps=1, bf16=False,
        ),
        train_dataset=datasets.Dataset.from_list(training_rows(4, seed=5)),
        processing_class=tokenizer,
        environment_factory=factory,
    )  # fmt: skip

    def scripted(prompt_ids, images, multimodal_fields, num_generations, **_):
        texts = [tokenizer.decode(ids) for ids in prompt_ids]
        replies = [tokenizer(reply_to(t) + "<|im_end|>")["input_ids"] for t in texts]
        return replies, None

    monkeypatch.setattr(trainer, "_generate_single_turn", scripted)
    trainer.train()
    assert len(rewards) == 4
    assert all(e.scene.finished for e in environments)
    assert malformed == [0] * 4
    assert rewards[0] == rewards[1]  # one group, one system, one policy
    logged = [entry for entry in trainer.state.log_history if "reward" in entry]
    assert logged[0]["reward"] == pytest.approx(sum(rewards[:2]) / 2, abs=1e-4)
    assert logged[0]["tools/failure_frequency"] == 0


# -- OpenEnv ---------------------------------------------------------------------------------------


def test_without_openenv_one_line_says_what_to_install(dag, monkeypatch):
    monkeypatch.setitem(sys.modules, "openenv.core.env_server", None)
    with pytest.raises(UserError, match="pip install openenv"):
        openenv_app(dag)


# These are skipped where OpenEnv is missing: `make test-openenv` runs them, in an environment of
# its own, since OpenEnv wants another version of the MCP SDK than we.


@pytest.fixture(scope="module")
def address(dag):
    """A server of OpenEnv's own on this machine."""
    pytest.importorskip("openenv.core.env_server")
    uvicorn = pytest.importorskip("uvicorn")
    app = openenv_app(dag, Conditions(attempts=2), seed=3, tasks=50)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_openenvs_own_client_plays_the_episode_that_everyone_plays(dag, address):
    client = pytest.importorskip("openenv.core").GenericEnvClient
    player = find_player("scripted:expert", dag)
    with client(base_url=address).sync() as env, client(base_url=address).sync() as other:
        for index in range(3):
            scene = open_scene(dag, 3, "reinforce", index, Conditions(attempts=2))
            chooses = scene.actor(player)
            told = env.reset(index=index)
            assert other.reset(index=index).observation["said"] == told.observation["said"]
            assert told.observation["said"].endswith(scene.messages()[-1]["content"])
            while not scene.finished:
                assert not told.done
                line = scene.write(chooses())
                scene.reply(line)
                told = env.step({"reply": line})
                if not scene.finished:
                    assert told.observation["said"] == scene.messages()[-1]["content"]
                    assert told.reward == 0
            assert told.done
            assert told.reward == pytest.approx(1, abs=1e-4)
        assert env.step({"reply": "observe"}).observation["said"] == OVER
        env.reset(index=0)
        for reply in ("rm -rf /", "x" * 100_000, "\ud83d\ude00"):
            told = env.step({"reply": reply})
            assert told.observation["malformed"] in ("not-an-action", "too-long")
        state = env.state()
        assert (state["malformed"], state["passed"], state["finished"]) == (3, 1, False)


def test_a_trainer_finds_the_episodes_through_the_task_api(dag, address):
    client = pytest.importorskip("openenv.core").GenericEnvClient
    requests = pytest.importorskip("requests")

    def asked(what, **body):
        return requests.post(f"{address}/dag/{what}", json=body, timeout=30)

    splits = requests.get(f"{address}/dag/splits", timeout=30).json()
    assert splits == [{"name": "train", "type": "train"}]
    assert asked("num_tasks", split="train").json() == {"num_tasks": 50}
    tasks = asked("tasks", split="train").json()["tasks"]
    assert len({task["id"] for task in tasks}) == 50
    assert all(set(task) == {"id", "split", "seed", "index"} for task in tasks)
    assert asked("task_range", split="train", start=-2).json()["tasks"] == tasks[48:]
    for wrong in ({"split": "train", "index": 50}, {"split": "train", "index": -1},
                  {"split": "test", "index": 0}):  # fmt: skip
        assert asked("task", **wrong).status_code == 400
    task = asked("task", split="train", index=7).json()["task"]
    with client(base_url=address).sync() as env:
        told = env.reset(**{name: task[name] for name in ("split", "seed", "index")})
    scene = open_scene(dag, 3, "reinforce", 7, Conditions(attempts=2))
    assert told.observation["said"].endswith(scene.messages()[-1]["content"])


def test_openenvs_own_checks_of_a_running_server_pass(address):
    command = Path(sys.executable).with_name("openenv")
    words = [command, "validate", "--url", address, "--json", "--timeout", "60"]
    done = subprocess.run(words, capture_output=True, text=True)
    report = json.loads(done.stdout)
    assert report["passed"], report


def test_the_package_file_that_the_docs_show_is_one(tmp_path):
    parsers = pytest.importorskip("openenv.validation.parsers.openenv_yaml")
    text = (Path(__file__).parents[1] / "docs/language/reinforcement.md").read_text()
    (tmp_path / "openenv.yaml").write_text(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])
    manifest = parsers.OpenEnvYamlParser().parse(tmp_path)
    assert manifest.name == "seedo-dag"
    assert manifest.capabilities.task_api
    assert manifest.capabilities.declared_task_count == {"train": 10_000}
