"""Look back: logs of all kinds, whole, damaged and hostile, over HTTP and in the browser."""

import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

import layout
from lab_server import running
from seedo import experimenters, inference, play, worlds
from seedo.episodes import Dataset, EpisodeBatch, Origin, import_csv, write_batch
from seedo.lab import LabSettings, create_app, decode
from seedo.lab._background import Job, Stopped
from seedo.play import Live, find_player

EVIL = '<img src=x onerror="document.title=1">'
WORLD = worlds.make("dag", n=3)


def hostile() -> EpisodeBatch:
    """Two recorded episodes whose every text wants to be a program."""
    nan = np.full(2, np.nan, np.float32)
    config = json.dumps({"do_values": [10**400, 1, None], "n": -1})
    origin = Origin(
        f"recorded:{EVIL}", config, EVIL, 0, f"</script>{EVIL}", (EVIL, "B'\"", "{{C}}")
    )
    outcome = np.random.default_rng(0).normal(size=(2, 3, 3))
    target = np.array([[0, 1, 0]] * 2)
    return EpisodeBatch(
        origin=origin, episode_id=np.arange(2), phase=np.array([[1, 1, 2]] * 2), target=target,
        value=np.full((2, 3), 2.0), outcome=outcome, mask=np.ones((2, 3), bool),
        goal=np.array([[-1, -1, 2]] * 2), returns=nan, oracle_return=nan, random_return=nan,
        action_logits=np.zeros((2, 3, 9)),
        explanation=[[EVIL, "", "</script><script>document.title=1</script>"]] * 2,
        system=['{"weights": [[1e999]], "noise_scale": "x"}', "[" * 100_000],
    )  # fmt: skip


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """A folder of logs, and things that only look like logs."""
    path = tmp_path_factory.mktemp("look") / "logs"
    path.mkdir()
    play.perform(WORLD, experimenters.scripted("random"), 40, 3, path / "run",
                       explain="graph")  # fmt: skip
    play.watch(WORLD, experimenters.scripted("expert"), 20, 3, path / "deep" / "watched")
    rooms = worlds.make("rooms", limit=8)
    player = find_player("scripted:random", rooms)
    play.watch(rooms, player, 2, 0, path / "rooms", explain="words")
    write_batch(path / "hostile", hostile(), {"stream": ["perform"]})
    talk = [
        {"episode": i, "messages": [{"role": "system", "content": f"{EVIL} {i}"}]} for i in range(3)
    ]
    shutil.copytree(path / "run", path / "talk")
    lines = "".join(json.dumps(line) + "\n" for line in talk)
    (path / "talk" / "conversations.jsonl").write_text(lines)

    shutil.copytree(path / "run", path / "damaged")
    (path / "damaged" / "shard-00001.parquet").write_bytes(b"PAR1 no more")
    shutil.copytree(path / "run", path / "altered")
    shard = path / "altered" / "shard-00002.parquet"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1  # of the same size
    shard.write_bytes(data)
    shutil.copyfile(path / "run" / "shard-00002.parquet", path / "alone.parquet")
    (path / "own.csv").write_text(
        "episode,step,phase,target,value,goal,pressure,yield\n"
        + "".join(
            f"r{i},0,explore,pressure,{i},,{i},{2 * i + i % 3}\n"
            f"r{i},1,exploit,pressure,1,yield,1,{2 + i % 2}\n"
            for i in range(12)
        )
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    rows = zip(x, 2 * x + rng.normal(size=60), ["-"] * 40 + ["X"] * 20, strict=True)
    text = "X,Y,did\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows)
    (path / "table.csv").write_text(text)

    outside = path.parent / "outside"
    shutil.copytree(path / "run", outside / "run")
    (outside / "table.csv").write_text(text)
    (path / "link").symlink_to(outside / "run")
    (path / "link.csv").symlink_to(outside / "table.csv")
    shutil.copytree(path / "run", path / "linked-shard")
    os.remove(path / "linked-shard" / "shard-00000.parquet")
    (path / "linked-shard" / "shard-00000.parquet").symlink_to(outside / "run/shard-00000.parquet")
    for name, manifest in (("bad1", "{"), ("bad2", "[" * 200_000), ("bad3", "null")):
        (path / name).mkdir()
        (path / name / "manifest.json").write_text(manifest)
    (path / "pipe").mkdir()
    shutil.copyfile(path / "run" / "manifest.json", path / "pipe" / "manifest.json")
    os.mkfifo(path / "pipe" / "shard-00000.parquet")
    return path


@pytest.fixture(scope="module")
def client(logs, tmp_path_factory):
    settings = LabSettings(data=tmp_path_factory.mktemp("lab"), logs=(logs,), warm=False)
    return TestClient(create_app(settings), base_url="http://localhost")


def get(client, what, status=200, **fields):
    answer = client.get(f"/api/look/{what}", params=fields)
    assert answer.status_code == status, answer.text
    return answer.json()


def summary(client, log):
    for _ in range(100):
        found = get(client, "log", log=log)
        if found["ready"]:
            return found
        time.sleep(0.05)
    raise AssertionError("the log was never read")


def csrf(client):
    return client.get("/look").text.split('name="csrf" content="')[1].split('"')[0]


def ask(client, **fields):
    token = {"X-CSRF-Token": csrf(client)}
    sent = client.post("/api/look/ask", json=fields, headers=token)
    assert sent.status_code == 202, sent.text
    for _ in range(1200):
        state = get(client, f"ask/{sent.json()['job']}")
        if state["over"]:
            return state
        time.sleep(0.05)
    raise AssertionError("never answered")


def test_logs_are_found_with_their_world_and_player_and_bad_ones_with_the_reason(client):
    found = {log["key"]: log for log in get(client, "logs")["logs"]}
    assert {"run", "deep/watched", "rooms", "hostile", "damaged"} <= set(found)
    assert "link" not in found
    run = found["run"]
    assert (run["world"], run["player"], run["rows"], run["why_not"]) == ("dag", "random", 40, "")
    for name in ("bad1", "bad2", "bad3"):
        assert "\n" not in found[name]["why_not"]
        assert "manifest.json" in found[name]["why_not"]


@pytest.mark.parametrize(
    "path",
    [
        "..", "../outside/run", "/etc/passwd", "/etc", "run/../../outside/run", "link", "link.csv",
        "nothing", "a\0b", "x" * 999, "/", "", " ", "run/manifest.json", "pipe/shard-00000.parquet",
        "\N{RIGHT-TO-LEFT OVERRIDE}", "~root", "bad1", "bad2", "bad3",
    ],
)  # fmt: skip
def test_what_is_no_log_under_the_roots_is_refused_in_one_line(path, client):
    line = get(client, "log", 422, log=path)["error"]
    assert "\n" not in line
    page = client.get("/look/log", params={"log": path})
    assert page.status_code == 422


def test_elsewhere_and_missing_are_answered_alike(client, logs):
    there = get(client, "log", 422, log=str(logs.parent / "outside" / "run"))["error"]
    missing = get(client, "log", 422, log=str(logs.parent / "outside" / "nun"))["error"]
    assert there.replace("run", "nun") == missing


def test_the_summary_is_that_of_the_episodes(client, logs):
    figures = summary(client, "run")["figures"]
    batch = Dataset(logs / "run").read()
    assert figures["returns"]["value"] == pytest.approx(batch.returns.mean(), abs=1e-4)
    ratio = batch.returns.sum() / batch.oracle_return.sum()
    assert figures["return_ratio"]["value"] == pytest.approx(ratio, abs=1e-4)
    assert figures["returns"]["low"] < figures["returns"]["value"] < figures["returns"]["high"]


def test_a_damaged_shard_is_named_and_the_rest_is_shown(client):
    found = summary(client, "damaged")
    assert len(found["damage"]) == 1
    assert found["damage"][0].startswith("shard-00001.parquet: ")
    assert found["figures"]["episodes"] == 38
    ids = [r["id"] for r in get(client, "episodes", log="damaged", page=0)["rows"]]
    assert ids[:4] == [0, 1, 4, 5]
    assert "shard-00001" in get(client, "episode", 422, log="damaged", at="1.0")["error"]


def test_a_shard_that_is_a_link_to_elsewhere_or_a_pipe_is_left_out(client):
    assert summary(client, "linked-shard")["figures"]["episodes"] == 38
    assert "no readable episodes" in get(client, "log", 422, log="pipe")["error"]


def test_filters_and_sorting_agree_with_the_log(client, logs):
    batch = Dataset(logs / "run").read()
    summary(client, "run")

    def ids(**fields):
        found = get(client, "episodes", log="run", **fields)
        rows = found["rows"]
        for page in range(1, -(-found["count"] // found["size"])):
            rows += get(client, "episodes", log="run", page=page, **fields)["rows"]
        return [row["id"] for row in rows]

    best = batch.returns > batch.oracle_return - 1e-3
    assert ids(best=True) == batch.episode_id[best].tolist()
    assert ids(best=False) == batch.episode_id[~best].tolist()
    assert ids(low=0.5, high=2) == np.flatnonzero(
        (batch.returns >= 0.5) & (batch.returns <= 2)).tolist()  # fmt: skip
    goal = batch.goal[:, -1]
    assert ids(goal=1) == np.flatnonzero(goal == 1).tolist()
    explore = batch.phase == 1
    both = [((batch.target == v) & explore).any(1) for v in (0, 2)]
    assert ids(tested=[0, 2]) == np.flatnonzero(both[0] & both[1]).tolist()
    said = ["a->b" in " ".join(texts).lower() for texts in batch.explanation]
    assert ids(text="A->b") == np.flatnonzero(said).tolist()
    assert any(said)
    assert ids(episode=7) == [7]
    worth = batch.returns[ids(sort="-returns")]
    assert (np.diff(worth) <= 0).all()
    lost = (batch.oracle_return - batch.returns)[ids(sort="-regret")]
    assert (np.diff(lost) <= 1e-6).all()


def test_the_list_says_what_is_broken_and_what_can_still_be_read(client, logs):
    for _ in range(300):
        listed = get(client, "logs")
        if not listed["checking"]:
            break
        time.sleep(0.1)
    found = {one["key"]: one for one in listed["logs"]}
    rows = [Dataset(logs / "run").read_shard(i).rows for i in range(3)]
    assert found["run"]["checked"]
    assert (found["run"]["broken"], found["run"]["readable"]) == (0, 40)
    for name, shard, word in (
        ("damaged", 1, "bytes"), ("altered", 2, "altered"), ("linked-shard", 0, "out of the lab")
    ):  # fmt: skip
        log = found[name]
        assert (log["broken"], log["files"]) == (1, found["run"]["files"]), name
        assert log["readable"] == 40 - rows[shard]
        assert f"shard-0000{shard}" in log["damage"][0]
        assert word in log["damage"][0]
    assert found["pipe"]["readable"] == 0
    assert found["bad1"]["why_not"]


def test_a_replay_shows_the_steps_and_the_system_of_the_log(client, logs):
    batch = Dataset(logs / "run").read_shard(3)
    found = get(client, "episode", log="run", at="3.1")
    assert found["id"] == batch.episode_id[1]
    assert [s["target"] for s in found["steps"]] == batch.target[1].tolist()
    outcome = np.array([s["outcome"] for s in found["steps"]], float)
    assert np.allclose(outcome, batch.outcome[1], atol=1e-5)
    assert found["steps"][-1]["said"] == batch.explanation[1][-1]
    weights = np.array(json.loads(batch.system[1])["weights"])
    edges = {(e["from"], e["to"]): e["weight"] for e in found["truth"]["edges"]}
    assert set(edges) == {tuple(map(int, at)) for at in np.argwhere(weights)}


def test_the_link_of_a_run_leads_to_the_very_same_episode(client, logs):
    batch = Dataset(logs / "run").read_shard(3).take([1])
    scenario = decode(get(client, "episode", log="run", at="3.1")["again"])
    live = scenario.begin()
    for target, value, outcome in zip(batch.target[0], np.nan_to_num(batch.value[0]),
                                      batch.outcome[0], strict=True):  # fmt: skip
        assert np.allclose(live.act(int(target), float(value)).outcome, outcome, atol=1e-5)
    assert live.returns == pytest.approx(float(batch.returns[0]), abs=1e-5)


def test_a_watched_system_is_found_again_and_can_be_played_with_other_noise(client, logs):
    batch = Dataset(logs / "deep/watched").read_shard(2).take([0])
    assert get(client, "episode", log="deep/watched", at="2.0")["again"] == ""
    found = get(client, "hindsight", log="deep/watched", at="2.0")
    assert found["truth"]["source"] == "drawn again"
    live = Live(WORLD, 3, "watch", int(batch.episode_id[0]))
    weights = np.asarray(live.task.system.weights)
    edges = {(e["from"], e["to"]) for e in found["truth"]["edges"]}
    assert edges == {tuple(map(int, at)) for at in np.argwhere(weights)}
    scenario = decode(found["again"])
    assert np.allclose(scenario.drawn.weights, weights, atol=1e-5)
    assert scenario.drawn.goal == batch.goal[0].max()
    assert "other noise" in found["again_note"]


def test_beliefs_are_the_exact_posterior_of_the_rows_so_far(client, logs):
    found = get(client, "hindsight", log="run", at="3.1")["beliefs"]
    batch = Dataset(logs / "run").read_shard(3).take([1])
    assert len(found) == batch.steps + 1
    rows = inference.log_rows(logs / "run", int(batch.episode_id[0]))
    fusion = inference.scores.fuse(rows.table, rows.model, rows.prior)
    edges = inference.exact.graph_posterior(fusion.scores, 100, 0).edges
    assert np.allclose(found[-1]["edges"], edges, atol=2e-3)


def test_strategies_say_what_they_would_have_done(client, logs):
    found = get(client, "strategies", log="run", at="3.1")
    (step,) = found["steps"]
    by_name = {s["name"]: s for s in step["strategies"]}
    batch = Dataset(logs / "run").read_shard(3).take([1])
    oracle = by_name["Expert (knows the system)"]
    assert oracle["worth"] == pytest.approx(float(batch.oracle_return[0]), abs=1e-3)
    assert step["worth"] == pytest.approx(float(batch.returns[0]), abs=1e-3)
    assert {"Bayes-optimal reader", "Total correlation"} <= set(by_name)
    assert step["did"][0]["target"] == batch.target[0, -1]


def test_rooms_are_drawn_again_only_if_the_log_is_true(client, logs):
    found = get(client, "episode", log="rooms", at="0.0")
    assert found["rooms"]
    assert found["steps"][0]["did"]
    assert any(s["said"] for s in found["steps"])
    picture = client.get("/api/look/frames", params={"log": "rooms", "at": "0.0"})
    assert picture.headers["content-type"] == "image/png"
    assert get(client, "frames", 422, log="run", at="0.0")["error"].startswith("world")
    batch = Dataset(logs / "rooms").read_shard(0)
    other = batch.take([0])
    other.episode_id[:] = 999
    write_batch(logs / "other-rooms", other, {"stream": "watch"})
    assert "not shown" in get(client, "frames", 422, log="other-rooms", at="0.0")["error"]
    shutil.rmtree(logs / "other-rooms")


def test_a_conversation_is_that_of_the_episode(client):
    found = get(client, "conversation", log="talk", at="1.0")["messages"]
    assert found == [{"role": "system", "said": f"{EVIL} 2"}]
    assert get(client, "conversation", log="run", at="0.0")["messages"] == []


def test_a_single_shard_and_a_csv_with_a_row_a_step_are_logs_too(client, logs):
    assert summary(client, "alone.parquet")["rows"] == 2
    alone = get(client, "episode", log="alone.parquet", at="0.1")
    assert alone["id"] == get(client, "episode", log="run", at="2.1")["id"]
    own = summary(client, "own.csv")
    assert own["names"] == ["pressure", "yield"]
    assert own["figures"]["returns"]["value"] is None
    assert own["pooled"]
    assert get(client, "episodes", log="own.csv")["rows"][0]["best"] is None
    found = ask(client, log="own.csv", question="effect of pressure on yield")["answer"]
    rows = inference.exact.batch_rows(import_csv(logs / "own.csv"))
    expected = inference.ask("effect of pressure on yield", rows.table)
    assert found["value"] == pytest.approx(expected.value, rel=1e-4)
    assert found["command"].startswith("seedo import ")


def test_questions_get_the_answers_of_the_command_line(client, logs, capsys):
    from command import run

    number = int(Dataset(logs / "run").read_shard(3).episode_id[1])
    found = ask(client, log="run", at="3.1", question="effect of A on C", draws=500)["answer"]
    shown = found["command"].split()
    assert shown[:2] == ["seedo", "ask"]
    assert f"--episode {number}" in found["command"]
    code, out, _ = run(capsys, "ask", str(logs / "run"), "effect of A on C", "--episode",
                       str(number), "--draws", "500", "--json")  # fmt: skip
    assert code == 0
    theirs = json.loads(out)
    assert found["answer"] == theirs["answer"]
    assert found["assumes"] == theirs["assumes"]
    named = ask(client, log="run", draws=500,
                question=f"what would C have been had A been 2 in episode {number}?")  # fmt: skip
    assert named["answer"]["value"] is not None
    forced = ask(client, log="run", at="3.1", question="is there an edge from A to C?",
                 require=["A->C"])["answer"]  # fmt: skip
    assert forced["value"] == 1


def test_a_table_is_asked_with_its_column_of_targets(client):
    preview = get(client, "log", log="table.csv")
    assert preview["names"] == ["X", "Y", "did"]
    assert preview["rows"] == 60
    found = ask(client, log="table.csv", question="effect of X on Y", targets="did")["answer"]
    assert found["low"] < 2 < found["high"]
    assert "20 rows that set X" in found["rests_on"]
    refused = ask(client, log="table.csv", question="effect of X on Y", targets="/etc/passwd")
    assert "choose a column" in refused["error"]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"log": "run", "question": "effect of A on C"}, "episode"),
        ({"log": "run", "at": "3.1", "question": "effect of A on Q"}, "column"),
        ({"log": "run", "at": "99.1", "question": "what causes A?"}, "no such episode"),
        ({"log": "run", "at": "3.1", "question": "what causes A?", "targets": "x"}, "table"),
        ({"log": "run", "at": "3.1", "question": "what causes A?", "require": ["A or B"]}, "A->B"),
        ({"log": "run", "at": "3.1", "question": "what causes A?", "graph": "A -> B\nB -> A"},
         "graph"),
        ({"log": "run", "at": "3.1", "question": "what causes A?", "nonlinear": True}, "graph"),
        ({"log": "rooms", "at": "0.0", "question": "what causes move?"}, "rooms"),
        ({"log": "run", "question": "what causes A in episode 999?"}, "999"),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_answered_gets_one_line(fields, word, client):
    summary(client, fields["log"])
    line = ask(client, **fields)["error"]
    assert word in line
    assert "\n" not in line


def test_another_visitor_does_not_see_the_answer(client, logs, tmp_path):
    token = {"X-CSRF-Token": csrf(client)}
    body = {"log": "table.csv", "question": "effect of X on Y", "targets": "did"}
    job = client.post("/api/look/ask", json=body, headers=token).json()["job"]
    own = dict(client.cookies)
    client.cookies.clear()
    try:
        get(client, f"ask/{job}", 404)
    finally:
        client.cookies.clear()
        client.cookies.update(own)
    get(client, f"ask/{job}")


def test_a_stopped_question_stops_at_its_next_step():
    job = Job(lambda job: None)
    job.progress(1, 10)
    job.stop()
    with pytest.raises(Stopped):
        job.progress(2, 10)
    assert job.done == 1


def test_a_hostile_log_is_text_and_nothing_else(client, logs):
    found = summary(client, "hostile")
    assert found["names"][0] == EVIL
    assert found["stream"] == ""
    for at in ("0.0", "0.1"):
        episode = get(client, "episode", log="hostile", at=at)
        assert episode["truth"] is None
        assert get(client, "hindsight", log="hostile", at=at)["why_not"]
        get(client, "strategies", log="hostile", at=at)
    page = client.get("/look/log", params={"log": "hostile"}).text
    assert EVIL not in page


def test_a_parquet_file_that_unpacks_beyond_reason_is_refused(client, logs):
    bomb = logs / "bomb.parquet"
    pq.write_table(pa.table({"x": pa.array(np.zeros(200_000_000, np.int8))}), bomb,
                   compression="zstd")  # fmt: skip
    try:
        assert bomb.stat().st_size < 1 << 20
        assert "too large" in get(client, "log", 422, log="bomb.parquet")["error"]
    finally:
        bomb.unlink()


def test_a_person_opens_filters_replays_and_asks(logs, tmp_path, visit, figure, monkeypatch):
    monkeypatch.chdir(logs.parent)
    with running(tmp_path / "lab", logs=(Path("logs"),)) as address:
        page = visit(f"{address}/look", height=1250)
        page.get_by_label("Path of a log folder").fill("../outside/run")
        page.get_by_role("button", name="Open").press("Enter")
        page.get_by_text("nothing of this name").wait_for()
        visit.wrong.clear()  # the refusal, which browsers log
        page.get_by_role("link", name="logs/run", exact=True).click()
        page.locator("#episodes tbody tr").first.wait_for()
        page.get_by_text("40 episodes").wait_for()

        page.get_by_label("Best action").select_option("true")
        page.get_by_label("Explanation contains").fill("->")
        page.get_by_role("button", name="Filter").click()
        page.locator("#count", has_not_text="40 episodes").wait_for()
        assert page.locator("#episodes td", has_text="✗").count() == 0
        page.locator("#episodes tbody button").nth(1).click()
        page.locator("#belief").wait_for()
        page.locator("table.strategies").wait_for()
        page.get_by_text("believed and false").wait_for()
        assert page.locator("#belief .edge.right").count() > 0
        assert page.locator("#belief .edge.belief").count() == 0
        assert page.locator("#truth .edge.plain").count() == page.locator("#truth .edge").count()
        assert "true arrows more likely than not" in page.locator("#tally").inner_text()
        assert "(95 % interval: " in page.locator("#summary").inner_text()
        slider = page.get_by_label("Steps over")
        slider.focus()
        slider.press("Home")
        assert "Before the first" in page.locator("#now").inner_text()
        slider.press("ArrowRight")
        assert page.locator("#steps tr[aria-current]").count() == 1
        assert page.locator("#steps tr.later").count() == 3
        slider.press("End")
        assert "Still open" in page.locator("#bits").inner_text()
        assert page.get_by_role("link", name="Play this very system").get_attribute("href")

        page.get_by_label("Question", exact=True).fill("effect of A on C")
        page.get_by_role("button", name="Ask", exact=True).click()
        page.locator("#answer .said").wait_for()
        assert "seedo ask" in page.locator("#answer code").inner_text()
        page.evaluate("scrollTo(0, 0)")
        figure(page, "look", full_page=False)
        assert not layout.wrong_with(page)
        at = page.url
        page.reload()
        page.locator("#answer .said").wait_for()  # found again
        assert page.url == at

        narrow = visit(f"{address}/look/log?log=rooms", width=360, height=800, scheme="dark")
        narrow.locator("#frame").wait_for()
        narrow.get_by_role("button", name="To the start").press("Enter")
        narrow.get_by_role("button", name="One step on").press("Enter")
        assert "Step 1 of" in narrow.locator("#frame").get_attribute("aria-label")
        assert narrow.evaluate("document.documentElement.scrollWidth") <= 360
        figure(narrow, "look-rooms")

        evil = visit(f"{address}/look/log?log=hostile")
        evil.locator("#steps tbody tr").first.wait_for()
        evil.get_by_text("No posterior").wait_for()
        assert evil.locator("img").count() == 0
        assert evil.title() == "Look back · Seedo"

        table = visit(f"{address}/look/log?log=table.csv")
        table.get_by_text("What to take for granted").click()
        table.get_by_label("Column that says what was done").select_option("did")
        table.get_by_role("button", name="effect of X on did").wait_for()
        table.get_by_label("Question", exact=True).fill("effect of X on Y")
        table.get_by_role("button", name="Ask", exact=True).click()
        table.locator("#answer .said").wait_for()
