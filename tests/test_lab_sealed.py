"""Sealed challenges: a system, its noise and scores, carried from one lab to another."""

import base64
import json
import re
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import expect

from lab_client import visitor
from lab_server import running
from seedo.errors import UserError
from seedo.lab import Scenario, encode
from seedo.lab._sealed import Challenge, Score, seal, unseal

PLAIN = {
    "config": {"n": 3, "experiments": 2, "weight_family": "uniform"},
    "drawn": {
        "weights": [[0, 1.2345, 0], [0, 0, -0.9876], [0, 0, 0]],
        "noise": [0.111, 0.222, 0.333],
        "goal": 2,
    },
    "seed": 123_456_789,
}
SYSTEM = Scenario.from_json(PLAIN)
MOVES = [(0, 2.0), (1, 2.0), (1, -2.0)]


@pytest.fixture
def labs(tmp_path):
    return visitor(tmp_path / "one"), visitor(tmp_path / "other")


def played(me, link_or_code):
    if link_or_code.startswith("/play"):
        page = me.get(link_or_code, follow_redirects=True)
        game = f"/api{page.url.path}"
    else:
        made = me.post("/api/play", json={"s": link_or_code}).json()
        game = f"/api/play/{made['game']}"
    states = []
    for step, (target, value) in enumerate(MOVES):
        body = {"step": step, "target": target, "value": value}
        states.append(me.post(f"{game}/steps", json=body).json())
    return game, states


def test_a_finished_game_challenges_another_lab_on_the_same_system_and_noise(labs):
    one, other = labs
    game, states = played(one, encode(SYSTEM))
    name = game.rpartition("/")[2]
    sealed = one.post(f"/api/challenge/seal/{name}", params={"who": "Ada"}).json()
    told = other.post("/api/challenge/open", json={"text": sealed["file"]}).json()
    assert "3 variables: 2 experiments, 1 that count" in told["about"]
    yours = one.get(f"{game}/end", params={"others": False}).json()["score"]["you"]
    assert told["scores"][0] == {"who": "Ada", "returns": pytest.approx(yours, abs=1e-4)}
    theirs, again = played(other, told["link"])
    assert [s["rows"] for s in again] == [s["rows"] for s in states]
    end = other.get(f"{theirs}/end", params={"others": False}).json()
    assert end["challengers"] == told["scores"]
    assert end["graph"]["edges"][0]["weight"] == 1.23


def test_nothing_in_the_file_the_answer_or_the_game_shows_the_system(labs):
    one, other = labs
    sealed = one.post("/api/challenge/seal", json={"scenario": PLAIN}).json()
    opened = other.post("/api/challenge/open", json={"text": sealed["code"]})
    page = other.get(opened.json()["link"], follow_redirects=True)
    game = other.get(f"/api{page.url.path}")
    body = sealed["code"].rpartition(".")[2]
    raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    for secret in ("1.2345", "0.9876", "weights", "123456789", "0.222", encode(SYSTEM)[:40]):
        for text in (sealed["file"], opened.text, page.text, game.text):
            assert secret not in text
        assert secret.encode() not in raw
    for start in range(40):  # nor does whoever only unpacks it
        with pytest.raises(zlib.error):
            zlib.decompress(raw[start:])
    assert other.get(f"/api{page.url.path}/end").status_code == 409
    again = one.post("/api/challenge/seal", json={"scenario": PLAIN}).json()
    assert again["code"] != sealed["code"]  # nor whether two are of one system


@given(st.integers(0, 10**9), st.lists(st.floats(-1e6, 1e6), max_size=5))
def test_what_is_sealed_is_what_is_opened(seed, returns):
    scenario = Scenario.from_json(PLAIN | {"seed": seed % 2**32})
    scores = tuple(Score(f"player {i}", round(r, 4)) for i, r in enumerate(returns))
    assert unseal(seal(Challenge(scenario, scores))) == Challenge(scenario, scores)


@given(st.data())
def test_a_code_with_a_slip_in_it_is_refused(data):
    code = seal(Challenge(SYSTEM, (Score("Ada", 1.0),)))
    at = data.draw(st.integers(len("seedo-challenge.1."), len(code) - 2))
    other = data.draw(st.sampled_from("abcXYZ019-_!\n\u0661"))
    broken = code[:at] + other + code[at + 1 :]
    if broken == code:
        return
    with pytest.raises(UserError) as refused:
        unseal(broken)
    assert refused.value.field == "challenge"


