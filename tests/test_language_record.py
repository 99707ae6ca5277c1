"""Runs of text players: logs, conversations, forecasts, what a review makes of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from command import run as command
from seedo import evaluation, learning, play, reports, worlds
from seedo.episodes import Dataset, DatasetWriter, write_batch
from seedo.errors import UserError
from seedo.language import Conditions, load_speaker, open_scene
from seedo.language.runs import (
    Budget,
    Examples,
    Price,
    Spending,
    conversation_tokens,
    count_tokens,
    find_price,
    follow,
    forecast,
    read_conditions,
    record_speaker,
)

COUNT = 24


@pytest.fixture(scope="module")
def world():
    return worlds.make("dag", n=3)


class Drawn:
    """Acts at random, by a generator that also sees what else is in its batch; says nonsense
    once, at its second step."""

    name = "drawn"

    def replies(self, conversations):
        said = json.dumps([c[-1]["content"] for c in conversations])
        rng = np.random.default_rng(list(said.encode()))
        return [self._reply(c, rng) for c in conversations]

    def _reply(self, messages, rng):
        replies = sum(m["role"] == "assistant" for m in messages)
        if replies == 1:
            return "let me think"
        goal = messages[-1]["content"].partition("Goal: ")[2].split("\n")[0]
        names = [n for n in messages[1]["content"].split("\n")[0].split()[1:] if n != goal]
        return f"do {rng.choice(names)}={rng.choice(['2.0', '-2.0'])}"


class Counted(Drawn):
    """The same, with a token for every word."""

    def replies(self, conversations):
        said = super().replies(conversations)
        self.spent = [(words(c), len(r.split())) for c, r in zip(conversations, said, strict=True)]
        return said


def words(messages) -> int:
    return sum(len(m["content"].split()) for m in messages)


@pytest.fixture(scope="module")
def run(world, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "drawn"
    record_speaker(world, Drawn(), COUNT, 0, out, at_once=8)
    return out


def conversations(folder):
    return [json.loads(line) for line in (folder / "conversations.jsonl").read_text().splitlines()]


def page(review, folder):
    reports.write_report(review, folder / "report.html")
    return (folder / "report.html").read_text()


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_tokens_of_every_reply_are_summed_in_the_log_and_the_review(world, tmp_path):
    speaker = Counted()
    record_speaker(world, speaker, COUNT, 0, tmp_path / "run", at_once=8, meter=speaker)
    total = 0
    for text in (tmp_path / "run" / "conversations.jsonl").read_text().splitlines():
        line = json.loads(text)
        messages = line["messages"]
        replies = [i for i, m in enumerate(messages) if m["role"] == "assistant"]
        assert line["tokens_in"] == sum(words(messages[:i]) for i in replies)
        assert line["tokens_out"] == sum(words([messages[i]]) for i in replies)
        total += line["tokens_in"]
    [reviewed] = evaluation.review([tmp_path / "run"]).runs
    assert reviewed.spoken.tokens_in.value == pytest.approx(total / COUNT)


def test_tokens_of_somebody_else_are_refused_before_anything_is_written(world, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(UserError, match="meter: got 'drawn'"):
        record_speaker(world, Drawn(), 2, 0, out, meter=Counted())
    assert not out.exists()


def test_a_text_understudy_counts_what_its_tokenizer_counts():
    import tokenizers

    folder, _ = learning.agent_folder("pretrained:dag-text")
    coder = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    agent = load_speaker("pretrained:dag-text")
    words_of_its_own = Conditions(names="twelve", turns=False)
    scene = open_scene(worlds.make("dag"), 0, "perform", 0, words_of_its_own)
    [said] = agent.replies([scene.messages()])
    [(read, written)] = agent.spent
    assert written == len(coder.encode(f" {said}", add_special_tokens=False).ids)
    heard = " ".join(m["content"] for m in scene.messages() if m["role"] == "user")
    extra = read - len(coder.encode(heard, add_special_tokens=False).ids)
    assert 0 < extra <= 2 * len(scene.messages())  # roles


def test_a_text_players_log_has_what_others_logs_have(world, run, tmp_path):
    player = play.find_player("scripted:random", world)
    other = play.perform(world, player, COUNT, 0, tmp_path / "random").read()
    own = Dataset(run).read()
    assert own.optional == ("system",)
    assert own.steps == other.steps
    np.testing.assert_array_equal(own.episode_id, other.episode_id)
    np.testing.assert_array_equal(own.goal, other.goal)
    np.testing.assert_allclose(own.oracle_return, other.oracle_return, rtol=1e-5)
    for mine, theirs in zip(own.system, other.system, strict=True):
        mine, theirs = json.loads(mine), json.loads(theirs)
        np.testing.assert_allclose(mine["weights"], theirs["weights"], atol=2e-6)
        np.testing.assert_allclose(mine["expected"], theirs["expected"], atol=2e-5)


def test_the_log_says_what_the_conversation_says(world, run):
    batch = Dataset(run).read()
    for line in conversations(run):
        episode = line["episode"]
        words = open_scene(world, 0, "perform", episode).names.words
        done = [m["content"] for m in line["messages"] if m["role"] == "assistant"]
        done.remove("let me think")
        said = [
            f"do {words[t]}={v:.1f}"
            for t, v in zip(batch.target[episode], batch.value[episode], strict=True)
        ]
        assert done == said


@pytest.mark.parametrize("finished", [0, 5, 11])
def test_a_run_killed_after_any_shard_ends_in_the_same_bytes(world, run, tmp_path, finished):
    out = tmp_path / "run"
    record = [world, Drawn(), COUNT, 0, out]
    with pytest.MonkeyPatch.context() as patch:
        kill_after(patch, finished)
        with pytest.raises(KeyboardInterrupt):
            record_speaker(*record, at_once=8)
    # The conversations are written before the shard, so that none can be missing.
    assert [line["episode"] for line in conversations(out)] == list(range(2 * finished + 2))
    record_speaker(*record, at_once=8, resume=True)
    assert contents(out) == contents(run)


def kill_after(patch, shards):
    write, calls = DatasetWriter.write, []

    def stop(self, shard, batch):
        calls.append(batch)
        if len(calls) > shards:
            raise KeyboardInterrupt
        write(self, shard, batch)

    patch.setattr(DatasetWriter, "write", stop)


def test_a_damaged_shard_is_played_again(world, run, tmp_path):
    out = tmp_path / "run"
    record_speaker(world, Drawn(), COUNT, 0, out, at_once=8)
    (out / "shard-00004.parquet").write_bytes(b"gone")
    record_speaker(world, Drawn(), COUNT, 0, out, at_once=8, resume=True)
    assert contents(out) == contents(run)


@pytest.mark.parametrize("text", ["", '{"episode":0}\n', "no json\n"])
def test_a_run_without_its_conversations_is_not_resumed(world, tmp_path, text):
    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        kill_after(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            record_speaker(world, Drawn(), COUNT, 0, out, at_once=8)
    (out / "conversations.jsonl").write_text(text)
    with pytest.raises(UserError, match=r"conversations\.jsonl.*restore the file"):
        record_speaker(world, Drawn(), COUNT, 0, out, at_once=8, resume=True)


def test_a_review_tells_the_malformed_share_by_step(run, tmp_path):
    (reviewed,) = evaluation.review([run]).runs
    said = reviewed.spoken
    assert said.episodes == COUNT
    # One of five replies (three experiments, one exploit step), always for the second step.
    assert said.malformed.value == pytest.approx(1 / 5)
    assert {s: e.value for s, e in said.malformed_at.items()} == {1: 1.0}
    assert said.passed.value == 0.0
    assert said.tokens_in.value is None
    assert {kind: share.value for kind, share in said.heard.items()} == pytest.approx(
        {"clean": 4 / 5, "repaired": 0, "ambiguous": 0, "illegal": 0, "none": 1 / 5}
    )
    explored, exploited = said.acts["explore"], said.acts["exploit"]
    told = ("legal", "observed", "passed", "refused")
    assert {name: explored[name].value for name in told} == pytest.approx(
        {"legal": 1, "observed": 0, "passed": 0, "refused": 1 / 4}
    )
    assert exploited["legal"].value == 1
    assert reviewed.command.startswith("seedo perform drawn ")
    assert "--prompt" not in reviewed.command
    assert "What text players said" in page(evaluation.review([run]), tmp_path)


class Echo:
    """Gives back the last line of what it is told, in every other episode with the other sign."""

    name = "echo"

    def replies(self, conversations):
        return [self._reply(c) for c in conversations]

    def _reply(self, messages):
        told = [m["content"] for m in messages if m["role"] == "user"]
        line = told[-1].split("\n")[-1]
        swapped = line.replace("=-", "=") if "=-" in line else line.replace("=", "=-")
        return swapped if told[0].split()[1] < "m" else line


def test_a_review_tells_how_many_actions_are_the_line_that_was_shown(world, tmp_path):
    record_speaker(world, Echo(), COUNT, 0, tmp_path / "echo")
    said = evaluation.review([tmp_path / "echo"]).runs[0].spoken
    told = [line["messages"][1]["content"].split()[1] for line in conversations(tmp_path / "echo")]
    given_back = sum(name >= "m" for name in told) / COUNT
    assert 0 < given_back < 1
    assert said.malformed.value == 0
    for phase in ("explore", "exploit"):
        assert said.acts[phase]["echoed"].value == pytest.approx(given_back)
    record_speaker(world, Silent(), 2, 0, tmp_path / "silent")
    silent = evaluation.review([tmp_path / "silent"]).runs[0].spoken
    assert "echoed" not in silent.acts["explore"]  # it did nothing there


class Silent:
    """Never acts before the goal is named; then sets the first variable that is not the goal."""

    name = "silent"

    def replies(self, conversations):
        return [self._reply(c) for c in conversations]

    def _reply(self, messages):
        goal = messages[-1]["content"].partition("Goal: ")[2].split("\n")[0]
        names = messages[1]["content"].split("\n")[0].split()[1:]
        return f"**do {next(n for n in names if n != goal)}=2.0**" if goal else "I cannot tell."


def test_a_player_that_never_acts_is_seen_not_to_and_not_paid_for_what_it_was_shown(
    world, tmp_path
):
    record_speaker(world, Silent(), COUNT, 0, tmp_path / "silent")
    review = evaluation.review([tmp_path / "silent"])
    acts = review.runs[0].spoken.acts
    assert (acts["explore"]["passed"].value, acts["explore"]["legal"].value) == (1, 0)
    assert acts["explore"]["refused"].value == 1
    assert acts["exploit"]["legal"].value == 1
    assert review.runs[0].spoken.repairs["formatting"] >= COUNT
    # A reader who has seen nothing expects nothing of any setting.
    assert review.runs[0].metrics.readers[evaluation.BAYES].return_ratio.value == 0
    whole, _, conduct = reports.players_tables(review.groups[0])
    for table in (whole, conduct):
        passed = next(c for c in table.columns if c.header == "passed")
        assert next(passed.cells) == "100%\n0%"  # of experiments, of scored actions
    assert "something was set in 0% of its experiments" in review.runs[0].warnings


def test_a_review_of_players_without_words_says_nothing_of_words(world, tmp_path):
    player = play.find_player("scripted:random", world)
    play.perform(world, player, 4, 0, tmp_path / "random")
    review = evaluation.review([tmp_path / "random"])
    assert review.runs[0].spoken is None
    table = reports.players_tables(review.groups[0])[0]
    assert "malformed" not in [c.header for c in table.columns]
    assert "malformed" not in str(table.caption)
    assert "Return: share" in str(table.caption)
    assert "What text players said" not in page(review, tmp_path)


def test_conditions_are_read_as_typed():
    texts = ["names=contrary", "reasoning", "check=false", "examples=2", "tools=actions"]
    wanted = Conditions(names="contrary", reasoning=True, examples=2, tools="actions")
    assert read_conditions(texts) == wanted
    assert read_conditions([]) == Conditions()


def test_a_review_tells_the_conditions_as_they_are_typed(world, tmp_path):
    conditions = Conditions(names="letters", instruction="strategy", check=True, decimals=2)
    record_speaker(world, Drawn(), 2, 0, tmp_path / "run", conditions=conditions)
    (reviewed,) = evaluation.review([tmp_path / "run"]).runs
    words = reviewed.command.split()
    typed = [words[i + 1] for i, word in enumerate(words) if word == "--prompt"]
    assert typed == ["names=letters", "instruction=strategy", "check=true", "decimals=2"]
    assert read_conditions(typed) == conditions


def test_a_review_tells_which_examples_were_shown(world, tmp_path):
    shown = {
        "first": Examples((0, 1)),
        "others": Examples((4, 2)),
        "of another": Examples((0, 1), "scripted:random"),
    }
    told = {}
    for name, examples in shown.items():
        conditions = Conditions(examples=2)
        out = tmp_path / name
        record_speaker(world, Follower(), 1, 0, out, conditions=conditions, examples=examples)
        told[name] = evaluation.review([out]).runs[0].command
    assert "--prompt examples=2" in told["first"]
    assert "--examples" not in told["first"]
    assert "--prompt examples=2 --examples 4,2 " in told["others"]
    assert told["of another"] == ""  # nothing that is typed shows these


def test_a_small_model_that_was_shown_none_is_shown_none_again(run, tmp_path):
    job = {
        "task": "perform", "player": "llm:any/small-1B", "conditions": {"examples": 0},
        "options": [], "examples": None,
    }  # fmt: skip
    write_batch(tmp_path / "run", Dataset(run).read(), job)
    (reviewed,) = evaluation.review([tmp_path / "run"]).runs
    assert "perform llm:any/small-1B " in reviewed.command
    assert " --prompt examples=0 " in reviewed.command


class Follower:
    name = "follower"

    def replies(self, conversations):
        return [follow(messages) for messages in conversations]


def test_what_is_typed_is_right_whatever_holds_where_it_is_not(world, tmp_path):
    taught = Conditions(names="letters", decimals=2)
    record_speaker(
        world, Follower(), 1, 0, tmp_path / "run",
        conditions=Conditions(decimals=2), base=taught, typed=["--max-tokens", "9", "--sample"],
    )  # fmt: skip
    (run,) = evaluation.review([tmp_path / "run"]).runs
    words = run.command.split()
    typed = [words[i + 1] for i, word in enumerate(words) if word == "--prompt"]
    assert read_conditions(typed, taught) == read_conditions(typed) == Conditions(decimals=2)
    assert "--max-tokens 9 --sample" in run.command
    assert run.command.count("--sample") == 1
    assert run.options == ["names=nonsense", "decimals=2", "max-tokens=9", "sample"]


@pytest.mark.parametrize(
    "texts",
    [["nams=contrary"], ["names"], ["names=odd"], ["reasoning=maybe"], ["reasoning="],
     ["examples=two"], ["examples=99"], ["examples=-1"], ["decimals"], ["check", "check=true"],
     [""]],
)  # fmt: skip
def test_other_conditions_are_refused_in_one_line(texts):
    with pytest.raises(UserError) as refused:
        read_conditions(texts)
    assert "\n" not in str(refused.value)


def test_every_reply_is_paid_for_with_all_that_was_said_before_it():
    messages = [
        {"role": role, "content": content}
        for role, content in [("system", "a b c"), ("user", "d e"), ("assistant", "f"),
                              ("user", "g"), ("assistant", "h i")]
    ]  # fmt: skip
    # Words of one letter are one token each; four more stand for the marks around a message.
    first = 3 + 4 + 2 + 4
    second = first + 1 + 4 + 1 + 4
    assert conversation_tokens(messages) == Spending(first + second, 3)
    # What was heard as an example is read, but nobody was asked for it.
    assert conversation_tokens(messages, heard=3) == Spending(second, 2)
    assert conversation_tokens(messages, reply=10) == Spending(first + second + 9, 20)


def test_a_forecast_is_what_the_expert_would_cost(world):
    conditions = Conditions()
    expert = play.find_player("scripted:expert", world)
    total_in = total_out = 0
    for index in range(2):
        scene = open_scene(world, 0, "validation", index, conditions)
        choose = scene.actor(expert)
        while not scene.finished:
            said = scene.messages()
            total_in += sum(count_tokens(m["content"]) + 4 for m in said)
            reply = scene.write(choose())
            total_out += count_tokens(reply)
            scene.reply(reply)
    found = forecast(world, 0, conditions)
    assert found == Spending(-(-total_in // 2), -(-total_out // 2))
    assert forecast(world, 0, Conditions(reasoning=True)).tokens_out >= 4 * 200


def test_prices_are_for_a_million_tokens(tmp_path):
    table = tmp_path / "prices.json"
    table.write_text('{"openai/x": {"in": 2.5, "out": 10}}')
    price = find_price("openai/x", table=table)
    assert price == Price(2.5, 10)
    assert price.of(Spending(2_000_000, 500_000)) == pytest.approx(5 + 5)
    assert find_price("openai/y", table=table) is None
    assert find_price("openai/y", 1.0, 2.0) == Price(1.0, 2.0)
    for wrong in ("[]", "{", '{"openai/x": 3}', '{"openai/x": {"in": -1, "out": 2}}'):
        table.write_text(wrong)
        with pytest.raises(UserError):
            find_price("openai/x", table=table)
    with pytest.raises(UserError, match="both"):
        find_price("openai/x", 1.0)


def test_a_budget_is_used_up_when_either_of_its_limits_is():
    price, spent = Price(1.0, 2.0), Spending(1_000_000, 500_000)  # two dollars
    assert Budget(usd=2.0).used_up(spent, price)
    assert not Budget(usd=2.01).used_up(spent, price)
    assert Budget(usd=9.0, tokens=1_500_000).used_up(spent, price)
    assert not Budget().used_up(spent, None)
    each = Spending(100_000, 50_000)  # 0.20 dollars
    assert Budget(usd=3.05).episodes(spent, each, price) == 5
    assert Budget(usd=3.05, tokens=1_800_000).episodes(spent, each, price) == 2
    assert Budget(tokens=1).episodes(spent, each, price) == 0
    assert Budget().episodes(spent, each, price) is None


@pytest.mark.parametrize(
    ("given", "says"),
    [("4,a", "whole numbers"), ("4,4", "each episode once"), ("9999999999", "up to 999999999")],
)
def test_bad_numbers_of_examples_are_refused(capsys, tmp_path, given, says):
    words = ("perform", "pretrained:dag-text", "--out", str(tmp_path / "x"), "--examples", given)
    code, _, err = command(capsys, *words)
    assert code == 2
    assert says in err
    assert not (tmp_path / "x").exists()
