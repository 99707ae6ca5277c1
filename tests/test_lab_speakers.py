"""Language models as rivals: asked only when somebody wants it; the model is a local server."""

import time

import pytest
from playwright.sync_api import expect

from command import run
from endpoint import Endpoint
from lab_client import visitor
from lab_server import running
from seedo.lab import LabSettings, Scenario, encode

MODEL = "llm:openai-api/local/mock"
SYSTEM = Scenario.from_json(
    {
        "config": {"n": 3, "experiments": 2, "weight_family": "uniform"},
        "drawn": {"weights": [[0, 0, 0], [0, 0, 0], [0, 2, 0]], "goal": 1},
    }
)


@pytest.fixture
def endpoint():
    server = Endpoint()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_API_KEY", "none")
        patch.setenv("LOCAL_BASE_URL", server.url)
        yield server
    server.stop()


@pytest.fixture
def me(tmp_path, endpoint):
    return visitor(tmp_path, models=(MODEL,))


def played(me):
    game = "/api/play/" + me.post("/api/play", json={"s": encode(SYSTEM)}).json()["game"]
    for step in range(3):
        me.post(f"{game}/steps", json={"step": step, "target": 0, "value": -2.0})
    return game


def speaker(me, game):
    (one,) = me.get(f"{game}/end", params={"others": False}).json()["speakers"]
    return one


def answered(me, game):
    assert me.post(f"{game}/speak", json={"player": MODEL}).status_code == 202
    until = time.monotonic() + 60
    while (one := speaker(me, game))["playing"]:
        assert time.monotonic() < until
        time.sleep(0.1)
    return one


def test_it_plays_the_same_system_when_asked_and_stands_in_the_score(me, endpoint):
    game = played(me)
    before = speaker(me, game)
    assert before.pop("look").keys() == {"light", "dark", "marker", "dash"}
    assert before == {
        "name": MODEL, "label": "openai-api/local/mock", "playing": False, "returns": None,
        "malformed": 0, "why_not": "",
    }  # fmt: skip
    assert not endpoint.asked
    one = answered(me, game)
    # It sets one variable after another to 2, and at its try C, which brings B to 4.
    assert (one["returns"], one["why_not"], one["malformed"]) == (4.0, "", 0)
    asked = len(endpoint.asked)
    assert asked == SYSTEM.stage().spec.steps
    assert "Goal:" in endpoint.asked[-1][-1]["content"]
    assert answered(me, game)["returns"] == one["returns"]
    assert len(endpoint.asked) == asked  # nothing is paid for twice


def test_its_failure_is_said_and_it_can_be_asked_again(me, endpoint):
    game = played(me)
    endpoint.fault = lambda number, messages: 401
    assert "does not answer" in answered(me, game)["why_not"]
    endpoint.fault = None
    one = answered(me, game)
    assert (one["why_not"], one["returns"] is None) == ("", False)


def test_replies_that_are_no_action_are_counted(tmp_path, endpoint):
    plain = endpoint.reply
    once = []

    def slip(messages):
        if len(messages) > 1 and not once:
            once.append(True)
            return "I would rather not."
        return plain(messages)

    endpoint.reply = slip
    me = visitor(tmp_path, models=(MODEL,))
    assert answered(me, played(me))["malformed"] == 1


def test_only_models_that_the_lab_was_started_with_are_asked(me, endpoint):
    game = played(me)
    for name in ("llm:openai/gpt", "hf:/etc", "scripted:random"):
        answer = me.post(f"{game}/speak", json={"player": name})
        assert (answer.status_code, answer.json()["field"]) == (422, "player")
    assert not endpoint.asked


def test_names_are_those_of_players(tmp_path, capsys):
    given = LabSettings(data=tmp_path, models=("ollama/llama3:8b", "llm:a/b", "hf:folder"))
    assert given.speakers == ("llm:ollama/llama3:8b", "llm:a/b", "hf:folder")
    code, _, said = run(capsys, "lab", "--model", "mock", "--data", str(tmp_path))
    assert code == 2
    assert "use llm:NAME or hf:FOLDER" in said
    code, _, said = run(capsys, "lab", "--model", f"hf:{tmp_path}/x", "--data", str(tmp_path))
    assert code == 2
    assert "no such folder" in said


def test_a_person_has_it_play_with_one_press(tmp_path, endpoint, visit):
    with running(tmp_path, models=(MODEL,)) as lab:
        page = visit(f"{lab}/play?s={encode(SYSTEM)}")
        for step in range(3):
            page.get_by_role("button", name="A ↓ −2").click()
            page.locator("#rows tbody tr").nth(step).wait_for(state="attached")
        page.get_by_role("button", name="Have openai-api/local/mock play this too").click()
        page.get_by_text("openai-api/local/mock has played").wait_for(timeout=60_000)
        value = page.locator(f'#score [data-who="{MODEL}"] .value')
        expect(value).to_have_text("4")
        page.goto("about:blank")