def forged(plain):
    """A code that says this, with its checksum right."""
    import seedo.lab._sealed as sealed

    packed = zlib.compress(json.dumps(plain).encode())
    check = sealed.hashlib.sha256(packed).digest()[:8]
    body = base64.urlsafe_b64encode(b"saltsalt" + check + sealed._masked(packed, b"saltsalt"))
    return f"seedo-challenge.1.{body.decode().rstrip('=')}"


GOOD = encode(SYSTEM)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "challenge"),
        ("hello", "challenge"),
        ("seedo-challenge.2.AAAA", "challenge"),
        ("seedo-challenge.1.", "challenge"),
        ("seedo-challenge.1.é", "challenge"),
        ("seedo-challenge.1." + "A" * 50_000, "challenge"),
        ("{", "JSON"),
        ("{}", "code"),
        ('{"code": 5}', "code"),
        ('{"code": "\\ud800"}', "challenge"),
        (forged([1]), "challenge"),
        (forged({"s": GOOD, "scores": [["a", 1]] * 13}), "challenge"),
        (forged({"s": GOOD, "scores": [["a\u202eb", 1]]}), "who"),
        (forged({"s": GOOD, "scores": [["a", "1"]]}), "score"),
        (forged({"s": GOOD, "scores": [["a", 1e300]]}), "score"),
        (forged({"s": GOOD, "scores": [5]}), "who"),
        (forged({"s": "AAAA"}), "link"),
        (forged({"s": "x" * 30_000}), "link"),
        (forged({"s": encode(Scenario.from_json({"world": "surfaces"}))}), "world"),
    ],
)
def test_whatever_else_is_opened_is_refused_in_one_line(tmp_path, text, field):
    sent = json.dumps({"text": text})
    me = visitor(tmp_path)
    as_json = {"Content-Type": "application/json"}
    answer = me.post("/api/challenge/open", content=sent, headers=as_json)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    (line,) = answer.json()["error"].splitlines()
    assert len(line) < 300


def test_a_game_that_is_not_over_or_not_ones_own_is_not_sealed(labs):
    one, other = labs
    name = one.post("/api/play", json={"s": encode(SYSTEM)}).json()["game"]
    assert one.post(f"/api/challenge/seal/{name}").status_code == 422
    assert other.post(f"/api/challenge/seal/{name}").status_code == 404


def press(page, *names):
    for step, name in enumerate(names):
        page.get_by_role("button", name=name).click()
        page.locator("#rows tbody tr").nth(step).wait_for(state="attached")


def test_from_the_end_of_a_game_to_the_other_labs_score(tmp_path, visit):
    with running(tmp_path / "one") as one, running(tmp_path / "other") as other:
        page = visit(f"{one}/play?s={encode(SYSTEM)}")
        press(page, "A ↑ +2", "B ↑ +2", "B ↓ −2")
        page.locator("#end").wait_for()
        page.get_by_text("Challenge somebody with another lab").click()
        page.get_by_label("Your name there").fill("Ada")
        with page.expect_download() as saved:
            page.get_by_role("button", name="Seal and save").click()
        path = tmp_path / saved.value.suggested_filename
        saved.value.save_as(path)
        assert page.locator("#sealed").input_value() in path.read_text()
        page.goto(f"{other}/challenge")
        page.get_by_label("Code").fill(path.read_text()[:200])
        page.get_by_role("button", name="Open it").click()
        expect(page.locator("#said")).to_contain_text("not readable")
        visit.wrong.clear()  # the browser logs the refusal
        page.get_by_label("Or its file").set_input_files(path)
        expect(page.locator("#scores li").first).to_have_text(re.compile(r"Ada: 1\.98"))
        page.locator("#play").click()
        press(page, "A ↑ +2", "B ↑ +2", "A ↓ −2")
        shown = page.locator("#score li.challenger", has_text="Ada")
        expect(shown.locator(".value")).to_have_text("1.98")
        best = page.locator("#score li.you .value").inner_text()
        assert np.isclose(float(best), 2.44)
        page.goto("about:blank")
