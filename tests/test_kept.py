"""Files and behaviour kept from version 0.1.0, written before the project had its present name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from command import run
from seedo import learning, play, worlds
from seedo.episodes import Dataset

KEPT = Path(__file__).parent / "kept"
OLD = KEPT / "v1"
RECORDED = np.load(KEPT / "behaviour.npz")
CASES = sorted({key.rsplit("|", 1)[0] for key in RECORDED})
QUICK = ("dag||scripted:expert", "dag||pretrained:dag", "rooms||scripted:expert",
         "rooms|level=meta|scripted:expert", "blicket||bayes:eig",
         "blicket|flip=0.1,start=full|bayes:eig")  # fmt: skip


@pytest.mark.parametrize("name", ["dag", "rooms", "blicket"])
def test_logs_of_the_old_name_are_read(name):
    dataset = Dataset(OLD / "logs" / name)
    batch = dataset.read()
    assert dataset.rows == batch.rows == {"dag": 24}.get(name, 20)
    assert batch.origin.world == name
    assert batch.origin.experimenter == "expert"


def test_runs_of_the_old_name_are_reviewed(capsys):
    folders = [str(path) for path in sorted((OLD / "runs").iterdir())]
    code, out, _ = run(capsys, "review", *folders, "--json")
    assert code == 0
    assert "llm:understudy/follower" in out


@pytest.mark.parametrize("world", ["dag", "rooms"])
def test_agents_of_the_old_name_play_as_they_did(world):
    kept = Dataset(OLD / "runs" / world)
    config = kept.origin
    stage = worlds.from_config(config.world, json.loads(config.world_config))
    agent = play.find_player(str(OLD / "agents" / world), stage)
    before = kept.read()
    now = play.episodes(stage, agent, 0, "perform", 0, before.rows)
    np.testing.assert_array_equal(now.target, before.target)
    np.testing.assert_allclose(now.outcome, before.outcome, atol=1e-5)


def test_training_of_an_old_agent_is_remembered():
    agent = learning.load_agent(OLD / "agents" / "dag")
    assert agent.training["data"][0]["rows"] == 24


def test_an_old_environment_variable_gets_a_line(capsys, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_LAB_TOKEN", "x")
    _, _, err = run(capsys, "--help")
    assert "SEEDO_LAB_TOKEN" in err


@pytest.mark.parametrize(
    "case", [pytest.param(c, marks=() if c in QUICK else pytest.mark.slow) for c in CASES]
)
def test_play_is_as_recorded(case):
    """The same world, player and seed act as in version 0.1.0; outcomes and returns to 1e-5."""
    world, options, player = case.split("|")
    fields = dict(pair.split("=") for pair in options.split(",") if pair)
    split, preset = fields.pop("split", "train"), fields.pop("preset", None)
    stage = worlds.make(
        world, preset=preset, split=split, **{k: _value(v) for k, v in fields.items()}
    )
    who = play.find_player(player, stage)
    batch = play.episodes(stage, who, 7, "perform", 0, 16, systems=world != "rooms")
    for field in ("phase", "target", "goal", "mask"):
        np.testing.assert_array_equal(getattr(batch, field), RECORDED[f"{case}|{field}"])
    for field in ("value", "outcome", "returns", "oracle_return", "random_return"):
        found, kept = getattr(batch, field), RECORDED[f"{case}|{field}"]
        np.testing.assert_allclose(found, kept, atol=1e-5, rtol=1e-5)


def _value(text):
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text
